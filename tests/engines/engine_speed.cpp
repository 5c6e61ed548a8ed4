// SPDX-License-Identifier: Apache-2.0
//
// Prints how fast the engines are on this machine, best of five, in CPU
// seconds: scalar MIPS, GMAC/s and vector elements of the functional engine,
// kcycle/s of the cycle engine on matmul 1024^3 with ReLU-like and
// wide-exponent data, on streams and on many cores, and what the checks cost.
//
//   build/bin/engine_speed             all of it
//   build/bin/engine_speed checks      what all checks cost
//   build/bin/engine_speed F.elf 4096  matmul 4096^3 on all cores of k1, with
//                                      data on one and two threads, without;
//                                      by a kernel of the DSL:
//     build/bin/kiln sim tik_dsl/examples/02_matmul.cpp --engine cycle
//       --shape M=4096,N=4096,K=4096 --cores 32 --data-off --elf F.elf
#include "tests/engines/support/assembled.h"
#include "tests/engines/support/engine_bench.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <ctime>
#include <random>

namespace kiln::test {
namespace {

double cpuSeconds() {
  timespec t;
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
  return static_cast<double>(t.tv_sec) + 1e-9 * static_cast<double>(t.tv_nsec);
}

/// Of the calling thread.
double threadSeconds() {
  timespec t;
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
  return static_cast<double>(t.tv_sec) + 1e-9 * static_cast<double>(t.tv_nsec);
}

double best(sim::Engine &engine, const sim::LaunchRequest &request,
            sim::LaunchReport &report, int times = 5) {
  double best = 1e9;
  for (int i = 0; i < times; ++i) {
    double begin = cpuSeconds();
    Result<sim::LaunchReport> r = engine.run(request);
    best = std::min(best, cpuSeconds() - begin);
    if (!r) {
      std::printf("%s\n", r.status().message().c_str());
      std::exit(1);
    }
    report = *r;
  }
  return best;
}

std::vector<_Float16> operand(size_t n, uint64_t seed, bool wide, bool relu) {
  std::mt19937_64 random(seed);
  std::normal_distribution<double> normal;
  std::vector<_Float16> values(n);
  for (_Float16 &v : values) {
    double x = normal(random);
    if (wide) {
      x *= std::exp2(static_cast<double>(random() % 24) - 14.0);
    }
    v = static_cast<_Float16>(relu ? std::max(x, 0.0) : x);
  }
  return values;
}

void scalar(EngineBench &bench) {
  sim::LaunchRequest r = bench.request(assembleFile("scalar_loop.s", 0, 1));
  r.constants = {5'000'000};
  sim::LaunchReport report;
  double seconds = best(*bench.functional, r, report);
  std::printf("functional scalar       %8.0f MIPS\n",
              1e-6 * static_cast<double>(report.instructions) / seconds);
  seconds = best(*bench.cycle, r, report);
  std::printf("cycle scalar            %8.0f MIPS, %.0f kcycle/s\n",
              1e-6 * static_cast<double>(report.instructions) / seconds,
              1e-3 * static_cast<double>(report.cycles) / seconds);
}

void matmul(EngineBench &bench, bool wide) {
  constexpr size_t kSize = 1024;
  uint64_t a = bench.upload(operand(kSize * kSize, 1, wide, !wide));
  uint64_t b = bench.upload(operand(kSize * kSize, 2, wide, false));
  uint64_t c = bench.allocate(2 * kSize * kSize);
  sim::LaunchRequest r =
      bench.request(assembleFile("gemm1024.s", 3), {a, b, c});
  sim::LaunchReport report;
  const char *data = wide ? "wide exponents" : "ReLU-like";
  double seconds = best(*bench.functional, r, report);
  std::printf("functional 1024^3 f16   %8.2f GMAC/s (%s)\n",
              1e-9 * static_cast<double>(report.macs) / seconds, data);
  seconds = best(*bench.cycle, r, report);
  double share = static_cast<double>(report.macs) /
                 (4096.0 * static_cast<double>(report.kernelCycles));
  std::printf("cycle 1024^3 f16        %8.0f kcycle/s, %.3f s, kernel share "
              "%.1f %% of %llu cycles (%s)\n",
              1e-3 * static_cast<double>(report.cycles) / seconds, seconds,
              100 * share, static_cast<unsigned long long>(report.kernelCycles),
              data);
  r.dataOff = true;
  seconds = best(*bench.cycle, r, report);
  std::printf("cycle without data      %8.0f kcycle/s\n",
              1e-3 * static_cast<double>(report.cycles) / seconds);
}

void streaming(EngineBench &bench) {
  constexpr size_t kTiles = 4096;
  uint64_t a = bench.upload(operand(1024 * kTiles, 1, false, false));
  uint64_t c = bench.allocate(2 * 1024 * kTiles);
  sim::LaunchRequest r = bench.request(assembleFile("vadd.s", 3, 1), {a, a, c});
  r.constants = {kTiles};
  sim::LaunchReport report;
  double seconds = best(*bench.cycle, r, report);
  std::printf("cycle vadd, streamed    %8.0f kcycle/s, %.2f cycles per tile\n",
              1e-3 * static_cast<double>(report.cycles) / seconds,
              static_cast<double>(report.kernelCycles) / kTiles);
}

void integersAndVectors(EngineBench &bench) {
  std::vector<int8_t> bytes(1 << 17);
  std::mt19937_64 random(3);
  for (int8_t &x : bytes) {
    x = static_cast<int8_t>(random());
  }
  const uint64_t data = bench.upload(bytes);
  sim::LaunchReport report;
  sim::LaunchRequest r = bench.request(assembleFile("mmad_i8.s", 1), {data});
  double seconds = best(*bench.functional, r, report);
  std::printf("functional mmad.i8      %8.2f GMAC/s\n",
              1e-9 * static_cast<double>(report.macs) / seconds);
  constexpr uint64_t kTimes = 20000;
  const uint64_t halves = bench.upload(operand(16384, 4, false, false));
  r = bench.request(assembleFile("vadd_ub.s", 1, 1), {halves});
  r.constants = {kTimes};
  seconds = best(*bench.functional, r, report);
  std::printf("functional vadd.f16     %8.2f G elements/s\n",
              1e-9 * 8192 * kTimes / seconds);
}

/// Cores that each do a 1024^3 matmul of their own data (together half the
/// multiply-accumulates of 4096^3), and cores that stream more than DRAM gives.
void manyCores(EngineBench &bench, uint32_t cores) {
  constexpr size_t kSize = 1024;
  uint64_t a = bench.upload(operand(kSize * kSize, 1, false, true));
  uint64_t b = bench.upload(operand(kSize * kSize, 2, false, false));
  uint64_t c = bench.allocate(2 * kSize * kSize);
  sim::LaunchRequest r =
      bench.request(assembleFile("gemm1024.s", 3), {a, b, c});
  r.blockDim = r.cores = cores;
  sim::LaunchReport report;
  for (bool data : {true, false}) {
    r.dataOff = !data;
    double seconds = best(*bench.cycle, r, report, data ? 1 : 3);
    std::printf("cycle %2u cores, 1024^3 each %7.0f kcycle/s%s\n", cores,
                1e-3 * static_cast<double>(report.cycles) / seconds,
                data ? "" : " without data");
  }
  constexpr uint64_t kCommands = 64;
  uint64_t x = bench.allocate(32768 * kCommands * cores);
  r = bench.request(assembleFile("stream.s", 1, 1), {x});
  r.constants = {kCommands};
  r.blockDim = r.cores = cores;
  double seconds = best(*bench.cycle, r, report, 3);
  std::printf("cycle %2u cores, streams     %7.0f kcycle/s, DRAM %.0f B/c\n",
              cores, 1e-3 * static_cast<double>(report.cycles) / seconds,
              static_cast<double>(report.memory.dramReadBytes) /
                  static_cast<double>(report.kernelCycles));
}

/// size^3 in f16, f32 out, by a compiled kernel on all cores.
void largeMatmul(EngineBench &bench, const std::string &path, size_t size) {
  const std::string file = readText(path);
  auto program = sim::Program::load(
      {reinterpret_cast<const uint8_t *>(file.data()), file.size()}, path);
  if (!program) {
    std::printf("%s\n", program.status().message().c_str());
    std::exit(1);
  }
  const uint64_t a = bench.upload(operand(size * size, 1, false, true));
  const uint64_t b = bench.upload(operand(size * size, 2, false, false));
  sim::LaunchRequest r =
      bench.request(*program, {a, b, bench.allocate(4 * size * size)});
  r.blockDim = r.cores = bench.arch.arch.cores;
  struct Run {
    bool data;
    unsigned threads;
  };
  for (Run run : {Run{true, 1}, Run{true, 2}, Run{false, 1}}) {
    r.dataOff = !run.data;
    r.threads = run.threads;
    sim::LaunchReport report;
    const double wheel = threadSeconds();
    const auto begin = std::chrono::steady_clock::now();
    const double seconds = best(*bench.cycle, r, report, 1);
    const std::chrono::duration<double> wall =
        std::chrono::steady_clock::now() - begin;
    std::printf(
        "cycle %2u cores, %zu^3 together %5.0f kcycle/s, %llu cycles "
        "in %.2f CPU-s (%.2f of the wheel's thread), %.2f s%s; %u "
        "thread%s\n",
        r.cores, size, 1e-3 * static_cast<double>(report.cycles) / seconds,
        static_cast<unsigned long long>(report.cycles), seconds,
        threadSeconds() - wheel, wall.count(), run.data ? "" : " without data",
        run.threads, run.threads > 1 ? "s" : "");
  }
}

/// How much slower the functional engine is with all checks on.
void checks(EngineBench &bench, const char *file, sim::LaunchRequest r) {
  sim::LaunchReport report;
  double plain = best(*bench.functional, r, report);
  r.checks = {.race = true, .init = true, .bounds = true, .flags = true};
  double checked = best(*bench.functional, r, report);
  std::printf("all checks, %-12s %7.2f times slower than %.1f ms, %zu "
              "findings\n",
              file, checked / plain, 1e3 * plain, report.findings.size());
}

void checks(EngineBench &bench) {
  constexpr size_t kSize = 1024, kTiles = 4096;
  uint64_t a = bench.upload(operand(kSize * kTiles, 1, false, false));
  uint64_t c = bench.allocate(2 * kSize * kTiles);
  checks(bench, "gemm1024.s",
         bench.request(assembleFile("gemm1024.s", 3), {a, a, c}));
  checks(bench, "gemm64.s",
         bench.request(assembleFile("gemm64.s", 3), {a, a, c}));
  sim::LaunchRequest r = bench.request(assembleFile("vadd.s", 3, 1), {a, a, c});
  r.constants = {kTiles};
  checks(bench, "vadd.s", r);
  r = bench.request(assembleFile("stream.s", 1, 1), {a});
  r.constants = {64};
  checks(bench, "stream.s", r);
}

} // namespace
} // namespace kiln::test

int main(int argc, char **argv) {
  std::setvbuf(stdout, nullptr, _IOLBF, 0);
  kiln::test::EngineBench bench;
  if (argc == 2 && std::strcmp(argv[1], "checks") == 0) {
    kiln::test::checks(bench);
    return 0;
  }
  if (argc == 3) {
    kiln::test::largeMatmul(bench, argv[1],
                            std::strtoull(argv[2], nullptr, 10));
    return 0;
  }
  kiln::test::scalar(bench);
  kiln::test::matmul(bench, false);
  kiln::test::matmul(bench, true);
  kiln::test::integersAndVectors(bench);
  kiln::test::streaming(bench);
  kiln::test::manyCores(bench, 4);
  kiln::test::manyCores(bench, bench.arch.arch.cores);
  kiln::test::checks(bench);
}
