// SPDX-License-Identifier: Apache-2.0
#include "isa/abi/launch.h"

#include <bit>
#include <cstring>
#include <fmt/format.h>
#include <nlohmann/json.hpp>

namespace kiln::isa {
namespace {

static_assert(std::endian::native == std::endian::little,
              "argument blocks are written as the host's integers");

void append(std::vector<uint8_t> &out, const void *data, size_t bytes) {
  const auto *from = static_cast<const uint8_t *>(data);
  out.insert(out.end(), from, from + bytes);
}

using Json = nlohmann::json;

/// Reads a note's members; remembers the first mistake.
class NoteReader {
public:
  explicit NoteReader(const Json &object) : object_(object) {}

  void read(const char *key, uint32_t &value) {
    if (const Json *j = member(key, "a whole number below 2^32",
                               &Json::is_number_unsigned)) {
      const uint64_t wide = j->get<uint64_t>();
      value = static_cast<uint32_t>(wide);
      require(wide <= UINT32_MAX, key, "a whole number below 2^32");
    }
  }
  void read(const char *key, bool &value) {
    if (const Json *j = member(key, "true or false", &Json::is_boolean)) {
      value = j->get<bool>();
    }
  }
  void read(const char *key, std::string &value) {
    if (const Json *j = member(key, "text", &Json::is_string)) {
      value = j->get<std::string>();
    }
  }
  template <typename T>
  void read(const char *key, std::vector<std::pair<std::string, T>> &values) {
    const Json *j = member(key, "an object", &Json::is_object);
    if (!j) {
      return;
    }
    for (const auto &[name, count] : j->items()) {
      require(count.is_number_unsigned() && count.template get<uint64_t>() <=
                                                std::numeric_limits<T>::max(),
              fmt::format("{}.{}", key, name), "a whole number");
      if (status.isOk()) {
        values.emplace_back(name, count.template get<T>());
      }
    }
  }
  /// Refuses members nobody asked for.
  void finish() {
    for (const auto &[name, value] : object_.items()) {
      require(known_.contains(name), name, "no such member (unknown key)");
    }
  }

  Status status;

private:
  const Json *member(const char *key, const char *expected,
                     bool (Json::*is)() const noexcept) {
    known_[key] = true;
    const auto it = object_.find(key);
    if (it == object_.end()) {
      require(false, key, fmt::format("{}, but it is missing", expected));
      return nullptr;
    }
    require(((*it).*is)(), key, expected);
    return status.isOk() ? &*it : nullptr;
  }
  void require(bool holds, std::string_view key, std::string_view expected) {
    if (!holds && status.isOk()) {
      status =
          Status(StatusCode::kCorrupt,
                 fmt::format("kernel note: {}: expected {}", key, expected));
    }
  }

  const Json &object_;
  Json known_ = Json::object();
};

template <typename T>
Json toObject(const std::vector<std::pair<std::string, T>> &values) {
  Json out = Json::object();
  for (const auto &[name, value] : values) {
    out[name] = value;
  }
  return out;
}

} // namespace

std::vector<uint8_t> buildArgumentBlock(const std::vector<uint64_t> &bindings,
                                        const std::vector<int64_t> &constants,
                                        uint64_t workspace) {
  const ArgumentBlockHeader header{
      kArgumentBlockVersion, static_cast<uint32_t>(bindings.size()),
      static_cast<uint32_t>(constants.size()), 0, workspace};
  std::vector<uint8_t> out;
  out.reserve(sizeof(header) + 8 * (bindings.size() + constants.size()));
  append(out, &header, sizeof(header));
  append(out, bindings.data(), 8 * bindings.size());
  append(out, constants.data(), 8 * constants.size());
  return out;
}

std::string toJson(const KernelNote &note) {
  const Json j = {{"isa_version", note.isaVersion},
                  {"kernel", note.kernel},
                  {"stack_bytes", note.stackBytes},
                  {"binding_count", note.bindingCount},
                  {"constant_count", note.constantCount},
                  {"capacity_needs", toObject(note.capacityNeeds)},
                  {"flag_sets", toObject(note.flagSets)},
                  {"barrier_count", note.barrierCount},
                  {"device_barrier", note.deviceBarrier}};
  return j.dump(-1, ' ', false, Json::error_handler_t::replace);
}

Result<KernelNote> parseKernelNote(std::string_view json) {
  const Json j = Json::parse(json, nullptr, /*allow_exceptions=*/false);
  if (j.is_discarded() || !j.is_object()) {
    return Status(StatusCode::kCorrupt, "kernel note: expected a JSON object");
  }
  KernelNote note;
  NoteReader reader(j);
  reader.read("isa_version", note.isaVersion);
  reader.read("kernel", note.kernel);
  reader.read("stack_bytes", note.stackBytes);
  reader.read("binding_count", note.bindingCount);
  reader.read("constant_count", note.constantCount);
  reader.read("capacity_needs", note.capacityNeeds);
  reader.read("flag_sets", note.flagSets);
  reader.read("barrier_count", note.barrierCount);
  reader.read("device_barrier", note.deviceBarrier);
  reader.finish();
  KILN_RETURN_IF_ERROR(reader.status);
  return note;
}

} // namespace kiln::isa
