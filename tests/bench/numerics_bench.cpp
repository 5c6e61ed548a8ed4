// SPDX-License-Identifier: Apache-2.0
//
// Speed of the arithmetic: GMAC/s of mmad and G elements/s of vector
// instructions, one thread, with the core's fp32 FMA peak from the same run.
//
//   build/bin/kiln_bench_numerics --benchmark_min_time=0.5
//
// relu-like: A = relu(normal), B = 0.05 * normal. wide: random bits without
// NaN and infinity, so that every k step fails the exponent guard.
#include "isa/gen/operands.h"
#include "isa/numerics/mmad.h"
#include "isa/numerics/vector_oracle.h"
#include "isa/semantics/semantics.h"
#include "tests/bench/fma_peak.h"

#include <benchmark/benchmark.h>

#include <cstring>
#include <random>
#include <vector>

namespace kiln::isa {
namespace {

using benchmark::Counter;

void fp32FmaPeak(benchmark::State &state) {
  uint64_t flops = 0;
  float sink = 0;
  for (auto _ : state) {
    flops += bench::runFmaPeak(static_cast<float>(state.iterations()), sink);
    benchmark::DoNotOptimize(sink);
  }
  state.counters["GFLOP/s"] =
      Counter(static_cast<double>(flops) * 1e-9, Counter::kIsRate);
}
BENCHMARK(fp32FmaPeak);

enum class Data { kReluLike, kWide };

uint32_t floatBits(float x) {
  uint32_t bits;
  std::memcpy(&bits, &x, 4);
  return bits;
}

/// Operand elements in the type's width, in no particular place.
std::vector<std::byte> operand(CubeType type, Data data, size_t elements,
                               bool isA) {
  std::mt19937 random(isA ? 1 : 2);
  std::normal_distribution<float> normal;
  const size_t size = operandBytes(type);
  std::vector<std::byte> bytes(elements * size);
  for (size_t i = 0; i < elements; ++i) {
    uint32_t x = static_cast<uint32_t>(random());
    if (type >= CubeType::kF16) {
      const oracle::Format f = type == CubeType::kF16    ? oracle::kF16
                               : type == CubeType::kBf16 ? oracle::kBf16
                                                         : oracle::kF32;
      const float value =
          isA ? std::max(normal(random), 0.0f) : 0.05f * normal(random);
      x = data == Data::kWide
              ? x & ~(1u << (f.mantissaBits + f.exponentBits - 1))
              : oracle::SoftFloat<>::convert(oracle::kF32, f, floatBits(value));
    }
    std::memcpy(bytes.data() + i * size, &x, size);
  }
  return bytes;
}

void mmad(benchmark::State &state, CubeType type, Data data) {
  const CubeExtents s{static_cast<uint32_t>(state.range(0)),
                      static_cast<uint32_t>(state.range(1)),
                      static_cast<uint32_t>(state.range(2))};
  const auto a = operand(type, data, size_t(s.m) * s.k, true);
  const auto b = operand(type, data, size_t(s.n) * s.k, false);
  std::vector<std::byte> c(size_t(s.m) * s.n * 4);
  for (auto _ : state) {
    numerics::mmad(type, s, CubeMode::kZero, a.data(), b.data(), nullptr,
                   c.data());
    benchmark::DoNotOptimize(c.data());
  }
  state.counters["GMAC/s"] =
      Counter(static_cast<double>(s.m) * s.n * s.k * 1e-9 *
                  static_cast<double>(state.iterations()),
              Counter::kIsRate);
}
void tiles(benchmark::internal::Benchmark *b) {
  b->Args({128, 128, 128})->Args({64, 64, 64})->Args({16, 256, 128});
}
BENCHMARK_CAPTURE(mmad, fp16_relu_like, CubeType::kF16, Data::kReluLike)
    ->Apply(tiles);
BENCHMARK_CAPTURE(mmad, fp16_wide, CubeType::kF16, Data::kWide)->Apply(tiles);
BENCHMARK_CAPTURE(mmad, bf16_relu_like, CubeType::kBf16, Data::kReluLike)
    ->Apply(tiles);
BENCHMARK_CAPTURE(mmad, fp32, CubeType::kF32, Data::kReluLike)->Apply(tiles);
BENCHMARK_CAPTURE(mmad, int8, CubeType::kI8, Data::kReluLike)->Apply(tiles);

/// A vector instruction through execute(), on rows of UB.
void vector(benchmark::State &state, Opcode op, ElementType type,
            uint32_t cols) {
  std::vector<std::byte> ub(256 * 1024);
  std::mt19937 random(3);
  std::normal_distribution<float> normal;
  const oracle::Format f = oracle::formatOf(type);
  for (size_t i = 0; i < ub.size(); i += sizeOf(type)) {
    const uint32_t x = oracle::SoftFloat<>::convert(oracle::kF32, f,
                                                    floatBits(normal(random)));
    std::memcpy(ub.data() + i, &x, sizeOf(type));
  }
  CoreMemory memory;
  memory.local[static_cast<unsigned>(Space::UB)] = ub;
  const uint32_t blocks = (cols * sizeOf(type) + 31) / 32;
  const uint32_t rows = 32 * 1024 / (blocks * 32);
  Command c;
  c.op = op;
  c.pipe = Pipe::V;
  c.f3 = static_cast<uint8_t>(type);
  const uint32_t dstRow = op == Opcode::kVsumR ? 0 : blocks;
  c.rs1 = LocalView{0x20000, dstRow, 1, rows}.pack();
  c.rs2 = LocalView{0, blocks, 1, cols}.pack();
  c.rs3 = op == Opcode::kVadd ? LocalView{0x10000, blocks, 1, 0}.pack() : 0;
  for (auto _ : state) {
    if (execute(c, {}, memory)) {
      state.SkipWithError("the command faults");
      return;
    }
    benchmark::DoNotOptimize(ub.data());
  }
  state.counters["Gelem/s"] =
      Counter(static_cast<double>(rows) * cols * 1e-9 *
                  static_cast<double>(state.iterations()),
              Counter::kIsRate);
}
BENCHMARK_CAPTURE(vector, vadd_f16, Opcode::kVadd, ElementType::F16, 1024);
BENCHMARK_CAPTURE(vector, vadd_f32, Opcode::kVadd, ElementType::F32, 1024);
BENCHMARK_CAPTURE(vector, vadd_f16_rows_of_16, Opcode::kVadd, ElementType::F16,
                  16);
BENCHMARK_CAPTURE(vector, vexp_f16, Opcode::kVexp, ElementType::F16, 1024);
BENCHMARK_CAPTURE(vector, vexp_f32, Opcode::kVexp, ElementType::F32, 1024);
BENCHMARK_CAPTURE(vector, vtanh_f32, Opcode::kVtanh, ElementType::F32, 1024);
BENCHMARK_CAPTURE(vector, vsum_r_f32, Opcode::kVsumR, ElementType::F32, 1024);

} // namespace
} // namespace kiln::isa

BENCHMARK_MAIN();
