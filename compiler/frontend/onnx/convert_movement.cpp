// SPDX-License-Identifier: Apache-2.0
//
// Operators that move elements: Transpose, Concat, Split, Slice, Pad.
#include "compiler/constants/byte_ops.h"
#include "compiler/frontend/onnx/node.h"

#include <algorithm>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <numeric>

using namespace mlir;

namespace kiln::frontend {

static LogicalResult convertTranspose(Node &node) {
  auto permutation = node.attributes().getInts("perm");
  if (failed(node.expect({1, 1}))) {
    return failure();
  }
  if (!permutation) {
    permutation.emplace(node.rank(0));
    std::iota(permutation->rbegin(), permutation->rend(), 0);
  }
  return node.setOutput(
      0, node.emit<nn::TransposeOp>(node.input(0), ArrayRef(*permutation)));
}

static LogicalResult convertConcat(Node &node) {
  Attributes &a = node.attributes();
  if (node.version() >= 4 && !a.has("axis")) {
    return node.invalid("is missing", "axis");
  }
  int64_t value = a.getInt("axis", 1);
  if (failed(node.expect({1, SIZE_MAX}))) {
    return failure();
  }
  for (size_t i = 0; i < node.inputCount(); ++i) {
    if (!node.hasInput(i)) {
      return node.invalid(fmt::format("input {} is missing", i));
    }
  }
  std::optional<int64_t> axis = node.axis(value, node.rank(0));
  if (!axis) {
    return failure();
  }
  if (node.inputCount() == 1) {
    return node.setOutput(0, node.input(0));
  }
  return node.setOutput(
      0, node.emit<nn::ConcatOp>(ValueRange(node.inputs()), *axis));
}

//===- Split --------------------------------------------------------------===//

// Without sizes: equal parts, the last one smaller (since opset 18).
static std::optional<std::vector<int64_t>> equalParts(Node &node, int64_t dim) {
  int64_t count = static_cast<int64_t>(node.outputCount());
  int64_t declared = node.version() >= 18
                         ? node.attributes().getInt("num_outputs", count)
                         : count;
  if (declared != count) {
    (void)node.invalid(
        fmt::format("is {} but the node has {} outputs", declared, count),
        "num_outputs");
    return std::nullopt;
  }
  if (node.version() < 18 && dim % count != 0) {
    (void)node.invalid(
        fmt::format("{} does not split into {} equal parts", dim, count));
    return std::nullopt;
  }
  int64_t part = (dim + count - 1) / count;
  std::vector<int64_t> sizes(count, part);
  sizes.back() = dim - part * (count - 1);
  return sizes;
}

static std::optional<std::vector<int64_t>> splitSizes(Node &node, int64_t dim) {
  std::optional<std::vector<int64_t>> sizes;
  if (node.hasInput(1)) {
    sizes = node.integers(1, "split");
    if (!sizes) {
      return std::nullopt;
    }
  } else if (node.version() < 13) {
    sizes = node.attributes().getInts("split");
  }
  if (!sizes) {
    return equalParts(node, dim);
  }
  int64_t left = dim;
  for (int64_t size : *sizes) {
    left = size < 0 || size > left ? -1 : left - size;
    if (left < 0) {
      break;
    }
  }
  if (left != 0 || sizes->size() != node.outputCount()) {
    (void)node.invalid(fmt::format("sizes [{}] do not split {} elements into "
                                   "{} outputs",
                                   fmt::join(*sizes, ", "), dim,
                                   node.outputCount()),
                       "split");
    return std::nullopt;
  }
  return sizes;
}

static LogicalResult convertSplit(Node &node) {
  int64_t value = node.attributes().getInt("axis", 0);
  bool hasSizesInput = node.version() >= 13 || node.version() == 1;
  if (failed(
          node.expect({1, hasSizesInput ? size_t(2) : size_t(1), SIZE_MAX}))) {
    return failure();
  }
  std::optional<int64_t> axis = node.axis(value, node.rank(0));
  if (!axis) {
    return failure();
  }
  std::optional<std::vector<int64_t>> sizes =
      splitSizes(node, node.shape(0)[*axis]);
  if (!sizes) {
    return failure();
  }
  SmallVector<int64_t> starts(node.rank(0), 0), steps(node.rank(0), 1);
  SmallVector<int64_t> part(node.shape(0));
  for (size_t i = 0; i < sizes->size(); ++i) {
    part[*axis] = (*sizes)[i];
    if (node.outputUsed(i)) {
      Value slice = node.emit<nn::SliceOp>(
          node.input(0), ArrayRef<int64_t>(starts), ArrayRef<int64_t>(part),
          ArrayRef<int64_t>(steps));
      if (failed(node.setOutput(i, slice))) {
        return failure();
      }
    }
    starts[*axis] += (*sizes)[i];
  }
  return success();
}

//===- Slice --------------------------------------------------------------===//

namespace {
struct Bounds {
  std::vector<int64_t> starts, ends;
  std::optional<std::vector<int64_t>> axes, steps;
};
} // namespace

// numpy's rules: negative bounds count from the end, both are clamped.
static LogicalResult sliceWith(Node &node, const Bounds &bounds) {
  size_t count = bounds.starts.size();
  if (bounds.ends.size() != count ||
      (bounds.axes && bounds.axes->size() != count) ||
      (bounds.steps && bounds.steps->size() != count)) {
    return node.invalid("starts, ends, axes and steps differ in length");
  }
  if (!bounds.axes && count > static_cast<size_t>(node.rank(0))) {
    return node.invalid(
        fmt::format("{} starts for rank {}", count, node.rank(0)));
  }
  SmallVector<int64_t> starts(node.rank(0), 0), steps(node.rank(0), 1);
  SmallVector<int64_t> sizes(node.shape(0));
  for (size_t i = 0; i < count; ++i) {
    std::optional<int64_t> axis =
        node.axis(bounds.axes ? (*bounds.axes)[i] : static_cast<int64_t>(i),
                  node.rank(0), "axes");
    int64_t step = bounds.steps ? (*bounds.steps)[i] : 1;
    if (!axis) {
      return failure();
    }
    if (step < 1) {
      return node.gap(fmt::format("step {}; supported: at least 1", step));
    }
    int64_t dim = node.shape(0)[*axis];
    auto clamp = [dim](int64_t value) {
      value = value < 0 ? std::max(value, -dim) + dim : value;
      return std::clamp<int64_t>(value, 0, dim);
    };
    int64_t first = clamp(bounds.starts[i]), last = clamp(bounds.ends[i]);
    int64_t length = std::max<int64_t>(0, last - first);
    starts[*axis] = first;
    steps[*axis] = std::min(step, std::max<int64_t>(dim, 1));
    sizes[*axis] = length == 0 ? 0 : (length - 1) / step + 1;
  }
  return node.setOutput(0, node.emit<nn::SliceOp>(node.input(0),
                                                  ArrayRef<int64_t>(starts),
                                                  ArrayRef<int64_t>(sizes),
                                                  ArrayRef<int64_t>(steps)));
}

static LogicalResult convertSliceAttributes(Node &node) {
  Attributes &a = node.attributes();
  auto starts = a.getInts("starts"), ends = a.getInts("ends");
  auto axes = a.getInts("axes");
  if (failed(node.expect({1, 1}))) {
    return failure();
  }
  if (!starts || !ends) {
    return node.invalid("is missing", starts ? "ends" : "starts");
  }
  return sliceWith(node, {*starts, *ends, axes, std::nullopt});
}

static LogicalResult convertSlice(Node &node) {
  if (failed(node.expect({3, 5}))) {
    return failure();
  }
  Bounds bounds;
  auto starts = node.integers(1, "starts"), ends = node.integers(2, "ends");
  if (!starts || !ends) {
    return failure();
  }
  bounds.starts = *starts;
  bounds.ends = *ends;
  if (node.hasInput(3) && !(bounds.axes = node.integers(3, "axes"))) {
    return failure();
  }
  if (node.hasInput(4) && !(bounds.steps = node.integers(4, "steps"))) {
    return failure();
  }
  return sliceWith(node, bounds);
}

//===- Pad ----------------------------------------------------------------===//

static LogicalResult padWith(Node &node, const std::vector<int64_t> &pads,
                             std::vector<int64_t> axes, float value) {
  std::string mode = node.attributes().getString("mode", "constant");
  if (mode != "constant") {
    return node.gap("'" + mode + "'; supported: constant", "mode");
  }
  if (pads.size() != 2 * axes.size()) {
    return node.invalid(fmt::format("has {} entries for {} dimensions",
                                    pads.size(), axes.size()),
                        "pads");
  }
  SmallVector<int64_t> begin(node.rank(0), 0), end(node.rank(0), 0);
  for (size_t i = 0; i < axes.size(); ++i) {
    std::optional<int64_t> axis = node.axis(axes[i], node.rank(0), "axes");
    if (!axis) {
      return failure();
    }
    begin[*axis] = pads[i];
    end[*axis] = pads[i + axes.size()];
    if (pads[i] < 0 || pads[i + axes.size()] < 0) {
      return node.gap("a negative entry (cropping); supported: at least 0",
                      "pads");
    }
  }
  return node.setOutput(
      0, node.emit<nn::PadOp>(node.input(0), ArrayRef<int64_t>(begin),
                              ArrayRef<int64_t>(end), llvm::APFloat(value)));
}

static std::vector<int64_t> allAxes(Node &node) {
  std::vector<int64_t> axes(node.rank(0));
  std::iota(axes.begin(), axes.end(), 0);
  return axes;
}

static LogicalResult convertPadAttributes(Node &node) {
  const char *name = node.version() < 2 ? "paddings" : "pads";
  auto pads = node.attributes().getInts(name);
  float value = node.attributes().getFloat("value", 0);
  if (failed(node.expect({1, 1}))) {
    return failure();
  }
  if (!pads) {
    return node.invalid("is missing", name);
  }
  return padWith(node, *pads, allAxes(node), value);
}

static LogicalResult convertPad(Node &node) {
  if (failed(node.expect({2, node.version() < 18 ? size_t(3) : size_t(4)}))) {
    return failure();
  }
  auto pads = node.integers(1, "pads");
  if (!pads) {
    return failure();
  }
  float value = 0;
  if (node.hasInput(2)) {
    std::optional<double> given = node.scalar(2, "constant_value");
    if (!given) {
      return failure();
    }
    value = static_cast<float>(*given);
  }
  std::vector<int64_t> axes = allAxes(node);
  if (node.hasInput(3)) {
    auto given = node.integers(3, "axes");
    if (!given) {
      return failure();
    }
    axes = *given;
  }
  return padWith(node, *pads, std::move(axes), value);
}

std::vector<Registration> movementOperators() {
  std::vector<Registration> table;
  for (int64_t since : {1, 13, 21}) {
    table.push_back({"Transpose", since, convertTranspose});
  }
  for (int64_t since : {1, 4, 11, 13}) {
    table.push_back({"Concat", since, convertConcat});
  }
  for (int64_t since : {1, 2, 11, 13, 18}) {
    table.push_back({"Split", since, convertSplit});
  }
  table.push_back({"Slice", 1, convertSliceAttributes});
  for (int64_t since : {10, 11, 13}) {
    table.push_back({"Slice", since, convertSlice});
  }
  for (int64_t since : {1, 2}) {
    table.push_back({"Pad", since, convertPadAttributes});
  }
  for (int64_t since : {11, 13, 18, 19, 21}) {
    table.push_back({"Pad", since, convertPad});
  }
  return table;
}

} // namespace kiln::frontend
