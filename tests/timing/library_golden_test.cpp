// SPDX-License-Identifier: Apache-2.0
//
// Golden cycles of the library's kernels, as the NPU target compiles them for
// one core of k1, conversions of layout included. Visiting every cycle gives
// the same stamps.
#include "tests/engines/support/engine_bench.h"
#include "tests/timing/golden.h"
#include "tests/timing/neutral.h"
#include "tests/unit/compiler/npu/library_kernels.h"

namespace kiln::test {
namespace {

class LibraryGolden : public testing::TestWithParam<std::string> {};

TEST_P(LibraryGolden, Cycles) {
  auto op = LibraryOperator::load(GetParam());
  ASSERT_TRUE(op) << op.status().message();
  for (mlir::func::FuncOp kernel : (*op)->kernels()) {
    auto program = (*op)->compile(kernel);
    ASSERT_TRUE(program) << program.status().message();
    auto loaded = sim::Program::load(program->elf, program->kernel);
    ASSERT_TRUE(loaded) << loaded.status().message();
    EngineBench bench;
    std::vector<uint64_t> buffers;
    for (uint64_t bytes : LibraryOperator::bindingBytes(kernel)) {
      buffers.push_back(bench.allocate(bytes));
    }
    sim::LaunchRequest request = bench.request(*loaded, buffers);
    request.dataOff = true; // cycles do not depend on data
    const std::string name = GetParam() + "/" + kernel.getName().str();
    GoldenCycles::expect(name, runBothWays(bench, request, name));
  }
}

INSTANTIATE_TEST_SUITE_P(Operators, LibraryGolden,
                         testing::ValuesIn(libraryOperators()),
                         [](const auto &info) { return info.param; });

} // namespace
} // namespace kiln::test

int main(int argc, char **argv) { return kiln::test::goldenMain(argc, argv); }
