// SPDX-License-Identifier: Apache-2.0
#include "compiler/transforms/npu_schedule/contraction.h"

#include "compiler/dialect/npu/NpuBodies.h"
#include "compiler/dialect/npu/NpuOps.h"
#include "compiler/transforms/npu_schedule/vector.h"
#include "compiler/transforms/npu_schedule/vector_group.h"

using namespace mlir;

namespace kiln::npu {

using isa::Space;
using schedule::ContractionShape;
using schedule::Level;
using schedule::Schedule;

namespace {

int64_t roundUp(int64_t a, int64_t b) { return (a + b - 1) / b * b; }

linalg::MatmulOp findMatmul(func::FuncOp func) {
  linalg::MatmulOp found;
  func.walk([&](linalg::MatmulOp op) { found = op; });
  return found;
}

int64_t blockOf(Value v) { return isa::kBlockBytes / elementBytes(v); }

/// What describes the image of a convolution; leaves c1 at 0 for a matrix.
void describeImage(Value a, ContractionShape &shape) {
  auto im2col = skipCasts(a).getDefiningOp<Im2colOp>();
  if (!im2col) {
    return;
  }
  auto image = cast<ShapedType>(im2col.getSource().getType());
  constexpr int64_t kAnyHeight = 1 << 16;
  shape.rowUnit = im2col.getOw();
  shape.c1 = image.getDimSize(0);
  shape.kUnit =
      im2col.getKernel()[0] * im2col.getKernel()[1] * image.getDimSize(3);
  shape.height = image.isDynamicDim(1) ? kAnyHeight : image.getDimSize(1);
  shape.width = image.getDimSize(2);
  shape.kernelHeight = im2col.getKernel()[0];
  shape.strideHeight = im2col.getStride()[0];
  shape.dilationHeight = im2col.getDilation()[0];
}

/// UB bytes per element of C when V finishes the result: what FIX leaves, the
/// other inputs and the result, two tiles each, and the body's temporaries.
int64_t epilogueBytes(linalg::GenericOp root) {
  int64_t bytes = 0;
  for (Value operand : root->getOperands()) {
    if (llvm::isa<ShapedType>(operand.getType())) {
      bytes += 2 * elementBytes(operand);
    }
  }
  return bytes + temporaryBytes(*root.getBody());
}

/// The matmul is read by the root itself, or by the FIX generic before it.
bool isFixRoot(linalg::GenericOp root) {
  return skipCasts(root.getDpsInputs()[0]).getDefiningOp<linalg::MatmulOp>() !=
         nullptr;
}

/// Sizes (m, n) in the loops of the root.
SmallVector<int64_t> rootSizes(const ContractionKernel &k, int64_t m,
                               int64_t n) {
  if (k.blockedBy == 0) {
    return {m, n};
  }
  return {(n + k.blockedBy - 1) / k.blockedBy, m, 0};
}

/// The interchange of an order of (m, n) in the loops of the root.
SmallVector<int64_t> rootOrder(const ContractionKernel &k,
                               ArrayRef<int64_t> order) {
  bool rowsOuter = order.empty() || order[0] == 0;
  if (k.blockedBy == 0) {
    return rowsOuter ? SmallVector<int64_t>{0, 1} : SmallVector<int64_t>{1, 0};
  }
  return rowsOuter ? SmallVector<int64_t>{1, 0, 2}
                   : SmallVector<int64_t>{0, 1, 2};
}

class Applier {
public:
  Applier(const ContractionKernel &kernel, const Schedule &schedule,
          ScheduleTools &tools)
      : kernel_(kernel), shape_(kernel.shape), schedule_(schedule),
        tools_(tools), rewriter_(tools.rewriter()),
        l1_(schedule.level("l1")->tile), l0_(schedule.level("l0")->tile) {}

  LogicalResult run();

private:
  linalg::GenericOp root() { return cast<linalg::GenericOp>(tools_.root()); }
  linalg::MatmulOp matmul() { return findMatmul(kernel_.func); }
  int64_t depth(StringRef operand, Space space) {
    return schedule_.depth(std::string_view(operand), space);
  }
  bool splitsK() const { return l1_[2] < shape_.k; }
  /// The image is cut in C1: its slices are loaded in the loop over k.
  bool slicesImage() const {
    return schedule_.places("slice", Space::L1) && splitsK();
  }
  void setByRows(bool on);
  void setByChannels(bool on);
  LogicalResult placeL1(bool matrices);
  LogicalResult placeMatrix(OpOperand &operand, StringRef name, int64_t x);
  LogicalResult placeImage(Im2colOp im2col);
  LogicalResult placeBias();
  LogicalResult placeAccumulator();
  LogicalResult tileK(int64_t k);
  LogicalResult placeL0();
  LogicalResult placeInit(DestinationStyleOpInterface op,
                          const TilePlace &place);
  LogicalResult placeEpilogue();

  const ContractionKernel &kernel_;
  const ContractionShape &shape_;
  const Schedule &schedule_;
  ScheduleTools &tools_;
  IRRewriter &rewriter_;
  std::vector<int64_t> l1_, l0_;
  int64_t imageRows_ = schedule_.level("l1")->tile[0];
  bool imagePlaced_ = false;
};

void Applier::setByRows(bool on) {
  func::FuncOp(kernel_.func).walk([&](Im2colOp op) { op.setByRows(on); });
}

void Applier::setByChannels(bool on) {
  func::FuncOp(kernel_.func).walk([&](Im2colOp op) { op.setByChannels(on); });
}

LogicalResult Applier::run() {
  const Level *cores = schedule_.level("cores"), *l1 = schedule_.level("l1");
  setByRows(true);
  if (failed(tools_.tileAndFuse(
          root(), rootSizes(kernel_, cores->tile[0], cores->tile[1]),
          LoopKind::kBlocks)) ||
      failed(tools_.cleanup())) {
    return failure();
  }
  if (failed(tools_.tileAndFuse(root(), rootSizes(kernel_, l1_[0], l1_[1]),
                                LoopKind::kLoop,
                                rootOrder(kernel_, l1->order))) ||
      failed(tools_.cleanup())) {
    return failure();
  }
  tools_.hoist();
  setByRows(false);
  if (failed(placeL1(!splitsK())) || failed(placeBias()) ||
      failed(tools_.cleanup())) {
    return failure();
  }
  if (failed(tools_.tileAndFuse(root(), rootSizes(kernel_, l0_[0], l0_[1]),
                                LoopKind::kLoop)) ||
      failed(tools_.cleanup()) || failed(placeAccumulator())) {
    return failure();
  }
  if (splitsK()) {
    l1_[0] = std::min(l1_[0], l0_[0]);
    l1_[1] = std::min(l1_[1], l0_[1]);
    setByChannels(slicesImage());
    if (failed(tileK(l1_[2])) || failed(placeL1(true))) {
      return failure();
    }
    setByChannels(false);
  }
  if (failed(tileK(l0_[2])) || failed(placeL0()) || failed(placeEpilogue())) {
    return failure();
  }
  return tools_.cleanup();
}

/// The image always; the matrices when `matrices` (their k range is final).
LogicalResult Applier::placeL1(bool matrices) {
  linalg::MatmulOp op = matmul();
  Value a = skipCasts(op.getDpsInputs()[0]);
  if (auto im2col = a.getDefiningOp<Im2colOp>()) {
    bool now = slicesImage() ? matrices : !imagePlaced_;
    if (now && failed(placeImage(im2col))) {
      return failure();
    }
    imagePlaced_ |= now;
  } else if (matrices && failed(placeMatrix(a.getDefiningOp()->getOpOperand(0),
                                            "a", l1_[0]))) {
    return failure();
  }
  if (!matrices) {
    return success();
  }
  Value b = skipCasts(op.getDpsInputs()[1]);
  return placeMatrix(b.getDefiningOp()->getOpOperand(0), "b", l1_[1]);
}

LogicalResult Applier::placeImage(Im2colOp im2col) {
  auto source = cast<RankedTensorType>(im2col.getSource().getType());
  int64_t reach = (shape_.kernelHeight - 1) * shape_.dilationHeight + 1;
  int64_t rows =
      (imageRows_ / shape_.rowUnit - 1) * shape_.strideHeight + reach;
  bool sliced = slicesImage();
  int64_t blocks =
      sliced ? (l1_[2] + shape_.kUnit - 1) / shape_.kUnit : shape_.c1;
  TilePlace place{"image",
                  Space::L1,
                  depth(sliced ? "slice" : "a", Space::L1),
                  {blocks, std::min(rows, shape_.height), shape_.width,
                   source.getDimSize(3)}};
  im2col->setAttr(kPlacedAttr, rewriter_.getUnitAttr());
  LogicalResult done = tools_.copyIn(im2col.getSourceMutable(), place);
  im2col->removeAttr(kPlacedAttr);
  return done;
}

/// The blocked matrix [k1, x, C0] that an unpack reads: a slice of GM is
/// copied; a pack from row-major writes the tile itself (ld.nz).
LogicalResult Applier::placeMatrix(OpOperand &operand, StringRef name,
                                   int64_t x) {
  Value source = skipCasts(operand.get());
  int64_t c0 = blockOf(source);
  auto unpack = cast<UnpackOp>(operand.getOwner());
  bool byRows = &operand.getOwner()->getOpOperand(0) == &operand &&
                unpack.getKind() == "rows";
  bool isB = name == "b";
  // B from row-major [K, N]: blocks along n, rows are k.
  int64_t blocks = isB && byRows ? x : l1_[2],
          rows = isB && byRows ? l1_[2] : x;
  TilePlace place{name.str(),
                  Space::L1,
                  depth(name, Space::L1),
                  {(blocks + c0 - 1) / c0, roundUp(rows, isa::kCellRows), c0}};
  if (auto pack = source.getDefiningOp<PackOp>()) {
    return placeInit(pack, place);
  }
  return tools_.copyIn(operand, place);
}

LogicalResult Applier::placeInit(DestinationStyleOpInterface op,
                                 const TilePlace &place) {
  OpOperand &init = *op.getDpsInitOperand(0);
  rewriter_.setInsertionPoint(op);
  Value tile = tools_.place(op.getLoc(), init.get(), place);
  Type before = init.get().getType();
  if (tile.getType() != before) {
    tile = tensor::CastOp::create(rewriter_, op.getLoc(), before, tile);
  }
  rewriter_.modifyOpInPlace(op, [&] {
    init.set(tile);
    op->setAttr(kPlacedAttr, rewriter_.getUnitAttr());
  });
  return success();
}

LogicalResult Applier::placeBias() {
  auto broadcast =
      skipCasts(matmul().getDpsInits()[0]).getDefiningOp<linalg::BroadcastOp>();
  if (!broadcast) {
    return success();
  }
  TilePlace place{"bias",
                  Space::L1,
                  depth("bias", Space::L1),
                  {roundUp(l1_[1], isa::kCellRows)}};
  return tools_.copyIn(broadcast.getInputMutable(), place);
}

/// The init chain of the matmul (fill or broadcast) writes L0C.
LogicalResult Applier::placeAccumulator() {
  auto init = skipCasts(matmul().getDpsInits()[0])
                  .getDefiningOp<DestinationStyleOpInterface>();
  if (!init) {
    return matmul().emitError("accumulator is neither filled nor broadcast");
  }
  TilePlace place{
      "acc",
      Space::L0C,
      depth("acc", Space::L0C),
      {roundUp(l0_[0], isa::kCellRows), roundUp(l0_[1], isa::kCellRows)}};
  return placeInit(init, place);
}

/// Cuts k and pulls im2col, unpack and pack into the loop, nothing else: bias
/// and fill stay before it.
LogicalResult Applier::tileK(int64_t k) {
  return tools_.cutReduction(matmul(), {0, 0, k}, [](Operation *producer) {
    return !producer->hasAttr(kPlacedAttr) &&
           llvm::isa<Im2colOp, UnpackOp, PackOp>(producer);
  });
}

/// The operation that makes an operand of the matmul is the move to L0.
LogicalResult Applier::placeL0() {
  linalg::MatmulOp op = matmul();
  int64_t k = roundUp(l0_[2], blockOf(op.getDpsInputs()[0]));
  auto a = skipCasts(op.getDpsInputs()[0])
               .getDefiningOp<DestinationStyleOpInterface>();
  auto b = skipCasts(op.getDpsInputs()[1])
               .getDefiningOp<DestinationStyleOpInterface>();
  int64_t m = roundUp(l0_[0], isa::kCellRows);
  int64_t n = roundUp(l0_[1], isa::kCellRows);
  return success(succeeded(placeInit(
                     a, {"a0", Space::L0A, depth("a", Space::L0A), {m, k}})) &&
                 succeeded(placeInit(
                     b, {"b0", Space::L0B, depth("b", Space::L0B), {k, n}})));
}

/// V finishes the result: FIX to UB, the other inputs and the result in UB,
/// one copy to the slice in GM at the end.
LogicalResult Applier::placeEpilogue() {
  linalg::GenericOp op = root();
  if (shape_.epilogueBytes == 0) {
    return success();
  }
  return placeVectorOperands(tools_, op);
}

} // namespace

std::optional<ContractionKernel> matchContraction(func::FuncOp func) {
  SmallVector<linalg::MatmulOp> found;
  linalg::GenericOp root;
  func.walk([&](Operation *op) {
    if (auto matmul = dyn_cast<linalg::MatmulOp>(op)) {
      found.push_back(matmul);
    }
    if (op->hasAttr(kRootAttr)) {
      root = dyn_cast<linalg::GenericOp>(op);
    }
  });
  if (found.size() != 1 || !root) {
    return std::nullopt;
  }
  linalg::MatmulOp matmul = found.front();
  Value a = matmul.getDpsInputs()[0];
  auto aType = cast<ShapedType>(a.getType());
  auto bType = cast<ShapedType>(matmul.getDpsInputs()[1].getType());
  ContractionKernel k{func, {}, 0};
  k.shape.m = aType.getDimSize(0);
  k.shape.k = aType.getDimSize(1);
  k.shape.n = bType.getDimSize(1);
  k.shape.elementBytes = elementBytes(a);
  auto out = cast<ShapedType>(root.getDpsInits()[0].getType());
  k.shape.outBytes = out.getElementTypeBitWidth() / 8;
  k.blockedBy = out.getRank() == 3 ? out.getDimSize(2) : 0;
  k.shape.hasBias =
      matmul.getDpsInits()[0].getDefiningOp<linalg::BroadcastOp>() != nullptr;
  describeImage(a, k.shape);
  if (!isFixRoot(root)) {
    k.shape.epilogueBytes = epilogueBytes(root);
  }
  return k;
}

LogicalResult applyContraction(const ContractionKernel &kernel,
                               const Schedule &schedule, ScheduleTools &tools) {
  if (!schedule.level("cores") || !schedule.level("l1") ||
      !schedule.level("l0")) {
    return func::FuncOp(kernel.func)
        .emitError("the schedule of a contraction needs the "
                   "levels cores, l1 and l0");
  }
  return Applier(kernel, schedule, tools).run();
}

} // namespace kiln::npu
