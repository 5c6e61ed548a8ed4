// SPDX-License-Identifier: Apache-2.0
//
// Programs of tests/engines/asm, through the assembler and the linker.
#pragma once

#include "simulator/core/program.h"

#include <memory>
#include <string>

namespace kiln::test {

/// The ELF file of `text`, with line tables; empty after a test failure.
std::vector<uint8_t> assembleElf(const std::string &text,
                                 const std::string &origin, uint32_t bindings,
                                 uint32_t constants = 0);

/// Assembles and links `text` (the file name `origin` in line tables) as a
/// kernel with so many bindings and constants; fails the test on an error.
std::shared_ptr<const sim::Program> assembleProgram(const std::string &text,
                                                    const std::string &origin,
                                                    uint32_t bindings,
                                                    uint32_t constants = 0);

/// The same for a file tests/engines/asm/NAME.
std::shared_ptr<const sim::Program> assembleFile(const std::string &name,
                                                 uint32_t bindings,
                                                 uint32_t constants = 0);

} // namespace kiln::test
