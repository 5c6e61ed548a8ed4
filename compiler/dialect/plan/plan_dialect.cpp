// SPDX-License-Identifier: Apache-2.0
#include "compiler/dialect/plan/plan_dialect.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/Builders.h"
#include "mlir/IR/DialectImplementation.h"
#include "mlir/Interfaces/FunctionImplementation.h"
#include "llvm/ADT/TypeSwitch.h"

#include "compiler/dialect/plan/PlanDialect.cpp.inc"
#include "compiler/dialect/plan/PlanEnums.cpp.inc"
#define GET_ATTRDEF_CLASSES
#include "compiler/dialect/plan/PlanAttrs.cpp.inc"

using namespace mlir;

namespace kiln::plan {

void PlanDialect::initialize() {
  addAttributes<
#define GET_ATTRDEF_LIST
#include "compiler/dialect/plan/PlanAttrs.cpp.inc"
      >();
  addOperations<
#define GET_OP_LIST
#include "compiler/dialect/plan/PlanOps.cpp.inc"
      >();
}

//===- attributes of other operations -------------------------------------===//

LogicalResult PlanDialect::verifyOperationAttribute(Operation *op,
                                                    NamedAttribute attr) {
  if (attr.getName() == kDispatchAttr) {
    if (!isa<func::FuncOp>(op) || !isa<UnitAttr>(attr.getValue())) {
      return op->emitError("'plan.dispatch' is a unit attribute of func.func");
    }
    return success();
  }
  if (attr.getName() == kInlinedAttr) {
    return isa<UnitAttr>(attr.getValue())
               ? success()
               : op->emitError("'plan.inlined' is a unit attribute");
  }
  if (attr.getName() == kArenaBytesAttr) {
    auto bytes = dyn_cast<IntegerAttr>(attr.getValue());
    if (!isa<FuncOp>(op) || !bytes || bytes.getInt() < 0) {
      return op->emitError(
          "'plan.arena_bytes' is a non-negative integer of plan.func");
    }
    return success();
  }
  if (attr.getName() == kPlacesAttr) {
    auto places = dyn_cast<ArrayAttr>(attr.getValue());
    if (!places || places.size() != op->getNumResults() ||
        !llvm::all_of(places, llvm::IsaPred<PlaceAttr>)) {
      return op->emitError("'plan.places' needs one #plan.place per result (")
             << op->getNumResults() << ")";
    }
    return success();
  }
  if (attr.getName() == kWorkspaceAttr) {
    if (!isa<DispatchOp>(op) || !isa<PlaceAttr>(attr.getValue())) {
      return op->emitError(
          "'plan.workspace' is a #plan.place of plan.dispatch");
    }
    return success();
  }
  if (attr.getName() == kMacsAttr || attr.getName() == kResultAttr) {
    bool right = attr.getName() == kMacsAttr ? isa<MacsAttr>(attr.getValue())
                                             : isa<ResultAttr>(attr.getValue());
    if (!isa<DispatchOp>(op) || !right) {
      return op->emitError("'")
             << attr.getName().getValue()
             << "' is an attribute of plan.dispatch of the same kind";
    }
    return success();
  }
  if (attr.getName() == kGroupAttr) {
    return success();
  }
  return op->emitError("unknown attribute '")
         << attr.getName().getValue() << "'";
}

static LogicalResult verifyName(Operation *op, NamedAttribute attr) {
  if (attr.getName() != PlanDialect::kNameAttr ||
      !isa<StringAttr>(attr.getValue())) {
    return op->emitError("expected 'plan.name' with a string, found '")
           << attr.getName().getValue() << "'";
  }
  return success();
}

LogicalResult PlanDialect::verifyRegionArgAttribute(Operation *op, unsigned,
                                                    unsigned,
                                                    NamedAttribute attr) {
  return verifyName(op, attr);
}

LogicalResult PlanDialect::verifyRegionResultAttribute(Operation *op, unsigned,
                                                       unsigned,
                                                       NamedAttribute attr) {
  return verifyName(op, attr);
}

//===- func ---------------------------------------------------------------===//

void FuncOp::build(OpBuilder &builder, OperationState &state, StringRef name,
                   FunctionType type) {
  state.addAttribute(SymbolTable::getSymbolAttrName(),
                     builder.getStringAttr(name));
  state.addAttribute(getFunctionTypeAttrName(state.name), TypeAttr::get(type));
  Block &block = state.addRegion()->emplaceBlock();
  for (Type input : type.getInputs()) {
    block.addArgument(input, state.location);
  }
}

ParseResult FuncOp::parse(OpAsmParser &parser, OperationState &result) {
  auto buildType = [](Builder &builder, ArrayRef<Type> inputs,
                      ArrayRef<Type> results,
                      function_interface_impl::VariadicFlag, std::string &) {
    return builder.getFunctionType(inputs, results);
  };
  return function_interface_impl::parseFunctionOp(
      parser, result, /*allowVariadic=*/false,
      getFunctionTypeAttrName(result.name), buildType,
      getArgAttrsAttrName(result.name), getResAttrsAttrName(result.name));
}

void FuncOp::print(OpAsmPrinter &printer) {
  function_interface_impl::printFunctionOp(
      printer, *this, /*isVariadic=*/false, getFunctionTypeAttrName(),
      getArgAttrsAttrName(), getResAttrsAttrName());
}

StringRef FuncOp::getArgName(unsigned i) {
  auto name = getArgAttrOfType<StringAttr>(i, PlanDialect::kNameAttr);
  return name ? name.getValue() : StringRef();
}

StringRef FuncOp::getResultName(unsigned i) {
  auto name = getResultAttrOfType<StringAttr>(i, PlanDialect::kNameAttr);
  return name ? name.getValue() : StringRef();
}

LogicalResult ReturnOp::verify() {
  auto func = cast<FuncOp>((*this)->getParentOp());
  if (getOperandTypes() != TypeRange(func.getResultTypes())) {
    return emitOpError("returns (")
           << getOperandTypes() << ") but the function declares ("
           << func.getResultTypes() << ")";
  }
  return success();
}

//===- const --------------------------------------------------------------===//

LogicalResult ConstOp::verify() {
  if (!getRecipe() || getRecipe()->empty()) {
    return success();
  }
  auto last = cast<StepAttr>(getRecipe()->getValue().back());
  if (last.getType() != getResult().getType()) {
    return emitOpError("the recipe ends with ")
           << last.getType() << " but the result is " << getResult().getType();
  }
  return success();
}

void ConstOp::appendStep(StringRef kind, RankedTensorType type,
                         ArrayRef<NamedAttribute> params) {
  Builder builder(getContext());
  SmallVector<Attribute> steps;
  if (getRecipe()) {
    llvm::append_range(steps, getRecipe()->getValue());
  }
  steps.push_back(StepAttr::get(getContext(), builder.getStringAttr(kind), type,
                                builder.getDictionaryAttr(params)));
  setRecipeAttr(builder.getArrayAttr(steps));
  getResult().setType(type);
}

//===- dispatch -----------------------------------------------------------===//

LogicalResult DispatchOp::verifySymbolUses(SymbolTableCollection &symbolTable) {
  auto callee =
      symbolTable.lookupNearestSymbolFrom<func::FuncOp>(*this, getCalleeAttr());
  if (!callee) {
    return emitOpError("calls '@")
           << getCallee() << "', which is no func.func of this module";
  }
  if (!callee->hasAttr(PlanDialect::kDispatchAttr)) {
    return emitOpError("calls '@")
           << getCallee() << "', which lacks the attribute 'plan.dispatch'";
  }
  // A target may have turned the body into a program already; only tensor
  // signatures are compared.
  FunctionType type = callee.getFunctionType();
  if (llvm::any_of(type.getInputs(), llvm::IsaPred<MemRefType>)) {
    return success();
  }
  if (TypeRange(type.getInputs()) != getOperandTypes() ||
      TypeRange(type.getResults()) != getResultTypes()) {
    return emitOpError("passes (")
           << getOperandTypes() << ") -> (" << getResultTypes() << ") but '@"
           << getCallee() << "' is " << type;
  }
  return success();
}

//===- views --------------------------------------------------------------===//

static int64_t countOf(Value value) {
  return cast<RankedTensorType>(value.getType()).getNumElements();
}

static Type elementOf(Value value) {
  return cast<RankedTensorType>(value.getType()).getElementType();
}

LogicalResult SliceOp::verify() {
  if (elementOf(getSource()) != elementOf(getResult())) {
    return emitOpError("changes the element type from ")
           << elementOf(getSource()) << " to " << elementOf(getResult());
  }
  int64_t offset = getOffset();
  if (offset < 0 || offset + countOf(getResult()) > countOf(getSource())) {
    return emitOpError("views elements [")
           << offset << ", " << offset + countOf(getResult())
           << ") of a source with " << countOf(getSource());
  }
  return success();
}

bool SliceOp::isReshape() {
  return countOf(getSource()) == countOf(getResult());
}

OpFoldResult SliceOp::fold(FoldAdaptor) {
  if (getSource().getType() == getResult().getType()) {
    return getSource();
  }
  if (auto inner = getSource().getDefiningOp<SliceOp>()) {
    setOffset(getOffset() + inner.getOffset());
    getSourceMutable().assign(inner.getSource());
    return getResult();
  }
  return {};
}

LogicalResult ConcatOp::verify() {
  int64_t count = 0;
  for (Value operand : getOperands()) {
    if (elementOf(operand) != elementOf(getResult())) {
      return emitOpError("joins ")
             << elementOf(operand) << " and " << elementOf(getResult());
    }
    count += countOf(operand);
  }
  if (count != countOf(getResult())) {
    return emitOpError("has operands with ")
           << count << " elements and a result with " << countOf(getResult());
  }
  return success();
}

} // namespace kiln::plan

#define GET_OP_CLASSES
#include "compiler/dialect/plan/PlanOps.cpp.inc"
