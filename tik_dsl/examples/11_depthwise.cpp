// SPDX-License-Identifier: Apache-2.0
//
// Example 11: depthwise 3x3 convolution + bias + relu6, padding 1, stride 1.
//
//   kiln test-op tik_dsl/examples/11_depthwise.cpp
//
// Shown here: a stencil on the vector unit. The image stands in UB with a
// border of zeros; every tap is one multiply-add of a shifted view with 16
// weights that a block stride of 0 repeats. Two half slabs take turns, so that
// the sum of one is ready when its next tap comes.
//
// Layouts: images [C/16, H, W, 16], weights [C/16, 9 taps, 16].
#include "tik_dsl/api/tik.h"

using namespace kiln::tik;

namespace {

// [declaration]
void declare(Declaration &d) {
  d.name("depthwise", "relu6(depthwise 3x3 + bias), channel blocks");
  d.input("x", f16, {"C1", "H", "W", 16}).input("w", f16, {"C1", 9, 16});
  d.input("bias", f16, {"C1", 16}).output("y", f16, {"C1", "H", "W", 16});
  d.shape({{"C1", 6}, {"H", 56}, {"W", 56}});
  d.shape({{"C1", 12}, {"H", 28}, {"W", 28}});
  d.edge({{"C1", 1}, {"H", 1}, {"W", 1}}).edge({{"C1", 3}, {"H", 7}, {"W", 7}});
  d.edge({{"C1", 2}, {"H", 33}, {"W", 112}});
  d.tolerance(f16, 4e-3, 8e-3, "ten roundings to 11 bits of sums below 10");
}
// [declaration]

// [kernel]
void kernel(const Kernel &k) {
  const Tensor x = k.tensor("x"), y = k.tensor("y");
  const int64_t C1 = x.dim(0), H = x.dim(1), W = x.dim(2), row = (W + 2) * 16;
  const int64_t half = max(1, min(ceilDiv(H, 2), 1024 / (W + 2))),
                slab = 2 * half;
  const int64_t slabs = ceilDiv(H, slab), tiles = C1 * slabs;
  const int64_t blocks = min(k.cores(), tiles);
  for (Index block : k.blocks(blocks)) {
    for (Index t : k.range(block, tiles, blocks).buffers(2)) {
      const Index c = t / slabs, h = t % slabs * slab;
      const Index rows = min(slab, H - h), top = max(0, h - 1);
      const Index height = min(H, h + rows + 1) - top, above = 1 + top - h;
      const Buffer image = k.ub(f16, {slab + 2, row}, "image");
      const Buffer w = k.ub(f16, {10, 16}, "w"),
                   out = k.ub(f16, {slab, W * 16}, "out");
      k.load(w, k.tensor("w").at(c, 0, 0), {9, 16});
      k.load(w.at(9, 0), k.tensor("bias").at(c, 0), 16);
      k.fill(image, 0, {rows + 2, 16});
      k.fill(image.at(0, row - 16), 0, {rows + 2, 16});
      k.when(h == 0, [&] { k.fill(image, 0, row); });
      k.when(h + rows == H, [&] { k.fill(image.at(rows + 1, 0), 0, row); });
      k.load(image.at(above, 16), x.at(c, top, 0, 0).rowPitch(W * 16),
             {height, W * 16});
      const Index rows0 = min(half, rows), count[2] = {rows0, rows - rows0};
      auto both = [&](auto &&command) {
        for (int64_t i : {0, 1}) {
          command(out.at(i * half, 0), i * half, Tile(count[i], W * 16));
        }
      };
      both([&](auto sum, auto, auto n) {
        k.copy(sum, w.at(9, 0).broadcastRow().blockStride(0), n);
      });
      for (int64_t tap = 0; tap < 9; ++tap) {
        both([&](auto sum, int64_t from, auto n) {
          k.madd(sum, image.at(from + tap / 3, tap % 3 * 16),
                 w.at(tap, 0).broadcastRow().blockStride(0), n);
        });
      }
      both([&](auto sum, auto, auto n) { k.maxs(sum, sum, 0, n); });
      both([&](auto sum, auto, auto n) { k.mins(sum, sum, 6, n); });
      k.store(y.at(c, h, 0, 0).rowPitch(W * 16), out, {rows, W * 16});
    }
  }
}
// [kernel]

// [reference]
void reference(const Reference &r) {
  const HostArray x = r["x"], w = r["w"], bias = r["bias"], y = r["y"];
  const int64_t H = x.dim(1), W = x.dim(2);
  for (int64_t i = 0; i < y.size(); ++i) {
    const int64_t c = i / (H * W * 16), lane = i % 16;
    const int64_t oh = i / (W * 16) % H, ow = i / 16 % W;
    double sum = bias[c * 16 + lane];
    for (int64_t tap = 0; tap < 9; ++tap) {
      const int64_t ih = oh + tap / 3 - 1, iw = ow + tap % 3 - 1;
      if (ih >= 0 && ih < H && iw >= 0 && iw < W) {
        sum += x[((c * H + ih) * W + iw) * 16 + lane] *
               w[(c * 9 + tap) * 16 + lane];
      }
    }
    y[i] = sum < 0 ? 0 : sum > 6 ? 6 : sum;
  }
}
// [reference]

} // namespace

KILN_OPERATOR(declare, kernel, reference)
