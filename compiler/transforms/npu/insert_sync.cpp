// SPDX-License-Identifier: Apache-2.0
#include "compiler/transforms/npu/insert_sync.h"

#include "compiler/dialect/npu/NpuOps.h"
#include "compiler/transforms/npu/barrier_all.h"
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

/// What a run of flags is for.
enum class Role {
  kPair,
  /// dst to src before the item of a pair with itself (Sync::handshake).
  kHandshake,
  /// dst to src after the drain of a pair whose scope a loop runs again: the
  /// next priming must find the flags clear.
  kRendezvous,
};

/// A run of flag ids of one pipe pair, used by one Sync.
struct Flags {
  const Sync *sync;
  Role role;
  Pipe src, dst; // those of the sync, or reversed
  int64_t ids;
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

bool needsRendezvous(const Sync &sync) {
  return sync.carried && loopDepth(sync.scope) > 0;
}

/// Ids that the author's own flags use: 0 to n - 1 of a pipe pair.
std::map<PipePair, int64_t> manualIds(func::FuncOp kernel) {
  std::map<PipePair, int64_t> ids;
  kernel.walk([&](Operation *op) {
    auto limit = op->getAttrOfType<IntegerAttr>(kManualIdsAttr);
    if (!limit) {
      return;
    }
    auto pipes = [](auto flag) {
      return PipePair{static_cast<Pipe>(flag.getSrc()),
                      static_cast<Pipe>(flag.getDst())};
    };
    int64_t &most = ids[llvm::isa<SetFlagOp>(op) ? pipes(cast<SetFlagOp>(op))
                                                 : pipes(cast<WaitFlagOp>(op))];
    most = std::max(most, limit.getInt());
  });
  return ids;
}

/// Gives every pair its ids; null, or a pair of the pipes that need too many.
const Sync *colour(func::FuncOp kernel, ArrayRef<Sync> syncs,
                   std::vector<Flags> &flags) {
  std::map<std::pair<PipePair, int64_t>, int64_t> next;
  const std::map<PipePair, int64_t> taken = manualIds(kernel);
  const Sync *excess = nullptr;
  auto take = [&](const Sync &sync, Role role, int64_t ids) {
    const bool forward = role == Role::kPair;
    const Pipe src = forward ? sync.src : sync.dst,
               dst = forward ? sync.dst : sync.src;
    const auto manual = taken.find({src, dst});
    int64_t &base = next.try_emplace({{src, dst}, segmentOf(kernel, sync.to)},
                                     manual == taken.end() ? 0 : manual->second)
                        .first->second;
    flags.push_back({&sync, role, src, dst, ids, base});
    base += ids;
    if (base > isa::kNumFlagIds && !excess) {
      excess = &sync;
    }
  };
  for (const Sync &sync : syncs) {
    take(sync, Role::kPair, sync.ids);
    if (sync.handshake()) {
      take(sync, Role::kHandshake, sync.ids);
    }
    if (needsRendezvous(sync)) {
      take(sync, Role::kRendezvous, 1);
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
        (sync.src == excess->dst && sync.dst == excess->src);
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
    switch (flags.role) {
    case Role::kPair:
      builder_.setInsertionPointAfter(sync.from);
      set(id(sync.slot));
      builder_.setInsertionPoint(sync.to);
      wait(id(sync.slot));
      return sync.carried ? primeAndDrain(sync) : void();
    case Role::kHandshake: // after dst's own wait, which was emitted before
      builder_.setInsertionPoint(sync.to);
      set(id(sync.slot));
      return wait(id(sync.slot));
    case Role::kRendezvous:
      builder_.setInsertionPoint(drainPoint(sync.scope));
      set(constant(flags.base));
      return wait(constant(flags.base));
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
    builder_.setInsertionPoint(sync.scope);
    for (int64_t n = 0; n < sync.ids; ++n) {
      set(constant(flags_->base + n));
    }
    builder_.setInsertionPoint(drainPoint(sync.scope));
    for (int64_t n = 0; n < sync.ids; ++n) {
      wait(constant(flags_->base + n));
    }
  }

  /// As late as possible: dst need not wait before other work. A barrier
  /// begins a new segment, whose flags start clear.
  Operation *drainPoint(Operation *scope) {
    Operation *op = scope->getNextNode();
    while (op != scope->getBlock()->getTerminator() &&
           !llvm::isa<BarrierOp>(op)) {
      op = op->getNextNode();
    }
    return op;
  }

  OpBuilder builder_;
  const Flags *flags_ = nullptr;
  int64_t number_ = 0;
};

/// Removes runs that the others make superfluous, the most executed first.
/// A run may be there for another only (which must not be set twice), so what
/// was needed is tried again when that one is gone. The number of a run is its
/// index.
void prune(func::FuncOp kernel, ArrayRef<Flags> flags) {
  if (flags.size() > kMaxPruned) {
    return;
  }
  SmallVector<int64_t> order;
  for (size_t number = 0; number < flags.size(); ++number) {
    order.push_back(static_cast<int64_t>(number));
  }
  llvm::sort(order, [&](int64_t a, int64_t b) {
    const auto depth = [&](int64_t number) {
      return static_cast<int64_t>(loopDepth(flags[number].sync->to));
    };
    return std::pair(-depth(a), a) < std::pair(-depth(b), b);
  });
  PairSet dropped;
  for (size_t before = flags.size(); before != dropped.size();) {
    before = dropped.size();
    for (int64_t number : order) {
      if (dropped.insert(number).second && !isOrdered(kernel, dropped)) {
        dropped.erase(number);
      }
    }
  }
  kernel.walk([&](Operation *op) {
    auto number = op->getAttrOfType<IntegerAttr>(kSyncAttr);
    if (number && dropped.contains(number.getInt())) {
      op->erase();
    }
  });
}

/// The way out when the flags cannot be proven: right, but without overlap.
void useBarriers(func::FuncOp kernel) {
  kernel.emitRemark("synchronisation by flags could not be proven; barriers "
                    "between all commands instead");
  kernel.walk([](Operation *op) {
    if (llvm::isa<SetFlagOp, WaitFlagOp>(op)) {
      op->erase();
    }
  });
  insertBarriers(kernel);
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
  bool manual = false, unmarked = false;
  kernel.walk([&](Operation *op) {
    manual |= op->hasAttr(kManualAttr);
    unmarked |=
        llvm::isa<SetFlagOp, WaitFlagOp>(op) && !op->hasAttr(kManualAttr);
  });
  if (unmarked) {
    return kernel.emitError("has flags already; automatic and manual "
                            "synchronisation do not mix");
  }
  while (true) {
    const std::vector<Sync> syncs = findSyncs(kernel);
    std::vector<Flags> flags;
    const Sync *excess = colour(kernel, syncs, flags);
    if (!excess) {
      Emitter emitter(kernel.getContext());
      for (auto [number, run] : llvm::enumerate(flags)) {
        emitter.emit(run, static_cast<int64_t>(number));
      }
      if (!isOrdered(kernel, {})) {
        if (!manual) { // else npu-verify-sync shows the author's mistake
          useBarriers(kernel);
        }
        return success();
      }
      prune(kernel, flags);
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
