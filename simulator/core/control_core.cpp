// SPDX-License-Identifier: Apache-2.0
//
// Every operation is a small function that ends in a guaranteed tail call of
// the next one, so the whole interpreter runs in registers and each operation
// has its own indirect jump to predict.
#include "simulator/core/control_core.h"

#include "isa/codec/instruction.h"
#include "simulator/core/debug_hook.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <fmt/format.h>

namespace kiln::sim {

namespace {

__extension__ using Int128 = __int128;
__extension__ using Uint128 = unsigned __int128;

uint64_t mulHigh(int64_t a, int64_t b) {
  return static_cast<uint64_t>((Int128(a) * b) >> 64);
}
uint64_t mulHighSignedUnsigned(int64_t a, uint64_t b) {
  return static_cast<uint64_t>((Int128(a) * Int128(b)) >> 64);
}
uint64_t mulHighUnsigned(uint64_t a, uint64_t b) {
  return static_cast<uint64_t>((Uint128(a) * b) >> 64);
}
int64_t divide(int64_t a, int64_t b) {
  if (b == 0) {
    return -1;
  }
  return b == -1 ? static_cast<int64_t>(-static_cast<uint64_t>(a)) : a / b;
}
int64_t remainder(int64_t a, int64_t b) {
  if (b == 0) {
    return a;
  }
  return b == -1 ? 0 : a % b;
}
uint64_t orCombineBytes(uint64_t a) {
  uint64_t result = 0;
  for (unsigned shift = 0; shift < 64; shift += 8) {
    if ((a >> shift) & 0xff) {
      result |= uint64_t{0xff} << shift;
    }
  }
  return result;
}

} // namespace

#define KILN_RV_ARGS                                                           \
  [[maybe_unused]] ControlCore *c, [[maybe_unused]] const RvRecord *r,         \
      [[maybe_unused]] uint64_t *x,                                            \
      [[maybe_unused]] const ControlCore::Handlers *t
#define KILN_RV_GO(record)                                                     \
  do {                                                                         \
    const RvRecord *next = (record);                                           \
    [[clang::musttail]] return t->at[static_cast<unsigned>(next->op)](c, next, \
                                                                      x, t);   \
  } while (false)

template <bool kTimed> struct RvInterpreter {
  /// Timed: waits for the sources and takes the issue cycle.
  static void issue(ControlCore *c, const RvRecord *r) {
    if constexpr (kTimed) {
      c->now_ = std::max({c->now_, c->ready_[r->rs1], c->ready_[r->rs2]}) + 1;
    }
  }
  /// Timed: the result of the instruction just issued is there `extra` cycles
  /// later than that of an addition.
  static void result(ControlCore *c, const RvRecord *r, uint64_t extra = 0) {
    if constexpr (kTimed) {
      c->ready_[r->rd] = c->now_ + extra;
    }
  }
  static void delay(ControlCore *c, uint64_t cycles) {
    if constexpr (kTimed) {
      c->now_ += cycles;
    }
  }

  /// Leaves the straight run that ends with `r`; false when the limit is hit.
  static bool jump(ControlCore *c, const RvRecord *r, const RvRecord *target) {
    c->retired_ += static_cast<uint64_t>(r - c->blockStart_) + 1;
    c->blockStart_ = target;
    delay(c, c->timing_.takenBranchCycles);
    if (c->retired_ < c->limit_) [[likely]] {
      return true;
    }
    c->stopped_ = target;
    c->next_ = target;
    c->stop_ = Stop::kLimit;
    return false;
  }

#define KILN_RV_ALU(name, expression)                                          \
  static void op##name(KILN_RV_ARGS) {                                         \
    issue(c, r);                                                               \
    [[maybe_unused]] uint64_t a = x[r->rs1], b = x[r->rs2];                    \
    [[maybe_unused]] uint64_t i = static_cast<uint64_t>(int64_t{r->imm});      \
    x[r->rd] = static_cast<uint64_t>(expression);                              \
    result(c, r);                                                              \
    KILN_RV_GO(r + 1);                                                         \
  }
  KILN_RV_ALU_OPS(KILN_RV_ALU)
#undef KILN_RV_ALU

#define KILN_RV_MUL(name, expression)                                          \
  static void op##name(KILN_RV_ARGS) {                                         \
    issue(c, r);                                                               \
    uint64_t a = x[r->rs1], b = x[r->rs2];                                     \
    x[r->rd] = static_cast<uint64_t>(expression);                              \
    result(c, r, c->timing_.mulCycles - 1);                                    \
    KILN_RV_GO(r + 1);                                                         \
  }
  KILN_RV_MUL_OPS(KILN_RV_MUL)
#undef KILN_RV_MUL

#define KILN_RV_DIV(name, expression)                                          \
  static void op##name(KILN_RV_ARGS) {                                         \
    issue(c, r);                                                               \
    uint64_t a = x[r->rs1], b = x[r->rs2];                                     \
    x[r->rd] = static_cast<uint64_t>(int64_t(expression));                     \
    delay(c, c->timing_.divCycles - 1);                                        \
    result(c, r);                                                              \
    KILN_RV_GO(r + 1);                                                         \
  }
  KILN_RV_DIV_OPS(KILN_RV_DIV)
#undef KILN_RV_DIV

#define KILN_RV_BRANCH(name, condition)                                        \
  static void op##name(KILN_RV_ARGS) {                                         \
    issue(c, r);                                                               \
    uint64_t a = x[r->rs1], b = x[r->rs2];                                     \
    if (condition) {                                                           \
      const RvRecord *target = r + r->imm;                                     \
      if (!jump(c, r, target)) {                                               \
        return;                                                                \
      }                                                                        \
      KILN_RV_GO(target);                                                      \
    }                                                                          \
    KILN_RV_GO(r + 1);                                                         \
  }
  KILN_RV_BRANCH_OPS(KILN_RV_BRANCH)
#undef KILN_RV_BRANCH

  template <typename T> static void load(KILN_RV_ARGS) {
    issue(c, r);
    uint64_t address = x[r->rs1] + static_cast<uint64_t>(int64_t{r->imm});
    uint64_t offset = address - isa::kScalarRamBase;
    if (offset >= c->ramBytes_ || offset % sizeof(T)) [[unlikely]] {
      [[clang::musttail]] return windowLoad<T>(c, r, x, t);
    }
    T value;
    std::memcpy(&value, c->ram_ + offset, sizeof(T));
    x[r->rd] = static_cast<uint64_t>(int64_t(value));
    if constexpr (kTimed) {
      result(c, r, c->timing_.scalarRamCycles + c->timing_.loadUseBubble - 1);
    }
    KILN_RV_GO(r + 1);
  }

  template <typename T> static void windowLoad(KILN_RV_ARGS) {
    if (!window(c, r, x, sizeof(T), false)) {
      return;
    }
    T value;
    std::memcpy(&value, c->ub_ + c->window_.offset, sizeof(T));
    x[r->rd] = static_cast<uint64_t>(int64_t(value));
    KILN_RV_GO(r + 1);
  }

  template <typename T> static void store(KILN_RV_ARGS) {
    issue(c, r);
    uint64_t address = x[r->rs1] + static_cast<uint64_t>(int64_t{r->imm});
    uint64_t offset = address - isa::kScalarRamBase;
    if (offset >= c->ramBytes_ || offset % sizeof(T)) [[unlikely]] {
      [[clang::musttail]] return windowStore<T>(c, r, x, t);
    }
    std::memcpy(c->ram_ + offset, &x[r->rs2], sizeof(T));
    KILN_RV_GO(r + 1);
  }

  template <typename T> static void windowStore(KILN_RV_ARGS) {
    if (!window(c, r, x, sizeof(T), true)) {
      return;
    }
    std::memcpy(c->ub_ + c->window_.offset, &x[r->rs2], sizeof(T));
    KILN_RV_GO(r + 1);
  }

  /// An access outside the scalar RAM: true when it may be done at once.
  static bool window(ControlCore *c, const RvRecord *r, const uint64_t *x,
                     uint32_t bytes, bool write) {
    uint64_t address = x[r->rs1] + static_cast<uint64_t>(int64_t{r->imm});
    uint64_t offset = address - isa::kUbWindowBase;
    if (offset >= c->ubBytes_ || offset % bytes) {
      c->raiseAccess(r, address, bytes, write);
      return false;
    }
    c->window_ = {offset, bytes, write};
    if (kTimed || c->watchWindow_) {
      if constexpr (kTimed) {
        c->now_ -= 1; // the issue cycle itself; performWindowAccess() goes on
      }
      c->stopAt(r, Stop::kWindow);
      return false;
    }
    return true;
  }

#define KILN_RV_LOAD(name, type)                                               \
  static void op##name(KILN_RV_ARGS) {                                         \
    [[clang::musttail]] return load<type>(c, r, x, t);                         \
  }
  KILN_RV_LOAD_OPS(KILN_RV_LOAD)
#undef KILN_RV_LOAD
#define KILN_RV_STORE(name, type)                                              \
  static void op##name(KILN_RV_ARGS) {                                         \
    [[clang::musttail]] return store<type>(c, r, x, t);                        \
  }
  KILN_RV_STORE_OPS(KILN_RV_STORE)
#undef KILN_RV_STORE

  static void opAuipc(KILN_RV_ARGS) {
    issue(c, r);
    x[r->rd] = c->code_->pcOf(r) + static_cast<uint64_t>(int64_t{r->imm});
    result(c, r);
    KILN_RV_GO(r + 1);
  }

  static void opJal(KILN_RV_ARGS) {
    issue(c, r);
    x[r->rd] = c->code_->pcOf(r) + 4;
    result(c, r);
    const RvRecord *target = r + r->imm;
    if (!jump(c, r, target)) {
      return;
    }
    KILN_RV_GO(target);
  }

  static void opJalr(KILN_RV_ARGS) {
    issue(c, r);
    uint64_t to =
        (x[r->rs1] + static_cast<uint64_t>(int64_t{r->imm})) & ~uint64_t{1};
    const RvRecord *target = c->code_->at(to);
    if (!target) [[unlikely]] {
      c->raiseFetch(r, to);
      return;
    }
    x[r->rd] = c->code_->pcOf(r) + 4;
    result(c, r);
    if (!jump(c, r, target)) {
      return;
    }
    KILN_RV_GO(target);
  }

  static void opCsr(KILN_RV_ARGS) {
    issue(c, r);
    unsigned csr = static_cast<unsigned>(r->imm);
    if (csr < isa::kCsrBlockIndex || csr > isa::kCsrCycle) {
      c->raise(r, isa::FaultKind::kControl,
               fmt::format("CSR {:#x}, expected {:#x} to {:#x}", csr,
                           isa::kCsrBlockIndex, isa::kCsrCycle));
      return;
    }
    delay(c, c->timing_.csrCycles - 1);
    x[r->rd] = csr == isa::kCsrCycle && !kTimed
                   ? c->retired_ + static_cast<uint64_t>(r - c->blockStart_)
                   : c->readCsr(csr);
    result(c, r);
    KILN_RV_GO(r + 1);
  }

  static void opFence(KILN_RV_ARGS) {
    issue(c, r);
    KILN_RV_GO(r + 1);
  }

  static void opEcall(KILN_RV_ARGS) {
    c->raise(r, isa::FaultKind::kIllegalInstruction,
             "ecall: a kernel has no system to call");
  }

  static void opEbreak(KILN_RV_ARGS) {
    c->raise(r, isa::FaultKind::kTrap, "ebreak");
  }

  static void opNpu(KILN_RV_ARGS) {
    if constexpr (kTimed) {
      c->now_ = std::max(
          {c->now_, c->ready_[r->rs1], c->ready_[r->rs2], c->ready_[r->rd]});
    }
    c->command_ = c->code_->commands[static_cast<size_t>(r->imm)];
    c->command_.rs1 = x[r->rs1];
    c->command_.rs2 = x[r->rs2];
    c->command_.rs3 = x[r->rd];
    c->stopAt(r, Stop::kCommand);
  }

  static void opIllegal(KILN_RV_ARGS) {
    uint32_t word =
        c->code_->words[static_cast<size_t>(r - c->code_->records.data())];
    c->raise(r, isa::FaultKind::kIllegalInstruction,
             isa::isNpuWord(word)
                 ? isa::decode(word).status().message()
                 : fmt::format("{:#010x} is no instruction of "
                               "RV64IM_Zba_Zbb_Zicsr with read-only CSRs",
                               word));
  }

  /// Stands in for every operation while a debugger looks on.
  static void debug(KILN_RV_ARGS) {
    if (c->stopsForDebugger(r)) {
      return;
    }
    const ControlCore::Handlers &plain =
        kTimed ? ControlCore::kTimedTable : ControlCore::kFastTable;
    [[clang::musttail]] return plain.at[static_cast<unsigned>(r->op)](c, r, x,
                                                                      t);
  }

  static void opBadFetch(KILN_RV_ARGS) {
    c->raiseFetch(r, c->code_->badTargets[static_cast<size_t>(r->imm)]);
  }
};

#define KILN_RV_FAST(name, meaning) &RvInterpreter<false>::op##name,
#define KILN_RV_TIMED(name, meaning) &RvInterpreter<true>::op##name,
const ControlCore::Handlers ControlCore::kFastTable = {
    {KILN_RV_ALL_OPS(KILN_RV_FAST)}};
const ControlCore::Handlers ControlCore::kTimedTable = {
    {KILN_RV_ALL_OPS(KILN_RV_TIMED)}};
#undef KILN_RV_FAST
#undef KILN_RV_TIMED
#define KILN_RV_DEBUG(name, meaning) &RvInterpreter<false>::debug,
#define KILN_RV_TIMED_DEBUG(name, meaning) &RvInterpreter<true>::debug,
const ControlCore::Handlers ControlCore::kDebugTable = {
    {KILN_RV_ALL_OPS(KILN_RV_DEBUG)}};
const ControlCore::Handlers ControlCore::kTimedDebugTable = {
    {KILN_RV_ALL_OPS(KILN_RV_TIMED_DEBUG)}};
#undef KILN_RV_DEBUG
#undef KILN_RV_TIMED_DEBUG

void ControlCore::attach(std::span<std::byte> scalarRam,
                         std::span<std::byte> ub) {
  ram_ = scalarRam.data();
  ramBytes_ = scalarRam.size() & ~uint64_t{7}; // aligned accesses stay inside
  ub_ = ub.data();
  ubBytes_ = ub.size() & ~uint64_t{7};
}

void ControlCore::start(const Program &program, uint64_t entry,
                        uint64_t argument, const BlockPosition &position,
                        uint64_t now) {
  std::fill(std::begin(x_), std::end(x_), 0);
  std::fill(std::begin(ready_), std::end(ready_), 0);
  x_[10] = argument;
  now_ = now;
  code_ = &program.code();
  next_ = code_->at(entry);
  stopped_ = next_;
  blockStart_ = next_;
  retired_ = 0;
  debugged_ = nullptr;
  position_ = position;
}

Stop ControlCore::runWith(const Handlers &table, uint64_t limit) {
  limit_ = limit > ~uint64_t{0} - retired_ ? ~uint64_t{0} : retired_ + limit;
  blockStart_ = next_;
  table.at[static_cast<unsigned>(next_->op)](this, next_, x_, &table);
  return stop_;
}

void ControlCore::stopAt(const RvRecord *record, Stop stop) {
  retired_ += static_cast<uint64_t>(record - blockStart_) + 1;
  blockStart_ = record + 1;
  stopped_ = record;
  next_ = record + 1;
  stop_ = stop;
}

bool ControlCore::stopsForDebugger(const RvRecord *record) {
  if (debugged_ == record) {
    debugged_ = nullptr; // this is where it goes on
    return false;
  }
  if (!debug_->stopsBefore(code_->pcOf(record))) {
    return false;
  }
  retired_ += static_cast<uint64_t>(record - blockStart_);
  blockStart_ = record;
  stopped_ = next_ = debugged_ = record;
  stop_ = Stop::kDebug;
  return true;
}

void ControlCore::performWindowAccess() {
  const RvRecord &r = *stopped_;
  std::byte *at = ub_ + window_.offset;
  now_ += 1;
  if (window_.write) {
    std::memcpy(at, &x_[r.rs2], window_.bytes);
    return;
  }
  uint64_t value = 0;
  std::memcpy(&value, at, window_.bytes);
  unsigned shift = 64 - 8 * window_.bytes;
  bool isSigned = r.op <= RvOp::kLd;
  x_[r.rd] =
      isSigned
          ? static_cast<uint64_t>(static_cast<int64_t>(value << shift) >> shift)
          : value;
  ready_[r.rd] = now_ + timing_.ubWindowCycles + timing_.loadUseBubble - 1;
}

void ControlCore::raise(const RvRecord *record, isa::FaultKind kind,
                        std::string message) {
  fault_ = {kind, std::move(message)};
  faultPc_ = code_->pcOf(record);
  stopAt(record, Stop::kFault);
}

void ControlCore::raiseAccess(const RvRecord *record, uint64_t address,
                              uint32_t bytes, bool write) {
  bool inside = address - isa::kScalarRamBase < ramBytes_ ||
                address - isa::kUbWindowBase < ubBytes_;
  if (inside) {
    raise(record, isa::FaultKind::kMisaligned,
          fmt::format("{} of {} bytes at {:#x}, expected an address that is a "
                      "multiple of {}",
                      write ? "store" : "load", bytes, address, bytes));
    return;
  }
  raise(record, isa::FaultKind::kControl,
        fmt::format("{} of {} bytes at {:#x}, expected the scalar RAM "
                    "[{:#x}, {:#x}) or the UB window [{:#x}, {:#x})",
                    write ? "store" : "load", bytes, address,
                    isa::kScalarRamBase, isa::kScalarRamBase + ramBytes_,
                    isa::kUbWindowBase, isa::kUbWindowBase + ubBytes_));
}

void ControlCore::raiseFetch(const RvRecord *record, uint64_t target) {
  raise(record, isa::FaultKind::kControl,
        fmt::format("fetch at {:#x}, expected an instruction of the program "
                    "[{:#x}, {:#x})",
                    target, code_->base,
                    code_->base + 4 * code_->words.size()));
  if (record->op == RvOp::kBadFetch) {
    faultPc_ = target;
  }
}

uint64_t ControlCore::readCsr(unsigned csr) const {
  switch (csr) {
  case isa::kCsrBlockIndex:
    return position_.block;
  case isa::kCsrBlockCount:
    return position_.blockCount;
  case isa::kCsrCoreId:
    return position_.core;
  default:
    return now_ - 1;
  }
}

} // namespace kiln::sim
