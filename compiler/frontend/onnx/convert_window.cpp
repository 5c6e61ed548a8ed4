// SPDX-License-Identifier: Apache-2.0
//
// Conv and the pools: windows, strides, pads, auto_pad.
#include "compiler/frontend/onnx/node.h"

#include <fmt/format.h>

using namespace mlir;

namespace kiln::frontend {

namespace {
/// The attributes of a sliding window, one entry per spatial dimension.
struct Window {
  std::vector<int64_t> kernel, strides, padsBegin, padsEnd, dilations;
  bool ceilMode = false;
};
} // namespace

// A list of one entry per spatial dimension, all at least 1.
static bool readList(Node &node, const char *name, size_t spatial,
                     std::vector<int64_t> &values) {
  values = node.attributes().getInts(name).value_or(
      std::vector<int64_t>(spatial, 1));
  if (values.size() != spatial) {
    (void)node.invalid(fmt::format("has {} entries for {} spatial dimensions",
                                   values.size(), spatial),
                       name);
    return false;
  }
  for (int64_t value : values) {
    if (value < 1 || value > (int64_t(1) << 31)) {
      (void)node.invalid(fmt::format("holds {}, expected at least 1", value),
                         name);
      return false;
    }
  }
  return true;
}

static bool readPads(Node &node, size_t spatial, Window &window) {
  auto pads = node.attributes().getInts("pads");
  std::vector<int64_t> values =
      pads ? *pads : std::vector<int64_t>(2 * spatial, 0);
  if (values.size() != 2 * spatial) {
    (void)node.invalid(fmt::format("has {} entries for {} spatial dimensions",
                                   values.size(), spatial),
                       "pads");
    return false;
  }
  for (int64_t value : values) {
    if (value < 0) {
      (void)node.gap(fmt::format("holds {}; supported: at least 0", value),
                     "pads");
      return false;
    }
  }
  window.padsBegin.assign(values.begin(), values.begin() + spatial);
  window.padsEnd.assign(values.begin() + spatial, values.end());
  return true;
}

// SAME: ceil(in / stride) outputs; an odd pad goes to the end (UPPER) or to
// the beginning (LOWER).
static void padSame(ArrayRef<int64_t> image, bool lower, Window &window) {
  for (size_t i = 0; i < image.size(); ++i) {
    int64_t stride = window.strides[i];
    int64_t out = (image[i] + stride - 1) / stride;
    int64_t extent = (window.kernel[i] - 1) * window.dilations[i] + 1;
    int64_t total =
        std::max<int64_t>(0, (out - 1) * stride + extent - image[i]);
    int64_t half = total / 2;
    window.padsBegin[i] = lower ? total - half : half;
    window.padsEnd[i] = lower ? half : total - half;
  }
}

static bool readAutoPad(Node &node, ArrayRef<int64_t> image, Window &window) {
  std::string mode = node.attributes().getString("auto_pad", "NOTSET");
  bool same = mode == "SAME_UPPER" || mode == "SAME_LOWER";
  if (!same && mode != "VALID" && mode != "NOTSET") {
    (void)node.invalid("'" + mode +
                           "' is none of NOTSET, SAME_UPPER, "
                           "SAME_LOWER, VALID",
                       "auto_pad");
    return false;
  }
  if (mode == "NOTSET") {
    return true;
  }
  window.padsBegin.assign(image.size(), 0);
  window.padsEnd.assign(image.size(), 0);
  if (same) {
    padSame(image, mode == "SAME_LOWER", window);
  }
  return true;
}

static bool checkImage(Node &node) {
  if (node.rank(0) < 3) {
    (void)node.invalid(fmt::format("the input has rank {}, expected [N, C, "
                                   "spatial...]",
                                   node.rank(0)));
    return false;
  }
  if (node.rank(0) > 4) {
    (void)node.gap(fmt::format("{} spatial dimensions; supported: 1 and 2",
                               node.rank(0) - 2));
    return false;
  }
  return true;
}

static bool readWindow(Node &node, Window &window) {
  ArrayRef<int64_t> image = node.shape(0).drop_front(2);
  return readList(node, "strides", image.size(), window.strides) &&
         readList(node, "dilations", image.size(), window.dilations) &&
         readPads(node, image.size(), window) &&
         readAutoPad(node, image, window);
}

static LogicalResult convertConv(Node &node) {
  Attributes &a = node.attributes();
  int64_t group = a.getInt("group", 1);
  auto declared = a.getInts("kernel_shape");
  if (failed(node.expect({2, 3})) || !checkImage(node)) {
    return failure();
  }
  Window window;
  if (node.rank(1) != node.rank(0)) {
    return node.invalid(fmt::format("the weights have rank {}, the input {}",
                                    node.rank(1), node.rank(0)));
  }
  ArrayRef<int64_t> kernel = node.shape(1).drop_front(2);
  window.kernel.assign(kernel.begin(), kernel.end());
  if (declared && *declared != window.kernel) {
    return node.invalid("differs from the weights' shape", "kernel_shape");
  }
  if (!readWindow(node, window)) {
    return failure();
  }
  int64_t channels = node.shape(0)[1];
  if (group != 1 && group != channels) {
    return node.gap(fmt::format("{} groups of {} channels; supported: 1 and "
                                "one per channel (depthwise)",
                                group, channels),
                    "group");
  }
  Value bias = node.hasInput(2) ? node.input(2) : Value();
  return node.setOutput(
      0, node.emit<nn::ConvOp>(
             node.input(0), node.input(1), bias, ArrayRef(window.strides),
             ArrayRef(window.padsBegin), ArrayRef(window.padsEnd),
             ArrayRef(window.dilations), group));
}

// What both pools share; kernel_shape is required.
static bool readPool(Node &node, Window &window) {
  window.ceilMode = node.attributes().getInt("ceil_mode", 0) != 0;
  if (!checkImage(node)) {
    return false;
  }
  if (!node.attributes().has("kernel_shape")) {
    (void)node.invalid("is missing", "kernel_shape");
    return false;
  }
  return readList(node, "kernel_shape", node.rank(0) - 2, window.kernel) &&
         readWindow(node, window);
}

static LogicalResult convertMaxPool(Node &node) {
  if (node.version() >= 8) {
    // Orders the indices, which are refused.
    node.attributes().ignore("storage_order");
  }
  Window window;
  if (failed(node.expect({1, 1})) || !readPool(node, window)) {
    return failure();
  }
  return node.setOutput(
      0, node.emit<nn::MaxPoolOp>(
             node.input(0), ArrayRef(window.kernel), ArrayRef(window.strides),
             ArrayRef(window.padsBegin), ArrayRef(window.padsEnd),
             ArrayRef(window.dilations), window.ceilMode));
}

static LogicalResult convertAveragePool(Node &node) {
  bool countPads = node.attributes().getInt("count_include_pad", 0) != 0;
  Window window;
  if (failed(node.expect({1, 1})) || !readPool(node, window)) {
    return failure();
  }
  return node.setOutput(
      0, node.emit<nn::AveragePoolOp>(
             node.input(0), ArrayRef(window.kernel), ArrayRef(window.strides),
             ArrayRef(window.padsBegin), ArrayRef(window.padsEnd),
             ArrayRef(window.dilations), window.ceilMode, countPads));
}

template <typename OpT> static LogicalResult convertGlobal(Node &node) {
  if (failed(node.expect({1, 1}))) {
    return failure();
  }
  return node.setOutput(0, node.emit<OpT>(node.input(0)));
}

std::vector<Registration> windowOperators() {
  std::vector<Registration> table = {
      {"Conv", 1, convertConv},
      {"Conv", 11, convertConv},
      {"GlobalAveragePool", 1, convertGlobal<nn::GlobalAveragePoolOp>},
      {"GlobalMaxPool", 1, convertGlobal<nn::GlobalMaxPoolOp>}};
  for (int64_t since : {1, 8, 10, 11, 12}) {
    table.push_back({"MaxPool", since, convertMaxPool});
  }
  for (int64_t since : {1, 7, 10, 11, 19}) {
    table.push_back({"AveragePool", since, convertAveragePool});
  }
  return table;
}

} // namespace kiln::frontend
