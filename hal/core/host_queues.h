// SPDX-License-Identifier: Apache-2.0
//
// HostQueues: queues for a device that executes commands on the calling
// thread. One worker thread per queue runs submissions whose waits are
// reached, whatever the order they came in. A caller that says that it waits
// (Sync::callerWaits) runs its submission itself when the queue is idle and
// nothing it waits for is open: waking a thread costs tens of microseconds.
//
//   class MyDevice : public DriverDevice, CommandExecutor {
//     Status submit(uint32_t queue, Submission s) override {
//       return queues_.submit(queue, std::move(s));
//     }
//     HostQueues queues_{*this, 1};   // last member: stops before the others
//   };
//
// Contract: destruction lets running submissions finish and fails the waiting
// ones (kCancelled). After an executor returned kDeviceLost every later
// submission fails with that status and nothing more is executed.
#pragma once

#include "hal/api/driver.h"

#include <memory>
#include <thread>
#include <vector>

namespace kiln::hal {

/// Executes one command completely. Called by one thread at a time per queue,
/// by several when a device has several queues. What only moves bytes is done
/// in host memory (host_memory.h) unless a device does it itself.
class CommandExecutor {
public:
  virtual ~CommandExecutor() = default;
  virtual Result<ProgramReport> run(const DispatchCommand &command) = 0;
  virtual Status run(const CopyCommand &command);
  virtual Status run(const FillCommand &command);
  virtual Status run(const UploadCommand &command);
};

class HostQueues {
public:
  HostQueues(CommandExecutor &executor, uint32_t count);
  ~HostQueues();

  Status submit(uint32_t queue, Submission submission);

private:
  struct State;
  struct Lane;
  struct Pending;
  Status runOnCaller(Lane &lane, Submission submission);
  static void work(std::shared_ptr<State> state, Lane &lane);

  std::shared_ptr<State> state_;
  std::vector<std::thread> workers_;
};

} // namespace kiln::hal
