// SPDX-License-Identifier: Apache-2.0
#include "compiler/target/const_recipe.h"

#include "compiler/constants/byte_ops.h"
#include "compiler/dialect/plan/element_types.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

using namespace mlir;

namespace kiln {

static Status stepError(plan::StepAttr step, std::string text) {
  return {StatusCode::kInternal,
          fmt::format("recipe step '{}': {}", step.getKind().str(), text)};
}

static std::vector<int64_t> shapeOf(plan::StepAttr step) {
  ArrayRef<int64_t> shape = step.getType().getShape();
  return {shape.begin(), shape.end()};
}

// A list with one entry per dimension of the input, none negative.
static Result<std::vector<int64_t>> list(plan::StepAttr step, StringRef name,
                                         const Constant &input) {
  auto values = step.getParams().getAs<DenseI64ArrayAttr>(name);
  if (!values || values.size() != static_cast<int64_t>(input.shape.size())) {
    return stepError(step, fmt::format("needs the list '{}' with {} entries",
                                       name.str(), input.shape.size()));
  }
  for (int64_t value : values.asArrayRef()) {
    if (value < 0) {
      return stepError(step, fmt::format("'{}' holds {}", name.str(), value));
    }
  }
  return std::vector<int64_t>(values.asArrayRef().begin(),
                              values.asArrayRef().end());
}

//===- the kinds ----------------------------------------------------------===//

static Result<Constant> runReshape(plan::StepAttr step, const Constant &input) {
  if (step.getType().getNumElements() != input.elementCount()) {
    return stepError(step,
                     fmt::format("{} elements become {}", input.elementCount(),
                                 step.getType().getNumElements()));
  }
  return reshapeConstant(input, shapeOf(step));
}

static Result<Constant> runCast(plan::StepAttr step, const Constant &input) {
  std::optional<ElementType> type =
      toElementType(step.getType().getElementType());
  if (!type) {
    return stepError(step, "not an element type of constants");
  }
  return castConstant(input, *type);
}

static Result<Constant> runTranspose(plan::StepAttr step,
                                     const Constant &input) {
  KILN_ASSIGN_OR_RETURN(std::vector<int64_t> permutation,
                        list(step, "permutation", input));
  std::vector<bool> seen(permutation.size(), false);
  for (int64_t axis : permutation) {
    if (axis >= static_cast<int64_t>(seen.size()) || seen[axis]) {
      return stepError(step, "'permutation' is no permutation");
    }
    seen[axis] = true;
  }
  return transposeConstant(input, permutation);
}

static Result<Constant> runPad(plan::StepAttr step, const Constant &input) {
  KILN_ASSIGN_OR_RETURN(std::vector<int64_t> begin, list(step, "begin", input));
  KILN_ASSIGN_OR_RETURN(std::vector<int64_t> end, list(step, "end", input));
  auto value = step.getParams().getAs<FloatAttr>("value");
  return padConstant(input, begin, end, value ? value.getValueAsDouble() : 0);
}

static Result<Constant> runSlice(plan::StepAttr step, const Constant &input) {
  KILN_ASSIGN_OR_RETURN(std::vector<int64_t> starts,
                        list(step, "starts", input));
  std::vector<int64_t> steps(starts.size(), 1), shape = shapeOf(step);
  if (step.getParams().get("steps")) {
    KILN_ASSIGN_OR_RETURN(steps, list(step, "steps", input));
  }
  if (shape.size() != starts.size()) {
    return stepError(step, "changes the rank");
  }
  for (size_t i = 0; i < shape.size(); ++i) {
    int64_t last = starts[i] + (shape[i] - 1) * steps[i];
    if (shape[i] < 1 || steps[i] < 1 || last >= input.shape[i]) {
      return stepError(step, fmt::format("leaves dimension {}", i));
    }
  }
  return sliceConstant(input, starts, shape, steps);
}

Result<Constant> evaluateStep(plan::StepAttr step, const Constant &input) {
  struct Kind {
    StringRef name;
    Result<Constant> (*run)(plan::StepAttr, const Constant &);
  };
  static constexpr Kind kKinds[] = {{"reshape", runReshape},
                                    {"cast", runCast},
                                    {"transpose", runTranspose},
                                    {"pad", runPad},
                                    {"slice", runSlice}};
  for (const Kind &kind : kKinds) {
    if (kind.name != step.getKind().getValue()) {
      continue;
    }
    KILN_ASSIGN_OR_RETURN(Constant result, kind.run(step, input));
    std::optional<ElementType> type =
        toElementType(step.getType().getElementType());
    if (result.shape != shapeOf(step) || result.type != type) {
      return stepError(step, fmt::format("gives [{}] {}, not the stated type",
                                         fmt::join(result.shape, ", "),
                                         elementName(result.type)));
    }
    return result;
  }
  return stepError(step, "is not known");
}

Result<Constant> evaluateConstant(plan::ConstOp op,
                                  const ConstantStore &constants) {
  const Constant *blob = constants.find(op.getSymbol());
  if (!blob) {
    return Status(StatusCode::kInternal, "constant '@" + op.getSymbol().str() +
                                             "' is not in the "
                                             "store");
  }
  Constant value = *blob;
  if (op.getRecipe()) {
    for (auto step : op.getRecipe()->getAsRange<plan::StepAttr>()) {
      KILN_ASSIGN_OR_RETURN(value, evaluateStep(step, value));
    }
  }
  ArrayRef<int64_t> shape =
      cast<RankedTensorType>(op.getResult().getType()).getShape();
  if (ArrayRef<int64_t>(value.shape) != shape) {
    return Status(StatusCode::kInternal,
                  fmt::format("constant '@{}' has shape [{}], its operation "
                              "says [{}]",
                              op.getSymbol().str(),
                              fmt::join(value.shape, ", "),
                              fmt::join(shape, ", ")));
  }
  return value;
}

} // namespace kiln
