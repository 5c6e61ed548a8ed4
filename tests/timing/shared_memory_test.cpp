// SPDX-License-Identifier: Apache-2.0
//
// The shared memory server, cycle by cycle.
#include "simulator/memory/shared_memory.h"

#include <gtest/gtest.h>
#include <map>

namespace kiln::sim {
namespace {

struct Client final : MemClient {
  void burstDone(uint64_t tag, Cycle now) override { done[tag] = now.count(); }
  std::map<uint64_t, uint64_t> done;
};

isa::MemoryTiming k1Timing() {
  isa::MemoryTiming t;
  t.portReadBytesPerCycle = t.portWriteBytesPerCycle = 128;
  t.burstBytes = 512;
  t.outstandingReads = t.outstandingWrites = 128;
  t.flat.latencyCycles = 300;
  t.flat.serverBytesPerCycle = 1104;
  t.minRowBeats = 2;
  return t;
}

MemRequest burst(uint64_t tag, bool write = false) {
  return {GmAddr(0), 512, 4, write, tag};
}

void runAll(TimingWheel &wheel) {
  while (wheel.runNext()) {
  }
}

TEST(SharedMemory, AnUnloadedBurstTakesItsBeatsAndTheLatency) {
  TimingWheel wheel;
  SharedMemory memory(k1Timing(), 1, wheel);
  Client client;
  memory.port(0).issue(burst(1), client, Cycle(0));
  runAll(wheel);
  EXPECT_EQ(client.done[1], 304u);
}

TEST(SharedMemory, ThePortIsBusyForTheBeats) {
  TimingWheel wheel;
  SharedMemory memory(k1Timing(), 1, wheel);
  Client client;
  MemPort &port = memory.port(0);
  port.issue(burst(1), client, Cycle(0));
  EXPECT_EQ(port.readyAt(false, Cycle(3)), Cycle(4)); // blocked at t - 1
  EXPECT_EQ(port.readyAt(false, Cycle(4)), Cycle(4)); // ready at t
  EXPECT_EQ(port.readyAt(true, Cycle(0)), Cycle(0));  // the other direction
}

TEST(SharedMemory, AnOutstandingSlotOpensWhenABurstCompletes) {
  isa::MemoryTiming timing = k1Timing();
  timing.outstandingReads = 2;
  TimingWheel wheel;
  SharedMemory memory(timing, 1, wheel);
  Client client;
  MemPort &port = memory.port(0);
  port.issue(burst(1), client, Cycle(0));
  port.issue(burst(2), client, Cycle(4));
  EXPECT_EQ(port.readyAt(false, Cycle(8)), Cycle(~uint64_t{0}));
  wheel.runNext(); // cycle 304
  EXPECT_EQ(wheel.now(), 304u);
  EXPECT_EQ(port.readyAt(false, Cycle(304)), Cycle(304));
}

TEST(SharedMemory, TheServerIsSharedInOrderOfArrival) {
  TimingWheel wheel;
  constexpr uint32_t kCores = 32;
  SharedMemory memory(k1Timing(), kCores, wheel);
  Client client;
  for (uint32_t core = 0; core < kCores; ++core) {
    memory.port(core).issue(burst(core), client, Cycle(0));
  }
  runAll(wheel);
  for (uint32_t core = 0; core < kCores; ++core) {
    uint64_t served = (512 * (core + 1) + 1103) / 1104;
    EXPECT_EQ(client.done[core], std::max<uint64_t>(served, 4) + 300);
  }
}

TEST(SharedMemory, ReturnsOfOneCoreComeAtTheWidthOfItsPort) {
  TimingWheel wheel;
  SharedMemory memory(k1Timing(), 2, wheel);
  Client client;
  // The other core loads the server so that two bursts are served together.
  for (uint64_t i = 0; i < 40; ++i) {
    MemRequest big = burst(100 + i);
    big.bytes = 1104;
    memory.port(1).issue(big, client, Cycle(4 * i > 0 ? 4 * i : 0));
  }
  memory.port(0).issue(burst(1), client, Cycle(156));
  memory.port(0).issue(burst(2), client, Cycle(160));
  runAll(wheel);
  EXPECT_GE(client.done[2], client.done[1] + 4);
}

} // namespace
} // namespace kiln::sim
