// SPDX-License-Identifier: Apache-2.0
#include "tools/kiln/per_layer.h"

#include "tools/io/onnx_node.h"

#include <cstring>

#include <fmt/format.h>

namespace kiln::tools {
namespace {

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

Result<ValueMap> referenceValues(const std::filesystem::path &file,
                                 const NamedTensors &inputs) {
  KILN_ASSIGN_OR_RETURN(ReferenceModel reference, ReferenceModel::load(file));
  ValueMap values;
  for (const HostTensor &tensor : inputs) {
    KILN_ASSIGN_OR_RETURN(values[tensor.name], toReference(tensor));
  }
  return reference.run(std::move(values));
}

std::string nodeOf(const hal::LayerDump &dump) {
  if (dump.source) {
    return fmt::format("{} '{}'", dump.source->opType, dump.source->node);
  }
  return dump.dispatch ? dump.dispatch->name : "?";
}

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
  KILN_ASSIGN_OR_RETURN(ValueMap values, referenceValues(modelFile, inputs));
  std::string text;
  size_t compared = 0;
  hal::RunOptions options;
  options.dump = [&](const hal::LayerDump &dump) {
    for (const hal::LayerDump::Output &output : dump.outputs) {
      auto want = output.value ? values.find(output.value->name) : values.end();
      if (want == values.end()) {
        continue;
      }
      KILN_ASSIGN_OR_RETURN(HostTensor got,
                            toDense(*output.value, output.bytes));
      HostTensor expected = fromReference(want->second, got.name);
      KILN_ASSIGN_OR_RETURN(Comparison c,
                            compare(got, expected, bound.tolerance(got.type)));
      ++compared;
      std::string measures = c.describe(expected.shape);
      text +=
          fmt::format("  {:3} {:32} {}\n", dump.index, nodeOf(dump), measures);
      if (!bound.passes(c)) {
        return Status(StatusCode::kMismatch,
                      fmt::format("first difference in '{}', written by "
                                  "dispatch {}, {}: {}",
                                  got.name, dump.index, nodeOf(dump),
                                  measures));
      }
    }
    return Status::ok();
  };
  Result<NamedTensors> outputs = model.run(inputs, options);
  if (!outputs) {
    return outputs.status();
  }
  return text + fmt::format("  {} values equal the reference\n", compared);
}

} // namespace kiln::tools
