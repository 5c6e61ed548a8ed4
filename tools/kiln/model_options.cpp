// SPDX-License-Identifier: Apache-2.0
#include "tools/kiln/model_options.h"

#include "tools/io/media.h"
#include "tools/kiln/custom_operator_files.h"
#include "tools/kiln/raw_format.h"
#include "tools/kiln/sim_data.h"

#include <fmt/format.h>

namespace kiln::tools {
namespace {

Status invalid(std::string message) {
  return {StatusCode::kInvalidArgument, std::move(message)};
}

} // namespace

Result<std::pair<std::string, std::string>>
splitNamed(const std::string &text, const char *option, const char *form) {
  size_t equals = text.rfind('=', modifiersAt(text));
  if (equals == std::string::npos || equals == 0 || equals + 1 == text.size()) {
    return invalid(fmt::format("{} {}: expected {}", option, text, form));
  }
  return std::pair(text.substr(0, equals), text.substr(equals + 1));
}

void addCompileOptions(CLI::App &verb, CompileOptions &options) {
  verb.add_option("--precision", options.precision,
                  "strict (as the model says) or fp16")
      ->check(CLI::IsMember({"strict", "fp16"}))
      ->capture_default_str();
  verb.add_option("--sync", options.sync,
                  "npu: flags, or barrier-all (slow, the oracle)")
      ->check(CLI::IsMember({"flags", "barrier-all"}));
  auto library = std::make_shared<CustomOperatorFiles>();
  options.kernelLibrary = nullptr;
  CLI::Option *ops = verb.add_option_function<std::vector<std::string>>(
      "--ops",
      [library, &options](const std::vector<std::string> &files) {
        library->files = files;
        options.kernelLibrary = library;
      },
      "one-file operators (.cpp) that serve the model's own domains");
  verb.add_option("--records", library->records,
                  "of kiln tune: knobs of the operators of --ops")
      ->needs(ops);
  verb.add_option("--dump-dir", options.dumpDir,
                  "folder for the IR after every stage");
}

Result<std::map<std::string, int64_t>>
parseDims(const std::vector<std::string> &texts) {
  std::map<std::string, int64_t> dims;
  for (const std::string &text : texts) {
    KILN_ASSIGN_OR_RETURN(auto named, splitNamed(text, "--dim", "NAME=N"));
    KILN_ASSIGN_OR_RETURN(uint64_t value, parseNumber(named.second, "--dim"));
    if (value == 0 || value > (uint64_t{1} << 40)) {
      return invalid("--dim " + text + ": the extent must be positive");
    }
    dims[named.first] = static_cast<int64_t>(value);
  }
  return dims;
}

Result<NamedTensors> loadInputs(const std::vector<std::string> &texts,
                                const std::filesystem::path &model,
                                const std::map<std::string, int64_t> &dims) {
  NamedTensors inputs;
  for (const std::string &text : texts) {
    KILN_ASSIGN_OR_RETURN(auto named, splitNamed(text, "--input", "NAME=FILE"));
    bool generated = false;
    for (const char *kind : {"zeros:", "random:", "relu:", "wide:"}) {
      generated = generated || named.second.starts_with(kind);
    }
    std::optional<RawFormat> raw;
    if (!generated && isRaw(named.second)) {
      KILN_ASSIGN_OR_RETURN(raw, rawFormat(model, named.first, dims));
    }
    Result<HostTensor> tensor = generated ? generateTensor(named.second)
                                          : loadTensor(named.second, raw);
    if (!tensor) {
      return tensor.status().withContext("--input " + text);
    }
    tensor->name = named.first;
    inputs.push_back(std::move(*tensor));
  }
  return inputs;
}

Result<NamedTensors> loadNumbered(const std::filesystem::path &folder,
                                  const std::string &stem) {
  NamedTensors tensors;
  for (size_t i = 0;; ++i) {
    std::filesystem::path file = folder / fmt::format("{}_{}.pb", stem, i);
    std::error_code error;
    if (!std::filesystem::exists(file, error)) {
      return tensors;
    }
    KILN_ASSIGN_OR_RETURN(HostTensor tensor, loadTensor(file));
    tensors.push_back(std::move(tensor));
  }
}

} // namespace kiln::tools
