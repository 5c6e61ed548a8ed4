// SPDX-License-Identifier: Apache-2.0
//
// Commands of V, and the control core's access to UB.
#include "tik_dsl/builder/kernel_builder.h"

#include "compiler/dialect/npu/NpuOps.h"
#include "isa/gen/opcodes.h"
#include "isa/support/units.h"

#include <span>

using namespace mlir;

namespace kiln::tik {

namespace {

using isa::ElementType;
using isa::Opcode;
using isa::Space;
constexpr int64_t kCount16 = (1 << 16) - 1;

/// The element types an instruction takes, a bit each.
uint8_t typesOf(Opcode op) { return isa::info(op).f3Mask; }

/// An operation of the table: its code, the author's call, the instruction.
struct Operation {
  uint32_t code;
  const char *call;
  Opcode opcode;
};
constexpr Operation kBinary[] = {
    {KILN_TIK_VADD, "add", Opcode::kVadd},
    {KILN_TIK_VSUB, "sub", Opcode::kVsub},
    {KILN_TIK_VMUL, "mul", Opcode::kVmul},
    {KILN_TIK_VDIV, "div", Opcode::kVdiv},
    {KILN_TIK_VMAX, "max", Opcode::kVmax},
    {KILN_TIK_VMIN, "min", Opcode::kVmin},
    {KILN_TIK_VMADD, "madd", Opcode::kVmadd},
    {KILN_TIK_VEXPD, "expDifference", Opcode::kVexpd},
    {KILN_TIK_VAND, "bitAnd", Opcode::kVand},
    {KILN_TIK_VOR, "bitOr", Opcode::kVor},
    {KILN_TIK_VXOR, "bitXor", Opcode::kVxor},
    {KILN_TIK_VSHL, "shiftLeft", Opcode::kVshl},
    {KILN_TIK_VSHR, "shiftRight", Opcode::kVshr},
    {KILN_TIK_VSHRU, "shiftRightUnsigned", Opcode::kVshru}};
constexpr Operation kScalar[] = {
    {KILN_TIK_VADDS, "adds", Opcode::kVadds},
    {KILN_TIK_VMULS, "muls", Opcode::kVmuls},
    {KILN_TIK_VMAXS, "maxs", Opcode::kVmaxs},
    {KILN_TIK_VMINS, "mins", Opcode::kVmins},
    {KILN_TIK_VMADDS, "madds", Opcode::kVmadds},
    {KILN_TIK_VANDS, "bitAnds", Opcode::kVands},
    {KILN_TIK_VORS, "bitOrs", Opcode::kVors},
    {KILN_TIK_VXORS, "bitXors", Opcode::kVxors},
    {KILN_TIK_VSHLS, "shiftLefts", Opcode::kVshls},
    {KILN_TIK_VSHRS, "shiftRights", Opcode::kVshrs},
    {KILN_TIK_VSHRUS, "shiftRightUnsigneds", Opcode::kVshrus}};
constexpr Operation kUnary[] = {
    {KILN_TIK_VMOV, "copy", Opcode::kVmov},
    {KILN_TIK_VEXP, "exp", Opcode::kVexp},
    {KILN_TIK_VREC, "reciprocal", Opcode::kVrec},
    {KILN_TIK_VSQRT, "sqrt", Opcode::kVsqrt},
    {KILN_TIK_VTANH, "tanh", Opcode::kVtanh},
    {KILN_TIK_VNOT, "bitNot", Opcode::kVnot},
    {KILN_TIK_VLN, "log", Opcode::kVln},
    {KILN_TIK_VRSQRT, "reciprocalSqrt", Opcode::kVrsqrt},
    {KILN_TIK_VERF, "erf", Opcode::kVerf},
    {KILN_TIK_VSIN, "sin", Opcode::kVsin},
    {KILN_TIK_VCOS, "cos", Opcode::kVcos}};
constexpr Operation kReduce[] = {
    {KILN_TIK_SUM_ROW, "rowSum", Opcode::kVsumL},
    {KILN_TIK_MAX_ROW, "rowMax", Opcode::kVmaxL},
    {KILN_TIK_SUM_ROWS, "sumOfRows", Opcode::kVsumR},
    {KILN_TIK_MAX_ROWS, "maxOfRows", Opcode::kVmaxR},
    {KILN_TIK_MIN_ROW, "rowMin", Opcode::kVminL},
    {KILN_TIK_ARGMAX_ROW, "rowArgMax", Opcode::kVargmaxL},
    {KILN_TIK_ARGMIN_ROW, "rowArgMin", Opcode::kVargminL},
    {KILN_TIK_MIN_ROWS, "minOfRows", Opcode::kVminR},
    {KILN_TIK_ARGMAX_ROWS, "argMaxOfRows", Opcode::kVargmaxR},
    {KILN_TIK_ARGMIN_ROWS, "argMinOfRows", Opcode::kVargminR}};

/// The operation of a code, null when there is none.
const Operation *find(std::span<const Operation> operations, uint32_t code) {
  const auto found = llvm::find_if(
      operations, [&](const Operation &o) { return o.code == code; });
  return found == operations.end() ? nullptr : &*found;
}

} // namespace

void KernelBuilder::unknownOperation(uint32_t code) {
  call_ = "vector operation";
  mistake(Mistake::kBadField, "there is no operation " + std::to_string(code));
}

std::optional<KernelBuilder::VectorTile>
KernelBuilder::vectorTile(const KilnTikTile &tile) {
  VectorTile result;
  result.rows = count("the number of rows", tile.rows, kCount16);
  result.cols = count("the number of columns", tile.cols, kCount16);
  if (!result.rows || !result.cols) {
    return std::nullopt;
  }
  result.rowFacts = factsOf(tile.rows);
  result.colFacts = factsOf(tile.cols);
  return result;
}

std::optional<CheckedOperand>
KernelBuilder::vectorOperand(const VectorView &v, const VectorTile &tile) {
  const KilnTikView &view = *v.view;
  const MemoryEntry *entry = memory(view.place.memory);
  if (entry == nullptr || !strides(v.role, view)) {
    return std::nullopt;
  }
  const int64_t size = isa::sizeOf(entry->type);
  const bool oneElement = v.shape == Shape::kOneElementPerRow;
  const Facts rows =
      v.shape == Shape::kOneRow ? Facts::constant(1) : tile.rowFacts;
  KilnTikView geometry = view;
  geometry.block_stride = oneElement ? 1 : view.block_stride;
  const Facts bytes =
      oneElement                 ? Facts::constant(size)
      : v.shape == Shape::kBits  ? divide(tile.colFacts, Facts::constant(8),
                                          /*up=*/true)
      : v.shape == Shape::kPairs ? tile.colFacts * Facts::constant(8)
      : v.shape == Shape::kBlocks
          ? tile.colFacts * Facts::constant(int64_t{isa::kBlockBytes})
          : tile.colFacts * Facts::constant(size);
  auto result = operand(
      view.place, {v.role,
                   {Space::UB},
                   oneElement ? size : static_cast<int64_t>(isa::kBlockBytes),
                   viewExtent(geometry, rows, bytes),
                   v.use});
  if (result && v.use != Use::kRead &&
      !distinctRows(v.role, geometry, rows, bytes)) {
    return std::nullopt;
  }
  return result;
}

std::optional<KernelBuilder::VectorCommand>
KernelBuilder::vectorCommand(const KilnTikTile &tile,
                             std::initializer_list<VectorView> views) {
  const auto size = vectorTile(tile);
  if (!size) {
    return std::nullopt;
  }
  VectorCommand command{*size, {}};
  for (const VectorView &view : views) {
    const auto checked = vectorOperand(view, *size);
    if (!checked) {
      return std::nullopt;
    }
    command.operands.push_back(*checked);
  }
  return command;
}

bool KernelBuilder::typeAllowed(const CheckedOperand &operand, uint8_t mask) {
  const auto type = static_cast<unsigned>(operand.memory->type);
  if (mask >> type & 1) {
    return true;
  }
  std::string names;
  for (unsigned t = 0; t < 8; ++t) {
    if (mask >> t & 1) {
      names += (names.empty() ? "" : ", ") +
               std::string(isa::name(static_cast<ElementType>(t)));
    }
  }
  mistake(Mistake::kTypeUnsupported,
          "'" + operand.memory->name + "' is " +
              std::string(isa::name(operand.memory->type)) +
              "; this instruction takes " + names);
  return false;
}

void KernelBuilder::vbinary(uint32_t op, const KilnTikView *dst,
                            const KilnTikView *src0, const KilnTikView *src1,
                            const KilnTikTile *tile, const KilnTikLine *line) {
  at(line);
  const Operation *operation = find(kBinary, op);
  if (operation == nullptr) {
    return unknownOperation(op);
  }
  call_ = operation->call;
  const Use use = op == KILN_TIK_VMADD ? Use::kUpdate : Use::kWrite;
  const auto c = vectorCommand(*tile, {{"destination", dst, use},
                                       {"first source", src0},
                                       {"second source", src1}});
  if (!c || !sameType((*c)[1], (*c)[2])) {
    return;
  }
  const CheckedOperand &d = (*c)[0], &a = (*c)[1], &b = (*c)[2];
  const ElementType out = d.memory->type;
  const bool widens = op == KILN_TIK_VEXPD &&
                      (out == ElementType::F16 || out == ElementType::BF16);
  if ((!widens && !sameType(d, a)) ||
      !typeAllowed(a, typesOf(operation->opcode)) ||
      !noPartialOverlap(d, *dst, a, *src0, c->size.rowFacts) ||
      !noPartialOverlap(d, *dst, b, *src1, c->size.rowFacts)) {
    return;
  }
  create<npu::VBinaryOp>(static_cast<npu::BinaryKind>(op), d.base, d.offset,
                         a.base, a.offset, b.base, b.offset, c->size.rows,
                         c->size.cols, stridesOf(*dst), stridesOf(*src0),
                         stridesOf(*src1));
}

void KernelBuilder::vscalar(uint32_t op, const KilnTikView *dst,
                            const KilnTikView *src, KilnTikValue bits,
                            const KilnTikTile *tile, const KilnTikLine *line) {
  at(line);
  const Operation *operation = find(kScalar, op);
  if (operation == nullptr) {
    return unknownOperation(op);
  }
  call_ = operation->call;
  const Use use = op == KILN_TIK_VMADDS ? Use::kUpdate : Use::kWrite;
  const auto c =
      vectorCommand(*tile, {{"destination", dst, use}, {"source", src}});
  if (!c || !sameType((*c)[0], (*c)[1]) ||
      !typeAllowed((*c)[1], typesOf(operation->opcode)) ||
      !noPartialOverlap((*c)[0], *dst, (*c)[1], *src, c->size.rowFacts)) {
    return;
  }
  const CheckedOperand &d = (*c)[0], &s = (*c)[1];
  if (Value scalar = bitsOf(bits, d.memory->type)) {
    create<npu::VScalarOp>(static_cast<npu::ScalarKind>(op), d.base, d.offset,
                           s.base, s.offset, scalar, c->size.rows, c->size.cols,
                           stridesOf(*dst), stridesOf(*src));
  }
}

void KernelBuilder::vdup(const KilnTikView *dst, KilnTikValue bits,
                         const KilnTikTile *tile, const KilnTikLine *line) {
  at(line);
  call_ = "fill";
  const auto c = vectorCommand(*tile, {{"destination", dst, Use::kWrite}});
  if (!c) {
    return;
  }
  const CheckedOperand &d = (*c)[0];
  if (Value scalar = bitsOf(bits, d.memory->type)) {
    create<npu::VDupOp>(d.base, d.offset, scalar, c->size.rows, c->size.cols,
                        stridesOf(*dst));
  }
}

void KernelBuilder::vunary(uint32_t op, const KilnTikView *dst,
                           const KilnTikView *src, const KilnTikTile *tile,
                           const KilnTikLine *line) {
  at(line);
  const Operation *operation = find(kUnary, op);
  if (operation == nullptr) {
    return unknownOperation(op);
  }
  call_ = operation->call;
  const auto c = vectorCommand(
      *tile, {{"destination", dst, Use::kWrite}, {"source", src}});
  if (!c || !sameType((*c)[0], (*c)[1]) ||
      !typeAllowed((*c)[1], typesOf(operation->opcode)) ||
      !noPartialOverlap((*c)[0], *dst, (*c)[1], *src, c->size.rowFacts)) {
    return;
  }
  const CheckedOperand &d = (*c)[0], &s = (*c)[1];
  create<npu::VUnaryOp>(static_cast<npu::UnaryKind>(op), d.base, d.offset,
                        s.base, s.offset, c->size.rows, c->size.cols,
                        stridesOf(*dst), stridesOf(*src));
}

void KernelBuilder::vcast(const KilnTikView *dst, const KilnTikView *src,
                          uint32_t rounding, const KilnTikTile *tile,
                          const KilnTikLine *line) {
  at(line);
  call_ = "cast";
  if (!inRange("the rounding", rounding, 0, 6, Mistake::kRounding)) {
    return;
  }
  const auto c = vectorCommand(
      *tile, {{"destination", dst, Use::kWrite}, {"source", src}});
  if (!c || !differentBuffers((*c)[0], (*c)[1])) {
    return;
  }
  const CheckedOperand &d = (*c)[0], &s = (*c)[1];
  create<npu::VCastOp>(d.base, d.offset, s.base, s.offset, c->size.rows,
                       c->size.cols, stridesOf(*dst), stridesOf(*src),
                       static_cast<npu::RoundingKind>(rounding));
}

void KernelBuilder::vreduce(uint32_t op, const KilnTikView *dst,
                            const KilnTikView *src, const KilnTikTile *tile,
                            const KilnTikLine *line) {
  at(line);
  const Operation *operation = find(kReduce, op);
  if (operation == nullptr) {
    return unknownOperation(op);
  }
  call_ = operation->call;
  const auto kind = static_cast<npu::ReduceKind>(op);
  const bool alongRows = npu::isAlongRows(kind);
  const Shape shape = alongRows ? Shape::kOneElementPerRow : Shape::kOneRow;
  const auto c = vectorCommand(
      *tile, {{"destination", dst, Use::kWrite, shape}, {"source", src}});
  const bool typed = c && (npu::givesIndex(kind) ? isIndex((*c)[0])
                                                 : sameType((*c)[0], (*c)[1]));
  if (!typed || !typeAllowed((*c)[1], typesOf(operation->opcode)) ||
      !differentBuffers((*c)[0], (*c)[1])) {
    return;
  }
  const CheckedOperand &d = (*c)[0], &s = (*c)[1];
  std::array<int64_t, 2> strides = stridesOf(*dst);
  strides[alongRows ? 1 : 0] = 0; // unused
  create<npu::VReduceOp>(kind, d.base, d.offset, s.base, s.offset, c->size.rows,
                         c->size.cols, strides, stridesOf(*src));
}

void KernelBuilder::vbroadcast(const KilnTikView *dst, const KilnTikView *src,
                               const KilnTikTile *tile,
                               const KilnTikLine *line) {
  at(line);
  call_ = "broadcast";
  const auto c = vectorCommand(
      *tile, {{"destination", dst, Use::kWrite},
              {"source", src, Use::kRead, Shape::kOneElementPerRow}});
  if (!c || !sameType((*c)[0], (*c)[1])) {
    return;
  }
  const CheckedOperand &d = (*c)[0], &s = (*c)[1];
  const Facts &to = d.offsetFacts, &from = s.offsetFacts;
  if (d.memory == s.memory && to.isConstant() && from.isConstant() &&
      to.low < from.low + s.extent.high && from.low < to.low + d.extent.high) {
    mistake(Mistake::kSameBuffer,
            "'" + d.memory->name +
                "' is destination and source; broadcast needs two buffers");
    return;
  }
  create<npu::VBroadcastOp>(d.base, d.offset, s.base, s.offset, c->size.rows,
                            c->size.cols, stridesOf(*dst), stridesOf(*src));
}

void KernelBuilder::vtranspose(uint32_t out, const KilnTikView *dst,
                               const KilnTikView *src, const KilnTikTile *tile,
                               const KilnTikLine *line) {
  at(line);
  call_ = out ? "toPlanar" : "toBlocked";
  const MemoryEntry *entry = memory(dst->place.memory);
  if (entry == nullptr || !strides("destination", *dst) ||
      !strides("source", *src)) {
    return;
  }
  Value channels = count("the number of channels", tile->rows,
                         isa::c0(entry->type), Mistake::kChannels);
  Value pixels = count("the number of pixels", tile->cols, kCount16);
  if (!channels || !pixels) {
    return;
  }
  const int64_t block = isa::kBlockBytes;
  const auto d =
      operand(dst->place, {"destination", {Space::UB}, block, {}, Use::kWrite});
  const auto s = operand(src->place, {"source", {Space::UB}, block});
  if (!d || !s || !sameType(*d, *s) || !differentBuffers(*d, *s)) {
    return;
  }
  create<npu::VTransposeOp>(out ? npu::TransposeKind::out
                                : npu::TransposeKind::in,
                            d->base, d->offset, s->base, s->offset, channels,
                            pixels, stridesOf(*dst), stridesOf(*src));
}

//===----------------------------------------------------------------------===//
// The control core
//===----------------------------------------------------------------------===//

KilnTikValue KernelBuilder::scalarLoad(const KilnTikPlace *src, uint32_t type,
                                       const KilnTikLine *line) {
  at(line);
  call_ = "read";
  const ElementType element = elementTypeOf(type);
  const int64_t size = isa::sizeOf(element);
  const auto s =
      operand(*src, {"source", {Space::UB}, size, Facts::constant(size)});
  if (!s) {
    return 0;
  }
  auto bits = builder_.getIntegerType(static_cast<unsigned>(size) * 8);
  auto load =
      npu::ScalarLoadOp::create(builder_, loc_, bits, s->base, s->offset);
  created(load);
  Value loaded = load.getResult();
  const bool isSigned = element == ElementType::I8 ||
                        element == ElementType::I16 ||
                        element == ElementType::I32;
  const int64_t half = int64_t{1} << (8 * size - 1);
  Type index = builder_.getIndexType();
  if (isSigned) {
    return add(arith::IndexCastOp::create(builder_, loc_, index, loaded),
               Facts{-half, half - 1, 1, false, false}, false,
               /*perBlock=*/true);
  }
  return add(arith::IndexCastUIOp::create(builder_, loc_, index, loaded),
             Facts{0, 2 * half - 1, 1, false, false}, false,
             /*perBlock=*/true);
}

void KernelBuilder::scalarStore(const KilnTikPlace *dst, uint32_t type,
                                KilnTikValue value, const KilnTikLine *line) {
  at(line);
  call_ = "write";
  const int64_t size = isa::sizeOf(elementTypeOf(type));
  const auto d = operand(
      *dst,
      {"destination", {Space::UB}, size, Facts::constant(size), Use::kWrite});
  Value bits = bitsOf(value, elementTypeOf(type));
  if (!d || !bits) {
    return;
  }
  auto narrow = builder_.getIntegerType(static_cast<unsigned>(size) * 8);
  create<npu::ScalarStoreOp>(
      d->base, d->offset,
      builder_.createOrFold<arith::TruncIOp>(loc_, narrow, bits));
}

void KernelBuilder::barrier(const KilnTikLine *line) {
  at(line);
  npu::BarrierOp::create(builder_, loc_);
}

} // namespace kiln::tik
