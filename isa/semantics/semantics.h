// SPDX-License-Identifier: Apache-2.0
//
// What each command does and touches: the single home of the meaning of the
// NPU instructions. The functional engine, the cycle engine (at retire), the
// checkers and the tests of the sync pass call these two functions; the RTL
// never does and is compared against them.
//
//   if (std::optional<Fault> f = execute(command, config, memory)) { ... }
//   Footprint fp;
//   footprint(command, config, fp);   // before execute()
//
// Thread rule: pure functions of their arguments; any number of threads on
// different cores.
#pragma once

#include "isa/codec/command.h"
#include "isa/semantics/core_memory.h"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace kiln::isa {

enum class FaultKind : uint8_t {
  kIllegalInstruction, // undefined encoding, nonzero unused bits
  kIllegalOperand,     // a field value the instruction table forbids
  kMisaligned,         // address or stride not aligned as required
  kLocalBounds,        // touches bytes at or above the space's capacity
  kGmBounds,           // touches GM outside the bound buffers
  kOverlap,            // dst and source overlap other than exactly
  kFlagAlreadySet,     // kset of a set flag
  kFlagId,             // flag id above 7
  kFlagResidue,        // flags left set at kend
  kDeadlock,           // every pipe waits
  kBudget,             // cycle or instruction budget used up
  kTrap,               // ktrap
  kControl,            // control core: bad fetch, load, store or CSR
  kSemaphore,          // bad block, overflow, not 0 at the end
};

/// The short stable name of a fault kind, e.g. "misaligned".
std::string_view name(FaultKind kind);

/// A modelled hardware fault. `message` says what was found and what was
/// expected; engines add pipe, pc, source line and remedy.
struct Fault {
  FaultKind kind{};
  std::string message;
};

/// A regular set of byte ranges in one space:
///   base + i*stride[0] + j*stride[1] + [0, bytes)
/// for 0 <= i < count[0], 0 <= j < count[1].
struct StridedRange {
  Space space{};
  bool write = false;
  uint64_t base = 0;
  uint64_t bytes = 0;
  uint64_t count[2] = {1, 1};
  uint64_t stride[2] = {0, 0};
  /// Atomic updates whose order does not matter among equal nonzero values:
  /// they do not race with one another. 0: an ordinary access.
  uint8_t commutes = 0;
  /// Of a view whose blocks do not touch: what the last block of each row has,
  /// less than a block. The blocks before it are the range before this one.
  bool tail = false;

  /// One past the last byte touched (base when nothing is).
  uint64_t end() const {
    if (bytes == 0 || count[0] == 0 || count[1] == 0) {
      return base;
    }
    return base + (count[0] - 1) * stride[0] + (count[1] - 1) * stride[1] +
           bytes;
  }
};

/// Exactly the bytes a command reads and writes. Padding lanes that a
/// consumer masks are not in it. Reusable: footprint() clears it first.
struct Footprint {
  std::vector<StridedRange> ranges;
};

/// Executes a data command (not flags, kbar, kend, ktrap or kcfg, which belong
/// to the engine) on `memory`, bit-exactly as isa/numerics defines. Returns
/// the fault it raises, before any byte is written.
std::optional<Fault> execute(const Command &command, const PipeConfig &config,
                             CoreMemory &memory);

/// The bytes `command` would touch. A command that would fault on operands
/// gives an empty footprint.
void footprint(const Command &command, const PipeConfig &config,
               Footprint &out);

/// Applies a kcfg command to `config`.
std::optional<Fault> configure(const Command &command, PipeConfig &config);

} // namespace kiln::isa
