// SPDX-License-Identifier: Apache-2.0
#include "compiler/transforms/npu/cube_traffic.h"

#include "compiler/transforms/npu/index_values.h"
#include "isa/support/units.h"

#include <algorithm>
#include <numeric>

using namespace mlir;

namespace kiln::npu {

namespace {

constexpr int64_t kMostIterations = 8;
constexpr uint64_t kMostCycles = uint64_t{1} << 32;

int64_t bytesOf(Value base) {
  return ceilDiv(cast<MemRefType>(base.getType()).getElementTypeBitWidth(), 8);
}

/// Cycles of an mmad (docs/microarchitecture.md, rule 13).
uint64_t cubeCycles(const isa::TimingPart &timing, int64_t cells, int64_t k,
                    int64_t elementBytes) {
  const uint64_t weight = elementBytes == 4 ? timing.cubeFp32Weight : 1;
  const uint64_t steps =
      ceilDiv(static_cast<uint64_t>(k * elementBytes), isa::kBlockBytes);
  return ceilDiv(static_cast<uint64_t>(cells) * steps * weight *
                     timing.cubeRate.cycles,
                 timing.cubeRate.cells);
}

/// Cycles of FIX (rule 16).
uint64_t fixCycles(const isa::TimingPart &timing, int64_t elements,
                   Value target) {
  const bool toUb = spaceOf(target.getType()) == isa::Space::UB;
  const uint32_t rate8 = toUb ? timing.fixToUbElements8 : timing.fixElements8;
  const uint32_t rate16 =
      toUb ? timing.fixToUbElements16 : timing.fixElements16;
  const uint32_t rate32 =
      toUb ? timing.fixToUbElements32 : timing.fixElements32;
  const int64_t bytes = bytesOf(target);
  const uint32_t rate = bytes == 1 ? rate8 : bytes == 2 ? rate16 : rate32;
  return ceilDiv(static_cast<uint64_t>(elements), std::max(1u, rate));
}

class Traffic {
public:
  Traffic(const isa::TimingPart &timing, const BufferNumbers &buffers)
      : timing_(timing), buffers_(buffers) {
    for (auto [alloc, number] : buffers) {
      period_ = std::lcm(period_,
                         static_cast<int64_t>(cast<AllocOp>(alloc).getDepth()));
    }
    period_ = std::min(period_, kMostIterations);
  }

  std::vector<AccumulatorUse> of(func::FuncOp kernel) {
    for (shift_ = 0; shift_ < period_; ++shift_) {
      IndexValues values(shift_);
      kernel.walk([&](Operation *op) {
        if (auto mmad = dyn_cast<MmadOp>(op)) {
          addCube(mmad, values);
        } else if (auto fix = dyn_cast<FixOp>(op)) {
          addFix(fix, values);
        }
      });
    }
    return std::move(uses_);
  }

private:
  /// A command on `cells` cells from `offset` on, a whole slot where they are
  /// not known.
  void add(Operation *op, Value base, Value offset,
           std::optional<int64_t> cells, uint64_t cycles, IndexValues &values) {
    auto alloc = base.getDefiningOp<AllocOp>();
    const auto number = alloc ? buffers_.find(alloc) : buffers_.end();
    if (number == buffers_.end()) {
      return;
    }
    const int64_t all = localBytes(alloc.getType());
    const int64_t from = values.at(offset).value_or(0);
    const int64_t bytes =
        cells.value_or(all / isa::kL0CCellBytes) * isa::kL0CCellBytes;
    AccumulatorUse use;
    use.piece = {number->second,
                 shift_ % static_cast<int64_t>(alloc.getDepth()), from,
                 from + bytes};
    if (from < 0 || bytes <= 0 || from + bytes > all) {
      use.piece.lo = 0;
      use.piece.hi = all;
    }
    use.isFix = llvm::isa<FixOp>(op);
    use.times = static_cast<uint64_t>(values.timesOf(op));
    const uint64_t turns =
        use.times / std::max<uint64_t>(1, tilesOf(op, alloc, values));
    use.cycles = std::min(kMostCycles, cycles * std::max<uint64_t>(1, turns));
    if (use.times > 0 && bytes > 0) {
      uses_.push_back(use);
    }
  }

  /// How often the loops run that hold the other end of the buffer, too.
  uint64_t tilesOf(Operation *op, AllocOp alloc, IndexValues &values) {
    auto loop = op->getParentOfType<scf::ForOp>();
    auto holdsOther = [&](scf::ForOp candidate) {
      return llvm::any_of(alloc.getBuffer().getUsers(), [&](Operation *user) {
        return llvm::isa<FixOp>(user) != llvm::isa<FixOp>(op) &&
               candidate->isAncestor(user);
      });
    };
    while (loop && !holdsOther(loop)) {
      loop = loop->getParentOfType<scf::ForOp>();
    }
    return loop ? static_cast<uint64_t>(values.timesOf(loop) *
                                        values.trips(loop))
                : 1;
  }

  static std::optional<int64_t> cellsOf(std::optional<int64_t> m,
                                        std::optional<int64_t> n) {
    if (!m || !n) {
      return std::nullopt;
    }
    const auto rows = static_cast<int64_t>(isa::kCellRows);
    return ((*m + rows - 1) / rows) * ((*n + rows - 1) / rows);
  }

  void addCube(MmadOp op, IndexValues &values) {
    const auto cells = cellsOf(values.at(op.getM()), values.at(op.getN()));
    const int64_t all = localBytes(cast<MemRefType>(op.getAcc().getType())) /
                        static_cast<int64_t>(isa::kL0CCellBytes);
    const int64_t depth =
        cast<MemRefType>(op.getA().getType()).getShape().back();
    const int64_t k = values.at(op.getK()).value_or(depth);
    add(op, op.getAcc(), op.getAccOffset(), cells,
        cubeCycles(timing_, cells.value_or(all), k, bytesOf(op.getA())),
        values);
  }

  void addFix(FixOp op, IndexValues &values) {
    const auto rows = static_cast<int64_t>(isa::kCellRows);
    const auto m = values.at(op.getM()), n = values.at(op.getN()),
               m1 = values.at(op.getM1());
    const auto cells =
        m1 ? cellsOf(std::optional(*m1 * rows), n) : cellsOf(m, n);
    const int64_t all = localBytes(cast<MemRefType>(op.getSrc().getType())) / 4;
    const int64_t elements =
        m && n ? *m * ((*n + rows - 1) / rows * rows) : all;
    add(op, op.getSrc(), op.getSrcOffset(), cells,
        fixCycles(timing_, elements, op.getDst()), values);
  }

  const isa::TimingPart &timing_;
  const BufferNumbers &buffers_;
  int64_t period_ = 1, shift_ = 0;
  std::vector<AccumulatorUse> uses_;
};

} // namespace

std::vector<AccumulatorUse> cubeTraffic(func::FuncOp kernel,
                                        const isa::TimingPart &timing,
                                        const BufferNumbers &buffers) {
  return Traffic(timing, buffers).of(kernel);
}

} // namespace kiln::npu
