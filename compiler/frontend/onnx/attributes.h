// SPDX-License-Identifier: Apache-2.0
//
// Typed access to the attributes of a node. Every name a converter asks for is
// known; what is left over at the end is reported as unknown.
//
//   Attributes &a = node.attributes();
//   float alpha = a.getFloat("alpha", 0.01f);
//   std::vector<int64_t> pads = a.getInts("pads").value_or(...);
//
// A value of the wrong kind is reported and the default is returned; the
// import of the node then fails.
#pragma once

#include "compiler/frontend/onnx/report.h"
#include "onnx/onnx_pb.h"

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace kiln::frontend {

class Attributes {
public:
  using Sink = std::function<void(Finding)>;

  /// `where` names the node in findings.
  Attributes(const onnx::NodeProto &node, std::string where, Sink sink);

  bool has(const std::string &name) const { return byName_.contains(name); }

  int64_t getInt(const std::string &name, int64_t fallback);
  float getFloat(const std::string &name, float fallback);
  std::string getString(const std::string &name, std::string fallback);
  std::optional<std::vector<int64_t>> getInts(const std::string &name);
  std::optional<std::vector<float>> getFloats(const std::string &name);
  const onnx::TensorProto *getTensor(const std::string &name);

  /// Accepts and ignores an attribute that means nothing to inference.
  void ignore(const std::string &name) { used_.insert(name); }

  /// Reports every attribute that nobody asked for. `version` is the
  /// operator's schema version.
  void reportUnknown(int64_t version);

  /// True when something was reported.
  bool failed() const { return failed_; }

private:
  const onnx::AttributeProto *find(const std::string &name,
                                   onnx::AttributeProto::AttributeType type);
  void report(const std::string &name, std::string text, bool invalid);

  std::map<std::string, const onnx::AttributeProto *> byName_;
  std::set<std::string> used_;
  std::string where_;
  Sink sink_;
  bool failed_ = false;
};

} // namespace kiln::frontend
