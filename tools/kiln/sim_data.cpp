// SPDX-License-Identifier: Apache-2.0
#include "tools/kiln/sim_data.h"

#include "tools/io/media.h"

#include <cmath>
#include <cstring>

#include <fmt/format.h>
#include <yaml-cpp/yaml.h>

namespace kiln::tools {
namespace {

using ops::DataType;

Status invalid(std::string message) {
  return {StatusCode::kInvalidArgument, std::move(message)};
}

/// splitmix64 (Steele, Lea, Flood 2014): one multiplier chain, no state but a
/// counter, equal on every machine.
class Random {
public:
  explicit Random(uint64_t seed) : state_(seed) {}
  uint64_t next() {
    uint64_t z = (state_ += 0x9e3779b97f4a7c15u);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
  }
  /// Uniform in [0, 1).
  double unit() { return static_cast<double>(next() >> 11) * 0x1p-53; }

private:
  uint64_t state_;
};

std::vector<std::string> split(const std::string &text, char separator) {
  std::vector<std::string> parts(1);
  for (char c : text) {
    if (c == separator) {
      parts.emplace_back();
    } else {
      parts.back() += c;
    }
  }
  return parts;
}

double wideValue(DataType type, Random &random) {
  int low = type == DataType::F16 ? -24 : -126;
  int high = type == DataType::F16 ? 15 : 127;
  double significand = 1 + random.unit();
  int exponent = low + static_cast<int>(random.next() % (high - low));
  double sign = random.next() & 1 ? -1 : 1;
  return sign * std::ldexp(significand, exponent);
}

double floatValue(const std::string &kind, DataType type, Random &random) {
  if (kind == "wide") {
    return wideValue(type, random);
  }
  double value = 2 * random.unit() - 1;
  return kind == "relu" ? std::max(0.0, value) : value;
}

HostTensor fill(const std::string &kind, DataType type, uint64_t seed,
                ops::Shape shape) {
  Random random(seed);
  if (ops::isFloat(type)) {
    ops::Tensor tensor(type, shape);
    for (double &value : tensor.values) {
      value = ops::roundTo(type, floatValue(kind, type, random));
    }
    return fromReference(tensor, "");
  }
  HostTensor tensor{{}, type, shape, {}};
  tensor.bytes.resize(ops::elementCount(shape) * ops::sizeOf(type));
  for (uint8_t &byte : tensor.bytes) {
    byte = static_cast<uint8_t>(random.next());
  }
  return tensor;
}

Result<HostTensor> zeros(const std::vector<std::string> &parts) {
  HostTensor tensor;
  tensor.type = DataType::U8;
  if (parts.size() == 2) {
    KILN_ASSIGN_OR_RETURN(uint64_t bytes, parseNumber(parts[1], "zeros"));
    if (bytes > (uint64_t{1} << 40)) {
      return invalid("zeros:" + parts[1] + ": more than 2^40 bytes");
    }
    tensor.shape = {static_cast<int64_t>(bytes)};
  } else {
    std::optional<DataType> type = ops::parseDataType(parts[1]);
    if (!type || parts.size() != 3) {
      return invalid("zeros takes BYTES or TYPE:SHAPE");
    }
    tensor.type = *type;
    KILN_ASSIGN_OR_RETURN(tensor.shape, parseShapeText(parts[2]));
  }
  tensor.bytes.resize(ops::elementCount(tensor.shape) *
                      ops::sizeOf(tensor.type));
  return tensor;
}

Status addEntries(const YAML::Node &node, const std::string &folder,
                  std::vector<std::string> &list) {
  for (const auto &entry : node) {
    std::string value = entry.second.as<std::string>();
    bool isFile = value.find(':') == std::string::npos || isMedia(value);
    bool isPath = !folder.empty() && isFile && value.find('/') != 0;
    list.push_back(entry.first.as<std::string>() + "=" +
                   (isPath ? folder + "/" + value : value));
  }
  return Status::ok();
}

} // namespace

Result<IndexedValue> parseIndexed(const std::string &text, const char *option) {
  size_t equals = text.find('=');
  if (equals == std::string::npos) {
    return invalid(fmt::format("{} {}: expected N=VALUE", option, text));
  }
  KILN_ASSIGN_OR_RETURN(uint64_t index,
                        parseNumber(text.substr(0, equals), option));
  return IndexedValue{index, text.substr(equals + 1)};
}

Result<uint64_t> parseNumber(const std::string &text, const char *option) {
  char *end = nullptr;
  errno = 0;
  uint64_t value = std::strtoull(text.c_str(), &end, 0);
  if (text.empty() || *end != '\0' || errno != 0 || text[0] == '-') {
    return invalid(fmt::format("{}: '{}' is not a number", option, text));
  }
  return value;
}

Result<ops::Shape> parseShapeText(const std::string &text) {
  constexpr uint64_t kMost = uint64_t{1} << 32; // as in the importer
  ops::Shape shape;
  uint64_t count = 1;
  for (const std::string &part : split(text, 'x')) {
    KILN_ASSIGN_OR_RETURN(uint64_t extent, parseNumber(part, "shape"));
    if (extent > kMost || (extent > 0 && count > kMost / extent)) {
      return invalid("shape " + text + ": more than 2^32 elements");
    }
    count *= extent;
    shape.push_back(static_cast<int64_t>(extent));
  }
  return shape;
}

Result<HostTensor> generateTensor(const std::string &text) {
  std::vector<std::string> parts = split(text, ':');
  if (parts[0] == "zeros" && parts.size() > 1) {
    return zeros(parts);
  }
  std::optional<DataType> type =
      parts.size() == 4 ? ops::parseDataType(parts[1]) : std::nullopt;
  if (!type) {
    return invalid("'" + text +
                   "': expected KIND:TYPE:SEED:COUNT with a type "
                   "such as f16 or i8");
  }
  KILN_ASSIGN_OR_RETURN(uint64_t seed, parseNumber(parts[2], "seed"));
  KILN_ASSIGN_OR_RETURN(ops::Shape shape, parseShapeText(parts[3]));
  return fill(parts[0], *type, seed, shape);
}

Result<std::vector<HostTensor>>
loadBindings(const std::vector<std::string> &texts) {
  std::vector<HostTensor> tensors(texts.size());
  std::vector<bool> seen(texts.size(), false);
  for (const std::string &text : texts) {
    KILN_ASSIGN_OR_RETURN(IndexedValue bind, parseIndexed(text, "--bind"));
    if (bind.index >= texts.size() || seen[bind.index]) {
      return invalid(fmt::format("--bind {}: the {} bindings must be numbered "
                                 "0 to {}, each once",
                                 text, texts.size(), texts.size() - 1));
    }
    seen[bind.index] = true;
    bool generated = false;
    for (const char *kind : {"zeros:", "random:", "relu:", "wide:"}) {
      generated = generated || bind.value.starts_with(kind);
    }
    Result<HostTensor> tensor =
        generated ? generateTensor(bind.value) : loadTensor(bind.value);
    if (!tensor) {
      return tensor.status().withContext("--bind " + text);
    }
    tensors[bind.index] = std::move(*tensor);
  }
  return tensors;
}

Result<std::vector<int64_t>>
parseConstants(const std::vector<std::string> &texts) {
  std::vector<int64_t> values(texts.size());
  for (const std::string &text : texts) {
    KILN_ASSIGN_OR_RETURN(IndexedValue constant, parseIndexed(text, "--const"));
    bool negative = constant.value.starts_with("-");
    KILN_ASSIGN_OR_RETURN(
        uint64_t magnitude,
        parseNumber(constant.value.substr(negative), "--const"));
    if (constant.index >= values.size()) {
      return invalid(fmt::format("--const {}: the {} constants must be "
                                 "numbered from 0",
                                 text, values.size()));
    }
    values[constant.index] = negative ? -static_cast<int64_t>(magnitude)
                                      : static_cast<int64_t>(magnitude);
  }
  return values;
}

Status applyJobFile(std::string &program, std::string &machine,
                    uint32_t &blocks, JobLists lists) {
  std::filesystem::path job = program;
  if (job.extension() != ".yaml") {
    job = std::filesystem::path(program).replace_extension(".yaml");
    if (!lists.binds.empty() || !std::filesystem::exists(job)) {
      return Status::ok();
    }
  }
  try {
    YAML::Node root = YAML::LoadFile(job.string());
    std::string folder = job.parent_path().string();
    folder = folder.empty() ? "." : folder;
    for (const auto &entry : root) {
      std::string key = entry.first.as<std::string>();
      if (key == "program") {
        program = folder + "/" + entry.second.as<std::string>();
      } else if (key == "machine") {
        machine = entry.second.as<std::string>();
      } else if (key == "blocks") {
        blocks = entry.second.as<uint32_t>();
      } else if (key == "bind") {
        KILN_RETURN_IF_ERROR(addEntries(entry.second, folder, lists.binds));
      } else if (key == "const") {
        KILN_RETURN_IF_ERROR(addEntries(entry.second, "", lists.constants));
      } else if (key == "out") {
        KILN_RETURN_IF_ERROR(addEntries(entry.second, folder, lists.outs));
      } else {
        return {StatusCode::kCorrupt,
                job.string() + ": unknown key '" + key +
                    "'; of program, machine, blocks, bind, const, out"};
      }
    }
  } catch (const YAML::Exception &e) {
    return {StatusCode::kCorrupt, job.string() + ": " + e.what()};
  }
  return Status::ok();
}

} // namespace kiln::tools
