// SPDX-License-Identifier: Apache-2.0
//
// Schedule: how a dispatch is cut into tiles and where its tiles live. A small
// value, chosen by chooser.h (later by a tuner), printed, parsed and replayed;
// `npu-apply-schedule` does what it says and decides nothing itself.
//
//   Schedule s = chooseContraction(shape, arch).value();
//   std::string text = print(s);
//   // contraction: cores[784,64]; l1[784,64,576] order[1,0]; l0[128,64,256];
//   //   a@L1x2; b@L1x1; a0@L0Ax2; b0@L0Bx2; acc@L0Cx2
//   assert(parse(text).value() == s);
//
// Levels of a contraction hold sizes in elements of (m, n[, k]); those of a
// vector kernel one size per loop of the root (0: the loop is not cut).
// `order` lists the loops from outermost to innermost; empty means as written.
#pragma once

#include "isa/codec/machine_types.h"
#include "isa/support/status.h"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace kiln::schedule {

/// One level of tiling: "cores", "l1", "l0" or "ub".
struct Level {
  std::string name;
  std::vector<int64_t> tile;
  std::vector<int64_t> order;

  bool operator==(const Level &) const = default;
};

/// Where the tiles of an operand live and how many are in flight.
struct Placement {
  std::string operand;
  isa::Space space = isa::Space::UB;
  int64_t depth = 1;

  bool operator==(const Placement &) const = default;
};

struct Schedule {
  std::string family; // "contraction" or "vector"
  std::vector<Level> levels;
  std::vector<Placement> placements;

  bool operator==(const Schedule &) const = default;

  /// The level of that name, or null.
  const Level *level(std::string_view name) const;
  /// The pipeline depth of an operand; 1 when it is not listed.
  int64_t depth(std::string_view operand, isa::Space space) const;
  /// Whether the operand is listed in that space.
  bool places(std::string_view operand, isa::Space space) const;
};

/// One line of text; parse(print(s)) == s.
std::string print(const Schedule &schedule);

/// Reads what print() writes; kCorrupt names the offending piece.
Result<Schedule> parse(std::string_view text);

/// A hash of the text, stable across runs and machines (FNV-1a).
uint64_t hash(const Schedule &schedule);

} // namespace kiln::schedule
