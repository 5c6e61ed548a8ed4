// SPDX-License-Identifier: Apache-2.0
#include "compiler/transforms/form_dispatches.h"

#include "compiler/dialect/plan/plan_dialect.h"
#include "compiler/dialect/plan/result_location.h"
#include "compiler/transforms/dispatch_body.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/IRMapping.h"
#include "mlir/Transforms/RegionUtils.h"

using namespace mlir;

namespace kiln {

static RankedTensorType typeOf(Value value) {
  return cast<RankedTensorType>(value.getType());
}

//===- what an operation is -----------------------------------------------===//

static bool isWindowOp(Operation *op) {
  return isa<linalg::Conv2DNchwFchwOp, linalg::DepthwiseConv2DNchwChwOp,
             linalg::PoolingNchwMaxOp, linalg::PoolingNchwSumOp>(op);
}

// Costs nothing or belongs into its user: copied into every dispatch.
static bool isCopiedIntoUsers(Operation *op) {
  if (isa<tensor::EmptyOp, arith::ConstantOp, linalg::FillOp>(op)) {
    return true;
  }
  return isa<tensor::PadOp>(op) && !op->use_empty() &&
         llvm::all_of(op->getUsers(), isWindowOp);
}

// All loops parallel, the result written in order.
static linalg::GenericOp asElementwise(Operation *op) {
  auto generic = dyn_cast<linalg::GenericOp>(op);
  if (!generic || generic.getNumResults() != 1 ||
      generic.getNumParallelLoops() != generic.getNumLoops() ||
      !generic.getIndexingMapsArray().back().isIdentity()) {
    return {};
  }
  return generic;
}

// A conversion between element types and nothing else.
static bool isPureCast(linalg::GenericOp generic) {
  if (generic.getNumDpsInputs() != 1 ||
      typeOf(generic.getDpsInputs()[0]).getElementType() ==
          typeOf(generic.getResult(0)).getElementType()) {
    return false;
  }
  Block &body = *generic.getBody();
  Operation *only = body.getNumArguments() == 2 ? &body.front() : nullptr;
  return only && isa<arith::ExtFOp, arith::TruncFOp>(only) &&
         only->getNextNode() == body.getTerminator();
}

// The f32 result of a contraction rounded to f16 is no conversion that
// somebody asked for. (A pool's result is f16 already: who widens it asks.)
static bool isRequestedCast(linalg::GenericOp generic) {
  if (!isPureCast(generic)) {
    return false;
  }
  if (isa<arith::ExtFOp>(generic.getBody()->front())) {
    return true;
  }
  Operation *producer = generic.getDpsInputs()[0].getDefiningOp();
  bool ofContraction =
      producer && isa<linalg::LinalgOp>(producer) && !asElementwise(producer);
  return !ofContraction;
}

// A root that elementwise operations may follow in the same dispatch.
static bool takesEpilogue(Operation *op) {
  if (auto generic = asElementwise(op)) {
    return !isRequestedCast(generic) &&
           !op->hasAttr(plan::PlanDialect::kGroupAttr);
  }
  return isWindowOp(op) || isa<linalg::MatmulOp, linalg::BatchMatmulOp>(op);
}

//===- what a dispatch says about itself ----------------------------------===//

// The multiply-accumulates of a contraction: one per point of its loops.
static plan::MacsAttr macsOf(Operation *op) {
  auto contraction = dyn_cast<linalg::LinalgOp>(op);
  bool multiplies =
      isa<linalg::Conv2DNchwFchwOp, linalg::DepthwiseConv2DNchwChwOp>(op) ||
      (contraction && linalg::isaContractionOpInterface(contraction));
  if (!multiplies) {
    return {};
  }
  int64_t count = 1;
  for (int64_t range : contraction.getStaticLoopRanges()) {
    count *= range;
  }
  Type type = typeOf(contraction.getDpsInputs()[0]).getElementType();
  return plan::MacsAttr::get(op->getContext(), count, type);
}

// The node whose value `op` computes; nothing while operations of the same
// node follow.
static plan::ResultAttr resultAttrOf(Operation *op) {
  std::optional<int64_t> node = plan::resultNode(op->getLoc());
  bool isLast = node && llvm::none_of(op->getUsers(), [&](Operation *user) {
                  return plan::resultNode(user->getLoc()) == node;
                });
  return isLast ? plan::ResultAttr::get(op->getContext(), *node,
                                        op->getResult(0).getType())
                : plan::ResultAttr();
}

//===- views --------------------------------------------------------------===//

// The element offset of a slice of consecutive elements.
static std::optional<int64_t> contiguousOffset(tensor::ExtractSliceOp op) {
  ArrayRef<int64_t> from = op.getSourceType().getShape();
  ArrayRef<int64_t> sizes = op.getStaticSizes();
  int64_t offset = 0, stride = 1;
  bool outerMustBeOne = false; // a dimension further in is cut
  for (int64_t i = static_cast<int64_t>(from.size()) - 1; i >= 0; --i) {
    if (op.getStaticStrides()[i] != 1 && sizes[i] > 1) {
      return std::nullopt;
    }
    if (outerMustBeOne && sizes[i] != 1) {
      return std::nullopt;
    }
    outerMustBeOne |= sizes[i] != from[i];
    offset += op.getStaticOffsets()[i] * stride;
    stride *= from[i];
  }
  return offset;
}

static plan::SliceOp toView(OpBuilder &builder, Operation *op, int64_t offset) {
  return plan::SliceOp::create(builder, op->getLoc(),
                               op->getResult(0).getType(), op->getOperand(0),
                               offset);
}

static void convertViews(Block &body) {
  OpBuilder builder(body.getParentOp()->getContext());
  for (Operation &op : llvm::make_early_inc_range(body)) {
    builder.setInsertionPoint(&op);
    plan::SliceOp view;
    if (isa<tensor::CollapseShapeOp, tensor::ExpandShapeOp>(op)) {
      view = toView(builder, &op, 0);
    } else if (auto slice = dyn_cast<tensor::ExtractSliceOp>(op)) {
      if (std::optional<int64_t> offset = contiguousOffset(slice)) {
        view = toView(builder, &op, *offset);
      }
    }
    if (view) {
      op.getResult(0).replaceAllUsesWith(view);
      op.erase();
    }
  }
}

// Views of views look through; views that change nothing go away.
static void mergeViews(Block &body) {
  for (Operation &op : llvm::make_early_inc_range(body)) {
    auto view = dyn_cast<plan::SliceOp>(op);
    if (!view) {
      continue;
    }
    if (auto inner = view.getSource().getDefiningOp<plan::SliceOp>()) {
      view.setOffset(view.getOffset() + inner.getOffset());
      view.getSourceMutable().assign(inner.getSource());
    }
    if (view.getSource().getType() == view.getResult().getType()) {
      view.getResult().replaceAllUsesWith(view.getSource());
      view.erase();
    }
  }
}

// Reshaped constants: a step of the recipe.
static void foldViewsOfConstants(Block &body) {
  OpBuilder builder(body.getParentOp()->getContext());
  for (Operation &op : llvm::make_early_inc_range(body)) {
    auto view = dyn_cast<plan::SliceOp>(op);
    auto constant = view ? view.getSource().getDefiningOp<plan::ConstOp>()
                         : plan::ConstOp();
    if (!constant || !view.isReshape()) {
      continue;
    }
    builder.setInsertionPoint(view);
    auto copy = cast<plan::ConstOp>(builder.clone(*constant));
    copy.appendStep("reshape", typeOf(view.getResult()));
    view.getResult().replaceAllUsesWith(copy.getResult());
    view.erase();
  }
  for (Operation &op : llvm::make_early_inc_range(llvm::reverse(body))) {
    if (op.use_empty() && isa<plan::SliceOp, plan::ConstOp>(op)) {
      op.erase();
    }
  }
}

//===- groups -------------------------------------------------------------===//

namespace {
/// Operations of one dispatch, in order; the last one gives the result.
struct Group {
  SmallVector<Operation *> ops;
};

class Former {
public:
  Former(plan::FuncOp func, SymbolTable &symbols)
      : func_(func), symbols_(symbols), builder_(func.getContext()) {}

  LogicalResult run();

private:
  void collectGroups();
  Group *groupToJoin(linalg::GenericOp generic);
  LogicalResult outline(Group &group);
  void describe(plan::DispatchOp dispatch, const Group &group);
  Operation *cloneWithCopies(Operation *op, IRMapping &mapping,
                             OpBuilder &builder);
  void collectInputs(Operation *op, const Group &group,
                     llvm::SetVector<Value> &inputs);
  std::string uniqueName(Operation *root);

  plan::FuncOp func_;
  SymbolTable &symbols_;
  OpBuilder builder_;
  std::vector<std::unique_ptr<Group>> groups_;
  llvm::DenseMap<Operation *, Group *> groupOf_;
};
} // namespace

// The group of the latest producer that the generic can follow.
Group *Former::groupToJoin(linalg::GenericOp generic) {
  if (isRequestedCast(generic)) {
    return nullptr;
  }
  Group *best = nullptr;
  for (OpOperand *operand : generic.getDpsInputOperands()) {
    Operation *producer = operand->get().getDefiningOp();
    Group *group = producer ? groupOf_.lookup(producer) : nullptr;
    bool joins = group && group->ops.back() == producer &&
                 takesEpilogue(producer) &&
                 generic.getMatchingIndexingMap(operand).isIdentity() &&
                 llvm::all_of(producer->getUsers(), [&](Operation *user) {
                   return user == generic.getOperation();
                 });
    if (joins && (!best || best->ops.back()->isBeforeInBlock(producer))) {
      best = group;
    }
  }
  return best;
}

void Former::collectGroups() {
  llvm::DenseMap<Attribute, Group *> tagged;
  for (Operation &op : func_.getBody().front()) {
    if (isa<plan::PlanDialect>(op.getDialect()) || isCopiedIntoUsers(&op)) {
      continue;
    }
    Attribute tag = op.getAttr(plan::PlanDialect::kGroupAttr);
    Group *group = tag ? tagged.lookup(tag) : nullptr;
    if (auto generic = asElementwise(&op); generic && !tag) {
      group = groupToJoin(generic);
    }
    if (!group) {
      groups_.push_back(std::make_unique<Group>());
      group = groups_.back().get();
      if (tag) {
        tagged[tag] = group;
      }
    }
    group->ops.push_back(&op);
    groupOf_[&op] = group;
  }
}

//===- outlining ----------------------------------------------------------===//

static std::string sanitizedName(Location loc) {
  std::string name;
  if (auto named = dyn_cast<NameLoc>(loc)) {
    name = named.getName().str();
  } else if (auto fused = dyn_cast<FusedLoc>(loc)) {
    return sanitizedName(fused.getLocations().front());
  }
  for (char &c : name) {
    if (!llvm::isAlnum(c)) {
      c = '_';
    }
  }
  if (name.empty() || llvm::isDigit(name[0])) {
    name.insert(0, "k");
  }
  return name;
}

std::string Former::uniqueName(Operation *root) {
  std::string base = sanitizedName(root->getLoc());
  std::string name = base;
  for (int i = 1; symbols_.lookup(name); ++i) {
    name = base + "_" + std::to_string(i);
  }
  return name;
}

// Operands, and what the regions use from outside (the filler of a pad).
static SmallVector<Value> allOperands(Operation *op) {
  SmallVector<Value> values(op->getOperands());
  llvm::SetVector<Value> captured;
  getUsedValuesDefinedAbove(op->getRegions(), captured);
  values.append(captured.begin(), captured.end());
  return values;
}

// Values from outside that the operation needs, directly or through what is
// copied into the dispatch.
void Former::collectInputs(Operation *op, const Group &group,
                           llvm::SetVector<Value> &inputs) {
  for (Value operand : allOperands(op)) {
    Operation *producer = operand.getDefiningOp();
    if (producer && groupOf_.lookup(producer) == &group) {
      continue;
    }
    if (producer && isCopiedIntoUsers(producer)) {
      collectInputs(producer, group, inputs);
      continue;
    }
    inputs.insert(operand);
  }
}

Operation *Former::cloneWithCopies(Operation *op, IRMapping &mapping,
                                   OpBuilder &builder) {
  for (Value operand : allOperands(op)) {
    Operation *producer = operand.getDefiningOp();
    if (!mapping.contains(operand) && producer) {
      cloneWithCopies(producer, mapping, builder);
    }
  }
  Operation *copy = builder.clone(*op, mapping);
  copy->removeAttr(plan::PlanDialect::kGroupAttr);
  if (copy->removeAttr(plan::PlanDialect::kInlinedAttr)) {
    copy->getParentOp()->setAttr(plan::PlanDialect::kInlinedAttr,
                                 builder.getUnitAttr());
  }
  return copy;
}

void Former::describe(plan::DispatchOp dispatch, const Group &group) {
  for (Operation *op : group.ops) {
    if (plan::MacsAttr macs = macsOf(op)) {
      dispatch->setAttr(plan::PlanDialect::kMacsAttr, macs);
    }
  }
  if (plan::ResultAttr result = resultAttrOf(group.ops.back())) {
    dispatch->setAttr(plan::PlanDialect::kResultAttr, result);
  }
}

LogicalResult Former::outline(Group &group) {
  llvm::SetVector<Value> inputs;
  for (Operation *op : group.ops) {
    collectInputs(op, group, inputs);
  }
  Operation *last = group.ops.back(), *root = group.ops.front();
  Type result = last->getResult(0).getType();
  OpBuilder outer(func_.getContext());
  outer.setInsertionPointToEnd(func_->getBlock());
  auto type = outer.getFunctionType(ValueRange(inputs.getArrayRef()).getTypes(),
                                    {result});
  auto body =
      func::FuncOp::create(outer, root->getLoc(), uniqueName(root), type);
  body.setPrivate();
  body->setAttr(plan::PlanDialect::kDispatchAttr, outer.getUnitAttr());
  symbols_.insert(body);
  Block *block = body.addEntryBlock();
  IRMapping mapping;
  for (auto [value, argument] :
       llvm::zip_equal(inputs, block->getArguments())) {
    mapping.map(value, argument);
  }
  OpBuilder inner = OpBuilder::atBlockEnd(block);
  for (Operation *op : group.ops) {
    cloneWithCopies(op, mapping, inner);
  }
  func::ReturnOp::create(inner, root->getLoc(),
                         mapping.lookup(last->getResult(0)));
  builder_.setInsertionPoint(last);
  auto dispatch =
      plan::DispatchOp::create(builder_, root->getLoc(), TypeRange{result},
                               body.getSymName(), inputs.getArrayRef());
  describe(dispatch, group);
  last->getResult(0).replaceAllUsesWith(dispatch.getResult(0));
  return cleanDispatchBody(body);
}

LogicalResult Former::run() {
  Block &body = func_.getBody().front();
  convertViews(body);
  mergeViews(body);
  foldViewsOfConstants(body);
  collectGroups();
  for (const std::unique_ptr<Group> &group : groups_) {
    if (failed(outline(*group))) {
      return failure();
    }
  }
  for (Operation &op : llvm::make_early_inc_range(llvm::reverse(body))) {
    if (!isa<plan::PlanDialect>(op.getDialect())) {
      assert(op.use_empty() && "everything that is used was outlined");
      op.erase();
    }
  }
  return success();
}

namespace {
class FormDispatchesPass
    : public PassWrapper<FormDispatchesPass, OperationPass<ModuleOp>> {
public:
  MLIR_DEFINE_EXPLICIT_INTERNAL_INLINE_TYPE_ID(FormDispatchesPass)

  StringRef getArgument() const final { return "form-dispatches"; }
  StringRef getDescription() const final {
    return "cut plan functions into dispatch functions";
  }
  void getDependentDialects(DialectRegistry &registry) const final {
    registry
        .insert<arith::ArithDialect, func::FuncDialect, linalg::LinalgDialect,
                math::MathDialect, plan::PlanDialect, tensor::TensorDialect>();
  }

  void runOnOperation() final {
    SymbolTable symbols(getOperation());
    for (auto func :
         llvm::make_early_inc_range(getOperation().getOps<plan::FuncOp>())) {
      if (failed(Former(func, symbols).run())) {
        return signalPassFailure();
      }
    }
  }
};
} // namespace

std::unique_ptr<Pass> createFormDispatchesPass() {
  return std::make_unique<FormDispatchesPass>();
}

} // namespace kiln
