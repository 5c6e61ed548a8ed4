// SPDX-License-Identifier: Apache-2.0
//
// The flags of the library's kernels: ten operators as the NPU target compiles
// them for k1. No barrier is left, every pair of flags is needed, and their
// number is golden (a change needs its reason in the commit).
#include "compiler/pipeline/npu_target.h"

#include "compiler/dialect/npu/NpuOps.h"
#include "compiler/pipeline/register.h"
#include "compiler/transforms/npu/insert_sync.h"
#include "compiler/transforms/npu/verify_sync.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/MLIRContext.h"
#include "mlir/Parser/Parser.h"
#include <gtest/gtest.h>

#include <map>

namespace kiln::test {
namespace {

/// Pairs of flags by kernel function.
using Golden = std::map<std::string, size_t>;

struct Operator {
  const char *name;
  Golden pairs;
};

class LibrarySync : public testing::TestWithParam<Operator> {
protected:
  void SetUp() override {
    mlir::DialectRegistry registry;
    registerKilnDialects(registry);
    context_.appendDialectRegistry(registry);
    context_.loadAllAvailableDialects();
    const std::string path = std::string("tests/unit/compiler/npu/library/") +
                             GetParam().name + ".mlir";
    auto module = mlir::parseSourceFile<mlir::ModuleOp>(path, &context_);
    ASSERT_TRUE(module);
    Result<isa::ArchSpec> arch = isa::loadArchSpec("k1");
    ASSERT_TRUE(arch) << arch.status().message();
    capacities_ = npu::capacitiesOf(*arch);
    auto target = pipeline::makeNpuTarget({*arch, 1, {}});
    auto goOn = [](const char *, mlir::ModuleOp) { return true; };
    Status prepared = target->prepare(*module, goOn);
    ASSERT_TRUE(prepared) << prepared.message();
    auto untilCommands = [&](const char *stage, mlir::ModuleOp kernels) {
      if (std::string(stage) == "npu") {
        kernels_ = kernels.clone();
        return false;
      }
      return true;
    };
    auto code = target->emit(*module, untilCommands);
    ASSERT_TRUE(code) << code.status().message();
    ASSERT_TRUE(kernels_);
    for (auto kernel : kernels_->getOps<mlir::func::FuncOp>()) {
      ASSERT_TRUE(mlir::succeeded(npu::planLocalMemory(kernel, capacities_)));
      ASSERT_TRUE(mlir::succeeded(npu::insertSync(kernel)));
    }
  }

  static npu::PairSet pairsOf(mlir::func::FuncOp kernel) {
    npu::PairSet pairs;
    kernel.walk([&](mlir::Operation *op) {
      if (auto pair = op->getAttrOfType<mlir::IntegerAttr>(npu::kSyncAttr)) {
        pairs.insert(pair.getInt());
      }
    });
    return pairs;
  }

  mlir::MLIRContext context_;
  npu::Capacities capacities_{};
  mlir::OwningOpRef<mlir::ModuleOp> kernels_;
};

TEST_P(LibrarySync, FlagsAreProvenNeededAndCounted) {
  Golden counted;
  for (auto kernel : kernels_->getOps<mlir::func::FuncOp>()) {
    const std::string name = kernel.getName().str();
    kernel.walk(
        [&](npu::BarrierOp) { ADD_FAILURE() << "barrier in " << name; });
    EXPECT_TRUE(npu::isOrdered(kernel, {})) << name;
    const npu::PairSet pairs = pairsOf(kernel);
    for (int64_t pair : pairs) {
      EXPECT_FALSE(npu::isOrdered(kernel, {pair}))
          << name << " does not need pair " << pair;
    }
    counted[name] = pairs.size();
  }
  EXPECT_EQ(counted, GetParam().pairs);
}

INSTANTIATE_TEST_SUITE_P(
    Operators, LibrarySync,
    testing::Values(
        Operator{"matmul", {{"input_columns", 4}, {"matmul", 4}}},
        Operator{"softmax", {{"softmax", 4}}},
        Operator{"maxpool",
                 {{"input_block", 4}, {"maxpool", 4}, {"maxpool_plain", 2}}},
        Operator{"conv", {{"conv", 6}, {"conv_plain", 4}, {"input_block", 4}}},
        Operator{"relu", {{"relu", 4}}}, Operator{"add", {{"add", 6}}},
        Operator{"globalaveragepool",
                 {{"globalaveragepool", 2}, {"input_block", 2}}},
        Operator{"transpose", {{"transpose", 4}}},
        Operator{"sigmoid", {{"sigmoid", 2}}},
        Operator{"concat", {{"concat", 5}}}),
    [](const auto &info) { return std::string(info.param.name); });

} // namespace
} // namespace kiln::test
