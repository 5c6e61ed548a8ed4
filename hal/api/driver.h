// SPDX-License-Identifier: Apache-2.0
//
// What a driver implements: four small classes. Everything else (queues'
// verbs, recordings, timelines, plans) is common code in hal/core, and
// hal/validation has checked all arguments before a driver sees them.
//
//   class MyDevice : public DriverDevice, CommandExecutor { ... };
//
// A device that has queues of its own implements submit() directly; one that
// executes on the calling thread implements CommandExecutor and lets
// HostQueues (hal/core/host_queues.h) bring the queues. drivers/null is the
// skeleton to start from.
//
// Memory and programs may be freed after the device by a careless caller: they
// hold what they need themselves.
//
// Contract for submit(): start the commands when all waits are reached; run
// them in order of barriers; make their effects visible; signal. On an error
// fail the timelines of `signals` with it. When a wait fails, run nothing and
// pass its error on. Never block the caller, unless `callerWaits` allows it.
//
// Layers (validation, trace, fault injection) are DriverDevices that wrap one.
#pragma once

#include "hal/api/buffer.h"
#include "hal/api/device.h"
#include "hal/api/instance.h"
#include "hal/api/program.h"
#include "hal/api/timeline.h"

#include <cstddef>
#include <optional>
#include <span>
#include <variant>

namespace kiln::hal {

/// Memory of a device. Freed by the destructor, on any thread.
class DriverMemory {
public:
  explicit DriverMemory(const BufferRequest &request) : request_(request) {}
  virtual ~DriverMemory() = default;

  const BufferRequest &request() const { return request_; }
  /// Where the host can touch it; null for memory it cannot see.
  virtual std::byte *hostAddress() = 0;

private:
  BufferRequest request_;
};

/// Loaded code.
class DriverProgram {
public:
  explicit DriverProgram(ProgramReflection reflection)
      : reflection_(std::move(reflection)) {}
  virtual ~DriverProgram() = default;

  const ProgramReflection &reflection() const { return reflection_; }

private:
  ProgramReflection reflection_;
};

// Commands. Ranges lie inside their memory; pointers stay valid until the
// submission ends.

struct MemoryRange {
  DriverMemory *memory = nullptr;
  uint64_t offset = 0;
  uint64_t size = 0;
};

struct MemoryBinding {
  MemoryRange range;
  Access access = Access::kReadWrite;
};

struct DispatchCommand {
  DriverProgram *program = nullptr;
  uint32_t entry = 0;  // of program->reflection().entries
  uint32_t blocks = 1; // at least 1; 0 to blocks - 1 run, in any order
  std::vector<MemoryBinding> bindings{};
  std::vector<int64_t> constants{};
  std::string label{};
  bool firstInSubmission = true; // pays for the doorbell
  std::optional<MemoryBinding> workspace{};
};

/// Ranges of equal size that do not overlap.
struct CopyCommand {
  MemoryRange source, target;
};

struct FillCommand {
  MemoryRange target; // a multiple of patternBytes long
  uint32_t pattern = 0;
  uint8_t patternBytes = 4; // 1, 2 or 4: the low bytes of pattern
};

struct UploadCommand {
  MemoryRange target; // as long as data
  std::span<const std::byte> data;
};

struct BarrierCommand {};

using Command = std::variant<DispatchCommand, CopyCommand, FillCommand,
                             UploadCommand, BarrierCommand>;

struct Submission {
  std::vector<TimelinePoint> waits{};
  std::vector<Command> commands{};
  std::vector<TimelinePoint> signals{};
  DispatchObserver observer{};
  bool callerWaits = false; // submit() may run it before it returns: see Sync
  /// What the pointers in `commands` point to.
  std::vector<std::shared_ptr<const void>> keepAlive{};
};

class DriverDevice {
public:
  virtual ~DriverDevice() = default;

  /// Does not change while the device lives.
  virtual const DeviceDescription &description() const = 0;
  /// At least kBufferAlignment aligned; kDoesNotFit.
  virtual Result<std::unique_ptr<DriverMemory>>
  allocate(const BufferRequest &request) = 0;
  /// kUnsupported, kDoesNotFit or kCorrupt, as program.h says.
  virtual Result<std::unique_ptr<DriverProgram>>
  loadProgram(const ProgramImage &image) = 0;
  /// `queue` is below description().queues. An error means that nothing was
  /// accepted.
  virtual Status submit(uint32_t queue, Submission submission) = 0;
};

class Driver {
public:
  virtual ~Driver() = default;

  virtual std::string_view name() const = 0;
  virtual std::vector<DeviceInfo> enumerate() const = 0;
  /// `device` is one of the names enumerate() gives.
  virtual Result<std::shared_ptr<DriverDevice>>
  createDevice(std::string_view device, const DeviceOptions &options) const = 0;
};

} // namespace kiln::hal
