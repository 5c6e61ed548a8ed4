// SPDX-License-Identifier: Apache-2.0
#include "tools/kiln/sim_trace.h"

#include "isa/codec/instruction.h"

#include <set>

#include <fmt/format.h>

namespace kiln::tools {

void TraceWriter::retired(const sim::CommandStamp &stamp) {
  stamps_.push_back(stamp);
}

std::string TraceWriter::perfettoJson() const {
  nlohmann::json events = nlohmann::json::array();
  std::set<uint32_t> cores;
  for (const sim::CommandStamp &s : stamps_) {
    cores.insert(s.core);
    events.push_back({{"name", std::string(isa::info(s.command.op).mnemonic)},
                      {"ph", "X"},
                      {"pid", s.core},
                      {"tid", static_cast<int>(s.command.pipe)},
                      {"ts", s.start},
                      {"dur", s.busyEnd - s.start},
                      {"args",
                       {{"pc", fmt::format("{:#x}", s.command.pc)},
                        {"issue", s.issue},
                        {"retire", s.retire},
                        {"operands", isa::describeOperands(s.command)}}}});
  }
  for (uint32_t core : cores) {
    events.push_back({{"name", "process_name"},
                      {"ph", "M"},
                      {"pid", core},
                      {"args", {{"name", fmt::format("core {}", core)}}}});
    for (unsigned p = 0; p < isa::kNumPipes; ++p) {
      events.push_back({{"name", "thread_name"},
                        {"ph", "M"},
                        {"pid", core},
                        {"tid", p},
                        {"args", {{"name", isa::kPipeNames[p]}}}});
    }
  }
  nlohmann::json root = {
      {"traceEvents", events},
      {"displayTimeUnit", "ns"},
      {"otherData",
       {{"machine", machine_.name}, {"machine_hash", machine_.hash}}}};
  return root.dump() + "\n";
}

} // namespace kiln::tools
