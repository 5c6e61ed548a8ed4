// SPDX-License-Identifier: Apache-2.0
//
// The whole dialect, for tablegen.
#ifndef KILN_COMPILER_DIALECT_NPU_NPUOPS_TD
#define KILN_COMPILER_DIALECT_NPU_NPUOPS_TD

include "compiler/dialect/npu/NpuCommands.td"
include "compiler/dialect/npu/NpuTensorOps.td"

#endif // KILN_COMPILER_DIALECT_NPU_NPUOPS_TD
