// SPDX-License-Identifier: Apache-2.0
//
// The NPU target: physical layouts, schedules, commands, one ELF per dispatch.
//
//   NpuTargetOptions options{.arch = *isa::loadArchSpec("k1"), .cores = 4};
//   std::unique_ptr<target::Target> t = makeNpuTarget(options);
//
// Stages for dumps: "layouts", "kernels" (arguments in memory), "scheduled",
// "bufferized", "npu" (commands).
#pragma once

#include "compiler/pipeline/npu_pipeline.h"
#include "compiler/target/target.h"

namespace kiln::pipeline {

struct NpuTargetOptions {
  isa::ArchSpec arch;
  unsigned cores = 1;
  NpuSync sync = NpuSync::kFlags;
};

std::unique_ptr<target::Target> makeNpuTarget(NpuTargetOptions options);

} // namespace kiln::pipeline
