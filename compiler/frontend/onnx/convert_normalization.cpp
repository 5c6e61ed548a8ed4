// SPDX-License-Identifier: Apache-2.0
//
// BatchNormalization and Softmax.
#include "compiler/frontend/onnx/node.h"

#include <fmt/format.h>

using namespace mlir;

namespace kiln::frontend {

static LogicalResult convertBatchNormalization(Node &node) {
  Attributes &a = node.attributes();
  float epsilon = a.getFloat("epsilon", 1e-5f);
  a.ignore("momentum");
  if (node.version() < 6) {
    a.ignore("consumed_inputs");
  }
  if (node.version() < 7) {
    a.ignore("is_test"); // the training outputs are what counts
  }
  if (node.version() < 9 && a.getInt("spatial", 1) == 0) {
    return node.gap("statistics per pixel; supported: spatial = 1", "spatial");
  }
  if (node.version() >= 14 && a.getInt("training_mode", 0) != 0) {
    return node.gap("training; supported: inference", "training_mode");
  }
  if (failed(node.expect({5, 5}))) {
    return failure();
  }
  return node.setOutput(
      0, node.emit<nn::BatchNormOp>(node.input(0), node.input(1), node.input(2),
                                    node.input(3), node.input(4),
                                    llvm::APFloat(epsilon)));
}

static LogicalResult convertSoftmax(Node &node) {
  int64_t value = node.attributes().getInt("axis", -1);
  if (failed(node.expect({1, 1}))) {
    return failure();
  }
  std::optional<int64_t> axis = node.axis(value, node.rank(0));
  if (!axis) {
    return failure();
  }
  return node.setOutput(0, node.emit<nn::SoftmaxOp>(node.input(0), *axis));
}

// Before opset 13 the input was flattened to a matrix at `axis`, and every
// row of it is one distribution.
static LogicalResult convertSoftmaxOfRows(Node &node) {
  int64_t value = node.attributes().getInt("axis", 1);
  if (failed(node.expect({1, 1}))) {
    return failure();
  }
  SmallVector<int64_t> shape(node.shape(0));
  // One past the last axis is allowed: rows of one element.
  int64_t rank = static_cast<int64_t>(shape.size());
  std::optional<int64_t> axis = value == rank ? value : node.axis(value, rank);
  if (!axis) {
    return failure();
  }
  int64_t rows = 1, columns = 1;
  for (int64_t i = 0; i < rank; ++i) {
    (i < *axis ? rows : columns) *= shape[i];
  }
  Value matrix = node.reshape(node.input(0), {rows, columns});
  Value result =
      matrix ? node.emit<nn::SoftmaxOp>(matrix, int64_t(1)) : Value();
  return node.setOutput(0, result ? node.reshape(result, shape) : Value());
}

std::vector<Registration> normalizationOperators() {
  std::vector<Registration> table = {{"Softmax", 1, convertSoftmaxOfRows},
                                     {"Softmax", 11, convertSoftmaxOfRows},
                                     {"Softmax", 13, convertSoftmax}};
  for (int64_t since : {1, 6, 7, 9, 14, 15}) {
    table.push_back({"BatchNormalization", since, convertBatchNormalization});
  }
  return table;
}

} // namespace kiln::frontend
