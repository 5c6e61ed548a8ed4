// SPDX-License-Identifier: Apache-2.0
//
// What compiler, runtime and engines agree on about a kernel binary: memory
// map of the control core, argument block, CSRs, note section.
// The CPU backend's kernels receive the same argument block.
#pragma once

#include "isa/support/status.h"

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace kiln::isa {

// Memory map of the control core (machine.md).
constexpr uint64_t kInstructionRamBase = 0x8000'0000;
constexpr uint64_t kScalarRamBase = 0x8010'0000;
constexpr uint64_t kUbWindowBase = 0x9000'0000;
constexpr uint64_t kGmBase = 0x1'0000'0000;

// CSRs, read only.
constexpr unsigned kCsrBlockIndex = 0xcc0;
constexpr unsigned kCsrBlockCount = 0xcc1;
constexpr unsigned kCsrCoreId = 0xcc2;
constexpr unsigned kCsrCycle = 0xcc3;

/// Argument block, little endian, 8-byte aligned, placed by the launcher in
/// scalar RAM; a0 points at it:
///   {u32 version, nbind, nconst, 0; u64 workspace; u64 binding[nbind];
///    i64 constant[nconst]}
/// Bindings are GM addresses on the NPU, host pointers on the CPU.
struct ArgumentBlockHeader {
  uint32_t version;
  uint32_t bindingCount;
  uint32_t constantCount;
  uint32_t reserved;
  uint64_t workspace;
};
static_assert(sizeof(ArgumentBlockHeader) == 24);
constexpr uint32_t kArgumentBlockVersion = 1;

/// Serialises an argument block.
std::vector<uint8_t> buildArgumentBlock(const std::vector<uint64_t> &bindings,
                                        const std::vector<int64_t> &constants,
                                        uint64_t workspace);

/// Section of the note in a program's ELF; its descriptor is JSON (compact,
/// sorted keys) of KernelNote.
constexpr char kNoteSectionName[] = ".note.kiln";
constexpr char kNoteOwner[] = "Kiln";
constexpr uint32_t kNoteType = 1;

/// What a program needs and how it is called.
struct KernelNote {
  uint32_t isaVersion = 0;
  std::string kernel;         // symbol of the kernel function
  uint32_t stackBytes = 2048; // reserved below __kiln_stack_top
  uint32_t bindingCount = 0;
  uint32_t constantCount = 0;
  /// Bytes used of each local space, by name ("L1", "UB", ...): the highest
  /// end of any buffer. A machine with less refuses the program.
  std::vector<std::pair<std::string, uint64_t>> capacityNeeds;
  /// Number of static kset commands per "SRC>DST" pipe pair.
  std::vector<std::pair<std::string, uint32_t>> flagSets;
  uint32_t barrierCount = 0; // static kbar commands
  bool deviceBarrier = false;
};

/// JSON text of a note and back; the parser reports what is missing.
std::string toJson(const KernelNote &note);
Result<KernelNote> parseKernelNote(std::string_view json);

} // namespace kiln::isa
