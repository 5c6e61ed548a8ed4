// SPDX-License-Identifier: Apache-2.0
//
// Example 3: y[r, c] = scale[c] * x[r, c] + shift[c] for any R and C.
//
//   kiln test-op tik_dsl/examples/03_tails.cpp
//
// Shown here: tails in two dimensions. Rows of any length in global memory,
// rows of whole 32-byte blocks in UB, counts that carry the rest; a row that is
// used for all rows of a tile.
#include "tik_dsl/api/tik.h"

using namespace kiln::tik;

namespace {

// [declaration]
void declare(Declaration &d) {
  d.name("scale_shift", "y[r,c] = scale[c] * x[r,c] + shift[c]");
  d.input("x", f32, {"R", "C"}, {-4, 4});
  d.input("scale", f32, {"C"}).input("shift", f32, {"C"});
  d.output("y", f32, {"R", "C"});
  d.shape({{"R", 500}, {"C", 300}}).shape({{"R", 33}, {"C", 2500}});
  d.edge({{"R", 1}, {"C", 1}}).edge({{"R", 3}, {"C", 7}});
  d.edge({{"R", 16}, {"C", 512}}).edge({{"R", 17}, {"C", 513}});
  d.tolerance(f32, 1.2e-7, 2.4e-7,
              "twice a rounding to 24 bits of a product below 4, 2^-23, and of "
              "the sum, 2^-24 |y|");
}
// [declaration]

// [kernel]
void kernel(const Kernel &k) {
  const Tensor x = k.tensor("x"), y = k.tensor("y");
  const int64_t R = x.dim(0), C = x.dim(1), tileR = 16, tileC = 512;
  const int64_t blocks = min(k.cores(), ceilDiv(R, tileR));
  for (Index block : k.blocks(blocks)) {
    for (Index c : k.range(0, C, tileC).buffers(2)) {
      const Index cols = min(tileC, C - c);
      const Buffer scale = k.ub(f32, {tileC}, "scale");
      const Buffer shift = k.ub(f32, {tileC}, "shift");
      k.load(scale, k.tensor("scale").at(c), cols);
      k.load(shift, k.tensor("shift").at(c), cols);
      for (Index r : k.range(block * tileR, R, blocks * tileR).buffers(4)) {
        const Tile tile = {min(tileR, R - r), cols};
        const Buffer t = k.ub(f32, {tileR, tileC}, "t");
        k.load(t, x.at(r, c), tile);
        k.mul(t, t, scale, tile);
        k.add(t, t, shift, tile);
        k.store(y.at(r, c), t, tile);
      }
    }
  }
}
// [kernel]

// [reference]
void reference(const Reference &r) {
  const HostArray x = r["x"], scale = r["scale"], shift = r["shift"];
  const int64_t C = x.dim(1);
  for (int64_t i = 0; i < x.size(); ++i) {
    r["y"][i] = scale[i % C] * x[i] + shift[i % C];
  }
}
// [reference]

} // namespace

KILN_OPERATOR(declare, kernel, reference)
