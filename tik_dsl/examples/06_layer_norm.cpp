// SPDX-License-Identifier: Apache-2.0
//
// Example 6: layer normalisation of rows, with scale and shift.
//
//   kiln test-op tik_dsl/examples/06_layer_norm.cpp
//
// Shown here: two passes over a row that stays in UB; constants of all rows
// loaded once, before the loop; fp16 outside and, where asked for, fp32 inside.
#include "tik_dsl/api/tik.h"
#include "tik_dsl/api/tiles.h"

#include <cmath>

using namespace kiln::tik;

namespace {

constexpr double kEpsilon = 1e-3;

// [declaration]
void declare(Declaration &d) {
  d.name("layer_norm",
         "y = (x - mean) / sqrt(variance + 1e-3) * scale + shift");
  d.input("x", f16, {"R", "C"}, {-3, 3});
  d.input("scale", f16, {"C"}, {0.5, 2}).input("shift", f16, {"C"});
  d.output("y", f16, {"R", "C"});
  d.attribute("inside", {f16, f32}); // the type of what lies between
  d.shape({{"R", 1024}, {"C", 1024}}).shape({{"R", 45}, {"C", 768}});
  d.edge({{"R", 1}, {"C", 16}}).edge({{"R", 33}, {"C", 70}});
  d.shape({{"R", 45}, {"C", 768}, {"inside", f32}});
  d.edge({{"R", 33}, {"C", 70}, {"inside", f32}});
  d.tolerance(f16, 6e-3, 6e-3, "six roundings to 11 bits on values of up to 6");
  d.tolerance(f16, 1e-3, 1e-4, "fp32, then one rounding to 11 bits",
              {{"inside", f32}});
}
// [declaration]

// [knobs]
void knobs(const Knobs &k) {
  const int64_t width = alignUp(k.attribute("C"), 16);
  const int64_t bytes = k.attribute("inside") == int64_t(f32) ? 4 : 2;
  const int64_t rows = k.capacity(Space::ub) / (bytes * width);
  k.knob("part", max(1, min(16, rows / 8)), multiples(2).upTo(min(rows, 128)));
  k.knob("parts", {2, 1, 3, 4});
  k.knob("slots", {2, 1, 3, 4});
}
// [knobs]

// [kernel]
/// A constant per column, in the type of the computation.
Buffer constant(const Kernel &k, const char *name, int64_t width, Type type) {
  const Tensor x = k.tensor(name);
  const Buffer loaded = k.ub(f16, {width}, name);
  k.load(loaded, x, x.size());
  if (type == f16) {
    return loaded;
  }
  const Buffer wide = k.ub(type, {width}, name);
  k.cast(wide, loaded, x.size());
  return wide;
}

void kernel(const Kernel &k) {
  const Tensor x = k.tensor("x"), y = k.tensor("y");
  const int64_t R = x.dim(0), C = x.dim(1), width = alignUp(C, 16);
  const int64_t part = k.knob("part"), parts = k.knob("parts");
  const int64_t tile = parts * part, slots = k.knob("slots");
  const Type inside = static_cast<Type>(k.attribute("inside"));
  const int64_t c0 = blockElements(inside);
  const int64_t blocks = min(k.cores(), ceilDiv(R, tile));
  for (Index block : k.blocks(blocks)) {
    const Buffer scale = constant(k, "scale", width, inside);
    const Buffer shift = constant(k, "shift", width, inside);
    for (Index r : k.range(block * tile, R, blocks * tile).buffers(slots)) {
      const Index rows = min(tile, R - r);
      const std::vector<Index> count = tiles::split(k, rows, part, parts);
      const Buffer image = k.ub(f16, {tile, width}, "image");
      const Buffer t = inside == f16 ? image : k.ub(f32, {tile, width}, "t", 1);
      const Buffer square = k.ub(inside, {tile, width}, "square", 1);
      const Buffer e = k.ub(inside, {tile, c0}, "e"),
                   w = k.ub(inside, {tile, c0}, "w");
      auto convert = [&](const Buffer &to, const Buffer &from) {
        for (int64_t i = 0; i < parts && inside != f16; ++i) {
          k.cast(to.at(i * part, 0), from.at(i * part, 0), {count[i], C});
        }
      };
      auto each = [&](auto &&command) {
        for (int64_t i = 0; i < parts; ++i) {
          const Tile all = {count[i], C}, stats = {count[i], c0};
          const Place rows = t.at(i * part, 0), s = square.at(i * part, 0);
          command(rows, s, e.at(i * part, 0), w.at(i * part, 0), all, stats);
        }
      };
      using P = const Place &;
      using N = const Tile &;
      k.load(image, x.at(r, 0), {rows, C});
      convert(t, image);
      each([&](P t, P s, P, P, N n, N) { k.muls(s, t, 1.0 / C, n); });
      each([&](P, P s, P e, P, N n, N) { k.rowSum(e, s, n); });
      each([&](P, P, P e, P w, N, N n) { k.broadcast(w, e, n); });
      each([&](P t, P, P, P w, N n, N) { k.sub(t, t, w.blockStride(0), n); });
      each([&](P t, P s, P, P, N n, N) { k.muls(s, t, 1 / std::sqrt(C), n); });
      each([&](P, P s, P, P, N n, N) { k.mul(s, s, s, n); });
      each([&](P, P s, P e, P, N n, N) { k.rowSum(e, s, n); });
      each([&](P, P, P e, P w, N, N n) { k.broadcast(w, e, n); });
      each([&](P, P, P, P w, N, N n) { k.adds(w, w, kEpsilon, n); });
      each([&](P, P, P, P w, N, N n) { k.reciprocalSqrt(w, w, n); });
      each([&](P t, P, P, P w, N n, N) { k.mul(t, t, w.blockStride(0), n); });
      each([&](P t, P, P, P, N n, N) { k.mul(t, t, scale, n); });
      each([&](P t, P, P, P, N n, N) { k.add(t, t, shift, n); });
      convert(image, t);
      k.store(y.at(r, 0), image, {rows, C});
    }
  }
}
// [kernel]

// [reference]
void reference(const Reference &r) {
  const HostArray x = r["x"], y = r["y"];
  const int64_t C = x.dim(1);
  for (int64_t i = 0; i < x.dim(0); ++i) {
    double mean = 0, variance = 0;
    for (int64_t j = 0; j < C; ++j) {
      mean += x[i * C + j] / static_cast<double>(C);
    }
    for (int64_t j = 0; j < C; ++j) {
      const double d = x[i * C + j] - mean;
      variance += d * d / static_cast<double>(C);
    }
    for (int64_t j = 0; j < C; ++j) {
      y[i * C + j] = (x[i * C + j] - mean) / std::sqrt(variance + kEpsilon) *
                         r["scale"][j] +
                     r["shift"][j];
    }
  }
}
// [reference]

} // namespace

KILN_OPERATOR(declare, kernel, reference, knobs)
