// SPDX-License-Identifier: Apache-2.0
//
// Example 12: attention, y = softmax(Q x K' / sqrt(128)) x V, for one head of
// 128, without ever storing the scores.
//
//   kiln test-op tik_dsl/examples/12_flash_attention.cpp
//
// Shown here: a pipeline of all six pipes. Scores of 256 keys at a time, a
// running maximum and sum per query (Dao et al., FlashAttention, 2022), and the
// product with V one round behind: while the vector unit works on the scores of
// this round, the cube multiplies those of the round before. Causal attention
// ends at the keys that the last query of a tile sees, and hides with a mask
// what is behind the others.
#include "tik_dsl/api/tik.h"

#include <algorithm>
#include <cmath>
#include <optional>
#include <vector>

using namespace kiln::tik;

namespace {

// [declaration]
void declare(Declaration &d) {
  d.name("flash_attention", "softmax(Q x K' / sqrt(128)) x V, fp16 softmax");
  d.input("q", f16, {"M", 128}, {-2, 2}).input("k", f16, {"N", 128}, {-2, 2});
  d.input("v", f16, {"N", 128}).output("y", f16, {"M", 128});
  d.attribute("causal", {0, 1}); // 1: query m sees the keys 0 to m
  d.macs({"M", "N", 2, 128});
  d.shape({{"M", 512}, {"N", 512}}).shape({{"M", 200}, {"N", 600}});
  d.edge({{"M", 1}, {"N", 1}}).edge({{"M", 65}, {"N", 257}});
  d.edge({{"M", 128}, {"N", 256}});
  d.shape({{"M", 512}, {"N", 512}, {"causal", 1}});
  d.edge({{"M", 333}, {"N", 333}, {"causal", 1}});
  d.edge({{"M", 200}, {"N", 70}, {"causal", 1}});
  d.tolerance(f16, 2e-2, 4e-3,
              "scores of up to 30 in 11 bits: 2^-7 in the exponent");
}
// [declaration]

// [kernel]
constexpr int64_t kD = 128, kRows = 64, kKeys = 256, kHalf = 128;

/// What a group of 64 queries keeps from round to round.
struct Group {
  Group(const Kernel &k, const Index &first, const Index &count)
      : from(first), rows(count), q(k.l1Nz(f16, kRows, kD, "q")),
        p(k.l1Nz(f16, kRows, kKeys, "p")), s(k.ub(f16, {kRows, kKeys}, "s")),
        o(k.ub(f32, {2, kRows, kD}, "o")),
        sum(k.ub(f16, {kRows, kHalf}, "sum")),
        most(k.ub(f16, {kRows, 16}, "most")), e(k.ub(f16, {kRows, 16}, "e")),
        w(k.ub(f16, {kRows, 16}, "w")),
        wide(k.ub(f32, {2, kRows, 16}, "wide")) {}
  Index from, rows;
  Buffer q, p, s, o, sum, most, e, w, wide;
};

/// The memories of the cube: pieces of 128 x 128 take turns.
struct Cube {
  explicit Cube(const Kernel &kernel) : k(kernel) {
    for (const char *name : {"0", "1", "2", "3"}) {
      scores.push_back(k.l0c(f32, kRows, kHalf, name));
    }
    for (const char *name : {"even", "odd"}) {
      a.push_back(k.l0a(f16, kRows, kHalf, name));
      b.push_back(k.l0b(f16, kHalf, kHalf, name));
      sums.push_back(k.l0c(f32, kRows, kD, name));
    }
  }
  /// acc = (or +=) x * y, or x * y'.
  void multiply(const Buffer &acc, const Place &x, const Place &y,
                bool transposed, const Product &size, bool more) {
    const Buffer &aL0 = a[turn % 2], &bL0 = b[turn % 2];
    ++turn;
    k.loadA(aL0, x, {size.m, size.k});
    transposed ? k.loadBTransposed(bL0, y, {size.k, size.n})
               : k.loadB(bL0, y, {size.k, size.n});
    k.mmad(acc, aL0, bL0, size, more);
  }
  const Kernel &k;
  std::vector<Buffer> a, b, scores, sums;
  int64_t turn = 0;
};

/// Hides the keys behind a query: a bit per score of a round.
struct Causal {
  explicit Causal(const Kernel &k)
      : column(k.ub(f16, {kKeys}, "column")), lowest(k.ub(f16, {16}, "lowest")),
        hidden(k.ub(u8, {kRows, 32}, "hidden")) {
    k.iota(column, 0, 1, kKeys);
    k.fill(lowest, -65504, 16);
  }
  /// The first query of the group is 0, 64, 128 or 192 keys behind the first
  /// key of its last round; in the rounds before it sees all keys.
  void apply(const Kernel &k, const Group &g, const Index &firstKey) const {
    for (int64_t behind = 0; behind < kKeys; behind += kRows) {
      k.when(firstKey + behind == g.from, [&] {
        k.iota(g.w, behind, 1.0 / 16, kRows * 16); // row r begins with r more
        k.broadcast(g.e, g.w, {g.rows, 16});
        k.compare(Compare::greater, hidden, column.at(0).broadcastRow(),
                  g.e.at(0, 0).blockStride(0), {g.rows, kKeys});
        k.select(g.s, hidden, lowest.at(0).broadcastRow().blockStride(0), g.s,
                 {g.rows, kKeys});
      });
    }
  }
  Buffer column, lowest, hidden;
};

Index firstHalf(const Index &n) { return min(n, kHalf); }
Index secondHalf(const Index &n) { return n - min(n, kHalf); }

/// One round: scores of `keys` keys, products of the `before` keys of the last
/// round. Where a count is 0 nothing happens.
void round(const Kernel &k, Cube &cube, const std::vector<Group> &groups,
           const std::optional<Causal> &causal, const Buffer &kL1,
           const Buffer &vL1, const Index &i, const Index &keys,
           const Index &before) {
  const float scale = 1 / std::sqrt(128.0f);
  const Index now = i % 2, last = (i + 1) % 2;
  auto repeated = [](const Buffer &b) { return b.at(0, 0).blockStride(0); };
  for (int64_t j = 0; j < 4; ++j) {
    const Group &g = groups[j / 2];
    const Index n = j % 2 ? secondHalf(keys) : firstHalf(keys);
    cube.multiply(cube.scores[j], g.q, kL1.at(j % 2 * kHalf, 0), true,
                  {select(n > 0, g.rows, 0), n, kD}, false);
    k.fix(g.s.at(0, j % 2 * kHalf), cube.scores[j], {g.rows, n},
          {.scale = scale});
  }
  for (int64_t j = 0; j < 4; ++j) {
    const Group &g = groups[j / 2];
    const Index n = j % 2 ? secondHalf(before) : firstHalf(before);
    cube.multiply(cube.sums[j / 2], g.p.at(0, j % 2 * kHalf),
                  vL1.at(j % 2 * kHalf, 0), false, {g.rows, kD, n}, j % 2);
    if (j % 2) {
      k.fix(g.o.at(last, 0, 0), cube.sums[j / 2],
            {select(i > 0, g.rows, 0), kD});
    }
  }
  auto both = [&](auto &&command) {
    for (const Group &g : groups) {
      const Index rows = select(keys > 0, g.rows, 0);
      command(g, rows, rows * 16);
    }
  };
  using G = const Group &;
  using N = const Index &;
  if (causal) {
    both([&](G g, N, N) { causal->apply(k, g, i * kKeys); });
  }
  both([&](G g, N n, N) { k.rowMax(g.e, g.s, {n, keys}); });
  both([&](G g, N n, N) { k.broadcast(g.w, g.e, {n, 16}); });
  both([&](G g, N, N n) { k.max(g.w, g.w, g.most, n); });
  both([&](G g, N, N n) { k.expDifference(g.e, g.most, g.w, n); });
  both([&](G g, N, N n) { k.copy(g.most, g.w, n); });
  both([&](G g, N n, N) {
    k.expDifference(g.s, g.s, repeated(g.w), {n, keys});
    k.moveToL1(g.p, g.s, {n, ceilDiv(keys, 16)});
  });
  both([&](G g, N, N n) { k.cast(g.wide.at(now, 0, 0), g.e, n); });
  both([&](G g, N n, N) { k.mul(g.sum, g.sum, repeated(g.e), {n, kHalf}); });
  both([&](G g, N n, N) { k.add(g.sum, g.sum, g.s, {n, firstHalf(keys)}); });
  both([&](G g, N n, N) {
    k.add(g.sum, g.sum, g.s.at(0, kHalf), {n, secondHalf(keys)});
  });
  both([&](G g, N, N) { // the sums of the round before the last, rescaled
    k.madd(g.o.at(last, 0, 0), g.o.at(now, 0, 0),
           g.wide.at(last, 0, 0).blockStride(0),
           {select(i > 0, g.rows, 0), kD});
  });
}

void kernel(const Kernel &k) {
  const Tensor q = k.tensor("q"), key = k.tensor("k"), v = k.tensor("v");
  const int64_t M = q.dim(0), N = key.dim(0);
  const bool isCausal = k.attribute("causal") != 0;
  const int64_t tiles = ceilDiv(M, 2 * kRows), blocks = min(k.cores(), tiles);
  for (Index block : k.blocks(blocks)) {
    for (Index tile : k.range(block, tiles, blocks)) {
      const Index seen = isCausal ? min(N, (tile + 1) * (2 * kRows))
                                  : k.constant(N); // keys of the last query
      const Index rounds = ceilDiv(seen, kKeys);
      Cube cube(k);
      std::optional<Causal> causal;
      if (isCausal) {
        causal.emplace(k);
      }
      std::vector<Group> groups;
      for (int64_t g = 0; g < 2; ++g) {
        const Index from = min(M, tile * (2 * kRows) + g * kRows);
        const Group &G = groups.emplace_back(k, from, min(kRows, M - from));
        k.loadNz(G.q, q.at(from, 0), {G.rows, kD});
        if (N % 16 != 0 || isCausal) { // moveToL1 takes whole blocks
          k.fill(G.s, 0, {kRows, kKeys});
        }
        k.fill(G.o.at(1, 0, 0), 0, {kRows, kD});
        k.fill(G.sum, 0, {kRows, kHalf});
        k.fill(G.most, -65504, kRows * 16);
      }
      for (Index i : k.range(0, rounds + 1).buffers(2)) {
        const Index keys = min(kKeys, seen - min(seen, i * kKeys));
        const Index old = max(0, i - 1) * kKeys;
        const Index before = select(i > 0, min(kKeys, seen - old), 0);
        const Buffer kL1 = k.l1Nz(f16, kKeys, kD, "kL1");
        const Buffer vL1 = k.l1Nz(f16, kKeys, kD, "vL1");
        k.loadNz(kL1, key.at(min(seen, i * kKeys), 0), {keys, kD});
        k.loadNz(vL1, v.at(old, 0), {before, kD});
        round(k, cube, groups, causal, kL1, vL1, i, keys, before);
      }
      for (const Group &g : groups) {
        const Place o = g.o.at((rounds + 1) % 2, 0, 0), w = g.wide.at(0, 0, 0);
        k.rowSum(g.e, g.sum, {g.rows, kHalf});
        k.broadcast(g.w, g.e, {g.rows, 16});
        k.cast(w, g.w, g.rows * 16);
        k.reciprocal(w, w, g.rows * 16);
        k.mul(o, o, w.blockStride(0), {g.rows, kD});
        k.cast(g.s, o, {g.rows, kD});
        k.store(k.tensor("y").at(g.from, 0), g.s, {g.rows, kD});
      }
    }
  }
}
// [kernel]

// [reference]
void reference(const Reference &r) {
  const HostArray q = r["q"], key = r["k"], v = r["v"], y = r["y"];
  const int64_t M = q.dim(0), N = key.dim(0), D = 128;
  std::vector<double> p(static_cast<size_t>(N));
  for (int64_t m = 0; m < M; ++m) {
    double most = -1e300, sum = 0;
    const int64_t seen = r.attribute("causal") ? std::min(N, m + 1) : N;
    for (int64_t n = 0; n < seen; ++n) {
      p[n] = 0;
      for (int64_t d = 0; d < D; ++d) {
        p[n] += q[m * D + d] * key[n * D + d] / std::sqrt(128.0);
      }
      most = std::max(most, p[n]);
    }
    for (int64_t n = 0; n < seen; ++n) {
      sum += p[n] = std::exp(p[n] - most);
    }
    for (int64_t d = 0; d < D; ++d) {
      y[m * D + d] = 0;
    }
    for (int64_t n = 0; n < seen; ++n) {
      for (int64_t d = 0; d < D; ++d) {
        y[m * D + d] += p[n] / sum * v[n * D + d];
      }
    }
  }
}
// [reference]

} // namespace

KILN_OPERATOR(declare, kernel, reference)
