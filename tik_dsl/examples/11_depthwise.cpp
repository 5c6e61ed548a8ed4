// SPDX-License-Identifier: Apache-2.0
//
// Example 11: depthwise 3x3 convolution + bias + relu6, padding 1, stride 1.
//
//   kiln test-op tik_dsl/examples/11_depthwise.cpp
//
// Shown here: a stencil on the vector unit. The image stands in UB with a zero
// behind each row and a row of zeros between planes, so that a tap is one shift
// of the whole image: one multiply-add of a shifted view with the plane's 16
// weights, which a block stride of 0 repeats, over all pixels without a gap.
// Two halves of a tile take turns, so that the sum of one is ready when its
// next tap comes; they are two buffers, so that the planner can put the image
// between them: what lies between the operands of a command delays it. The
// zeros are written once: the buffers live outside of the loop, whose body does
// two tiles.
//
// Layouts: images [C/16, H, W, 16], weights [C/16, 9 taps, 16].
#include "tik_dsl/api/tik.h"

#include <vector>

using namespace kiln::tik;

namespace {

// [declaration]
void declare(Declaration &d) {
  d.name("depthwise", "relu6(depthwise 3x3 + bias), channel blocks");
  d.input("x", f16, {"C1", "H", "W", 16}).input("w", f16, {"C1", 9, 16});
  d.input("bias", f16, {"C1", 16}).output("y", f16, {"C1", "H", "W", 16});
  d.macs({"C1", "H", "W", 16, 9});
  d.shape({{"C1", 6}, {"H", 56}, {"W", 56}});
  d.shape({{"C1", 12}, {"H", 28}, {"W", 28}});
  d.edge({{"C1", 1}, {"H", 1}, {"W", 1}}).edge({{"C1", 3}, {"H", 7}, {"W", 7}});
  d.edge({{"C1", 2}, {"H", 33}, {"W", 112}});
  d.tolerance(f16, 4e-3, 8e-3, "ten roundings to 11 bits of sums below 10");
}
// [declaration]

// [kernel]
/// A tile is some whole planes, or some rows of one plane; its halves are half
/// the planes or half the rows. Pixels are counted with the zeros.
struct Cut {
  explicit Cut(const Tensor &x) : C1(x.dim(0)), H(x.dim(1)), W(x.dim(2)) {
    const int64_t most = min(C1, max(1, kPixels / (H + 1) / line));
    planes = ceilDiv(C1, ceilDiv(C1, most));
    rows = planes > 1 ? H : ceilDiv(H, ceilDiv(H, max(1, kPixels / line - 2)));
    slabs = ceilDiv(H, rows);
    tiles = ceilDiv(C1, planes) * slabs;
    halfPlanes = ceilDiv(planes, 2);
    halfRows = planes > 1 ? rows : ceilDiv(rows, 2);
    halves = halfPlanes < planes || halfRows < rows ? 2 : 1;
    inPitch = (rows + 1) * line;
    outPitch = alignUp(halfRows * line, 8); // whole beats: no delay in place
  }
  static constexpr int64_t kPixels = 1024;
  int64_t C1, H, W, line = W + 1, origin = line + 1;
  int64_t planes, rows, slabs, tiles, halfPlanes, halfRows, halves;
  int64_t inPitch, outPitch;
};

struct Buffers {
  Buffers(const Kernel &k, const Cut &cut)
      : in(k.ub(f16, {cut.origin + cut.planes * cut.inPitch + 1, 16}, "in")),
        w(k.ub(f16, {cut.planes, 144}, "w")),
        bias(k.ub(f16, {cut.planes, 16}, "bias")) {
    for (int64_t i = 0; i < cut.halves; ++i) {
      out.push_back(k.ub(f16, {cut.halfPlanes * cut.outPitch, 16}, "out"));
    }
    k.fill(in.at(0, 0), 0, in.dim(0) * 16);
  }
  Buffer in, w, bias;
  std::vector<Buffer> out;
};

/// `planes` planes from c on, `rows` rows from h on.
struct Part {
  Index c, h, planes, rows;
};

void loadTile(const Kernel &k, const Cut &cut, const Buffers &b,
              const Part &t) {
  k.load(b.bias, k.tensor("bias").at(t.c, 0), {t.planes, 16});
  k.load(b.w, k.tensor("w").at(t.c, 0, 0).rowPitch(144), {t.planes, 144});
  const Index top = max(0, t.h - 1), end = min(cut.H, t.h + t.rows + 1);
  for (Index p : k.range(0, t.planes)) {
    const Index first = p * cut.inPitch + cut.origin + (top - t.h) * cut.line;
    k.load(b.in.at(first, 0).rowPitch(cut.line * 16),
           k.tensor("x").at(t.c + p, top, 0, 0).rowPitch(cut.W * 16),
           {end - top, cut.W * 16});
  }
  if (cut.slabs > 1) { // rows above and below the image, where slabs had pixels
    auto zeros = [&](const Index &row, const Condition &needed) {
      k.fill(b.in.at(row * cut.line + 1, 0), 0,
             select(needed, cut.line * 16, 0));
    };
    zeros(k.constant(0), t.h == 0);
    zeros(t.rows + 1, t.h + t.rows == cut.H);
  }
}

void computeHalves(const Kernel &k, const Cut &cut, const Buffers &b,
                   const Part *parts) {
  auto all = [&](auto &&command) {
    for (int64_t i = 0; i < cut.halves; ++i) {
      const bool whole = cut.planes > 1;
      const Tile size = whole ? Tile(parts[i].planes, cut.H * cut.line * 16)
                              : Tile(1, parts[i].rows * (cut.line * 16));
      const int64_t p = whole ? i * cut.halfPlanes : 0;
      const int64_t first = whole ? 0 : i * cut.halfRows * cut.line;
      command(b.out[i].at(0, 0).rowPitch(cut.outPitch * 16), p, first, size);
    }
  };
  using P = const Place &;
  using N = const Tile &;
  all([&](P out, int64_t p, int64_t, N n) {
    k.copy(out, b.bias.at(p, 0).blockStride(0), n);
  });
  for (int64_t tap = 0; tap < 9; ++tap) {
    const int64_t shift = (tap / 3 - 1) * cut.line + tap % 3 - 1;
    all([&](P out, int64_t p, int64_t first, N n) {
      const int64_t pixel = cut.origin + p * cut.inPitch + first + shift;
      k.madd(out, b.in.at(pixel, 0).rowPitch(cut.inPitch * 16),
             b.w.at(p, tap * 16).blockStride(0), n);
    });
  }
  all([&](P out, int64_t, int64_t, N n) { k.maxs(out, out, 0, n); });
  all([&](P out, int64_t, int64_t, N n) { k.mins(out, out, 6, n); });
}

void tile(const Kernel &k, const Cut &cut, const Buffers &b, const Index &t) {
  const Index c = t / cut.slabs * cut.planes, h = t % cut.slabs * cut.rows;
  const Index planes = max(0, min(cut.planes, cut.C1 - c));
  const int64_t last = cut.C1 - 1; // of parts without planes, too
  const Part whole = {min(c, last), h, planes,
                      select(planes > 0, min(cut.rows, cut.H - h), 0)};
  loadTile(k, cut, b, whole);
  std::vector<Part> parts;
  for (int64_t i = 0; i < cut.halves; ++i) {
    const int64_t p = cut.planes > 1 ? i * cut.halfPlanes : 0;
    const int64_t r = cut.planes > 1 ? 0 : i * cut.halfRows;
    parts.push_back({min(c + p, last), h + r,
                     max(0, min(cut.halfPlanes, planes - p)),
                     max(0, min(cut.halfRows, whole.rows - r))});
  }
  computeHalves(k, cut, b, parts.data());
  for (int64_t i = 0; i < cut.halves; ++i) {
    for (Index p : k.range(0, parts[i].planes)) {
      k.store(k.tensor("y")
                  .at(parts[i].c + p, parts[i].h, 0, 0)
                  .rowPitch(cut.W * 16),
              b.out[i].at(p * cut.outPitch, 0).rowPitch(cut.line * 16),
              {parts[i].rows, cut.W * 16});
    }
  }
}

void kernel(const Kernel &k) {
  const Cut cut(k.tensor("x"));
  const int64_t blocks = min(k.cores(), cut.tiles);
  for (Index block : k.blocks(blocks)) {
    const Buffers even(k, cut), odd(k, cut);
    for (Index t : k.range(block, cut.tiles, 2 * blocks)) {
      tile(k, cut, even, t);
      tile(k, cut, odd, t + blocks);
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
