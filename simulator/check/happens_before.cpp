// SPDX-License-Identifier: Apache-2.0
#include "simulator/check/happens_before.h"

#include <cassert>

namespace kiln::sim {

using isa::Pipe;

void HappensBefore::issued(Pipe pipe) {
  issues_[static_cast<unsigned>(pipe)].push_back({seen_, ++issueCount_});
}

EventPosition HappensBefore::advance(Pipe pipe) {
  EventPosition position;
  position.pipe = pipe;
  if (pipe == Pipe::S) {
    position.issue = ++issueCount_;
  } else {
    std::deque<Issue> &fifo = issues_[static_cast<unsigned>(pipe)];
    assert(!fifo.empty() && "a command takes effect that was not issued");
    join(clock(pipe), fifo.front().known);
    position.issue = fifo.front().number;
    fifo.pop_front();
  }
  position.clock = ++clock(pipe)[pipe];
  return position;
}

void HappensBefore::flagSet(Pipe source, const FlagName &flag) {
  flagClocks(flag).push_back(clock(source));
}

void HappensBefore::flagWaited(Pipe destination, const FlagName &flag) {
  std::vector<VectorClock> &sets = flagClocks(flag);
  assert(!sets.empty() && "a wait that no set precedes");
  join(clock(destination), sets.front());
  if (destination == Pipe::S) {
    join(seen_, sets.front());
  }
  sets.erase(sets.begin());
}

void HappensBefore::barrier() {
  // The pipes are empty and S has no access of its own under way.
  for (const VectorClock &other : clocks_) {
    join(seen_, other);
  }
  join(clock(Pipe::S), seen_);
}

void HappensBefore::posted(Pipe pipe, uint32_t block, uint32_t id) {
  meetings_->semaphores[{block, id}].posts.push_back(
      meetings_->clocks.publish(clock(pipe), block_));
}

void HappensBefore::pended(uint32_t id) {
  Meetings::Semaphore &semaphore = meetings_->semaphores[{block_, id}];
  assert(semaphore.pends < semaphore.posts.size() && "a kpend without a post");
  ++semaphore.pends;
  meetings_->clocks.joinTable(
      clock(Pipe::MTE2),
      meetings_->clocks.afterAny(semaphore.posts, semaphore.pends), block_);
}

void HappensBefore::arrived() {
  std::vector<uint32_t> &barriers = meetings_->barriers;
  if (barriers.size() <= round_) {
    barriers.push_back(0);
  }
  barriers[round_] = meetings_->clocks.join(
      barriers[round_], meetings_->clocks.publish(seen_, block_));
}

void HappensBefore::left() {
  meetings_->clocks.joinTable(seen_, meetings_->barriers[round_++], block_);
  join(clock(Pipe::S), seen_);
}

} // namespace kiln::sim
