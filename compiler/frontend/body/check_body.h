// SPDX-License-Identifier: Apache-2.0
//
// The two halves of LinalgBodyReader::read() behind the parser. Internal to
// compiler/frontend/body.
#pragma once

#include "compiler/frontend/body/linalg_body.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"

namespace kiln::body {

/// Collects findings at places of the text.
class Findings {
public:
  Findings(std::vector<BodyFinding> &list, const BodyText &body)
      : list_(list), body_(body) {}

  void add(BodyFault fault, mlir::Location at, std::string text);
  size_t size() const { return list_.size(); }

private:
  std::vector<BodyFinding> &list_;
  const BodyText &body_;
};

/// The only function of the module; null, with a finding, when it is not alone.
mlir::func::FuncOp onlyFunction(mlir::ModuleOp module, Findings &findings);

/// Arguments and results against the operator's, operations and types against
/// what is possible. False with findings.
bool checkBody(mlir::func::FuncOp func, const BodySignature &signature,
               Findings &findings);

/// Puts in the sizes of the inputs and brings the body into the form of the
/// shared level. False with findings.
bool makeStatic(mlir::func::FuncOp func, const BodySignature &signature,
                Findings &findings);

/// Whether a result of an operation fits: static, at most 2^32 elements, and an
/// element type that a tensor may have.
bool isPossibleTensor(mlir::Type type);

/// Operations that may stand in the body itself when it is static.
bool isPossibleWhenStatic(mlir::Operation *op);

} // namespace kiln::body
