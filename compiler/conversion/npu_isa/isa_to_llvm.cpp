// SPDX-License-Identifier: Apache-2.0
#include "compiler/conversion/npu_isa/isa_to_llvm.h"

#include "compiler/conversion/npu_isa/npu_to_isa.h"
#include "compiler/dialect/npu/NpuOps.h"
#include "compiler/dialect/npu_isa/NpuIsaOps.h"
#include "isa/abi/launch.h"

#include "mlir/Conversion/AffineToStandard/AffineToStandard.h"
#include "mlir/Conversion/ArithToLLVM/ArithToLLVM.h"
#include "mlir/Conversion/ControlFlowToLLVM/ControlFlowToLLVM.h"
#include "mlir/Conversion/FuncToLLVM/ConvertFuncToLLVMPass.h"
#include "mlir/Conversion/IndexToLLVM/IndexToLLVM.h"
#include "mlir/Conversion/ReconcileUnrealizedCasts/ReconcileUnrealizedCasts.h"
#include "mlir/Conversion/SCFToControlFlow/SCFToControlFlow.h"
#include "mlir/Transforms/Passes.h"
#include "llvm/IR/InlineAsm.h"
#include "llvm/IR/InstIterator.h"
#include "llvm/IR/Instructions.h"
#include "llvm/IR/Module.h"

#include <fmt/format.h>

using namespace mlir;

namespace kiln::npu {

namespace {

constexpr char kMemoryClobber[] = "~{memory}";

/// True when the control core itself waits or signals.
bool meetsControlCore(Operation *op) {
  const auto s = static_cast<uint32_t>(isa::Pipe::S);
  if (auto set = dyn_cast<npu_isa::KsetOp>(op)) {
    return set.getSrc() == s || set.getDst() == s;
  }
  if (auto wait = dyn_cast<npu_isa::KwaitOp>(op)) {
    return wait.getSrc() == s || wait.getDst() == s;
  }
  return llvm::isa<npu_isa::KbarOp, npu_isa::KdbarOp, npu_isa::KendOp,
                   npu_isa::KtrapOp>(op);
}

void emitInstruction(OpBuilder &builder, Operation *op,
                     const npu_isa::Encoding &e) {
  std::string text =
      fmt::format(".insn r4 {:#x}, {}, {}, x{}", e.opcode, e.f3, e.f2, e.sub);
  std::string constraints;
  for (unsigned reg = 0; reg < 3; ++reg) {
    text += reg < e.operands ? fmt::format(", ${}", reg) : ", x0";
    if (reg < e.operands) {
      constraints += reg == 0 ? "r" : ",r";
    }
  }
  if (meetsControlCore(op)) {
    constraints += constraints.empty() ? "" : ",";
    constraints += kMemoryClobber;
  }
  LLVM::InlineAsmOp::create(builder, op->getLoc(), TypeRange(),
                            op->getOperands(), text, constraints,
                            /*has_side_effects=*/true,
                            /*is_align_stack=*/false, LLVM::TailCallKind::None,
                            LLVM::AsmDialectAttr(), ArrayAttr());
}

/// The address of a text, which stands with the data of the program. Every byte
/// is escaped: inline assembly and the assembler have characters of their own.
Value textAddress(OpBuilder &builder, Location loc, StringRef text) {
  std::string bytes;
  for (unsigned char c : text) {
    bytes += fmt::format("\\{:03o}", c);
  }
  const std::string assembly = ".pushsection .rodata.kiln,\"a\",@progbits\n"
                               ".Lkiln_text${:uid}:\n.asciz \"" +
                               bytes +
                               "\"\n.popsection\nla $0, .Lkiln_text${:uid}";
  auto address = LLVM::InlineAsmOp::create(
      builder, loc, TypeRange(builder.getI64Type()), ValueRange(), assembly,
      "=r", /*has_side_effects=*/false, /*is_align_stack=*/false,
      LLVM::TailCallKind::None, LLVM::AsmDialectAttr(), ArrayAttr());
  return address.getRes();
}

/// Emits an instruction whose operands are known only here.
template <typename Isa, typename... Args>
void emitNow(OpBuilder &builder, Location loc, Args... args) {
  auto op = Isa::create(builder, loc, args...);
  emitInstruction(builder, op, *npu_isa::encodingOf(op));
  op.erase();
}

/// kprint and kassert; false for other ops.
bool lowerText(OpBuilder &builder, Operation *op) {
  Location loc = op->getLoc();
  auto zero = [&]() -> Value {
    return arith::ConstantIntOp::create(builder, loc, 0, 64);
  };
  if (auto print = dyn_cast<PrintOp>(op)) {
    const auto values = print.getValues();
    emitNow<npu_isa::KprintOp>(builder, loc,
                               textAddress(builder, loc, print.getText()),
                               values.size() > 0 ? values[0] : zero(),
                               values.size() > 1 ? values[1] : zero());
    return true;
  }
  if (auto check = dyn_cast<AssertOp>(op)) {
    emitNow<npu_isa::KassertOp>(builder, loc, check.getCondition(),
                                textAddress(builder, loc, check.getText()),
                                check.getValue() ? check.getValue() : zero());
    return true;
  }
  return false;
}

Value readCsr(OpBuilder &builder, Location loc, unsigned csr) {
  Type i64 = builder.getI64Type();
  auto read = LLVM::InlineAsmOp::create(
      builder, loc, TypeRange(i64), ValueRange(),
      fmt::format("csrr $0, {:#x}", csr), "=r", /*has_side_effects=*/false,
      /*is_align_stack=*/false, LLVM::TailCallKind::None,
      LLVM::AsmDialectAttr(), ArrayAttr());
  return arith::IndexCastOp::create(builder, loc, builder.getIndexType(),
                                    read.getRes());
}

Value windowPointer(OpBuilder &builder, Location loc, Value base,
                    Value offset) {
  Value address = addressOf(builder, loc, base, offset);
  Value window = arith::ConstantIntOp::create(
      builder, loc, static_cast<int64_t>(isa::kUbWindowBase), 64);
  address = arith::AddIOp::create(builder, loc, address, window);
  return LLVM::IntToPtrOp::create(
      builder, loc, LLVM::LLVMPointerType::get(builder.getContext()), address);
}

/// Lowers one op of the body; false when it stays.
bool lowerOp(OpBuilder &builder, Operation *op) {
  builder.setInsertionPoint(op);
  Location loc = op->getLoc();
  if (auto encoding = npu_isa::encodingOf(op)) {
    emitInstruction(builder, op, *encoding);
    return true;
  }
  if (llvm::isa<BlockIndexOp, BlockCountOp>(op)) {
    op->getResult(0).replaceAllUsesWith(readCsr(builder, loc,
                                                llvm::isa<BlockIndexOp>(op)
                                                    ? isa::kCsrBlockIndex
                                                    : isa::kCsrBlockCount));
    return true;
  }
  if (auto load = dyn_cast<ScalarLoadOp>(op)) {
    Value pointer =
        windowPointer(builder, loc, load.getSrc(), load.getSrcOffset());
    auto value = LLVM::LoadOp::create(builder, loc, load.getType(), pointer,
                                      /*alignment=*/0, /*isVolatile=*/true);
    load.getResult().replaceAllUsesWith(value);
    return true;
  }
  if (auto store = dyn_cast<ScalarStoreOp>(op)) {
    Value pointer =
        windowPointer(builder, loc, store.getDst(), store.getDstOffset());
    LLVM::StoreOp::create(builder, loc, store.getValue(), pointer,
                          /*alignment=*/0, /*isVolatile=*/true);
    return true;
  }
  return lowerText(builder, op);
}

/// The 64-bit word at `offset` bytes of the argument block.
Value loadArgument(OpBuilder &builder, Location loc, Value block,
                   int64_t offset) {
  Type pointer = LLVM::LLVMPointerType::get(builder.getContext());
  Type i64 = builder.getI64Type();
  Value address =
      LLVM::GEPOp::create(builder, loc, pointer, builder.getI8Type(), block,
                          ArrayRef<LLVM::GEPArg>{static_cast<int32_t>(offset)});
  return LLVM::LoadOp::create(builder, loc, i64, address, /*alignment=*/8,
                              /*isVolatile=*/false, /*isNonTemporal=*/false,
                              /*isInvariant=*/true);
}

/// Replaces the users of a memref argument: only its address is taken.
LogicalResult replaceBinding(BlockArgument argument, Value address) {
  for (Operation *user : llvm::make_early_inc_range(argument.getUsers())) {
    if (!llvm::isa<memref::ExtractAlignedPointerAsIndexOp>(user)) {
      return user->emitOpError()
             << "uses kernel argument " << argument.getArgNumber()
             << " directly; expected an npu command";
    }
    user->getResult(0).replaceAllUsesWith(address);
    user->erase();
  }
  return success();
}

/// Turns the arguments into loads from the argument block.
LogicalResult lowerArguments(func::FuncOp kernel) {
  Block &entry = kernel.getBody().front();
  OpBuilder builder = OpBuilder::atBlockBegin(&entry);
  Location loc = kernel.getLoc();
  Type pointer = LLVM::LLVMPointerType::get(builder.getContext());
  const unsigned count = entry.getNumArguments();
  Value block = entry.addArgument(pointer, loc);
  auto isBinding = [](BlockArgument a) {
    return llvm::isa<MemRefType>(a.getType());
  };
  auto arguments = entry.getArguments().take_front(count);
  const auto bindings =
      static_cast<int64_t>(llvm::count_if(arguments, isBinding));
  const int64_t header = sizeof(isa::ArgumentBlockHeader);
  int64_t binding = 0, constant = 0;
  // All loads first: replacing erases ops, among them maybe the builder's.
  SmallVector<Value> values;
  for (BlockArgument argument : arguments) {
    const int64_t word =
        isBinding(argument) ? binding++ : bindings + constant++;
    Value value = loadArgument(builder, loc, block, header + 8 * word);
    if (!argument.getType().isInteger(64)) {
      value = arith::IndexCastOp::create(builder, loc, builder.getIndexType(),
                                         value);
    }
    values.push_back(value);
  }
  for (auto [argument, value] : llvm::zip(arguments, values)) {
    if (isBinding(argument)) {
      if (failed(replaceBinding(argument, value))) {
        return failure();
      }
    } else if (argument.getType() == value.getType()) {
      argument.replaceAllUsesWith(value);
    } else {
      return kernel.emitError()
             << "kernel argument " << argument.getArgNumber() << " has type "
             << argument.getType() << "; expected a memref, index or i64";
    }
  }
  entry.eraseArguments(0, count);
  kernel.setFunctionType(builder.getFunctionType({pointer}, {}));
  kernel.removeArgAttrsAttr();
  return success();
}

class KernelEntryPass
    : public PassWrapper<KernelEntryPass, OperationPass<func::FuncOp>> {
public:
  MLIR_DEFINE_EXPLICIT_INTERNAL_INLINE_TYPE_ID(KernelEntryPass)
  StringRef getArgument() const override { return "npu-kernel-entry"; }
  StringRef getDescription() const override {
    return "npu_isa instructions to inline assembly, kernel arguments to the "
           "argument block";
  }
  void getDependentDialects(DialectRegistry &registry) const override {
    registry.insert<arith::ArithDialect, LLVM::LLVMDialect>();
  }
  void runOnOperation() override {
    if (getOperation()->hasAttr(kKernelAttr) &&
        failed(lowerKernelEntry(getOperation()))) {
      signalPassFailure();
    }
  }
};

} // namespace

LogicalResult lowerKernelEntry(func::FuncOp kernel) {
  if (kernel.getNumResults() != 0) {
    return kernel.emitError("a kernel returns nothing, found ")
           << kernel.getNumResults() << " results";
  }
  SmallVector<Operation *> ops;
  kernel.walk([&](Operation *op) { ops.push_back(op); });
  OpBuilder builder(kernel.getContext());
  for (Operation *op : ops) {
    if (lowerOp(builder, op)) {
      op->erase();
    }
  }
  kernel.walk([](AllocOp alloc) {
    if (alloc->use_empty()) {
      alloc->erase();
    }
  });
  return lowerArguments(kernel);
}

std::unique_ptr<Pass> createKernelEntryPass() {
  return std::make_unique<KernelEntryPass>();
}

void addIsaToLlvmPasses(OpPassManager &manager) {
  manager.addNestedPass<func::FuncOp>(createKernelEntryPass());
  manager.addPass(createLowerAffinePass());
  manager.addPass(createCanonicalizerPass());
  manager.addPass(createCSEPass());
  manager.addPass(createSCFToControlFlowPass());
  manager.addPass(createArithToLLVMConversionPass());
  manager.addPass(createConvertIndexToLLVMPass());
  manager.addPass(createConvertControlFlowToLLVMPass());
  manager.addPass(createConvertFuncToLLVMPass());
  manager.addPass(createReconcileUnrealizedCastsPass());
}

void markMemoryEffects(llvm::Module &module) {
  for (llvm::Function &function : module) {
    for (llvm::Instruction &instruction : llvm::instructions(function)) {
      auto *call = dyn_cast<llvm::CallInst>(&instruction);
      auto *text =
          call ? dyn_cast<llvm::InlineAsm>(call->getCalledOperand()) : nullptr;
      if (!text) {
        continue;
      }
      call->addFnAttr(llvm::Attribute::NoUnwind);
      if (!text->hasSideEffects()) {
        call->setMemoryEffects(llvm::MemoryEffects::none());
        call->addFnAttr(llvm::Attribute::WillReturn);
      } else if (!StringRef(text->getConstraintString())
                      .contains(kMemoryClobber)) {
        call->setMemoryEffects(llvm::MemoryEffects::inaccessibleMemOnly());
        call->addFnAttr(llvm::Attribute::WillReturn);
      }
    }
  }
}

} // namespace kiln::npu
