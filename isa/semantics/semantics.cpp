// SPDX-License-Identifier: Apache-2.0
#include "isa/semantics/semantics.h"

#include "isa/semantics/operand_checks.h"

namespace kiln::isa {

using namespace semantics;

namespace {

/// The two steps of a pipe's instructions.
struct PipeMeaning {
  MaybeFault (*describe)(const Command &, const PipeConfig &, Footprint &);
  void (*run)(const Command &, const PipeConfig &, CoreMemory &);
};

constexpr PipeMeaning kMeanings[kNumPipes] = {
    {nullptr, nullptr}, // S executes no data commands
    {describeMte2, runMte2},     {describeMte1, runMte1},
    {describeCube, runCube},     {describeFix, runFix},
    {describeVector, runVector}, {describeMte3, runMte3},
};

/// Control commands are the engine's, those in a pipe's queue too.
bool isDataCommand(const Command &c) {
  return info(c.op).timing != TimingClass::kControl;
}

MaybeFault describe(const Command &c, const PipeConfig &config,
                    Footprint &out) {
  out.ranges.clear();
  if (!isDataCommand(c)) {
    return makeFault(FaultKind::kIllegalInstruction, "{} is not a data command",
                     mnemonic(c.op));
  }
  MaybeFault fault = checkTable(c);
  if (!fault) {
    fault = kMeanings[static_cast<unsigned>(info(c.op).pipe)].describe(
        c, config, out);
  }
  if (fault) {
    out.ranges.clear();
  }
  return fault;
}

/// Every row of a GM range, for memories that do not map it as a whole.
bool rowsAreMapped(const StridedRange &r, GlobalMemory &gm, Access access) {
  for (uint64_t j = 0; j < r.count[1]; ++j) {
    for (uint64_t i = 0; i < r.count[0]; ++i) {
      const uint64_t addr = r.base + i * r.stride[0] + j * r.stride[1];
      if (gm.map(addr, r.bytes, access) == nullptr) {
        return false;
      }
    }
  }
  return true;
}

MaybeFault checkBounds(const StridedRange &r, const CoreMemory &memory) {
  const char *verb = r.write ? "writes" : "reads";
  if (r.space != Space::GM) {
    const uint64_t capacity = memory[r.space].size();
    if (r.end() <= capacity) {
      return std::nullopt;
    }
    return makeFault(FaultKind::kLocalBounds,
                     "{} {} bytes {:#x} to {:#x}; the capacity is {:#x}", verb,
                     name(r.space), r.base, r.end(), capacity);
  }
  const Access access = r.write ? Access::kWrite : Access::kRead;
  if (memory.gm != nullptr &&
      (memory.gm->map(r.base, r.end() - r.base, access) != nullptr ||
       rowsAreMapped(r, *memory.gm, access))) {
    return std::nullopt;
  }
  return makeFault(FaultKind::kGmBounds,
                   "{} GM bytes {:#x} to {:#x} ({} x {} rows of {} bytes), not "
                   "all inside the buffers bound to the launch",
                   verb, r.base, r.end(), r.count[1], r.count[0], r.bytes);
}

} // namespace

std::string_view name(FaultKind kind) {
  constexpr std::string_view kNames[] = {"illegal-instruction",
                                         "illegal-operand",
                                         "misaligned",
                                         "local-bounds",
                                         "gm-bounds",
                                         "overlap",
                                         "flag-already-set",
                                         "flag-id",
                                         "flag-residue",
                                         "deadlock",
                                         "budget",
                                         "trap",
                                         "control",
                                         "semaphore"};
  return kNames[static_cast<unsigned>(kind)];
}

std::optional<Fault> execute(const Command &command, const PipeConfig &config,
                             CoreMemory &memory) {
  // Kept between calls only to save the allocation.
  thread_local Footprint touched;
  if (MaybeFault fault = describe(command, config, touched)) {
    return fault;
  }
  for (const StridedRange &range : touched.ranges) {
    if (MaybeFault fault = checkBounds(range, memory)) {
      return fault;
    }
  }
  if (!touched.ranges.empty()) {
    kMeanings[static_cast<unsigned>(info(command.op).pipe)].run(command, config,
                                                                memory);
  }
  return std::nullopt;
}

void footprint(const Command &command, const PipeConfig &config,
               Footprint &out) {
  (void)describe(command, config, out);
}

} // namespace kiln::isa
