// SPDX-License-Identifier: Apache-2.0
//
// Example 12: attention, y = softmax(Q x K' / sqrt(128)) x V, for one head of
// 128, without ever storing the scores; the softmax in fp16 or fp32.
//
//   kiln test-op tik_dsl/examples/12_flash_attention.cpp
//
// Shown here: a pipeline of all six pipes. Scores of 256 keys at a time, a
// running maximum and sum per query (Dao et al., FlashAttention, 2022). The
// cube computes K x Q' and V' x P', so what belongs to a query is an element of
// one row: maxima and sums go over rows, and no command spreads a number along
// one. Three rounds are under way at once: scores of the next one, exponentials
// of this one, products with V of the one before. The rounds of all tiles are
// one sequence. New results are the products plus the faded old ones, so the
// two halves of a tile's queries move between three places. Causal attention
// ends at the keys that the last query of a tile sees, and hides with a mask
// what is behind the others.
#include "tik_dsl/api/tik.h"
#include "tik_dsl/api/tiles.h"

#include <algorithm>
#include <cmath>
#include <optional>
#include <vector>

using namespace kiln::tik;
using tiles::piece;

namespace {

// [declaration]
void declare(Declaration &d) {
  d.name("flash_attention", "softmax(Q x K' / sqrt(128)) x V");
  d.input("q", f16, {"M", 128}, {-2, 2}).input("k", f16, {"N", 128}, {-2, 2});
  d.input("v", f16, {"N", 128}).output("y", f16, {"M", 128});
  d.attribute("causal", {0, 1}); // 1: query m sees the keys 0 to m
  d.attribute("softmax", {f16, f32});
  d.macs({"M", "N", 2, 128});
  d.shape({{"M", 512}, {"N", 512}}).shape({{"M", 200}, {"N", 600}});
  d.shape({{"M", 512}, {"N", 512}, {"softmax", f32}});
  d.shape({{"M", 512}, {"N", 512}, {"causal", 1}});
  d.edge({{"M", 1}, {"N", 1}}).edge({{"M", 65}, {"N", 257}});
  d.edge({{"M", 128}, {"N", 256}}).edge({{"M", 385}, {"N", 130}});
  d.edge({{"M", 1}, {"N", 1}, {"softmax", f32}});
  d.edge({{"M", 300}, {"N", 8}, {"softmax", f32}});
  d.edge({{"M", 200}, {"N", 600}, {"softmax", f32}});
  d.edge({{"M", 200}, {"N", 70}, {"causal", 1}});
  d.edge({{"M", 333}, {"N", 333}, {"causal", 1}});
  d.edge({{"M", 333}, {"N", 333}, {"causal", 1}, {"softmax", f32}});
  d.tolerance(f16, 1e-3, 1.25e-3,
              "as with fp32, and scores below 4 in 11 bits: of two keys "
              "2 x 2^-10 / 4 x |v1 - v2| <= 2^-10");
  d.tolerance(
      f16, 1e-3, 2.5e-4,
      "sums of probabilities and y in 11 bits: 2 x 2^-11 of |y|; "
      "probabilities in 11 bits, that of the largest score exact: 2^-12",
      {{"softmax", f32}});
}
// [declaration]

constexpr int64_t kN = 128, kHalf = 64; // of the head, and queries of a tile

// [knobs]
void knobs(const Knobs &k) {
  // Keys; a round has two pieces. A mask has as many keys as queries.
  const int64_t least = k.attribute("causal") ? kN : 32;
  k.knob("piece", kN, multiples(least).upTo(kN));
}
// [knobs]

// [causal]
/// A bit per key (row) and query (column) of the same numbers: whether the key
/// is behind the query.
Buffer behind(const Kernel &k) {
  const Buffer bits = k.ub(u8, {kN, 32}, "bits");
  const Buffer key = k.ub(f16, {kN, 16}, "key"),
               query = k.ub(f16, {kN}, "query");
  k.iota(key, 0, 1.0 / 16, kN * 16); // row r: r to below r + 1
  k.iota(query, 1, 1, kN);
  k.compare(Compare::greaterEqual, bits, key.at(0, 0).blockStride(0),
            query.at(0).broadcastRow(), {kN, kN});
  return bits;
}
// [causal]

// [kernel]
/// Round i of a tile of queries: some keys. 0 queries: there is no such tile.
struct Round {
  Index tile, i, rows, keys;
};

/// A core, and what it keeps from round to round.
struct Core {
  const Kernel &k;
  const Index &block;
  const int64_t blocks, none; // none: there is no tile of this number
  const Tensor q = k.tensor("q"), key = k.tensor("k"), v = k.tensor("v");
  const Type type = static_cast<Type>(k.attribute("softmax"));
  const int64_t nk = k.knob("piece"), keys = 2 * nk; // of a round
  const std::optional<Buffer> hidden =
      k.attribute("causal") ? std::optional(behind(k)) : std::nullopt;
  // Scores and their exponentials: a row per key, a column per query.
  const Buffer s[2] = {k.ub(type, {nk, kN}, "s0"), k.ub(type, {nk, kN}, "s1")};
  const Buffer part = tiles::filled(k, f16, {kHalf, kN}, 0, "part");
  // A number per query. sums, wide: by quarter of the keys; wide: and of
  // before.
  const Buffer least = tiles::filled(k, type, {kN}, -65504, "least");
  const Buffer top0 = tiles::filled(k, type, {kN}, -65504, "top0");
  const Buffer top1 = k.ub(type, {kN}, "top1");
  const Buffer top = tiles::filled(k, type, {kN}, -65504, "top");
  const Buffer last = tiles::filled(k, type, {kN}, -65504, "last");
  const Buffer fade = tiles::filled(k, f32, {kN}, 0, "fade");
  const Buffer total = tiles::filled(k, f32, {kN}, 0, "total");
  const Buffer sums = tiles::filled(k, f16, {4, kN}, 0, "sums");
  const Buffer wide = k.ub(f32, {5, kN}, "wide");
  // Results, a row per element of the head: half h of the queries in `one`, the
  // other in place h of `two`; the next round leaves them the other way round.
  const Buffer one = tiles::filled(k, f32, {kN, kHalf}, 0, "one");
  const Buffer two = tiles::filled(k, f32, {2, kN, kHalf}, 0, "two");
  const Buffer turned =
      type == f32 && nk == kN ? s[1] : k.ub(f32, {130, kHalf}, "turned");
  const Buffer vL1 = k.l1Nz(f16, keys, kN, "vL1");
  const Buffer p[2] = {k.l1Nz(f16, nk, kN, "p0"), k.l1Nz(f16, nk, kN, "p1")};
  const Buffer a[2] = {k.l0a(f16, kN, kN, "a0"), k.l0a(f16, kN, kN, "a1")};
  const Buffer b[2] = {k.l0b(f16, kN, kN, "b0"), k.l0b(f16, kN, kN, "b1")};
  const Buffer c[2] = {k.l0c(f32, kN, kN, "c0"), k.l0c(f32, kN, kN, "c1")};

  /// Keys that the last query of a tile sees.
  Index seen(const Index &tile) const {
    const Index N = k.constant(key.dim(0));
    return hidden ? min(N, (tile + 1) * kN) : N;
  }
  Round round(const Index &tile, const Index &i) const {
    const Index rows = piece(q.dim(0), tile, kN);
    return {tile, i, rows, select(rows > 0, piece(seen(tile), i, keys), 0)};
  }
  /// The round before, maybe the last of the tile before; before the first one
  /// are rounds of tiles behind the last one.
  Round before(const Round &r) const {
    const Index tile = select(r.tile > block, r.tile - blocks, none);
    const Index t = select(r.i > 0, r.tile, tile);
    return round(t, select(r.i > 0, r.i, ceilDiv(seen(t), keys)) - 1);
  }

  /// Products of the old round, then scores of the next one, while those of
  /// this round go to UB. Where a count is 0 nothing happens.
  void products(const Buffer &acc, const Buffer &qL1, const Round &next,
                const Round &now, const Round &old) const {
    for (int64_t h : {0, 1}) {
      const Index n = piece(old.keys, h, nk);
      k.loadFractals(a[h], vL1.at(h * nk, 0), {8, ceilDiv(n, 16)},
                     {keys / 16, 1}, true);
      k.loadB(b[h], p[h], {n, old.rows});
      k.mmad(acc, a[h], b[h], {kN, old.rows, n}, h == 1);
    }
    for (int64_t h : {0, 1}) {
      const Index n = piece(next.keys, h, nk), from = next.i * keys + h * nk;
      const Buffer kL1 = k.l1Nz(f16, nk, kN, "kL1");
      k.loadNz(kL1, key.at(min(key.dim(0) - 1, from), 0), {n, kN});
      if (h == 1) { // s1, where results are turned, is free up to here
        k.when(old.i == 0, [&] { results(before(old)); });
      }
      k.fix(s[h], c[h], {piece(now.keys, h, nk), now.rows},
            {.scale = 1 / std::sqrt(128.0f)});
      k.loadA(a[h], kL1, {n, kN});
      k.loadBTransposed(b[h], qL1, {kN, next.rows});
      k.mmad(c[h], a[h], b[h], {n, next.rows, kN}, false);
    }
    k.loadNz(vL1, v.at(now.i * keys, 0), {now.keys, kN});
  }
  /// A row per query of the tile that ends with round r. Blocks of a row are
  /// `pitch` apart, so they lie in all groups of UB.
  void results(const Round &r) const {
    k.reciprocal(wide, total, kN);
    for (int64_t j : {0, 1}) {
      const Index g = 1 - r.i % 2, h = j ? 1 - g : g;
      const Index from = r.tile * kN + h * kHalf, n = piece(r.rows, h, kHalf);
      auto row = [&](int64_t d) { return j ? two.at(g, d, 0) : one.at(d, 0); };
      const int64_t pitch = kHalf + 1;
      k.mul(row(0), row(0), wide.at(h * kHalf).broadcastRow(), {kN, n});
      for (int64_t d = 0; d < kN; d += 8) {
        k.toBlocked(turned.at(d * pitch).rowPitch(8), row(d), {8, n});
      }
      k.cast(part, turned.at(0).rowPitch(8).blockStride(pitch), {n, kN});
      k.store(k.tensor("y").at(min(q.dim(0) - 1, from), 0), part, {n, kN});
    }
  }
  /// Exponentials of this round, results up to the old one.
  void softmax(const Buffer &acc, const Round &now, const Round &old) const {
    const Index rows = now.rows;
    for (int64_t h = 0; hidden && h < 2; ++h) {
      k.when(now.tile * kN == now.i * keys + h * nk, [&] {
        k.select(s[h], *hidden, least, s[h],
                 {piece(now.keys, h, nk), max(1, rows)});
      });
    }
    k.copy(top1, least, kN);
    k.maxOfRows(top0, s[0], {piece(now.keys, 0, nk), rows});
    k.copy(last, top, kN);
    k.when(now.i == 0, [&] { k.copy(last, least, kN); });
    k.cast(wide, sums, {4, old.rows});
    k.maxOfRows(top1, s[1], {piece(now.keys, 1, nk), rows});
    k.max(top0, top0, last, rows);
    k.mul(wide.at(4, 0), total, fade, old.rows);
    k.fill(sums, 0, 4 * kN);
    k.max(top, top0, top1, rows);
    k.sumOfRows(total, wide, {5, old.rows});
    for (int64_t h : {0, 1}) { // of the keys, and in turn of the queries
      const Index g = old.i % 2, half = h ? 1 - g : g;
      const Place mine = one, place = two.at(h ? g : 1 - g, 0, 0);
      const Tile tile{kN, piece(old.rows, half, kHalf)};
      k.fix(h ? mine : place, acc.at(half * (kHalf * kN)), tile);
      for (int64_t j : {0, 1}) {
        const Index n = piece(now.keys, 2 * h + j, nk / 2);
        k.expDifference(part, s[h].at(j * (nk / 2), 0), top, {n, rows});
        k.moveToL1(p[h].at(j * (nk / 2), 0), part, {n, ceilDiv(rows, 16)});
        k.sumOfRows(sums.at(2 * h + j, 0), part, {n, rows});
      }
      k.madd(h ? mine : place, h ? place : mine, fade.at(half * kHalf), tile);
    }
    k.expDifference(type == f32 ? fade : last, last, top, rows);
    if (type == f16) {
      k.cast(fade, last, rows);
    }
  }
};

void kernel(const Kernel &k) {
  const int64_t M = k.tensor("q").dim(0);
  const int64_t tiles = ceilDiv(M, kN), blocks = min(k.cores(), tiles);
  for (Index block : k.blocks(blocks)) {
    const Core core{k, block, blocks, tiles + 3 * blocks};
    // Three rounds more than there are: softmax, products, and what follows.
    for (Index t : k.range(block, tiles + blocks, blocks).buffers(2)) {
      const Buffer q = k.l1Nz(f16, kN, kN, "q");
      k.loadNz(q, core.q.at(min(M - 1, t * kN), 0), {piece(M, t, kN), kN});
      const Index rounds = ceilDiv(core.seen(t), core.keys);
      for (Index i : k.range(0, select(t < tiles, rounds, 3)).buffers(2)) {
        const Buffer acc = k.l0c(f32, kN, kN, "acc");
        const Round next = core.round(t, i), now = core.before(next);
        const Round old = core.before(now);
        core.products(acc, q, next, now, old);
        core.softmax(acc, now, old);
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

KILN_OPERATOR(declare, kernel, reference, knobs)
