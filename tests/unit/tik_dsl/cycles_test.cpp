// SPDX-License-Identifier: Apache-2.0
//
// Cycles of the examples in the table of ceilings (tik_dsl/examples/
// ceilings.yaml) are golden: tests/unit/tik_dsl/example_cycles.txt.
//
//   build/tests/tik_cycles_test                     compare, the full set
//   build/tests/tik_cycles_test --long              rows over 5 million cycles
//   build/tests/tik_cycles_test [--long] --refresh  write what was measured
//
// A refreshed golden needs its reason in the commit.
#include "tools/ceilings/golden_cycles.h"
#include "tools/ceilings/row_run.h"

#include <cstring>

#include <gtest/gtest.h>

namespace kiln::tools {
namespace {

constexpr char kFile[] = "tests/unit/tik_dsl/example_cycles.txt";
constexpr char kHead[] =
    "# SPDX-License-Identifier: Apache-2.0\n"
    "# Kernel cycles of the examples, by rows of the table of ceilings.\n"
    "# Refresh: build/tests/tik_cycles_test --refresh, and --long --refresh\n";
constexpr uint64_t kLongCycles = 5'000'000;

bool refresh = false, longSet = false;

class Cycles : public testing::Test {
protected:
  void SetUp() override {
    Result<CeilingTable> table = readCeilings("tik_dsl/examples/ceilings.yaml");
    ASSERT_TRUE(table) << table.status().message();
    table_ = *table;
    Result<GoldenCycles> goldens = readGoldenCycles(kFile);
    ASSERT_TRUE(goldens || refresh) << goldens.status().message();
    goldens_ = goldens ? *goldens : GoldenCycles{};
  }

  void measure(const CeilingRow &row, const std::string &name,
               const Result<isa::ArchSpec> &machine) {
    ASSERT_TRUE(machine) << name << ": " << machine.status().message();
    Result<RowResult> result = runner_.run(row, *machine);
    ASSERT_TRUE(result) << name << ": " << result.status().message();
    EXPECT_TRUE(row.isLong || result->cycles <= kLongCycles)
        << name << " belongs to the long set: " << result->cycles;
    std::printf("%-50s %10llu %6.1f %%\n", name.c_str(),
                static_cast<unsigned long long>(result->cycles),
                result->percent);
    measured_[name] = result->cycles;
  }

  /// One failure for each row that differs.
  void expectGolden() const {
    for (const auto &[name, cycles] : measured_) {
      const auto golden = goldens_.find(name);
      EXPECT_TRUE(golden != goldens_.end() && golden->second == cycles)
          << name << ": measured " << cycles << ", golden "
          << (golden == goldens_.end() ? "none"
                                       : std::to_string(golden->second))
          << "; refresh with --refresh and say why";
    }
    for (const auto &[name, cycles] : goldens_) {
      EXPECT_TRUE(measured_.contains(name)) << name << ": no such row";
    }
  }

  CeilingTable table_;
  GoldenCycles goldens_, measured_;
  RowRunner runner_{{.examples = "tik_dsl/examples", .include = "."}};
};

TEST_F(Cycles, OfTheExamplesAreGolden) {
  GoldenCycles others; // of the other set
  for (const CeilingRow &row : table_.rows) {
    const std::string second = row.name + ", second run";
    if (!row.op.name.empty()) {
      continue; // of the compiler
    }
    if (row.isLong != longSet) {
      for (const std::string &name : {row.name, second}) {
        if (goldens_.contains(name)) {
          others[name] = goldens_[name];
        }
      }
      continue;
    }
    measure(row, row.name, isa::loadArchSpec(row.machine));
    if (row.without) {
      measure(row, second, machineWithout(row));
    }
  }
  measured_.insert(others.begin(), others.end());
  if (!refresh) {
    expectGolden();
    return;
  }
  ASSERT_FALSE(HasFailure()) << kFile << " is left as it is";
  Status written = writeGoldenCycles(kFile, kHead, measured_);
  EXPECT_TRUE(written) << written.message();
}

} // namespace
} // namespace kiln::tools

int main(int argc, char **argv) {
  testing::InitGoogleTest(&argc, argv);
  for (int i = 1; i < argc; ++i) {
    kiln::tools::refresh |= !std::strcmp(argv[i], "--refresh");
    kiln::tools::longSet |= !std::strcmp(argv[i], "--long");
  }
  return RUN_ALL_TESTS();
}
