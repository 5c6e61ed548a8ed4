// SPDX-License-Identifier: Apache-2.0
//
// The NPU target: physical layouts, schedules, commands, one ELF per dispatch.
//
//   NpuTargetOptions options{.arch = *isa::loadArchSpec("k1"), .cores = 4};
//   std::unique_ptr<target::Target> t = makeNpuTarget(options);
//
// Stages for dumps: "layouts", "scheduled" (tiled and placed), "bufferized",
// "npu" (commands). Errors: kUnsupported for what no layout or command does,
// kDoesNotFit for a dispatch whose smallest tiles do not fit the machine.
#pragma once

#include "compiler/pipeline/npu_pipeline.h"
#include "compiler/target/target.h"

namespace kiln::pipeline {

struct NpuTargetOptions {
  isa::ArchSpec arch;
  unsigned cores = 1; // a dispatch may be split over; 0: those of the machine
  NpuSync sync = NpuSync::kFlags;
};

std::unique_ptr<target::Target> makeNpuTarget(NpuTargetOptions options);

} // namespace kiln::pipeline
