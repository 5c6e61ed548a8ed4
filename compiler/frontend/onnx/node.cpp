// SPDX-License-Identifier: Apache-2.0
#include "compiler/frontend/onnx/node.h"

#include "compiler/constants/byte_ops.h"
#include "compiler/dialect/nn/constant_fold.h"
#include "compiler/dialect/plan/element_types.h"
#include "mlir/IR/Diagnostics.h"

#include <fmt/format.h>

using namespace mlir;

namespace kiln::frontend {

// No tensor of a supported model comes near; a damaged shape does.
constexpr int64_t kMaxElements = int64_t(1) << 32;

Node::Node(ImportState &state, const onnx::NodeProto &proto, Location loc,
           std::string where)
    : state_(state), proto_(proto), loc_(loc), where_(std::move(where)),
      attributes_(proto, where_,
                  [&state](Finding f) { state.report.add(std::move(f)); }),
      outputs_(proto.output_size()) {}

LogicalResult Node::gap(std::string text, std::string attribute) {
  state_.report.add({where_, std::move(attribute), std::move(text), false});
  return failure();
}

LogicalResult Node::invalid(std::string text, std::string attribute) {
  state_.report.add({where_, std::move(attribute), std::move(text), true});
  return failure();
}

LogicalResult Node::expect(Arity arity) {
  size_t count = inputs_.size();
  if (count < arity.min || count > arity.max) {
    std::string expected = arity.min == arity.max
                               ? fmt::format("{}", arity.min)
                               : fmt::format("{} to {}", arity.min, arity.max);
    return invalid(fmt::format("has {} inputs, expected {}", count, expected));
  }
  for (size_t i = 0; i < arity.min; ++i) {
    if (!inputs_[i]) {
      return invalid(fmt::format("input {} is missing", i));
    }
  }
  for (size_t i = arity.outputs; i < used_.size(); ++i) {
    if (used_[i]) {
      return gap(fmt::format("output {} is used; supported: the first {}", i,
                             arity.outputs));
    }
  }
  return success();
}

const Constant *Node::constant(Value value) const {
  auto op = value ? value.getDefiningOp<plan::ConstOp>() : plan::ConstOp();
  return op ? state_.constants.find(op.getSymbol()) : nullptr;
}

std::optional<std::vector<int64_t>> Node::integers(size_t i, const char *name) {
  const Constant *value = constant(input(i));
  if (!value) {
    (void)gap(fmt::format("input '{}' is computed at run time; supported: a "
                          "constant",
                          name));
    return std::nullopt;
  }
  if (isFloat(value->type) || value->shape.size() > 1) {
    (void)invalid(fmt::format("input '{}' is {} of rank {}, expected a list "
                              "of integers",
                              name, elementName(value->type),
                              value->shape.size()));
    return std::nullopt;
  }
  std::vector<int64_t> result;
  for (int64_t k = 0, n = value->elementCount(); k < n; ++k) {
    result.push_back(loadInteger(*value, k));
  }
  return result;
}

std::optional<double> Node::scalar(size_t i, const char *name) {
  const Constant *value = constant(input(i));
  if (!value) {
    (void)gap(fmt::format("input '{}' is computed at run time; supported: a "
                          "constant",
                          name));
    return std::nullopt;
  }
  if (value->elementCount() != 1) {
    (void)invalid(fmt::format("input '{}' has {} elements, expected 1", name,
                              value->elementCount()));
    return std::nullopt;
  }
  return loadElement(*value, 0);
}

std::optional<int64_t> Node::axis(int64_t value, int64_t rank,
                                  const char *name) {
  if (value < -rank || value >= rank) {
    (void)invalid(
        fmt::format("axis {} is outside [{}, {})", value, -rank, rank), name);
    return std::nullopt;
  }
  return value < 0 ? value + rank : value;
}

Value Node::emitConstant(Constant constant) {
  std::vector<int64_t> shape = constant.shape;
  Type element = toMlirType(constant.type, state_.builder.getContext());
  std::string id = state_.constants.add(std::move(constant));
  return plan::ConstOp::create(state_.builder, loc_,
                               RankedTensorType::get(shape, element), id,
                               ArrayAttr());
}

Value Node::reshape(Value x, ArrayRef<int64_t> shape) {
  if (typeOf(x).getShape() == shape) {
    return x;
  }
  return emit<nn::ReshapeOp>(x, shape);
}

LogicalResult Node::setOutput(size_t i, Value value) {
  if (!value) {
    return failure();
  }
  outputs_[i] = value;
  return success();
}

//===- emit ---------------------------------------------------------------===//

static bool isMovement(Operation *op) {
  return isa<nn::ReshapeOp, nn::TransposeOp, nn::SliceOp, nn::PadOp,
             nn::ConcatOp>(op);
}

static bool isComputeType(Type element) {
  return element.isF32() || element.isF16();
}

static std::string typeText(Type type) {
  std::string text;
  llvm::raw_string_ostream(text) << type;
  return text;
}

LogicalResult Node::checkOperandTypes(Operation *op) {
  for (Value operand : op->getOperands()) {
    Type element = typeOf(operand).getElementType();
    if (!isComputeType(element)) {
      return gap("computes on " + typeText(element) +
                 " tensors; supported: f32 and f16");
    }
  }
  return success();
}

bool Node::inferAndCheck(Operation *op) {
  std::string message;
  ScopedDiagnosticHandler handler(op->getContext(), [&](Diagnostic &d) {
    message += message.empty() ? d.str() : "; " + d.str();
    return success();
  });
  SmallVector<RankedTensorType> types;
  if (failed(cast<nn::ShapeOpInterface>(op).inferShapes(types))) {
    std::string prefix = "'" + op->getName().getStringRef().str() + "' op ";
    if (message.starts_with(prefix)) {
      message.erase(0, prefix.size());
    }
    (void)invalid(message);
    return false;
  }
  int64_t count = 1;
  for (int64_t dim : types[0].getShape()) {
    if (dim == 0) {
      (void)gap("the result is empty (" + typeText(types[0]) +
                "); supported: dimensions of at least 1");
      return false;
    }
    if (count > kMaxElements / dim) {
      (void)invalid("the result " + typeText(types[0]) +
                    " has more than 2^32 elements");
      return false;
    }
    count *= dim;
  }
  op->getResult(0).setType(types[0]);
  return true;
}

Value Node::fold(Operation *op) {
  SmallVector<const Constant *> operands;
  for (Value operand : op->getOperands()) {
    operands.push_back(constant(operand));
    if (!operands.back()) {
      return {};
    }
  }
  std::optional<Constant> folded = nn::foldConstant(op, operands);
  return folded ? emitConstant(std::move(*folded)) : Value();
}

Value Node::finish(Operation *op) {
  bool good = isMovement(op) || succeeded(checkOperandTypes(op));
  if (!good || !inferAndCheck(op)) {
    op->erase();
    return {};
  }
  if (Value folded = fold(op)) {
    op->erase();
    return folded;
  }
  if (!isComputeType(typeOf(op->getResult(0)).getElementType())) {
    (void)gap("moves " + typeText(typeOf(op->getResult(0)).getElementType()) +
              " tensors; supported: f32 and f16");
    op->erase();
    return {};
  }
  return op->getResult(0);
}

} // namespace kiln::frontend
