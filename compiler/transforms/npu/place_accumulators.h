// SPDX-License-Identifier: Apache-2.0
//
// What a placement in L0C costs: FIX waits while M works in the bank it reads
// (docs/microarchitecture.md, rules 35 and 36).
//
//   AccumulatorCost cost(bankBytes, meetingsOf(uses));
//   placeForLess(buffers, capacity, cost);
//
// A meeting is a piece that FIX reads and one that M works on in the meantime.
// M goes round its tile once per step of k, so it is in each bank for the part
// of the time that is the part of the tile there; FIX waits for as long as it
// reads there. The slots of a buffer that take turns meet each other: they are
// spread over the banks where that fits.
//
// No MLIR here; cube_traffic.h makes the uses from a kernel.
#pragma once

#include "compiler/transforms/npu/place_buffers.h"

namespace kiln::npu {

/// Bytes of one slot of a buffer.
struct AccumulatorPiece {
  unsigned buffer = 0;
  int64_t slot = 0;
  int64_t lo = 0, hi = 0; // in the slot
  bool meets(const AccumulatorPiece &other) const {
    return buffer == other.buffer && slot == other.slot && lo < other.hi &&
           other.lo < hi;
  }
};

/// What one command does, with all its repetitions in loops that do not hold
/// the other end of the tile: M fills it, FIX empties it.
struct AccumulatorUse {
  AccumulatorPiece piece;
  bool isFix = false;
  uint64_t cycles = 0;
  uint64_t times = 1; // that it runs
};

struct AccumulatorMeeting {
  AccumulatorPiece cube, fix;
  uint64_t weight = 0;
};

/// `uses` in the order of the program, from a period of its loops. When FIX
/// works is not known: at once, or late because its target is not free, but not
/// later than M needs the piece again. Both count the same: what M does at once
/// behind it in the program, and all that M does until then, in proportion.
/// Pieces of different buffers are left out: when FIX comes to the one while M
/// is at the other depends on what else it waits for.
std::vector<AccumulatorMeeting>
meetingsOf(std::span<const AccumulatorUse> uses);

class AccumulatorCost : public PlaceCost {
public:
  AccumulatorCost(int64_t bankBytes, std::vector<AccumulatorMeeting> meetings);

  uint64_t operator()(std::span<const BufferPlace> buffers) override;
  uint64_t of(unsigned which, std::span<const BufferPlace> buffers,
              const std::vector<bool> &placed, uint64_t limit) override;
  bool isConstant() const override { return meetings_.empty(); }
  int64_t bankBytes() const override { return bankBytes_; }
  bool spreadsSlots() const override { return true; }

private:
  uint64_t lostBy(const AccumulatorMeeting &meeting,
                  std::span<const BufferPlace> buffers);

  int64_t bankBytes_;
  std::vector<AccumulatorMeeting> meetings_;
};

} // namespace kiln::npu
