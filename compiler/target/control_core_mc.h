// SPDX-License-Identifier: Apache-2.0
//
// The tables of LLVM's machine-code layer for the control core, as assembler
// and disassembler need them.
#pragma once

#include "compiler/target/riscv_target.h"

#include "llvm/MC/MCAsmInfo.h"
#include "llvm/MC/MCInstrInfo.h"
#include "llvm/MC/MCRegisterInfo.h"
#include "llvm/MC/MCSubtargetInfo.h"
#include "llvm/MC/MCTargetOptions.h"
#include "llvm/TargetParser/Triple.h"

#include <memory>

namespace kiln::target {

struct ControlCoreMc {
  ControlCoreMc()
      : triple(kRiscvTriple), target(riscvTarget()),
        registers(target.createMCRegInfo(triple)),
        asmInfo(target.createMCAsmInfo(*registers, triple, options)),
        subtarget(
            target.createMCSubtargetInfo(triple, kRiscvCpu, kRiscvFeatures)),
        instructions(target.createMCInstrInfo()) {}

  llvm::Triple triple;
  llvm::MCTargetOptions options;
  const llvm::Target &target;
  std::unique_ptr<llvm::MCRegisterInfo> registers;
  std::unique_ptr<llvm::MCAsmInfo> asmInfo;
  std::unique_ptr<llvm::MCSubtargetInfo> subtarget;
  std::unique_ptr<llvm::MCInstrInfo> instructions;
};

} // namespace kiln::target
