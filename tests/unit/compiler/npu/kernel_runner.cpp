// SPDX-License-Identifier: Apache-2.0
#include "tests/unit/compiler/npu/kernel_runner.h"

#include "compiler/dialect/npu/NpuOps.h"
#include "compiler/dialect/npu_isa/NpuIsaOps.h"

#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Parser/Parser.h"

#include <cstring>

namespace kiln::test {

void loadKernelDialects(mlir::MLIRContext &context) {
  context.loadDialect<npu::NPUDialect, npu_isa::NpuIsaDialect,
                      mlir::arith::ArithDialect, mlir::affine::AffineDialect,
                      mlir::func::FuncDialect, mlir::memref::MemRefDialect,
                      mlir::scf::SCFDialect, mlir::LLVM::LLVMDialect>();
}

KernelRunner::KernelRunner(const std::string &source) {
  loadKernelDialects(context_);
  mlir::ParserConfig config(&context_);
  module_ = source.ends_with(".mlir")
                ? mlir::parseSourceFile<mlir::ModuleOp>(source, config)
                : mlir::parseSourceString<mlir::ModuleOp>(source, config);
  Result<isa::ArchSpec> arch = isa::loadArchSpec("k1");
  arch_ = std::make_unique<isa::ArchSpec>(std::move(*arch));
}

mlir::func::FuncOp KernelRunner::kernel() {
  return *module_->getOps<mlir::func::FuncOp>().begin();
}

Status KernelRunner::compile(pipeline::NpuSync sync) {
  if (!module_) {
    return Status(StatusCode::kInvalidArgument, "the kernel does not parse");
  }
  pipeline::NpuLoweringOptions options;
  options.capacities = npu::capacitiesOf(*arch_);
  options.sync = sync;
  KILN_ASSIGN_OR_RETURN(program_,
                        pipeline::compileNpuKernel(kernel(), options));
  return Status::ok();
}

KernelRun KernelRunner::run(const std::vector<Bytes> &bindings,
                            sim::Order order, uint64_t seed, uint32_t blocks,
                            const std::vector<int64_t> &constants) {
  KernelRun run;
  run.bindings = bindings;
  auto gm = sim::HostGlobalMemory::create(arch_->arch.gmBase, 64 << 20);
  auto program = sim::Program::load(program_.elf, program_.kernel);
  if (!gm || !program) {
    run.status = gm ? program.status() : gm.status();
    return run;
  }
  sim::LaunchRequest request;
  request.program = *program;
  request.blockDim = blocks;
  request.order = order;
  request.seed = seed;
  request.checks = {.race = true, .init = true, .bounds = true, .flags = true};
  request.constants = constants;
  request.budget = 100'000'000;
  for (const Bytes &bytes : bindings) {
    Result<GmAddr> at = (*gm)->allocate(kiln::Bytes(bytes.size()));
    std::memcpy((*gm)->host(*at, bytes.size()), bytes.data(), bytes.size());
    request.bindings.push_back({at->count(), bytes.size(), true});
  }
  auto engine = sim::createFunctionalEngine(*arch_, **gm);
  Result<sim::LaunchReport> report = engine->run(request);
  run.status = report.status();
  if (report) {
    run.report = std::move(*report);
  }
  for (size_t i = 0; i < bindings.size(); ++i) {
    const sim::GmRange &range = request.bindings[i];
    std::memcpy(run.bindings[i].data(),
                (*gm)->host(GmAddr(range.address), range.bytes), range.bytes);
  }
  return run;
}

} // namespace kiln::test
