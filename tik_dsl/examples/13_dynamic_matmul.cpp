// SPDX-License-Identifier: Apache-2.0
//
// Example 13: C = A x B where M, N and K are sizes of the launch: one kernel
// for all of them.
//
//   kiln test-op tik_dsl/examples/13_dynamic_matmul.cpp
//
// Shown here: dynamic() dimensions. In the kernel they are run-time values,
// extent(i); tiles stay C++ numbers and the tails are counts, so nothing else
// changes against example 2. kiln test-op builds once and runs every shape.
#include "tik_dsl/api/tik.h"

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
  d.tolerance(f32, 1e-5, 1e-4,
              "the cube cuts each product at 2^-24 of the largest of its 16; "
              "1000 of them, |x| <= 1, and one rounding per 16");
}
// [declaration]

// [kernel]
void kernel(const Kernel &k) {
  const Tensor a = k.tensor("a"), b = k.tensor("b"), c = k.tensor("c");
  const Index M = a.extent(0), K = a.extent(1), N = b.extent(1);
  const int64_t tileM = 128, tileN = 256, tileL1 = 256, tileK = 64;
  const Index across = ceilDiv(N, tileN), tiles = ceilDiv(M, tileM) * across;
  for (Index block : k.blocks(k.cores())) {
    for (Index tile : k.range(block, tiles, k.cores()).buffers(2)) {
      const Index m = tile / across * tileM, n = tile % across * tileN;
      const Index rows = min(tileM, M - m), cols = min(tileN, N - n);
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
          k.mmad(acc, aL0, bL0, {rows, cols, step}, k1 + k0 != 0);
        }
      }
      k.fix(c.at(m, n), acc, {rows, cols});
    }
  }
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
