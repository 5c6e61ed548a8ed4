// SPDX-License-Identifier: Apache-2.0
#include "tests/conformance/hal/faulty_device.h"

#include <algorithm>
#include <cstring>
#include <functional>
#include <map>
#include <mutex>

namespace kiln::hal::conformance {
namespace {

/// Wraps the device's memory so that bugs can share or hide it.
class FaultyMemory : public DriverMemory {
public:
  FaultyMemory(const BufferRequest &request, std::shared_ptr<DriverMemory> good)
      : DriverMemory(request), good(std::move(good)) {}

  std::byte *hostAddress() override {
    return hidden.empty() ? good->hostAddress() : hidden.data() + hiddenOffset;
  }

  std::shared_ptr<DriverMemory> good;
  std::vector<std::byte> hidden; // shown to the host instead of the real bytes
  size_t hiddenOffset = 0;
};

/// Memory that counts against no limit.
class HeapMemory : public DriverMemory {
public:
  static constexpr uint64_t kMostBytes = 16 << 20; // nobody writes more
  explicit HeapMemory(const BufferRequest &request)
      : DriverMemory(request), bytes_(std::min(request.size, kMostBytes)) {}
  std::byte *hostAddress() override { return bytes_.data(); }

private:
  std::vector<std::byte> bytes_;
};

template <typename T, typename Edit> void each(Submission &s, Edit edit) {
  for (Command &command : s.commands) {
    if (T *c = std::get_if<T>(&command)) {
      edit(*c);
    }
  }
}

void shorten(MemoryRange &range) { range.size -= range.size > 0; }

/// Replaces each signal by one on a timeline of our own and calls `settle`
/// with its outcome.
void interceptSignals(
    Submission &s,
    std::function<void(const TimelinePoint &, const Status &)> settle) {
  for (TimelinePoint &point : s.signals) {
    TimelinePoint original = point;
    point.timeline = std::make_shared<Timeline>(original.value - 1);
    auto own = point.timeline;
    own->notifyAt(original.value, [original, settle](const Status &outcome) {
      settle(original, outcome);
    });
  }
}

/// Waits that never fail: an error counts as reached.
void forgiveWaits(Submission &s) {
  for (TimelinePoint &point : s.waits) {
    auto own = std::make_shared<Timeline>();
    point.timeline->notifyAt(point.value,
                             [own](const Status &) { (void)own->signal(1); });
    point = {own, 1};
  }
}

void reverseAll(Submission &s) { std::ranges::reverse(s.commands); }

void reverseBetweenBarriers(Submission &s) {
  auto isBarrier = [](const Command &command) {
    return std::holds_alternative<BarrierCommand>(command);
  };
  auto begin = s.commands.begin();
  while (begin != s.commands.end()) {
    auto end = std::find_if(begin, s.commands.end(), isBarrier);
    std::reverse(begin, end);
    begin = end == s.commands.end() ? end : end + 1;
  }
}

void dropObserver(Submission &s) { s.observer = {}; }

void forgetCycles(Submission &s) {
  if (!s.observer) {
    return;
  }
  s.observer = [observer = std::move(s.observer)](size_t command,
                                                  const ProgramReport &r) {
    ProgramReport report = r;
    report.cycle.reset();
    observer(command, report);
  };
}

void dropWork(Submission &s) { s.commands.clear(); }
void dropWaits(Submission &s) { s.waits.clear(); }
void dropSignals(Submission &s) { s.signals.clear(); }
void dropSecondWait(Submission &s) {
  s.waits.resize(std::min<size_t>(s.waits.size(), 1));
}
void dropSecondSignal(Submission &s) {
  s.signals.resize(std::min<size_t>(s.signals.size(), 1));
}
void signalOneMore(Submission &s) {
  for (TimelinePoint &point : s.signals) {
    ++point.value;
  }
}

void copyShort(Submission &s) {
  each<CopyCommand>(s, [](CopyCommand &c) {
    shorten(c.source);
    shorten(c.target);
  });
}
void copyFromStart(Submission &s) {
  each<CopyCommand>(s, [](CopyCommand &c) { c.source.offset = 0; });
}
void copyToStart(Submission &s) {
  each<CopyCommand>(s, [](CopyCommand &c) { c.target.offset = 0; });
}
void fillToStart(Submission &s) {
  each<FillCommand>(s, [](FillCommand &c) { c.target.offset = 0; });
}
void fillBytes(Submission &s) {
  each<FillCommand>(
      s, [](FillCommand &c) { c.pattern = (c.pattern & 0xff) * 0x01010101u; });
}
void fillShort(Submission &s) {
  each<FillCommand>(s, [](FillCommand &c) {
    c.target.size -= c.target.size ? c.patternBytes : 0;
  });
}
void fillTooFar(Submission &s) {
  each<FillCommand>(s, [](FillCommand &c) {
    uint64_t size = c.target.memory->request().size;
    uint64_t room = size - c.target.offset - c.target.size;
    c.target.size +=
        std::min<uint64_t>(room, 4) / c.patternBytes * c.patternBytes;
  });
}
void uploadShort(Submission &s) {
  each<UploadCommand>(s, [](UploadCommand &c) {
    c.data = c.data.first(c.data.size() - !c.data.empty());
    c.target.size = c.data.size();
  });
}
void uploadToStart(Submission &s) {
  each<UploadCommand>(s, [](UploadCommand &c) { c.target.offset = 0; });
}

void dropLastBlock(Submission &s) {
  each<DispatchCommand>(s,
                        [](DispatchCommand &c) { c.blocks -= c.blocks > 1; });
}
void swapBindings(Submission &s) {
  each<DispatchCommand>(s, [](DispatchCommand &c) {
    if (c.bindings.size() > 1) {
      std::swap(c.bindings[0], c.bindings[1]);
    }
  });
}
void bindFromStart(Submission &s) {
  each<DispatchCommand>(s, [](DispatchCommand &c) {
    for (MemoryBinding &binding : c.bindings) {
      binding.range.offset = 0;
    }
  });
}
void truncateConstants(Submission &s) {
  each<DispatchCommand>(s, [](DispatchCommand &c) {
    for (int64_t &constant : c.constants) {
      constant = static_cast<uint16_t>(constant);
    }
  });
}
void runFirstEntry(Submission &s) {
  each<DispatchCommand>(s, [](DispatchCommand &c) { c.entry = 0; });
}
void runTwice(Submission &s) {
  std::vector<Command> doubled;
  for (const Command &command : s.commands) {
    doubled.push_back(command);
    if (std::holds_alternative<DispatchCommand>(command)) {
      doubled.push_back(command);
    }
  }
  s.commands = std::move(doubled);
}

void swallowErrors(Submission &s) {
  interceptSignals(s, [](const TimelinePoint &point, const Status &) {
    (void)point.timeline->signal(point.value);
  });
}
void blurErrors(Submission &s) {
  interceptSignals(s, [](const TimelinePoint &point, const Status &outcome) {
    if (outcome) {
      (void)point.timeline->signal(point.value);
    } else {
      point.timeline->fail({StatusCode::kInternal, "error"});
    }
  });
}
void dropErrors(Submission &s) {
  interceptSignals(s, [](const TimelinePoint &point, const Status &outcome) {
    if (outcome) {
      (void)point.timeline->signal(point.value);
    }
  });
}

struct Bug {
  std::string_view name;
  void (*edit)(Submission &); // null: the device does it elsewhere
};

constexpr Bug kBugs[] = {
    {"skips-work", dropWork},
    {"ignores-waits", dropWaits},
    {"waits-for-the-first-only", dropSecondWait},
    {"forgives-failed-waits", forgiveWaits},
    {"drops-signals", dropSignals},
    {"signals-the-first-only", dropSecondSignal},
    {"signals-one-too-many", signalOneMore},
    {"swallows-errors", swallowErrors},
    {"drops-errors", dropErrors},
    {"blurs-errors", blurErrors},
    {"ignores-barriers", reverseAll},
    {"copies-short", copyShort},
    {"copies-from-the-start", copyFromStart},
    {"copies-to-the-start", copyToStart},
    {"fills-at-the-start", fillToStart},
    {"fills-with-the-low-byte", fillBytes},
    {"fills-short", fillShort},
    {"fills-too-far", fillTooFar},
    {"uploads-short", uploadShort},
    {"uploads-to-the-start", uploadToStart},
    {"drops-the-last-block", dropLastBlock},
    {"swaps-bindings", swapBindings},
    {"binds-from-the-start", bindFromStart},
    {"truncates-constants", truncateConstants},
    {"runs-the-first-entry", runFirstEntry},
    {"runs-dispatches-twice", runTwice},
    {"drops-observers", dropObserver},
    {"forgets-cycles", forgetCycles},
    {"orders-by-submission", nullptr},
    {"shares-buffers", nullptr},
    {"hides-host-memory", nullptr},
    {"misaligns-host-memory", nullptr},
    {"has-no-limit", nullptr},
    {"leaks-memory", nullptr},
    {"accepts-any-program", nullptr},
    {"loads-nothing", nullptr},
    {"describes-nothing", nullptr},
    {"forgets-the-loss", nullptr},
};

class FaultyDevice : public DriverDevice {
public:
  FaultyDevice(std::shared_ptr<DriverDevice> good, std::string_view bug)
      : good_(std::move(good)), bug_(bug), description_(good_->description()) {
    if (is("describes-nothing")) {
      description_.summary.clear();
      description_.memoryBytes = 0;
    }
  }

  const DeviceDescription &description() const override { return description_; }

  Result<std::unique_ptr<DriverMemory>>
  allocate(const BufferRequest &request) override {
    std::lock_guard lock(mutex_);
    std::shared_ptr<DriverMemory> &last = last_[request.size];
    bool share = is("shares-buffers") && last != nullptr &&
                 last->request().type == request.type;
    if (!share) {
      Result<std::unique_ptr<DriverMemory>> memory = good_->allocate(request);
      if (!memory && is("has-no-limit")) {
        memory = std::unique_ptr<DriverMemory>(
            std::make_unique<HeapMemory>(request));
      }
      KILN_RETURN_IF_ERROR(memory.status());
      last = *std::move(memory);
    }
    std::shared_ptr<DriverMemory> used = last;
    if (is("leaks-memory")) {
      leaked_.push_back(used);
    }
    if (!is("shares-buffers")) {
      last_.clear();
    }
    auto result = std::make_unique<FaultyMemory>(request, std::move(used));
    if (is("hides-host-memory") || is("misaligns-host-memory")) {
      hide(*result);
    }
    return std::unique_ptr<DriverMemory>(std::move(result));
  }

  Result<std::unique_ptr<DriverProgram>>
  loadProgram(const ProgramImage &image) override {
    if (is("loads-nothing")) {
      return std::make_unique<DriverProgram>(
          ProgramReflection{image.kind, image.name});
    }
    Result<std::unique_ptr<DriverProgram>> program = good_->loadProgram(image);
    if (!program && is("accepts-any-program")) {
      return std::make_unique<DriverProgram>(
          ProgramReflection{image.kind, image.name});
    }
    return program;
  }

  Status submit(uint32_t queue, Submission submission) override {
    for (Command &command : submission.commands) {
      std::visit([this](auto &c) { unwrap(c); }, command);
    }
    if (is("orders-by-submission")) {
      orderBySubmission(submission);
    }
    if (is("reorders-legally")) {
      reverseBetweenBarriers(submission);
    }
    for (const Bug &bug : kBugs) {
      if (is(bug.name) && bug.edit) {
        bug.edit(submission);
      }
    }
    Status status = good_->submit(queue, submission);
    if (status.code() == StatusCode::kDeviceLost && is("forgets-the-loss")) {
      for (const TimelinePoint &point : submission.signals) {
        (void)point.timeline->signal(point.value);
      }
      return Status::ok();
    }
    return status;
  }

private:
  bool is(std::string_view bug) const { return bug_ == bug; }

  /// Shows the host other bytes than the device uses.
  void hide(FaultyMemory &memory) const {
    if (memory.request().type == MemoryType::kHost) {
      memory.hiddenOffset = is("misaligns-host-memory");
      memory.hidden.resize(memory.request().size + memory.hiddenOffset);
    }
  }

  void orderBySubmission(Submission &submission) {
    std::lock_guard lock(mutex_);
    if (count_ > 0) {
      submission.waits.push_back({chain_, count_});
    }
    submission.signals.push_back({chain_, ++count_});
  }

  void unwrap(MemoryRange &range) const {
    range.memory = static_cast<FaultyMemory *>(range.memory)->good.get();
  }
  void unwrap(DispatchCommand &command) const {
    for (MemoryBinding &binding : command.bindings) {
      unwrap(binding.range);
    }
  }
  void unwrap(CopyCommand &command) const {
    unwrap(command.source);
    unwrap(command.target);
  }
  void unwrap(FillCommand &command) const { unwrap(command.target); }
  void unwrap(UploadCommand &command) const { unwrap(command.target); }
  void unwrap(BarrierCommand &) const {}

  std::shared_ptr<DriverDevice> good_;
  std::string bug_;
  DeviceDescription description_;
  std::mutex mutex_;
  std::map<uint64_t, std::shared_ptr<DriverMemory>> last_; // by size
  std::vector<std::shared_ptr<DriverMemory>> leaked_;
  std::shared_ptr<Timeline> chain_ = std::make_shared<Timeline>();
  uint64_t count_ = 0;
};

} // namespace

const std::vector<std::string> &plantedBugs() {
  static const std::vector<std::string> kNames = [] {
    std::vector<std::string> names;
    for (const Bug &bug : kBugs) {
      names.emplace_back(bug.name);
    }
    return names;
  }();
  return kNames;
}

std::shared_ptr<DriverDevice> plantBug(std::shared_ptr<DriverDevice> device,
                                       std::string_view bug) {
  return std::make_shared<FaultyDevice>(std::move(device), bug);
}

} // namespace kiln::hal::conformance
