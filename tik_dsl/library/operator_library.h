// SPDX-License-Identifier: Apache-2.0
//
// OperatorLibrary: one-file operators as the custom operators of a model.
//
//   auto library = std::make_shared<OperatorLibrary>(load);
//   library->files = {"my_norm.cpp"};
//   compileOptions.kernelLibrary = library;
//
// An operator serves the ONNX nodes of its domain (Declaration::domain, by
// default "kiln.custom") that have its name. Inputs are bound in the order of
// the declaration; their shapes give the dimensions, integer attributes of the
// node the attributes, and the sizes that no input has. An attribute that is
// the type of an input follows the input. For the NPU the answer is a kernel,
// for another target, or where there is no kernel, the operator's body.
//
// Errors: of loading as OperatorFile::load(); of a node kInvalidArgument with
// the numbered messages of the DSL; kUnsupported for a kernel with a workspace.
#pragma once

#include "compiler/frontend/kernel_library.h"
#include "tik_dsl/builder/body.h"
#include "tik_dsl/loader/operator_file.h"

#include <functional>

namespace kiln::tik {

class OperatorLibrary final : public KernelLibrary {
public:
  explicit OperatorLibrary(LoadOptions options)
      : options_(std::move(options)) {}

  std::vector<std::string> files; // read by load()
  /// Asked for the knobs of every kernel; none returned: their defaults.
  std::function<Result<KnobValues>(const Operator &op, const ShapeCase &shape,
                                   const isa::ArchSpec &arch, uint32_t cores)>
      knobs{};

  Status load() override;
  bool has(const std::string &domain, const std::string &op) const override;
  std::vector<std::string> names() const override;
  Result<LibraryKernel> build(const KernelCall &call) override;

private:
  Status addProgram(const Operator &op, const BoundShape &shape,
                    const KernelCall &call, LibraryKernel &kernel);
  const Operator *find(const std::string &domain, const std::string &op) const;

  LoadOptions options_;
  std::vector<OperatorFile> loaded_;
  OperatorCompiler compiler_;
  BodyCompiler bodies_;
};

/// The sizes and attributes that a call gives; kInvalidArgument where inputs
/// do not fit the declaration.
Result<ShapeCase> settingsOf(const OperatorDecl &decl, const KernelCall &call);

} // namespace kiln::tik
