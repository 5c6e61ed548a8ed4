// SPDX-License-Identifier: Apache-2.0
//
// Example 24: global average pooling, the mean of every channel of an image.
//
//   kiln test-op tik_dsl/examples/24_global_avg_pool.cpp
//
// Shown here: a sum over rows whose blocks come from eight planes. The row of a
// pixel is one block of 32 bytes in each plane, a block stride away from each
// other, so that every beat of the vector unit is full and the sums need no
// step across lanes.
//
// Layouts: images [C/16, pixels, 16], means [C/16, 16].
#include "tik_dsl/api/tik.h"

using namespace kiln::tik;

namespace {

// [declaration]
void declare(Declaration &d) {
  d.name("global_avg_pool", "y[c] = mean of x[c, :], channel blocks");
  d.input("x", f16, {"C1", "HW", 16}).output("y", f16, {"C1", 16});
  d.shape({{"C1", 128}, {"HW", 49}}).shape({{"C1", 20}, {"HW", 196}});
  d.edge({{"C1", 1}, {"HW", 1}}).edge({{"C1", 9}, {"HW", 255}});
  d.edge({{"C1", 3}, {"HW", 256}});
  d.tolerance(f16, 1.5e-3, 1e-7,
              "sum, factor and product in 11 bits: 3 x 2^-11; sums in fp32");
}
// [declaration]

// [kernel]
void kernel(const Kernel &k) {
  const Tensor x = k.tensor("x"), y = k.tensor("y");
  const int64_t C1 = x.dim(0), HW = x.dim(1);
  const int64_t planes = HW < 256 ? 8 : 1; // as far as a block stride reaches
  const int64_t share = alignUp(ceilDiv(C1, k.cores()), planes);
  const int64_t most = min(share, 128); // planes that are stored together
  const int64_t slots = max(2, min(8, 6144 / (planes * HW))); // in 192 KiB
  for (Index block : k.blocks(ceilDiv(C1, share))) {
    const Index end = min(C1, (block + 1) * share);
    for (Index from : k.range(block * share, end, most).buffers(2)) {
      const Index count = min(most, end - from);
      const Buffer sum = k.ub(f16, {alignUp(most, planes), 16}, "sum");
      for (Index c : k.range(0, count, planes).buffers(slots)) {
        const Index n = min(planes, count - c);
        const Buffer image = k.ub(f16, {planes, HW * 16}, "image");
        k.load(image, x.at(from + c, 0, 0).rowPitch(HW * 16), {n, HW * 16});
        const Place pixels = image.at(0, 0).rowPitch(16);
        k.sumOfRows(sum.at(c, 0), planes > 1 ? pixels.blockStride(HW) : pixels,
                    {HW, n * 16});
      }
      k.muls(sum, sum, 1.0 / static_cast<double>(HW), count * 16);
      k.store(y.at(from, 0), sum, count * 16);
    }
  }
}
// [kernel]

// [reference]
void reference(const Reference &r) {
  const HostArray x = r["x"], y = r["y"];
  const int64_t HW = x.dim(1);
  for (int64_t i = 0; i < y.size(); ++i) {
    double sum = 0;
    for (int64_t p = 0; p < HW; ++p) {
      sum += x[(i / 16 * HW + p) * 16 + i % 16];
    }
    y[i] = sum / static_cast<double>(HW);
  }
}
// [reference]

} // namespace

KILN_OPERATOR(declare, kernel, reference)
