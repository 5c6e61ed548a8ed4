// SPDX-License-Identifier: Apache-2.0
#include "hal/api/timeline.h"

#include <gtest/gtest.h>

#include <thread>

namespace kiln::hal {
namespace {

using std::chrono::milliseconds;

const Status kError{StatusCode::kDeviceFault, "broken"};

TEST(Timeline, OnlyGrows) {
  Timeline t(3);
  EXPECT_TRUE(t.signal(4));
  EXPECT_EQ(t.signal(4).code(), StatusCode::kInvalidArgument);
  EXPECT_EQ(t.signal(2).code(), StatusCode::kInvalidArgument);
  EXPECT_EQ(*t.query(), 4u);
}

TEST(Timeline, WaitsUntilTheTimeout) {
  Timeline t;
  EXPECT_EQ(t.wait(1, milliseconds(1)).code(), StatusCode::kBudgetExceeded);
  EXPECT_TRUE(t.signal(5));
  EXPECT_TRUE(t.wait(1, milliseconds(0)));
}

TEST(Timeline, WakesAWaitingThread) {
  Timeline t;
  Status outcome = kError;
  std::thread waiter([&] { outcome = t.wait(2); });
  EXPECT_TRUE(t.signal(1));
  EXPECT_TRUE(t.signal(2));
  waiter.join();
  EXPECT_TRUE(outcome);
}

TEST(Timeline, KeepsItsFirstError) {
  Timeline t;
  EXPECT_TRUE(t.signal(1));
  t.fail(kError);
  t.fail({StatusCode::kDeviceLost, "later"});
  EXPECT_EQ(t.query().status().message(), "broken");
  EXPECT_EQ(t.signal(2).code(), StatusCode::kDeviceFault);
  EXPECT_TRUE(t.wait(1));
  EXPECT_EQ(t.wait(2).code(), StatusCode::kDeviceFault);
}

TEST(Timeline, NotifiesOnceAndInOrder) {
  Timeline t;
  std::string log;
  for (uint64_t value : {2u, 1u, 3u, 9u}) {
    t.notifyAt(value, [&log, value](const Status &outcome) {
      log += std::to_string(value) + (outcome ? " " : "! ");
    });
  }
  EXPECT_TRUE(t.signal(1));
  EXPECT_EQ(log, "1 ");
  EXPECT_TRUE(t.signal(4));
  EXPECT_EQ(log, "1 2 3 ");
  t.fail(kError);
  EXPECT_EQ(log, "1 2 3 9! ");
  t.notifyAt(4, [&](const Status &outcome) { log += outcome ? "ok" : "no"; });
  t.notifyAt(5, [&](const Status &outcome) { log += outcome ? "ok" : "no"; });
  EXPECT_EQ(log, "1 2 3 9! okno");
}

} // namespace
} // namespace kiln::hal
