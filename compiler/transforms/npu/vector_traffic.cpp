// SPDX-License-Identifier: Apache-2.0
#include "compiler/transforms/npu/vector_traffic.h"

#include "compiler/conversion/npu_isa/vector_to_isa.h"
#include "isa/arch/vector_rate.h"
#include "isa/gen/operands.h"
#include "isa/gen/vector_meanings.h"
#include "isa/support/units.h"

#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/IR/Matchers.h"
#include "llvm/ADT/TypeSwitch.h"

#include <algorithm>

using namespace mlir;

namespace kiln::npu {

namespace {

using isa::Opcode;

/// Iterations of a loop whose bounds are not known.
constexpr int64_t kUnknownTrips = 16;
constexpr int64_t kMostTimes = int64_t{1} << 20;
constexpr int64_t kMostIterations = 8;

//===----------------------------------------------------------------------===//
// Values of one iteration
//===----------------------------------------------------------------------===//

/// Index values in iteration `shift` after the middle of every loop.
class IndexValues {
public:
  explicit IndexValues(int64_t shift) : shift_(shift) {}

  std::optional<int64_t> at(Value value) {
    auto [it, isNew] = known_.try_emplace(value, std::nullopt);
    if (isNew) {
      const std::optional<int64_t> result = evaluate(value);
      known_[value] = result; // the map may have grown
      return result;
    }
    return it->second;
  }

  int64_t trips(scf::ForOp loop) {
    const auto lo = at(loop.getLowerBound()), hi = at(loop.getUpperBound()),
               step = at(loop.getStep());
    if (!lo || !hi || !step || *step <= 0) {
      return kUnknownTrips;
    }
    return std::max<int64_t>(0, (*hi - *lo + *step - 1) / *step);
  }

private:
  std::optional<int64_t> evaluate(Value value) {
    llvm::APInt constant;
    if (matchPattern(value, m_ConstantInt(&constant))) {
      return constant.getSExtValue();
    }
    if (auto argument = dyn_cast<BlockArgument>(value)) {
      return evaluateArgument(argument);
    }
    Operation *op = value.getDefiningOp();
    if (llvm::isa<BlockIndexOp>(op)) {
      return 0;
    }
    if (llvm::isa<BlockCountOp>(op)) {
      return 1;
    }
    return op->getNumRegions() == 0 && op->getNumResults() == 1 ? fold(op)
                                                                : std::nullopt;
  }

  std::optional<int64_t> evaluateArgument(BlockArgument argument) {
    auto loop = dyn_cast<scf::ForOp>(argument.getOwner()->getParentOp());
    if (!loop) {
      return std::nullopt;
    }
    if (argument.getArgNumber() != 0) {
      return at(loop.getInitArgs()[argument.getArgNumber() - 1]);
    }
    const auto lo = at(loop.getLowerBound()), step = at(loop.getStep());
    if (!lo || !step) {
      return std::nullopt;
    }
    const int64_t count = trips(loop);
    const int64_t middle = std::min(count - 1, count / 2 + shift_);
    return *lo + *step * std::max<int64_t>(0, middle);
  }

  /// The op's own folder on known operands; a copy of the op, because a folder
  /// may change its op.
  std::optional<int64_t> fold(Operation *op) {
    SmallVector<Attribute> operands;
    for (Value operand : op->getOperands()) {
      const std::optional<int64_t> known = at(operand);
      if (!known || !operand.getType().isIntOrIndex()) {
        return std::nullopt;
      }
      operands.push_back(IntegerAttr::get(operand.getType(), *known));
    }
    Operation *copy = op->clone();
    SmallVector<OpFoldResult> results;
    const bool folded = succeeded(copy->fold(operands, results));
    copy->destroy();
    if (!folded || results.empty()) {
      return std::nullopt;
    }
    if (auto other = dyn_cast<Value>(results.front())) {
      return at(other);
    }
    auto number = dyn_cast<IntegerAttr>(cast<Attribute>(results.front()));
    return number ? std::optional(number.getValue().getSExtValue())
                  : std::nullopt;
  }

  int64_t shift_;
  DenseMap<Value, std::optional<int64_t>> known_;
};

//===----------------------------------------------------------------------===//
// Commands
//===----------------------------------------------------------------------===//

struct View {
  Value base, offset;
  ArrayRef<int64_t> strides;
};

/// A V command that rules 30 to 33 hold for.
struct VectorOp {
  Opcode op{};
  View dst;
  SmallVector<View, 2> sources; // in the order of the instruction
  Value rows, cols;
};

template <typename Op> VectorOp ofOneSource(Op op, Opcode opcode) {
  return {opcode,
          {op.getDst(), op.getDstOffset(), op.getDstStrides()},
          {{op.getSrc(), op.getSrcOffset(), op.getSrcStrides()}},
          op.getRows(),
          op.getCols()};
}

/// Empty for commands that no bank delays.
std::optional<VectorOp> describe(Operation *op) {
  using Result = std::optional<VectorOp>;
  return TypeSwitch<Operation *, Result>(op)
      .Case([](VBinaryOp x) -> Result {
        return VectorOp{opcodeOf(x.getKind()),
                        {x.getDst(), x.getDstOffset(), x.getDstStrides()},
                        {{x.getSrc0(), x.getSrc0Offset(), x.getSrc0Strides()},
                         {x.getSrc1(), x.getSrc1Offset(), x.getSrc1Strides()}},
                        x.getRows(),
                        x.getCols()};
      })
      .Case([](VScalarOp x) -> Result {
        return ofOneSource(x, opcodeOf(x.getKind()));
      })
      .Case([](VUnaryOp x) -> Result {
        return ofOneSource(x, opcodeOf(x.getKind()));
      })
      .Case([](VCastOp x) -> Result { return ofOneSource(x, Opcode::kVcast); })
      .Case([](VReduceOp x) -> Result {
        return ofOneSource(x, opcodeOf(x.getKind()));
      })
      .Default([](Operation *) -> Result { return std::nullopt; });
}

int64_t bytesOf(Value base) {
  return ceilDiv(cast<MemRefType>(base.getType()).getElementTypeBitWidth(), 8);
}

/// Elements per cycle.
int64_t rateOf(const VectorOp &op, const isa::TimingPart &timing) {
  auto typeOf = [](Value base) {
    return elementTypeOf(cast<MemRefType>(base.getType()).getElementType())
        .value_or(isa::ElementType::I8);
  };
  isa::Command command{.op = op.op, .pipe = isa::Pipe::V};
  command.f3 = static_cast<uint8_t>(typeOf(op.sources.front().base));
  if (op.op == Opcode::kVcast) {
    command.rs3 = isa::CastMode{.type = typeOf(op.dst.base)}.pack();
  }
  return std::max<int64_t>(1,
                           isa::vectorRate(timing, command).elementsPerCycle);
}

/// Rows and columns of a command, as large as a view of a buffer allows where
/// they depend on the launch.
struct Counts {
  int64_t rows = 0, cols = 0;
};

class Traffic {
public:
  Traffic(const isa::TimingPart &timing, const BufferNumbers &buffers)
      : timing_(timing), buffers_(buffers) {
    for (auto [alloc, number] : buffers) {
      iterations_ =
          std::max<int64_t>(iterations_, cast<AllocOp>(alloc).getDepth());
    }
    iterations_ = std::min(iterations_, kMostIterations);
  }

  std::vector<BankCommand> of(func::FuncOp kernel) {
    for (int64_t shift = 0; shift < iterations_; ++shift) {
      IndexValues values(shift);
      kernel.walk([&](PipeOpInterface op) {
        if (op.getPipe() != isa::Pipe::V) {
          return;
        }
        if (auto vector = describe(op)) {
          add(op, *vector, shift, values);
        }
      });
    }
    return std::move(commands_);
  }

private:
  static int64_t timesOf(Operation *op, IndexValues &values) {
    int64_t times = 1;
    for (auto loop = op->getParentOfType<scf::ForOp>(); loop;
         loop = loop->getParentOfType<scf::ForOp>()) {
      times = std::min(kMostTimes, times * values.trips(loop));
    }
    return times;
  }

  Counts countsOf(const VectorOp &op, IndexValues &values) const {
    const View &view = op.sources.front();
    const int64_t size = bytesOf(view.base);
    const int64_t all = localBytes(cast<MemRefType>(view.base.getType()));
    const int64_t pitch = view.strides[0] * isa::kBlockBytes;
    const auto rows = values.at(op.rows), cols = values.at(op.cols);
    Counts counts;
    counts.cols =
        cols.value_or((pitch > 0 ? std::min(pitch, all) : all) / size);
    counts.rows =
        rows.value_or(pitch > 0 ? std::max<int64_t>(1, all / pitch) : 1);
    return counts;
  }

  /// The blocks of an operand, false when it lies outside of its buffer.
  bool place(const View &view, int64_t bytes, int64_t rows, bool write,
             int64_t shift, IndexValues &values, BankCommand &out) const {
    auto alloc = view.base.getDefiningOp<AllocOp>();
    const auto number = alloc ? buffers_.find(alloc) : buffers_.end();
    if (number == buffers_.end()) {
      return false;
    }
    const int64_t slot = localBytes(alloc.getType());
    const int64_t offset = values.at(view.offset).value_or(0);
    const auto blocks = static_cast<int64_t>(
        ceilDiv(static_cast<uint64_t>(bytes), isa::kBlockBytes));
    const int64_t rowStride = view.strides[0] * isa::kBlockBytes,
                  blockStride = view.strides[1] * isa::kBlockBytes;
    const int64_t last =
        offset + (rows - 1) * rowStride + (blocks - 1) * blockStride;
    if (offset < 0 || blocks <= 0 || last >= slot) {
      return false;
    }
    const int64_t turn = shift % static_cast<int64_t>(alloc.getDepth());
    auto unsign = [](int64_t x) { return static_cast<uint64_t>(x); };
    out.operands.push_back(
        {number->second,
         {.base = unsign(offset + turn * slot),
          .rowStride = unsign(rowStride),
          .blockStride = unsign(blocks > 1 ? blockStride : 0),
          .blocks = unsign(blocks),
          .write = write}});
    return true;
  }

  void add(Operation *op, const VectorOp &vector, int64_t shift,
           IndexValues &values) {
    const Counts counts = countsOf(vector, values);
    const int64_t times = timesOf(op, values);
    if (counts.rows <= 0 || counts.cols <= 0 || times == 0) {
      return;
    }
    const isa::VectorMeaning &meaning = isa::meaning(vector.op);
    BankCommand command;
    command.rows = static_cast<uint64_t>(counts.rows);
    command.beatsPerRow =
        ceilDiv(static_cast<uint64_t>(counts.cols),
                static_cast<uint64_t>(rateOf(vector, timing_)));
    command.times = static_cast<uint64_t>(times);
    auto operand = [&](const View &view, int64_t bytes, bool write) {
      return place(view, bytes, counts.rows, write, shift, values, command);
    };
    bool ok = true;
    for (const View &view : vector.sources) {
      ok &= operand(view, counts.cols * bytesOf(view.base), false);
    }
    const int64_t size = bytesOf(vector.dst.base);
    const int64_t row = meaning.shape == isa::VectorShape::kRowReduce
                            ? size
                            : counts.cols * size;
    if (meaning.readsDst) {
      ok &= operand(vector.dst, row, false);
    }
    // One row of several sources is held by the unit until its end.
    if (meaning.shape != isa::VectorShape::kColumnReduce) {
      ok &= operand(vector.dst, row, true);
    }
    if (ok) {
      commands_.push_back(std::move(command));
    }
  }

  const isa::TimingPart &timing_;
  const BufferNumbers &buffers_;
  int64_t iterations_ = 2;
  std::vector<BankCommand> commands_;
};

} // namespace

std::vector<BankCommand> vectorTraffic(func::FuncOp kernel,
                                       const isa::TimingPart &timing,
                                       const BufferNumbers &buffers) {
  return Traffic(timing, buffers).of(kernel);
}

} // namespace kiln::npu
