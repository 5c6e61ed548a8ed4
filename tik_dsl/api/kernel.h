// SPDX-License-Identifier: Apache-2.0
//
// Kernel: what an author writes a kernel with. Every call appends to the
// kernel being built; nothing runs yet.
//
//   for (Index b : k.blocks(n)) { ... }                 // one block per core
//   for (Index i : k.range(0, n, tile).buffers(2)) {    // tiles, run time
//     Index count = min(tile, n - i);
//     Buffer t = k.ub(x.type(), {tile}, "t");           // two slots, in turn
//     k.load(t, x.at(i), count);                        // MTE2
//     k.exp(t, t, count);                               // V
//     k.store(y.at(i), t, count);                       // MTE3
//   }
//   k.when(i == 0, [&] { ... }).otherwise([&] { ... });
//
// Synchronisation, addresses and slots of buffers are made by the compiler.
// Two kinds of loop: blocks() spreads over cores and is the outermost
// construct; range() runs on one core. buffers(N) is the depth of every buffer
// created directly in the loop's body; a buffer's own depth wins.
//
// A tile is {rows, columns} in elements, or a count for one row. Counts may be
// run-time values: tails need neither masks nor a second loop.
//
// Errors: numbered (tik_dsl/builder/mistakes.h), at the author's line, when
// the kernel is built. Source of the instructions: isa/spec.
#pragma once

#include "tik_dsl/api/float_bits.h"
#include "tik_dsl/api/loops.h"
#include "tik_dsl/api/tensor.h"

namespace kiln::tik {

/// rows x cols elements; from one number: one row.
struct Tile {
  template <RunTimeInteger T>
  Tile(T count, Line line = Line::current())
      : rows(1, line), cols(count, line) {}
  template <RunTimeInteger T>
  Tile(const Scalar<T> &count, Line line = Line::current())
      : rows(1, line), cols(count, line) {}
  Tile(const Operand &r, const Operand &c) : rows(r), cols(c) {}
  Operand rows, cols;
};

/// Distances of fractals in L1, in fractals.
struct FractalStrides {
  int64_t outer, inner;
};

/// m x n x k of a matrix product.
struct Product {
  Operand m, n, k;
};

/// Whether mmad adds to the accumulator: known now, or a run-time condition.
class Accumulate {
public:
  Accumulate(bool on) : on_(on) {}
  Accumulate(const Condition &condition) : handle_(condition.handle()) {}
  KilnTikValue handle(const KilnTikTable *t) const {
    return handle_ != 0 ? handle_ : on_ ? t->constant(t->self, 1) : 0;
  }

private:
  KilnTikValue handle_ = 0;
  bool on_ = false;
};

/// The scalar operand of a vector instruction: a C++ number, converted to the
/// type of the instruction, or run-time bits of that type.
class Number {
public:
  template <typename T>
    requires std::integral<T> || std::floating_point<T>
  Number(T value) : value_(static_cast<double>(value)) {}
  template <typename T>
  Number(const Scalar<T> &bits)
      : handle_(bits.handle()), isRunTime_(true),
        bits_(detail::floatType<T>()) {}
  KilnTikValue handle(const KilnTikTable *t, Type type,
                      const KilnTikLine &at) const {
    const auto code = static_cast<uint32_t>(type);
    if (isRunTime_) {
      if (bits_ != detail::kNoFloat && bits_ != code) {
        t->mistake(t->self, 311,
                   "the run-time float is of another type than the elements",
                   &at);
      }
      return handle_;
    }
    if (const char *wrong = detail::unfit(value_, code)) {
      t->mistake(t->self, detail::isFraction(value_, code) ? 308 : 307, wrong,
                 &at);
      return 0;
    }
    return t->constant(t->self, detail::bitsOf(value_, code));
  }

private:
  KilnTikValue handle_ = 0;
  bool isRunTime_ = false;
  uint32_t bits_ = detail::kNoFloat;
  double value_ = 0;
};

/// What FIX does on the way out of L0C.
struct FixOptions {
  bool relu = false;
  float scale = 1; // before relu
};

/// An image [c1][height][width][C0] in L1 and the convolution over it, for
/// im2col(): row m of the patch matrix is output pixel (m / outWidth, m %
/// outWidth), column block k1 is tap (c1*KH + kh)*KW + kw.
struct Image {
  Operand height = 1, padTop = 0; // rows present, rows of padding above
  int64_t width = 1, outWidth = 1, padLeft = 0;
  int64_t kernel[2] = {1, 1}, stride[2] = {1, 1}, dilation[2] = {1, 1};
  int64_t c1 = 1, c1Stride = 0; // planes, 32-byte blocks between them
  int64_t channelsLast = 0;     // of the last plane; 0: C0
};
/// A piece of the patch matrix.
struct Patches {
  Operand m, mCount, k1, k1Count;
};

enum class Rounding : uint32_t {
  nearestEven,
  towardZero,
  down,
  up,
  nearestAway,
  nearestUp,
  toOdd
};

/// Pipes, as flags of manual scopes name them.
enum class Pipe : uint32_t {
  scalar = KILN_TIK_PIPE_S,   // the control core
  load = KILN_TIK_PIPE_MTE2,  // load, loadNz
  l0 = KILN_TIK_PIPE_MTE1,    // loadA, loadB, im2col, loadBias
  cube = KILN_TIK_PIPE_M,     // mmad
  fix = KILN_TIK_PIPE_FIX,    // fix
  vector = KILN_TIK_PIPE_V,   // everything on UB
  store = KILN_TIK_PIPE_MTE3, // store, moveToL1
};

class Kernel {
public:
  explicit Kernel(const KilnTikTable *table) : t_(table) {}

  //===--------------------------------------------------------------------===//
  // Surroundings
  //===--------------------------------------------------------------------===//

  /// A declared tensor by name.
  Tensor tensor(const char *name, Line line = Line::current()) const {
    const KilnTikLine at = detail::toC(line);
    return Tensor(t_, t_->tensor(t_->self, name, &at));
  }
  /// A declared attribute or a dimension's symbol.
  int64_t attribute(const char *name, Line line = Line::current()) const {
    const KilnTikLine at = detail::toC(line);
    return t_->attribute(t_->self, name, &at);
  }
  /// Cores of the launch: blocks(min(cores(), work)) uses them all.
  int64_t cores() const { return t_->cores(t_->self); }
  Index constant(int64_t value) const {
    return {t_, t_->constant(t_->self, value)};
  }

  //===--------------------------------------------------------------------===//
  // Buffers. `depth` 0: the loop's.
  //===--------------------------------------------------------------------===//

  Buffer ub(Type type, std::initializer_list<int64_t> dims, const char *name,
            uint32_t depth = 0, Line line = Line::current()) const {
    return alloc(KILN_TIK_UB, type, dims, name, depth, line);
  }
  Buffer l1(Type type, std::initializer_list<int64_t> dims, const char *name,
            uint32_t depth = 0, Line line = Line::current()) const {
    return alloc(KILN_TIK_L1, type, dims, name, depth, line);
  }
  /// rows x cols in L1 as column blocks of C0; rows rounded up to 16.
  Buffer l1Nz(Type type, int64_t rows, int64_t cols, const char *name,
              uint32_t depth = 0, Line line = Line::current()) const {
    const int64_t c0 = blockElements(type), padded = alignUp(rows, 16);
    return Buffer(t_,
                  alloc(KILN_TIK_L1, type, {ceilDiv(cols, c0), padded, c0},
                        name, depth, line)
                      .handle(),
                  padded);
  }
  Buffer l0a(Type type, int64_t m, int64_t k, const char *name,
             uint32_t depth = 0, Line line = Line::current()) const {
    return alloc(KILN_TIK_L0A, type, {m, k}, name, depth, line);
  }
  Buffer l0b(Type type, int64_t k, int64_t n, const char *name,
             uint32_t depth = 0, Line line = Line::current()) const {
    return alloc(KILN_TIK_L0B, type, {k, n}, name, depth, line);
  }
  Buffer l0c(Type type, int64_t m, int64_t n, const char *name,
             uint32_t depth = 0, Line line = Line::current()) const {
    return alloc(KILN_TIK_L0C, type, {m, n}, name, depth, line);
  }
  Buffer biasTable(Type type, int64_t n, const char *name, uint32_t depth = 0,
                   Line line = Line::current()) const {
    return alloc(KILN_TIK_BT, type, {n}, name, depth, line);
  }

  /// Global memory that lives as long as the launch, shared by all blocks.
  Tensor workspace(Type type, std::initializer_list<int64_t> dims,
                   const char *name, Line line = Line::current()) const {
    const KilnTikLine at = detail::toC(line);
    return Tensor(t_, t_->workspace(t_->self, static_cast<uint32_t>(type),
                                    static_cast<uint32_t>(dims.size()),
                                    dims.begin(), name, &at));
  }

  //===--------------------------------------------------------------------===//
  // Control flow
  //===--------------------------------------------------------------------===//

  Blocks blocks(int64_t count, Line line = Line::current()) const {
    return Blocks(t_, count, line);
  }
  Range range(Operand from, Operand to, Operand step = 1,
              Line line = Line::current()) const {
    return Range(t_, from, to, step, line);
  }
  template <typename Body>
  When when(const Condition &condition, const Body &body,
            Line line = Line::current()) const {
    return When(t_, condition, body, line);
  }
  /// A scope in which the compiler orders nothing: commands of different pipes
  /// meet only at the flags that the body sets and waits for. The flags are
  /// proven when the kernel is built: a hazard that none orders, a wait before
  /// its set, a flag left set are errors. A barrier stands at both ends.
  template <typename Body>
  void manual(const Body &body, Line line = Line::current()) const {
    const KilnTikLine at = detail::toC(line);
    t_->beginManual(t_->self, &at);
    body();
    t_->endManual(t_->self, &at);
  }
  /// In a manual scope: pipe `from` sets flag `id` (0 to 7) of the pair after
  /// its earlier commands; pipe `to` waits for it before its later ones.
  void setFlag(Pipe from, Pipe to, Operand id,
               Line line = Line::current()) const {
    const KilnTikLine at = detail::toC(line);
    t_->setFlag(t_->self, static_cast<uint32_t>(from),
                static_cast<uint32_t>(to), id.handle(t_), &at);
  }
  void waitFlag(Pipe from, Pipe to, Operand id,
                Line line = Line::current()) const {
    const KilnTikLine at = detail::toC(line);
    t_->waitFlag(t_->self, static_cast<uint32_t>(from),
                 static_cast<uint32_t>(to), id.handle(t_), &at);
  }
  /// The kernel stops with a fault that shows `text` and this line where the
  /// condition does not hold.
  void require(const Condition &condition, const char *text,
               Line line = Line::current()) const {
    const KilnTikLine at = detail::toC(line);
    t_->require(t_->self, condition.handle(), text, &at);
  }
  /// Waits until every pipe is empty. Never needed for correctness.
  void barrier(Line line = Line::current()) const {
    const KilnTikLine at = detail::toC(line);
    t_->barrier(t_->self, &at);
  }

  //===--------------------------------------------------------------------===//
  // Movement
  //===--------------------------------------------------------------------===//

  /// GM -> UB or L1, row-major. The rest of a row's last 32-byte block is
  /// filled with `pad`, a 32-bit pattern.
  void load(const Place &dst, const Place &src, const Tile &tile,
            uint32_t pad = 0, Line line = Line::current()) const {
    const KilnTikLine at = detail::toC(line);
    const KilnTikView to = dst.view();
    const KilnTikPlace from = src.place();
    const KilnTikRows rows = gmRows(tile, src, at);
    t_->load(t_->self, &to, &from, &rows, pad, &at);
  }
  /// GM row-major -> L1 column blocks (a buffer of l1Nz).
  void loadNz(const Place &dst, const Place &src, const Tile &tile,
              uint32_t pad = 0, Line line = Line::current()) const {
    const KilnTikLine at = detail::toC(line);
    const KilnTikPlace to = dst.place(), from = src.place();
    const KilnTikRows rows = gmRows(tile, src, at);
    t_->loadNz(t_->self, &to, dst.nzRows(), &from, &rows, pad, &at);
  }
  /// UB -> GM, exactly the bytes of the tile.
  void store(const Place &dst, const Place &src, const Tile &tile,
             Line line = Line::current()) const {
    const KilnTikLine at = detail::toC(line);
    const KilnTikPlace to = dst.place();
    const KilnTikView from = src.view();
    const KilnTikRows rows = gmRows(tile, dst, at);
    t_->store(t_->self, &to, &from, &rows, &at);
  }
  /// UB -> L1; tile columns are 32-byte blocks. To a buffer of l1Nz the rows
  /// become column blocks.
  void moveToL1(const Place &dst, const Place &src, const Tile &blocks,
                Line line = Line::current()) const {
    const KilnTikLine at = detail::toC(line);
    const KilnTikView from = src.view();
    KilnTikView to = dst.view();
    if (dst.nzRows() > 0) {
      to.row_stride = 1;
      to.block_stride = dst.nzRows();
    }
    const KilnTikTile tile = handles(blocks);
    t_->moveL1(t_->self, &to, &from, &tile, &at);
  }
  /// A tile {m, k} of a column-block matrix [rows m, columns k] -> L0A.
  void loadA(const Place &dst, const Place &src, const Tile &tile,
             Line line = Line::current()) const {
    fractals(dst, src, count(tile.rows, 16, line),
             count(tile.cols, blockElements(dst.type()), line),
             {1, src.nzRows() / 16}, false, line);
  }
  /// A tile {k, n} of a column-block matrix [rows k, columns n] -> L0B; every
  /// fractal is transposed, so the type has 16 bits.
  void loadB(const Place &dst, const Place &src, const Tile &tile,
             Line line = Line::current()) const {
    fractals(dst, src, count(tile.rows, 16, line), count(tile.cols, 16, line),
             {1, src.nzRows() / 16}, true, line);
  }
  /// A tile {k, n} of the transposed matrix: column blocks of [rows n,
  /// columns k] -> L0B, any cube type.
  void loadBTransposed(const Place &dst, const Place &src, const Tile &tile,
                       Line line = Line::current()) const {
    fractals(dst, src, count(tile.rows, blockElements(dst.type()), line),
             count(tile.cols, 16, line), {src.nzRows() / 16, 1}, false, line);
  }
  /// Fractals of 512 bytes, L1 -> L0A or L0B: number (o, i) of the tile comes
  /// from src + 512*(o*outer + i*inner).
  void loadFractals(const Place &dst, const Place &src, const Tile &tile,
                    const FractalStrides &strides, bool transposed = false,
                    Line line = Line::current()) const {
    fractals(dst, src, tile.rows.handle(t_), tile.cols.handle(t_), strides,
             transposed, line);
  }
  /// Patches of an image in L1 -> L0A.
  void im2col(const Place &dst, const Place &src, const Image &image,
              const Patches &patches, Line line = Line::current()) const {
    const KilnTikLine at = detail::toC(line);
    const KilnTikPlace to = dst.place(), from = src.place();
    const int64_t last = image.channelsLast != 0 ? image.channelsLast
                                                 : blockElements(dst.type());
    const KilnTikIm2col p = {patches.m.handle(t_),
                             patches.mCount.handle(t_),
                             patches.k1.handle(t_),
                             patches.k1Count.handle(t_),
                             image.height.handle(t_),
                             image.padTop.handle(t_),
                             image.width,
                             image.outWidth,
                             image.padLeft,
                             {image.kernel[0], image.kernel[1]},
                             {image.stride[0], image.stride[1]},
                             {image.dilation[0], image.dilation[1]},
                             image.c1,
                             image.c1Stride,
                             last,
                             0};
    t_->loadIm2col(t_->self, &to, &from, &p, &at);
  }
  /// L1 -> bias table, `n` elements.
  void loadBias(const Place &dst, const Place &src, Operand n,
                Line line = Line::current()) const {
    const KilnTikLine at = detail::toC(line);
    const KilnTikPlace to = dst.place(), from = src.place();
    t_->loadBias(t_->self, &to, &from, bytes(n, src.type(), at), &at);
  }

  //===--------------------------------------------------------------------===//
  // Cube
  //===--------------------------------------------------------------------===//

  /// acc = A * B, or acc += A * B where `accumulate` holds.
  void mmad(const Buffer &acc, const Buffer &a, const Buffer &b,
            const Product &size, const Accumulate &accumulate,
            Line line = Line::current()) const {
    mmad(acc, a, b, KilnTikPlace{0, 0}, size, accumulate, line);
  }
  /// The same, starting from bias[n] instead of zero.
  void mmadBias(const Buffer &acc, const Buffer &a, const Buffer &b,
                const Place &bias, const Product &size,
                const Accumulate &accumulate,
                Line line = Line::current()) const {
    mmad(acc, a, b, bias.place(), size, accumulate, line);
  }
  /// L0C -> GM or UB row-major, or L1 column blocks; cast to the type of the
  /// destination. The tile is {m, n}.
  void fix(const Place &dst, const Place &acc, const Tile &tile,
           const FixOptions &options = {}, Line line = Line::current()) const {
    const KilnTikLine at = detail::toC(line);
    const bool nz = dst.nzRows() > 0;
    const KilnTikFix fix = {dst.place(),
                            acc.place(),
                            tile.rows.handle(t_),
                            tile.cols.handle(t_),
                            count(tile.rows, 16, line),
                            t_->constant(t_->self, nz ? dst.nzRows() * 32 : 32),
                            nz ? t_->constant(t_->self, 32)
                               : dst.pitch().handle(t_),
                            options.relu,
                            options.scale != 1,
                            options.scale};
    t_->fix(t_->self, &fix, &at);
  }

  //===--------------------------------------------------------------------===//
  // Vector, on UB. Sources and destination have one type except where said.
  //===--------------------------------------------------------------------===//

#define KILN_TIK_BINARY(function, code)                                        \
  void function(const Place &dst, const Place &a, const Place &b,              \
                const Tile &tile, Line line = Line::current()) const {         \
    binary(code, dst, a, b, tile, line);                                       \
  }
  KILN_TIK_BINARY(add, KILN_TIK_VADD)
  KILN_TIK_BINARY(sub, KILN_TIK_VSUB)
  KILN_TIK_BINARY(mul, KILN_TIK_VMUL)
  KILN_TIK_BINARY(div, KILN_TIK_VDIV)
  KILN_TIK_BINARY(max, KILN_TIK_VMAX)
  KILN_TIK_BINARY(min, KILN_TIK_VMIN)
  /// dst = a * b + dst, one rounding.
  KILN_TIK_BINARY(madd, KILN_TIK_VMADD)
  /// dst = exp(a - b); dst may be f16 or bf16 with f32 sources.
  KILN_TIK_BINARY(expDifference, KILN_TIK_VEXPD)
#undef KILN_TIK_BINARY

#define KILN_TIK_SCALAR_OP(function, code)                                     \
  void function(const Place &dst, const Place &src, const Number &number,      \
                const Tile &tile, Line line = Line::current()) const {         \
    const KilnTikLine at = detail::toC(line);                                  \
    const KilnTikView to = dst.view(), from = src.view();                      \
    const KilnTikTile size = handles(tile);                                    \
    t_->vscalar(t_->self, code, &to, &from, number.handle(t_, src.type(), at), \
                &size, &at);                                                   \
  }
  KILN_TIK_SCALAR_OP(adds, KILN_TIK_VADDS)
  KILN_TIK_SCALAR_OP(muls, KILN_TIK_VMULS)
  KILN_TIK_SCALAR_OP(maxs, KILN_TIK_VMAXS)
  KILN_TIK_SCALAR_OP(mins, KILN_TIK_VMINS)
#undef KILN_TIK_SCALAR_OP

#define KILN_TIK_UNARY(function, code)                                         \
  void function(const Place &dst, const Place &src, const Tile &tile,          \
                Line line = Line::current()) const {                           \
    const KilnTikLine at = detail::toC(line);                                  \
    const KilnTikView to = dst.view(), from = src.view();                      \
    const KilnTikTile size = handles(tile);                                    \
    t_->vunary(t_->self, code, &to, &from, &size, &at);                        \
  }
  KILN_TIK_UNARY(copy, KILN_TIK_VMOV)
  KILN_TIK_UNARY(exp, KILN_TIK_VEXP)
  KILN_TIK_UNARY(reciprocal, KILN_TIK_VREC)
  KILN_TIK_UNARY(sqrt, KILN_TIK_VSQRT)
  KILN_TIK_UNARY(tanh, KILN_TIK_VTANH)
#undef KILN_TIK_UNARY

  /// dst = number everywhere.
  void fill(const Place &dst, const Number &number, const Tile &tile,
            Line line = Line::current()) const {
    const KilnTikLine at = detail::toC(line);
    const KilnTikView to = dst.view();
    const KilnTikTile size = handles(tile);
    t_->vdup(t_->self, &to, number.handle(t_, dst.type(), at), &size, &at);
  }
  /// dst = src in dst's type.
  void cast(const Place &dst, const Place &src, const Tile &tile,
            Rounding rounding = Rounding::nearestEven,
            Line line = Line::current()) const {
    const KilnTikLine at = detail::toC(line);
    const KilnTikView to = dst.view(), from = src.view();
    const KilnTikTile size = handles(tile);
    t_->vcast(t_->self, &to, &from, static_cast<uint32_t>(rounding), &size,
              &at);
  }

#define KILN_TIK_REDUCE(function, code)                                        \
  void function(const Place &dst, const Place &src, const Tile &tile,          \
                Line line = Line::current()) const {                           \
    const KilnTikLine at = detail::toC(line);                                  \
    const KilnTikView to = dst.view(), from = src.view();                      \
    const KilnTikTile size = handles(tile);                                    \
    t_->vreduce(t_->self, code, &to, &from, &size, &at);                       \
  }
  /// One element per row, dst rows one row pitch apart.
  KILN_TIK_REDUCE(rowSum, KILN_TIK_SUM_ROW)
  KILN_TIK_REDUCE(rowMax, KILN_TIK_MAX_ROW)
  /// One row: the sum or maximum over the rows.
  KILN_TIK_REDUCE(sumOfRows, KILN_TIK_SUM_ROWS)
  KILN_TIK_REDUCE(maxOfRows, KILN_TIK_MAX_ROWS)
#undef KILN_TIK_REDUCE

  /// Row r of dst = the first element of row r of src.
  void broadcast(const Place &dst, const Place &src, const Tile &tile,
                 Line line = Line::current()) const {
    const KilnTikLine at = detail::toC(line);
    const KilnTikView to = dst.view(), from = src.view();
    const KilnTikTile size = handles(tile);
    t_->vbroadcast(t_->self, &to, &from, &size, &at);
  }
  /// Rows of channels -> one block of C0 channels per pixel, and back; tile is
  /// {channels, pixels}.
  void toBlocked(const Place &dst, const Place &src, const Tile &tile,
                 Line line = Line::current()) const {
    transpose(0, dst, src, tile, line);
  }
  void toPlanar(const Place &dst, const Place &src, const Tile &tile,
                Line line = Line::current()) const {
    transpose(1, dst, src, tile, line);
  }

  //===--------------------------------------------------------------------===//
  // The control core reads and writes single elements of UB
  //===--------------------------------------------------------------------===//

  /// An integer element.
  Index read(const Place &src, Line line = Line::current()) const {
    if (isFloat(src.type())) {
      return mistaken(309, "read: the elements are floats; use readFloat<T>()",
                      line);
    }
    return {t_, readBits(src, line)};
  }
  /// A float element as bits: Scalar<float>, Scalar<Half>, Scalar<BFloat16>.
  template <detail::FloatBits T>
  Scalar<T> readFloat(const Place &src, Line line = Line::current()) const {
    if (detail::floatType<T>() != static_cast<uint32_t>(src.type())) {
      mistaken(310, "readFloat<T>: T is not the type of the elements", line);
      return {};
    }
    return {t_, readBits(src, line)};
  }
  void write(const Place &dst, const Number &number,
             Line line = Line::current()) const {
    const KilnTikLine at = detail::toC(line);
    const KilnTikPlace to = dst.place();
    t_->scalarStore(t_->self, &to, static_cast<uint32_t>(dst.type()),
                    number.handle(t_, dst.type(), at), &at);
  }

private:
  Buffer alloc(uint32_t space, Type type, std::initializer_list<int64_t> dims,
               const char *name, uint32_t depth, const Line &line) const {
    const KilnTikLine at = detail::toC(line);
    return Buffer(t_, t_->alloc(t_->self, space, static_cast<uint32_t>(type),
                                static_cast<uint32_t>(dims.size()),
                                dims.begin(), depth, name, &at));
  }
  KilnTikTile handles(const Tile &tile) const {
    return {tile.rows.handle(t_), tile.cols.handle(t_)};
  }
  KilnTikValue bytes(const Operand &n, Type type, const KilnTikLine &at) const {
    return t_->arith(t_->self, KILN_TIK_MUL, n.handle(t_),
                     t_->constant(t_->self, sizeOf(type)), &at);
  }
  KilnTikValue count(const Operand &n, int64_t unit, const Line &line) const {
    const KilnTikLine at = detail::toC(line);
    return t_->arith(t_->self, KILN_TIK_CEIL_DIV, n.handle(t_),
                     t_->constant(t_->self, unit), &at);
  }
  KilnTikRows gmRows(const Tile &tile, const Place &gm,
                     const KilnTikLine &at) const {
    return {tile.rows.handle(t_), bytes(tile.cols, gm.type(), at),
            gm.pitch().handle(t_)};
  }
  void fractals(const Place &dst, const Place &src, KilnTikValue outer,
                KilnTikValue inner, const FractalStrides &strides,
                bool transposed, const Line &line) const {
    const KilnTikLine at = detail::toC(line);
    const KilnTikPlace to = dst.place(), from = src.place();
    const KilnTikFractals f = {outer, inner, strides.outer, strides.inner,
                               transposed};
    t_->loadL0(t_->self, &to, &from, &f, &at);
  }
  void mmad(const Buffer &acc, const Buffer &a, const Buffer &b,
            const KilnTikPlace &bias, const Product &size,
            const Accumulate &accumulate, const Line &line) const {
    const KilnTikLine at = detail::toC(line);
    const KilnTikMmad mmad = {Place(acc).place(), Place(a).place(),
                              Place(b).place(),   bias,
                              size.m.handle(t_),  size.n.handle(t_),
                              size.k.handle(t_),  accumulate.handle(t_)};
    t_->mmad(t_->self, &mmad, &at);
  }
  void binary(uint32_t code, const Place &dst, const Place &a, const Place &b,
              const Tile &tile, const Line &line) const {
    const KilnTikLine at = detail::toC(line);
    const KilnTikView to = dst.view(), x = a.view(), y = b.view();
    const KilnTikTile size = handles(tile);
    t_->vbinary(t_->self, code, &to, &x, &y, &size, &at);
  }
  void transpose(uint32_t out, const Place &dst, const Place &src,
                 const Tile &tile, const Line &line) const {
    const KilnTikLine at = detail::toC(line);
    const KilnTikView to = dst.view(), from = src.view();
    const KilnTikTile size = handles(tile);
    t_->vtranspose(t_->self, out, &to, &from, &size, &at);
  }
  Index mistaken(uint32_t number, const char *text, const Line &line) const {
    const KilnTikLine at = detail::toC(line);
    t_->mistake(t_->self, number, text, &at);
    return {};
  }
  KilnTikValue readBits(const Place &src, const Line &line) const {
    const KilnTikLine at = detail::toC(line);
    const KilnTikPlace from = src.place();
    return t_->scalarLoad(t_->self, &from, static_cast<uint32_t>(src.type()),
                          &at);
  }

  const KilnTikTable *t_;
};

} // namespace kiln::tik
