// SPDX-License-Identifier: Apache-2.0
#include "compiler/transforms/npu/index_values.h"

#include "compiler/dialect/npu/NpuOps.h"

#include "mlir/IR/Matchers.h"

#include <algorithm>

using namespace mlir;

namespace kiln::npu {

namespace {

/// Iterations of a loop whose bounds are not known.
constexpr int64_t kUnknownTrips = 16;
constexpr int64_t kMostTimes = int64_t{1} << 20;

} // namespace

std::optional<int64_t> IndexValues::at(Value value) {
  auto [it, isNew] = known_.try_emplace(value, std::nullopt);
  if (isNew) {
    const std::optional<int64_t> result = evaluate(value);
    known_[value] = result; // the map may have grown
    return result;
  }
  return it->second;
}

int64_t IndexValues::trips(scf::ForOp loop) {
  const auto lo = at(loop.getLowerBound()), hi = at(loop.getUpperBound()),
             step = at(loop.getStep());
  if (!lo || !hi || !step || *step <= 0) {
    return kUnknownTrips;
  }
  return std::max<int64_t>(0, (*hi - *lo + *step - 1) / *step);
}

int64_t IndexValues::timesOf(Operation *op) {
  int64_t times = 1;
  for (auto loop = op->getParentOfType<scf::ForOp>(); loop;
       loop = loop->getParentOfType<scf::ForOp>()) {
    times = std::min(kMostTimes, times * trips(loop));
  }
  return times;
}

std::optional<int64_t> IndexValues::evaluate(Value value) {
  llvm::APInt constant;
  if (matchPattern(value, m_ConstantInt(&constant))) {
    return constant.getSExtValue();
  }
  if (auto argument = dyn_cast<BlockArgument>(value)) {
    return evaluateArgument(argument);
  }
  Operation *op = value.getDefiningOp();
  if (llvm::isa<BlockIndexOp>(op)) {
    return 0;
  }
  if (llvm::isa<BlockCountOp>(op)) {
    return 1;
  }
  return op->getNumRegions() == 0 && op->getNumResults() == 1 ? fold(op)
                                                              : std::nullopt;
}

std::optional<int64_t> IndexValues::evaluateArgument(BlockArgument argument) {
  auto loop = dyn_cast<scf::ForOp>(argument.getOwner()->getParentOp());
  if (!loop) {
    return std::nullopt;
  }
  if (argument.getArgNumber() != 0) {
    return at(loop.getInitArgs()[argument.getArgNumber() - 1]);
  }
  const auto lo = at(loop.getLowerBound()), step = at(loop.getStep());
  if (!lo || !step) {
    return std::nullopt;
  }
  const int64_t count = trips(loop);
  const int64_t middle = std::min(count - 1, count / 2 + shift_);
  return *lo + *step * std::max<int64_t>(0, middle);
}

/// The op's own folder on known operands; a copy of the op, because a folder
/// may change its op.
std::optional<int64_t> IndexValues::fold(Operation *op) {
  SmallVector<Attribute> operands;
  for (Value operand : op->getOperands()) {
    const std::optional<int64_t> known = at(operand);
    if (!known || !operand.getType().isIntOrIndex()) {
      return std::nullopt;
    }
    operands.push_back(IntegerAttr::get(operand.getType(), *known));
  }
  Operation *copy = op->clone();
  SmallVector<OpFoldResult> results;
  const bool folded = succeeded(copy->fold(operands, results));
  copy->destroy();
  if (!folded || results.empty()) {
    return std::nullopt;
  }
  if (auto other = dyn_cast<Value>(results.front())) {
    return at(other);
  }
  auto number = dyn_cast<IntegerAttr>(cast<Attribute>(results.front()));
  return number ? std::optional(number.getValue().getSExtValue())
                : std::nullopt;
}

} // namespace kiln::npu
