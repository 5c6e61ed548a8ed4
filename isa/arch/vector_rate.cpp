// SPDX-License-Identifier: Apache-2.0
#include "isa/arch/vector_rate.h"

#include "isa/gen/operands.h"
#include "isa/gen/vector_meanings.h"

#include <algorithm>
#include <cassert>

namespace kiln::isa {
namespace {

constexpr unsigned index(TimingClass t) { return static_cast<unsigned>(t); }

// The vector timing classes of the instruction table follow VectorClass.
constexpr bool matches(TimingClass t, VectorClass v) {
  return index(t) - index(kFirstVectorTiming) == static_cast<unsigned>(v);
}
static_assert(matches(TimingClass::kVArithmetic, VectorClass::kArithmetic));
static_assert(matches(TimingClass::kVMultiplyAdd, VectorClass::kMultiplyAdd));
static_assert(matches(TimingClass::kVCast, VectorClass::kCast));
static_assert(matches(TimingClass::kVExp, VectorClass::kExp));
static_assert(matches(TimingClass::kVReciprocal, VectorClass::kReciprocal));
static_assert(matches(TimingClass::kVDivide, VectorClass::kDivide));
static_assert(matches(TimingClass::kVReduceRows, VectorClass::kReduceRows));
static_assert(matches(TimingClass::kVReduceLane, VectorClass::kReduceLane));
static_assert(matches(TimingClass::kVTranspose, VectorClass::kTranspose));
static_assert(matches(TimingClass::kVBroadcast, VectorClass::kBroadcast));
static_assert(matches(TimingClass::kVCompare, VectorClass::kCompare));
static_assert(matches(TimingClass::kVTrigonometric,
                      VectorClass::kTrigonometric));
static_assert(matches(TimingClass::kVGather, VectorClass::kGather));
static_assert(matches(TimingClass::kVSort, VectorClass::kSort));
static_assert(matches(TimingClass::kVGatherBlocks, VectorClass::kGatherBlocks));

unsigned rateWidth(const Command &c) {
  const ElementType type = static_cast<ElementType>(c.f3);
  const unsigned width = sizeOf(type);
  const VectorMeaning &of = meaning(c.op);
  if (of.result == VectorResult::kMode) {
    return std::max(width, sizeOf(CastMode::unpack(c.rs3).type));
  }
  return of.rateWidth != 0 ? of.rateWidth : width;
}

} // namespace

VectorClass vectorClass(Opcode op) {
  assert(info(op).pipe == Pipe::V && info(op).pipeRule == PipeRule::kFixed &&
         "only vector instructions have a vector class");
  return static_cast<VectorClass>(index(info(op).timing) -
                                  index(kFirstVectorTiming));
}

uint64_t vectorColumns(const Command &c) {
  const uint64_t columns = LocalView::unpack(c.rs2).count;
  switch (meaning(c.op).shape) {
  case VectorShape::kMerge:
    return columns + LocalView::unpack(c.rs3).count;
  case VectorShape::kGatherBlocks:
    return columns * (kBlockBytes / sizeOf(static_cast<ElementType>(c.f3)));
  default:
    return columns;
  }
}

VectorRate vectorRate(const TimingPart &timing, const Command &command) {
  const VectorClass kind = vectorClass(command.op);
  const VectorTiming &row = timing.vector[static_cast<unsigned>(kind)];
  const unsigned width = rateWidth(command);
  const uint32_t elements = width == 1   ? row.elements8
                            : width == 2 ? row.elements16
                                         : row.elements32;
  return {elements, row.latencyCycles, row.extraCyclesPerRow,
          kind == VectorClass::kBroadcast};
}

} // namespace kiln::isa
