// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "isa/arch/arch_spec.h"

#include <span>
#include <string>
#include <string_view>

namespace kiln::isa {

/// Every field as a line "path=value" in the order of the file format:
/// independent of comments, spacing and key order. Its SHA-256 is the hash of
/// a machine.
std::string canonicalText(const ArchSpec &spec);
std::string machineHash(const ArchSpec &spec);

struct BuiltinMachine {
  std::string_view name;
  std::string_view yaml;
};
/// The machine files compiled in, by name. Generated from isa/arch/*.yaml; the
/// DRAM parts from isa/arch/dram/*.yaml.
extern const BuiltinMachine kBuiltinMachines[];
extern const unsigned kNumBuiltinMachines;
extern const BuiltinMachine kBuiltinDramParts[];
extern const unsigned kNumBuiltinDramParts;

/// The text of a compiled-in file of this name, or of the file at this path;
/// `what` names the kind in messages.
Result<std::string> findText(std::string_view what, std::string_view nameOrPath,
                             std::span<const BuiltinMachine> builtins);

} // namespace kiln::isa
