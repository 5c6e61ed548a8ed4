// SPDX-License-Identifier: Apache-2.0
//
// Comparison: a program on the cycle engine and on the core in SystemVerilog.
//
//   Comparison c("k1-nano");
//   uint64_t gm = c.bench.upload(values);
//   EXPECT_EQ(c.difference(program, {gm}), "");
//
// Compared are the (issue, start, retire) stamps of every NPU instruction, the
// cycle the block ends in, and every byte of the bound buffers, of UB and of
// the scalar RAM. The program must end with kbar and kend, so that nothing
// moves any more when the engine's memories are looked at.
#pragma once

#include "simulator/core/debug_hook.h"
#include "tests/engines/support/engine_bench.h"
#include "tests/rtl/rtl_core.h"

namespace kiln::test {

class Comparison {
public:
  explicit Comparison(const char *machine = "k1-nano") : bench(machine) {}

  /// The first difference in words; empty when there is none.
  std::string
  difference(const std::shared_ptr<const sim::Program> &program,
             const std::vector<uint64_t> &buffers,
             const std::function<void(std::vector<uint16_t> &)> &mutate = {});

  EngineBench bench;

  /// Of the last run.
  std::vector<RtlStamp> expected;
  RtlRun found;
};

} // namespace kiln::test
