// SPDX-License-Identifier: Apache-2.0
//
// Collects everything that is wrong with a model, so that one run shows all.
#pragma once

#include "isa/support/status.h"

#include <string>
#include <vector>

namespace kiln::frontend {

struct Finding {
  std::string where;     // "node 'conv1' (Conv, opset 11)", "input 'x'"
  std::string attribute; // empty: not about one attribute
  std::string text;
  bool invalid = false; // the model is inconsistent, not just beyond us
};

class Report {
public:
  void add(Finding finding) { findings_.push_back(std::move(finding)); }
  bool empty() const { return findings_.empty(); }
  size_t size() const { return findings_.size(); }

  /// kOk, kCorrupt when the model is inconsistent, else kUnsupported; the
  /// message lists every finding on a line of its own.
  Status status() const;

private:
  std::vector<Finding> findings_;
};

} // namespace kiln::frontend
