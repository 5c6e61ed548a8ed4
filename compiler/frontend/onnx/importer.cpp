// SPDX-License-Identifier: Apache-2.0
#include "compiler/frontend/onnx/importer.h"

#include "compiler/dialect/plan/element_types.h"
#include "compiler/frontend/body/body_model.h"
#include "compiler/frontend/onnx/model_file.h"
#include "compiler/frontend/onnx/node.h"
#include "compiler/frontend/onnx/tensor_data.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <set>
#include <unordered_map>

using namespace mlir;

namespace kiln::frontend {

namespace {
/// One import: the graph's values by name, and what is wrong so far.
class GraphImporter {
public:
  GraphImporter(const onnx::ModelProto &model, const std::string &fileName,
                const ImportOptions &options, MLIRContext &context)
      : model_(model), graph_(model.graph()), fileName_(fileName),
        options_(options), context_(context), builder_(&context) {}

  Result<ImportedModel> run();

private:
  Status resolveInputs();
  Status checkDimOptions() const;
  void addInput(const onnx::ValueInfoProto &info);
  void readDims(const onnx::ValueInfoProto &info, TensorInfo &tensor);
  void importInitializers();
  void importNodes();
  void importNode(int index);
  std::string nameOf(int index) const;
  std::string whereOf(int index) const;
  bool isCustom(const onnx::NodeProto &proto) const;
  LogicalResult importCustom(Node &node, const onnx::NodeProto &proto,
                             int index);
  LogicalResult addProgram(Node &node, const std::string &name, Location loc,
                           TypeRange results, LibraryKernel kernel);
  LogicalResult addBody(Node &node, const std::string &name, Location loc,
                        TypeRange results, const std::string &text);
  LogicalResult setOutputs(Node &node, ValueRange values);
  std::string othersText() const;
  bool checkOperator(int index);
  void checkOperators();
  void convert(Node &node, const onnx::NodeProto &proto, int64_t opset);
  bool bindInputs(Node &node, const onnx::NodeProto &proto,
                  const std::string &where);
  void bindOutputs(Node &node, const onnx::NodeProto &proto,
                   const std::string &where);
  Value placeholder(const std::string &name);
  void collectUses();
  void finishOutputs();
  void define(const std::string &name, Value value, const std::string &where);
  int64_t opsetOf(const std::string &domain) const;
  Location location(int line, const std::string &name);

  const onnx::ModelProto &model_;
  const onnx::GraphProto &graph_;
  const std::string &fileName_;
  const ImportOptions &options_;
  MLIRContext &context_;
  OpBuilder builder_;
  ImportedModel result_;
  Report report_;
  plan::FuncOp func_;
  /// nullptr: its node failed, or its type is beyond us.
  std::unordered_map<std::string, Value> values_;
  std::unordered_map<std::string, const onnx::ValueInfoProto *> declared_;
  std::set<std::string> used_, symbols_, missing_;
};
} // namespace

Location GraphImporter::location(int line, const std::string &name) {
  auto file = FileLineColLoc::get(&context_, fileName_, line, 0);
  return NameLoc::get(builder_.getStringAttr(name), file);
}

// The version of a domain; models before IR version 3 mean opset 1.
int64_t GraphImporter::opsetOf(const std::string &domain) const {
  auto canonical = [](const std::string &name) {
    return name == "ai.onnx" ? std::string() : name;
  };
  for (const auto &opset : model_.opset_import()) {
    if (canonical(opset.domain()) == canonical(domain)) {
      return opset.version();
    }
  }
  return model_.opset_import_size() == 0 && canonical(domain).empty() ? 1 : 0;
}

void GraphImporter::define(const std::string &name, Value value,
                           const std::string &where) {
  if (!values_.emplace(name, value).second) {
    report_.add({where, "", "value '" + name + "' is defined twice", true});
  }
}

//===- inputs and initializers --------------------------------------------===//

void GraphImporter::readDims(const onnx::ValueInfoProto &info,
                             TensorInfo &tensor) {
  const auto &shape = info.type().tensor_type().shape();
  for (int i = 0; i < shape.dim_size(); ++i) {
    const auto &dim = shape.dim(i);
    if (dim.has_dim_value() && dim.dim_value() > 0) {
      tensor.shape.push_back(dim.dim_value());
      continue;
    }
    if (dim.has_dim_value() && dim.dim_value() == 0) {
      report_.add({"input '" + info.name() + "'", "",
                   fmt::format("dimension {} is 0 (an empty tensor); "
                               "supported: at least 1",
                               i),
                   false});
      tensor.shape.push_back(1);
      continue;
    }
    bool named = dim.has_dim_param() && !dim.dim_param().empty();
    std::string name =
        named ? dim.dim_param() : fmt::format("{}[{}]", info.name(), i);
    symbols_.insert(name);
    auto value = options_.dims.find(name);
    if (value == options_.dims.end()) {
      missing_.insert(name);
    }
    tensor.shape.push_back(value == options_.dims.end() ? 1 : value->second);
  }
}

void GraphImporter::addInput(const onnx::ValueInfoProto &info) {
  std::string where = "input '" + info.name() + "'";
  TensorInfo tensor{info.name(), ElementType::kF32, {}};
  auto reject = [&](std::string text, bool invalid) {
    report_.add({where, "", std::move(text), invalid});
    define(info.name(), Value(), where);
  };
  if (!info.type().has_tensor_type()) {
    return reject("is no tensor; supported: dense tensors", false);
  }
  const auto &type = info.type().tensor_type();
  std::optional<ElementType> element = fromOnnxType(type.elem_type());
  if (!element ||
      (*element != ElementType::kF32 && *element != ElementType::kF16)) {
    return reject("has element type " + onnxTypeName(type.elem_type()) +
                      "; supported: FLOAT and FLOAT16",
                  false);
  }
  if (!type.has_shape()) {
    return reject("declares no shape; supported: a known rank", false);
  }
  tensor.type = *element;
  readDims(info, tensor);
  int64_t count = 1;
  for (int64_t dim : tensor.shape) {
    if (count > (int64_t(1) << 32) / dim) {
      return reject("has more than 2^32 elements", true);
    }
    count *= dim;
  }
  auto mlirType =
      RankedTensorType::get(tensor.shape, toMlirType(*element, &context_));
  Block &body = func_.getBody().front();
  define(info.name(), body.addArgument(mlirType, location(0, info.name())),
         where);
  result_.inputs.push_back(std::move(tensor));
}

Status GraphImporter::checkDimOptions() const {
  for (const auto &[name, value] : options_.dims) {
    if (value < 1) {
      return {StatusCode::kInvalidArgument,
              fmt::format("dimension '{}' is set to {}, expected at least 1",
                          name, value)};
    }
  }
  return Status::ok();
}

static std::string join(const std::set<std::string> &names) {
  std::string text;
  for (const std::string &name : names) {
    text += (text.empty() ? "'" : ", '") + name + "'";
  }
  return text.empty() ? "none" : text;
}

Status GraphImporter::resolveInputs() {
  KILN_RETURN_IF_ERROR(checkDimOptions());
  for (const auto &info : graph_.input()) {
    // Before IR version 4 every initializer is an input too.
    if (!values_.contains(info.name())) {
      addInput(info);
    }
  }
  if (!missing_.empty()) {
    // Values for dimensions are no use where an operator is unknown.
    checkOperators();
    KILN_RETURN_IF_ERROR(report_.status());
    return {StatusCode::kInvalidArgument,
            "the model has symbolic dimensions without a value: " +
                join(missing_) + "; give each one with --dim NAME=N"};
  }
  for (const auto &[name, value] : options_.dims) {
    if (!symbols_.contains(name)) {
      return {StatusCode::kInvalidArgument,
              "the model has no symbolic dimension '" + name +
                  "'; it has: " + join(symbols_)};
    }
  }
  return Status::ok();
}

void GraphImporter::importInitializers() {
  for (const auto &tensor : graph_.initializer()) {
    std::string where = "initializer '" + tensor.name() + "'";
    Result<Constant> constant = readTensor(tensor);
    if (!constant) {
      bool invalid = constant.status().code() == StatusCode::kCorrupt;
      report_.add({where, "", constant.status().message(), invalid});
      define(tensor.name(), Value(), where);
      continue;
    }
    auto type = RankedTensorType::get(constant->shape,
                                      toMlirType(constant->type, &context_));
    std::string id = result_.constants.add(std::move(*constant));
    define(tensor.name(),
           plan::ConstOp::create(builder_, location(0, tensor.name()), type, id,
                                 ArrayAttr()),
           where);
  }
  for (const auto &tensor : graph_.sparse_initializer()) {
    std::string name = tensor.values().name();
    report_.add({"initializer '" + name + "'", "",
                 "is sparse; supported: dense tensors", false});
    define(name, Value(), "initializer '" + name + "'");
  }
}

//===- nodes --------------------------------------------------------------===//

void GraphImporter::collectUses() {
  for (const auto &node : graph_.node()) {
    for (const std::string &name : node.input()) {
      used_.insert(name);
    }
    // Names inside bodies of If and Loop may refer to outer values; those
    // operators are refused, so their bodies need no look.
  }
  for (const auto &output : graph_.output()) {
    used_.insert(output.name());
  }
  for (const auto &info : graph_.value_info()) {
    declared_.emplace(info.name(), &info);
  }
}

// A stand-in for a value whose node is not supported, so that the nodes after
// it are checked as well; only where the model declares its type.
Value GraphImporter::placeholder(const std::string &name) {
  auto it = declared_.find(name);
  if (it == declared_.end() || !it->second->type().has_tensor_type()) {
    return {};
  }
  const auto &type = it->second->type().tensor_type();
  std::optional<ElementType> element = fromOnnxType(type.elem_type());
  if (!element || !type.has_shape()) {
    return {};
  }
  SmallVector<int64_t> shape;
  int64_t count = 1;
  for (const auto &dim : type.shape().dim()) {
    if (dim.dim_value() < 1 || count > (int64_t(1) << 32) / dim.dim_value()) {
      return {};
    }
    shape.push_back(dim.dim_value());
    count *= dim.dim_value();
  }
  return plan::AllocOp::create(
      builder_, builder_.getUnknownLoc(),
      RankedTensorType::get(shape, toMlirType(*element, &context_)));
}

// False when an input is unusable: not defined, or its own node failed.
bool GraphImporter::bindInputs(Node &node, const onnx::NodeProto &proto,
                               const std::string &where) {
  bool usable = true;
  for (const std::string &name : proto.input()) {
    if (name.empty()) {
      node.addInput(Value());
      continue;
    }
    auto it = values_.find(name);
    if (it == values_.end()) {
      report_.add({where, "",
                   "input '" + name +
                       "' is not defined by an earlier node, "
                       "an input or an initializer",
                   true});
      usable = false;
    } else if (!it->second) {
      usable = false;
    } else {
      node.addInput(it->second);
    }
  }
  return usable;
}

void GraphImporter::bindOutputs(Node &node, const onnx::NodeProto &proto,
                                const std::string &where) {
  for (int i = 0; i < proto.output_size(); ++i) {
    const std::string &name = proto.output(i);
    if (name.empty()) {
      continue;
    }
    Value value = node.outputs()[i];
    define(name, value ? value : placeholder(name), where);
  }
}

void GraphImporter::convert(Node &node, const onnx::NodeProto &proto,
                            int64_t opset) {
  const Registration *entry =
      findOperator(proto.domain(), proto.op_type(), opset);
  node.setVersion(entry->since);
  size_t before = report_.size();
  bool good = succeeded(entry->converter(node));
  if (good) { // one that failed may not have asked for all it knows
    node.attributes().reportUnknown(entry->since);
  }
  assert((good || report_.size() > before) &&
         "a converter that fails reports why");
  (void)good, (void)before;
}

std::string GraphImporter::nameOf(int index) const {
  const std::string &name = graph_.node(index).name();
  return name.empty() ? fmt::format("op_{}", index) : name;
}

std::string GraphImporter::whereOf(int index) const {
  const onnx::NodeProto &proto = graph_.node(index);
  std::string domain = proto.domain().empty() ? "" : proto.domain() + ".";
  return fmt::format("node '{}' ({}{}, opset {})", nameOf(index), domain,
                     proto.op_type(), opsetOf(proto.domain()));
}

// What the operator files have instead, where there are some.
std::string GraphImporter::othersText() const {
  std::vector<std::string> names;
  if (options_.kernelLibrary) {
    names = options_.kernelLibrary->names();
  }
  return names.empty() ? ""
                       : fmt::format("; the operator files have {}",
                                     fmt::join(names, ", "));
}

// False, with a finding, when no converter fits the node's operator.
bool GraphImporter::checkOperator(int index) {
  const onnx::NodeProto &proto = graph_.node(index);
  int64_t opset = opsetOf(proto.domain());
  if (opset == 0) {
    report_.add({whereOf(index), "",
                 "the model imports no opset of this domain", true});
  } else if (isCustom(proto)) {
    return true;
  } else if (!isKnownOperator(proto.domain(), proto.op_type())) {
    report_.add({whereOf(index), "", "unknown operator" + othersText(), false});
  } else if (!findOperator(proto.domain(), proto.op_type(), opset)) {
    report_.add({whereOf(index), "",
                 fmt::format("the operator does not exist in opset {}", opset),
                 true});
  } else {
    return true;
  }
  return false;
}

void GraphImporter::checkOperators() {
  for (int i = 0; i < graph_.node_size(); ++i) {
    checkOperator(i);
  }
}

bool GraphImporter::isCustom(const onnx::NodeProto &proto) const {
  return options_.kernelLibrary &&
         options_.kernelLibrary->has(proto.domain(), proto.op_type());
}

LogicalResult GraphImporter::setOutputs(Node &node, ValueRange values) {
  for (auto [i, value] : llvm::enumerate(values)) {
    if (failed(node.setOutput(i, value))) {
      return failure();
    }
  }
  return success();
}

// A dispatch of a function without a body: its program is there already.
LogicalResult GraphImporter::addProgram(Node &node, const std::string &name,
                                        Location loc, TypeRange results,
                                        LibraryKernel kernel) {
  OpBuilder outer(&context_);
  outer.setInsertionPointToEnd(result_.module->getBody());
  auto function = func::FuncOp::create(
      outer, loc, name,
      outer.getFunctionType(ValueRange(node.inputs()).getTypes(), results));
  function.setPrivate();
  function->setAttr(plan::PlanDialect::kDispatchAttr, outer.getUnitAttr());
  auto dispatch =
      plan::DispatchOp::create(builder_, loc, results, name, node.inputs());
  result_.libraryKernels.emplace(name, std::move(kernel));
  return setOutputs(node, dispatch.getResults());
}

// An operation with a body, which becomes operations like any other.
LogicalResult GraphImporter::addBody(Node &node, const std::string &name,
                                     Location loc, TypeRange results,
                                     const std::string &text) {
  if (addBodyFunction(text, name, *result_.module) == nullptr) {
    return node.gap("the kernel library gives a body that does not parse");
  }
  auto custom =
      nn::CustomOp::create(builder_, loc, results, name, node.inputs());
  return setOutputs(node, custom.getResults());
}

LogicalResult GraphImporter::importCustom(Node &node,
                                          const onnx::NodeProto &proto,
                                          int index) {
  KernelCall call{proto.domain(),   proto.op_type(), {}, {}, options_.target,
                  options_.machine, options_.cores};
  for (size_t i = 0; i < node.inputCount(); ++i) {
    if (!node.hasInput(i)) {
      return node.gap("input " + std::to_string(i) +
                      " is left out; a custom operator needs all");
    }
    call.inputs.push_back(
        {*toElementType(node.type(i).getElementType()), node.shape(i).vec()});
  }
  for (const auto &attribute : proto.attribute()) {
    if (attribute.type() != onnx::AttributeProto::INT) {
      return node.gap("attributes of custom operators are integers",
                      attribute.name());
    }
    call.attributes[attribute.name()] = attribute.i();
  }
  Result<LibraryKernel> kernel = options_.kernelLibrary->build(call);
  if (!kernel) {
    return node.gap(kernel.status().message());
  }
  if (kernel->outputs.size() != node.outputCount()) {
    return node.invalid(fmt::format("has {} outputs; the operator has {}",
                                    node.outputCount(),
                                    kernel->outputs.size()));
  }
  SmallVector<Type> results;
  for (const KernelTensor &output : kernel->outputs) {
    results.push_back(RankedTensorType::get(
        output.shape, toMlirType(output.type, &context_)));
  }
  const std::string name = fmt::format("custom_{}_{}", call.op, index);
  Location loc = location(1 + index, nameOf(index));
  return kernel->body.empty()
             ? addProgram(node, name, loc, results, std::move(*kernel))
             : addBody(node, name, loc, results, kernel->body);
}

void GraphImporter::importNode(int index) {
  const onnx::NodeProto &proto = graph_.node(index);
  std::string where = whereOf(index), name = nameOf(index);
  bool single = proto.output_size() == 1;
  result_.nodes.push_back(
      {name, proto.op_type(), single ? proto.output(0) : std::string()});
  ImportState state{builder_, result_.constants, report_};
  Node node(state, proto, location(1 + index, name), where);
  bool usable = bindInputs(node, proto, where);
  std::vector<bool> used;
  for (const std::string &output : proto.output()) {
    used.push_back(!output.empty() && used_.contains(output));
  }
  node.setOutputUsed(std::move(used));
  if (checkOperator(index) && usable) {
    if (isCustom(proto)) {
      (void)importCustom(node, proto, index);
    } else {
      convert(node, proto, opsetOf(proto.domain()));
    }
  }
  bindOutputs(node, proto, where);
}

void GraphImporter::importNodes() {
  int64_t opset = opsetOf("");
  if (opset > kMaxOnnxOpset) {
    report_.add(
        {"the model", "",
         fmt::format("opset {}; supported: 1 to {}", opset, kMaxOnnxOpset),
         false});
  }
  for (int i = 0; i < graph_.node_size(); ++i) {
    importNode(i);
  }
}

//===- outputs ------------------------------------------------------------===//

void GraphImporter::finishOutputs() {
  SmallVector<Value> values;
  for (const auto &output : graph_.output()) {
    auto it = values_.find(output.name());
    if (it == values_.end()) {
      report_.add({"output '" + output.name() + "'", "",
                   "is computed by no node", true});
      continue;
    }
    if (!it->second) {
      continue; // the reason was reported
    }
    auto type = cast<RankedTensorType>(it->second.getType());
    std::optional<ElementType> element = toElementType(type.getElementType());
    if (*element != ElementType::kF32 && *element != ElementType::kF16) {
      report_.add({"output '" + output.name() + "'", "",
                   fmt::format("has element type {}; supported: f32 and f16",
                               elementName(*element)),
                   false});
      continue;
    }
    values.push_back(it->second);
    result_.outputs.push_back(
        {output.name(),
         *element,
         {type.getShape().begin(), type.getShape().end()}});
  }
  plan::ReturnOp::create(builder_, builder_.getUnknownLoc(), values);
  Block &body = func_.getBody().front();
  func_.setFunctionType(builder_.getFunctionType(
      body.getArgumentTypes(), ValueRange(values).getTypes()));
  for (auto [i, input] : llvm::enumerate(result_.inputs)) {
    func_.setArgAttr(i, plan::PlanDialect::kNameAttr,
                     builder_.getStringAttr(input.name));
  }
  for (auto [i, output] : llvm::enumerate(result_.outputs)) {
    func_.setResultAttr(i, plan::PlanDialect::kNameAttr,
                        builder_.getStringAttr(output.name));
  }
}

// Nodes whose results nothing needs leave their operations behind.
static void eraseUnused(Block &body) {
  for (Operation &op : llvm::make_early_inc_range(llvm::reverse(body))) {
    if (op.use_empty() && !op.hasTrait<OpTrait::IsTerminator>()) {
      op.erase();
    }
  }
}

Result<ImportedModel> GraphImporter::run() {
  context_.loadDialect<nn::NNDialect, plan::PlanDialect>();
  Location loc = FileLineColLoc::get(&context_, fileName_, 0, 0);
  result_.module = ModuleOp::create(loc);
  builder_.setInsertionPointToStart(result_.module->getBody());
  func_ = plan::FuncOp::create(builder_, loc, "main",
                               builder_.getFunctionType({}, {}));
  builder_.setInsertionPointToStart(&func_.getBody().front());
  importInitializers();
  KILN_RETURN_IF_ERROR(resolveInputs());
  collectUses();
  importNodes();
  finishOutputs();
  KILN_RETURN_IF_ERROR(report_.status());
  eraseUnused(func_.getBody().front());
  return std::move(result_);
}

} // namespace kiln::frontend

namespace kiln {

Result<ImportedModel> importOnnxBytes(std::span<const uint8_t> bytes,
                                      const std::string &fileName,
                                      const ImportOptions &options,
                                      MLIRContext &context) {
  Result<onnx::ModelProto> model = frontend::parseModel(bytes);
  if (!model) {
    return model.status().withContext(fileName);
  }
  frontend::GraphImporter importer(*model, fileName, options, context);
  Result<ImportedModel> result = importer.run();
  return result ? std::move(result)
                : Result<ImportedModel>(result.status().withContext(fileName));
}

Result<ImportedModel> importOnnx(const std::filesystem::path &path,
                                 const ImportOptions &options,
                                 MLIRContext &context) {
  Result<std::vector<uint8_t>> bytes = frontend::readFile(path);
  if (!bytes) {
    return bytes.status();
  }
  return importOnnxBytes(*bytes, path.filename().string(), options, context);
}

} // namespace kiln
