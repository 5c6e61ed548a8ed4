// SPDX-License-Identifier: Apache-2.0
//
// Pipes of the core in SystemVerilog: queues, flags, loads, stores and vector
// commands by hand, one rule of docs/microarchitecture.md at a time.
#include "tests/rtl/comparison.h"

#include "isa/gen/operands.h"
#include "tests/engines/support/program_builder.h"

#include <random>

namespace kiln::test {
namespace {

using isa::LocalView;
using isa::Opcode;
using isa::Pipe;

constexpr uint64_t kBytes = 64 * 1024;
constexpr uint8_t kF16 = 5, kF32 = 7;

class RtlPipes : public testing::Test {
protected:
  RtlPipes() {
    std::mt19937_64 random(7);
    std::vector<uint64_t> values(kBytes / 8);
    for (uint64_t &v : values) {
      v = random();
    }
    gm = comparison.bench.upload(values);
    b.note.bindingCount = 1;
  }

  void load(uint32_t ub, uint64_t from, uint32_t rows, uint32_t bytes,
            uint32_t gmStride, uint32_t rowStride = 0, uint32_t blkStride = 1) {
    isa::LoadGeometry g;
    g.rowBytes = bytes;
    g.gmStride = gmStride;
    rowStride = rowStride ? rowStride : (bytes + 31) / 32 * blkStride;
    b.npu({.op = Opcode::kLdUb},
          LocalView{ub, rowStride, blkStride, rows}.pack(), gm + from,
          g.pack());
  }
  void store(uint64_t to, uint32_t ub, uint32_t rows, uint32_t bytes,
             uint32_t gmStride, uint32_t rowStride = 0,
             uint32_t blkStride = 1) {
    isa::StoreGeometry g;
    g.rowBytes = bytes;
    g.gmStride = gmStride;
    rowStride = rowStride ? rowStride : (bytes + 31) / 32 * blkStride;
    b.npu({.op = Opcode::kStUb, .f3 = 1}, gm + to,
          LocalView{ub, rowStride, blkStride, rows}.pack(), g.pack());
  }
  void vector(Opcode op, uint8_t type, LocalView dst, LocalView a,
              uint64_t third = 0) {
    b.npu({.op = op, .f3 = type}, dst.pack(), a.pack(), third);
  }
  std::string check() {
    b.barrier();
    b.end();
    return comparison.difference(b.program(), {gm});
  }

  Comparison comparison;
  uint64_t gm = 0;
  ProgramBuilder b;
};

TEST_F(RtlPipes, FlagsBetweenAllPairsOfPipes) {
  for (unsigned s = 0; s < isa::kNumPipes; ++s) {
    for (unsigned d = 0; d < isa::kNumPipes; ++d) {
      if (s != d) {
        b.set(Pipe(s), Pipe(d), (s + d) % 8);
        b.wait(Pipe(s), Pipe(d), (s + d) % 8);
      }
    }
  }
  b.configure(Pipe::MTE2, 0, 5);
  b.configure(Pipe::MTE1, 3, 0);
  b.configure(Pipe::FIX, 1, 0);
  EXPECT_EQ(check(), "");
}

TEST_F(RtlPipes, LoadsOfEveryShape) {
  load(0, 0, 1, 64, 0);
  load(1024, 3, 3, 100, 128);
  load(2048, 5, 4, 33, 33);       // rows that touch
  load(4096, 500, 2, 1500, 2000); // several bursts
  load(8192, 64, 3, 70, 90, 12, 2);
  b.configure(Pipe::MTE2, 0, 0x11223344);
  load(12288, 1, 5, 7, 7, 3);
  load(16384, 0, 0, 64, 0);   // no rows
  load(16384, 0, 2, 0, 0, 1); // no bytes
  load(16384, 512, 1, 4096, 0);
  EXPECT_EQ(check(), "");
}

TEST_F(RtlPipes, StoresOfEveryShape) {
  load(0, 0, 1, 16384, 0);
  b.set(Pipe::MTE2, Pipe::MTE3);
  b.wait(Pipe::MTE2, Pipe::MTE3);
  store(32768, 0, 1, 64, 0);
  store(33000, 64, 3, 100, 128);
  store(34003, 4096, 4, 33, 33);
  store(36000, 8192, 2, 1500, 2000);
  store(42001, 512, 3, 70, 90, 12, 2);
  store(43000, 512, 0, 70, 90);
  store(43000, 0, 1, 4096, 0);
  EXPECT_EQ(check(), "");
}

TEST_F(RtlPipes, InterlocksAndWindows) {
  load(0, 0, 1, 512, 0);
  load(256, 512, 1, 512, 0); // overlaps
  load(8192, 512, 1, 32, 0);
  load(4096, 512, 1, 32, 0);
  load(1024, 0, 2, 32, 64, 64); // bounding range over what is between
  load(2048, 0, 1, 32, 0);
  EXPECT_EQ(check(), "");
}

TEST_F(RtlPipes, VectorOperations) {
  load(0, 0, 1, 16384, 0);
  b.set(Pipe::MTE2, Pipe::V);
  b.wait(Pipe::MTE2, Pipe::V);
  for (uint8_t type : {kF32, kF16}) {
    for (Opcode op : {Opcode::kVadd, Opcode::kVmul, Opcode::kVmax}) {
      vector(op, type, {16384, 9, 1, 3}, {0, 9, 1, 70},
             LocalView{4096, 9, 1, 0}.pack());
      vector(op, type, {20480, 9, 1, 3}, {0, 9, 1, 70},
             LocalView{4096, 0, 1, 0}.pack()); // one row repeated
      vector(op, type, {24576, 9, 1, 3}, {0, 9, 1, 70},
             LocalView{4096, 1, 0, 0}.pack()); // one block repeated
      vector(op, type, {16384, 9, 1, 3}, {16384, 9, 1, 70},
             LocalView{16384, 9, 1, 0}.pack()); // in place
      vector(op, type, {24576, 1, 1, 20}, {0, 1, 1, 8},
             LocalView{0, 1, 2, 0}.pack()); // one block: equal sources
    }
    vector(Opcode::kVsumL, type, {28672, 1, 0, 5}, {0, 20, 1, 150});
  }
  b.barrier();
  store(32768, 16384, 1, 16384, 0);
  EXPECT_EQ(check(), "");
}

TEST_F(RtlPipes, CastsInEveryRounding) {
  load(0, 0, 1, 16384, 0);
  b.set(Pipe::MTE2, Pipe::V);
  b.wait(Pipe::MTE2, Pipe::V);
  uint32_t to = 16384;
  for (unsigned mode = 0; mode < 7; ++mode) {
    for (uint8_t from : {kF16, kF32}) {
      for (uint8_t type : {kF16, kF32}) {
        isa::CastMode m;
        m.type = isa::ElementType(type);
        m.rounding = isa::RoundingMode(mode);
        vector(Opcode::kVcast, from, {to, 16, 1, 1}, {64 * mode, 1, 1, 77},
               m.pack());
        to += 512;
      }
    }
  }
  EXPECT_EQ(check(), "");
}

/// Rules 37 and 39: what a command waits for is its own accesses, not older
/// ones of its pipe.
TEST_F(RtlPipes, ALoadRetiresBeforeOneThatWaitsForV) {
  // V writes group 0 of UB in every cycle.
  vector(Opcode::kVadd, kF32, {0, 4, 1, 200}, {30720, 0, 1, 8},
         LocalView{30720 + 512, 0, 1, 0}.pack());
  load(26624, 0, 1, 32, 0);        // group 0
  load(26624 + 32, 512, 1, 32, 0); // group 1
  EXPECT_EQ(check(), "");
  const std::vector<RtlStamp> &stamps = comparison.expected;
  ASSERT_EQ(stamps.size(), 5u);
  EXPECT_GT(stamps[1].retire, stamps[2].retire + 50);
  EXPECT_GT(comparison.found.loadWaits, 50u);
}

TEST_F(RtlPipes, AStoreIsLateByItsOwnAccesses) {
  // V reads two blocks of group 0 in every cycle, each in a bank that the
  // stores do not use.
  for (uint32_t n = 0; n < 4; ++n) {
    vector(Opcode::kVadd, kF32, {16384 + 2048 * n, 1, 1, 60}, {0, 4, 1, 8},
           LocalView{8192, 4, 1, 0}.pack());
  }
  store(32768, 24576, 1, 32, 0);           // group 0
  store(40960, 24576 + 32, 24, 32, 70, 4); // group 1
  EXPECT_EQ(check(), "");
  EXPECT_GT(comparison.found.storeWaits, 50u);
}

/// Of the banks of a group a pipe is served one per cycle, alone or not.
TEST_F(RtlPipes, ABeatInFourBanksOfAGroupTakesFourCycles) {
  load(0, 0, 4, 4, 4, 256); // one beat
  b.barrier();
  load(64, 64, 4, 4, 4, 256);
  store(32768, 0, 4, 2, 2, 256);
  EXPECT_EQ(check(), "");
  EXPECT_EQ(comparison.found.loadWaits, 6u);
  EXPECT_EQ(comparison.found.storeWaits, 3u);
}

TEST_F(RtlPipes, WithoutMeetingInUbNothingWaits) {
  comparison.bench.arch.timing.banks.ubPipesMeet = 0;
  vector(Opcode::kVadd, kF32, {0, 4, 1, 200}, {30720, 0, 1, 8},
         LocalView{30720 + 512, 0, 1, 0}.pack());
  load(26624, 0, 1, 32, 0);
  store(32768, 26624 + 128, 1, 32, 0);
  EXPECT_EQ(check(), "");
  EXPECT_EQ(comparison.found.loadWaits + comparison.found.storeWaits, 0u);
}

/// The page sets no limit to what waits; the model has one and says when it is
/// too small.
TEST_F(RtlPipes, MoreThatWaitsThanTheQueuesHoldIsAFault) {
  // V reads two blocks of group 0 in every cycle; the store has 800 beats in
  // another bank of it.
  for (uint32_t n = 0; n < 16; ++n) {
    vector(Opcode::kVadd, kF32, {16384 + 2048 * (n % 4), 1, 1, 60},
           {0, 4, 1, 8}, LocalView{8192, 4, 1, 0}.pack());
    if (n == 3) {
      store(0, 24576, 4, 1600, 1600, 0, 0); // one block
    }
  }
  EXPECT_NE(check(), "");
  EXPECT_EQ(comparison.found.fault, 10u); // FAULT_ROOM
}

} // namespace
} // namespace kiln::test
