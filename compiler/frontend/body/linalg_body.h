// SPDX-License-Identifier: Apache-2.0
//
// The linalg body of an operator: MLIR text of one function on tensors, checked
// and made static for given types.
//
//   LinalgBodyReader reader;
//   std::vector<BodyFinding> findings;
//   std::optional<std::string> body = reader.read(
//       {"func.func @f(%x: tensor<?xf16>) -> tensor<?xf16> {...}", "op.cpp",
//       12},
//       {{{"x", {ElementType::kF16, {64}}}}, {{"y", {...}}}}, findings);
//
// What a body may be: one func.func with the operator's inputs as arguments and
// its outputs as results. Dimensions are numbers or `?`; after the sizes of the
// inputs are put in, every size must be known. Operations: linalg on tensors
// with one result each, arith and math (on scalars or tensors), and of tensor
// those in kTensorOps of linalg_body.cpp. Element types: f16, bf16, f32, i8,
// i16, i32; inside regions also i1, i64 and index.
//
// What comes back is the text of a module with one function `body` in the form
// that form-dispatches expects: named elementwise operations and reductions are
// generics, nothing dynamic is left, every result is computed by an operation
// of its own.
//
// Errors: findings, each at a line of the author's file; never an assert. Text
// is limited to 1 MiB and 200 levels of brackets, since the parser recurses.
// Threads: a reader serves one thread at a time.
#pragma once

#include "compiler/frontend/kernel_library.h"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace kiln {

struct BodyText {
  std::string text;
  std::string file;  // stands in findings
  uint32_t line = 1; // of the text's first line
};

struct BodyTensor {
  std::string name;
  KernelTensor type;
};
struct BodySignature {
  std::vector<BodyTensor> inputs, outputs;
};

/// The body of one operator as a model: `body` is what read() gave.
struct BodyModel {
  std::string name;
  std::string body;
  BodySignature signature;
};

enum class BodyFault {
  kText,      // does not parse or does not verify
  kSignature, // other inputs or outputs than the operator
  kOperation, // an operation or type that bodies cannot have
  kMemory,    // a memref, or an operation with side effects
  kSize,      // a size that the sizes of the inputs do not give
};

struct BodyFinding {
  BodyFault fault;
  std::string file;
  uint32_t line = 0;
  std::string text;
};

class LinalgBodyReader {
public:
  LinalgBodyReader();
  ~LinalgBodyReader();
  LinalgBodyReader(LinalgBodyReader &&) noexcept;
  LinalgBodyReader &operator=(LinalgBodyReader &&) noexcept;

  /// Nothing, with at least one finding, where the body cannot be used.
  std::optional<std::string> read(const BodyText &body,
                                  const BodySignature &signature,
                                  std::vector<BodyFinding> &findings);

private:
  struct State;
  std::unique_ptr<State> state_;
};

} // namespace kiln
