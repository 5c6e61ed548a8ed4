// SPDX-License-Identifier: Apache-2.0
//
// Example 17: the K largest elements of each row and where they stand.
//
//   kiln test-op tik_dsl/examples/17_top_k.cpp
//
// Shown here: sorting by merging. sort32 makes sorted lists of 32 pairs (key,
// index); each round merges every two neighbouring lists, all of them in one
// command, because lists are rows of a view. Only the first K pairs of a list
// can reach the result, so longer lists are never merged.
#include "tik_dsl/api/tik.h"

#include <algorithm>
#include <numeric>
#include <vector>

using namespace kiln::tik;

namespace {

// [declaration]
void declare(Declaration &d) {
  d.name("top_k", "values and indices of the K largest of each row");
  d.input("x", f16, {"R", "C"}, {-4, 4});
  d.output("values", f16, {"R", "K"}).output("indices", i32, {"R", "K"});
  d.shape({{"R", 64}, {"C", 1000}, {"K", 40}});
  d.shape({{"R", 8}, {"C", 1024}, {"K", 5}});
  d.edge({{"R", 1}, {"C", 1}, {"K", 1}});
  d.edge({{"R", 5}, {"C", 33}, {"K", 33}});
  d.edge({{"R", 3}, {"C", 2048}, {"K", 70}});
  d.tolerance(f16, 0, 0, "elements are moved, not computed");
}
// [declaration]

// [kernel]
/// The least power of two that is not below n.
int64_t powerOfTwo(int64_t n) {
  int64_t power = 1;
  while (power < n) {
    power *= 2;
  }
  return power;
}

void kernel(const Kernel &k) {
  const Tensor x = k.tensor("x"), values = k.tensor("values"),
               indices = k.tensor("indices");
  const int64_t R = x.dim(0), C = x.dim(1), K = values.dim(1);
  const int64_t lists = powerOfTwo(ceilDiv(C, 32)), width = 32 * lists;
  const int64_t rows = max(1, 2048 / width);
  const int64_t blocks = min(k.cores(), ceilDiv(R, rows));
  for (Index block : k.blocks(blocks)) {
    const Buffer column = k.ub(i32, {width}, "column");
    k.iota(column, 0, 1, width);
    for (Index r : k.range(block * rows, R, blocks * rows).buffers(2)) {
      const Index count = min(rows, R - r);
      const Buffer keys = k.ub(f16, {rows, width}, "keys");
      if (C < width) { // what is no element comes last
        k.fill(keys, -__builtin_inf(), {count, width});
      }
      k.load(keys, x.at(r, 0), {count, C}, /*pad: two of -inf*/ 0xfc00fc00);
      Buffer from = k.ub(i32, {rows, 2 * width}, "pairs");
      Buffer to = k.ub(i32, {rows, 2 * width}, "merged");
      k.sort32(from, keys, column.at(0).broadcastRow(), {count, width});
      for (int64_t n = 32; n < width; n *= 2) { // lists lie n pairs apart
        const int64_t used = min(n, K);
        k.merge(
            f16, to.at(0).rowPitch(4 * n), {from.at(0).rowPitch(4 * n), used},
            {from.at(2 * n).rowPitch(4 * n), used}, count * (width / (2 * n)));
        std::swap(from, to);
      }
      const Buffer best = k.ub(f16, {rows, alignUp(K, 16)}, "best");
      const Buffer where = k.ub(i32, {rows, alignUp(K, 8)}, "where");
      k.keysOf(best, from, {count, K});
      k.indicesOf(where, from, {count, K});
      k.store(values.at(r, 0), best, {count, K});
      k.store(indices.at(r, 0), where, {count, K});
    }
  }
}
// [kernel]

// [reference]
void reference(const Reference &r) {
  const HostArray x = r["x"], values = r["values"], indices = r["indices"];
  const int64_t C = x.dim(1), K = values.dim(1);
  for (int64_t i = 0; i < x.dim(0); ++i) {
    const double *row = x.data() + i * C;
    std::vector<int64_t> order(static_cast<size_t>(C));
    std::iota(order.begin(), order.end(), int64_t{0});
    std::sort(order.begin(), order.end(), [&](int64_t a, int64_t b) {
      return row[a] != row[b] ? row[a] > row[b] : a < b;
    });
    for (int64_t j = 0; j < K; ++j) {
      values[i * K + j] = row[order[static_cast<size_t>(j)]];
      indices[i * K + j] = static_cast<double>(order[static_cast<size_t>(j)]);
    }
  }
}
// [reference]

} // namespace

KILN_OPERATOR(declare, kernel, reference)
