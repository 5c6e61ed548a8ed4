// SPDX-License-Identifier: Apache-2.0
#include "compiler/transforms/plan_arena.h"

#include "isa/support/units.h"
#include "mlir/IR/Builders.h"
#include "llvm/ADT/DenseSet.h"
#include "llvm/ADT/MapVector.h"

#include <algorithm>
#include <tuple>

using namespace mlir;

namespace kiln::plan {
namespace {

constexpr int64_t kArenaAlignment = 64;

/// A piece of memory that one or more values share.
struct Storage {
  PlaceKind kind = PlaceKind::Arena;
  int64_t index = 0;
  int64_t bytes = 0;
  int64_t offset = 0;
  int64_t first = 0, last = 0; // interval of use, in operation numbers
};

/// A value's storage and its byte offset in it.
struct Location {
  unsigned storage = 0;
  int64_t offset = 0;
};

class ArenaPlanner {
public:
  ArenaPlanner(FuncOp func, const ArenaOptions &options)
      : func(func), options(options), builder(func.getContext()) {}

  LogicalResult run();

private:
  unsigned newStorage(PlaceKind kind, int64_t index, int64_t bytes) {
    storages.push_back({kind, index, bytes, 0, INT64_MAX, -1});
    return storages.size() - 1;
  }
  void locateArguments();
  LogicalResult locate(Operation &op);
  void locateConcat(ConcatOp op);
  LogicalResult placeOutputs();
  void measureLifetimes();
  int64_t assignOffsets();
  PlaceAttr place(Location at) {
    const Storage &s = storages[at.storage];
    return PlaceAttr::get(func.getContext(), s.kind, s.index,
                          s.offset + at.offset);
  }
  void annotate(int64_t arenaBytes);

  FuncOp func;
  const ArenaOptions &options;
  Builder builder;
  int64_t constants = 0; // plan.const seen so far: the index of the next
  std::vector<Storage> storages;
  llvm::MapVector<Value, Location> locations;
  llvm::DenseMap<Operation *, unsigned> workspaces; // storage of a dispatch
};

void ArenaPlanner::locateArguments() {
  for (BlockArgument arg : func.getBody().getArguments()) {
    locations[arg] = {newStorage(PlaceKind::Input, arg.getArgNumber(),
                                 tensorBytes(arg.getType())),
                      0};
  }
}

// The operands move into the result's storage, one behind the other.
void ArenaPlanner::locateConcat(ConcatOp op) {
  unsigned storage =
      newStorage(PlaceKind::Arena, 0, tensorBytes(op.getResult().getType()));
  int64_t offset = 0;
  for (Value operand : op.getOperands()) {
    unsigned old = locations[operand].storage;
    // Everything that shares the operand's storage moves with it.
    for (auto &[value, at] : locations) {
      if (at.storage == old) {
        at = {storage, at.offset + offset};
      }
    }
    offset += tensorBytes(operand.getType());
  }
  locations[op.getResult()] = {storage, 0};
}

LogicalResult ArenaPlanner::locate(Operation &op) {
  if (auto slice = dyn_cast<SliceOp>(op)) {
    Location source = locations[slice.getSource()];
    int64_t elements =
        cast<RankedTensorType>(slice.getSource().getType()).getNumElements();
    int64_t elementBytes =
        elements ? tensorBytes(slice.getSource().getType()) / elements : 0;
    locations[slice.getResult()] = {
        source.storage,
        source.offset + static_cast<int64_t>(slice.getOffset()) * elementBytes};
    return success();
  }
  if (auto concat = dyn_cast<ConcatOp>(op)) {
    for (Value operand : concat.getOperands()) {
      if (storages[locations[operand].storage].kind != PlaceKind::Arena) {
        return op.emitError("joins a model input or a constant in place; it "
                            "needs a plan.copy first");
      }
    }
    locateConcat(concat);
    return success();
  }
  PlaceKind kind = isa<ConstOp>(op) ? PlaceKind::Constant : PlaceKind::Arena;
  int64_t index = kind == PlaceKind::Constant ? constants++ : 0;
  for (Value result : op.getResults()) {
    locations[result] = {newStorage(kind, index, tensorBytes(result.getType())),
                         0};
  }
  if (auto dispatch = dyn_cast<DispatchOp>(op)) {
    auto it = options.workspaceBytes.find(dispatch.getCallee().str());
    if (it != options.workspaceBytes.end() && it->second > 0) {
      workspaces[&op] = newStorage(PlaceKind::Arena, 0, it->second);
    }
  }
  return success();
}

LogicalResult ArenaPlanner::placeOutputs() {
  auto ret = cast<ReturnOp>(func.getBody().front().getTerminator());
  for (auto [i, value] : llvm::enumerate(ret.getOperands())) {
    Location at = locations[value];
    Storage &s = storages[at.storage];
    if (s.kind != PlaceKind::Arena || at.offset != 0 ||
        s.bytes != tensorBytes(value.getType())) {
      return ret.emitError("output ")
             << i << " is not a value of its own: materializeOutputs() first";
    }
    s.kind = PlaceKind::Output;
    s.index = i;
  }
  return success();
}

void ArenaPlanner::measureLifetimes() {
  int64_t number = 0;
  auto touch = [&](unsigned storage) {
    Storage &s = storages[storage];
    s.first = std::min(s.first, number);
    s.last = std::max(s.last, number);
  };
  for (Operation &op : func.getBody().front()) {
    for (Value v : op.getOperands()) {
      touch(locations[v].storage);
    }
    for (Value v : op.getResults()) {
      touch(locations[v].storage);
    }
    if (auto it = workspaces.find(&op); it != workspaces.end()) {
      touch(it->second);
    }
    ++number;
  }
}

int64_t ArenaPlanner::assignOffsets() {
  std::vector<Storage *> order;
  for (Storage &s : storages) {
    if (s.kind == PlaceKind::Arena && s.last >= 0) {
      order.push_back(&s);
    }
  }
  // Pointers into one vector break ties in a fixed order.
  std::sort(order.begin(), order.end(), [](Storage *a, Storage *b) {
    return std::tuple(-a->bytes, a->first, a) <
           std::tuple(-b->bytes, b->first, b);
  });
  int64_t arena = 0;
  std::vector<Storage *> placed;
  for (Storage *s : order) {
    // Neighbours alive at the same time, by offset; the first gap that fits.
    std::vector<Storage *> alive;
    for (Storage *other : placed) {
      if (other->first <= s->last && s->first <= other->last) {
        alive.push_back(other);
      }
    }
    std::sort(alive.begin(), alive.end(),
              [](Storage *a, Storage *b) { return a->offset < b->offset; });
    int64_t offset = 0;
    for (Storage *other : alive) {
      if (offset + s->bytes <= other->offset) {
        break;
      }
      offset = std::max<int64_t>(
          offset, alignUp(other->offset + other->bytes, kArenaAlignment));
    }
    s->offset = offset;
    arena = std::max(arena, offset + s->bytes);
    placed.push_back(s);
  }
  return alignUp(arena, kArenaAlignment);
}

void ArenaPlanner::annotate(int64_t arenaBytes) {
  func->setAttr(PlanDialect::kArenaBytesAttr,
                builder.getI64IntegerAttr(arenaBytes));
  for (Operation &op : func.getBody().front()) {
    SmallVector<Attribute> places;
    for (Value v : op.getResults()) {
      places.push_back(place(locations[v]));
    }
    if (!places.empty()) {
      op.setAttr(PlanDialect::kPlacesAttr, builder.getArrayAttr(places));
    }
    if (auto it = workspaces.find(&op); it != workspaces.end()) {
      op.setAttr(kWorkspaceAttr, place({it->second, 0}));
    }
  }
}

LogicalResult ArenaPlanner::run() {
  locateArguments();
  for (Operation &op : func.getBody().front()) {
    if (failed(locate(op))) {
      return failure();
    }
  }
  if (failed(placeOutputs())) {
    return failure();
  }
  measureLifetimes();
  annotate(assignOffsets());
  return success();
}

/// The operation whose memory `value` views, and whether it views all of it.
Value storageRoot(Value value, bool &whole) {
  while (auto slice = value.getDefiningOp<SliceOp>()) {
    whole &= slice.isReshape();
    value = slice.getSource();
  }
  return value;
}

bool feedsConcat(Value root) {
  return llvm::any_of(root.getUsers(), [](Operation *user) {
    if (auto slice = dyn_cast<SliceOp>(user)) {
      return feedsConcat(slice.getResult());
    }
    return isa<ConcatOp>(user);
  });
}

} // namespace

int64_t tensorBytes(Type type) {
  auto tensor = cast<RankedTensorType>(type);
  int64_t bits = tensor.getElementTypeBitWidth();
  return tensor.getNumElements() * static_cast<int64_t>(ceilDiv(bits, 8));
}

void materializeOutputs(FuncOp func) {
  auto ret = cast<ReturnOp>(func.getBody().front().getTerminator());
  OpBuilder builder(ret);
  llvm::DenseSet<Value> taken;
  for (OpOperand &operand : ret->getOpOperands()) {
    bool whole = true;
    Value root = storageRoot(operand.get(), whole);
    Operation *def = root.getDefiningOp();
    bool ownMemory = def && !isa<ConstOp>(def);
    if (ownMemory && whole && !feedsConcat(root) && taken.insert(root).second) {
      continue;
    }
    auto copy = CopyOp::create(builder, ret.getLoc(), operand.get().getType(),
                               operand.get());
    operand.set(copy.getResult());
    taken.insert(copy.getResult());
  }
}

LogicalResult planArena(FuncOp func, const ArenaOptions &options) {
  materializeOutputs(func);
  return ArenaPlanner(func, options).run();
}

PlaceAttr placeOf(Value value) {
  if (auto arg = dyn_cast<BlockArgument>(value)) {
    return PlaceAttr::get(value.getContext(), PlaceKind::Input,
                          arg.getArgNumber(), 0);
  }
  auto result = cast<OpResult>(value);
  auto places =
      result.getOwner()->getAttrOfType<ArrayAttr>(PlanDialect::kPlacesAttr);
  return places ? cast<PlaceAttr>(places[result.getResultNumber()])
                : PlaceAttr();
}

} // namespace kiln::plan
