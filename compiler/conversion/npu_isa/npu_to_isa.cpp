// SPDX-License-Identifier: Apache-2.0
#include "compiler/conversion/npu_isa/npu_to_isa.h"

#include "compiler/dialect/npu/NpuOps.h"
#include "compiler/dialect/npu_isa/NpuIsaOps.h"

#include "mlir/IR/Matchers.h"
#include "llvm/ADT/TypeSwitch.h"

#include <bit>

using namespace mlir;

namespace kiln::npu {

namespace {

/// A packed 64-bit operand word: constant fields and shifted values.
class Word {
public:
  Word(OpBuilder &builder, Location loc) : builder_(builder), loc_(loc) {}

  Word &add(uint64_t constant, unsigned bit) {
    constant_ += constant << bit;
    return *this;
  }
  /// An index or i64 value.
  Word &add(Value value, unsigned bit) {
    APInt constant;
    if (matchPattern(value, m_ConstantInt(&constant))) {
      return add(constant.getZExtValue(), bit);
    }
    if (value.getType().isIndex()) {
      value = arith::IndexCastOp::create(builder_, loc_, builder_.getI64Type(),
                                         value);
    }
    if (bit != 0) {
      value = arith::ShLIOp::create(builder_, loc_, value, i64(bit));
    }
    sum_ = sum_ ? arith::AddIOp::create(builder_, loc_, sum_, value) : value;
    return *this;
  }
  Value value() {
    if (!sum_) {
      return i64(constant_);
    }
    return constant_ == 0
               ? sum_
               : arith::AddIOp::create(builder_, loc_, sum_, i64(constant_));
  }

private:
  Value i64(uint64_t constant) {
    return arith::ConstantIntOp::create(builder_, loc_,
                                        static_cast<int64_t>(constant), 64);
  }

  OpBuilder &builder_;
  Location loc_;
  uint64_t constant_ = 0;
  Value sum_;
};

uint32_t typeField(Value memref) {
  const auto type =
      elementTypeOf(cast<MemRefType>(memref.getType()).getElementType());
  return static_cast<uint32_t>(*type); // verified by the command
}

/// The CubeType field of an mmad.
uint32_t cubeType(MmadOp op) {
  const uint32_t a = typeField(op.getA()), b = typeField(op.getB());
  return a <= 1 ? a + 2 * b : a;
}

class Converter {
public:
  explicit Converter(func::FuncOp kernel)
      : kernel_(kernel), builder_(kernel.getContext()) {}

  void run() {
    SmallVector<Operation *> ops;
    kernel_.walk([&](Operation *op) { ops.push_back(op); });
    for (Operation *op : ops) {
      builder_.setInsertionPoint(op);
      loc_ = op->getLoc();
      if (convert(op)) {
        op->erase();
      }
    }
  }

private:
  bool convert(Operation *op);
  template <typename Isa, typename... Args> void emit(Args... args) {
    Isa::create(builder_, *loc_, args...);
  }

  Value address(Value base, Value offset) {
    return addressOf(builder_, *loc_, base, offset);
  }
  Word word() { return Word(builder_, *loc_); }
  Word at(Value base, Value offset) {
    return word().add(address(base, offset), 0);
  }

  /// A LocalView word; a null count leaves the field 0.
  Value view(Value base, Value offset, int64_t row, int64_t blk, Value count) {
    Word w = at(base, offset).add(row, 24).add(blk, 40);
    if (count) {
      w.add(count, 48);
    }
    return w.value();
  }
  Value view(Value base, Value offset, ArrayRef<int64_t> strides, Value count) {
    return view(base, offset, strides[0], strides[1], count);
  }

  void config(isa::Pipe pipe, unsigned index, Value value) {
    emit<npu_isa::KcfgOp>(value, static_cast<uint32_t>(pipe), index);
  }
  Value constant(uint64_t value) { return word().add(value, 0).value(); }
  Value geometry(Value rowBytes, Value stride) {
    return word().add(rowBytes, 0).add(stride, 32).value();
  }

  /// Blocks of C0 that hold so many channels, and those of the last block.
  std::pair<Value, Value> channelBlocks(Value channels, Value like);

  void lower(LoadOp op);
  void lower(LoadNzOp op);
  void lower(LoadL0Op op);
  void lower(LoadIm2colOp op);
  void lower(MmadOp op);
  void lower(FixOp op);
  void lower(VBinaryOp op);
  void lower(VScalarOp op);
  void lower(VUnaryOp op);
  void lower(VReduceOp op);
  void lower(VTransposeOp op);
  void lower(StoreOp op);
  void lower(MoveL1Op op);
  void lower(LoadBiasOp op);
  void lower(VDupOp op);
  void lower(VCastOp op);
  void lower(VBroadcastOp op);
  void lower(SetFlagOp op);
  void lower(WaitFlagOp op);
  void lower(BarrierOp) { emit<npu_isa::KbarOp>(); }
  void lower(TrapOp op) { emit<npu_isa::KtrapOp>(op.getCode()); }

  func::FuncOp kernel_;
  OpBuilder builder_;
  std::optional<Location> loc_;
};

void Converter::lower(LoadOp op) {
  config(isa::Pipe::MTE2, 0, constant(op.getPad()));
  Value dst =
      view(op.getDst(), op.getDstOffset(), op.getDstStrides(), op.getRows());
  Value src = address(op.getSrc(), op.getSrcOffset());
  Value shape = geometry(op.getRowBytes(), op.getGmStride());
  if (spaceOf(op.getDst().getType()) == isa::Space::UB) {
    emit<npu_isa::LdUbOp>(dst, src, shape);
  } else {
    emit<npu_isa::LdL1Op>(dst, src, shape);
  }
}

void Converter::lower(LoadNzOp op) {
  config(isa::Pipe::MTE2, 0, constant(op.getPad()));
  emit<npu_isa::LdNzOp>(
      view(op.getDst(), op.getDstOffset(), op.getColStride(), 0, op.getRows()),
      address(op.getSrc(), op.getSrcOffset()),
      geometry(op.getRowBytes(), op.getGmStride()));
}

void Converter::lower(LoadL0Op op) {
  Value dst = at(op.getDst(), op.getDstOffset())
                  .add(op.getOuter(), 24)
                  .add(op.getInner(), 40)
                  .value();
  Value src = at(op.getSrc(), op.getSrcOffset())
                  .add(op.getOuterStride(), 24)
                  .add(op.getInnerStride(), 44)
                  .value();
  const uint32_t transpose = op.getTranspose();
  if (spaceOf(op.getDst().getType()) == isa::Space::L0A) {
    emit<npu_isa::CpL0aOp>(dst, src, transpose);
  } else {
    emit<npu_isa::CpL0bOp>(dst, src, transpose);
  }
}

std::pair<Value, Value> Converter::channelBlocks(Value channels, Value like) {
  auto type = cast<MemRefType>(like.getType());
  int64_t c0 = isa::kBlockBytes * 8 / type.getElementTypeBitWidth();
  Value one = arith::ConstantIndexOp::create(builder_, *loc_, 1);
  Value block = arith::ConstantIndexOp::create(builder_, *loc_, c0);
  Value before = arith::DivUIOp::create(
      builder_, *loc_, arith::SubIOp::create(builder_, *loc_, channels, one),
      block);
  Value blocks = arith::AddIOp::create(builder_, *loc_, before, one);
  Value last = arith::SubIOp::create(
      builder_, *loc_, channels,
      arith::MulIOp::create(builder_, *loc_, before, block));
  return {blocks, last};
}

void Converter::lower(LoadIm2colOp op) {
  const auto kernel = op.getKernel(), stride = op.getStride(),
             dilation = op.getDilation();
  Word shape = word(), planes = word();
  if (Value channels = op.getChannels()) {
    auto [blocks, last] = channelBlocks(channels, op.getDst());
    shape.add(last, 48);
    planes.add(blocks, 24);
  } else {
    shape.add(op.getCValidLast(), 48);
    planes.add(op.getC1(), 24);
  }
  config(isa::Pipe::MTE1, 0,
         word()
             .add(op.getHeight(), 0)
             .add(op.getWidth(), 16)
             .add(op.getPadTop(), 32)
             .add(op.getPadLeft(), 40)
             .add(op.getOutWidth(), 48)
             .value());
  config(isa::Pipe::MTE1, 1,
         shape.add(kernel[0], 0)
             .add(kernel[1], 8)
             .add(stride[0], 16)
             .add(stride[1], 24)
             .add(dilation[0], 32)
             .add(dilation[1], 40)
             .value());
  config(isa::Pipe::MTE1, 2,
         planes.add(op.getC1Stride(), 0).add(op.getPad(), 48).value());
  config(isa::Pipe::MTE1, 3, constant(0));
  emit<npu_isa::Im2colOp>(at(op.getDst(), op.getDstOffset())
                              .add(op.getMCount(), 24)
                              .add(op.getK1Count(), 40)
                              .value(),
                          at(op.getSrc(), op.getSrcOffset())
                              .add(op.getMStart(), 24)
                              .add(op.getK1Start(), 44)
                              .value(),
                          typeField(op.getDst()));
}

void Converter::lower(MmadOp op) {
  Value c = at(op.getAcc(), op.getAccOffset())
                .add(op.getM(), 24)
                .add(op.getN(), 36)
                .add(op.getK(), 48)
                .value();
  Value a = address(op.getA(), op.getAOffset());
  Word b = at(op.getB(), op.getBOffset()).add(op.getMode(), 40);
  if (op.getBias()) {
    b.add(address(op.getBias(), op.getBiasOffset()), 24);
  }
  emit<npu_isa::MmadOp>(c, a, b.value(), cubeType(op));
}

void Converter::lower(FixOp op) {
  config(isa::Pipe::FIX, 0,
         word()
             .add(typeField(op.getDst()), 0)
             .add(static_cast<uint64_t>(op.getActivation()), 3)
             .add(op.getM1(), 6)
             .value());
  uint64_t scale = 0;
  if (auto value = op.getScale()) {
    scale = std::bit_cast<uint32_t>(value->convertToFloat());
  }
  config(isa::Pipe::FIX, 1, constant(scale));
  config(isa::Pipe::FIX, 2, constant(0));
  Value dst = address(op.getDst(), op.getDstOffset());
  Value src = at(op.getSrc(), op.getSrcOffset())
                  .add(op.getM(), 24)
                  .add(op.getN(), 44)
                  .value();
  Value strides =
      word().add(op.getC1Stride(), 0).add(op.getMPitch(), 32).value();
  const uint32_t accumulator = typeField(op.getSrc());
  switch (*spaceOf(op.getDst().getType())) {
  case isa::Space::UB:
    return emit<npu_isa::FixUbOp>(dst, src, strides, accumulator);
  case isa::Space::L1:
    return emit<npu_isa::FixL1Op>(dst, src, strides, accumulator);
  default:
    return emit<npu_isa::FixGmOp>(dst, src, strides, accumulator);
  }
}

void Converter::lower(VBinaryOp op) {
  Value dst =
      view(op.getDst(), op.getDstOffset(), op.getDstStrides(), op.getRows());
  Value src0 =
      view(op.getSrc0(), op.getSrc0Offset(), op.getSrc0Strides(), op.getCols());
  Value src1 =
      view(op.getSrc1(), op.getSrc1Offset(), op.getSrc1Strides(), Value());
  const uint32_t type = typeField(op.getSrc0()), out = typeField(op.getDst());
  switch (op.getKind()) {
  case BinaryKind::add:
    return emit<npu_isa::VaddOp>(dst, src0, src1, type);
  case BinaryKind::sub:
    return emit<npu_isa::VsubOp>(dst, src0, src1, type);
  case BinaryKind::mul:
    return emit<npu_isa::VmulOp>(dst, src0, src1, type);
  case BinaryKind::div:
    return emit<npu_isa::VdivOp>(dst, src0, src1, type);
  case BinaryKind::max:
    return emit<npu_isa::VmaxOp>(dst, src0, src1, type);
  case BinaryKind::min:
    return emit<npu_isa::VminOp>(dst, src0, src1, type);
  case BinaryKind::madd:
    return emit<npu_isa::VmaddOp>(dst, src0, src1, type);
  case BinaryKind::expd:
    if (out == type) {
      return emit<npu_isa::VexpdOp>(dst, src0, src1, type);
    }
    if (out == static_cast<uint32_t>(isa::ElementType::F16)) {
      return emit<npu_isa::VexpdHOp>(dst, src0, src1, type);
    }
    return emit<npu_isa::VexpdBOp>(dst, src0, src1, type);
  }
}

void Converter::lower(VScalarOp op) {
  Value dst =
      view(op.getDst(), op.getDstOffset(), op.getDstStrides(), op.getRows());
  Value src =
      view(op.getSrc(), op.getSrcOffset(), op.getSrcStrides(), op.getCols());
  Value bits = op.getScalar();
  const uint32_t type = typeField(op.getSrc());
  switch (op.getKind()) {
  case ScalarKind::adds:
    return emit<npu_isa::VaddsOp>(dst, src, bits, type);
  case ScalarKind::muls:
    return emit<npu_isa::VmulsOp>(dst, src, bits, type);
  case ScalarKind::maxs:
    return emit<npu_isa::VmaxsOp>(dst, src, bits, type);
  case ScalarKind::mins:
    return emit<npu_isa::VminsOp>(dst, src, bits, type);
  }
}

void Converter::lower(VUnaryOp op) {
  Value dst =
      view(op.getDst(), op.getDstOffset(), op.getDstStrides(), op.getRows());
  Value src =
      view(op.getSrc(), op.getSrcOffset(), op.getSrcStrides(), op.getCols());
  const uint32_t type = typeField(op.getSrc());
  switch (op.getKind()) {
  case UnaryKind::mov:
    return emit<npu_isa::VmovOp>(dst, src, type);
  case UnaryKind::exp:
    return emit<npu_isa::VexpOp>(dst, src, type);
  case UnaryKind::rec:
    return emit<npu_isa::VrecOp>(dst, src, type);
  case UnaryKind::sqrt:
    return emit<npu_isa::VsqrtOp>(dst, src, type);
  case UnaryKind::tanh:
    return emit<npu_isa::VtanhOp>(dst, src, type);
  }
}

void Converter::lower(VReduceOp op) {
  const bool alongRows =
      op.getKind() == ReduceKind::sum_l || op.getKind() == ReduceKind::max_l;
  const auto strides = op.getDstStrides();
  Value dst = view(op.getDst(), op.getDstOffset(), alongRows ? strides[0] : 0,
                   alongRows ? 0 : strides[1], op.getRows());
  Value src =
      view(op.getSrc(), op.getSrcOffset(), op.getSrcStrides(), op.getCols());
  const uint32_t type = typeField(op.getSrc());
  switch (op.getKind()) {
  case ReduceKind::sum_l:
    return emit<npu_isa::VsumLOp>(dst, src, type);
  case ReduceKind::max_l:
    return emit<npu_isa::VmaxLOp>(dst, src, type);
  case ReduceKind::sum_r:
    return emit<npu_isa::VsumROp>(dst, src, type);
  case ReduceKind::max_r:
    return emit<npu_isa::VmaxROp>(dst, src, type);
  }
}

void Converter::lower(VTransposeOp op) {
  const bool in = op.getKind() == TransposeKind::in;
  const auto dst = op.getDstStrides(), src = op.getSrcStrides();
  Value to = view(op.getDst(), op.getDstOffset(), in ? 0 : dst[0], dst[1],
                  op.getRows());
  Value from = view(op.getSrc(), op.getSrcOffset(), in ? src[0] : 0, src[1],
                    op.getCols());
  const uint32_t type = typeField(op.getSrc());
  if (in) {
    emit<npu_isa::VtrInOp>(to, from, type);
  } else {
    emit<npu_isa::VtrOutOp>(to, from, type);
  }
}

void Converter::lower(StoreOp op) {
  emit<npu_isa::StUbOp>(
      address(op.getDst(), op.getDstOffset()),
      view(op.getSrc(), op.getSrcOffset(), op.getSrcStrides(), op.getRows()),
      geometry(op.getRowBytes(), op.getGmStride()), typeField(op.getSrc()));
}

void Converter::lower(MoveL1Op op) {
  emit<npu_isa::StL1Op>(
      view(op.getDst(), op.getDstOffset(), op.getDstStrides(), op.getRows()),
      view(op.getSrc(), op.getSrcOffset(), op.getSrcStrides(), Value()),
      word().add(op.getRowBlocks(), 0).value());
}

void Converter::lower(LoadBiasOp op) {
  emit<npu_isa::CpBtOp>(address(op.getDst(), op.getDstOffset()),
                        address(op.getSrc(), op.getSrcOffset()),
                        word().add(op.getBytes(), 0).value());
}

void Converter::lower(VDupOp op) {
  emit<npu_isa::VdupOp>(
      view(op.getDst(), op.getDstOffset(), op.getDstStrides(), op.getRows()),
      word().add(op.getCols(), 48).value(), op.getScalar(),
      typeField(op.getDst()));
}

void Converter::lower(VCastOp op) {
  emit<npu_isa::VcastOp>(
      view(op.getDst(), op.getDstOffset(), op.getDstStrides(), op.getRows()),
      view(op.getSrc(), op.getSrcOffset(), op.getSrcStrides(), op.getCols()),
      constant(typeField(op.getDst()) | static_cast<uint64_t>(op.getRounding())
                                            << 4),
      typeField(op.getSrc()));
}

void Converter::lower(VBroadcastOp op) {
  emit<npu_isa::VbcOp>(
      view(op.getDst(), op.getDstOffset(), op.getDstStrides(), op.getRows()),
      view(op.getSrc(), op.getSrcOffset(), op.getSrcStrides()[0], 0,
           op.getCols()),
      typeField(op.getSrc()));
}

void Converter::lower(SetFlagOp op) {
  emit<npu_isa::KsetOp>(word().add(op.getId(), 0).value(),
                        static_cast<uint32_t>(op.getSrc()),
                        static_cast<uint32_t>(op.getDst()));
}

void Converter::lower(WaitFlagOp op) {
  emit<npu_isa::KwaitOp>(word().add(op.getId(), 0).value(),
                         static_cast<uint32_t>(op.getSrc()),
                         static_cast<uint32_t>(op.getDst()));
}

/// Converts one op; false when it stays.
bool Converter::convert(Operation *op) {
  return TypeSwitch<Operation *, bool>(op)
      .Case<LoadOp, LoadNzOp, StoreOp, MoveL1Op, LoadL0Op, LoadIm2colOp,
            LoadBiasOp, MmadOp, FixOp, VBinaryOp, VScalarOp, VDupOp, VUnaryOp,
            VCastOp, VReduceOp, VBroadcastOp, VTransposeOp, SetFlagOp,
            WaitFlagOp, BarrierOp, TrapOp>([&](auto command) {
        lower(command);
        return true;
      })
      .Default([](Operation *) { return false; });
}

class NpuToIsaPass
    : public PassWrapper<NpuToIsaPass, OperationPass<func::FuncOp>> {
public:
  MLIR_DEFINE_EXPLICIT_INTERNAL_INLINE_TYPE_ID(NpuToIsaPass)
  StringRef getArgument() const override { return "npu-to-isa"; }
  StringRef getDescription() const override {
    return "packs npu commands into npu_isa instructions";
  }
  void getDependentDialects(DialectRegistry &registry) const override {
    registry.insert<arith::ArithDialect, memref::MemRefDialect,
                    npu_isa::NpuIsaDialect>();
  }
  void runOnOperation() override {
    if (getOperation()->hasAttr(kKernelAttr) &&
        failed(convertNpuToIsa(getOperation()))) {
      signalPassFailure();
    }
  }
};

} // namespace

Value addressOf(OpBuilder &builder, Location loc, Value base, Value offset) {
  Word word(builder, loc);
  if (auto alloc = base.getDefiningOp<AllocOp>()) {
    word.add(static_cast<uint64_t>(*alloc.getAddress()), 0);
    if (Value slot = alloc.getSlot()) {
      Value bytes = arith::ConstantIndexOp::create(builder, loc,
                                                   localBytes(alloc.getType()));
      word.add(arith::MulIOp::create(builder, loc, slot, bytes), 0);
    }
  } else {
    word.add(memref::ExtractAlignedPointerAsIndexOp::create(builder, loc, base),
             0);
  }
  return word.add(offset, 0).value();
}

LogicalResult convertNpuToIsa(func::FuncOp kernel) {
  WalkResult planned = kernel.walk([](AllocOp alloc) {
    if (alloc.getAddress() && (alloc.getDepth() == 1 || alloc.getSlot())) {
      return WalkResult::advance();
    }
    alloc.emitOpError("has no address; run npu-plan-local-memory first");
    return WalkResult::interrupt();
  });
  if (planned.wasInterrupted()) {
    return failure();
  }
  Converter(kernel).run();
  return success();
}

std::unique_ptr<Pass> createNpuToIsaPass() {
  return std::make_unique<NpuToIsaPass>();
}

} // namespace kiln::npu
