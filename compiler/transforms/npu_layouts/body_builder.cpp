// SPDX-License-Identifier: Apache-2.0
#include "compiler/transforms/npu_layouts/body_builder.h"

#include "compiler/transforms/npu_layouts/body_context.h"
#include "compiler/transforms/npu_layouts/narrow_bodies.h"
#include "isa/codec/machine_types.h"
#include "isa/support/units.h"

#include "mlir/IR/Matchers.h"

using namespace mlir;

namespace kiln::npu {

RankedTensorType imageType(RankedTensorType logical) {
  Type e = logical.getElementType();
  int64_t c0 = blockOf(e);
  ArrayRef<int64_t> s = logical.getShape();
  return RankedTensorType::get({ceilTo(s[1], c0) / c0, s[0], s[2], s[3], c0},
                               e);
}

namespace {

/// The operation other than fills, pads and constants that comes first.
Operation *rootOf(func::FuncOp f) {
  for (Operation &op : f.getBody().front()) {
    if (llvm::isa<linalg::LinalgOp>(op) && !llvm::isa<linalg::FillOp>(op)) {
      return &op;
    }
  }
  return nullptr;
}

bool isElementwise(linalg::GenericOp op) {
  return op.getNumParallelLoops() == op.getNumLoops() &&
         op.getIndexingMapsArray().back().isIdentity() &&
         op.getNumResults() == 1;
}

Value skipExt(Value v) {
  if (auto ext = v.getDefiningOp<arith::ExtFOp>()) {
    return ext.getIn();
  }
  return v;
}

/// Adds a vector along `channelDim` to the root's value and nothing else uses
/// that value.
void findBias(Epilogue &e, unsigned channelDim) {
  if (!e.value.hasOneUse()) {
    return;
  }
  auto add = dyn_cast<arith::AddFOp>(*e.value.getUsers().begin());
  if (!add) {
    return;
  }
  Value other = skipExt(add.getLhs() == e.value ? add.getRhs() : add.getLhs());
  auto arg = dyn_cast<BlockArgument>(other);
  if (!arg || arg.getOwner() != e.op.getBody() ||
      arg.getArgNumber() >= e.op.getNumDpsInputs()) {
    return;
  }
  OpOperand *operand = e.op.getDpsInputOperand(arg.getArgNumber());
  AffineMap map = e.op.getMatchingIndexingMap(operand);
  if (map.getNumResults() != 1 || !map.isProjectedPermutation() ||
      map.getDimPosition(0) != channelDim ||
      !llvm::isa<BlockArgument>(operand->get())) {
    return;
  }
  e.bias = operand->get();
  e.biasAdd = add;
}

bool isFix(Epilogue e) {
  unsigned others = 0;
  for (OpOperand *operand : e.op.getDpsInputOperands()) {
    others += operand->get() != e.bias;
  }
  if (others != 1) {
    return false;
  }
  Value expected = e.biasAdd ? e.biasAdd->getResult(0) : e.value;
  bool scaled = false, activated = false;
  for (Operation &op : e.op.getBody()->without_terminator()) {
    if (&op == e.biasAdd || llvm::isa<arith::ExtFOp, arith::ConstantOp>(op)) {
      continue;
    }
    if (op.getOperand(0) != expected) {
      return false;
    }
    Attribute constant;
    bool known = op.getNumOperands() == 2 &&
                 matchPattern(op.getOperand(1), m_Constant(&constant));
    if (llvm::isa<arith::MulFOp>(op) && known && !scaled && !activated &&
        !e.bias) {
      scaled = true;
    } else if (llvm::isa<arith::MaximumFOp>(op) && !activated &&
               matchPattern(op.getOperand(1), m_AnyZeroFloat())) {
      activated = true;
    } else if (!llvm::isa<arith::TruncFOp>(op)) {
      return false;
    }
    expected = op.getResult(0);
  }
  return e.op.getBody()->getTerminator()->getOperand(0) == expected;
}

/// Whether an epilogue or elementwise operand has a form in blocks.
bool fitsBlocks(AffineMap map, bool oneImage) {
  if (map.isIdentity() || map.getNumResults() == 0) {
    return true;
  }
  if (!map.isProjectedPermutation()) {
    return false;
  }
  if (map.getNumResults() == 1 && map.getDimPosition(0) == 1) {
    return true; // channels
  }
  return oneImage && map.getNumResults() == 2 && map.getDimPosition(0) == 2 &&
         map.getDimPosition(1) == 3;
}

bool epilogueFitsBlocks(linalg::GenericOp op) {
  if (!op) {
    return true;
  }
  RankedTensorType out = typeOf(op.getResult(0));
  return out.getRank() == 4 &&
         llvm::all_of(op.getDpsInputOperands(), [&](OpOperand *o) {
           return fitsBlocks(op.getMatchingIndexingMap(o),
                             out.getDimSize(0) == 1);
         });
}

} // namespace

Epilogue epilogueOf(Operation *root, unsigned channelDim) {
  Epilogue e;
  Value result = root->getResult(0);
  if (!result.hasOneUse()) {
    return e;
  }
  e.op = dyn_cast<linalg::GenericOp>(*result.getUsers().begin());
  if (!e.op) {
    return e;
  }
  for (OpOperand *operand : e.op.getDpsInputOperands()) {
    if (operand->get() == result) {
      e.value = e.op.getMatchingBlockArgument(operand);
    }
  }
  findBias(e, channelDim);
  e.fixDoesIt = isFix(e);
  return e;
}

DispatchKind kindOf(func::FuncOp f) {
  Operation *root = rootOf(f);
  if (!root) {
    return DispatchKind::kPlain;
  }
  if (llvm::isa<linalg::Conv2DNchwFchwOp>(root)) {
    return DispatchKind::kConv;
  }
  if (llvm::isa<linalg::DepthwiseConv2DNchwChwOp>(root)) {
    return DispatchKind::kDepthwise;
  }
  if (llvm::isa<linalg::PoolingNchwMaxOp, linalg::PoolingNchwSumOp>(root)) {
    return DispatchKind::kPool;
  }
  if (llvm::isa<linalg::MatmulOp, linalg::BatchMatmulOp>(root)) {
    return DispatchKind::kMatmul;
  }
  return DispatchKind::kPlain;
}

bool canBeBlocked(func::FuncOp f) {
  auto generic = dyn_cast_or_null<linalg::GenericOp>(rootOf(f));
  return generic && isElementwise(generic) && epilogueFitsBlocks(generic) &&
         f.getBody().front().getTerminator()->getOperand(0) ==
             generic.getResult(0) &&
         llvm::all_of(generic.getDpsInputs(),
                      [](Value v) { return llvm::isa<BlockArgument>(v); });
}

static void setForm(SmallVector<ArgForm> &forms, Value v, ArgForm form) {
  if (auto pad = v.getDefiningOp<tensor::PadOp>()) {
    v = pad.getSource();
  }
  if (auto arg = dyn_cast<BlockArgument>(v)) {
    forms[arg.getArgNumber()] = form;
  }
}

/// Full-rank operands are images, vectors along the channels are rounded up.
static LogicalResult setEpilogueForms(SmallVector<ArgForm> &forms,
                                      const Epilogue &e) {
  linalg::GenericOp op = e.op;
  if (!op) {
    return success();
  }
  if (!epilogueFitsBlocks(op)) {
    return failure();
  }
  for (OpOperand *o : op.getDpsInputOperands()) {
    AffineMap map = op.getMatchingIndexingMap(o);
    if (map.isIdentity()) {
      setForm(forms, o->get(), ArgForm::kResultImage);
    } else if (map.getNumResults() == 1) {
      setForm(forms, o->get(),
              o->get() == e.bias ? ArgForm::kBias : ArgForm::kChannels);
    }
  }
  return success();
}

std::optional<unsigned> separateWeights(func::FuncOp f, DispatchKind kind) {
  const bool hasWeights = kind == DispatchKind::kMatmul ||
                          kind == DispatchKind::kConv ||
                          kind == DispatchKind::kDepthwise;
  if (!hasWeights) {
    return std::nullopt;
  }
  OpOperand &weights = rootOf(f)->getOpOperand(1);
  auto shared = dyn_cast<BlockArgument>(weights.get());
  if (!shared || shared.hasOneUse()) {
    return std::nullopt;
  }
  const unsigned number = f.getNumArguments();
  if (failed(f.insertArgument(number, shared.getType(), {}, shared.getLoc()))) {
    return std::nullopt;
  }
  weights.set(f.getArgument(number));
  return shared.getArgNumber();
}

FailureOr<SmallVector<ArgForm>> formsOf(func::FuncOp f, DispatchKind kind) {
  SmallVector<ArgForm> forms(f.getNumArguments(), ArgForm::kPlain);
  Operation *root = rootOf(f);
  switch (kind) {
  case DispatchKind::kPlain:
    return forms;
  case DispatchKind::kBlockedElementwise:
    if (failed(
            setEpilogueForms(forms, {cast<linalg::GenericOp>(root), {}, {}}))) {
      return failure();
    }
    return forms;
  case DispatchKind::kMatmul: {
    bool batched = llvm::isa<linalg::BatchMatmulOp>(root);
    Epilogue e = epilogueOf(root, batched ? 2 : 1);
    if (e.bias) {
      setForm(forms, e.bias, ArgForm::kFloat);
    }
    setForm(forms, root->getOperand(1), ArgForm::kColumns);
    return forms;
  }
  default:
    break;
  }
  bool accumulates = kind == DispatchKind::kConv;
  if (failed(setEpilogueForms(forms,
                              epilogueOf(root, accumulates ? 1 : kNoBias)))) {
    return failure();
  }
  setForm(forms, root->getOperand(0), ArgForm::kImage);
  if (kind == DispatchKind::kConv) {
    setForm(forms, root->getOperand(1), ArgForm::kConvWeights);
  } else if (kind == DispatchKind::kDepthwise) {
    setForm(forms, root->getOperand(1), ArgForm::kWindowWeights);
  }
  return forms;
}

RankedTensorType resultType(func::FuncOp f, DispatchKind kind) {
  auto logical = cast<RankedTensorType>(f.getResultTypes()[0]);
  bool plain = kind == DispatchKind::kPlain || kind == DispatchKind::kMatmul;
  return plain ? logical : imageType(logical);
}

tensor::PadOp imagePad(func::FuncOp f) {
  return rootOf(f)->getOperand(0).getDefiningOp<tensor::PadOp>();
}

int64_t stripWidth(func::FuncOp f, int64_t l1Bytes) {
  auto conv = cast<linalg::Conv2DNchwFchwOp>(rootOf(f));
  auto at = [](DenseIntElementsAttr list, unsigned i) {
    return list.getValues<int64_t>()[i];
  };
  ArrayRef<int64_t> in = typeOf(conv.getInputs()[0]).getShape();
  ArrayRef<int64_t> w = typeOf(conv.getInputs()[1]).getShape();
  ArrayRef<int64_t> out = typeOf(conv.getResult(0)).getShape();
  int64_t rows = (w[2] - 1) * at(conv.getDilations(), 0) + 2;
  int64_t reach = (w[3] - 1) * at(conv.getDilations(), 1) + 1;
  int64_t stride = at(conv.getStrides(), 1);
  // Two slots of one channel block of the window's rows; weights get the rest.
  int64_t columns = l1Bytes / 4 / (std::min(rows, in[2]) * isa::kBlockBytes);
  constexpr int64_t kMaxWidth = 65535; // fields of im2col
  columns = std::min(columns, kMaxWidth);
  if (l1Bytes == 0 || in[3] <= columns) {
    return 0;
  }
  int64_t strip = std::max<int64_t>((columns - reach) / stride + 1, 1);
  constexpr int64_t kRows = isa::kCellRows;
  strip = strip > kRows ? strip / kRows * kRows : strip;
  return std::min(strip, out[3]);
}

static LogicalResult buildKind(BodyContext &c, DispatchKind kind) {
  switch (kind) {
  case DispatchKind::kConv:
    return buildConv(c);
  case DispatchKind::kDepthwise:
  case DispatchKind::kPool:
    return buildWindow(c);
  case DispatchKind::kMatmul:
    return buildMatmul(c);
  case DispatchKind::kBlockedElementwise:
    return buildBlockedElementwise(c);
  case DispatchKind::kPlain:
    return buildPlain(c);
  }
  return failure();
}

LogicalResult buildBody(func::FuncOp logical, DispatchKind kind,
                        func::FuncOp physical, int64_t strip) {
  BodyContext c(logical, physical, rootOf(logical));
  c.strip = strip;
  if (failed(buildKind(c, kind))) {
    return failure();
  }
  physical.walk([](linalg::GenericOp op) { narrowToHalf(op); });
  return success();
}

} // namespace kiln::npu
