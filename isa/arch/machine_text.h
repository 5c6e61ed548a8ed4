// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "isa/arch/arch_spec.h"

#include <string>
#include <string_view>

namespace kiln::isa {

/// Every field as a line "path=value" in the order of the file format:
/// independent of comments, spacing and key order. Its SHA-256 is the hash of
/// a machine.
std::string canonicalText(const ArchSpec &spec);

struct BuiltinMachine {
  std::string_view name;
  std::string_view yaml;
};
/// The machine files compiled in, by name. Generated from isa/arch/*.yaml.
extern const BuiltinMachine kBuiltinMachines[];
extern const unsigned kNumBuiltinMachines;

} // namespace kiln::isa
