// SPDX-License-Identifier: Apache-2.0
//
// The linalg body of an operator for one shape.
//
//   BodyCompiler bodies;
//   Result<std::string> mlir = bodies.compile(*op, *shape);
//
// {NAME} of the author's text is replaced by the size or attribute NAME, then
// LinalgBodyReader (compiler/frontend/body) checks it against the declaration
// and puts in the sizes. Mistakes come back as those of a kernel do, at lines
// of the author's file; messages, where given, receives them too.
//
// Thread rule: a BodyCompiler serves one thread at a time.
#pragma once

#include "compiler/frontend/body/linalg_body.h"
#include "tik_dsl/builder/operator.h"

#include <optional>
#include <string>

namespace kiln::tik {

class BodyCompiler {
public:
  /// A module with one static function `body`. The operator has a body.
  Result<std::string> compile(const Operator &op, const BoundShape &shape,
                              MessageList *messages = nullptr);
  /// The same for a declaration; nothing with messages.
  std::optional<std::string> compile(const OperatorDecl &decl,
                                     const BoundShape &shape,
                                     MessageList &messages);

private:
  /// Made when it is needed: most operators have no body.
  std::optional<LinalgBodyReader> reader_;
};

BodySignature bodySignature(const BoundShape &shape);

/// The same type as the compiler's graph names it, and back; nothing for those
/// that only graphs have.
ElementType graphType(isa::ElementType type);
std::optional<isa::ElementType> machineType(ElementType type);

} // namespace kiln::tik
