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
// this round, the cube multiplies those of the round before. The rounds of all
// tiles are one sequence, so the last products of a tile overlap the first
// scores of the next. Three places hold the sums of two groups of queries and
// the products to come, in turn: a group's new sums are its products plus the
// rescaled old ones, whose place is then free. Causal attention ends at the
// keys that the last query of a tile sees, and hides with a mask what is behind
// the others.
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

constexpr int64_t kD = 128, kRows = 64, kKeys = 256, kHalf = 128;

// [causal]
/// Hides the keys behind a query: a bit per score of a round.
struct Causal {
  explicit Causal(const Kernel &k)
      : column(k.ub(f16, {kKeys}, "column")), lowest(k.ub(f16, {16}, "lowest")),
        hidden(k.ub(u8, {kRows, 32}, "hidden")) {
    k.iota(column, 0, 1, kKeys);
    k.fill(lowest, -65504, 16);
  }
  /// The first query is 0, 64, 128 or 192 keys behind the first key of its last
  /// round; in the rounds before it sees all keys.
  template <typename Group>
  void apply(const Kernel &k, const Group &g, const Index &rows,
             const Index &distance) const {
    for (int64_t behind = 0; behind < kKeys; behind += kRows) {
      k.when(distance == behind, [&] {
        k.iota(g.w, behind, 1.0 / 16, kRows * 16); // row r begins with r more
        k.broadcast(g.e, g.w, {rows, 16});
        k.compare(Compare::greater, hidden, column.at(0).broadcastRow(),
                  g.e.at(0, 0).blockStride(0), {rows, kKeys});
        k.select(g.s, hidden, lowest.at(0).broadcastRow().blockStride(0), g.s,
                 {rows, kKeys});
      });
    }
  }
  Buffer column, lowest, hidden;
};
// [causal]

// [state]
/// What a group of 64 queries keeps from round to round.
struct Group {
  explicit Group(const Kernel &k)
      : p(k.l1Nz(f16, kRows, kKeys, "p")), s(k.ub(f16, {kRows, kKeys}, "s")),
        sum(k.ub(f16, {kRows, kHalf}, "sum")), y(k.ub(f16, {kRows, kD}, "y")),
        most(k.ub(f16, {kRows, 16}, "most")), e(k.ub(f16, {kRows, 16}, "e")),
        w(k.ub(f16, {kRows, 16}, "w")), all(k.ub(f16, {kRows, 16}, "all")),
        wide(k.ub(f32, {kRows, 16}, "wide")) {
    k.fill(s, 0, {kRows, kKeys}); // moveToL1 takes whole blocks
    k.fill(sum, 0, {kRows, kHalf});
    k.fill(wide, 0, kRows * 16);
  }
  Buffer p, s, sum, y, most, e, w, all, wide;
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

/// Round i of a tile of 128 queries: some keys.
struct Round {
  Round(const Kernel &k, const Index &tile, const Index &round,
        const Condition &real)
      : i(round), from(tile * (2 * kRows)) {
    const int64_t M = k.tensor("q").dim(0), N = k.tensor("k").dim(0);
    const Index seen = k.attribute("causal") != 0
                           ? min(N, from + 2 * kRows) // keys of the last query
                           : k.constant(N);
    rounds = ceilDiv(seen, kKeys);
    left = select(real, M - from, 0);
    key = i * kKeys;
    keys = select(real, min(kKeys, seen - key), 0);
  }
  Index rows(int64_t group) const {
    return max(0, min(kRows, left - group * kRows));
  }
  /// Keys of half h.
  Index half(int64_t h) const {
    return h ? keys - min(keys, kHalf) : min(keys, kHalf);
  }
  Index i, from, rounds, left, key, keys;
};

/// All that a block keeps from round to round.
struct State {
  explicit State(const Kernel &k)
      : cube(k), groups{Group(k), Group(k)}, o(k.ub(f32, {3, kRows, kD}, "o")) {
    k.fill(o, 0, 3 * kRows * kD);
    if (k.attribute("causal") != 0) {
      causal.emplace(k);
    }
  }
  Cube cube;
  Group groups[2];
  /// Round i: the sums of the groups are in places 2i and 2i + 1 (mod 3), the
  /// new ones of the first come into 2i + 2, of the second into 2i.
  Buffer o;
  std::optional<Causal> causal;
};
// [state]

// [kernel]
/// Scores of a round, and products with V of the round before it, which may be
/// the last of another tile. Where a count is 0 nothing happens.
void products(const Kernel &k, State &state, const std::vector<Buffer> &q,
              const Round &now, const Round &old) {
  const Buffer kL1 = k.l1Nz(f16, kKeys, kD, "kL1");
  const Buffer vL1 = k.l1Nz(f16, kKeys, kD, "vL1");
  k.loadNz(kL1, k.tensor("k").at(now.key, 0), {now.keys, kD});
  k.loadNz(vL1, k.tensor("v").at(old.key, 0), {old.keys, kD});
  const float scale = 1 / std::sqrt(128.0f);
  Cube &cube = state.cube;
  for (int64_t j = 0; j < 4; ++j) {
    const Index n = now.half(j % 2), rows = select(n > 0, now.rows(j / 2), 0);
    cube.multiply(cube.scores[j], q[j / 2], kL1.at(j % 2 * kHalf, 0), true,
                  {rows, n, kD}, false);
    k.fix(state.groups[j / 2].s.at(0, j % 2 * kHalf), cube.scores[j], {rows, n},
          {.scale = scale});
  }
  for (int64_t j = 0; j < 4; ++j) {
    cube.multiply(cube.sums[j / 2], state.groups[j / 2].p.at(0, j % 2 * kHalf),
                  vL1.at(j % 2 * kHalf, 0), false,
                  {old.rows(j / 2), kD, old.half(j % 2)}, j % 2);
    if (j == 1) {
      k.fix(state.o.at((2 * old.i + 2) % 3, 0, 0), cube.sums[0],
            {old.rows(0), kD});
    }
  }
}

using G = const Group &;
using N = const Index &;

/// Both groups in turn, so that none waits for its own result.
template <typename Command>
void both(State &state, const Round &round, const Command &command) {
  for (int64_t j : {0, 1}) {
    const Index rows = select(round.keys > 0, round.rows(j), 0);
    command(state.groups[j], rows, rows * 16);
  }
}

void softmax(const Kernel &k, State &state, const Round &now) {
  auto repeated = [](const Buffer &b) { return b.at(0, 0).blockStride(0); };
  k.when(now.i == 0, [&] { // the tile before ends
    auto each = [&](auto &&command) {
      for (const Group &g : state.groups) {
        command(g);
      }
    };
    each([&](G g) { k.rowSum(g.e, g.sum, {kRows, kHalf}); });
    each([&](G g) { k.broadcast(g.all, g.e, {kRows, 16}); });
    each([&](G g) { k.fill(g.sum, 0, {kRows, kHalf}); });
    each([&](G g) { k.fill(g.most, -65504, kRows * 16); });
  });
  if (state.causal) {
    for (int64_t j : {0, 1}) {
      state.causal->apply(k, state.groups[j], now.rows(j),
                          now.from + j * kRows - now.key);
    }
  }
  both(state, now, [&](G g, N n, N) { k.rowMax(g.e, g.s, {n, now.keys}); });
  both(state, now, [&](G g, N n, N) { k.broadcast(g.w, g.e, {n, 16}); });
  both(state, now, [&](G g, N, N n) { k.max(g.w, g.w, g.most, n); });
  both(state, now, [&](G g, N, N n) { k.expDifference(g.e, g.most, g.w, n); });
  both(state, now, [&](G g, N, N n) { k.copy(g.most, g.w, n); });
  both(state, now, [&](G g, N n, N) {
    k.expDifference(g.s, g.s, repeated(g.w), {n, now.keys});
    k.moveToL1(g.p, g.s, {n, ceilDiv(now.keys, 16)});
  });
}

/// The sums up to the old round, and the results where it was the last.
void accumulate(const Kernel &k, State &state, const Round &now,
                const Round &old) {
  const Tensor y = k.tensor("y");
  auto add = [&](int64_t j) { // the second group's places are one further
    k.madd(state.o.at((2 * old.i + 2 + j) % 3, 0, 0),
           state.o.at((2 * old.i + j) % 3, 0, 0),
           state.groups[j].wide.at(0, 0).blockStride(0), {old.rows(j), kD});
  };
  both(state, now, [&](G g, N n, N) {
    k.mul(g.sum, g.sum, g.e.at(0, 0).blockStride(0), {n, kHalf});
  });
  add(0);
  k.fix(state.o.at((2 * old.i + 3) % 3, 0, 0), state.cube.sums[1],
        {old.rows(1), kD});
  for (int64_t h : {0, 1}) {
    both(state, now, [&](G g, N n, N) {
      k.add(g.sum, g.sum, g.s.at(0, h * kHalf), {n, now.half(h)});
    });
  }
  add(1);
  auto each = [&](auto &&command) {
    for (int64_t j : {0, 1}) {
      command(state.groups[j], state.o.at((2 * old.i + 2 + j) % 3, 0, 0), j);
    }
  };
  using P = const Place &;
  k.when(now.i == 0, [&] {
    each([&](G g, P, int64_t) { k.cast(g.wide, g.all, kRows * 16); });
    each([&](G g, P, int64_t) { k.reciprocal(g.wide, g.wide, kRows * 16); });
    each([&](G g, P o, int64_t j) {
      k.mul(o, o, g.wide.at(0, 0).blockStride(0), {old.rows(j), kD});
    });
    each([&](G g, P o, int64_t j) {
      const Index first = min(y.dim(0) - 1, old.from + j * kRows);
      k.cast(g.y, o, {old.rows(j), kD});
      k.store(y.at(first, 0), g.y, {old.rows(j), kD});
    });
  });
  both(state, now, [&](G g, N, N n) { k.cast(g.wide, g.e, n); });
}

void kernel(const Kernel &k) {
  const Tensor queries = k.tensor("q");
  const int64_t M = queries.dim(0);
  const int64_t tiles = ceilDiv(M, 2 * kRows), blocks = min(k.cores(), tiles);
  for (Index block : k.blocks(blocks)) {
    State state(k);
    // One tile more than there is: the products of the last round.
    for (Index tile : k.range(block, tiles + blocks, blocks).buffers(2)) {
      const Condition real = tile < tiles;
      const Round first(k, tile, k.constant(0), real);
      std::vector<Buffer> q;
      for (int64_t j : {0, 1}) {
        q.push_back(k.l1Nz(f16, kRows, kD, "q"));
        k.loadNz(q[j], queries.at(min(M - 1, first.from + j * kRows), 0),
                 {first.rows(j), kD});
      }
      const Index before = max(0, tile - blocks);
      const Round end(k, before, k.constant(0), tile > block);
      for (Index i : k.range(0, select(real, first.rounds, 1)).buffers(2)) {
        const Round now(k, tile, i, real);
        const Round old(k, select(i > 0, tile, before),
                        select(i > 0, i, end.rounds) - 1,
                        i > 0 || tile > block);
        products(k, state, q, now, old);
        softmax(k, state, now);
        accumulate(k, state, now, old);
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
