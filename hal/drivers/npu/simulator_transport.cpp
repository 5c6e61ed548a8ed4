// SPDX-License-Identifier: Apache-2.0
#include "hal/drivers/npu/transport.h"

#include "hal/drivers/npu/launch_report.h"
#include "simulator/core/engine_options.h"

#include <cstring>
#include <mutex>

namespace kiln::hal {
namespace {

constexpr uint32_t kMaxThreads = 64;

struct SimulatedCode : NpuCode {
  explicit SimulatedCode(std::shared_ptr<const sim::Program> program)
      : program(std::move(program)) {}
  std::shared_ptr<const sim::Program> program;
};

class SimulatorTransport : public Transport {
public:
  SimulatorTransport(std::shared_ptr<const isa::ArchSpec> machine,
                     std::unique_ptr<sim::HostGlobalMemory> gm, bool timed,
                     sim::LaunchRequest everyLaunch, LaunchTracer *tracer)
      : machine_(std::move(machine)), gm_(std::move(gm)),
        everyLaunch_(std::move(everyLaunch)), tracer_(timed ? tracer : nullptr),
        engine_(timed ? sim::createCycleEngine(*machine_, *gm_)
                      : sim::createFunctionalEngine(*machine_, *gm_)) {}

  Result<uint64_t> allocate(uint64_t bytes) override {
    std::lock_guard lock(allocation_);
    KILN_ASSIGN_OR_RETURN(GmAddr address, gm_->allocate(Bytes(bytes)));
    return address.count();
  }

  void free(uint64_t address) override {
    std::lock_guard lock(allocation_);
    Status status = gm_->free(GmAddr(address));
    assert(status && "frees what allocate() returned");
    (void)status;
  }

  void write(uint64_t address, std::span<const std::byte> data) override {
    if (!data.empty()) {
      std::memcpy(gm_->host(GmAddr(address), data.size()), data.data(),
                  data.size());
    }
  }

  void read(uint64_t address, std::span<std::byte> data) override {
    if (!data.empty()) {
      std::memcpy(data.data(), gm_->host(GmAddr(address), data.size()),
                  data.size());
    }
  }

  Result<LoadedCode> load(const ProgramImage &image) override {
    KILN_ASSIGN_OR_RETURN(std::shared_ptr<const sim::Program> program,
                          sim::Program::load(image.bytes.view(), image.name));
    const isa::KernelNote &note = program->image().note;
    uint64_t words = uint64_t{note.bindingCount} + note.constantCount;
    KILN_RETURN_IF_ERROR(
        program->checkFits(*machine_, sizeof(isa::ArgumentBlockHeader) +
                                          words * sizeof(uint64_t)));
    EntryReflection entry{note.kernel, note.bindingCount, note.constantCount,
                          note.deviceBarrier};
    return LoadedCode{std::make_shared<SimulatedCode>(std::move(program)),
                      std::move(entry)};
  }

  Result<ProgramReport> launch(const NpuLaunch &launch) override {
    sim::LaunchRequest request = everyLaunch_;
    request.program = static_cast<const SimulatedCode &>(*launch.code).program;
    request.blockDim = launch.blocks;
    for (const GmBinding &binding : launch.bindings) {
      request.bindings.push_back(
          {binding.address, binding.size, binding.writable});
    }
    if (launch.workspace) {
      request.workspace = {launch.workspace->address, launch.workspace->size,
                           true};
    }
    request.constants = launch.constants;
    request.doorbell = launch.doorbell;
    std::lock_guard lock(launch_);
    if (tracer_) {
      request.listener = tracer_->begin(*machine_, *request.program);
    }
    Result<sim::LaunchReport> report = engine_->run(request);
    if (tracer_) {
      tracer_->ended(report ? &*report : nullptr);
    }
    if (!report) {
      return report.status();
    }
    return toProgramReport(*report, launch.blocks);
  }

private:
  std::shared_ptr<const isa::ArchSpec> machine_;
  std::unique_ptr<sim::HostGlobalMemory> gm_;
  sim::LaunchRequest everyLaunch_; // what the device's options say
  LaunchTracer *tracer_;
  std::unique_ptr<sim::Engine> engine_;
  std::mutex allocation_; // of gm_
  std::mutex launch_;     // of engine_
};

} // namespace

Result<std::shared_ptr<Transport>>
makeSimulatorTransport(std::string_view engine,
                       std::shared_ptr<const isa::ArchSpec> machine,
                       const DeviceOptions &options, LaunchTracer *tracer) {
  const bool timed = engine == "cycle";
  if (timed && (options.threads == 0 || options.threads > kMaxThreads)) {
    return Status(StatusCode::kInvalidArgument,
                  std::to_string(options.threads) + " threads; expected 1 to " +
                      std::to_string(kMaxThreads));
  }
  if (!timed && !options.data) {
    return Status(StatusCode::kInvalidArgument,
                  "without data there is nothing to do for npu:functional; "
                  "npu:cycle has the timing");
  }
  sim::LaunchRequest everyLaunch;
  everyLaunch.cores = options.cores;
  everyLaunch.threads = options.threads;
  everyLaunch.dataOff = !options.data;
  KILN_RETURN_IF_ERROR(sim::setOrder(options.order, everyLaunch));
  KILN_RETURN_IF_ERROR(sim::setChecks(options.checks, everyLaunch.checks));
  if (options.budgetCycles != 0) {
    everyLaunch.budget = options.budgetCycles;
  }
  KILN_ASSIGN_OR_RETURN(
      std::unique_ptr<sim::HostGlobalMemory> gm,
      sim::HostGlobalMemory::create(machine->arch.gmBase,
                                    machine->arch.capacity(isa::Space::GM)));
  return std::shared_ptr<Transport>(std::make_shared<SimulatorTransport>(
      std::move(machine), std::move(gm), timed, std::move(everyLaunch),
      tracer));
}

} // namespace kiln::hal
