// SPDX-License-Identifier: Apache-2.0
//
// nn.custom: the operations of its body take its place.
#include "compiler/conversion/nn_to_linalg/lowering.h"

#include "compiler/dialect/plan/element_types.h"
#include "compiler/dialect/plan/plan_dialect.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/IRMapping.h"
#include "mlir/IR/SymbolTable.h"

using namespace mlir;

namespace kiln::lowering {

/// A table in the body becomes bytes of the package; nothing for types that
/// constants do not have.
static Value storedTable(OpBuilder &builder, arith::ConstantOp table,
                         Location loc, ConstantStore &constants) {
  auto values = dyn_cast<DenseElementsAttr>(table.getValue());
  auto type = dyn_cast<RankedTensorType>(table.getType());
  std::optional<ElementType> element =
      type ? toElementType(type.getElementType()) : std::nullopt;
  if (!values || !element || values.isSplat()) {
    return {};
  }
  Constant constant{*element, type.getShape().vec(), {}};
  ArrayRef<char> raw = values.getRawData();
  constant.bytes.assign(raw.begin(), raw.end());
  return plan::ConstOp::create(builder, loc, type,
                               constants.add(std::move(constant)), ArrayAttr());
}

/// All operations get the node's location: what is said about them, or measured
/// of them, is about the node. The mark says where they come from.
static void adopt(Operation *op, Location loc) {
  op->walk([&](Operation *inner) { inner->setLoc(loc); });
  op->setAttr(plan::PlanDialect::kInlinedAttr, UnitAttr::get(op->getContext()));
}

static void inlineBody(nn::CustomOp custom, func::FuncOp body,
                       ConstantStore &constants) {
  OpBuilder builder(custom);
  IRMapping mapping;
  mapping.map(body.getArguments(), custom.getInputs());
  Block &block = body.getBody().front();
  for (Operation &op : block.without_terminator()) {
    auto table = dyn_cast<arith::ConstantOp>(op);
    Value stored = table
                       ? storedTable(builder, table, custom.getLoc(), constants)
                       : Value();
    if (stored) {
      mapping.map(op.getResult(0), stored);
    } else {
      adopt(builder.clone(op, mapping), custom.getLoc());
    }
  }
  for (auto [result, value] : llvm::zip_equal(
           custom.getOutputs(), block.getTerminator()->getOperands())) {
    result.replaceAllUsesWith(mapping.lookupOrDefault(value));
  }
  custom.erase();
}

void inlineCustom(ModuleOp module, ConstantStore &constants) {
  SymbolTable symbols(module);
  SmallVector<nn::CustomOp> customs;
  module.walk([&](nn::CustomOp op) { customs.push_back(op); });
  for (nn::CustomOp custom : customs) {
    inlineBody(custom, symbols.lookup<func::FuncOp>(custom.getBody()),
               constants);
  }
  for (auto func : llvm::make_early_inc_range(module.getOps<func::FuncOp>())) {
    if (func->hasAttr(nn::kBodyAttr)) {
      func.erase();
    }
  }
}

} // namespace kiln::lowering
