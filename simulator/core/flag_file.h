// SPDX-License-Identifier: Apache-2.0
//
// FlagFile: the flags of one core, eight per (source pipe, destination pipe),
// with who set and cleared each one last, for reports.
#pragma once

#include "isa/codec/command.h"

#include <array>
#include <cstdint>

namespace kiln::sim {

/// Names one flag.
struct FlagName {
  isa::Pipe source{};
  isa::Pipe destination{};
  unsigned id = 0;
  bool operator==(const FlagName &) const = default;
};

/// The flag a kset or kwait command names; its id may be out of range.
inline FlagName flagOf(const isa::Command &c) {
  return {static_cast<isa::Pipe>((c.word >> 7) & 31),
          static_cast<isa::Pipe>(c.f3),
          c.rs1 < isa::kNumFlagIds ? static_cast<unsigned>(c.rs1) : ~0u};
}

class FlagFile {
public:
  static constexpr uint64_t kNoCycle = ~uint64_t{0};
  struct History {
    uint64_t setPc = 0; // 0: never
    uint64_t clearPc = 0;
    uint64_t clearedAt = kNoCycle;
  };

  void reset() { *this = FlagFile(); }
  bool isSet(FlagName f) const { return bits_[pair(f)] >> f.id & 1; }
  /// False, and nothing happens, when the flag is set already.
  bool set(FlagName f, uint64_t pc) {
    if (isSet(f)) {
      return false;
    }
    bits_[pair(f)] |= uint8_t(1u << f.id);
    history_[pair(f)][f.id].setPc = pc;
    return true;
  }
  /// An engine with time says when.
  void clear(FlagName f, uint64_t pc, uint64_t now = kNoCycle) {
    bits_[pair(f)] &= uint8_t(~(1u << f.id));
    history_[pair(f)][f.id].clearPc = pc;
    history_[pair(f)][f.id].clearedAt = now;
  }
  const History &history(FlagName f) const { return history_[pair(f)][f.id]; }
  /// Calls `visit(FlagName)` for every flag that is set, in order.
  template <typename Visit> void forEachSet(Visit visit) const {
    for (unsigned p = 0; p < kPairs; ++p) {
      for (unsigned id = 0; bits_[p] >> id; ++id) {
        if (bits_[p] >> id & 1) {
          visit(FlagName{static_cast<isa::Pipe>(p / isa::kNumPipes),
                         static_cast<isa::Pipe>(p % isa::kNumPipes), id});
        }
      }
    }
  }

private:
  static constexpr unsigned kPairs = isa::kNumPipes * isa::kNumPipes;
  static unsigned pair(FlagName f) {
    return static_cast<unsigned>(f.source) * isa::kNumPipes +
           static_cast<unsigned>(f.destination);
  }

  std::array<uint8_t, kPairs> bits_{};
  std::array<std::array<History, isa::kNumFlagIds>, kPairs> history_{};
};

} // namespace kiln::sim
