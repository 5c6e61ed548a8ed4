// SPDX-License-Identifier: Apache-2.0
#include "hal/drivers/npu/npu_driver.h"

#include "hal/core/host_memory.h"
#include "hal/core/host_queues.h"
#include "hal/drivers/npu/transport.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstring>

namespace kiln::hal {
namespace {

constexpr uint32_t kQueues = 2;
constexpr uint64_t kStagingBytes = uint64_t{1} << 20;
constexpr std::string_view kPrefix = "npu:";

/// A range of global memory.
class NpuMemory : public DriverMemory {
public:
  NpuMemory(const BufferRequest &request, std::shared_ptr<Transport> transport,
            std::shared_ptr<std::atomic<uint64_t>> used, uint64_t address)
      : DriverMemory(request), transport_(std::move(transport)),
        used_(std::move(used)), address_(address) {}
  ~NpuMemory() override {
    transport_->free(address_);
    *used_ -= request().size;
  }
  std::byte *hostAddress() override { return nullptr; }
  uint64_t address() const { return address_; }

private:
  std::shared_ptr<Transport> transport_;
  std::shared_ptr<std::atomic<uint64_t>> used_;
  uint64_t address_;
};

class NpuProgram : public DriverProgram {
public:
  NpuProgram(ProgramReflection reflection, std::shared_ptr<const NpuCode> code)
      : DriverProgram(std::move(reflection)), code(std::move(code)) {}

  std::shared_ptr<const NpuCode> code; // null: a program of kind null
};

uint64_t gmAddress(const MemoryRange &range) {
  return static_cast<NpuMemory *>(range.memory)->address() + range.offset;
}

class NpuDevice : public DriverDevice, CommandExecutor {
public:
  NpuDevice(DeviceDescription description, std::shared_ptr<Transport> transport)
      : description_(std::move(description)), transport_(std::move(transport)),
        staging_(0), used_(std::make_shared<std::atomic<uint64_t>>(0)) {}

  const DeviceDescription &description() const override { return description_; }

  Result<std::unique_ptr<DriverMemory>>
  allocate(const BufferRequest &request) override {
    if (request.type == MemoryType::kHost) {
      return staging_.allocate(request);
    }
    uint64_t limit = description_.memoryBytes;
    uint64_t before = used_->fetch_add(request.size);
    if (request.size > limit || before > limit - request.size) {
      *used_ -= request.size;
      return Status(StatusCode::kDoesNotFit,
                    "out of memory: " + std::to_string(request.size) +
                        " bytes wanted, " + std::to_string(before) + " of " +
                        std::to_string(limit) + " in use");
    }
    Result<uint64_t> address = transport_->allocate(request.size);
    if (!address) {
      *used_ -= request.size;
      return address.status();
    }
    return std::unique_ptr<DriverMemory>(
        std::make_unique<NpuMemory>(request, transport_, used_, *address));
  }

  Result<std::unique_ptr<DriverProgram>>
  loadProgram(const ProgramImage &image) override {
    ProgramReflection reflection{image.kind, image.name, image.bytes.size()};
    std::shared_ptr<const NpuCode> code;
    if (image.kind == ProgramKind::kNull) {
      for (const std::string &entry : image.entries) {
        reflection.entries.push_back({entry});
      }
    } else {
      KILN_ASSIGN_OR_RETURN(LoadedCode loaded, transport_->load(image));
      code = std::move(loaded.code);
      reflection.entries.push_back(std::move(loaded.entry));
    }
    return std::unique_ptr<DriverProgram>(
        std::make_unique<NpuProgram>(std::move(reflection), std::move(code)));
  }

  Status submit(uint32_t queue, Submission submission) override {
    return queues_.submit(queue, std::move(submission));
  }

private:
  Result<ProgramReport> run(const DispatchCommand &command) override {
    auto start = std::chrono::steady_clock::now();
    NpuLaunch launch;
    launch.code = static_cast<const NpuProgram *>(command.program)->code;
    launch.blocks = command.blocks;
    launch.constants = command.constants;
    launch.doorbell = command.firstInSubmission;
    for (const MemoryBinding &binding : command.bindings) {
      launch.bindings.push_back({gmAddress(binding.range), binding.range.size,
                                 writes(binding.access)});
    }
    if (command.workspace) {
      const MemoryRange &range = command.workspace->range;
      launch.workspace = GmBinding{gmAddress(range), range.size, true};
    }
    ProgramReport report;
    report.blocks = command.blocks;
    if (launch.code) {
      KILN_ASSIGN_OR_RETURN(report, transport_->launch(launch));
    }
    std::chrono::duration<double> seconds =
        std::chrono::steady_clock::now() - start;
    report.hostSeconds = seconds.count();
    return report;
  }

  Status run(const CopyCommand &command) override {
    const auto &[source, target] = command;
    bool fromHost = source.memory->hostAddress() != nullptr;
    bool toHost = target.memory->hostAddress() != nullptr;
    if (fromHost && toHost) {
      return copyOnHost(command);
    }
    if (fromHost) {
      transport_->write(gmAddress(target), hostBytes(source));
      return Status::ok();
    }
    if (toHost) {
      transport_->read(gmAddress(source), hostBytes(target));
      return Status::ok();
    }
    std::vector<std::byte> staging(std::min(source.size, kStagingBytes));
    for (uint64_t done = 0; done < source.size; done += staging.size()) {
      std::span part = std::span(staging).first(
          std::min<uint64_t>(staging.size(), source.size - done));
      transport_->read(gmAddress(source) + done, part);
      transport_->write(gmAddress(target) + done, part);
    }
    return Status::ok();
  }

  Status run(const FillCommand &command) override {
    const MemoryRange &target = command.target;
    if (target.memory->hostAddress()) {
      return fillOnHost(command);
    }
    // kStagingBytes is a multiple of every pattern size.
    std::vector<std::byte> staging(std::min(target.size, kStagingBytes));
    for (uint64_t i = 0; i < staging.size(); i += command.patternBytes) {
      std::memcpy(&staging[i], &command.pattern, command.patternBytes);
    }
    for (uint64_t done = 0; done < target.size; done += staging.size()) {
      transport_->write(gmAddress(target) + done,
                        std::span(staging).first(std::min<uint64_t>(
                            staging.size(), target.size - done)));
    }
    return Status::ok();
  }

  Status run(const UploadCommand &command) override {
    if (command.target.memory->hostAddress()) {
      return uploadOnHost(command);
    }
    transport_->write(gmAddress(command.target), command.data);
    return Status::ok();
  }

  static std::span<std::byte> hostBytes(const MemoryRange &range) {
    return {range.memory->hostAddress() + range.offset, range.size};
  }

  DeviceDescription description_;
  std::shared_ptr<Transport> transport_;
  HostMemoryPool staging_;
  std::shared_ptr<std::atomic<uint64_t>> used_; // bytes of device memory
  HostQueues queues_{*this, kQueues}; // last: stops before the rest goes
};

class NpuDriver : public Driver {
public:
  explicit NpuDriver(LaunchTracer *tracer) : tracer_(tracer) {}

  std::string_view name() const override { return "npu"; }

  std::vector<DeviceInfo> enumerate() const override {
    return {{"npu:functional", "simulated NPU, untimed"},
            {"npu:cycle", "simulated NPU, cycle by cycle"}};
  }

  Result<std::shared_ptr<DriverDevice>>
  createDevice(std::string_view name,
               const DeviceOptions &options) const override {
    KILN_ASSIGN_OR_RETURN(isa::ArchSpec spec,
                          isa::loadArchSpec(options.machine));
    auto machine = std::make_shared<const isa::ArchSpec>(std::move(spec));
    if (options.cores == 0 || options.cores > machine->arch.cores) {
      return Status(StatusCode::kInvalidArgument,
                    std::to_string(options.cores) + " cores; machine '" +
                        machine->name + "' has " +
                        std::to_string(machine->arch.cores));
    }
    KILN_ASSIGN_OR_RETURN(std::shared_ptr<Transport> transport,
                          makeSimulatorTransport(name.substr(kPrefix.size()),
                                                 machine, options, tracer_));
    return std::shared_ptr<DriverDevice>(std::make_shared<NpuDevice>(
        describe(name, machine, options), std::move(transport)));
  }

private:
  DeviceDescription describe(std::string_view name,
                             std::shared_ptr<const isa::ArchSpec> machine,
                             const DeviceOptions &options) const {
    DeviceDescription d;
    d.name = name;
    d.driver = d.target = "npu";
    for (const DeviceInfo &info : enumerate()) {
      if (info.name == name) {
        d.summary = info.summary;
      }
    }
    d.memoryBytes = machine->arch.capacity(isa::Space::GM);
    if (options.memoryBytes != 0) {
      d.memoryBytes = std::min(d.memoryBytes, options.memoryBytes);
    }
    d.queues = kQueues;
    d.cores = options.cores;
    d.programKinds = {ProgramKind::kNull, ProgramKind::kNpuElf};
    d.properties = {{"order", options.order}};
    d.machine = std::move(machine);
    return d;
  }

  LaunchTracer *tracer_;
};

} // namespace

std::unique_ptr<Driver> makeNpuDriver(LaunchTracer *tracer) {
  return std::make_unique<NpuDriver>(tracer);
}

} // namespace kiln::hal
