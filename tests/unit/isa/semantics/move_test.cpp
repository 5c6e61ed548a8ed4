// SPDX-License-Identifier: Apache-2.0
//
// MTE2, MTE1 (without im2col) and MTE3 against their formulas, byte by byte.
#include "test_core.h"

namespace kiln::isa {
namespace {

using namespace testing;

uint64_t load(uint32_t rowBytes, uint32_t stride) {
  return LoadGeometry{.rowBytes = rowBytes, .gmStride = stride}.pack();
}

/// dst + 32*(r*row_stride + (c/32)*blk_stride) + c%32 = src + r*stride + c,
/// the rest of the last block = pad pattern from the block's start.
TEST(Load, MovesRowsAndPadsTheLastBlock) {
  for (Opcode op : {Opcode::kLdUb, Opcode::kLdL1}) {
    const Space space = op == Opcode::kLdUb ? Space::UB : Space::L1;
    for (uint32_t rowBytes : {1u, 31u, 32u, 33u, 64u, 100u}) {
      for (uint32_t blk : {1u, 3u}) {
        TestCore core;
        core.fillRandom(rowBytes);
        TestCore before = core;
        core.config.mte2[0] = 0x44332211;
        core.runOk(command(op, view(0x100, 40, blk, 5), kGmBase + 7,
                           load(rowBytes, 77)));
        const uint32_t blocks = (rowBytes + 31) / 32;
        for (uint32_t r = 0; r < 5; ++r) {
          for (uint32_t c = 0; c < 32 * blocks; ++c) {
            const uint32_t at = 0x100 + 32 * (r * 40 + c / 32 * blk) + c % 32;
            const uint8_t want =
                c < rowBytes
                    ? before.get<uint8_t>(Space::GM, kGmBase + 7 + r * 77 + c)
                    : static_cast<uint8_t>(0x11 * (c % 4 + 1));
            ASSERT_EQ(want, core.get<uint8_t>(space, at))
                << rowBytes << " row " << r << " byte " << c;
          }
        }
      }
    }
  }
}

/// byte c of row r to addr + 32*((c/32)*row_stride + r) + c%32
TEST(Load, NzPutsColumnBlocksApart) {
  TestCore core;
  core.fillRandom(2);
  TestCore before = core;
  core.runOk(
      command(Opcode::kLdNz, view(0x40, 16, 0, 13), kGmBase, load(70, 128)));
  for (uint32_t r = 0; r < 13; ++r) {
    for (uint32_t c = 0; c < 96; ++c) {
      const uint8_t want =
          c < 70 ? before.get<uint8_t>(Space::GM, kGmBase + r * 128 + c) : 0;
      ASSERT_EQ(want, core.get<uint8_t>(
                          Space::L1, 0x40 + 32 * (c / 32 * 16 + r) + c % 32));
    }
  }
}

TEST(Load, MayReadRowsOfDifferentBuffers) {
  TestCore core;
  core.gm.bind(kGmBase + 0x100000, 256);
  core.gm.buffers[kGmBase + 0x100000][3] = std::byte{42};
  core.runOk(
      command(Opcode::kLdUb, view(0, 2, 1, 2), kGmBase, load(64, 0x100000)));
  EXPECT_EQ(42, core.get<uint8_t>(Space::UB, 64 + 3));
}

TEST(Store, WritesExactBytes) {
  for (uint32_t blk : {1u, 2u}) {
    for (uint32_t rowBytes : {1u, 32u, 45u, 96u}) {
      TestCore core;
      core.fillRandom(rowBytes + blk);
      TestCore before = core;
      core.runOk(command(
          Opcode::kStUb, ElementType::F16, kGmBase + 5, view(0x80, 9, blk, 4),
          StoreGeometry{.rowBytes = rowBytes, .gmStride = 101}.pack()));
      for (uint32_t i = 0; i < 600; ++i) {
        uint8_t want = before.get<uint8_t>(Space::GM, kGmBase + i);
        const uint32_t r = i < 5 ? 4 : (i - 5) / 101;
        const uint32_t c = i < 5 ? 0 : (i - 5) % 101;
        if (r < 4 && c < rowBytes) {
          want = before.get<uint8_t>(
              Space::UB, 0x80 + 32 * (r * 9 + c / 32 * blk) + c % 32);
        }
        ASSERT_EQ(want, core.get<uint8_t>(Space::GM, kGmBase + i)) << i;
      }
    }
  }
}

TEST(Store, ToL1StridesBothSides) {
  TestCore core;
  core.fillRandom(3);
  TestCore before = core;
  core.runOk(command(Opcode::kStL1, view(0x20, 1, 16, 16), view(0x40, 7, 2),
                     RowBlocks{.blocks = 3}.pack()));
  for (uint32_t r = 0; r < 16; ++r) {
    for (uint32_t b = 0; b < 3; ++b) {
      for (uint32_t i = 0; i < 32; ++i) {
        ASSERT_EQ(
            before.get<uint8_t>(Space::UB, 0x40 + 32 * (r * 7 + b * 2) + i),
            core.get<uint8_t>(Space::L1, 0x20 + 32 * (r + b * 16) + i));
      }
    }
  }
}

TEST(FractalCopy, PlacesAndTransposesFractals) {
  for (Opcode op : {Opcode::kCpL0a, Opcode::kCpL0b}) {
    const Space space = op == Opcode::kCpL0a ? Space::L0A : Space::L0B;
    for (unsigned transpose : {0u, 1u}) {
      for (uint32_t innerStride : {1u, 5u}) {
        TestCore core;
        core.fillRandom(4);
        core.runOk(command(
            op, FractalTarget{.addr = 1024, .outer = 3, .inner = 2}.pack(),
            FractalSource{
                .addr = 96, .outerStride = 7, .innerStride = innerStride}
                .pack(),
            0, transpose));
        for (uint32_t o = 0; o < 3; ++o) {
          for (uint32_t i = 0; i < 2; ++i) {
            for (uint32_t e = 0; e < 256; ++e) {
              const uint32_t from = transpose != 0 ? e % 16 * 16 + e / 16 : e;
              ASSERT_EQ(
                  core.get<uint16_t>(Space::L1,
                                     96 + 512 * (o * 7 + i * innerStride) +
                                         2 * from),
                  core.get<uint16_t>(space, 1024 + 512 * (o * 2 + i) + 2 * e));
            }
          }
        }
      }
    }
  }
}

TEST(BiasTable, CopiesBytes) {
  TestCore core;
  core.fillRandom(5);
  TestCore before = core;
  core.runOk(command(Opcode::kCpBt, 64, 32, 33));
  for (uint32_t i = 0; i < 128; ++i) {
    const bool inside = i >= 64 && i < 97;
    EXPECT_EQ(inside ? before.get<uint8_t>(Space::L1, 32 + i - 64)
                     : before.get<uint8_t>(Space::BT, i),
              core.get<uint8_t>(Space::BT, i));
  }
}

} // namespace
} // namespace kiln::isa
