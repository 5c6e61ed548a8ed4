// SPDX-License-Identifier: Apache-2.0
//
// OrderGraph: which steps of a synchronised program happen before which, as
// reachability in a graph with an edge per rule. It knows the rules of the
// machine, not the simulator's vector clocks: one is tested against the other.
//
//   OrderGraph graph(blocks);
//   size_t a = graph.event(0, Pipe::MTE2);
//   graph.set(0, {Pipe::MTE2, Pipe::V, 0});
//   graph.wait(0, {Pipe::MTE2, Pipe::V, 0});
//   graph.isOrdered(a, 0, Pipe::V);         // true: what V does next is later
//
// Edges: the events of a pipe in their order; kset to its kwait, kpost to its
// kpend; what S has waited for to everything S issues later; kbar and kdbar
// from all before to all after. Events are added in an order in which the
// program may run: a set before its wait.
#pragma once

#include "simulator/core/flag_file.h"

#include <cstdint>
#include <deque>
#include <map>
#include <tuple>
#include <vector>

namespace kiln::test {

class OrderGraph {
public:
  explicit OrderGraph(uint32_t blocks) : blocks_(blocks) {}

  /// A command of a pipe takes effect, or an access of S.
  size_t event(uint32_t block, isa::Pipe pipe);
  /// False when an earlier kwait of the flag need not have come before.
  bool set(uint32_t block, const sim::FlagName &flag);
  /// The event of the wait.
  size_t wait(uint32_t block, const sim::FlagName &flag);
  void barrier(uint32_t block);
  /// `semaphore` of `peer`; its posts must all be of one pipe.
  void post(uint32_t block, isa::Pipe pipe, uint32_t peer, uint32_t semaphore);
  void pend(uint32_t block, uint32_t semaphore);
  void deviceBarrier();

  /// Whether an event is before whatever `pipe` of `block` does next.
  bool isOrdered(size_t before, uint32_t block, isa::Pipe pipe) const;

private:
  /// Nodes that are before a point.
  class Past {
  public:
    void add(size_t node);
    void join(const Past &other);
    bool has(size_t node) const {
      return node / 64 < bits_.size() && (bits_[node / 64] >> node % 64 & 1);
    }

  private:
    std::vector<uint64_t> bits_;
  };
  struct Block {
    Past pipes[isa::kNumPipes]; // before the next event of the pipe
    Past known;                 // before whatever S issues next
  };
  using FlagKey = std::tuple<uint32_t, isa::Pipe, isa::Pipe, unsigned>;
  static FlagKey key(uint32_t block, const sim::FlagName &flag) {
    return {block, flag.source, flag.destination, flag.id};
  }
  Past &past(uint32_t block, isa::Pipe pipe) {
    return blocks_[block].pipes[static_cast<unsigned>(pipe)];
  }

  std::vector<Block> blocks_;
  size_t nodes_ = 0;
  std::map<FlagKey, std::deque<Past>> sets_; // not waited for yet
  std::map<FlagKey, size_t> lastWait_;
  std::map<std::pair<uint32_t, uint32_t>, std::deque<Past>> posts_;
};

} // namespace kiln::test
