// SPDX-License-Identifier: Apache-2.0
#include "compiler/target/const_recipe.h"

#include "compiler/constants/byte_ops.h"
#include "compiler/dialect/plan/element_types.h"
#include "compiler/dialect/plan/plan_dialect.h"

using namespace mlir;

namespace kiln::target {
namespace {

Status broken(plan::StepAttr step, const std::string &why) {
  return Status(StatusCode::kInternal,
                "recipe step '" + step.getKind().str() + "' " + why);
}

std::vector<int64_t> arrayParam(plan::StepAttr step, StringRef name) {
  auto array = step.getParams().getAs<DenseI64ArrayAttr>(name);
  return array ? std::vector<int64_t>(array.asArrayRef())
               : std::vector<int64_t>();
}

/// The constant after the step, before its type is checked.
Result<Constant> runStep(const Constant &in, plan::StepAttr step,
                         ElementType type, const std::vector<int64_t> &shape) {
  StringRef kind = step.getKind().getValue();
  size_t rank = in.shape.size();
  if (kind == "reshape") {
    int64_t count = 1;
    for (int64_t d : shape) {
      count *= d;
    }
    return count == in.elementCount()
               ? Result<Constant>(reshapeConstant(in, shape))
               : broken(step, "changes the number of elements");
  }
  if (kind == "transpose") {
    std::vector<int64_t> permutation = arrayParam(step, "permutation");
    return permutation.size() == rank
               ? Result<Constant>(transposeConstant(in, permutation))
               : broken(step, "has a permutation of another rank");
  }
  if (kind == "cast") {
    return castConstant(in, type);
  }
  if (kind == "pad") {
    std::vector<int64_t> low = arrayParam(step, "low");
    std::vector<int64_t> high = arrayParam(step, "high");
    auto value = step.getParams().getAs<FloatAttr>("value");
    return low.size() == rank && high.size() == rank
               ? Result<Constant>(padConstant(
                     in, low, high, value ? value.getValueAsDouble() : 0.0))
               : broken(step, "pads another rank");
  }
  if (kind == "slice") {
    std::vector<int64_t> starts = arrayParam(step, "starts");
    std::vector<int64_t> steps(rank, 1);
    bool fits = starts.size() == rank && shape.size() == rank;
    for (size_t i = 0; fits && i < rank; ++i) {
      fits = starts[i] >= 0 && starts[i] + shape[i] <= in.shape[i];
    }
    return fits ? Result<Constant>(sliceConstant(in, starts, shape, steps))
                : broken(step, "leaves the constant");
  }
  return broken(step, "is unknown");
}

} // namespace

Result<Constant> evaluateRecipe(const Constant &constant, ArrayAttr recipe) {
  Constant current = constant;
  if (!recipe) {
    return current;
  }
  for (Attribute attribute : recipe) {
    auto step = cast<plan::StepAttr>(attribute);
    std::optional<ElementType> type =
        toElementType(step.getType().getElementType());
    if (!type) {
      return broken(step, "has a type constants cannot have");
    }
    std::vector<int64_t> shape(step.getType().getShape());
    KILN_ASSIGN_OR_RETURN(current, runStep(current, step, *type, shape));
    if (current.shape != shape || current.type != *type) {
      return broken(step, "does not give the type it states");
    }
  }
  return current;
}

} // namespace kiln::target
