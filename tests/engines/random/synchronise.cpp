// SPDX-License-Identifier: Apache-2.0
//
// The synchronisation of random programs: flags and semaphores between steps
// that conflict, and the check that none is missing.
#include "isa/gen/operands.h"
#include "tests/engines/random/order_graph.h"
#include "tests/engines/random/step.h"

#include <algorithm>
#include <random>

namespace kiln::test {

using isa::Pipe;

namespace {

uint32_t blocksOf(const std::vector<Step> &steps) {
  uint32_t blocks = 1;
  for (const Step &step : steps) {
    blocks = std::max(blocks, step.block + 1);
  }
  return blocks;
}

/// A step that has been issued, and its place in the order.
struct Done {
  uint32_t block = 0;
  size_t event = 0;
  StepTrace trace;

  bool conflictsWith(uint32_t otherBlock, const StepTrace &other) const {
    return dependence(trace, other, block != otherBlock) != 0;
  }
};

/// Posts of a semaphore between two device barriers: its largest value.
constexpr unsigned kMostPosts = 15;

/// Adds the flags and semaphores between steps, keeping the order they
/// establish.
class Synchroniser {
public:
  Synchroniser(const std::vector<Step> &steps, uint64_t seed)
      : graph_(blocksOf(steps)), random_(seed), configs_(blocksOf(steps)) {
    out_.steps = steps;
    out_.blocks = blocksOf(steps);
  }
  SyncedProgram run();

private:
  void issue(size_t step);
  void order(const Done &before, uint32_t block, Pipe pipe);
  void order(uint32_t block, Pipe source, Pipe destination);
  void orderBlocks(uint32_t from, Pipe source, uint32_t to);
  void barrier(uint32_t block);
  void deviceBarrier();
  unsigned &posts(uint32_t peer, uint32_t semaphore) {
    return posts_[{peer, semaphore}];
  }

  SyncedProgram out_;
  OrderGraph graph_;
  std::mt19937_64 random_;
  std::vector<isa::PipeConfig> configs_;
  std::vector<Done> done_;
  std::map<std::tuple<uint32_t, Pipe, Pipe, unsigned>, size_t> lastWait_;
  std::map<std::pair<uint32_t, uint32_t>, unsigned> posts_;
};

SyncedProgram Synchroniser::run() {
  if (out_.blocks > 1) {
    deviceBarrier(); // blocks that meet run at once, on a core each
  }
  for (size_t i = 0; i < out_.steps.size(); ++i) {
    issue(i);
  }
  return std::move(out_);
}

void Synchroniser::issue(size_t index) {
  const Step &step = out_.steps[index];
  const Pipe pipe = pipeOfStep(step);
  Done now;
  now.block = step.block;
  now.trace = traceOf(step, configs_[step.block]);
  applyConfiguration(step, configs_[step.block]);
  for (size_t j = done_.size(); j-- > 0;) {
    if (!graph_.isOrdered(done_[j].event, step.block, pipe) &&
        done_[j].conflictsWith(step.block, now.trace)) {
      order(done_[j], step.block, pipe);
    }
  }
  if (random_() % 40 == 0) {
    barrier(step.block);
  }
  now.event = graph_.event(step.block, pipe);
  done_.push_back(std::move(now));
  out_.issues.push_back({Issue::Kind::kStep, step.block, index, {}});
}

void Synchroniser::order(const Done &before, uint32_t block, Pipe pipe) {
  if (before.block == block) {
    order(block, before.trace.pipe, pipe);
    return;
  }
  if (random_() % 12 == 0) {
    deviceBarrier();
    return;
  }
  Pipe source = before.trace.pipe;
  if (source != Pipe::FIX && source != Pipe::MTE3) { // MTE2 cannot post
    const Pipe poster = random_() % 2 ? Pipe::FIX : Pipe::MTE3;
    order(before.block, source, poster);
    source = poster;
  }
  orderBlocks(before.block, source, block);
  if (pipe != Pipe::MTE2 && !graph_.isOrdered(before.event, block, pipe)) {
    order(block, Pipe::MTE2, pipe);
  }
}

/// From a pipe that posts to MTE2 of another block. A semaphore has one
/// posting pipe, so that the n-th kpend is after the n-th kpost.
void Synchroniser::orderBlocks(uint32_t from, Pipe source, uint32_t to) {
  const uint32_t semaphore = 2 * from + (source == Pipe::MTE3);
  if (posts(to, semaphore) == kMostPosts) {
    deviceBarrier();
    return;
  }
  ++posts(to, semaphore);
  Issue post{Issue::Kind::kPost, from, 0, {}, source, to, semaphore};
  Issue pend{Issue::Kind::kPend, to, 0, {}, source, to, semaphore};
  out_.issues.insert(out_.issues.end(), {post, pend});
  graph_.post(from, source, to, semaphore);
  graph_.pend(to, semaphore);
}

void Synchroniser::order(uint32_t block, Pipe source, Pipe destination) {
  unsigned first = static_cast<unsigned>(random_() % isa::kNumFlagIds);
  for (unsigned i = 0; i < isa::kNumFlagIds; ++i) {
    sim::FlagName flag{source, destination, (first + i) % isa::kNumFlagIds};
    auto wait = lastWait_.find({block, source, destination, flag.id});
    if (wait != lastWait_.end() &&
        !graph_.isOrdered(wait->second, block, source)) {
      continue; // the set might find the flag still set
    }
    graph_.set(block, flag);
    out_.issues.push_back({Issue::Kind::kSet, block, 0, flag});
    lastWait_[{block, source, destination, flag.id}] = graph_.wait(block, flag);
    out_.issues.push_back({Issue::Kind::kWait, block, 0, flag});
    return;
  }
  barrier(block);
}

void Synchroniser::barrier(uint32_t block) {
  graph_.barrier(block);
  out_.issues.push_back({Issue::Kind::kBarrier, block, 0, {}});
}

void Synchroniser::deviceBarrier() {
  graph_.deviceBarrier();
  out_.issues.push_back({Issue::Kind::kDeviceBarrier, 0, 0, {}});
  posts_.clear();
}

/// Replays a program in a graph, step by step.
class Verifier {
public:
  explicit Verifier(const SyncedProgram &program)
      : program_(program), graph_(program.blocks), configs_(program.blocks) {}
  bool isRaceFree() {
    return std::all_of(program_.issues.begin(), program_.issues.end(),
                       [&](const Issue &issue) { return accepts(issue); });
  }

private:
  bool accepts(const Issue &issue);
  bool acceptsStep(const Issue &issue);

  const SyncedProgram &program_;
  OrderGraph graph_;
  std::vector<isa::PipeConfig> configs_;
  std::vector<Done> done_;
};

bool Verifier::accepts(const Issue &issue) {
  switch (issue.kind) {
  case Issue::Kind::kStep:
    return acceptsStep(issue);
  case Issue::Kind::kSet:
    return graph_.set(issue.block, issue.flag);
  case Issue::Kind::kWait:
    graph_.wait(issue.block, issue.flag);
    return true;
  case Issue::Kind::kBarrier:
    graph_.barrier(issue.block);
    return true;
  case Issue::Kind::kPost:
    graph_.post(issue.block, issue.pipe, issue.peer, issue.semaphore);
    return true;
  case Issue::Kind::kPend:
    graph_.pend(issue.block, issue.semaphore);
    return true;
  case Issue::Kind::kDeviceBarrier:
    graph_.deviceBarrier();
    return true;
  }
  return false;
}

bool Verifier::acceptsStep(const Issue &issue) {
  const Step &step = program_.steps[issue.step];
  Done now;
  now.block = step.block;
  now.trace = traceOf(step, configs_[step.block]);
  applyConfiguration(step, configs_[step.block]);
  now.event = graph_.event(step.block, now.trace.pipe);
  for (const Done &before : done_) {
    if (!graph_.isOrdered(before.event, step.block, now.trace.pipe) &&
        before.conflictsWith(step.block, now.trace)) {
      return false;
    }
  }
  done_.push_back(std::move(now));
  return true;
}

} // namespace

SyncedProgram synchronise(const std::vector<Step> &steps, const isa::ArchSpec &,
                          uint64_t seed) {
  return Synchroniser(steps, seed).run();
}

bool isRaceFree(const SyncedProgram &program) {
  return Verifier(program).isRaceFree();
}

} // namespace kiln::test
