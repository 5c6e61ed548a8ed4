// SPDX-License-Identifier: Apache-2.0
//
// Verifiers of the commands of V.
#include "compiler/dialect/npu/NpuChecks.h"

using namespace mlir;

namespace kiln::npu {

using isa::Space;

//===----------------------------------------------------------------------===//
// V
//===----------------------------------------------------------------------===//

namespace {

struct View {
  StringRef name;
  Value base;
  Value offset;
  ArrayRef<int64_t> strides;
  bool element = false; // one element per row: aligned to its size
};

/// rows, cols and every view of a vector command.
LogicalResult verifyVector(Check &check, Value rows, Value cols,
                           ArrayRef<View> views) {
  if (failed(check.count("rows", rows, kMaxCount16)) ||
      failed(check.count("cols", cols, kMaxCount16))) {
    return failure();
  }
  for (const View &view : views) {
    if (!llvm::isa<MemRefType>(view.base.getType())) {
      return check.fail(view.name, "a ranked memref", "an unranked one");
    }
    const int64_t size = elementBytes(view.base);
    const auto bytes = view.element ? std::optional(size) : scaled(cols, size);
    if (failed(check.elementType(view.name, view.base)) ||
        failed(check.strides(view.name.str() + "_strides", view.strides)) ||
        failed(check.operand(
            {view.name,
             view.base,
             view.offset,
             {Space::UB},
             view.element ? size : static_cast<int64_t>(isa::kBlockBytes),
             viewExtent(rows, bytes, view.strides)}))) {
      return failure();
    }
  }
  return success();
}

Type elementOf(Value base) {
  return cast<MemRefType>(base.getType()).getElementType();
}

LogicalResult sameElements(Check &check, Value dst, Value src) {
  return elementOf(dst) == elementOf(src)
             ? success()
             : check.fail("dst", "the element type of the source",
                          "a different one");
}

LogicalResult needsI32(Check &check, StringRef name, Value base) {
  return elementOf(base).isInteger(32)
             ? success()
             : check.fail(name, "elements of i32", "another type");
}

/// A mask has a bit per element in its bytes.
LogicalResult verifyMask(Check &check, StringRef name, Value mask,
                         Value offset) {
  if (failed(
          check.operand({name, mask, offset, {Space::UB}, isa::kBlockBytes}))) {
    return failure();
  }
  return elementOf(mask).isInteger(8)
             ? success()
             : check.fail(name, "a buffer of bytes", "another type");
}

/// A table of `count` consecutive entries, each an element or `entryBytes`.
LogicalResult verifyTable(Check &check, Value table, Value offset, Value count,
                          int64_t entryBytes = 0) {
  if (failed(check.count("count", count, kMaxCount24)) ||
      failed(check.elementType("table", table))) {
    return failure();
  }
  return check.operand(
      {"table",
       table,
       offset,
       {Space::UB},
       isa::kBlockBytes,
       scaled(count, entryBytes ? entryBytes : elementBytes(table))});
}

/// dst and src views of an op whose element types agree.
template <typename Op> LogicalResult verifyMap(Op op) {
  Check check(op);
  if (failed(verifyVector(
          check, op.getRows(), op.getCols(),
          {{"dst", op.getDst(), op.getDstOffset(), op.getDstStrides()},
           {"src", op.getSrc(), op.getSrcOffset(), op.getSrcStrides()}}))) {
    return failure();
  }
  return sameElements(check, op.getDst(), op.getSrc());
}

/// dst, indices and a table with entries of `entryBytes`.
template <typename Op>
LogicalResult verifyGather(Op op, int64_t entryBytes = 0) {
  Check check(op);
  if (failed(verifyTable(check, op.getTable(), op.getTableOffset(),
                         op.getCount(), entryBytes)) ||
      failed(verifyVector(
          check, op.getRows(), op.getCols(),
          {{"dst", op.getDst(), op.getDstOffset(), op.getDstStrides()},
           {"index", op.getIndex(), op.getIndexOffset(),
            op.getIndexStrides()}})) ||
      failed(needsI32(check, "index", op.getIndex()))) {
    return failure();
  }
  return sameElements(check, op.getDst(), op.getTable());
}

} // namespace

LogicalResult VBinaryOp::verify() {
  Check check(*this);
  if (failed(verifyVector(
          check, getRows(), getCols(),
          {{"dst", getDst(), getDstOffset(), getDstStrides()},
           {"src0", getSrc0(), getSrc0Offset(), getSrc0Strides()},
           {"src1", getSrc1(), getSrc1Offset(), getSrc1Strides()}}))) {
    return failure();
  }
  if (elementOf(getSrc0()) != elementOf(getSrc1())) {
    return check.fail("src1", "the element type of src0", "a different one");
  }
  const Type dst = elementOf(getDst());
  if (getKind() == BinaryKind::expd && (dst.isF16() || dst.isBF16())) {
    return success();
  }
  return sameElements(check, getDst(), getSrc0());
}

LogicalResult VScalarOp::verify() { return verifyMap(*this); }
LogicalResult VUnaryOp::verify() { return verifyMap(*this); }

LogicalResult VDupOp::verify() {
  Check check(*this);
  return verifyVector(check, getRows(), getCols(),
                      {{"dst", getDst(), getDstOffset(), getDstStrides()}});
}

LogicalResult VCastOp::verify() {
  Check check(*this);
  return verifyVector(check, getRows(), getCols(),
                      {{"dst", getDst(), getDstOffset(), getDstStrides()},
                       {"src", getSrc(), getSrcOffset(), getSrcStrides()}});
}

LogicalResult VReduceOp::verify() {
  Check check(*this);
  const bool alongRows = isAlongRows(getKind());
  if (failed(
          verifyVector(check, getRows(), getCols(),
                       {{"src", getSrc(), getSrcOffset(), getSrcStrides()}}))) {
    return failure();
  }
  if (alongRows &&
      failed(verifyVector(check, getRows(), getCols(),
                          {{"dst", getDst(), getDstOffset(), getDstStrides(),
                            /*element=*/true}}))) {
    return failure();
  }
  if (!alongRows &&
      (failed(check.operand(
           {"dst", getDst(), getDstOffset(), {Space::UB}, isa::kBlockBytes})) ||
       failed(check.strides("dst_strides", getDstStrides())))) {
    return failure();
  }
  return givesIndex(getKind()) ? needsI32(check, "dst", getDst())
                               : sameElements(check, getDst(), getSrc());
}

LogicalResult VBroadcastOp::verify() {
  Check check(*this);
  if (failed(verifyVector(check, getRows(), getCols(),
                          {{"dst", getDst(), getDstOffset(), getDstStrides()},
                           {"src", getSrc(), getSrcOffset(), getSrcStrides(),
                            /*element=*/true}}))) {
    return failure();
  }
  return sameElements(check, getDst(), getSrc());
}

LogicalResult VTransposeOp::verify() {
  Check check(*this);
  const int64_t size = elementBytes(getDst());
  if (failed(check.operand(
          {"dst", getDst(), getDstOffset(), {Space::UB}, isa::kBlockBytes})) ||
      failed(check.operand(
          {"src", getSrc(), getSrcOffset(), {Space::UB}, isa::kBlockBytes})) ||
      failed(check.count("rows", getRows(), isa::kBlockBytes / size)) ||
      failed(check.count("cols", getCols(), kMaxCount16)) ||
      failed(check.strides("dst_strides", getDstStrides())) ||
      failed(check.strides("src_strides", getSrcStrides())) ||
      failed(check.elementType("dst", getDst()))) {
    return failure();
  }
  return sameElements(check, getDst(), getSrc());
}

//===----------------------------------------------------------------------===//
// Masks, tables, pairs
//===----------------------------------------------------------------------===//

LogicalResult VCompareOp::verify() {
  Check check(*this);
  if (failed(verifyMask(check, "dst", getDst(), getDstOffset())) ||
      failed(check.strides("dst_strides", getDstStrides())) ||
      failed(verifyVector(
          check, getRows(), getCols(),
          {{"src0", getSrc0(), getSrc0Offset(), getSrc0Strides()},
           {"src1", getSrc1(), getSrc1Offset(), getSrc1Strides()}}))) {
    return failure();
  }
  return elementOf(getSrc0()) == elementOf(getSrc1())
             ? success()
             : check.fail("src1", "the element type of src0",
                          "a different one");
}

LogicalResult VCompareScalarOp::verify() {
  Check check(*this);
  if (failed(verifyMask(check, "dst", getDst(), getDstOffset())) ||
      failed(check.strides("dst_strides", getDstStrides()))) {
    return failure();
  }
  return verifyVector(check, getRows(), getCols(),
                      {{"src", getSrc(), getSrcOffset(), getSrcStrides()}});
}

LogicalResult VSelectOp::verify() {
  Check check(*this);
  if (failed(verifyMask(check, "mask", getMask(), getMaskOffset())) ||
      failed(verifyVector(
          check, getRows(), getCols(),
          {{"dst", getDst(), getDstOffset(), getDstStrides()},
           {"src0", getSrc0(), getSrc0Offset(), getSrc0Strides()},
           {"src1", getSrc1(), getSrc1Offset(), getSrc1Strides()}})) ||
      failed(sameElements(check, getDst(), getSrc0()))) {
    return failure();
  }
  return sameElements(check, getDst(), getSrc1());
}

LogicalResult VIotaOp::verify() {
  Check check(*this);
  return verifyVector(check, getRows(), getCols(),
                      {{"dst", getDst(), getDstOffset(), getDstStrides()}});
}

LogicalResult VGatherOp::verify() { return verifyGather(*this); }

LogicalResult VGatherBlocksOp::verify() {
  return verifyGather(*this, isa::kBlockBytes);
}

LogicalResult VScatterOp::verify() {
  Check check(*this);
  if (failed(verifyTable(check, getTable(), getTableOffset(), getCount())) ||
      failed(verifyVector(
          check, getRows(), getCols(),
          {{"src", getSrc(), getSrcOffset(), getSrcStrides()},
           {"index", getIndex(), getIndexOffset(), getIndexStrides()}})) ||
      failed(needsI32(check, "index", getIndex()))) {
    return failure();
  }
  return sameElements(check, getTable(), getSrc());
}

LogicalResult VSort32Op::verify() {
  Check check(*this);
  if (failed(verifyVector(
          check, getRows(), getCols(),
          {{"src", getSrc(), getSrcOffset(), getSrcStrides()},
           {"index", getIndex(), getIndexOffset(), getIndexStrides()}})) ||
      failed(check.operand(
          {"dst", getDst(), getDstOffset(), {Space::UB}, isa::kBlockBytes})) ||
      failed(check.strides("dst_strides", getDstStrides())) ||
      failed(needsI32(check, "index", getIndex()))) {
    return failure();
  }
  return needsI32(check, "dst", getDst());
}

LogicalResult VMergeOp::verify() {
  Check check(*this);
  for (auto [name, base, offset, strides] :
       {std::tuple("dst", getDst(), getDstOffset(), getDstStrides()),
        std::tuple("src0", getSrc0(), getSrc0Offset(), getSrc0Strides()),
        std::tuple("src1", getSrc1(), getSrc1Offset(), getSrc1Strides())}) {
    if (failed(check.operand(
            {name, base, offset, {Space::UB}, isa::kBlockBytes})) ||
        failed(check.strides(std::string(name) + "_strides", strides)) ||
        failed(needsI32(check, name, base))) {
      return failure();
    }
  }
  if (!elementTypeOf(getKey())) {
    return check.fail("key", "an element type of the machine", "another type");
  }
  if (failed(check.count("rows", getRows(), kMaxCount16)) ||
      failed(check.count("pairs0", getPairs0(), kMaxCount16))) {
    return failure();
  }
  return check.count("pairs1", getPairs1(), kMaxCount16);
}

LogicalResult VPairsOp::verify() {
  Check check(*this);
  if (failed(
          verifyVector(check, getRows(), getCols(),
                       {{"dst", getDst(), getDstOffset(), getDstStrides()}})) ||
      failed(check.operand(
          {"src", getSrc(), getSrcOffset(), {Space::UB}, isa::kBlockBytes})) ||
      failed(check.strides("src_strides", getSrcStrides())) ||
      failed(needsI32(check, "src", getSrc()))) {
    return failure();
  }
  return getKind() == PairKind::indices ? needsI32(check, "dst", getDst())
                                        : success();
}

} // namespace kiln::npu
