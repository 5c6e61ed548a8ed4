// SPDX-License-Identifier: Apache-2.0
//
// Random programs that are free of races by construction, and their
// shrinking. A program is a list of steps in one order; each belongs to a
// block, and the steps of a block are issued in that order. synchronise()
// adds the flags, barriers and semaphores that the memory conflicts need, and
// only those.
//
//   std::vector<Step> steps = randomSteps(arch, gm, seed, 40);
//   SyncedProgram p = synchronise(steps, arch, seed);
//   p.emit(builder);                      // to words
//   auto expected = interpret(arch, gm, steps, initialGm);
//
// interpret() runs the steps one after the other, which is what every order
// and engine must agree with. Steps are every data command of the instruction
// set, kcfg, and copies in UB by S. A part of them is drawn in pairs that
// depend on each other, so that every combination of random/coverage.h comes
// up.
#pragma once

#include "isa/arch/arch_spec.h"
#include "isa/codec/instruction.h"
#include "isa/semantics/semantics.h"
#include "simulator/core/flag_file.h"
#include "tests/engines/support/program_builder.h"

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace kiln::test {

/// Bytes of the one GM buffer a random program works on.
constexpr uint64_t kRandomGmBytes = 48 * 1024;

/// A data command, a kcfg, or a copy of a few bytes inside UB by S.
struct Step {
  enum class Kind : uint8_t { kCommand, kWindowCopy } kind{};
  uint32_t block = 0;
  isa::Instruction instruction;
  uint64_t operand[3] = {}; // of a copy: source and destination offset, bytes
  isa::Command command() const;
  std::string text() const;
};

/// What is issued: a step, or synchronisation.
struct Issue {
  enum class Kind : uint8_t {
    kStep,
    kSet,
    kWait,
    kBarrier,
    kPost,
    kPend,
    kDeviceBarrier // in every block
  } kind{};
  uint32_t block = 0;
  size_t step = 0;
  sim::FlagName flag;
  isa::Pipe pipe{};       // that posts
  uint32_t peer = 0;      // the block a post is for
  uint32_t semaphore = 0; // of the block that pends
};

struct SyncedProgram {
  std::vector<Step> steps;
  std::vector<Issue> issues;
  uint32_t blocks = 1;
  /// Every block, each with its kend.
  void emit(ProgramBuilder &builder) const;
  /// One issue, for programs with something between them.
  void emitIssue(const Issue &issue, ProgramBuilder &builder) const;
  /// The indices of the issues that are kSet or kPost; the wait or pend that
  /// consumes one is the issue after it.
  std::vector<size_t> pairs() const;
  /// The program without the pair at issues[i].
  SyncedProgram withoutPair(size_t i) const;
  std::string text() const;
};

/// Steps that do not fault on `arch`, reproducible from the seed. GM operands
/// are addresses inside [gm, gm + kRandomGmBytes).
std::vector<Step> randomSteps(const isa::ArchSpec &arch, uint64_t gm,
                              uint64_t seed, size_t count, uint32_t blocks = 1);

SyncedProgram synchronise(const std::vector<Step> &steps,
                          const isa::ArchSpec &arch, uint64_t seed);

/// Whether the synchronisation orders every pair of conflicting steps and
/// every kset after the kwait that cleared its flag. Compares all pairs byte
/// by byte, in a graph of its own: the simulator's checks are not used.
bool isRaceFree(const SyncedProgram &program);

/// GM after the steps ran one by one from zeroed buffers; none when one
/// faults.
std::optional<std::vector<std::byte>> interpret(const isa::ArchSpec &arch,
                                                uint64_t gm,
                                                const std::vector<Step> &steps,
                                                std::vector<std::byte> memory);

/// The shortest list found by leaving out steps for which `fails` still holds.
std::vector<Step>
shrink(std::vector<Step> steps,
       const std::function<bool(const std::vector<Step> &)> &fails);

} // namespace kiln::test
