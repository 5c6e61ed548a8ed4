// SPDX-License-Identifier: Apache-2.0
#include "compiler/transforms/npu/vector_traffic.h"

#include "compiler/conversion/npu_isa/vector_to_isa.h"
#include "compiler/transforms/npu/index_values.h"
#include "isa/arch/vector_rate.h"
#include "isa/gen/operands.h"
#include "isa/gen/vector_meanings.h"
#include "isa/support/units.h"

#include "llvm/ADT/TypeSwitch.h"

#include <algorithm>

using namespace mlir;

namespace kiln::npu {

namespace {

using isa::Opcode;

constexpr int64_t kMostIterations = 8;
constexpr auto kBlock = static_cast<int64_t>(isa::kBlockBytes);

//===----------------------------------------------------------------------===//
// Commands
//===----------------------------------------------------------------------===//

struct View {
  Value base, offset;
  ArrayRef<int64_t> strides;
};

/// A V command; of the rules for banks only those with `meets` are subject.
struct VectorOp {
  Opcode op{};
  View dst;
  SmallVector<View, 2> sources; // in the order of the instruction
  Value rows, cols;
  bool meets = true;
};

template <typename Op>
VectorOp ofOneSource(Op op, Opcode opcode, bool meets = true) {
  return {opcode,
          {op.getDst(), op.getDstOffset(), op.getDstStrides()},
          {{op.getSrc(), op.getSrcOffset(), op.getSrcStrides()}},
          op.getRows(),
          op.getCols(),
          meets};
}

/// Empty for commands whose operands are not rows of elements.
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
      .Case([](VBroadcastOp x) -> Result {
        return ofOneSource(x, Opcode::kVbc, /*meets=*/false);
      })
      .Case([](VDupOp x) -> Result {
        return VectorOp{Opcode::kVdup,
                        {x.getDst(), x.getDstOffset(), x.getDstStrides()},
                        {},
                        x.getRows(),
                        x.getCols(),
                        /*meets=*/false};
      })
      .Default([](Operation *) -> Result { return std::nullopt; });
}

int64_t bytesOf(Value base) {
  return ceilDiv(cast<MemRefType>(base.getType()).getElementTypeBitWidth(), 8);
}

const View &mainView(const VectorOp &op) {
  return op.sources.empty() ? op.dst : op.sources.front();
}

isa::VectorRate rateOf(const VectorOp &op, const isa::TimingPart &timing) {
  auto typeOf = [](Value base) {
    return elementTypeOf(cast<MemRefType>(base.getType()).getElementType())
        .value_or(isa::ElementType::I8);
  };
  isa::Command command{.op = op.op, .pipe = isa::Pipe::V};
  command.f3 = static_cast<uint8_t>(typeOf(mainView(op).base));
  if (op.op == Opcode::kVcast) {
    command.rs3 = isa::CastMode{.type = typeOf(op.dst.base)}.pack();
  }
  return isa::vectorRate(timing, command);
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

  std::vector<VectorUse> of(func::FuncOp kernel) {
    for (int64_t shift = 0; shift < iterations_; ++shift) {
      IndexValues values(shift);
      Block *block = nullptr; // of the command before
      kernel.walk([&](PipeOpInterface op) {
        if (op.getPipe() != isa::Pipe::V) {
          return;
        }
        VectorUse use;
        if (!describeUse(op, shift, values, use)) {
          return;
        }
        use.beginsRun = op->getBlock() != block;
        block = op->getBlock();
        uses_.push_back(std::move(use));
      });
    }
    return std::move(uses_);
  }

private:
  Counts countsOf(const VectorOp &op, IndexValues &values) const {
    const View &view = mainView(op);
    const int64_t size = bytesOf(view.base);
    const int64_t all = localBytes(cast<MemRefType>(view.base.getType()));
    const int64_t pitch = view.strides[0] * kBlock;
    const auto rows = values.at(op.rows), cols = values.at(op.cols);
    Counts counts;
    counts.cols =
        cols.value_or((pitch > 0 ? std::min(pitch, all) : all) / size);
    counts.rows =
        rows.value_or(pitch > 0 ? std::max<int64_t>(1, all / pitch) : 1);
    return counts;
  }

  /// Buffer and offset of the slot, none for a buffer of no number.
  std::optional<std::pair<unsigned, int64_t>> slotOf(Value base,
                                                     int64_t shift) const {
    auto alloc = base.getDefiningOp<AllocOp>();
    const auto number = alloc ? buffers_.find(alloc) : buffers_.end();
    if (number == buffers_.end()) {
      return std::nullopt;
    }
    const int64_t turn = shift % static_cast<int64_t>(alloc.getDepth());
    return std::pair(number->second, turn * alloc.slotPitch());
  }

  /// `bytes` of each of `rows` rows, false when they lie outside the buffer.
  bool addOperand(const View &view, int64_t rows, int64_t bytes, bool write,
                  int64_t shift, IndexValues &values, VectorUse &use) const {
    const auto slot = slotOf(view.base, shift);
    const int64_t offset = values.at(view.offset).value_or(0);
    const int64_t blocks = (bytes + kBlock - 1) / kBlock;
    const int64_t rowStride = view.strides[0] * kBlock,
                  blockStride = blocks > 1 ? view.strides[1] * kBlock : 0;
    const int64_t end = offset + (rows - 1) * rowStride +
                        (blocks - 1) * blockStride +
                        std::min(bytes - (blocks - 1) * kBlock, kBlock);
    if (!slot || offset < 0 || blocks <= 0 ||
        end > localBytes(cast<MemRefType>(view.base.getType()))) {
      return false;
    }
    const auto [buffer, start] = *slot;
    use.touches.push_back({buffer, start + offset, start + end, write});
    auto unsign = [](int64_t x) { return static_cast<uint64_t>(x); };
    use.operands.push_back({buffer,
                            {.base = unsign(start + offset),
                             .rowStride = unsign(rowStride),
                             .blockStride = unsign(blockStride),
                             .blocks = unsign(blocks),
                             .write = write}});
    return true;
  }

  /// The operands of a command of rows; those of a reduction over rows are
  /// held by the unit, one row of them.
  bool addOperands(const VectorOp &op, const Counts &counts, int64_t shift,
                   IndexValues &values, VectorUse &use) const {
    const isa::VectorMeaning &meaning = isa::meaning(op.op);
    const bool spread = meaning.shape == isa::VectorShape::kSpread;
    const bool oneRow = meaning.shape == isa::VectorShape::kColumnReduce;
    bool ok = true;
    for (const View &view : op.sources) {
      const int64_t size = bytesOf(view.base);
      ok &= addOperand(view, counts.rows, spread ? size : counts.cols * size,
                       false, shift, values, use);
    }
    const int64_t size = bytesOf(op.dst.base);
    const bool onePerRow = meaning.shape == isa::VectorShape::kRowReduce;
    const int64_t bytes = onePerRow ? size : counts.cols * size;
    if (meaning.readsDst) {
      ok &= addOperand(op.dst, counts.rows, bytes, false, shift, values, use);
    }
    ok &= addOperand(op.dst, oneRow ? 1 : counts.rows, bytes, true, shift,
                     values, use);
    if (oneRow && ok) {
      use.operands.pop_back();
    }
    return ok;
  }

  /// A command that cannot be told in more detail touches whole buffers.
  void addWhole(PipeOpInterface op, int64_t shift, VectorUse &use) const {
    use.operands.clear();
    use.touches.clear();
    SmallVector<OperandAccess> accesses;
    op.getAccesses(accesses);
    for (const OperandAccess &access : accesses) {
      const Value base = access.base->get();
      if (const auto slot = slotOf(base, shift)) {
        const int64_t end =
            slot->second + localBytes(cast<MemRefType>(base.getType()));
        for (bool write : {false, true}) {
          if (write ? access.write : access.read) {
            use.touches.push_back({slot->first, slot->second, end, write});
          }
        }
      }
    }
  }

  /// False when the command does nothing.
  bool describeUse(PipeOpInterface op, int64_t shift, IndexValues &values,
                   VectorUse &use) const {
    const int64_t times = values.timesOf(op);
    use.times = static_cast<uint64_t>(times);
    const std::optional<VectorOp> vector = describe(op);
    if (!vector) {
      addWhole(op, shift, use);
      return times > 0 && !use.touches.empty();
    }
    const Counts counts = countsOf(*vector, values);
    if (counts.rows <= 0 || counts.cols <= 0 || times == 0) {
      return false;
    }
    const isa::VectorRate rate = rateOf(*vector, timing_);
    const auto rows = static_cast<uint64_t>(counts.rows),
               cols = static_cast<uint64_t>(counts.cols);
    const uint64_t perCycle = std::max<uint32_t>(1, rate.elementsPerCycle);
    use.rows = rows;
    use.beatsPerRow = ceilDiv(cols, perCycle);
    use.latency = rate.latencyCycles;
    use.occupancy = rate.countsRows ? ceilDiv(rows, perCycle)
                                    : rows * (use.beatsPerRow + rate.rowCycles);
    if (!addOperands(*vector, counts, shift, values, use)) {
      addWhole(op, shift, use);
    } else if (!vector->meets) {
      use.operands.clear();
    }
    return !use.touches.empty();
  }

  const isa::TimingPart &timing_;
  const BufferNumbers &buffers_;
  int64_t iterations_ = 2;
  std::vector<VectorUse> uses_;
};

} // namespace

std::vector<VectorUse> vectorTraffic(func::FuncOp kernel,
                                     const isa::TimingPart &timing,
                                     const BufferNumbers &buffers) {
  return Traffic(timing, buffers).of(kernel);
}

} // namespace kiln::npu
