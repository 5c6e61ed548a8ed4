// SPDX-License-Identifier: Apache-2.0
//
// Help with mnemonics that are no instruction.
//
//   choicesFor("vadd.f64")   // "vadd.bf16, vadd.f16, ..."
#pragma once

#include <string>
#include <string_view>

namespace kiln::isa {

/// For a mnemonic whose last suffix is not known, those that are. Empty for a
/// mnemonic that is right, and for any other text.
std::string choicesFor(std::string_view name);

} // namespace kiln::isa
