// SPDX-License-Identifier: Apache-2.0
//
// FaultReport: everything a person needs to act on a modelled fault: what was
// found and expected, where (instruction, pc, pipe, core, block, source line),
// the operands, and what to do. text() is what tools print.
#pragma once

#include "isa/semantics/semantics.h"
#include "isa/support/status.h"
#include "simulator/core/flag_file.h"
#include "simulator/core/host_global_memory.h"
#include "simulator/core/program.h"

#include <optional>
#include <string>

namespace kiln::sim {

struct FaultReport {
  isa::FaultKind kind{};
  std::string message;     // found and expected
  std::string instruction; // text
  std::string operands;    // decoded fields; empty for control instructions
  std::string remedy;
  uint64_t pc = 0;
  isa::Pipe pipe{};
  uint32_t core = 0;
  uint32_t block = 0;
  std::optional<SourceLine> line;

  std::string text() const;
  /// kDeviceFault, or kBudgetExceeded for an exhausted budget.
  Status status() const;
};

/// Where faults of one block happen: fills the common fields of reports.
struct FaultSite {
  const Program *program = nullptr;
  uint32_t core = 0;
  uint32_t block = 0;

  FaultReport ofCommand(const isa::Command &command, isa::Fault fault) const;
  FaultReport ofControl(uint64_t pc, isa::Fault fault) const;
  /// "0x80000010 (add.mlir:7)", for messages.
  std::string place(uint64_t pc) const;
};

/// What usually helps against a fault of this kind.
std::string_view remedyFor(isa::FaultKind kind);

/// "V>MTE3 id 2".
std::string text(const FlagName &flag);

/// What a pipe of a stuck core is waiting for.
struct PipeWait {
  bool waitsForFlag = false; // its head is a kwait of `flag`
  FlagName flag;
  int semaphore = -1; // its head is a kpend of this one
  uint64_t pc = 0;    // of the head command
  size_t queued = 0;
};

/// What the control core of a stuck core is waiting for.
struct ControlWait {
  enum class Kind : uint8_t { kFlag, kQueueFull, kAllEmpty, kBlocks } kind{};
  FlagName flag;    // kFlag
  isa::Pipe pipe{}; // kQueueFull
  uint64_t pc = 0;
};

/// Explains a deadlock: who waits for which flag and who set it last, then
/// the cycle of waiters or the set that is missing.
isa::Fault explainDeadlock(const FaultSite &site, const ControlWait &control,
                           const PipeWait (&pipes)[isa::kNumPipes],
                           const FlagFile &flags);

/// The fault a kset would raise now, if any: a bad id, a flag that is set or
/// was cleared in cycle `now` only (rule 7; kNoCycle: an engine without time).
std::optional<isa::Fault> checkSet(const FaultSite &site,
                                   const isa::Command &command,
                                   const FlagFile &flags,
                                   uint64_t now = FlagFile::kNoCycle);
isa::Fault badFlagId(const isa::Command &command);

/// Adds the bound buffer nearest to the GM address of `command` to the
/// message of a GM bounds fault.
void addNearestBinding(const isa::Command &command, const HostGlobalMemory &gm,
                       isa::Fault &fault);

/// The fault of flags left set at kend; call only when one is set.
isa::Fault explainResidue(const FaultSite &site, const FlagFile &flags);

} // namespace kiln::sim
