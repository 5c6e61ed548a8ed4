// SPDX-License-Identifier: Apache-2.0
#include "tests/engines/random/order_graph.h"

namespace kiln::test {

using isa::Pipe;

void OrderGraph::Past::add(size_t node) {
  if (bits_.size() <= node / 64) {
    bits_.resize(node / 64 + 1);
  }
  bits_[node / 64] |= uint64_t{1} << node % 64;
}

void OrderGraph::Past::join(const Past &other) {
  if (bits_.size() < other.bits_.size()) {
    bits_.resize(other.bits_.size());
  }
  for (size_t i = 0; i < other.bits_.size(); ++i) {
    bits_[i] |= other.bits_[i];
  }
}

size_t OrderGraph::event(uint32_t block, Pipe pipe) {
  Past &at = past(block, pipe);
  at.join(blocks_[block].known);
  at.add(nodes_);
  return nodes_++;
}

bool OrderGraph::set(uint32_t block, const sim::FlagName &flag) {
  event(block, flag.source);
  sets_[key(block, flag)].push_back(past(block, flag.source));
  auto wait = lastWait_.find(key(block, flag));
  return wait == lastWait_.end() || past(block, flag.source).has(wait->second);
}

size_t OrderGraph::wait(uint32_t block, const sim::FlagName &flag) {
  const size_t node = event(block, flag.destination);
  lastWait_[key(block, flag)] = node;
  if (flag.destination == Pipe::S) {
    blocks_[block].known.add(node); // S stalls; its accesses may be under way
  }
  std::deque<Past> &sets = sets_[key(block, flag)];
  if (!sets.empty()) {
    past(block, flag.destination).join(sets.front());
    if (flag.destination == Pipe::S) {
      blocks_[block].known.join(sets.front());
    }
    sets.pop_front();
  }
  return node;
}

void OrderGraph::barrier(uint32_t block) {
  for (const Past &pipe : blocks_[block].pipes) {
    blocks_[block].known.join(pipe);
  }
}

void OrderGraph::post(uint32_t block, Pipe pipe, uint32_t peer,
                      uint32_t semaphore) {
  event(block, pipe);
  posts_[{peer, semaphore}].push_back(past(block, pipe));
}

void OrderGraph::pend(uint32_t block, uint32_t semaphore) {
  event(block, Pipe::MTE2);
  std::deque<Past> &posts = posts_[{block, semaphore}];
  if (!posts.empty()) {
    past(block, Pipe::MTE2).join(posts.front());
    posts.pop_front();
  }
}

void OrderGraph::deviceBarrier() {
  Past all;
  for (uint32_t block = 0; block < blocks_.size(); ++block) {
    barrier(block);
    all.join(blocks_[block].known);
  }
  for (Block &block : blocks_) {
    block.known = all;
  }
}

bool OrderGraph::isOrdered(size_t before, uint32_t block, Pipe pipe) const {
  return blocks_[block].known.has(before) ||
         blocks_[block].pipes[static_cast<unsigned>(pipe)].has(before);
}

} // namespace kiln::test
