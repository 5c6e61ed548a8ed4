// SPDX-License-Identifier: Apache-2.0
#include "hal/api/session.h"

#include <algorithm>
#include <cstring>

namespace kiln::hal {
namespace {

Status bad(std::string message) {
  return {StatusCode::kInvalidArgument, std::move(message)};
}

std::string shapeText(const std::vector<int64_t> &shape) {
  std::string text = "[";
  for (size_t i = 0; i < shape.size(); ++i) {
    text += (i ? "," : "") + std::to_string(shape[i]);
  }
  return text + "]";
}

Status checkInput(const ValueModel &expected, const HostTensor &found) {
  KILN_ASSIGN_OR_RETURN(uint64_t bytes, byteSize(expected));
  if (found.type == expected.type && found.shape == expected.shape &&
      found.bytes.size() == bytes) {
    return Status::ok();
  }
  return bad("input '" + expected.name + "' is " +
             std::string(name(expected.type)) + shapeText(expected.shape) +
             ", given " + std::string(name(found.type)) +
             shapeText(found.shape) + " with " +
             std::to_string(found.bytes.size()) + " bytes");
}

/// "conv_3 (Conv 'block1/conv')": names a dispatch in messages.
std::string labelOf(const DispatchModel &dispatch, const SourceEntry *source) {
  return source ? dispatch.name + " (" + source->opType + " '" + source->node +
                      "')"
                : dispatch.name;
}

/// Steps of one run, each after the one before.
class Steps {
public:
  Steps(std::shared_ptr<Timeline> timeline, const SessionOptions &options)
      : timeline_(std::move(timeline)), options_(options) {}

  Sync next() {
    Sync sync;
    if (value_ > 0) {
      sync.wait = {{timeline_, value_}};
    }
    sync.signal = {{timeline_, ++value_}};
    // A timeout must be able to strike while the device hangs.
    sync.callerWaits = !options_.timeout;
    return sync;
  }
  Status wait() const { return timeline_->wait(value_, options_.timeout); }

private:
  std::shared_ptr<Timeline> timeline_;
  const SessionOptions &options_;
  uint64_t value_ = 0;
};

DispatchObserver
collectInto(std::shared_ptr<std::vector<ProgramReport>> reports) {
  return [reports = std::move(reports)](size_t, const ProgramReport &report) {
    reports->push_back(report);
  };
}

} // namespace

class Session::Impl {
public:
  Impl(Device &device, Package package, Blob bytes,
       const SessionOptions &options)
      : device_(device), options_(options), bytes_(std::move(bytes)),
        package_(std::move(package)) {}

  Status load();
  Result<std::vector<HostTensor>> run(const std::vector<HostTensor> &inputs,
                                      const RunOptions &options);

  const Package &package() const { return package_; }
  uint64_t deviceBytes() const { return deviceBytes_; }

private:
  // The slots of recordings: arena, constants, inputs, outputs.
  size_t slotOf(const BufferRef &ref) const;

  Status allocateSlot(uint64_t size);
  Status allocateSlots();
  Status uploadConstants();
  Status loadPrograms();
  Status record();

  Result<SlotRange> resolve(const BufferRef &ref) const;
  Status append(Recording &recording, const PlanOp &op) const;
  Status append(Recording &recording, const DispatchModel &dispatch) const;

  Status checkInputs(const std::vector<HostTensor> &inputs) const;
  Status runWhole(Steps &steps, const RunOptions &options);
  Status runStepwise(Steps &steps, const RunOptions &options);
  Status dumpOutputs(Steps &steps, size_t index, const DispatchModel &dispatch,
                     const RunOptions &options);
  Result<std::vector<HostTensor>> download(Steps &steps);
  Result<std::vector<std::byte>> read(Steps &steps, const BufferRange &range);
  void report(const RunOptions &options,
              const std::vector<ProgramReport> &reports) const;
  const SourceEntry *sourceOf(const DispatchModel &dispatch) const;

  const PackageModel &model() const { return package_.model(); }
  const FunctionModel &function() const { return model().plan.functions[0]; }
  size_t firstInput() const { return 1 + model().constants.size(); }
  size_t firstOutput() const { return firstInput() + model().inputs.size(); }

  Device &device_;
  SessionOptions options_;
  Blob bytes_; // what package_ borrows from
  Package package_;
  Queue queue_ = *device_.queue(0);
  std::vector<std::shared_ptr<Program>> programs_;
  std::vector<BufferRange> slots_;
  std::shared_ptr<Recording> whole_;
  std::shared_ptr<Buffer> staging_; // of read(): as large as was ever needed
  uint64_t deviceBytes_ = 0;
};

Status Session::Impl::load() {
  if (!model().plan.symbols.empty()) {
    return {StatusCode::kUnsupported,
            "the plan has symbolic sizes; fix them with --dim when compiling"};
  }
  KILN_RETURN_IF_ERROR(loadPrograms());
  KILN_RETURN_IF_ERROR(allocateSlots());
  KILN_RETURN_IF_ERROR(uploadConstants());
  return record();
}

Status Session::Impl::loadPrograms() {
  for (const ProgramModel &image : model().programs) {
    KILN_ASSIGN_OR_RETURN(std::shared_ptr<Program> program,
                          device_.loadProgram(image));
    programs_.push_back(std::move(program));
  }
  return Status::ok();
}

Status Session::Impl::allocateSlot(uint64_t size) {
  uint64_t bytes = std::max<uint64_t>(size, 1);
  KILN_ASSIGN_OR_RETURN(std::shared_ptr<Buffer> buffer,
                        device_.allocate({.size = bytes}));
  deviceBytes_ += bytes;
  slots_.push_back({std::move(buffer), 0, size});
  return Status::ok();
}

Status Session::Impl::allocateSlots() {
  KILN_ASSIGN_OR_RETURN(int64_t arena, evaluate(model().plan.arenaSize, {}));
  KILN_RETURN_IF_ERROR(
      allocateSlot(static_cast<uint64_t>(arena)).withContext("arena"));
  for (const ConstantModel &constant : model().constants) {
    KILN_RETURN_IF_ERROR(allocateSlot(constant.bytes.size())
                             .withContext("constant '" + constant.name + "'"));
  }
  for (const std::vector<uint32_t> *ports :
       {&model().inputs, &model().outputs}) {
    for (uint32_t port : *ports) {
      const ValueModel &value = model().values[port];
      KILN_ASSIGN_OR_RETURN(uint64_t bytes, byteSize(value));
      KILN_RETURN_IF_ERROR(
          allocateSlot(bytes).withContext("value '" + value.name + "'"));
    }
  }
  return Status::ok();
}

Status Session::Impl::uploadConstants() {
  KILN_ASSIGN_OR_RETURN(std::shared_ptr<Timeline> timeline,
                        device_.createTimeline());
  Steps steps(std::move(timeline), options_);
  for (uint32_t i = 0; i < model().constants.size(); ++i) {
    KILN_ASSIGN_OR_RETURN(std::span<const uint8_t> bytes,
                          package_.constantBytes(i));
    KILN_RETURN_IF_ERROR(
        queue_.upload(slots_[1 + i], std::as_bytes(bytes), steps.next()));
    // One at a time: an upload copies its bytes.
    KILN_RETURN_IF_ERROR(steps.wait());
  }
  return Status::ok();
}

size_t Session::Impl::slotOf(const BufferRef &ref) const {
  switch (ref.kind) {
  case BufferKind::kArena:
    return 0;
  case BufferKind::kConstant:
    return 1 + ref.index;
  case BufferKind::kInput:
    return firstInput() + ref.index;
  case BufferKind::kOutput:
    return firstOutput() + ref.index;
  }
  return 0;
}

Result<SlotRange> Session::Impl::resolve(const BufferRef &ref) const {
  KILN_ASSIGN_OR_RETURN(int64_t offset, evaluate(ref.offset, {}));
  KILN_ASSIGN_OR_RETURN(int64_t size, evaluate(ref.size, {}));
  uint64_t limit = slots_[slotOf(ref)].size;
  if (offset < 0 || size < 0 || static_cast<uint64_t>(offset) > limit ||
      static_cast<uint64_t>(size) > limit - static_cast<uint64_t>(offset)) {
    return bad(std::string(name(ref.kind)) + " range [" +
               std::to_string(offset) + ", +" + std::to_string(size) + ") of " +
               std::to_string(limit) + " bytes");
  }
  return SlotRange{static_cast<uint32_t>(slotOf(ref)),
                   static_cast<uint64_t>(offset), static_cast<uint64_t>(size)};
}

Status Session::Impl::append(Recording &recording,
                             const DispatchModel &dispatch) const {
  DispatchInfo info;
  info.program = programs_[dispatch.program];
  info.entry = dispatch.entry;
  info.label = labelOf(dispatch, sourceOf(dispatch));
  KILN_ASSIGN_OR_RETURN(int64_t blocks, evaluate(dispatch.blockDim, {}));
  if (blocks < 1 || blocks > INT32_MAX) {
    return bad("dispatch '" + dispatch.name + "' has " +
               std::to_string(blocks) + " blocks");
  }
  info.blocks = static_cast<uint32_t>(blocks);
  for (const BindingModel &binding : dispatch.bindings) {
    KILN_ASSIGN_OR_RETURN(SlotRange range, resolve(binding.buffer));
    info.bindings.push_back({range, binding.access});
  }
  if (dispatch.workspace) {
    KILN_ASSIGN_OR_RETURN(info.workspace, resolve(*dispatch.workspace));
  }
  for (const Expr &constant : dispatch.constants) {
    KILN_ASSIGN_OR_RETURN(int64_t value, evaluate(constant, {}));
    info.constants.push_back(value);
  }
  return recording.dispatch(std::move(info));
}

Status Session::Impl::append(Recording &recording, const PlanOp &op) const {
  if (const auto *dispatch = std::get_if<DispatchModel>(&op)) {
    return append(recording, *dispatch);
  }
  if (const auto *copy = std::get_if<CopyModel>(&op)) {
    KILN_ASSIGN_OR_RETURN(SlotRange source, resolve(copy->source));
    KILN_ASSIGN_OR_RETURN(SlotRange target, resolve(copy->target));
    return recording.copy(source, target);
  }
  if (const auto *fill = std::get_if<FillModel>(&op)) {
    KILN_ASSIGN_OR_RETURN(SlotRange target, resolve(fill->target));
    return recording.fill(target, fill->pattern, fill->patternBytes);
  }
  return recording.barrier();
}

Status Session::Impl::record() {
  KILN_ASSIGN_OR_RETURN(whole_, device_.createRecording());
  for (const PlanOp &op : function().ops) {
    KILN_RETURN_IF_ERROR(append(*whole_, op));
  }
  return whole_->finish();
}

Status Session::Impl::checkInputs(const std::vector<HostTensor> &inputs) const {
  if (inputs.size() != model().inputs.size()) {
    return bad(std::to_string(inputs.size()) + " inputs given, the model has " +
               std::to_string(model().inputs.size()));
  }
  for (size_t i = 0; i < inputs.size(); ++i) {
    KILN_RETURN_IF_ERROR(
        checkInput(model().values[model().inputs[i]], inputs[i]));
  }
  return Status::ok();
}

Result<std::vector<HostTensor>>
Session::Impl::run(const std::vector<HostTensor> &inputs,
                   const RunOptions &options) {
  KILN_RETURN_IF_ERROR(checkInputs(inputs));
  KILN_ASSIGN_OR_RETURN(std::shared_ptr<Timeline> timeline,
                        device_.createTimeline());
  Steps steps(std::move(timeline), options_);
  for (size_t i = 0; i < inputs.size(); ++i) {
    KILN_RETURN_IF_ERROR(
        queue_.upload(slots_[firstInput() + i], inputs[i].bytes, steps.next()));
  }
  KILN_RETURN_IF_ERROR(options.dump ? runStepwise(steps, options)
                                    : runWhole(steps, options));
  return download(steps);
}

Status Session::Impl::runWhole(Steps &steps, const RunOptions &options) {
  auto reports = std::make_shared<std::vector<ProgramReport>>();
  KILN_RETURN_IF_ERROR(
      queue_.submit(whole_, slots_, steps.next(), collectInto(reports)));
  KILN_RETURN_IF_ERROR(steps.wait());
  report(options, *reports);
  return Status::ok();
}

/// One op at a time, so that the outputs of each dispatch can be looked at.
Status Session::Impl::runStepwise(Steps &steps, const RunOptions &options) {
  auto reports = std::make_shared<std::vector<ProgramReport>>();
  for (const PlanOp &op : function().ops) {
    KILN_ASSIGN_OR_RETURN(std::shared_ptr<Recording> one,
                          device_.createRecording());
    KILN_RETURN_IF_ERROR(append(*one, op));
    KILN_RETURN_IF_ERROR(one->finish());
    KILN_RETURN_IF_ERROR(
        queue_.submit(one, slots_, steps.next(), collectInto(reports)));
    KILN_RETURN_IF_ERROR(steps.wait());
    if (const auto *dispatch = std::get_if<DispatchModel>(&op)) {
      KILN_RETURN_IF_ERROR(
          dumpOutputs(steps, reports->size() - 1, *dispatch, options));
    }
  }
  report(options, *reports);
  return Status::ok();
}

Status Session::Impl::dumpOutputs(Steps &steps, size_t index,
                                  const DispatchModel &dispatch,
                                  const RunOptions &options) {
  LayerDump dump{index, &dispatch, sourceOf(dispatch), {}};
  for (uint32_t i = 0; i < dispatch.bindings.size(); ++i) {
    const BindingModel &binding = dispatch.bindings[i];
    if (!writes(binding.access)) {
      continue;
    }
    KILN_ASSIGN_OR_RETURN(SlotRange range, resolve(binding.buffer));
    KILN_ASSIGN_OR_RETURN(
        std::vector<std::byte> bytes,
        read(steps, {slots_[range.slot].buffer, range.offset, range.size}));
    const ValueModel *value =
        binding.value == kNoIndex ? nullptr : &model().values[binding.value];
    dump.outputs.push_back({i, value, std::move(bytes)});
  }
  return options.dump(dump);
}

/// Copies a range of device memory to the host.
Result<std::vector<std::byte>> Session::Impl::read(Steps &steps,
                                                   const BufferRange &range) {
  if (range.size == 0) {
    return std::vector<std::byte>();
  }
  if (!staging_ || staging_->size() < range.size) {
    KILN_ASSIGN_OR_RETURN(
        staging_,
        device_.allocate({.size = range.size, .type = MemoryType::kHost}));
  }
  KILN_RETURN_IF_ERROR(
      queue_.copy(range, {staging_, 0, range.size}, steps.next()));
  if (Status status = steps.wait(); !status) {
    staging_ = nullptr; // a late copy may still write to it
    return status;
  }
  KILN_ASSIGN_OR_RETURN(std::span<std::byte> bytes, staging_->map());
  return std::vector<std::byte>(bytes.begin(), bytes.begin() + range.size);
}

Result<std::vector<HostTensor>> Session::Impl::download(Steps &steps) {
  std::vector<HostTensor> outputs;
  for (size_t i = 0; i < model().outputs.size(); ++i) {
    const ValueModel &value = model().values[model().outputs[i]];
    KILN_ASSIGN_OR_RETURN(std::vector<std::byte> bytes,
                          read(steps, slots_[firstOutput() + i]));
    outputs.push_back({value.type, value.shape, std::move(bytes)});
  }
  return outputs;
}

void Session::Impl::report(const RunOptions &options,
                           const std::vector<ProgramReport> &reports) const {
  if (!options.profile) {
    return;
  }
  size_t index = 0;
  for (const PlanOp &op : function().ops) {
    const auto *dispatch = std::get_if<DispatchModel>(&op);
    if (dispatch && index < reports.size()) {
      options.profile({index, dispatch, sourceOf(*dispatch),
                       &model().programs[dispatch->program], reports[index]});
      ++index;
    }
  }
}

const SourceEntry *
Session::Impl::sourceOf(const DispatchModel &dispatch) const {
  return dispatch.source == kNoIndex ? nullptr
                                     : &model().sourceMap[dispatch.source];
}

HostTensor HostTensor::make(DataType type, std::vector<int64_t> shape) {
  Result<uint64_t> count = elementCount(shape);
  assert(count && "a tensor needs a valid shape");
  return {type, std::move(shape),
          std::vector<std::byte>(count ? *count * sizeOf(type) : 0)};
}

Result<std::unique_ptr<Session>> Session::load(Device &device, Blob bytes,
                                               const SessionOptions &options) {
  KILN_ASSIGN_OR_RETURN(Package package, Package::parse(bytes.view()));
  auto impl = std::make_unique<Impl>(device, std::move(package),
                                     std::move(bytes), options);
  KILN_RETURN_IF_ERROR(impl->load());
  return std::unique_ptr<Session>(new Session(std::move(impl)));
}

Session::Session(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Session::~Session() = default;

const Package &Session::package() const { return impl_->package(); }

const ValueModel &Session::input(size_t index) const {
  return model().values[model().inputs[index]];
}

const ValueModel &Session::output(size_t index) const {
  return model().values[model().outputs[index]];
}

uint64_t Session::deviceBytes() const { return impl_->deviceBytes(); }

Result<std::vector<HostTensor>>
Session::run(const std::vector<HostTensor> &inputs, const RunOptions &options) {
  return impl_->run(inputs, options);
}

} // namespace kiln::hal
