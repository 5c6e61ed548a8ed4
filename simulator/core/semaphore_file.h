// SPDX-License-Identifier: Apache-2.0
//
// SemaphoreFile: what the blocks of one launch share to meet each other: 16
// semaphores per block, and the device barrier. Only launches whose blocks all
// run at once use it.
#pragma once

#include "isa/gen/operands.h"
#include "isa/semantics/semantics.h"

#include <array>
#include <fmt/format.h>
#include <optional>
#include <vector>

namespace kiln::sim {

class SemaphoreFile {
public:
  static constexpr unsigned kIds = 16;
  static constexpr unsigned kLargest = 15;

  void reset(uint32_t blocks) {
    counts_.assign(blocks, {});
    arrived_ = 0;
  }

  /// The fault a kpost would raise now, if any.
  std::optional<isa::Fault> check(const isa::Command &post) const {
    const isa::Semaphore s = isa::Semaphore::unpack(post.rs1);
    if ((post.rs1 & ~isa::Semaphore::kUsedBits) != 0 ||
        s.block >= counts_.size()) {
      return isa::Fault{isa::FaultKind::kSemaphore,
                        fmt::format("kpost to block {} with operand {:#x}; the "
                                    "launch has {} blocks",
                                    s.block, post.rs1, counts_.size())};
    }
    if (counts_[s.block][s.id] == kLargest) {
      return isa::Fault{isa::FaultKind::kSemaphore,
                        fmt::format("semaphore {} of block {} is {} already, "
                                    "its largest value",
                                    s.id, s.block, kLargest)};
    }
    return std::nullopt;
  }
  /// After check().
  void post(const isa::Command &c) {
    const isa::Semaphore s = isa::Semaphore::unpack(c.rs1);
    ++counts_[s.block][s.id];
  }
  /// Takes 1 where there is one.
  bool take(uint32_t block, const isa::Command &pend) {
    uint8_t &count = counts_[block][pend.rs1 % kIds];
    if (count == 0) {
      return false;
    }
    --count;
    return true;
  }
  static std::optional<isa::Fault> checkPend(const isa::Command &pend) {
    if (pend.rs1 < kIds) {
      return std::nullopt;
    }
    return isa::Fault{
        isa::FaultKind::kSemaphore,
        fmt::format("semaphore {}; expected 0 to {}", pend.rs1, kIds - 1)};
  }

  /// One more block is at the device barrier; true for the last one, which
  /// begins the next round.
  bool arrive() {
    if (++arrived_ < counts_.size()) {
      return false;
    }
    arrived_ = 0;
    ++rounds_;
    return true;
  }
  /// Device barriers that all blocks have left.
  uint64_t rounds() const { return rounds_; }

  /// The fault of semaphores that are not 0 at the end of a launch.
  std::optional<isa::Fault> residue() const {
    for (size_t block = 0; block < counts_.size(); ++block) {
      for (unsigned id = 0; id < kIds; ++id) {
        if (counts_[block][id] != 0) {
          return isa::Fault{
              isa::FaultKind::kSemaphore,
              fmt::format("semaphore {} of block {} is {} at the end of the "
                          "launch; expected 0",
                          id, block, counts_[block][id])};
        }
      }
    }
    return std::nullopt;
  }

private:
  std::vector<std::array<uint8_t, kIds>> counts_;
  size_t arrived_ = 0;
  uint64_t rounds_ = 0;
};

} // namespace kiln::sim
