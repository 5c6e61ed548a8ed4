// SPDX-License-Identifier: Apache-2.0
//
// BankTraffic: the pipes of a core meet in the banks of its local memories
// (docs/microarchitecture.md, rules 35 to 39).
//
//   traffic.beginCube(command, timing, now);                  // M starts
//   uint64_t last = traffic.beginFix(command, id, config, timing, now);
//   ...
//   BankTraffic::Progress p = traffic.progress(Pipe::FIX, last, later);
//   if (p.left) { ask again at later + p.left }
//   uint64_t n = traffic.unserved(Pipe::FIX, last, id, later); // the same
//
// In each memory the pipes have a fixed order. The first one never waits, so
// all of its command is known when it starts. Beats of the others come in
// order, one per cycle, those of FIX when M is not in their bank of L0C. Each
// block that a beat moves in UB or L1 then waits for its own bank, behind the
// pipe's older ones; that depends on commands that start later. So nothing is
// foreseen: progress() works out the cycles before `now`, of which everything
// is known, and a pipe that learns that something is left asks again when it
// could be over at the earliest. Cycles in which nothing waits, and beats that
// meet nobody, take no time to work out.
//
// Contract: `now` does not decrease. The order of calls of one cycle does not
// matter, for they concern the cycles before it or from it on.
#pragma once

#include "simulator/cycle/bank_beats.h"
#include "simulator/cycle/command_timing.h"
#include "simulator/cycle/job_ring.h"

#include <array>
#include <span>

namespace kiln::sim {

class BankTraffic {
public:
  /// Of the beats of a pipe up to one: how many have not come. Of all its
  /// commands: the cycles in which a beat could not come.
  struct Progress {
    uint64_t left = 0;
    uint64_t waited = 0;
  };

  explicit BankTraffic(const isa::ArchSpec &arch) : arch_(arch), map_(arch) {}

  void reset();
  /// Whether beats of the pipe can wait for those of others on this machine.
  bool mayWait(isa::Pipe pipe) const;
  /// Whether pipes meet in UB, in L1.
  bool meetsInUb() const { return map_.hasUb(); }
  bool meetsInL1() const { return map_.hasL1(); }

  /// An mmad or a V command starts; `operands`: those that cost accesses.
  void beginCube(const isa::Command &command, const CommandTiming &timing,
                 uint64_t now);
  void beginVector(std::span<const isa::BankOperand> operands,
                   const CommandTiming &timing, uint64_t now);
  /// A command of MTE1 starts.
  void beginLoadL0(const isa::Command &command, const isa::PipeConfig &config,
                   const CommandTiming &timing, uint64_t now);
  /// Commands and bursts of other pipes: give the number of their last beat.
  /// `id`: of the command, among those of its pipe that are in flight.
  uint64_t beginFix(const isa::Command &command, uint64_t id,
                    const isa::PipeConfig &config, const CommandTiming &timing,
                    uint64_t now);
  uint64_t beginMove(const isa::Command &command, uint64_t id,
                     const CommandTiming &timing, uint64_t now);
  /// `bytes` of a store, from byte `offset` of the command on.
  uint64_t beginStore(const isa::Command &command, uint64_t id, uint64_t offset,
                      uint64_t bytes, uint64_t now);
  /// The same of a load; its first beat comes in cycle `first`, which may be
  /// to come.
  uint64_t beginLoad(const isa::Command &command, uint64_t id, uint64_t offset,
                     uint64_t bytes, uint64_t first);
  /// Of the beats up to number `last`, in the cycles before `now`.
  Progress progress(isa::Pipe pipe, uint64_t last, uint64_t now);
  /// Cycles until all blocks of command `id`, whose last beat is number `last`,
  /// are moved, at the least; 0: they have been, before `now`.
  uint64_t unserved(isa::Pipe pipe, uint64_t last, uint64_t id, uint64_t now);

private:
  struct Job {
    FixBeats fix;
    MoveBeats move;
    uint64_t id = 0;
    bool isFix = false;
    bool inUb = false, inL0c = false, inL1 = false;
    bool apart = true;            // no beat has two banks of a group of UB
    uint64_t begin = 0;           // its beat n is there in cycle begin + n
    uint64_t count = 0, next = 0; // beats; the first that has not come
    uint64_t earliest = 0;        // cycle that beat may come in
    bool known = false;           // `front` is of beat `next`
    Beat front;
  };
  /// Blocks that wait for their banks: the ids of their commands.
  struct Waiting {
    BankSet banks = 0; // for which some wait
    std::array<JobRing<uint64_t>, 64> blocks;

    /// Banks of `served` have moved a block, the oldest one or one that came
    /// with the beat of command `id`; of `come` the others wait.
    void serve(BankSet served, BankSet come, uint64_t id);
    /// The most blocks that a bank serves up to the last one of command `id`.
    uint64_t most(uint64_t id) const;
    void clear();
  };
  struct Lane {
    JobRing<Job> jobs;
    uint64_t queued = 0, gone = 0; // beats of all commands, those that came
    uint64_t waited = 0;           // cycles
    Waiting ub, l1;
    Beat come; // in the cycle that is worked out, of command comeId
    uint64_t comeId = 0;
    bool comes = false;
    bool waits() const { return (ub.banks | l1.banks) != 0; }
  };
  /// What has been used in a cycle.
  struct Use {
    BankSet l0c = 0, ub = 0, l1 = 0;
    uint64_t full = 0, written = 0; // groups of UB
  };
  /// In the order of UB.
  enum LaneIndex { kFix, kLoad, kStore, kLanes };

  static LaneIndex laneOf(isa::Pipe pipe);
  uint64_t addJob(Lane &lane, Job &&job);
  uint64_t nextReady() const;
  const Beat &front(Job &job) const;
  void sweep(uint64_t until);
  bool runAlone(uint64_t until);
  void runCycle(uint64_t until);
  Use topPipes();
  void tryCome(Lane &lane, const Use &use);
  void serveUb(Lane &lane, Use &use);
  void serveL1(Lane &lane, Use &use);
  void go(Lane &lane, uint64_t beats);
  void forget();

  const isa::ArchSpec &arch_;
  BankMap map_;
  // Those that have not ended, in order.
  JobRing<CubeBeats> cube_;
  JobRing<VectorBeats> vector_;
  JobRing<LoadL0Beats> loadL0_;
  std::array<Lane, kLanes> lanes_;
  uint64_t now_ = 0; // the cycles before are worked out
};

} // namespace kiln::sim
