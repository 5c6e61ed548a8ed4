// SPDX-License-Identifier: Apache-2.0
//
// KernelMeasurer: settings of an operator's knobs, measured on the cycle
// engine in worker processes. A worker keeps the loaded operator and the
// compiler; a trial builds the kernel and runs it without data.
//
//   KernelMeasurer measurer({.op = &op, .shape = shape, .space = &space,
//                            .arch = &k1}, {.workers = 2});
//   measurer.submit(0, setting, 0);
//   Result<tuning::Finished> done = measurer.next();
//
// A kernel whose control depends on its data runs with data.
#pragma once

#include "compiler/tuning/measurer.h"
#include "compiler/tuning/process_pool.h"
#include "isa/arch/arch_spec.h"
#include "tik_dsl/builder/operator.h"

namespace kiln::tools {

/// All borrowed.
struct KernelTask {
  const tik::Operator *op = nullptr;
  tik::ShapeCase shape;
  const tuning::SearchSpace *space = nullptr;
  const isa::ArchSpec *arch = nullptr;
  uint32_t cores = 1;
};

class KernelMeasurer final : public tuning::Measurer {
public:
  KernelMeasurer(const KernelTask &task, tuning::PoolOptions options);

  void submit(size_t trial, const tuning::Setting &setting,
              uint64_t abortAbove) override;
  Result<tuning::Finished> next() override;

private:
  const tuning::SearchSpace &space_;
  tuning::ProcessPool pool_;
};

} // namespace kiln::tools
