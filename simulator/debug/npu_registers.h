// SPDX-License-Identifier: Apache-2.0
//
// NpuRegisters: the numbers of gdb's registers beyond the 33 of RV64, their
// description for gdb, and text for its monitor commands.
#pragma once

#include "simulator/core/debug_hook.h"

#include <span>
#include <string>
#include <string_view>

namespace kiln::sim {

constexpr unsigned kControlRegisters = 33; // x0 to x31, pc
constexpr unsigned kWindowBytes = 64;
constexpr isa::Space kWindows[] = {isa::Space::UB, isa::Space::L1,
                                   isa::Space::L0C};
constexpr unsigned kNumWindows = 3;

constexpr unsigned kCycleRegister = 100;
constexpr unsigned kBlockRegister = 101;
constexpr unsigned kFirstQueueRegister = 102; // of pipe 1 (MTE2)
constexpr unsigned kFirstFlagRegister =       // of pipe 0 (S)
    kFirstQueueRegister + isa::kNumPipes - 1;
constexpr unsigned kFirstWindowRegister = kFirstFlagRegister + isa::kNumPipes;
constexpr unsigned kFirstAddressRegister = kFirstWindowRegister + kNumWindows;
constexpr unsigned kEndOfRegisters = kFirstAddressRegister + kNumWindows;

/// target.xml.
std::string targetDescription();

/// Bit 8 * d + id: flag id from `source` to pipe d is set.
uint64_t flagBits(const FlagFile &flags, isa::Pipe source);

/// `count` elements of `type` at `address` of a memory, eight per line;
/// shorter where the memory ends.
std::string elementsText(std::span<const std::byte> memory, uint64_t address,
                         isa::ElementType type, uint64_t count);

/// What `monitor COMMAND` prints.
std::string monitorText(const DebugView &view, const std::string &command);

} // namespace kiln::sim
