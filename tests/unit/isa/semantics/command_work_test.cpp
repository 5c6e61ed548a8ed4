// SPDX-License-Identifier: Apache-2.0
#include "isa/semantics/command_work.h"

#include "test_core.h"

namespace kiln::isa {
namespace {

using namespace testing;

CommandWork work(const Command &c) {
  Footprint scratch;
  return workOf(c, {}, scratch);
}

TEST(CommandWork, CountsMacsAndCellsOfAPartialTile) {
  const CommandWork w =
      work(command(Opcode::kMmad, CubeShape{.m = 17, .n = 16, .k = 33}.pack(),
                   0, CubeB{.mode = CubeMode::kAccumulate}.pack(),
                   static_cast<unsigned>(CubeType::kF16)));
  EXPECT_EQ(17u * 16 * 33, w.macs);
  EXPECT_EQ(2u * 1 * 3, w.cells);
  EXPECT_EQ(17u * 33 * 2, w.bytesRead[unsigned(Space::L0A)]);
  EXPECT_EQ(16u * 33 * 2, w.bytesRead[unsigned(Space::L0B)]);
  EXPECT_EQ(17u * 16 * 4, w.bytesRead[unsigned(Space::L0C)]);
  EXPECT_EQ(17u * 16 * 4, w.bytesWritten[unsigned(Space::L0C)]);
}

TEST(CommandWork, CountsBytesOfALoadWithItsPadding) {
  const CommandWork w =
      work(command(Opcode::kLdUb, view(0, 4, 1, 3), 1 << 20,
                   LoadGeometry{.rowBytes = 33, .gmStride = 64}.pack()));
  EXPECT_EQ(99u, w.gmBytesRead());
  EXPECT_EQ(192u, w.bytesWritten[unsigned(Space::UB)]);
  EXPECT_EQ(0u, w.gmBytesWritten());
}

TEST(CommandWork, CountsElementsOfV) {
  const CommandWork w = work(command(Opcode::kVexp, ElementType::F32,
                                     view(0, 8, 1, 5), view(0x1000, 8, 1, 50)));
  EXPECT_EQ(250u, w.elements);
  EXPECT_EQ(1000u, w.bytesRead[unsigned(Space::UB)]);
}

TEST(CommandWork, IsNothingForAFaultyCommand) {
  const CommandWork w = work(command(Opcode::kVexp, ElementType::F32,
                                     view(4, 8, 1, 5), view(0x1000, 8, 1, 50)));
  EXPECT_EQ(0u, w.elements);
}

} // namespace
} // namespace kiln::isa
