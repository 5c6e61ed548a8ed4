// SPDX-License-Identifier: Apache-2.0
//
// The index of a package file, checked against the file: private to
// hal/format.
#pragma once

#include "hal/format/package_generated.h"
#include "isa/support/sha256.h"
#include "isa/support/status.h"

#include <span>
#include <vector>

namespace kiln::hal {

/// More tables in one section are refused: bounds the work on a bad file.
constexpr uint32_t kMaxTables = uint32_t{1} << 26;

struct SectionRef {
  fb::SectionKind kind;
  uint64_t offset;
  uint64_t size;
  Sha256 hash;
};

/// The sections of a file, in order, each inside it, gaps zero. kCorrupt, or
/// kUnsupported for a newer format. Hashes are not checked.
Result<std::vector<SectionRef>> readIndex(std::span<const uint8_t> file);

} // namespace kiln::hal
