// SPDX-License-Identifier: Apache-2.0
#include "simulator/core/fault_report.h"

#include "isa/codec/instruction.h"

#include <cctype>
#include <fmt/format.h>

namespace kiln::sim {

namespace {

std::string controlText(const Program &program, uint64_t pc) {
  const RvRecord *record = program.code().at(pc);
  if (!record) {
    return "no instruction";
  }
  static constexpr std::string_view kNames[kNumRvOps] = {
#define KILN_RV_TEXT(name, meaning) #name,
      KILN_RV_ALL_OPS(KILN_RV_TEXT)
#undef KILN_RV_TEXT
  };
  uint32_t word = program.code().words[(pc - program.code().base) / 4];
  if (record->op == RvOp::kIllegal || record->op == RvOp::kNpu) {
    return isa::disassembleWord(word);
  }
  std::string name(kNames[static_cast<unsigned>(record->op)]);
  for (char &c : name) {
    c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  }
  return fmt::format("{} ({:#010x})", name, word);
}

std::string describeFlag(const FaultSite &site, const FlagFile &flags,
                         const FlagName &flag) {
  const FlagFile::History &history = flags.history(flag);
  if (!history.setPc) {
    return "which nobody has set";
  }
  return fmt::format("last set by kset at {}{}", site.place(history.setPc),
                     history.clearPc ? ", cleared by kwait at " +
                                           site.place(history.clearPc)
                                     : "");
}

/// The pipe that `pipe` waits for, S standing for "not issued yet".
isa::Pipe waitsOn(isa::Pipe pipe, const ControlWait &control,
                  const PipeWait (&pipes)[isa::kNumPipes]) {
  if (pipe != isa::Pipe::S) {
    const PipeWait &wait = pipes[static_cast<unsigned>(pipe)];
    return wait.waitsForFlag ? wait.flag.source : isa::Pipe::S;
  }
  switch (control.kind) {
  case ControlWait::Kind::kFlag:
    return control.flag.source;
  case ControlWait::Kind::kQueueFull:
    return control.pipe;
  case ControlWait::Kind::kAllEmpty:
  case ControlWait::Kind::kBlocks:
    break;
  }
  for (unsigned p = 1; p < isa::kNumPipes; ++p) {
    if (pipes[p].queued) {
      return static_cast<isa::Pipe>(p);
    }
  }
  return isa::Pipe::S;
}

std::string waitCycle(const ControlWait &control,
                      const PipeWait (&pipes)[isa::kNumPipes]) {
  bool seen[isa::kNumPipes] = {};
  isa::Pipe at = isa::Pipe::S;
  while (!seen[static_cast<unsigned>(at)]) {
    seen[static_cast<unsigned>(at)] = true;
    at = waitsOn(at, control, pipes);
  }
  std::string text(isa::name(at));
  for (isa::Pipe p = waitsOn(at, control, pipes);;
       p = waitsOn(p, control, pipes)) {
    text += fmt::format(" -> {}", isa::name(p));
    if (p == at) {
      return text;
    }
  }
}

} // namespace

std::string text(const FlagName &flag) {
  return fmt::format("{}>{} id {}", isa::name(flag.source),
                     isa::name(flag.destination), flag.id);
}

std::string FaultReport::text() const {
  std::string out = fmt::format("{} fault: {}\n", isa::name(kind), message);
  out += fmt::format("  instruction: {}\n", instruction);
  out += fmt::format("  at: pc {:#x}{}, pipe {}, core {}, block {}\n", pc,
                     line ? " (" + line->text() + ")" : "", isa::name(pipe),
                     core, block);
  if (!operands.empty()) {
    out += fmt::format("  operands: {}\n", operands);
  }
  out += fmt::format("  remedy: {}", remedy);
  return out;
}

Status FaultReport::status() const {
  return {kind == isa::FaultKind::kBudget ? StatusCode::kBudgetExceeded
                                          : StatusCode::kDeviceFault,
          text()};
}

std::string FaultSite::place(uint64_t pc) const {
  std::optional<SourceLine> line = program->image().lines.find(pc);
  return line ? fmt::format("{:#x} ({})", pc, line->text())
              : fmt::format("{:#x}", pc);
}

FaultReport FaultSite::ofCommand(const isa::Command &command,
                                 isa::Fault fault) const {
  FaultReport report = ofControl(command.pc, std::move(fault));
  report.instruction = isa::disassembleWord(command.word);
  report.operands = isa::describeOperands(command);
  report.pipe = command.pipe;
  return report;
}

FaultReport FaultSite::ofControl(uint64_t pc, isa::Fault fault) const {
  FaultReport report;
  report.kind = fault.kind;
  report.message = std::move(fault.message);
  report.instruction = controlText(*program, pc);
  report.remedy = remedyFor(report.kind);
  report.pc = pc;
  report.core = core;
  report.block = block;
  report.line = program->image().lines.find(pc);
  return report;
}

std::string_view remedyFor(isa::FaultKind kind) {
  switch (kind) {
  case isa::FaultKind::kIllegalInstruction:
    return "assemble for this ISA version; `kiln dis` shows what the word is";
  case isa::FaultKind::kIllegalOperand:
    return "compare the operand's fields with the instruction's manual page";
  case isa::FaultKind::kMisaligned:
    return "align the address as stated; local buffers start at multiples of "
           "32 bytes, L0 buffers of 512 and 1024";
  case isa::FaultKind::kLocalBounds:
    return "shrink the tile or move the buffer: it must end below the "
           "capacity of its memory";
  case isa::FaultKind::kGmBounds:
    return "check the binding's size and the row count, row bytes and stride "
           "of the transfer";
  case isa::FaultKind::kOverlap:
    return "let destination and source be the same view or disjoint";
  case isa::FaultKind::kFlagAlreadySet:
    return "order the set after the wait that clears the flag, or use "
           "another id per iteration in flight";
  case isa::FaultKind::kFlagId:
    return "use ids 0 to 7: count modulo the buffer depth";
  case isa::FaultKind::kFlagResidue:
    return "give every kset exactly one kwait on every path, loops that run "
           "zero times too";
  case isa::FaultKind::kDeadlock:
    return "issue the set before the wait in program order, on every path";
  case isa::FaultKind::kBudget:
    return "raise the budget, or look for a loop that does not end";
  case isa::FaultKind::kTrap:
    return "the kernel stopped itself: see the check at this line";
  case isa::FaultKind::kControl:
    return "scalar code reaches scalar RAM, the UB window and its own text "
           "only; global memory is moved by MTE2, MTE3 and FIX";
  case isa::FaultKind::kSemaphore:
    return "give every kpost exactly one kpend, and launch at most as many "
           "blocks as there are cores";
  }
  return "";
}

isa::Fault explainDeadlock(const FaultSite &site, const ControlWait &control,
                           const PipeWait (&pipes)[isa::kNumPipes],
                           const FlagFile &flags) {
  std::string out = "no pipe can go on";
  switch (control.kind) {
  case ControlWait::Kind::kFlag:
    out += fmt::format("\n    S waits at {} for flag {}, {}",
                       site.place(control.pc), text(control.flag),
                       describeFlag(site, flags, control.flag));
    break;
  case ControlWait::Kind::kQueueFull:
    out += fmt::format("\n    S waits at {} for room in the queue of {}",
                       site.place(control.pc), isa::name(control.pipe));
    break;
  case ControlWait::Kind::kAllEmpty:
    out += fmt::format("\n    S waits at {} until all pipes are empty",
                       site.place(control.pc));
    break;
  case ControlWait::Kind::kBlocks:
    out += fmt::format("\n    S waits at {} for the other blocks of the launch",
                       site.place(control.pc));
    break;
  }
  for (unsigned p = 1; p < isa::kNumPipes; ++p) {
    const PipeWait &wait = pipes[p];
    if (wait.semaphore >= 0) {
      out +=
          fmt::format("\n    {} waits at {} for semaphore {}, which no block "
                      "posts",
                      isa::kPipeNames[p], site.place(wait.pc), wait.semaphore);
    }
    if (!wait.waitsForFlag) {
      continue;
    }
    out += fmt::format("\n    {} waits at {} for flag {}, {}; {} commands "
                       "are queued",
                       isa::kPipeNames[p], site.place(wait.pc), text(wait.flag),
                       describeFlag(site, flags, wait.flag), wait.queued);
    const PipeWait &source = pipes[static_cast<unsigned>(wait.flag.source)];
    if (wait.flag.source != isa::Pipe::S && source.queued == 0) {
      out += fmt::format(" ({} has nothing left to run)",
                         isa::name(wait.flag.source));
    }
  }
  out += "\n    cycle of waiters: " + waitCycle(control, pipes);
  return {isa::FaultKind::kDeadlock, out};
}

isa::Fault badFlagId(const isa::Command &command) {
  return {isa::FaultKind::kFlagId,
          fmt::format("flag id {}, expected 0 to {}", command.rs1,
                      isa::kNumFlagIds - 1)};
}

std::optional<isa::Fault> checkSet(const FaultSite &site,
                                   const isa::Command &command,
                                   const FlagFile &flags, uint64_t now) {
  FlagName flag = flagOf(command);
  if (flag.id >= isa::kNumFlagIds) {
    return badFlagId(command);
  }
  const bool clearedNow =
      now != FlagFile::kNoCycle && flags.history(flag).clearedAt == now;
  if (!flags.isSet(flag) && !clearedNow) {
    return std::nullopt;
  }
  return isa::Fault{
      isa::FaultKind::kFlagAlreadySet,
      fmt::format("flag {} is still set by kset at {}: no kwait has cleared "
                  "it in time",
                  text(flag), site.place(flags.history(flag).setPc))};
}

void addNearestBinding(const isa::Command &command, const HostGlobalMemory &gm,
                       isa::Fault &fault) {
  const isa::OpcodeInfo &info = isa::info(command.op);
  const uint64_t values[3] = {command.rs1, command.rs2, command.rs3};
  for (unsigned i = 0; i < 3; ++i) {
    if (info.operand[i].layout == isa::Layout::kGmAddress) {
      fault.message += "; " + gm.nearest(values[i]);
      return;
    }
  }
}

isa::Fault explainResidue(const FaultSite &site, const FlagFile &flags) {
  std::string out;
  flags.forEachSet([&](const FlagName &flag) {
    out += fmt::format("{}flag {} is still set at kend, set by kset at {}",
                       out.empty() ? "" : "; ", text(flag),
                       site.place(flags.history(flag).setPc));
  });
  return {isa::FaultKind::kFlagResidue, out};
}

} // namespace kiln::sim
