// SPDX-License-Identifier: Apache-2.0
//
// Where `kiln run` writes what a model gave.
//
//   OutputFiles files{{"scores=s.npy", "picture=p.png:outside=clip"}};
//   KILN_RETURN_IF_ERROR(files.check());          // before the model is read
//   KILN_RETURN_IF_ERROR(files.checkNames(names)); // before it runs
//   KILN_RETURN_IF_ERROR(files.save(outputs));
//
// No file is written before every tensor has its bytes: a tensor that is no
// picture leaves no other output behind.
// Errors: kInvalidArgument for names and modifiers, kCorrupt for folders.
#pragma once

#include "tools/kiln/loaded_model.h"

#include <string>
#include <vector>

namespace kiln::tools {

struct OutputFiles {
  std::vector<std::string> named; // NAME=FILE
  std::string folder;             // output_0.pb, ...; empty: none

  Status check() const;
  Status checkNames(const std::vector<std::string> &names) const;
  Status save(const NamedTensors &outputs) const;
};

} // namespace kiln::tools
