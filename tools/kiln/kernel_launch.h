// SPDX-License-Identifier: Apache-2.0
//
// One kernel, ready to run on an engine: an ELF file with its bindings, or a
// one-file operator built for a shape, with seeded inputs. What `kiln sim`,
// `kiln profile` and `kiln top` share.
//
//   KernelOptions options;
//   addKernelOptions(*verb, options);
//   Result<KernelLaunch> launch = prepareKernel(options);
//   engine->run(launch->request);
#pragma once

#include "simulator/core/engine.h"
#include "tools/io/host_tensor.h"
#include "tools/kiln/context.h"

#include <memory>
#include <string>
#include <vector>

namespace kiln::tools {

struct KernelOptions {
  std::string program;
  std::string machine = "k1";
  std::string shape; // of an operator; empty: its first declared one
  std::string knobs; // of an operator: "tileM=64,slots=2"
  std::string elf;   // where to write the ELF of an operator; empty: nowhere
  std::vector<std::string> binds, constants, outs;
  uint32_t blocks = 1, cores = 1;
  uint64_t workspace = 0, budget = 0, seed = 1;
  bool dataOff = false;
};

struct KernelLaunch {
  std::string title;  // "vector_add N=10000", or the file
  std::string folder; // of the program: its sources may lie there
  std::unique_ptr<isa::ArchSpec> machine;
  std::unique_ptr<sim::HostGlobalMemory> gm;
  std::vector<HostTensor> tensors;
  sim::LaunchRequest request;
};

/// The program and what it runs with.
void addKernelOptions(CLI::App &verb, KernelOptions &options);

Result<KernelLaunch> prepareKernel(KernelOptions &options);

/// Writes what --out asks for.
Status writeOutputs(const KernelOptions &options, const KernelLaunch &launch);

} // namespace kiln::tools
