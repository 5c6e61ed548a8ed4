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
// gives the place of that element; its row pitch is that of the tensor's or
// buffer's last dimension. A Place says how rows follow each other; change it
// with broadcastRow(), rowPitch() and blockStride().
//
// Sizes are C++ integers: a kernel is built once per shape.
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

constexpr int64_t sizeOf(Type type) {
  constexpr int64_t kSizes[] = {1, 1, 2, 2, 4, 2, 2, 4};
  return kSizes[static_cast<uint32_t>(type)];
}
/// Elements in a 32-byte block: the C0 of blocked layouts.
constexpr int64_t blockElements(Type type) { return 32 / sizeOf(type); }

/// An element of a memory, and how rows go on from there.
class Place {
public:
  Place(const KilnTikTable *table, KilnTikMemory memory, Type type,
        const Operand &byteOffset, int64_t pitchBytes, int64_t nzRows = 0)
      : table_(table), memory_(memory), type_(type), offset_(byteOffset),
        pitch_(pitchBytes), nzRows_(nzRows) {}

  Type type() const { return type_; }
  int64_t pitchBytes() const { return pitch_; }
  /// Rows between column blocks (l1Nz), 0 for row-major memory.
  int64_t nzRows() const { return nzRows_; }

  /// Rows lie `elements` apart; in local memory whole 32-byte blocks.
  Place rowPitch(int64_t elements) const {
    Place place = *this;
    place.pitch_ = elements * sizeOf(type_);
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

  KilnTikPlace place() const { return {memory_, offset_.handle(table_)}; }
  KilnTikView view() const {
    const bool blocks = pitch_ % 32 == 0;
    return {place(), blocks ? pitch_ / 32 : KILN_TIK_ODD_PITCH, blockStride_};
  }

private:
  const KilnTikTable *table_;
  KilnTikMemory memory_;
  Type type_;
  Operand offset_;
  int64_t pitch_;
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
  int64_t dim(int64_t i) const { return i < rank() ? info_.dims[i] : 1; }
  /// Number of elements.
  int64_t size() const { return elementsFrom(0); }
  KilnTikMemory handle() const { return handle_; }

  operator Place() const { return placeAt(Operand(0)); }

protected:
  int64_t elementsFrom(int64_t i) const {
    int64_t elements = 1;
    for (; i < rank(); ++i) {
      elements *= info_.dims[i];
    }
    return elements;
  }
  int64_t rowBytes() const {
    return rank() < 2 ? 0 : dim(rank() - 1) * sizeOf(type());
  }
  Place placeAt(const Operand &bytes) const {
    return {table_, handle_, type(), bytes, rowBytes(), nzRows_};
  }
  /// Sum of index * elements, in bytes.
  Operand byteOffset(const Operand *indices, int64_t count) const {
    Operand sum(0, indices[0].line());
    for (int64_t i = 0; i < count; ++i) {
      const int64_t elements = count == 1 ? 1 : elementsFrom(i + 1);
      sum = add(sum, scale(indices[i], elements * sizeOf(type())));
    }
    return sum;
  }
  static Operand scale(const Operand &a, int64_t factor) {
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

/// A tensor in global memory, row-major.
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
