// SPDX-License-Identifier: Apache-2.0
//
// Tensor level of the npu dialect.
#ifndef KILN_COMPILER_DIALECT_NPU_NPUTENSOROPS_TD
#define KILN_COMPILER_DIALECT_NPU_NPUTENSOROPS_TD

include "compiler/dialect/npu/NpuBase.td"

#endif // KILN_COMPILER_DIALECT_NPU_NPUTENSOROPS_TD
