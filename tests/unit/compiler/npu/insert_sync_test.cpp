// SPDX-License-Identifier: Apache-2.0
//
// Every pair of flags that npu-insert-sync leaves in a kernel is needed:
// without it the verifier refuses the kernel, and the engine reports a race, a
// fault or other bits in at least one order.
#include "tests/unit/compiler/npu/kernel_runner.h"

#include "compiler/dialect/npu/NpuOps.h"
#include "compiler/transforms/npu/insert_sync.h"
#include "compiler/transforms/npu/verify_sync.h"

#include "mlir/IR/Diagnostics.h"
#include <gtest/gtest.h>

#include <set>

namespace kiln::test {
namespace {

using pipeline::NpuSync;
using sim::Order;

struct Kernel {
  const char *file;
  std::vector<size_t> bindingBytes;
  /// Pairs of the kernel: a golden number. More is a regression.
  size_t pairs;
};

class FlagDeletion : public testing::TestWithParam<Kernel> {
protected:
  void SetUp() override {
    const std::string path =
        std::string("tests/unit/compiler/npu/kernels/") + GetParam().file;
    runner_ = std::make_unique<KernelRunner>(path);
    mlir::func::FuncOp kernel = runner_->kernel();
    ASSERT_TRUE(mlir::succeeded(
        npu::planLocalMemory(kernel, npu::capacitiesOf(runner_->arch()))));
    ASSERT_TRUE(mlir::succeeded(npu::insertSync(kernel)));
    kernel.walk([&](mlir::Operation *op) {
      if (auto number = op->getAttrOfType<mlir::IntegerAttr>(npu::kSyncAttr)) {
        pairs_.insert(number.getInt());
      }
    });
    for (size_t bytes : GetParam().bindingBytes) {
      // Small halves and floats, never NaN: the upper byte is small.
      Bytes data(bytes);
      for (size_t i = 0; i < bytes; ++i) {
        data[i] = i % 2 ? 0x3c : static_cast<uint8_t>(37 * i);
      }
      bindings_.push_back(std::move(data));
    }
  }

  /// The kernel without the flags of one pair.
  mlir::OwningOpRef<mlir::func::FuncOp> without(int64_t pair) {
    mlir::OwningOpRef<mlir::func::FuncOp> copy = runner_->kernel().clone();
    copy->walk([&](mlir::Operation *op) {
      auto number = op->getAttrOfType<mlir::IntegerAttr>(npu::kSyncAttr);
      if (number && number.getInt() == pair) {
        op->erase();
      }
    });
    return copy;
  }

  Bytes compileAndRun(mlir::func::FuncOp kernel, Order order, bool &reported) {
    pipeline::NpuLoweringOptions options;
    options.capacities = npu::capacitiesOf(runner_->arch());
    options.sync = NpuSync::kAsWritten;
    auto program = pipeline::compileNpuKernel(kernel, options);
    EXPECT_TRUE(program) << program.status().message();
    runner_->setProgram(*program);
    KernelRun run = runner_->run(bindings_, order, /*seed=*/7);
    reported = !run.status || !run.report.findings.empty();
    return run.bindings.back();
  }

  std::unique_ptr<KernelRunner> runner_;
  std::set<int64_t> pairs_;
  std::vector<Bytes> bindings_;
};

TEST_P(FlagDeletion, VerifierAcceptsTheWholeKernel) {
  EXPECT_TRUE(mlir::succeeded(npu::verifySync(runner_->kernel())));
  EXPECT_EQ(pairs_.size(), GetParam().pairs);
}

TEST_P(FlagDeletion, VerifierRefusesTheKernelWithoutAnyOnePair) {
  for (int64_t pair : pairs_) {
    auto kernel = without(pair);
    mlir::ScopedDiagnosticHandler quiet(
        kernel.get()->getContext(),
        [](mlir::Diagnostic &) { return mlir::success(); });
    EXPECT_TRUE(mlir::failed(npu::verifySync(*kernel))) << "pair " << pair;
  }
}

TEST_P(FlagDeletion, EngineReportsTheKernelWithoutAnyOnePair) {
  bool reported = false;
  compileAndRun(runner_->kernel(), Order::kRandom, reported);
  EXPECT_FALSE(reported) << "the whole kernel";
  for (int64_t pair : pairs_) {
    auto kernel = without(pair);
    compileAndRun(*kernel, Order::kEager, reported);
    EXPECT_TRUE(reported) << "pair " << pair;
  }
}

INSTANTIATE_TEST_SUITE_P(
    Kernels, FlagDeletion,
    testing::Values(Kernel{"vadd.mlir", {20000, 20000, 20000}, 4},
                    Kernel{"gemm64.mlir", {8192, 8192, 16384}, 4},
                    Kernel{"gemm_tiled.mlir", {40000, 39936, 384, 19200}, 8}),
    [](const auto &info) {
      const std::string file = info.param.file;
      return file.substr(0, file.find('.'));
    });

} // namespace
} // namespace kiln::test
