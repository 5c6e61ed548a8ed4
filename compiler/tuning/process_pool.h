// SPDX-License-Identifier: Apache-2.0
//
// ProcessPool: answers requests in worker processes, each a fork of this one.
// A worker that crashes, hangs or is killed costs the request it had, and is
// replaced.
//
//   ProcessPool pool([](const std::string &request) { return work(request); },
//                    {.workers = 4});
//   pool.submit(0, "a");
//   pool.submit(1, "b");
//   Result<ProcessPool::Answer> first = pool.next();
//
// Workers start when they are needed, see what this process had in memory
// then, and share nothing with it but a socket. They end with it, however it
// ends. The handler runs in a worker only and may keep state there; its answer
// is everything that comes back.
//
// Errors: what happened to a worker is the Status of its answer (kDeviceLost);
// next() itself fails when no worker can be started.
//
// Thread rule: one thread, and no other threads in the process when a worker
// starts (a fork copies only the caller).
#pragma once

#include "isa/support/status.h"

#include <cstdint>
#include <deque>
#include <functional>
#include <string>
#include <vector>

#include <sys/types.h>

namespace kiln::tuning {

struct PoolOptions {
  uint32_t workers = 0;         // 0: hardware threads
  uint32_t timeoutSeconds = 60; // for one request
};

class ProcessPool {
public:
  using Handler = std::function<std::string(const std::string &)>;

  struct Answer {
    size_t id = 0;
    Status status{};
    std::string text{};
  };

  ProcessPool(Handler handler, PoolOptions options);
  /// Ends the workers, whatever they do.
  ~ProcessPool();
  ProcessPool(const ProcessPool &) = delete;
  ProcessPool &operator=(const ProcessPool &) = delete;

  void submit(size_t id, std::string request);
  /// The next answer, in the order in which they come.
  Result<Answer> next();

  uint32_t workerCount() const { return static_cast<uint32_t>(slots_.size()); }

private:
  struct Request {
    size_t id = 0;
    std::string text;
  };
  struct Worker {
    pid_t pid = 0; // 0: none
    int socket = -1;
    bool busy = false;
    size_t id = 0;
    std::string received;
    int64_t deadline = 0; // milliseconds of the steady clock
  };

  Status start(Worker &worker);
  [[noreturn]] void serve(int socket, pid_t parent) const;
  Status assign();
  bool send(Worker &worker, const Request &request);
  void wait();
  void receive(Worker &worker);
  /// Waits for the end of the process and says how it ended.
  std::string bury(Worker &worker);
  void fail(Worker &worker, const std::string &why);

  Handler handler_;
  PoolOptions options_;
  std::vector<Worker> slots_;
  std::deque<Request> waiting_;
  std::deque<Answer> answers_;
};

} // namespace kiln::tuning
