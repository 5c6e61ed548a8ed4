// SPDX-License-Identifier: Apache-2.0
//
// Device: memory, queues and programs of one accelerator.
//
//   Result<std::unique_ptr<Device>> device =
//       instance.createDevice("npu:cycle", {.machine = "k1"});
//   for (auto &[key, value] : (*device)->description().properties) ...
//
// Contract: destroying a device waits for running work and fails what still
// waits (kCancelled). Buffers, programs and recordings must be released first;
// timelines may outlive it. After a kDeviceLost every submission fails so.
//
// Thread rule: any call from any thread.
#pragma once

#include "hal/api/queue.h"
#include "isa/arch/arch_spec.h"

#include <map>
#include <memory>
#include <string>
#include <vector>

namespace kiln::hal {

class DriverDevice;

/// What a device is, as data.
struct DeviceDescription {
  std::string name;              // "npu:cycle"
  std::string driver;            // "npu"
  std::string target;            // package target it runs: "npu", "cpu", "null"
  std::string summary;           // one line for people
  uint64_t memoryBytes = 0;      // device memory
  uint64_t bindingAlignment = 1; // of offsets bound to a dispatch, bytes
  uint32_t queues = 1;
  uint32_t cores = 1;
  /// Programs of kind null run everywhere.
  std::vector<ProgramKind> programKinds{};
  std::vector<std::string> cpuFeatures{}; // LLVM names, sorted; cpu only
  /// The machine a modelled device models; null otherwise.
  std::shared_ptr<const isa::ArchSpec> machine{};
  /// Anything else worth showing, by key.
  std::map<std::string, std::string> properties{};
};

/// How to create a device. A driver ignores the options of other kinds of
/// devices and refuses (kInvalidArgument) a value it cannot honour.
struct DeviceOptions {
  // All devices.
  uint64_t memoryBytes = 0; // limit of device memory, bytes; 0: all there is
  bool validation = true;   // the checks of hal/validation

  // Modelled devices (npu).
  std::string machine = "k1";  // built-in name or machine file
  uint32_t cores = 1;          // that take part, 1 to those of the machine
  std::string order = "eager"; // functional: eager, lazy, random:SEED
  /// Of "race", "init", "bounds", "flags".
  std::vector<std::string> checks{};
  /// Per dispatch: cycles (npu:cycle) or instructions of a block
  /// (npu:functional); 0: the engine's default.
  uint64_t budgetCycles = 0;
  /// npu:cycle. false: timing only. Cycles are those of a run with data as long
  /// as no trip count or branch is loaded from a tensor; what dispatches write
  /// is undefined, and a load of the control core from UB is a fault.
  bool data = true;

  /// Host threads. cpu: 1 to 1024, they share the blocks of a dispatch.
  /// npu:cycle: 1 to 64, beyond the first they compute data beside the timing;
  /// cycles and bits do not depend on them.
  uint32_t threads = 1;

  // Native devices (cpu).
  uint64_t budgetMillis = 0; // per dispatch, checked between blocks; 0: none
  bool allowNative = true;   // false: refuse to load native code
};

class Device {
public:
  explicit Device(std::shared_ptr<DriverDevice> device);
  ~Device();

  const DeviceDescription &description() const;

  /// kDoesNotFit when the device has not that much memory left,
  /// kInvalidArgument for a size or usage that is none.
  Result<std::shared_ptr<Buffer>> allocate(const BufferRequest &request);
  /// A timeline that stands at `value`.
  Result<std::shared_ptr<Timeline>> createTimeline(uint64_t value = 0);
  /// The errors of program.h, with the program's name in front.
  Result<std::shared_ptr<Program>> loadProgram(const ProgramImage &image);
  /// An empty recording.
  Result<std::shared_ptr<Recording>> createRecording();

  /// Queue `index`, 0 to description().queues - 1; else kInvalidArgument.
  Result<Queue> queue(uint32_t index = 0);

private:
  std::shared_ptr<DriverDevice> device_;
};

} // namespace kiln::hal
