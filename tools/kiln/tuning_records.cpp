// SPDX-License-Identifier: Apache-2.0
#include "tools/kiln/tuning_records.h"

#include "isa/support/sha256.h"
#include "tik_dsl/builder/knob_space.h"
#include "tools/io/file.h"
#include "tools/kiln/version.h"

#include <cstdlib>
#include <set>
#include <sstream>

#include <fmt/format.h>

namespace kiln::tools {
namespace {

namespace fs = std::filesystem;

/// The bytes of a source and of what it includes by "name" beside it. Headers
/// of Kiln are found elsewhere and belong to its version.
Status addSource(const fs::path &file, std::set<fs::path> &seen,
                 std::string &all) {
  if (!seen.insert(file.lexically_normal()).second) {
    return Status::ok();
  }
  KILN_ASSIGN_OR_RETURN(std::vector<uint8_t> bytes, readFile(file));
  const std::string text(bytes.begin(), bytes.end());
  all += fmt::format("{}:{}", text.size(), text);
  if (file.extension() == ".so") {
    return Status::ok();
  }
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    const size_t open = line.find('"');
    const size_t close = line.find('"', open + 1);
    if (line.rfind("#include", 0) != 0 || close == std::string::npos) {
      continue;
    }
    const fs::path other =
        file.parent_path() / line.substr(open + 1, close - open - 1);
    std::error_code missing;
    if (fs::is_regular_file(other, missing)) {
      KILN_RETURN_IF_ERROR(addSource(other, seen, all));
    }
  }
  return Status::ok();
}

std::string version() {
  std::string text = fmt::format("{} {}", KILN_VERSION, KILN_COMMIT);
  if (text.find("+changes") != std::string::npos) {
    std::error_code error;
    const auto built = fs::last_write_time("/proc/self/exe", error);
    text += fmt::format(" {}", built.time_since_epoch().count());
  }
  return text;
}

} // namespace

Result<fs::path> defaultRecordsFile() {
  const char *data = std::getenv("XDG_DATA_HOME");
  if (data != nullptr && *data == '/') {
    return fs::path(data) / "kiln/tune.db";
  }
  const char *home = std::getenv("HOME");
  if (home != nullptr && *home == '/') {
    return fs::path(home) / ".local/share/kiln/tune.db";
  }
  return Status(StatusCode::kInvalidArgument,
                "no home folder for the records: set HOME or XDG_DATA_HOME, "
                "or name a file with --records");
}

Result<tuning::TaskKey> taskKey(const tik::Operator &op,
                                const tik::ShapeCase &shape,
                                const isa::ArchSpec &arch, uint32_t cores) {
  tik::ShapeCase plain = shape;
  plain.knobs.clear();
  KILN_ASSIGN_OR_RETURN(tik::BoundShape bound, op.bind(plain));
  std::string all;
  std::set<fs::path> seen;
  KILN_RETURN_IF_ERROR(addSource(op.file(), seen, all));
  all += fmt::format("\n{}\n{} cores", bound.text, cores);
  const auto *bytes = reinterpret_cast<const uint8_t *>(all.data());
  return tuning::TaskKey{.kernel = toHex(sha256({bytes, all.size()})),
                         .machine = arch.hash,
                         .version = version()};
}

Result<std::optional<Tuned>> findTuned(const fs::path &file,
                                       const tik::Operator &op,
                                       const tik::ShapeCase &shape,
                                       const isa::ArchSpec &arch,
                                       uint32_t cores) {
  KILN_ASSIGN_OR_RETURN(tuning::Records records,
                        tuning::Records::openToRead(file));
  KILN_ASSIGN_OR_RETURN(tuning::TaskKey key, taskKey(op, shape, arch, cores));
  KILN_ASSIGN_OR_RETURN(std::optional<tuning::Record> best, records.best(key));
  const bool isOfThisVersion = best.has_value();
  if (!best) {
    key.version.clear();
    KILN_ASSIGN_OR_RETURN(best, records.best(key));
  }
  if (!best) {
    return std::optional<Tuned>();
  }
  KILN_ASSIGN_OR_RETURN(tuning::SearchSpace space,
                        tik::searchSpace(op, shape, arch, cores));
  Result<tuning::Setting> setting = tuning::parseSetting(space, best->setting);
  if (!setting) {
    return setting.status().withContext(file.string());
  }
  Tuned tuned{.knobs = tik::withSetting({}, space, *setting).knobs,
              .line = fmt::format("{} ({} cycles, best of {} trials; {})",
                                  best->setting, best->cycles, best->trials,
                                  file.string())};
  if (!isOfThisVersion) {
    tuned.line += ", tuned with Kiln " + best->version;
  }
  return std::optional<Tuned>(std::move(tuned));
}

} // namespace kiln::tools
