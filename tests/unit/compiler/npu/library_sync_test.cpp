// SPDX-License-Identifier: Apache-2.0
//
// The flags of the library's kernels. No barrier is left, every pair of flags
// is needed, and their number is golden (a change needs its reason in the
// commit). Two judges: the verifier, and the engine, which runs the kernel
// without the pair in three orders with all checks on and must show it: a
// fault, a race, or other bits.
//
// Operators that are quick to run are tested by default; KILN_LIBRARY_FULL=1
// runs the engine on all of them.
#include "compiler/dialect/npu/NpuOps.h"
#include "compiler/transforms/npu/insert_sync.h"
#include "tests/unit/compiler/npu/kernel_runner.h"
#include "tests/unit/compiler/npu/library_kernels.h"

#include <cstdlib>
#include <cstring>
#include <fstream>
#include <gtest/gtest.h>
#include <map>
#include <set>
#include <sstream>

namespace kiln::test {
namespace {

constexpr char kGoldens[] = "tests/unit/compiler/npu/library_flags.txt";

/// Pairs of flags by operator/kernel: the file's, and what this run counted.
struct Book {
  bool refresh = false;
  std::map<std::string, size_t> golden, counted;

  Book() {
    std::ifstream in(kGoldens);
    for (std::string line; std::getline(in, line);) {
      std::istringstream fields(line);
      std::string name;
      size_t pairs = 0;
      if (!line.empty() && line[0] != '#' && fields >> name >> pairs) {
        golden[name] = pairs;
      }
    }
  }
  void write() const {
    std::ofstream out(kGoldens);
    out << "# SPDX-License-Identifier: Apache-2.0\n"
           "# Pairs of flags of the library's kernels on one core of k1.\n"
           "# Refresh: build/tests/npu_library_sync_test --refresh\n";
    for (const auto &[name, pairs] : counted) {
      out << name << ' ' << pairs << '\n';
    }
  }
};

Book &book() {
  static Book instance;
  return instance;
}

/// Quick to run: their deletions are in the quick set.
const std::set<std::string> kQuick = {"concat", "globalaveragepool",
                                      "matmul_tails", "sigmoid"};

class LibrarySync : public testing::TestWithParam<std::string> {
protected:
  void SetUp() override {
    auto op = LibraryOperator::load(GetParam());
    ASSERT_TRUE(op) << op.status().message();
    op_ = std::move(*op);
  }
  std::unique_ptr<LibraryOperator> op_;
};

TEST_P(LibrarySync, FlagsAreProvenNeededAndCounted) {
  for (mlir::func::FuncOp kernel : op_->kernels()) {
    auto module = op_->synced(kernel);
    ASSERT_TRUE(module);
    auto synced = *module->getOps<mlir::func::FuncOp>().begin();
    const std::string name = synced.getName().str();
    synced.walk(
        [&](npu::BarrierOp) { ADD_FAILURE() << "barrier in " << name; });
    EXPECT_TRUE(npu::isOrdered(synced, {})) << name;
    const npu::PairSet pairs = LibraryOperator::pairsOf(synced);
    for (int64_t pair : pairs) {
      EXPECT_FALSE(npu::isOrdered(synced, {pair}))
          << name << " does not need pair " << pair;
    }
    const std::string key = GetParam() + "/" + name;
    book().counted[key] = pairs.size();
    if (!book().refresh) {
      ASSERT_TRUE(book().golden.contains(key)) << key << " has no golden";
      EXPECT_EQ(pairs.size(), book().golden.at(key)) << key;
    }
  }
}

/// Small halves that differ everywhere; as f32 they are numbers as well.
Bytes patternOf(uint64_t bytes, uint64_t seed) {
  std::vector<uint16_t> halves(bytes / 2);
  for (size_t i = 0; i < halves.size(); ++i) {
    uint64_t h = (i + 1 + seed * 1000003) * 0x9e3779b97f4a7c15u;
    halves[i] = static_cast<uint16_t>(0x3800 + (h >> 52) % 0x600);
  }
  return bytesOf(halves);
}

/// Runs of one binary: results, and what was found.
struct Outcome {
  std::vector<Bytes> results;
  std::string found; // "" when every run was clean
};

Outcome runOrders(const pipeline::NpuProgram &program,
                  const std::vector<Bytes> &bindings) {
  KernelRunner runner("module {}");
  runner.setProgram(program);
  Outcome outcome;
  const std::pair<sim::Order, uint64_t> orders[] = {{sim::Order::kLazy, 1},
                                                    {sim::Order::kRandom, 1},
                                                    {sim::Order::kRandom, 2},
                                                    {sim::Order::kEager, 1}};
  for (auto [order, seed] : orders) {
    KernelRun run = runner.run(bindings, order, seed);
    if (!run.status) {
      outcome.found += std::string(run.status.message()) + "\n";
    }
    for (const sim::Finding &finding : run.report.findings) {
      outcome.found += finding.text + "\n";
    }
    outcome.results.push_back(run.bindings.back());
  }
  return outcome;
}

TEST_P(LibrarySync, EveryDeletedPairShowsWhenTheKernelRuns) {
  if (!kQuick.contains(GetParam()) && !std::getenv("KILN_LIBRARY_FULL")) {
    GTEST_SKIP() << "in the full set";
  }
  for (mlir::func::FuncOp kernel : op_->kernels()) {
    const std::string name = kernel.getName().str();
    std::vector<Bytes> bindings;
    for (uint64_t bytes : LibraryOperator::bindingBytes(kernel)) {
      bindings.push_back(patternOf(bytes, bindings.size() + 1));
    }
    auto right = op_->compile(kernel);
    ASSERT_TRUE(right) << right.status().message();
    const Outcome want = runOrders(*right, bindings);
    EXPECT_EQ(want.found, "") << name;
    auto module = op_->synced(kernel);
    ASSERT_TRUE(module);
    for (int64_t pair : LibraryOperator::pairsOf(
             *module->getOps<mlir::func::FuncOp>().begin())) {
      auto program = op_->compile(kernel, pair);
      ASSERT_TRUE(program) << program.status().message();
      ASSERT_NE(program->elf, right->elf) << name << ": pair " << pair;
      const Outcome got = runOrders(*program, bindings);
      const bool shown = got.found != "" || got.results != want.results;
      EXPECT_TRUE(shown) << name << ": no run shows that pair " << pair
                         << " is missing";
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Operators, LibrarySync,
                         testing::ValuesIn(libraryOperators()),
                         [](const auto &info) { return info.param; });

} // namespace
} // namespace kiln::test

int main(int argc, char **argv) {
  using kiln::test::book;
  testing::InitGoogleTest(&argc, argv);
  book().refresh = argc > 1 && std::strcmp(argv[1], "--refresh") == 0;
  int result = RUN_ALL_TESTS();
  if (book().refresh && result == 0) {
    book().write();
  }
  return result;
}
