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

// [kernel]
void kernel(const Kernel &k) {
  const Tensor a = k.tensor("a"), b = k.tensor("b"), c = k.tensor("c");
  const int64_t M = a.dim(0), K = a.dim(1), N = b.dim(0);
  const int64_t tileM = 128, tileN = 256, tileL1 = 512, tileK = 128;
  const int64_t across = ceilDiv(N, tileN), tiles = ceilDiv(M, tileM) * across;
  const int64_t blocks = min(k.cores(), tiles);
  for (Index block : k.blocks(blocks)) {
    for (Index tile : k.range(block, tiles, blocks).buffers(2)) {
      const Index m = tile / across * tileM, n = tile % across * tileN;
      const Index rows = min(tileM, M - m), cols = min(tileN, N - n);
      const Buffer biasL1 = k.l1(i32, {tileN}, "biasL1");
      const Buffer scaleL1 = k.l1(f32, {tileN}, "scaleL1");
      const Buffer bias = k.biasTable(i32, tileN, "bias");
      const Buffer scale = k.biasTable(f32, tileN, "scale");
      k.load(biasL1, k.tensor("bias").at(n), cols);
      k.load(scaleL1, k.tensor("scale").at(n), cols);
      k.loadBias(bias, biasL1, cols);
      k.loadBias(scale, scaleL1, cols);
      const Buffer acc = k.l0c(i32, tileM, tileN, "acc");
      for (Index k1 : k.range(0, K, tileL1).buffers(2)) {
        const Index depth = min(tileL1, K - k1);
        const Buffer aL1 = k.l1Nz(i8, tileM, tileL1, "aL1");
        const Buffer bL1 = k.l1Nz(i8, tileN, tileL1, "bL1");
        k.loadNz(aL1, a.at(m, k1), {rows, depth});
        k.loadNz(bL1, b.at(n, k1), {cols, depth});
        for (Index k0 : k.range(0, depth, tileK).buffers(2)) {
          const Index step = min(tileK, depth - k0);
          const Buffer aL0 = k.l0a(i8, tileM, tileK, "aL0");
          const Buffer bL0 = k.l0b(i8, tileK, tileN, "bL0");
          k.loadA(aL0, aL1.at(0, k0), {rows, step});
          k.loadBTransposed(bL0, bL1.at(0, k0), {step, cols});
          k.mmadBias(acc, aL0, bL0, bias, {rows, cols, step}, k1 + k0 != 0);
        }
      }
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

KILN_OPERATOR(declare, kernel, reference)
