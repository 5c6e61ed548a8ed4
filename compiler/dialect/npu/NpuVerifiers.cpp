// SPDX-License-Identifier: Apache-2.0
//
// Verifiers of moves, M, FIX, flags and texts. What is only known at run time
// (a dynamic count or offset) is checked by the engines; what is constant is
// checked here.
#include "compiler/dialect/npu/NpuChecks.h"

using namespace mlir;

namespace kiln::npu {

using isa::Space;

//===----------------------------------------------------------------------===//
// Moves
//===----------------------------------------------------------------------===//

LogicalResult AllocOp::verify() {
  Check check(*this);
  const auto space = spaceOf(getType());
  if (!space || *space == Space::GM) {
    return check.fail("buffer", "a local memory space (1 to 6)",
                      space ? "GM" : "an unknown memory space");
  }
  if (!getType().getLayout().isIdentity()) {
    return check.fail("buffer", "an identity layout", "a strided one");
  }
  if (failed(check.elementType("buffer", getBuffer()))) {
    return failure();
  }
  const bool matrix =
      *space == Space::L0A || *space == Space::L0B || *space == Space::L0C;
  if (matrix && getType().getRank() != 2) {
    return check.fail("buffer",
                      "a logical 2-D type in " + std::string(isa::name(*space)),
                      "rank " + std::to_string(getType().getRank()));
  }
  if (getSlot() && !getAddress()) {
    return check.fail("slot", "an address beside a slot", "no address");
  }
  if (slotPitch() < localBytes(getType())) {
    return check.fail("pitch",
                      "at least the " + std::to_string(localBytes(getType())) +
                          " bytes of a slot",
                      std::to_string(slotPitch()));
  }
  return success();
}

LogicalResult LoadOp::verify() {
  Check check(*this);
  const auto rowBytes = constantOf(getRowBytes());
  if (failed(
          check.operand({"dst",
                         getDst(),
                         getDstOffset(),
                         {Space::UB, Space::L1},
                         isa::kBlockBytes,
                         viewExtent(getRows(), rowBytes, getDstStrides())})) ||
      failed(check.operand(
          {"src",
           getSrc(),
           getSrcOffset(),
           {Space::GM},
           1,
           extent(getRows(), rowBytes, constantOf(getGmStride()))})) ||
      failed(check.count("rows", getRows(), kMaxCount16)) ||
      failed(check.count("row_bytes", getRowBytes(), kMaxCount20)) ||
      failed(check.count("gm_stride", getGmStride(), kMaxUnsigned32))) {
    return failure();
  }
  return check.strides("dst_strides", getDstStrides());
}

LogicalResult LoadNzOp::verify() {
  Check check(*this);
  const auto rowBytes = constantOf(getRowBytes());
  std::optional<int64_t> dstExtent;
  if (rowBytes && constantOf(getRows())) {
    const int64_t columns = ceilDiv(*rowBytes, isa::kBlockBytes);
    dstExtent = ((columns - 1) * getColStride() + *constantOf(getRows())) *
                isa::kBlockBytes;
  }
  if (failed(check.operand({"dst",
                            getDst(),
                            getDstOffset(),
                            {Space::L1},
                            isa::kBlockBytes,
                            dstExtent})) ||
      failed(check.operand(
          {"src",
           getSrc(),
           getSrcOffset(),
           {Space::GM},
           1,
           extent(getRows(), rowBytes, constantOf(getGmStride()))})) ||
      failed(check.count("rows", getRows(), kMaxCount16)) ||
      failed(check.count("row_bytes", getRowBytes(), kMaxCount20)) ||
      failed(check.count("gm_stride", getGmStride(), kMaxUnsigned32))) {
    return failure();
  }
  return check.range("col_stride", getColStride(), 0, kMaxCount16);
}

LogicalResult StoreOp::verify() {
  Check check(*this);
  const auto rowBytes = constantOf(getRowBytes());
  const int64_t unit =
      getMode() == StoreMode::store ? 1 : elementBytes(getSrc());
  if (failed(check.operand(
          {"dst",
           getDst(),
           getDstOffset(),
           {Space::GM},
           unit,
           extent(getRows(), rowBytes, constantOf(getGmStride()))})) ||
      failed(
          check.operand({"src",
                         getSrc(),
                         getSrcOffset(),
                         {Space::UB},
                         isa::kBlockBytes,
                         viewExtent(getRows(), rowBytes, getSrcStrides())})) ||
      failed(check.elementType("src", getSrc())) ||
      failed(check.count("rows", getRows(), kMaxCount16)) ||
      failed(check.count("row_bytes", getRowBytes(), kMaxCount20)) ||
      failed(check.count("gm_stride", getGmStride(), kMaxUnsigned32))) {
    return failure();
  }
  return check.strides("src_strides", getSrcStrides());
}

LogicalResult MoveL1Op::verify() {
  Check check(*this);
  const auto bytes = scaled(getRowBlocks(), isa::kBlockBytes);
  if (failed(check.operand({"dst",
                            getDst(),
                            getDstOffset(),
                            {Space::L1},
                            isa::kBlockBytes,
                            viewExtent(getRows(), bytes, getDstStrides())})) ||
      failed(check.operand({"src",
                            getSrc(),
                            getSrcOffset(),
                            {Space::UB},
                            isa::kBlockBytes,
                            viewExtent(getRows(), bytes, getSrcStrides())})) ||
      failed(check.count("rows", getRows(), kMaxCount16)) ||
      failed(check.count("row_blocks", getRowBlocks(), kMaxCount16)) ||
      failed(check.strides("dst_strides", getDstStrides()))) {
    return failure();
  }
  return check.strides("src_strides", getSrcStrides());
}

LogicalResult LoadL0Op::verify() {
  Check check(*this);
  const auto outer = constantOf(getOuter()), inner = constantOf(getInner());
  const int64_t fractal = isa::kFractalBytes;
  std::optional<int64_t> dstExtent, srcExtent;
  if (outer && inner && *outer > 0 && *inner > 0) {
    dstExtent = *outer * *inner * fractal;
    srcExtent = ((*outer - 1) * static_cast<int64_t>(getOuterStride()) +
                 (*inner - 1) * static_cast<int64_t>(getInnerStride()) + 1) *
                fractal;
  }
  if (failed(check.operand({"dst",
                            getDst(),
                            getDstOffset(),
                            {Space::L0A, Space::L0B},
                            fractal,
                            dstExtent})) ||
      failed(check.operand({"src",
                            getSrc(),
                            getSrcOffset(),
                            {Space::L1},
                            isa::kBlockBytes,
                            srcExtent})) ||
      failed(check.count("outer", getOuter(), kMaxCount16)) ||
      failed(check.count("inner", getInner(), kMaxCount16)) ||
      failed(check.range("outer_stride", getOuterStride(), 0, kMaxCount20)) ||
      failed(check.range("inner_stride", getInnerStride(), 0, kMaxCount20))) {
    return failure();
  }
  if (getTranspose() && elementBytes(getDst()) != 2) {
    return check.fail("transpose", "a 16-bit element type",
                      std::to_string(8 * elementBytes(getDst())) + " bits");
  }
  return success();
}

LogicalResult LoadIm2colOp::verify() {
  Check check(*this);
  std::optional<int64_t> dstExtent;
  const auto m = constantOf(getMCount()), k1 = constantOf(getK1Count());
  if (m && k1) {
    dstExtent = ceilDiv(*m, isa::kCellRows) * *k1 * isa::kFractalBytes;
  }
  if (failed(check.operand({"dst",
                            getDst(),
                            getDstOffset(),
                            {Space::L0A},
                            isa::kFractalBytes,
                            dstExtent})) ||
      failed(check.operand(
          {"src", getSrc(), getSrcOffset(), {Space::L1}, isa::kBlockBytes})) ||
      failed(check.count("m_start", getMStart(), kMaxCount20)) ||
      failed(check.count("m_count", getMCount(), kMaxCount16)) ||
      failed(check.count("k1_start", getK1Start(), kMaxCount20)) ||
      failed(check.count("k1_count", getK1Count(), kMaxCount16)) ||
      failed(check.count("height", getHeight(), kMaxCount16)) ||
      failed(check.count("pad_top", getPadTop(), kMaxByte)) ||
      failed(check.range("width", getWidth(), 1, kMaxCount16)) ||
      failed(check.range("out_width", getOutWidth(), 1, kMaxCount16)) ||
      failed(check.range("pad_left", getPadLeft(), 0, kMaxByte)) ||
      failed(check.range("c1", getC1(), 1, kMaxCount16)) ||
      failed(check.range("c1_stride", getC1Stride(), 0, (1 << 24) - 1)) ||
      failed(check.range("pad", getPad(), 0, kMaxCount16)) ||
      failed(check.range("images", getImages(), 1, kMaxCount16)) ||
      failed(check.range("image_stride", getImageStride(), 0, (1 << 24) - 1)) ||
      failed(check.range("out_height", getOutHeight(), getImages() > 1 ? 1 : 0,
                         kMaxCount16))) {
    return failure();
  }
  for (auto [name, pair] :
       {std::pair("kernel", getKernel()), std::pair("stride", getStride()),
        std::pair("dilation", getDilation())}) {
    if (pair.size() != 2) {
      return check.fail(name, "two values, height and width",
                        std::to_string(pair.size()));
    }
    for (int64_t value : pair) {
      if (failed(check.range(name, value, 1, kMaxByte))) {
        return failure();
      }
    }
  }
  return check.range("c_valid_last", getCValidLast(), 1,
                     getC04() ? 4 : isa::kBlockBytes / elementBytes(getDst()));
}

LogicalResult LoadBiasOp::verify() {
  Check check(*this);
  const auto bytes = constantOf(getBytes());
  if (failed(check.operand({"dst",
                            getDst(),
                            getDstOffset(),
                            {Space::BT},
                            isa::kBlockBytes,
                            bytes})) ||
      failed(check.operand({"src",
                            getSrc(),
                            getSrcOffset(),
                            {Space::L1},
                            isa::kBlockBytes,
                            bytes}))) {
    return failure();
  }
  return check.count("bytes", getBytes(), kMaxCount16);
}

//===----------------------------------------------------------------------===//
// M, FIX
//===----------------------------------------------------------------------===//

LogicalResult MmadOp::verify() {
  Check check(*this);
  if (static_cast<bool>(getBias()) != static_cast<bool>(getBiasOffset())) {
    return check.fail("bias", "a base and an offset", "only one of them");
  }
  if (failed(check.operand({"acc",
                            getAcc(),
                            getAccOffset(),
                            {Space::L0C},
                            isa::kL0CCellBytes})) ||
      failed(check.operand(
          {"a", getA(), getAOffset(), {Space::L0A}, isa::kFractalBytes})) ||
      failed(check.operand(
          {"b", getB(), getBOffset(), {Space::L0B}, isa::kFractalBytes})) ||
      failed(check.count("m", getM(), kMaxCount12)) ||
      failed(check.count("n", getN(), kMaxCount12)) ||
      failed(check.count("k", getK(), kMaxCount16)) ||
      failed(check.count("mode", getMode(), 2)) ||
      failed(check.elementType("a", getA())) ||
      failed(check.elementType("b", getB()))) {
    return failure();
  }
  if (getBias() && failed(check.operand({"bias",
                                         getBias(),
                                         getBiasOffset(),
                                         {Space::BT},
                                         isa::kBlockBytes}))) {
    return failure();
  }
  if (constantOf(getMode()) == 2 && !getBias()) {
    return check.fail("mode", "a bias operand for mode 2", "none");
  }
  const Type a = cast<MemRefType>(getA().getType()).getElementType();
  const Type b = cast<MemRefType>(getB().getType()).getElementType();
  const Type acc = cast<MemRefType>(getAcc().getType()).getElementType();
  const bool integers = a.isInteger(8) && b.isInteger(8) && acc.isInteger(32);
  const bool floats =
      a == b && acc.isF32() && (a.isF16() || a.isBF16() || a.isF32());
  if (!integers && !floats) {
    std::string found;
    llvm::raw_string_ostream(found) << a << ", " << b << " and " << acc;
    return check.fail("a, b and acc",
                      "f16, bf16 or f32 twice and f32, or 8-bit integers and "
                      "i32",
                      found);
  }
  return success();
}

namespace {

/// A number per column, in the bias table.
LogicalResult verifyChannels(Check &check, StringRef name, Value table,
                             Value offset, Value n) {
  if (static_cast<bool>(table) != static_cast<bool>(offset)) {
    return check.fail(name, "a base and an offset", "only one of them");
  }
  if (!table) {
    return success();
  }
  if (!cast<MemRefType>(table.getType()).getElementType().isF32()) {
    return check.fail(name, "elements of f32", "another type");
  }
  return check.operand({name, table, offset, {Space::BT}, 4, scaled(n, 4)});
}

/// Scale, activation and zero point go together.
LogicalResult verifyEpilogue(FixOp op, Check &check) {
  const Type out = cast<MemRefType>(op.getDst().getType()).getElementType();
  const ActivationKind activation = op.getActivation();
  if (op.getScales() && op.getScale()) {
    return check.fail("scale", "one factor, or one per column", "both");
  }
  if ((activation == ActivationKind::prelu) != bool(op.getSlopes())) {
    return check.fail("slopes", "slopes with prelu and only with it",
                      op.getSlopes() ? "another activation" : "none");
  }
  const bool takesParameter =
      activation == ActivationKind::leaky || activation == ActivationKind::clip;
  if (takesParameter != op.getParameter().has_value()) {
    return check.fail("parameter",
                      "a parameter with leaky and clip and only with them",
                      takesParameter ? "none" : "another activation");
  }
  const int64_t zero = op.getZeroPoint();
  const bool isUnsigned = out.isUnsignedInteger(8);
  if (zero != 0 && !out.isInteger(8)) {
    return check.fail("zero_point", "an 8-bit destination", "another type");
  }
  return check.range("zero_point", zero, isUnsigned ? 0 : -128,
                     isUnsigned ? 255 : 127);
}

} // namespace

LogicalResult FixOp::verify() {
  Check check(*this);
  const auto m = constantOf(getM()), n = constantOf(getN());
  const auto c1Stride = constantOf(getC1Stride()),
             pitch = constantOf(getMPitch());
  const int64_t size = elementBytes(getDst()), c0 = isa::kBlockBytes / size;
  std::optional<int64_t> dstExtent;
  if (m && n && c1Stride && pitch && *m > 0 && *n > 0) {
    dstExtent = (*n - 1) / c0 * *c1Stride + (*m - 1) * *pitch +
                ((*n - 1) % c0 + 1) * size;
  }
  const auto space = spaceOf(getDst().getType());
  if (failed(check.operand(
          {"dst",
           getDst(),
           getDstOffset(),
           {Space::GM, Space::UB, Space::L1},
           space == Space::GM ? 1 : static_cast<int64_t>(isa::kBlockBytes),
           dstExtent})) ||
      failed(check.operand({"src",
                            getSrc(),
                            getSrcOffset(),
                            {Space::L0C},
                            isa::kL0CCellBytes})) ||
      failed(check.count("m", getM(), kMaxCount20)) ||
      failed(check.count("n", getN(), kMaxCount20)) ||
      failed(check.count("m1", getM1(), kMaxCount16)) ||
      failed(check.count("c1_stride", getC1Stride(), kMaxUnsigned32)) ||
      failed(check.count("m_pitch", getMPitch(), kMaxUnsigned32))) {
    return failure();
  }
  const Type acc = cast<MemRefType>(getSrc().getType()).getElementType();
  if (!acc.isF32() && !acc.isInteger(32)) {
    return check.fail("src", "an accumulator of f32 or i32", "another type");
  }
  if (failed(verifyChannels(check, "scales", getScales(), getScalesOffset(),
                            getN())) ||
      failed(verifyChannels(check, "slopes", getSlopes(), getSlopesOffset(),
                            getN())) ||
      failed(check.elementType("dst", getDst()))) {
    return failure();
  }
  return verifyEpilogue(*this, check);
}

//===----------------------------------------------------------------------===//
// S, flags
//===----------------------------------------------------------------------===//

LogicalResult ScalarLoadOp::verify() {
  const int64_t size = ceilDiv(getType().getIntOrFloatBitWidth(), 8);
  return Check(*this).operand(
      {"src", getSrc(), getSrcOffset(), {Space::UB}, size, size});
}

LogicalResult ScalarStoreOp::verify() {
  const int64_t size = ceilDiv(getValue().getType().getIntOrFloatBitWidth(), 8);
  return Check(*this).operand(
      {"dst", getDst(), getDstOffset(), {Space::UB}, size, size});
}

namespace {
template <typename Op> LogicalResult verifyFlag(Op op) {
  Check check(op);
  if (op.getSrc() == op.getDst()) {
    return check.fail("src and dst", "different pipes", "the same pipe");
  }
  return check.count("id", op.getId(), isa::kNumFlagIds - 1);
}
} // namespace

LogicalResult SetFlagOp::verify() { return verifyFlag(*this); }
LogicalResult WaitFlagOp::verify() { return verifyFlag(*this); }

//===----------------------------------------------------------------------===//
// Semaphores, texts
//===----------------------------------------------------------------------===//

LogicalResult PostOp::verify() {
  Check check(*this);
  if (getFrom() != PipeKind::FIX && getFrom() != PipeKind::MTE3) {
    return check.fail("from", "a pipe that writes GM, FIX or MTE3",
                      stringifyPipeKind(getFrom()));
  }
  if (failed(check.operand({"tensor", getTensor(), Value(), {Space::GM}})) ||
      failed(check.count("block", getBlock(), kMaxCount16))) {
    return failure();
  }
  return check.count("id", getId(), kMaxSemaphore);
}

LogicalResult PendOp::verify() {
  Check check(*this);
  if (failed(check.operand({"tensor", getTensor(), Value(), {Space::GM}}))) {
    return failure();
  }
  return check.count("id", getId(), kMaxSemaphore);
}

namespace {
template <typename Op>
LogicalResult verifyText(Op op, size_t values, size_t most) {
  Check check(op);
  if (failed(check.range("values", static_cast<int64_t>(values), 0,
                         static_cast<int64_t>(most)))) {
    return failure();
  }
  return check.range("bytes of the text",
                     static_cast<int64_t>(op.getText().size()), 0, kMaxByte);
}
} // namespace

LogicalResult PrintOp::verify() {
  return verifyText(*this, getValues().size(), 2);
}
LogicalResult AssertOp::verify() { return verifyText(*this, 0, 1); }

} // namespace kiln::npu
