// SPDX-License-Identifier: Apache-2.0
//
// FunctionalEngine: runs a program without time. Blocks run one after the
// other on one core's memories. Inside a block the seven pipes meet at flags
// as on the machine, with its queue depths; the order decides when a queued
// command runs (engine.h):
//   eager   at once when its pipe is idle: no queueing, no overhead
//   lazy    when S waits for the pipe, directly or through other pipes, or
//           another block may wait for a post
//   random  after each issue a random number of random pipes step
// Race-free programs give the same bits in every order.
//
// Blocks that meet each other (kpost, kpend, kdbar) have a core each; one runs
// until it can only wait for another, then the next one goes on.
#pragma once

#include "simulator/check/checker.h"
#include "simulator/core/core_state.h"
#include "simulator/core/debug_hook.h"
#include "simulator/core/engine.h"
#include "simulator/core/flag_file.h"
#include "simulator/core/semaphore_file.h"
#include "simulator/functional/command_ring.h"

#include <array>
#include <random>

namespace kiln::sim {

class FunctionalEngine final : public Engine {
public:
  FunctionalEngine(const isa::ArchSpec &arch, HostGlobalMemory &gm);

  Result<LaunchReport> run(const LaunchRequest &request) override;
  const std::optional<FaultReport> &lastFault() const override {
    return fault_;
  }

private:
  enum class Step : uint8_t { kRan, kBlocked, kEmpty, kFaulted };

  /// A block on its core.
  struct Context {
    Context(const isa::ArchSpec &arch, HostGlobalMemory &gm);

    CoreState core;
    std::array<CommandRing, isa::kNumPipes> queues;
    FlagFile flags;
    FaultSite site;
    bool ended = false;
    bool retry = false;   // the command S stopped at has been counted
    bool arrived = false; // at the device barrier of round `round`
    uint64_t round = 0;
  };

  void createCheckers();
  void enter(size_t index);
  void startBlock(size_t index, uint32_t block);
  Status runBlocks();
  Status runBlock(uint32_t block);
  Status runMeetingBlocks();
  /// False after a fault, and when the block can only wait for others.
  bool runControl();
  bool endOfBlock();
  bool deviceBarrier(const isa::Command &c);
  Step post(const isa::Command &c);
  Step pend(const isa::Command &c);
  bool command(const isa::Command &c);
  bool controlCommand(const isa::Command &c);
  bool enqueue(const isa::Command &c);
  bool runDirect(const isa::Command &c);

  Step step(isa::Pipe pipe);
  Step execute(const isa::Command &c);
  Step setFlag(const isa::Command &c);
  Step waitFlag(const isa::Command &c);

  // Ways for S to make progress; false: deadlock or fault.
  bool awaitRoom(isa::Pipe pipe);
  bool awaitFlag(const FlagName &flag);
  bool awaitEmpty();
  bool demandStep(isa::Pipe pipe, unsigned visiting);
  bool demandFlag(const FlagName &flag, unsigned visiting);
  void servePosts();
  bool randomStep();
  void drainReady(unsigned pipes);

  DebugView debugView();
  void fail(FaultReport report);
  void failCommand(const isa::Command &c, isa::Fault fault);
  void failDeadlock(ControlWait wait);
  CommandRing &queue(isa::Pipe p) {
    return at_->queues[static_cast<unsigned>(p)];
  }
  Context &context(size_t index);

  const isa::ArchSpec &arch_;
  HostGlobalMemory &gm_;
  std::vector<std::unique_ptr<Context>> contexts_;
  Context *at_ = nullptr; // the block that runs
  std::optional<FaultReport> fault_;

  // Of the running launch.
  const LaunchRequest *request_ = nullptr;
  std::vector<uint8_t> argumentBlock_;
  LaunchReport report_;
  std::mt19937_64 random_;
  SemaphoreFile semaphores_;
  bool meets_ = false;     // the blocks meet each other
  bool suspended_ = false; // the block can only wait for others
  uint64_t progress_ = 0;  // counts what others may have waited for
  std::vector<std::unique_ptr<Checker>> checkers_;
  Checker *checker_ = nullptr; // of the block that runs
};

} // namespace kiln::sim
