// SPDX-License-Identifier: Apache-2.0
#include "tik_dsl/builder/operator.h"

#include "compiler/dialect/npu/NpuOps.h"
#include "compiler/dialect/npu_isa/NpuIsaOps.h"
#include "compiler/pipeline/npu_pipeline.h"
#include "tik_dsl/builder/body.h"
#include "tik_dsl/builder/kernel_builder.h"
#include "tik_dsl/builder/knobs.h"
#include "tik_dsl/builder/session.h"

#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"

using namespace mlir;

namespace kiln::tik {

namespace {

/// The bindings and the sizes that the launch gives.
void addArguments(KernelBuilder &builder, const OperatorDecl &decl,
                  const BoundShape &shape) {
  std::vector<DynamicSize> sizes;
  for (const DynamicDecl &dynamic : decl.dynamics) {
    sizes.push_back({dynamic.symbol, dynamic.least, dynamic.most});
  }
  std::vector<TensorArgument> tensors;
  for (const BoundTensor &tensor : shape.tensors) {
    TensorArgument argument{tensor.name, tensor.type, tensor.dims,
                            tensor.isOutput, tensor.line};
    for (size_t i = 0; i < tensor.symbols.size(); ++i) {
      if (const DynamicDecl *dynamic = decl.dynamic(tensor.symbols[i])) {
        argument.dims[i] = -1 - (dynamic - decl.dynamics.data());
      }
    }
    tensors.push_back(std::move(argument));
  }
  builder.addArguments(tensors, sizes);
}

/// The body at every declared shape, as far as the texts differ.
void checkBodies(const OperatorDecl &decl, MessageList &messages) {
  BodyCompiler bodies;
  for (const ShapeCase &settings : decl.cases) {
    const auto shape = tik::bind(decl, settings, messages);
    if (!shape || !bodies.compile(decl, *shape, messages)) {
      return; // one shape's mistakes are enough
    }
  }
}

} // namespace

//===----------------------------------------------------------------------===//
// Operator
//===----------------------------------------------------------------------===//

Result<Operator> Operator::declare(KilnTikEntry entry, std::string file,
                                   CallWatch *watch) {
  Operator op;
  op.entry_ = entry;
  op.file_ = std::move(file);
  op.watch_ = watch;
  MessageList messages;
  messages.setFile(op.file_);
  Session session(messages);
  session.decl = &op.decl_;
  session.watch = watch;
  KILN_RETURN_IF_ERROR(session.call(entry, KILN_TIK_DECLARE, op.file_));
  if (!messages.empty() || !checkDeclaration(op.decl_, messages)) {
    return statusOf(messages);
  }
  if (op.decl_.body) {
    checkBodies(op.decl_, messages);
    if (!messages.empty()) {
      return statusOf(messages);
    }
  }
  return op;
}

Result<BoundShape> Operator::bind(const ShapeCase &settings) const {
  MessageList messages;
  messages.setFile(file_);
  if (auto shape = tik::bind(decl_, settings, messages)) {
    return std::move(*shape);
  }
  return statusOf(messages);
}

Status Operator::reference(const BoundShape &shape,
                           std::span<std::vector<double>> tensors) const {
  MessageList messages;
  messages.setFile(file_);
  Session session(messages);
  session.shape = &shape;
  session.host = tensors;
  session.watch = watch_;
  KILN_RETURN_IF_ERROR(session.call(entry_, KILN_TIK_REFERENCE, file_));
  return messages.empty() ? Status::ok() : statusOf(messages);
}

std::vector<std::vector<uint8_t>> zeroBindings(const BoundShape &shape,
                                               const CompiledKernel &kernel) {
  std::vector<std::vector<uint8_t>> bindings;
  for (const BoundTensor &tensor : shape.tensors) {
    bindings.emplace_back(static_cast<size_t>(tensor.elements()) *
                          isa::sizeOf(tensor.type));
  }
  for (uint64_t bytes : kernel.workspaceBytes) {
    bindings.emplace_back(bytes);
  }
  return bindings;
}

std::string CompiledKernel::explain(const std::string &fault) const {
  for (size_t i = 0; i < assertions.size(); ++i) {
    const std::string code =
        "ktrap with code " +
        std::to_string(kAssertionCode + static_cast<int64_t>(i));
    const size_t at = fault.find(code);
    const size_t end = at + code.size();
    if (at != std::string::npos &&
        (end == fault.size() || !std::isdigit(fault[end]))) {
      return assertions[i].at.text() + ": '" + assertions[i].text +
             "' does not hold";
    }
  }
  return "";
}

//===----------------------------------------------------------------------===//
// OperatorCompiler
//===----------------------------------------------------------------------===//

struct OperatorCompiler::State {
  State() : context(MLIRContext::Threading::DISABLED) {
    context.loadDialect<npu::NPUDialect, npu_isa::NpuIsaDialect,
                        arith::ArithDialect, affine::AffineDialect,
                        func::FuncDialect, memref::MemRefDialect,
                        scf::SCFDialect, LLVM::LLVMDialect>();
    context.printOpOnDiagnostic(false);
  }
  MLIRContext context;
};

OperatorCompiler::OperatorCompiler() : state_(std::make_unique<State>()) {}
OperatorCompiler::~OperatorCompiler() = default;
OperatorCompiler::OperatorCompiler(OperatorCompiler &&) noexcept = default;
OperatorCompiler &
OperatorCompiler::operator=(OperatorCompiler &&) noexcept = default;

/// A kernel in the npu dialect, on its way.
struct OperatorCompiler::Build {
  Build(MLIRContext *context, MessageList &list, const Operator &op,
        const CompileOptions &options, bool quick = false)
      : messages(list), builder(context, list,
                                {.name = op.decl().name,
                                 .capacities = npu::capacitiesOf(*options.arch),
                                 .cores = options.cores,
                                 .file = op.file(),
                                 .quick = quick}) {}

  Status run(const Operator &op, const BoundShape &shape,
             const CompileOptions &options) {
    messages.setFile(op.file());
    std::vector<KnobDecl> asked;
    if (!options.knobs) {
      KILN_ASSIGN_OR_RETURN(
          asked, knobsOf(op, shape, *options.arch, options.cores, messages));
    }
    const std::vector<KnobDecl> &knobs = options.knobs ? *options.knobs : asked;
    KILN_ASSIGN_OR_RETURN(setting, resolveKnobs(knobs, op, shape, messages));
    addArguments(builder, op.decl(), shape);
    Session session(messages);
    session.kernel = &builder;
    session.watch = op.watch();
    session.shape = &shape;
    session.op = &op.decl();
    session.arch = options.arch;
    session.cores = options.cores;
    session.setting = &setting;
    session.isKnobRead.assign(knobs.size(), false);
    KILN_RETURN_IF_ERROR(session.call(op.entry(), KILN_TIK_BUILD, op.file()));
    checkReads(knobs, session.isKnobRead);
    module = builder.finish();
    return module ? Status::ok() : statusOf(messages);
  }

  /// A knob that is not read multiplies the settings of a search and changes
  /// nothing. After another mistake the kernel may not have come so far.
  void checkReads(const std::vector<KnobDecl> &knobs,
                  const std::vector<bool> &isRead) {
    const bool cameToItsEnd = messages.empty();
    for (size_t i = 0; cameToItsEnd && i < knobs.size(); ++i) {
      if (!isRead[i]) {
        messages.add(Mistake::kUnreadKnob, knobs[i].line,
                     "knob '" + knobs[i].name + "' is not read by the kernel");
      }
    }
  }

  MessageList &messages;
  KernelBuilder builder;
  KnobValues setting;
  OwningOpRef<ModuleOp> module;
};

Status OperatorCompiler::check(const Operator &op, const BoundShape &shape,
                               const CompileOptions &options,
                               MessageList *messages) {
  MessageList own;
  Build build(&state_->context, messages ? *messages : own, op, options);
  return build.run(op, shape, options);
}

bool OperatorCompiler::accepts(const Operator &op, const BoundShape &shape,
                               const CompileOptions &options) {
  MessageList messages;
  Build build(&state_->context, messages, op, options, /*quick=*/true);
  return static_cast<bool>(build.run(op, shape, options));
}

Result<CompiledKernel> OperatorCompiler::compile(const Operator &op,
                                                 const BoundShape &shape,
                                                 const CompileOptions &options,
                                                 MessageList *messages) {
  MessageList own;
  Build build(&state_->context, messages ? *messages : own, op, options);
  KILN_RETURN_IF_ERROR(build.run(op, shape, options));
  const KernelBuilder &builder = build.builder;
  OwningOpRef<ModuleOp> &module = build.module;
  CompiledKernel kernel;
  kernel.setting = std::move(build.setting);
  kernel.blocks = static_cast<uint32_t>(builder.blockCount());
  kernel.workspaceBytes = builder.workspaceBytes();
  kernel.assertions = builder.assertions();
  kernel.orderDependent = builder.isOrderDependent();
  if (options.keepText) {
    llvm::raw_string_ostream os(kernel.text);
    module->print(os);
  }
  pipeline::NpuLoweringOptions lowering;
  lowering.capacities = npu::capacitiesOf(*options.arch);
  lowering.sync = options.barrierAll ? pipeline::NpuSync::kBarrierAll
                                     : pipeline::NpuSync::kFlags;
  auto function = *module->getOps<func::FuncOp>().begin();
  KILN_ASSIGN_OR_RETURN(pipeline::NpuProgram program,
                        pipeline::compileNpuKernel(function, lowering));
  kernel.elf = std::move(program.elf);
  kernel.note = std::move(program.note);
  kernel.name = std::move(program.kernel);
  kernel.remarks = std::move(program.remarks);
  return kernel;
}

} // namespace kiln::tik
