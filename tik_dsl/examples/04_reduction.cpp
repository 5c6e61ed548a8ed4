// SPDX-License-Identifier: Apache-2.0
//
// Example 4: y[r] = sum over c of x[r, c], for rows of any length.
//
//   kiln test-op tik_dsl/examples/04_reduction.cpp
//
// Shown here: a sum that does not fit one command: lane sums of every tile are
// added up in a buffer outside of the loop, and reduced once at the end. The
// order of the additions is fixed, so the bits are the same in every run.
#include "tik_dsl/api/tik.h"

using namespace kiln::tik;

namespace {

// [declaration]
void declare(Declaration &d) {
  d.name("row_sum", "y[r] = sum of x[r, :], in fp32");
  d.input("x", f16, {"R", "C"}).output("y", f32, {"R", 1});
  d.shape({{"R", 256}, {"C", 4096}}).shape({{"R", 37}, {"C", 5000}});
  d.edge({{"R", 1}, {"C", 1}}).edge({{"R", 16}, {"C", 2048}});
  d.edge({{"R", 17}, {"C", 2049}});
  d.edge({{"R", 16}, {"C", 20000}});
  d.tolerance(f32, 1.2e-7, 3e-5,
              "six levels of sums of up to 20000 values, |x| <= 1: 6 x 2^-24 "
              "of sqrt(20000 / 3), and 2^-23 |y|");
}
// [declaration]

// [kernel]
void kernel(const Kernel &k) {
  const Tensor x = k.tensor("x"), y = k.tensor("y");
  const int64_t R = x.dim(0), C = x.dim(1), tileR = 16, tileC = 1024;
  const int64_t blocks = min(k.cores(), ceilDiv(R, tileR));
  for (Index block : k.blocks(blocks)) {
    for (Index r : k.range(block * tileR, R, blocks * tileR).buffers(2)) {
      const Index rows = min(tileR, R - r);
      const Buffer lanes = k.ub(f32, {tileR, tileC}, "lanes", 1);
      const Buffer sums = k.ub(f32, {tileR, 8}, "sums");
      k.fill(lanes, 0, {rows, tileC});
      for (Index c : k.range(0, C, tileC).buffers(2)) {
        const Tile tile = {rows, min(tileC, C - c)};
        const Buffer t = k.ub(f16, {tileR, tileC}, "t");
        const Buffer wide = k.ub(f32, {tileR, tileC}, "wide", 1);
        k.load(t, x.at(r, c), tile);
        k.cast(wide, t, tile);
        k.add(lanes, lanes, wide, tile);
      }
      k.rowSum(sums, lanes, {rows, tileC});
      k.store(y.at(r, 0), sums, {rows, 1});
    }
  }
}
// [kernel]

// [reference]
void reference(const Reference &r) {
  const HostArray x = r["x"], y = r["y"];
  for (int64_t i = 0; i < x.dim(0); ++i) {
    y[i] = 0;
    for (int64_t j = 0; j < x.dim(1); ++j) {
      y[i] += x[i * x.dim(1) + j];
    }
  }
}
// [reference]

} // namespace

KILN_OPERATOR(declare, kernel, reference)
