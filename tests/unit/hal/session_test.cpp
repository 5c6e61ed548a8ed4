// SPDX-License-Identifier: Apache-2.0
#include "hal/api/session.h"

#include "hal/drivers/all/all.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>
#include <random>

namespace kiln::hal {
namespace {

using testing::HasSubstr;

/// out = in with its first half replaced by a constant.
PackageModel sample() {
  PackageModel m;
  m.name = "sample", m.target = "null";
  m.values = {{"in", DataType::kF32, {2, 8}}, {"out", DataType::kF32, {16}}};
  m.inputs = {0}, m.outputs = {1};
  m.constants = {{"w", DataType::kU8, {32}, std::vector<uint8_t>(32, 7)}};
  m.programs = {{ProgramKind::kNull, "p", {"k"}}};
  m.plan.arenaSize = Expr::constant(128);
  DispatchModel d{"nothing"};
  d.bindings = {{BufferRef::arena(0, 64), Access::kRead}};
  m.plan.functions = {
      {"main",
       {CopyModel{BufferRef::input(0, 64), BufferRef::arena(0, 64)},
        BarrierModel{},
        CopyModel{BufferRef::constant(0, 32), BufferRef::arena(0, 32)},
        BarrierModel{}, d,
        CopyModel{BufferRef::arena(0, 64), BufferRef::output(0, 64)}}}};
  return m;
}

class SessionTest : public testing::Test {
protected:
  SessionTest() {
    EXPECT_TRUE(registerAllDrivers(instance));
    device = *instance.createDevice("null");
  }
  Instance instance;
  std::unique_ptr<Device> device;
};

HostTensor input() {
  HostTensor tensor = HostTensor::make(DataType::kF32, {2, 8});
  std::memset(tensor.bytes.data(), 9, tensor.bytes.size());
  return tensor;
}

void expectRightOutput(const Result<std::vector<HostTensor>> &out) {
  ASSERT_TRUE(out) << out.status().message();
  ASSERT_EQ(out->size(), 1u);
  std::vector<std::byte> expected(64, std::byte{9});
  std::memset(expected.data(), 7, 32);
  EXPECT_EQ((*out)[0].bytes, expected);
  EXPECT_EQ((*out)[0].shape, std::vector<int64_t>{16});
}

TEST_F(SessionTest, RunsThePlan) {
  auto session = Session::load(*device, Blob(*serialize(sample())));
  ASSERT_TRUE(session) << session.status().message();
  EXPECT_EQ((*session)->input(0).name, "in");
  EXPECT_EQ((*session)->output(0).name, "out");
  EXPECT_EQ((*session)->deviceBytes(), 128u + 32 + 64 + 64);
  expectRightOutput((*session)->run({input()}));
}

TEST_F(SessionTest, RefusesWrongInputsByName) {
  auto session = *Session::load(*device, Blob(*serialize(sample())));
  EXPECT_THAT(session->run({}).status().message(),
              HasSubstr("0 inputs given, the model has 1"));
  HostTensor wrongShape = HostTensor::make(DataType::kF32, {8, 2});
  Status status = session->run({wrongShape}).status();
  EXPECT_EQ(status.code(), StatusCode::kInvalidArgument);
  EXPECT_THAT(status.message(), HasSubstr("'in' is f32[2,8], given f32[8,2]"));
  HostTensor wrongType = HostTensor::make(DataType::kI32, {2, 8});
  EXPECT_THAT(session->run({wrongType}).status().message(),
              HasSubstr("given i32[2,8]"));
  HostTensor shortBytes = input();
  shortBytes.bytes.resize(63);
  EXPECT_THAT(session->run({shortBytes}).status().message(),
              HasSubstr("63 bytes"));
}

TEST_F(SessionTest, RefusesSymbolicPlans) {
  PackageModel m = sample();
  m.plan.symbols = {"N"};
  Status status = Session::load(*device, Blob(*serialize(m))).status();
  EXPECT_EQ(status.code(), StatusCode::kUnsupported);
  EXPECT_THAT(status.message(), HasSubstr("--dim"));
}

TEST_F(SessionTest, RefusesPackagesOfOtherTargets) {
  PackageModel m = sample();
  m.target = "npu";
  m.programs[0].kind = ProgramKind::kNpuElf;
  auto cpu = *instance.createDevice("cpu");
  Status status = Session::load(*cpu, Blob(*serialize(m))).status();
  EXPECT_EQ(status.code(), StatusCode::kUnsupported);
  EXPECT_THAT(status.message(), HasSubstr("npu-elf"));
}

TEST_F(SessionTest, ADumpHookMayStopTheRun) {
  auto session = *Session::load(*device, Blob(*serialize(sample())));
  RunOptions options;
  options.dump = [](const LayerDump &) {
    return Status(StatusCode::kMismatch, "found it");
  };
  EXPECT_EQ(session->run({input()}, options).status().code(),
            StatusCode::kMismatch);
  expectRightOutput(session->run({input()}));
}

/// Loads and runs a damaged package: refused as corrupt, or right.
void expectHarmless(Device &device, std::vector<uint8_t> bytes, int round) {
  auto session = Session::load(device, Blob(std::move(bytes)));
  if (!session) {
    EXPECT_THAT(session.status().code(),
                testing::AnyOf(StatusCode::kCorrupt, StatusCode::kUnsupported))
        << round << ": " << session.status().message();
    return;
  }
  expectRightOutput((*session)->run({input()}));
}

TEST_F(SessionTest, SurvivesTruncatedPackages) {
  const std::vector<uint8_t> good = *serialize(sample());
  std::mt19937 random(1);
  for (int i = 0; i < 1000; ++i) {
    std::vector<uint8_t> cut = good;
    cut.resize(random() % good.size());
    expectHarmless(*device, std::move(cut), i);
  }
}

TEST_F(SessionTest, SurvivesFlippedBits) {
  const std::vector<uint8_t> good = *serialize(sample());
  std::mt19937 random(2);
  for (int i = 0; i < 1000; ++i) {
    std::vector<uint8_t> flipped = good;
    size_t bit = random() % (8 * good.size());
    flipped[bit / 8] ^= 1 << (bit % 8);
    expectHarmless(*device, std::move(flipped), i);
  }
}

TEST(Instance, NamesTheDevicesThereAre) {
  Instance instance;
  ASSERT_TRUE(registerAllDrivers(instance));
  std::vector<std::string> names;
  for (const DeviceInfo &info : instance.enumerate()) {
    names.push_back(info.name);
  }
  EXPECT_EQ(names, (std::vector<std::string>{"null", "cpu", "npu:functional",
                                             "npu:cycle"}));
  Status status = instance.createDevice("gpu").status();
  EXPECT_EQ(status.code(), StatusCode::kInvalidArgument);
  EXPECT_THAT(status.message(),
              HasSubstr("null, cpu, npu:functional, npu:cycle"));
  EXPECT_EQ(registerAllDrivers(instance).code(), StatusCode::kInvalidArgument);
}

TEST(NpuDriver, RefusesBadOptionsByName) {
  Instance instance;
  ASSERT_TRUE(registerAllDrivers(instance));
  auto message = [&](const DeviceOptions &options) {
    Status status = instance.createDevice("npu:functional", options).status();
    EXPECT_EQ(status.code(), StatusCode::kInvalidArgument);
    return status.message();
  };
  EXPECT_THAT(message({.order = "sideways"}), HasSubstr("'sideways'"));
  EXPECT_THAT(message({.order = "random:x"}), HasSubstr("random:SEED"));
  EXPECT_THAT(message({.checks = {"spelling"}}), HasSubstr("'spelling'"));
  EXPECT_THAT(message({.cores = 0}), HasSubstr("0 cores"));
  EXPECT_THAT(message({.cores = 33}), HasSubstr("has 32"));
  EXPECT_FALSE(instance.createDevice("npu:cycle", {.machine = "k9"}));
}

} // namespace
} // namespace kiln::hal
