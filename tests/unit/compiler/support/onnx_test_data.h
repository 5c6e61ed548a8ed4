// SPDX-License-Identifier: Apache-2.0
//
// Test data of ONNX models: serialized TensorProto files.
#pragma once

#include "compiler/constants/constant_store.h"
#include "isa/support/status.h"

#include <filesystem>

namespace kiln::test {

/// input_0.pb, output_0.pb, ...
Result<Constant> readTensorFile(const std::filesystem::path &path);

/// The largest |a - b| / (atol + rtol * |b|): at most 1 when all elements are
/// close. Infinite when shapes differ or an element is not a number.
double worstError(const Constant &actual, const Constant &expected, double rtol,
                  double atol);

} // namespace kiln::test
