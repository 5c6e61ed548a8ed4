// SPDX-License-Identifier: Apache-2.0
#include "simulator/trace/energy.h"

#include <algorithm>

namespace kiln::sim {

using isa::EnergyEvent;
using isa::Space;

uint64_t idleCoreCycles(const Trace &trace) {
  uint64_t idle = 0;
  for (uint32_t core = 0; core < trace.cores(); ++core) {
    std::vector<TraceState> busy;
    for (unsigned p = 0; p < isa::kNumPipes; ++p) {
      for (const TraceState &s :
           trace.states(core, static_cast<isa::Pipe>(p))) {
        if (s.state == PipeState::busy()) {
          busy.push_back(s);
        }
      }
    }
    std::sort(busy.begin(), busy.end(),
              [](const auto &a, const auto &b) { return a.begin < b.begin; });
    uint64_t end = 0;
    for (const TraceState &s : busy) {
      idle += s.begin > end ? s.begin - end : 0;
      end = std::max(end, s.end);
    }
    idle += trace.report.cycles - std::min(end, trace.report.cycles);
  }
  return idle;
}

std::vector<EnergyRow> energyOf(const Trace &trace) {
  std::vector<EnergyRow> rows;
  const isa::EnergyPart &energy = trace.machine.energy;
  if (!energy.given) {
    return rows;
  }
  const EventCounts &e = trace.events;
  auto bytes = [&](Space s) { return e.bytes[static_cast<unsigned>(s)]; };
  std::array<uint64_t, isa::kNumEnergyEvents> count{};
  auto set = [&](EnergyEvent event, uint64_t n) {
    count[static_cast<unsigned>(event)] = n;
  };
  set(EnergyEvent::kMac8, e.macs8);
  set(EnergyEvent::kMac16, e.macs16);
  set(EnergyEvent::kMac32, e.macs32);
  set(EnergyEvent::kAddLane16, e.addLanes16);
  set(EnergyEvent::kAddLane32, e.addLanes32);
  set(EnergyEvent::kMulLane16, e.mulLanes16);
  set(EnergyEvent::kMulLane32, e.mulLanes32);
  set(EnergyEvent::kFunctionLane16, e.functionLanes16);
  set(EnergyEvent::kFunctionLane32, e.functionLanes32);
  set(EnergyEvent::kSmallSramByte, bytes(Space::BT));
  set(EnergyEvent::kLocalByte, bytes(Space::L0A) + bytes(Space::L0B) +
                                   bytes(Space::L0C) + bytes(Space::UB));
  set(EnergyEvent::kL1Byte, bytes(Space::L1));
  set(EnergyEvent::kGmByte, bytes(Space::GM));
  set(EnergyEvent::kNetworkByte, bytes(Space::GM));
  set(EnergyEvent::kControlInstruction, trace.report.instructions);
  set(EnergyEvent::kIdleCoreCycle, idleCoreCycles(trace));
  for (unsigned n = 0; n < isa::kNumEnergyEvents; ++n) {
    rows.push_back({isa::kEnergyKeys[n], count[n],
                    energy.figures[n].femtojoules, energy.figures[n].source});
  }
  return rows;
}

} // namespace kiln::sim
