// SPDX-License-Identifier: Apache-2.0
#include "hal/validation/validation.h"

#include <algorithm>
#include <set>
#include <string>

namespace kiln::hal {
namespace {

constexpr uint64_t kMaxBufferBytes = uint64_t{1} << 48;

Status bad(std::string message) {
  return {StatusCode::kInvalidArgument, std::move(message)};
}

/// Wraps what the device below made, so that it can be recognised.
class CheckedMemory : public DriverMemory {
public:
  CheckedMemory(const BufferRequest &request,
                std::unique_ptr<DriverMemory> below, const DriverDevice *owner)
      : DriverMemory(request), below(std::move(below)), owner(owner) {}
  std::byte *hostAddress() override { return below->hostAddress(); }

  std::unique_ptr<DriverMemory> below;
  const DriverDevice *owner;
};

class CheckedProgram : public DriverProgram {
public:
  CheckedProgram(std::unique_ptr<DriverProgram> below,
                 const DriverDevice *owner)
      : DriverProgram(below->reflection()), below(std::move(below)),
        owner(owner) {}

  std::unique_ptr<DriverProgram> below;
  const DriverDevice *owner;
};

bool overlap(const MemoryRange &a, const MemoryRange &b) {
  return a.memory == b.memory && a.offset < b.offset + b.size &&
         b.offset < a.offset + a.size;
}

bool same(const MemoryRange &a, const MemoryRange &b) {
  return a.memory == b.memory && a.offset == b.offset && a.size == b.size;
}

/// Checks the commands of a submission and replaces wrapped objects by the
/// device's own.
class CommandChecker {
public:
  CommandChecker(const DriverDevice *owner, const DeviceDescription &device)
      : owner_(owner), device_(device) {}

  Status check(Command &command) {
    return std::visit([this](auto &c) { return check(c); }, command);
  }

private:
  Status check(MemoryRange &range, uint32_t usage) {
    auto *memory = dynamic_cast<CheckedMemory *>(range.memory);
    if (!memory || memory->owner != owner_) {
      return bad("the buffer belongs to another device");
    }
    uint64_t size = memory->request().size;
    if (range.offset > size || range.size > size - range.offset) {
      return bad(std::to_string(range.size) + " bytes at offset " +
                 std::to_string(range.offset) + " of a buffer of " +
                 std::to_string(size));
    }
    if ((memory->request().usage & usage) != usage) {
      return bad("the buffer was not allocated for this use (usage " +
                 std::to_string(memory->request().usage) + ", needed " +
                 std::to_string(usage) + ")");
    }
    range.memory = memory->below.get();
    return Status::ok();
  }

  Status check(CopyCommand &copy) {
    KILN_RETURN_IF_ERROR(
        check(copy.source, kUsageCopySource).withContext("copy source"));
    KILN_RETURN_IF_ERROR(
        check(copy.target, kUsageCopyTarget).withContext("copy target"));
    if (copy.source.size != copy.target.size) {
      return bad("copies " + std::to_string(copy.source.size) + " bytes into " +
                 std::to_string(copy.target.size));
    }
    return overlap(copy.source, copy.target)
               ? bad("source and target of a copy overlap")
               : Status::ok();
  }

  Status check(FillCommand &fill) {
    KILN_RETURN_IF_ERROR(
        check(fill.target, kUsageCopyTarget).withContext("fill"));
    unsigned n = fill.patternBytes;
    if (n != 1 && n != 2 && n != 4) {
      return bad("fill pattern of " + std::to_string(n) +
                 " bytes; expected 1, 2 or 4");
    }
    return fill.target.size % n == 0
               ? Status::ok()
               : bad("fill of " + std::to_string(fill.target.size) +
                     " bytes with a pattern of " + std::to_string(n));
  }

  Status check(UploadCommand &upload) {
    KILN_RETURN_IF_ERROR(
        check(upload.target, kUsageCopyTarget).withContext("upload"));
    return upload.data.size() == upload.target.size
               ? Status::ok()
               : bad("upload of " + std::to_string(upload.data.size()) +
                     " bytes into " + std::to_string(upload.target.size));
  }

  Status check(BarrierCommand &) { return Status::ok(); }

  Status check(DispatchCommand &dispatch) {
    // Every run comes through here: texts are made for failures only.
    Status status = checkDispatch(dispatch);
    return status ? status
                  : status.withContext("dispatch '" + dispatch.label + "'");
  }

  Status checkDispatch(DispatchCommand &dispatch) {
    auto *program = dynamic_cast<CheckedProgram *>(dispatch.program);
    if (!program || program->owner != owner_) {
      return bad("the program belongs to another device");
    }
    dispatch.program = program->below.get();
    const std::vector<EntryReflection> &entries = program->reflection().entries;
    if (dispatch.entry >= entries.size()) {
      return bad("entry " + std::to_string(dispatch.entry) + " of " +
                 std::to_string(entries.size()));
    }
    KILN_RETURN_IF_ERROR(checkShape(dispatch, entries[dispatch.entry]));
    for (size_t i = 0; i < dispatch.bindings.size(); ++i) {
      if (Status status = checkBinding(dispatch.bindings[i]); !status) {
        return status.withContext("binding " + std::to_string(i));
      }
    }
    if (dispatch.workspace) {
      KILN_RETURN_IF_ERROR(
          checkBinding(*dispatch.workspace).withContext("workspace"));
    }
    return checkAliases(dispatch);
  }

  Status checkShape(const DispatchCommand &dispatch,
                    const EntryReflection &entry) const {
    if (dispatch.blocks == 0) {
      return bad("no blocks");
    }
    if (entry.deviceBarrier && dispatch.blocks > device_.cores) {
      return bad(std::to_string(dispatch.blocks) + " blocks on " +
                 std::to_string(device_.cores) +
                 " cores; a program with a device barrier needs a core per "
                 "block");
    }
    KILN_RETURN_IF_ERROR(
        checkCount("bindings", dispatch.bindings.size(), entry.bindingCount));
    return checkCount("constants", dispatch.constants.size(),
                      entry.constantCount);
  }

  static Status checkCount(const char *what, size_t found,
                           std::optional<uint32_t> expected) {
    return !expected || found == *expected
               ? Status::ok()
               : bad(std::to_string(found) + " " + what + " given, " +
                     std::to_string(*expected) + " expected");
  }

  Status checkBinding(MemoryBinding &binding) {
    MemoryRange &range = binding.range;
    KILN_RETURN_IF_ERROR(check(range, kUsageDispatch));
    if (range.memory->request().type != MemoryType::kDevice) {
      return bad("host memory cannot be bound; copy it to device memory");
    }
    return range.offset % device_.bindingAlignment == 0
               ? Status::ok()
               : bad("offset " + std::to_string(range.offset) +
                     " is not a multiple of " +
                     std::to_string(device_.bindingAlignment));
  }

  static Status checkAliases(const DispatchCommand &dispatch) {
    const std::vector<MemoryBinding> &all = dispatch.bindings;
    for (size_t i = 0; i < all.size(); ++i) {
      for (size_t j = 0; j < i; ++j) {
        bool written = writes(all[i].access) || writes(all[j].access);
        if (written && overlap(all[i].range, all[j].range) &&
            !same(all[i].range, all[j].range)) {
          return bad("bindings " + std::to_string(j) + " and " +
                     std::to_string(i) + " overlap partly");
        }
      }
      if (dispatch.workspace &&
          overlap(all[i].range, dispatch.workspace->range)) {
        return bad("binding " + std::to_string(i) + " overlaps the workspace");
      }
    }
    return Status::ok();
  }

  const DriverDevice *owner_;
  const DeviceDescription &device_;
};

Status checkSync(const Submission &submission) {
  for (const TimelinePoint &point : submission.waits) {
    if (!point.timeline) {
      return bad("waits for no timeline");
    }
  }
  std::set<const Timeline *> signalled;
  for (const TimelinePoint &point : submission.signals) {
    if (!point.timeline) {
      return bad("signals no timeline");
    }
    if (!signalled.insert(point.timeline.get()).second) {
      return bad("signals one timeline twice");
    }
    Result<uint64_t> value = point.timeline->query();
    if (value && point.value <= *value) {
      return bad("signals " + std::to_string(point.value) +
                 " on a timeline that is at " + std::to_string(*value));
    }
  }
  return Status::ok();
}

class ValidatedDevice : public DriverDevice {
public:
  explicit ValidatedDevice(std::shared_ptr<DriverDevice> device)
      : device_(std::move(device)) {}

  const DeviceDescription &description() const override {
    return device_->description();
  }

  Result<std::unique_ptr<DriverMemory>>
  allocate(const BufferRequest &request) override {
    if (request.size == 0 || request.size > kMaxBufferBytes) {
      return bad("buffer of " + std::to_string(request.size) +
                 " bytes; expected 1 to 2^48");
    }
    if (request.usage == 0 || (request.usage & ~kUsageAll) != 0) {
      return bad("buffer usage " + std::to_string(request.usage));
    }
    KILN_ASSIGN_OR_RETURN(std::unique_ptr<DriverMemory> memory,
                          device_->allocate(request));
    return std::unique_ptr<DriverMemory>(
        std::make_unique<CheckedMemory>(request, std::move(memory), this));
  }

  Result<std::unique_ptr<DriverProgram>>
  loadProgram(const ProgramImage &image) override {
    const std::vector<ProgramKind> &kinds = description().programKinds;
    if (std::ranges::find(kinds, image.kind) == kinds.end()) {
      return Status(StatusCode::kUnsupported,
                    "device '" + description().name +
                        "' does not run programs of kind " +
                        std::string(name(image.kind)));
    }
    if (image.entries.empty()) {
      return bad("no entry");
    }
    KILN_ASSIGN_OR_RETURN(std::unique_ptr<DriverProgram> program,
                          device_->loadProgram(image));
    return std::unique_ptr<DriverProgram>(
        std::make_unique<CheckedProgram>(std::move(program), this));
  }

  Status submit(uint32_t queue, Submission submission) override {
    if (queue >= description().queues) {
      return bad("queue " + std::to_string(queue) + " of " +
                 std::to_string(description().queues));
    }
    KILN_RETURN_IF_ERROR(checkSync(submission));
    CommandChecker checker(this, description());
    for (Command &command : submission.commands) {
      KILN_RETURN_IF_ERROR(checker.check(command));
    }
    return device_->submit(queue, std::move(submission));
  }

private:
  std::shared_ptr<DriverDevice> device_;
};

} // namespace

std::shared_ptr<DriverDevice> validated(std::shared_ptr<DriverDevice> device) {
  return std::make_shared<ValidatedDevice>(std::move(device));
}

} // namespace kiln::hal
