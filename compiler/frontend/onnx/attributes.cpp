// SPDX-License-Identifier: Apache-2.0
#include "compiler/frontend/onnx/attributes.h"

#include <fmt/format.h>

namespace kiln::frontend {

using Proto = onnx::AttributeProto;

Attributes::Attributes(const onnx::NodeProto &node, std::string where,
                       Sink sink)
    : where_(std::move(where)), sink_(std::move(sink)) {
  for (const Proto &attribute : node.attribute()) {
    if (!byName_.emplace(attribute.name(), &attribute).second) {
      report(attribute.name(), "appears twice", /*invalid=*/true);
    }
  }
}

void Attributes::report(const std::string &name, std::string text,
                        bool invalid) {
  failed_ = true;
  sink_({where_, name, std::move(text), invalid});
}

static std::string typeName(int type) {
  if (Proto::AttributeType_IsValid(type)) {
    return Proto::AttributeType_Name(static_cast<Proto::AttributeType>(type));
  }
  return fmt::format("type {}", type);
}

// The type of the value that is present: files of IR version 1 do not say.
static Proto::AttributeType typeOf(const Proto &attribute) {
  if (attribute.type() != Proto::UNDEFINED) {
    return attribute.type();
  }
  if (attribute.has_f()) {
    return Proto::FLOAT;
  }
  if (attribute.has_i()) {
    return Proto::INT;
  }
  if (attribute.has_s()) {
    return Proto::STRING;
  }
  if (attribute.has_t()) {
    return Proto::TENSOR;
  }
  if (attribute.floats_size() > 0) {
    return Proto::FLOATS;
  }
  return attribute.ints_size() > 0 ? Proto::INTS : Proto::UNDEFINED;
}

const Proto *Attributes::find(const std::string &name,
                              Proto::AttributeType type) {
  used_.insert(name);
  auto it = byName_.find(name);
  if (it == byName_.end()) {
    return nullptr;
  }
  Proto::AttributeType found = typeOf(*it->second);
  // An empty list written without a type fits every list.
  bool emptyList = found == Proto::UNDEFINED &&
                   (type == Proto::INTS || type == Proto::FLOATS);
  if (found != type && !emptyList) {
    report(name,
           "is of kind " + typeName(found) + ", expected " + typeName(type),
           /*invalid=*/true);
    return nullptr;
  }
  return it->second;
}

int64_t Attributes::getInt(const std::string &name, int64_t fallback) {
  const Proto *attribute = find(name, Proto::INT);
  return attribute ? attribute->i() : fallback;
}

float Attributes::getFloat(const std::string &name, float fallback) {
  const Proto *attribute = find(name, Proto::FLOAT);
  return attribute ? attribute->f() : fallback;
}

std::string Attributes::getString(const std::string &name,
                                  std::string fallback) {
  const Proto *attribute = find(name, Proto::STRING);
  return attribute ? attribute->s() : std::move(fallback);
}

std::optional<std::vector<int64_t>>
Attributes::getInts(const std::string &name) {
  const Proto *attribute = find(name, Proto::INTS);
  if (!attribute) {
    return std::nullopt;
  }
  return std::vector<int64_t>(attribute->ints().begin(),
                              attribute->ints().end());
}

std::optional<std::vector<float>>
Attributes::getFloats(const std::string &name) {
  const Proto *attribute = find(name, Proto::FLOATS);
  if (!attribute) {
    return std::nullopt;
  }
  return std::vector<float>(attribute->floats().begin(),
                            attribute->floats().end());
}

const onnx::TensorProto *Attributes::getTensor(const std::string &name) {
  const Proto *attribute = find(name, Proto::TENSOR);
  return attribute ? &attribute->t() : nullptr;
}

void Attributes::reportUnknown(int64_t version) {
  for (const auto &[name, attribute] : byName_) {
    if (!used_.contains(name)) {
      report(name,
             fmt::format("unknown attribute of kind {} for version {} of the "
                         "operator",
                         typeName(typeOf(*attribute)), version),
             /*invalid=*/false);
    }
  }
}

} // namespace kiln::frontend
