// SPDX-License-Identifier: Apache-2.0
//
// Random kernels: flags against the barrier-all oracle, in three orders, with
// the race check on; and flags that are missing are found.
#include "tests/support/seeds.h"
#include "tests/unit/compiler/npu/kernel_runner.h"
#include "tests/unit/compiler/npu/random_kernel.h"

#include "compiler/transforms/npu/insert_sync.h"
#include "compiler/transforms/npu/verify_sync.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

namespace kiln::test {
namespace {

using pipeline::NpuSync;
using sim::Order;

std::vector<Bytes> data() {
  Bytes x(kRandomKernelBytes);
  for (size_t i = 0; i < x.size(); ++i) {
    x[i] = i % 2 ? 0x3c : static_cast<uint8_t>(89 * i + i / 512);
  }
  return {x, Bytes(kRandomKernelBytes), x};
}

/// Trip counts from 0 to 3.
std::vector<int64_t> trips(uint64_t seed) {
  return {static_cast<int64_t>(seed % 4), static_cast<int64_t>(seed / 4 % 4),
          static_cast<int64_t>(seed / 16 % 4)};
}

TEST(RandomSync, FlagsAgreeWithBarriersInEveryOrder) {
  for (uint64_t seed : seeds(1, 60)) {
    SCOPED_TRACE(fmt::format("seed {}", seed));
    KernelRunner runner(randomKernel(seed));
    Status compiled = runner.compile(NpuSync::kBarrierAll);
    ASSERT_TRUE(compiled) << compiled.message();
    const KernelRun oracle =
        runner.run(data(), Order::kEager, 1, 1, trips(seed));
    ASSERT_TRUE(oracle.status) << oracle.status.message();
    const uint32_t barriers = runner.program().note.barrierCount;
    compiled = runner.compile(NpuSync::kFlags);
    ASSERT_TRUE(compiled) << compiled.message() << "\n" << randomKernel(seed);
    // Else the flags were not proven and barriers replaced them.
    EXPECT_LT(runner.program().note.barrierCount, barriers);
    for (Order order : {Order::kEager, Order::kLazy, Order::kRandom}) {
      const KernelRun run = runner.run(data(), order, seed, 1, trips(seed));
      ASSERT_TRUE(run.status) << run.status.message() << randomKernel(seed);
      for (const sim::Finding &finding : run.report.findings) {
        ADD_FAILURE() << finding.text << randomKernel(seed);
      }
      EXPECT_EQ(run.bindings, oracle.bindings);
    }
  }
}

} // namespace
} // namespace kiln::test
