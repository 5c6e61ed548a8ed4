// SPDX-License-Identifier: Apache-2.0
#include "compiler/transforms/plan_concat.h"

#include "compiler/transforms/plan_arena.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/Builders.h"

using namespace mlir;

namespace kiln::plan {

constexpr int64_t kPartAlignment = 64;

// The concat that is all a function does, with its arguments in order.
static tensor::ConcatOp onlyConcat(func::FuncOp func) {
  if (func.isExternal() || !func.getBody().hasOneBlock()) {
    return {};
  }
  Block &body = func.getBody().front();
  auto concat = dyn_cast<tensor::ConcatOp>(body.front());
  if (!concat || body.getOperations().size() != 2 ||
      body.getTerminator()->getOperands() != concat->getResults() ||
      concat.getInputs().size() != body.getNumArguments()) {
    return {};
  }
  for (auto [input, argument] :
       llvm::zip_equal(concat.getInputs(), body.getArguments())) {
    if (input != argument) {
      return {};
    }
  }
  return concat;
}

static bool isContiguous(tensor::ConcatOp concat) {
  ArrayRef<int64_t> shape = concat.getResultType().getShape();
  return llvm::all_of(shape.take_front(concat.getDim()),
                      [](int64_t dim) { return dim == 1; });
}

// The operation whose memory the value is, all of it; null when it is only a
// part, a model input or a constant.
static Value ownRoot(Value value) {
  while (auto view = value.getDefiningOp<SliceOp>()) {
    if (!view.isReshape()) {
      return {};
    }
    value = view.getSource();
  }
  return isa_and_nonnull<DispatchOp, CopyOp, ConcatOp>(value.getDefiningOp())
             ? value
             : Value();
}

static bool isJoined(Value root) {
  return llvm::any_of(root.getUsers(), [](Operation *user) {
    auto view = dyn_cast<SliceOp>(user);
    return isa<ConcatOp>(user) || (view && isJoined(view.getResult()));
  });
}

static bool canJoin(DispatchOp op) {
  llvm::SmallDenseSet<Value> roots;
  int64_t offset = 0;
  for (Value operand : op.getOperands()) {
    Value root = ownRoot(operand);
    if (!root || isJoined(root) || !roots.insert(root).second ||
        offset % kPartAlignment != 0) {
      return false;
    }
    offset += tensorBytes(operand.getType());
  }
  return true;
}

void concatInPlace(FuncOp func) {
  auto module = func->getParentOfType<ModuleOp>();
  SymbolTable symbols(module);
  for (Operation &op : llvm::make_early_inc_range(func.getBody().front())) {
    auto dispatch = dyn_cast<DispatchOp>(op);
    auto body = dispatch ? symbols.lookup<func::FuncOp>(dispatch.getCallee())
                         : func::FuncOp();
    tensor::ConcatOp concat = body ? onlyConcat(body) : tensor::ConcatOp();
    if (!concat || !isContiguous(concat) || !canJoin(dispatch)) {
      continue;
    }
    OpBuilder builder(dispatch);
    auto joined = ConcatOp::create(builder, dispatch.getLoc(),
                                   dispatch.getResult(0).getType(),
                                   dispatch.getOperands());
    dispatch.getResult(0).replaceAllUsesWith(joined.getResult());
    dispatch.erase();
    if (SymbolTable::symbolKnownUseEmpty(body, module)) {
      symbols.erase(body);
    }
  }
}

namespace {
class ConcatInPlacePass
    : public PassWrapper<ConcatInPlacePass, OperationPass<ModuleOp>> {
public:
  MLIR_DEFINE_EXPLICIT_INTERNAL_INLINE_TYPE_ID(ConcatInPlacePass)

  StringRef getArgument() const final { return "plan-concat-in-place"; }
  StringRef getDescription() const final {
    return "let producers write into the parts of a concat";
  }

  void runOnOperation() final {
    for (auto func : getOperation().getOps<FuncOp>()) {
      concatInPlace(func);
    }
  }
};
} // namespace

std::unique_ptr<Pass> createConcatInPlacePass() {
  return std::make_unique<ConcatInPlacePass>();
}

} // namespace kiln::plan
