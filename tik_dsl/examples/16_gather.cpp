// SPDX-License-Identifier: Apache-2.0
//
// Example 16: y[i] = table[index[i]], for a table that fits UB.
//
//   kiln test-op tik_dsl/examples/16_gather.cpp
//
// Shown here: a table that every core loads once and keeps, and a command that
// looks up an element per index. Indices may be anything: those that are not
// below the table's size give 0, never a fault.
#include "tik_dsl/api/tik.h"

using namespace kiln::tik;

namespace {

// [declaration]
void declare(Declaration &d) {
  d.name("lookup", "y[i] = table[index[i]], 0 where there is no such element");
  d.input("table", f16, {"T"}).input("index", i32, {"N"}, {-10, 4100});
  d.output("y", f16, {"N"});
  d.shape({{"T", 4096}, {"N", 65536}}).shape({{"T", 1000}, {"N", 5000}});
  d.edge({{"T", 1}, {"N", 1}}).edge({{"T", 17}, {"N", 2049}});
  d.tolerance(f16, 0, 0, "elements are moved, not computed");
}
// [declaration]

// [kernel]
void kernel(const Kernel &k) {
  const Tensor x = k.tensor("table"), index = k.tensor("index"),
               y = k.tensor("y");
  const int64_t T = x.size(), N = y.size(), tile = 2048;
  const int64_t blocks = min(k.cores(), ceilDiv(N, tile));
  for (Index block : k.blocks(blocks)) {
    const Buffer table = k.ub(f16, {T}, "table");
    k.load(table, x, T);
    for (Index i : k.range(block * tile, N, blocks * tile).buffers(2)) {
      const Index count = min(tile, N - i);
      const Buffer place = k.ub(i32, {tile}, "place");
      const Buffer found = k.ub(f16, {tile}, "found");
      k.load(place, index.at(i), count);
      k.gather(found, {table, T}, place, count);
      k.store(y.at(i), found, count);
    }
  }
}
// [kernel]

// [reference]
void reference(const Reference &r) {
  const HostArray table = r["table"], index = r["index"], y = r["y"];
  for (int64_t i = 0; i < y.size(); ++i) {
    const bool there = index[i] >= 0 && index[i] < table.size();
    y[i] = there ? table[static_cast<int64_t>(index[i])] : 0;
  }
}
// [reference]

} // namespace

KILN_OPERATOR(declare, kernel, reference)
