// SPDX-License-Identifier: Apache-2.0
#include "compiler/dialect/plan/element_types.h"

using namespace mlir;

namespace kiln {

Type toMlirType(ElementType type, MLIRContext *context) {
  auto integer = [&](unsigned width, bool isUnsigned = false) -> Type {
    return IntegerType::get(context, width,
                            isUnsigned ? IntegerType::Unsigned
                                       : IntegerType::Signless);
  };
  switch (type) {
  case ElementType::kF16:
    return Float16Type::get(context);
  case ElementType::kBf16:
    return BFloat16Type::get(context);
  case ElementType::kF32:
    return Float32Type::get(context);
  case ElementType::kF64:
    return Float64Type::get(context);
  case ElementType::kI8:
    return integer(8);
  case ElementType::kU8:
    return integer(8, true);
  case ElementType::kI16:
    return integer(16);
  case ElementType::kU16:
    return integer(16, true);
  case ElementType::kI32:
    return integer(32);
  case ElementType::kU32:
    return integer(32, true);
  case ElementType::kI64:
    return integer(64);
  case ElementType::kU64:
    return integer(64, true);
  case ElementType::kBool:
    return integer(1);
  }
  return {};
}

std::optional<ElementType> toElementType(Type type) {
  for (int i = 0; i <= static_cast<int>(ElementType::kBool); ++i) {
    auto candidate = static_cast<ElementType>(i);
    if (toMlirType(candidate, type.getContext()) == type) {
      return candidate;
    }
  }
  return std::nullopt;
}

} // namespace kiln
