// SPDX-License-Identifier: Apache-2.0
//
// Machine files from YAML: strict, and the only user of yaml-cpp.
#include "isa/arch/machine_fields.h"
#include "isa/arch/machine_text.h"

#include <charconv>
#include <fmt/format.h>
#include <set>
#include <vector>
#include <yaml-cpp/yaml.h>

namespace kiln::isa {
namespace {

/// Visitor that fills an ArchSpec. Remembers the first mistake; fields after
/// it are skipped. Throws nothing itself; yaml-cpp may.
class Reader {
public:
  Reader(const YAML::Node &root, std::string_view origin) : origin_(origin) {
    push("", root);
  }

  void open(const std::string &key) {
    push(path(key), take(key, YAML::NodeType::Map, "a mapping"));
  }

  void close() {
    checkUnknown();
    levels_.pop_back();
  }

  void field(const std::string &key, std::string &value) {
    if (YAML::Node n = take(key, YAML::NodeType::Scalar, "text")) {
      value = n.Scalar();
    }
  }
  void field(const std::string &key, uint64_t &value) {
    number(key, value, UINT64_MAX);
  }
  void field(const std::string &key, uint32_t &value) {
    uint64_t wide = 0;
    number(key, wide, UINT32_MAX);
    value = static_cast<uint32_t>(wide);
  }

  /// Whether the open mapping has `key` (an optional part).
  bool holds(const std::string &key) const {
    const YAML::Node node = levels_.back().node;
    return static_cast<bool>(node[key]);
  }

  Status status() const { return status_; }

private:
  struct Level {
    std::string path;
    YAML::Node node;
    std::set<std::string> known;
  };

  void push(std::string path, const YAML::Node &node) {
    levels_.push_back({std::move(path), node, {}});
    std::set<std::string> keys;
    if (!status_.isOk() || !node.IsMap()) {
      return;
    }
    for (const auto &item : node) {
      if (!item.first.IsScalar()) {
        fail(item.first, levels_.back().path, "keys must be words");
      } else if (!keys.insert(item.first.Scalar()).second) {
        fail(item.first, this->path(item.first.Scalar()), "key given twice");
      }
    }
  }

  std::string path(const std::string &key) const {
    const std::string &parent = levels_.back().path;
    return parent.empty() ? key : parent + "." + key;
  }

  void fail(const YAML::Node &at, std::string_view field,
            std::string_view what) {
    if (status_.isOk()) {
      status_ = Status(StatusCode::kCorrupt,
                       fmt::format("{}:{}: {}: {}", origin_, at.Mark().line + 1,
                                   field, what));
    }
  }

  /// The node of a key, or a null node after reporting that it is missing or
  /// of another kind.
  YAML::Node take(const std::string &key, YAML::NodeType::value type,
                  std::string_view expected) {
    Level &level = levels_.back();
    level.known.insert(key);
    if (!status_.isOk()) {
      return YAML::Node();
    }
    const YAML::Node parent = level.node;
    const YAML::Node node = parent[key];
    if (!node) {
      fail(parent, path(key), "missing key");
      return YAML::Node();
    }
    if (node.Type() != type) {
      fail(node, path(key), fmt::format("expected {}", expected));
      return YAML::Node();
    }
    return node;
  }

  void number(const std::string &key, uint64_t &value, uint64_t largest) {
    const YAML::Node n = take(key, YAML::NodeType::Scalar, "a whole number");
    if (!status_.isOk()) {
      return;
    }
    std::string_view text = n.Scalar();
    const bool hex = text.starts_with("0x");
    text.remove_prefix(hex ? 2 : 0);
    const auto [end, error] = std::from_chars(
        text.data(), text.data() + text.size(), value, hex ? 16 : 10);
    if (error != std::errc() || end != text.data() + text.size() ||
        value > largest) {
      fail(n, path(key),
           fmt::format("expected a whole number from 0 to {}, found '{}'",
                       largest, n.Scalar()));
    }
  }

  void checkUnknown() {
    const Level &level = levels_.back();
    if (!status_.isOk()) {
      return;
    }
    for (const auto &item : level.node) {
      if (!level.known.contains(item.first.Scalar())) {
        fail(item.first, path(item.first.Scalar()), "unknown key");
      }
    }
  }

  std::string_view origin_;
  std::vector<Level> levels_;
  Status status_;
};

/// Fills `spec` from the text of a file with `visit`.
template <typename Spec, typename Visit>
Status read(std::string_view yaml, std::string_view origin, Spec &spec,
            Visit visit) {
  try {
    const YAML::Node root = YAML::Load(std::string(yaml));
    if (!root.IsMap()) {
      return {StatusCode::kCorrupt,
              fmt::format("{}: expected a mapping of keys", origin)};
    }
    Reader reader(root, origin);
    visit(reader, spec);
    reader.close();
    return reader.status();
  } catch (const YAML::Exception &e) {
    return {StatusCode::kCorrupt,
            fmt::format("{}:{}: not YAML: {}", origin, e.mark.line + 1, e.msg)};
  }
}

/// The part a machine names, from its own file.
Status readPart(DramPart &part) {
  const std::string name = part.name;
  KILN_ASSIGN_OR_RETURN(
      const std::string text,
      findText("DRAM part", name, {kBuiltinDramParts, kNumBuiltinDramParts}));
  return read(text, name, part,
              [](Reader &r, DramPart &p) { visitDramPart(r, p); });
}

} // namespace

Result<ArchSpec> parseArchSpec(std::string_view yaml, std::string_view origin) {
  ArchSpec spec;
  KILN_RETURN_IF_ERROR(read(yaml, origin, spec, [](Reader &r, ArchSpec &s) {
    s.energy.given = r.holds("energy");
    visitMachine(r, s);
  }));
  KILN_RETURN_IF_ERROR(
      readPart(spec.timing.memory.dram.part).withContext(origin));
  KILN_RETURN_IF_ERROR(validate(spec).withContext(origin));
  spec.hash = machineHash(spec);
  return spec;
}

} // namespace kiln::isa
