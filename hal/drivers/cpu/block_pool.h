// SPDX-License-Identifier: Apache-2.0
//
// BlockPool: runs the blocks of a dispatch on a fixed number of threads.
//
//   BlockPool pool(4);
//   Status status = pool.run(blocks, deadline, [&](uint32_t b) { ... });
//
// Blocks are handed out in index order. With one thread everything runs on the
// caller. One run() at a time; the pool serialises callers.
#pragma once

#include "isa/support/status.h"

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <mutex>
#include <optional>
#include <thread>
#include <vector>

namespace kiln::hal {

using Deadline = std::optional<std::chrono::steady_clock::time_point>;

class BlockPool {
public:
  explicit BlockPool(uint32_t threads);
  ~BlockPool();

  /// Calls body(0) to body(blocks - 1) and returns when all are finished.
  /// kBudgetExceeded, and no further blocks, once the deadline has passed.
  Status run(uint32_t blocks, Deadline deadline,
             const std::function<void(uint32_t)> &body);

private:
  struct Job {
    uint32_t blocks = 0;
    Deadline deadline;
    const std::function<void(uint32_t)> *body = nullptr;
    std::atomic<uint32_t> next = 0;
    std::atomic<bool> late = false;
  };
  static void drain(Job &job);
  void help();

  std::mutex serial_; // one run() at a time
  std::mutex mutex_;
  std::condition_variable changed_;
  Job *job_ = nullptr;
  uint64_t generation_ = 0; // of job_
  uint32_t busy_ = 0;       // helpers working on job_
  bool stopping_ = false;
  std::vector<std::thread> helpers_;
};

} // namespace kiln::hal
