// SPDX-License-Identifier: Apache-2.0
//
// Memories as the author sees them: tensors in global memory, buffers in the
// local memories of a core, and places in them.
//
//   Tensor x = k.tensor("x");                       // declared by the operator
//   Buffer t = k.ub(x.type(), {rows, 128}, "t");    // lives in this C++ scope
//   k.load(t, x.at(r, 0), {rows, 128});             // GM rows -> UB rows
//
// at() takes one index per dimension (or one index of the flat tensor) and
// gives the place of that element; dimensions that have none begin at 0, more
// indices than dimensions are TIK223. Its row pitch is that of the tensor's or
// buffer's last dimension. A Place says how rows follow each other; change it
// with broadcastRow(), rowPitch() and blockStride().
//
// Sizes are C++ integers: a kernel is built once per shape. A dimension that
// the operator declares dynamic() is given by the launch: extent(i) is its
// Index.
#pragma once

#include "tik_dsl/api/scalar.h"

#include <initializer_list>

namespace kiln::tik {

enum class Type : uint32_t {
  i8 = KILN_TIK_I8,
  u8 = KILN_TIK_U8,
  i16 = KILN_TIK_I16,
  u16 = KILN_TIK_U16,
  i32 = KILN_TIK_I32,
  f16 = KILN_TIK_F16,
  bf16 = KILN_TIK_BF16,
  f32 = KILN_TIK_F32
};
using enum Type;

/// Bytes of an element.
constexpr int64_t sizeOf(Type type) {
  constexpr int64_t kSizes[] = {1, 1, 2, 2, 4, 2, 2, 4};
  return kSizes[static_cast<uint32_t>(type)];
}
/// Elements in a 32-byte block: the C0 of blocked layouts.
constexpr int64_t blockElements(Type type) { return 32 / sizeOf(type); }

constexpr bool isFloat(Type type) {
  return type == f16 || type == bf16 || type == f32;
}

/// An element of a memory, and how rows go on from there.
class Place {
public:
  Place(const KilnTikTable *table, KilnTikMemory memory,
        const KilnTikMemoryInfo &info, const Operand &byteOffset,
        const Operand &pitchBytes, int64_t nzRows = 0)
      : table_(table), memory_(memory), type_(static_cast<Type>(info.type)),
        space_(info.space), offset_(byteOffset), pitch_(pitchBytes),
        nzRows_(nzRows) {}

  Type type() const { return type_; }
  /// KilnTikSpace.
  uint32_t space() const { return space_; }
  /// Bytes from row to row.
  const Operand &pitch() const { return pitch_; }
  /// Rows between column blocks (l1Nz), 0 for row-major memory.
  int64_t nzRows() const { return nzRows_; }

  /// Rows lie `elements` apart; in local memory whole 32-byte blocks.
  Place rowPitch(int64_t elements) const {
    Place place = *this;
    place.pitch_ = Operand(elements * sizeOf(type_), pitch_.line());
    return place;
  }
  /// Every row is the same one; for sources of vector instructions.
  Place broadcastRow() const { return rowPitch(0); }
  /// The 32-byte blocks of a row lie `blocks` apart; 0 repeats one block.
  Place blockStride(int64_t blocks) const {
    Place place = *this;
    place.blockStride_ = blocks;
    return place;
  }

  /// The matrix from here lies in column blocks of C0 elements, `rows` rows
  /// each: element (r, c) in block c/C0, row r. For fix().
  Place columnBlocks(int64_t rows) const {
    Place place = *this;
    place.nzRows_ = rows;
    return place;
  }

  KilnTikPlace place() const { return {memory_, offset_.handle(table_)}; }
  KilnTikView view() const {
    const int64_t bytes = pitch_.constant(); // local memory is static
    return {place(), bytes % 32 == 0 ? bytes / 32 : KILN_TIK_ODD_PITCH,
            blockStride_};
  }

private:
  const KilnTikTable *table_;
  KilnTikMemory memory_;
  Type type_;
  uint32_t space_;
  Operand offset_;
  Operand pitch_;
  int64_t nzRows_;
  int64_t blockStride_ = 1;
};

/// What Tensor and Buffer share: type, shape and element addresses.
class Memory {
public:
  Memory(const KilnTikTable *table, KilnTikMemory handle, int64_t nzRows = 0)
      : table_(table), handle_(handle), nzRows_(nzRows) {
    table->describe(table->self, handle, &info_);
  }

  Type type() const { return static_cast<Type>(info_.type); }
  int64_t rank() const { return info_.rank; }
  /// Size of dimension i; 1 beyond the rank. One that the launch gives is
  /// TIK526; a negative i is TIK223.
  int64_t dim(int64_t i, Line line = Line::current()) const {
    if (i >= 0 && i < rank() && info_.dims[i] == KILN_TIK_DYNAMIC) {
      const KilnTikLine at = detail::toC(line);
      table_->mistake(table_->self, 526,
                      "dim: the launch gives this size; use extent()", &at);
      return 1;
    }
    return has("dim: a dimension below 0", i >= 0, line) && i < rank()
               ? info_.dims[i]
               : 1;
  }
  /// A dimension as a run-time value, whoever gives it.
  Index extent(int64_t i, Line line = Line::current()) const {
    if (!has("extent: a dimension below 0", i >= 0, line)) {
      return {};
    }
    return {table_,
            table_->extent(table_->self, handle_, static_cast<uint32_t>(i))};
  }
  /// Number of elements.
  int64_t size(Line line = Line::current()) const {
    int64_t elements = 1;
    for (int64_t i = 0; i < rank(); ++i) {
      elements *= dim(i, line);
    }
    return elements;
  }
  KilnTikMemory handle() const { return handle_; }

  operator Place() const { return placeAt(Operand(0)); }

protected:
  bool has(const char *text, bool holds, const Line &line) const {
    if (!holds) {
      const KilnTikLine at = detail::toC(line);
      table_->mistake(table_->self, 223, text, &at);
    }
    return holds;
  }
  Operand dimension(int64_t i, const Line &line) const {
    return info_.dims[i] == KILN_TIK_DYNAMIC ? Operand(extent(i, line), line)
                                             : Operand(info_.dims[i], line);
  }
  Operand elementsFrom(int64_t i, const Line &line) const {
    Operand elements(1, line);
    for (; i < rank(); ++i) {
      elements = mul(elements, dimension(i, line));
    }
    return elements;
  }
  Operand rowBytes(const Line &line) const {
    return rank() < 2 ? Operand(0, line)
                      : scale(dimension(rank() - 1, line), sizeOf(type()));
  }
  Place placeAt(const Operand &bytes) const {
    return {table_, handle_, info_, bytes, rowBytes(bytes.line()), nzRows_};
  }
  /// Sum of index * elements, in bytes.
  Operand byteOffset(const Operand *indices, int64_t count) const {
    const Line &line = indices[0].line();
    // A memory that a mistake left without a description has rank 0.
    has("at: more indices than dimensions",
        count == 1 || count <= rank() || rank() == 0, line);
    Operand sum(0, line);
    for (int64_t i = 0; i < count; ++i) {
      const Operand elements =
          count == 1 ? Operand(1, line) : elementsFrom(i + 1, line);
      sum = add(sum, mul(indices[i], scale(elements, sizeOf(type()))));
    }
    return sum;
  }
  static Operand mul(const Operand &a, const Operand &b) {
    if (a.isConstant()) {
      return scale(b, a.constant());
    }
    return b.isConstant()
               ? scale(a, b.constant())
               : Operand(detail::arith(KILN_TIK_MUL, a, b), a.line());
  }
  static Operand scale(const Operand &a, int64_t factor) {
    if (factor == 1) {
      return a;
    }
    return a.isConstant() ? Operand(a.constant() * factor, a.line())
                          : Operand(detail::arith(KILN_TIK_MUL, a,
                                                  Operand(factor, a.line())),
                                    a.line());
  }
  static Operand add(const Operand &a, const Operand &b) {
    if (a.isConstant() && b.isConstant()) {
      return Operand(a.constant() + b.constant(), b.line());
    }
    return Operand(detail::arith(KILN_TIK_ADD, a, b), b.line());
  }

  const KilnTikTable *table_;
  KilnTikMemory handle_;
  int64_t nzRows_;
  KilnTikMemoryInfo info_{};
};

/// A tensor in global memory, row-major. Indices are in elements; what lies
/// outside of it is TIK204 or TIK209, or found by the engines.
class Tensor : public Memory {
public:
  using Memory::Memory;

  Place at(Operand flat) const { return placeAt(byteOffset(&flat, 1)); }
  Place at(Operand i, Operand j) const { return index({i, j}); }
  Place at(Operand i, Operand j, Operand k) const { return index({i, j, k}); }
  Place at(Operand i, Operand j, Operand k, Operand l) const {
    return index({i, j, k, l});
  }

private:
  Place index(std::initializer_list<Operand> indices) const {
    return placeAt(
        byteOffset(indices.begin(), static_cast<int64_t>(indices.size())));
  }
};

/// A local buffer. In L1 a matrix may lie as column blocks (l1Nz): element
/// (r, c) in block c/C0, row r; at(r, c) then wants r a multiple of 16 and c
/// of C0. Buffers of L0A, L0B, L0C are used whole.
class Buffer : public Memory {
public:
  using Memory::Memory;

  Place at(Operand flat) const { return placeAt(byteOffset(&flat, 1)); }
  Place at(Operand row, Operand col) const {
    if (nzRows_ > 0) {
      return placeAt(add(scale(row, 32), scale(col, nzRows_ * sizeOf(type()))));
    }
    const Operand indices[] = {row, col};
    return placeAt(byteOffset(indices, 2));
  }
  Place at(Operand i, Operand j, Operand k) const {
    const Operand indices[] = {i, j, k};
    return placeAt(byteOffset(indices, 3));
  }
};

} // namespace kiln::tik
