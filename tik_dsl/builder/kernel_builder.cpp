// SPDX-License-Identifier: Apache-2.0
#include "tik_dsl/builder/kernel_builder.h"

#include "compiler/dialect/npu/NpuOps.h"
#include "compiler/transforms/npu/insert_sync.h"

using namespace mlir;

namespace kiln::tik {

namespace {

constexpr uint32_t kMaxDepth = 8;
constexpr uint32_t kTypes = 8;
constexpr int64_t kMostElements = int64_t{1} << 40;

std::string shapeText(const MemoryEntry &entry) {
  std::string text;
  for (int64_t dim : entry.dims) {
    text += (text.empty() ? "" : "x") + std::to_string(dim);
  }
  return text + " " + std::string(isa::name(entry.type));
}

} // namespace

isa::ElementType elementTypeOf(uint32_t type) {
  return static_cast<isa::ElementType>(type % kTypes);
}

Type mlirType(MLIRContext *context, isa::ElementType type) {
  OpBuilder b(context);
  switch (type) {
  case isa::ElementType::I8:
    return b.getI8Type();
  case isa::ElementType::U8:
    return b.getIntegerType(8, /*isSigned=*/false);
  case isa::ElementType::I16:
    return b.getI16Type();
  case isa::ElementType::U16:
    return b.getIntegerType(16, /*isSigned=*/false);
  case isa::ElementType::I32:
    return b.getI32Type();
  case isa::ElementType::F16:
    return b.getF16Type();
  case isa::ElementType::BF16:
    return b.getBF16Type();
  case isa::ElementType::F32:
    return b.getF32Type();
  }
  return {};
}

KernelBuilder::KernelBuilder(MLIRContext *context, MessageList &messages,
                             KernelOptions options)
    : options_(std::move(options)), messages_(messages), builder_(context),
      loc_(FileLineColLoc::get(context, options_.file, 1, 1)) {
  module_ = ModuleOp::create(loc_);
  builder_.setInsertionPointToStart(module_->getBody());
  kernel_ = func::FuncOp::create(builder_, loc_, options_.name,
                                 builder_.getFunctionType({}, {}));
  kernel_->setAttr(npu::kKernelAttr, builder_.getUnitAttr());
  builder_.setInsertionPointToStart(kernel_.addEntryBlock());
  memories_.emplace_back(); // handle 0
  values_.emplace_back();
  line_ = {options_.file, 0, 0};
  openScope(ScopeKind::kKernel, 1);
}

void KernelBuilder::addArguments(const std::vector<TensorArgument> &tensors,
                                 const std::vector<DynamicSize> &sizes) {
  for (const TensorArgument &tensor : tensors) {
    MemoryEntry entry;
    entry.name = tensor.name;
    entry.type = tensor.type;
    entry.declared = tensor.declared;
    entry.kind = tensor.isOutput ? TensorKind::kOutput : TensorKind::kInput;
    for (int64_t dim : tensor.dims) {
      entry.dims.push_back(dim < 0 ? KILN_TIK_DYNAMIC : dim);
    }
    entry.base = tensorArgument(entry);
    entry.bytes =
        cast<MemRefType>(entry.base.getType()).hasStaticShape()
            ? cast<MemRefType>(entry.base.getType()).getNumElements() *
                  isa::sizeOf(entry.type)
            : Facts::kLimit;
    memories_.push_back(std::move(entry));
  }
  std::vector<KilnTikValue> handles;
  for (const DynamicSize &size : sizes) {
    const unsigned number = kernel_.getNumArguments();
    (void)kernel_.insertArgument(number, builder_.getIndexType(), {}, loc_);
    handles.push_back(add(kernel_.getArgument(number),
                          Facts{size.least, size.most, 1, true, true}));
  }
  for (size_t i = 0; i < tensors.size(); ++i) {
    for (int64_t dim : tensors[i].dims) {
      memories_[i + 1].extents.push_back(
          dim < 0 ? handles[static_cast<size_t>(-1 - dim)] : constant(dim));
    }
  }
}

/// A memref argument after those that are there.
Value KernelBuilder::tensorArgument(const MemoryEntry &entry) {
  SmallVector<int64_t> shape;
  for (int64_t dim : entry.dims) {
    shape.push_back(dim == KILN_TIK_DYNAMIC ? ShapedType::kDynamic : dim);
  }
  auto memref =
      MemRefType::get(shape, mlirType(builder_.getContext(), entry.type));
  unsigned number = 0; // sizes of the launch come last
  while (number < kernel_.getNumArguments() &&
         llvm::isa<MemRefType>(kernel_.getArgumentTypes()[number])) {
    ++number;
  }
  (void)kernel_.insertArgument(number, memref, {}, loc_);
  return kernel_.getArgument(number);
}

KilnTikMemory KernelBuilder::addMemory(MemoryEntry entry) {
  memories_.push_back(std::move(entry));
  return static_cast<KilnTikMemory>(memories_.size() - 1);
}

void KernelBuilder::created(Operation *op) {
  if (insideManual()) {
    op->setAttr(npu::kManualAttr, builder_.getUnitAttr());
  }
}

//===----------------------------------------------------------------------===//
// Lines, scopes, handles
//===----------------------------------------------------------------------===//

void KernelBuilder::at(const KilnTikLine *line) {
  if (line == nullptr || line->file == nullptr) {
    return; // the last known line
  }
  line_ = authorOf(line);
  loc_ = FileLineColLoc::get(builder_.getContext(), line_.file, line_.line,
                             line_.column);
}

AuthorLine KernelBuilder::authorOf(const KilnTikLine *line) const {
  AuthorLine author = AuthorLine::of(line);
  // A caller was resolved when its call began, so one step is enough.
  if (!called_.empty() && called_.back().file == author.file) {
    return called_.back().caller;
  }
  return author;
}

void KernelBuilder::beginCalled(const KilnTikLine *here,
                                const KilnTikLine *caller) {
  called_.push_back({AuthorLine::of(here).file, authorOf(caller)});
}

void KernelBuilder::endCalled() {
  if (!called_.empty()) {
    called_.pop_back();
  }
}

void KernelBuilder::mistake(Mistake number, const std::string &text) {
  messages_.add(number, line_, std::string(call_) + ": " + text);
}

uint32_t KernelBuilder::openScope(ScopeKind kind, uint32_t depth,
                                  bool perBlock) {
  const auto id = static_cast<uint32_t>(scopeInfos_.size());
  scopeInfos_.push_back({kind, line_});
  scopes_.push_back({id, kind, depth, perBlock});
  return id;
}

/// Closes scopes up to the innermost one of this kind; scopes that a mistake
/// left open inside it go with it.
void KernelBuilder::closeScope(ScopeKind kind) {
  while (scopes_.size() > 1) {
    const ScopeKind closed = scopes_.back().kind;
    scopes_.pop_back();
    if (closed == ScopeKind::kManual) {
      npu::BarrierOp::create(builder_, loc_);
    } else if (closed == ScopeKind::kAccumulate) {
      accumulation_ = 0;
    } else if (closed != ScopeKind::kBlocks) {
      Operation *op = builder_.getInsertionBlock()->getParentOp();
      builder_.setInsertionPointAfter(op);
    }
    if (closed == kind) {
      return;
    }
  }
}

bool KernelBuilder::isOpen(uint32_t scope) const {
  return llvm::any_of(scopes_, [&](const Scope &s) { return s.id == scope; });
}

bool KernelBuilder::inside(ScopeKind kind) const {
  return llvm::any_of(scopes_, [&](const Scope &s) { return s.kind == kind; });
}

bool KernelBuilder::insideWhen() const { return inside(ScopeKind::kWhen); }

bool KernelBuilder::insideManual() const { return inside(ScopeKind::kManual); }

bool KernelBuilder::insidePerBlock() const {
  return llvm::any_of(scopes_, [](const Scope &s) { return s.perBlock; });
}

std::string KernelBuilder::scopeText(uint32_t scope) const {
  const ScopeInfo &info = scopeInfos_[scope];
  const char *kind = info.kind == ScopeKind::kRange    ? "the range"
                     : info.kind == ScopeKind::kWhen   ? "the branch"
                     : info.kind == ScopeKind::kManual ? "the manual scope"
                     : info.kind == ScopeKind::kBlocks ? "the blocks"
                     : info.kind == ScopeKind::kAccumulate
                         ? "the accumulate scope"
                         : "the kernel";
  return std::string(kind) + " of line " + std::to_string(info.line.line);
}

const MemoryEntry *KernelBuilder::memory(KilnTikMemory handle) {
  if (handle == 0) {
    return nullptr; // reported where it came from
  }
  if (handle >= memories_.size()) {
    mistake(Mistake::kUnknownHandle, "this is no tensor or buffer of the "
                                     "kernel");
    return nullptr;
  }
  const MemoryEntry &entry = memories_[handle];
  if (!isOpen(entry.scope)) {
    mistake(Mistake::kUseAfterScope,
            "'" + entry.name + "' was created in " + scopeText(entry.scope) +
                " and is used after it; create it outside");
    return nullptr;
  }
  return &entry;
}

const ValueEntry *KernelBuilder::value(KilnTikValue handle) {
  if (handle == 0) {
    return nullptr;
  }
  if (handle >= values_.size()) {
    mistake(Mistake::kUnknownHandle, "this is no value of the kernel");
    return nullptr;
  }
  const ValueEntry &entry = values_[handle];
  if (!isOpen(entry.scope)) {
    mistake(Mistake::kUseAfterScope,
            "a value computed in " + scopeText(entry.scope) +
                " is used after it; a C++ variable does not carry a run-time "
                "value out of a loop or from one iteration to the next");
    return nullptr;
  }
  return &entry;
}

//===----------------------------------------------------------------------===//
// Memories
//===----------------------------------------------------------------------===//

KilnTikMemory KernelBuilder::tensor(const char *name, const KilnTikLine *line) {
  at(line);
  call_ = "tensor";
  name = name ? name : "";
  std::string names;
  for (size_t i = 1; i < memories_.size(); ++i) {
    const MemoryEntry &entry = memories_[i];
    if (entry.space != isa::Space::GM || entry.kind == TensorKind::kWorkspace) {
      break;
    }
    if (entry.name == name) {
      return static_cast<KilnTikMemory>(i);
    }
    names += (names.empty() ? "'" : ", '") + entry.name + "'";
  }
  mistake(Mistake::kUnknownName,
          "'" + std::string(name) + "' is not declared; there are " + names);
  return 0;
}

void KernelBuilder::describe(KilnTikMemory handle, KilnTikMemoryInfo *out) {
  *out = {};
  if (handle == 0 || handle >= memories_.size()) {
    return;
  }
  const MemoryEntry &entry = memories_[handle];
  out->type = static_cast<uint32_t>(entry.type);
  out->space = static_cast<uint32_t>(entry.space);
  out->rank = static_cast<uint32_t>(entry.dims.size());
  std::copy(entry.dims.begin(), entry.dims.end(), out->dims);
}

KilnTikValue KernelBuilder::extent(KilnTikMemory handle, uint32_t dim) {
  const MemoryEntry *entry = memory(handle);
  if (entry == nullptr) {
    return 0;
  }
  if (dim < entry->extents.size()) {
    return entry->extents[dim];
  }
  return constant(dim < entry->dims.size() ? entry->dims[dim] : 1);
}

KilnTikMemory KernelBuilder::workspace(uint32_t type, uint32_t rank,
                                       const int64_t *dims, const char *name,
                                       const KilnTikLine *line) {
  at(line);
  call_ = "workspace";
  name = name ? name : "workspace";
  if (!isField("type", name, type, 0, kTypes - 1) ||
      !isField("number of dimensions", name, rank, 1, KILN_TIK_MAX_RANK)) {
    return 0;
  }
  MemoryEntry entry;
  entry.name = name;
  entry.type = elementTypeOf(type);
  entry.dims.assign(dims, dims + rank);
  entry.kind = TensorKind::kWorkspace;
  if (!checkShape(entry)) {
    return 0;
  }
  entry.bytes = isa::sizeOf(entry.type);
  for (int64_t dim : entry.dims) {
    entry.bytes *= dim;
  }
  const auto capacity = static_cast<int64_t>(options_.capacities[KILN_TIK_GM]);
  if (entry.bytes > capacity) {
    mistake(Mistake::kDoesNotFit, "'" + entry.name + "' (" + shapeText(entry) +
                                      ") takes " + std::to_string(entry.bytes) +
                                      " bytes; GM has " +
                                      std::to_string(capacity));
    return 0;
  }
  entry.base = tensorArgument(entry);
  return addMemory(std::move(entry));
}

std::vector<uint64_t> KernelBuilder::workspaceBytes() const {
  std::vector<uint64_t> bytes;
  for (const MemoryEntry &entry : memories_) {
    if (entry.kind == TensorKind::kWorkspace) {
      bytes.push_back(static_cast<uint64_t>(entry.bytes));
    }
  }
  return bytes;
}

bool KernelBuilder::checkShape(const MemoryEntry &entry) {
  const bool matrix = entry.space == isa::Space::L0A ||
                      entry.space == isa::Space::L0B ||
                      entry.space == isa::Space::L0C;
  if (matrix && entry.dims.size() != 2) {
    mistake(Mistake::kBadShape,
            "'" + entry.name + "' is " + shapeText(entry) + "; a buffer of " +
                std::string(isa::name(entry.space)) + " has two dimensions");
    return false;
  }
  __int128 elements = 1;
  for (int64_t dim : entry.dims) {
    elements = dim <= 0 ? 0 : elements * dim;
    if (elements <= 0 || elements > kMostElements) {
      mistake(elements <= 0 ? Mistake::kEmptyBuffer : Mistake::kHugeBuffer,
              "'" + entry.name + "' is " + shapeText(entry) +
                  (elements <= 0 ? "; every size is at least 1"
                                 : "; no memory is that large"));
      return false;
    }
  }
  const int64_t rowBytes = entry.dims.back() * isa::sizeOf(entry.type);
  const bool local = entry.space != isa::Space::GM;
  if (local && !matrix && entry.dims.size() > 1 && rowBytes % 32 != 0) {
    mistake(Mistake::kOddRows, "rows of '" + entry.name + "' (" +
                                   shapeText(entry) + ") are " +
                                   std::to_string(rowBytes) +
                                   " bytes, not a multiple of 32; use " +
                                   std::to_string((rowBytes + 31) / 32 * 32 /
                                                  isa::sizeOf(entry.type)) +
                                   " columns");
    return false;
  }
  return true;
}

/// A field of a buffer or workspace.
bool KernelBuilder::isField(const char *what, const char *name, uint32_t value,
                            uint32_t least, uint32_t most) {
  const std::string field = std::string("the ") + what + " of '" + name + "'";
  return inRange(field.c_str(), value, least, most, Mistake::kBufferField);
}

KilnTikMemory KernelBuilder::alloc(uint32_t space, uint32_t type, uint32_t rank,
                                   const int64_t *dims, uint32_t depth,
                                   const char *name, const KilnTikLine *line) {
  at(line);
  call_ = "buffer";
  if (options_.quick && !messages_.empty()) {
    return 0; // later commands on it are silent
  }
  name = name ? name : "buffer";
  if (!isField("space", name, space, 1, isa::kNumSpaces - 1) ||
      !isField("type", name, type, 0, kTypes - 1) ||
      !isField("number of dimensions", name, rank, 1, KILN_TIK_MAX_RANK) ||
      !isField("number of slots", name, depth, 0, kMaxDepth)) {
    return 0;
  }
  MemoryEntry entry;
  entry.name = name;
  entry.space = static_cast<isa::Space>(space);
  entry.type = elementTypeOf(type);
  entry.dims.assign(dims, dims + rank);
  entry.scope = scopes_.back().id;
  if (!checkShape(entry)) {
    return 0;
  }
  if (entry.space == isa::Space::L0C && entry.type != isa::ElementType::F32 &&
      entry.type != isa::ElementType::I32) {
    mistake(Mistake::kAccumulatorType,
            "'" + entry.name + "' is " + std::string(isa::name(entry.type)) +
                "; accumulators in L0C are f32 or i32");
    return 0;
  }
  const bool inRange = scopes_.back().kind == ScopeKind::kRange;
  if (depth > 1 && !inRange) {
    mistake(Mistake::kUselessDepth,
            "'" + entry.name + "' has " + std::to_string(depth) +
                " slots, which take turns in the iterations of a range; "
                "create it directly in the body of one");
    return 0;
  }
  auto memref =
      MemRefType::get(entry.dims, mlirType(builder_.getContext(), entry.type),
                      MemRefLayoutAttrInterface(),
                      npu::spaceAttr(builder_.getContext(), entry.space));
  entry.bytes = npu::localBytes(memref);
  const auto capacity = static_cast<int64_t>(options_.capacities[space]);
  if (entry.bytes > capacity) {
    mistake(Mistake::kDoesNotFit,
            "'" + entry.name + "' (" + shapeText(entry) + ") takes " +
                std::to_string(entry.bytes) + " bytes; " +
                std::string(isa::name(entry.space)) + " has " +
                std::to_string(capacity) + "; use a smaller tile");
    return 0;
  }
  const int64_t slots = depth > 0 ? depth : inRange ? scopes_.back().depth : 1;
  if (options_.quick && slots > 1 &&
      !certainlyFits(entry.space, slots * entry.bytes)) {
    return 0;
  }
  entry.base = npu::AllocOp::create(builder_, loc_, memref, entry.name, slots);
  return addMemory(std::move(entry));
}

//===----------------------------------------------------------------------===//
// Control flow
//===----------------------------------------------------------------------===//

KilnTikValue KernelBuilder::beginBlocks(int64_t count,
                                        const KilnTikLine *line) {
  at(line);
  call_ = "blocks";
  const bool outermost = scopes_.size() == 1;
  if (!outermost || hasBlocks_) {
    mistake(outermost ? Mistake::kSecondBlocks : Mistake::kBlocksMisplaced,
            outermost ? "a kernel has one blocks()"
                      : "blocks() stands in " + scopeText(scopes_.back().id) +
                            "; it is the outermost construct of a kernel");
  } else if (inRange("the number of blocks", count, 1, (int64_t{1} << 31),
                     Mistake::kBlockCount)) {
    blockCount_ = count;
  }
  hasBlocks_ = true;
  openScope(ScopeKind::kBlocks, 1);
  if (count <= 1) {
    return constant(0);
  }
  return add(npu::BlockIndexOp::create(builder_, loc_),
             Facts{0, count - 1, 1, true, true}, false, /*perBlock=*/true);
}

void KernelBuilder::endBlocks(const KilnTikLine *) {
  closeScope(ScopeKind::kBlocks);
}

KilnTikValue KernelBuilder::beginRange(KilnTikValue from, KilnTikValue to,
                                       KilnTikValue step, uint32_t depth,
                                       const KilnTikLine *line) {
  at(line);
  call_ = "range";
  Value low = indexOf(from), high = indexOf(to), by = indexOf(step);
  const Facts facts =
      Facts::iteration(factsOf(from), factsOf(to), factsOf(step));
  bool ok = low && high && by;
  if (ok && factsOf(step).low < 1) {
    mistake(Mistake::kBadStep, "the step is not known to be at least 1");
    ok = false;
  }
  if (ok && (depth < 1 || depth > kMaxDepth)) {
    mistake(Mistake::kSlotCount,
            "buffers(" + std::to_string(depth) + "); 1 to 8 slots");
    ok = false;
  }
  if (!ok) { // keep building: the body has its own mistakes to show
    low = index(0);
    high = index(1);
    by = index(1);
  }
  const bool perBlock = isPerBlock(from) || isPerBlock(to) || isPerBlock(step);
  auto loop = scf::ForOp::create(builder_, loc_, low, high, by);
  builder_.setInsertionPointToStart(loop.getBody());
  openScope(ScopeKind::kRange, ok ? depth : 1, perBlock);
  return ok ? add(loop.getInductionVar(), facts, false, perBlock) : 0;
}

void KernelBuilder::endRange(const KilnTikLine *) {
  closeScope(ScopeKind::kRange);
}

void KernelBuilder::beginWhen(KilnTikValue condition, const KilnTikLine *line) {
  at(line);
  call_ = "when";
  Value holds = conditionOf(condition);
  if (!holds) {
    holds = arith::ConstantIntOp::create(builder_, loc_, 1, 1);
  }
  auto branch =
      scf::IfOp::create(builder_, loc_, holds, /*withElseRegion=*/false);
  builder_.setInsertionPointToStart(branch.thenBlock());
  openScope(ScopeKind::kWhen, 1, isPerBlock(condition));
}

void KernelBuilder::beginOtherwise(const KilnTikLine *line) {
  at(line);
  auto branch =
      dyn_cast<scf::IfOp>(builder_.getInsertionBlock()->getParentOp());
  if (!branch || !branch.getElseRegion().empty()) {
    call_ = "otherwise";
    mistake(Mistake::kOtherwiseAlone, "otherwise() without its when()");
    return;
  }
  const bool perBlock = scopes_.back().perBlock;
  closeScope(ScopeKind::kWhen);
  builder_.createBlock(&branch.getElseRegion());
  scf::YieldOp::create(builder_, loc_);
  builder_.setInsertionPointToStart(branch.elseBlock());
  openScope(ScopeKind::kWhen, 1, perBlock);
}

void KernelBuilder::endWhen(const KilnTikLine *) {
  const bool isBranch = scopes_.back().kind == ScopeKind::kWhen;
  Operation *branch = builder_.getInsertionBlock()->getParentOp();
  lastWhen_ = {isBranch ? branch : nullptr, scopes_.back().perBlock};
  closeScope(ScopeKind::kWhen);
}

void KernelBuilder::continueOtherwise(const KilnTikLine *line) {
  at(line);
  call_ = "otherwise";
  const Block::iterator here = builder_.getInsertionPoint();
  Operation *before = here == builder_.getInsertionBlock()->begin()
                          ? nullptr
                          : &*std::prev(here);
  auto branch = dyn_cast_or_null<scf::IfOp>(before);
  if (!branch || before != lastWhen_.branch ||
      !branch.getElseRegion().empty()) {
    mistake(Mistake::kOtherwiseAlone, "otherwise() does not follow its when()");
    Value always = arith::ConstantIntOp::create(builder_, loc_, 1, 1);
    branch = scf::IfOp::create(builder_, loc_, always, /*withElseRegion=*/true);
  } else {
    builder_.createBlock(&branch.getElseRegion());
    scf::YieldOp::create(builder_, loc_);
  }
  builder_.setInsertionPointToStart(branch.elseBlock());
  openScope(ScopeKind::kWhen, 1, lastWhen_.perBlock);
}

//===----------------------------------------------------------------------===//
// Manual synchronisation, assertions
//===----------------------------------------------------------------------===//

void KernelBuilder::beginManual(const KilnTikLine *line) {
  at(line);
  call_ = "manual";
  if (insideManual()) {
    mistake(Mistake::kManualNested, "manual() stands in a manual scope");
  }
  hasManual_ = true;
  npu::BarrierOp::create(builder_, loc_);
  openScope(ScopeKind::kManual, 1);
}

void KernelBuilder::endManual(const KilnTikLine *) {
  closeScope(ScopeKind::kManual);
}

template <typename Op>
void KernelBuilder::flag(uint32_t src, uint32_t dst, KilnTikValue id) {
  if (!insideManual()) {
    mistake(Mistake::kFlagOutside,
            "flags are set and waited for in a manual() scope only; outside "
            "of it the compiler does both");
    return;
  }
  if (!inRange("the source pipe", src, 0, isa::kNumPipes - 1) ||
      !inRange("the destination pipe", dst, 0, isa::kNumPipes - 1)) {
    return;
  }
  if (src == dst) {
    mistake(Mistake::kSamePipe, "the flag goes from " +
                                    std::string(isa::kPipeNames[src]) +
                                    " to itself");
    return;
  }
  Value number = indexOf(id);
  const Facts facts = factsOf(id);
  if (!number) {
    return;
  }
  if (facts.low < 0 || facts.high >= isa::kNumFlagIds) {
    mistake(Mistake::kFlagId,
            facts.isConstant()
                ? "flag " + std::to_string(facts.low) + "; ids are 0 to 7"
                : "the flag's id is not known to be 0 to 7");
    return;
  }
  auto op = Op::create(builder_, loc_, static_cast<npu::PipeKind>(src),
                       static_cast<npu::PipeKind>(dst), number);
  op->setAttr(npu::kManualAttr, builder_.getUnitAttr());
  op->setAttr(npu::kManualIdsAttr, builder_.getI64IntegerAttr(facts.high + 1));
}

void KernelBuilder::setFlag(uint32_t src, uint32_t dst, KilnTikValue id,
                            const KilnTikLine *line) {
  at(line);
  call_ = "setFlag";
  flag<npu::SetFlagOp>(src, dst, id);
}

void KernelBuilder::waitFlag(uint32_t src, uint32_t dst, KilnTikValue id,
                             const KilnTikLine *line) {
  at(line);
  call_ = "waitFlag";
  flag<npu::WaitFlagOp>(src, dst, id);
}

bool KernelBuilder::mayFail(KilnTikValue condition, const char *text) {
  const ValueEntry *entry = value(condition);
  if (entry == nullptr || !conditionOf(condition)) {
    return false;
  }
  if (!entry->value && entry->facts.low == 0) {
    mistake(Mistake::kAssertAlwaysFails,
            "'" + std::string(text ? text : "") + "' never holds");
  }
  return bool(entry->value);
}

void KernelBuilder::require(KilnTikValue condition, const char *text,
                            const KilnTikLine *line) {
  at(line);
  call_ = "require";
  if (!mayFail(condition, text)) {
    return;
  }
  Value holds = conditionOf(condition);
  Value one = arith::ConstantIntOp::create(builder_, loc_, 1, 1);
  Value fails = arith::XOrIOp::create(builder_, loc_, holds, one);
  auto branch =
      scf::IfOp::create(builder_, loc_, fails, /*withElseRegion=*/false);
  OpBuilder inner(branch.thenBlock()->getTerminator());
  Value code = arith::ConstantIntOp::create(
      inner, loc_,
      CompiledKernel::kAssertionCode + static_cast<int64_t>(assertions_.size()),
      64);
  npu::TrapOp::create(inner, loc_, code);
  assertions_.push_back({line_, text ? text : ""});
}

} // namespace kiln::tik
