// SPDX-License-Identifier: Apache-2.0
//
// The library's kernels for tests: an operator of library/NAME.mlir as the NPU
// target compiles it for one core of k1, kernel by kernel.
//
//   auto op = LibraryOperator::load("softmax");
//   for (mlir::func::FuncOp kernel : (*op)->kernels()) {
//     Result<pipeline::NpuProgram> program = (*op)->compile(kernel);
//   }
#pragma once

#include "compiler/pipeline/npu_pipeline.h"
#include "compiler/transforms/npu/verify_sync.h"
#include "isa/arch/arch_spec.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/MLIRContext.h"
#include "mlir/IR/OwningOpRef.h"

#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace kiln::test {

/// Names of all operators there are files of.
std::vector<std::string> libraryOperators();

class LibraryOperator {
public:
  static Result<std::unique_ptr<LibraryOperator>> load(const std::string &name);

  /// Its kernels as commands, without addresses and flags.
  std::vector<mlir::func::FuncOp> kernels();
  /// A copy of a kernel with addresses and flags.
  mlir::OwningOpRef<mlir::ModuleOp> synced(mlir::func::FuncOp kernel);
  /// The binary; without one pair of flags where `deleted` says so.
  Result<pipeline::NpuProgram>
  compile(mlir::func::FuncOp kernel,
          std::optional<int64_t> deleted = std::nullopt);

  const isa::ArchSpec &arch() const { return arch_; }

  /// Bytes of the kernel's bindings, the result last.
  static std::vector<uint64_t> bindingBytes(mlir::func::FuncOp kernel);
  /// The pairs of flags of a synced kernel.
  static npu::PairSet pairsOf(mlir::func::FuncOp kernel);

private:
  LibraryOperator();
  Status lower(const std::string &path);

  mlir::MLIRContext context_;
  isa::ArchSpec arch_;
  mlir::OwningOpRef<mlir::ModuleOp> kernels_;
};

} // namespace kiln::test
