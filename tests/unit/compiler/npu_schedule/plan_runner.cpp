// SPDX-License-Identifier: Apache-2.0
#include "tests/unit/compiler/npu_schedule/plan_runner.h"

#include "compiler/dialect/plan/element_types.h"
#include "compiler/dialect/plan/plan_dialect.h"
#include "compiler/target/const_recipe.h"
#include "tests/unit/compiler/npu/kernel_runner.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"

namespace kiln::test {

namespace {

int64_t bytesOfType(mlir::Type type) {
  auto shaped = mlir::cast<mlir::ShapedType>(type);
  return shaped.getNumElements() * shaped.getElementTypeBitWidth() / 8;
}

class PlanRunner {
public:
  PlanRunner(const target::TargetCode &code, const ConstantStore &constants)
      : code_(code), constants_(constants), runner_("module {}") {}

  Status run(mlir::Operation &op) {
    if (auto constant = llvm::dyn_cast<plan::ConstOp>(op)) {
      const Constant *stored = constants_.find(constant.getSymbol().str());
      if (!stored) {
        return Status(StatusCode::kInternal, "unknown constant");
      }
      KILN_ASSIGN_OR_RETURN(
          Constant value,
          target::evaluateRecipe(*stored, constant.getRecipeAttr()));
      values[constant.getResult()] = value.bytes;
      return Status::ok();
    }
    if (auto slice = llvm::dyn_cast<plan::SliceOp>(op)) {
      const Bytes &source = values[slice.getSource()];
      int64_t bytes = bytesOfType(slice.getResult().getType());
      int64_t count = mlir::cast<mlir::ShapedType>(slice.getResult().getType())
                          .getNumElements();
      auto begin = source.begin() + slice.getOffset() * (bytes / count);
      values[slice.getResult()] = Bytes(begin, begin + bytes);
      return Status::ok();
    }
    if (auto dispatch = llvm::dyn_cast<plan::DispatchOp>(op)) {
      return launch(dispatch);
    }
    if (auto copy = llvm::dyn_cast<plan::CopyOp>(op)) {
      values[copy.getResult()] = values[copy.getSource()];
      return Status::ok();
    }
    return Status(StatusCode::kInternal, "unknown plan operation");
  }

  llvm::DenseMap<mlir::Value, Bytes> values;

private:
  Status launch(plan::DispatchOp op) {
    const target::DispatchCode &d = code_.dispatches.at(op.getCallee().str());
    const hal::ProgramModel &program = code_.programs[d.program];
    pipeline::NpuProgram loaded;
    loaded.kernel = program.entries[d.entry];
    std::span<const uint8_t> elf = program.bytes.view();
    loaded.elf.assign(elf.begin(), elf.end());
    runner_.setProgram(std::move(loaded));
    std::vector<Bytes> bindings;
    for (mlir::Value v : op.getOperands()) {
      bindings.push_back(values[v]);
    }
    bindings.push_back(Bytes(bytesOfType(op.getResult(0).getType())));
    KernelRun run = runner_.run(bindings, sim::Order::kLazy, 1, d.blockDim);
    KILN_RETURN_IF_ERROR(run.status.withContext(op.getCallee().str()));
    for (const sim::Finding &finding : run.report.findings) {
      return Status(StatusCode::kDeviceFault,
                    op.getCallee().str() + ": " + finding.text);
    }
    values[op.getResult(0)] = run.bindings.back();
    return Status::ok();
  }

  const target::TargetCode &code_;
  const ConstantStore &constants_;
  KernelRunner runner_;
};

} // namespace

Result<std::vector<Constant>> runOnNpu(mlir::ModuleOp module,
                                       const ConstantStore &constants,
                                       const std::vector<Constant> &inputs,
                                       const NpuRunOptions &options) {
  pipeline::NpuTargetOptions npu;
  KILN_ASSIGN_OR_RETURN(npu.arch, isa::loadArchSpec(options.machine));
  npu.cores = options.cores;
  npu.sync = options.sync;
  std::unique_ptr<target::Target> target = pipeline::makeNpuTarget(npu);
  KILN_RETURN_IF_ERROR(target->prepare(module, {}));
  KILN_ASSIGN_OR_RETURN(target::TargetCode code, target->emit(module, {}));
  auto main = *module.getOps<plan::FuncOp>().begin();
  PlanRunner runner(code, constants);
  mlir::Block &block = main.getBody().front();
  for (auto [arg, input] : llvm::zip_equal(block.getArguments(), inputs)) {
    runner.values[arg] = input.bytes;
  }
  for (mlir::Operation &op : block.without_terminator()) {
    KILN_RETURN_IF_ERROR(runner.run(op));
  }
  std::vector<Constant> outputs;
  for (mlir::Value v : block.getTerminator()->getOperands()) {
    auto type = mlir::cast<mlir::RankedTensorType>(v.getType());
    Constant out;
    out.type =
        type.getElementType().isF16() ? ElementType::kF16 : ElementType::kF32;
    out.shape.assign(type.getShape().begin(), type.getShape().end());
    out.bytes = runner.values[v];
    outputs.push_back(std::move(out));
  }
  return outputs;
}

} // namespace kiln::test
