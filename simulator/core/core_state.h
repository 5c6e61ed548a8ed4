// SPDX-License-Identifier: Apache-2.0
//
// CoreState: the memories and the sticky configuration of one NPU core, and
// how a launch prepares them (machine.md, "Memory of S and launch").
#pragma once

#include "isa/arch/arch_spec.h"
#include "isa/semantics/core_memory.h"
#include "simulator/core/control_core.h"
#include "simulator/core/engine.h"
#include "simulator/core/program.h"

#include <memory>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

namespace kiln::sim {

class CoreState {
public:
  CoreState(const isa::ArchSpec &arch, isa::GlobalMemory &gm);

  /// Resets what launch resets and copies the program's data and the argument
  /// block; starts the control core at cycle `now`. Local buffers keep their
  /// contents: a program may not read what it did not write.
  void startBlock(const Program &program,
                  std::span<const uint8_t> argumentBlock,
                  const BlockPosition &position, uint64_t now = 0);

  std::span<std::byte> scalarRam() const { return scalarRam_; }
  /// The text up to a zero byte, where it lies in the scalar RAM.
  std::optional<std::string_view> scalarText(uint64_t address) const;
  static constexpr size_t kMaxText = 255;

  isa::CoreMemory memory;
  isa::PipeConfig config;
  ControlCore control;

private:
  struct Free {
    void operator()(std::byte *p) const;
  };
  std::vector<std::unique_ptr<std::byte[], Free>> storage_;
  std::span<std::byte> scalarRam_;
};

/// Checks a request against the program's note and the machine, binds the GM
/// ranges and builds the argument block. kInvalidArgument for counts, ranges
/// and cores that do not fit the note or the machine, kDoesNotFit for a program
/// that needs more memory than the machine has.
Result<std::vector<uint8_t>> prepareLaunch(const isa::ArchSpec &arch,
                                           HostGlobalMemory &gm,
                                           const LaunchRequest &request);

/// Does a kprint or kassert; false for any other command.
bool runTextCommand(const isa::Command &command, uint32_t block,
                    const CoreState &core, LaunchReport &report,
                    std::optional<isa::Fault> &fault);

/// Adds what a data command does to the counters of work.
void countCommand(const isa::Command &command, const isa::PipeConfig &config,
                  LaunchReport &report);

} // namespace kiln::sim
