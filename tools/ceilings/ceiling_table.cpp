// SPDX-License-Identifier: Apache-2.0
#include "tools/ceilings/ceiling_table.h"

#include <algorithm>
#include <fstream>
#include <set>
#include <sstream>

#include <fmt/format.h>
#include <yaml-cpp/yaml.h>

namespace kiln::tools {
namespace {

/// One mapping of the file: takes its keys, remembers the first mistake.
class Entry {
public:
  Entry(const YAML::Node &node, const std::string &origin)
      : node_(node), origin_(origin) {
    if (!node.IsMap()) {
      fail(node, "expected a mapping of keys");
    }
  }

  bool holds(const char *key) const {
    return node_.IsMap() && static_cast<bool>(node_[key]);
  }

  /// The value of a key; where it is absent `value` stays.
  template <typename T>
  void take(const char *key, T &value, const char *expected) {
    known_.insert(key);
    if (!holds(key)) {
      return;
    }
    try {
      value = node_[key].as<T>();
    } catch (const YAML::Exception &) {
      fail(node_[key], fmt::format("{}: expected {}", key, expected));
    }
  }
  YAML::Node node(const char *key) {
    known_.insert(key);
    return holds(key) ? YAML::Node(node_[key]) : YAML::Node();
  }

  void fail(const YAML::Node &at, const std::string &what) {
    if (status_) {
      status_ =
          Status(StatusCode::kCorrupt,
                 fmt::format("{}:{}: {}", origin_, at.Mark().line + 1, what));
    }
  }
  void fail(const std::string &what) { fail(node_, what); }

  /// After all keys were taken.
  Status finish() {
    for (const auto &item : node_.IsMap() ? node_ : YAML::Node()) {
      if (!known_.contains(item.first.Scalar())) {
        fail(item.first, fmt::format("unknown key '{}'", item.first.Scalar()));
      }
    }
    return status_;
  }

private:
  YAML::Node node_;
  const std::string &origin_;
  std::set<std::string> known_;
  Status status_;
};

/// Names with a number each, or an element type by its name.
void takePairs(Entry &entry, const char *key, tik::KnobValues &pairs) {
  const YAML::Node map = entry.node(key);
  for (const auto &item : map) {
    const std::string text = item.second.Scalar();
    int64_t value = 0;
    const auto *type = std::find(std::begin(isa::kElementTypeNames),
                                 std::end(isa::kElementTypeNames), text);
    if (type != std::end(isa::kElementTypeNames)) {
      value = type - std::begin(isa::kElementTypeNames);
    } else if (!YAML::convert<int64_t>::decode(item.second, value)) {
      entry.fail(item.second,
                 fmt::format("{}: expected numbers or element types", key));
    }
    pairs.emplace_back(item.first.Scalar(), value);
  }
}

void takeShare(Entry &entry, ShareOf &share) {
  std::string name;
  entry.take("share", name, "text");
  const auto *at =
      std::find(std::begin(kShareNames), std::end(kShareNames), name);
  if (at == std::end(kShareNames)) {
    entry.fail(
        fmt::format("share: expected one of {}", fmt::join(kShareNames, ", ")));
  } else {
    share = static_cast<ShareOf>(at - std::begin(kShareNames));
  }
}

void takeWithout(Entry &entry, std::optional<WithoutEffect> &without) {
  const YAML::Node map = entry.node("without");
  if (!map || map.IsNull()) {
    return;
  }
  WithoutEffect &result = without.emplace();
  try {
    result.effect = map["effect"].as<std::string>();
    result.keys = map["keys"].as<isa::MachineKeys>();
  } catch (const YAML::Exception &) {
    entry.fail(map, "without: expected {effect: words, keys: {path: value}}");
  }
}

Status readRow(Entry &entry, CeilingRow &row) {
  entry.take("row", row.name, "text");
  entry.take("example", row.example, "text");
  entry.take("operator", row.op.name, "text");
  entry.take("shapes", row.op.shapes, "a list of texts");
  entry.take("attributes", row.op.attributes, "a list of texts");
  entry.take("machine", row.machine, "text");
  entry.take("cores", row.cores, "a number");
  entry.take("ceiling", row.ceiling, "percent");
  entry.take("bar", row.bar, "percent");
  entry.take("long", row.isLong, "true or false");
  entry.take("data", row.data, "true or false");
  takePairs(entry, "with", row.settings.settings);
  takePairs(entry, "knobs", row.settings.knobs);
  takeShare(entry, row.share);
  takeWithout(entry, row.without);
  if (row.example.empty() == row.op.name.empty()) {
    entry.fail("expected 'example' or 'operator', one of them");
  }
  if (row.cores == 0) {
    entry.fail("cores: expected at least 1");
  }
  return entry.finish();
}

Status readGroup(Entry &entry, const std::vector<CeilingRow> &rows,
                 CeilingGroup &group) {
  entry.take("geomean", group.name, "text");
  entry.take("ceiling", group.ceiling, "percent");
  entry.take("bar", group.bar, "percent");
  const YAML::Node members = entry.node("of");
  for (const auto &item : members) {
    const std::string name = item.first.Scalar();
    const auto at = std::find_if(rows.begin(), rows.end(),
                                 [&](const auto &r) { return r.name == name; });
    uint32_t times = 0;
    if (at == rows.end()) {
      entry.fail(item.first, fmt::format("no row '{}' above", name));
    } else if (!YAML::convert<uint32_t>::decode(item.second, times) ||
               times == 0) {
      entry.fail(item.second, "of: expected how often the row counts");
    }
    group.members.push_back({static_cast<size_t>(at - rows.begin()), times});
  }
  if (group.members.empty()) {
    entry.fail("of: expected {row: times}");
  }
  return entry.finish();
}

Status readAll(const YAML::Node &root, const std::string &origin,
               CeilingTable &table) {
  std::set<std::string> names;
  for (const auto &node : root) {
    Entry entry(node, origin);
    std::string name;
    if (entry.holds("geomean")) {
      CeilingGroup group;
      KILN_RETURN_IF_ERROR(readGroup(entry, table.rows, group));
      name = group.name;
      table.groups.push_back(std::move(group));
    } else {
      CeilingRow row;
      KILN_RETURN_IF_ERROR(readRow(entry, row));
      name = row.name;
      table.rows.push_back(std::move(row));
    }
    if (name.empty() || !names.insert(name).second) {
      entry.fail(fmt::format("the name '{}' is empty or given twice", name));
    }
    KILN_RETURN_IF_ERROR(entry.finish());
  }
  return Status::ok();
}

} // namespace

Result<CeilingTable> parseCeilings(const std::string &text,
                                   const std::string &origin) {
  try {
    const YAML::Node root = YAML::Load(text);
    if (!root.IsSequence()) {
      return Status(StatusCode::kCorrupt, origin + ": expected a list of rows");
    }
    CeilingTable table;
    KILN_RETURN_IF_ERROR(readAll(root, origin, table));
    return table;
  } catch (const YAML::Exception &e) {
    return Status(
        StatusCode::kCorrupt,
        fmt::format("{}:{}: not YAML: {}", origin, e.mark.line + 1, e.msg));
  }
}

Result<CeilingTable> readCeilings(const std::filesystem::path &file) {
  std::ifstream in(file, std::ios::binary);
  std::ostringstream text;
  if (!in || !(text << in.rdbuf())) {
    return Status(StatusCode::kCorrupt, "cannot read " + file.string());
  }
  return parseCeilings(text.str(), file.string());
}

} // namespace kiln::tools
