// SPDX-License-Identifier: Apache-2.0
//
// Tolerances find wrong answers: every example that does not promise exact bits
// is given mistakes as authors make them (a sum in fp16, a tail left out, a
// rounding too many), and does not pass any more.
#include "tests/unit/tik_dsl/example_files.h"
#include "tests/unit/tik_dsl/inline_operator.h"

#include <fstream>
#include <ostream>
#include <regex>
#include <set>
#include <utility>

#include <gmock/gmock.h>

namespace kiln::tik {
namespace {

/// A mistake in an example: text of the file, and what stands in its place.
struct Planted {
  const char *name, *example;
  std::vector<std::pair<const char *, const char *>> edits;
  /// So many shapes are found at least, by 1.5 times the tolerance or more.
  size_t found;
  /// Errors stay below: what is found is small.
  double below = 1e9;
  /// Only shapes with this text are wrong; the others pass.
  const char *where = "";
};

void PrintTo(const Planted &mistake, std::ostream *out) {
  *out << mistake.name;
}

const Planted kPlanted[] = {
    {"LastProductMissing",
     "02_matmul",
     {{"min(tileL1, K - k1)", "min(tileL1, max(1, K - 1) - k1)"}},
     6,
     1},
    {"ProductInFp16",
     "03_tails",
     {{"k.mul(t, t, scale, tile);",
       "k.mul(t, t, scale, tile);"
       "const Buffer half = k.ub(f16, {tileR, tileC}, \"half\");"
       "k.cast(half, t, tile); k.cast(t, half, tile);"}},
     6,
     2e-3},
    {"LaneSumsInFp16",
     "04_reduction",
     {{"k.rowSum(sums, lanes, {rows, tileC});",
       "const Buffer half = k.ub(f16, {tileR, tileC}, \"half\", 1);"
       "k.cast(half, lanes, {rows, tileC});"
       "k.cast(lanes, half, {rows, tileC});"
       "k.rowSum(sums, lanes, {rows, tileC});"}},
     5,
     0.1},
    {"LastColumnNotSummed",
     "05_softmax",
     {{"k.rowSum(e, t, n); });",
       "k.rowSum(e, t, Tile(n.rows, max(1, C - 1))); });"}},
     3},
    {"Fp16InPlaceOfFp32",
     "06_layer_norm",
     {{"static_cast<Type>(k.attribute(\"inside\"))", "f16"}},
     2,
     6e-3,
     "inside=f32"},
    {"ConstantOfTheOtherForm", // sqrt(2/pi) * 0.044715: it is multiplied later
     "07_gelu",
     {{"k.muls(u, u, 0.044715, n)", "k.muls(u, u, 0.0356774, n)"}},
     4,
     8e-3},
    {"ConstantOfTheOtherForm",
     "09_matmul_gelu",
     {{"k.muls(u, u, 0.044715, tile)", "k.muls(u, u, 0.0356774, tile)"}},
     3,
     8e-3},
    {"LastChannelMissing",
     "10_conv3x3",
     {{"{rows * W, cols, depth * 16}",
       "{rows * W, cols, depth * 16 - select(k1 + depth == K1, 1, 0)}"}},
     5,
     0.1},
    {"LastTapMissing",
     "11_depthwise",
     {{"tap < 9; ++tap) {\n    const int64_t shift",
       "tap < 8; ++tap) {\n    const int64_t shift"}},
     4},
    {"Fp16InPlaceOfFp32", // where keys are few or hidden: many average it away
     "12_flash_attention",
     {{"static_cast<Type>(k.attribute(\"softmax\"))", "f16"}},
     2,
     1.25e-3,
     "softmax=f32"},
    {"LastKeyMissing",
     "12_flash_attention",
     {{"k.constant(key.dim(0))", "k.constant(max(1, key.dim(0) - 1))"}},
     11},
    {"LastProductMissing",
     "13_dynamic_matmul",
     {{"{rows, cols, K});", "{rows, cols, max(1, K - 1)});"}},
     4,
     1},
    {"NormInFp16",
     "14_rms_norm_rotary",
     {{"k.mul(v, v, scale, whole);",
       "k.mul(v, v, scale, whole); k.cast(in, v, whole);"
       "k.cast(v, in, whole);"}},
     3,
     4e-3},
    {"TailOfWholeBlocks",
     "19_block_sum",
     {{"min(tile, N - i)", "min(tile, (N - i) / 16 * 16)"}},
     2,
     1},
    {"ScoresInFp16",
     "21_paged_attention",
     {{"k.fix(s, scores, {G, count}, {.scale = scale});",
       "const Buffer half = k.ub(f16, {16, kTokens}, \"half\");"
       "k.fix(half, scores, {G, count}, {.scale = scale});"
       "k.cast(s, half, {G, count});"}},
     1,
     2e-3},
    {"LastChannelMissing",
     "22_conv",
     {{"at.cols, depth * c.C0}",
       "at.cols, depth * c.C0 - select(k1 + depth == c.K1, 1, 0)}"}},
     8,
     20},
    {"LevelInFp16",
     "23_softmax_fp32",
     {{"k.add(at(w), at(w), at(v), n); });",
       "k.add(at(w), at(w), at(v), n); });"
       "const Buffer level = k.ub(f16, {tile, 16}, \"level\", 1);"
       "each([&](auto at, auto, auto n) { k.cast(at(level), at(w), n); });"
       "each([&](auto at, auto, auto n) { k.cast(at(w), at(level), n); });"}},
     3,
     2e-3,
     "fused=1"},
    {"PixelsScaledBeforeTheSum",
     "24_global_avg_pool",
     {{"const Place pixels =",
       "k.muls(image, image, 1.0 / static_cast<double>(HW), {n, HW * 16});"
       "const Place pixels ="},
      {"k.muls(sum, sum, 1.0 / static_cast<double>(HW), count * 16);", ""}},
     3,
     1e-3},
};

std::string readText(const std::filesystem::path &file) {
  std::ifstream in(file);
  return {std::istreambuf_iterator<char>(in), {}};
}

/// The example with its mistake; empty where a text is not there exactly once.
std::filesystem::path plant(const Planted &mistake) {
  std::string text = readText(exampleFile(mistake.example));
  for (const auto &[from, to] : mistake.edits) {
    const size_t at = text.find(from);
    if (at == std::string::npos ||
        text.find(from, at + 1) != std::string::npos) {
      return {};
    }
    text.replace(at, std::string_view(from).size(), to);
  }
  const auto file =
      std::filesystem::path(testing::TempDir()) /
      (std::string("planted_") + mistake.example + mistake.name + ".cpp");
  std::ofstream(file) << text;
  return file;
}

class Mistakes : public testing::TestWithParam<Planted> {};

TEST_P(Mistakes, AreOutsideOfTheTolerance) {
  const Planted &mistake = GetParam();
  const auto file = plant(mistake);
  ASSERT_FALSE(file.empty()) << "the example does not have this text";
  const OperatorReport report =
      testExample(file, {.randomOrders = 0, .cycle = false, .settings = 0});
  size_t found = 0;
  for (const ShapeReport &shape : report.shapes) {
    EXPECT_LT(shape.comparison.maxAbs, mistake.below) << shape.shape;
    if (shape.shape.find(mistake.where) == std::string::npos) {
      EXPECT_THAT(shape.problems, testing::IsEmpty()) << shape.shape;
      continue;
    }
    // The answer is wrong, and nothing else.
    for (const std::string &problem : shape.problems) {
      EXPECT_THAT(problem, testing::StartsWith("reference: ")) << shape.shape;
    }
    if (shape.comparison.ofTolerance > 1.5) { // not just so
      EXPECT_EQ(shape.code, StatusCode::kMismatch) << shape.shape;
      ++found;
    }
  }
  EXPECT_GE(found, mistake.found) << toText(report);
}

INSTANTIATE_TEST_SUITE_P(Files, Mistakes, testing::ValuesIn(kPlanted),
                         [](const auto &info) {
                           return std::string("E") + info.param.example +
                                  info.param.name;
                         });

/// A tolerance of zero needs no proof: one bit is too much.
TEST(PlantedMistakes, AreMadeInEveryExampleWithATolerance) {
  std::set<std::string> planted;
  for (const Planted &mistake : kPlanted) {
    planted.insert(mistake.example);
  }
  const std::regex figures(R"re(tolerance\(\s*\w+,\s*([^,]+),\s*([^,]+),)re");
  for (const std::string &name : allExamples()) {
    const std::string text = readText(exampleFile(name));
    size_t tolerances = 0;
    for (std::sregex_iterator at(text.begin(), text.end(), figures), end;
         at != end; ++at, ++tolerances) {
      const bool isExact = (*at)[1] == "0" && (*at)[2] == "0";
      EXPECT_TRUE(isExact || planted.contains(name)) << name;
    }
    EXPECT_GT(tolerances, 0u) << name;
  }
}

} // namespace
} // namespace kiln::tik
