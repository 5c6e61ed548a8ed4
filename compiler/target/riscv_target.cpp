// SPDX-License-Identifier: Apache-2.0
#include "compiler/target/riscv_target.h"

#include "llvm/Support/ErrorHandling.h"
#include "llvm/Support/TargetSelect.h"
#include "llvm/TargetParser/Triple.h"

#include <mutex>

namespace kiln::target {

const llvm::Target &riscvTarget() {
  static std::once_flag once;
  static const llvm::Target *target = nullptr;
  std::call_once(once, [] {
    LLVMInitializeRISCVTargetInfo();
    LLVMInitializeRISCVTarget();
    LLVMInitializeRISCVTargetMC();
    LLVMInitializeRISCVAsmPrinter();
    LLVMInitializeRISCVAsmParser();
    LLVMInitializeRISCVDisassembler();
    std::string error;
    target =
        llvm::TargetRegistry::lookupTarget(llvm::Triple(kRiscvTriple), error);
  });
  if (!target) {
    llvm::report_fatal_error("LLVM was built without its RISC-V target");
  }
  return *target;
}

} // namespace kiln::target
