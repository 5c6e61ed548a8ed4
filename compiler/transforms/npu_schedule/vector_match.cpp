// SPDX-License-Identifier: Apache-2.0
//
// Reads a vector dispatch: the loops that may be cut, and the buffers that a
// tile of them needs in UB.
#include "compiler/transforms/npu_schedule/vector.h"

#include "compiler/dialect/npu/NpuBodies.h"
#include "compiler/dialect/npu/NpuOps.h"
#include "compiler/transforms/npu_schedule/vector_forms.h"
#include "compiler/transforms/npu_schedule/vector_group.h"

#include <fmt/format.h>

using namespace mlir;

namespace kiln::npu {

using schedule::DimUse;
using schedule::VectorBuffer;

namespace {

/// A shorter reduction is a loop of commands (vector_space.cpp).
constexpr int64_t kReducedInOneCommand = 8;
/// Long reductions are cut in multiples of this, so that rows stay aligned.
constexpr int64_t kPassUnit = 64, kAlignedPass = 512;

/// The extent of every loop of an operation in terms of the root's loops.
using LoopUses = SmallVector<DimUse>;

/// The constant that multiplies a dimension of a sum of products.
int64_t factorOf(AffineExpr expr, AffineExpr dim) {
  int64_t factor = 1;
  expr.walk([&](AffineExpr part) {
    auto product = dyn_cast<AffineBinaryOpExpr>(part);
    if (product && product.getKind() == AffineExprKind::Mul &&
        product.getLHS() == dim) {
      factor = cast<AffineConstantExpr>(product.getRHS()).getValue();
    }
  });
  return factor;
}

/// Extent of an affine expression whose dimensions have these extents; at most
/// two of them are cut, as in a window's.
DimUse composeUse(AffineExpr expr, const LoopUses &loops) {
  DimUse use{-1, 1, 1};
  expr.walk([&](AffineExpr e) {
    auto dim = dyn_cast<AffineDimExpr>(e);
    if (!dim) {
      return;
    }
    int64_t factor = factorOf(expr, e);
    const DimUse &inner = loops[dim.getPosition()];
    if (inner.loop >= 0) {
      bool first = use.loop < 0;
      (first ? use.loop : use.inner) = inner.loop;
      (first ? use.stride : use.innerStride) = inner.stride * factor;
    }
    if (inner.inner >= 0) {
      use.inner = inner.inner;
      use.innerStride = inner.innerStride * factor;
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
  LoopUses producerUses(Operation *def, const LoopUses &dims);
  void addTemporaries(linalg::GenericOp op, const LoopUses &loops);
  LoopUses operandUses(Operation *op, OpOperand &operand,
                       const LoopUses &loops);
  void addBuffer(OpOperand &operand, const LoopUses &dims, int64_t depth);
  DimUse passLoop(Operation *op, unsigned loop, int64_t extent);

  func::FuncOp func_;
  Operation *root_;
  VectorKernel kernel_;
  std::optional<VectorForms> forms_;
  llvm::DenseSet<Operation *> seen_;
  llvm::DenseSet<std::pair<Value, int>> inputs_;
  llvm::SmallDenseSet<int64_t> late_; // loops of the root
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
  forms_.emplace(producersOf(root_));
  // The first round finds the loops that a reduction must be over before.
  for (int round = 0; round < 2; ++round) {
    kernel_ = {};
    kernel_.func = func_;
    seen_.clear();
    inputs_.clear();
    KILN_RETURN_IF_ERROR(addRoot(root_));
  }
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
  schedule::VectorShape &shape = kernel_.shape;
  shape.rootLoops = extents.size();
  LoopUses uses;
  SmallVector<utils::IteratorType> kinds = tiling.getLoopIteratorTypes();
  for (auto [i, extent] : llvm::enumerate(extents)) {
    auto loop = static_cast<int64_t>(i);
    bool parallel = kinds[i] == utils::IteratorType::parallel;
    bool blocked = llvm::isa<PadOp, BlockOp>(root) &&
                   i + 1 == extents.size(); // lanes of C0 stay together
    shape.loops.push_back(extent);
    shape.passes.push_back(late_.contains(loop));
    shape.cuttable.push_back(parallel && !blocked && !late_.contains(loop));
    bool channels = llvm::isa<UnblockOp>(root) && i == 0;
    shape.units.push_back(
        channels ? isa::kBlockBytes / elementBytes(root->getResult(0)) : 1);
    uses.push_back({parallel ? loop : -1, 1, 1});
  }
  for (auto [i, extent] : llvm::enumerate(extents)) {
    if (kinds[i] != utils::IteratorType::parallel) {
      uses[i] = passLoop(root, i, extent);
    }
  }
  return addOp(root, uses);
}

/// The loop of a reduction: one more of the shape, or the root's own when the
/// root must wait for the reduction and both run along the same extent.
DimUse KernelReader::passLoop(Operation *op, unsigned loop, int64_t extent) {
  schedule::VectorShape &shape = kernel_.shape;
  int64_t id = -1;
  for (size_t i = 0; op != root_ && i < shape.rootLoops; ++i) {
    if (shape.passes[i] && shape.loops[i] == extent) {
      id = static_cast<int64_t>(i);
    }
  }
  if (id < 0) {
    id = static_cast<int64_t>(shape.loops.size());
    shape.loops.push_back(extent);
    shape.cuttable.push_back(false);
    shape.passes.push_back(true);
    shape.units.push_back(extent >= kAlignedPass ? kPassUnit : 1);
  }
  kernel_.passes.push_back({op, loop, id});
  return {id, 1, 1};
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
  if (llvm::isa<PadOp>(op) && loops.back().loop >= 0) { // lanes stay whole
    kernel_.shape.cuttable[loops.back().loop] = false;
  }
  OpOperand &init = *dps.getDpsInitOperand(0);
  LoopUses initDims = operandUses(op, init, loops);
  addBuffer(init, initDims, tileDepth(op, op->hasAttr(kRootAttr)));
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
  LoopUses whole, rows, parts;
  for (auto [i, use] : llvm::enumerate(loops)) {
    bool column = static_cast<int64_t>(i) == columns;
    bool step = kinds[i] == utils::IteratorType::reduction && !column &&
                ranges[i] < kReducedInOneCommand;
    if (step) {
      continue; // one command per step
    }
    whole.push_back(use);
    if (kinds[i] == utils::IteratorType::parallel) {
      parts.push_back(use);
    }
    if (!column) {
      rows.push_back(use);
    }
  }
  rows.push_back({-1, 1, 1});
  auto add = [&](const LoopUses &dims, int64_t bytes) {
    if (bytes > 0) {
      kernel_.shape.buffers.push_back({{dims.begin(), dims.end()}, bytes, 1});
    }
  };
  add(whole, temporaryBytes(*op.getBody()));
  add(parts, op.getNumReductionLoops() != 0 ? 4 : 0);
  int64_t broadcasts = 0;
  for (OpOperand *input : op.getDpsInputOperands()) {
    AffineMap map = op.getMatchingIndexingMap(input);
    broadcasts += columns >= 0 && !map.isFunctionOfDim(columns);
  }
  bool reduces = op.getNumReductionLoops() != 0;
  constexpr int64_t kBlock = isa::kBlockBytes;
  add(rows, kBlock * (broadcasts + (reduces ? 1 : 0)));
}

/// The loops of a producer, given the extents of its result.
LoopUses KernelReader::producerUses(Operation *def, const LoopUses &dims) {
  auto producer = dyn_cast<linalg::LinalgOp>(def);
  if (!producer) {
    return dims;
  }
  LoopUses loops;
  for (int64_t extent : producer.getStaticLoopRanges()) {
    loops.push_back({-1, 1, extent});
  }
  AffineMap map =
      producer.getMatchingIndexingMap(producer.getDpsInitOperand(0));
  for (auto [i, e] : llvm::enumerate(map.getResults())) {
    if (auto d = dyn_cast<AffineDimExpr>(e)) {
      loops[d.getPosition()] = dims[i];
    }
  }
  if (!isReduction(def) || seen_.contains(def)) {
    return loops;
  }
  ++kernel_.shape.passCount;
  llvm::SmallDenseSet<int64_t> used;
  for (const DimUse &use : loops) {
    used.insert(use.loop);
    used.insert(use.inner);
  }
  for (size_t i = 0; i < kernel_.shape.rootLoops; ++i) {
    if (!used.contains(static_cast<int64_t>(i))) {
      late_.insert(static_cast<int64_t>(i));
    }
  }
  SmallVector<utils::IteratorType> kinds = producer.getIteratorTypesArray();
  for (auto [i, kind] : llvm::enumerate(kinds)) {
    if (kind == utils::IteratorType::reduction) {
      loops[i] = passLoop(def, i, loops[i].window);
    }
  }
  return loops;
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
      bool isNew = inputs_.insert({v, forms_->isElementForm(operand)}).second;
      if (!llvm::isa<PadOp>(op) && isNew) {
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
    KILN_RETURN_IF_ERROR(addOp(def, producerUses(def, dims)));
  }
  return Status::ok();
}

} // namespace

Result<VectorKernel> matchVector(func::FuncOp func, Operation *root) {
  return KernelReader(func, root).read();
}

} // namespace kiln::npu
