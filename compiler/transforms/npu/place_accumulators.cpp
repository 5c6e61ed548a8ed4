// SPDX-License-Identifier: Apache-2.0
#include "compiler/transforms/npu/place_accumulators.h"

#include "isa/support/units.h"

#include <algorithm>

namespace kiln::npu {

namespace {

/// A piece, in parts that lie in a bank.
constexpr int64_t kWhole = 1024;

/// What M does behind number `fix` until it needs that piece again.
std::vector<const AccumulatorUse *>
cubeBehind(std::span<const AccumulatorUse> uses, size_t fix) {
  std::vector<const AccumulatorUse *> behind;
  for (size_t n = 1; n < uses.size(); ++n) {
    const AccumulatorUse &use = uses[(fix + n) % uses.size()];
    if (use.isFix) {
      continue;
    }
    if (use.piece.meets(uses[fix].piece)) {
      break; // waits for FIX
    }
    behind.push_back(&use);
  }
  return behind;
}

} // namespace

std::vector<AccumulatorMeeting>
meetingsOf(std::span<const AccumulatorUse> uses) {
  std::vector<AccumulatorMeeting> meetings;
  for (size_t i = 0; i < uses.size(); ++i) {
    const AccumulatorUse &fix = uses[i];
    if (!fix.isFix) {
      continue;
    }
    const auto behind = cubeBehind(uses, i);
    uint64_t all = 0;
    for (const AccumulatorUse *cube : behind) {
      all += cube->cycles;
    }
    uint64_t left = fix.cycles; // of FIX when it begins at once
    for (const AccumulatorUse *cube : behind) {
      const uint64_t atOnce = std::min(left, cube->cycles);
      const uint64_t anyTime = ceilDiv(std::min(fix.cycles, all) * cube->cycles,
                                       std::max<uint64_t>(1, all));
      left -= atOnce;
      if (cube->piece.buffer != fix.piece.buffer) {
        continue;
      }
      meetings.push_back(
          {cube->piece, fix.piece, (atOnce + anyTime) * fix.times});
    }
  }
  return meetings;
}

AccumulatorCost::AccumulatorCost(int64_t bankBytes,
                                 std::vector<AccumulatorMeeting> meetings)
    : bankBytes_(bankBytes), meetings_(std::move(meetings)) {
  for (const AccumulatorMeeting &meeting : meetings_) {
    for (const AccumulatorPiece *piece : {&meeting.cube, &meeting.fix}) {
      offsets_[piece->buffer].push_back(piece->lo);
      pairs_.emplace_back(meeting.cube.buffer, piece->buffer);
    }
  }
  finish();
}

/// The part of M's piece in a bank times the part of FIX's, over all banks.
uint64_t AccumulatorCost::lostBy(const AccumulatorMeeting &meeting,
                                 std::span<const BufferPlace> buffers) {
  auto beginOf = [&](const AccumulatorPiece &piece) {
    const BufferPlace &place = buffers[piece.buffer];
    return place.address + piece.slot * place.pitch + piece.lo;
  };
  auto partIn = [&](int64_t begin, int64_t bytes, int64_t bank) {
    const int64_t lo = std::max(begin, bank * bankBytes_);
    const int64_t hi = std::min(begin + bytes, (bank + 1) * bankBytes_);
    return static_cast<uint64_t>(std::max<int64_t>(0, hi - lo) * kWhole /
                                 bytes);
  };
  const int64_t cube = beginOf(meeting.cube), fix = beginOf(meeting.fix);
  const int64_t cubeBytes = meeting.cube.hi - meeting.cube.lo;
  const int64_t fixBytes = meeting.fix.hi - meeting.fix.lo;
  uint64_t parts = 0;
  for (int64_t bank = fix / bankBytes_;
       bank <= (fix + fixBytes - 1) / bankBytes_; ++bank) {
    parts += partIn(cube, cubeBytes, bank) * partIn(fix, fixBytes, bank);
  }
  ++judged_;
  return meeting.weight * parts / kWhole / kWhole;
}

uint64_t AccumulatorCost::operator()(std::span<const BufferPlace> buffers) {
  uint64_t sum = 0;
  for (const AccumulatorMeeting &meeting : meetings_) {
    sum += lostBy(meeting, buffers);
  }
  return sum;
}

uint64_t AccumulatorCost::of(unsigned which,
                             std::span<const BufferPlace> buffers,
                             const std::vector<bool> &placed, uint64_t limit) {
  uint64_t sum = 0;
  for (const AccumulatorMeeting &meeting : meetings_) {
    const unsigned a = meeting.cube.buffer, b = meeting.fix.buffer;
    if ((a == which || b == which) && placed[a] && placed[b] && sum < limit) {
      sum += lostBy(meeting, buffers);
    }
  }
  return sum;
}

} // namespace kiln::npu
