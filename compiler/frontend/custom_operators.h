// SPDX-License-Identifier: Apache-2.0
//
// CustomOperators: operators that a user brings with a model. The importer asks
// it for every node of a domain that is not ONNX's own; what it builds is a
// finished program, which the compiler dispatches and never looks into.
//
//   class MyOperators : public CustomOperators { ... };
//   CompileOptions options;
//   options.customOperators = std::make_shared<MyOperators>();
//
// Contract: build() is called once per node, in graph order, with static
// shapes; bindings of the program are the inputs, then the outputs, row-major.
#pragma once

#include "compiler/constants/element_type.h"
#include "isa/support/status.h"

#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

namespace kiln {

struct CustomTensor {
  ElementType type = ElementType::kF32;
  std::vector<int64_t> shape;
};

/// A node of the model.
struct CustomCall {
  std::string domain, op;
  std::vector<CustomTensor> inputs;
  std::map<std::string, int64_t> attributes; // integer attributes
  std::string machine;                       // name or file
  unsigned cores = 1;
};

/// Its program, an NPU ELF.
struct CustomKernel {
  std::vector<CustomTensor> outputs;
  std::vector<uint8_t> elf;
  std::string entry;
  std::vector<std::pair<std::string, uint64_t>> needs; // bytes by memory
  uint32_t blocks = 1;
};

class CustomOperators {
public:
  virtual ~CustomOperators() = default;
  /// Called before the first question.
  virtual Status load() = 0;
  virtual bool has(const std::string &domain, const std::string &op) const = 0;
  /// Errors: kInvalidArgument or kUnsupported with what does not fit.
  virtual Result<CustomKernel> build(const CustomCall &call) = 0;
};

} // namespace kiln
