// SPDX-License-Identifier: Apache-2.0
//
// footprint() says exactly which bytes execute() reads and writes, for random
// commands of every instruction:
//   - no byte outside the write set changes;
//   - every byte of the write set is written (its old value does not matter);
//   - bytes outside the read set do not matter;
//   - every element of the read set matters: some value of it changes the
//     result. (Maximum and the like are sampled with several values.)
#include "random_commands.h"

namespace kiln::isa {
namespace {

using namespace testing;

/// A bit per byte of every memory.
struct ByteSets {
  std::array<std::vector<bool>, kNumSpaces> reads, writes;
};

ByteSets bytesOf(const Footprint &fp, TestCore &core) {
  ByteSets sets;
  for (unsigned s = 0; s < kNumSpaces; ++s) {
    const size_t size = core[static_cast<Space>(s)].size();
    sets.reads[s].resize(size);
    sets.writes[s].resize(size);
  }
  for (const StridedRange &r : fp.ranges) {
    auto &set = (r.write ? sets.writes : sets.reads)[unsigned(r.space)];
    for (uint64_t j = 0; j < r.count[1]; ++j) {
      for (uint64_t i = 0; i < r.count[0]; ++i) {
        const uint64_t at = r.base - TestCore::base(r.space) + i * r.stride[0] +
                            j * r.stride[1];
        for (uint64_t b = 0; b < r.bytes; ++b) {
          set[at + b] = true;
        }
      }
    }
  }
  return sets;
}

/// Fills the memories with numbers of moderate size in every float type, so
/// that nothing overflows or hides another operand.
void fillModerate(TestCore &core, uint32_t seed) {
  std::mt19937 random(seed);
  for (unsigned s = 0; s < kNumSpaces; ++s) {
    auto &bytes = core[static_cast<Space>(s)];
    for (size_t i = 0; i < bytes.size(); ++i) {
      const auto high = static_cast<uint8_t>(0x3c + random() % 4);
      bytes[i] =
          static_cast<std::byte>(i % 2 != 0 ? high : 0x80 | random() % 127);
    }
  }
}

/// What a command leaves in its write set.
std::vector<std::byte> results(TestCore core, const Command &c,
                               const ByteSets &sets) {
  core.runOk(c);
  std::vector<std::byte> out;
  for (unsigned s = 0; s < kNumSpaces; ++s) {
    const auto &bytes = core[static_cast<Space>(s)];
    for (size_t i = 0; i < bytes.size(); ++i) {
      if (sets.writes[s][i]) {
        out.push_back(bytes[i]);
      }
    }
  }
  return out;
}

void scrambleUnread(TestCore &core, const ByteSets &sets, uint32_t seed) {
  std::mt19937 random(seed);
  for (unsigned s = 0; s < kNumSpaces; ++s) {
    auto &bytes = core[static_cast<Space>(s)];
    for (size_t i = 0; i < bytes.size(); ++i) {
      if (!sets.reads[s][i]) {
        bytes[i] ^= static_cast<std::byte>(1 + random() % 255);
      }
    }
  }
}

/// A load or store of overlapping GM rows, or a stride of 0, is read where it
/// is overwritten. Elements that are not equal, not selected or shifted out do
/// not show in the result: other instructions of the same shape do (vcmp.lt,
/// vand). The index of the only element is always 0.
bool everyReadMatters(const RandomCommand &r) {
  switch (r.command.op) {
  case Opcode::kVcmpEq:
  case Opcode::kVcmpNe:
  case Opcode::kVcmpsEq:
  case Opcode::kVcmpsNe:
  case Opcode::kVsel:
  case Opcode::kVshl:
  case Opcode::kVshr:
  case Opcode::kVshru:
  case Opcode::kVgather:  // counts the whole table
  case Opcode::kVgatherb: // likewise
  case Opcode::kVscatter: // likewise, and indices may lie outside it
  case Opcode::kVpairK:   // count whole pairs
  case Opcode::kVpairI:
    return false;
  case Opcode::kVargmaxR:
  case Opcode::kVargminR:
    return LocalView::unpack(r.command.rs1).count > 1;
  case Opcode::kVargmaxL:
  case Opcode::kVargminL:
    return LocalView::unpack(r.command.rs2).count > 1;
  case Opcode::kFixGm: // values above 0 do not read their slope
  case Opcode::kFixUb:
  case Opcode::kFixL1:
    return FixConfig0::unpack(r.config.fix[0]).activation != Activation::kPrelu;
  case Opcode::kStUb: // rows may overwrite one another in GM
    return StoreGeometry::unpack(r.command.rs3).mode == StoreMode::kStore &&
           StoreGeometry::unpack(r.command.rs3).gmStride >=
               StoreGeometry::unpack(r.command.rs3).rowBytes;
  default:
    return true;
  }
}

/// Whether some value of the aligned word at the byte changes the result.
bool matters(const TestCore &core, const Command &c, const ByteSets &sets,
             const std::vector<std::byte> &result, Space s, size_t at) {
  for (unsigned width : {1u, 2u, 4u}) {
    for (unsigned fill : {0x7f, 0xff, 0x80, 0x00, 0xfb, 0x7b}) {
      TestCore changed = core;
      for (size_t i = at / width * width; i < at / width * width + width; ++i) {
        if (sets.reads[unsigned(s)][i]) {
          changed[s][i] = static_cast<std::byte>(fill);
        }
      }
      if (results(changed, c, sets) != result) {
        return true;
      }
    }
  }
  return false;
}

void check(const RandomCommand &r, uint32_t seed) {
  TestCore core;
  core.config = r.config;
  fillModerate(core, seed);
  Footprint fp;
  footprint(r.command, r.config, fp);
  const ByteSets sets = bytesOf(fp, core);
  // Only the write set changes.
  TestCore after = core;
  after.runOk(r.command);
  for (unsigned s = 0; s < kNumSpaces; ++s) {
    const auto space = static_cast<Space>(s);
    for (size_t i = 0; i < core[space].size(); ++i) {
      ASSERT_TRUE(sets.writes[s][i] || after[space][i] == core[space][i])
          << mnemonic(r.command.op) << " writes " << name(space) << " byte "
          << i << " outside its footprint";
    }
  }
  // Unread bytes, old contents of the write set among them, do not matter.
  const std::vector<std::byte> result = results(core, r.command, sets);
  for (uint32_t k = 0; k < 2; ++k) {
    TestCore scrambled = core;
    scrambleUnread(scrambled, sets, seed + k);
    ASSERT_EQ(result, results(scrambled, r.command, sets))
        << mnemonic(r.command.op) << " depends on a byte it does not read, or "
        << "does not write one of its footprint";
  }
  if (!everyReadMatters(r)) {
    return;
  }
  std::mt19937 random(seed);
  for (unsigned s = 0; s < kNumSpaces; ++s) {
    std::vector<size_t> read;
    for (size_t i = 0; i < sets.reads[s].size(); ++i) {
      if (sets.reads[s][i]) {
        read.push_back(i);
      }
    }
    for (unsigned k = 0; k < 3 && !read.empty(); ++k) {
      // The ends first: that is where a footprint is too long.
      const size_t at = k == 0   ? read.back()
                        : k == 1 ? read.front()
                                 : read[random() % read.size()];
      ASSERT_TRUE(
          matters(core, r.command, sets, result, static_cast<Space>(s), at))
          << mnemonic(r.command.op) << " f3 " << int(r.command.f3) << " reads "
          << name(static_cast<Space>(s)) << " byte " << at << " in vain";
    }
  }
}

constexpr unsigned kCommands = 8; // of each instruction

class FootprintOf : public ::testing::TestWithParam<unsigned> {};

TEST_P(FootprintOf, IsExactlyWhatIsTouched) {
  const auto op = static_cast<Opcode>(GetParam());
  CommandGenerator generator(GetParam());
  unsigned done = 0;
  for (unsigned tries = 0; done < kCommands && tries < 400; ++tries) {
    const RandomCommand r = generator.draw(op);
    TestCore probe;
    probe.config = r.config;
    if (probe.run(r.command)) {
      continue; // views that meet, or too large
    }
    check(r, tries);
    ++done;
    if (HasFatalFailure()) {
      return;
    }
  }
  EXPECT_EQ(kCommands, done) << "the generator draws too few legal commands";
}

std::string opName(const ::testing::TestParamInfo<unsigned> &info) {
  std::string text(mnemonic(static_cast<Opcode>(info.param)));
  std::replace(text.begin(), text.end(), '.', '_');
  return text;
}

INSTANTIATE_TEST_SUITE_P(Every, FootprintOf,
                         ::testing::Range(unsigned(Opcode::kLdUb), kNumOpcodes),
                         opName);

TEST(Footprint, IsEmptyForNoOpsAndFaultyOperands) {
  Footprint fp;
  fp.ranges.resize(3);
  footprint(testing::command(
                Opcode::kVadd, ElementType::F16, testing::view(0, 1, 1, 0),
                testing::view(64, 1, 1, 5), testing::view(128, 1, 1)),
            {}, fp);
  EXPECT_TRUE(fp.ranges.empty());
  fp.ranges.resize(3);
  footprint(testing::command(
                Opcode::kVadd, ElementType::F16, testing::view(7, 1, 1, 1),
                testing::view(64, 1, 1, 5), testing::view(128, 1, 1)),
            {}, fp);
  EXPECT_TRUE(fp.ranges.empty());
}

TEST(Footprint, NeedsNoAllocationWhenReused) {
  CommandGenerator generator(99);
  Footprint fp;
  fp.ranges.reserve(256);
  const StridedRange *storage = fp.ranges.data();
  for (unsigned i = 0; i < 300; ++i) {
    const auto op = static_cast<Opcode>(
        unsigned(Opcode::kLdUb) + i % (kNumOpcodes - unsigned(Opcode::kLdUb)));
    const RandomCommand r = generator.draw(op);
    footprint(r.command, r.config, fp);
    EXPECT_EQ(storage, fp.ranges.data());
  }
}

} // namespace
} // namespace kiln::isa
