// SPDX-License-Identifier: Apache-2.0
#include "simulator/core/host_global_memory.h"

#include <gtest/gtest.h>

namespace kiln::sim {
namespace {

constexpr uint64_t kBase = 0x1'0000'0000;

std::unique_ptr<HostGlobalMemory> memory(uint64_t bytes = 1 << 20) {
  return *HostGlobalMemory::create(kBase, bytes);
}

TEST(HostGlobalMemory, AllocationsAreAlignedAndDisjoint) {
  auto gm = memory();
  uint64_t a = gm->allocate(Bytes(1))->count();
  uint64_t b = gm->allocate(Bytes(513))->count();
  uint64_t c = gm->allocate(Bytes(0))->count();
  EXPECT_EQ(a, kBase);
  EXPECT_EQ(b, kBase + 512);
  EXPECT_EQ(c, kBase + 512 + 1024);
}

TEST(HostGlobalMemory, FreedRangesJoinAndAreUsedAgain) {
  auto gm = memory(4096);
  GmAddr a = *gm->allocate(Bytes(1024)), b = *gm->allocate(Bytes(1024)),
         c = *gm->allocate(Bytes(2048));
  EXPECT_EQ(gm->allocate(Bytes(1)).status().code(), StatusCode::kDoesNotFit);
  EXPECT_TRUE(gm->free(a).isOk());
  EXPECT_TRUE(gm->free(c).isOk());
  EXPECT_TRUE(gm->free(b).isOk());
  EXPECT_EQ(gm->allocatedBytes(), 0u);
  EXPECT_EQ(gm->allocate(Bytes(4096))->count(), kBase);
}

TEST(HostGlobalMemory, FreeingTwiceIsRefused) {
  auto gm = memory();
  GmAddr a = *gm->allocate(Bytes(16));
  EXPECT_TRUE(gm->free(a).isOk());
  EXPECT_EQ(gm->free(a).code(), StatusCode::kInvalidArgument);
}

TEST(HostGlobalMemory, HugeRequestsAreRefused) {
  auto gm = memory();
  EXPECT_EQ(gm->allocate(Bytes(~uint64_t{0})).status().code(),
            StatusCode::kDoesNotFit);
}

TEST(HostGlobalMemory, MapChecksTheBoundRangesToTheByte) {
  auto gm = memory();
  gm->bind({{kBase + 1024, 100, true}, {kBase, 64, false}});
  EXPECT_NE(gm->map(kBase + 1024, 100, isa::Access::kWrite), nullptr);
  EXPECT_EQ(gm->map(kBase + 1024, 101, isa::Access::kWrite), nullptr);
  EXPECT_EQ(gm->map(kBase + 1023, 2, isa::Access::kRead), nullptr);
  EXPECT_NE(gm->map(kBase, 64, isa::Access::kRead), nullptr);
  EXPECT_EQ(gm->map(kBase, 64, isa::Access::kWrite), nullptr);
  EXPECT_EQ(gm->map(~uint64_t{0} - 4, 100, isa::Access::kRead), nullptr);
  gm->bind({}, false);
  EXPECT_NE(gm->map(kBase + 5000, 100, isa::Access::kWrite), nullptr);
  EXPECT_EQ(gm->map(kBase + (1 << 20) - 4, 8, isa::Access::kWrite), nullptr);
}

} // namespace
} // namespace kiln::sim
