// SPDX-License-Identifier: Apache-2.0
#include "hal/format/package.h"
#include "isa/support/units.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>
#include <functional>
#include <random>

namespace kiln::hal {
namespace {

using testing::HasSubstr;

std::vector<uint8_t> pattern(size_t size, uint8_t seed) {
  std::vector<uint8_t> bytes(size);
  for (size_t i = 0; i < size; ++i) {
    bytes[i] = static_cast<uint8_t>(seed + 7 * i);
  }
  return bytes;
}

/// Two dispatches through the arena, a copy, a fill, two weights.
PackageModel sample() {
  PackageModel m;
  m.fingerprint = "test build", m.name = "sample", m.target = "npu";
  m.machineName = "k1", m.machineHash = "00ff", m.precision = "strict";
  m.isaVersion = 1, m.schedules = "conv: m0=64";
  m.values = {
      {"x", DataType::kF32, {2, 8}},
      {"t", DataType::kF16, {1, 20, 2, 2}, Layout::kNC1HWC0, {2, 1, 2, 2, 16}},
      {"y", DataType::kF32, {16}}};
  m.inputs = {0}, m.outputs = {2};
  m.constants = {{"w0", DataType::kF32, {3, 5}, pattern(60, 1)},
                 {"w1", DataType::kI8, {100}, pattern(100, 2)}};
  m.programs = {{ProgramKind::kNpuElf,
                 "p0",
                 {"kernel"},
                 {},
                 {{"UB", 4096}},
                 pattern(77, 3)},
                {ProgramKind::kNull, "p1", {"a", "b"}, {}, {}, pattern(5, 4)}};
  m.sourceMap = {{"conv_1", "Conv", "m.onnx", 3}};
  m.plan.arenaSize = Expr::constant(1024);
  DispatchModel first{"first", 0, 0, Expr::constant(4)};
  first.bindings = {{BufferRef::input(0, 64), Access::kRead, 0},
                    {BufferRef::constant(0, 60), Access::kRead},
                    {BufferRef::arena(64, 256), Access::kWrite, 1}};
  first.constants = {Expr::constant(-3)};
  first.source = 0;
  DispatchModel second{"second", 1, 1};
  second.bindings = {{BufferRef::arena(64, 256), Access::kRead, 1},
                     {BufferRef::output(0, 64), Access::kWrite, 2}};
  m.plan.functions = {
      {"main",
       {first, BarrierModel{},
        CopyModel{BufferRef::constant(1, 100), BufferRef::arena(512, 100)},
        FillModel{BufferRef::arena(0, 64), 0x3c00, 2}, second}}};
  return m;
}

std::vector<uint8_t> sampleBytes() {
  Result<std::vector<uint8_t>> bytes = serialize(sample());
  EXPECT_TRUE(bytes) << bytes.status().message();
  return *bytes;
}

void expectSameBytes(const Blob &a, const Blob &b) {
  EXPECT_TRUE(std::ranges::equal(a.view(), b.view()));
}

TEST(Package, ReadsBackWhatWasWritten) {
  std::vector<uint8_t> bytes = sampleBytes();
  Result<Package> package = Package::parse(bytes);
  ASSERT_TRUE(package) << package.status().message();
  const PackageModel &m = package->model();
  PackageModel e = sample();
  EXPECT_EQ(m.fingerprint, e.fingerprint);
  EXPECT_EQ(m.name, e.name);
  EXPECT_EQ(m.target, e.target);
  EXPECT_EQ(m.machineName, e.machineName);
  EXPECT_EQ(m.machineHash, e.machineHash);
  EXPECT_EQ(m.precision, e.precision);
  EXPECT_EQ(m.isaVersion, e.isaVersion);
  EXPECT_EQ(m.values, e.values);
  EXPECT_EQ(m.inputs, e.inputs);
  EXPECT_EQ(m.outputs, e.outputs);
  EXPECT_EQ(m.schedules, e.schedules);
  EXPECT_EQ(m.plan, e.plan);
  EXPECT_EQ(m.sourceMap, e.sourceMap);
  ASSERT_EQ(m.programs.size(), 2u);
  EXPECT_EQ(m.programs[0].kind, ProgramKind::kNpuElf);
  EXPECT_EQ(m.programs[0].needs, e.programs[0].needs);
  EXPECT_EQ(m.programs[1].entries, e.programs[1].entries);
  expectSameBytes(m.programs[0].bytes, e.programs[0].bytes);
  ASSERT_EQ(m.constants.size(), 2u);
  EXPECT_EQ(m.constants[1].physicalShape, e.constants[1].physicalShape);
  expectSameBytes(m.constants[1].bytes, e.constants[1].bytes);
}

TEST(Package, IsDeterministic) { EXPECT_EQ(sampleBytes(), sampleBytes()); }

TEST(Package, AlignsEverySectionTo64Bytes) {
  std::vector<uint8_t> bytes = sampleBytes();
  Result<Package> package = Package::parse(bytes);
  ASSERT_TRUE(package);
  EXPECT_EQ(package->sections().size(), 7u);
  for (const SectionInfo &section : package->sections()) {
    EXPECT_EQ(section.offset % 64, 0u) << section.name;
  }
}

TEST(Package, NeedsNoAlignedMemory) {
  std::vector<uint8_t> bytes = sampleBytes();
  std::vector<uint8_t> shifted(1);
  shifted.insert(shifted.end(), bytes.begin(), bytes.end());
  EXPECT_TRUE(Package::parse(std::span(shifted).subspan(1)));
}

TEST(Package, NamesTheDamagedSection) {
  std::vector<uint8_t> good = sampleBytes();
  Result<Package> package = Package::parse(good);
  ASSERT_TRUE(package);
  for (size_t i = 0; i < 5; ++i) {
    const SectionInfo &section = package->sections()[i];
    std::vector<uint8_t> bad = good;
    bad[section.offset + section.size / 2] ^= 1;
    Result<Package> damaged = Package::parse(bad);
    ASSERT_FALSE(damaged) << section.name;
    EXPECT_EQ(damaged.status().code(), StatusCode::kCorrupt);
    EXPECT_THAT(damaged.status().message(), HasSubstr(section.name));
  }
}

TEST(Package, ChecksAConstantOnFirstUseOnly) {
  std::vector<uint8_t> bytes = sampleBytes();
  uint64_t offset = Package::parse(bytes)->sections()[6].offset;
  bytes[offset] ^= 0x80;
  Result<Package> package = Package::parse(bytes);
  ASSERT_TRUE(package);
  EXPECT_TRUE(package->constantBytes(0));
  Result<std::span<const uint8_t>> damaged = package->constantBytes(1);
  ASSERT_FALSE(damaged);
  EXPECT_EQ(damaged.status().code(), StatusCode::kCorrupt);
  EXPECT_THAT(damaged.status().message(), HasSubstr("constant 1 'w1'"));
  EXPECT_EQ(package->constantBytes(2).status().code(),
            StatusCode::kInvalidArgument);
}

TEST(Package, RefusesANewerFormat) {
  std::vector<uint8_t> bytes = sampleBytes();
  // The version is the only field of the index that holds this value in the
  // first 64 bytes behind the prefix.
  bool found = false;
  for (size_t i = 12; i < 64 && !found; i += 4) {
    std::vector<uint8_t> newer = bytes;
    uint32_t value = 0;
    std::memcpy(&value, &newer[i], 4);
    if (value != kPackageFormatVersion) {
      continue;
    }
    newer[i] = kPackageFormatVersion + 1;
    found = Package::parse(newer).status().code() == StatusCode::kUnsupported;
  }
  EXPECT_TRUE(found);
}

/// A damaged package is refused as corrupt (or as too new); one that is
/// accepted has the meaning of the good one.
void expectHarmless(std::span<const uint8_t> bytes, const std::string &what) {
  Result<Package> package = Package::parse(bytes);
  if (!package) {
    EXPECT_THAT(package.status().code(),
                testing::AnyOf(StatusCode::kCorrupt, StatusCode::kUnsupported))
        << what << ": " << package.status().message();
    EXPECT_FALSE(package.status().message().empty());
    return;
  }
  PackageModel e = sample();
  EXPECT_EQ(package->model().plan, e.plan) << what;
  EXPECT_EQ(package->model().values, e.values) << what;
  for (uint32_t i = 0; i < e.constants.size(); ++i) {
    Result<std::span<const uint8_t>> constant = package->constantBytes(i);
    if (constant) {
      EXPECT_TRUE(std::ranges::equal(*constant, e.constants[i].bytes.view()))
          << what;
    } else {
      EXPECT_EQ(constant.status().code(), StatusCode::kCorrupt) << what;
    }
  }
}

TEST(Package, SurvivesEveryTruncation) {
  std::vector<uint8_t> bytes = sampleBytes();
  ASSERT_GT(bytes.size(), 1000u);
  for (size_t size = 0; size < bytes.size(); ++size) {
    // A copy of the exact size lets the sanitizer see reads past the end.
    std::vector<uint8_t> cut(bytes.begin(), bytes.begin() + size);
    EXPECT_EQ(Package::parse(cut).status().code(), StatusCode::kCorrupt)
        << size;
  }
}

TEST(Package, SurvivesEveryFlippedBit) {
  std::vector<uint8_t> bytes = sampleBytes();
  for (size_t bit = 0; bit < 8 * bytes.size(); ++bit) {
    bytes[bit / 8] ^= 1 << (bit % 8);
    expectHarmless(bytes, "bit " + std::to_string(bit));
    bytes[bit / 8] ^= 1 << (bit % 8);
  }
}

TEST(Package, SurvivesRandomDamage) {
  const std::vector<uint8_t> good = sampleBytes();
  std::mt19937 random(20);
  for (int i = 0; i < 1000; ++i) {
    std::vector<uint8_t> bytes = good;
    for (unsigned n = random() % 16 + 1; n != 0; --n) {
      bytes[random() % bytes.size()] = static_cast<uint8_t>(random());
    }
    expectHarmless(bytes, "round " + std::to_string(i));
  }
}

struct Mistake {
  const char *message;
  std::function<void(PackageModel &)> make;
};

DispatchModel &firstDispatch(PackageModel &m) {
  return std::get<DispatchModel>(m.plan.functions[0].ops[0]);
}

const Mistake kMistakes[] = {
    {"constant 0 'w0'",
     [](PackageModel &m) { m.constants[0].type = DataType::kF16; }},
    {"value 7 of 3", [](PackageModel &m) { m.outputs = {7}; }},
    {"used twice", [](PackageModel &m) { m.inputs = {0, 0}; }},
    {"negative", [](PackageModel &m) { m.values[0].shape = {-1}; }},
    {"2^48",
     [](PackageModel &m) { m.values[0].shape = {1 << 30, 1 << 30, 4}; }},
    {"no entry", [](PackageModel &m) { m.programs[1].entries.clear(); }},
    {"one entry",
     [](PackageModel &m) { m.programs[0].entries.push_back("z"); }},
    {"package for 'cpu'", [](PackageModel &m) { m.target = "cpu"; }},
    {"no function", [](PackageModel &m) { m.plan.functions.clear(); }},
    {"program 2 of 2", [](PackageModel &m) { firstDispatch(m).program = 2; }},
    {"entry 1 of 1", [](PackageModel &m) { firstDispatch(m).entry = 1; }},
    {"block count",
     [](PackageModel &m) { firstDispatch(m).blockDim = Expr::constant(0); }},
    {"source 1 of 1", [](PackageModel &m) { firstDispatch(m).source = 1; }},
    {"value 3 of 3",
     [](PackageModel &m) { firstDispatch(m).bindings[0].value = 3; }},
    {"binding 0",
     [](PackageModel &m) { firstDispatch(m).bindings[0].buffer.index = 1; }},
    {"writes to constant",
     [](PackageModel &m) {
       firstDispatch(m).bindings[1].access = Access::kReadWrite;
     }},
    {"arena size 961",
     [](PackageModel &m) {
       firstDispatch(m).bindings[2].buffer = BufferRef::arena(64, 961);
     }},
    {"arena offset -64",
     [](PackageModel &m) {
       firstDispatch(m).bindings[2].buffer = BufferRef::arena(-64, 64);
     }},
    {"input size 65",
     [](PackageModel &m) {
       firstDispatch(m).bindings[0].buffer = BufferRef::input(0, 65);
     }},
    {"symbol -3 of 0",
     [](PackageModel &m) {
       firstDispatch(m).constants[0].ops = {ExprOp::kSymbol};
     }},
    {"copies 100 bytes into 99",
     [](PackageModel &m) {
       std::get<CopyModel>(m.plan.functions[0].ops[2]).target.size =
           Expr::constant(99);
     }},
    {"pattern of 3",
     [](PackageModel &m) {
       std::get<FillModel>(m.plan.functions[0].ops[3]).patternBytes = 3;
     }},
    {"ops 1 and 3 touch the same bytes of arena 0 at 0",
     [](PackageModel &m) {
       m.plan.functions[0].ops[1] = FillModel{BufferRef::arena(0, 128), 0, 4};
     }},
    {"'y' is not dense",
     [](PackageModel &m) { m.values[2].layout = Layout::kNZ; }},
    {"multiple of its pattern",
     [](PackageModel &m) {
       std::get<FillModel>(m.plan.functions[0].ops[3]).target.size =
           Expr::constant(63);
     }},
};

TEST(Package, RefusesEveryKindOfMistakeByName) {
  for (const Mistake &mistake : kMistakes) {
    PackageModel m = sample();
    mistake.make(m);
    Result<std::vector<uint8_t>> bytes = serialize(m);
    ASSERT_FALSE(bytes) << mistake.message;
    EXPECT_EQ(bytes.status().code(), StatusCode::kInvalidArgument);
    EXPECT_THAT(bytes.status().message(), HasSubstr(mistake.message));
  }
}

} // namespace
} // namespace kiln::hal
