// SPDX-License-Identifier: Apache-2.0
//
// Node: what a converter sees of one ONNX node. A converter checks counts,
// reads attributes, emits nn operations and sets the outputs:
//
//   LogicalResult convertRelu(Node &node) {
//     if (failed(node.expect({1, 1}))) {
//       return failure();
//     }
//     return node.setOutput(0, node.emit<nn::ReluOp>(node.input(0)));
//   }
//
// emit() infers the result shape, folds constants and returns a null Value
// after reporting what is wrong. A converter that fails has reported why.
#pragma once

#include "compiler/constants/constant_store.h"
#include "compiler/dialect/nn/nn_dialect.h"
#include "compiler/dialect/plan/plan_dialect.h"
#include "compiler/frontend/onnx/attributes.h"
#include "compiler/frontend/onnx/report.h"
#include "mlir/IR/Builders.h"

#include <optional>
#include <string>
#include <vector>

namespace kiln::frontend {

/// What all nodes of an import share.
struct ImportState {
  mlir::OpBuilder &builder;
  ConstantStore &constants;
  Report &report;
};

/// Smallest and largest number of inputs; used outputs at most `outputs`.
struct Arity {
  size_t min = 1, max = 1, outputs = 1;
};

class Node {
public:
  Node(ImportState &state, const onnx::NodeProto &proto, mlir::Location loc,
       std::string where);

  /// Operator name and schema version chosen from the registry.
  const std::string &opType() const { return proto_.op_type(); }
  int64_t version() const { return version_; }
  void setVersion(int64_t version) { version_ = version; }

  /// Reports a wrong number of inputs, a missing one, a used output too many.
  mlir::LogicalResult expect(Arity arity);

  size_t inputCount() const { return inputs_.size(); }
  bool hasInput(size_t i) const { return i < inputs_.size() && inputs_[i]; }
  mlir::Value input(size_t i) const { return inputs_[i]; }
  llvm::ArrayRef<mlir::Value> inputs() const { return inputs_; }
  void addInput(mlir::Value value) { inputs_.push_back(value); }
  /// An output that another node or the graph uses.
  bool outputUsed(size_t i) const { return i < used_.size() && used_[i]; }
  void setOutputUsed(std::vector<bool> used) { used_ = std::move(used); }
  size_t outputCount() const { return used_.size(); }

  mlir::RankedTensorType type(size_t i) const { return typeOf(inputs_[i]); }
  static mlir::RankedTensorType typeOf(mlir::Value value) {
    return mlir::cast<mlir::RankedTensorType>(value.getType());
  }
  llvm::ArrayRef<int64_t> shape(size_t i) const { return type(i).getShape(); }
  int64_t rank(size_t i) const { return type(i).getRank(); }

  /// The bytes of a constant value; nullptr when it is computed.
  const Constant *constant(mlir::Value value) const;
  /// The elements of an integer constant input, or a finding.
  std::optional<std::vector<int64_t>> integers(size_t i, const char *name);
  /// The single element of a constant float input, or a finding.
  std::optional<double> scalar(size_t i, const char *name);

  Attributes &attributes() { return attributes_; }
  /// Normalises an axis to [0, rank); reports one outside.
  std::optional<int64_t> axis(int64_t value, int64_t rank,
                              const char *name = "axis");

  /// Reports something valid but not supported / something inconsistent.
  mlir::LogicalResult gap(std::string text, std::string attribute = "");
  mlir::LogicalResult invalid(std::string text, std::string attribute = "");

  template <typename OpT, typename... Args> mlir::Value emit(Args &&...args) {
    auto result = mlir::UnrankedTensorType::get(state_.builder.getF32Type());
    return finish(
        OpT::create(state_.builder, loc_, result, std::forward<Args>(args)...));
  }
  mlir::Value emitConstant(Constant constant);
  mlir::Value reshape(mlir::Value x, llvm::ArrayRef<int64_t> shape);

  /// Fails when `value` is null.
  mlir::LogicalResult setOutput(size_t i, mlir::Value value);
  llvm::ArrayRef<mlir::Value> outputs() const { return outputs_; }

private:
  mlir::Value finish(mlir::Operation *op);
  mlir::LogicalResult checkOperandTypes(mlir::Operation *op);
  bool inferAndCheck(mlir::Operation *op);
  mlir::Value fold(mlir::Operation *op);

  ImportState &state_;
  const onnx::NodeProto &proto_;
  mlir::Location loc_;
  std::string where_;
  Attributes attributes_;
  llvm::SmallVector<mlir::Value> inputs_, outputs_;
  std::vector<bool> used_;
  int64_t version_ = 1;
};

/// nullptr converter: the operator is unknown.
using Converter = mlir::LogicalResult (*)(Node &);

struct Registration {
  const char *op;
  int64_t since; // first opset of this schema version
  Converter converter;
};

/// The newest registration with since <= opset; nullptr when there is none.
const Registration *findOperator(std::string_view domain, std::string_view op,
                                 int64_t opset);

/// The opset versions of a known operator, for messages; empty when unknown.
bool isKnownOperator(std::string_view domain, std::string_view op);

// One table per file of converters.
std::vector<Registration> constantOperators();
std::vector<Registration> elementwiseOperators();
std::vector<Registration> matmulOperators();
std::vector<Registration> movementOperators();
std::vector<Registration> normalizationOperators();
std::vector<Registration> shapeOperators();
std::vector<Registration> windowOperators();

} // namespace kiln::frontend
