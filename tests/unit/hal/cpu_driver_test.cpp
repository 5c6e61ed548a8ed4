// SPDX-License-Identifier: Apache-2.0
#include "hal/drivers/cpu/block_pool.h"
#include "hal/drivers/cpu/cpu_driver.h"
#include "hal/drivers/cpu/cpu_features.h"
#include "hal/drivers/cpu/shared_object.h"
#include "hal/format/cpu_features.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <iterator>
#include <set>

namespace kiln::hal {
namespace {

using testing::HasSubstr;

std::vector<uint8_t> library(const char *path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

int answerOf(const SharedObject &object) {
  Result<void *> symbol = object.symbol("answer");
  return symbol ? reinterpret_cast<int (*)()>(*symbol)() : -1;
}

/// The dynamic linker finds loaded objects by name: a reused descriptor
/// number must not give the code of the object before.
TEST(SharedObject, NeverGivesOlderCode) {
  std::vector<uint8_t> one = library(KILN_ANSWER_1),
                       two = library(KILN_ANSWER_2);
  ASSERT_FALSE(one.empty());
  for (int round = 0; round < 50; ++round) {
    auto object = SharedObject::load(round % 2 ? two : one, "answer");
    ASSERT_TRUE(object) << object.status().message();
    EXPECT_EQ(answerOf(**object), round % 2 ? 2 : 1);
  }
  auto first = SharedObject::load(one, "answer");
  auto second = SharedObject::load(two, "answer");
  ASSERT_TRUE(first && second);
  EXPECT_EQ(answerOf(**first), 1);
  EXPECT_EQ(answerOf(**second), 2);
}

TEST(SharedObject, NamesAMissingSymbol) {
  auto object = SharedObject::load(library(KILN_ANSWER_1), "answer");
  ASSERT_TRUE(object);
  Status status = (*object)->symbol("question").status();
  EXPECT_EQ(status.code(), StatusCode::kCorrupt);
  EXPECT_THAT(status.message(), HasSubstr("'question'"));
}

TEST(SharedObject, RefusesWhatIsCutOrForeign) {
  std::vector<uint8_t> good = library(KILN_ANSWER_1);
  for (size_t size : {0u, 10u, 64u, 200u, 600u}) {
    std::vector<uint8_t> cut(good.begin(), good.begin() + size);
    EXPECT_EQ(SharedObject::load(cut, "cut").status().code(),
              StatusCode::kCorrupt)
        << size;
  }
  std::vector<uint8_t> text(1000, 'x');
  EXPECT_EQ(SharedObject::load(text, "text").status().code(),
            StatusCode::kCorrupt);
  std::vector<uint8_t> foreign = good;
  foreign[18] = 8; // e_machine: MIPS
  EXPECT_EQ(SharedObject::load(foreign, "foreign").status().code(),
            StatusCode::kUnsupported);
}

TEST(CpuFeatures, AreSortedAndDetected) {
  EXPECT_TRUE(std::ranges::is_sorted(kX86Features, {}, [](const CpuFeature &f) {
    return std::string(f.name);
  }));
  std::vector<std::string> host = hostCpuFeatures();
  EXPECT_TRUE(std::ranges::is_sorted(host));
#if defined(__x86_64__)
  // The compiler's own detection, for features it has names for.
  __builtin_cpu_init();
  auto has = [&](const char *name) {
    return std::ranges::binary_search(host, name);
  };
  EXPECT_EQ(has("avx2"), __builtin_cpu_supports("avx2") != 0);
  EXPECT_EQ(has("fma"), __builtin_cpu_supports("fma") != 0);
  EXPECT_EQ(has("sse4.2"), __builtin_cpu_supports("sse4.2") != 0);
  EXPECT_EQ(has("bmi2"), __builtin_cpu_supports("bmi2") != 0);
  EXPECT_EQ(has("avx512f"), __builtin_cpu_supports("avx512f") != 0);
  EXPECT_EQ(has("avx512vl"), __builtin_cpu_supports("avx512vl") != 0);
  EXPECT_EQ(has("avx512vnni"), __builtin_cpu_supports("avx512vnni") != 0);
#endif
}

TEST(BlockPool, RunsEachBlockOnce) {
  for (uint32_t threads : {1u, 2u, 5u}) {
    BlockPool pool(threads);
    for (uint32_t blocks : {1u, 2u, 7u, 1000u}) {
      std::vector<std::atomic<int>> runs(blocks);
      EXPECT_TRUE(pool.run(blocks, {}, [&](uint32_t b) { ++runs[b]; }));
      EXPECT_TRUE(std::ranges::all_of(runs, [](auto &n) { return n == 1; }));
    }
  }
}

TEST(BlockPool, StopsAtTheDeadline) {
  BlockPool pool(2);
  std::atomic<uint32_t> runs = 0;
  Deadline past = std::chrono::steady_clock::now() - std::chrono::seconds(1);
  Status status = pool.run(100, past, [&](uint32_t) { ++runs; });
  EXPECT_EQ(status.code(), StatusCode::kBudgetExceeded);
  EXPECT_EQ(runs, 0u);
  EXPECT_TRUE(pool.run(100, {}, [&](uint32_t) { ++runs; }));
  EXPECT_EQ(runs, 100u);
}

TEST(CpuDriver, RefusesNativeCodeWhenAsked) {
  DeviceOptions options;
  options.allowNative = false;
  auto device = makeCpuDriver()->createDevice("cpu", options);
  ASSERT_TRUE(device);
  ProgramImage image{ProgramKind::kCpuSo, "p", {"answer"}};
  image.bytes = library(KILN_ANSWER_1);
  Status status = (*device)->loadProgram(image).status();
  EXPECT_EQ(status.code(), StatusCode::kUnsupported);
  EXPECT_THAT(status.message(), HasSubstr("--no-native"));
}

TEST(CpuDriver, NamesMissingFeatures) {
  auto device = makeCpuDriver()->createDevice("cpu", {});
  ASSERT_TRUE(device);
  ProgramImage image{ProgramKind::kCpuSo, "p", {"answer"}, {"avx9000"}};
  image.bytes = library(KILN_ANSWER_1);
  Status status = (*device)->loadProgram(image).status();
  EXPECT_EQ(status.code(), StatusCode::kUnsupported);
  EXPECT_THAT(status.message(), HasSubstr("avx9000"));
}

TEST(CpuDriver, RefusesBadThreadCounts) {
  DeviceOptions options;
  options.threads = 0;
  EXPECT_EQ(makeCpuDriver()->createDevice("cpu", options).status().code(),
            StatusCode::kInvalidArgument);
}

} // namespace
} // namespace kiln::hal
