// SPDX-License-Identifier: Apache-2.0
#include "tools/kiln/raw_format.h"

#include "hal/format/package.h"
#include "tools/io/file.h"
#include "tools/kiln/loaded_model.h"

#include <fmt/format.h>

namespace kiln::tools {
namespace {

Status invalid(std::string message) {
  return {StatusCode::kInvalidArgument, std::move(message)};
}

Result<RawFormat> ofPackage(const std::filesystem::path &file,
                            const std::string &input) {
  KILN_ASSIGN_OR_RETURN(std::vector<uint8_t> bytes, readFile(file));
  Result<hal::Package> package = hal::Package::parse(std::move(bytes));
  if (!package) {
    return package.status().withContext(file.string());
  }
  const hal::PackageModel &model = package->model();
  for (auto index : model.inputs) {
    const hal::ValueModel &value = model.values[index];
    if (value.name == input) {
      KILN_ASSIGN_OR_RETURN(ops::DataType type, fromHal(value.type));
      return RawFormat{type, value.shape};
    }
  }
  return invalid("unknown input '" + input + "'");
}

Result<RawFormat> ofGraphInput(const GraphInput &input,
                               const std::map<std::string, int64_t> &dims) {
  std::optional<ops::DataType> type = ops::fromOnnx(input.onnxType);
  if (!type || !input.rankKnown) {
    return invalid(fmt::format("the model has input '{}' without a type or "
                               "rank that raw bytes could have; use .npy",
                               input.name));
  }
  RawFormat format{*type, input.dims};
  for (size_t d = 0; d < format.shape.size(); ++d) {
    if (format.shape[d] >= 0) {
      continue;
    }
    auto found = dims.find(input.symbols[d]);
    if (found == dims.end()) {
      return invalid(fmt::format("raw bytes do not say what '{0}' of {1} is: "
                                 "--dim {0}=N, or use .npy",
                                 input.symbols[d], input.describe()));
    }
    format.shape[d] = found->second;
  }
  return format;
}

} // namespace

Result<RawFormat> rawFormat(const std::filesystem::path &model,
                            const std::string &input,
                            const std::map<std::string, int64_t> &dims) {
  if (model.extension() == ".kiln") {
    return ofPackage(model, input);
  }
  KILN_ASSIGN_OR_RETURN(std::vector<GraphInput> graph, graphInputs(model));
  std::string known;
  for (const GraphInput &candidate : graph) {
    if (candidate.name == input) {
      return ofGraphInput(candidate, dims);
    }
    known += (known.empty() ? " " : ", ") + candidate.describe();
  }
  return invalid(
      fmt::format("unknown input '{}'; the model takes{}", input, known));
}

} // namespace kiln::tools
