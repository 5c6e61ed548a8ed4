// SPDX-License-Identifier: Apache-2.0
//
// The rules of a package that do not depend on its encoding. Writer and reader
// apply the same ones.
#include "hal/format/package_model.h"
#include "hal/format/plan_hazards.h"

#include <algorithm>
#include <set>

namespace kiln::hal {
namespace {

constexpr uint64_t kMaxBytes = uint64_t{1} << 48; // GM addresses have 48 bits
constexpr uint64_t kMaxBlocks = uint64_t{1} << 31;

Status bad(std::string message) {
  return {StatusCode::kInvalidArgument, std::move(message)};
}

std::string indexed(std::string_view what, size_t i, std::string_view label) {
  return std::string(what) + " " + std::to_string(i) + " '" +
         std::string(label) + "'";
}

Status checkIndex(std::string_view what, uint64_t index, size_t count) {
  if (index < count) {
    return Status::ok();
  }
  return bad(std::string(what) + " " + std::to_string(index) + " of " +
             std::to_string(count));
}

Status checkOptionalIndex(std::string_view what, int64_t index, size_t count) {
  return index == kNoIndex
             ? Status::ok()
             : checkIndex(what, static_cast<uint64_t>(index), count);
}

Status checkValue(const ValueModel &value) {
  if (static_cast<unsigned>(value.type) >= kNumDataTypes ||
      static_cast<unsigned>(value.layout) >= kNumLayouts) {
    return bad("unknown element type or layout");
  }
  KILN_RETURN_IF_ERROR(elementCount(value.shape).status());
  return byteSize(value).status();
}

Status checkConstant(const ConstantModel &constant) {
  KILN_ASSIGN_OR_RETURN(
      uint64_t expected,
      byteSize({constant.name, constant.type, constant.physicalShape}));
  if (constant.bytes.size() != expected) {
    return bad("holds " + std::to_string(constant.bytes.size()) +
               " bytes, its type and shape need " + std::to_string(expected));
  }
  return Status::ok();
}

Status checkProgram(const ProgramModel &program, std::string_view target) {
  if (static_cast<unsigned>(program.kind) >= kNumProgramKinds) {
    return bad("unknown kind");
  }
  if (program.entries.empty()) {
    return bad("has no entry symbol");
  }
  if (program.kind == ProgramKind::kNpuElf && program.entries.size() != 1) {
    return bad("an npu-elf has one entry, found " +
               std::to_string(program.entries.size()));
  }
  bool fits =
      program.kind == ProgramKind::kNull ||
      (target == (program.kind == ProgramKind::kNpuElf ? "npu" : "cpu"));
  if (!fits) {
    return bad("kind " + std::string(name(program.kind)) +
               " in a package for '" + std::string(target) + "'");
  }
  return Status::ok();
}

/// Model inputs or outputs: indices of values, named once.
Status checkPorts(const PackageModel &model, std::string_view what,
                  const std::vector<uint32_t> &ports) {
  std::set<std::string_view> names;
  for (uint32_t port : ports) {
    KILN_RETURN_IF_ERROR(
        checkIndex(std::string(what) + ": value", port, model.values.size()));
    const ValueModel &value = model.values[port];
    if (value.name.empty() || !names.insert(value.name).second) {
      return bad(std::string(what) + " name '" + value.name +
                 "' is empty or used twice");
    }
    if (value.layout != Layout::kDense) {
      return bad(std::string(what) + " '" + value.name + "' is not dense");
    }
  }
  return Status::ok();
}

/// Checks plan functions against the sizes of what they refer to.
class PlanChecker {
public:
  explicit PlanChecker(const PackageModel &model) : model_(model) {}

  Status check() {
    KILN_RETURN_IF_ERROR(checkArena());
    for (const FunctionModel &function : model_.plan.functions) {
      KILN_RETURN_IF_ERROR(checkFunction(function).withContext(
          "function '" + function.name + "'"));
    }
    return Status::ok();
  }

private:
  Status checkFunction(const FunctionModel &function) {
    for (size_t i = 0; i < function.ops.size(); ++i) {
      Status status = std::visit([&](const auto &op) { return check(op); },
                                 function.ops[i]);
      if (!status) {
        return status.withContext("op " + std::to_string(i));
      }
    }
    return checkHazards(function);
  }

  Status checkArena() {
    if (model_.plan.functions.empty()) {
      return bad("the plan has no function");
    }
    KILN_RETURN_IF_ERROR(
        checkExpr(model_.plan.arenaSize).withContext("arena size"));
    return checkRange("arena size", constantValue(model_.plan.arenaSize), 0,
                      kMaxBytes);
  }

  Status checkExpr(const Expr &expr) const {
    return verify(expr, model_.plan.symbols.size());
  }

  /// Range rules apply to what is known now; the runtime repeats them on the
  /// values of symbolic expressions.
  static Status checkRange(std::string_view what, std::optional<int64_t> value,
                           uint64_t low, uint64_t high) {
    if (!value || (*value >= 0 && static_cast<uint64_t>(*value) >= low &&
                   static_cast<uint64_t>(*value) <= high)) {
      return Status::ok();
    }
    return bad(std::string(what) + " " + std::to_string(*value) +
               " is not in [" + std::to_string(low) + ", " +
               std::to_string(high) + "]");
  }

  /// Bytes of what a reference points into; empty when symbolic.
  Result<std::optional<uint64_t>> capacityOf(const BufferRef &ref) const {
    using Capacity = std::optional<uint64_t>;
    const std::vector<uint32_t> *ports = nullptr;
    switch (ref.kind) {
    case BufferKind::kArena: {
      KILN_RETURN_IF_ERROR(checkIndex("arena", ref.index, 1));
      std::optional<int64_t> size = constantValue(model_.plan.arenaSize);
      return size ? Capacity(*size) : Capacity();
    }
    case BufferKind::kConstant:
      KILN_RETURN_IF_ERROR(
          checkIndex("constant", ref.index, model_.constants.size()));
      return Capacity(model_.constants[ref.index].bytes.size());
    case BufferKind::kInput:
      ports = &model_.inputs;
      break;
    case BufferKind::kOutput:
      ports = &model_.outputs;
      break;
    default:
      return bad("unknown buffer kind");
    }
    KILN_RETURN_IF_ERROR(checkIndex(name(ref.kind), ref.index, ports->size()));
    KILN_ASSIGN_OR_RETURN(uint64_t bytes,
                          byteSize(model_.values[(*ports)[ref.index]]));
    return Capacity(bytes);
  }

  Status checkRef(const BufferRef &ref) const {
    KILN_ASSIGN_OR_RETURN(std::optional<uint64_t> capacity, capacityOf(ref));
    KILN_RETURN_IF_ERROR(checkExpr(ref.offset).withContext("offset"));
    KILN_RETURN_IF_ERROR(checkExpr(ref.size).withContext("size"));
    std::optional<int64_t> offset = constantValue(ref.offset);
    std::optional<int64_t> size = constantValue(ref.size);
    uint64_t limit = capacity.value_or(kMaxBytes);
    std::string what(name(ref.kind));
    KILN_RETURN_IF_ERROR(checkRange(what + " offset", offset, 0, limit));
    uint64_t rest = limit - static_cast<uint64_t>(offset.value_or(0));
    return checkRange(what + " size", size, 0, rest);
  }

  Status checkTarget(const BufferRef &ref) const {
    if (ref.kind == BufferKind::kConstant || ref.kind == BufferKind::kInput) {
      return bad("writes to " + std::string(name(ref.kind)) + " " +
                 std::to_string(ref.index));
    }
    return checkRef(ref);
  }

  Status checkBinding(const BindingModel &binding) const {
    if (static_cast<unsigned>(binding.access) >= kNumAccesses) {
      return bad("unknown access");
    }
    KILN_RETURN_IF_ERROR(writes(binding.access) ? checkTarget(binding.buffer)
                                                : checkRef(binding.buffer));
    return checkOptionalIndex("value", binding.value, model_.values.size());
  }

  Status check(const DispatchModel &d) const {
    Status status = checkDispatch(d);
    return status.withContext("dispatch '" + d.name + "'");
  }

  Status checkDispatch(const DispatchModel &d) const {
    KILN_RETURN_IF_ERROR(
        checkIndex("program", d.program, model_.programs.size()));
    KILN_RETURN_IF_ERROR(checkIndex("entry", d.entry,
                                    model_.programs[d.program].entries.size()));
    KILN_RETURN_IF_ERROR(checkExpr(d.blockDim).withContext("block count"));
    KILN_RETURN_IF_ERROR(
        checkRange("block count", constantValue(d.blockDim), 1, kMaxBlocks));
    for (size_t i = 0; i < d.bindings.size(); ++i) {
      KILN_RETURN_IF_ERROR(checkBinding(d.bindings[i])
                               .withContext("binding " + std::to_string(i)));
    }
    for (size_t i = 0; i < d.constants.size(); ++i) {
      KILN_RETURN_IF_ERROR(checkExpr(d.constants[i])
                               .withContext("constant " + std::to_string(i)));
    }
    if (d.workspace) {
      if (d.workspace->kind != BufferKind::kArena) {
        return bad("workspace is in " + std::string(name(d.workspace->kind)) +
                   ", expected the arena");
      }
      KILN_RETURN_IF_ERROR(checkRef(*d.workspace).withContext("workspace"));
    }
    if (static_cast<unsigned>(d.macType) >= kNumDataTypes) {
      return bad("unknown type of multiply-accumulates");
    }
    return checkOptionalIndex("source", d.source, model_.sourceMap.size());
  }

  Status check(const CopyModel &copy) const {
    KILN_RETURN_IF_ERROR(checkRef(copy.source).withContext("copy source"));
    KILN_RETURN_IF_ERROR(checkTarget(copy.target).withContext("copy target"));
    std::optional<int64_t> from = constantValue(copy.source.size);
    std::optional<int64_t> to = constantValue(copy.target.size);
    if (from && to && *from != *to) {
      return bad("copies " + std::to_string(*from) + " bytes into " +
                 std::to_string(*to));
    }
    return Status::ok();
  }

  Status check(const FillModel &fill) const {
    KILN_RETURN_IF_ERROR(checkTarget(fill.target).withContext("fill target"));
    if (fill.patternBytes != 1 && fill.patternBytes != 2 &&
        fill.patternBytes != 4) {
      return bad("fill pattern of " + std::to_string(fill.patternBytes) +
                 " bytes; expected 1, 2 or 4");
    }
    if (constantValue(fill.target.size).value_or(0) % fill.patternBytes != 0) {
      return bad("fill size is not a multiple of its pattern");
    }
    return Status::ok();
  }

  Status check(const BarrierModel &) const { return Status::ok(); }

  const PackageModel &model_;
};

} // namespace

Result<uint64_t> elementCount(const std::vector<int64_t> &shape) {
  uint64_t count = 1;
  for (int64_t dim : shape) {
    if (dim < 0) {
      return bad("dimension " + std::to_string(dim) + " is negative");
    }
    if (__builtin_mul_overflow(count, static_cast<uint64_t>(dim), &count) ||
        count > kMaxBytes) {
      return bad("more than 2^48 elements");
    }
  }
  return count;
}

Result<uint64_t> byteSize(const ValueModel &value) {
  if (static_cast<unsigned>(value.type) >= kNumDataTypes) {
    return bad("unknown element type");
  }
  KILN_ASSIGN_OR_RETURN(uint64_t count, elementCount(value.storedShape()));
  return count * sizeOf(value.type);
}

Status validate(const PackageModel &model) {
  for (size_t i = 0; i < model.values.size(); ++i) {
    KILN_RETURN_IF_ERROR(
        checkValue(model.values[i])
            .withContext(indexed("value", i, model.values[i].name)));
  }
  KILN_RETURN_IF_ERROR(checkPorts(model, "input", model.inputs));
  KILN_RETURN_IF_ERROR(checkPorts(model, "output", model.outputs));
  for (size_t i = 0; i < model.constants.size(); ++i) {
    KILN_RETURN_IF_ERROR(
        checkConstant(model.constants[i])
            .withContext(indexed("constant", i, model.constants[i].name)));
  }
  for (size_t i = 0; i < model.programs.size(); ++i) {
    KILN_RETURN_IF_ERROR(
        checkProgram(model.programs[i], model.target)
            .withContext(indexed("program", i, model.programs[i].name)));
  }
  return PlanChecker(model).check();
}

} // namespace kiln::hal
