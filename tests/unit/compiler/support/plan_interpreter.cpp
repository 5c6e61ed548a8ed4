// SPDX-License-Identifier: Apache-2.0
#include "tests/unit/compiler/support/plan_interpreter.h"

#include "compiler/constants/byte_ops.h"
#include "compiler/dialect/plan/element_types.h"
#include "compiler/dialect/plan/plan_dialect.h"
#include "compiler/pipeline/diagnostics.h"
#include "compiler/target/const_recipe.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Linalg/Utils/Utils.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/ExecutionEngine/ExecutionEngine.h"
#include "mlir/ExecutionEngine/OptUtils.h"
#include "mlir/InitAllPasses.h"
#include "mlir/Pass/PassManager.h"
#include "mlir/Target/LLVMIR/Dialect/Builtin/BuiltinToLLVMIRTranslation.h"
#include "mlir/Target/LLVMIR/Dialect/LLVMIR/LLVMToLLVMIRTranslation.h"
#include "llvm/Support/TargetSelect.h"

using namespace mlir;

namespace kiln::test {

static std::vector<int64_t> shapeOf(Type type) {
  ArrayRef<int64_t> shape = cast<RankedTensorType>(type).getShape();
  return {shape.begin(), shape.end()};
}

static Constant makeValue(Type type) {
  return makeConstant(
      *toElementType(cast<RankedTensorType>(type).getElementType()),
      shapeOf(type));
}

static Status runText(ModuleOp module, StringRef pipeline) {
  DiagnosticCollector errors(module.getContext());
  bool parsed = false;
  auto add = [&](OpPassManager &pm) {
    parsed = succeeded(parsePassPipeline(pipeline, pm));
  };
  return succeeded(runPasses(module, add)) && parsed
             ? Status::ok()
             : errors.status(StatusCode::kInternal, "the test's pipeline");
}

// Strided memref.copy would call a run-time library.
static void copiesToLoops(ModuleOp module) {
  SmallVector<memref::CopyOp> copies;
  module.walk([&](memref::CopyOp op) { copies.push_back(op); });
  for (memref::CopyOp op : copies) {
    OpBuilder builder(op);
    linalg::makeMemRefCopyOp(builder, op.getLoc(), op.getSource(),
                             op.getTarget());
    op.erase();
  }
}

// A copy of the module with the dispatch functions only, as LLVM dialect.
static Result<OwningOpRef<ModuleOp>> lowerBodies(ModuleOp module) {
  OwningOpRef<ModuleOp> copy = ModuleOp::create(module.getLoc());
  OpBuilder builder(copy->getBodyRegion());
  for (auto func : module.getOps<func::FuncOp>()) {
    auto clone = cast<func::FuncOp>(builder.clone(*func));
    clone.setPublic();
    clone->removeAttr(plan::PlanDialect::kDispatchAttr);
    clone->setAttr("llvm.emit_c_interface", builder.getUnitAttr());
  }
  registerAllPasses();
  KILN_RETURN_IF_ERROR(
      runText(*copy, "func.func(canonicalize),empty-tensor-to-alloc-tensor,"
                     "one-shot-bufferize{bufferize-function-boundaries "
                     "function-boundary-type-conversion=identity-layout-map},"
                     "buffer-results-to-out-params{hoist-static-allocs "
                     "modify-public-functions},"
                     "func.func(buffer-deallocation-simplification)"));
  copiesToLoops(*copy);
  KILN_RETURN_IF_ERROR(runText(
      *copy, "func.func(convert-linalg-to-loops),expand-strided-metadata,"
             "lower-affine,convert-scf-to-cf,convert-math-to-llvm,"
             "convert-math-to-libm,expand-strided-metadata,"
             "finalize-memref-to-llvm,convert-arith-to-llvm,"
             "convert-func-to-llvm,convert-cf-to-llvm,"
             "reconcile-unrealized-casts"));
  return copy;
}

namespace {
/// A memref descriptor of any rank, dense.
struct Descriptor {
  std::vector<int64_t> words; // allocated, aligned, offset, sizes, strides

  explicit Descriptor(Constant &value) {
    auto address = reinterpret_cast<intptr_t>(value.bytes.data());
    words = {address, address, 0};
    words.insert(words.end(), value.shape.begin(), value.shape.end());
    std::vector<int64_t> strides(value.shape.size(), 1);
    for (size_t i = strides.size(); i-- > 1;) {
      strides[i - 1] = strides[i] * value.shape[i];
    }
    words.insert(words.end(), strides.begin(), strides.end());
  }
};

class Interpreter {
public:
  Interpreter(ExecutionEngine &engine, const ConstantStore &constants)
      : engine_(engine), constants_(constants) {}

  Status run(plan::FuncOp func, const std::vector<Constant> &inputs,
             std::vector<Constant> &outputs) {
    Block &body = func.getBody().front();
    if (inputs.size() != body.getNumArguments()) {
      return {StatusCode::kInvalidArgument, "wrong number of inputs"};
    }
    for (auto [argument, input] :
         llvm::zip_equal(body.getArguments(), inputs)) {
      values_[argument] = input;
    }
    for (Operation &op : body) {
      if (auto ret = dyn_cast<plan::ReturnOp>(op)) {
        for (Value value : ret.getOperands()) {
          outputs.push_back(values_[value]);
        }
        return Status::ok();
      }
      KILN_RETURN_IF_ERROR(step(op));
    }
    return Status::ok();
  }

private:
  Status step(Operation &op) {
    if (auto constant = dyn_cast<plan::ConstOp>(op)) {
      const Constant *blob = constants_.find(constant.getSymbol());
      if (!blob) {
        return {StatusCode::kInternal, "a constant is not in the store"};
      }
      Result<Constant> value =
          target::evaluateRecipe(*blob, constant.getRecipeAttr());
      if (!value) {
        return value.status();
      }
      values_[constant.getResult()] = std::move(*value);
      return Status::ok();
    }
    if (auto slice = dyn_cast<plan::SliceOp>(op)) {
      const Constant &source = values_[slice.getSource()];
      Constant view = makeValue(slice.getResult().getType());
      auto from =
          source.bytes.begin() + slice.getOffset() * elementBytes(source.type);
      std::copy(from, from + view.bytes.size(), view.bytes.begin());
      values_[slice.getResult()] = std::move(view);
      return Status::ok();
    }
    if (auto copy = dyn_cast<plan::CopyOp>(op)) {
      values_[copy.getResult()] = Constant(values_[copy.getSource()]);
      return Status::ok();
    }
    if (auto concat = dyn_cast<plan::ConcatOp>(op)) {
      Constant joined = makeValue(concat.getResult().getType());
      auto to = joined.bytes.begin();
      for (Value operand : concat.getOperands()) {
        const Constant &part = values_[operand];
        to = std::copy(part.bytes.begin(), part.bytes.end(), to);
      }
      values_[concat.getResult()] = std::move(joined);
      return Status::ok();
    }
    if (auto dispatch = dyn_cast<plan::DispatchOp>(op)) {
      return call(dispatch);
    }
    return {StatusCode::kInternal,
            "cannot interpret " + op.getName().getStringRef().str()};
  }

  Status call(plan::DispatchOp op) {
    std::vector<Constant *> buffers;
    for (Value operand : op.getOperands()) {
      buffers.push_back(&values_[operand]);
    }
    Constant result = makeValue(op.getResult(0).getType());
    std::fill(result.bytes.begin(), result.bytes.end(), 0xff); // NaN
    buffers.push_back(&result);
    std::vector<Descriptor> descriptors;
    for (Constant *buffer : buffers) {
      descriptors.emplace_back(*buffer);
    }
    std::vector<void *> pointers;
    for (Descriptor &descriptor : descriptors) {
      pointers.push_back(descriptor.words.data());
    }
    SmallVector<void *> packed;
    for (void *&pointer : pointers) {
      packed.push_back(&pointer);
    }
    std::string name = "_mlir_ciface_" + op.getCallee().str();
    if (llvm::Error error = engine_.invokePacked(name, packed)) {
      return {StatusCode::kInternal, llvm::toString(std::move(error))};
    }
    values_[op.getResult(0)] = std::move(result);
    return Status::ok();
  }

  ExecutionEngine &engine_;
  const ConstantStore &constants_;
  llvm::DenseMap<Value, Constant> values_;
};
} // namespace

Result<std::vector<Constant>> runPlan(ModuleOp module,
                                      const ConstantStore &constants,
                                      const std::vector<Constant> &inputs) {
  registerBuiltinDialectTranslation(*module.getContext());
  registerLLVMDialectTranslation(*module.getContext());
  llvm::InitializeNativeTarget();
  llvm::InitializeNativeTargetAsmPrinter();
  Result<OwningOpRef<ModuleOp>> lowered = lowerBodies(module);
  if (!lowered) {
    return lowered.status();
  }
  ExecutionEngineOptions options;
  auto optimize = makeOptimizingTransformer(2, 0, nullptr);
  options.transformer = optimize;
  auto engine = ExecutionEngine::create(**lowered, options);
  if (!engine) {
    return Status(StatusCode::kInternal, llvm::toString(engine.takeError()));
  }
  auto main = module.lookupSymbol<plan::FuncOp>("main");
  if (!main) {
    return Status(StatusCode::kInvalidArgument, "no plan.func @main");
  }
  std::vector<Constant> outputs;
  KILN_RETURN_IF_ERROR(
      Interpreter(**engine, constants).run(main, inputs, outputs));
  return outputs;
}

} // namespace kiln::test
