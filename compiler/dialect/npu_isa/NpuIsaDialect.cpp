// SPDX-License-Identifier: Apache-2.0
#include "compiler/dialect/npu_isa/NpuIsaOps.h"

using namespace mlir;

#include "compiler/dialect/npu_isa/NpuIsaDialect.cpp.inc"

namespace kiln::npu_isa {

void NpuIsaDialect::initialize() {
  addOperations<
#define GET_OP_LIST
#include "compiler/dialect/npu_isa/NpuIsaOps.cpp.inc"
      >();
}

std::optional<Encoding> encodingOf(Operation *operation) {
#define NPU_ISA_FIXED(value) value
#define NPU_ISA_ATTR(getter) op.getter()
#define NPU_ISA_OP(Class, Opcode, opcode, f2, sub, f3, operands)               \
  if (auto op = dyn_cast<Class##Op>(operation)) {                              \
    return Encoding{opcode, f2, sub, f3, operands};                            \
  }
#include "isa/gen/NpuIsaOps.def"
#undef NPU_ISA_OP
#undef NPU_ISA_ATTR
#undef NPU_ISA_FIXED
  return std::nullopt;
}

} // namespace kiln::npu_isa

#define GET_OP_CLASSES
#include "compiler/dialect/npu_isa/NpuIsaOps.cpp.inc"
