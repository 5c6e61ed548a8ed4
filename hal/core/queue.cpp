// SPDX-License-Identifier: Apache-2.0
#include "hal/api/queue.h"

#include "hal/api/driver.h"

#include <string>

namespace kiln::hal {
namespace {

Status bad(std::string message) {
  return {StatusCode::kInvalidArgument, std::move(message)};
}

/// Turns the commands of a recording into a submission.
class Resolver {
public:
  explicit Resolver(const std::vector<BufferRange> &slots) : slots_(slots) {
    submission.keepAlive.reserve(slots.size());
    for (const BufferRange &slot : slots) {
      submission.keepAlive.push_back(slot.buffer);
    }
  }

  Status add(const Recording::Entry &entry) {
    return std::visit([this](const auto &e) { return resolve(e); }, entry);
  }
  Result<MemoryRange> resolve(const BufferRange &range) {
    submission.keepAlive.push_back(range.buffer);
    return rangeOf(range);
  }

  Submission submission;

private:
  Result<MemoryRange> resolve(const SlotRange &range) {
    if (range.slot >= slots_.size()) {
      return bad("slot " + std::to_string(range.slot) + " is not bound; " +
                 std::to_string(slots_.size()) + " bindings given");
    }
    KILN_ASSIGN_OR_RETURN(MemoryRange whole, rangeOf(slots_[range.slot]));
    return cut(whole, range.offset, range.size);
  }

  Result<MemoryRange> resolve(const CommandRange &range) {
    return std::visit([this](const auto &r) { return resolve(r); }, range);
  }

  static Result<MemoryRange> rangeOf(const BufferRange &range) {
    if (!range.buffer) {
      return bad("a range has no buffer");
    }
    return cut({&range.buffer->memory(), 0, range.buffer->size()}, range.offset,
               range.size);
  }

  /// The part [offset, offset + size) of a range.
  static Result<MemoryRange> cut(const MemoryRange &whole, uint64_t offset,
                                 uint64_t size) {
    uint64_t rest = offset <= whole.size ? whole.size - offset : 0;
    uint64_t wanted = size == kWholeSize ? rest : size;
    if (offset > whole.size || wanted > rest) {
      return bad(std::to_string(wanted) + " bytes at offset " +
                 std::to_string(offset) + " of a range of " +
                 std::to_string(whole.size));
    }
    return MemoryRange{whole.memory, whole.offset + offset, wanted};
  }

  Status resolve(const DispatchInfo &info) {
    if (!info.program) {
      return bad("dispatch '" + info.label + "' has no program");
    }
    DispatchCommand command{&info.program->driverProgram(),
                            info.entry,
                            info.blocks,
                            {},
                            info.constants,
                            info.label};
    command.bindings.reserve(info.bindings.size());
    for (size_t i = 0; i < info.bindings.size(); ++i) {
      Result<MemoryRange> range = resolve(info.bindings[i].range);
      if (!range) {
        return range.status().withContext("dispatch '" + info.label +
                                          "', binding " + std::to_string(i));
      }
      command.bindings.push_back({*range, info.bindings[i].access});
    }
    if (info.workspace) {
      Result<MemoryRange> range = resolve(*info.workspace);
      if (!range) {
        return range.status().withContext("dispatch '" + info.label +
                                          "', workspace");
      }
      command.workspace = MemoryBinding{*range, Access::kReadWrite};
    }
    command.firstInSubmission = !hasDispatch_;
    hasDispatch_ = true;
    submission.keepAlive.push_back(info.program);
    submission.commands.push_back(std::move(command));
    return Status::ok();
  }

  Status resolve(const Recording::Copy &copy) {
    KILN_ASSIGN_OR_RETURN(MemoryRange source, resolve(copy.source));
    KILN_ASSIGN_OR_RETURN(MemoryRange target, resolve(copy.target));
    submission.commands.push_back(CopyCommand{source, target});
    return Status::ok();
  }

  Status resolve(const Recording::Fill &fill) {
    KILN_ASSIGN_OR_RETURN(MemoryRange target, resolve(fill.target));
    submission.commands.push_back(
        FillCommand{target, fill.pattern, fill.patternBytes});
    return Status::ok();
  }

  Status resolve(const Recording::Barrier &) {
    submission.commands.push_back(BarrierCommand{});
    return Status::ok();
  }

  const std::vector<BufferRange> &slots_;
  bool hasDispatch_ = false;
};

void setSync(Submission &submission, Sync sync) {
  submission.waits = std::move(sync.wait);
  submission.signals = std::move(sync.signal);
  submission.callerWaits = sync.callerWaits;
}

} // namespace

Status Queue::submitEntries(std::span<const Recording::Entry> entries,
                            const std::vector<BufferRange> &slots, Sync sync,
                            DispatchObserver observer) {
  Resolver resolver(slots);
  resolver.submission.commands.reserve(entries.size());
  for (const Recording::Entry &entry : entries) {
    KILN_RETURN_IF_ERROR(resolver.add(entry));
  }
  Submission &submission = resolver.submission;
  setSync(submission, std::move(sync));
  submission.observer = std::move(observer);
  return device_->submit(index_, std::move(submission));
}

Status Queue::upload(const BufferRange &target, std::span<const std::byte> data,
                     Sync sync) {
  Resolver resolver({});
  KILN_ASSIGN_OR_RETURN(MemoryRange range, resolver.resolve(target));
  if (data.size() > range.size) {
    return bad("uploads " + std::to_string(data.size()) +
               " bytes into a range of " + std::to_string(range.size));
  }
  range.size = data.size();
  auto copy =
      std::make_shared<std::vector<std::byte>>(data.begin(), data.end());
  Submission &submission = resolver.submission;
  submission.commands.push_back(UploadCommand{range, *copy});
  submission.keepAlive.push_back(std::move(copy));
  setSync(submission, std::move(sync));
  return device_->submit(index_, std::move(submission));
}

Status Queue::copy(const BufferRange &source, const BufferRange &target,
                   Sync sync) {
  Recording::Entry entry = Recording::Copy{source, target};
  return submitEntries({&entry, 1}, {}, std::move(sync), {});
}

Status Queue::fill(const BufferRange &target, uint32_t pattern,
                   uint8_t patternBytes, Sync sync) {
  Recording::Entry entry = Recording::Fill{target, pattern, patternBytes};
  return submitEntries({&entry, 1}, {}, std::move(sync), {});
}

Status Queue::dispatch(const DispatchInfo &info, Sync sync,
                       DispatchObserver observer) {
  Recording::Entry entry = info;
  return submitEntries({&entry, 1}, {}, std::move(sync), std::move(observer));
}

Status Queue::submit(const std::shared_ptr<const Recording> &recording,
                     std::vector<BufferRange> bindings, Sync sync,
                     DispatchObserver observer) {
  if (!recording || !recording->finished()) {
    return bad("the recording is not finished; call Recording::finish()");
  }
  return submitEntries(recording->entries(), bindings, std::move(sync),
                       std::move(observer));
}

Status Queue::barrier(Sync sync) {
  return submitEntries({}, {}, std::move(sync), {});
}

} // namespace kiln::hal
