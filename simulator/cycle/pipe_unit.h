// SPDX-License-Identifier: Apache-2.0
//
// PipeUnit: one of the six pipes of a core, from queue to retirement.
//
// Rules (5 to 21 of docs/microarchitecture.md):
//   - a command issued in cycle t may leave the queue in t + 1; the entry is
//     free for S in the cycle after it left; one command leaves per cycle;
//   - kset, kwait and kcfg take one cycle at the head and do not wait for the
//     command in occupancy. A kset becomes visible flagVisibleCycles after
//     itself and the retirement of every earlier command, whichever is later;
//     a kwait stays at the head until its flag is visible, and clears it;
//   - a data command starts when the previous one's occupancy has ended, an
//     in-flight entry of its window is free and its bounding ranges conflict
//     with no command in flight (conflict: common bytes of a local memory, one
//     of them written; GM writes of a pipe stay in order without it);
//   - mmad on the L0C tile of the previous mmad (same address, m and n) starts
//     max(0, latency - cycles of one k step) after the end of its occupancy;
//   - retire = start + occupancy + latency; a GM command retires latency
//     cycles after its last burst has completed, and occupies the pipe until
//     its last burst is handed over. Its data takes effect at retirement.
#pragma once

#include "simulator/cycle/bank_conflicts.h"
#include "simulator/cycle/bank_traffic.h"
#include "simulator/cycle/burst_list.h"
#include "simulator/cycle/command_timing.h"
#include "simulator/cycle/core_hooks.h"
#include "simulator/cycle/in_flight.h"
#include "simulator/cycle/write_arbiter.h"
#include "simulator/trace/pipe_clock.h"

#include <deque>
#include <vector>

namespace kiln::sim {

class PipeUnit final : public MemClient, public WriteArbiter::Client {
public:
  PipeUnit(isa::Pipe pipe, UnitContext &context)
      : pipe_(pipe), context_(context), banks_(*context.arch) {}

  /// Before a launch of a program of `words` instructions: forgets everything,
  /// connects to the core's port.
  void reset(MemPort *port, WriteArbiter *arbiter, size_t words);
  /// After a launch: adds the pipe's cycles up to `now` to `total`.
  void finish(uint64_t now, PipeCycles &total);

  bool hasRoom(uint64_t now) const;
  void push(const isa::Command &command, uint64_t now);
  /// Looks at the head of the queue again; harmless when nothing changed.
  void wake(uint64_t, uint64_t now);

  /// Empty, nothing in flight, every kset on its way.
  bool isIdle() const {
    return queue_.empty() && inFlight_.empty() && sets_.empty();
  }
  uint64_t lastActivity() const { return lastActivity_; }
  const isa::Command *head() const {
    return queue_.empty() ? nullptr : &queue_.front().command;
  }
  size_t queued() const { return queue_.size(); }
  /// For a debugger: the commands in the queue, the next one first.
  std::vector<isa::Command> queuedCommands() const {
    std::vector<isa::Command> commands;
    for (const Queued &q : queue_) {
      commands.push_back(q.command);
    }
    return commands;
  }

  PipeClock clock;
  /// Busy cycles by instruction word of the program.
  std::vector<uint64_t> busyByWord;

private:
  struct Queued {
    isa::Command command;
    uint64_t issue = 0;
  };
  /// A load's burst on its way, by tag.
  struct Coming {
    uint64_t sequence = 0; // of its command
    uint64_t offset = 0, bytes = 0;
  };
  struct PendingSet {
    isa::Command command;
    uint64_t after = 0; // sequence of the last earlier data command
    uint64_t head = 0;  // cycle it was at the head
    uint64_t issue = 0;
  };

  void processHead(uint64_t now);
  void measureHead();
  void leaveQueue(uint64_t now, uint64_t cycles = 1);
  void doSet(uint64_t now);
  void doWait(uint64_t now);
  void doConfigure(uint64_t now);
  void doPost(uint64_t now);
  void doPend(uint64_t now);
  void tryStart(uint64_t now);
  void start(uint64_t now, const CommandTiming &timing);
  bool mayStart(uint64_t now, const CommandTiming &timing);
  bool windowFull(bool global) const;
  /// The cycle an mmad may start after the previous one it continues; 0 when
  /// it does not continue it.
  uint64_t continuesAt(const CommandTiming &timing) const;

  /// Tells the banks' traffic of the command that starts; whether its beats
  /// may have to wait for those of other pipes.
  bool joinTraffic(uint64_t now, const CommandTiming &timing);
  void endBeats(uint64_t, uint64_t now);
  void endServed(uint64_t sequence, uint64_t now);
  void startTransfer(uint64_t now);
  void pump(uint64_t, uint64_t now);
  void granted(uint64_t now) override;
  void requestWrite(uint64_t, uint64_t now);
  void send(uint64_t now);
  void endTransfer(uint64_t now);
  void burstDone(uint64_t tag, Cycle now) override;
  void burstComes(uint64_t tag, Cycle first) override;
  uint64_t takeTag(uint64_t sequence);
  InFlight &flying(uint64_t sequence);
  void transferDone(InFlight &f, uint64_t now);
  void endLoad(uint64_t sequence, uint64_t now);

  /// Books the busy cycles since the last call to the command that had them.
  void settleLine();
  void retire(uint64_t sequence, uint64_t now);
  std::optional<isa::Fault> applyData(const InFlight &done);
  void apply(const InFlight &done, uint64_t now);
  void fireSets(uint64_t now);
  void wakeAt(uint64_t cycle);
  void enter(PipeState state, uint64_t now);
  /// Tells the listener, which must be there, of a kset, kwait or kcfg.
  [[gnu::cold, gnu::noinline]] void tellSynced(const isa::Command &c,
                                               uint64_t issue, uint64_t start,
                                               uint64_t visible);

  isa::Pipe pipe_;
  UnitContext &context_;
  BankConflicts banks_;
  MemPort *port_ = nullptr;
  WriteArbiter *arbiter_ = nullptr;

  std::deque<Queued> queue_;
  std::vector<InFlight> inFlight_;
  std::deque<PendingSet> sets_;
  isa::Footprint footprint_;
  uint64_t sequence_ = 0;
  uint64_t leftAt_ = kNever; // cycle the last command left the queue
  uint64_t headFree_ = 0;    // next cycle the head may be looked at
  uint64_t busyEnd_ = 0;     // of the last command, when not transferring
  uint64_t wakePending_ = kNever;
  uint64_t lastActivity_ = 0;
  uint64_t bankCycles_ = 0;   // of all that have started
  uint64_t busyPc_ = 0;       // of the command busy cycles belong to
  uint64_t busySettled_ = 0;  // busy cycles already booked to a command
  bool headMeasured_ = false; // headTiming_, headRanges_ belong to the head
  CommandTiming headTiming_;
  BoundingRanges headRanges_;

  // The beats of the command in occupancy, last of inFlight_.
  bool mayWait_ = false;    // for banks that others use
  bool beatsLeft_ = false;  // some may not have come
  uint64_t firstBeat_ = 0;  // number of the one before its first
  uint64_t lastBeat_ = 0;   // number of its last
  uint64_t neededBeat_ = 0; // before the next burst is handed over
  uint64_t waited_ = 0;     // for banks, of all that have ended

  std::vector<Coming> coming_;
  std::vector<uint32_t> freeTags_;

  // The command that is handing over bursts, last of inFlight_.
  bool transferring_ = false;
  bool waitsForSlot_ = false;
  BurstList bursts_;
  Burst burst_;
  CommandTiming transferTiming_;
  uint64_t transferStart_ = 0;
  uint64_t sentBytes_ = 0;

  static constexpr uint64_t kNever = ~uint64_t{0};
};

} // namespace kiln::sim
