// SPDX-License-Identifier: Apache-2.0
#include "compiler/transforms/npu/insert_sync.h"

#include "compiler/dialect/npu/NpuOps.h"
#include "compiler/transforms/npu/sync_pairs.h"
#include "compiler/transforms/npu/verify_sync.h"

#include <map>

using namespace mlir;

namespace kiln::npu {

namespace {

using isa::Pipe;
using PipePair = std::pair<Pipe, Pipe>;

/// Kernels with more pairs keep those that only the verifier finds superfluous:
/// each one costs a walk of the kernel.
constexpr size_t kMaxPruned = 64;

/// A run of flag ids of one pipe pair, used by one Sync.
struct Flags {
  const Sync *sync;
  Pipe src, dst; // those of the sync, or reversed for its handshake
  int64_t base = 0;
};

/// The op of the kernel's own block that holds `op`.
Operation *topLevel(func::FuncOp kernel, Operation *op) {
  return kernel.getBody().front().findAncestorOpInBlock(*op);
}

/// Barriers of the kernel's own block before `op`: flags of different
/// segments are never set at the same time.
int64_t segmentOf(func::FuncOp kernel, Operation *op) {
  int64_t segment = 0;
  Operation *end = topLevel(kernel, op);
  for (Operation &other : kernel.getBody().front()) {
    if (&other == end) {
      break;
    }
    segment += llvm::isa<BarrierOp>(other);
  }
  return segment;
}

unsigned loopDepth(Operation *op) {
  unsigned depth = 0;
  while ((op = op->getParentOp())) {
    depth += llvm::isa<scf::ForOp>(op);
  }
  return depth;
}

/// Gives every pair its ids; null, or a pair of the pipes that need too many.
const Sync *colour(func::FuncOp kernel, ArrayRef<Sync> syncs,
                   std::vector<Flags> &flags) {
  std::map<std::pair<PipePair, int64_t>, int64_t> next;
  const Sync *excess = nullptr;
  auto take = [&](const Sync &sync, Pipe src, Pipe dst) {
    int64_t &base = next[{{src, dst}, segmentOf(kernel, sync.to)}];
    flags.push_back({&sync, src, dst, base});
    base += sync.ids;
    if (base > isa::kNumFlagIds && !excess) {
      excess = &sync;
    }
  };
  for (const Sync &sync : syncs) {
    take(sync, sync.src, sync.dst);
    if (sync.handshake()) {
      take(sync, sync.dst, sync.src);
    }
  }
  return excess;
}

/// The least nested pair of the pipes of `excess` in its segment.
const Sync *cheapest(func::FuncOp kernel, ArrayRef<Sync> syncs,
                     const Sync *excess) {
  const Sync *best = excess;
  for (const Sync &sync : syncs) {
    const bool samePipes =
        (sync.src == excess->src && sync.dst == excess->dst) ||
        (sync.handshake() && sync.src == excess->dst &&
         sync.dst == excess->src);
    if (samePipes &&
        segmentOf(kernel, sync.to) == segmentOf(kernel, excess->to) &&
        loopDepth(sync.to) < loopDepth(best->to)) {
      best = &sync;
    }
  }
  return best;
}

/// Emits the flag ops of one run of ids.
class Emitter {
public:
  explicit Emitter(MLIRContext *context) : builder_(context) {}

  void emit(const Flags &flags, int64_t number) {
    flags_ = &flags;
    number_ = number;
    const Sync &sync = *flags.sync;
    if (flags.src != sync.src) {
      // The handshake: after dst's own wait, so it is emitted later.
      builder_.setInsertionPoint(sync.to);
      set(id(sync.slot));
      wait(id(sync.slot));
      return;
    }
    builder_.setInsertionPointAfter(sync.from);
    set(id(sync.slot));
    builder_.setInsertionPoint(sync.to);
    wait(id(sync.slot));
    if (sync.carried) {
      primeAndDrain(sync);
    }
  }

private:
  Value constant(int64_t value) {
    return arith::ConstantIndexOp::create(builder_, loc(), value);
  }
  Value id(Value slot) {
    Value base = constant(flags_->base);
    if (flags_->sync->ids == 1) {
      return base;
    }
    return flags_->base == 0
               ? slot
               : arith::AddIOp::create(builder_, loc(), slot, base);
  }
  Location loc() const { return flags_->sync->to->getLoc(); }
  PipeKind kind(Pipe pipe) const { return static_cast<PipeKind>(pipe); }

  void set(Value id) {
    tag(SetFlagOp::create(builder_, loc(), kind(flags_->src), kind(flags_->dst),
                          id));
  }
  void wait(Value id) {
    tag(WaitFlagOp::create(builder_, loc(), kind(flags_->src),
                           kind(flags_->dst), id));
  }
  void tag(Operation *op) {
    op->setAttr(kSyncAttr, builder_.getI64IntegerAttr(number_));
  }

  void primeAndDrain(const Sync &sync) {
    Block *block = sync.scope->getBlock();
    builder_.setInsertionPoint(sync.scope);
    for (int64_t n = 0; n < sync.ids; ++n) {
      set(constant(flags_->base + n));
    }
    builder_.setInsertionPoint(drainPoint(block, sync.scope));
    for (int64_t n = 0; n < sync.ids; ++n) {
      wait(constant(flags_->base + n));
    }
  }

  /// As late as possible: dst need not wait before other work. A barrier
  /// begins a new segment, whose flags start clear.
  Operation *drainPoint(Block *block, Operation *scope) {
    Operation *op = scope->getNextNode();
    while (op != block->getTerminator() && !llvm::isa<BarrierOp>(op)) {
      op = op->getNextNode();
    }
    return op;
  }

  OpBuilder builder_;
  const Flags *flags_ = nullptr;
  int64_t number_ = 0;
};

/// Removes pairs that the others make superfluous, the most executed first.
void prune(func::FuncOp kernel, ArrayRef<Sync> syncs) {
  if (syncs.size() > kMaxPruned) {
    return;
  }
  SmallVector<int64_t> order;
  for (size_t number = 0; number < syncs.size(); ++number) {
    order.push_back(static_cast<int64_t>(number));
  }
  llvm::sort(order, [&](int64_t a, int64_t b) {
    return std::pair(-static_cast<int64_t>(loopDepth(syncs[a].to)), a) <
           std::pair(-static_cast<int64_t>(loopDepth(syncs[b].to)), b);
  });
  PairSet dropped;
  for (int64_t number : order) {
    dropped.insert(number);
    if (!isOrdered(kernel, dropped)) {
      dropped.erase(number);
    }
  }
  kernel.walk([&](Operation *op) {
    auto number = op->getAttrOfType<IntegerAttr>(kSyncAttr);
    if (number && dropped.contains(number.getInt())) {
      op->erase();
    }
  });
}

class InsertSyncPass
    : public PassWrapper<InsertSyncPass, OperationPass<func::FuncOp>> {
public:
  MLIR_DEFINE_EXPLICIT_INTERNAL_INLINE_TYPE_ID(InsertSyncPass)
  StringRef getArgument() const override { return "npu-insert-sync"; }
  StringRef getDescription() const override {
    return "flags between dependent commands of different pipes";
  }
  void getDependentDialects(DialectRegistry &registry) const override {
    registry.insert<arith::ArithDialect>();
  }
  void runOnOperation() override {
    if (getOperation()->hasAttr(kKernelAttr) &&
        failed(insertSync(getOperation()))) {
      signalPassFailure();
    }
  }
};

} // namespace

LogicalResult insertSync(func::FuncOp kernel) {
  const bool manual = kernel
                          .walk([](Operation *op) {
                            return llvm::isa<SetFlagOp, WaitFlagOp>(op)
                                       ? WalkResult::interrupt()
                                       : WalkResult::advance();
                          })
                          .wasInterrupted();
  if (manual) {
    return kernel.emitError("has flags already; automatic and manual "
                            "synchronisation do not mix");
  }
  while (true) {
    const std::vector<Sync> syncs = findSyncs(kernel);
    std::vector<Flags> flags;
    const Sync *excess = colour(kernel, syncs, flags);
    if (!excess) {
      Emitter emitter(kernel.getContext());
      int64_t number = 0;
      for (const Flags &run : flags) {
        number += run.src == run.sync->src;
        emitter.emit(run, number - 1);
      }
      prune(kernel, syncs);
      return success();
    }
    const Sync *victim = cheapest(kernel, syncs, excess);
    OpBuilder builder(victim->to);
    BarrierOp::create(builder, victim->to->getLoc());
    victim->to->emitRemark()
        << "more than " << isa::kNumFlagIds << " flags needed from "
        << isa::name(victim->src).data() << " to "
        << isa::name(victim->dst).data() << "; a barrier replaces some";
  }
}

std::unique_ptr<Pass> createInsertSyncPass() {
  return std::make_unique<InsertSyncPass>();
}

} // namespace kiln::npu
