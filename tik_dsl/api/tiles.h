// SPDX-License-Identifier: Apache-2.0
//
// Tiles: what kernels do again and again, made of the calls of Kernel and of
// nothing else. Read them as examples; copy one and change it where it does not
// fit.
//
//   tiles::elementwise(k, {x, y}, z, {.tile = 8192, .slots = 4},
//                      [&](auto &in, const Buffer &out, const Index &n) {
//                        k.add(out, in[0], in[1], n);
//                      });
//   tiles::copy(k, y.at(r, 0), t, {rows, cols});     // any two memories
//   tiles::product(k, acc, aL1, bL1, {m, n, depth}, add);
//   tiles::matrixTiles(k, M, N, 128, 256, [&](auto &m, auto &n, auto &rows,
//                                             auto &cols) {
//     tiles::productOfTensors(k, acc, {a, b, m, n}, {rows, cols, K});
//   });
//   auto n = tiles::split(k, rows, 16, 2); // min(16, rows) and the rest
//   auto part = tiles::piece(rows, i, 16);  // of the rows, what piece i has
//   auto zeros = tiles::filled(k, f32, {rows, 64}, 0, "zeros");
//   tiles::softmaxRows(k, t, {rows, cols});
//   tiles::sumRows(k, sums, t, {rows, cols});
//   tiles::transpose(k, out, in, {rows, cols});
//
// Buffers that these functions need live in the scope they are called in. Lines
// of messages and traces are the caller's (Kernel::calledFrom()).
#pragma once

#include "tik_dsl/api/kernel.h"

#include <vector>

namespace kiln::tik::tiles {

struct Walk {
  int64_t tile = 8192; // elements of each input and of the output in UB
  uint32_t slots = 4;  // of each, 1 to 8
};

/// out = body(inputs), element by element, over flat tensors of any length,
/// spread over the cores. The body is called once, with a tile of each input.
template <typename Body>
void elementwise(const Kernel &k, const std::vector<Tensor> &inputs,
                 const Tensor &out, const Walk &walk, const Body &body,
                 Line line = Line::current()) {
  const auto called = k.calledFrom(line);
  const int64_t n = out.size();
  const int64_t share = alignUp(ceilDiv(n, k.cores()), walk.tile);
  for (Index block : k.blocks(ceilDiv(n, share))) {
    const Index from = block * share, to = min(n, from + share);
    for (Index i : k.range(from, to, walk.tile).buffers(walk.slots)) {
      const Index count = min(walk.tile, to - i);
      std::vector<Buffer> in;
      for (const Tensor &input : inputs) {
        in.push_back(k.ub(input.type(), {walk.tile}, "input"));
        k.load(in.back(), input.at(i), count);
      }
      const Buffer result = k.ub(out.type(), {walk.tile}, "result");
      body(in, result, count);
      k.store(out.at(i), result, count);
    }
  }
}

/// The sizes of `parts` pieces that `count` falls into: `part` each as long as
/// it lasts, 0 behind that; count is at most parts * part. For pieces whose
/// commands take turns, so that none waits for the one before it.
inline std::vector<Index> split(const Kernel &k, const Index &count,
                                int64_t part, int64_t parts,
                                Line line = Line::current()) {
  const auto called = k.calledFrom(line);
  std::vector<Index> sizes;
  Index left = count;
  for (int64_t i = 1; i < parts; ++i) {
    sizes.push_back(min(part, left));
    left = left - sizes.back();
  }
  sizes.push_back(left);
  return sizes;
}

/// What piece i, known now or at run time, of `part` each has of `count`.
template <typename Number>
Index piece(const Index &count, const Number &i, int64_t part) {
  return max(0, min(part, count - i * part));
}

/// A buffer in UB with `value` everywhere.
inline Buffer filled(const Kernel &k, Type type,
                     std::initializer_list<int64_t> dims, const Number &value,
                     const char *name, Line line = Line::current()) {
  const auto called = k.calledFrom(line);
  const Buffer buffer = k.ub(type, dims, name);
  k.fill(buffer, value, buffer.size());
  return buffer;
}

/// Rows x columns from one memory to another, whatever the two are: GM to UB or
/// L1 (column blocks where dst has them), UB to GM, UB or L1, L1 to L0A, L0C to
/// everything. UB to L1 moves whole blocks of 32 bytes.
inline void copy(const Kernel &k, const Place &dst, const Place &src,
                 const Tile &tile, Line line = Line::current()) {
  const auto called = k.calledFrom(line);
  const bool blocked = dst.nzRows() > 0;
  if (src.space() == KILN_TIK_GM) {
    blocked ? k.loadNz(dst, src, tile) : k.load(dst, src, tile);
  } else if (src.space() == KILN_TIK_L0C) {
    k.fix(dst, src, tile);
  } else if (src.space() == KILN_TIK_L1) {
    k.loadA(dst, src, tile);
  } else if (dst.space() == KILN_TIK_GM) {
    k.store(dst, src, tile);
  } else if (dst.space() == KILN_TIK_L1) {
    const Operand blocks =
        tile.cols.isConstant()
            ? Operand(ceilDiv(tile.cols.constant(), blockElements(src.type())))
            : Operand(ceilDiv(tile.cols, blockElements(src.type())));
    k.moveToL1(dst, src, {tile.rows, blocks});
  } else {
    k.copy(dst, src, tile);
  }
}

// [product]
struct L0Steps {
  int64_t step = 64;       // of k
  bool transposed = false; // b is [n, k]; every cube type, not only 16 bits
  const Buffer *bias = nullptr;
  uint32_t slots = 2; // of the pieces in L1
};

/// acc = a x b (+ bias), or acc += a x b where `add` holds: column-block
/// matrices in L1 of any depth, a step of k after the other.
inline void product(const Kernel &k, const Buffer &acc, const Buffer &a,
                    const Buffer &b, const Product &size, const Condition &add,
                    const L0Steps &how = {}, Line line = Line::current()) {
  const auto called = k.calledFrom(line);
  const int64_t rows = acc.dim(0), cols = acc.dim(1);
  for (Index k0 : k.range(0, size.k, how.step).buffers(2)) {
    const Index depth = min(how.step, k.constant(0) + size.k - k0);
    const Buffer aL0 = k.l0a(a.type(), rows, how.step, "aL0");
    const Buffer bL0 = k.l0b(b.type(), how.step, cols, "bL0");
    const Product piece = {size.m, size.n, depth};
    k.loadA(aL0, a.at(0, k0), {size.m, depth});
    how.transposed ? k.loadBTransposed(bL0, b.at(0, k0), {depth, size.n})
                   : k.loadB(bL0, b.at(k0, 0), {depth, size.n});
    how.bias ? k.mmadBias(acc, aL0, bL0, *how.bias, piece, add || k0 != 0)
             : k.mmad(acc, aL0, bL0, piece, add || k0 != 0);
  }
}

/// Which rows of a and columns of b a tile of the product takes.
struct Corner {
  const Tensor &a, &b;
  Index m, n;
};

/// acc = the tile {size.m, size.n} of a x b at a corner, a and b in global
/// memory, size.k of any length: pieces of `depth` in L1, steps in L0.
inline void productOfTensors(const Kernel &k, const Buffer &acc,
                             const Corner &from, const Product &size,
                             int64_t depth = 256, const L0Steps &how = {},
                             Line line = Line::current()) {
  const auto called = k.calledFrom(line);
  const int64_t rows = acc.dim(0), cols = acc.dim(1);
  const Type type = from.a.type();
  for (Index k1 : k.range(0, size.k, depth).buffers(how.slots)) {
    const Index count = min(depth, k.constant(0) + size.k - k1);
    const Buffer a = k.l1Nz(type, rows, depth, "aL1");
    const Buffer b = how.transposed ? k.l1Nz(type, cols, depth, "bL1")
                                    : k.l1Nz(type, depth, cols, "bL1");
    k.loadNz(a, from.a.at(from.m, k1), {size.m, count});
    how.transposed ? k.loadNz(b, from.b.at(from.n, k1), {size.n, count})
                   : k.loadNz(b, from.b.at(k1, from.n), {count, size.n});
    product(k, acc, a, b, {size.m, size.n, count}, k1 != 0, how);
  }
}

/// Blocks for so many tiles: at most the cores; all cores where the launch
/// gives the number.
inline int64_t blocksFor(const Kernel &k, int64_t tiles) {
  return min(k.cores(), tiles);
}
inline int64_t blocksFor(const Kernel &k, const Index &) { return k.cores(); }

/// The tiles of an M x N matrix, spread over the cores; sizes known now or at
/// run time. body(m, n, rows, cols) is called once, in a loop of two slots.
template <typename Size, typename Body>
void matrixTiles(const Kernel &k, const Size &M, const Size &N, int64_t tileM,
                 int64_t tileN, const Body &body, Line line = Line::current()) {
  const auto called = k.calledFrom(line);
  const Size across = ceilDiv(N, tileN), tiles = ceilDiv(M, tileM) * across;
  const int64_t blocks = blocksFor(k, tiles);
  for (Index block : k.blocks(blocks)) {
    for (Index tile : k.range(block, tiles, blocks).buffers(2)) {
      const Index m = tile / across * tileM, n = tile % across * tileN;
      body(m, n, Index(min(tileM, M - m)), Index(min(tileN, N - n)));
    }
  }
}
// [product]

/// Row and column of tile number `tile` of a matrix of `down` x `across` tiles,
/// counted in bands: down the `rows` rows of a band, then the next column; a
/// band after the other. Blocks that run side by side then share rows and
/// columns of the operands, which the L2 reads once. 1 row: row by row.
struct TileAt {
  Index row, col;
};
inline TileAt inBands(const Index &tile, int64_t down, int64_t across,
                      int64_t rows) {
  const int64_t most = min(rows, down);
  const Index top = tile / (most * across) * most;
  const Index at = tile % (most * across), high = min(most, down - top);
  return {top + at % high, at / high};
}

/// sums[r, 0] = the sum of row r.
inline void sumRows(const Kernel &k, const Buffer &sums, const Buffer &t,
                    const Tile &tile, Line line = Line::current()) {
  const auto called = k.calledFrom(line);
  k.rowSum(sums, t, tile);
}
/// most[r, 0] = the maximum of row r.
inline void maxRows(const Kernel &k, const Buffer &most, const Buffer &t,
                    const Tile &tile, Line line = Line::current()) {
  const auto called = k.calledFrom(line);
  k.rowMax(most, t, tile);
}

/// One element per row, spread over a block of 32 bytes of the row: the operand
/// of a command on rows of any length.
inline Place spread(const Kernel &k, const Buffer &perRow, const Operand &rows,
                    Line line = Line::current()) {
  const auto called = k.calledFrom(line);
  const int64_t c0 = blockElements(perRow.type());
  const Buffer blocks = k.ub(perRow.type(), {perRow.dim(0), c0}, "blocks");
  k.broadcast(blocks, perRow, {rows, c0});
  return blocks.at(0, 0).blockStride(0);
}

/// Each row of t becomes its softmax, in place.
inline void softmaxRows(const Kernel &k, const Buffer &t, const Tile &tile,
                        Line line = Line::current()) {
  const auto called = k.calledFrom(line);
  const Buffer one = k.ub(t.type(), {t.dim(0), blockElements(t.type())}, "one");
  k.rowMax(one, t, tile);
  k.expDifference(t, t, spread(k, one, tile.rows), tile);
  k.rowSum(one, t, tile);
  k.div(t, t, spread(k, one, tile.rows), tile);
}

/// out[c, r] = in[r, c], both in UB; 16 rows (8-bit: 32, 32-bit: 8) at a time.
/// out has whole blocks per row.
inline void transpose(const Kernel &k, const Buffer &out, const Buffer &in,
                      const Tile &tile, Line line = Line::current()) {
  const auto called = k.calledFrom(line);
  const int64_t c0 = blockElements(in.type());
  for (Index r : k.range(0, tile.rows, c0)) {
    k.toBlocked(out.at(0, r).blockStride(out.dim(1) / c0), in.at(r, 0),
                {min(c0, k.constant(0) + tile.rows - r), tile.cols});
  }
}

} // namespace kiln::tik::tiles
