// SPDX-License-Identifier: Apache-2.0
#include "tests/unit/compiler/npu/library_kernels.h"

#include "compiler/pipeline/npu_target.h"
#include "compiler/pipeline/register.h"
#include "compiler/dialect/npu/NpuOps.h"
#include "compiler/transforms/npu/insert_sync.h"

#include "mlir/Parser/Parser.h"

#include <algorithm>
#include <filesystem>

namespace kiln::test {

namespace {
constexpr char kFolder[] = "tests/unit/compiler/npu/library";
}

std::vector<std::string> libraryOperators() {
  std::vector<std::string> names;
  for (const auto &entry : std::filesystem::directory_iterator(kFolder)) {
    names.push_back(entry.path().stem().string());
  }
  std::sort(names.begin(), names.end());
  return names;
}

LibraryOperator::LibraryOperator()
    : context_(mlir::MLIRContext::Threading::DISABLED) {
  mlir::DialectRegistry registry;
  registerKilnDialects(registry);
  context_.appendDialectRegistry(registry);
  context_.loadAllAvailableDialects();
}

Result<std::unique_ptr<LibraryOperator>>
LibraryOperator::load(const std::string &name) {
  std::unique_ptr<LibraryOperator> op(new LibraryOperator());
  KILN_ASSIGN_OR_RETURN(op->arch_, isa::loadArchSpec("k1"));
  KILN_RETURN_IF_ERROR(op->lower(std::string(kFolder) + "/" + name + ".mlir"));
  return op;
}

Status LibraryOperator::lower(const std::string &path) {
  auto module = mlir::parseSourceFile<mlir::ModuleOp>(path, &context_);
  if (!module) {
    return {StatusCode::kInvalidArgument, path + " does not parse"};
  }
  auto target = pipeline::makeNpuTarget({arch_, 1, {}});
  KILN_RETURN_IF_ERROR(target->prepare(*module, {}));
  auto untilCommands = [&](const char *stage, mlir::ModuleOp kernels) {
    if (std::string(stage) != "npu") {
      return true;
    }
    kernels_ = kernels.clone();
    return false;
  };
  return target->emit(*module, untilCommands).status();
}

std::vector<mlir::func::FuncOp> LibraryOperator::kernels() {
  auto all = kernels_->getOps<mlir::func::FuncOp>();
  return {all.begin(), all.end()};
}

mlir::OwningOpRef<mlir::ModuleOp>
LibraryOperator::synced(mlir::func::FuncOp kernel) {
  mlir::OwningOpRef<mlir::ModuleOp> module =
      mlir::ModuleOp::create(kernel.getLoc());
  module->push_back(kernel.clone());
  auto copy = *module->getOps<mlir::func::FuncOp>().begin();
  if (mlir::failed(npu::planLocalMemory(copy, npu::capacitiesOf(arch_))) ||
      mlir::failed(npu::insertSync(copy))) {
    return {};
  }
  return module;
}

Result<pipeline::NpuProgram>
LibraryOperator::compile(mlir::func::FuncOp kernel,
                         std::optional<int64_t> deleted) {
  pipeline::NpuLoweringOptions options;
  options.capacities = npu::capacitiesOf(arch_);
  options.sync = pipeline::NpuSync::kFlags;
  options.afterStage = [&](const char *stage, mlir::ModuleOp module) {
    if (!deleted || std::string(stage) != "planned") {
      return;
    }
    std::vector<mlir::Operation *> flags;
    module.walk([&](mlir::Operation *op) {
      auto pair = op->getAttrOfType<mlir::IntegerAttr>(npu::kSyncAttr);
      if (pair && pair.getInt() == *deleted) {
        flags.push_back(op);
      }
    });
    for (mlir::Operation *op : flags) {
      op->erase();
    }
  };
  mlir::func::FuncOp open = kernel;
  open.setPublic();
  return pipeline::compileNpuKernel(open, options);
}

std::vector<uint64_t> LibraryOperator::bindingBytes(mlir::func::FuncOp kernel) {
  std::vector<uint64_t> bytes;
  for (mlir::Type type : kernel.getArgumentTypes()) {
    auto shaped = mlir::cast<mlir::ShapedType>(type);
    bytes.push_back(static_cast<uint64_t>(shaped.getNumElements()) *
                    shaped.getElementTypeBitWidth() / 8);
  }
  return bytes;
}

npu::PairSet LibraryOperator::pairsOf(mlir::func::FuncOp kernel) {
  npu::PairSet pairs;
  kernel.walk([&](mlir::Operation *op) {
    if (auto pair = op->getAttrOfType<mlir::IntegerAttr>(npu::kSyncAttr)) {
      pairs.insert(pair.getInt());
    }
  });
  return pairs;
}

} // namespace kiln::test
