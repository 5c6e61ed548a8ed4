// SPDX-License-Identifier: Apache-2.0
#include "compiler/conversion/npu_isa/npu_to_isa.h"

#include "compiler/conversion/npu_isa/vector_to_isa.h"
#include "compiler/dialect/npu/NpuOps.h"
#include "compiler/dialect/npu_isa/NpuIsaOps.h"

#include "llvm/ADT/TypeSwitch.h"

#include <bit>

using namespace mlir;

namespace kiln::npu {

namespace {

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

  OperandWords words() { return OperandWords(builder_, *loc_); }
  Value address(Value base, Value offset) {
    return words().address(base, offset);
  }
  Word word() { return Word(builder_, *loc_); }
  Word at(Value base, Value offset) { return words().at(base, offset); }
  Value view(Value base, Value offset, ArrayRef<int64_t> strides, Value count) {
    return words().view(base, offset, strides, count);
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
  Value channelWord(FixOp op);
  void lower(FixOp op);
  void lower(StoreOp op);
  void lower(MoveL1Op op);
  void lower(LoadBiasOp op);
  void lower(SetFlagOp op);
  void lower(WaitFlagOp op);
  void lower(BarrierOp op) {
    op.getDevice() ? emit<npu_isa::KdbarOp>() : emit<npu_isa::KbarOp>();
  }
  void lower(PostOp op);
  void lower(PendOp op);
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
  emit<npu_isa::LdNzOp>(words().view(op.getDst(), op.getDstOffset(),
                                     static_cast<int64_t>(op.getColStride()), 0,
                                     op.getRows()),
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
  const bool batch = op.getImages() > 1;
  config(isa::Pipe::MTE1, 3,
         word()
             .add(batch ? op.getImageStride() : 0, 0)
             .add(batch ? op.getImages() : 0, 24)
             .add(op.getC04() ? 1 : 0, 40)
             .add(batch ? op.getOutHeight() : 0, 41)
             .value());
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

/// FIX[2]: factors and slopes per column, zero point.
Value Converter::channelWord(FixOp op) {
  Word channels =
      word().add(static_cast<uint64_t>(op.getZeroPoint()) & 0xff, 24);
  if (op.getScales()) {
    channels.add(1, 16);
    channels.add(address(op.getScales(), op.getScalesOffset()), 0);
  }
  if (op.getSlopes()) {
    channels.add(address(op.getSlopes(), op.getSlopesOffset()), 32);
  }
  return channels.value();
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
  Word factors = word().add(scale, 0);
  if (auto parameter = op.getParameter()) {
    factors.add(std::bit_cast<uint32_t>(parameter->convertToFloat()), 32);
  }
  config(isa::Pipe::FIX, 1, factors.value());
  config(isa::Pipe::FIX, 2, channelWord(op));
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

void Converter::lower(StoreOp op) {
  emit<npu_isa::StUbOp>(
      address(op.getDst(), op.getDstOffset()),
      view(op.getSrc(), op.getSrcOffset(), op.getSrcStrides(), op.getRows()),
      word()
          .add(op.getRowBytes(), 0)
          .add(static_cast<uint64_t>(op.getMode()), 20)
          .add(op.getGmStride(), 32)
          .value(),
      typeField(op.getSrc()));
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

void Converter::lower(PostOp op) {
  emit<npu_isa::KpostOp>(
      word().add(op.getId(), 0).add(op.getBlock(), 16).value(),
      static_cast<uint32_t>(op.getFrom()));
}

void Converter::lower(PendOp op) {
  emit<npu_isa::KpendOp>(word().add(op.getId(), 0).value(),
                         static_cast<uint32_t>(isa::Pipe::MTE2));
}

/// Converts one op; false when it stays.
bool Converter::convert(Operation *op) {
  OperandWords words = this->words();
  if (lowerVector(words, op)) {
    return true;
  }
  return TypeSwitch<Operation *, bool>(op)
      .Case<LoadOp, LoadNzOp, StoreOp, MoveL1Op, LoadL0Op, LoadIm2colOp,
            LoadBiasOp, MmadOp, FixOp, SetFlagOp, WaitFlagOp, BarrierOp, PostOp,
            PendOp, TrapOp>([&](auto command) {
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
