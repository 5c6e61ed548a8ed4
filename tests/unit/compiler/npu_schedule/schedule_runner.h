// SPDX-License-Identifier: Apache-2.0
//
// Takes a dispatch (MLIR text) through scheduling and linalg-to-npu and runs
// the commands on the functional engine.
//
//   ScheduleRunner runner(text);                 // or a machine: {text,
//   "k1-nano"} ASSERT_TRUE(runner.lower()) << runner.error(); KernelRun run =
//   runner.run({x, w, out});
#pragma once

#include "tests/unit/compiler/npu/kernel_runner.h"

#include <string>

namespace kiln::test {

class ScheduleRunner {
public:
  explicit ScheduleRunner(std::string text, int64_t cores = 1,
                          std::string machine = "k1");

  /// Runs the passes; false with error() when one fails.
  bool lower();
  const std::string &error() const { return error_; }
  /// The kernel as commands.
  const std::string &commands() const { return commands_; }
  const std::string &schedule() const { return schedule_; }
  uint32_t blocks() const { return blocks_; }

  /// Compiles with a barrier after every command and runs all blocks.
  KernelRun run(const std::vector<Bytes> &bindings,
                sim::Order order = sim::Order::kEager);

private:
  std::string text_, machine_, error_, commands_, schedule_;
  int64_t cores_;
  uint32_t blocks_ = 1;
};

} // namespace kiln::test
