// SPDX-License-Identifier: Apache-2.0
#include "tests/conformance/hal/reference_driver.h"

#include "hal/core/host_memory.h"
#include "hal/core/host_queues.h"

#include <algorithm>
#include <array>
#include <cstring>

namespace kiln::hal::conformance {
namespace {

/// Bytes [offset, offset + size) of a binding. A modelled device faults where
/// a driver bug would make it touch anything else.
Result<std::byte *> at(const DispatchCommand &command, size_t binding,
                       int64_t offset, int64_t size) {
  if (binding < command.bindings.size() && offset >= 0 && size >= 0) {
    const MemoryRange &range = command.bindings[binding].range;
    if (static_cast<uint64_t>(offset + size) <= range.size) {
      return range.memory->hostAddress() + range.offset + offset;
    }
  }
  return Status(StatusCode::kDeviceFault, "outside of the bindings");
}

int64_t constant(const DispatchCommand &command, size_t index) {
  return index < command.constants.size() ? command.constants[index] : 0;
}

Status copyKernel(const DispatchCommand &command, uint32_t block) {
  int64_t bytes = constant(command, 0);
  KILN_ASSIGN_OR_RETURN(std::byte * from, at(command, 0, block * bytes, bytes));
  KILN_ASSIGN_OR_RETURN(std::byte * to, at(command, 1, block * bytes, bytes));
  std::memmove(to, from, static_cast<size_t>(bytes));
  return Status::ok();
}

Status probeKernel(const DispatchCommand &command, uint32_t block) {
  uint64_t words[8] = {block,
                       1,
                       command.bindings.size(),
                       command.constants.size(),
                       static_cast<uint64_t>(constant(command, 0)),
                       static_cast<uint64_t>(constant(command, 1)),
                       0,
                       0};
  KILN_ASSIGN_OR_RETURN(std::byte * out,
                        at(command, 0, 64 * int64_t{block}, sizeof(words)));
  std::memcpy(out, words, sizeof(words));
  return Status::ok();
}

Status incrementKernel(const DispatchCommand &command, uint32_t) {
  int64_t value = 0;
  KILN_ASSIGN_OR_RETURN(std::byte * out, at(command, 0, 0, sizeof(value)));
  std::memcpy(&value, out, sizeof(value));
  value += constant(command, 0);
  std::memcpy(out, &value, sizeof(value));
  return Status::ok();
}

Status spinKernel(const DispatchCommand &, uint32_t) {
  return {StatusCode::kBudgetExceeded, "the kernel spins"};
}

Status trapKernel(const DispatchCommand &, uint32_t) {
  return {StatusCode::kDeviceFault, "trap: the kernel gave up"};
}

Status loseKernel(const DispatchCommand &, uint32_t) {
  return {StatusCode::kDeviceLost, "the device fell off the bus"};
}

using Kernel = Status (*)(const DispatchCommand &, uint32_t block);
constexpr std::pair<std::string_view, Kernel> kKernels[] = {
    {"copy", copyKernel},           {"probe", probeKernel},
    {"increment", incrementKernel}, {"spin", spinKernel},
    {"trap", trapKernel},           {"lose", loseKernel}};

/// Cycles as an engine would report them: two pipes, one cycle per block.
CycleReport fakeCycles(uint32_t blocks) {
  CycleReport report{uint64_t{blocks} + 10, blocks};
  report.pipes = {{"S", blocks, 10, {{"flag", 0}}},
                  {"V", 0, 10, {{"flag", blocks}}}};
  return report;
}

class ReferenceDevice : public DriverDevice, CommandExecutor {
public:
  explicit ReferenceDevice(DeviceDescription description)
      : description_(std::move(description)),
        memory_(description_.memoryBytes) {}

  const DeviceDescription &description() const override { return description_; }

  Result<std::unique_ptr<DriverMemory>>
  allocate(const BufferRequest &request) override {
    KILN_ASSIGN_OR_RETURN(std::unique_ptr<DriverMemory> memory,
                          memory_.allocate(request));
    // Undefined content, but the same in every run.
    std::fill_n(memory->hostAddress(), request.size, std::byte{0xee});
    return memory;
  }

  Result<std::unique_ptr<DriverProgram>>
  loadProgram(const ProgramImage &image) override {
    if (!image.cpuFeatures.empty()) {
      return Status(StatusCode::kUnsupported, "lacks a feature");
    }
    ProgramReflection reflection{image.kind, image.name, image.bytes.size()};
    for (const std::string &entry : image.entries) {
      if (!find(entry)) {
        return Status(StatusCode::kCorrupt, "no kernel '" + entry + "'");
      }
      reflection.entries.push_back({entry});
    }
    return std::make_unique<DriverProgram>(std::move(reflection));
  }

  Status submit(uint32_t queue, Submission submission) override {
    return queues_.submit(queue, std::move(submission));
  }

private:
  static Kernel find(std::string_view name) {
    auto found = std::ranges::find(kKernels, name,
                                   &std::pair<std::string_view, Kernel>::first);
    return found == std::end(kKernels) ? nullptr : found->second;
  }

  using CommandExecutor::run;
  Result<ProgramReport> run(const DispatchCommand &command) override {
    Kernel kernel =
        find(command.program->reflection().entries[command.entry].name);
    for (uint32_t block = 0; block < command.blocks; ++block) {
      KILN_RETURN_IF_ERROR(kernel(command, block));
    }
    ProgramReport report;
    report.blocks = command.blocks;
    report.cycle = fakeCycles(command.blocks);
    return report;
  }

  DeviceDescription description_;
  HostMemoryPool memory_;
  HostQueues queues_{*this, 2};
};

class ReferenceDriver : public Driver {
public:
  std::string_view name() const override { return "reference"; }
  std::vector<DeviceInfo> enumerate() const override {
    return {{"reference", "the suite's own device"}};
  }
  Result<std::shared_ptr<DriverDevice>>
  createDevice(std::string_view, const DeviceOptions &options) const override {
    DeviceDescription d;
    d.name = d.driver = d.target = "reference";
    d.summary = "the suite's own device";
    d.memoryBytes =
        options.memoryBytes ? options.memoryBytes : hostMemoryBytes();
    d.queues = 2;
    d.programKinds = {ProgramKind::kNull};
    return std::shared_ptr<DriverDevice>(
        std::make_shared<ReferenceDevice>(std::move(d)));
  }
};

} // namespace

std::unique_ptr<Driver> makeReferenceDriver() {
  return std::make_unique<ReferenceDriver>();
}

} // namespace kiln::hal::conformance
