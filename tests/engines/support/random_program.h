// SPDX-License-Identifier: Apache-2.0
//
// Random programs that are free of races by construction, and their
// shrinking. A program is a list of steps in the order of S; synchronise()
// adds the flags and barriers its memory conflicts need, and only those.
//
//   std::vector<Step> steps = randomSteps(arch, seed, 40);
//   SyncedProgram p = synchronise(steps, seed);
//   p.emit(builder);                      // to words
//   std::vector<std::byte> gm = interpret(arch, steps, initialGm);
//
// interpret() runs the steps one after the other, which is what every order
// and engine must agree with.
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

/// A data command, a kcfg, or a copy of 8 bytes inside UB by S.
struct Step {
  enum class Kind : uint8_t { kCommand, kWindowCopy } kind{};
  isa::Instruction instruction;
  uint64_t operand[3] = {}; // of a copy: source and destination offset
  isa::Command command() const;
  std::string text() const;
};

/// What is issued: a step, or synchronisation.
struct Issue {
  enum class Kind : uint8_t { kStep, kSet, kWait, kBarrier } kind{};
  size_t step = 0;
  sim::FlagName flag;
};

struct SyncedProgram {
  std::vector<Step> steps;
  std::vector<Issue> issues;
  void emit(ProgramBuilder &builder) const;
  /// The indices of the issues that are kSet.
  std::vector<size_t> sets() const;
  /// The program without the set issues[i] and the wait that consumes it.
  SyncedProgram withoutFlag(size_t i) const;
  std::string text() const;
};

/// Steps that do not fault on `arch`, reproducible from the seed. GM operands
/// are addresses inside [gm, gm + kRandomGmBytes).
std::vector<Step> randomSteps(const isa::ArchSpec &arch, uint64_t gm,
                              uint64_t seed, size_t count);

SyncedProgram synchronise(const std::vector<Step> &steps,
                          const isa::ArchSpec &arch, uint64_t seed);

/// Whether flags and barriers order every pair of conflicting steps, found by
/// comparing all pairs byte by byte.
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
