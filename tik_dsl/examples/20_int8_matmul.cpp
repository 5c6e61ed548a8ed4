// SPDX-License-Identifier: Apache-2.0
//
// Example 20: a quantised layer, C = int8((A x B' + bias) * scale[n]) + 3.
//
//   kiln test-op tik_dsl/examples/20_int8_matmul.cpp
//
// Shown here: the int8 cube, twice as fast as fp16 and exact in i32, and what
// FIX does on the way out: a factor per column from the bias table, rounding,
// the zero point, saturation. B is stored as [N, K], as weights often are, so
// its fractals need no transposition.
#include "tik_dsl/api/tik.h"
#include "tik_dsl/api/tiles.h"

#include <algorithm>
#include <cmath>

using namespace kiln::tik;

namespace {

// [declaration]
void declare(Declaration &d) {
  d.name("int8_matmul", "C[M,N] = int8((A[M,K] x B[N,K]' + bias) * scale) + 3");
  d.input("a", i8, {"M", "K"}, {-128, 127});
  d.input("b", i8, {"N", "K"}, {-128, 127});
  d.input("bias", i32, {"N"}, {-50000, 50000});
  d.input("scale", f32, {"N"}, {1e-5, 2e-4});
  d.output("c", i8, {"M", "N"}).macs({"M", "N", "K"});
  d.shape({{"M", 512}, {"N", 512}, {"K", 512}});
  d.shape({{"M", 300}, {"N", 700}, {"K", 1000}});
  d.edge({{"M", 1}, {"N", 1}, {"K", 1}});
  d.edge({{"M", 17}, {"N", 33}, {"K", 70}});
  d.edge({{"M", 129}, {"N", 257}, {"K", 513}});
  d.tolerance(i8, 0, 0,
              "sums are exact, the two roundings are the reference's");
}
// [declaration]

constexpr int64_t kZeroPoint = 3;

// [knobs]
void knobs(const Knobs &k) {
  k.knob("tileN", {256, 128, 64});
  k.knob("tileL1", {512, 256, 128, 1024});
  k.knob("slots", {2, 3, 4, 6});
  k.knob("band", {1, 2, 4, 8, 16}); // tiles go down so many rows of tiles
}
// [knobs]

// [kernel]
/// A number per column, from global memory to the bias table.
Buffer columns(const Kernel &k, const Tensor &x, const Index &n,
               const Index &count, int64_t most) {
  const Buffer l1 = k.l1(x.type(), {most}, "column");
  const Buffer table = k.biasTable(x.type(), most, "columns");
  k.load(l1, x.at(n), count);
  k.loadBias(table, l1, count);
  return table;
}

void kernel(const Kernel &k) {
  const Tensor a = k.tensor("a"), b = k.tensor("b"), c = k.tensor("c");
  const int64_t M = a.dim(0), K = a.dim(1), N = b.dim(0);
  const int64_t tileM = 128, tileN = k.knob("tileN"), band = k.knob("band");
  const int64_t across = ceilDiv(N, tileN), down = ceilDiv(M, tileM);
  const int64_t count = across * down, blocks = min(k.cores(), count);
  for (Index block : k.blocks(blocks)) {
    for (Index tile : k.range(block, count, blocks).buffers(2)) {
      const auto [row, col] = tiles::inBands(tile, down, across, band);
      const Index m = row * tileM, rows = min(tileM, M - m);
      const Index n = col * tileN, cols = min(tileN, N - n);
      const Buffer bias = columns(k, k.tensor("bias"), n, cols, tileN);
      const Buffer scale = columns(k, k.tensor("scale"), n, cols, tileN);
      const Buffer acc = k.l0c(i32, tileM, tileN, "acc");
      tiles::productOfTensors(
          k, acc, {a, b, m, n}, {rows, cols, K}, k.knob("tileL1"),
          {.step = 128,
           .transposed = true,
           .bias = &bias,
           .slots = static_cast<uint32_t>(k.knob("slots"))});
      k.fix(c.at(m, n), acc, {rows, cols},
            {.scales = scale, .zeroPoint = kZeroPoint});
    }
  }
}
// [kernel]

// [reference]
void reference(const Reference &r) {
  const HostArray a = r["a"], b = r["b"], c = r["c"];
  const int64_t M = a.dim(0), K = a.dim(1), N = b.dim(0);
  for (int64_t m = 0; m < M; ++m) {
    for (int64_t n = 0; n < N; ++n) {
      double sum = r["bias"][n];
      for (int64_t k = 0; k < K; ++k) {
        sum += a[m * K + k] * b[n * K + k];
      }
      const float scaled =
          static_cast<float>(sum) * static_cast<float>(r["scale"][n]);
      c[m * N + n] =
          std::clamp(std::nearbyint(scaled) + kZeroPoint, -128.0f, 127.0f);
    }
  }
}
// [reference]

} // namespace

KILN_OPERATOR(declare, kernel, reference, knobs)
