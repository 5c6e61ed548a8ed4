// SPDX-License-Identifier: Apache-2.0
//
// Element types of constants as MLIR types and back.
//
//   Type f16 = toMlirType(ElementType::kF16, &context);
//   std::optional<ElementType> type = toElementType(tensor.getElementType());
//
// Unsigned integers keep their sign in MLIR (ui8), signed ones are signless.
#pragma once

#include "compiler/constants/element_type.h"
#include "mlir/IR/BuiltinTypes.h"

#include <optional>

namespace kiln {

mlir::Type toMlirType(ElementType type, mlir::MLIRContext *context);
std::optional<ElementType> toElementType(mlir::Type type);

} // namespace kiln
