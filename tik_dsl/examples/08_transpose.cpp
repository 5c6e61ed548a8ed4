// SPDX-License-Identifier: Apache-2.0
//
// Example 8: y[n, m] = x[m, n] for any M and N, fp16.
//
//   kiln test-op tik_dsl/examples/08_transpose.cpp
//
// Shown here: the transposing commands work on 16 rows at a time: 16 rows of N
// elements become N blocks of 16. A tile of 128 rows is eight of these, whose
// blocks interleave to rows of 256 bytes.
#include "tik_dsl/api/tik.h"

using namespace kiln::tik;

namespace {

// [declaration]
void declare(Declaration &d) {
  d.name("transpose", "y[n, m] = x[m, n]");
  d.input("x", f16, {"M", "N"}).output("y", f16, {"N", "M"});
  d.shape({{"M", 512}, {"N", 512}}).shape({{"M", 300}, {"N", 1000}});
  d.edge({{"M", 1}, {"N", 1}}).edge({{"M", 17}, {"N", 130}});
  d.edge({{"M", 129}, {"N", 15}});
  d.tolerance(f16, 0, 0, "elements move, nothing is computed");
}
// [declaration]

// [kernel]
void kernel(const Kernel &k) {
  const Tensor x = k.tensor("x"), y = k.tensor("y");
  const int64_t M = x.dim(0), N = x.dim(1), tile = 128, c0 = 16;
  const int64_t across = ceilDiv(N, tile), tiles = ceilDiv(M, tile) * across;
  const int64_t blocks = min(k.cores(), tiles);
  for (Index block : k.blocks(blocks)) {
    for (Index t : k.range(block, tiles, blocks).buffers(2)) {
      const Index m = t / across * tile, n = t % across * tile;
      const Index rows = min(tile, M - m), cols = min(tile, N - n);
      const Buffer in = k.ub(f16, {tile, tile}, "in");
      const Buffer out = k.ub(f16, {tile, tile}, "out");
      k.load(in, x.at(m, n), {rows, cols});
      for (Index r : k.range(0, rows, c0)) {
        // Block p of this group is row p of the result, columns r to r + 15.
        k.toBlocked(out.at(0, r).blockStride(tile / c0), in.at(r, 0),
                    {min(c0, rows - r), cols});
      }
      k.store(y.at(n, m), out, {cols, rows});
    }
  }
}
// [kernel]

// [reference]
void reference(const Reference &r) {
  const HostArray x = r["x"], y = r["y"];
  const int64_t M = x.dim(0), N = x.dim(1);
  for (int64_t i = 0; i < M * N; ++i) {
    y[i % N * M + i / N] = x[i];
  }
}
// [reference]

} // namespace

KILN_OPERATOR(declare, kernel, reference)
