// SPDX-License-Identifier: Apache-2.0
#include "compiler/transforms/npu/sync_pairs.h"

#include "compiler/transforms/npu/plan_local_memory.h"

#include <array>
#include <map>
#include <tuple>

using namespace mlir;

namespace kiln::npu {

namespace {

using isa::Pipe;
constexpr unsigned kPipes = isa::kNumPipes;

/// One memory operand of one command.
struct Touch {
  Operation *op;
  Pipe pipe;
  isa::Space space;
  Value base;
  AllocOp alloc; // null for GM
  int64_t lo = 0, hi = 0;
  bool read, write;
};

struct Item {
  Operation *op;
  SmallVector<Touch> touches;
  bool barrier = false;
};

Touch describe(PipeOpInterface op, const OperandAccess &access) {
  Value base = access.base->get();
  Touch touch{op,
              op.getPipe(),
              *spaceOf(base.getType()),
              base,
              base.getDefiningOp<AllocOp>(),
              0,
              0,
              access.read,
              access.write};
  if (AllocOp alloc = touch.alloc) {
    touch.lo = alloc.getAddress().value_or(0);
    touch.hi = touch.lo + alloc.extent();
  }
  return touch;
}

SmallVector<Item> itemsOf(Block &block) {
  SmallVector<Item> items;
  for (Operation &op : block) {
    Item item{&op, {}, llvm::isa<BarrierOp>(op)};
    op.walk([&](PipeOpInterface command) {
      SmallVector<OperandAccess> accesses;
      command.getAccesses(accesses);
      for (const OperandAccess &access : accesses) {
        item.touches.push_back(describe(command, access));
      }
    });
    if (item.barrier || !item.touches.empty()) {
      items.push_back(std::move(item));
    }
  }
  return items;
}

bool conflict(const Touch &a, const Touch &b) {
  if (a.space != b.space || a.pipe == b.pipe || !(a.write || b.write)) {
    return false;
  }
  if (a.op->hasAttr(kManualAttr) && b.op->hasAttr(kManualAttr)) {
    return false; // their author orders them
  }
  return a.alloc ? a.lo < b.hi && b.lo < a.hi : a.base == b.base;
}

/// The innermost loop body that holds `block` (itself or through ifs), null
/// outside of loops.
Block *loopBodyOf(Block *block) {
  while (block && !llvm::isa<scf::ForOp>(block->getParentOp())) {
    block = block->getParentOp()->getBlock();
  }
  return block;
}

/// The innermost loop body that holds both ops.
Block *commonLoopBody(Operation *a, Operation *b) {
  Block *block = loopBodyOf(a->getBlock());
  while (block && !block->findAncestorOpInBlock(*b)) {
    block = loopBodyOf(block->getParentOp()->getBlock());
  }
  return block;
}

/// Flag ids, and the counter that chooses, for a conflict seen from `block`.
std::pair<int64_t, Value> slotsOf(const Touch &a, const Touch &b,
                                  Block *block) {
  AllocOp alloc = a.alloc;
  if (!alloc || alloc != b.alloc || !alloc.getSlot() ||
      alloc->getBlock() != loopBodyOf(block)) {
    return {1, Value()};
  }
  return {alloc.getDepth(), alloc.getSlot()};
}

/// The outermost loop through whose iterations a conflict carried by the loop
/// of `body` stays the same conflict.
scf::ForOp scopeOf(const Touch &a, const Touch &b, Block *body) {
  auto loop = cast<scf::ForOp>(body->getParentOp());
  AllocOp x = a.alloc, y = b.alloc;
  if (!x || (x.getDepth() == 1 && y.getDepth() == 1)) {
    return outermostLoopOf(body);
  }
  if (x != y) {
    return loop;
  }
  if (x->getBlock() == body) {
    return outermostLoopOf(body);
  }
  // A slot of an outer loop: fixed until that loop goes on.
  while (loop->getBlock() != x->getBlock() &&
         llvm::isa<scf::ForOp>(loop->getParentOp())) {
    loop = cast<scf::ForOp>(loop->getParentOp());
  }
  return loop;
}

/// A pair while it is being found: items by index.
struct Pair {
  unsigned i, j;
  Sync sync;
  bool needed = false;
};

/// The pairs of one block.
class BlockPairs {
public:
  explicit BlockPairs(Block &block)
      : block_(block), items_(itemsOf(block)),
        loop_(dyn_cast<scf::ForOp>(block.getParentOp())) {}

  void find(std::vector<Sync> &out) {
    collect();
    markNeeded();
    for (const auto &[key, pair] : pairs_) {
      if (pair.needed) {
        out.push_back(pair.sync);
      }
    }
  }

private:
  using Key = std::tuple<unsigned, unsigned, Pipe, Pipe, bool>;

  void collect() {
    for (unsigned i = 0; i < items_.size(); ++i) {
      for (unsigned j = 0; j < items_.size(); ++j) {
        const bool forward = i < j;
        if ((!forward && !loop_) || separated(i, j)) {
          continue;
        }
        for (const Touch &a : items_[i].touches) {
          for (const Touch &b : items_[j].touches) {
            if (conflict(a, b) && (forward || isCarried(i, j, a, b))) {
              add(i, j, a, b, !forward);
            }
          }
        }
      }
    }
  }

  /// A barrier of this block lies on every way from item i to item j.
  bool separated(unsigned i, unsigned j) const {
    auto barrierIn = [&](unsigned from, unsigned to) {
      return std::any_of(items_.begin() + from, items_.begin() + to,
                         [](const Item &item) { return item.barrier; });
    };
    return i < j ? barrierIn(i, j)
                 : barrierIn(i, items_.size()) || barrierIn(0, j);
  }

  /// False for conflicts between iterations that others imply.
  bool isCarried(unsigned i, unsigned j, const Touch &a, const Touch &b) {
    // A buffer that is allocated in the body has new contents in each
    // iteration: who reads it waits for a write of its own iteration.
    const bool onlyReads = !b.write;
    if (onlyReads && a.alloc && a.alloc == b.alloc &&
        loop_->isAncestor(a.alloc)) {
      return false;
    }
    if (i != j) {
      return true;
    }
    Block *inner = commonLoopBody(a.op, b.op);
    if (inner == &block_) {
      return true;
    }
    return !scopeOf(a, b, inner)->isAncestor(loop_);
  }

  void add(unsigned i, unsigned j, const Touch &a, const Touch &b,
           bool carried) {
    auto [ids, slot] = slotsOf(a, b, &block_);
    Sync sync{items_[i].op, items_[j].op,
              a.pipe,       b.pipe,
              ids,          slot,
              carried,      carried ? scopeOf(a, b, &block_) : scf::ForOp()};
    auto [it, isNew] = pairs_.try_emplace(Key{i, j, a.pipe, b.pipe, carried},
                                          Pair{i, j, sync});
    if (isNew) {
      return;
    }
    Sync &known = it->second.sync;
    if (ids < known.ids) {
      known.ids = ids;
      known.slot = slot;
    }
    // With one id the wider scope is right for both; with several, both
    // conflicts are on buffers of one body and have the same scope.
    if (carried && sync.scope->isProperAncestor(known.scope)) {
      known.scope = sync.scope;
    }
  }

  //===--------------------------------------------------------------------===//
  // Dropping implied pairs
  //===--------------------------------------------------------------------===//

  /// For every pipe the position up to which its items are known to be done;
  /// a position is iteration * items + index, -1 before the first.
  using Clock = std::array<int64_t, kPipes>;

  void markNeeded() {
    int64_t iterations = 1;
    byTarget_.resize(items_.size());
    for (auto &[key, pair] : pairs_) {
      byTarget_[pair.j].push_back(&pair);
      if (loop_) {
        iterations = std::max(iterations, pair.sync.ids + 2);
      }
    }
    const auto count = static_cast<int64_t>(items_.size());
    std::array<Clock, kPipes> clocks;
    for (Clock &clock : clocks) {
      clock.fill(-1);
    }
    // after[position][pipe]: what the pipe knows when the item is done.
    std::vector<std::array<Clock, kPipes>> after(iterations * count);
    for (int64_t position = 0; position < iterations * count; ++position) {
      const auto item = static_cast<unsigned>(position % count);
      waitFor(item, position, clocks, after);
      if (items_[item].barrier) {
        // S issues what follows only when everything before it is done.
        for (Clock &clock : clocks) {
          clock.fill(position);
        }
      }
      for (const Touch &touch : items_[item].touches) {
        const auto pipe = static_cast<unsigned>(touch.pipe);
        clocks[pipe][pipe] = position;
      }
      after[position] = clocks;
    }
  }

  /// The waits before one item; a wait that teaches its pipe something is
  /// needed. Latest sources first: they teach most.
  void waitFor(unsigned item, int64_t position,
               std::array<Clock, kPipes> &clocks,
               const std::vector<std::array<Clock, kPipes>> &after) {
    const auto count = static_cast<int64_t>(items_.size());
    SmallVector<std::pair<int64_t, Pair *>> waits;
    for (Pair *pair : byTarget_[item]) {
      const int64_t distance = pair->sync.carried ? pair->sync.ids : 0;
      const int64_t source = position - item + pair->i - distance * count;
      if (source >= 0) {
        waits.push_back({source, pair});
      }
    }
    llvm::sort(waits, [](const auto &a, const auto &b) {
      return std::tuple(-a.first, a.second->sync.src, a.second->sync.dst) <
             std::tuple(-b.first, b.second->sync.src, b.second->sync.dst);
    });
    for (auto &[source, pair] : waits) {
      const auto src = static_cast<unsigned>(pair->sync.src);
      Clock &known = clocks[static_cast<unsigned>(pair->sync.dst)];
      if (known[src] >= source) {
        continue;
      }
      pair->needed = true;
      Clock learnt = after[source][src];
      learnt[src] = source;
      for (unsigned pipe = 0; pipe < kPipes; ++pipe) {
        known[pipe] = std::max(known[pipe], learnt[pipe]);
      }
    }
  }

  Block &block_;
  SmallVector<Item> items_;
  scf::ForOp loop_;
  std::map<Key, Pair> pairs_;
  std::vector<SmallVector<Pair *>> byTarget_; // pairs by their item j
};

} // namespace

std::vector<Sync> findSyncs(func::FuncOp kernel) {
  std::vector<Sync> syncs;
  kernel->walk([&](Block *block) { BlockPairs(*block).find(syncs); });
  return syncs;
}

} // namespace kiln::npu
