// SPDX-License-Identifier: Apache-2.0
#include "simulator/cycle/bank_traffic.h"

#include "isa/support/units.h"

#include <algorithm>

namespace kiln::sim {

using isa::Pipe;

namespace {

constexpr uint64_t kNever = ~uint64_t{0};

} // namespace

void BankTraffic::reset() {
  cube_.clear();
  vector_.clear();
  loadL0_.clear();
  for (Lane &lane : lanes_) {
    lane.jobs.clear();
    lane.queued = lane.gone = lane.waited = 0;
    lane.ub.clear();
    lane.l1.clear();
  }
  now_ = 0;
}

bool BankTraffic::mayWait(Pipe pipe) const {
  const bool local = map_.hasUb() || map_.hasL1();
  return pipe == Pipe::FIX
             ? map_.hasL0c() || local
             : (pipe == Pipe::MTE2 || pipe == Pipe::MTE3) && local;
}

BankTraffic::LaneIndex BankTraffic::laneOf(Pipe pipe) {
  return pipe == Pipe::FIX ? kFix : pipe == Pipe::MTE2 ? kLoad : kStore;
}

void BankTraffic::forget() {
  while (!cube_.empty() && cube_.front().end <= now_) {
    cube_.pop();
  }
  while (!vector_.empty() && vector_.front().end() <= now_) {
    vector_.pop();
  }
  while (!loadL0_.empty() && loadL0_.front().end() <= now_) {
    loadL0_.pop();
  }
}

void BankTraffic::beginCube(const isa::Command &command,
                            const CommandTiming &timing, uint64_t now) {
  if (!map_.hasL0c()) {
    return;
  }
  sweep(now);
  cube_.push({isa::CubeShape::unpack(command.rs1), timing.cellWeight,
              timing.occupancy, arch_.timing.cubeRate, map_, now});
}

void BankTraffic::beginVector(std::span<const isa::BankOperand> operands,
                              const CommandTiming &timing, uint64_t now) {
  sweep(now);
  if (!operands.empty() && timing.rows != 0 && timing.beatsPerRow != 0) {
    vector_.push({operands, timing.rows, timing.beatsPerRow, timing.bankCycles,
                  arch_.timing.banks, map_, now});
  }
}

void BankTraffic::beginLoadL0(const isa::Command &command,
                              const isa::PipeConfig &config,
                              const CommandTiming &timing, uint64_t now) {
  sweep(now);
  loadL0_.push({command, config, timing.occupancy, arch_, now});
}

uint64_t BankTraffic::addJob(Lane &lane, Job &&job) {
  job.apart = !job.inUb || (job.isFix ? job.fix.inOneUbBank(map_)
                                      : job.move.groupsApart(map_));
  job.earliest = job.begin;
  lane.queued += job.count;
  if (job.count) {
    lane.jobs.push(std::move(job));
  }
  return lane.queued;
}

uint64_t BankTraffic::beginFix(const isa::Command &command, uint64_t id,
                               const isa::PipeConfig &config,
                               const CommandTiming &timing, uint64_t now) {
  sweep(now);
  Job job;
  job.id = id;
  job.isFix = true;
  job.fix = FixBeats(command, config, timing.elementsPerBeat, map_);
  job.inL0c = map_.hasL0c();
  job.inUb = job.fix.toUb;
  job.inL1 = job.fix.toL1;
  job.count = timing.occupancy;
  job.begin = now;
  return addJob(lanes_[kFix], std::move(job));
}

uint64_t BankTraffic::beginMove(const isa::Command &command, uint64_t id,
                                const CommandTiming &timing, uint64_t now) {
  sweep(now);
  const uint64_t rows = isa::LocalView::unpack(command.rs1).count;
  Job job;
  job.id = id;
  job.inUb = map_.hasUb();
  job.inL1 = job.move.both = map_.hasL1();
  job.move.window = moveSource(command);
  job.move.target = moveTarget(command);
  job.move.bytes = rows * job.move.window.rowBytes;
  job.move.perBeat = arch_.timing.ubToL1.bytesPerCycle;
  job.count = timing.occupancy;
  job.begin = now;
  return addJob(lanes_[kStore], std::move(job));
}

uint64_t BankTraffic::beginStore(const isa::Command &command, uint64_t id,
                                 uint64_t offset, uint64_t bytes,
                                 uint64_t now) {
  sweep(now);
  Job job;
  job.id = id;
  job.inUb = true;
  job.move.window = storeWindow(command);
  job.move.offset = offset;
  job.move.bytes = bytes;
  job.move.perBeat = arch_.timing.memory.portWriteBytesPerCycle;
  job.count = job.move.count();
  job.begin = now;
  return addJob(lanes_[kStore], std::move(job));
}

uint64_t BankTraffic::beginLoad(const isa::Command &command, uint64_t id,
                                uint64_t offset, uint64_t bytes,
                                uint64_t first) {
  const bool ub = command.op == isa::Opcode::kLdUb;
  if (!(ub ? map_.hasUb() : map_.hasL1())) {
    return 0;
  }
  const BlockWindow window = loadWindow(command);
  const isa::Space space = ub ? isa::Space::UB : isa::Space::L1;
  Lane &lane = lanes_[kLoad];
  if (!lane.jobs.empty()) { // the burst that goes on where the last one ended
    Job &last = lane.jobs.back();
    MoveBeats &move = last.move;
    if (id == last.id && first == last.begin + last.count &&
        move.space == space && move.window == window &&
        offset == move.offset + move.bytes && move.bytes % move.perBeat == 0) {
      move.bytes += bytes;
      lane.queued += move.count() - last.count;
      last.count = move.count();
      last.apart = !last.inUb || move.groupsApart(map_);
      return lane.queued;
    }
  }
  Job job;
  job.id = id;
  job.inUb = ub;
  job.inL1 = !ub;
  job.move.space = space;
  job.move.window = window;
  job.move.offset = offset;
  job.move.bytes = bytes;
  job.move.perBeat = arch_.timing.memory.portReadBytesPerCycle;
  job.count = job.move.count();
  job.begin = first;
  return addJob(lane, std::move(job));
}

BankTraffic::Progress BankTraffic::progress(Pipe pipe, uint64_t last,
                                            uint64_t now) {
  sweep(now);
  const Lane &lane = lanes_[laneOf(pipe)];
  return {last > lane.gone ? last - lane.gone : 0, lane.waited};
}

uint64_t BankTraffic::unserved(Pipe pipe, uint64_t last, uint64_t id,
                               uint64_t now) {
  const uint64_t left = progress(pipe, last, now).left;
  const Lane &lane = lanes_[laneOf(pipe)];
  return std::max({left, lane.ub.most(id), lane.l1.most(id)});
}

const Beat &BankTraffic::front(Job &job) const {
  if (!job.known) {
    job.front = job.isFix ? job.fix.beat(job.next, map_)
                          : job.move.beat(job.next, map_);
    job.known = true;
  }
  return job.front;
}

/// The next `beats` beats of a lane come, one per cycle, the first in now_.
void BankTraffic::go(Lane &lane, uint64_t beats) {
  Job &job = lane.jobs.front();
  job.next += beats;
  job.earliest = std::max(now_ + beats, job.begin + job.next);
  job.known = false;
  lane.gone += beats;
  if (job.next == job.count) {
    lane.jobs.pop();
    if (!lane.jobs.empty()) {
      Job &next = lane.jobs.front();
      next.earliest = std::max(next.earliest, now_ + beats);
    }
  }
}

uint64_t BankTraffic::nextReady() const {
  uint64_t ready = kNever;
  for (const Lane &lane : lanes_) {
    if (lane.waits()) {
      return now_;
    }
    if (!lane.jobs.empty()) {
      ready = std::min(ready, lane.jobs.front().earliest);
    }
  }
  return ready;
}

/// Works out the cycles up to `until`, without it.
void BankTraffic::sweep(uint64_t until) {
  while (now_ < until) {
    now_ = std::max(now_, std::min(until, nextReady()));
    forget();
    if (now_ < until && !runAlone(until)) {
      runCycle(until);
    }
  }
}

/// Beats from now_ on that meet nobody: false when the next one could.
bool BankTraffic::runAlone(uint64_t until) {
  Lane *alone = nullptr;
  for (Lane &lane : lanes_) {
    if (lane.waits()) {
      return false;
    }
    if (lane.jobs.empty()) {
      continue;
    }
    const uint64_t ready = lane.jobs.front().earliest;
    if (ready > now_) {
      until = std::min(until, ready);
    } else if (alone || !lane.jobs.front().apart) {
      return false;
    } else {
      alone = &lane;
    }
  }
  Job &job = alone->jobs.front();
  if (job.inL0c) {
    for (size_t n = 0; n < cube_.size(); ++n) {
      const CubeBeats &cube = cube_[n];
      if (cube.begin < until && (cube.all & job.fix.all)) {
        until = std::max(now_, cube.begin);
      }
    }
  }
  if (job.inUb && !vector_.empty()) {
    until = std::min(until, std::max(now_, vector_.front().begin()));
  }
  if (job.inL1 && !loadL0_.empty()) {
    until = std::min(until, std::max(now_, loadL0_.front().begin()));
  }
  if (until == now_) {
    return false;
  }
  const uint64_t beats = std::min(until - now_, job.count - job.next);
  go(*alone, beats);
  now_ += beats;
  return true;
}

BankTraffic::Use BankTraffic::topPipes() {
  Use use;
  if (!cube_.empty() && cube_.front().active(now_)) {
    use.l0c = cube_.front().l0c(now_, map_);
  }
  for (size_t n = 0; n < vector_.size(); ++n) {
    VectorBeats &v = vector_[n];
    if (v.begin() <= now_ && now_ < v.end()) {
      const isa::UbCycle c = v.at(now_, arch_, map_);
      use.ub |= c.reads | c.writes;
      use.full |= c.full;
      use.written |= map_.groupsOf(c.writes);
    }
  }
  if (!loadL0_.empty() && loadL0_.front().begin() <= now_) {
    use.l1 = loadL0_.front().at(now_, arch_, map_);
  }
  return use;
}

void BankTraffic::Waiting::serve(BankSet served, BankSet come, uint64_t id) {
  for (BankSet push = come & (banks | ~served); push; push &= push - 1) {
    blocks[static_cast<size_t>(std::countr_zero(push))].push(id);
  }
  for (BankSet pop = served & banks; pop; pop &= pop - 1) {
    const auto bank = static_cast<size_t>(std::countr_zero(pop));
    blocks[bank].pop();
    if (blocks[bank].empty()) {
      banks &= ~(BankSet{1} << bank);
    }
  }
  banks |= come & ~served;
}

uint64_t BankTraffic::Waiting::most(uint64_t id) const {
  uint64_t most = 0;
  for (BankSet left = banks; left; left &= left - 1) {
    const auto &queue = blocks[static_cast<size_t>(std::countr_zero(left))];
    size_t n = queue.size();
    while (n > most && queue[n - 1] != id) {
      --n;
    }
    most = std::max<uint64_t>(most, n);
  }
  return most;
}

void BankTraffic::Waiting::clear() {
  for (; banks; banks &= banks - 1) {
    blocks[static_cast<size_t>(std::countr_zero(banks))].clear();
  }
}

/// The lane's next beat comes in cycle now_, if it is there and M is not in
/// its bank.
void BankTraffic::tryCome(Lane &lane, const Use &use) {
  lane.comes = !lane.jobs.empty() && lane.jobs.front().earliest <= now_;
  if (!lane.comes) {
    return;
  }
  const Beat &beat = front(lane.jobs.front());
  if (beat.l0c & use.l0c) {
    ++lane.waited;
    lane.comes = false;
    return;
  }
  lane.come = beat;
  lane.comeId = lane.jobs.front().id;
  go(lane, 1);
}

/// Per group one block of the lane at most, that of the lowest bank.
void BankTraffic::serveUb(Lane &lane, Use &use) {
  const BankSet come = lane.comes ? lane.come.ub : 0;
  const BankSet wanted = (lane.ub.banks | come) & ~use.ub;
  const bool writes = &lane != &lanes_[kStore];
  const BankSet served =
      map_.lowestPerGroup(wanted, writes ? use.written : use.full);
  lane.ub.serve(served, come, lane.comeId);
  use.ub |= served;
  if (writes) {
    use.written |= map_.groupsOf(served);
  }
}

void BankTraffic::serveL1(Lane &lane, Use &use) {
  const BankSet come = lane.comes ? lane.come.l1 : 0;
  const BankSet served = (lane.l1.banks | come) & ~use.l1;
  lane.l1.serve(served, come, lane.comeId);
  use.l1 |= served;
}

/// Cycle now_; more where it is known that nobody can go.
void BankTraffic::runCycle(uint64_t until) {
  Use use = topPipes();
  bool any = false;
  for (Lane &lane : lanes_) {
    tryCome(lane, use);
    any |= lane.comes || lane.waits();
  }
  if (any) {
    for (LaneIndex lane : {kFix, kLoad, kStore}) {
      serveUb(lanes_[lane], use);
    }
    for (LaneIndex lane : {kLoad, kFix, kStore}) {
      serveL1(lanes_[lane], use);
    }
  }
  ++now_;
  // FIX alone behind an mmad that stays in the bank.
  Lane &fix = lanes_[kFix];
  if (!any && !fix.jobs.empty() && !cube_.empty() && fix.jobs.front().known &&
      (fix.jobs.front().front.l0c & use.l0c)) {
    uint64_t next = std::min(until, cube_.front().leavesBank(now_ - 1, map_));
    for (unsigned other : {kLoad, kStore}) {
      if (!lanes_[other].jobs.empty()) {
        next = std::min(next, lanes_[other].jobs.front().earliest);
      }
    }
    if (next > now_) {
      fix.waited += next - now_;
      now_ = next;
    }
  }
}

} // namespace kiln::sim
