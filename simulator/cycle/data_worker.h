// SPDX-License-Identifier: Apache-2.0
//
// DataWorkers: executes the data commands of a launch beside its timing.
//
//   DataWorkers workers(threads - 1, cores);
//   workers.post(core, {command, config, &memory, block});  // it retires
//   workers.drain(core);      // before S of that core looks at UB
//   workers.drainAll();       // before blocks meet, and at the end
//   if (auto fault = workers.fault()) { ... }
//
// Cycles do not depend on data, so the wheel only hands over what retires. The
// commands of a core are executed in the order in which they were posted, by
// one thread at a time; those of two cores in any order, which a race-free
// program cannot tell: where blocks meet, or touch common bytes with atomics,
// the caller drains. The posting thread helps when the others are behind.
//
// Errors: the commands of a core stop at its first fault. fault() is the one
// that was posted first of all cores, which is the one that a run without
// workers meets first, when all have been drained.
//
// Thread rule: all functions are of one thread, that of the wheel.
#pragma once

#include "isa/semantics/semantics.h"

#include <condition_variable>
#include <deque>
#include <mutex>
#include <optional>
#include <thread>
#include <vector>

namespace kiln::sim {

class DataWorkers {
public:
  struct Work {
    isa::Command command;
    isa::PipeConfig config;
    isa::CoreMemory *memory = nullptr;
    uint32_t block = 0;
  };
  struct Failure {
    uint64_t number = 0; // in the order of all post()s
    uint32_t core = 0;
    uint32_t block = 0;
    isa::Command command;
    isa::Fault fault;
  };

  DataWorkers(unsigned threads, uint32_t cores);
  ~DataWorkers(); // does not wait for work that is left
  DataWorkers(const DataWorkers &) = delete;
  DataWorkers &operator=(const DataWorkers &) = delete;

  /// Any fault that is known by now: there is no use in going on.
  std::optional<isa::Fault> post(uint32_t core, const Work &work);
  void drain(uint32_t core);
  void drainAll();
  std::optional<Failure> fault();

private:
  struct Numbered {
    uint64_t number = 0;
    Work work;
  };
  struct Lane { // of a core
    std::deque<Numbered> queue;
    bool taken = false; // by a thread that executes a part of it
    bool failed = false;
  };

  void serve();
  /// Executes what waits in a lane; `lock` is held outside of that.
  void execute(uint32_t core, std::unique_lock<std::mutex> &lock);
  bool helpOnce(std::unique_lock<std::mutex> &lock);

  std::mutex mutex_;
  std::condition_variable work_, done_;
  std::vector<Lane> lanes_;
  std::deque<uint32_t> ready_; // lanes with work that nobody has taken
  size_t waiting_ = 0;         // commands in all queues
  uint64_t posted_ = 0;
  bool stop_ = false;
  std::optional<Failure> failure_;
  std::vector<std::thread> threads_;
};

} // namespace kiln::sim
