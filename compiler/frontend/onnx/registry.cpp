// SPDX-License-Identifier: Apache-2.0
#include "compiler/frontend/onnx/node.h"

#include <algorithm>

namespace kiln::frontend {

// Built once per call site in order of the families; small enough to search.
static const std::vector<Registration> &allOperators() {
  static const std::vector<Registration> kAll = [] {
    std::vector<Registration> all;
    for (auto family :
         {constantOperators, elementwiseOperators, matmulOperators,
          movementOperators, normalizationOperators, shapeOperators,
          windowOperators}) {
      std::vector<Registration> part = family();
      all.insert(all.end(), part.begin(), part.end());
    }
    return all;
  }();
  return kAll;
}

static bool isDefaultDomain(std::string_view domain) {
  return domain.empty() || domain == "ai.onnx";
}

const Registration *findOperator(std::string_view domain, std::string_view op,
                                 int64_t opset) {
  const Registration *best = nullptr;
  if (!isDefaultDomain(domain)) {
    return best;
  }
  for (const Registration &entry : allOperators()) {
    if (entry.op == op && entry.since <= opset &&
        (!best || entry.since > best->since)) {
      best = &entry;
    }
  }
  return best;
}

bool isKnownOperator(std::string_view domain, std::string_view op) {
  return isDefaultDomain(domain) &&
         std::any_of(allOperators().begin(), allOperators().end(),
                     [&](const Registration &entry) { return entry.op == op; });
}

} // namespace kiln::frontend
