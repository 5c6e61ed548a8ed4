// SPDX-License-Identifier: Apache-2.0
//
// Example 9: C = gelu(A x B + bias), fp16, summed in fp32.
//
//   kiln test-op tik_dsl/examples/09_matmul_gelu.cpp
//
// Shown here: an epilogue on the vector unit. The accumulator starts from the
// bias, FIX brings it to UB as fp16, and the vector unit works on one tile
// while the cube fills the next. The loops of a matrix product come from
// tiles.h.
#include "tik_dsl/api/tik.h"
#include "tik_dsl/api/tiles.h"

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
  d.tolerance(f16, 2.6e-3, 1.1e-3,
              "as example 7, and one rounding of x to 11 bits: 5.3 x 2^-11 of "
              "y, where 1 + tanh cancels 2.2 x 2^-11");
}
// [declaration]

// [kernel]
void gelu(const Kernel &k, const Buffer &x, const Buffer &u, const Tile &tile) {
  k.mul(u, x, x, tile);
  k.muls(u, u, 0.044715, tile);
  k.adds(u, u, 1, tile);
  k.mul(u, u, x, tile);
  k.muls(u, u, 0.7978845608, tile);
  k.tanh(u, u, tile);
  k.adds(u, u, 1, tile);
  k.mul(x, x, u, tile);
  k.muls(x, x, 0.5, tile);
}

void kernel(const Kernel &k) {
  const Tensor a = k.tensor("a"), b = k.tensor("b"), c = k.tensor("c");
  const int64_t M = a.dim(0), K = a.dim(1), N = b.dim(1);
  const int64_t tileM = 128, tileN = 256;
  tiles::matrixTiles(k, M, N, tileM, tileN,
                     [&](const Index &m, const Index &n, const Index &rows,
                         const Index &cols) {
                       const Buffer biasL1 = k.l1(f32, {tileN}, "biasL1");
                       const Buffer table = k.biasTable(f32, tileN, "table");
                       k.load(biasL1, k.tensor("bias").at(n), cols);
                       k.loadBias(table, biasL1, cols);
                       const Buffer acc = k.l0c(f32, tileM, tileN, "acc");
                       tiles::productOfTensors(k, acc, {a, b, m, n},
                                               {rows, cols, K}, 256,
                                               {.bias = &table});
                       const Buffer x = k.ub(f16, {tileM, tileN}, "x");
                       const Buffer u = k.ub(f16, {tileM, tileN}, "u", 1);
                       k.fix(x, acc, {rows, cols});
                       gelu(k, x, u, {rows, cols});
                       k.store(c.at(m, n), x, {rows, cols});
                     });
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
