// SPDX-License-Identifier: Apache-2.0
//
// Whole kernels against their golden cycles, and the share of the cube or the
// port that they must reach. Visiting every cycle gives the same stamps.
#include "tests/engines/support/assembled.h"
#include "tests/engines/support/engine_bench.h"
#include "tests/timing/golden.h"
#include "tests/timing/neutral.h"

namespace kiln::test {
namespace {

class Golden : public testing::Test {
protected:
  sim::LaunchReport run(const char *file, const std::vector<uint64_t> &buffers,
                        const std::vector<int64_t> &constants = {}) {
    sim::LaunchRequest request =
        bench.request(assembleFile(file, static_cast<uint32_t>(buffers.size()),
                                   static_cast<uint32_t>(constants.size())),
                      buffers);
    request.constants = constants;
    request.dataOff = true; // cycles do not depend on data
    return runBothWays(bench, request, file);
  }
  EngineBench bench;
};

TEST_F(Golden, Vadd) {
  uint64_t a = bench.allocate(64 * 2048), b = bench.allocate(64 * 2048),
           c = bench.allocate(64 * 2048);
  GoldenCycles::expect("vadd_64_tiles", run("vadd.s", {a, b, c}, {64}));
}

TEST_F(Golden, Gemm64) {
  uint64_t a = bench.allocate(8192), b = bench.allocate(8192),
           c = bench.allocate(8192);
  GoldenCycles::expect("gemm64", run("gemm64.s", {a, b, c}));
}

TEST_F(Golden, Gemm1024) {
  uint64_t a = bench.allocate(2 << 20), b = bench.allocate(2 << 20),
           c = bench.allocate(2 << 20);
  sim::LaunchReport report = run("gemm1024.s", {a, b, c});
  GoldenCycles::expect("gemm1024", report);
  // 1024^3 / 4096 cycles of cells; the rest is filling the panels.
  EXPECT_EQ(report.pipes[static_cast<unsigned>(isa::Pipe::M)].busy, 262144u);
  EXPECT_GT(262144.0 / static_cast<double>(report.kernelCycles), 0.9);
}

} // namespace
} // namespace kiln::test

int main(int argc, char **argv) { return kiln::test::goldenMain(argc, argv); }
