// SPDX-License-Identifier: Apache-2.0
#include "compiler/conversion/npu_isa/vector_to_isa.h"

#include "compiler/dialect/npu_isa/NpuIsaOps.h"

#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;

namespace kiln::npu {

namespace {

//===----------------------------------------------------------------------===//
// Which instruction
//===----------------------------------------------------------------------===//

using Emit3 = void (*)(OperandWords &, Value, Value, Value, uint32_t);
using Emit2 = void (*)(OperandWords &, Value, Value, uint32_t);

template <typename Isa>
void three(OperandWords &w, Value a, Value b, Value c, uint32_t type) {
  w.emit<Isa>(a, b, c, type);
}
template <typename Isa>
void two(OperandWords &w, Value a, Value b, uint32_t type) {
  w.emit<Isa>(a, b, type);
}

template <typename Kind, typename Emit> struct Row {
  Kind kind;
  isa::Opcode opcode;
  Emit emit;
};

constexpr Row<BinaryKind, Emit3> kBinary[] = {
    {BinaryKind::add, isa::Opcode::kVadd, three<npu_isa::VaddOp>},
    {BinaryKind::sub, isa::Opcode::kVsub, three<npu_isa::VsubOp>},
    {BinaryKind::mul, isa::Opcode::kVmul, three<npu_isa::VmulOp>},
    {BinaryKind::div, isa::Opcode::kVdiv, three<npu_isa::VdivOp>},
    {BinaryKind::max, isa::Opcode::kVmax, three<npu_isa::VmaxOp>},
    {BinaryKind::min, isa::Opcode::kVmin, three<npu_isa::VminOp>},
    {BinaryKind::madd, isa::Opcode::kVmadd, three<npu_isa::VmaddOp>},
    {BinaryKind::expd, isa::Opcode::kVexpd, three<npu_isa::VexpdOp>},
    {BinaryKind::bit_and, isa::Opcode::kVand, three<npu_isa::VandOp>},
    {BinaryKind::bit_or, isa::Opcode::kVor, three<npu_isa::VorOp>},
    {BinaryKind::bit_xor, isa::Opcode::kVxor, three<npu_isa::VxorOp>},
    {BinaryKind::shl, isa::Opcode::kVshl, three<npu_isa::VshlOp>},
    {BinaryKind::shr, isa::Opcode::kVshr, three<npu_isa::VshrOp>},
    {BinaryKind::shru, isa::Opcode::kVshru, three<npu_isa::VshruOp>}};

constexpr Row<ScalarKind, Emit3> kScalar[] = {
    {ScalarKind::adds, isa::Opcode::kVadds, three<npu_isa::VaddsOp>},
    {ScalarKind::muls, isa::Opcode::kVmuls, three<npu_isa::VmulsOp>},
    {ScalarKind::maxs, isa::Opcode::kVmaxs, three<npu_isa::VmaxsOp>},
    {ScalarKind::mins, isa::Opcode::kVmins, three<npu_isa::VminsOp>},
    {ScalarKind::madds, isa::Opcode::kVmadds, three<npu_isa::VmaddsOp>},
    {ScalarKind::ands, isa::Opcode::kVands, three<npu_isa::VandsOp>},
    {ScalarKind::ors, isa::Opcode::kVors, three<npu_isa::VorsOp>},
    {ScalarKind::xors, isa::Opcode::kVxors, three<npu_isa::VxorsOp>},
    {ScalarKind::shls, isa::Opcode::kVshls, three<npu_isa::VshlsOp>},
    {ScalarKind::shrs, isa::Opcode::kVshrs, three<npu_isa::VshrsOp>},
    {ScalarKind::shrus, isa::Opcode::kVshrus, three<npu_isa::VshrusOp>}};

constexpr Row<UnaryKind, Emit2> kUnary[] = {
    {UnaryKind::mov, isa::Opcode::kVmov, two<npu_isa::VmovOp>},
    {UnaryKind::exp, isa::Opcode::kVexp, two<npu_isa::VexpOp>},
    {UnaryKind::rec, isa::Opcode::kVrec, two<npu_isa::VrecOp>},
    {UnaryKind::sqrt, isa::Opcode::kVsqrt, two<npu_isa::VsqrtOp>},
    {UnaryKind::tanh, isa::Opcode::kVtanh, two<npu_isa::VtanhOp>},
    {UnaryKind::bit_not, isa::Opcode::kVnot, two<npu_isa::VnotOp>},
    {UnaryKind::ln, isa::Opcode::kVln, two<npu_isa::VlnOp>},
    {UnaryKind::rsqrt, isa::Opcode::kVrsqrt, two<npu_isa::VrsqrtOp>},
    {UnaryKind::erf, isa::Opcode::kVerf, two<npu_isa::VerfOp>},
    {UnaryKind::sin, isa::Opcode::kVsin, two<npu_isa::VsinOp>},
    {UnaryKind::cos, isa::Opcode::kVcos, two<npu_isa::VcosOp>}};

constexpr Row<ReduceKind, Emit2> kReduce[] = {
    {ReduceKind::sum_l, isa::Opcode::kVsumL, two<npu_isa::VsumLOp>},
    {ReduceKind::max_l, isa::Opcode::kVmaxL, two<npu_isa::VmaxLOp>},
    {ReduceKind::min_l, isa::Opcode::kVminL, two<npu_isa::VminLOp>},
    {ReduceKind::argmax_l, isa::Opcode::kVargmaxL, two<npu_isa::VargmaxLOp>},
    {ReduceKind::argmin_l, isa::Opcode::kVargminL, two<npu_isa::VargminLOp>},
    {ReduceKind::sum_r, isa::Opcode::kVsumR, two<npu_isa::VsumROp>},
    {ReduceKind::max_r, isa::Opcode::kVmaxR, two<npu_isa::VmaxROp>},
    {ReduceKind::min_r, isa::Opcode::kVminR, two<npu_isa::VminROp>},
    {ReduceKind::argmax_r, isa::Opcode::kVargmaxR, two<npu_isa::VargmaxROp>},
    {ReduceKind::argmin_r, isa::Opcode::kVargminR, two<npu_isa::VargminROp>}};

constexpr Row<CompareKind, Emit3> kCompare[] = {
    {CompareKind::eq, isa::Opcode::kVcmpEq, three<npu_isa::VcmpEqOp>},
    {CompareKind::ne, isa::Opcode::kVcmpNe, three<npu_isa::VcmpNeOp>},
    {CompareKind::lt, isa::Opcode::kVcmpLt, three<npu_isa::VcmpLtOp>},
    {CompareKind::le, isa::Opcode::kVcmpLe, three<npu_isa::VcmpLeOp>},
    {CompareKind::gt, isa::Opcode::kVcmpGt, three<npu_isa::VcmpGtOp>},
    {CompareKind::ge, isa::Opcode::kVcmpGe, three<npu_isa::VcmpGeOp>}};

constexpr Row<CompareKind, Emit3> kCompareScalar[] = {
    {CompareKind::eq, isa::Opcode::kVcmpsEq, three<npu_isa::VcmpsEqOp>},
    {CompareKind::ne, isa::Opcode::kVcmpsNe, three<npu_isa::VcmpsNeOp>},
    {CompareKind::lt, isa::Opcode::kVcmpsLt, three<npu_isa::VcmpsLtOp>},
    {CompareKind::le, isa::Opcode::kVcmpsLe, three<npu_isa::VcmpsLeOp>},
    {CompareKind::gt, isa::Opcode::kVcmpsGt, three<npu_isa::VcmpsGtOp>},
    {CompareKind::ge, isa::Opcode::kVcmpsGe, three<npu_isa::VcmpsGeOp>}};

constexpr Row<PairKind, Emit2> kPairs[] = {
    {PairKind::keys, isa::Opcode::kVpairK, two<npu_isa::VpairKOp>},
    {PairKind::indices, isa::Opcode::kVpairI, two<npu_isa::VpairIOp>}};

/// Every kind has its row.
template <typename Kind, typename Emit, size_t N>
const Row<Kind, Emit> &rowOf(const Row<Kind, Emit> (&rows)[N], Kind kind) {
  return *llvm::find_if(rows,
                        [&](const auto &row) { return row.kind == kind; });
}
template <typename Kind, typename Emit, size_t N>
Emit instructionOf(const Row<Kind, Emit> (&rows)[N], Kind kind) {
  return rowOf(rows, kind).emit;
}

//===----------------------------------------------------------------------===//
// Operands
//===----------------------------------------------------------------------===//

template <typename Op> Value dstOf(OperandWords &w, Op op) {
  return w.view(op.getDst(), op.getDstOffset(), op.getDstStrides(),
                op.getRows());
}
template <typename Op> Value srcOf(OperandWords &w, Op op) {
  return w.view(op.getSrc(), op.getSrcOffset(), op.getSrcStrides(),
                op.getCols());
}
template <typename Op> Value src0Of(OperandWords &w, Op op) {
  return w.view(op.getSrc0(), op.getSrc0Offset(), op.getSrc0Strides(),
                op.getCols());
}
template <typename Op>
Value src1Of(OperandWords &w, Op op, Value count = Value()) {
  return w.view(op.getSrc1(), op.getSrc1Offset(), op.getSrc1Strides(), count);
}
template <typename Op> Value tableOf(OperandWords &w, Op op) {
  return w.at(op.getTable(), op.getTableOffset())
      .add(op.getCount(), 24)
      .value();
}

void lower(OperandWords &w, VBinaryOp op) {
  const uint32_t type = typeField(op.getSrc0()), out = typeField(op.getDst());
  Emit3 emit = instructionOf(kBinary, op.getKind());
  if (op.getKind() == BinaryKind::expd && out != type) {
    emit = out == static_cast<uint32_t>(isa::ElementType::F16)
               ? three<npu_isa::VexpdHOp>
               : three<npu_isa::VexpdBOp>;
  }
  Value dst = dstOf(w, op), src0 = src0Of(w, op), src1 = src1Of(w, op);
  emit(w, dst, src0, src1, type);
}

void lower(OperandWords &w, VScalarOp op) {
  Value dst = dstOf(w, op), src = srcOf(w, op);
  instructionOf(kScalar, op.getKind())(w, dst, src, op.getScalar(),
                                       typeField(op.getSrc()));
}

void lower(OperandWords &w, VUnaryOp op) {
  Value dst = dstOf(w, op), src = srcOf(w, op);
  instructionOf(kUnary, op.getKind())(w, dst, src, typeField(op.getSrc()));
}

void lower(OperandWords &w, VReduceOp op) {
  const bool alongRows = isAlongRows(op.getKind());
  const auto strides = op.getDstStrides();
  Value dst = w.view(op.getDst(), op.getDstOffset(), alongRows ? strides[0] : 0,
                     alongRows ? 0 : strides[1], op.getRows());
  Value src = srcOf(w, op);
  instructionOf(kReduce, op.getKind())(w, dst, src, typeField(op.getSrc()));
}

void lower(OperandWords &w, VTransposeOp op) {
  const bool in = op.getKind() == TransposeKind::in;
  const auto dst = op.getDstStrides(), src = op.getSrcStrides();
  Value to = w.view(op.getDst(), op.getDstOffset(), in ? 0 : dst[0], dst[1],
                    op.getRows());
  Value from = w.view(op.getSrc(), op.getSrcOffset(), in ? src[0] : 0, src[1],
                      op.getCols());
  Emit2 emit = in ? two<npu_isa::VtrInOp> : two<npu_isa::VtrOutOp>;
  emit(w, to, from, typeField(op.getSrc()));
}

void lower(OperandWords &w, VDupOp op) {
  w.emit<npu_isa::VdupOp>(dstOf(w, op), w.word().add(op.getCols(), 48).value(),
                          op.getScalar(), typeField(op.getDst()));
}

void lower(OperandWords &w, VIotaOp op) {
  Value dst = dstOf(w, op);
  Value shape = w.word().add(op.getCols(), 48).value();
  Value terms = w.word().add(op.getStart(), 0).add(op.getStep(), 32).value();
  w.emit<npu_isa::ViotaOp>(dst, shape, terms, typeField(op.getDst()));
}

void lower(OperandWords &w, VCastOp op) {
  Value dst = dstOf(w, op), src = srcOf(w, op);
  Value mode = w.constant(typeField(op.getDst()) |
                          static_cast<uint64_t>(op.getRounding()) << 4);
  w.emit<npu_isa::VcastOp>(dst, src, mode, typeField(op.getSrc()));
}

void lower(OperandWords &w, VBroadcastOp op) {
  Value dst = dstOf(w, op);
  Value src = w.view(op.getSrc(), op.getSrcOffset(), op.getSrcStrides()[0], 0,
                     op.getCols());
  w.emit<npu_isa::VbcOp>(dst, src, typeField(op.getSrc()));
}

void lower(OperandWords &w, VCompareOp op) {
  Value dst = dstOf(w, op), src0 = src0Of(w, op), src1 = src1Of(w, op);
  instructionOf(kCompare, op.getKind())(w, dst, src0, src1,
                                        typeField(op.getSrc0()));
}

void lower(OperandWords &w, VCompareScalarOp op) {
  Value dst = dstOf(w, op), src = srcOf(w, op);
  instructionOf(kCompareScalar, op.getKind())(w, dst, src, op.getScalar(),
                                              typeField(op.getSrc()));
}

/// The mask is named by the number of its first block of 32 bytes.
void lower(OperandWords &w, VSelectOp op) {
  Value dst = dstOf(w, op), src0 = src0Of(w, op);
  Value byte = w.address(op.getMask(), op.getMaskOffset());
  Value five = arith::ConstantOp::create(
      w.builder(), w.loc(), w.builder().getIntegerAttr(byte.getType(), 5));
  Value block = w.builder().createOrFold<arith::ShRUIOp>(w.loc(), byte, five);
  w.emit<npu_isa::VselOp>(dst, src0, src1Of(w, op, block),
                          typeField(op.getSrc0()));
}

template <typename IsaOp, typename Op>
void lowerGather(OperandWords &w, Op op) {
  Value dst = dstOf(w, op);
  Value index = w.view(op.getIndex(), op.getIndexOffset(), op.getIndexStrides(),
                       op.getCols());
  w.emit<IsaOp>(dst, index, tableOf(w, op), typeField(op.getDst()));
}

void lower(OperandWords &w, VGatherOp op) {
  lowerGather<npu_isa::VgatherOp>(w, op);
}

void lower(OperandWords &w, VGatherBlocksOp op) {
  lowerGather<npu_isa::VgatherbOp>(w, op);
}

void lower(OperandWords &w, VScatterOp op) {
  Value table = w.at(op.getTable(), op.getTableOffset())
                    .add(op.getCount(), 24)
                    .add(op.getRows(), 48)
                    .value();
  Value src = srcOf(w, op);
  Value index =
      w.view(op.getIndex(), op.getIndexOffset(), op.getIndexStrides(), Value());
  w.emit<npu_isa::VscatterOp>(table, src, index, typeField(op.getSrc()));
}

void lower(OperandWords &w, VSort32Op op) {
  Value dst = dstOf(w, op), src = srcOf(w, op);
  Value index =
      w.view(op.getIndex(), op.getIndexOffset(), op.getIndexStrides(), Value());
  w.emit<npu_isa::Vsort32Op>(dst, src, index, typeField(op.getSrc()));
}

void lower(OperandWords &w, VMergeOp op) {
  Value dst = dstOf(w, op);
  Value src0 = w.view(op.getSrc0(), op.getSrc0Offset(), op.getSrc0Strides(),
                      op.getPairs0());
  w.emit<npu_isa::VmergeOp>(dst, src0, src1Of(w, op, op.getPairs1()),
                            static_cast<uint32_t>(*elementTypeOf(op.getKey())));
}

void lower(OperandWords &w, VPairsOp op) {
  Value dst = dstOf(w, op), src = srcOf(w, op);
  instructionOf(kPairs, op.getKind())(w, dst, src, typeField(op.getDst()));
}

} // namespace

isa::Opcode opcodeOf(BinaryKind kind) { return rowOf(kBinary, kind).opcode; }
isa::Opcode opcodeOf(ScalarKind kind) { return rowOf(kScalar, kind).opcode; }
isa::Opcode opcodeOf(UnaryKind kind) { return rowOf(kUnary, kind).opcode; }
isa::Opcode opcodeOf(ReduceKind kind) { return rowOf(kReduce, kind).opcode; }

bool lowerVector(OperandWords &words, Operation *op) {
  return TypeSwitch<Operation *, bool>(op)
      .Case<VBinaryOp, VScalarOp, VUnaryOp, VReduceOp, VTransposeOp, VDupOp,
            VIotaOp, VCastOp, VBroadcastOp, VCompareOp, VCompareScalarOp,
            VSelectOp, VGatherOp, VGatherBlocksOp, VScatterOp, VSort32Op,
            VMergeOp, VPairsOp>([&](auto command) {
        lower(words, command);
        return true;
      })
      .Default([](Operation *) { return false; });
}

} // namespace kiln::npu
