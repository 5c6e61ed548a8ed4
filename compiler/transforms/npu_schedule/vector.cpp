// SPDX-License-Identifier: Apache-2.0
#include "compiler/transforms/npu_schedule/vector.h"

#include "compiler/dialect/npu/NpuOps.h"
#include "compiler/transforms/npu_schedule/vector_forms.h"

#include "mlir/Dialect/Bufferization/IR/Bufferization.h"
#include "mlir/Interfaces/ValueBoundsOpInterface.h"

#include <fmt/format.h>

using namespace mlir;

namespace kiln::npu {

using isa::Space;
using schedule::DimUse;
using schedule::VectorBuffer;

namespace {

/// A shorter reduction is a loop of commands (vector_space.cpp).
constexpr int64_t kReducedInOneCommand = 8;

int64_t elementBytes(Value v) {
  return cast<ShapedType>(v.getType()).getElementTypeBitWidth() / 8;
}

bool isVectorOp(Operation *op) {
  return llvm::isa<linalg::LinalgOp, PadOp, BlockOp, UnblockOp>(op) &&
         !op->hasAttr(kPlacedAttr) && !llvm::isa<linalg::MatmulOp>(op);
}

/// Whether a tensor is (a slice or a reshape of) an argument in GM.
bool comesFromGm(Value v) {
  while (Operation *def = v.getDefiningOp()) {
    if (llvm::isa<bufferization::ToTensorOp>(def)) {
      return true;
    }
    if (!llvm::isa<tensor::ExtractSliceOp, tensor::ExpandShapeOp,
                   tensor::CollapseShapeOp, tensor::CastOp>(def)) {
      return false;
    }
    v = def->getOperand(0);
  }
  return false;
}

/// The vector operations in the block of `root` that it needs, in order.
SmallVector<Operation *> producersOf(Operation *root) {
  llvm::SetVector<Operation *> needed;
  needed.insert(root);
  for (size_t i = 0; i < needed.size(); ++i) {
    for (Value v : needed[i]->getOperands()) {
      Operation *def = skipCasts(v).getDefiningOp();
      if (def && def->getBlock() == root->getBlock() && isVectorOp(def)) {
        needed.insert(def);
      }
    }
  }
  SmallVector<Operation *> ops;
  for (Operation &op : *root->getBlock()) {
    if (needed.contains(&op)) {
      ops.push_back(&op);
    }
  }
  return ops;
}

/// The extent of every loop of an operation in terms of the root's loops.
using LoopUses = SmallVector<DimUse>;

/// Extent of an affine expression whose dimensions have these extents.
DimUse composeUse(AffineExpr expr, const LoopUses &loops) {
  DimUse use{-1, 1, 1};
  expr.walk([&](AffineExpr e) {
    auto dim = dyn_cast<AffineDimExpr>(e);
    if (!dim) {
      return;
    }
    int64_t factor = 1; // the dimension's coefficient in the expression
    if (auto sum = dyn_cast<AffineBinaryOpExpr>(expr)) {
      sum.walk([&](AffineExpr part) {
        auto product = dyn_cast<AffineBinaryOpExpr>(part);
        if (product && product.getKind() == AffineExprKind::Mul &&
            product.getLHS() == e) {
          factor = cast<AffineConstantExpr>(product.getRHS()).getValue();
        }
      });
    }
    const DimUse &inner = loops[dim.getPosition()];
    if (inner.loop >= 0) {
      use.loop = inner.loop;
      use.stride = inner.stride * factor;
    }
    use.window += (inner.window - 1) * factor;
  });
  return use;
}

class KernelReader {
public:
  KernelReader(func::FuncOp func, Operation *root) : func_(func), root_(root) {}
  Result<VectorKernel> read();

private:
  Status addRoot(Operation *root);
  Status addOp(Operation *op, const LoopUses &loops);
  Status addProducers(Operation *op, const LoopUses &loops);
  void addTemporaries(linalg::GenericOp op, const LoopUses &loops);
  LoopUses operandUses(Operation *op, OpOperand &operand,
                       const LoopUses &loops);
  void addBuffer(OpOperand &operand, const LoopUses &dims, int64_t depth);

  func::FuncOp func_;
  Operation *root_;
  VectorKernel kernel_;
  std::optional<VectorForms> forms_;
  llvm::DenseSet<Operation *> seen_;
};

Status unsupported(Operation *op) {
  return {StatusCode::kUnsupported,
          fmt::format("'{}' is no operation of the vector unit",
                      op->getName().getStringRef().str())};
}

Result<VectorKernel> KernelReader::read() {
  if (!root_ || !llvm::isa<TilingInterface>(root_)) {
    return Status(StatusCode::kUnsupported,
                  "the dispatch has no root operation that can be tiled");
  }
  kernel_.func = func_;
  forms_.emplace(producersOf(root_));
  KILN_RETURN_IF_ERROR(addRoot(root_));
  return kernel_;
}

Status KernelReader::addRoot(Operation *root) {
  auto tiling = cast<TilingInterface>(root);
  auto type = cast<ShapedType>(root->getResult(0).getType());
  SmallVector<int64_t> extents;
  auto linalgOp = dyn_cast<linalg::LinalgOp>(root);
  if (linalgOp) {
    extents = linalgOp.getStaticLoopRanges();
  } else {
    extents.assign(type.getShape().begin(), type.getShape().end());
  }
  LoopUses uses;
  SmallVector<utils::IteratorType> kinds = tiling.getLoopIteratorTypes();
  for (auto [i, extent] : llvm::enumerate(extents)) {
    bool parallel = kinds[i] == utils::IteratorType::parallel;
    bool blocked = llvm::isa<PadOp, BlockOp>(root) &&
                   i + 1 == extents.size(); // lanes of C0 stay together
    kernel_.shape.loops.push_back(extent);
    kernel_.shape.cuttable.push_back(parallel && !blocked);
    bool channels = llvm::isa<UnblockOp>(root) && i == 0;
    kernel_.shape.units.push_back(
        channels ? isa::kBlockBytes / elementBytes(root->getResult(0)) : 1);
    uses.push_back(
        {parallel ? static_cast<int64_t>(i) : -1, 1, parallel ? 1 : extent});
  }
  return addOp(root, uses);
}

LoopUses KernelReader::operandUses(Operation *op, OpOperand &operand,
                                   const LoopUses &loops) {
  LoopUses dims;
  if (auto linalgOp = dyn_cast<linalg::LinalgOp>(op)) {
    for (AffineExpr e :
         linalgOp.getMatchingIndexingMap(&operand).getResults()) {
      dims.push_back(composeUse(e, loops));
    }
    return dims;
  }
  bool isInit = cast<DestinationStyleOpInterface>(op).isDpsInit(&operand);
  int64_t c0 = isa::kBlockBytes / elementBytes(operand.get());
  if (isInit || llvm::isa<PadOp>(op)) {
    return loops;
  }
  if (llvm::isa<BlockOp>(op)) { // source [C, X] of [C1, X, C0]
    return {{loops[0].loop, c0, c0}, loops[1]};
  }
  // UnblockOp: source [C1, X, C0] of [C, X]
  DimUse blocks = loops[0];
  blocks.divide = c0;
  return {blocks, loops[1], {-1, 1, c0}};
}

void KernelReader::addBuffer(OpOperand &operand, const LoopUses &dims,
                             int64_t depth) {
  VectorBuffer buffer{
      {dims.begin(), dims.end()}, elementBytes(operand.get()), depth};
  if (forms_->isElementForm(operand)) {
    buffer.dims.push_back({-1, 1, 1});
  }
  kernel_.shape.buffers.push_back(buffer);
}

Status KernelReader::addOp(Operation *op, const LoopUses &loops) {
  if (!seen_.insert(op).second) {
    return Status::ok();
  }
  auto dps = cast<DestinationStyleOpInterface>(op);
  if (op->getNumResults() != 1) {
    return unsupported(op);
  }
  if (llvm::isa<PadOp>(op)) { // rows and lanes stay whole
    for (const DimUse &use : ArrayRef<DimUse>(loops).drop_front(2)) {
      if (use.loop >= 0) {
        kernel_.shape.cuttable[use.loop] = false;
      }
    }
  }
  OpOperand &init = *dps.getDpsInitOperand(0);
  LoopUses initDims = operandUses(op, init, loops);
  addBuffer(init, initDims, op->hasAttr(kRootAttr) ? 2 : 1);
  if (auto generic = dyn_cast<linalg::GenericOp>(op)) {
    addTemporaries(generic, loops);
  }
  return addProducers(op, loops);
}

/// What linalg-to-npu allocates for the body: one command's extent per
/// operation, and a block per row for every operand that lacks the columns.
void KernelReader::addTemporaries(linalg::GenericOp op, const LoopUses &loops) {
  int64_t columns = columnLoop(op);
  SmallVector<utils::IteratorType> kinds = op.getIteratorTypesArray();
  SmallVector<int64_t> ranges = op.getStaticLoopRanges();
  LoopUses whole, rows;
  for (auto [i, use] : llvm::enumerate(loops)) {
    bool column = static_cast<int64_t>(i) == columns;
    bool step = kinds[i] == utils::IteratorType::reduction && !column &&
                ranges[i] < kReducedInOneCommand;
    if (step) {
      continue; // one command per step
    }
    whole.push_back(use);
    if (!column) {
      rows.push_back(use);
    }
  }
  rows.push_back({-1, 1, 1});
  int64_t operations =
      std::distance(op.getBody()->begin(), op.getBody()->end()) - 1;
  auto add = [&](const LoopUses &dims, int64_t count) {
    if (count > 0) {
      kernel_.shape.buffers.push_back({{dims.begin(), dims.end()}, 4, count});
    }
  };
  add(whole, operations);
  int64_t broadcasts = 0;
  for (OpOperand *input : op.getDpsInputOperands()) {
    AffineMap map = op.getMatchingIndexingMap(input);
    broadcasts += columns >= 0 && !map.isFunctionOfDim(columns);
  }
  bool reduces = op.getNumReductionLoops() != 0;
  add(rows, broadcasts + (reduces ? 1 : 0));
}

Status KernelReader::addProducers(Operation *op, const LoopUses &loops) {
  for (OpOperand &operand : op->getOpOperands()) {
    if (!llvm::isa<RankedTensorType>(operand.get().getType())) {
      continue;
    }
    LoopUses dims = operandUses(op, operand, loops);
    Value v = skipCasts(operand.get());
    Operation *def = v.getDefiningOp();
    if (comesFromGm(v)) {
      if (!llvm::isa<PadOp>(op)) {
        addBuffer(operand, dims, 2);
      }
      continue;
    }
    if (!def || llvm::isa<tensor::EmptyOp>(def)) {
      continue;
    }
    if (!isVectorOp(def) || def->hasAttr(kRootAttr)) {
      // The place of a result is no value that is read.
      if (cast<DestinationStyleOpInterface>(op).isDpsInit(&operand)) {
        continue;
      }
      return unsupported(def);
    }
    LoopUses inner;
    if (auto producer = dyn_cast<linalg::LinalgOp>(def)) {
      SmallVector<int64_t> extents = producer.getStaticLoopRanges();
      for (int64_t extent : extents) {
        inner.push_back({-1, 1, extent});
      }
      AffineMap map =
          producer.getMatchingIndexingMap(producer.getDpsInitOperand(0));
      for (auto [i, e] : llvm::enumerate(map.getResults())) {
        if (auto d = dyn_cast<AffineDimExpr>(e)) {
          inner[d.getPosition()] = dims[i];
        }
      }
    } else {
      inner = dims;
    }
    KILN_RETURN_IF_ERROR(addOp(def, inner));
  }
  return Status::ok();
}

/// The static capacity of a tile, padded for its form.
FailureOr<SmallVector<int64_t>> capacityOf(Value v, bool elementForm) {
  auto type = cast<RankedTensorType>(v.getType());
  SmallVector<int64_t> shape;
  for (int64_t i = 0; i < type.getRank(); ++i) {
    if (!type.isDynamicDim(i)) {
      shape.push_back(type.getDimSize(i));
      continue;
    }
    FailureOr<int64_t> bound = ValueBoundsConstraintSet::computeConstantBound(
        presburger::BoundType::UB, {v, i}, nullptr, /*closedUB=*/true);
    if (failed(bound)) {
      return failure();
    }
    shape.push_back(*bound);
  }
  int64_t block = isa::kBlockBytes / elementBytes(v);
  if (elementForm) {
    shape.push_back(block);
  } else if (!shape.empty()) {
    shape.back() = (shape.back() + block - 1) / block * block;
  }
  return shape;
}

class Placer {
public:
  Placer(ScheduleTools &tools, Operation *root)
      : tools_(tools), rewriter_(tools.rewriter()), root_(root),
        ops_(producersOf(root)), forms_(ops_) {}

  LogicalResult run() {
    for (Operation *op : ops_) {
      if (failed(placeInputs(op)) || failed(placeInit(op))) {
        return failure();
      }
    }
    for (Operation *op : ops_) {
      op->setAttr(kPlacedAttr, rewriter_.getUnitAttr());
    }
    return success();
  }

private:
  FailureOr<TilePlace> placeOf(OpOperand &operand, StringRef name,
                               int64_t depth) {
    FailureOr<SmallVector<int64_t>> capacity =
        capacityOf(operand.get(), forms_.isElementForm(operand));
    if (failed(capacity)) {
      return operand.getOwner()->emitError("tile without a static bound");
    }
    return TilePlace{name.str(), Space::UB, depth, *capacity};
  }

  LogicalResult placeInputs(Operation *op) {
    auto dps = cast<DestinationStyleOpInterface>(op);
    if (llvm::isa<PadOp>(op)) {
      return success(); // reads GM itself
    }
    for (OpOperand *input : dps.getDpsInputOperands()) {
      if (!llvm::isa<RankedTensorType>(input->get().getType())) {
        continue;
      }
      if (skipCasts(input->get()).getDefiningOp<tensor::EmptyOp>()) {
        placeWindow(*input); // names the window's shape, is never read
        continue;
      }
      if (!comesFromGm(input->get())) {
        continue;
      }
      FailureOr<TilePlace> place = placeOf(*input, "in", 2);
      if (failed(place) || failed(tools_.copyIn(*input, *place))) {
        return failure();
      }
    }
    return success();
  }

  void placeWindow(OpOperand &input) {
    auto type = cast<RankedTensorType>(input.get().getType());
    rewriter_.setInsertionPoint(input.getOwner());
    Value window = tools_.place(
        input.getOwner()->getLoc(), input.get(),
        {"window", Space::UB, 1, SmallVector<int64_t>(type.getShape())});
    rewriter_.modifyOpInPlace(input.getOwner(), [&] { input.set(window); });
  }

  LogicalResult placeInit(Operation *op) {
    auto dps = cast<DestinationStyleOpInterface>(op);
    OpOperand &init = *dps.getDpsInitOperand(0);
    Value destination = init.get();
    if (llvm::isa<linalg::FillOp>(op)) {
      fillDestination_[op] = destination;
    }
    if (!skipCasts(destination).getDefiningOp<linalg::FillOp>()) {
      bool isRoot = op == root_;
      FailureOr<TilePlace> place =
          placeOf(init, isRoot ? "out" : "tmp", isRoot ? 2 : 1);
      if (failed(place)) {
        return failure();
      }
      rewriter_.setInsertionPoint(op);
      Value tile = tools_.place(op->getLoc(), destination, *place);
      rewriter_.modifyOpInPlace(op, [&] { init.set(tile); });
      if (tile.getType() != op->getResult(0).getType()) {
        rewriter_.modifyOpInPlace(
            op, [&] { op->getResult(0).setType(tile.getType()); });
      }
    }
    if (op == root_) {
      storeResult(destination);
    }
    return success();
  }

  /// GM gets the result by one copy at the end.
  void storeResult(Value destination) {
    // A filled root accumulates in the fill's tile; the slice is its init.
    if (auto fill = skipCasts(destination).getDefiningOp<linalg::FillOp>()) {
      destination = fillDestination_.lookup(fill);
    }
    rewriter_.setInsertionPointAfter(root_);
    auto copy = linalg::CopyOp::create(rewriter_, root_->getLoc(),
                                       root_->getResult(0), destination);
    copy->setAttr(kPlacedAttr, rewriter_.getUnitAttr());
    rewriter_.replaceAllUsesExcept(root_->getResult(0), copy.getResult(0),
                                   copy);
  }

  ScheduleTools &tools_;
  IRRewriter &rewriter_;
  Operation *root_;
  SmallVector<Operation *> ops_;
  VectorForms forms_;
  llvm::DenseMap<Operation *, Value> fillDestination_;
};

} // namespace

LogicalResult placeVectorOperands(ScheduleTools &tools, Operation *root) {
  return Placer(tools, root).run();
}

Result<VectorKernel> matchVector(func::FuncOp func, Operation *root) {
  return KernelReader(func, root).read();
}

LogicalResult applyVector(const VectorKernel &kernel,
                          const schedule::Schedule &schedule,
                          ScheduleTools &tools) {
  const schedule::Level *cores = schedule.level("cores");
  const schedule::Level *ub = schedule.level("ub");
  if (!cores || !ub) {
    return kernel.func->emitError(
        "the schedule of a vector kernel needs the levels cores and ub");
  }
  std::vector<int64_t> blocks = cores->tile;
  if (tools.rootCount() > 1) {
    blocks.assign(blocks.size(), 0); // one launch serves all roots
  }
  if (failed(tools.tileAndFuse(tools.root(), blocks, LoopKind::kBlocks)) ||
      failed(tools.cleanup()) ||
      failed(tools.tileAndFuse(tools.root(), ub->tile, LoopKind::kLoop)) ||
      failed(tools.cleanup())) {
    return failure();
  }
  tools.hoist();
  return success(succeeded(placeVectorOperands(tools, tools.root())) &&
                 succeeded(tools.cleanup()));
}

} // namespace kiln::npu
