// SPDX-License-Identifier: Apache-2.0
#include "compiler/dialect/npu/NpuMoveOps.h"
#include "compiler/dialect/npu/NpuOps.h"

#include "isa/support/units.h"

#include "mlir/IR/DialectImplementation.h"

using namespace mlir;

#include "compiler/dialect/npu/NpuDialect.cpp.inc"
#include "compiler/dialect/npu/NpuEnums.cpp.inc"
#include "compiler/dialect/npu/NpuInterfaces.cpp.inc"

namespace kiln::npu {

void NPUDialect::initialize() {
  addOperations<
#define GET_OP_LIST
#include "compiler/dialect/npu/NpuOps.cpp.inc"
      >();
}

std::optional<isa::Space> spaceOf(Type type) {
  auto memref = dyn_cast<MemRefType>(type);
  if (!memref) {
    return std::nullopt;
  }
  Attribute space = memref.getMemorySpace();
  if (!space) {
    return isa::Space::GM;
  }
  auto integer = dyn_cast<IntegerAttr>(space);
  if (!integer || integer.getInt() < 0 || integer.getInt() >= isa::kNumSpaces) {
    return std::nullopt;
  }
  return static_cast<isa::Space>(integer.getInt());
}

Attribute spaceAttr(MLIRContext *context, isa::Space space) {
  if (space == isa::Space::GM) {
    return {};
  }
  return IntegerAttr::get(IntegerType::get(context, 64),
                          static_cast<int64_t>(space));
}

std::optional<isa::ElementType> elementTypeOf(Type type) {
  using enum isa::ElementType;
  if (type.isF16()) {
    return F16;
  }
  if (type.isBF16()) {
    return BF16;
  }
  if (type.isF32()) {
    return F32;
  }
  auto integer = dyn_cast<IntegerType>(type);
  if (!integer) {
    return std::nullopt;
  }
  switch (integer.getWidth()) {
  case 8:
    return integer.isUnsigned() ? U8 : I8;
  case 16:
    return integer.isUnsigned() ? U16 : I16;
  case 32:
    return integer.isUnsigned() ? std::nullopt : std::optional(I32);
  default:
    return std::nullopt;
  }
}

int64_t localBytes(MemRefType type) {
  const int64_t size = (type.getElementTypeBitWidth() + 7) / 8;
  const int64_t perBlock = isa::kBlockBytes / size;
  const auto space = spaceOf(type);
  if (type.getRank() == 2 && space) {
    const uint64_t d0 = type.getDimSize(0), d1 = type.getDimSize(1);
    const uint64_t rows = isa::kCellRows;
    switch (*space) {
    case isa::Space::L0A:
      return alignUp(d0, rows) * alignUp(d1, perBlock) * size;
    case isa::Space::L0B:
      return alignUp(d0, perBlock) * alignUp(d1, rows) * size;
    case isa::Space::L0C:
      return alignUp(d0, rows) * alignUp(d1, rows) * size;
    default:
      break;
    }
  }
  return alignUp(type.getNumElements() * size, isa::kBlockBytes);
}

} // namespace kiln::npu

#define GET_OP_CLASSES
#include "compiler/dialect/npu/NpuOps.cpp.inc"
