// SPDX-License-Identifier: Apache-2.0
//
// DramChannel: one DRAM channel with its controller: banks, open rows,
// FR-FCFS, refresh (docs/microarchitecture.md, rules 60 to 71).
//
//   DramChannel channel(DramCycles::of(part, clockHz), options, wheel, client);
//   channel.push({.line = 17, .bytes = 512, .write = false, .tag = 4}, now);
//   // later: client.dramDone(4, write, cycle)
//
// Per cycle a channel issues at most one run of column commands (one request)
// and one row command. Everything is decided in the late phase of the wheel,
// and only in cycles in which something can be issued.
//
// Source of the policy: Rixner et al., "Memory Access Scheduling", ISCA 2000.
#pragma once

#include "isa/arch/arch_spec.h"
#include "simulator/core/launch_report.h"
#include "simulator/core/timing_wheel.h"

#include <array>
#include <cstdint>
#include <vector>

namespace kiln::sim {

/// A part's times in cycles of the core clock.
struct DramCycles {
  uint32_t banks = 1, activations = 1;
  uint32_t linesPerPage = 1;
  uint32_t burstBytes = 1;
  /// The data bus moves rateBytes every rateCycles cycles, in lowest terms.
  uint64_t rateBytes = 1, rateCycles = 1;
  uint64_t rcd = 0, rp = 0, ras = 0, cl = 0, cwl = 0, rrd = 0, faw = 0;
  uint64_t rtp = 0, wr = 0, wtr = 0, rtw = 0, refi = 0, rfc = 0;

  static DramCycles of(const isa::DramPart &part, uint64_t clockHz,
                       uint32_t lineBytes);
};

struct DramRequest {
  uint64_t line = 0; // number inside the channel
  uint32_t bytes = 0;
  bool write = false;
  uint32_t order = 0; // among requests that arrive in one cycle
  uint32_t tag = 0;   // returned
};

class DramClient {
public:
  virtual ~DramClient() = default;
  /// The last byte of a request has passed the data bus.
  virtual void dramDone(uint32_t tag, bool write, uint64_t now) = 0;
};

class DramChannel {
public:
  struct Options {
    uint32_t queueDepth = 1, writeHigh = 1, writeLow = 0;
    uint64_t firstRefresh = 0;
  };
  DramChannel(const DramCycles &timing, const Options &options,
              TimingWheel &wheel, DramClient &client);

  /// A request arrives in cycle `now` (main phase).
  void push(const DramRequest &request, uint64_t now);
  const MemoryCounters &counters() const { return counters_; }

private:
  struct Bank {
    uint64_t row = 0;
    uint64_t columnAt = 0;    // first cycle for a column command
    uint64_t prechargeAt = 0; // for a precharge
    uint64_t activateAt = 0;  // for an activation
    bool open = false;
  };
  struct Waiting {
    DramRequest request;
    uint64_t arrival = 0;
    uint64_t row = 0;
    uint32_t bank = 0;
    bool opened = false; // its row was opened for it
  };
  using Queue = std::vector<Waiting>;

  void step(uint64_t, uint64_t now);
  bool refresh(uint64_t now);
  void closeAll(uint64_t precharge);
  bool chooseWrites();
  void issueColumn(Queue &queue, bool write, uint64_t now);
  void issueRow(Queue &queue, uint64_t now);
  void transfer(Waiting &waiting, uint64_t now);
  void done(uint64_t slot, uint64_t now);
  void rowCommand(Waiting &waiting, Bank &bank, uint64_t now);
  uint64_t busAt(bool write) const;
  size_t window(const Queue &queue) const;
  void consider(uint64_t cycle, uint64_t now);
  void arm(uint64_t cycle);

  static constexpr uint64_t kNever = ~uint64_t{0};
  DramCycles timing_;
  Options options_;
  TimingWheel &wheel_;
  DramClient &client_;
  std::vector<Bank> banks_;
  Queue reads_, writes_;
  std::array<uint64_t, 4> activations_{}; // cycle + 1 of the last four
  unsigned oldestActivation_ = 0;
  uint64_t lastActivate_ = 0; // cycle + 1
  uint64_t busEnd_ = 0;       // of the last data, cycle * rateBytes
  bool busWrote_ = false;     // the last data was written
  bool draining_ = false;     // a run of writes
  uint64_t refreshDue_ = 0;
  /// No row command can go before, while requests and rows stay as they are.
  uint64_t rowsQuietUntil_ = 0;
  uint64_t armedAt_ = kNever;
  uint64_t next_ = kNever;
  std::vector<DramRequest> inFlight_; // by slot of their event
  std::vector<uint32_t> freeSlots_;
  MemoryCounters counters_;
};

} // namespace kiln::sim
