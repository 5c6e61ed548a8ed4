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

// c, y, h, w, kernel, stride, pad, n, dilation, type
constexpr Case kShapes[] = {
    {64, 64, 28, 28},
    {64, 96, 14, 14, 1, 1, 0, 2},
    {3, 32, 28, 28, 7, 2, 3},
    {64, 64, 7, 7, 3, 1, 1, 3, 1, i8},
};
constexpr Case kEdges[] = {
    {16, 16, 1, 1},
    {48, 80, 7, 7, 3, 1, 1, 3},
    {24, 16, 15, 13, 3, 2, 1, 2},
    {40, 48, 9, 17, 1, 2, 0, 2},
    {32, 48, 8, 10, 1, 2, 0, 3},
    {32, 16, 20, 11, 5, 1, 4, 1, 2},
    {16, 16, 8, 112, 4, 1, 0},
    {16, 528, 7, 7, 1, 1, 0, 2},
    {1, 16, 9, 8, 5, 1, 2, 2},
    {33, 96, 8, 9, 3, 2, 1, 1, 1, i8},
    {64, 32, 7, 7, 1, 1, 0, 4, 1, i8},
    {3, 32, 14, 12, 7, 2, 3, 2, 1, i8},
    {4, 16, 17, 23, 11, 4, 5},
    {2, 32, 13, 15, 2, 3, 0, 2, 4},
    {24, 32, 14, 13, 2, 3, 1, 2, 3, i8},
};

/// Every size that follows from a case.
void add(Declaration &d, const Case &s, bool isEdge = false) {
  const int64_t C0 = blockElements(s.type), K = s.kernel;
  const int64_t C1 = ceilDiv(s.c, C0), reach = s.dilation * (K - 1) + 1;
  const int64_t taps = s.c <= 4 ? ceilDiv(K * 4, C0) : C1 * K;
  const int64_t OH = (s.h + 2 * s.pad - reach) / s.stride + 1;
  const int64_t OW = (s.w + 2 * s.pad - reach) / s.stride + 1;
  const std::initializer_list<Setting> sizes = {
      {"C1", C1},
      {"N", s.n},
      {"H", s.h},
      {"W", s.w},
      {"C", s.c <= 4 ? 4 : C0},
      {"K1", K * taps},
      {"Y1", ceilDiv(s.y, C0)},
      {"F", C0 / 16},
      {"C0", C0},
      {"OH", OH},
      {"OW", OW},
      {"KH", K},
      {"KW", K},
      {"SH", s.stride},
      {"SW", s.stride},
      {"DH", s.dilation},
      {"DW", s.dilation},
      {"PT", s.pad},
      {"PL", s.pad},
      {"lanes", s.c - (C1 - 1) * C0},
      {"type", s.type},
      {"sum", s.type == i8 ? i32 : f32}};
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
  for (const Case &shape : kShapes) {
    add(d, shape);
  }
  for (const Case &edge : kEdges) {
    add(d, edge, true);
  }
}
// [declaration]

// [sizes]
/// The sizes of a convolution.
struct Conv {
  /// From a Kernel, a Reference or Knobs.
  explicit Conv(const auto &from, bool isTall = true)
      : C1(from.attribute("C1")), N(from.attribute("N")),
        H(from.attribute("H")), W(from.attribute("W")), C(from.attribute("C")),
        K1(from.attribute("K1")), F(from.attribute("F")),
        C0(from.attribute("C0")), Y(from.attribute("Y1") * C0),
        OH(from.attribute("OH")), OW(from.attribute("OW")),
        KH(from.attribute("KH")), KW(from.attribute("KW")),
        SH(from.attribute("SH")), SW(from.attribute("SW")),
        DH(from.attribute("DH")), DW(from.attribute("DW")),
        PT(from.attribute("PT")), PL(from.attribute("PL")),
        lanes(from.attribute("lanes")) {
    // A kernel of one row sees the images of a batch as one tall image.
    if (isTall && KH == 1 && PT == 0 && H == OH * SH) {
      H *= N, OH *= N, N = 1;
    }
  }

  int64_t C1, N, H, W, C, K1, F, C0, Y, OH, OW;
  int64_t KH, KW, SH, SW, DH, DW, PT, PL, lanes;
  /// C04: a column block holds so many taps of a kernel row.
  bool c04 = C < C0;
  int64_t taps = c04 ? C0 / 4 : 1, blocksPerPlane = K1 / C1;

  /// A kernel of one row with a stride: the rows between are not loaded.
  bool skips = KH == 1 && SH > 1 && PT == 0;

  /// Rows of the image in L1 for so many output rows.
  int64_t rowsUnder(int64_t rows) const {
    return skips ? rows : min(H, (rows - 1) * SH + (KH - 1) * DH + 1);
  }
  /// 32-byte blocks of so many pixels of a plane.
  int64_t blocksOf(int64_t pixels) const { return ceilDiv(pixels * C, C0); }
};
// [sizes]

// [plan]
constexpr int64_t kTable = 512; // channels with two numbers in the bias table

/// How the work is cut. A slab is `images` whole images, or `rows` output rows
/// of one; its pixels times m, its channels times n are tiles of the
/// accumulator; k column blocks are a step of the cube.
struct Plan {
  int64_t images = 1, rows = 1, m = 16, n = 16, k = 1;
  int64_t planes = 1; // of the image per load: all, once per slab, or those of
                      // k, in every step
  bool keepWeights = false;
  int64_t slotsX = 2, slotsW = 2, slotsL0 = 2, slotsC = 2; // that take turns

  /// The knob "slab": rows of an image, or beyond these images.
  void setSlab(const Conv &c, int64_t slab) {
    images = max(1, slab - c.OH + 1);
    rows = min(slab, c.OH);
  }
  int64_t slab() const { return rows + images - 1; }
  /// The knob "streams".
  void setSteps(const Conv &c, int64_t steps, bool streams) {
    planes = streams ? min(c.C1, max(1, steps / c.blocksPerPlane)) : c.C1;
    k = streams ? planes * c.blocksPerPlane : min(c.K1, steps);
  }
  int64_t imageBlocks(const Conv &c) const { // of a plane of the slab
    const bool all = images > 1 && !c.skips;
    return c.blocksOf(images * (all ? c.H : c.rowsUnder(rows)) * c.W);
  }
  int64_t slabs(const Conv &c) const {
    return images > 1 ? ceilDiv(c.N, images) : c.N * ceilDiv(c.OH, rows);
  }
  int64_t pixels(const Conv &c) const { return images * rows * c.OW; }
  bool isStreamed(const Conv &c) const { return planes < c.C1; }
  int64_t tilesOfSlab(const Conv &c) const {
    return ceilDiv(pixels(c), m) * ceilDiv(c.Y, n);
  }
  /// Bias and scale come behind the image of every slab, into so many slots of
  /// the bias table, where slabs are long; 0: once, in front of the first
  /// image, which then waits for them; where the table is too small for all,
  /// from L1 with every n.
  uint32_t columnSlots(const Conv &c) const {
    if (slabs(c) == 1 || c.Y > kTable) {
      return c.Y <= kTable;
    }
    const bool isLong = pixels(c) * c.Y / 256 * c.K1 >= 256;    // cycles of M
    const bool isDone = tilesOfSlab(c) >= 3 || c.K1 * c.F >= 8; // FIX, in time
    return 2 * c.Y <= kTable && isLong && isDone ? 2 : 0;
  }
  /// Images begin at a block; the last block of channels is the last of a
  /// load; what streams is used once.
  bool isLegal(const Conv &c) const {
    const bool whole = c.H * c.W * c.C % c.C0 == 0;
    return (images == 1 || whole) && m % 16 == 0 && n % (16 * c.F) == 0 &&
           (!isStreamed(c) || (c.lanes == c.C0 && m >= pixels(c)));
  }
};

Plan planOf(const Kernel &k, const Conv &c) {
  Plan p;
  p.setSlab(c, k.knob("slab"));
  p.setSteps(c, k.knob("k"), k.knob("streams") == 1);
  p.m = k.knob("m"), p.n = k.knob("n");
  p.keepWeights = k.knob("keepWeights") == 1;
  p.slotsX = k.knob("slotsX"), p.slotsW = k.knob("slotsW");
  p.slotsL0 = k.knob("slotsL0"), p.slotsC = k.knob("slotsC");
  k.legal(p.isLegal(c), "the slab cannot be cut like this");
  return p;
}
// [plan]

// [cost]
/// Bytes of the memories that plans differ in.
struct Room {
  explicit Room(const Knobs &k)
      : l1(k.capacity(Space::l1)),
        l0(min(k.capacity(Space::l0a), k.capacity(Space::l0b))),
        l0c(k.capacity(Space::l0c)) {}

  int64_t l1, l0, l0c;
};

constexpr int64_t kAhead = 3;   // steps that S runs ahead of the cube
constexpr int64_t kScalar = 80; // cycles of S for a step
constexpr int64_t kMiss = 400;  // cycles of a read from memory
constexpr int64_t kWay = 120;   // from L1 through L0 and the cube, and flags

/// As many slots as help and fit. Of the eight flags from MTE2 to MTE1 two are
/// the image's and two the bias's, or one where the bias stays in L1; of those
/// from M to MTE1 some are the bias table's.
void addSlots(const Conv &c, const Room &room, Plan &p) {
  const int64_t slab = p.planes * p.imageBlocks(c) * 32;
  p.slotsX = p.isStreamed(c) || p.keepWeights ? 5 : slab * 2 < room.l1 ? 2 : 1;
  p.slotsW = p.isStreamed(c) || c.Y > kTable ? 5 : 4;
  p.slotsL0 = min(4, room.l0 / (max(p.m, p.n) * p.k * 32));
  p.slotsC = min(4, room.l0c / (p.m * p.n * 4));
}

bool fits(const Conv &c, const Room &room, const Plan &p) {
  const int64_t image = p.slotsX * p.planes * p.imageBlocks(c);
  const int64_t weights = p.keepWeights ? c.K1 * c.Y : p.slotsW * p.k * p.n;
  const int64_t columns = c.Y * 8 * max(1, p.columnSlots(c));
  return (image + weights) * 32 + columns <= room.l1 && p.n <= kTable / 2 &&
         p.slotsL0 >= 2 && p.slotsC >= 2;
}

/// Two pipes that share buffers: the slower one, or the way through both.
int64_t together(int64_t a, int64_t b, int64_t latency, int64_t slots) {
  return std::max({a, b, (a + b + latency) / slots});
}

/// Cycles of a tile of m pixels and n channels: of its steps, or of FIX.
int64_t tileCycles(const Conv &c, const Plan &p, int64_t m, int64_t n) {
  const int64_t steps = ceilDiv(c.K1, p.k), last = c.K1 % p.k;
  const int64_t image = p.isStreamed(c) * p.planes * p.imageBlocks(c) / 4;
  const int64_t loads = image + !p.keepWeights * p.k * n / 4;
  // Of a column block: M, and MTE1 for both operands.
  const int64_t cells = m / 16 * (n / 16);
  const int64_t toL0 = m / 16 * (c.c04 ? c.C0 / 4 : 2) + n / 8;
  // With two slots the next tile's operands come during a short last step.
  const bool isTight = p.slotsL0 == 2 && last > 0;
  const int64_t late = isTight ? max(0, toL0 * p.k + kWay - cells * last) : 0;
  const int64_t sum = std::max(
      {together(cells * c.K1, toL0 * c.K1, kWay * steps, p.slotsL0) + late,
       loads > 0 ? (kMiss + loads) / kAhead * steps : 0, kScalar * steps});
  return together(sum, m * n / (64 * c.F), 80, p.slotsC);
}

/// Cycles of a slab of so many pixels: whole tiles, and those at its ends.
int64_t slabCycles(const Conv &c, const Plan &p, int64_t pixels) {
  const int64_t down = pixels / p.m, lastM = alignUp(pixels % p.m, 16);
  const int64_t across = c.Y / p.n, lastN = c.Y % p.n;
  int64_t sum = down * across * tileCycles(c, p, p.m, p.n);
  sum += lastM > 0 ? across * tileCycles(c, p, lastM, p.n) : 0;
  sum += lastN > 0 ? down * tileCycles(c, p, p.m, lastN) : 0;
  return sum + (lastM * lastN > 0 ? tileCycles(c, p, lastM, lastN) : 0);
}

/// Cycles of all slabs, the last of an image or of the batch being shorter.
int64_t slabsCycles(const Conv &c, const Plan &p) {
  const bool all = p.images > 1;
  const int64_t of = all ? c.N : c.OH, part = all ? p.images : p.rows;
  const int64_t last = p.pixels(c) / part * (of % part);
  return (all ? 1 : c.N) * (of / part * slabCycles(c, p, p.pixels(c)) +
                            (last > 0 ? slabCycles(c, p, last) : 0));
}

/// Cycles, roughly: the slowest pipe, and what nothing hides at the two ends.
int64_t cycles(const Conv &c, const Plan &p) {
  const int64_t slabs = p.slabs(c), across = ceilDiv(c.Y, p.n);
  const int64_t down = ceilDiv(p.pixels(c), p.m), steps = ceilDiv(c.K1, p.k);
  const int64_t image = p.planes * p.imageBlocks(c) / 4; // of a load
  const int64_t weights = c.K1 * c.Y / 4, out = p.m * p.n / (64 * c.F);
  const int64_t again = p.isStreamed(c) ? across : 1;
  const int64_t read = slabs * image * ceilDiv(c.C1, p.planes) * again +
                       weights * (p.keepWeights ? 1 : slabs * down);
  // The next slab's image is loaded when the weights of all steps but the last
  // few have come; what it takes longer than those steps is exposed.
  const int64_t perSlab = down * across * steps;
  const int64_t step = slabCycles(c, p, p.pixels(c)) / perSlab;
  const int64_t early = min(p.keepWeights ? kAhead : p.slotsW - 1, perSlab);
  const int64_t hidden = p.slotsX > 1 ? early * step : 0;
  const int64_t load = (kMiss + image) * min(kAhead, perSlab) / kAhead;
  const int64_t exposed = p.isStreamed(c) ? 0 : max(0, load - hidden);
  return max(slabsCycles(c, p) + slabs * exposed, read) + image + out +
         (p.keepWeights ? weights : p.k * p.n / 4);
}

/// The fastest of the plans that fit.
Plan planOf(const Conv &c, const Room &room) {
  Plan best;
  int64_t least = INT64_MAX;
  const auto consider = [&](Plan p, int64_t steps, bool streams) {
    p.setSteps(c, steps, streams);
    addSlots(c, room, p);
    const bool possible = p.isLegal(c) && fits(c, room, p);
    const int64_t now = possible ? cycles(c, p) : INT64_MAX;
    best = now < least ? p : best;
    least = min(now, least);
  };
  for (int64_t slab = 1; slab < c.OH + c.N; ++slab) {
    for (int64_t part = 1; part <= 8; ++part) {
      for (int64_t cut = 1; cut * 16 * c.F <= c.Y; ++cut) {
        Plan p;
        p.setSlab(c, slab);
        p.m = alignUp(ceilDiv(p.pixels(c), part), 16);
        p.n = alignUp(ceilDiv(c.Y, cut), 16 * c.F);
        const int64_t fit = room.l0 / 64 / max(p.m, p.n);
        for (const int64_t step : {256, 512}) { // cycles of the cube, about
          const int64_t k = max(1, min(fit, ceilDiv(step, p.m * p.n / 256)));
          for (const bool keep : {false, true}) {
            p.keepWeights = keep;
            consider(p, ceilDiv(c.K1, ceilDiv(c.K1, k)), false);
            consider(p, k, true);
          }
        }
      }
    }
  }
  return best;
}

void knobs(const Knobs &k) {
  const Conv c(k);
  const Plan p = planOf(c, Room(k));
  k.knob("slab", p.slab(), multiples(1).upTo(c.OH + c.N - 1));
  k.knob("m", p.m, multiples(16).upTo(512));
  k.knob("n", p.n, multiples(16 * c.F).upTo(min(c.Y, kTable / 2)));
  k.knob("k", p.k, multiples(1).upTo(16));
  k.knob("streams", p.isStreamed(c), {0, 1});
  k.knob("keepWeights", p.keepWeights, {0, 1});
  const Sequence more(2, 1, 1);
  k.knob("slotsX", p.slotsX, multiples(1).upTo(5));
  k.knob("slotsW", p.slotsW, more.upTo(5));
  k.knob("slotsL0", p.slotsL0, more.upTo(4));
  k.knob("slotsC", p.slotsC, multiples(1).upTo(4));
}
// [cost]

// [kernel]
struct Task {
  const Kernel &k;
  Conv c;
  Plan p;
  Tensor x, w, y;
};

/// A slab: from output row `oh` of `image` on; rows of the image in L1.
struct Slab {
  Slab(const Conv &c, const Plan &p, const Index &number) {
    const int64_t perImage = p.images > 1 ? 1 : ceilDiv(c.OH, p.rows);
    image = number / perImage * p.images;
    oh = number % perImage * p.rows;
    images = min(p.images, c.N - image);
    rows = min(p.rows, c.OH - oh);
    pixels = images * rows * c.OW;
    top = max(0, oh * c.SH - c.PT);
    const Index last = (oh + rows - 1) * c.SH - c.PT + (c.KH - 1) * c.DH;
    height = p.images > 1 ? c.H + 0 * rows : min(c.H, last + 1) - top;
    height = c.skips ? rows : height;
    padTop = max(0, c.PT - oh * c.SH);
  }
  Index image, oh, images, rows, pixels, top, height, padTop;
};

/// Some planes of a slab, in L1.
Buffer loadImage(const Task &t, const Slab &s, const Index &c1,
                 const Index &count) {
  const Conv &c = t.c;
  const int64_t line = c.W * c.C, plane = t.p.imageBlocks(c) * c.C0;
  const auto from = [&](const Index &i, const Index &n) {
    return t.x.at(((i * c.N + s.image + n) * c.H + s.top) * line);
  };
  const Buffer image =
      t.k.l1(t.x.type(), {t.p.planes, plane}, "image", t.p.slotsX);
  if (!c.skips) {
    t.k.load(image, from(c1, t.k.constant(0)).rowPitch(c.N * c.H * line),
             {count, s.images * s.height * line});
    return image;
  }
  // Rows of a plane, of whole images and of planes often have one pitch.
  const bool wholeImages = c.H == c.OH * c.SH && t.p.rows == c.OH;
  const bool wholePlanes = wholeImages && t.p.images == c.N;
  const Index planes = wholePlanes ? t.k.constant(1) : count;
  const Index images = wholeImages ? t.k.constant(1) : s.images;
  const Index rows = (wholePlanes ? count : t.k.constant(1)) *
                     (wholeImages ? s.images : t.k.constant(1)) * s.rows;
  for (Index i : t.k.range(0, planes)) {
    for (Index n : t.k.range(0, images)) {
      t.k.load(image.at(i, n * (c.OH * line)).rowPitch(line),
               from(i + c1, n).rowPitch(c.SH * line), {rows, line});
    }
  }
  return image;
}

Image patchesOf(const Task &t, const Slab &s) {
  const Conv &c = t.c;
  return {.height = s.height,
          .padTop = s.padTop,
          .width = c.W,
          .outWidth = c.OW,
          .padLeft = c.PL,
          .kernel = {c.KH, c.KW},
          .stride = {c.skips ? 1 : c.SH, c.SW},
          .dilation = {c.DH, c.DW},
          .c1 = t.p.planes,
          .c1Stride = t.p.imageBlocks(c),
          .channelsLast = c.lanes,
          .images = t.p.images,
          .imageStride = c.blocksOf((c.skips ? c.OH : c.H) * c.W),
          .outHeight = c.OH,
          .c04 = c.c04};
}

/// Bias and scale, of all channels in L1 or of some in the bias table.
struct Columns {
  Buffer bias, scale;
};

Columns loadColumns(const Task &t) {
  const auto &[k, c, p, x, w, y] = t;
  const Tensor bias = k.tensor("bias"), scale = k.tensor("scale");
  const Columns all = {k.l1(bias.type(), {c.Y}, "biasL1"),
                       k.l1(f32, {c.Y}, "scaleL1")};
  k.load(all.bias, bias.at(0), c.Y);
  k.load(all.scale, scale.at(0), c.Y);
  return all;
}

/// `count` channels from n on, of at most `most`.
Columns toTable(const Kernel &k, const Columns &all, const Index &n,
                const Index &count, int64_t most, uint32_t depth) {
  const Columns now = {k.biasTable(all.bias.type(), most, "bias", depth),
                       k.biasTable(f32, most, "scale", depth)};
  k.loadBias(now.scale, all.scale.at(n), count);
  k.loadBias(now.bias, all.bias.at(n), count);
  return now;
}

/// What stays in L1 and in the bias table, if it does.
struct Kept {
  std::optional<Buffer> weights, image;
  std::optional<Columns> columns, allColumns;
};

/// acc = the product of `count` patches from m on with the weights of `cols`
/// channels from n on, and their bias.
struct Corner {
  Index m, count, n, cols;
};
void multiply(const Task &t, const Slab &s, const Kept &kept, const Buffer &acc,
              const Place &bias, const Corner &at) {
  const auto &[k, c, p, x, w, y] = t;
  const Type type = x.type();
  const Image patches = patchesOf(t, s);
  for (Index k1 : k.range(0, c.K1, p.k).buffers(2)) {
    const Index depth = min(p.k, c.K1 - k1);
    const Buffer image = kept.image
                             ? *kept.image
                             : loadImage(t, s, k1 / c.blocksPerPlane,
                                         ceilDiv(depth, c.blocksPerPlane));
    const Buffer a = k.l0a(type, p.m, p.k * c.C0, "a", p.slotsL0);
    const Buffer b = k.l0b(type, p.k * c.C0, p.n, "b", p.slotsL0);
    const Index column = (k1 * c.Y + at.n) * c.C0;
    if (kept.weights) {
      k.loadFractals(b, kept.weights->at(column), {depth, at.cols / 16},
                     {c.Y / 16, 1});
    } else {
      const Buffer tile = k.l1(type, {p.k, p.n * c.C0}, "weights", p.slotsW);
      k.load(tile, w.at(column).rowPitch(c.Y * c.C0), {depth, at.cols * c.C0});
      k.loadFractals(b, tile, {depth, at.cols / 16}, {p.n / 16, 1});
    }
    const Index first = kept.image ? k1 : k.constant(0);
    k.im2col(a, image, patches, {at.m, at.count, first, depth});
    k.mmadBias(acc, a, b, bias, {at.count, at.cols, depth * c.C0}, k1 != 0);
  }
}

/// All tiles of a slab, channels `from` to `to`.
void convolve(const Task &t, const Slab &s, Kept kept, const Index &from,
              const Index &to) {
  const auto &[k, c, p, x, w, y] = t;
  if (!p.isStreamed(c)) {
    kept.image = loadImage(t, s, k.constant(0), k.constant(c.C1));
  }
  if (!kept.allColumns) {
    kept.allColumns = loadColumns(t);
  }
  if (p.columnSlots(c) > 0) {
    kept.columns = toTable(k, *kept.allColumns, k.constant(0), k.constant(c.Y),
                           c.Y, p.columnSlots(c));
  }
  const int64_t plane = c.N * c.OH * c.OW;
  for (Index n : k.range(from, to, p.n).buffers(2)) {
    const Index cols = min(p.n, to - n);
    const Columns now = kept.columns ? *kept.columns
                                     : toTable(k, *kept.allColumns, n, cols,
                                               p.n, min(4, kTable / p.n));
    const Index column = kept.columns ? n : k.constant(0);
    for (Index m : k.range(0, s.pixels, p.m).buffers(2)) {
      const Index count = min(p.m, s.pixels - m);
      const Buffer acc = k.l0c(now.bias.type(), p.m, p.n, "acc", p.slotsC);
      multiply(t, s, kept, acc, now.bias.at(column), {m, count, n, cols});
      const Index pixel = (s.image * c.OH + s.oh) * c.OW + m;
      k.fix(y.at((n / c.C0 * plane + pixel) * c.C0).columnBlocks(plane), acc,
            {count, cols}, {.relu = true, .scales = now.scale.at(column)});
    }
  }
}

/// The tiles from number `first` on, every `blocks`-th: of the slabs, and of
/// `parts` shares of the channels. The bias comes before the weights: its way
/// to the bias table holds up MTE1, and with it the slots of the loops behind.
void convolveAll(const Task &t, const Index &first, int64_t blocks,
                 int64_t parts) {
  const auto &[k, c, p, x, w, y] = t;
  const int64_t share = alignUp(ceilDiv(c.Y, parts), p.n);
  Kept kept;
  if (p.columnSlots(c) == 0 && p.slabs(c) > 1) {
    kept.allColumns = loadColumns(t);
  }
  if (p.columnSlots(c) == 0 && c.Y <= kTable) {
    kept.columns =
        toTable(k, *kept.allColumns, k.constant(0), k.constant(c.Y), c.Y, 1);
  }
  if (p.keepWeights) {
    kept.weights = k.l1(x.type(), {c.K1, c.Y * c.C0}, "weights");
    k.load(*kept.weights, w.at(0).rowPitch(c.Y * c.C0), {c.K1, c.Y * c.C0});
  }
  for (Index i : k.range(first, p.slabs(c) * parts, blocks).buffers(2)) {
    const Index from = i % parts * share;
    convolve(t, Slab(c, p, i / parts), kept, from, min(c.Y, from + share));
  }
}

/// Slabs over the cores; where there are more cores, channels too.
void kernel(const Kernel &k) {
  const Tensor x = k.tensor("x"), w = k.tensor("w"), y = k.tensor("y");
  const Conv c(k);
  const Task t = {k, c, planOf(k, c), x, w, y};
  const int64_t slabs = t.p.slabs(c);
  const int64_t parts = min(ceilDiv(c.Y, t.p.n), max(1, k.cores() / slabs));
  const int64_t blocks = min(k.cores(), slabs * parts);
  for (Index block : k.blocks(blocks)) {
    convolveAll(t, block, blocks, parts);
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
  const Conv s(r, false);
  const bool bytes = s.C0 == 32;
  for (int64_t i = 0; i < y.size(); ++i) {
    const int64_t ow = i / s.C0 % s.OW, oh = i / s.C0 / s.OW % s.OH;
    const int64_t image = i / s.C0 / s.OW / s.OH;
    const int64_t channel = image / s.N * s.C0 + i % s.C0;
    const double sum =
        bias[channel] + sumOf(s, r["x"], r["w"], image % s.N, channel, oh, ow);
    const double scaled = std::max(0.0, sum * scale[channel]);
    const float exact =
        static_cast<float>(sum) * static_cast<float>(scale[channel]);
    y[i] = bytes ? std::clamp(std::nearbyint(exact), 0.0f, 127.0f) : scaled;
  }
}
// [reference]

} // namespace

KILN_OPERATOR(declare, kernel, reference, knobs)
