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
  d.edge({{"M", 200}, {"N", 600}, {"softmax", f32}});
  d.edge({{"M", 200}, {"N", 70}, {"causal", 1}});
  d.edge({{"M", 333}, {"N", 333}, {"causal", 1}});
  d.edge({{"M", 333}, {"N", 333}, {"causal", 1}, {"softmax", f32}});
  d.tolerance(f16, 2e-3, 3e-3,
              "fp16 scores below 8: 2^-9 in the exponent; |v| <= 1; fp32: "
              "probabilities, their sums and y in 11 bits");
}
// [declaration]

// Of the head; queries of a tile; keys of a round, and of a piece of it.
constexpr int64_t kD = 128, kRows = 128, kKeys = 256, kPiece = 128;
constexpr int64_t kHalf = 64; // of the head, a tile, a piece

// [causal]
/// Hides the keys behind each query in the piece that has the same numbers as
/// the queries: keys before it are seen, keys after it are not in the round.
struct Causal {
  Causal(const Kernel &k, Type type)
      : lowest(k.ub(type, {16}, "lowest")),
        hidden(k.ub(u8, {kPiece, 32}, "hidden")) {
    const Buffer key = k.ub(f16, {kPiece, 16}, "key");
    const Buffer query = k.ub(f16, {kRows}, "query");
    k.iota(key, 0, 1.0 / 16, kPiece * 16); // row r: r to below r + 1
    k.iota(query, 1, 1, kRows);
    k.compare(Compare::greaterEqual, hidden, key.at(0, 0).blockStride(0),
              query.at(0).broadcastRow(), {kPiece, kRows});
    k.fill(lowest, -65504, 16);
  }
  Buffer lowest, hidden;
};
// [causal]

// [state]
/// Round i of a tile of queries: some keys. 0 queries: there is no such tile.
struct Round {
  Index tile, i, rows, keys;
};

/// What a core keeps from round to round.
struct Attention {
  const Kernel &k;
  const Index &block;
  const int64_t blocks;
  const Tensor q = k.tensor("q"), key = k.tensor("k"), v = k.tensor("v");
  const Type type = static_cast<Type>(k.attribute("softmax"));
  const std::optional<Causal> causal =
      k.attribute("causal") ? std::optional<Causal>({k, type}) : std::nullopt;
  // Scores and their exponentials: a row per key, a column per query.
  const Buffer s[2] = {k.ub(type, {kPiece, kRows}, "s0"),
                       k.ub(type, {kPiece, kRows}, "s1")};
  const Buffer part = tiles::filled(k, f16, {kHalf, kRows}, 0, "part");
  // A number per query; wide and sums: of each quarter of the keys.
  const Buffer top0 = tiles::filled(k, type, {kRows}, -65504, "top0");
  const Buffer top1 = tiles::filled(k, type, {kRows}, -65504, "top1");
  const Buffer top = tiles::filled(k, type, {kRows}, -65504, "top");
  const Buffer last = tiles::filled(k, type, {kRows}, -65504, "last");
  const Buffer fade = tiles::filled(k, f32, {kRows}, 0, "fade");
  const Buffer total = tiles::filled(k, f32, {kRows}, 0, "total");
  const Buffer more = k.ub(f32, {kRows}, "more");
  const Buffer sums = tiles::filled(k, f16, {4, kRows}, 0, "sums");
  const Buffer wide = k.ub(f32, {4, kRows}, "wide");
  // Results, a row per element of the head: half h of the queries in `one`, the
  // other in place h of `two`; the next round leaves them the other way round.
  const Buffer one = tiles::filled(k, f32, {kD, kHalf}, 0, "one");
  const Buffer two = tiles::filled(k, f32, {2, kD, kHalf}, 0, "two");
  const Buffer turned = type == f32 ? s[1] : k.ub(f32, {130, kHalf}, "turned");
  const Buffer vL1 = k.l1Nz(f16, kKeys, kD, "vL1");
  const Buffer p[2] = {k.l1Nz(f16, kPiece, kRows, "p0"),
                       k.l1Nz(f16, kPiece, kRows, "p1")};
  const Buffer a[2] = {k.l0a(f16, 128, 128, "a0"), k.l0a(f16, 128, 128, "a1")};
  const Buffer b[2] = {k.l0b(f16, 128, 128, "b0"), k.l0b(f16, 128, 128, "b1")};
  const Buffer scores[2] = {k.l0c(f32, kPiece, kRows, "scores0"),
                            k.l0c(f32, kPiece, kRows, "scores1")};

  /// Keys that the last query of a tile sees.
  Index seen(const Index &tile) const {
    const Index N = k.constant(key.dim(0));
    return causal ? min(N, (tile + 1) * kRows) : N;
  }
  Round round(const Index &tile, const Index &i) const {
    const Index rows = piece(k.constant(q.dim(0)), tile, kRows);
    return {tile, i, rows, select(rows > 0, piece(seen(tile), i, kKeys), 0)};
  }
  /// The round before, maybe the last of the tile before; before the first one
  /// are rounds of tiles behind the last one.
  Round before(const Round &r) const {
    const int64_t far = ceilDiv(q.dim(0), kRows) + 3 * blocks;
    const Index tile = select(r.tile > block, r.tile - blocks, far);
    const Index from = select(r.i > 0, r.tile, tile);
    return round(from, select(r.i > 0, r.i, ceilDiv(seen(from), kKeys)) - 1);
  }
  void products(const Buffer &, const Buffer &, const Round &, const Round &,
                const Round &) const;
  void softmax(const Buffer &, const Round &, const Round &) const;
  void store(const Round &, const Index &, const Buffer &, const Index &) const;
};
// [state]

// [kernel]
/// Products of the old round, then scores of the next one, while those of this
/// round go to UB. Where a count is 0 nothing happens.
void Attention::products(const Buffer &acc, const Buffer &qL1,
                         const Round &next, const Round &now,
                         const Round &old) const {
  for (int64_t h : {0, 1}) {
    const Index n = piece(old.keys, h, kPiece);
    k.loadFractals(a[h], vL1.at(h * kPiece, 0), {kD / 16, ceilDiv(n, 16)},
                   {kKeys / 16, 1}, true);
    k.loadB(b[h], p[h], {n, old.rows});
    k.mmad(acc, a[h], b[h], {kD, old.rows, n}, h == 1);
  }
  for (int64_t h : {0, 1}) {
    const Index n = piece(next.keys, h, kPiece);
    const Buffer kL1 = k.l1Nz(f16, kPiece, kD, "kL1");
    k.loadNz(kL1, key.at(min(key.dim(0) - 1, next.i * kKeys + h * kPiece), 0),
             {n, kD});
    if (h == 1) {              // s1 is free
      k.when(old.i == 0, [&] { // the tile before has ended
        const Round end = before(old);
        const Index half = end.i % 2, other = 1 - half;
        k.reciprocal(more, total, kRows);
        store(end, other, one, k.constant(0));
        store(end, half, two, other * (kD * kHalf));
      });
    }
    k.fix(s[h], scores[h], {piece(now.keys, h, kPiece), now.rows},
          {.scale = 1 / std::sqrt(128.0f)});
    k.loadA(a[h], kL1, {n, kD});
    k.loadBTransposed(b[h], qL1, {kD, next.rows});
    k.mmad(scores[h], a[h], b[h], {n, next.rows, kD}, false);
  }
  k.loadNz(vL1, v.at(now.i * kKeys, 0), {now.keys, kD});
}

/// Half h of the results of a tile, in o from `first` on: a row per query.
void Attention::store(const Round &r, const Index &h, const Buffer &o,
                      const Index &first) const {
  const Index from = r.tile * kRows + h * kHalf, n = piece(r.rows, h, kHalf);
  const int64_t pitch = kHalf + 1; // blocks: those of a row in all groups of UB
  k.mul(o.at(first), o.at(first), more.at(h * kHalf).broadcastRow(), {kD, n});
  for (int64_t d = 0; d < kD; d += 8) {
    k.toBlocked(turned.at(d * pitch).rowPitch(8), o.at(first + d * kHalf),
                {8, n});
  }
  k.cast(part, turned.at(0).rowPitch(8).blockStride(pitch), {n, kD});
  k.store(k.tensor("y").at(min(q.dim(0) - 1, from), 0), part, {n, kD});
}

/// Exponentials of this round, results up to the old one.
void Attention::softmax(const Buffer &acc, const Round &now,
                        const Round &old) const {
  const Index h = old.i % 2, other = 1 - h, rows = now.rows;
  const Index keys[2] = {piece(now.keys, 0, kPiece),
                         piece(now.keys, 1, kPiece)};
  auto fix = [&](const Place &to, const Index &half) {
    k.fix(to, acc.at(half * (kHalf * kD)), {kD, piece(old.rows, half, kHalf)});
  };
  // Quarter j of the results: what was, faded, and the products.
  auto add = [&](int64_t j) {
    const Index half = j < 2 ? h : other, n = piece(old.rows, half, kHalf);
    const Place mine = one.at(j % 2 * kHalf, 0);
    const Place place = two.at(j < 2 ? other : h, j % 2 * kHalf, 0);
    k.madd(j < 2 ? place : mine, j < 2 ? mine : place,
           fade.at(half * kHalf).broadcastRow(), {kHalf, n});
  };
  fix(two.at(other, 0, 0), h);
  k.when(now.i == 0, [&] { k.fill(last, -65504, kRows); });
  for (int64_t g = 0; g < 2 && causal; ++g) {
    k.when(now.tile * kRows == now.i * kKeys + g * kPiece, [&] {
      k.select(s[g], causal->hidden,
               causal->lowest.at(0).broadcastRow().blockStride(0), s[g],
               {keys[g], max(1, rows)});
    });
  }
  k.fill(top1, -65504, kRows);
  k.maxOfRows(top0, s[0], {keys[0], rows});
  k.cast(wide, sums, {4, old.rows});
  k.maxOfRows(top1, s[1], {keys[1], rows});
  k.max(top0, top0, last, rows);
  k.sumOfRows(more, wide, {4, old.rows});
  k.mul(total, total, fade, old.rows);
  k.max(top, top0, top1, rows);
  for (int64_t j = 0; j < 4; ++j) { // quarters of the keys
    const Index n = piece(keys[j / 2], j % 2, kHalf);
    k.expDifference(part, s[j / 2].at(j % 2 * kHalf, 0),
                    top.at(0).broadcastRow(), {n, rows});
    k.moveToL1(p[j / 2].at(j % 2 * kHalf, 0), part, {n, ceilDiv(rows, 16)});
    if (j == 0) {
      k.fill(sums, 0, 4 * kRows);
      k.add(total, total, more, old.rows);
    } else {
      add(j - 1);
    }
    if (j == 2) {
      fix(one, other);
    }
    k.sumOfRows(sums.at(j, 0), part, {n, rows});
  }
  add(3);
  k.expDifference(type == f32 ? fade : last, last, top, rows);
  if (type == f16) {
    k.cast(fade, last, rows);
  }
  k.copy(last, top, rows);
}

void kernel(const Kernel &k) {
  const int64_t M = k.tensor("q").dim(0);
  const int64_t tiles = ceilDiv(M, kRows), blocks = min(k.cores(), tiles);
  for (Index block : k.blocks(blocks)) {
    const Attention core{k, block, blocks};
    // Three rounds more than there are: softmax, products, and what follows.
    for (Index tile : k.range(block, tiles + blocks, blocks).buffers(2)) {
      const Index rounds = ceilDiv(core.seen(tile), kKeys);
      const Buffer q = k.l1Nz(f16, kRows, kD, "q");
      k.loadNz(q, core.q.at(min(M - 1, tile * kRows), 0),
               {core.round(tile, k.constant(0)).rows, kD});
      for (Index i : k.range(0, select(tile < tiles, rounds, 3)).buffers(2)) {
        const Round next = core.round(tile, i), now = core.before(next);
        const Round old = core.before(now);
        const Buffer acc = k.l0c(f32, kD, kRows, "acc");
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

KILN_OPERATOR(declare, kernel, reference)
