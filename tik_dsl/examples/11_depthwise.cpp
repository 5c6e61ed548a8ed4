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
  const int64_t C1 = x.dim(0), H = x.dim(1), W = x.dim(2), plane = H * W * 16;
  // Pieces that take turns: planes of a small image, half slabs of a large one.
  const int64_t planes = min(C1, max(1, min(8, 1024 / (H * W))));
  const int64_t halves = planes == 1 && H > 1 ? 2 : 1;
  const int64_t most = max(halves, min(H, 1536 / (W * planes)));
  const int64_t part = ceilDiv(ceilDiv(H, ceilDiv(H, most)), halves);
  const int64_t slab = part * halves, slabs = ceilDiv(H, slab);
  const int64_t tiles = ceilDiv(C1, planes) * slabs;
  const int64_t blocks = min(k.cores(), tiles);
  for (Index block : k.blocks(blocks)) {
    for (Index t : k.range(block, tiles, blocks).buffers(2)) {
      const Index c = t / slabs * planes, h = t % slabs * slab;
      const Index count = min(planes, C1 - c), rows = min(slab, H - h);
      const Index top = max(0, h - 1), height = min(H, h + rows + 1) - top;
      const Buffer in = k.ub(f16, {planes, (slab + 2) * W * 16}, "in");
      const Buffer out = k.ub(f16, {planes, slab * W * 16}, "out");
      const Buffer w = k.ub(f16, {planes, 144}, "w");
      const Buffer bias = k.ub(f16, {planes, 16}, "bias");
      k.load(w, k.tensor("w").at(c, 0, 0).rowPitch(144), {count, 144});
      k.load(bias, k.tensor("bias").at(c, 0), {count, 16});
      k.load(in, x.at(c, top, 0, 0).rowPitch(plane),
             {count, height * (W * 16)});
      /// Rows i to i + n - 1 of a piece, from column j on.
      auto view = [&](const Buffer &b, int64_t p, const Operand &i, int64_t j) {
        return b.at(p, Index(k.constant(0) + i) * (W * 16) + j * 16)
            .rowPitch(W * 16);
      };
      auto weights = [](const Place &p) {
        return p.broadcastRow().blockStride(0);
      };
      auto all = [&](auto &&command) {
        for (int64_t p = 0; p < planes; ++p) {
          for (int64_t i = 0; i < halves; ++i) {
            const Index there = select(count > p, rows, 0);
            command(p, Index(k.constant(i * part)),
                    min(part, max(0, there - i * part)));
          }
        }
      };
      all([&](int64_t p, Index i, Index n) {
        k.copy(view(out, p, i, 0), weights(bias.at(p, 0)), {n, W * 16});
      });
      for (int64_t tap = 0; tap < 9; ++tap) {
        const int64_t dy = tap / 3 - 1, dx = tap % 3 - 1;
        if (W == 1 && dx != 0) {
          continue;
        }
        all([&](int64_t p, Index i, Index n) {
          // Output rows and columns whose tap lies inside the image.
          const Index first = max(i, 0 - dy - h), end = min(i + n, H - dy - h);
          k.madd(view(out, p, first, max(0, -dx)),
                 view(in, p, first + dy + h - top, max(0, dx)),
                 weights(w.at(p, tap * 16)),
                 {max(0, end - first), (W - max(dx, -dx)) * 16});
        });
      }
      all([&](int64_t p, Index i, Index n) {
        k.maxs(view(out, p, i, 0), view(out, p, i, 0), 0, {n, W * 16});
      });
      all([&](int64_t p, Index i, Index n) {
        k.mins(view(out, p, i, 0), view(out, p, i, 0), 6, {n, W * 16});
      });
      k.store(y.at(c, h, 0, 0).rowPitch(plane), out, {count, rows * (W * 16)});
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
