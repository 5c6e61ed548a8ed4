// SPDX-License-Identifier: Apache-2.0
#include "tik_dsl/library/operator_library.h"

#include <algorithm>

namespace kiln::tik {

namespace {

/// Collects the settings of one call, and what does not fit.
class Binding {
public:
  explicit Binding(const OperatorDecl &decl) : decl_(decl) {}

  Result<ShapeCase> run(const KernelCall &call) {
    std::vector<const TensorDecl *> inputs;
    for (const TensorDecl &tensor : decl_.tensors) {
      if (!tensor.isOutput) {
        inputs.push_back(&tensor);
      }
    }
    if (inputs.size() != call.inputs.size()) {
      return wrong("has " + std::to_string(call.inputs.size()) +
                   " inputs; the operator has " +
                   std::to_string(inputs.size()));
    }
    for (size_t i = 0; i < inputs.size(); ++i) {
      KILN_RETURN_IF_ERROR(bind(*inputs[i], call.inputs[i]));
    }
    for (const auto &[name, value] : call.attributes) {
      KILN_RETURN_IF_ERROR(set(name, value, "attribute '" + name + "'"));
    }
    return settings_;
  }

private:
  Status wrong(const std::string &text) const {
    return Status(StatusCode::kInvalidArgument, decl_.name + " " + text);
  }
  Status bind(const TensorDecl &tensor, const KernelTensor &given) {
    const auto type = machineType(given.type);
    if (!type || (tensor.typeAttribute.empty() && *type != tensor.type)) {
      return wrong("wants " + std::string(isa::name(tensor.type)) + " for '" +
                   tensor.name + "', found " +
                   std::string(elementName(given.type)));
    }
    if (!tensor.typeAttribute.empty()) {
      KILN_RETURN_IF_ERROR(set(tensor.typeAttribute,
                               static_cast<int64_t>(*type),
                               "the type of '" + tensor.name + "'"));
    }
    if (tensor.dims.size() != given.shape.size()) {
      return wrong("wants " + std::to_string(tensor.dims.size()) +
                   " dimensions for '" + tensor.name + "', found " +
                   std::to_string(given.shape.size()));
    }
    for (size_t i = 0; i < tensor.dims.size(); ++i) {
      const std::string where =
          "dimension " + std::to_string(i) + " of '" + tensor.name + "'";
      KILN_RETURN_IF_ERROR(dimension(tensor.dims[i], given.shape[i], where));
    }
    return Status::ok();
  }
  Status dimension(const std::string &dim, int64_t size,
                   const std::string &where) {
    const bool number = std::all_of(
        dim.begin(), dim.end(), [](char c) { return c >= '0' && c <= '9'; });
    if (!number) {
      return set(dim, size, where);
    }
    return std::to_string(size) == dim
               ? Status::ok()
               : wrong("wants " + dim + " for " + where + ", found " +
                       std::to_string(size));
  }
  Status set(const std::string &name, int64_t value, const std::string &where) {
    for (const auto &[known, old] : settings_.settings) {
      if (known == name) {
        return old == value ? Status::ok()
                            : wrong("wants " + name + "=" +
                                    std::to_string(old) + " for " + where +
                                    ", found " + std::to_string(value));
      }
    }
    settings_.settings.emplace_back(name, value);
    return Status::ok();
  }

  const OperatorDecl &decl_;
  ShapeCase settings_;
};

} // namespace

Result<ShapeCase> settingsOf(const OperatorDecl &decl, const KernelCall &call) {
  return Binding(decl).run(call);
}

Status OperatorLibrary::load() {
  for (size_t i = loaded_.size(); i < files.size(); ++i) {
    KILN_ASSIGN_OR_RETURN(OperatorFile file,
                          OperatorFile::load(files[i], options_));
    const OperatorDecl &decl = file.op().decl();
    if (find(decl.domain, decl.name) != nullptr) {
      return Status(StatusCode::kInvalidArgument,
                    files[i] + ": there is an operator '" + decl.name +
                        "' of domain '" + decl.domain + "' already");
    }
    loaded_.push_back(std::move(file));
  }
  return Status::ok();
}

const Operator *OperatorLibrary::find(const std::string &domain,
                                      const std::string &op) const {
  for (const OperatorFile &file : loaded_) {
    const OperatorDecl &decl = file.op().decl();
    if (decl.domain == domain && decl.name == op) {
      return &file.op();
    }
  }
  return nullptr;
}

bool OperatorLibrary::has(const std::string &domain,
                          const std::string &op) const {
  return find(domain, op) != nullptr;
}

std::vector<std::string> OperatorLibrary::names() const {
  std::vector<std::string> names;
  for (const OperatorFile &file : loaded_) {
    names.push_back(file.op().decl().domain + "." + file.op().decl().name);
  }
  return names;
}

Result<LibraryKernel> OperatorLibrary::build(const KernelCall &call) {
  const Operator &op = *find(call.domain, call.op);
  const OperatorDecl &decl = op.decl();
  const bool hasProgram = call.target == "npu" && decl.hasKernel;
  KILN_ASSIGN_OR_RETURN(ShapeCase settings, settingsOf(decl, call));
  if (knobs && hasProgram) {
    KILN_ASSIGN_OR_RETURN(isa::ArchSpec arch, isa::loadArchSpec(call.machine));
    KILN_ASSIGN_OR_RETURN(settings.knobs,
                          knobs(op, settings, arch, call.cores));
  }
  KILN_ASSIGN_OR_RETURN(BoundShape shape, op.bind(settings));
  LibraryKernel kernel;
  for (const BoundTensor &tensor : shape.tensors) {
    if (tensor.isOutput) {
      kernel.outputs.push_back({graphType(tensor.type), tensor.dims});
    }
  }
  if (hasProgram) {
    KILN_RETURN_IF_ERROR(addProgram(op, shape, call, kernel));
    return kernel;
  }
  if (!decl.body) {
    return Status(StatusCode::kUnsupported,
                  call.op +
                      " has a kernel for the NPU and no body(); the "
                      "target is " +
                      call.target);
  }
  KILN_ASSIGN_OR_RETURN(kernel.body, bodies_.compile(op, shape));
  return kernel;
}

Status OperatorLibrary::addProgram(const Operator &op, const BoundShape &shape,
                                   const KernelCall &call,
                                   LibraryKernel &kernel) {
  if (!shape.constants.empty()) {
    return Status(StatusCode::kUnsupported,
                  call.op + " has sizes of the launch (dynamic()); a model's "
                            "kernels are built for their shapes");
  }
  KILN_ASSIGN_OR_RETURN(isa::ArchSpec arch, isa::loadArchSpec(call.machine));
  KILN_ASSIGN_OR_RETURN(
      CompiledKernel compiled,
      compiler_.compile(op, shape, {.arch = &arch, .cores = call.cores}));
  if (!compiled.workspaceBytes.empty()) {
    return Status(StatusCode::kUnsupported,
                  call.op + " uses a workspace; in a model an operator has its "
                            "inputs and outputs only");
  }
  kernel.elf = std::move(compiled.elf);
  kernel.entry = compiled.note.kernel;
  kernel.needs.assign(compiled.note.capacityNeeds.begin(),
                      compiled.note.capacityNeeds.end());
  kernel.blocks = compiled.blocks;
  return Status::ok();
}

} // namespace kiln::tik
