// SPDX-License-Identifier: Apache-2.0
#include "tests/unit/compiler/support/onnx_test_data.h"

#include "compiler/constants/byte_ops.h"
#include "compiler/frontend/onnx/model_file.h"
#include "compiler/frontend/onnx/tensor_data.h"

#include <cmath>
#include <limits>

namespace kiln::test {

Result<Constant> readTensorFile(const std::filesystem::path &path) {
  Result<std::vector<uint8_t>> bytes = frontend::readFile(path);
  if (!bytes) {
    return bytes.status();
  }
  onnx::TensorProto tensor;
  if (!tensor.ParseFromArray(bytes->data(), static_cast<int>(bytes->size()))) {
    return Status(StatusCode::kCorrupt, path.string() + " is no tensor");
  }
  return frontend::readTensor(tensor);
}

double worstError(const Constant &actual, const Constant &expected, double rtol,
                  double atol) {
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  if (actual.shape != expected.shape || actual.type != expected.type) {
    return kInfinity;
  }
  double worst = 0;
  for (int64_t i = 0, n = expected.elementCount(); i < n; ++i) {
    double a = loadElement(actual, i), b = loadElement(expected, i);
    if (a == b || (std::isnan(a) && std::isnan(b))) {
      continue;
    }
    double error = std::abs(a - b) / (atol + rtol * std::abs(b));
    worst = std::isnan(error) ? kInfinity : std::max(worst, error);
  }
  return worst;
}

} // namespace kiln::test
