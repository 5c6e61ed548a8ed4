// SPDX-License-Identifier: Apache-2.0
#include "tools/kiln/per_layer.h"

#include "tools/io/onnx_node.h"

#include <cstring>

#include <fmt/format.h>

namespace kiln::tools {
namespace {

/// A layer on its own, relative L2: the bounds for nets with random weights.
constexpr double kLayerL2F32 = 1e-5;
constexpr double kLayerL2F16 = 3e-3;

/// Offset, in elements, of a logical position in a stored value.
int64_t storedOffset(const hal::ValueModel &value,
                     const std::vector<int64_t> &at) {
  const std::vector<int64_t> &stored = value.storedShape();
  if (value.layout == hal::Layout::kNC1HWC0) { // [C1,N,H,W,C0]
    int64_t c0 = stored[4], n = at[0], c = at[1], h = at[2], w = at[3];
    int64_t block = ((c / c0 * stored[1] + n) * stored[2] + h) * stored[3] + w;
    return block * c0 + c % c0;
  }
  if (value.layout == hal::Layout::kNHWC) {
    return ((at[0] * stored[1] + at[2]) * stored[2] + at[3]) * stored[3] +
           at[1];
  }
  // NZ [N1,M,C0]: columns in blocks of C0, all leading dimensions in M.
  int64_t c0 = stored[2], column = at.back(), row = 0;
  for (size_t d = 0; d + 1 < at.size(); ++d) {
    row = row * value.shape[d] + at[d];
  }
  return (column / c0 * stored[1] + row) * c0 + column % c0;
}

/// The reference's value in the type and shape of `got`: with --precision a
/// device stores another type than the model's.
HostTensor expectedAs(ops::Tensor want, const HostTensor &got) {
  if (ops::elementCount(want.shape) == ops::elementCount(got.shape)) {
    want.shape = got.shape;
  }
  want.type = got.type;
  ops::roundTo(want);
  return fromReference(want, got.name);
}

/// What the device wrote, by name of the value.
struct Written {
  HostTensor tensor;
  size_t dispatch = 0;
};
using WrittenMap = std::map<std::string, Written>;

Result<WrittenMap> runAndKeep(LoadedModel &model, const NamedTensors &inputs) {
  WrittenMap written;
  hal::RunOptions options;
  options.dump = [&](const hal::LayerDump &dump) {
    for (const hal::LayerDump::Output &output : dump.outputs) {
      if (output.value) {
        KILN_ASSIGN_OR_RETURN(HostTensor got,
                              toDense(*output.value, output.bytes));
        std::string name = got.name;
        written.insert_or_assign(name, Written{std::move(got), dump.index});
      }
    }
    return Status::ok();
  };
  Result<NamedTensors> outputs = model.run(inputs, options);
  return outputs ? Result<WrittenMap>(std::move(written)) : outputs.status();
}

/// Compares node by node; the reference goes on from the device's values.
class Judge {
public:
  Judge(const WrittenMap &written, const Bound &bound)
      : written_(written), bound_(bound) {
    if (!bound_.relative && !bound_.absolute && !bound_.relativeL2) {
      default_ = true;
    }
  }

  Status operator()(const std::string &node,
                    const std::vector<std::string> &outputs, ValueMap &values) {
    for (const std::string &name : outputs) {
      auto found = written_.find(name);
      if (found != written_.end()) {
        KILN_RETURN_IF_ERROR(judge(node, found->second, values[name]));
      }
    }
    return Status::ok();
  }

  std::string text() const {
    return text_ + fmt::format("  {} values right on their own\n", compared_);
  }

private:
  Status judge(const std::string &node, const Written &written,
               ops::Tensor &value) {
    const HostTensor &got = written.tensor;
    HostTensor expected = expectedAs(value, got);
    Bound bound = bound_;
    if (default_ && ops::isFloat(got.type)) {
      bound.relativeL2 =
          got.type == ops::DataType::F32 ? kLayerL2F32 : kLayerL2F16;
    }
    KILN_ASSIGN_OR_RETURN(Comparison c,
                          compare(got, expected, bound.tolerance(got.type)));
    ++compared_;
    std::string measures = c.describe(expected.shape);
    text_ += fmt::format("  {:3} {:32} {}\n", written.dispatch, node, measures);
    if (!bound.passes(c)) {
      return {StatusCode::kMismatch,
              fmt::format("first difference in '{}', the result of {}, written "
                          "by dispatch {}: {}",
                          got.name, node, written.dispatch, measures)};
    }
    KILN_ASSIGN_OR_RETURN(ops::Tensor device, toReference(got));
    device.type = value.type;
    device.shape = value.shape;
    value = std::move(device);
    return Status::ok();
  }

  const WrittenMap &written_;
  const Bound &bound_;
  bool default_ = false;
  size_t compared_ = 0;
  std::string text_;
};

} // namespace

Result<HostTensor> toDense(const hal::ValueModel &value,
                           std::span<const std::byte> bytes) {
  KILN_ASSIGN_OR_RETURN(ops::DataType type, fromHal(value.type));
  HostTensor dense{value.name, type, value.shape, {}};
  size_t size = ops::sizeOf(type);
  dense.bytes.resize(ops::elementCount(value.shape) * size);
  if (value.layout == hal::Layout::kDense) {
    std::memcpy(dense.bytes.data(), bytes.data(),
                std::min(bytes.size(), dense.bytes.size()));
    return dense;
  }
  bool blocked = value.layout == hal::Layout::kNC1HWC0 &&
                 value.shape.size() == 4 && value.storedShape().size() == 5;
  bool columns =
      value.layout == hal::Layout::kNZ && value.storedShape().size() == 3;
  bool channelsLast = value.layout == hal::Layout::kNHWC &&
                      value.shape.size() == 4 &&
                      value.storedShape().size() == 4;
  if (!blocked && !columns && !channelsLast) {
    return Status(StatusCode::kUnsupported,
                  fmt::format("value '{}' has layout {}", value.name,
                              hal::name(value.layout)));
  }
  std::vector<int64_t> at(value.shape.size(), 0);
  for (size_t i = 0; i < dense.bytes.size(); i += size) {
    size_t from = static_cast<size_t>(storedOffset(value, at)) * size;
    if (from + size > bytes.size()) {
      return Status(StatusCode::kInternal,
                    "value '" + value.name + "' is shorter than its shape");
    }
    std::memcpy(&dense.bytes[i], &bytes[from], size);
    ops::nextIndex(at, value.shape);
  }
  return dense;
}

Result<std::string> compareLayers(LoadedModel &model,
                                  const std::filesystem::path &modelFile,
                                  const NamedTensors &inputs,
                                  const Bound &bound) {
  KILN_ASSIGN_OR_RETURN(ReferenceModel reference,
                        ReferenceModel::load(modelFile));
  ValueMap values;
  for (const HostTensor &tensor : inputs) {
    KILN_ASSIGN_OR_RETURN(values[tensor.name], toReference(tensor));
  }
  KILN_ASSIGN_OR_RETURN(WrittenMap written, runAndKeep(model, inputs));
  Judge judge(written, bound);
  Result<ValueMap> end = reference.run(
      std::move(values), [&](const auto &node, const auto &outputs,
                             ValueMap &v) { return judge(node, outputs, v); });
  return end ? Result<std::string>(judge.text()) : end.status();
}

} // namespace kiln::tools
