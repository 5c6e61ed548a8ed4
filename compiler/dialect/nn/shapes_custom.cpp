// SPDX-License-Identifier: Apache-2.0
//
// Operators that came with a body: its function says what they take and give.
#include "compiler/dialect/nn/nn_dialect.h"

#include "mlir/IR/SymbolTable.h"
#include "mlir/Interfaces/FunctionInterfaces.h"

using namespace mlir;

namespace kiln::nn {

LogicalResult CustomOp::inferShapes(SmallVectorImpl<RankedTensorType> &types) {
  auto body = SymbolTable::lookupNearestSymbolFrom<FunctionOpInterface>(
      *this, getBodyAttr());
  if (!body || body.isExternal() || !body->hasAttr(kBodyAttr)) {
    return emitOpError("'") << getBody() << "' is no body of this module";
  }
  if (!llvm::equal(body.getArgumentTypes(), getInputs().getTypes())) {
    return emitOpError("operands are not the arguments of '")
           << getBody() << "'";
  }
  for (Type type : body.getResultTypes()) {
    auto tensor = dyn_cast<RankedTensorType>(type);
    if (!tensor || types.size() == getNumResults()) {
      return emitOpError("results are not those of '") << getBody() << "'";
    }
    types.push_back(tensor);
  }
  if (types.size() != getNumResults()) {
    return emitOpError("results are not those of '") << getBody() << "'";
  }
  return success();
}

} // namespace kiln::nn
