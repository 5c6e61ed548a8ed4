// SPDX-License-Identifier: Apache-2.0
//
// The work of V instructions: one small function per kind, named by `work` in
// isa/spec. Private to isa/semantics.
//
// A PieceWork computes n consecutive elements of an element-wise instruction;
// vector.cpp walks rows, strides and pieces for it. A WholeWork does a command
// of any other shape.
#pragma once

#include "isa/numerics/vector_kernels.h"
#include "isa/semantics/vector_rows.h"

namespace kiln::isa::semantics {

/// n elements of an element-wise instruction. `b` holds the second source, or
/// the scalar repeated.
struct VectorPiece {
  const VectorCommand &command;
  const std::byte *a, *b;
  std::byte *dst;
  uint64_t n;

  ElementType from() const { return command.src0.type; }
  ElementType to() const { return command.dst.type; }
};

using PieceWork = void (*)(const VectorPiece &);
using WholeWork = void (*)(const VectorCommand &, std::byte *ub);

/// `n` copies of an element.
void fillElements(ElementType type, std::byte *dst, uint64_t n,
                  uint32_t element);

template <BinaryOp kOp> void binary(const VectorPiece &p) {
  numerics::binary(kOp, p.from(), p.a, p.b, p.dst, p.n);
}
template <UnaryOp kOp> void unary(const VectorPiece &p) {
  numerics::unary(kOp, p.from(), p.a, p.dst, p.n);
}
inline void multiplyAdd(const VectorPiece &p) {
  numerics::multiplyAdd(p.from(), p.a, p.b, p.dst, p.n);
}
inline void expDifference(const VectorPiece &p) {
  numerics::expDifference(p.from(), p.to(), p.a, p.b, p.dst, p.n);
}
inline void fill(const VectorPiece &p) {
  fillElements(p.to(), p.dst, p.n, p.command.scalar);
}
inline void copy(const VectorPiece &p) {
  if (p.dst != p.a) { // exact overlap moves nothing
    std::memcpy(p.dst, p.a, p.n * sizeOf(p.to()));
  }
}
inline void cast(const VectorPiece &p) {
  numerics::cast(p.from(), p.to(), p.command.rounding, p.a, p.dst, p.n);
}

// vector_compare.cpp
template <CompareOp kOp> void compare(const VectorCommand &v, std::byte *ub);
void select(const VectorCommand &v, std::byte *ub);

// vector_reduce.cpp
void rowSum(const VectorCommand &v, std::byte *ub);
void columnSum(const VectorCommand &v, std::byte *ub);
template <BinaryOp kOp> void rowExtreme(const VectorCommand &v, std::byte *ub);
template <BinaryOp kOp>
void columnExtreme(const VectorCommand &v, std::byte *ub);
template <BinaryOp kOp> void rowArg(const VectorCommand &v, std::byte *ub);
template <BinaryOp kOp> void columnArg(const VectorCommand &v, std::byte *ub);

// vector_index.cpp
void sequence(const VectorCommand &v, std::byte *ub);
void gatherTable(const VectorCommand &v, std::byte *ub);
void gatherBlocks(const VectorCommand &v, std::byte *ub);
void scatterTable(const VectorCommand &v, std::byte *ub);
void sort32(const VectorCommand &v, std::byte *ub);
void mergeLists(const VectorCommand &v, std::byte *ub);
void splitPairs(const VectorCommand &v, std::byte *ub);

// vector_move.cpp
void broadcast(const VectorCommand &v, std::byte *ub);
void transpose(const VectorCommand &v, std::byte *ub);

} // namespace kiln::isa::semantics
