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
    clock(pipe).join(fifo.front().known);
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
  clock(destination).join(sets.front());
  if (destination == Pipe::S) {
    seen_.join(sets.front());
  }
  sets.erase(sets.begin());
}

void HappensBefore::barrier() {
  // The pipes are empty and S has no access of its own under way.
  for (const VectorClock &other : clocks_) {
    seen_.join(other);
  }
  clock(Pipe::S).join(seen_);
}

} // namespace kiln::sim
