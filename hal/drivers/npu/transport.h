// SPDX-License-Identifier: Apache-2.0
//
// Transport: what the npu driver needs of an NPU: global memory, DMA, loading
// and launching. The simulator implements it (simulator_transport.cpp, the one
// file of hal that sees the simulator); a device behind a bus would be another
// implementation.
//
// Thread rule: any call from any thread; launches are serialised.
#pragma once

#include "hal/api/driver.h"
#include "hal/drivers/npu/launch_tracer.h"

#include <cstdint>
#include <memory>
#include <optional>
#include <span>

namespace kiln::hal {

/// Code as the transport holds it.
class NpuCode {
public:
  virtual ~NpuCode() = default;
};

struct LoadedCode {
  std::shared_ptr<const NpuCode> code;
  EntryReflection entry;
};

/// Bytes of global memory.
struct GmBinding {
  uint64_t address = 0;
  uint64_t size = 0;
  bool writable = false;
};

struct NpuLaunch {
  std::shared_ptr<const NpuCode> code;
  uint32_t blocks = 1;
  std::vector<GmBinding> bindings;
  std::vector<int64_t> constants;
  bool doorbell = true;
  std::optional<GmBinding> workspace;
};

class Transport {
public:
  virtual ~Transport() = default;

  virtual Result<uint64_t> allocate(uint64_t bytes) = 0;
  virtual void free(uint64_t address) = 0;

  // Ranges lie inside allocated memory.
  virtual void write(uint64_t address, std::span<const std::byte> data) = 0;
  virtual void read(uint64_t address, std::span<std::byte> data) = 0;

  virtual Result<LoadedCode> load(const ProgramImage &image) = 0;
  /// A fault of the program is kDeviceFault or kBudgetExceeded with the whole
  /// report as message.
  virtual Result<ProgramReport> launch(const NpuLaunch &launch) = 0;
};

/// A simulated NPU. `engine`: "functional" or "cycle".
Result<std::shared_ptr<Transport>> makeSimulatorTransport(
    std::string_view engine, std::shared_ptr<const isa::ArchSpec> machine,
    const DeviceOptions &options, LaunchTracer *tracer = nullptr);

} // namespace kiln::hal
