// SPDX-License-Identifier: Apache-2.0
//
// ControlCore: the scalar core S of one NPU core, an interpreter of decoded
// records. It runs alone until it meets something the engine has to see: an
// NPU instruction, an access of the UB window (when watched), a fault or the
// end of its budget.
//
//   core.start(program, launch);
//   for (;;) {
//     switch (core.run(limit)) {
//     case Stop::kCommand: ... core.command() ...; core.resume(); break;
//     ...
//
// Two modes of the same handlers: run() only counts instructions; runTimed()
// keeps the issue cycle too, by k1_numbers section 1: one instruction per
// cycle in order, an instruction waits until its sources are ready.
#pragma once

#include "isa/arch/arch_spec.h"
#include "isa/semantics/semantics.h"
#include "simulator/core/program.h"

#include <span>

namespace kiln::sim {

class DebugHook;

enum class Stop : uint8_t {
  kCommand, // command() waits to be issued
  kWindow,  // windowAccess() waits to be performed
  kFault,   // fault() says what happened
  kLimit,   // the instruction limit of this call is used up
  kDebug,   // a debugger stops before the next instruction
};

/// An access of the UB window by the control core.
struct WindowAccess {
  uint64_t offset = 0; // in UB
  uint32_t bytes = 0;
  bool write = false;
};

/// Where a block runs, as the CSRs show it.
struct BlockPosition {
  uint32_t block = 0;
  uint32_t blockCount = 1;
  uint32_t core = 0;
};

class ControlCore {
public:
  /// Memories the core reads and writes; borrowed.
  void attach(std::span<std::byte> scalarRam, std::span<std::byte> ub);
  /// Costs of runTimed(). Without them it must not be called.
  void setTiming(const isa::ControlTiming &timing) { timing_ = timing; }
  /// Stop at accesses of the UB window (runTimed() always does).
  void watchWindow(bool watch) { watchWindow_ = watch; }

  /// Points the core at `entry` with a0 = `argument`; other registers 0.
  /// `now` is the cycle of the first issue in timed mode.
  void start(const Program &program, uint64_t entry, uint64_t argument,
             const BlockPosition &position, uint64_t now = 0);

  /// Runs up to about `limit` further instructions (checked at jumps).
  Stop run(uint64_t limit) {
    return runWith(debug_ ? kDebugTable : kFastTable, limit);
  }
  Stop runTimed(uint64_t limit) {
    return runWith(debug_ ? kTimedDebugTable : kTimedTable, limit);
  }

  /// Asks `hook` (borrowed, may be null) before each instruction whether to
  /// stop there. The next run goes on with that instruction.
  void setDebug(DebugHook *hook) { debug_ = hook; }

  /// After kCommand: the command with its register values; resume() goes on
  /// behind it.
  const isa::Command &command() const { return command_; }
  void resume() { next_ = stopped_ + 1; }

  /// After kWindow: performs the access and goes on behind it.
  const WindowAccess &windowAccess() const { return window_; }
  void performWindowAccess();

  const isa::Fault &fault() const { return fault_; }
  uint64_t faultPc() const { return faultPc_; }
  uint64_t pc() const { return code_->pcOf(stopped_); }
  uint64_t instructions() const { return retired_; }
  uint64_t reg(unsigned i) const { return x_[i]; }
  /// For a debugger; x0 stays 0.
  void setReg(unsigned i, uint64_t value) { x_[i] = i ? value : 0; }

  /// Timed mode: the cycle in which the stopped instruction issues, or, after
  /// setNow(), in which the next one may.
  uint64_t now() const { return now_; }
  void setNow(uint64_t now) { now_ = now; }

private:
  struct Handlers;
  using Handler = void (*)(ControlCore *, const RvRecord *, uint64_t *,
                           const Handlers *);
  struct Handlers {
    Handler at[kNumRvOps];
  };
  template <bool kTimed> friend struct RvInterpreter;
  static const Handlers kFastTable, kTimedTable;
  static const Handlers kDebugTable, kTimedDebugTable;

  Stop runWith(const Handlers &table, uint64_t limit);
  void stopAt(const RvRecord *record, Stop stop);
  bool stopsForDebugger(const RvRecord *record);
  void raise(const RvRecord *record, isa::FaultKind kind, std::string message);
  void raiseAccess(const RvRecord *record, uint64_t address, uint32_t bytes,
                   bool write);
  void raiseFetch(const RvRecord *record, uint64_t target);
  uint64_t readCsr(unsigned csr) const;

  uint64_t x_[kSinkRegister + 1] = {};
  uint64_t ready_[kSinkRegister + 1] = {}; // timed: cycle a register is ready
  uint64_t now_ = 0;
  std::byte *ram_ = nullptr;
  uint64_t ramBytes_ = 0;
  std::byte *ub_ = nullptr;
  uint64_t ubBytes_ = 0;
  const RvCode *code_ = nullptr;
  const RvRecord *next_ = nullptr;
  const RvRecord *stopped_ = nullptr;
  const RvRecord *blockStart_ = nullptr; // of the straight run being executed
  uint64_t retired_ = 0;                 // instructions before blockStart_
  uint64_t limit_ = 0;
  bool watchWindow_ = false;
  DebugHook *debug_ = nullptr;
  const RvRecord *debugged_ = nullptr; // the stop there has been taken
  Stop stop_ = Stop::kFault;
  isa::Command command_;
  WindowAccess window_;
  isa::Fault fault_;
  uint64_t faultPc_ = 0;
  BlockPosition position_;
  isa::ControlTiming timing_;
};

} // namespace kiln::sim
