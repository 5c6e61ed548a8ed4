// SPDX-License-Identifier: Apache-2.0
//
// The table of ceilings as data: what a file may hold, what a share is of, and
// that cycles do not depend on data.
#include "tests/support/folders.h"
#include "tools/ceilings/golden_cycles.h"
#include "tools/ceilings/row_run.h"
#include "tools/ceilings/row_share.h"

#include <filesystem>
#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace kiln::tools {
namespace {

using ::testing::HasSubstr;

constexpr char kRow[] = "- row: a\n  example: 01_vector_add\n  with: {N: 64}\n"
                        "  share: read port\n";

std::string messageOf(const std::string &text) {
  Result<CeilingTable> table = parseCeilings(text, "t.yaml");
  return table ? "" : table.status().message();
}

TEST(Ceilings, AFileHasRowsAndGroups) {
  Result<CeilingTable> table = parseCeilings(
      std::string(kRow) + "  bar: 94\n  cores: 4\n  long: true\n"
                          "  without:\n    effect: the L2's size\n"
                          "    keys: {timing.memory.l2.bytes: 1024}\n"
                          "- row: b\n  operator: matmul\n  shapes: [8x8, 8x8]\n"
                          "  share: cube\n"
                          "- geomean: both\n  of: {a: 3, b: 1}\n  bar: 50\n",
      "t.yaml");
  ASSERT_TRUE(table) << table.status().message();
  ASSERT_EQ(table->rows.size(), 2u);
  const CeilingRow &row = table->rows[0];
  EXPECT_EQ(row.settings.settings,
            (std::vector<std::pair<std::string, int64_t>>{{"N", 64}}));
  EXPECT_EQ(row.share, ShareOf::kReadPort);
  EXPECT_EQ(row.cores, 4u);
  EXPECT_TRUE(row.isLong);
  EXPECT_EQ(row.without->keys.at("timing.memory.l2.bytes"), "1024");
  EXPECT_EQ(table->rows[1].op.shapes[1], "8x8");
  ASSERT_EQ(table->groups.size(), 1u);
  EXPECT_NEAR(*geometricMean(table->groups[0], {{8.0}, {0.5}}), 4, 1e-9);
  EXPECT_FALSE(geometricMean(table->groups[0], {{8.0}, {}}));
}

TEST(Ceilings, AnElementTypeIsASetting) {
  Result<CeilingTable> table =
      parseCeilings("- row: a\n  example: x\n  with: {out: f16}\n"
                    "  share: cube\n",
                    "t.yaml");
  ASSERT_TRUE(table);
  EXPECT_EQ(table->rows[0].settings.settings[0].second,
            static_cast<int64_t>(isa::ElementType::F16));
}

TEST(Ceilings, MistakesAreNamedWithTheirLine) {
  const std::string row = kRow;
  EXPECT_THAT(messageOf("rows: 1"), HasSubstr("expected a list of rows"));
  EXPECT_THAT(messageOf("- [1"), HasSubstr("not YAML"));
  EXPECT_THAT(messageOf(row + "  cors: 2\n"),
              HasSubstr("t.yaml:5: unknown key 'cors'"));
  EXPECT_THAT(messageOf(row + "  cores: many\n"), HasSubstr("cores: expected"));
  EXPECT_THAT(messageOf(row + "  cores: 0\n"), HasSubstr("at least 1"));
  EXPECT_THAT(messageOf(row + row), HasSubstr("'a' is empty or given twice"));
  EXPECT_THAT(messageOf(row + "  operator: add\n"), HasSubstr("one of them"));
  EXPECT_THAT(messageOf("- row: a\n  example: x\n  share: all\n"),
              HasSubstr("share: expected one of cube, V"));
  EXPECT_THAT(messageOf("- row: a\n  example: x\n  share: cube\n"
                        "  with: {N: much}\n"),
              HasSubstr("numbers or element types"));
  EXPECT_THAT(messageOf(row + "  without: {keys: {a: 1}}\n"),
              HasSubstr("without: expected"));
  EXPECT_THAT(messageOf(row + "- geomean: g\n  of: {b: 1}\n"),
              HasSubstr("no row 'b' above"));
  EXPECT_THAT(messageOf(row + "- geomean: g\n  of: {a: 0}\n"),
              HasSubstr("how often"));
  EXPECT_THAT(messageOf(row + "- geomean: g\n"), HasSubstr("{row: times}"));
  EXPECT_THAT(messageOf("- 1\n"), HasSubstr("mapping of keys"));
}

/// 100 cycles of 2 cores.
struct Example {
  Example() {
    shape.tensors.resize(2);
    for (tik::BoundTensor &tensor : shape.tensors) {
      tensor.type = isa::ElementType::F16;
    }
    shape.tensors[0].dims = {64};
    shape.tensors[1].dims = {1 << 20};
    shape.tensors[1].isOutput = true;
    shape.usefulMacs = 4096 * 2 * 30;
    run.kernelCycles = 100;
    run.cores = 2;
    run.dramBytes = 12000;
    tik::PipeUse &v = run.pipes.emplace_back();
    v.pipe = "V";
    v.busy = 110;
    v.bankCycles = 10;
    v.span = 125;
  }
  double percent(ShareOf share) {
    return 100 * shareOf(share, shape, run, *isa::loadArchSpec("k1"));
  }
  tik::BoundShape shape;
  tik::RunReport run;
};

TEST(Ceilings, EveryShareIsDefinedByHand) {
  Example e;
  EXPECT_DOUBLE_EQ(e.percent(ShareOf::kCube), 30);
  EXPECT_DOUBLE_EQ(e.percent(ShareOf::kVector), 50);
  EXPECT_DOUBLE_EQ(e.percent(ShareOf::kVectorResident), 80);
  EXPECT_DOUBLE_EQ(e.percent(ShareOf::kMultiplyAdd), 30 * 4096.0 / 128);
  EXPECT_DOUBLE_EQ(e.percent(ShareOf::kReadPort), 100.0 * 128 / 128 / 200);
  EXPECT_DOUBLE_EQ(e.percent(ShareOf::kHbm), 100.0 * 128 / 1200 / 100);
  EXPECT_DOUBLE_EQ(e.percent(ShareOf::kHbmBusy), 10);
}

TEST(Ceilings, CyclesDoNotDependOnData) {
  RowRunner runner({.examples = "tik_dsl/examples", .include = "."});
  Result<CeilingTable> table = parseCeilings(
      "- {row: a, example: 02_matmul, with: {M: 300, N: 500, K: 200}, share: "
      "cube, cores: 3}\n"
      "- {row: b, example: 05_softmax, with: {R: 99, C: 300}, share: V}\n",
      "t.yaml");
  ASSERT_TRUE(table) << table.status().message();
  for (CeilingRow &row : table->rows) {
    const isa::ArchSpec k1 = *isa::loadArchSpec("k1");
    Result<RowResult> without = runner.run(row, k1);
    row.data = true;
    Result<RowResult> with = runner.run(row, k1);
    ASSERT_TRUE(without && with) << with.status().message();
    EXPECT_EQ(with->cycles, without->cycles);
    EXPECT_EQ(with->percent, without->percent);
  }
}

TEST(Ceilings, GoldenCyclesComeBackFromTheirFile) {
  const auto file = test::scratchFolder() / "golden.txt";
  ASSERT_TRUE(writeGoldenCycles(file, "# head\n", {{"a: b", 3}, {"c", 4}}));
  EXPECT_EQ(*readGoldenCycles(file), (GoldenCycles{{"a: b", 3}, {"c", 4}}));
  std::ofstream(file) << "a: many\n";
  EXPECT_THAT(readGoldenCycles(file).status().message(),
              HasSubstr("found 'a: many'"));
  std::filesystem::remove(file);
  EXPECT_FALSE(readGoldenCycles(file));
}

} // namespace
} // namespace kiln::tools
