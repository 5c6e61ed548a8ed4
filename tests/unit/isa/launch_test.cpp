// SPDX-License-Identifier: Apache-2.0
#include "isa/abi/launch.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace kiln::isa {
namespace {

using ::testing::HasSubstr;

uint64_t word(const std::vector<uint8_t> &bytes, size_t at, size_t size) {
  uint64_t v = 0;
  for (size_t n = 0; n < size; ++n) {
    v |= uint64_t{bytes[at + n]} << 8 * n;
  }
  return v;
}

TEST(ArgumentBlock, HasTheLayoutOfTheManual) {
  const std::vector<uint8_t> b =
      buildArgumentBlock({0x1'0000'0000, 0x1'0000'4000}, {-1, 7, 9}, 0x55);
  ASSERT_EQ(b.size(), 24u + 2 * 8 + 3 * 8);
  EXPECT_EQ(word(b, 0, 4), 1u); // version
  EXPECT_EQ(word(b, 4, 4), 2u);
  EXPECT_EQ(word(b, 8, 4), 3u);
  EXPECT_EQ(word(b, 12, 4), 0u);
  EXPECT_EQ(word(b, 16, 8), 0x55u);
  EXPECT_EQ(word(b, 24, 8), 0x1'0000'0000u);
  EXPECT_EQ(word(b, 32, 8), 0x1'0000'4000u);
  EXPECT_EQ(word(b, 40, 8), ~uint64_t{0});
  EXPECT_EQ(word(b, 56, 8), 9u);
}

TEST(ArgumentBlock, MayBeEmpty) {
  EXPECT_EQ(buildArgumentBlock({}, {}, 0).size(), 24u);
}

KernelNote sample() {
  KernelNote n;
  n.isaVersion = 1;
  n.kernel = "conv_1";
  n.stackBytes = 4096;
  n.bindingCount = 3;
  n.constantCount = 1;
  n.capacityNeeds = {{"L1", 65536}, {"UB", 1ull << 33}};
  n.flagSets = {{"MTE2>V", 2}, {"V>MTE3", 1}};
  n.barrierCount = 5;
  n.deviceBarrier = true;
  return n;
}

TEST(KernelNote, SurvivesJson) {
  const Result<KernelNote> back = parseKernelNote(toJson(sample()));
  ASSERT_TRUE(back) << back.status().message();
  EXPECT_EQ(back->isaVersion, 1u);
  EXPECT_EQ(back->kernel, "conv_1");
  EXPECT_EQ(back->stackBytes, 4096u);
  EXPECT_EQ(back->bindingCount, 3u);
  EXPECT_EQ(back->constantCount, 1u);
  EXPECT_EQ(back->capacityNeeds, sample().capacityNeeds);
  EXPECT_EQ(back->flagSets, sample().flagSets);
  EXPECT_EQ(back->barrierCount, 5u);
  EXPECT_TRUE(back->deviceBarrier);
}

TEST(KernelNote, JsonIsCompactWithSortedKeys) {
  KernelNote n;
  n.kernel = "k";
  n.flagSets = {{"V>MTE3", 1}, {"M>FIX", 2}};
  EXPECT_EQ(toJson(n),
            R"({"barrier_count":0,"binding_count":0,"capacity_needs":{},)"
            R"("constant_count":0,"device_barrier":false,)"
            R"("flag_sets":{"M>FIX":2,"V>MTE3":1},"isa_version":0,)"
            R"("kernel":"k","stack_bytes":2048})");
}

void expectRefused(std::string json, std::string_view from, std::string_view to,
                   const char *message) {
  const size_t at = json.find(from);
  ASSERT_NE(at, std::string::npos) << from;
  json.replace(at, from.size(), to);
  const Result<KernelNote> note = parseKernelNote(json);
  ASSERT_FALSE(note) << json;
  EXPECT_EQ(note.status().code(), StatusCode::kCorrupt);
  EXPECT_THAT(note.status().message(), HasSubstr(message));
}

TEST(KernelNote, NamesTheMistake) {
  const std::string good = toJson(sample());
  expectRefused(good, "\"kernel\":\"conv_1\",", "",
                "kernel: expected text, but "
                "it is missing");
  expectRefused(good, "\"kernel\":\"conv_1\"", "\"kernel\":7", "kernel");
  expectRefused(good, "\"stack_bytes\":4096", "\"stack_bytes\":-1",
                "stack_bytes");
  expectRefused(good, "\"stack_bytes\":4096", "\"stack_bytes\":4294967296",
                "stack_bytes");
  expectRefused(good, "\"device_barrier\":true", "\"device_barrier\":1",
                "device_barrier");
  expectRefused(good, "{\"L1\":65536", "{\"L1\":\"a\"", "capacity_needs.L1");
  expectRefused(good, "\"V>MTE3\":1", "\"V>MTE3\":4294967296",
                "flag_sets.V>MTE3");
  expectRefused(good, "\"stack_bytes\"", "\"extra\":1,\"stack_bytes\"",
                "extra");
  EXPECT_FALSE(parseKernelNote("{"));
  EXPECT_FALSE(parseKernelNote("[]"));
  EXPECT_FALSE(parseKernelNote(""));
}

} // namespace
} // namespace kiln::isa
