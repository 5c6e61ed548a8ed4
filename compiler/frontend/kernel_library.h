// SPDX-License-Identifier: Apache-2.0
//
// KernelLibrary: operators that somebody wrote. The importer asks it first for
// every node, of ONNX's own domain too. What it builds for a node is one of two
// things: a finished program, which the compiler dispatches and never looks
// into, or a body of linalg, which goes the way of every other operation. Nodes
// that it does not have do so anyway.
//
//   class MyKernels : public KernelLibrary { ... };
//   CompileOptions options;
//   options.kernelLibrary = std::make_shared<MyKernels>();
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

struct KernelTensor {
  ElementType type = ElementType::kF32;
  std::vector<int64_t> shape;
};

/// A node of the model.
struct KernelCall {
  std::string domain; // "" is ONNX's own
  std::string op;
  std::vector<KernelTensor> inputs;
  std::map<std::string, int64_t> attributes; // integer attributes
  std::string target;                        // "npu" or "cpu"
  std::string machine;                       // name or file
  unsigned cores = 1;
};

/// Its body, or its program, an NPU ELF.
struct LibraryKernel {
  std::vector<KernelTensor> outputs;
  /// MLIR text from LinalgBodyReader (frontend/body); empty: the rest counts.
  std::string body;
  std::vector<uint8_t> elf;
  std::string entry;
  std::vector<std::pair<std::string, uint64_t>> needs; // bytes by memory
  uint32_t blocks = 1;
};

class KernelLibrary {
public:
  virtual ~KernelLibrary() = default;
  /// Called before the first question.
  virtual Status load() = 0;
  virtual bool has(const std::string &domain, const std::string &op) const = 0;
  /// What it has, as "domain.op", for messages.
  virtual std::vector<std::string> names() const { return {}; }
  /// A program only where call.target is "npu". Errors: kInvalidArgument or
  /// kUnsupported with what does not fit.
  virtual Result<LibraryKernel> build(const KernelCall &call) = 0;
};

} // namespace kiln
