// SPDX-License-Identifier: Apache-2.0
//
// Which thread runs what is submitted to host queues.
#include "hal/core/host_queues.h"

#include <gtest/gtest.h>

#include <atomic>
#include <mutex>
#include <thread>

namespace kiln::hal {
namespace {

/// Notes the thread of the last fill; a fill waits for `gate`, when there is
/// one, and returns `outcome`.
class Recorder : public CommandExecutor {
public:
  Result<ProgramReport> run(const DispatchCommand &) override {
    return ProgramReport();
  }
  Status run(const CopyCommand &) override { return Status::ok(); }
  Status run(const UploadCommand &) override { return Status::ok(); }
  Status run(const FillCommand &) override {
    if (gate) {
      started = true;
      (void)gate->wait(1);
    }
    std::lock_guard lock(mutex_);
    thread_ = std::this_thread::get_id();
    return outcome;
  }
  std::thread::id thread() {
    std::lock_guard lock(mutex_);
    return thread_;
  }

  std::shared_ptr<Timeline> gate;
  std::atomic<bool> started = false;
  Status outcome;

private:
  std::mutex mutex_;
  std::thread::id thread_;
};

Submission fill(std::shared_ptr<Timeline> signal, uint64_t value,
                bool callerWaits) {
  Submission s;
  s.commands.push_back(FillCommand{});
  s.signals.push_back({std::move(signal), value});
  s.callerWaits = callerWaits;
  return s;
}

TEST(HostQueues, ACallerThatWaitsRunsItsOwnWork) {
  Recorder recorder;
  auto t = std::make_shared<Timeline>();
  HostQueues queues(recorder, 2);
  ASSERT_TRUE(queues.submit(1, fill(t, 1, true)));
  EXPECT_EQ(*t->query(), 1u); // finished within submit()
  EXPECT_EQ(recorder.thread(), std::this_thread::get_id());
  ASSERT_TRUE(queues.submit(1, fill(t, 2, false)));
  ASSERT_TRUE(t->wait(2));
  EXPECT_NE(recorder.thread(), std::this_thread::get_id());
}

TEST(HostQueues, WorkWithAnOpenWaitIsLeftToTheWorker) {
  Recorder recorder;
  auto t = std::make_shared<Timeline>();
  auto gate = std::make_shared<Timeline>();
  HostQueues queues(recorder, 1);
  Submission s = fill(t, 1, true);
  s.waits.push_back({gate, 1});
  ASSERT_TRUE(queues.submit(0, std::move(s)));
  EXPECT_EQ(*t->query(), 0u);
  ASSERT_TRUE(gate->signal(1));
  ASSERT_TRUE(t->wait(1));
  EXPECT_NE(recorder.thread(), std::this_thread::get_id());
}

TEST(HostQueues, ABusyQueueDoesNotHoldTheCallerUp) {
  Recorder recorder;
  recorder.gate = std::make_shared<Timeline>();
  auto t = std::make_shared<Timeline>();
  HostQueues queues(recorder, 1);
  ASSERT_TRUE(queues.submit(0, fill(t, 1, false)));
  while (!recorder.started) {
    std::this_thread::yield();
  }
  auto other = std::make_shared<Timeline>();
  ASSERT_TRUE(queues.submit(0, fill(other, 1, true)));
  EXPECT_EQ(*other->query(), 0u);
  ASSERT_TRUE(recorder.gate->signal(1));
  ASSERT_TRUE(other->wait(1));
  EXPECT_NE(recorder.thread(), std::this_thread::get_id());
}

TEST(HostQueues, FailuresReachTheTimelineOfAWaitingCaller) {
  Recorder recorder;
  recorder.outcome = {StatusCode::kDeviceLost, "gone"};
  auto t = std::make_shared<Timeline>();
  HostQueues queues(recorder, 1);
  EXPECT_TRUE(queues.submit(0, fill(t, 1, true)));
  EXPECT_EQ(t->wait(1).code(), StatusCode::kDeviceLost);
  auto later = std::make_shared<Timeline>();
  EXPECT_EQ(queues.submit(0, fill(later, 1, true)).code(),
            StatusCode::kDeviceLost);
  EXPECT_EQ(*later->query(), 0u);
}

} // namespace
} // namespace kiln::hal
