// SPDX-License-Identifier: Apache-2.0
//
// The flags of the examples: no barrier but those the author wrote, every pair
// of flags is needed (its deletion is found), for every declared shape and
// edge, on one core, where most trip counts are constants, and on four, where
// they are not.
#include "compiler/dialect/npu/NpuOps.h"
#include "compiler/pipeline/register.h"
#include "compiler/transforms/npu/insert_sync.h"
#include "compiler/transforms/npu/plan_local_memory.h"
#include "compiler/transforms/npu/verify_sync.h"
#include "tests/unit/tik_dsl/example_files.h"
#include "tik_dsl/loader/operator_file.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/MLIRContext.h"
#include "mlir/Parser/Parser.h"

namespace kiln::tik {
namespace {

unsigned barriersOf(mlir::func::FuncOp kernel) {
  unsigned count = 0;
  kernel.walk([&](npu::BarrierOp) { ++count; });
  return count;
}

class ExampleSync : public testing::TestWithParam<std::string> {
protected:
  ExampleSync() {
    mlir::DialectRegistry registry;
    registerKilnDialects(registry);
    context_.appendDialectRegistry(registry);
    context_.loadAllAvailableDialects();
  }
  /// The kernel's commands with addresses and flags.
  mlir::func::FuncOp build(const Operator &op, const BoundShape &shape,
                           const isa::ArchSpec &arch, uint32_t cores) {
    OperatorCompiler compiler;
    Result<CompiledKernel> kernel = compiler.compile(
        op, shape, {.arch = &arch, .cores = cores, .keepText = true});
    EXPECT_TRUE(kernel) << kernel.status().message();
    module_ = mlir::parseSourceString<mlir::ModuleOp>(kernel->text, &context_);
    auto function = *module_->getOps<mlir::func::FuncOp>().begin();
    EXPECT_TRUE(mlir::succeeded(
        npu::planLocalMemory(function, npu::capacitiesOf(arch))));
    const unsigned written = barriersOf(function);
    EXPECT_TRUE(mlir::succeeded(npu::insertSync(function)));
    EXPECT_EQ(barriersOf(function), written);
    return function;
  }

  mlir::MLIRContext context_;
  mlir::OwningOpRef<mlir::ModuleOp> module_;
};

void expectEveryPairNeeded(mlir::func::FuncOp kernel) {
  EXPECT_TRUE(npu::isOrdered(kernel, {}));
  npu::PairSet pairs;
  kernel.walk([&](mlir::Operation *op) {
    if (auto pair = op->getAttrOfType<mlir::IntegerAttr>(npu::kSyncAttr)) {
      pairs.insert(pair.getInt());
    }
  });
  EXPECT_FALSE(pairs.empty());
  for (int64_t pair : pairs) {
    EXPECT_FALSE(npu::isOrdered(kernel, {pair})) << "pair " << pair;
  }
}

TEST_P(ExampleSync, EveryPairOfFlagsIsNeeded) {
  Result<isa::ArchSpec> k1 = isa::loadArchSpec("k1");
  ASSERT_TRUE(k1);
  auto file = OperatorFile::load(exampleFile(GetParam()), {.includeDir = "."});
  ASSERT_TRUE(file) << file.status().message();
  for (const ShapeCase &settings : file->op().decl().cases) {
    Result<BoundShape> shape = file->op().bind(settings);
    ASSERT_TRUE(shape) << shape.status().message();
    for (uint32_t cores : {1, 4}) {
      SCOPED_TRACE(shape->text + " on " + std::to_string(cores));
      expectEveryPairNeeded(build(file->op(), *shape, *k1, cores));
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Files, ExampleSync, testing::ValuesIn(allExamples()),
                         exampleName);

} // namespace
} // namespace kiln::tik
