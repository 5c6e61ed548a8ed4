// SPDX-License-Identifier: Apache-2.0
//
// Example 22: y = relu((conv(x, w) + bias) * scale), any kernel, stride,
// dilation, padding and batch; fp16 and int8.
//
//   kiln test-op tik_dsl/examples/22_conv.cpp
//
// Shown here: one kernel for all convolutions of a network. What differs is
// decided by C++ code that runs while the kernel is built: a rule that
// estimates cycles chooses the tiles, and what stays in L1.
//
// Layouts: images in channel blocks [C/C0, N, H, W, C0], C0 = 32 bytes of
// channels; weights in fractals [C/C0 * KH * KW, Y/C0, C0/16, 16 y, C0]. An
// image of at most four channels is [1, N, H, W, 4] instead: then a block of
// C0 columns is C0/4 neighbouring taps of a kernel row (C04), and the weights
// are [KH * ceil(KW*4/C0), Y/C0, C0/16, 16 y, C0].
#include "tik_dsl/api/tik.h"

#include <algorithm>
#include <cmath>
#include <optional>

using namespace kiln::tik;

namespace {

// [declaration]
/// A convolution as its author names it: channels in and out, kernel, stride.
struct Case {
  int64_t c, y, h, w, kernel = 3, stride = 1, pad = 1, n = 1, dilation = 1;
  Type type = f16;
};

/// Every size that follows from a case.
void add(Declaration &d, const Case &s, bool isEdge = false) {
  const int64_t C0 = blockElements(s.type), K = s.kernel;
  const int64_t C1 = ceilDiv(s.c, C0), reach = s.dilation * (K - 1) + 1;
  const int64_t taps = s.c <= 4 ? ceilDiv(K * 4, C0) : C1 * K;
  const int64_t OH = (s.h + 2 * s.pad - reach) / s.stride + 1;
  const int64_t OW = (s.w + 2 * s.pad - reach) / s.stride + 1;
  const std::initializer_list<Setting> sizes = {
      {"C1", C1},       {"N", s.n},       {"H", s.h},
      {"W", s.w},       {"C", s.c <= 4 ? 4 : C0},
      {"K1", K * taps}, {"Y1", ceilDiv(s.y, C0)},
      {"F", C0 / 16},   {"C0", C0},       {"OH", OH},
      {"OW", OW},       {"KH", K},        {"KW", K},
      {"SH", s.stride}, {"SW", s.stride}, {"DH", s.dilation},
      {"DW", s.dilation}, {"PT", s.pad},  {"PL", s.pad},
      {"lanes", s.c - (C1 - 1) * C0},
      {"type", s.type}, {"sum", s.type == i8 ? i32 : f32}};
  isEdge ? d.edge(sizes) : d.shape(sizes);
}

void declare(Declaration &d) {
  d.name("conv", "y = relu((conv(x, w) + bias) * scale), channel blocks");
  d.attribute("type", {f16, i8}).attribute("sum", {f32, i32});
  d.attribute("KH", {1, 2, 3, 4, 5, 7, 11});
  d.attribute("KW", {1, 2, 3, 4, 5, 7, 11});
  d.attribute("SH", {1, 2, 3, 4}).attribute("SW", {1, 2, 3, 4});
  d.attribute("DH", {1, 2, 3, 4}).attribute("DW", {1, 2, 3, 4});
  d.attribute("PT", {0, 1, 2, 3, 4, 5}).attribute("PL", {0, 1, 2, 3, 4, 5});
  d.attribute("lanes", {16, 32, 1, 2, 3, 4, 8, 24}); // of the last block
  d.input("x", "type", {"C1", "N", "H", "W", "C"}, {-100, 100});
  d.input("w", "type", {"K1", "Y1", "F", 16, "C0"}, {-50, 50});
  d.input("bias", "sum", {"Y1", "C0"}, {-1000, 1000});
  d.input("scale", f32, {"Y1", "C0"}, {1e-4, 2e-3});
  d.output("y", "type", {"Y1", "N", "OH", "OW", "C0"});
  d.macs({"C1", "lanes", "KH", "KW", "Y1", "C0", "N", "OH", "OW"});
  d.tolerance(f16, 1e-3, 2e-3, "sums in fp32, then one rounding to 11 bits");
  d.tolerance(i8, 0, 0, "sums are exact, the roundings are the reference's");
  add(d, {.c = 64, .y = 64, .h = 28, .w = 28});
  add(d, {.c = 64, .y = 256, .h = 14, .w = 14, .kernel = 1, .pad = 0, .n = 2});
  add(d, {.c = 3, .y = 64, .h = 56, .w = 56, .kernel = 7, .stride = 2, .pad = 3});
  add(d, {.c = 64, .y = 64, .h = 14, .w = 14, .n = 3, .type = i8});
  const bool edge = true;
  add(d, {.c = 16, .y = 16, .h = 1, .w = 1}, edge);
  add(d, {.c = 48, .y = 80, .h = 7, .w = 7, .n = 5}, edge);
  add(d, {.c = 24, .y = 16, .h = 15, .w = 13, .stride = 2, .n = 2}, edge);
  add(d, {.c = 40, .y = 48, .h = 9, .w = 17, .kernel = 1, .stride = 2, .pad = 0},
      edge);
  add(d, {.c = 32, .y = 16, .h = 20, .w = 11, .kernel = 5, .pad = 4, .dilation = 2},
      edge);
  add(d, {.c = 16, .y = 16, .h = 40, .w = 112, .kernel = 4, .pad = 0}, edge);
  add(d, {.c = 1, .y = 16, .h = 9, .w = 8, .kernel = 5, .pad = 2, .n = 2}, edge);
  add(d, {.c = 33, .y = 96, .h = 8, .w = 9, .stride = 2, .type = i8}, edge);
  add(d, {.c = 64, .y = 32, .h = 7, .w = 7, .kernel = 1, .pad = 0, .n = 4,
          .type = i8}, edge);
  add(d, {.c = 3, .y = 32, .h = 30, .w = 28, .kernel = 7, .stride = 2, .pad = 3,
          .n = 2, .type = i8}, edge);
}
// [declaration]

// [sizes]
/// The sizes of a convolution.
struct Conv {
  Conv(const auto &from, const auto &x, const auto &w, const auto &y)
      : C1(x.dim(0)), N(x.dim(1)), H(x.dim(2)), W(x.dim(3)), C(x.dim(4)),
        K1(w.dim(0)), F(w.dim(2)), Y(w.dim(1) * w.dim(4)), C0(w.dim(4)),
        OH(y.dim(2)), OW(y.dim(3)), KH(from.attribute("KH")),
        KW(from.attribute("KW")), SH(from.attribute("SH")),
        SW(from.attribute("SW")), DH(from.attribute("DH")),
        DW(from.attribute("DW")), PT(from.attribute("PT")),
        PL(from.attribute("PL")), lanes(from.attribute("lanes")) {}

  int64_t C1, N, H, W, C, K1, F, Y, C0, OH, OW;
  int64_t KH, KW, SH, SW, DH, DW, PT, PL, lanes;
  /// C04: a column block holds so many taps of a kernel row.
  bool c04 = C < C0;
  int64_t taps = c04 ? C0 / 4 : 1, blocksPerPlane = K1 / C1;

  /// Rows of the image under so many output rows.
  int64_t rowsUnder(int64_t rows) const {
    return min(H, (rows - 1) * SH + (KH - 1) * DH + 1);
  }
  /// 32-byte blocks of so many pixels of a plane.
  int64_t blocksOf(int64_t pixels) const {
    return ceilDiv(pixels * C, C0);
  }
};
// [sizes]

// [plan]
/// How the work is cut. A slab is `images` whole images, or `rows` output rows
/// of one; its pixels times m, its channels times n are tiles of the
/// accumulator; k column blocks are a step of the cube.
struct Plan {
  int64_t images = 1, rows = 1, m = 16, n = 16, k = 1;
  int64_t planes = 1; // of the image per load; all: loaded once per slab
  bool keepWeights = false;

  int64_t imageBlocks(const Conv &c) const { // of a plane of the slab
    return c.blocksOf(images * c.rowsUnder(rows) * c.W);
  }
  int64_t slabs(const Conv &c) const {
    return images > 1 ? ceilDiv(c.N, images) : c.N * ceilDiv(c.OH, rows);
  }
  int64_t pixels(const Conv &c) const { return images * rows * c.OW; }
};

constexpr int64_t kL1 = 1 << 20, kL0 = 64 << 10, kL0C = 256 << 10;
constexpr int64_t kSlots = 4; // of a weight tile in L1

bool fits(const Conv &c, const Plan &p) {
  const int64_t weights = p.keepWeights ? c.K1 * c.Y / 16 * 512
                                        : kSlots * p.k * p.n * 32;
  return 2 * p.planes * p.imageBlocks(c) * 32 + weights + p.n * 16 <= kL1 &&
         2 * p.m * p.k * 32 <= kL0 && 2 * p.n * p.k * 32 <= kL0 &&
         2 * p.m * p.n * 4 <= kL0C && p.n <= 256;
}

/// Cycles, roughly: the slowest pipe, and what nothing hides at the two ends.
int64_t cycles(const Conv &c, const Plan &p) {
  const int64_t slabs = p.slabs(c), across = ceilDiv(c.Y, p.n);
  const int64_t last = p.pixels(c) % p.m, whole = p.pixels(c) / p.m;
  const int64_t m16 = slabs * (whole * ceilDiv(p.m, 16) + ceilDiv(last, 16));
  const int64_t tilesM = slabs * (whole + (last > 0)), n16 = c.Y / 16;
  const int64_t image = slabs * c.C1 * p.imageBlocks(c) / 4;
  const int64_t weights = c.K1 * n16 * 4;
  const bool once = p.planes == c.C1;
  const int64_t cube = m16 * n16 * c.K1;
  const int64_t toL0 = (m16 * across * (c.c04 ? c.C0 / 4 : 2) + tilesM * n16 * 2) * c.K1;
  const int64_t read = image * (once ? 1 : across * ceilDiv(p.pixels(c), p.m)) +
                       weights * (p.keepWeights ? 1 : tilesM);
  const int64_t write = m16 * n16 * 4;
  const int64_t first = p.planes * p.imageBlocks(c) / 4 +
                        (p.keepWeights ? weights : p.k * p.n / 4);
  const int64_t steps = tilesM * across * ceilDiv(c.K1, p.k);
  return std::max({cube + 4 * steps, toL0 + 8 * steps, read, write}) + first + p.m * p.n / 64;
}

/// The fastest of the plans that fit.
Plan planOf(const Conv &c) {
  Plan best;
  int64_t least = INT64_MAX;
  const auto consider = [&](const Plan &p) {
    const int64_t now = fits(c, p) ? cycles(c, p) : INT64_MAX;
    best = now < least ? p : best;
    least = min(now, least);
  };
  for (int64_t slab = 1; slab <= c.OH + c.N - 1; ++slab) {
    Plan p = {.images = max(1, slab - c.OH + 1), .rows = min(slab, c.OH)};
    if (p.images > 1 && c.blocksOf(c.H * c.W) * c.C0 != c.H * c.W * c.C) {
      continue; // images would not begin at a block
    }
    for (int64_t part = 1; part <= 8; ++part) {
      p.m = alignUp(ceilDiv(p.pixels(c), part), 16);
      for (int64_t cut = 1; cut * 16 * c.F <= c.Y; ++cut) {
        p.n = alignUp(ceilDiv(c.Y, cut), 16 * c.F);
        p.k = min(c.K1, min(kL0 / 64 / max(p.m, p.n), ceilDiv(2048, p.m * p.n / 256)));
        for (const bool keep : {false, true}) {
          p.keepWeights = keep;
          p.planes = c.C1;
          consider(p);
          if (c.lanes == c.C0) {
            p.planes = min(c.C1, ceilDiv(p.k, c.blocksPerPlane));
            consider(p);
          }
        }
      }
    }
  }
  return best;
}
// [plan]

// [kernel]
void kernel(const Kernel &k) {
  const Tensor x = k.tensor("x"), w = k.tensor("w"), y = k.tensor("y");
  const Tensor bias = k.tensor("bias"), scale = k.tensor("scale");
  const Conv c(k, x, w, y);
  const Plan p = planOf(c);
  const Type type = x.type(), sum = bias.type();
  const int64_t blockBytes = 32 / sizeOf(type) * c.C0; // elements
  const int64_t perImage = p.images > 1 ? 1 : ceilDiv(c.OH, p.rows);
  const int64_t slabs = p.slabs(c), plane = p.imageBlocks(c);
  const int64_t outPlane = c.N * c.OH * c.OW, inPlane = c.N * c.H * c.W * c.C;
  const int64_t wRow = c.Y * c.C0; // of a column block
  (void)blockBytes;
  const int64_t parts = min(ceilDiv(c.Y, p.n), max(1, k.cores() / slabs));
  const int64_t share = alignUp(ceilDiv(c.Y, parts), p.n);
  const int64_t blocks = min(k.cores(), slabs * parts);
  for (Index block : k.blocks(blocks)) {
    std::optional<Buffer> kept;
    if (p.keepWeights) {
      kept = k.l1(type, {c.K1, wRow}, "weights");
      k.load(*kept, w.at(0).rowPitch(wRow), {c.K1, wRow});
    }
    for (Index t : k.range(block, slabs * parts, blocks).buffers(2)) {
      const Index slab = t / parts, from = t % parts * share;
      const Index image = slab / perImage * p.images;
      const Index oh = slab % perImage * p.rows;
      const Index images = min(p.images, c.N - image);
      const Index rows = min(p.rows, c.OH - oh), pixels = images * rows * c.OW;
      const Index top = max(0, oh * c.SH - c.PT);
      const Index end = min(c.H, (oh + rows - 1) * c.SH - c.PT + (c.KH - 1) * c.DH + 1);
      const Index height = p.rows < c.OH ? end - top : k.constant(c.H);
      const auto loadPlanes = [&](const Index &c1, const Index &count) {
        const Buffer planes = k.l1(type, {p.planes, plane * c.C0}, "image");
        k.load(planes, x.at(((c1 * c.N + image) * c.H + top) * (c.W * c.C)).rowPitch(inPlane),
               {count, images * height * (c.W * c.C)});
        return planes;
      };
      const Image patches = {.height = height,
                             .padTop = max(0, c.PT - oh * c.SH),
                             .width = c.W,
                             .outWidth = c.OW,
                             .padLeft = c.PL,
                             .kernel = {c.KH, c.KW},
                             .stride = {c.SH, c.SW},
                             .dilation = {c.DH, c.DW},
                             .c1 = p.planes,
                             .c1Stride = plane,
                             .channelsLast = c.lanes,
                             .images = p.images,
                             .imageStride = c.blocksOf(c.H * c.W),
                             .outHeight = c.OH,
                             .c04 = c.c04};
      std::optional<Buffer> all;
      if (p.planes == c.C1) {
        all = loadPlanes(k.constant(0), k.constant(c.C1));
      }
      const Index to = min(c.Y, from + share);
      for (Index n : k.range(from, to, p.n).buffers(2)) {
        const Index cols = min(p.n, to - n);
        const Buffer biasL1 = k.l1(sum, {p.n}, "biasL1"), scaleL1 = k.l1(f32, {p.n}, "scaleL1");
        const Buffer biasBt = k.biasTable(sum, p.n, "bias"), scaleBt = k.biasTable(f32, p.n, "scale");
        k.load(biasL1, bias.at(n), cols);
        k.load(scaleL1, scale.at(n), cols);
        k.loadBias(scaleBt, scaleL1, cols);
        k.loadBias(biasBt, biasL1, cols);
        for (Index m : k.range(0, pixels, p.m).buffers(2)) {
          const Index count = min(p.m, pixels - m);
          const Buffer acc = k.l0c(sum, p.m, p.n, "acc");
          for (Index c1 : k.range(0, c.C1, p.planes).buffers(2)) {
            const Index planes = min(p.planes, c.C1 - c1);
            const Buffer now = all ? *all : loadPlanes(c1, planes);
            const Index first = c1 * c.blocksPerPlane;
            for (Index k1 : k.range(0, planes * c.blocksPerPlane, p.k).buffers(2)) {
              const Index depth = min(p.k, planes * c.blocksPerPlane - k1);
              const Buffer a = k.l0a(type, p.m, p.k * c.C0, "a");
              const Buffer b = k.l0b(type, p.k * c.C0, p.n, "b");
              k.im2col(a, now, patches, {m, count, k1, depth});
              if (kept) {
                k.loadFractals(b, kept->at((first + k1) * wRow + n * c.C0), {depth, cols / 16}, {c.Y / 16, 1});
              } else {
                const Buffer wL1 = k.l1(type, {p.k, p.n * c.C0}, "wL1", kSlots);
                k.load(wL1, w.at((first + k1) * wRow + n * c.C0).rowPitch(wRow), {depth, cols * c.C0});
                k.loadFractals(b, wL1, {depth, cols / 16}, {p.n / 16, 1});
              }
              k.mmadBias(acc, a, b, biasBt, {count, cols, depth * c.C0}, first + k1 != 0);
            }
          }
          const Index pixel = (image * c.OH + oh) * c.OW + m;
          k.fix(y.at((n / c.C0 * outPlane + pixel) * c.C0).columnBlocks(outPlane), acc, {count, cols}, {.relu = true, .scales = scaleBt});
        }
      }
    }
  }
}
// [kernel]

// [reference]
/// Which weight multiplies channel c of tap (kh, kw): its column.
int64_t columnOf(const Conv &s, int64_t c, int64_t kh, int64_t kw) {
  const int64_t block = s.c04 ? kh * (s.K1 / s.KH) + kw / s.taps
                              : (c / s.C0 * s.KH + kh) * s.KW + kw;
  return block * s.C0 + (s.c04 ? kw % s.taps * 4 + c : c % s.C0);
}

/// The sum of one output.
double sumOf(const Conv &s, const HostArray &x, const HostArray &w, int64_t n,
             int64_t channel, int64_t oh, int64_t ow) {
  double sum = 0;
  for (int64_t kh = 0; kh < s.KH; ++kh) {
    const int64_t h = oh * s.SH + kh * s.DH - s.PT;
    for (int64_t kw = 0; kw < s.KW && h >= 0 && h < s.H; ++kw) {
      const int64_t v = ow * s.SW + kw * s.DW - s.PL;
      const int64_t channels = (s.C1 - 1) * s.C + s.lanes;
      for (int64_t c = 0; c < channels && v >= 0 && v < s.W; ++c) {
        const int64_t column = columnOf(s, c, kh, kw);
        const int64_t plane = c / s.C * s.N + n;
        sum += x[((plane * s.H + h) * s.W + v) * s.C + c % s.C] *
               w[(column / s.C0 * s.Y + channel) * s.C0 + column % s.C0];
      }
    }
  }
  return sum;
}

void reference(const Reference &r) {
  const HostArray y = r["y"], bias = r["bias"], scale = r["scale"];
  const Conv s(r, r["x"], r["w"], y);
  const bool bytes = s.C0 == 32;
  for (int64_t i = 0; i < y.size(); ++i) {
    const int64_t ow = i / s.C0 % s.OW, oh = i / s.C0 / s.OW % s.OH;
    const int64_t image = i / s.C0 / s.OW / s.OH;
    const int64_t channel = image / s.N * s.C0 + i % s.C0;
    const double sum = bias[channel] +
                       sumOf(s, r["x"], r["w"], image % s.N, channel, oh, ow);
    const double scaled = std::max(0.0, sum * scale[channel]);
    const float exact = static_cast<float>(sum) * static_cast<float>(scale[channel]);
    y[i] = bytes ? std::clamp(std::nearbyint(exact), 0.0f, 127.0f) : scaled;
  }
}
// [reference]

} // namespace

KILN_OPERATOR(declare, kernel, reference)
