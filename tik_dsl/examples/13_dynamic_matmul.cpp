// SPDX-License-Identifier: Apache-2.0
//
// Example 13: C = A x B where M, N and K are sizes of the launch: one kernel
// for all of them.
//
//   kiln test-op tik_dsl/examples/13_dynamic_matmul.cpp
//
// Shown here: dynamic() dimensions. In the kernel they are run-time values,
// extent(i); tiles stay C++ numbers and the tails are counts, so nothing else
// changes against example 2; the loops are those of tiles.h, which take both.
// kiln test-op builds once and runs every shape.
#include "tik_dsl/api/tik.h"
#include "tik_dsl/api/tiles.h"

using namespace kiln::tik;

namespace {

// [declaration]
void declare(Declaration &d) {
  d.name("dynamic_matmul", "C[M,N] = A[M,K] x B[K,N] of any size");
  d.input("a", f16, {"M", "K"}).input("b", f16, {"K", "N"});
  d.output("c", f32, {"M", "N"}).macs({"M", "N", "K"});
  d.dynamic("M", 1, 8192).dynamic("N", 1, 8192).dynamic("K", 1, 8192);
  d.shape({{"M", 512}, {"N", 512}, {"K", 512}});
  d.shape({{"M", 300}, {"N", 700}, {"K", 1000}});
  d.edge({{"M", 1}, {"N", 1}, {"K", 1}});
  d.edge({{"M", 129}, {"N", 257}, {"K", 321}});
  d.edge({{"M", 40}, {"N", 30}, {"K", 8192}});
  d.tolerance(f32, 2e-6, 9e-5,
              "a rounding to 24 bits per 16 of up to 8192 products: "
              "1.5 x sqrt(512) x 2^-24 of |c|, and of sqrt(8192) / 2");
}
// [declaration]

// [kernel]
void kernel(const Kernel &k) {
  const Tensor a = k.tensor("a"), b = k.tensor("b"), c = k.tensor("c");
  const Index M = a.extent(0), K = a.extent(1), N = b.extent(1);
  const int64_t tileM = 128, tileN = 256;
  tiles::matrixTiles(k, M, N, tileM, tileN,
                     [&](const Index &m, const Index &n, const Index &rows,
                         const Index &cols) {
                       const Buffer acc = k.l0c(f32, tileM, tileN, "acc");
                       tiles::productOfTensors(k, acc, {a, b, m, n},
                                               {rows, cols, K});
                       k.fix(c.at(m, n), acc, {rows, cols});
                     });
}
// [kernel]

// [reference]
void reference(const Reference &r) {
  const HostArray a = r["a"], b = r["b"], c = r["c"];
  const int64_t M = a.dim(0), K = a.dim(1), N = b.dim(1);
  for (int64_t i = 0; i < M * N; ++i) {
    c[i] = 0;
  }
  for (int64_t m = 0; m < M; ++m) {
    for (int64_t k = 0; k < K; ++k) {
      for (int64_t n = 0; n < N; ++n) {
        c[m * N + n] += a[m * K + k] * b[k * N + n];
      }
    }
  }
}
// [reference]

} // namespace

KILN_OPERATOR(declare, kernel, reference)
