// SPDX-License-Identifier: Apache-2.0
//
// The npu_isa dialect: one op per instruction, generated from isa/spec into
// isa/gen/NpuIsaOps.td. Operands are the packed i64 register values.
#ifndef KILN_COMPILER_DIALECT_NPU_ISA_NPUISABASE_TD
#define KILN_COMPILER_DIALECT_NPU_ISA_NPUISABASE_TD

include "mlir/IR/OpBase.td"

def NpuIsa_Dialect : Dialect {
  let name = "npu_isa";
  let cppNamespace = "::kiln::npu_isa";
  let summary = "Instructions of an NPU core, one op each";
}

class NpuIsa_Op<string mnemonic, list<Trait> traits = []>
    : Op<NpuIsa_Dialect, mnemonic, traits>;

#endif // KILN_COMPILER_DIALECT_NPU_ISA_NPUISABASE_TD
