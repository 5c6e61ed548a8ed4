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
  Emit emit;
};

constexpr Row<BinaryKind, Emit3> kBinary[] = {
    {BinaryKind::add, three<npu_isa::VaddOp>},
    {BinaryKind::sub, three<npu_isa::VsubOp>},
    {BinaryKind::mul, three<npu_isa::VmulOp>},
    {BinaryKind::div, three<npu_isa::VdivOp>},
    {BinaryKind::max, three<npu_isa::VmaxOp>},
    {BinaryKind::min, three<npu_isa::VminOp>},
    {BinaryKind::madd, three<npu_isa::VmaddOp>},
    {BinaryKind::expd, three<npu_isa::VexpdOp>},
    {BinaryKind::bit_and, three<npu_isa::VandOp>},
    {BinaryKind::bit_or, three<npu_isa::VorOp>},
    {BinaryKind::bit_xor, three<npu_isa::VxorOp>},
    {BinaryKind::shl, three<npu_isa::VshlOp>},
    {BinaryKind::shr, three<npu_isa::VshrOp>},
    {BinaryKind::shru, three<npu_isa::VshruOp>}};

constexpr Row<ScalarKind, Emit3> kScalar[] = {
    {ScalarKind::adds, three<npu_isa::VaddsOp>},
    {ScalarKind::muls, three<npu_isa::VmulsOp>},
    {ScalarKind::maxs, three<npu_isa::VmaxsOp>},
    {ScalarKind::mins, three<npu_isa::VminsOp>},
    {ScalarKind::madds, three<npu_isa::VmaddsOp>},
    {ScalarKind::ands, three<npu_isa::VandsOp>},
    {ScalarKind::ors, three<npu_isa::VorsOp>},
    {ScalarKind::xors, three<npu_isa::VxorsOp>},
    {ScalarKind::shls, three<npu_isa::VshlsOp>},
    {ScalarKind::shrs, three<npu_isa::VshrsOp>},
    {ScalarKind::shrus, three<npu_isa::VshrusOp>}};

constexpr Row<UnaryKind, Emit2> kUnary[] = {
    {UnaryKind::mov, two<npu_isa::VmovOp>},
    {UnaryKind::exp, two<npu_isa::VexpOp>},
    {UnaryKind::rec, two<npu_isa::VrecOp>},
    {UnaryKind::sqrt, two<npu_isa::VsqrtOp>},
    {UnaryKind::tanh, two<npu_isa::VtanhOp>},
    {UnaryKind::bit_not, two<npu_isa::VnotOp>},
    {UnaryKind::ln, two<npu_isa::VlnOp>},
    {UnaryKind::rsqrt, two<npu_isa::VrsqrtOp>},
    {UnaryKind::erf, two<npu_isa::VerfOp>},
    {UnaryKind::sin, two<npu_isa::VsinOp>},
    {UnaryKind::cos, two<npu_isa::VcosOp>}};

constexpr Row<ReduceKind, Emit2> kReduce[] = {
    {ReduceKind::sum_l, two<npu_isa::VsumLOp>},
    {ReduceKind::max_l, two<npu_isa::VmaxLOp>},
    {ReduceKind::min_l, two<npu_isa::VminLOp>},
    {ReduceKind::argmax_l, two<npu_isa::VargmaxLOp>},
    {ReduceKind::argmin_l, two<npu_isa::VargminLOp>},
    {ReduceKind::sum_r, two<npu_isa::VsumROp>},
    {ReduceKind::max_r, two<npu_isa::VmaxROp>},
    {ReduceKind::min_r, two<npu_isa::VminROp>},
    {ReduceKind::argmax_r, two<npu_isa::VargmaxROp>},
    {ReduceKind::argmin_r, two<npu_isa::VargminROp>}};

constexpr Row<CompareKind, Emit3> kCompare[] = {
    {CompareKind::eq, three<npu_isa::VcmpEqOp>},
    {CompareKind::ne, three<npu_isa::VcmpNeOp>},
    {CompareKind::lt, three<npu_isa::VcmpLtOp>},
    {CompareKind::le, three<npu_isa::VcmpLeOp>},
    {CompareKind::gt, three<npu_isa::VcmpGtOp>},
    {CompareKind::ge, three<npu_isa::VcmpGeOp>}};

constexpr Row<CompareKind, Emit3> kCompareScalar[] = {
    {CompareKind::eq, three<npu_isa::VcmpsEqOp>},
    {CompareKind::ne, three<npu_isa::VcmpsNeOp>},
    {CompareKind::lt, three<npu_isa::VcmpsLtOp>},
    {CompareKind::le, three<npu_isa::VcmpsLeOp>},
    {CompareKind::gt, three<npu_isa::VcmpsGtOp>},
    {CompareKind::ge, three<npu_isa::VcmpsGeOp>}};

constexpr Row<PairKind, Emit2> kPairs[] = {
    {PairKind::keys, two<npu_isa::VpairKOp>},
    {PairKind::indices, two<npu_isa::VpairIOp>}};

/// Every kind has its row.
template <typename Kind, typename Emit, size_t N>
Emit instructionOf(const Row<Kind, Emit> (&rows)[N], Kind kind) {
  return llvm::find_if(rows, [&](const auto &row) { return row.kind == kind; })
      ->emit;
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

void lower(OperandWords &w, VGatherOp op) {
  Value dst = dstOf(w, op);
  Value index = w.view(op.getIndex(), op.getIndexOffset(), op.getIndexStrides(),
                       op.getCols());
  w.emit<npu_isa::VgatherOp>(dst, index, tableOf(w, op),
                             typeField(op.getDst()));
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

bool lowerVector(OperandWords &words, Operation *op) {
  return TypeSwitch<Operation *, bool>(op)
      .Case<VBinaryOp, VScalarOp, VUnaryOp, VReduceOp, VTransposeOp, VDupOp,
            VIotaOp, VCastOp, VBroadcastOp, VCompareOp, VCompareScalarOp,
            VSelectOp, VGatherOp, VScatterOp, VSort32Op, VMergeOp, VPairsOp>(
          [&](auto command) {
            lower(words, command);
            return true;
          })
      .Default([](Operation *) { return false; });
}

} // namespace kiln::npu
