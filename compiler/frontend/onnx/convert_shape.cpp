// SPDX-License-Identifier: Apache-2.0
//
// Operators that only change a shape: Reshape, Flatten, Squeeze, Unsqueeze.
#include "compiler/frontend/onnx/node.h"

#include <algorithm>
#include <fmt/format.h>
#include <set>

using namespace mlir;

namespace kiln::frontend {

// Resolves 0 (copy the input's dimension, unless allowZero) and -1 (what is
// left over).
static LogicalResult reshapeTo(Node &node, std::vector<int64_t> shape,
                               bool allowZero) {
  ArrayRef<int64_t> from = node.shape(0);
  int64_t known = 1, free = -1;
  for (size_t i = 0; i < shape.size(); ++i) {
    if (shape[i] == 0 && !allowZero) {
      if (i >= from.size()) {
        return node.invalid(fmt::format(
            "shape entry {} is 0 but the input has rank {}", i, from.size()));
      }
      shape[i] = from[i];
    }
    if (shape[i] == -1 && free < 0) {
      free = static_cast<int64_t>(i);
      continue;
    }
    if (shape[i] < 0 || shape[i] > (int64_t(1) << 32) ||
        (shape[i] > 0 && known > (int64_t(1) << 40) / shape[i])) {
      return node.invalid(fmt::format("shape entry {} is {}", i, shape[i]));
    }
    known *= shape[i];
  }
  int64_t count = node.type(0).getNumElements();
  if (free >= 0) {
    if (known == 0 || count % known != 0) {
      return node.invalid(fmt::format(
          "{} elements cannot be split into parts of {}", count, known));
    }
    shape[free] = count / known;
  }
  return node.setOutput(0, node.reshape(node.input(0), shape));
}

static LogicalResult convertReshapeAttribute(Node &node) {
  node.attributes().ignore("consumed_inputs");
  auto shape = node.attributes().getInts("shape");
  if (failed(node.expect({1, 1}))) {
    return failure();
  }
  if (!shape) {
    return node.invalid("is missing", "shape");
  }
  return reshapeTo(node, *shape, /*allowZero=*/false);
}

static LogicalResult convertReshape(Node &node) {
  bool allowZero =
      node.version() >= 14 && node.attributes().getInt("allowzero", 0) != 0;
  if (failed(node.expect({2, 2}))) {
    return failure();
  }
  std::optional<std::vector<int64_t>> shape = node.integers(1, "shape");
  if (!shape) {
    return failure();
  }
  return reshapeTo(node, *shape, allowZero);
}

static LogicalResult convertFlatten(Node &node) {
  int64_t value = node.attributes().getInt("axis", 1);
  if (failed(node.expect({1, 1}))) {
    return failure();
  }
  int64_t rank = node.rank(0);
  std::optional<int64_t> axis = value == rank ? value : node.axis(value, rank);
  if (!axis) {
    return failure();
  }
  int64_t rows = 1, columns = 1;
  for (int64_t i = 0; i < rank; ++i) {
    (i < *axis ? rows : columns) *= node.shape(0)[i];
  }
  return node.setOutput(0, node.reshape(node.input(0), {rows, columns}));
}

// The axes: an attribute before opset 13, an input later.
static std::optional<std::vector<int64_t>> readAxes(Node &node, bool required) {
  if (node.version() >= 13) {
    if (failed(node.expect({required ? size_t(2) : size_t(1), 2}))) {
      return std::nullopt;
    }
    return node.hasInput(1) ? node.integers(1, "axes") : std::vector<int64_t>();
  }
  auto axes = node.attributes().getInts("axes");
  if (failed(node.expect({1, 1}))) {
    return std::nullopt;
  }
  if (!axes && required) {
    (void)node.invalid("is missing", "axes");
    return std::nullopt;
  }
  return axes.value_or(std::vector<int64_t>());
}

static bool normalizeAxes(Node &node, const std::vector<int64_t> &axes,
                          int64_t rank, std::set<int64_t> &result) {
  for (int64_t value : axes) {
    std::optional<int64_t> axis = node.axis(value, rank, "axes");
    if (!axis) {
      return false;
    }
    if (!result.insert(*axis).second) {
      (void)node.invalid(fmt::format("names axis {} twice", *axis), "axes");
      return false;
    }
  }
  return true;
}

static LogicalResult convertSqueeze(Node &node) {
  auto axes = readAxes(node, /*required=*/false);
  std::set<int64_t> dropped;
  if (!axes || !normalizeAxes(node, *axes, node.rank(0), dropped)) {
    return failure();
  }
  SmallVector<int64_t> shape;
  for (int64_t i = 0; i < node.rank(0); ++i) {
    int64_t dim = node.shape(0)[i];
    bool drop = axes->empty() ? dim == 1 : dropped.contains(i);
    if (drop && dim != 1) {
      return node.invalid(fmt::format("dimension {} is {}, not 1", i, dim),
                          "axes");
    }
    if (!drop) {
      shape.push_back(dim);
    }
  }
  return node.setOutput(0, node.reshape(node.input(0), shape));
}

static LogicalResult convertUnsqueeze(Node &node) {
  auto axes = readAxes(node, /*required=*/true);
  if (!axes) {
    return failure();
  }
  int64_t rank = node.rank(0) + static_cast<int64_t>(axes->size());
  std::set<int64_t> added;
  if (!normalizeAxes(node, *axes, rank, added)) {
    return failure();
  }
  SmallVector<int64_t> shape;
  int64_t from = 0;
  for (int64_t i = 0; i < rank; ++i) {
    shape.push_back(added.contains(i) ? 1 : node.shape(0)[from++]);
  }
  return node.setOutput(0, node.reshape(node.input(0), shape));
}

std::vector<Registration> shapeOperators() {
  std::vector<Registration> table = {{"Reshape", 1, convertReshapeAttribute}};
  for (int64_t since : {5, 13, 14, 19, 21}) {
    table.push_back({"Reshape", since, convertReshape});
  }
  for (int64_t since : {1, 9, 11, 13, 21}) {
    table.push_back({"Flatten", since, convertFlatten});
  }
  for (int64_t since : {1, 11, 13, 21}) {
    table.push_back({"Squeeze", since, convertSqueeze});
    table.push_back({"Unsqueeze", since, convertUnsqueeze});
  }
  return table;
}

} // namespace kiln::frontend
