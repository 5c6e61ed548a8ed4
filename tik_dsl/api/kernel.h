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
// the kernel is built. Rows and columns of one command are 0 to 65535; a count
// of 0 does nothing. Source of the instructions: isa/spec.
#pragma once

#include "tik_dsl/api/loops.h"
#include "tik_dsl/api/vector.h"

namespace kiln::tik {

/// Distances of fractals in L1, in fractals.
struct FractalStrides {
  int64_t outer, inner;
};

/// m x n x k of a matrix product, in elements: m and n up to 4095, k up to
/// 65535 (TIK407).
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

enum class Activation : uint32_t {
  none = KILN_TIK_NONE,
  relu = KILN_TIK_RELU,
  leaky = KILN_TIK_LEAKY, // values below 0 times the parameter
  clip = KILN_TIK_CLIP,   // 0 to the parameter
  prelu = KILN_TIK_PRELU  // values below 0 times the slope of the column
};

/// A number per column, f32 in the bias table.
class ColumnTable {
public:
  ColumnTable() = default;
  ColumnTable(const Buffer &table) : place_(Place(table).place()) {}
  ColumnTable(const Place &table) : place_(table.place()) {}
  KilnTikPlace place() const { return place_; }

private:
  KilnTikPlace place_{0, 0};
};

/// What FIX does on the way out of L0C: times the scale (or that of the
/// column), activation, cast; plus the zero point, to an 8-bit type.
struct FixOptions {
  bool relu = false; // short for activation = relu
  float scale = 1;
  ColumnTable scales = {}, slopes = {}; // slopes: of prelu
  Activation activation = Activation::none;
  float parameter = 0; // of leaky and clip
  int64_t zeroPoint = 0;
};

/// How a store meets what global memory holds.
enum class Accumulation : uint32_t {
  sum = KILN_TIK_STORE_ADD,
  maximum = KILN_TIK_STORE_MAX,
  minimum = KILN_TIK_STORE_MIN
};

/// Lives as long as the function that Kernel::calledFrom() names.
class CalledFrom {
public:
  CalledFrom(const KilnTikTable *table, Line caller, Line here) : t_(table) {
    const KilnTikLine own = detail::toC(here), at = detail::toC(caller);
    t_->beginCalled(t_->self, &own, &at);
  }
  ~CalledFrom() { t_->endCalled(t_->self); }
  CalledFrom(const CalledFrom &) = delete;
  CalledFrom &operator=(const CalledFrom &) = delete;

private:
  const KilnTikTable *t_;
};

/// A text of print() or require() with the author's line.
struct Text {
  Text(const char *words, Line where = Line::current())
      : text(words), line(where) {}
  const char *text;
  Line line;
};
/// A value for a placeholder of a text.
class Shown {
public:
  template <typename T>
  Shown(const Scalar<T> &value) : handle_(value.handle()) {}
  Shown(RunTimeInteger auto number)
      : isNumber_(true), number_(static_cast<int64_t>(number)) {}
  KilnTikValue handle(const KilnTikTable *t) const {
    return isNumber_ ? t->constant(t->self, number_) : handle_;
  }

private:
  KilnTikValue handle_ = 0;
  bool isNumber_ = false;
  int64_t number_ = 0;
};

/// An image [c1][height][width][C0] in L1 and the convolution over it, for
/// im2col(): row m of the patch matrix is output pixel (m / outWidth, m %
/// outWidth), column block k1 is tap (c1*KH + kh)*KW + kw.
/// With several images m runs over (image, output row, output column). With
/// c04 pixels hold four channels, and column block k1 is the C0/4 neighbouring
/// taps from (k1 / B, k1 % B * C0/4) on, B = ceil(KW * 4 / C0); taps beyond KW
/// are 0.
/// Sizes are pixels; kernel, stride and dilation are {rows, columns}, 1 to 255
/// each, paddings 0 to 255 (TIK409).
struct Image {
  Operand height = 1, padTop = 0; // rows present, rows of padding above
  int64_t width = 1, outWidth = 1, padLeft = 0;
  int64_t kernel[2] = {1, 1}, stride[2] = {1, 1}, dilation[2] = {1, 1};
  int64_t c1 = 1, c1Stride = 0;        // planes, 32-byte blocks between them
  int64_t channelsLast = 0;            // of the last plane; 0: all
  int64_t images = 1, imageStride = 0; // 32-byte blocks between images
  int64_t outHeight = 0;               // output rows of one of several images
  bool c04 = false;
};
/// A piece of the patch matrix: mCount rows from m on, k1Count blocks of C0
/// columns from k1 on.
struct Patches {
  Operand m, mCount, k1, k1Count;
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

class Kernel : public VectorCommands {
public:
  using VectorCommands::VectorCommands;

  //===--------------------------------------------------------------------===//
  // Surroundings
  //===--------------------------------------------------------------------===//

  /// A declared tensor by name; another name is TIK501.
  Tensor tensor(const char *name, Line line = Line::current()) const {
    const KilnTikLine at = detail::toC(line);
    return Tensor(t_, t_->tensor(t_->self, name, &at));
  }
  /// A declared attribute or a dimension's symbol; another name is TIK506.
  int64_t attribute(const char *name, Line line = Line::current()) const {
    const KilnTikLine at = detail::toC(line);
    return t_->attribute(t_->self, name, &at);
  }
  /// Cores of the launch: blocks(min(cores(), work)) uses them all.
  int64_t cores() const { return t_->cores(t_->self); }
  /// The value of a declared knob (knobs.h); another name is TIK527. A knob
  /// that a kernel does not read is TIK533.
  int64_t knob(const char *name, Line line = Line::current()) const {
    const KilnTikLine at = detail::toC(line);
    return t_->knob(t_->self, name, &at);
  }
  /// Knobs are legal only where `holds`, which `text` says in words. For what
  /// the kernel means; what does not fit or is out of a field's range is found
  /// without it.
  void legal(bool holds, const char *text, Line line = Line::current()) const {
    if (!holds) {
      const KilnTikLine at = detail::toC(line);
      t_->mistake(t_->self, 532, text, &at);
    }
  }
  /// A C++ number as a run-time value.
  Index constant(int64_t value) const {
    return {t_, t_->constant(t_->self, value)};
  }

  //===--------------------------------------------------------------------===//
  // Buffers: sizes in elements, 1 to 8 dimensions; `name` stands in messages.
  // `depth` is the number of slots, up to 8; 0: the loop's. What does not fit
  // its memory is TIK201.
  //===--------------------------------------------------------------------===//

  /// Row-major in UB; with several rows, each a multiple of 32 bytes (TIK211).
  Buffer ub(Type type, std::initializer_list<int64_t> dims, const char *name,
            uint32_t depth = 0, Line line = Line::current()) const {
    return alloc(KILN_TIK_UB, type, dims, name, depth, line);
  }
  /// Row-major in L1, as in UB.
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
  /// The left operand m x k of a product, in fractals of 16 x 32 bytes.
  Buffer l0a(Type type, int64_t m, int64_t k, const char *name,
             uint32_t depth = 0, Line line = Line::current()) const {
    return alloc(KILN_TIK_L0A, type, {m, k}, name, depth, line);
  }
  /// The right operand k x n.
  Buffer l0b(Type type, int64_t k, int64_t n, const char *name,
             uint32_t depth = 0, Line line = Line::current()) const {
    return alloc(KILN_TIK_L0B, type, {k, n}, name, depth, line);
  }
  /// The accumulator m x n in cells of 16 x 16: f32, or i32 of 8-bit operands.
  Buffer l0c(Type type, int64_t m, int64_t n, const char *name,
             uint32_t depth = 0, Line line = Line::current()) const {
    return alloc(KILN_TIK_L0C, type, {m, n}, name, depth, line);
  }
  /// n numbers per column: a bias of the accumulator's type, or f32 factors,
  /// slopes and the like of FIX.
  Buffer biasTable(Type type, int64_t n, const char *name, uint32_t depth = 0,
                   Line line = Line::current()) const {
    return alloc(KILN_TIK_BT, type, {n}, name, depth, line);
  }

  /// Global memory that lives as long as the launch, shared by all blocks; its
  /// contents are undefined at the start.
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

  /// One pass of the body for each of `count` blocks (1 to 2^31): its Index is
  /// the block's number. Outermost, and once in a kernel.
  Blocks blocks(int64_t count, Line line = Line::current()) const {
    return Blocks(t_, count, line);
  }
  /// from, from + step, ... while below `to`; step is at least 1.
  Range range(Operand from, Operand to, Operand step = 1,
              Line line = Line::current()) const {
    return Range(t_, from, to, step, line);
  }
  /// Runs `body` where the condition holds; .otherwise(...) where it does not.
  template <typename Body>
  When when(const Condition &condition, const Body &body,
            Line line = Line::current()) const {
    return When(t_, condition, body, line);
  }
  /// For a function that kernels of several files call: while the result lives,
  /// what this function's file writes counts as written by its caller, in
  /// messages, faults, traces and the debugger. Code of other files that runs
  /// meanwhile (a body that the caller gave) keeps its own lines.
  ///
  ///   inline void twice(const Kernel &k, ..., Line line = Line::current()) {
  ///     const auto called = k.calledFrom(line);
  [[nodiscard]] CalledFrom calledFrom(Line caller,
                                      Line here = Line::current()) const {
    return CalledFrom(t_, caller, here);
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
    t_->require(t_->self, detail::handleOf(condition, t_, at), text, &at);
  }
  /// The same with a text in which {d}, {u} or {x} shows a value.
  void require(const Condition &condition, const Text &text,
               const Shown &value) const {
    const KilnTikLine at = detail::toC(text.line);
    t_->requireValue(t_->self, detail::handleOf(condition, t_, at), text.text,
                     value.handle(t_), &at);
  }
  /// Prints a line to the launch's report, with at most two values in the
  /// places of {d} (signed), {u}, {x}, {f16}, {bf16} and {f32}.
  void print(const Text &text) const { print(text, 0, nullptr); }
  void print(const Text &text, const Shown &value) const {
    const KilnTikValue values[] = {value.handle(t_)};
    print(text, 1, values);
  }
  void print(const Text &text, const Shown &first, const Shown &second) const {
    const KilnTikValue values[] = {first.handle(t_), second.handle(t_)};
    print(text, 2, values);
  }
  /// Waits until every pipe is empty. Never needed for correctness.
  void barrier(Line line = Line::current()) const {
    const KilnTikLine at = detail::toC(line);
    t_->barrier(t_->self, &at);
  }

  //===--------------------------------------------------------------------===//
  // Blocks that meet: all of them run at once, so there are at most as many as
  // cores
  //===--------------------------------------------------------------------===//

  /// In the body every store updates what global memory holds, in one piece
  /// with respect to the other blocks, so all of them may write one place. What
  /// is updated has to be stored before, and the blocks to meet() in between.
  template <typename Body>
  void accumulate(Accumulation how, const Body &body,
                  Line line = Line::current()) const {
    const KilnTikLine at = detail::toC(line);
    t_->beginAccumulate(t_->self, static_cast<uint32_t>(how), &at);
    body();
    t_->endAccumulate(t_->self, &at);
  }
  /// Every block waits until all have come here; then each sees what the others
  /// have written. All blocks have to come: not in a when() on the block.
  void meet(Line line = Line::current()) const {
    const KilnTikLine at = detail::toC(line);
    t_->meet(t_->self, &at);
  }
  /// What this block has written to `tensor` is there for `block` once that has
  /// waited with pend() for the same semaphore (0 to 15, each block has its
  /// own; they count to 15). Every post() has its pend().
  void post(const Tensor &tensor, Operand block, Operand semaphore,
            Line line = Line::current()) const {
    const KilnTikLine at = detail::toC(line);
    t_->post(t_->self, tensor.handle(), block.handle(t_), semaphore.handle(t_),
             &at);
  }
  void pend(const Tensor &tensor, Operand semaphore,
            Line line = Line::current()) const {
    const KilnTikLine at = detail::toC(line);
    t_->pend(t_->self, tensor.handle(), semaphore.handle(t_), &at);
  }

  //===--------------------------------------------------------------------===//
  // Movement
  //===--------------------------------------------------------------------===//

  /// GM -> UB or L1, row-major; rows of at most 2^20 - 1 bytes. The rest of a
  /// row's last 32-byte block is filled with `pad`, a 32-bit pattern.
  void load(const Place &dst, const Place &src, const Tile &tile,
            uint32_t pad = 0, Line line = Line::current()) const {
    const KilnTikLine at = detail::toC(line);
    const KilnTikView to = dst.view();
    const KilnTikPlace from = src.place();
    const KilnTikRows rows = gmRows(tile, src, at);
    t_->load(t_->self, &to, &from, &rows, pad, &at);
  }
  /// GM row-major -> L1 column blocks (a buffer of l1Nz; else TIK214).
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
  /// Patches of an image in L1 -> L0A; outside the image they are 0.
  void im2col(const Place &dst, const Place &src, const Image &image,
              const Patches &patches, Line line = Line::current()) const {
    const KilnTikLine at = detail::toC(line);
    const KilnTikPlace to = dst.place(), from = src.place();
    const int64_t all = image.c04 ? 4 : blockElements(dst.type());
    const int64_t last = image.channelsLast != 0 ? image.channelsLast : all;
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
    const KilnTikIm2colBatch batch = {p, image.images, image.imageStride,
                                      image.outHeight, image.c04};
    t_->loadIm2colBatch(t_->self, &to, &from, &batch, &at);
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

  /// acc = A * B, or acc += A * B where `accumulate` holds. Types: f16, bf16 or
  /// f32 twice into f32, 8-bit integers into i32 (TIK303).
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
    const Activation activation =
        options.relu ? Activation::relu : options.activation;
    const KilnTikFixColumns fix = {
        {dst.place(), acc.place(), tile.rows.handle(t_), tile.cols.handle(t_),
         count(tile.rows, 16, line),
         t_->constant(t_->self, nz ? dst.nzRows() * 32 : 32),
         nz ? t_->constant(t_->self, 32) : dst.pitch().handle(t_),
         /*relu=*/0, options.scale != 1, options.scale},
        options.scales.place(),
        options.slopes.place(),
        static_cast<uint32_t>(activation),
        options.parameter,
        options.zeroPoint};
    t_->fixColumns(t_->self, &fix, &at);
  }

private:
  void print(const Text &text, uint32_t count,
             const KilnTikValue *values) const {
    const KilnTikLine at = detail::toC(text.line);
    t_->print(t_->self, text.text, count, values, &at);
  }
  Buffer alloc(uint32_t space, Type type, std::initializer_list<int64_t> dims,
               const char *name, uint32_t depth, const Line &line) const {
    const KilnTikLine at = detail::toC(line);
    return Buffer(t_, t_->alloc(t_->self, space, static_cast<uint32_t>(type),
                                static_cast<uint32_t>(dims.size()),
                                dims.begin(), depth, name, &at));
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
};

} // namespace kiln::tik
