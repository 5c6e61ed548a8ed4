// SPDX-License-Identifier: Apache-2.0
//
// Example 5: softmax of rows of up to 2048 fp16 elements.
//
//   kiln test-op tik_dsl/examples/05_softmax.cpp
//
// Shown here: statistics of a row (one element per row), spread to a block of
// 32 bytes and read again and again through a block stride of 0; two halves of
// a tile whose commands take turns, so that none waits for the one before it.
#include "tik_dsl/api/tik.h"
#include "tik_dsl/api/tiles.h"

#include <cmath>

using namespace kiln::tik;

namespace {

// [declaration]
void declare(Declaration &d) {
  d.name("softmax", "y[r,c] = exp(x[r,c] - max) / sum over the row");
  d.input("x", f16, {"R", "C"}, {-8, 8}).output("y", f16, {"R", "C"});
  d.shape({{"R", 1024}, {"C", 1024}}).shape({{"R", 77}, {"C", 1000}});
  d.edge({{"R", 1}, {"C", 1}}).edge({{"R", 33}, {"C", 15}});
  d.edge({{"R", 17}, {"C", 2048}});
  d.tolerance(f16, 4e-3, 1e-6,
              "five roundings to 11 bits: difference, exp, sum, reciprocal, "
              "product");
}
// [declaration]

// [knobs]
void knobs(const Knobs &k) {
  const int64_t width = alignUp(k.attribute("C"), 16);
  const int64_t rows = k.capacity(Space::ub) / (2 * width);
  k.knob("part", max(1, min(16, rows / 64 * 8)),
         multiples(2).upTo(min(rows, 128)));
  k.knob("parts", {2, 1, 3, 4});
  k.knob("slots", {2, 1, 3, 4});
}
// [knobs]

// [kernel]
void kernel(const Kernel &k) {
  const Tensor x = k.tensor("x"), y = k.tensor("y");
  const int64_t R = x.dim(0), C = x.dim(1), width = alignUp(C, 16);
  const int64_t part = k.knob("part"), parts = k.knob("parts");
  const int64_t tile = parts * part, slots = k.knob("slots");
  const int64_t blocks = min(k.cores(), ceilDiv(R, tile));
  for (Index block : k.blocks(blocks)) {
    for (Index r : k.range(block * tile, R, blocks * tile).buffers(slots)) {
      const Index rows = min(tile, R - r);
      const std::vector<Index> n = tiles::split(k, rows, part, parts);
      const Buffer t = k.ub(f16, {tile, width}, "t");
      const Buffer e = k.ub(f16, {tile, 16}, "e"),
                   w = k.ub(f16, {tile, 16}, "w");
      auto each = [&](auto &&command) {
        for (int64_t i = 0; i < parts; ++i) {
          command(t.at(i * part, 0), e.at(i * part, 0), w.at(i * part, 0),
                  Tile{n[i], C}, Tile{n[i], 16});
        }
      };
      k.load(t, x.at(r, 0), {rows, C});
      each([&](auto t, auto e, auto, auto n, auto) { k.rowMax(e, t, n); });
      each([&](auto, auto e, auto w, auto, auto n) { k.broadcast(w, e, n); });
      each([&](auto t, auto, auto w, auto n, auto) {
        k.expDifference(t, t, w.blockStride(0), n);
      });
      each([&](auto t, auto e, auto, auto n, auto) { k.rowSum(e, t, n); });
      each([&](auto, auto e, auto w, auto, auto n) { k.broadcast(w, e, n); });
      each([&](auto, auto, auto w, auto, auto n) { k.reciprocal(w, w, n); });
      each([&](auto t, auto, auto w, auto n, auto) {
        k.mul(t, t, w.blockStride(0), n);
      });
      k.store(y.at(r, 0), t, {rows, C});
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
