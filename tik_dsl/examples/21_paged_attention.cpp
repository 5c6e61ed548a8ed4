// SPDX-License-Identifier: Apache-2.0
//
// Example 21: one step of decoding, attention of the newest token of each
// sequence to a cache that lies in pages anywhere in global memory.
//
//   kiln test-op tik_dsl/examples/21_paged_attention.cpp
//
// Shown here: addresses that come from data. The control core reads the length
// of a sequence and the number of its next page from UB, and loads that page
// (Kwon et al., PagedAttention, 2023). Up to 16 query heads share a head of the
// cache; maximum and sum run along as in example 12.
#include "tik_dsl/api/tik.h"

#include <algorithm>
#include <cmath>
#include <vector>

using namespace kiln::tik;

namespace {

constexpr int64_t kTokens = 64, kD = 128; // of a page, of a head

// [declaration]
void declare(Declaration &d) {
  d.name("paged_attention", "softmax(q x K' / sqrt(128)) x V over pages");
  d.input("q", f16, {"B", "G", kD}, {-2, 2});
  d.input("k", f16, {"P", kTokens, kD}, {-2, 2});
  d.input("v", f16, {"P", kTokens, kD});
  d.input("pages", i32, {"B", "S"}, {0, 4}); // of a sequence
  d.input("lengths", i32, {"B"}, {1, 300});  // at most 64 * S counts
  d.output("y", f16, {"B", "G", kD});
  d.shape({{"B", 8}, {"G", 16}, {"P", 5}, {"S", 5}});
  d.shape({{"B", 3}, {"G", 8}, {"P", 9}, {"S", 2}});
  d.edge({{"B", 1}, {"G", 1}, {"P", 5}, {"S", 1}});
  d.edge({{"B", 5}, {"G", 7}, {"P", 5}, {"S", 4}});
  d.tolerance(f16, 7.3e-4, 2.5e-4,
              "y in 11 bits: 2^-11, and half of it; probabilities in 11 bits, "
              "that of the largest score exact: 2^-12");
}
// [declaration]

// [kernel]
void kernel(const Kernel &k) {
  const Tensor q = k.tensor("q"), keys = k.tensor("k"), v = k.tensor("v");
  const Tensor pages = k.tensor("pages"), lengths = k.tensor("lengths");
  const int64_t B = q.dim(0), G = q.dim(1), P = keys.dim(0), S = pages.dim(1);
  const int64_t blocks = min(k.cores(), B);
  const float scale = 1 / std::sqrt(static_cast<float>(kD));
  for (Index block : k.blocks(blocks)) {
    const Buffer p = k.ub(f16, {16, kTokens}, "p");
    k.fill(p, 0, {16, kTokens}); // moveToL1 takes whole blocks
    for (Index b : k.range(block, B, blocks).buffers(2)) {
      const Buffer length = k.ub(i32, {8}, "length");
      const Buffer list = k.ub(i32, {alignUp(S, 8)}, "list");
      k.load(length, lengths.at(b), 1);
      k.load(list, pages.at(b, 0), S);
      const Buffer qL1 = k.l1Nz(f16, 16, kD, "qL1");
      k.loadNz(qL1, q.at(b, 0, 0), {G, kD});
      // By row: maximum, sum, in all 8 lanes of a block; the weighted values.
      const Buffer most = k.ub(f32, {16, 8}, "most", 1);
      const Buffer sum = k.ub(f32, {16, 8}, "sum", 1);
      const Buffer y = k.ub(f32, {16, kD}, "y", 1);
      const Buffer one = k.ub(f32, {16, 8}, "one", 1);
      const Buffer all = k.ub(f32, {16, 8}, "all", 1);
      k.fill(most, -1e30, G * 8);
      k.fill(sum, 0, G * 8);
      k.fill(y, 0, {G, kD});
      const Index tokens = min(S * kTokens, max(1, k.read(length)));
      for (Index i : k.range(0, ceilDiv(tokens, kTokens)).buffers(2)) {
        const Index page = k.read(list.at(i)), n = tokens - i * kTokens;
        k.require(page >= 0 && page < P, "there is no page {d}", page);
        const Index count = min(kTokens, n);
        const Buffer kL1 = k.l1Nz(f16, kTokens, kD, "kL1");
        const Buffer vL1 = k.l1Nz(f16, kTokens, kD, "vL1");
        k.loadNz(kL1, keys.at(page, 0, 0), {count, kD});
        k.loadNz(vL1, v.at(page, 0, 0), {count, kD});
        const Buffer aL0 = k.l0a(f16, 16, kD, "q"),
                     bL0 = k.l0b(f16, kD, kTokens, "k");
        const Buffer scores = k.l0c(f32, 16, kTokens, "scores");
        k.loadA(aL0, qL1, {G, kD});
        k.loadBTransposed(bL0, kL1, {kD, count});
        k.mmad(scores, aL0, bL0, {G, count, kD}, false);
        const Buffer s = k.ub(f32, {16, kTokens}, "s");
        k.fix(s, scores, {G, count}, {.scale = scale});
        k.rowMax(one, s, {G, count});
        k.broadcast(all, one, {G, 8});
        k.max(all, all, most, G * 8);
        k.expDifference(one, most, all, G * 8); // what was counts less now
        k.copy(most, all, G * 8);
        k.mul(sum, sum, one, G * 8);
        k.mul(y, y, one.at(0, 0).blockStride(0), {G, kD});
        const Place level = all.at(0, 0).blockStride(0);
        k.expDifference(s, s, level, {G, count});
        k.cast(p, s, {G, count});
        k.rowSum(one, s, {G, count});
        k.broadcast(all, one, {G, 8});
        k.add(sum, sum, all, G * 8);
        const Buffer pL1 = k.l1Nz(f16, 16, kTokens, "pL1");
        k.moveToL1(pL1, p, {G, ceilDiv(count, 16)});
        const Buffer pL0 = k.l0a(f16, 16, kTokens, "p"),
                     vL0 = k.l0b(f16, kTokens, kD, "v");
        const Buffer values = k.l0c(f32, 16, kD, "values");
        k.loadA(pL0, pL1, {G, count});
        k.loadB(vL0, vL1, {count, kD});
        k.mmad(values, pL0, vL0, {G, kD, count}, false);
        const Buffer more = k.ub(f32, {16, kD}, "more");
        k.fix(more, values, {G, kD});
        k.add(y, y, more, {G, kD});
      }
      const Buffer result = k.ub(f16, {16, kD}, "result");
      k.div(y, y, sum.at(0, 0).blockStride(0), {G, kD});
      k.cast(result, y, {G, kD});
      k.store(k.tensor("y").at(b, 0, 0), result, {G, kD});
    }
  }
}
// [kernel]

// [reference]
void reference(const Reference &r) {
  const HostArray q = r["q"], keys = r["k"], v = r["v"], y = r["y"];
  const int64_t B = q.dim(0), G = q.dim(1), S = r["pages"].dim(1);
  for (int64_t b = 0; b < B; ++b) {
    const auto tokens =
        std::min(S * kTokens, static_cast<int64_t>(r["lengths"][b]));
    std::vector<int64_t> rows; // of the cache, by token
    for (int64_t t = 0; t < tokens; ++t) {
      const double page = r["pages"][b * S + t / kTokens];
      rows.push_back(static_cast<int64_t>(page) * kTokens + t % kTokens);
    }
    for (int64_t g = 0; g < G; ++g) {
      const double *query = q.data() + (b * G + g) * kD;
      double *out = y.data() + (b * G + g) * kD;
      std::vector<double> p;
      double sum = 0;
      for (int64_t row : rows) {
        double score = 0;
        for (int64_t d = 0; d < kD; ++d) {
          score += query[d] * keys[row * kD + d] / std::sqrt(double(kD));
        }
        sum += p.emplace_back(std::exp(score));
      }
      std::fill(out, out + kD, 0);
      for (size_t t = 0; t < rows.size(); ++t) {
        for (int64_t d = 0; d < kD; ++d) {
          out[d] += p[t] / sum * v[rows[t] * kD + d];
        }
      }
    }
  }
}
// [reference]

} // namespace

KILN_OPERATOR(declare, kernel, reference)
