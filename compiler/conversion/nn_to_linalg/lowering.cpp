// SPDX-License-Identifier: Apache-2.0
#include "compiler/conversion/nn_to_linalg/lowering.h"

#include "compiler/constants/byte_ops.h"
#include "compiler/dialect/plan/plan_dialect.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Dialect/Utils/ReshapeOpsUtils.h"

using namespace mlir;

namespace kiln::lowering {

Value scalar(OpBuilder &builder, Location loc, Type element, double value) {
  return arith::ConstantOp::create(builder, loc, element,
                                   builder.getFloatAttr(element, value));
}

Value emptyTensor(OpBuilder &builder, Location loc, ArrayRef<int64_t> shape,
                  Type element) {
  return tensor::EmptyOp::create(builder, loc, shape, element);
}

Value filledTensor(OpBuilder &builder, Location loc, ArrayRef<int64_t> shape,
                   Type element, double value) {
  Value filler = scalar(builder, loc, element, value);
  Value empty = emptyTensor(builder, loc, shape, element);
  return linalg::FillOp::create(builder, loc, filler, empty).getResult(0);
}

//===- shapes -------------------------------------------------------------===//

static Value collapseAll(OpBuilder &builder, Location loc, Value value) {
  int64_t rank = typeOf(value).getRank();
  if (rank <= 1) {
    return value;
  }
  ReassociationIndices all;
  for (int64_t i = 0; i < rank; ++i) {
    all.push_back(i);
  }
  return tensor::CollapseShapeOp::create(builder, loc, value,
                                         ArrayRef<ReassociationIndices>(all));
}

Value reshape(OpBuilder &builder, Location loc, Value value,
              ArrayRef<int64_t> shape) {
  RankedTensorType from = typeOf(value);
  auto to = RankedTensorType::get(shape, from.getElementType());
  if (from == to) {
    return value;
  }
  if (auto groups = getReassociationIndicesForReshape(from, to)) {
    if (from.getRank() > to.getRank()) {
      return tensor::CollapseShapeOp::create(builder, loc, to, value, *groups);
    }
    return tensor::ExpandShapeOp::create(builder, loc, to, value, *groups);
  }
  Value flat = collapseAll(builder, loc, value);
  auto groups = getReassociationIndicesForReshape(typeOf(flat), to);
  assert(groups && "a flat tensor expands to every shape");
  return tensor::ExpandShapeOp::create(builder, loc, to, flat, *groups);
}

Value pad(OpBuilder &builder, Location loc, Value value,
          ArrayRef<int64_t> begin, ArrayRef<int64_t> end, double filler) {
  auto isZero = [](int64_t amount) { return amount == 0; };
  if (llvm::all_of(begin, isZero) && llvm::all_of(end, isZero)) {
    return value;
  }
  RankedTensorType type = typeOf(value);
  SmallVector<int64_t> shape(type.getShape());
  SmallVector<OpFoldResult> low, high;
  for (size_t i = 0; i < shape.size(); ++i) {
    shape[i] += begin[i] + end[i];
    low.push_back(builder.getIndexAttr(begin[i]));
    high.push_back(builder.getIndexAttr(end[i]));
  }
  Value constant = scalar(builder, loc, type.getElementType(), filler);
  return tensor::PadOp::create(
      builder, loc, RankedTensorType::get(shape, type.getElementType()), value,
      low, high, constant);
}

//===- bodies -------------------------------------------------------------===//

Value toF32(OpBuilder &builder, Location loc, Value x) {
  if (x.getType().isF32()) {
    return x;
  }
  return arith::ExtFOp::create(builder, loc, builder.getF32Type(), x);
}

Value fromF32(OpBuilder &builder, Location loc, Value x, Type element) {
  if (element.isF32()) {
    return x;
  }
  return arith::TruncFOp::create(builder, loc, element, x);
}

namespace {
/// An operand of an elementwise operation: a scalar, or a tensor without its
/// broadcast dimensions and the map that says which loops index it.
struct Operand {
  std::optional<double> splat;
  Value tensor;
  AffineMap map;
};
} // namespace

static std::optional<double> splatOf(Value value,
                                     const ConstantStore &constants) {
  auto op = value.getDefiningOp<plan::ConstOp>();
  if (!op || op.getRecipe()) {
    return std::nullopt;
  }
  const Constant *constant = constants.find(op.getSymbol());
  if (!constant || !isFloat(constant->type) || !isSplat(*constant)) {
    return std::nullopt;
  }
  return loadElement(*constant, 0);
}

static Operand makeOperand(OpBuilder &builder, Location loc, Value value,
                           RankedTensorType result,
                           const ConstantStore &constants) {
  Operand operand;
  operand.splat = splatOf(value, constants);
  if (operand.splat) {
    return operand;
  }
  ArrayRef<int64_t> shape = typeOf(value).getShape();
  int64_t lead = result.getRank() - static_cast<int64_t>(shape.size());
  SmallVector<int64_t> kept;
  SmallVector<AffineExpr> exprs;
  for (int64_t i = 0; i < static_cast<int64_t>(shape.size()); ++i) {
    if (shape[i] == result.getDimSize(lead + i)) {
      kept.push_back(shape[i]);
      exprs.push_back(builder.getAffineDimExpr(lead + i));
    }
  }
  // Unit dimensions that the result has too cost nothing but may hide that
  // the operand is a vector: drop them when some dimension is broadcast.
  if (kept.size() != static_cast<size_t>(result.getRank())) {
    for (size_t i = kept.size(); i-- > 0;) {
      if (kept[i] == 1) {
        kept.erase(kept.begin() + i);
        exprs.erase(exprs.begin() + i);
      }
    }
  }
  operand.tensor = reshape(builder, loc, value, kept);
  operand.map =
      AffineMap::get(result.getRank(), 0, exprs, builder.getContext());
  return operand;
}

Value elementwise(OpBuilder &builder, Location loc, ValueRange operands,
                  RankedTensorType result, const ConstantStore &constants,
                  BodyFn body) {
  SmallVector<Operand> prepared;
  SmallVector<Value> inputs;
  SmallVector<AffineMap> maps;
  for (Value operand : operands) {
    prepared.push_back(makeOperand(builder, loc, operand, result, constants));
    if (!prepared.back().splat) {
      inputs.push_back(prepared.back().tensor);
      maps.push_back(prepared.back().map);
    }
  }
  maps.push_back(builder.getMultiDimIdentityMap(result.getRank()));
  Type element = result.getElementType();
  Value init = emptyTensor(builder, loc, result.getShape(), element);
  SmallVector<utils::IteratorType> loops(result.getRank(),
                                         utils::IteratorType::parallel);
  auto generic = linalg::GenericOp::create(
      builder, loc, result, inputs, init, maps, loops,
      [&](OpBuilder &b, Location bodyLoc, ValueRange args) {
        SmallVector<Value> scalars;
        size_t next = 0;
        for (const Operand &operand : prepared) {
          scalars.push_back(
              operand.splat ? scalar(b, bodyLoc, b.getF32Type(), *operand.splat)
                            : toF32(b, bodyLoc, args[next++]));
        }
        Value value = body(b, bodyLoc, scalars);
        linalg::YieldOp::create(b, bodyLoc,
                                fromF32(b, bodyLoc, value, element));
      });
  return generic.getResult(0);
}

} // namespace kiln::lowering
