// SPDX-License-Identifier: Apache-2.0
//
// A device whose memory is host memory and whose work runs on host threads:
// everything but the programs. What differs between such devices is a
// HostBackend:
//
//   class MyBackend : public HostBackend {
//     Result<std::unique_ptr<DriverProgram>>
//     loadProgram(const ProgramImage &image) override;
//     Result<ProgramReport> run(const DispatchCommand &command) override;
//   };
//   return makeHostDevice(description, std::make_unique<MyBackend>());
//
// Contract: description.memoryBytes limits device memory; description.queues
// is the number of queues. The backend is destroyed after its last call, and
// before memory and programs that somebody still holds.
#pragma once

#include "hal/api/driver.h"

#include <memory>

namespace kiln::hal {

class HostBackend {
public:
  virtual ~HostBackend() = default;
  virtual Result<std::unique_ptr<DriverProgram>>
  loadProgram(const ProgramImage &image) = 0;
  /// Executes a dispatch completely, on a thread of a queue; several at a time
  /// when there are several queues. Arguments are checked.
  virtual Result<ProgramReport> run(const DispatchCommand &command) = 0;
};

std::shared_ptr<DriverDevice>
makeHostDevice(DeviceDescription description,
               std::unique_ptr<HostBackend> backend);

/// Kind, name, size and entries of an image: what every program of a host
/// device says about itself.
ProgramReflection reflectionOf(const ProgramImage &image);

} // namespace kiln::hal
