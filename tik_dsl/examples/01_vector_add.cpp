// SPDX-License-Identifier: Apache-2.0
//
// Example 1: z = x + y of any length.
//
//   kiln test-op tik_dsl/examples/01_vector_add.cpp
//
// Shown here: blocks and tiles as two kinds of loop, double buffering as an
// attribute of the loop, and tails as counts.
#include "tik_dsl/api/tik.h"

using namespace kiln::tik;

namespace {

// [body]
const Body kBody = R"mlir(
  func.func @vector_add(%x: tensor<?xf16>, %y: tensor<?xf16>)
      -> tensor<?xf16> {
    %z = arith.addf %x, %y : tensor<?xf16>
    return %z : tensor<?xf16>
  }
)mlir";
// [body]

// [declaration]
void declare(Declaration &d) {
  d.name("vector_add", "z = x + y, element by element");
  d.input("x", f16, {"N"}, {-1000, 1000});
  d.input("y", f16, {"N"}, {-1000, 1000});
  d.output("z", f16, {"N"});
  d.shape({{"N", 10000}}).shape({{"N", 1 << 20}});
  d.edge({{"N", 1}}).edge({{"N", 15}}).edge({{"N", 8192}}).edge({{"N", 8193}});
  d.tolerance(f16, 0, 0, "IEEE 754: one rounding to nearest even");
  d.body(kBody);
}
// [declaration]

// [kernel]
void kernel(const Kernel &k) {
  const Tensor x = k.tensor("x"), y = k.tensor("y"), z = k.tensor("z");
  const int64_t n = x.size(), tile = 8192;
  const int64_t share = alignUp(ceilDiv(n, k.cores()), tile);
  for (Index block : k.blocks(ceilDiv(n, share))) {
    const Index from = block * share, to = min(n, from + share);
    for (Index i : k.range(from, to, tile).buffers(6)) {
      const Index count = min(tile, to - i);
      const Buffer a = k.ub(f16, {tile}, "a"), b = k.ub(f16, {tile}, "b");
      k.load(a, x.at(i), count);
      k.load(b, y.at(i), count);
      k.add(a, a, b, count);
      k.store(z.at(i), a, count);
    }
  }
}
// [kernel]

// [reference]
void reference(const Reference &r) {
  const HostArray x = r["x"], y = r["y"], z = r["z"];
  for (int64_t i = 0; i < z.size(); ++i) {
    z[i] = x[i] + y[i];
  }
}
// [reference]

} // namespace

KILN_OPERATOR(declare, kernel, reference)
