// SPDX-License-Identifier: Apache-2.0
#include "compiler/transforms/cpu/permuted_body.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/IRMapping.h"

using namespace mlir;

namespace kiln::cpu {

Form imageForm() { return {0, 2, 3, 1}; }

Form inverseOf(ArrayRef<int64_t> form) {
  Form inverse(form.size());
  for (auto [i, d] : llvm::enumerate(form)) {
    inverse[d] = i;
  }
  return inverse;
}

RankedTensorType permuted(RankedTensorType type, ArrayRef<int64_t> form) {
  if (form.empty()) {
    return type;
  }
  SmallVector<int64_t> shape;
  for (int64_t d : form) {
    shape.push_back(type.getDimSize(d));
  }
  return RankedTensorType::get(shape, type.getElementType());
}

//===- what a body is -----------------------------------------------------===//

static bool isWindow(Operation *op) {
  return isa<linalg::Conv2DNchwFchwOp, linalg::DepthwiseConv2DNchwChwOp,
             linalg::PoolingNchwMaxOp, linalg::PoolingNchwSumOp>(op);
}

static bool isFresh(Value init) {
  if (auto fill = init.getDefiningOp<linalg::FillOp>()) {
    init = fill.getOutputs()[0];
  }
  return init.getDefiningOp<tensor::EmptyOp>() != nullptr;
}

static bool canPermute(Operation &op) {
  if (isa<func::ReturnOp, arith::ConstantOp, tensor::EmptyOp, linalg::FillOp,
          tensor::ConcatOp>(op)) {
    return true;
  }
  if (auto pad = dyn_cast<tensor::PadOp>(op)) {
    return pad.getConstantPaddingValue() &&
           pad.getResultType().hasStaticShape();
  }
  auto linalgOp = dyn_cast<linalg::LinalgOp>(op);
  return linalgOp && linalgOp.getNumDpsInits() == 1 &&
         isFresh(linalgOp.getDpsInits()[0]) && !linalgOp.hasIndexSemantics() &&
         llvm::none_of(linalgOp.getStaticLoopRanges(), ShapedType::isDynamic);
}

bool canPermute(func::FuncOp func) {
  return llvm::all_of(func.getBody().front(),
                      [](Operation &op) { return canPermute(op); });
}

linalg::LinalgOp findWindow(func::FuncOp func) {
  linalg::LinalgOp window;
  for (Operation &op : func.getBody().front()) {
    if (isWindow(&op)) {
      if (window) {
        return {};
      }
      window = cast<linalg::LinalgOp>(op);
      continue;
    }
    auto other = dyn_cast<linalg::LinalgOp>(op);
    if (isa<tensor::ConcatOp>(op) ||
        (other && other.getNumReductionLoops() > 0)) {
      return {};
    }
  }
  return window;
}

bool isElementwiseBody(func::FuncOp func) {
  Block &body = func.getBody().front();
  unsigned concats = 0, others = 0;
  for (Operation &op : body) {
    if (isa<tensor::ConcatOp>(op)) {
      ++concats;
    } else if (auto generic = dyn_cast<linalg::GenericOp>(op)) {
      ++others;
      if (generic.getNumReductionLoops() > 0 ||
          !generic.getIndexingMapsArray().back().isIdentity() ||
          generic.getResult(0).getType() != func.getResultTypes()[0]) {
        return false;
      }
    } else if (!isa<func::ReturnOp, arith::ConstantOp, tensor::EmptyOp>(op)) {
      return false;
    }
  }
  return concats + (others > 0) == 1;
}

bool readsThroughMaps(func::FuncOp func) {
  unsigned ops = 0;
  for (Operation &op : func.getBody().front()) {
    if (isa<tensor::ConcatOp, tensor::PadOp>(op)) {
      return false;
    }
    ops += isa<linalg::LinalgOp>(op) && !isa<linalg::FillOp>(op);
  }
  return ops == 1;
}

//===- the copy -----------------------------------------------------------===//

namespace {

AffineMap permutedMap(AffineMap map, ArrayRef<int64_t> form) {
  if (form.empty()) {
    return map;
  }
  SmallVector<AffineExpr> results;
  for (int64_t d : form) {
    results.push_back(map.getResult(d));
  }
  return AffineMap::get(map.getNumDims(), 0, results, map.getContext());
}

/// Loops in the order of the output's memory, then the reductions in the order
/// of the last operand that has all of them.
SmallVector<unsigned> loopOrder(ArrayRef<AffineMap> maps, unsigned reductions) {
  SmallVector<unsigned> order;
  auto append = [&](AffineMap map) {
    for (AffineExpr e : map.getResults()) {
      auto dim = dyn_cast<AffineDimExpr>(e);
      if (dim && !llvm::is_contained(order, dim.getPosition())) {
        order.push_back(dim.getPosition());
      }
    }
  };
  append(maps.back());
  size_t parallel = order.size();
  for (AffineMap map : llvm::reverse(maps.drop_back())) {
    append(map);
    if (order.size() == parallel + reductions) {
      break;
    }
    order.truncate(parallel);
  }
  for (unsigned d = 0; d < maps.back().getNumDims(); ++d) {
    if (!llvm::is_contained(order, d)) {
      order.push_back(d);
    }
  }
  return order;
}

class BodyPermuter {
public:
  BodyPermuter(func::FuncOp from, ArrayRef<Form> forms, const Form &result)
      : from_(from), argumentForms_(forms), resultForm_(result),
        b_(from.getContext()) {}

  func::FuncOp run();

private:
  void copy(Operation &op);
  void copyPad(tensor::PadOp op);
  void copyConcat(tensor::ConcatOp op);
  void copyLinalg(linalg::LinalgOp op);
  Value valueOf(Value old);
  Value initOf(Value old, const Form &form);
  Form formOf(Value old) { return forms_.lookup(old); }
  /// The form of a value made inside.
  Form resultFormOf(Value old) {
    return old.getType() == from_.getResultTypes()[0] ? resultForm_ : Form{};
  }
  void define(Value old, Value made, const Form &form) {
    map_.map(old, made);
    forms_[old] = form;
  }

  func::FuncOp from_;
  ArrayRef<Form> argumentForms_;
  const Form &resultForm_;
  OpBuilder b_;
  IRMapping map_;
  llvm::DenseMap<Value, Form> forms_;
  llvm::DenseMap<std::pair<Value, int>, Value> inits_; // permuted or not
};

Value BodyPermuter::initOf(Value old, const Form &form) {
  Value &known = inits_[{old, static_cast<int>(form.size())}];
  if (known) {
    return known;
  }
  auto type = permuted(cast<RankedTensorType>(old.getType()), form);
  if (auto fill = old.getDefiningOp<linalg::FillOp>()) {
    Value init = initOf(fill.getOutputs()[0], form);
    known = linalg::FillOp::create(b_, old.getLoc(),
                                   ValueRange{valueOf(fill.getInputs()[0])},
                                   ValueRange{init})
                .getResult(0);
  } else {
    known = tensor::EmptyOp::create(b_, old.getLoc(), type.getShape(),
                                    type.getElementType());
  }
  // The recursion may have moved the table.
  return inits_[{old, static_cast<int>(form.size())}] = known;
}

Value BodyPermuter::valueOf(Value old) {
  if (Value known = map_.lookupOrNull(old)) {
    return known;
  }
  return initOf(old, {}); // an empty or filled tensor as an operand
}

void BodyPermuter::copyPad(tensor::PadOp op) {
  Form form = formOf(op.getSource());
  SmallVector<OpFoldResult> low = op.getMixedLowPad(),
                            high = op.getMixedHighPad();
  if (!form.empty()) {
    SmallVector<OpFoldResult> l, h;
    for (int64_t d : form) {
      l.push_back(low[d]);
      h.push_back(high[d]);
    }
    low = l, high = h;
  }
  TypedAttr filler;
  bool known = matchPattern(op.getConstantPaddingValue(), m_Constant(&filler));
  assert(known && "checked by canPermute()");
  (void)known;
  Value value = arith::ConstantOp::create(b_, op.getLoc(), filler);
  auto made =
      tensor::PadOp::create(b_, op.getLoc(), permuted(op.getResultType(), form),
                            valueOf(op.getSource()), low, high, value);
  define(op.getResult(), made, form);
}

void BodyPermuter::copyConcat(tensor::ConcatOp op) {
  Form form = resultFormOf(op.getResult());
  SmallVector<Value> inputs;
  for (Value v : op.getInputs()) {
    inputs.push_back(valueOf(v));
  }
  int64_t dim = static_cast<int64_t>(op.getDim());
  dim = form.empty() ? dim : inverseOf(form)[dim];
  auto made = tensor::ConcatOp::create(
      b_, op.getLoc(), permuted(op.getResultType(), form), dim, inputs);
  define(op.getResult(), made, form);
}

void BodyPermuter::copyLinalg(linalg::LinalgOp op) {
  Value old = op->getResult(0);
  Form form = resultFormOf(old);
  SmallVector<Value> inputs;
  SmallVector<AffineMap> maps;
  for (OpOperand *operand : op.getDpsInputOperands()) {
    inputs.push_back(valueOf(operand->get()));
    maps.push_back(permutedMap(op.getMatchingIndexingMap(operand),
                               formOf(operand->get())));
  }
  OpOperand *out = op.getDpsInitOperand(0);
  Value init = initOf(out->get(), form);
  maps.push_back(permutedMap(op.getMatchingIndexingMap(out), form));
  SmallVector<utils::IteratorType> iterators = op.getIteratorTypesArray();
  if (!form.empty()) {
    SmallVector<unsigned> order = loopOrder(maps, op.getNumReductionLoops());
    SmallVector<AffineExpr> newDims(order.size());
    SmallVector<utils::IteratorType> newIterators;
    for (auto [position, d] : llvm::enumerate(order)) {
      newDims[d] = b_.getAffineDimExpr(position);
      newIterators.push_back(iterators[d]);
    }
    for (AffineMap &map : maps) {
      map = map.replaceDimsAndSymbols(newDims, {}, newDims.size(), 0);
    }
    iterators = newIterators;
  }
  auto made = linalg::GenericOp::create(b_, op.getLoc(), init.getType(), inputs,
                                        init, maps, iterators);
  op->getRegion(0).cloneInto(&made.getRegion(), map_);
  define(old, made.getResult(0), form);
}

void BodyPermuter::copy(Operation &op) {
  if (isa<tensor::EmptyOp, linalg::FillOp>(op)) {
    return; // made where they are used, in the order of the user
  }
  if (auto pad = dyn_cast<tensor::PadOp>(op)) {
    copyPad(pad);
  } else if (auto concat = dyn_cast<tensor::ConcatOp>(op)) {
    copyConcat(concat);
  } else if (auto linalgOp = dyn_cast<linalg::LinalgOp>(op)) {
    copyLinalg(linalgOp);
  } else if (auto ret = dyn_cast<func::ReturnOp>(op)) {
    func::ReturnOp::create(b_, op.getLoc(), valueOf(ret.getOperand(0)));
  } else {
    b_.clone(op, map_);
  }
}

func::FuncOp BodyPermuter::run() {
  SmallVector<Type> inputs;
  for (auto [type, form] :
       llvm::zip_equal(from_.getArgumentTypes(), argumentForms_)) {
    inputs.push_back(permuted(cast<RankedTensorType>(type), form));
  }
  Type result =
      permuted(cast<RankedTensorType>(from_.getResultTypes()[0]), resultForm_);
  auto made = func::FuncOp::create(from_.getLoc(), from_.getName(),
                                   b_.getFunctionType(inputs, {result}));
  made->setDiscardableAttrs(from_->getDiscardableAttrDictionary());
  made.setVisibility(from_.getVisibility());
  Block *block = made.addEntryBlock();
  for (auto [old, argument, form] : llvm::zip_equal(
           from_.getArguments(), block->getArguments(), argumentForms_)) {
    define(old, argument, form);
  }
  b_.setInsertionPointToEnd(block);
  for (Operation &op : from_.getBody().front()) {
    copy(op);
  }
  return made;
}

} // namespace

func::FuncOp permuteBody(func::FuncOp func, ArrayRef<Form> forms,
                         const Form &result) {
  return BodyPermuter(func, forms, result).run();
}

} // namespace kiln::cpu
