// SPDX-License-Identifier: Apache-2.0
//
// Cycles of one or more dispatches, as `kiln sim`, `run`, `bench` and
// `test-op` print them. The JSON keys are those of the design page and stay
// stable.
//
//   CycleSummary s(machine, "npu:cycle");
//   s.setPrecision("fp16");
//   s.add(report, {macs, isa::ElementType::F16}); // per dispatch
//   context.print(s.text(), s.json());
//
// Kernel share = useful multiply-accumulates over what the cube could have done
// from the first command of each dispatch to its last retire; model share = the
// same over the whole run, launches included. Useful are those of the
// mathematical operator: no padding, no tails, nothing computed twice.
// busy, stalls and idle of a pipe add up to cycles x cores.
#pragma once

#include "hal/api/program.h"
#include "isa/arch/arch_spec.h"

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

namespace kiln::tools {

/// Multiply-accumulates of the mathematical operator and the type of their
/// factors.
struct UsefulMacs {
  uint64_t count = 0;
  isa::ElementType type = isa::ElementType::F16;
};

/// Share of the cube's peak that `useful` is in `cycles` on `cores`.
double macShare(const isa::ArchSpec &machine, const UsefulMacs &useful,
                uint32_t cores, uint64_t cycles);

class CycleSummary {
public:
  CycleSummary(const isa::ArchSpec &machine, std::string device);

  /// Adds a dispatch that ran after the ones before. Without an operator (a
  /// bare program) everything that the engine counted is useful, as fp16.
  void add(const hal::ProgramReport &report,
           const std::optional<UsefulMacs> &useful = {});
  /// "strict", "fp16": what is printed.
  void setPrecision(const std::string &name) { precision_ = name; }

  bool timed() const { return cycles_ > 0; }
  uint64_t cycles() const { return cycles_; }
  uint64_t kernelCycles() const { return kernelCycles_; }
  double timeMicros() const;
  /// Useful multiply-accumulates over what the cube could have done.
  double kernelShare() const;
  double modelShare() const;

  nlohmann::json json() const;
  std::string text() const;

private:
  struct PipeSum {
    uint64_t busy = 0, idle = 0;
    std::vector<std::pair<std::string, uint64_t>> stalls;
    uint64_t total() const;
  };
  struct Bound {
    std::string pipe;
    uint64_t cycles = 0;
  };
  Bound bound() const;
  double share(uint64_t cycles) const;
  std::string macTypes() const;

  const isa::ArchSpec &machine_;
  std::string device_;
  std::string precision_ = "fp16";
  uint64_t dispatches_ = 0, instructions_ = 0, macs_ = 0;
  std::map<isa::ElementType, uint64_t> usefulMacs_;
  uint64_t cycles_ = 0, kernelCycles_ = 0, gmRead_ = 0, gmWrite_ = 0;
  uint32_t cores_ = 1;
  std::vector<std::pair<std::string, PipeSum>> pipes_; // in machine order
};

/// CPU seconds of this process so far.
double hostCpuSeconds();

} // namespace kiln::tools
