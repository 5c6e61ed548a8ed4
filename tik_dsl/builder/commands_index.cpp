// SPDX-License-Identifier: Apache-2.0
//
// Commands of V on masks, tables and sorted lists.
#include "tik_dsl/builder/kernel_builder.h"

#include "compiler/dialect/npu/NpuOps.h"
#include "isa/support/units.h"

using namespace mlir;

namespace kiln::tik {

namespace {

using isa::ElementType;
using isa::Space;
constexpr int64_t kCount16 = (1 << 16) - 1;
constexpr int64_t kCount24 = (1 << 24) - 1;
constexpr int64_t kMaskBits = 8 * int64_t{isa::kBlockBytes}; // of a block

std::string typeText(const CheckedOperand &operand) {
  return "'" + operand.memory->name + "' is " +
         std::string(isa::name(operand.memory->type));
}

npu::CompareKind compareKind(uint32_t op) {
  return static_cast<npu::CompareKind>(
      static_cast<uint32_t>(npu::CompareKind::eq) + op);
}

} // namespace

bool KernelBuilder::isIndex(const CheckedOperand &operand) {
  if (operand.memory->type == ElementType::I32) {
    return true;
  }
  mistake(Mistake::kIndexType, typeText(operand) + "; indices are i32");
  return false;
}

bool KernelBuilder::isPairs(const CheckedOperand &operand) {
  if (operand.memory->type == ElementType::I32) {
    return true;
  }
  mistake(Mistake::kPairType,
          typeText(operand) + "; lists of pairs lie in a buffer of i32");
  return false;
}

bool KernelBuilder::isMask(const CheckedOperand &operand) {
  if (operand.memory->type == ElementType::U8) {
    return true;
  }
  mistake(Mistake::kMaskType, typeText(operand) + "; masks are u8");
  return false;
}

/// The instruction knows the rows of a mask by the number of columns.
bool KernelBuilder::maskPitch(const KilnTikView &mask, const VectorTile &tile) {
  const Facts blocks =
      divide(tile.colFacts, Facts::constant(kMaskBits), /*up=*/true);
  const bool oneRow = tile.rowFacts.isConstant() && tile.rowFacts.low <= 1;
  if (oneRow || (blocks.isConstant() && blocks.low == mask.row_stride)) {
    return true;
  }
  mistake(Mistake::kMaskPitch,
          "rows of the mask are " + std::to_string(32 * mask.row_stride) +
              " bytes apart; for these columns the instruction wants " +
              (blocks.isConstant() ? std::to_string(32 * blocks.low)
                                   : std::string("a distance that changes")));
  return false;
}

void KernelBuilder::viota(const KilnTikView *dst, KilnTikValue start,
                          KilnTikValue step, const KilnTikTile *tile,
                          const KilnTikLine *line) {
  at(line);
  call_ = "iota";
  const auto c = vectorCommand(*tile, {{"destination", dst, Use::kWrite}});
  if (!c) {
    return;
  }
  const CheckedOperand &d = (*c)[0];
  Value first = bitsOf(start, d.memory->type),
        by = bitsOf(step, d.memory->type);
  if (first && by) {
    create<npu::VIotaOp>(d.base, d.offset, first, by, c->size.rows,
                         c->size.cols, stridesOf(*dst));
  }
}

//===----------------------------------------------------------------------===//
// Masks
//===----------------------------------------------------------------------===//

void KernelBuilder::vcompare(uint32_t op, const KilnTikView *mask,
                             const KilnTikView *src0, const KilnTikView *src1,
                             const KilnTikTile *tile, const KilnTikLine *line) {
  at(line);
  call_ = "compare";
  if (op > KILN_TIK_GE) {
    return unknownOperation(op);
  }
  const auto c =
      vectorCommand(*tile, {{"mask", mask, Use::kWrite, Shape::kBits},
                            {"first source", src0},
                            {"second source", src1}});
  if (!c || !isMask((*c)[0]) || !sameType((*c)[1], (*c)[2])) {
    return;
  }
  const CheckedOperand &m = (*c)[0], &a = (*c)[1], &b = (*c)[2];
  create<npu::VCompareOp>(compareKind(op), m.base, m.offset, a.base, a.offset,
                          b.base, b.offset, c->size.rows, c->size.cols,
                          stridesOf(*mask), stridesOf(*src0), stridesOf(*src1));
}

void KernelBuilder::vcompareScalar(uint32_t op, const KilnTikView *mask,
                                   const KilnTikView *src, KilnTikValue bits,
                                   const KilnTikTile *tile,
                                   const KilnTikLine *line) {
  at(line);
  call_ = "compare";
  if (op > KILN_TIK_GE) {
    return unknownOperation(op);
  }
  const auto c = vectorCommand(
      *tile, {{"mask", mask, Use::kWrite, Shape::kBits}, {"source", src}});
  if (!c || !isMask((*c)[0])) {
    return;
  }
  const CheckedOperand &m = (*c)[0], &s = (*c)[1];
  if (Value scalar = bitsOf(bits, s.memory->type)) {
    create<npu::VCompareScalarOp>(compareKind(op), m.base, m.offset, s.base,
                                  s.offset, scalar, c->size.rows, c->size.cols,
                                  stridesOf(*mask), stridesOf(*src));
  }
}

void KernelBuilder::vselect(const KilnTikView *dst, const KilnTikView *mask,
                            const KilnTikView *src0, const KilnTikView *src1,
                            const KilnTikTile *tile, const KilnTikLine *line) {
  at(line);
  call_ = "select";
  const auto c = vectorCommand(*tile, {{"destination", dst, Use::kWrite},
                                       {"mask", mask, Use::kRead, Shape::kBits},
                                       {"first source", src0},
                                       {"second source", src1}});
  if (!c || !isMask((*c)[1]) || !maskPitch(*mask, c->size) ||
      !sameType((*c)[0], (*c)[2]) || !sameType((*c)[0], (*c)[3]) ||
      !noPartialOverlap((*c)[0], *dst, (*c)[2], *src0, c->size.rowFacts) ||
      !noPartialOverlap((*c)[0], *dst, (*c)[3], *src1, c->size.rowFacts)) {
    return;
  }
  const CheckedOperand &d = (*c)[0], &m = (*c)[1], &a = (*c)[2], &b = (*c)[3];
  create<npu::VSelectOp>(d.base, d.offset, m.base, m.offset, a.base, a.offset,
                         b.base, b.offset, c->size.rows, c->size.cols,
                         stridesOf(*dst), stridesOf(*src0), stridesOf(*src1));
}

//===----------------------------------------------------------------------===//
// Tables
//===----------------------------------------------------------------------===//

std::optional<CheckedOperand> KernelBuilder::lookup(const KilnTikLookup &table,
                                                    Use use, Value &entries,
                                                    int64_t entryBytes) {
  const MemoryEntry *entry = memory(table.place.memory);
  entries = count("the table's count", table.count, kCount24);
  if (entry == nullptr || !entries) {
    return std::nullopt;
  }
  const int64_t bytes = entryBytes ? entryBytes : isa::sizeOf(entry->type);
  return operand(table.place, {"table",
                               {Space::UB},
                               isa::kBlockBytes,
                               factsOf(table.count) * Facts::constant(bytes),
                               use});
}

template <typename Op>
void KernelBuilder::createGather(const KilnTikView &dst,
                                 const KilnTikLookup &table,
                                 const KilnTikView &indices,
                                 const KilnTikTile &tile, Shape shape) {
  Value entries;
  const auto from =
      lookup(table, Use::kRead, entries,
             shape == Shape::kBlocks ? int64_t{isa::kBlockBytes} : 0);
  if (!from) {
    return;
  }
  const auto c = vectorCommand(
      tile, {{"destination", &dst, Use::kWrite, shape}, {"indices", &indices}});
  if (!c || !isIndex((*c)[1]) || !sameType((*c)[0], *from) ||
      !differentBuffers((*c)[0], *from) ||
      !differentBuffers((*c)[0], (*c)[1])) {
    return;
  }
  const CheckedOperand &d = (*c)[0], &i = (*c)[1];
  create<Op>(d.base, d.offset, from->base, from->offset, i.base, i.offset,
             entries, c->size.rows, c->size.cols, stridesOf(dst),
             stridesOf(indices));
}

void KernelBuilder::vgather(const KilnTikView *dst, const KilnTikLookup *table,
                            const KilnTikView *indices, const KilnTikTile *tile,
                            const KilnTikLine *line) {
  at(line);
  call_ = "gather";
  createGather<npu::VGatherOp>(*dst, *table, *indices, *tile, Shape::kTile);
}

void KernelBuilder::vgatherBlocks(const KilnTikView *dst,
                                  const KilnTikLookup *table,
                                  const KilnTikView *indices,
                                  const KilnTikTile *tile,
                                  const KilnTikLine *line) {
  at(line);
  call_ = "gatherBlocks";
  createGather<npu::VGatherBlocksOp>(*dst, *table, *indices, *tile,
                                     Shape::kBlocks);
}

void KernelBuilder::vscatter(const KilnTikLookup *table, const KilnTikView *src,
                             const KilnTikView *indices,
                             const KilnTikTile *tile, const KilnTikLine *line) {
  at(line);
  call_ = "scatter";
  Value elements;
  const auto to = lookup(*table, Use::kUpdate, elements);
  if (!to) {
    return;
  }
  const auto c = vectorCommand(*tile, {{"source", src}, {"indices", indices}});
  if (!c || !isIndex((*c)[1]) || !sameType(*to, (*c)[0]) ||
      !differentBuffers(*to, (*c)[0]) || !differentBuffers(*to, (*c)[1])) {
    return;
  }
  const CheckedOperand &s = (*c)[0], &i = (*c)[1];
  create<npu::VScatterOp>(to->base, to->offset, s.base, s.offset, i.base,
                          i.offset, elements, c->size.rows, c->size.cols,
                          stridesOf(*src), stridesOf(*indices));
}

//===----------------------------------------------------------------------===//
// Sorted lists
//===----------------------------------------------------------------------===//

void KernelBuilder::vsort32(const KilnTikView *pairs, const KilnTikView *keys,
                            const KilnTikView *indices, const KilnTikTile *tile,
                            const KilnTikLine *line) {
  at(line);
  call_ = "sort32";
  const auto c =
      vectorCommand(*tile, {{"destination", pairs, Use::kWrite, Shape::kPairs},
                            {"keys", keys},
                            {"indices", indices}});
  if (!c || !isPairs((*c)[0]) || !isIndex((*c)[2]) ||
      !differentBuffers((*c)[0], (*c)[1]) ||
      !differentBuffers((*c)[0], (*c)[2])) {
    return;
  }
  const CheckedOperand &d = (*c)[0], &k = (*c)[1], &i = (*c)[2];
  create<npu::VSort32Op>(d.base, d.offset, k.base, k.offset, i.base, i.offset,
                         c->size.rows, c->size.cols, stridesOf(*pairs),
                         stridesOf(*keys), stridesOf(*indices));
}

std::optional<CheckedOperand> KernelBuilder::list(const char *role,
                                                  const KilnTikList &list,
                                                  const VectorTile &rows,
                                                  Value &pairs) {
  pairs = count("the number of pairs", list.pairs, kCount16);
  if (!pairs) {
    return std::nullopt;
  }
  VectorTile tile = rows;
  tile.colFacts = factsOf(list.pairs);
  auto checked =
      vectorOperand({role, &list.view, Use::kRead, Shape::kPairs}, tile);
  return checked && isPairs(*checked) ? checked : std::nullopt;
}

void KernelBuilder::vmerge(uint32_t type, const KilnTikView *dst,
                           const KilnTikList *a, const KilnTikList *b,
                           KilnTikValue rows, const KilnTikLine *line) {
  at(line);
  call_ = "merge";
  VectorTile tile;
  tile.rows = count("the number of rows", rows, kCount16);
  tile.rowFacts = factsOf(rows);
  if (!tile.rows) {
    return;
  }
  Value pairs0, pairs1;
  const auto x = list("first list", *a, tile, pairs0);
  const auto y = x ? list("second list", *b, tile, pairs1) : std::nullopt;
  if (!y) {
    return;
  }
  tile.colFacts = factsOf(a->pairs) + factsOf(b->pairs);
  const auto d =
      vectorOperand({"destination", dst, Use::kWrite, Shape::kPairs}, tile);
  if (!d || !isPairs(*d) || !differentBuffers(*d, *x) ||
      !differentBuffers(*d, *y)) {
    return;
  }
  create<npu::VMergeOp>(
      d->base, d->offset, x->base, x->offset, y->base, y->offset, tile.rows,
      pairs0, pairs1, mlirType(builder_.getContext(), elementTypeOf(type)),
      stridesOf(*dst), stridesOf(a->view), stridesOf(b->view));
}

void KernelBuilder::vpairs(uint32_t half, const KilnTikView *dst,
                           const KilnTikView *pairs, const KilnTikTile *tile,
                           const KilnTikLine *line) {
  at(line);
  if (half != KILN_TIK_KEYS && half != KILN_TIK_INDICES) {
    return unknownOperation(half);
  }
  call_ = half == KILN_TIK_KEYS ? "keysOf" : "indicesOf";
  const auto c =
      vectorCommand(*tile, {{"destination", dst, Use::kWrite},
                            {"source", pairs, Use::kRead, Shape::kPairs}});
  if (!c || !isPairs((*c)[1]) ||
      (half == KILN_TIK_INDICES && !isIndex((*c)[0])) ||
      !differentBuffers((*c)[0], (*c)[1])) {
    return;
  }
  const CheckedOperand &d = (*c)[0], &s = (*c)[1];
  create<npu::VPairsOp>(static_cast<npu::PairKind>(half), d.base, d.offset,
                        s.base, s.offset, c->size.rows, c->size.cols,
                        stridesOf(*dst), stridesOf(*pairs));
}

} // namespace kiln::tik
