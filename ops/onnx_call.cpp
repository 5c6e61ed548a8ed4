// SPDX-License-Identifier: Apache-2.0
#include "ops/onnx_call.h"

#include "ops/reference/conv.h"
#include "ops/reference/elementwise.h"
#include "ops/reference/matmul.h"
#include "ops/reference/movement.h"
#include "ops/reference/normalization.h"
#include "ops/reference/pool.h"

#include <algorithm>

namespace kiln::ops {
namespace {

using Tensors = std::vector<Tensor>;
using Handler = Result<Tensors> (*)(const OnnxCall &);

template <typename T>
T get(const OnnxCall &call, const std::string &key, T missing) {
  auto it = call.attributes.find(key);
  if (it == call.attributes.end()) {
    return missing;
  }
  const T *value = std::get_if<T>(&it->second);
  return value ? *value : missing;
}

int64_t getInt(const OnnxCall &call, const std::string &key, int64_t missing) {
  return get<int64_t>(call, key, missing);
}

const Tensor *input(const OnnxCall &call, size_t i) {
  return i < call.inputs.size() ? call.inputs[i] : nullptr;
}

Status invalid(const OnnxCall &call, const std::string &message) {
  return {StatusCode::kInvalidArgument, call.op + ": " + message};
}

Status unsupported(const OnnxCall &call, const std::string &message) {
  return {StatusCode::kUnsupported, call.op + ": " + message};
}

Result<Tensors> single(Result<Tensor> result) {
  KILN_ASSIGN_OR_RETURN(Tensor tensor, std::move(result));
  Tensors all;
  all.push_back(std::move(tensor));
  return all;
}

Result<Shape> integers(const OnnxCall &call, const Tensor &tensor) {
  if (tensor.type != DataType::I64) {
    return invalid(call, "the shape operand must be i64, found " +
                             std::string(name(tensor.type)));
  }
  return Shape(tensor.values.begin(), tensor.values.end());
}

Result<Window> windowOf(const OnnxCall &call) {
  Window window;
  window.kernel = get<Shape>(call, "kernel_shape", {});
  window.strides = get<Shape>(call, "strides", {});
  window.dilations = get<Shape>(call, "dilations", {});
  window.pads = get<Shape>(call, "pads", {});
  window.ceilMode = getInt(call, "ceil_mode", 0) != 0;
  std::string mode = get<std::string>(call, "auto_pad", "NOTSET");
  if (mode == "SAME_UPPER") {
    window.autoPad = AutoPad::SameUpper;
  } else if (mode == "SAME_LOWER") {
    window.autoPad = AutoPad::SameLower;
  } else if (mode == "VALID") {
    window.autoPad = AutoPad::Valid;
  } else if (mode != "NOTSET" && !mode.empty()) {
    return invalid(call, "unknown auto_pad " + mode);
  }
  return window;
}

/// Before opset 7 the second operand aligned at `axis` when `broadcast` = 1.
Tensor alignOldBroadcast(const OnnxCall &call, const Tensor &a,
                         const Tensor &b) {
  Tensor aligned = b;
  int64_t axis = getInt(call, "axis", a.rank() - b.rank());
  axis += axis < 0 ? a.rank() : 0;
  for (int64_t d = axis + b.rank(); d < a.rank(); ++d) {
    aligned.shape.push_back(1);
  }
  return aligned;
}

Result<Tensors> runBinary(const OnnxCall &call) {
  BinaryKind kind = call.op == "Add"   ? BinaryKind::Add
                    : call.op == "Sub" ? BinaryKind::Sub
                                       : BinaryKind::Mul;
  const Tensor &a = *input(call, 0), &b = *input(call, 1);
  if (call.opset < 7) {
    return single(binary(kind, a, alignOldBroadcast(call, a, b)));
  }
  return single(binary(kind, a, b));
}

Result<Tensors> runSum(const OnnxCall &call) {
  return single(sum(call.inputs));
}

Result<Tensors> runUnary(const OnnxCall &call) {
  UnaryKind kind = call.op == "Relu"      ? UnaryKind::Relu
                   : call.op == "Sigmoid" ? UnaryKind::Sigmoid
                   : call.op == "Tanh"    ? UnaryKind::Tanh
                                          : UnaryKind::Identity;
  return single(unary(kind, *input(call, 0)));
}

Result<Tensors> runConv(const OnnxCall &call) {
  ConvAttributes attributes;
  KILN_ASSIGN_OR_RETURN(attributes.window, windowOf(call));
  if (attributes.window.kernel.empty() && input(call, 1)->rank() > 2) {
    const Shape &w = input(call, 1)->shape;
    attributes.window.kernel.assign(w.begin() + 2, w.end());
  }
  attributes.groups = getInt(call, "group", 1);
  return single(
      conv(*input(call, 0), *input(call, 1), input(call, 2), attributes));
}

Result<Tensors> runMaxPool(const OnnxCall &call) {
  KILN_ASSIGN_OR_RETURN(Window window, windowOf(call));
  bool columnMajor = getInt(call, "storage_order", 0) != 0;
  KILN_ASSIGN_OR_RETURN(MaxPoolResult pooled,
                        maxPool(*input(call, 0), window, columnMajor));
  Tensors all;
  all.push_back(std::move(pooled.values));
  if (call.outputs > 1) {
    all.push_back(std::move(pooled.indices));
  }
  return all;
}

Result<Tensors> runAveragePool(const OnnxCall &call) {
  KILN_ASSIGN_OR_RETURN(Window window, windowOf(call));
  bool countPad = getInt(call, "count_include_pad", 0) != 0;
  return single(averagePool(*input(call, 0), window, countPad));
}

Result<Tensors> runGlobalAveragePool(const OnnxCall &call) {
  return single(globalAveragePool(*input(call, 0)));
}

Result<Tensors> runMatMul(const OnnxCall &call) {
  return single(matmul(*input(call, 0), *input(call, 1)));
}

Result<Tensors> runGemm(const OnnxCall &call) {
  GemmAttributes attributes;
  attributes.alpha = get<double>(call, "alpha", 1.0);
  attributes.beta = get<double>(call, "beta", 1.0);
  attributes.transA = getInt(call, "transA", 0) != 0;
  attributes.transB = getInt(call, "transB", 0) != 0;
  return single(
      gemm(*input(call, 0), *input(call, 1), input(call, 2), attributes));
}

Result<Tensors> runBatchNorm(const OnnxCall &call) {
  bool training = getInt(call, "training_mode", 0) != 0;
  if (training || call.outputs > 1 ||
      (call.opset < 7 && getInt(call, "is_test", 0) == 0)) {
    return unsupported(call, "training mode; only inference is supported");
  }
  if (call.opset < 9 && getInt(call, "spatial", 1) == 0) {
    return unsupported(call, "spatial = 0; only per-channel statistics");
  }
  BatchNormInputs inputs{*input(call, 1), *input(call, 2), *input(call, 3),
                         *input(call, 4)};
  return single(
      batchNorm(*input(call, 0), inputs, get<double>(call, "epsilon", 1e-5)));
}

Result<Tensors> runConcat(const OnnxCall &call) {
  if (call.opset >= 4 && !call.attributes.contains("axis")) {
    return invalid(call, "attribute axis is missing");
  }
  return single(concat(call.inputs, getInt(call, "axis", 1)));
}

Result<Tensors> runReshape(const OnnxCall &call) {
  Shape shape = get<Shape>(call, "shape", {});
  if (call.opset >= 5) {
    if (!input(call, 1)) {
      return invalid(call, "the shape operand is missing");
    }
    KILN_ASSIGN_OR_RETURN(shape, integers(call, *input(call, 1)));
  }
  return single(
      reshape(*input(call, 0), shape, getInt(call, "allowzero", 0) != 0));
}

Result<Tensors> runFlatten(const OnnxCall &call) {
  return single(flatten(*input(call, 0), getInt(call, "axis", 1)));
}

/// Without sizes: equal parts; since opset 18 the last one may be smaller.
Result<Shape> equalParts(const OnnxCall &call, int64_t dimension) {
  auto count = static_cast<int64_t>(call.outputs);
  if (call.opset >= 18 && getInt(call, "num_outputs", count) != count) {
    return invalid(call, "num_outputs differs from the number of outputs");
  }
  if (call.opset < 18 && dimension % count != 0) {
    return invalid(call, std::to_string(dimension) + " elements in " +
                             std::to_string(count) + " equal parts");
  }
  int64_t part = (dimension + count - 1) / count;
  Shape sizes(count, part);
  sizes.back() = dimension - part * (count - 1);
  return sizes;
}

Result<Tensors> runSplit(const OnnxCall &call) {
  const Tensor &x = *input(call, 0);
  int64_t axis = getInt(call, "axis", 0);
  int64_t at = axis < 0 ? axis + x.rank() : axis;
  if (at < 0 || at >= x.rank()) {
    return invalid(call, "axis " + std::to_string(axis) + " of rank " +
                             std::to_string(x.rank()));
  }
  if (const Tensor *given = input(call, 1)) {
    KILN_ASSIGN_OR_RETURN(Shape sizes, integers(call, *given));
    return split(x, sizes, at);
  }
  Shape sizes = get<Shape>(call, "split", {});
  if (sizes.empty() || call.opset >= 13) {
    KILN_ASSIGN_OR_RETURN(sizes, equalParts(call, x.shape[at]));
  }
  return split(x, sizes, at);
}

Result<Tensors> runTranspose(const OnnxCall &call) {
  return single(transpose(*input(call, 0), get<Shape>(call, "perm", {})));
}

Result<Tensors> runSoftmax(const OnnxCall &call) {
  if (call.opset < 13) {
    return single(softmaxFlattened(*input(call, 0), getInt(call, "axis", 1)));
  }
  return single(softmax(*input(call, 0), getInt(call, "axis", -1)));
}

Result<Tensors> runDropout(const OnnxCall &call) {
  const Tensor *mode = input(call, 2);
  if ((mode && !mode->values.empty() && mode->values[0] != 0) ||
      (call.opset < 7 && getInt(call, "is_test", 0) == 0)) {
    return unsupported(call, "training mode; only inference is supported");
  }
  Tensors all;
  all.push_back(*input(call, 0));
  if (call.outputs > 1) {
    bool typed = call.opset < 10;
    all.emplace_back(typed ? all[0].type : DataType::Bool, all[0].shape, 1.0);
  }
  return all;
}

Result<Tensors> runConstant(const OnnxCall &call) {
  const auto &all = call.attributes;
  if (auto it = all.find("value"); it != all.end()) {
    if (const Tensor *tensor = std::get_if<Tensor>(&it->second)) {
      return Tensors{*tensor};
    }
  }
  auto list = [&](const std::vector<double> &values, DataType type,
                  bool scalar) {
    Tensor t(type, scalar ? Shape{} : Shape{int64_t(values.size())});
    t.values = values;
    roundTo(t);
    return Tensors{t};
  };
  if (all.contains("value_float")) {
    return list({get<double>(call, "value_float", 0)}, DataType::F32, true);
  }
  if (all.contains("value_floats")) {
    return list(get<std::vector<double>>(call, "value_floats", {}),
                DataType::F32, false);
  }
  if (all.contains("value_int")) {
    return list({double(getInt(call, "value_int", 0))}, DataType::I64, true);
  }
  if (all.contains("value_ints")) {
    Shape values = get<Shape>(call, "value_ints", {});
    return list({values.begin(), values.end()}, DataType::I64, false);
  }
  return unsupported(call, "only tensor, float and integer values");
}

Result<Tensors> runConstantOfShape(const OnnxCall &call) {
  KILN_ASSIGN_OR_RETURN(Shape shape, integers(call, *input(call, 0)));
  Tensor value = get<Tensor>(call, "value", Tensor(DataType::F32, {1}));
  if (value.count() != 1 ||
      std::any_of(shape.begin(), shape.end(), [](auto d) { return d < 0; })) {
    return invalid(call, "value must have one element, found " +
                             std::to_string(value.count()) + "; shape " +
                             toString(shape));
  }
  return Tensors{Tensor(value.type, shape, value.values[0])};
}

struct Entry {
  const char *op;
  size_t requiredInputs;
  Handler handler;
};

constexpr Entry kEntries[] = {
    {"Add", 2, runBinary},
    {"AveragePool", 1, runAveragePool},
    {"BatchNormalization", 5, runBatchNorm},
    {"Concat", 1, runConcat},
    {"Constant", 0, runConstant},
    {"ConstantOfShape", 1, runConstantOfShape},
    {"Conv", 2, runConv},
    {"Dropout", 1, runDropout},
    {"Flatten", 1, runFlatten},
    {"Gemm", 2, runGemm},
    {"GlobalAveragePool", 1, runGlobalAveragePool},
    {"Identity", 1, runUnary},
    {"MatMul", 2, runMatMul},
    {"MaxPool", 1, runMaxPool},
    {"Mul", 2, runBinary},
    {"Relu", 1, runUnary},
    {"Reshape", 1, runReshape},
    {"Sigmoid", 1, runUnary},
    {"Softmax", 1, runSoftmax},
    {"Split", 1, runSplit},
    {"Sub", 2, runBinary},
    {"Sum", 1, runSum},
    {"Tanh", 1, runUnary},
    {"Transpose", 1, runTranspose},
};

} // namespace

Result<std::vector<Tensor>> runReference(const OnnxCall &call) {
  for (const Entry &entry : kEntries) {
    if (call.op != entry.op) {
      continue;
    }
    bool variadic = call.op == "Sum" || call.op == "Concat";
    size_t required = variadic ? call.inputs.size() : entry.requiredInputs;
    for (size_t i = 0; i < std::max(required, entry.requiredInputs); ++i) {
      if (!input(call, i)) {
        return invalid(call, "input " + std::to_string(i) + " is missing");
      }
    }
    Result<Tensors> result = entry.handler(call);
    return result ? std::move(result) : result.status().withContext(call.op);
  }
  return unsupported(call, "no reference for this operator");
}

std::vector<std::string> referenceOperators() {
  std::vector<std::string> names;
  for (const Entry &entry : kEntries) {
    names.emplace_back(entry.op);
  }
  return names;
}

} // namespace kiln::ops
