// SPDX-License-Identifier: Apache-2.0
//
// lld as a library: object files in memory -> linked file in memory, no file
// on disk, no process.
//
//   Result<std::vector<uint8_t>> so = linkSharedObject({object});
#pragma once

#include "isa/support/status.h"

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace kiln::target {

using ObjectBytes = std::vector<uint8_t>;

/// Runs `ld.lld ARGS... OBJECTS... -o <memory>` and returns the linked file.
/// A linker error is kInternal with the linker's text: our objects are ours.
/// Any thread; calls take turns (lld keeps global state).
/// `script` (optional) is the text of a linker script.
Result<ObjectBytes> runLinker(std::vector<std::string> arguments,
                              std::span<const ObjectBytes> objects,
                              std::string_view script = {});

/// Links position-independent objects into a shared object that needs nothing
/// but memcpy, memset and memmove. Any other undefined symbol is an error that
/// names it: the runtime would otherwise find it at the first call only.
Result<ObjectBytes> linkSharedObject(const std::vector<ObjectBytes> &objects);

/// Names of the undefined dynamic symbols of a linked file.
Result<std::vector<std::string>> undefinedSymbols(std::span<const uint8_t> elf);

} // namespace kiln::target
