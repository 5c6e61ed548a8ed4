// SPDX-License-Identifier: Apache-2.0
//
// Verifiers of the commands: operand placement, alignment, capacity and field
// widths. What is only known at run time (a dynamic count or offset) is checked
// by the engines; what is constant is checked here.
#include "compiler/dialect/npu/NpuOps.h"

#include "isa/support/units.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/Matchers.h"

using namespace mlir;

namespace kiln::npu {

namespace {

using isa::Space;

// Field limits of the instruction words (isa/spec).
constexpr int64_t kMaxCount16 = (1 << 16) - 1;
constexpr int64_t kMaxCount20 = (1 << 20) - 1;
constexpr int64_t kMaxCount12 = (1 << 12) - 1;
constexpr int64_t kMaxByte = 255;
constexpr int64_t kMaxUnsigned32 = (int64_t(1) << 32) - 1;

std::optional<int64_t> constantOf(Value value) {
  APInt constant;
  if (value && matchPattern(value, m_ConstantInt(&constant))) {
    return constant.getSExtValue();
  }
  return std::nullopt;
}

int64_t elementBytes(Value base) {
  return (cast<MemRefType>(base.getType()).getElementTypeBitWidth() + 7) / 8;
}

/// Bytes of a base, nullopt when not static.
std::optional<int64_t> capacityOf(MemRefType type) {
  if (!type.hasStaticShape()) {
    return std::nullopt;
  }
  if (type.getMemorySpace()) {
    return localBytes(type);
  }
  if (!type.getLayout().isIdentity()) {
    return std::nullopt;
  }
  return type.getNumElements() * ((type.getElementTypeBitWidth() + 7) / 8);
}

std::string namesOf(ArrayRef<Space> spaces) {
  std::string text;
  for (Space space : spaces) {
    text += (text.empty() ? "" : " or ") + std::string(isa::name(space));
  }
  return text;
}

struct Operand {
  StringRef name;
  Value base;
  Value offset;
  SmallVector<Space, 3> spaces; // allowed
  int64_t align = 1;
  /// Bytes from the offset to the end of what is touched, where known.
  std::optional<int64_t> extent = std::nullopt;
};

/// Collects the first violation of a command as a diagnostic.
class Check {
public:
  explicit Check(Operation *op) : op_(op) {}

  LogicalResult operand(const Operand &o) {
    auto type = dyn_cast<MemRefType>(o.base.getType());
    if (!type) {
      return fail(o.name, "a ranked memref", "an unranked one");
    }
    const auto space = spaceOf(type);
    if (!space || !llvm::is_contained(o.spaces, *space)) {
      return fail(o.name, "a buffer in " + namesOf(o.spaces),
                  space ? "one in " + std::string(isa::name(*space))
                        : "an unknown memory space");
    }
    if (failed(base(o))) {
      return failure();
    }
    const auto offset = constantOf(o.offset);
    if (!offset) {
      return success();
    }
    if (*offset < 0 || *offset % o.align != 0) {
      return fail(o.name,
                  "an offset that is a multiple of " + std::to_string(o.align) +
                      " bytes",
                  std::to_string(*offset));
    }
    const auto capacity = capacityOf(type);
    if (capacity && *offset + o.extent.value_or(0) > *capacity) {
      return fail(o.name,
                  "at most " + std::to_string(*capacity) +
                      " bytes, the size of its buffer",
                  "bytes up to " +
                      std::to_string(*offset + o.extent.value_or(0)));
    }
    return success();
  }

  LogicalResult count(StringRef name, Value value, int64_t max) {
    const auto constant = constantOf(value);
    return constant ? range(name, *constant, 0, max) : success();
  }

  LogicalResult range(StringRef name, int64_t value, int64_t min, int64_t max) {
    if (value >= min && value <= max) {
      return success();
    }
    return fail(name,
                "a value from " + std::to_string(min) + " to " +
                    std::to_string(max),
                std::to_string(value));
  }

  LogicalResult strides(StringRef name, ArrayRef<int64_t> strides) {
    if (strides.size() != 2) {
      return fail(name, "{row stride, block stride}",
                  std::to_string(strides.size()) + " values");
    }
    if (failed(range(name.str() + " (row)", strides[0], 0, kMaxCount16))) {
      return failure();
    }
    return range(name.str() + " (block)", strides[1], 0, kMaxByte);
  }

  LogicalResult fail(const Twine &name, const Twine &expected,
                     const Twine &found) {
    return op_->emitOpError() << "'" << name.str() << "': expected "
                              << expected.str() << ", found " << found.str();
  }

  LogicalResult elementType(StringRef name, Value base) {
    const Type type = cast<MemRefType>(base.getType()).getElementType();
    if (elementTypeOf(type)) {
      return success();
    }
    std::string text;
    llvm::raw_string_ostream(text) << type;
    return fail(name,
                "an element type of the machine (i8 ui8 i16 ui16 i32 f16 "
                "bf16 f32)",
                text);
  }

private:
  LogicalResult base(const Operand &o) {
    if (auto argument = dyn_cast<BlockArgument>(o.base)) {
      if (llvm::isa<func::FuncOp>(argument.getOwner()->getParentOp())) {
        return success();
      }
      return fail(o.name, "an npu.alloc or a kernel argument as base",
                  "a loop-carried memref");
    }
    Operation *def = o.base.getDefiningOp();
    if (llvm::isa<AllocOp>(def)) {
      return success();
    }
    return fail(o.name, "an npu.alloc or a kernel argument as base",
                "the result of '" + def->getName().getStringRef() + "'");
  }

  Operation *op_;
};

/// Extent in bytes of rows x rowBytes with constant geometry.
std::optional<int64_t> extent(Value rows, std::optional<int64_t> rowBytes,
                              std::optional<int64_t> stride) {
  const auto r = constantOf(rows);
  if (!r || !rowBytes || !stride) {
    return std::nullopt;
  }
  return *r == 0 ? 0 : (*r - 1) * *stride + *rowBytes;
}

/// Extent of a local view of rows x bytes.
std::optional<int64_t> viewExtent(Value rows, std::optional<int64_t> rowBytes,
                                  ArrayRef<int64_t> strides) {
  if (!rowBytes || strides.size() != 2) {
    return std::nullopt;
  }
  const int64_t block = isa::kBlockBytes;
  if (*rowBytes == 0) {
    return 0;
  }
  const int64_t blocks = ceilDiv(*rowBytes, block);
  const int64_t row =
      (blocks - 1) * strides[1] * block + *rowBytes - (blocks - 1) * block;
  return extent(rows, row, strides[0] * block);
}

std::optional<int64_t> scaled(Value value, int64_t factor) {
  const auto constant = constantOf(value);
  return constant ? std::optional(*constant * factor) : std::nullopt;
}

} // namespace

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
  if (failed(check.operand(
          {"dst",
           getDst(),
           getDstOffset(),
           {Space::GM},
           1,
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
      failed(check.range("pad", getPad(), 0, kMaxCount16))) {
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
                     isa::kBlockBytes / elementBytes(getDst()));
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
  return check.elementType("dst", getDst());
}

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
  const bool alongRows =
      getKind() == ReduceKind::sum_l || getKind() == ReduceKind::max_l;
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
  return sameElements(check, getDst(), getSrc());
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

} // namespace kiln::npu
