// SPDX-License-Identifier: Apache-2.0
//
// Example 18: how often each byte occurs, counted by all cores.
//
//   kiln test-op tik_dsl/examples/18_histogram.cpp
//
// Shown here: atomic accumulation. Every block counts its share in UB and adds
// its counts to the output, which one block has set to 0 before the blocks
// meet. In UB, 128 counters per byte value keep equal values apart: a scatter
// would lose all but one of them.
#include "tik_dsl/api/tik.h"
#include "tik_dsl/api/tiles.h"

#include <vector>

using namespace kiln::tik;

namespace {

// [declaration]
void declare(Declaration &d) {
  d.name("histogram", "counts[v] = how often v occurs in x");
  d.input("x", u8, {"N"}, {0, 255}).output("counts", i32, {256});
  d.shape({{"N", 20000}}).shape({{"N", 7000}});
  d.edge({{"N", 1}}).edge({{"N", 3072}}).edge({{"N", 6145}});
  d.tolerance(i32, 0, 0, "integers");
}
// [declaration]

// [kernel]
void kernel(const Kernel &k) {
  const Tensor x = k.tensor("x"), counts = k.tensor("counts");
  const int64_t N = x.size(), bins = 256, lanes = 128, ways = 3, tile = 3072;
  const int64_t blocks = min(k.cores(), ceilDiv(N, tile));
  for (Index block : k.blocks(blocks)) {
    const Buffer zeros = tiles::filled(k, i32, {bins}, 0, "zeros");
    k.when(block == 0, [&] { k.store(counts, zeros, bins); });
    k.meet();
    // Counters [value][lane]; three tables hide the latency of a command.
    std::vector<Buffer> tables, old;
    for (const char *name : {"table 0", "table 1", "table 2"}) {
      tables.push_back(k.ub(i16, {bins, lanes}, name));
      k.fill(tables.back(), 0, {bins, lanes});
      old.push_back(k.ub(i16, {lanes}, "count"));
    }
    const Buffer lane = k.ub(i32, {tile / lanes, lanes}, "lane");
    k.iota(lane, 0, 1, {tile / lanes, lanes});
    for (Index i : k.range(block * tile, N, blocks * tile).buffers(2)) {
      const Index count = min(tile, N - i);
      const Buffer bytes = k.ub(u8, {tile}, "bytes");
      const Buffer place = k.ub(i32, {tile}, "place", 1);
      k.load(bytes, x.at(i), count);
      k.fill(place, -1, tile); // is no place
      k.cast(place, bytes, count);
      k.muls(place, place, lanes, count);
      k.add(place, place, lane, count);
      for (Index j : k.range(0, tile, ways * lanes)) {
        for (int64_t w = 0; w < ways; ++w) {
          k.gather(old[w], {tables[w], bins * lanes}, place.at(j + w * lanes),
                   lanes);
        }
        for (int64_t w = 0; w < ways; ++w) {
          k.adds(old[w], old[w], 1, lanes);
        }
        for (int64_t w = 0; w < ways; ++w) {
          k.scatter({tables[w], bins * lanes}, old[w], place.at(j + w * lanes),
                    lanes);
        }
      }
    }
    k.add(tables[0], tables[0], tables[1], {bins, lanes});
    k.add(tables[0], tables[0], tables[2], {bins, lanes});
    const Buffer sums = k.ub(i32, {bins, 8}, "sums");
    for (Index v : k.range(0, bins, 16)) {
      const Buffer wide = k.ub(i32, {16, lanes}, "wide");
      k.cast(wide, tables[0].at(v, 0), {16, lanes});
      k.rowSum(sums.at(v, 0), wide, {16, lanes});
    }
    k.accumulate(Accumulation::sum,
                 [&] { k.store(counts.at(0).rowPitch(1), sums, {bins, 1}); });
  }
}
// [kernel]

// [reference]
void reference(const Reference &r) {
  const HostArray x = r["x"], counts = r["counts"];
  for (int64_t v = 0; v < 256; ++v) {
    counts[v] = 0;
  }
  for (int64_t i = 0; i < x.size(); ++i) {
    counts[static_cast<int64_t>(x[i])] += 1;
  }
}
// [reference]

} // namespace

KILN_OPERATOR(declare, kernel, reference)
