// SPDX-License-Identifier: Apache-2.0
#include "tools/kiln/output_files.h"

#include "tools/io/file.h"
#include "tools/kiln/model_options.h"

#include <algorithm>

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace kiln::tools {
namespace {

Result<std::pair<std::string, std::string>> split(const std::string &text) {
  return splitNamed(text, "--output", "NAME=FILE");
}

/// A file and all of its bytes.
struct Written {
  std::filesystem::path path;
  std::vector<uint8_t> bytes;
};

} // namespace

Status OutputFiles::check() const {
  for (const std::string &text : named) {
    KILN_ASSIGN_OR_RETURN(auto output, split(text));
    KILN_RETURN_IF_ERROR(
        checkOutput(output.second).withContext("--output " + output.first));
  }
  return folder.empty() ? Status::ok() : makeFolder(folder);
}

Status OutputFiles::checkNames(const std::vector<std::string> &names) const {
  for (const std::string &text : named) {
    KILN_ASSIGN_OR_RETURN(auto output, split(text));
    if (std::ranges::find(names, output.first) == names.end()) {
      return {StatusCode::kInvalidArgument,
              fmt::format("--output {}: expected NAME=FILE with one of: {}",
                          text, fmt::join(names, ", "))};
    }
  }
  return Status::ok();
}

Status OutputFiles::save(const NamedTensors &outputs) const {
  std::vector<std::string> names;
  for (const HostTensor &tensor : outputs) {
    names.push_back(tensor.name);
  }
  KILN_RETURN_IF_ERROR(checkNames(names));
  std::vector<Written> files;
  auto add = [&](const std::filesystem::path &path, const HostTensor &tensor) {
    Result<std::vector<uint8_t>> bytes = formatTensor(path, tensor);
    if (bytes) {
      files.push_back({fileOf(path), std::move(*bytes)});
    }
    return bytes.status();
  };
  for (const std::string &text : named) {
    KILN_ASSIGN_OR_RETURN(auto output, split(text));
    auto tensor = std::ranges::find(outputs, output.first, &HostTensor::name);
    KILN_RETURN_IF_ERROR(add(output.second, *tensor));
  }
  for (size_t i = 0; i < outputs.size() && !folder.empty(); ++i) {
    KILN_RETURN_IF_ERROR(
        add(std::filesystem::path(folder) / fmt::format("output_{}.pb", i),
            outputs[i]));
  }
  for (const Written &file : files) {
    KILN_RETURN_IF_ERROR(writeFile(file.path, file.bytes));
  }
  return Status::ok();
}

} // namespace kiln::tools
