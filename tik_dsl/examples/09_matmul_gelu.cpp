// SPDX-License-Identifier: Apache-2.0
//
// Example 9: C = gelu(A x B + bias), fp16, summed in fp32.
//
//   kiln test-op tik_dsl/examples/09_matmul_gelu.cpp
//
// Shown here: an epilogue on the vector unit. The accumulator starts from the
// bias, FIX brings it to UB as fp16, and the vector unit works on one tile
// while the cube fills the next.
#include "tik_dsl/api/tik.h"

#include <cmath>

using namespace kiln::tik;

namespace {

// [declaration]
void declare(Declaration &d) {
  d.name("matmul_gelu", "C = gelu(A[M,K] x B[K,N] + bias[N])");
  d.input("a", f16, {"M", "K"}).input("b", f16, {"K", "N"}, {-0.1, 0.1});
  d.input("bias", f32, {"N"});
  d.output("c", f16, {"M", "N"}).macs({"M", "N", "K"});
  d.shape({{"M", 512}, {"N", 512}, {"K", 512}});
  d.edge({{"M", 1}, {"N", 1}, {"K", 1}});
  d.edge({{"M", 17}, {"N", 33}, {"K", 70}});
  d.edge({{"M", 129}, {"N", 257}, {"K", 321}});
  d.tolerance(f16, 6e-3, 6e-3, "ten roundings to 11 bits on values of up to 4");
}
// [declaration]

// [kernel]
void kernel(const Kernel &k) {
  const Tensor a = k.tensor("a"), b = k.tensor("b"), c = k.tensor("c");
  const int64_t M = a.dim(0), K = a.dim(1), N = b.dim(1);
  const int64_t tileM = 128, tileN = 256, tileL1 = 256, tileK = 64;
  const int64_t across = ceilDiv(N, tileN), tiles = ceilDiv(M, tileM) * across;
  const int64_t blocks = min(k.cores(), tiles);
  for (Index block : k.blocks(blocks)) {
    for (Index t : k.range(block, tiles, blocks).buffers(2)) {
      const Index m = t / across * tileM, n = t % across * tileN;
      const Index rows = min(tileM, M - m), cols = min(tileN, N - n);
      const Buffer biasL1 = k.l1(f32, {tileN}, "biasL1");
      const Buffer table = k.biasTable(f32, tileN, "table");
      k.load(biasL1, k.tensor("bias").at(n), cols);
      k.loadBias(table, biasL1, cols);
      const Buffer acc = k.l0c(f32, tileM, tileN, "acc");
      for (Index k1 : k.range(0, K, tileL1).buffers(2)) {
        const Index depth = min(tileL1, K - k1);
        const Buffer aL1 = k.l1Nz(f16, tileM, tileL1, "aL1");
        const Buffer bL1 = k.l1Nz(f16, tileL1, tileN, "bL1");
        k.loadNz(aL1, a.at(m, k1), {rows, depth});
        k.loadNz(bL1, b.at(k1, n), {depth, cols});
        for (Index k0 : k.range(0, depth, tileK).buffers(2)) {
          const Index step = min(tileK, depth - k0);
          const Buffer aL0 = k.l0a(f16, tileM, tileK, "aL0");
          const Buffer bL0 = k.l0b(f16, tileK, tileN, "bL0");
          k.loadA(aL0, aL1.at(0, k0), {rows, step});
          k.loadB(bL0, bL1.at(k0, 0), {step, cols});
          k.mmadBias(acc, aL0, bL0, table, {rows, cols, step}, k1 + k0 != 0);
        }
      }
      const Buffer x = k.ub(f16, {tileM, tileN}, "x");
      const Buffer u = k.ub(f16, {tileM, tileN}, "u", 1);
      const Tile tile = {rows, cols};
      k.fix(x, acc, tile);
      k.mul(u, x, x, tile);
      k.muls(u, u, 0.044715, tile);
      k.adds(u, u, 1, tile);
      k.mul(u, u, x, tile);
      k.muls(u, u, 0.7978845608, tile);
      k.tanh(u, u, tile);
      k.adds(u, u, 1, tile);
      k.mul(x, x, u, tile);
      k.muls(x, x, 0.5, tile);
      k.store(c.at(m, n), x, tile);
    }
  }
}
// [kernel]

// [reference]
void reference(const Reference &r) {
  const HostArray a = r["a"], b = r["b"], bias = r["bias"], c = r["c"];
  const int64_t M = a.dim(0), K = a.dim(1), N = b.dim(1);
  for (int64_t m = 0; m < M; ++m) {
    double *row = c.data() + m * N;
    for (int64_t n = 0; n < N; ++n) {
      row[n] = bias[n];
    }
    for (int64_t k = 0; k < K; ++k) {
      for (int64_t n = 0; n < N; ++n) {
        row[n] += a[m * K + k] * b[k * N + n];
      }
    }
    for (int64_t n = 0; n < N; ++n) {
      const double v = row[n], cube = 0.044715 * v * v * v;
      row[n] = v / 2 * (1 + std::tanh(std::sqrt(2 / M_PI) * (v + cube)));
    }
  }
}
// [reference]

} // namespace

KILN_OPERATOR(declare, kernel, reference)
