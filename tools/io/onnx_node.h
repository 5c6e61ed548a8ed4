// SPDX-License-Identifier: Apache-2.0
//
// Runs a small ONNX model with the reference operators, node by node: the
// oracle of the node tests and of `kiln verify --per-layer`.
//
//   Result<ReferenceModel> model = ReferenceModel::load("model.onnx");
//   Result<ValueMap> values = model->run(inputs);   // every value by name
//
// Slow (plain loops in double) and without control flow: kUnsupported names
// the first node that the reference library does not know.
#pragma once

#include "tools/io/host_tensor.h"

#include <functional>
#include <map>
#include <memory>

namespace onnx {
class ModelProto;
}

namespace kiln::tools {

using ValueMap = std::map<std::string, ops::Tensor>;

class ReferenceModel {
public:
  static Result<ReferenceModel> load(const std::filesystem::path &path);

  /// Graph inputs that are no initializers, in order.
  const std::vector<std::string> &inputs() const { return inputs_; }
  const std::vector<std::string> &outputs() const { return outputs_; }

  /// Called with each node and its name once its outputs are in `values`,
  /// which it may replace; an error ends the run and becomes its result.
  using Hook = std::function<Status(const std::string &node,
                                    const std::vector<std::string> &outputs,
                                    ValueMap &values)>;
  Result<ValueMap> run(ValueMap inputs, const Hook &hook = {}) const;

private:
  std::shared_ptr<const onnx::ModelProto> model_;
  ValueMap initializers_;
  std::vector<std::string> inputs_;
  std::vector<std::string> outputs_;
  int64_t opset_ = 1;
};

} // namespace kiln::tools
