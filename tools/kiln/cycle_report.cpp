// SPDX-License-Identifier: Apache-2.0
#include "tools/kiln/cycle_report.h"

#include <algorithm>
#include <ctime>

#include <fmt/format.h>

namespace kiln::tools {

double hostCpuSeconds() {
  return static_cast<double>(std::clock()) / CLOCKS_PER_SEC;
}

uint64_t CycleSummary::PipeSum::total() const {
  uint64_t sum = busy + idle;
  for (const auto &[reason, cycles] : stalls) {
    sum += cycles;
  }
  return sum;
}

CycleSummary::CycleSummary(const isa::ArchSpec &machine, std::string device)
    : machine_(machine), device_(std::move(device)) {}

double macShare(const isa::ArchSpec &machine, const UsefulMacs &useful,
                uint32_t cores, uint64_t cycles) {
  double possible = machine.peakMacsPerCycle(useful.type) * cores *
                    static_cast<double>(cycles);
  return possible > 0 ? static_cast<double>(useful.count) / possible : 0;
}

void CycleSummary::add(const hal::ProgramReport &report,
                       const std::optional<UsefulMacs> &useful) {
  UsefulMacs macs = useful.value_or(UsefulMacs{report.macs});
  if (macs.count > 0) {
    usefulMacs_[macs.type] += macs.count;
  }
  ++dispatches_;
  instructions_ += report.instructions;
  macs_ += report.macs;
  cores_ = std::max(cores_, report.cores);
  if (!report.cycle) {
    return;
  }
  cycles_ += report.cycle->cycles;
  kernelCycles_ += report.cycle->kernelCycles;
  gmRead_ += report.gmReadBytes;
  gmWrite_ += report.gmWriteBytes;
  for (const hal::PipeReport &pipe : report.cycle->pipes) {
    auto at = std::find_if(pipes_.begin(), pipes_.end(),
                           [&](const auto &p) { return p.first == pipe.pipe; });
    if (at == pipes_.end()) {
      at = pipes_.insert(pipes_.end(), {pipe.pipe, {}});
    }
    PipeSum &sum = at->second;
    sum.busy += pipe.busyCycles;
    sum.idle += pipe.idleCycles;
    for (const auto &[reason, cycles] : pipe.stalls) {
      auto same =
          std::find_if(sum.stalls.begin(), sum.stalls.end(),
                       [&](const auto &s) { return s.first == reason; });
      if (same == sum.stalls.end()) {
        sum.stalls.emplace_back(reason, cycles);
      } else {
        same->second += cycles;
      }
    }
  }
}

double CycleSummary::timeMicros() const {
  return static_cast<double>(cycles_) * 1e6 /
         static_cast<double>(machine_.timing.clockHz);
}

double CycleSummary::share(uint64_t cycles) const {
  double sum = 0;
  for (const auto &[type, count] : usefulMacs_) {
    sum += macShare(machine_, {count, type}, cores_, cycles);
  }
  return sum;
}

std::string CycleSummary::macTypes() const {
  std::string names;
  for (const auto &[type, count] : usefulMacs_) {
    names += (names.empty() ? "" : "+") + std::string(isa::name(type));
  }
  return names;
}
double CycleSummary::kernelShare() const { return share(kernelCycles_); }
double CycleSummary::modelShare() const { return share(cycles_); }

CycleSummary::Bound CycleSummary::bound() const {
  Bound best;
  for (const auto &[name, pipe] : pipes_) {
    if (pipe.busy > best.cycles) {
      best = {name, pipe.busy};
    }
  }
  return best;
}

nlohmann::json CycleSummary::json() const {
  nlohmann::json busy = nlohmann::json::object(), stalls = busy, idle = busy;
  for (const auto &[name, pipe] : pipes_) {
    double total = static_cast<double>(std::max<uint64_t>(pipe.total(), 1));
    busy[name] = static_cast<double>(pipe.busy) / total;
    idle[name] = pipe.idle;
    stalls[name] = nlohmann::json::object();
    for (const auto &[reason, cycles] : pipe.stalls) {
      stalls[name][reason] = cycles;
    }
  }
  uint64_t useful = 0;
  for (const auto &[type, count] : usefulMacs_) {
    useful += count;
  }
  nlohmann::json result = {{"device", device_},
                           {"machine", machine_.name},
                           {"machine_hash", machine_.hash},
                           {"precision", precision_},
                           {"cores", cores_},
                           {"dispatches", dispatches_},
                           {"instructions", instructions_},
                           {"macs", macs_},
                           {"useful_macs", useful},
                           {"mac_type", macTypes()},
                           {"host_cpu_s", hostCpuSeconds()}};
  if (timed()) {
    Bound limit = bound();
    result["cycles"] = cycles_;
    result["kernel_cycles"] = kernelCycles_;
    result["time_us"] = timeMicros();
    result["useful_mac_share"] = kernelShare();
    result["model_mac_share"] = modelShare();
    result["busy"] = busy;
    result["stalls"] = stalls;
    result["idle"] = idle;
    result["gm_bytes"] = {{"read", gmRead_}, {"write", gmWrite_}};
    result["bound"] = {{"pipe", limit.pipe}, {"cycles", limit.cycles}};
  }
  return result;
}

std::string CycleSummary::text() const {
  std::string out =
      fmt::format("{} on {} ({} core{}), {} dispatch{}, {} instructions of the "
                  "control core\n",
                  device_, machine_.name, cores_, cores_ == 1 ? "" : "s",
                  dispatches_, dispatches_ == 1 ? "" : "es", instructions_);
  if (!timed()) {
    return out;
  }
  out += fmt::format("{} cycles ({} in kernels), {:.1f} us at {} MHz\n",
                     cycles_, kernelCycles_, timeMicros(),
                     machine_.timing.clockHz / 1000000);
  if (!usefulMacs_.empty()) {
    out += fmt::format("useful multiply-accumulates: kernel share {:.1f} %, "
                       "model share {:.1f} % of the cube's peak ({}, {} "
                       "factors, machine {} {})\n",
                       100 * kernelShare(), 100 * modelShare(), precision_,
                       macTypes(), machine_.name, machine_.hash.substr(0, 16));
  }
  out += fmt::format("global memory: {:.3f} MB read, {:.3f} MB written\n",
                     gmRead_ / 1e6, gmWrite_ / 1e6);
  out += "pipe   busy                        largest stalls\n";
  for (const auto &[name, pipe] : pipes_) {
    double total = static_cast<double>(std::max<uint64_t>(pipe.total(), 1));
    double share = static_cast<double>(pipe.busy) / total;
    auto stalls = pipe.stalls;
    stalls.emplace_back("idle", pipe.idle);
    std::sort(stalls.begin(), stalls.end(), [](auto &a, auto &b) {
      return a.second != b.second ? a.second > b.second : a.first < b.first;
    });
    std::string reasons;
    for (size_t i = 0; i < std::min<size_t>(3, stalls.size()); ++i) {
      if (stalls[i].second > 0) {
        reasons +=
            fmt::format("{}{} {:.1f} %", i ? ", " : "", stalls[i].first,
                        100 * static_cast<double>(stalls[i].second) / total);
      }
    }
    int filled = static_cast<int>(share * 16 + 0.5);
    out += fmt::format("{:5} {:5.1f} % [{:#<{}}{: <{}}] {}\n", name,
                       100 * share, "", filled, "", 16 - filled, reasons);
  }
  return out;
}

} // namespace kiln::tools
