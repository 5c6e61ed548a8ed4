// SPDX-License-Identifier: Apache-2.0
//
// --ops FILE.cpp: operator files as custom operators of a model, and where the
// DSL's headers are.
//
//   auto library = std::make_shared<CustomOperatorFiles>();
//   library->files = {"my_norm.cpp"};
//   options.customOperators = library;
#pragma once

#include "compiler/frontend/custom_operators.h"

#include <memory>
#include <string>
#include <vector>

namespace kiln::tools {

class CustomOperatorFiles final : public CustomOperators {
public:
  std::vector<std::string> files;

  Status load() override;
  bool has(const std::string &domain, const std::string &op) const override;
  Result<CustomKernel> build(const CustomCall &call) override;

private:
  std::shared_ptr<CustomOperators> library_; // after load()
};

} // namespace kiln::tools
