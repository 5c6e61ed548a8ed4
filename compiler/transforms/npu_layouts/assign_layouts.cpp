// SPDX-License-Identifier: Apache-2.0
#include "compiler/dialect/npu/NpuOps.h"
#include "compiler/dialect/plan/plan_dialect.h"
#include "compiler/transforms/npu_layouts/body_builder.h"
#include "compiler/transforms/npu_layouts/body_context.h"
#include "compiler/transforms/npu_layouts/layouts.h"
#include "compiler/transforms/npu_schedule/tiling.h"

#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/IR/BuiltinOps.h"

using namespace mlir;

namespace kiln::npu {

namespace {

using Shape = SmallVector<int64_t>;

/// Values of one plan function in the layouts that were asked for.
class Assigner {
public:
  Assigner(plan::FuncOp func, SymbolTable &symbols, int64_t l1Bytes)
      : func_(func), symbols_(symbols), l1Bytes_(l1Bytes),
        b_(func.getContext()) {}

  LogicalResult run();

private:
  LogicalResult rewrite(plan::DispatchOp op);
  DispatchKind choose(plan::DispatchOp op, func::FuncOp body);
  FailureOr<Value> inForm(Value v, ArgForm form, RankedTensorType result);
  Value blockedOf(Value v);
  Value plainOf(Value v);
  bool isBlocked(Value v) const { return blocked_.contains(v); }
  /// Of a custom operator: its program takes row-major tensors.
  bool isFinished(plan::DispatchOp op) const {
    return symbols_.lookup<func::FuncOp>(op.getCallee()).isDeclaration();
  }

  // Steps of a constant's recipe, or a view or dispatch for a run-time value.
  FailureOr<Value> cast(Value v, Type element);
  FailureOr<Value> pad(Value v, ArrayRef<int64_t> shape);
  FailureOr<Value> transpose(Value v, ArrayRef<int64_t> permutation);
  Value reshape(Value v, ArrayRef<int64_t> shape);
  Value constantStep(Value v, StringRef kind, RankedTensorType type,
                     ArrayRef<NamedAttribute> params);

  FailureOr<Value> columnsOf(Value v);
  FailureOr<Value> convWeightsOf(Value v);
  FailureOr<Value> windowWeightsOf(Value v);
  /// A blocked image with the columns of a convolution's pad around it.
  FailureOr<Value> withBorder(Value v, tensor::PadOp pad);

  /// A dispatch of a new function with one argument; `fill` writes its body.
  FailureOr<Value> dispatch(Value v, RankedTensorType type, StringRef suffix,
                            function_ref<LogicalResult(func::FuncOp)> fill);
  /// The same from a logical body of one operation.
  FailureOr<Value> movement(Value v, RankedTensorType type, StringRef suffix,
                            function_ref<Value(OpBuilder &, Value)> make);
  func::FuncOp createFunction(StringRef name, TypeRange inputs, Type result,
                              Location loc);
  std::string nameFor(Value v, StringRef suffix);
  void insertAfter(Value v);

  plan::FuncOp func_;
  SymbolTable &symbols_;
  int64_t l1Bytes_;
  OpBuilder b_;
  llvm::DenseMap<Value, Value> blocked_, plain_;
  llvm::DenseMap<std::pair<Value, int>, Value> forms_;
};

void Assigner::insertAfter(Value v) {
  if (Operation *def = v.getDefiningOp()) {
    b_.setInsertionPointAfter(def);
  } else {
    b_.setInsertionPointToStart(v.getParentBlock());
  }
}

std::string Assigner::nameFor(Value v, StringRef suffix) {
  std::string base = "input";
  if (auto op = v.getDefiningOp<plan::DispatchOp>()) {
    base = op.getCallee().str();
  }
  std::string name = base + "_" + suffix.str();
  for (int i = 1; symbols_.lookup(name); ++i) {
    name = base + "_" + suffix.str() + "_" + std::to_string(i);
  }
  return name;
}

func::FuncOp Assigner::createFunction(StringRef name, TypeRange inputs,
                                      Type result, Location loc) {
  OpBuilder outer(func_.getContext());
  outer.setInsertionPointToEnd(func_->getBlock());
  auto f = func::FuncOp::create(outer, loc, name,
                                outer.getFunctionType(inputs, {result}));
  f.setPrivate();
  f->setAttr(plan::PlanDialect::kDispatchAttr, outer.getUnitAttr());
  symbols_.insert(f);
  f.addEntryBlock();
  return f;
}

FailureOr<Value>
Assigner::dispatch(Value v, RankedTensorType type, StringRef suffix,
                   function_ref<LogicalResult(func::FuncOp)> fill) {
  OpBuilder::InsertionGuard guard(b_);
  insertAfter(v);
  func::FuncOp f =
      createFunction(nameFor(v, suffix), v.getType(), type, v.getLoc());
  if (failed(fill(f))) {
    return failure();
  }
  return plan::DispatchOp::create(b_, v.getLoc(), TypeRange{type},
                                  f.getSymName(), v)
      .getResult(0);
}

FailureOr<Value>
Assigner::movement(Value v, RankedTensorType type, StringRef suffix,
                   function_ref<Value(OpBuilder &, Value)> make) {
  return dispatch(v, type, suffix, [&](func::FuncOp f) -> LogicalResult {
    // The logical body lives in a function of its own for a moment.
    OpBuilder outer(func_.getContext());
    OwningOpRef<func::FuncOp> logical(
        func::FuncOp::create(f.getLoc(), "logical", f.getFunctionType()));
    Block *block = logical->addEntryBlock();
    outer.setInsertionPointToEnd(block);
    func::ReturnOp::create(outer, f.getLoc(),
                           make(outer, block->getArgument(0)));
    return buildBody(*logical, DispatchKind::kPlain, f);
  });
}

//===- recipes ------------------------------------------------------------===//

Value Assigner::constantStep(Value v, StringRef kind, RankedTensorType type,
                             ArrayRef<NamedAttribute> params) {
  auto constant = v.getDefiningOp<plan::ConstOp>();
  if (!constant) {
    return {};
  }
  OpBuilder::InsertionGuard guard(b_);
  b_.setInsertionPointAfter(constant);
  auto copy = llvm::cast<plan::ConstOp>(b_.clone(*constant));
  copy.appendStep(kind, type, params);
  return copy.getResult();
}

Value Assigner::reshape(Value v, ArrayRef<int64_t> shape) {
  auto type = RankedTensorType::get(shape, typeOf(v).getElementType());
  if (type == v.getType()) {
    return v;
  }
  if (Value c = constantStep(v, "reshape", type, {})) {
    return c;
  }
  OpBuilder::InsertionGuard guard(b_);
  insertAfter(v);
  return plan::SliceOp::create(b_, v.getLoc(), type, v, 0);
}

FailureOr<Value> Assigner::cast(Value v, Type element) {
  auto type = typeOf(v).clone(element);
  if (type == v.getType()) {
    return v;
  }
  if (Value c = constantStep(v, "cast", type, {})) {
    return c;
  }
  return movement(v, type, "cast", [&](OpBuilder &b, Value x) -> Value {
    Value init =
        tensor::EmptyOp::create(b, x.getLoc(), type.getShape(), element);
    AffineMap identity = b.getMultiDimIdentityMap(type.getRank());
    SmallVector<utils::IteratorType> loops(type.getRank(),
                                           utils::IteratorType::parallel);
    return linalg::GenericOp::create(
               b, x.getLoc(), type, x, init,
               ArrayRef<AffineMap>{identity, identity}, loops,
               [&](OpBuilder &bb, Location loc, ValueRange a) {
                 bool wider = element.getIntOrFloatBitWidth() >
                              a[0].getType().getIntOrFloatBitWidth();
                 Value y =
                     wider
                         ? Value(arith::ExtFOp::create(bb, loc, element, a[0]))
                         : Value(
                               arith::TruncFOp::create(bb, loc, element, a[0]));
                 linalg::YieldOp::create(bb, loc, y);
               })
        .getResult(0);
  });
}

FailureOr<Value> Assigner::pad(Value v, ArrayRef<int64_t> shape) {
  auto type = RankedTensorType::get(shape, typeOf(v).getElementType());
  if (type == v.getType()) {
    return v;
  }
  Shape begin(shape.size(), 0), end;
  for (auto [to, from] : llvm::zip_equal(shape, typeOf(v).getShape())) {
    end.push_back(to - from);
  }
  if (Value c = constantStep(
          v, "pad", type,
          {b_.getNamedAttr("low", b_.getDenseI64ArrayAttr(begin)),
           b_.getNamedAttr("high", b_.getDenseI64ArrayAttr(end))})) {
    return c;
  }
  return movement(v, type, "pad", [&](OpBuilder &b, Value x) -> Value {
    Value zero = arith::ConstantOp::create(
        b, x.getLoc(), b.getFloatAttr(type.getElementType(), 0));
    SmallVector<OpFoldResult> low, high;
    for (int64_t e : end) {
      low.push_back(b.getIndexAttr(0));
      high.push_back(b.getIndexAttr(e));
    }
    return tensor::PadOp::create(b, x.getLoc(), type, x, low, high, zero);
  });
}

FailureOr<Value> Assigner::transpose(Value v, ArrayRef<int64_t> permutation) {
  Shape shape;
  for (int64_t d : permutation) {
    shape.push_back(typeOf(v).getDimSize(d));
  }
  auto type = RankedTensorType::get(shape, typeOf(v).getElementType());
  if (Value c = constantStep(
          v, "transpose", type,
          {b_.getNamedAttr("permutation",
                           b_.getDenseI64ArrayAttr(permutation))})) {
    return c;
  }
  return movement(v, type, "transpose", [&](OpBuilder &b, Value x) -> Value {
    Value init =
        tensor::EmptyOp::create(b, x.getLoc(), shape, type.getElementType());
    return linalg::TransposeOp::create(b, x.getLoc(), x, init, permutation)
        ->getResult(0);
  });
}

FailureOr<Value> Assigner::convWeightsOf(Value v) {
  ArrayRef<int64_t> s = typeOf(v).getShape(); // F, C, KH, KW
  int64_t c0 = blockOf(typeOf(v).getElementType());
  int64_t n = ceilTo(s[0], isa::kCellRows), c1 = ceilTo(s[1], c0) / c0;
  Shape k{s[2], s[3]};
  FailureOr<Value> w = pad(v, {n, c1 * c0, k[0], k[1]});
  if (failed(w)) {
    return failure();
  }
  w = transpose(reshape(*w, {n, c1, c0, k[0], k[1]}), {1, 3, 4, 0, 2});
  if (failed(w)) {
    return failure();
  }
  return reshape(*w, {c1 * k[0] * k[1], n, c0});
}

FailureOr<Value> Assigner::windowWeightsOf(Value v) {
  ArrayRef<int64_t> s = typeOf(v).getShape(); // C, KH, KW
  int64_t c0 = blockOf(typeOf(v).getElementType());
  int64_t c1 = ceilTo(s[0], c0) / c0;
  Shape k{s[1], s[2]};
  FailureOr<Value> w = pad(v, {c1 * c0, k[0], k[1]});
  if (failed(w)) {
    return failure();
  }
  return transpose(reshape(*w, {c1, c0, k[0], k[1]}), {0, 2, 3, 1});
}

/// [.., K1, N, C0] of [.., K, N].
FailureOr<Value> Assigner::columnsOf(Value v) {
  Shape s(typeOf(v).getShape());
  size_t rank = s.size();
  int64_t c0 = blockOf(typeOf(v).getElementType());
  int64_t k1 = ceilTo(s[rank - 2], c0) / c0;
  if (v.getDefiningOp<plan::ConstOp>()) {
    int64_t n = ceilTo(s[rank - 1], isa::kCellRows);
    Shape padded(s), split(s);
    padded[rank - 2] = k1 * c0;
    padded[rank - 1] = n;
    split[rank - 2] = k1;
    split[rank - 1] = c0;
    split.push_back(n);
    FailureOr<Value> w = pad(v, padded);
    if (failed(w)) {
      return failure();
    }
    Shape order;
    for (size_t i = 0; i + 2 < rank; ++i) {
      order.push_back(i);
    }
    int64_t at = rank - 2;
    order.append({at, at + 2, at + 1});
    return transpose(reshape(*w, split), order);
  }
  Shape shape(s);
  shape[rank - 2] = k1;
  shape.push_back(c0);
  auto type = RankedTensorType::get(shape, typeOf(v).getElementType());
  return dispatch(v, type, "columns",
                  [&](func::FuncOp f) { return buildBlockBody(f); });
}

//===- layouts ------------------------------------------------------------===//

Value Assigner::blockedOf(Value v) {
  if (Value known = blocked_.lookup(v)) {
    return known;
  }
  RankedTensorType type = imageType(typeOf(v));
  ArrayRef<int64_t> s = typeOf(v).getShape();
  bool pixel = s[0] * s[2] * s[3] == 1;
  Value result;
  if (pixel && s[1] % blockOf(type.getElementType()) == 0) {
    result = reshape(v, type.getShape());
  } else {
    FailureOr<Value> made = dispatch(
        v, type, "block", [](func::FuncOp f) { return buildBlockBody(f); });
    result = succeeded(made) ? *made : Value();
  }
  blocked_[v] = result;
  plain_[v] = v;
  return result;
}

Value Assigner::plainOf(Value v) {
  if (!isBlocked(v)) {
    return v;
  }
  if (Value known = plain_.lookup(v)) {
    return known;
  }
  Value blocked = blocked_[v];
  ArrayRef<int64_t> s = typeOf(v).getShape();
  Value result;
  if (s[0] * s[2] * s[3] == 1) {
    OpBuilder::InsertionGuard guard(b_);
    insertAfter(blocked);
    result = plan::SliceOp::create(b_, v.getLoc(), v.getType(), blocked, 0);
  } else {
    FailureOr<Value> made =
        dispatch(blocked, typeOf(v), "plain",
                 [](func::FuncOp f) { return buildUnblockBody(f); });
    result = succeeded(made) ? *made : Value();
  }
  plain_[v] = result;
  return result;
}

FailureOr<Value> Assigner::inForm(Value v, ArgForm form,
                                  RankedTensorType result) {
  int64_t channelBlock = result.getShape().back();
  bool sameType = typeOf(v).getElementType() == result.getElementType();
  if (form == ArgForm::kResultImage && sameType) {
    form = ArgForm::kImage;
  }
  auto key = std::pair(v, static_cast<int>(form) * 64 +
                              static_cast<int>(channelBlock));
  if (Value known = forms_.lookup(key)) {
    return known;
  }
  Value plain = form == ArgForm::kImage ? v : plainOf(v);
  FailureOr<Value> made = failure();
  switch (form) {
  case ArgForm::kPlain:
    return plain;
  case ArgForm::kImage:
    made = blockedOf(v);
    break;
  case ArgForm::kResultImage:
    made = cast(plain, result.getElementType());
    if (succeeded(made)) {
      made = blockedOf(*made);
    }
    break;
  case ArgForm::kConvWeights:
    made = convWeightsOf(plain);
    break;
  case ArgForm::kWindowWeights:
    made = windowWeightsOf(plain);
    break;
  case ArgForm::kColumns:
    made = columnsOf(plain);
    break;
  case ArgForm::kFloat:
    made = cast(plain, b_.getF32Type());
    break;
  case ArgForm::kBias:
  case ArgForm::kChannels: {
    made = form == ArgForm::kBias ? cast(plain, b_.getF32Type())
                                  : FailureOr<Value>(plain);
    if (succeeded(made)) {
      made = pad(*made, {ceilTo(typeOf(v).getDimSize(0), channelBlock)});
    }
    break;
  }
  }
  if (succeeded(made)) {
    forms_[key] = *made;
  }
  return made;
}

DispatchKind Assigner::choose(plan::DispatchOp op, func::FuncOp body) {
  DispatchKind kind = kindOf(body);
  bool anyBlocked = llvm::any_of(op.getOperands(), [&](Value v) {
    return isBlocked(v) && plain_.lookup(v) != v;
  });
  if (kind == DispatchKind::kPlain && anyBlocked && canBeBlocked(body)) {
    return DispatchKind::kBlockedElementwise;
  }
  return kind;
}

FailureOr<Value> Assigner::withBorder(Value v, tensor::PadOp pad) {
  int64_t left = pad.getStaticLow()[3], right = pad.getStaticHigh()[3];
  if (left == 0 && right == 0) {
    return v;
  }
  Shape shape(typeOf(v).getShape());
  shape[3] += left + right;
  Type element = typeOf(v).getElementType();
  auto type = RankedTensorType::get(shape, element);
  return movement(v, type, "border", [&](OpBuilder &b, Value x) -> Value {
    Value zero =
        arith::ConstantOp::create(b, x.getLoc(), b.getFloatAttr(element, 0));
    SmallVector<OpFoldResult> low(5, b.getIndexAttr(0)), high(low);
    low[3] = b.getIndexAttr(left);
    high[3] = b.getIndexAttr(right);
    return tensor::PadOp::create(b, x.getLoc(), type, x, low, high, zero);
  });
}

LogicalResult Assigner::rewrite(plan::DispatchOp op) {
  auto body = symbols_.lookup<func::FuncOp>(op.getCallee());
  DispatchKind kind = choose(op, body);
  SmallVector<Value> sources(op.getOperands());
  if (auto number = separateWeights(body, kind)) {
    sources.push_back(sources[*number]);
  }
  FailureOr<SmallVector<ArgForm>> forms = formsOf(body, kind);
  if (failed(forms)) {
    return op.emitError("an operand of the operations after '")
           << op.getCallee() << "' has no form in channel blocks";
  }
  RankedTensorType type = resultType(body, kind);
  SmallVector<Value> operands;
  for (auto [v, form] : llvm::zip_equal(sources, *forms)) {
    FailureOr<Value> converted = inForm(v, form, type);
    if (failed(converted) || !*converted) {
      return op.emitError("operand cannot be converted");
    }
    operands.push_back(*converted);
  }
  int64_t strip = kind == DispatchKind::kConv ? stripWidth(body, l1Bytes_) : 0;
  if (tensor::PadOp pad = strip != 0 ? imagePad(body) : nullptr) {
    auto image = cast<BlockArgument>(pad.getSource()).getArgNumber();
    FailureOr<Value> bordered = withBorder(operands[image], pad);
    if (failed(bordered)) {
      return op.emitError("the border of a wide image cannot be made");
    }
    operands[image] = *bordered;
  }
  std::string name = op.getCallee().str();
  symbols_.remove(body);
  func::FuncOp physical = createFunction(name, ValueRange(operands).getTypes(),
                                         type, body.getLoc());
  LogicalResult built = buildBody(body, kind, physical, strip);
  body.erase();
  if (failed(built)) {
    return failure();
  }
  b_.setInsertionPoint(op);
  auto replacement = plan::DispatchOp::create(b_, op.getLoc(), TypeRange{type},
                                              name, operands);
  replacement->setDiscardableAttrs(op->getDiscardableAttrDictionary());
  Value old = op.getResult(0);
  if (type == old.getType()) {
    old.replaceAllUsesWith(replacement.getResult(0));
  } else {
    blocked_[old] = replacement.getResult(0);
  }
  return success();
}

LogicalResult Assigner::run() {
  Block &block = func_.getBody().front();
  SmallVector<Operation *> ops;
  for (Operation &op : block) {
    ops.push_back(&op);
  }
  SmallVector<Operation *> replaced;
  for (Operation *op : ops) {
    auto dispatch = dyn_cast<plan::DispatchOp>(op);
    if (dispatch && !isFinished(dispatch)) {
      if (failed(rewrite(dispatch))) {
        return failure();
      }
      replaced.push_back(op);
      continue;
    }
    for (OpOperand &operand : op->getOpOperands()) {
      if (isBlocked(operand.get())) {
        operand.set(plainOf(operand.get()));
      }
    }
  }
  for (Operation *op : llvm::reverse(replaced)) {
    op->erase();
  }
  for (Operation &op : llvm::make_early_inc_range(llvm::reverse(block))) {
    if (op.use_empty() && llvm::isa<plan::ConstOp, plan::SliceOp>(op)) {
      op.erase();
    }
  }
  return success();
}

class AssignLayouts
    : public PassWrapper<AssignLayouts, OperationPass<ModuleOp>> {
public:
  MLIR_DEFINE_EXPLICIT_INTERNAL_INLINE_TYPE_ID(AssignLayouts)
  explicit AssignLayouts(int64_t l1Bytes) : l1Bytes_(l1Bytes) {}
  StringRef getArgument() const final { return "npu-assign-layouts"; }
  StringRef getDescription() const final {
    return "Physical layouts of dispatches, and the bodies that fit them.";
  }
  void getDependentDialects(DialectRegistry &registry) const final {
    registry.insert<NPUDialect, plan::PlanDialect, affine::AffineDialect,
                    scf::SCFDialect, tensor::TensorDialect,
                    linalg::LinalgDialect, arith::ArithDialect>();
  }
  void runOnOperation() final {
    SymbolTable symbols(getOperation());
    for (auto func :
         llvm::make_early_inc_range(getOperation().getOps<plan::FuncOp>())) {
      if (failed(Assigner(func, symbols, l1Bytes_).run())) {
        return signalPassFailure();
      }
    }
  }

private:
  int64_t l1Bytes_;
};

} // namespace

std::unique_ptr<Pass> createAssignLayoutsPass(int64_t l1Bytes) {
  return std::make_unique<AssignLayouts>(l1Bytes);
}

} // namespace kiln::npu
