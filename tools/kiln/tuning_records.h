// SPDX-License-Identifier: Apache-2.0
//
// Records of `kiln tune` for operator files: what names a kernel in them, and
// the best known setting of a shape.
//
//   Result<std::optional<Tuned>> tuned =
//       findTuned(file, op, shape, k1, /*cores=*/1);
//   if (*tuned) shape.knobs = (*tuned)->knobs;
#pragma once

#include "compiler/tuning/records.h"
#include "isa/arch/arch_spec.h"
#include "tik_dsl/builder/operator.h"

#include <filesystem>
#include <optional>
#include <string>

namespace kiln::tools {

/// $XDG_DATA_HOME/kiln/tune.db, or ~/.local/share/kiln/tune.db.
Result<std::filesystem::path> defaultRecordsFile();

/// The key of a kernel: the operator's file with the files it includes by
/// "name" from its own folder, shape and attributes, cores; the machine file;
/// this program's version and commit (and build time, if its sources had
/// changes that no commit has).
Result<tuning::TaskKey> taskKey(const tik::Operator &op,
                                const tik::ShapeCase &shape,
                                const isa::ArchSpec &arch, uint32_t cores);

struct Tuned {
  tik::KnobValues knobs;
  std::string line; // for people: which record this is
};

/// Nothing when the shape was never tuned. A record of another version of Kiln
/// serves too, and says so. Knobs that the operator no longer has cannot
/// occur: its file is part of the key.
Result<std::optional<Tuned>> findTuned(const std::filesystem::path &records,
                                       const tik::Operator &op,
                                       const tik::ShapeCase &shape,
                                       const isa::ArchSpec &arch,
                                       uint32_t cores);

} // namespace kiln::tools
