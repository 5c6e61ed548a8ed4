// SPDX-License-Identifier: Apache-2.0
#include "hal/drivers/cpu/cpu_driver.h"

#include "hal/core/host_device.h"
#include "hal/core/host_memory.h"
#include "hal/drivers/cpu/block_pool.h"
#include "hal/drivers/cpu/cpu_features.h"
#include "hal/drivers/cpu/shared_object.h"
#include "isa/abi/launch.h"

#include <algorithm>
#include <cstring>

namespace kiln::hal {
namespace {

using Entry = void (*)(const isa::ArgumentBlockHeader *args, uint32_t block);

constexpr uint32_t kQueues = 2;
constexpr uint32_t kMaxThreads = 1024;

class CpuProgram : public DriverProgram {
public:
  CpuProgram(ProgramReflection reflection, std::unique_ptr<SharedObject> code,
             std::vector<Entry> entries)
      : DriverProgram(std::move(reflection)), code_(std::move(code)),
        entries_(std::move(entries)) {}

  /// Null for a program of kind null, which does nothing.
  Entry entry(uint32_t index) const {
    return code_ ? entries_[index] : nullptr;
  }

private:
  std::unique_ptr<SharedObject> code_;
  std::vector<Entry> entries_;
};

uint64_t hostPointer(const MemoryRange &range) {
  return reinterpret_cast<uintptr_t>(range.memory->hostAddress() +
                                     range.offset);
}

/// The argument block, in memory aligned for it.
std::vector<uint64_t> argumentBlock(const DispatchCommand &command) {
  constexpr size_t kHeaderWords =
      sizeof(isa::ArgumentBlockHeader) / sizeof(uint64_t);
  isa::ArgumentBlockHeader header{
      isa::kArgumentBlockVersion,
      static_cast<uint32_t>(command.bindings.size()),
      static_cast<uint32_t>(command.constants.size()), 0,
      command.workspace ? hostPointer(command.workspace->range) : 0};
  std::vector<uint64_t> block;
  block.reserve(kHeaderWords + command.bindings.size() +
                command.constants.size());
  block.resize(kHeaderWords);
  std::memcpy(block.data(), &header, sizeof(header));
  for (const MemoryBinding &binding : command.bindings) {
    block.push_back(hostPointer(binding.range));
  }
  for (int64_t constant : command.constants) {
    block.push_back(static_cast<uint64_t>(constant));
  }
  return block;
}

class CpuBackend : public HostBackend {
public:
  explicit CpuBackend(const DeviceOptions &options)
      : options_(options), pool_(options.threads) {}

  Result<std::unique_ptr<DriverProgram>>
  loadProgram(const ProgramImage &image) override {
    ProgramReflection reflection = reflectionOf(image);
    if (image.kind == ProgramKind::kNull) {
      return make(std::move(reflection), nullptr, {});
    }
    if (!options_.allowNative) {
      return Status(StatusCode::kUnsupported,
                    "native code is refused (--no-native)");
    }
    KILN_RETURN_IF_ERROR(checkFeatures(image.cpuFeatures));
    KILN_ASSIGN_OR_RETURN(std::unique_ptr<SharedObject> code,
                          SharedObject::load(image.bytes.view(), image.name));
    std::vector<Entry> entries;
    for (const std::string &name : image.entries) {
      KILN_ASSIGN_OR_RETURN(void *address, code->symbol(name));
      entries.push_back(reinterpret_cast<Entry>(address));
    }
    return make(std::move(reflection), std::move(code), std::move(entries));
  }

  Result<ProgramReport> run(const DispatchCommand &command) override {
    auto start = std::chrono::steady_clock::now();
    Deadline deadline;
    if (options_.budgetMillis != 0) {
      deadline = start + std::chrono::milliseconds(options_.budgetMillis);
    }
    std::vector<uint64_t> block = argumentBlock(command);
    auto *args =
        reinterpret_cast<const isa::ArgumentBlockHeader *>(block.data());
    auto *program = static_cast<const CpuProgram *>(command.program);
    if (Entry entry = program->entry(command.entry)) {
      KILN_RETURN_IF_ERROR(pool_.run(command.blocks, deadline,
                                     [&](uint32_t b) { entry(args, b); }));
    }
    std::chrono::duration<double> seconds =
        std::chrono::steady_clock::now() - start;
    ProgramReport report;
    report.blocks = command.blocks;
    report.cores = std::min(options_.threads, command.blocks);
    report.hostSeconds = seconds.count();
    return report;
  }

private:
  static Result<std::unique_ptr<DriverProgram>>
  make(ProgramReflection reflection, std::unique_ptr<SharedObject> code,
       std::vector<Entry> entries) {
    return std::unique_ptr<DriverProgram>(std::make_unique<CpuProgram>(
        std::move(reflection), std::move(code), std::move(entries)));
  }

  Status checkFeatures(const std::vector<std::string> &needed) const {
    std::string missing;
    for (const std::string &feature : needed) {
      if (!std::ranges::binary_search(features_, feature)) {
        missing += " " + feature;
      }
    }
    return missing.empty()
               ? Status::ok()
               : Status(
                     StatusCode::kUnsupported,
                     "this CPU lacks" + missing +
                         "; compile with --cpu=x86-64-v3 or on this machine");
  }

  std::vector<std::string> features_ = hostCpuFeatures();
  DeviceOptions options_;
  BlockPool pool_;
};

class CpuDriver : public Driver {
public:
  std::string_view name() const override { return "cpu"; }

  std::vector<DeviceInfo> enumerate() const override {
    return {{"cpu", "native code on this machine"}};
  }

  Result<std::shared_ptr<DriverDevice>>
  createDevice(std::string_view, const DeviceOptions &options) const override {
    if (options.threads == 0 || options.threads > kMaxThreads) {
      return Status(StatusCode::kInvalidArgument,
                    std::to_string(options.threads) +
                        " threads; expected 1 to 1024");
    }
    DeviceDescription d;
    d.name = d.driver = d.target = "cpu";
    d.summary = enumerate()[0].summary;
    d.memoryBytes =
        options.memoryBytes ? options.memoryBytes : hostMemoryBytes();
    // Kernels ask for the alignment of elements only: a binding may be a part
    // of a tensor that starts anywhere (plan.slice).
    d.bindingAlignment = 1;
    d.queues = kQueues;
    d.cores = options.threads;
    d.programKinds = {ProgramKind::kNull, ProgramKind::kCpuSo};
    d.cpuFeatures = hostCpuFeatures();
    return makeHostDevice(std::move(d), std::make_unique<CpuBackend>(options));
  }
};

} // namespace

std::unique_ptr<Driver> makeCpuDriver() {
  return std::make_unique<CpuDriver>();
}

} // namespace kiln::hal
