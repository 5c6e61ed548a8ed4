// SPDX-License-Identifier: Apache-2.0
//
// PipeOpInterface: which pipe runs a command, and what it reads and writes.
// Planning, synchronisation and checks see commands only through it.
#ifndef KILN_COMPILER_DIALECT_NPU_NPUINTERFACES_TD
#define KILN_COMPILER_DIALECT_NPU_NPUINTERFACES_TD

include "mlir/IR/OpBase.td"

def PipeOpInterface : OpInterface<"PipeOpInterface"> {
  let description = [{
    An operation that is one command in the queue of one pipe (or, for pipe S,
    an access of the control core to the UB window).
  }];
  let cppNamespace = "::kiln::npu";
  let methods = [
    InterfaceMethod<"The pipe that runs the command.",
      "::kiln::isa::Pipe", "getPipe", (ins)>,
    InterfaceMethod<[{
        Appends one entry per memory operand: the base operand, its byte
        offset, and whether the command reads or writes it.
      }],
      "void", "getAccesses",
      (ins "::llvm::SmallVectorImpl<::kiln::npu::OperandAccess> &":$accesses)>,
  ];
}

#endif // KILN_COMPILER_DIALECT_NPU_NPUINTERFACES_TD
