// SPDX-License-Identifier: Apache-2.0
#include "compiler/frontend/body/body_model.h"

#include "compiler/dialect/nn/nn_dialect.h"
#include "compiler/dialect/plan/element_types.h"
#include "compiler/dialect/plan/plan_dialect.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Parser/Parser.h"

using namespace mlir;

namespace kiln {

Operation *addBodyFunction(const std::string &text, const std::string &name,
                           ModuleOp module) {
  auto parsed =
      parseSourceString<ModuleOp>(text, ParserConfig(module.getContext()));
  if (!parsed || parsed->getOps<func::FuncOp>().empty()) {
    return nullptr;
  }
  func::FuncOp body = *parsed->getOps<func::FuncOp>().begin();
  body->remove();
  body.setName(name);
  body.setPrivate();
  body->setAttr(nn::kBodyAttr, UnitAttr::get(module.getContext()));
  module.push_back(body);
  return body;
}

namespace {

TensorInfo infoOf(const BodyTensor &tensor) {
  return {tensor.name, tensor.type.type, tensor.type.shape};
}

Type typeOf(const BodyTensor &tensor, MLIRContext *context) {
  return RankedTensorType::get(tensor.type.shape,
                               toMlirType(tensor.type.type, context));
}

SmallVector<Type> typesOf(const std::vector<BodyTensor> &tensors,
                          MLIRContext *context) {
  SmallVector<Type> types;
  for (const BodyTensor &tensor : tensors) {
    types.push_back(typeOf(tensor, context));
  }
  return types;
}

} // namespace

Result<ImportedModel> importBody(const BodyModel &body, MLIRContext &context) {
  context.loadDialect<nn::NNDialect, plan::PlanDialect>();
  const BodySignature &signature = body.signature;
  Location file = FileLineColLoc::get(&context, body.name, 0, 0);
  Location node = NameLoc::get(StringAttr::get(&context, body.name),
                               FileLineColLoc::get(&context, body.name, 1, 0));
  ImportedModel model;
  model.module = ModuleOp::create(file);
  OpBuilder builder(&context);
  builder.setInsertionPointToStart(model.module->getBody());
  const SmallVector<Type> inputs = typesOf(signature.inputs, &context);
  const SmallVector<Type> outputs = typesOf(signature.outputs, &context);
  auto main = plan::FuncOp::create(builder, file, "main",
                                   builder.getFunctionType(inputs, outputs));
  const std::string name = "custom_" + body.name;
  if (addBodyFunction(body.body, name, *model.module) == nullptr) {
    return Status(StatusCode::kInternal,
                  "the body of '" + body.name + "' does not parse");
  }
  Block &block = main.getBody().front();
  builder.setInsertionPointToStart(&block);
  auto custom = nn::CustomOp::create(builder, node, outputs, name,
                                     ValueRange(block.getArguments()));
  plan::ReturnOp::create(builder, file, custom.getOutputs());
  for (auto [i, input] : llvm::enumerate(signature.inputs)) {
    main.setArgAttr(i, plan::PlanDialect::kNameAttr,
                    builder.getStringAttr(input.name));
    model.inputs.push_back(infoOf(input));
  }
  for (auto [i, output] : llvm::enumerate(signature.outputs)) {
    main.setResultAttr(i, plan::PlanDialect::kNameAttr,
                       builder.getStringAttr(output.name));
    model.outputs.push_back(infoOf(output));
  }
  model.nodes.push_back({body.name, body.name,
                         outputs.size() == 1 ? signature.outputs[0].name : ""});
  return model;
}

} // namespace kiln
