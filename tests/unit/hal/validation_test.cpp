// SPDX-License-Identifier: Apache-2.0
//
// Every refusal of the validation layer, over a device that accepts all and
// counts what reaches it.
#include "hal/validation/validation.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace kiln::hal {
namespace {

using testing::HasSubstr;

class OpenMemory : public DriverMemory {
public:
  using DriverMemory::DriverMemory;
  std::byte *hostAddress() override { return nullptr; }
};

class OpenDevice : public DriverDevice {
public:
  OpenDevice() {
    description_.name = "open";
    description_.bindingAlignment = 64;
    description_.queues = 2;
    description_.cores = 2;
    description_.programKinds = {ProgramKind::kNull};
  }
  const DeviceDescription &description() const override { return description_; }
  Result<std::unique_ptr<DriverMemory>>
  allocate(const BufferRequest &request) override {
    return std::unique_ptr<DriverMemory>(std::make_unique<OpenMemory>(request));
  }
  Result<std::unique_ptr<DriverProgram>>
  loadProgram(const ProgramImage &image) override {
    return std::make_unique<DriverProgram>(ProgramReflection{
        image.kind, image.name, 0, {{"k", 2, 1, true}, {"free"}}});
  }
  Status submit(uint32_t, Submission submission) override {
    ++accepted;
    last = std::move(submission);
    return Status::ok();
  }

  int accepted = 0;
  Submission last;

private:
  DeviceDescription description_;
};

class Validation : public testing::Test {
protected:
  std::unique_ptr<DriverMemory> memory(uint32_t usage = kUsageAll,
                                       MemoryType type = MemoryType::kDevice) {
    return *device->allocate({256, type, usage});
  }

  void expectRefused(Command command, const char *message) {
    Submission s;
    s.commands.push_back(std::move(command));
    expectRefused(std::move(s), message);
  }
  void expectRefused(Submission s, const char *message, uint32_t queue = 0) {
    Status status = device->submit(queue, std::move(s));
    EXPECT_EQ(status.code(), StatusCode::kInvalidArgument);
    EXPECT_THAT(status.message(), HasSubstr(message));
    EXPECT_EQ(below->accepted, 0);
  }

  /// A dispatch that is right.
  DispatchCommand dispatch() {
    DispatchCommand d;
    d.program = program.get();
    d.bindings = {{{a.get(), 0, 64}, Access::kRead},
                  {{b.get(), 64, 64}, Access::kWrite}};
    d.constants = {1};
    d.label = "conv";
    return d;
  }

  std::shared_ptr<OpenDevice> below = std::make_shared<OpenDevice>();
  std::shared_ptr<DriverDevice> device = validated(below);
  std::unique_ptr<DriverProgram> program =
      *device->loadProgram({ProgramKind::kNull, "p", {"k", "free"}});
  std::unique_ptr<DriverMemory> a = memory(), b = memory();
};

TEST_F(Validation, AcceptsWhatIsRightAndUnwrapsIt) {
  Submission s;
  s.commands = {dispatch(), CopyCommand{{a.get(), 0, 8}, {b.get(), 8, 8}},
                FillCommand{{a.get(), 0, 8}, 0, 4}, BarrierCommand{}};
  EXPECT_TRUE(device->submit(1, std::move(s)));
  ASSERT_EQ(below->accepted, 1);
  const auto &d = std::get<DispatchCommand>(below->last.commands[0]);
  EXPECT_NE(dynamic_cast<OpenMemory *>(d.bindings[0].range.memory), nullptr);
  EXPECT_NE(d.program, program.get());
}

TEST_F(Validation, RefusesForeignObjects) {
  OpenMemory raw({256});
  expectRefused(FillCommand{{&raw, 0, 8}, 0, 4}, "another device");
  auto other = validated(std::make_shared<OpenDevice>());
  auto foreign = *other->allocate({.size = 256});
  expectRefused(FillCommand{{foreign.get(), 0, 8}, 0, 4}, "another device");
  auto foreignProgram = *other->loadProgram({ProgramKind::kNull, "p", {"k"}});
  DispatchCommand d = dispatch();
  d.program = foreignProgram.get();
  expectRefused(d, "dispatch 'conv': the program belongs to another device");
}

TEST_F(Validation, RefusesRangesOutside) {
  expectRefused(FillCommand{{a.get(), 256, 4}, 0, 4},
                "4 bytes at offset 256 of a buffer of 256");
  expectRefused(FillCommand{{a.get(), ~uint64_t{3}, 8}, 0, 4}, "of a buffer");
  expectRefused(CopyCommand{{a.get(), 0, 257}, {b.get(), 0, 257}},
                "copy source");
  DispatchCommand d = dispatch();
  d.bindings[1].range.size = 1000;
  expectRefused(d, "dispatch 'conv': binding 1: 1000 bytes at offset 64");
}

TEST_F(Validation, RefusesOtherUses) {
  auto noCopy = memory(kUsageDispatch);
  auto noDispatch = memory(kUsageCopySource | kUsageCopyTarget);
  expectRefused(FillCommand{{noCopy.get(), 0, 4}, 0, 4}, "usage");
  expectRefused(CopyCommand{{noCopy.get(), 0, 4}, {a.get(), 0, 4}}, "usage");
  DispatchCommand d = dispatch();
  d.bindings[0].range.memory = noDispatch.get();
  expectRefused(d, "usage");
}

TEST_F(Validation, RefusesBadTransfers) {
  expectRefused(CopyCommand{{a.get(), 0, 8}, {b.get(), 0, 9}},
                "copies 8 bytes into 9");
  expectRefused(CopyCommand{{a.get(), 0, 8}, {a.get(), 7, 8}}, "overlap");
  expectRefused(FillCommand{{a.get(), 0, 8}, 0, 3}, "pattern of 3");
  expectRefused(FillCommand{{a.get(), 0, 6}, 0, 4}, "6 bytes with a pattern");
  std::byte data[4] = {};
  expectRefused(UploadCommand{{a.get(), 0, 8}, data}, "upload of 4 bytes");
}

TEST_F(Validation, RefusesBadDispatches) {
  DispatchCommand d = dispatch();
  d.entry = 2;
  expectRefused(d, "entry 2 of 2");
  d = dispatch();
  d.blocks = 0;
  expectRefused(d, "no blocks");
  d = dispatch();
  d.blocks = 3;
  expectRefused(d, "3 blocks on 2 cores");
  d = dispatch();
  d.bindings.pop_back();
  expectRefused(d, "1 bindings given, 2 expected");
  d = dispatch();
  d.constants = {};
  expectRefused(d, "0 constants given, 1 expected");
}

TEST_F(Validation, RefusesBadBindings) {
  auto host = memory(kUsageAll, MemoryType::kHost);
  DispatchCommand d = dispatch();
  d.bindings[0].range.memory = host.get();
  expectRefused(d, "host memory cannot be bound");
  d = dispatch();
  d.bindings[0].range.offset = 32;
  expectRefused(d, "binding 0: offset 32 is not a multiple of 64");
  d = dispatch();
  d.bindings[0].range = {b.get(), 0, 128};
  expectRefused(d, "bindings 0 and 1 overlap partly");
}

TEST_F(Validation, AcceptsExactAliasesAndFreeCounts) {
  Submission s;
  DispatchCommand d = dispatch();
  d.bindings[0].range = d.bindings[1].range;
  s.commands = {d};
  EXPECT_TRUE(device->submit(0, s));
  d = dispatch();
  d.entry = 1;
  d.blocks = 1000;
  d.bindings = {};
  d.constants = {1, 2, 3};
  s.commands = {d};
  EXPECT_TRUE(device->submit(0, s));
}

TEST_F(Validation, RefusesBadSync) {
  auto t = std::make_shared<Timeline>(5);
  Submission s;
  s.waits = {{nullptr, 1}};
  expectRefused(s, "waits for no timeline");
  s = {};
  s.signals = {{nullptr, 1}};
  expectRefused(s, "signals no timeline");
  s.signals = {{t, 5}};
  expectRefused(s, "signals 5 on a timeline that is at 5");
  s.signals = {{t, 6}, {t, 7}};
  expectRefused(s, "one timeline twice");
  expectRefused(Submission(), "queue 2 of 2", 2);
}

TEST_F(Validation, RefusesBadRequests) {
  EXPECT_EQ(device->allocate({.size = 0}).status().code(),
            StatusCode::kInvalidArgument);
  EXPECT_EQ(device->allocate({.size = uint64_t{1} << 49}).status().code(),
            StatusCode::kInvalidArgument);
  EXPECT_EQ(device->allocate({.size = 1, .usage = 0}).status().code(),
            StatusCode::kInvalidArgument);
  EXPECT_EQ(device->allocate({.size = 1, .usage = 16}).status().code(),
            StatusCode::kInvalidArgument);
  EXPECT_EQ(
      device->loadProgram({ProgramKind::kCpuSo, "p", {"k"}}).status().code(),
      StatusCode::kUnsupported);
  EXPECT_EQ(device->loadProgram({ProgramKind::kNull, "p", {}}).status().code(),
            StatusCode::kInvalidArgument);
}

} // namespace
} // namespace kiln::hal
