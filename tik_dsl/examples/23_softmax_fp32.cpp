// SPDX-License-Identifier: Apache-2.0
//
// Example 23: softmax of fp16 rows, computed in fp32.
//
//   kiln test-op tik_dsl/examples/23_softmax_fp32.cpp
//
// Shown here: a tile in two types, and what a fused instruction saves.
// expDifference() subtracts before the exponential and rounds to fp16 behind
// it: y = exp(x - (max + ln(sum))) needs neither a product nor a cast, 5 cycles
// of V per 64 elements instead of 7.
#include "tik_dsl/api/tik.h"
#include "tik_dsl/api/tiles.h"

#include <cmath>
#include <vector>

using namespace kiln::tik;

namespace {

// [declaration]
void declare(Declaration &d) {
  d.name("softmax_fp32", "softmax of rows, fp32 inside");
  d.input("x", f16, {"R", "C"}, {-8, 8}).output("y", f16, {"R", "C"});
  d.attribute("fused", {1, 0});
  d.shape({{"R", 256}, {"C", 1024}}).shape({{"R", 77}, {"C", 1000}});
  d.shape({{"R", 77}, {"C", 1000}, {"fused", 0}});
  d.edge({{"R", 1}, {"C", 1}}).edge({{"R", 33}, {"C", 15}});
  d.edge({{"R", 17}, {"C", 2048}, {"fused", 0}});
  d.tolerance(f16, 1e-3, 1e-7, "one rounding to 11 bits of a sum in fp32");
}
// [declaration]

// [knobs]
void knobs(const Knobs &k) {
  const int64_t width = alignUp(k.attribute("C"), 16);
  const int64_t rows = k.capacity(Space::ub) / (12 * width);
  k.knob("part", max(1, min(16, rows / 2)), multiples(1).upTo(min(rows, 64)));
  k.knob("parts", {2, 1, 3, 4});
  k.knob("slots", {2, 1, 3, 4});
}
// [knobs]

// [kernel]
void kernel(const Kernel &k) {
  const Tensor x = k.tensor("x"), y = k.tensor("y");
  const int64_t R = x.dim(0), C = x.dim(1), width = alignUp(C, 16);
  const int64_t part = k.knob("part"), parts = k.knob("parts");
  const int64_t tile = parts * part, blocks = min(k.cores(), ceilDiv(R, tile));
  for (Index block : k.blocks(blocks)) {
    for (Index r :
         k.range(block * tile, R, blocks * tile).buffers(k.knob("slots"))) {
      const Index rows = min(tile, R - r);
      const std::vector<Index> n = tiles::split(k, rows, part, parts);
      const Buffer half = k.ub(f16, {tile, width}, "half");
      const Buffer t = k.ub(f32, {tile, width}, "t", 1);
      const Buffer e = k.ub(f32, {tile, 8}, "e", 1);
      const Buffer w = k.ub(f32, {tile, 8}, "w", 1);
      const Buffer v = k.ub(f32, {tile, 8}, "v", 1);
      auto each = [&](auto &&command) {
        for (int64_t i = 0; i < parts; ++i) {
          command([&](const Buffer &b) { return b.at(i * part, 0); },
                  Tile{n[i], C}, Tile{n[i], 8});
        }
      };
      k.load(half, x.at(r, 0), {rows, C});
      each([&](auto at, auto n, auto) { k.cast(at(t), at(half), n); });
      each([&](auto at, auto n, auto) { k.rowMax(at(e), at(t), n); });
      each([&](auto at, auto, auto n) { k.broadcast(at(w), at(e), n); });
      if (k.attribute("fused") != 0) {
        const Buffer powers = k.ub(f32, {tile, width}, "powers", 1);
        each([&](auto at, auto n, auto) {
          k.expDifference(at(powers), at(t), at(w).blockStride(0), n);
        });
        each([&](auto at, auto n, auto) { k.rowSum(at(e), at(powers), n); });
        each([&](auto at, auto, auto n) { k.broadcast(at(v), at(e), n); });
        each([&](auto at, auto, auto n) { k.log(at(v), at(v), n); });
        each([&](auto at, auto, auto n) { k.add(at(w), at(w), at(v), n); });
        each([&](auto at, auto n, auto) {
          k.expDifference(at(half), at(t), at(w).blockStride(0), n);
        });
      } else {
        each([&](auto at, auto n, auto) {
          k.sub(at(t), at(t), at(w).blockStride(0), n);
        });
        each([&](auto at, auto n, auto) { k.exp(at(t), at(t), n); });
        each([&](auto at, auto n, auto) { k.rowSum(at(e), at(t), n); });
        each([&](auto at, auto, auto n) { k.broadcast(at(w), at(e), n); });
        each([&](auto at, auto, auto n) { k.reciprocal(at(w), at(w), n); });
        each([&](auto at, auto n, auto) {
          k.mul(at(t), at(t), at(w).blockStride(0), n);
        });
        each([&](auto at, auto n, auto) { k.cast(at(half), at(t), n); });
      }
      k.store(y.at(r, 0), half, {rows, C});
    }
  }
}
// [kernel]

// [reference]
void reference(const Reference &r) {
  const HostArray x = r["x"], y = r["y"];
  const int64_t C = x.dim(1);
  for (int64_t i = 0; i < x.dim(0); ++i) {
    const double *row = x.data() + i * C;
    double most = row[0], sum = 0;
    for (int64_t j = 0; j < C; ++j) {
      most = std::max(most, row[j]);
    }
    for (int64_t j = 0; j < C; ++j) {
      sum += y[i * C + j] = std::exp(row[j] - most);
    }
    for (int64_t j = 0; j < C; ++j) {
      y[i * C + j] /= sum;
    }
  }
}
// [reference]

} // namespace

KILN_OPERATOR(declare, kernel, reference, knobs)
