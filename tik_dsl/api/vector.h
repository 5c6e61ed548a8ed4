// SPDX-License-Identifier: Apache-2.0
//
// The calls of a kernel that work on UB: the vector unit's commands, and single
// elements that the control core reads and writes. Part of Kernel; see
// kernel.h.
//
//   k.add(z, x, y, n);                          // z = x + y
//   k.rowMax(most, t, {rows, cols});            // one element per row
//   k.compare(Compare::less, mask, x, y, n);    // a bit per element
//   k.gather(y, table, {place, count}, n);      // y = table[place]
//   k.sort32(pairs, keys, indices, n);          // sorted lists of pairs
//
// Places are in UB. Sources and destination have one type except where said,
// and lie apart or exactly upon each other (TIK205). Which types a call takes,
// its rounding and its NaN: the instruction's page in isa/spec (TIK302).
#pragma once

#include "tik_dsl/api/float_bits.h"
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
        hasValue_(bits.table() != nullptr), bits_(detail::floatType<T>()) {}
  KilnTikValue handle(const KilnTikTable *t, Type type,
                      const KilnTikLine &at) const {
    const auto code = static_cast<uint32_t>(type);
    if (isRunTime_) {
      if (!hasValue_) {
        t->mistake(t->self, 108,
                   "a number is used that was never given a value", &at);
      } else if (handle_ != 0 && bits_ == detail::kNoFloat && isFloat(type)) {
        t->mistake(t->self, 311,
                   "the run-time number is an integer and the elements are "
                   "floats; its bits would be taken for one",
                   &at);
      } else if (handle_ != 0 && bits_ != detail::kNoFloat && bits_ != code) {
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
  bool isRunTime_ = false, hasValue_ = true;
  uint32_t bits_ = detail::kNoFloat;
  double value_ = 0;
};

/// Of cast().
enum class Rounding : uint32_t {
  nearestEven,
  towardZero,
  down,
  up,
  nearestAway, // ties away from zero
  nearestUp,   // ties up
  toOdd        // inexact results get an odd last bit
};

enum class Compare : uint32_t {
  equal = KILN_TIK_EQ,
  notEqual = KILN_TIK_NE,
  less = KILN_TIK_LT,
  lessEqual = KILN_TIK_LE,
  greater = KILN_TIK_GT,
  greaterEqual = KILN_TIK_GE
};

/// `count` elements in a row of UB that indices choose from.
struct Lookup {
  Place place;
  Operand count; // below 2^24
};

/// Rows of sorted lists, `pairs` pairs each.
struct PairList {
  Place place;
  Operand pairs;
};

class VectorCommands {
public:
  explicit VectorCommands(const KilnTikTable *table) : t_(table) {}

  //===--------------------------------------------------------------------===//
  // dst = a op b
  //===--------------------------------------------------------------------===//

#define KILN_TIK_BINARY(function, code)                                        \
  void function(const Place &dst, const Place &a, const Place &b,              \
                const Tile &tile, Line line = Line::current()) const {         \
    threeViews<&KilnTikTable::vbinary>(code, dst, a, b, tile, line);           \
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
  /// Bit by bit, of any type.
  KILN_TIK_BINARY(bitAnd, KILN_TIK_VAND)
  KILN_TIK_BINARY(bitOr, KILN_TIK_VOR)
  KILN_TIK_BINARY(bitXor, KILN_TIK_VXOR)
  /// Integers, by counts that are read as unsigned. shiftRight fills with the
  /// sign of signed types, shiftRightUnsigned with 0.
  KILN_TIK_BINARY(shiftLeft, KILN_TIK_VSHL)
  KILN_TIK_BINARY(shiftRight, KILN_TIK_VSHR)
  KILN_TIK_BINARY(shiftRightUnsigned, KILN_TIK_VSHRU)
#undef KILN_TIK_BINARY

  //===--------------------------------------------------------------------===//
  // dst = src op number
  //===--------------------------------------------------------------------===//

#define KILN_TIK_SCALAR_OP(function, code)                                     \
  void function(const Place &dst, const Place &src, const Number &number,      \
                const Tile &tile, Line line = Line::current()) const {         \
    withNumber<&KilnTikTable::vscalar>(code, dst, src, number, tile, line);    \
  }
  KILN_TIK_SCALAR_OP(adds, KILN_TIK_VADDS)
  KILN_TIK_SCALAR_OP(muls, KILN_TIK_VMULS)
  KILN_TIK_SCALAR_OP(maxs, KILN_TIK_VMAXS)
  KILN_TIK_SCALAR_OP(mins, KILN_TIK_VMINS)
  /// dst = src * number + dst, one rounding.
  KILN_TIK_SCALAR_OP(madds, KILN_TIK_VMADDS)
  KILN_TIK_SCALAR_OP(bitAnds, KILN_TIK_VANDS)
  KILN_TIK_SCALAR_OP(bitOrs, KILN_TIK_VORS)
  KILN_TIK_SCALAR_OP(bitXors, KILN_TIK_VXORS)
  KILN_TIK_SCALAR_OP(shiftLefts, KILN_TIK_VSHLS)
  KILN_TIK_SCALAR_OP(shiftRights, KILN_TIK_VSHRS)
  KILN_TIK_SCALAR_OP(shiftRightUnsigneds, KILN_TIK_VSHRUS)
#undef KILN_TIK_SCALAR_OP

  //===--------------------------------------------------------------------===//
  // dst = op(src)
  //===--------------------------------------------------------------------===//

#define KILN_TIK_MAP(function, entry, code)                                    \
  void function(const Place &dst, const Place &src, const Tile &tile,          \
                Line line = Line::current()) const {                           \
    twoViews<&KilnTikTable::entry>(code, dst, src, tile, line);                \
  }
  KILN_TIK_MAP(copy, vunary, KILN_TIK_VMOV)
  KILN_TIK_MAP(exp, vunary, KILN_TIK_VEXP)
  KILN_TIK_MAP(reciprocal, vunary, KILN_TIK_VREC)
  KILN_TIK_MAP(sqrt, vunary, KILN_TIK_VSQRT)
  KILN_TIK_MAP(tanh, vunary, KILN_TIK_VTANH)
  KILN_TIK_MAP(bitNot, vunary, KILN_TIK_VNOT)
  KILN_TIK_MAP(log, vunary, KILN_TIK_VLN)
  KILN_TIK_MAP(reciprocalSqrt, vunary, KILN_TIK_VRSQRT)
  KILN_TIK_MAP(erf, vunary, KILN_TIK_VERF)
  KILN_TIK_MAP(sin, vunary, KILN_TIK_VSIN)
  KILN_TIK_MAP(cos, vunary, KILN_TIK_VCOS)
  /// One element per row, dst rows one row pitch apart; indices are i32.
  KILN_TIK_MAP(rowSum, vreduce, KILN_TIK_SUM_ROW)
  KILN_TIK_MAP(rowMax, vreduce, KILN_TIK_MAX_ROW)
  KILN_TIK_MAP(rowMin, vreduce, KILN_TIK_MIN_ROW)
  KILN_TIK_MAP(rowArgMax, vreduce, KILN_TIK_ARGMAX_ROW)
  KILN_TIK_MAP(rowArgMin, vreduce, KILN_TIK_ARGMIN_ROW)
  /// One row: the sum, extreme or index of the extreme over the rows.
  KILN_TIK_MAP(sumOfRows, vreduce, KILN_TIK_SUM_ROWS)
  KILN_TIK_MAP(maxOfRows, vreduce, KILN_TIK_MAX_ROWS)
  KILN_TIK_MAP(minOfRows, vreduce, KILN_TIK_MIN_ROWS)
  KILN_TIK_MAP(argMaxOfRows, vreduce, KILN_TIK_ARGMAX_ROWS)
  KILN_TIK_MAP(argMinOfRows, vreduce, KILN_TIK_ARGMIN_ROWS)
  /// Rows of channels -> one block of C0 channels per pixel, and back; tile is
  /// {channels, pixels}.
  KILN_TIK_MAP(toBlocked, vtranspose, 0)
  KILN_TIK_MAP(toPlanar, vtranspose, 1)
  /// The keys or indices of {rows, pairs}.
  KILN_TIK_MAP(keysOf, vpairs, KILN_TIK_KEYS)
  KILN_TIK_MAP(indicesOf, vpairs, KILN_TIK_INDICES)
#undef KILN_TIK_MAP

  /// dst = number everywhere.
  void fill(const Place &dst, const Number &number, const Tile &tile,
            Line line = Line::current()) const {
    const KilnTikLine at = detail::toC(line);
    const KilnTikView to = dst.view();
    const KilnTikTile size = handles(tile);
    t_->vdup(t_->self, &to, number.handle(t_, dst.type(), at), &size, &at);
  }
  /// Element e of every row = start + e * step.
  void iota(const Place &dst, const Number &start, const Number &step,
            const Tile &tile, Line line = Line::current()) const {
    const KilnTikLine at = detail::toC(line);
    const KilnTikView to = dst.view();
    const KilnTikTile size = handles(tile);
    t_->viota(t_->self, &to, number(start, dst, at), number(step, dst, at),
              &size, &at);
  }
  /// dst = src in dst's type, not in place (TIK215); integers saturate.
  void cast(const Place &dst, const Place &src, const Tile &tile,
            Rounding rounding = Rounding::nearestEven,
            Line line = Line::current()) const {
    const KilnTikLine at = detail::toC(line);
    const KilnTikView to = dst.view(), from = src.view();
    const KilnTikTile size = handles(tile);
    t_->vcast(t_->self, &to, &from, static_cast<uint32_t>(rounding), &size,
              &at);
  }
  /// Row r of dst = the first element of row r of src.
  void broadcast(const Place &dst, const Place &src, const Tile &tile,
                 Line line = Line::current()) const {
    const KilnTikLine at = detail::toC(line);
    const KilnTikView to = dst.view(), from = src.view();
    const KilnTikTile size = handles(tile);
    t_->vbroadcast(t_->self, &to, &from, &size, &at);
  }

  //===--------------------------------------------------------------------===//
  // Masks: a bit per element in a buffer of u8; its rows are ceil(columns/256)
  // blocks of 32 bytes apart
  //===--------------------------------------------------------------------===//

  /// Comparisons with a NaN are false, but for notEqual.
  void compare(Compare op, const Place &mask, const Place &a, const Place &b,
               const Tile &tile, Line line = Line::current()) const {
    threeViews<&KilnTikTable::vcompare>(static_cast<uint32_t>(op), mask, a, b,
                                        tile, line);
  }
  void compare(Compare op, const Place &mask, const Place &a,
               const Number &number, const Tile &tile,
               Line line = Line::current()) const {
    withNumber<&KilnTikTable::vcompareScalar>(static_cast<uint32_t>(op), mask,
                                              a, number, tile, line);
  }
  /// dst = a where the mask's bit is 1, else b.
  void select(const Place &dst, const Place &mask, const Place &a,
              const Place &b, const Tile &tile,
              Line line = Line::current()) const {
    const KilnTikLine at = detail::toC(line);
    const KilnTikView to = dst.view(), bits = mask.view(), x = a.view(),
                      y = b.view();
    const KilnTikTile size = handles(tile);
    t_->vselect(t_->self, &to, &bits, &x, &y, &size, &at);
  }

  //===--------------------------------------------------------------------===//
  // Tables and sorted lists; indices are i32
  //===--------------------------------------------------------------------===//

  /// dst = table[index], element by element; 0 where an index is not below the
  /// table's count.
  void gather(const Place &dst, const Lookup &table, const Place &indices,
              const Tile &tile, Line line = Line::current()) const {
    const KilnTikLine at = detail::toC(line);
    const KilnTikView to = dst.view(), index = indices.view();
    const KilnTikLookup from = {table.place.place(), table.count.handle(t_)};
    const KilnTikTile size = handles(tile);
    t_->vgather(t_->self, &to, &from, &index, &size, &at);
  }
  /// dst = table[index], block by block of 32 bytes: a row of dst is tile.cols
  /// blocks, one index each; the table's count counts blocks as well. Zeros
  /// where an index is not below it.
  void gatherBlocks(const Place &dst, const Lookup &table, const Place &indices,
                    const Tile &tile, Line line = Line::current()) const {
    const KilnTikLine at = detail::toC(line);
    const KilnTikView to = dst.view(), index = indices.view();
    const KilnTikLookup from = {table.place.place(), table.count.handle(t_)};
    const KilnTikTile size = handles(tile);
    t_->vgatherBlocks(t_->self, &to, &from, &index, &size, &at);
  }
  /// table[index] = src, element by element; rows and columns ascending, the
  /// last of equal indices stays. An index that is not below the count writes
  /// nothing.
  void scatter(const Lookup &table, const Place &src, const Place &indices,
               const Tile &tile, Line line = Line::current()) const {
    const KilnTikLine at = detail::toC(line);
    const KilnTikView from = src.view(), index = indices.view();
    const KilnTikLookup to = {table.place.place(), table.count.handle(t_)};
    const KilnTikTile size = handles(tile);
    t_->vscatter(t_->self, &to, &from, &index, &size, &at);
  }
  /// Each 32 elements of a row of keys become a list of pairs (key, index),
  /// largest first, equal keys in the order they came. `pairs` is a buffer of
  /// i32, two elements per pair.
  void sort32(const Place &pairs, const Place &keys, const Place &indices,
              const Tile &tile, Line line = Line::current()) const {
    const KilnTikLine at = detail::toC(line);
    const KilnTikView to = pairs.view(), from = keys.view(),
                      index = indices.view();
    const KilnTikTile size = handles(tile);
    t_->vsort32(t_->self, &to, &from, &index, &size, &at);
  }
  /// Row by row: two sorted lists with keys of `type` become one.
  void merge(Type type, const Place &dst, const PairList &a, const PairList &b,
             Operand rows, Line line = Line::current()) const {
    const KilnTikLine at = detail::toC(line);
    const KilnTikView to = dst.view();
    const KilnTikList x = {a.place.view(), a.pairs.handle(t_)},
                      y = {b.place.view(), b.pairs.handle(t_)};
    t_->vmerge(t_->self, static_cast<uint32_t>(type), &to, &x, &y,
               rows.handle(t_), &at);
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
      return {t_, 0};
    }
    return {t_, readBits(src, line)};
  }
  /// The number becomes the element at dst.
  void write(const Place &dst, const Number &number,
             Line line = Line::current()) const {
    const KilnTikLine at = detail::toC(line);
    const KilnTikPlace to = dst.place();
    t_->scalarStore(t_->self, &to, static_cast<uint32_t>(dst.type()),
                    number.handle(t_, dst.type(), at), &at);
  }

protected:
  KilnTikTile handles(const Tile &tile) const {
    return {tile.rows.handle(t_), tile.cols.handle(t_)};
  }
  Index mistaken(uint32_t number, const char *text, const Line &line) const {
    const KilnTikLine at = detail::toC(line);
    t_->mistake(t_->self, number, text, &at);
    return {t_, 0}; // what uses it is silent
  }

  const KilnTikTable *t_;

private:
  KilnTikValue number(const Number &value, const Place &place,
                      const KilnTikLine &at) const {
    return value.handle(t_, place.type(), at);
  }
  KilnTikValue readBits(const Place &src, const Line &line) const {
    const KilnTikLine at = detail::toC(line);
    const KilnTikPlace from = src.place();
    return t_->scalarLoad(t_->self, &from, static_cast<uint32_t>(src.type()),
                          &at);
  }
  // Calls of one shape; Entry is the function of the table.
  template <auto Entry>
  void twoViews(uint32_t code, const Place &dst, const Place &src,
                const Tile &tile, const Line &line) const {
    const KilnTikLine at = detail::toC(line);
    const KilnTikView to = dst.view(), from = src.view();
    const KilnTikTile size = handles(tile);
    (t_->*Entry)(t_->self, code, &to, &from, &size, &at);
  }
  template <auto Entry>
  void threeViews(uint32_t code, const Place &dst, const Place &a,
                  const Place &b, const Tile &tile, const Line &line) const {
    const KilnTikLine at = detail::toC(line);
    const KilnTikView to = dst.view(), x = a.view(), y = b.view();
    const KilnTikTile size = handles(tile);
    (t_->*Entry)(t_->self, code, &to, &x, &y, &size, &at);
  }
  template <auto Entry>
  void withNumber(uint32_t code, const Place &dst, const Place &src,
                  const Number &value, const Tile &tile,
                  const Line &line) const {
    const KilnTikLine at = detail::toC(line);
    const KilnTikView to = dst.view(), from = src.view();
    const KilnTikTile size = handles(tile);
    (t_->*Entry)(t_->self, code, &to, &from, number(value, src, at), &size,
                 &at);
  }
};

} // namespace kiln::tik
