// SPDX-License-Identifier: Apache-2.0
#include "tools/kiln/kernel_launch.h"

#include "tik_dsl/builder/operator.h"
#include "tik_dsl/loader/operator_file.h"
#include "tik_dsl/testing/element_data.h"
#include "tools/engine/operator_guard.h"
#include "tools/io/file.h"
#include "tools/kiln/operator_options.h"
#include "tools/kiln/sim_data.h"

#include <algorithm>
#include <cstring>

#include <fmt/format.h>

namespace kiln::tools {
namespace {

Status invalid(std::string message) {
  return {StatusCode::kInvalidArgument, std::move(message)};
}

/// Allocates a binding and copies its bytes.
Status addBinding(KernelLaunch &launch, std::span<const uint8_t> bytes) {
  uint64_t size = std::max<uint64_t>(bytes.size(), 1);
  KILN_ASSIGN_OR_RETURN(GmAddr address, launch.gm->allocate(Bytes(size)));
  std::memcpy(launch.gm->host(address, size), bytes.data(), bytes.size());
  launch.request.bindings.push_back({address.count(), size, true});
  return Status::ok();
}

/// Said before the kernel runs.
Status checkOutputs(const std::vector<std::string> &outs, size_t bindings) {
  for (const std::string &text : outs) {
    KILN_ASSIGN_OR_RETURN(IndexedValue out, parseIndexed(text, "--out"));
    if (out.index >= bindings) {
      return invalid(
          fmt::format("--out {}: there are {} bindings", text, bindings));
    }
    KILN_RETURN_IF_ERROR(checkOutput(out.value).withContext("--out " + text));
  }
  return Status::ok();
}

Status prepareElf(KernelOptions &options, KernelLaunch &launch) {
  sim::LaunchRequest &request = launch.request;
  KILN_ASSIGN_OR_RETURN(std::vector<uint8_t> bytes, readFile(options.program));
  KILN_ASSIGN_OR_RETURN(request.program,
                        sim::Program::load(bytes, options.program));
  KILN_ASSIGN_OR_RETURN(launch.tensors, loadBindings(options.binds));
  KILN_RETURN_IF_ERROR(checkOutputs(options.outs, launch.tensors.size()));
  KILN_ASSIGN_OR_RETURN(request.constants, parseConstants(options.constants));
  request.blockDim = options.blocks;
  for (const HostTensor &tensor : launch.tensors) {
    KILN_RETURN_IF_ERROR(addBinding(launch, tensor.bytes));
  }
  launch.title = options.program;
  return Status::ok();
}

/// Seeded inputs as `kiln test-op` makes them; outputs are zeros.
Status bindTensors(const tik::BoundShape &shape, uint64_t seed,
                   KernelLaunch &launch) {
  seed *= 1000;
  for (const tik::BoundTensor &tensor : shape.tensors) {
    auto count = static_cast<size_t>(tensor.elements());
    std::vector<double> values =
        tensor.isOutput ? std::vector<double>(count, 0)
                        : tik::testValues(count, tensor.type, tensor.low,
                                          tensor.high, ++seed);
    KILN_RETURN_IF_ERROR(addBinding(launch, tik::toBytes(values, tensor.type)));
  }
  return Status::ok();
}

Status prepareOperator(const KernelOptions &options, KernelLaunch &launch) {
  if (!options.binds.empty() || !options.constants.empty() ||
      !options.outs.empty()) {
    return invalid(options.program +
                   ": an operator has seeded inputs; --bind, --const and "
                   "--out are for an ELF file");
  }
  tik::LoadOptions load{.watch = &operatorGuard()};
  KILN_ASSIGN_OR_RETURN(load.includeDir, includeFolder());
  KILN_ASSIGN_OR_RETURN(tik::OperatorFile file,
                        tik::OperatorFile::load(options.program, load));
  tik::ShapeCase settings;
  if (!options.shape.empty()) {
    KILN_ASSIGN_OR_RETURN(settings, parseShapeCase(options.shape));
  } else if (!file.op().decl().cases.empty()) {
    settings = file.op().decl().cases.front();
  }
  if (!options.knobs.empty()) {
    KILN_ASSIGN_OR_RETURN(settings.knobs, parseKnobs(options.knobs));
  }
  KILN_ASSIGN_OR_RETURN(tik::BoundShape shape, file.op().bind(settings));
  tik::OperatorCompiler compiler;
  KILN_ASSIGN_OR_RETURN(
      tik::CompiledKernel kernel,
      compiler.compile(file.op(), shape,
                       {.arch = launch.machine.get(), .cores = options.cores}));
  if (!options.elf.empty()) {
    KILN_RETURN_IF_ERROR(writeFile(options.elf, kernel.elf));
  }
  KILN_ASSIGN_OR_RETURN(launch.request.program,
                        sim::Program::load(kernel.elf, kernel.name));
  launch.request.blockDim = kernel.blocks;
  launch.request.constants = shape.constants;
  launch.title = file.op().decl().name + " " + shape.text;
  KILN_RETURN_IF_ERROR(bindTensors(shape, options.seed, launch));
  for (uint64_t bytes : kernel.workspaceBytes) {
    KILN_RETURN_IF_ERROR(addBinding(launch, std::vector<uint8_t>(bytes)));
  }
  return Status::ok();
}

} // namespace

void addKernelOptions(CLI::App &verb, KernelOptions &options) {
  verb.add_option("program", options.program,
                  "ELF, a .yaml job beside it, or a one-file operator (.cpp)")
      ->required();
  verb.add_option("--machine", options.machine, "name or machine file");
  verb.add_option("--shape", options.shape,
                  "operator: NAME=N,NAME=N (default: its first shape)");
  verb.add_option("--knobs", options.knobs,
                  "operator: NAME=N,NAME=N, knobs not at their defaults");
  verb.add_option("--elf", options.elf, "operator: write its kernel here");
  verb.add_option("--seed", options.seed, "operator: of its random inputs");
  verb.add_option("--bind", options.binds,
                  "N=FILE | N=zeros:BYTES | N=zeros:TYPE:SHAPE | "
                  "N=random:TYPE:SEED:COUNT (also relu:, wide:)");
  verb.add_option("--const", options.constants, "N=VALUE");
  verb.add_option("--out", options.outs,
                  "N=FILE (.npy, .pb, raw; .png and .wav with "
                  "modifiers)");
  verb.add_option("--blocks", options.blocks, "blocks to run");
  verb.add_option("--cores", options.cores, "cores that take part")
      ->check(atLeastOne());
  verb.add_option("--workspace", options.workspace, "bytes of workspace");
  verb.add_option("--budget", options.budget, "instructions or cycles");
  verb.add_flag("--data-off", options.dataOff, "cycle: timing only");
}

Result<KernelLaunch> prepareKernel(KernelOptions &options) {
  bool isOperator = isOperatorFile(options.program);
  if (!isOperator) {
    if (!options.shape.empty() || !options.knobs.empty() ||
        !options.elf.empty()) {
      return invalid(options.program +
                     ": --shape, --knobs and --elf are for a one-file "
                     "operator");
    }
    KILN_RETURN_IF_ERROR(
        applyJobFile(options.program, options.machine, options.blocks,
                     {options.binds, options.constants, options.outs}));
  }
  KernelLaunch launch;
  launch.folder = std::filesystem::path(options.program).parent_path().string();
  KILN_ASSIGN_OR_RETURN(isa::ArchSpec machine,
                        isa::loadArchSpec(options.machine));
  launch.machine = std::make_unique<isa::ArchSpec>(std::move(machine));
  KILN_ASSIGN_OR_RETURN(launch.gm,
                        sim::HostGlobalMemory::create(
                            launch.machine->arch.gmBase,
                            launch.machine->arch.capacity(isa::Space::GM)));
  KILN_RETURN_IF_ERROR(isOperator ? prepareOperator(options, launch)
                                  : prepareElf(options, launch));
  sim::LaunchRequest &request = launch.request;
  request.cores = options.cores;
  request.dataOff = options.dataOff;
  if (options.budget > 0) {
    request.budget = options.budget;
  }
  if (options.workspace > 0) {
    KILN_ASSIGN_OR_RETURN(GmAddr address,
                          launch.gm->allocate(Bytes(options.workspace)));
    request.workspace = {address.count(), options.workspace, true};
  }
  return launch;
}

Status writeOutputs(const KernelOptions &options, const KernelLaunch &launch) {
  std::vector<std::pair<std::filesystem::path, std::vector<uint8_t>>> files;
  for (const std::string &text : options.outs) {
    KILN_ASSIGN_OR_RETURN(IndexedValue out, parseIndexed(text, "--out"));
    HostTensor tensor = launch.tensors.at(out.index);
    const sim::GmRange &range = launch.request.bindings[out.index];
    std::memcpy(tensor.bytes.data(),
                launch.gm->host(GmAddr(range.address), range.bytes),
                tensor.bytes.size());
    KILN_ASSIGN_OR_RETURN(std::vector<uint8_t> bytes,
                          formatTensor(out.value, tensor));
    files.emplace_back(fileOf(out.value), std::move(bytes));
  }
  for (const auto &[path, bytes] : files) {
    KILN_RETURN_IF_ERROR(writeFile(path, bytes));
  }
  return Status::ok();
}

} // namespace kiln::tools
