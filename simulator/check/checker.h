// SPDX-License-Identifier: Apache-2.0
//
// Checker: finds what a run got right only by luck. Attached to an engine, it
// follows a launch and reports:
//   race   two accesses of different pipes (or of different blocks, in GM)
//          that overlap, one of them a write, and that no flag, kbar, semaphore
//          or kdbar orders; names both and what is missing
//   init   a read of a local byte that nothing wrote in this block; cp.l0a and
//          cp.l0b move unwritten bytes along without reading them
//   flags  a kset that another order may run while the flag is still set; a
//          kwait before its kset in program order
// The verdicts do not depend on the order the engine used, except for init and
// for semaphores that several pipes post to (happens_before.h).
// Each pair of instructions is reported once.
//
// Blocks that run at once have a checker each; what they know of GM, where they
// met and the findings are common:
//
//   Checker first(checks, program, arch);
//   Checker second(first);              // of the next core
#pragma once

#include "simulator/check/access_shadow.h"
#include "simulator/check/happens_before.h"
#include "simulator/core/engine.h"
#include "simulator/core/launch_observer.h"

#include <array>
#include <memory>
#include <set>
#include <tuple>

namespace kiln::sim {

class Checker final : public LaunchObserver {
public:
  Checker(const Checks &checks, const Program &program,
          const isa::ArchSpec &arch);
  /// Another core of the launch that `other` follows.
  explicit Checker(const Checker &other);

  void beginBlock(const BlockPosition &position) override;
  void issued(const isa::Command &command) override;
  void executing(const isa::Command &command,
                 const isa::PipeConfig &config) override;
  void configured(const isa::Command &command) override;
  void flagSet(const isa::Command &command, FlagName flag) override;
  void flagWaited(const isa::Command &command, FlagName flag) override;
  void barrier() override;
  void posted(const isa::Command &command) override;
  void pended(const isa::Command &command) override;
  void arrived() override;
  void left() override;
  void windowAccess(uint64_t pc, const WindowAccess &access) override;

  std::vector<Finding> takeFindings() { return std::move(common_->findings); }

private:
  /// Who accessed some bytes; what a report prints.
  struct Accessor {
    EventPosition position;
    uint64_t pc = 0;
    uint32_t word = 0; // 0: the control core
    uint32_t block = 0;
    uint8_t commutes = 0; // see isa::StridedRange
  };
  /// What the checkers of a launch have in common.
  struct Common {
    explicit Common(const isa::ArchSpec &arch)
        : gm(arch.arch.gmBase, arch.arch.capacity(isa::Space::GM)) {}
    std::vector<Accessor> accessors;
    AccessShadow gm;
    std::vector<Finding> findings;
    std::set<std::tuple<Finding::Kind, uint64_t, uint64_t>> seen;
    Meetings meetings;
  };
  /// Compares one access with earlier ones.
  class RaceJudge;
  /// What has been counted of one flag.
  struct FlagUse {
    uint32_t setsIssued = 0, waitsIssued = 0;
    bool waited = false;
    EventPosition lastWait;
    uint64_t lastWaitPc = 0;
  };

  /// Numbers of accessors begin at 1.
  uint32_t addAccessor(const Accessor &accessor);
  const Accessor &accessor(AccessId id) const {
    return common_->accessors[id.accessor() - 1];
  }
  bool isInside(const isa::Footprint &footprint) const;
  /// `moves`: the bytes are only moved; moveFractals() follows what is written.
  void access(const isa::StridedRange &range, uint32_t accessor,
              bool moves = false);
  void moveFractals(const isa::Command &command);
  void checkInit(const isa::StridedRange &range, uint32_t accessor);
  void reportUnwritten(const isa::StridedRange &range, uint64_t address,
                       uint32_t accessor);
  void checkProgramOrder(const isa::Command &command, FlagName flag);
  std::string betweenBlocks(const Accessor &a, const Accessor &b) const;
  void reportRace(AccessId before, AccessId now, isa::Space space,
                  uint64_t address);
  bool isOrdered(const Accessor &before, const Accessor &now) const;
  std::string describe(const Accessor &a) const;
  void add(Finding finding);
  FlagUse &use(const FlagName &flag);

  Checks checks_;
  const Program &program_;
  BlockPosition block_;
  FaultSite site_;
  std::shared_ptr<Common> common_;
  HappensBefore order_{common_->meetings};
  std::vector<AccessShadow> local_; // by space; GM: in common
  std::array<std::vector<uint32_t>, isa::kNumSpaces> written_;
  std::array<FlagUse, isa::kNumPipes * isa::kNumPipes * isa::kNumFlagIds>
      flagUse_{};
  isa::Footprint footprint_;
};

} // namespace kiln::sim
