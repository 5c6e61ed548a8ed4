// SPDX-License-Identifier: Apache-2.0
//
// Compiles a kernel of npu commands and runs it on the functional engine.
//
//   KernelRunner runner("tests/unit/compiler/npu/kernels/vadd.mlir");
//   ASSERT_TRUE(runner.compile(NpuSync::kFlags)) << runner.error();
//   KernelRun run = runner.run({x, y, z}, Order::kLazy);   // z is overwritten
#pragma once

#include "compiler/pipeline/npu_pipeline.h"
#include "simulator/core/engine.h"

#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/MLIRContext.h"
#include "mlir/IR/OwningOpRef.h"

#include <memory>
#include <string>
#include <vector>

namespace kiln::test {

using Bytes = std::vector<uint8_t>;

template <typename T> Bytes bytesOf(const std::vector<T> &values) {
  const auto *data = reinterpret_cast<const uint8_t *>(values.data());
  return Bytes(data, data + values.size() * sizeof(T));
}
template <typename T> std::vector<T> valuesOf(const Bytes &bytes) {
  const auto *data = reinterpret_cast<const T *>(bytes.data());
  return std::vector<T>(data, data + bytes.size() / sizeof(T));
}

struct KernelRun {
  Status status;
  std::vector<Bytes> bindings; // as the kernel left them
  sim::LaunchReport report;
};

class KernelRunner {
public:
  /// `source`: a file below the repository root, or MLIR text.
  explicit KernelRunner(const std::string &source);

  mlir::func::FuncOp kernel();
  Status compile(pipeline::NpuSync sync);
  const pipeline::NpuProgram &program() const { return program_; }
  /// Uses another program in place of the compiled one.
  void setProgram(pipeline::NpuProgram program) {
    program_ = std::move(program);
  }
  const isa::ArchSpec &arch() const { return *arch_; }

  /// Runs with all checks on.
  KernelRun run(const std::vector<Bytes> &bindings, sim::Order order,
                uint64_t seed = 1, uint32_t blocks = 1,
                const std::vector<int64_t> &constants = {});

private:
  mlir::MLIRContext context_;
  mlir::OwningOpRef<mlir::ModuleOp> module_;
  std::unique_ptr<isa::ArchSpec> arch_;
  pipeline::NpuProgram program_;
};

/// The dialects a kernel file may use.
void loadKernelDialects(mlir::MLIRContext &context);

} // namespace kiln::test
