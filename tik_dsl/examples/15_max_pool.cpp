// SPDX-License-Identifier: Apache-2.0
//
// Example 15: max pooling 3x3, stride 2, no padding, channel blocks.
//
//   kiln test-op tik_dsl/examples/15_max_pool.cpp
//
// Shown here: a stride of two in the image is a block stride of two in a view:
// every second pixel of a row is every second block. The rows first, then the
// columns: 3 + 3 maxima instead of 9. Rows of the image lie an odd number of
// half turns of the banks apart (8 of k1's 16 groups of blocks), so that no
// beat reads two blocks of one bank.
#include "tik_dsl/api/tik.h"

#include <algorithm>

using namespace kiln::tik;

namespace {

// [declaration]
void declare(Declaration &d) {
  d.name("max_pool", "maximum of 3x3, stride 2; H = 2*OH + 1, W = 2*OW + 1");
  d.input("x", f16, {"C1", "H", "W", 16}, {-100, 100});
  d.output("y", f16, {"C1", "OH", "OW", 16});
  d.shape({{"C1", 4}, {"H", 113}, {"W", 113}, {"OH", 56}, {"OW", 56}});
  d.edge({{"C1", 1}, {"H", 3}, {"W", 3}, {"OH", 1}, {"OW", 1}});
  d.edge({{"C1", 3}, {"H", 15}, {"W", 31}, {"OH", 7}, {"OW", 15}});
  d.tolerance(f16, 0, 0, "elements are chosen, nothing is computed");
}
// [declaration]

// [kernel]
void kernel(const Kernel &k) {
  const Tensor x = k.tensor("x"), y = k.tensor("y");
  const int64_t C1 = x.dim(0), W = x.dim(2);
  const int64_t OH = y.dim(1), OW = y.dim(2), row = W * 16;
  const int64_t pitch = (alignUp(W + 8, 16) - 8) * 16;
  const int64_t most = min(OH, max(1, 16384 / pitch));
  const int64_t slab = ceilDiv(OH, ceilDiv(OH, most)),
                slabs = ceilDiv(OH, slab);
  const int64_t tiles = C1 * slabs, blocks = min(k.cores(), tiles);
  for (Index block : k.blocks(blocks)) {
    for (Index t : k.range(block, tiles, blocks).buffers(2)) {
      const Index c = t / slabs, h = t % slabs * slab, rows = min(slab, OH - h);
      const Buffer image = k.ub(f16, {2 * slab + 1, pitch}, "image");
      const Buffer tall = k.ub(f16, {slab, pitch}, "tall", 1);
      const Buffer out = k.ub(f16, {slab, OW * 16}, "out");
      const Tile wide = {rows, row}, tile = {rows, OW * 16};
      k.load(image, x.at(c, h * 2, 0, 0).rowPitch(row), {rows * 2 + 1, row});
      auto line = [&](int64_t i) { return image.at(i, 0).rowPitch(2 * pitch); };
      k.max(tall, line(0), line(1), wide);
      k.max(tall, tall, line(2), wide);
      auto column = [&](int64_t i) {
        return tall.at(0, i * 16).blockStride(2);
      };
      k.max(out, column(0), column(1), tile);
      k.max(out, out, column(2), tile);
      k.store(y.at(c, h, 0, 0).rowPitch(OW * 16), out, tile);
    }
  }
}
// [kernel]

// [reference]
void reference(const Reference &r) {
  const HostArray x = r["x"], y = r["y"];
  const int64_t H = x.dim(1), W = x.dim(2), OH = y.dim(1), OW = y.dim(2);
  for (int64_t i = 0; i < y.size(); ++i) {
    const int64_t c = i / (OH * OW * 16), lane = i % 16;
    const int64_t h = i / (OW * 16) % OH * 2, w = i / 16 % OW * 2;
    y[i] = -1e9;
    for (int64_t tap = 0; tap < 9; ++tap) {
      y[i] = std::max(y[i],
                      x[((c * H + h + tap / 3) * W + w + tap % 3) * 16 + lane]);
    }
  }
}
// [reference]

} // namespace

KILN_OPERATOR(declare, kernel, reference)
