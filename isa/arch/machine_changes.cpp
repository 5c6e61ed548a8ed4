// SPDX-License-Identifier: Apache-2.0
#include "isa/arch/machine_fields.h"
#include "isa/arch/machine_text.h"

#include <charconv>
#include <fmt/format.h>

namespace kiln::isa {
namespace {

/// Visitor that overwrites the fields that `keys` names, by their path.
class KeySetter {
public:
  explicit KeySetter(const MachineKeys &keys) : keys_(keys) {}

  void open(const std::string &key) { path_ += key + "."; }
  void close() {
    path_.pop_back();
    const size_t dot = path_.rfind('.');
    path_.resize(dot == std::string::npos ? 0 : dot + 1);
  }
  void field(const std::string &key, std::string &value) {
    if (const std::string *text = find(key)) {
      value = *text;
    }
  }
  void field(const std::string &key, uint64_t &value) {
    number(key, value, UINT64_MAX);
  }
  void field(const std::string &key, uint32_t &value) {
    uint64_t wide = value;
    number(key, wide, UINT32_MAX);
    value = static_cast<uint32_t>(wide);
  }

  Status status() const {
    for (const auto &[key, value] : keys_) {
      if (status_.isOk() && !found_.contains(key)) {
        return {StatusCode::kInvalidArgument,
                fmt::format("no key '{}' in a machine file", key)};
      }
    }
    return status_;
  }

private:
  const std::string *find(const std::string &key) {
    auto at = keys_.find(path_ + key);
    if (at == keys_.end()) {
      return nullptr;
    }
    found_.insert(*at);
    return &at->second;
  }

  void number(const std::string &key, uint64_t &value, uint64_t largest) {
    const std::string *text = find(key);
    if (!text) {
      return;
    }
    const char *end = text->data() + text->size();
    const auto [stop, error] = std::from_chars(text->data(), end, value);
    if (error != std::errc() || stop != end || value > largest) {
      status_ = Status(StatusCode::kInvalidArgument,
                       fmt::format("{}{}: expected a whole number from 0 to "
                                   "{}, found '{}'",
                                   path_, key, largest, *text));
    }
  }

  const MachineKeys &keys_;
  MachineKeys found_;
  std::string path_;
  Status status_;
};

} // namespace

Result<ArchSpec> withKeys(ArchSpec spec, const MachineKeys &keys) {
  const std::string part = spec.timing.memory.dram.part.name;
  KeySetter setter(keys);
  visitMachine(setter, spec);
  KILN_RETURN_IF_ERROR(setter.status());
  if (spec.timing.memory.dram.part.name != part) {
    return Status(StatusCode::kInvalidArgument,
                  "timing.memory.dram.part names a file: a machine with "
                  "another one needs a file of its own");
  }
  KILN_RETURN_IF_ERROR(validate(spec).withContext(spec.name));
  spec.hash = machineHash(spec);
  return spec;
}

} // namespace kiln::isa
