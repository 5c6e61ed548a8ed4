// SPDX-License-Identifier: Apache-2.0
//
// Draws of V commands: every opcode and type, by the shape of its operands.
#include "isa/gen/operands.h"
#include "tests/engines/random/step_source.h"

namespace kiln::test {

using isa::ElementType;
using isa::LocalView;
using isa::Opcode;
using isa::VectorShape;

namespace {

ElementType resultType(Opcode op, ElementType source, ElementType castTo) {
  switch (meaning(op).result) {
  case isa::VectorResult::kF16:
    return ElementType::F16;
  case isa::VectorResult::kBf16:
    return ElementType::BF16;
  case isa::VectorResult::kI32:
    return ElementType::I32;
  case isa::VectorResult::kMode:
    return castTo;
  default:
    return source;
  }
}

bool isTranspose(VectorShape shape) {
  return shape == VectorShape::kTransposeIn ||
         shape == VectorShape::kTransposeOut;
}

} // namespace

/// Bytes of a row of dst.
uint32_t StepSource::resultBytes(Opcode op, const Operands &o, uint32_t columns,
                                 ElementType castTo) const {
  switch (meaning(op).shape) {
  case VectorShape::kCompare:
  case VectorShape::kCompareScalar:
    return (columns + 7) / 8;
  case VectorShape::kSort:
    return 8 * columns;
  default:
    return columns * isa::sizeOf(resultType(op, o.type, castTo));
  }
}

uint32_t StepSource::scalarBits(Opcode op, ElementType type) {
  const bool shift =
      op == Opcode::kVshls || op == Opcode::kVshrs || op == Opcode::kVshrus;
  const uint64_t bits = shift ? below(8 * isa::sizeOf(type) + 2) : random_();
  return static_cast<uint32_t>(bits &
                               ((uint64_t{1} << 8 * isa::sizeOf(type)) - 1));
}

Step StepSource::vector(Opcode op, ElementType type) {
  const VectorShape shape = meaning(op).shape;
  Operands o;
  o.type = type;
  const uint32_t epb = isa::c0(o.type);
  o.rows = isTranspose(shape) ? 1 + below32(epb) : 1 + below32(4);
  o.columns = 1 + below32(isTranspose(shape) ? 24 : 6 * epb);
  if (shape == VectorShape::kSort || shape == VectorShape::kMerge ||
      shape == VectorShape::kPairs) {
    o.columns = 1 + below32(40);
    o.rows = 1 + below32(3);
  }
  const auto castTo = static_cast<ElementType>(below(8));
  o.a = view(o.columns, o.columns * isa::sizeOf(o.type));
  o.dst = view(o.rows, resultBytes(op, o, o.columns, castTo));
  if (shape == VectorShape::kPairs || shape == VectorShape::kMerge) {
    o.a = view(o.columns, 8 * o.columns);
  }
  if (shape == VectorShape::kCast) {
    isa::CastMode mode;
    mode.type = castTo;
    mode.rounding = static_cast<isa::RoundingMode>(below(7));
    o.rs3 = mode.pack();
  }
  o.rs1 = o.dst.pack();
  thirdOperand(op, o);
  adjust(shape, o);
  if (shape != VectorShape::kScatter) {
    o.rs1 = o.dst.pack();
  }
  return command(op, static_cast<uint8_t>(o.type), o.rs1, o.a.pack(), o.rs3);
}

void StepSource::thirdOperand(Opcode op, Operands &o) {
  const uint32_t rowBytes = o.columns * isa::sizeOf(o.type);
  isa::LocalView b = view(0, rowBytes);
  if (oneIn(8)) {
    b.rowStride = 0; // one row for all
  }
  switch (meaning(op).shape) {
  case VectorShape::kBinary:
  case VectorShape::kCompare:
    o.rs3 = b.pack();
    break;
  case VectorShape::kSelect: // `count` is the block of the mask
    b.count = local(4096, 32) / 32;
    o.rs3 = b.pack();
    break;
  case VectorShape::kScalar:
  case VectorShape::kCompareScalar:
  case VectorShape::kFill:
    o.rs3 = scalarBits(op, o.type);
    break;
  case VectorShape::kSequence:
    o.rs3 =
        isa::Sequence{scalarBits(op, o.type), scalarBits(op, o.type)}.pack();
    break;
  case VectorShape::kGather:
    o.a = view(o.columns, 4 * o.columns); // indices
    o.rs3 = isa::Table{local(4096, 32), 1 + below32(120), 0}.pack();
    break;
  case VectorShape::kGatherBlocks: {
    const uint32_t blocks = 1 + below32(4);
    o.a = view(blocks, 4 * blocks); // indices
    o.dst = view(o.rows, 32 * blocks);
    o.rs3 = isa::Table{local(4096, 32), 1 + below32(12), 0}.pack();
    break;
  }
  case VectorShape::kScatter:
    o.rs1 = isa::Table{local(4096, 32), 1 + below32(120), o.rows}.pack();
    o.rs3 = view(0, 4 * o.columns).pack();
    break;
  case VectorShape::kSort:
    o.rs3 = view(0, 4 * o.columns).pack();
    break;
  case VectorShape::kMerge: {
    const uint32_t others = 1 + below32(40);
    o.rs3 = view(others, 8 * others).pack();
    o.dst = view(o.rows, 8 * (o.columns + others));
    break;
  }
  default:
    break;
  }
}

/// The fields an instruction leaves out, and exact overlap now and then.
void StepSource::adjust(VectorShape shape, Operands &o) {
  switch (shape) {
  case VectorShape::kFill:
  case VectorShape::kSequence:
    o.a = {0, 0, 0, o.columns};
    break;
  case VectorShape::kRowReduce:
    o.dst.blkStride = 0;
    o.dst.rowStride = 1 + below32(2);
    o.dst.addr += 4 * below32(8);
    break;
  case VectorShape::kColumnReduce:
  case VectorShape::kTransposeIn:
    o.dst.rowStride = 0;
    break;
  case VectorShape::kSpread:
    o.a.blkStride = 0;
    o.a.rowStride = below32(3);
    o.a.addr += isa::sizeOf(o.type) * below32(isa::c0(o.type));
    break;
  case VectorShape::kTransposeOut:
    o.a.rowStride = 0;
    break;
  case VectorShape::kBinary:
  case VectorShape::kScalar:
  case VectorShape::kUnary:
  case VectorShape::kCast:
  case VectorShape::kSelect:
    if (oneIn(3)) {
      o.a = {o.dst.addr, o.dst.rowStride, o.dst.blkStride, o.columns};
    }
    break;
  default:
    break;
  }
}

/// Indices that count, behind them a gather or a scatter that uses them.
StepSource::Draw StepSource::indexed() {
  const uint32_t columns = 1 + below32(40);
  LocalView indices = view(1, 4 * columns);
  constexpr auto kI32 = static_cast<uint8_t>(ElementType::I32);
  Draw draw = {command(Opcode::kViota, kI32, indices.pack(),
                       LocalView{0, 0, 0, columns}.pack(),
                       isa::Sequence{below32(8), 1 + below32(3)}.pack())};
  const Opcode op = oneIn(2) ? Opcode::kVgather : Opcode::kVscatter;
  const uint8_t f3 = anyF3(op);
  const uint32_t bytes = columns * isa::sizeOf(static_cast<ElementType>(f3));
  LocalView rows = view(1, bytes);
  isa::Table table{local(4096, 32), 1 + below32(120), 0};
  if (op == Opcode::kVgather) {
    indices.count = columns;
    draw.push_back(command(op, f3, rows.pack(), indices.pack(), table.pack()));
  } else {
    table.rows = 1;
    indices.count = 0;
    rows.count = columns;
    draw.push_back(command(op, f3, table.pack(), rows.pack(), indices.pack()));
  }
  return draw;
}

} // namespace kiln::test
