// SPDX-License-Identifier: Apache-2.0
//
// Example 19: y = the sum of all elements of x, on all cores.
//
//   kiln test-op tik_dsl/examples/19_block_sum.cpp --cores 8
//
// Shown here: blocks that hand results to each other. In round s a block gives
// its sum to the block 2^s before it: store, post; the other pends, loads and
// adds. The order of the additions is fixed by the number of blocks, so the
// bits are the same in every run.
#include "tik_dsl/api/tik.h"
#include "tik_dsl/api/tiles.h"

using namespace kiln::tik;

namespace {

// [declaration]
void declare(Declaration &d) {
  d.name("block_sum", "y = sum of x, in fp32");
  d.input("x", f16, {"N"}).output("y", f32, {1});
  d.shape({{"N", 200000}}).shape({{"N", 20000}});
  d.edge({{"N", 1}}).edge({{"N", 8192}}).edge({{"N", 16385}});
  d.tolerance(f32, 1.2e-7, 9e-5,
              "six levels of sums of up to 200000 values, |x| <= 1: 6 x 2^-24 "
              "of sqrt(200000 / 3), and 2^-23 |y|");
}
// [declaration]

// [kernel]
void kernel(const Kernel &k) {
  const Tensor x = k.tensor("x"), y = k.tensor("y");
  const int64_t N = x.size(), tile = 8192;
  const int64_t blocks = min(k.cores(), ceilDiv(N, tile));
  const Tensor shared = k.workspace(f32, {blocks, 8}, "shared");
  for (Index block : k.blocks(blocks)) {
    const Buffer lanes = tiles::filled(k, f32, {tile}, 0, "lanes");
    const Buffer sum = k.ub(f32, {8}, "sum"), other = k.ub(f32, {8}, "other");
    for (Index i : k.range(block * tile, N, blocks * tile).buffers(2)) {
      const Index count = min(tile, N - i);
      const Buffer t = k.ub(f16, {tile}, "t");
      const Buffer wide = k.ub(f32, {tile}, "wide");
      k.load(t, x.at(i), count);
      k.cast(wide, t, count);
      k.add(lanes, lanes, wide, count);
    }
    k.rowSum(sum, lanes, tile);
    for (int64_t round = 0, step = 1; step < blocks; ++round, step *= 2) {
      const Index place = block % (2 * step);
      k.when(place == step, [&] {
        k.store(shared.at(block, 0), sum, 1);
        k.post(shared, block - step, round);
      });
      k.when(place == 0 && block + step < blocks, [&] {
        k.pend(shared, round);
        k.load(other, shared.at(block + step, 0), 1);
        k.add(sum, sum, other, 1);
      });
    }
    k.when(block == 0, [&] { k.store(y, sum, 1); });
  }
}
// [kernel]

// [reference]
void reference(const Reference &r) {
  const HostArray x = r["x"], y = r["y"];
  y[0] = 0;
  for (int64_t i = 0; i < x.size(); ++i) {
    y[0] += x[i];
  }
}
// [reference]

} // namespace

KILN_OPERATOR(declare, kernel, reference)
