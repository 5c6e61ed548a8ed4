// SPDX-License-Identifier: Apache-2.0
//
// Example 10: y = relu(conv3x3(x)), padding 1, stride 1, in the layouts of the
// cube.
//
//   kiln test-op tik_dsl/examples/10_conv3x3.cpp
//
// Shown here: a convolution as a matrix product whose left side, the patches of
// the image, never exists in memory: im2col makes it piece by piece on the way
// from L1 to L0A. Slabs of whole output rows, with a halo row on either side;
// the weights stream past each slab.
//
// Layouts: images in channel blocks [C/16, H, W, 16]; weights in fractals
// [C/16, 9 taps, N/16, 16 n, 16 c].
#include "tik_dsl/api/tik.h"

using namespace kiln::tik;

namespace {

// [declaration]
void declare(Declaration &d) {
  d.name("conv3x3", "relu(conv 3x3), padding 1, stride 1, channel blocks");
  d.input("x", f16, {"C1", "H", "W", 16});
  d.input("w", f16, {"C1", 9, "N1", 16, 16}, {-0.1, 0.1});
  d.output("y", f16, {"N1", "H", "W", 16});
  d.macs({"C1", 16, 9, "N1", 16, "H", "W"});
  d.shape({{"C1", 4}, {"H", 56}, {"W", 56}, {"N1", 4}});
  d.shape({{"C1", 2}, {"H", 30}, {"W", 17}, {"N1", 20}});
  d.shape({{"C1", 4}, {"H", 7}, {"W", 7}, {"N1", 32}});
  d.edge({{"C1", 1}, {"H", 1}, {"W", 1}, {"N1", 1}});
  d.edge({{"C1", 3}, {"H", 7}, {"W", 7}, {"N1", 3}});
  d.edge({{"C1", 1}, {"H", 33}, {"W", 112}, {"N1", 1}});
  d.tolerance(f16, 7.3e-4, 4e-6,
              "one rounding to 11 bits: 2^-11, and half of it; sums of up to "
              "4608 products below 0.1 in fp32: sqrt(288) x 2^-24 of 3.4");
}
// [declaration]

// [knobs]
/// Output rows per slab: at most 224 pixels, and the fewest fractals of 16
/// pixels for the whole image.
int64_t slabRows(int64_t H, int64_t W) {
  auto pixels = [&](int64_t rows) {
    return H / rows * alignUp(rows * W, 16) + alignUp(H % rows * W, 16);
  };
  int64_t best = 1;
  for (int64_t rows = 1; rows <= min(H, max(1, 224 / W)); ++rows) {
    best = pixels(rows) <= pixels(best) ? rows : best;
  }
  return best;
}

void knobs(const Knobs &k) {
  const int64_t H = k.attribute("H"), W = k.attribute("W");
  const int64_t N = 16 * k.attribute("N1"), cells = k.capacity(Space::l0c) / 4;
  const int64_t slab = slabRows(H, W), pixels = alignUp(slab * W, 16);
  const int64_t tileN = min(min(N, 256), cells / 2 / pixels / 16 * 16);
  Choices slabs; // the fewest rows for each number of slabs
  for (int64_t count = 1; count <= H; ++count) {
    slabs.add(ceilDiv(H, count));
  }
  k.knob("slab", slab, slabs);
  k.knob("tileN", max(16, tileN), doubling(16).upTo(N));
  k.knob("tileK", {4, 1, 2, 3, 6});
  k.knob("slotsX", {2, 1});
  k.knob("slotsW", {4, 2, 1});
  k.knob("slotsC", {2, 1});
}
// [knobs]

// [kernel]
void kernel(const Kernel &k) {
  const Tensor x = k.tensor("x"), w = k.tensor("w"), y = k.tensor("y");
  const int64_t C1 = x.dim(0), H = x.dim(1), W = x.dim(2), N1 = w.dim(2);
  const int64_t slab = k.knob("slab"), pixels = alignUp(slab * W, 16);
  const int64_t tileN = k.knob("tileN"), tileK = k.knob("tileK");
  const int64_t slotsX = k.knob("slotsX"), slotsC = k.knob("slotsC");
  const int64_t K1 = C1 * 9, plane = (slab + 2) * W;
  const int64_t blocks = min(k.cores(), ceilDiv(H, slab));
  for (Index block : k.blocks(blocks)) {
    for (Index h : k.range(block * slab, H, blocks * slab).buffers(slotsX)) {
      const Index rows = min(slab, H - h), top = max(0, h - 1);
      const Index height = min(H, h + rows + 1) - top;
      const Buffer image = k.l1(f16, {C1, plane * 16}, "image");
      k.load(image, x.at(0, top, 0, 0).rowPitch(H * W * 16),
             {C1, height * (W * 16)});
      const Image patches = {.height = height,
                             .padTop = select(h == 0, 1, 0),
                             .width = W,
                             .outWidth = W,
                             .padLeft = 1,
                             .kernel = {3, 3},
                             .c1 = C1,
                             .c1Stride = plane};
      for (Index n : k.range(0, N1 * 16, tileN).buffers(slotsC)) {
        const Index cols = min(tileN, N1 * 16 - n);
        const Buffer acc = k.l0c(f32, pixels, tileN, "acc");
        for (Index k1 : k.range(0, K1, tileK).buffers(2)) {
          const Index depth = min(tileK, K1 - k1);
          const Buffer wL1 =
              k.l1(f16, {tileK, tileN * 16}, "wL1", k.knob("slotsW"));
          const Buffer a = k.l0a(f16, pixels, tileK * 16, "a");
          const Buffer b = k.l0b(f16, tileK * 16, tileN, "b");
          k.load(wL1, w.at(k1 * (N1 * 256) + n * 16).rowPitch(N1 * 256),
                 {depth, cols * 16});
          k.im2col(a, image, patches, {0, rows * W, k1, depth});
          k.loadFractals(b, wL1, {depth, cols / 16}, {tileN / 16, 1});
          k.mmad(acc, a, b, {rows * W, cols, depth * 16}, k1 != 0);
        }
        k.fix(y.at(n / 16, h, 0, 0).columnBlocks(H * W), acc, {rows * W, cols},
              {.relu = true});
      }
    }
  }
}
// [kernel]

// [reference]
void reference(const Reference &r) {
  const HostArray x = r["x"], w = r["w"], y = r["y"];
  const int64_t C1 = x.dim(0), H = x.dim(1), W = x.dim(2), N1 = w.dim(2);
  for (int64_t i = 0; i < y.size(); ++i) {
    const int64_t n = i / (H * W * 16) * 16 + i % 16;
    const int64_t oh = i / (W * 16) % H, ow = i / 16 % W;
    double sum = 0;
    for (int64_t j = 0; j < C1 * 9 * 16; ++j) {
      const int64_t c = j / 16 / 9, tap = j / 16 % 9, lane = j % 16;
      const int64_t ih = oh + tap / 3 - 1, iw = ow + tap % 3 - 1;
      if (ih >= 0 && ih < H && iw >= 0 && iw < W) {
        sum += x[((c * H + ih) * W + iw) * 16 + lane] *
               w[((c * 9 + tap) * N1 * 16 + n) * 16 + lane];
      }
    }
    y[i] = sum > 0 ? sum : 0;
  }
}
// [reference]

} // namespace

KILN_OPERATOR(declare, kernel, reference, knobs)
