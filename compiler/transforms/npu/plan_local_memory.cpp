// SPDX-License-Identifier: Apache-2.0
#include "compiler/transforms/npu/plan_local_memory.h"

#include "compiler/dialect/npu/NpuOps.h"
#include "compiler/transforms/npu/cube_traffic.h"
#include "compiler/transforms/npu/place_accumulators.h"
#include "compiler/transforms/npu/vector_traffic.h"
#include "isa/support/units.h"

#include "llvm/ADT/MapVector.h"
#include "llvm/ADT/StringExtras.h"

using namespace mlir;

namespace kiln::npu {

scf::ForOp outermostLoopOf(Block *block) {
  scf::ForOp outermost;
  while (auto loop = dyn_cast_or_null<scf::ForOp>(block->getParentOp())) {
    outermost = loop;
    block = loop->getBlock();
  }
  return outermost;
}

namespace {

/// Program points of every op: [enter, leave], nested ops lie inside.
using Points = DenseMap<Operation *, std::pair<int64_t, int64_t>>;

Points numberOps(func::FuncOp kernel) {
  Points points;
  int64_t next = 0;
  kernel.walk([&](Operation *op, const WalkStage &stage) {
    if (stage.isBeforeAllRegions()) {
      points[op].first = next++;
    }
    if (stage.isAfterAllRegions()) {
      points[op].second = next++;
    }
  });
  return points;
}

struct Buffer {
  AllocOp alloc;
  isa::Space space{};
  BufferPlace place;
};

int64_t alignmentOf(isa::Space space) {
  switch (space) {
  case isa::Space::L0A:
  case isa::Space::L0B:
    return isa::kFractalBytes;
  case isa::Space::L0C:
    return isa::kL0CCellBytes;
  default:
    return isa::kBlockBytes;
  }
}

Buffer describe(AllocOp alloc, const Points &points) {
  Buffer buffer;
  buffer.alloc = alloc;
  buffer.space = *spaceOf(alloc.getType());
  BufferPlace &place = buffer.place;
  place.align = alignmentOf(buffer.space);
  place.slots = static_cast<int64_t>(alloc.getDepth());
  place.slotBytes = localBytes(alloc.getType());
  place.bytes = place.slotBytes * place.slots;
  place.setPitch(place.slotBytes);
  place.start = place.end = points.at(alloc).first;
  bool first = true;
  for (Operation *user : alloc.getBuffer().getUsers()) {
    Operation *item = alloc->getBlock()->findAncestorOpInBlock(*user);
    const auto [enter, leave] = points.at(item);
    place.start = first ? enter : std::min(place.start, enter);
    place.end = std::max(place.end, leave);
    first = false;
  }
  if (alloc.getDepth() > 1) {
    if (scf::ForOp loop = outermostLoopOf(alloc->getBlock())) {
      std::tie(place.start, place.end) = points.at(loop);
    }
  }
  return buffer;
}

/// One diagnostic with a note per buffer of the space.
LogicalResult reportOverflow(func::FuncOp kernel, isa::Space space,
                             int64_t needed, int64_t capacity,
                             SmallVector<Buffer> buffers) {
  InFlightDiagnostic diagnostic =
      kernel.emitError() << "buffers of " << isa::name(space).data()
                         << " do not fit: " << needed << " bytes needed, "
                         << capacity
                         << " available; use smaller tiles or a smaller depth "
                            "for the largest of:";
  llvm::sort(buffers, [](const Buffer &a, const Buffer &b) {
    return std::pair(-a.place.bytes, a.place.start) <
           std::pair(-b.place.bytes, b.place.start);
  });
  for (const Buffer &buffer : buffers) {
    AllocOp alloc = buffer.alloc;
    const BufferPlace &place = buffer.place;
    diagnostic.attachNote(alloc.getLoc())
        << "'" << alloc.getName() << "': " << place.bytes << " bytes = depth "
        << alloc.getDepth() << " x " << place.bytes / alloc.getDepth() << " ("
        << alloc.getType() << "), live from point " << place.start << " to "
        << place.end;
  }
  return failure();
}

/// Places that fit, with fewer waits for banks and for commands in flight: of
/// V in UB, of FIX in L0C.
void improve(func::FuncOp kernel, const Capacities &capacities,
             isa::Space space, ArrayRef<Buffer> buffers,
             std::vector<BufferPlace> &places) {
  BufferNumbers numbers;
  for (auto [number, buffer] : llvm::enumerate(buffers)) {
    numbers[buffer.alloc] = static_cast<unsigned>(number);
  }
  const auto capacity =
      static_cast<int64_t>(capacities[static_cast<unsigned>(space)]);
  const isa::BankTiming &banks = capacities.timing.banks;
  if (space == isa::Space::UB && capacities.vectorWindow != 0) {
    VectorCost cost(isa::UbBanks(banks, static_cast<uint64_t>(capacity)),
                    capacities.vectorWindow,
                    vectorTraffic(kernel, capacities.timing, numbers));
    placeForLess(places, capacity, cost);
  }
  if (space == isa::Space::L0C && banks.l0cBanks != 0) {
    AccumulatorCost cost(
        capacity / banks.l0cBanks,
        meetingsOf(cubeTraffic(kernel, capacities.timing, numbers)));
    placeForLess(places, capacity, cost);
  }
}

LogicalResult placeSpace(func::FuncOp kernel, isa::Space space,
                         ArrayRef<Buffer> all, const Capacities &capacities) {
  SmallVector<Buffer> buffers;
  std::vector<BufferPlace> places;
  for (const Buffer &buffer : all) {
    if (buffer.space == space) {
      buffers.push_back(buffer);
      places.push_back(buffer.place);
    }
  }
  const auto capacity =
      static_cast<int64_t>(capacities[static_cast<unsigned>(space)]);
  const int64_t needed = placeFirstFit(places);
  if (needed > capacity) {
    return reportOverflow(kernel, space, needed, capacity, buffers);
  }
  improve(kernel, capacities, space, buffers, places);
  OpBuilder builder(kernel.getContext());
  for (auto [buffer, place] : llvm::zip_equal(buffers, places)) {
    buffer.alloc.setAddressAttr(builder.getI64IntegerAttr(place.address));
    if (place.slots > 1 && place.pitch != place.slotBytes) {
      buffer.alloc.setPitchAttr(builder.getI64IntegerAttr(place.pitch));
    }
  }
  return success();
}

//===----------------------------------------------------------------------===//
// Slot counters
//===----------------------------------------------------------------------===//

/// The slot after `slot`: (slot + 1) mod depth without a division.
Value nextSlot(OpBuilder &builder, Location loc, Value slot, int64_t depth) {
  Value one = arith::ConstantIndexOp::create(builder, loc, 1);
  if (depth == 2) {
    return arith::XOrIOp::create(builder, loc, slot, one);
  }
  Value last = arith::ConstantIndexOp::create(builder, loc, depth - 1);
  Value zero = arith::ConstantIndexOp::create(builder, loc, 0);
  Value wraps =
      arith::CmpIOp::create(builder, loc, arith::CmpIPredicate::eq, slot, last);
  Value sum = arith::AddIOp::create(builder, loc, slot, one);
  return arith::SelectOp::create(builder, loc, wraps, zero, sum);
}

/// Adds one iter_arg with the given initial value; the loop yields the
/// iter_arg unchanged. Returns the new loop.
scf::ForOp addIterArg(scf::ForOp loop, Value init) {
  IRRewriter rewriter(loop.getContext());
  rewriter.setInsertionPoint(loop);
  auto yieldUnchanged = [](OpBuilder &, Location,
                           ArrayRef<BlockArgument> added) {
    return SmallVector<Value>(added.begin(), added.end());
  };
  auto widened = cast<LoopLikeOpInterface>(loop.getOperation())
                     .replaceWithAdditionalYields(
                         rewriter, init, /*replaceInitOperandUsesInLoop=*/false,
                         yieldUnchanged);
  return cast<scf::ForOp>((*widened).getOperation());
}

/// Carries a counter through the loops around `block` and returns its value
/// in the block; the block must be a loop body.
Value makeCounter(Block *block, int64_t depth) {
  SmallVector<scf::ForOp> loops; // innermost first
  while (auto loop = dyn_cast<scf::ForOp>(block->getParentOp())) {
    loops.push_back(loop);
    block = loop->getBlock();
  }
  OpBuilder builder(loops.back());
  Value init =
      arith::ConstantIndexOp::create(builder, loops.back().getLoc(), 0);
  scf::ForOp outer;
  for (scf::ForOp loop : llvm::reverse(loops)) {
    scf::ForOp widened = addIterArg(loop, init);
    if (outer) {
      outer.getBody()->getTerminator()->setOperand(
          outer.getNumRegionIterArgs() - 1, widened.getResults().back());
    }
    outer = widened;
    init = widened.getRegionIterArgs().back();
  }
  Operation *yield = outer.getBody()->getTerminator();
  builder.setInsertionPoint(yield);
  yield->setOperand(outer.getNumRegionIterArgs() - 1,
                    nextSlot(builder, outer.getLoc(), init, depth));
  return init;
}

/// Buffers of one block and depth take turns together and share a counter.
void addSlots(func::FuncOp kernel) {
  SmallVector<AllocOp> allocs;
  kernel.walk([&](AllocOp alloc) {
    if (alloc.getDepth() > 1 && !alloc.getSlot()) {
      allocs.push_back(alloc);
    }
  });
  while (!allocs.empty()) {
    AllocOp first = allocs.front();
    Block *block = first->getBlock();
    const int64_t depth = first.getDepth();
    Value slot = makeCounter(block, depth);
    // The body moved into a new loop; the ops are the same.
    block = first->getBlock();
    llvm::erase_if(allocs, [&](AllocOp alloc) {
      if (alloc->getBlock() != block ||
          static_cast<int64_t>(alloc.getDepth()) != depth) {
        return false;
      }
      alloc.getSlotMutable().assign(slot);
      return true;
    });
  }
}

class PlanLocalMemoryPass
    : public PassWrapper<PlanLocalMemoryPass, OperationPass<func::FuncOp>> {
public:
  MLIR_DEFINE_EXPLICIT_INTERNAL_INLINE_TYPE_ID(PlanLocalMemoryPass)
  PlanLocalMemoryPass() = default;
  explicit PlanLocalMemoryPass(const Capacities &capacities)
      : capacities_(capacities) {}
  PlanLocalMemoryPass(const PlanLocalMemoryPass &other)
      : PassWrapper(other), capacities_(other.capacities_) {}

  StringRef getArgument() const override { return "npu-plan-local-memory"; }
  StringRef getDescription() const override {
    return "addresses and slot counters for the buffers of a kernel";
  }
  void getDependentDialects(DialectRegistry &registry) const override {
    registry.insert<arith::ArithDialect, scf::SCFDialect>();
  }
  LogicalResult initialize(MLIRContext *context) override {
    if (machine.empty()) {
      return success();
    }
    Result<isa::ArchSpec> arch = isa::loadArchSpec(machine.getValue());
    if (!arch) {
      return emitError(UnknownLoc::get(context)) << arch.status().message();
    }
    capacities_ = capacitiesOf(*arch);
    return success();
  }
  void runOnOperation() override {
    if (getOperation()->hasAttr(kKernelAttr) &&
        failed(planLocalMemory(getOperation(), capacities_))) {
      signalPassFailure();
    }
  }

  Option<std::string> machine{
      *this, "machine",
      llvm::cl::desc("machine whose capacities count (name or file)")};

private:
  Capacities capacities_{};
};

} // namespace

/// The passes of this level follow commands through scf.for and scf.if only.
static LogicalResult checkControlFlow(func::FuncOp kernel) {
  const bool wrong =
      kernel
          .walk([&](Operation *op) {
            if (op == kernel || op->getNumRegions() == 0 ||
                llvm::isa<scf::ForOp, scf::IfOp>(op)) {
              return WalkResult::advance();
            }
            op->emitOpError("in a kernel; expected scf.for and scf.if as the "
                            "only control flow");
            return WalkResult::interrupt();
          })
          .wasInterrupted();
  if (wrong) {
    return failure();
  }
  return llvm::hasSingleElement(kernel.getBody())
             ? success()
             : kernel.emitError("has branches between blocks; expected "
                                "scf.for and scf.if as the only control flow");
}

LogicalResult planLocalMemory(func::FuncOp kernel,
                              const Capacities &capacities) {
  if (failed(checkControlFlow(kernel))) {
    return failure();
  }
  OpBuilder builder(kernel.getContext());
  kernel.walk([&](AllocOp alloc) {
    if (alloc.getDepth() > 1 && !outermostLoopOf(alloc->getBlock())) {
      alloc.setDepthAttr(builder.getI64IntegerAttr(1));
    }
  });
  const Points points = numberOps(kernel);
  std::vector<Buffer> buffers;
  kernel.walk(
      [&](AllocOp alloc) { buffers.push_back(describe(alloc, points)); });
  bool ok = true;
  for (unsigned space = 1; space < isa::kNumSpaces; ++space) {
    ok &= succeeded(placeSpace(kernel, static_cast<isa::Space>(space), buffers,
                               capacities));
  }
  if (!ok) {
    return failure();
  }
  addSlots(kernel);
  return success();
}

LogicalResult planLocalMemoryBySize(func::FuncOp kernel,
                                    const Capacities &capacities) {
  return planLocalMemory(kernel, Capacities{.bytes = capacities.bytes});
}

std::array<uint64_t, isa::kNumSpaces> usedBytes(func::FuncOp kernel) {
  std::array<uint64_t, isa::kNumSpaces> used{};
  kernel.walk([&](AllocOp alloc) {
    const auto space = *spaceOf(alloc.getType());
    const uint64_t end =
        alloc.getAddress().value_or(0) + static_cast<uint64_t>(alloc.extent());
    uint64_t &most = used[static_cast<unsigned>(space)];
    most = std::max(most, end);
  });
  return used;
}

Capacities capacitiesOf(const isa::ArchSpec &arch) {
  Capacities capacities;
  capacities.timing = arch.timing;
  capacities.vectorWindow =
      arch.arch.inFlight[static_cast<unsigned>(isa::Pipe::V)];
  std::copy(std::begin(arch.arch.capacityBytes),
            std::end(arch.arch.capacityBytes), capacities.bytes.begin());
  return capacities;
}

std::unique_ptr<Pass> createPlanLocalMemoryPass() {
  return std::make_unique<PlanLocalMemoryPass>();
}

std::unique_ptr<Pass> createPlanLocalMemoryPass(const Capacities &capacities) {
  return std::make_unique<PlanLocalMemoryPass>(capacities);
}

} // namespace kiln::npu
