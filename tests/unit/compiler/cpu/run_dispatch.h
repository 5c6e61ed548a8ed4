// SPDX-License-Identifier: Apache-2.0
//
// Compiles one dispatch from text for this CPU and runs it on host tensors.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace kiln::test {

struct Tensor {
  std::vector<int64_t> shape;
  std::vector<float> f32;

  static Tensor zeros(std::vector<int64_t> shape);
  /// Uniform in [-1, 1), a function of the seed alone.
  static Tensor random(std::vector<int64_t> shape, uint32_t seed);
};

/// Inputs, then outputs. Returns the error text, "" on success.
/// `seconds` (optional): best time of `repeats` calls.
std::string runCpu(const std::string &mlirText, std::vector<Tensor *> tensors,
                   int repeats = 1, double *seconds = nullptr,
                   const std::string &cpu = "native");

} // namespace kiln::test
