// SPDX-License-Identifier: Apache-2.0
//
// --ops FILE.cpp: operator files as custom operators of a model, and where the
// DSL's headers are.
//
//   auto library = std::make_shared<CustomOperatorFiles>();
//   library->files = {"my_norm.cpp"};
//   options.kernelLibrary = library;
#pragma once

#include "compiler/frontend/kernel_library.h"
#include "tik_dsl/builder/operator.h"

#include <memory>
#include <string>
#include <vector>

namespace kiln::tools {

class CustomOperatorFiles final : public KernelLibrary {
public:
  std::vector<std::string> files;
  /// Of `kiln tune`; empty: every knob has its default. A line on stderr says
  /// which record a kernel is built with.
  std::string records;

  Status load() override;
  bool has(const std::string &domain, const std::string &op) const override;
  std::vector<std::string> names() const override;
  Result<LibraryKernel> build(const KernelCall &call) override;

private:
  Result<tik::KnobValues> knobsOf(const tik::Operator &op,
                                  const tik::ShapeCase &shape,
                                  const isa::ArchSpec &arch,
                                  uint32_t cores) const;

  std::shared_ptr<KernelLibrary> library_; // after load()
};

} // namespace kiln::tools
