// SPDX-License-Identifier: Apache-2.0
#include "compiler/frontend/onnx/node.h"

#include <fmt/format.h>

using namespace mlir;

namespace kiln::frontend {

static LogicalResult convertMatMul(Node &node) {
  if (failed(node.expect({2, 2}))) {
    return failure();
  }
  return node.setOutput(0,
                        node.emit<nn::MatmulOp>(node.input(0), node.input(1)));
}

static LogicalResult convertGemm(Node &node) {
  Attributes &a = node.attributes();
  float alpha = a.getFloat("alpha", 1), beta = a.getFloat("beta", 1);
  bool transA = a.getInt("transA", 0) != 0;
  bool transB = a.getInt("transB", 0) != 0;
  if (node.version() < 7) {
    a.ignore("broadcast"); // C that needs none broadcasts all the same
  }
  if (failed(node.expect({node.version() < 11 ? size_t(3) : size_t(2), 3}))) {
    return failure();
  }
  Value c = node.hasInput(2) ? node.input(2) : Value();
  return node.setOutput(0, node.emit<nn::GemmOp>(node.input(0), node.input(1),
                                                 c, llvm::APFloat(alpha),
                                                 llvm::APFloat(beta), transA,
                                                 transB));
}

std::vector<Registration> matmulOperators() {
  std::vector<Registration> table;
  for (int64_t since : {1, 9, 13}) {
    table.push_back({"MatMul", since, convertMatMul});
  }
  for (int64_t since : {1, 6, 7, 9, 11, 13}) {
    table.push_back({"Gemm", since, convertGemm});
  }
  return table;
}

} // namespace kiln::frontend
