// SPDX-License-Identifier: Apache-2.0
//
// Hand-written kernels on both engines: the reference bits in every order.
#include "tests/engines/support/assembled.h"
#include "tests/engines/support/engine_bench.h"

#include <random>

namespace kiln::test {
namespace {

using sim::LaunchReport;
using sim::LaunchRequest;
using sim::Order;

uint16_t halfBits(double value) {
  _Float16 h = static_cast<_Float16>(value);
  uint16_t bits;
  std::memcpy(&bits, &h, 2);
  return bits;
}

/// Small integers: every sum of products is exact in f32.
std::vector<int> randomIntegers(size_t n, uint64_t seed) {
  std::mt19937_64 random(seed);
  std::vector<int> values(n);
  for (int &v : values) {
    v = static_cast<int>(random() % 17) - 8;
  }
  return values;
}

std::vector<uint16_t> toHalf(const std::vector<int> &values) {
  std::vector<uint16_t> bits;
  for (int v : values) {
    bits.push_back(halfBits(v));
  }
  return bits;
}

/// Runs `request` in every order and on the cycle engine; each run must leave
/// `expected` at `out`.
void expectInEveryOrder(EngineBench &bench, LaunchRequest request, uint64_t out,
                        const std::vector<uint16_t> &expected) {
  const size_t n = expected.size();
  auto clear = [&] {
    std::memset(bench.gm->host(GmAddr(out), 2 * n), 0xff, 2 * n);
  };
  for (Order order : {Order::kEager, Order::kLazy}) {
    clear();
    request.order = order;
    bench.runFunctional(request);
    EXPECT_EQ(bench.download<uint16_t>(out, n), expected)
        << "order " << static_cast<int>(order);
  }
  request.order = Order::kRandom;
  for (request.seed = 1; request.seed <= 20; ++request.seed) {
    clear();
    bench.runFunctional(request);
    EXPECT_EQ(bench.download<uint16_t>(out, n), expected)
        << "random order, seed " << request.seed;
  }
  clear();
  bench.runCycle(request);
  EXPECT_EQ(bench.download<uint16_t>(out, n), expected) << "cycle engine";
}

struct Vadd {
  explicit Vadd(EngineBench &bench, size_t tiles) {
    std::vector<int> a = randomIntegers(1024 * tiles, 1);
    std::vector<int> b = randomIntegers(1024 * tiles, 2);
    for (size_t i = 0; i < a.size(); ++i) {
      expected.push_back(halfBits(a[i] + b[i]));
    }
    uint64_t ga = bench.upload(toHalf(a)), gb = bench.upload(toHalf(b));
    out = bench.allocate(2 * a.size());
    request = bench.request(assembleFile("vadd.s", 3, 1), {ga, gb, out});
    request.constants = {static_cast<int64_t>(tiles)};
  }
  LaunchRequest request;
  uint64_t out = 0;
  std::vector<uint16_t> expected;
};

struct Gemm64 {
  explicit Gemm64(EngineBench &bench) {
    std::vector<int> a = randomIntegers(64 * 64, 3);
    std::vector<int> b = randomIntegers(64 * 64, 4);
    for (int m = 0; m < 64; ++m) {
      for (int n = 0; n < 64; ++n) {
        int sum = 0;
        for (int k = 0; k < 64; ++k) {
          sum += a[64 * m + k] * b[64 * k + n];
        }
        expected.push_back(halfBits(sum));
      }
    }
    uint64_t ga = bench.upload(toHalf(a)), gb = bench.upload(toHalf(b));
    out = bench.allocate(2 * expected.size());
    request = bench.request(assembleFile("gemm64.s", 3), {ga, gb, out});
  }
  LaunchRequest request;
  uint64_t out = 0;
  std::vector<uint16_t> expected;
};

TEST(AsmKernels, VaddGivesTheReferenceBitsInEveryOrder) {
  EngineBench bench;
  Vadd kernel(bench, 7);
  expectInEveryOrder(bench, kernel.request, kernel.out, kernel.expected);
}

TEST(AsmKernels, Gemm64GivesTheReferenceBitsInEveryOrder) {
  EngineBench bench;
  Gemm64 kernel(bench);
  expectInEveryOrder(bench, kernel.request, kernel.out, kernel.expected);
}

TEST(AsmKernels, ChecksFindNothingInRightKernels) {
  EngineBench bench;
  Vadd vadd(bench, 7);
  Gemm64 gemm(bench);
  for (LaunchRequest request : {vadd.request, gemm.request}) {
    request.checks = {
        .race = true, .init = true, .bounds = true, .flags = true};
    for (const sim::Finding &f : bench.runFunctional(request).findings) {
      ADD_FAILURE() << f.text;
    }
    for (const sim::Finding &f : bench.runCycle(request).findings) {
      ADD_FAILURE() << f.text;
    }
  }
}

TEST(AsmKernels, CountersHoldTheWorkOfTheKernel) {
  EngineBench bench;
  Gemm64 gemm(bench);
  for (const LaunchReport &report :
       {bench.runFunctional(gemm.request), bench.runCycle(gemm.request)}) {
    EXPECT_EQ(report.macs, 64u * 64 * 64);
    EXPECT_EQ(report.gmReadBytes, 2u * 64 * 64 * 2);
    EXPECT_EQ(report.gmWriteBytes, 64u * 64 * 2);
  }
}

TEST(AsmKernels, CyclesOfEveryPipeAddUp) {
  EngineBench bench;
  Vadd kernel(bench, 40);
  LaunchReport report = bench.runCycle(kernel.request);
  for (unsigned p = 0; p < isa::kNumPipes; ++p) {
    EXPECT_EQ(report.pipes[p].total(), report.cycles) << isa::kPipeNames[p];
  }
  EXPECT_GT(report.pipes[1].busy, 0u);
  EXPECT_GT(report.pipes[5].busy, 0u);
}

TEST(AsmKernels, SkippingIdleCyclesChangesNothing) {
  EngineBench bench;
  Vadd kernel(bench, 20);
  LaunchReport skipped = bench.runCycle(kernel.request);
  kernel.request.noSkip = true;
  LaunchReport stepped = bench.runCycle(kernel.request);
  EXPECT_EQ(skipped.cycles, stepped.cycles);
  EXPECT_EQ(skipped.kernelCycles, stepped.kernelCycles);
  for (unsigned p = 0; p < isa::kNumPipes; ++p) {
    EXPECT_EQ(skipped.pipes[p].busy, stepped.pipes[p].busy);
    EXPECT_EQ(skipped.pipes[p].stall, stepped.pipes[p].stall);
  }
}

TEST(AsmKernels, CyclesDoNotDependOnDataOrHistory) {
  EngineBench bench;
  Gemm64 kernel(bench);
  uint64_t cycles = bench.runCycle(kernel.request).cycles;
  EXPECT_EQ(bench.runCycle(kernel.request).cycles, cycles);
  kernel.request.dataOff = true;
  EXPECT_EQ(bench.runCycle(kernel.request).cycles, cycles);
  kernel.request.doorbell = false;
  EXPECT_EQ(bench.runCycle(kernel.request).cycles, cycles - 4000);
}

TEST(AsmKernels, BusyCyclesAreBookedToTheLineOfTheCommand) {
  EngineBench bench;
  Vadd kernel(bench, 8);
  LaunchReport report = bench.runCycle(kernel.request);
  uint64_t vector = 0;
  for (const sim::LineCycles &line : report.lines) {
    EXPECT_EQ(line.line.file, "vadd.s");
    vector += line.busy[5];
  }
  EXPECT_EQ(vector, report.pipes[5].busy);
  EXPECT_GT(vector, 0u);
}

} // namespace
} // namespace kiln::test
