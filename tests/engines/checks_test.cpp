// SPDX-License-Identifier: Apache-2.0
//
// What the checks report: both parties, the place, the missing flag pair.
#include "tests/engines/support/assembled.h"
#include "tests/engines/support/engine_bench.h"

#include <gmock/gmock.h>
#include <regex>

namespace kiln::test {
namespace {

using sim::Finding;
using testing::HasSubstr;

/// A small kernel with places to break: load, add, store.
constexpr char kKernel[] = R"(
  .globl kernel
kernel:
  ld s0, 24(a0)
  li t0, 0x0001010000000000
  li t1, 64
  ld.ub t0, s0, t1
  kset mte2, v, x0
  kwait mte2, v, x0
  li t2, 0x0001010001000400
  li t3, 0x0020010000000000
  li t4, 0x0000010000000000
  vadd.f16 t2, t3, t4
  kset v, mte3, x0
  kwait v, mte3, x0
  li t5, 0x0001010001000400
  addi s0, s0, 1024
  st.ub s0, t5, t1
  ret
)";

class ChecksTest : public testing::Test {
protected:
  std::vector<Finding> findings(const std::string &text, sim::Checks checks) {
    auto program = assembleProgram(text, "k.s", 1);
    sim::LaunchRequest request = bench.request(program, {gm});
    request.checks = checks;
    std::vector<Finding> found = bench.runFunctional(request).findings;
    // The verdict does not depend on the order or the engine.
    request.order = sim::Order::kRandom;
    request.seed = 3;
    EXPECT_EQ(bench.runFunctional(request).findings.size(), found.size());
    EXPECT_EQ(bench.runCycle(request).findings.size(), found.size());
    return found;
  }
  static std::string without(const std::string &line) {
    std::string text = kKernel;
    for (size_t at; (at = text.find(line)) != std::string::npos;) {
      text.replace(at, line.size(), "nop");
    }
    return text;
  }

  EngineBench bench;
  uint64_t gm = bench.allocate(4096);
};

TEST_F(ChecksTest, TheWholeKernelIsClean) {
  EXPECT_TRUE(
      findings(kKernel, {.race = true, .init = true, .flags = true}).empty());
}

TEST_F(ChecksTest, ARaceNamesBothPartiesAndTheMissingFlagPair) {
  std::string text = without("kset v, mte3, x0");
  text = std::regex_replace(text, std::regex("kwait v, mte3, x0"), "nop");
  auto found = findings(text, {.race = true});
  ASSERT_EQ(found.size(), 1u);
  const Finding &f = found[0];
  EXPECT_EQ(f.kind, Finding::Kind::kRace);
  EXPECT_EQ(f.firstPipe, isa::Pipe::V);
  EXPECT_EQ(f.secondPipe, isa::Pipe::MTE3);
  EXPECT_THAT(f.text, HasSubstr("'vadd.f16 t2, t3, t4' of V at"));
  EXPECT_THAT(f.text, HasSubstr("(k.s:13"));
  EXPECT_THAT(f.text, HasSubstr("writes UB byte 0x400"));
  EXPECT_THAT(f.text, HasSubstr("'st.ub.i8 s0, t5, t1' of MTE3"));
  EXPECT_THAT(f.text, HasSubstr("(k.s:18"));
  EXPECT_THAT(f.text, HasSubstr("missing: kset V,MTE3 after the first and "
                                "kwait V,MTE3 before the second"));
}

TEST_F(ChecksTest, ACheckThatIsOffReportsNothing) {
  std::string text = without("kset mte2, v, x0");
  text = std::regex_replace(text, std::regex("kwait mte2, v, x0"), "nop");
  EXPECT_TRUE(findings(text, {.init = false, .flags = true}).empty());
  EXPECT_EQ(findings(text, {.race = true}).size(), 1u);
}

TEST_F(ChecksTest, AReadOfWhatNothingWroteNamesTheByte) {
  std::string text = kKernel;
  // 33 columns: the second block of the row holds 16 loaded halves only.
  text = std::regex_replace(text, std::regex("0x0020010000000000"),
                            "0x0021010000000000");
  auto found = findings(text, {.init = true});
  ASSERT_EQ(found.size(), 1u);
  EXPECT_EQ(found[0].kind, Finding::Kind::kUninitialised);
  EXPECT_THAT(found[0].text, HasSubstr("reads UB byte 0x40"));
}

TEST_F(ChecksTest, AWaitBeforeItsSetInProgramOrderIsReported) {
  constexpr char kText[] = R"(
  .globl kernel
kernel:
  kwait m, fix, x0
  kset m, fix, x0
  ret
)";
  auto found = findings(kText, {.flags = true});
  ASSERT_EQ(found.size(), 1u);
  EXPECT_EQ(found[0].kind, Finding::Kind::kFlagOrder);
  EXPECT_THAT(found[0].text, HasSubstr("precedes its kset"));
}

TEST_F(ChecksTest, ASetThatIsClearOnlyByLuckIsReported) {
  // Nothing tells M that FIX has cleared the flag before it is set again.
  constexpr char kText[] = R"(
  .globl kernel
kernel:
  kset m, fix, x0
  kwait m, fix, x0
  kset m, fix, x0
  kwait m, fix, x0
  ret
)";
  auto program = assembleProgram(kText, "k.s", 0);
  sim::LaunchRequest request = bench.request(program);
  request.checks = {.flags = true};
  auto found = bench.runFunctional(request).findings;
  ASSERT_EQ(found.size(), 1u);
  EXPECT_THAT(found[0].text, HasSubstr("in another order it finds the flag "
                                       "set"));
}

TEST_F(ChecksTest, BlocksThatWriteTheSameBytesRace) {
  auto program = assembleProgram(kKernel, "k.s", 1);
  sim::LaunchRequest request = bench.request(program, {gm});
  request.checks = {.race = true};
  request.blockDim = 2;
  auto found = bench.runFunctional(request).findings;
  ASSERT_FALSE(found.empty());
  EXPECT_THAT(found[0].text, HasSubstr("in blocks 0 and 1"));
}

TEST_F(ChecksTest, AccessesOfTheUbWindowAreAccessesOfS) {
  constexpr char kText[] = R"(
  .globl kernel
kernel:
  li t0, 0x90000000
  li t1, 5
  sw t1, 0(t0)
  li t2, 0x0001010001000400
  li t3, 0x0002010000000000
  vmov.f32 t2, t3
  ret
)";
  auto found = findings(kText, {.race = true});
  ASSERT_EQ(found.size(), 1u);
  EXPECT_THAT(found[0].text, HasSubstr("access of the UB window"));
  EXPECT_THAT(found[0].text, HasSubstr("missing: kset S,V"));
}

TEST_F(ChecksTest, AFaultNamesTheSourceLine) {
  std::string text = kKernel;
  text = std::regex_replace(text, std::regex("ld.ub t0, s0, t1"),
                            "addi s0, s0, -8; ld.ub t0, s0, t1");
  sim::LaunchRequest request =
      bench.request(assembleProgram(text, "k.s", 1), {gm});
  sim::FaultReport f = bench.fault(*bench.functional, request);
  ASSERT_TRUE(f.line.has_value());
  EXPECT_EQ(f.line->file, "k.s");
  EXPECT_EQ(f.line->line, 7u);
}

TEST_F(ChecksTest, BlocksThatRunAtOnceRaceInGm) {
  auto program = assembleProgram(kKernel, "k.s", 1);
  sim::LaunchRequest request = bench.request(program, {gm});
  request.checks = {.race = true, .init = true, .flags = true};
  request.blockDim = 3;
  for (uint32_t cores : {1u, 2u, 3u}) {
    request.cores = cores;
    // All blocks store to the same bytes; each alone is right.
    std::vector<Finding> found = bench.runCycle(request).findings;
    ASSERT_EQ(found.size(), 1u) << cores;
    EXPECT_EQ(found[0].kind, Finding::Kind::kRace);
    EXPECT_THAT(found[0].text,
                HasSubstr("nothing orders the blocks of a launch"));
  }
}

} // namespace
} // namespace kiln::test
