// SPDX-License-Identifier: Apache-2.0
#include "compiler/target/package_writer.h"

#include "compiler/dialect/plan/element_types.h"
#include "compiler/target/const_recipe.h"
#include "compiler/transforms/plan_arena.h"

#include "mlir/IR/Location.h"

#include <map>
#include <tuple>

using namespace mlir;

namespace kiln::target {
namespace {

std::optional<hal::DataType> dataType(Type element) {
  std::optional<ElementType> type = toElementType(element);
  return type ? hal::parseDataType(elementName(*type)) : std::nullopt;
}

/// The first name and file position inside a location.
struct Origin {
  std::string name, file;
  unsigned line = 0;
};

Origin originOf(mlir::Location loc) {
  Origin origin;
  loc->walk([&](mlir::Location l) {
    if (auto name = dyn_cast<NameLoc>(l)) {
      if (origin.name.empty()) {
        origin.name = name.getName().str();
      }
    } else if (auto file = dyn_cast<FileLineColLoc>(l)) {
      origin.file = file.getFilename().str();
      origin.line = file.getLine();
      return WalkResult::interrupt();
    }
    return WalkResult::advance();
  });
  return origin;
}

/// A byte range an instruction touches.
struct Range {
  hal::BufferKind kind;
  uint32_t index;
  int64_t begin, end;
  bool write;
};

bool conflicts(const Range &a, const Range &b) {
  return (a.write || b.write) && a.kind == b.kind && a.index == b.index &&
         a.begin < b.end && b.begin < a.end;
}

class PackageBuilder {
public:
  PackageBuilder(plan::FuncOp main, const ConstantStore &constants,
                 const TargetCode &code, const PackageInfo &info)
      : main(main), constants(constants), code(code), info(info) {}

  Result<hal::PackageModel> run();

private:
  Result<uint32_t> addValue(Value value, const std::string &name);
  Status addResult(plan::DispatchOp op, Value value);
  Status addPorts();
  Status addConstant(plan::ConstOp op);
  Status addDispatch(plan::DispatchOp op);
  void addCopy(plan::CopyOp op);
  hal::BufferRef refOf(plan::PlaceAttr place, int64_t bytes);
  hal::BufferRef refOf(Value value) {
    return refOf(plan::placeOf(value), plan::tensorBytes(value.getType()));
  }
  int32_t sourceOf(Operation *op);
  /// Appends an instruction, after a barrier when it touches bytes that an
  /// instruction since the last one writes (or the other way round).
  void append(hal::PlanOp op, std::vector<Range> ranges);
  static Range rangeOf(const hal::BufferRef &ref, bool write) {
    int64_t offset = hal::constantValue(ref.offset).value();
    return {ref.kind, ref.index, offset,
            offset + hal::constantValue(ref.size).value(), write};
  }

  plan::FuncOp main;
  const ConstantStore &constants;
  const TargetCode &code;
  const PackageInfo &info;
  hal::PackageModel model;
  std::vector<hal::PlanOp> ops;
  std::vector<Range> sinceBarrier;
  std::vector<uint32_t> constantIndex; // by position of the plan.const
  std::map<std::pair<const void *, const void *>, uint32_t> evaluated;
  llvm::DenseMap<Value, int32_t> valueIndex;
  std::map<std::tuple<std::string, std::string, unsigned>, int32_t> sources;
};

/// How an NPU stores an image [N,C,H,W]: [C1,N,H,W,C0].
bool isBlocked(ArrayRef<int64_t> stored, ArrayRef<int64_t> image) {
  return stored.size() == 5 && image.size() == 4 && stored[1] == image[0] &&
         stored[2] == image[2] && stored[3] == image[3] && stored[4] > 0 &&
         stored[0] == (image[1] + stored[4] - 1) / stored[4];
}

Result<uint32_t> PackageBuilder::addValue(Value value,
                                          const std::string &name) {
  auto type = cast<RankedTensorType>(value.getType());
  std::optional<hal::DataType> element = dataType(type.getElementType());
  if (!element) {
    return Status(StatusCode::kUnsupported,
                  "tensor '" + name +
                      "' has an element type packages cannot "
                      "hold");
  }
  hal::ValueModel v;
  v.name = name;
  v.type = *element;
  v.shape.assign(type.getShape().begin(), type.getShape().end());
  Operation *def = value.getDefiningOp();
  if (def && def->hasAttr(plan::kChannelsLastAttr)) {
    v.layout = hal::Layout::kNHWC;
    v.physicalShape = v.shape;
    v.shape = {v.shape[0], v.shape[3], v.shape[1], v.shape[2]};
  }
  model.values.push_back(std::move(v));
  valueIndex[value] = model.values.size() - 1;
  return static_cast<uint32_t>(model.values.size() - 1);
}

/// A value between dispatches: named like the model's when it is one of them,
/// in its logical shape; else "@" and the dispatch.
Status PackageBuilder::addResult(plan::DispatchOp op, Value value) {
  auto result =
      op->getAttrOfType<plan::ResultAttr>(plan::PlanDialect::kResultAttr);
  std::string name;
  if (result && result.getNode() >= 1 &&
      result.getNode() <= static_cast<int64_t>(info.nodes.size())) {
    name = info.nodes[result.getNode() - 1].output;
  }
  bool known = !name.empty();
  KILN_ASSIGN_OR_RETURN(
      uint32_t index,
      addValue(value, known ? name : "@" + op.getCallee().str()));
  auto logical =
      known ? cast<RankedTensorType>(result.getType()) : RankedTensorType();
  hal::ValueModel &v = model.values[index];
  if (logical && isBlocked(v.shape, logical.getShape())) {
    v.layout = hal::Layout::kNC1HWC0;
    v.physicalShape = v.shape;
    v.shape.assign(logical.getShape().begin(), logical.getShape().end());
  }
  return Status::ok();
}

Status PackageBuilder::addPorts() {
  for (BlockArgument arg : main.getBody().getArguments()) {
    KILN_ASSIGN_OR_RETURN(
        uint32_t index,
        addValue(arg, main.getArgName(arg.getArgNumber()).str()));
    model.inputs.push_back(index);
  }
  Operation *ret = main.getBody().front().getTerminator();
  for (auto [i, value] : llvm::enumerate(ret->getOperands())) {
    KILN_ASSIGN_OR_RETURN(uint32_t index,
                          addValue(value, main.getResultName(i).str()));
    model.outputs.push_back(index);
  }
  return Status::ok();
}

Status PackageBuilder::addConstant(plan::ConstOp op) {
  ArrayAttr recipe = op.getRecipeAttr();
  auto key = std::make_pair(op.getSymbolAttr().getAsOpaquePointer(),
                            recipe ? recipe.getAsOpaquePointer() : nullptr);
  auto [it, isNew] = evaluated.try_emplace(key, model.constants.size());
  constantIndex.push_back(it->second);
  if (!isNew) {
    return Status::ok();
  }
  const Constant *stored = constants.find(op.getSymbol());
  if (!stored) {
    return Status(StatusCode::kInternal,
                  "no constant '" + op.getSymbol().str() + "'");
  }
  KILN_ASSIGN_OR_RETURN(Constant value, evaluateRecipe(*stored, recipe));
  auto type = cast<RankedTensorType>(op.getResult().getType());
  std::optional<hal::DataType> element = dataType(type.getElementType());
  if (!element) {
    return Status(StatusCode::kUnsupported,
                  "constant '" + op.getSymbol().str() +
                      "' has an element type packages cannot hold");
  }
  hal::ConstantModel c;
  c.name = originOf(op.getLoc()).name;
  if (c.name.empty()) {
    c.name = op.getSymbol().str();
  }
  c.type = *element;
  c.physicalShape.assign(type.getShape().begin(), type.getShape().end());
  c.bytes = hal::Blob(std::move(value.bytes));
  model.constants.push_back(std::move(c));
  return Status::ok();
}

hal::BufferRef PackageBuilder::refOf(plan::PlaceAttr place, int64_t bytes) {
  int64_t offset = place.getOffset();
  uint32_t index = static_cast<uint32_t>(place.getIndex());
  switch (place.getKind()) {
  case plan::PlaceKind::Arena:
    return hal::BufferRef::arena(offset, bytes);
  case plan::PlaceKind::Input:
    return hal::BufferRef::make(hal::BufferKind::kInput, index, offset, bytes);
  case plan::PlaceKind::Output:
    return hal::BufferRef::make(hal::BufferKind::kOutput, index, offset, bytes);
  case plan::PlaceKind::Constant:
    return hal::BufferRef::make(hal::BufferKind::kConstant,
                                constantIndex.at(index), offset, bytes);
  }
  llvm_unreachable("unknown place");
}

int32_t PackageBuilder::sourceOf(Operation *op) {
  Origin origin = originOf(op->getLoc());
  if (origin.name.empty() && origin.file.empty()) {
    return hal::kNoIndex;
  }
  auto [it, isNew] =
      sources.try_emplace({origin.name, origin.file, origin.line},
                          static_cast<int32_t>(model.sourceMap.size()));
  if (isNew) {
    hal::SourceEntry entry;
    entry.node = origin.name;
    entry.file = origin.file;
    entry.line = origin.line;
    if (origin.line >= 1 && origin.line <= info.nodes.size()) {
      entry.opType = info.nodes[origin.line - 1].opType;
    }
    model.sourceMap.push_back(std::move(entry));
  }
  return it->second;
}

void PackageBuilder::append(hal::PlanOp op, std::vector<Range> ranges) {
  bool conflict = llvm::any_of(ranges, [&](const Range &r) {
    return llvm::any_of(sinceBarrier,
                        [&](const Range &o) { return conflicts(r, o); });
  });
  if (conflict) {
    ops.push_back(hal::BarrierModel{});
    sinceBarrier.clear();
  }
  ops.push_back(std::move(op));
  llvm::append_range(sinceBarrier, ranges);
}

Status PackageBuilder::addDispatch(plan::DispatchOp op) {
  auto it = code.dispatches.find(op.getCallee().str());
  if (it == code.dispatches.end()) {
    return Status(StatusCode::kInternal,
                  "no code for dispatch '" + op.getCallee().str() + "'");
  }
  hal::DispatchModel dispatch;
  dispatch.name = op.getCallee().str();
  dispatch.program = it->second.program;
  dispatch.entry = it->second.entry;
  dispatch.blockDim = hal::Expr::constant(it->second.blockDim);
  dispatch.source = sourceOf(op);
  if (auto macs =
          op->getAttrOfType<plan::MacsAttr>(plan::PlanDialect::kMacsAttr)) {
    dispatch.macs = static_cast<uint64_t>(macs.getCount());
    dispatch.macType = dataType(macs.getType()).value_or(dispatch.macType);
  }
  std::vector<Range> ranges;
  auto bind = [&](Value value, hal::Access access) {
    auto found = valueIndex.find(value);
    int32_t index = found == valueIndex.end() ? hal::kNoIndex : found->second;
    hal::BufferRef ref = refOf(value);
    ranges.push_back(rangeOf(ref, hal::writes(access)));
    dispatch.bindings.push_back({std::move(ref), access, index});
  };
  for (Value v : op.getOperands()) {
    bind(v, hal::Access::kRead);
  }
  for (Value v : op.getResults()) {
    if (!valueIndex.contains(v)) {
      KILN_RETURN_IF_ERROR(addResult(op, v));
    }
    bind(v, hal::Access::kWrite);
  }
  if (auto place = op->getAttrOfType<plan::PlaceAttr>(plan::kWorkspaceAttr)) {
    dispatch.workspace = refOf(place, it->second.workspaceBytes);
    ranges.push_back(rangeOf(*dispatch.workspace, true));
  }
  append(std::move(dispatch), std::move(ranges));
  return Status::ok();
}

void PackageBuilder::addCopy(plan::CopyOp op) {
  hal::CopyModel copy{refOf(op.getSource()), refOf(op.getResult())};
  std::vector<Range> ranges = {rangeOf(copy.source, false),
                               rangeOf(copy.target, true)};
  append(std::move(copy), std::move(ranges));
}

Result<hal::PackageModel> PackageBuilder::run() {
  model.fingerprint = info.fingerprint;
  model.name = info.name;
  model.target = info.target;
  model.machineName = info.machineName;
  model.machineHash = info.machineHash;
  model.precision = info.precision;
  model.isaVersion = info.isaVersion;
  model.programs = code.programs;
  model.schedules = code.schedules;
  auto arena =
      main->getAttrOfType<IntegerAttr>(plan::PlanDialect::kArenaBytesAttr);
  if (!arena) {
    return Status(StatusCode::kInternal, "plan-arena has not run");
  }
  model.plan.arenaSize = hal::Expr::constant(arena.getInt());
  KILN_RETURN_IF_ERROR(addPorts());
  for (Operation &op : main.getBody().front()) {
    if (auto constant = dyn_cast<plan::ConstOp>(op)) {
      KILN_RETURN_IF_ERROR(addConstant(constant));
    } else if (auto dispatch = dyn_cast<plan::DispatchOp>(op)) {
      KILN_RETURN_IF_ERROR(addDispatch(dispatch));
    } else if (auto copy = dyn_cast<plan::CopyOp>(op)) {
      addCopy(copy);
    } else if (!mlir::isa<plan::SliceOp, plan::ConcatOp, plan::AllocOp,
                          plan::ReturnOp>(op)) {
      return Status(StatusCode::kInternal,
                    "'" + op.getName().getStringRef().str() +
                        "' is left in the plan");
    }
  }
  model.plan.functions = {{main.getName().str(), std::move(ops)}};
  return std::move(model);
}

} // namespace

Result<hal::PackageModel> buildPackage(plan::FuncOp main,
                                       const ConstantStore &constants,
                                       const TargetCode &code,
                                       const PackageInfo &info) {
  return PackageBuilder(main, constants, code, info).run();
}

} // namespace kiln::target
