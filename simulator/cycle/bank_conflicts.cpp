// SPDX-License-Identifier: Apache-2.0
#include "simulator/cycle/bank_conflicts.h"

#include "isa/gen/operands.h"
#include "isa/support/units.h"

#include <algorithm>
#include <array>

namespace kiln::sim {

using isa::kBlockBytes;

/// Operands from the ranges of a footprint. Operands of one row among several
/// (the result of a reduction) cost nothing: the unit holds them.
void BankConflicts::collect(const isa::Footprint &footprint, uint64_t rows) {
  operands_.clear();
  for (size_t i = 0; i < footprint.ranges.size(); ++i) {
    const isa::StridedRange &r = footprint.ranges[i];
    if (r.end() > arch_.arch.capacity(isa::Space::UB)) {
      operands_.clear(); // the command faults when it takes effect
      return;
    }
    if (r.space != isa::Space::UB) {
      continue;
    }
    isa::BankOperand x;
    x.base = r.base;
    x.write = r.write;
    bool byBlock = r.bytes == kBlockBytes && r.count[1] == rows && rows > 1;
    bool hasTail =
        i + 1 < footprint.ranges.size() && footprint.ranges[i + 1].tail;
    if (hasTail) {
      ++i; // its range
      if (r.count[1] == rows) {
        x.blocks = r.count[0] + 1;
        x.blockStride = r.stride[0];
        x.rowStride = r.stride[1];
      }
    } else if (byBlock ||
               (r.bytes == kBlockBytes && r.count[0] > 1 && rows == 1)) {
      x.blocks = r.count[0];
      x.blockStride = r.stride[0];
      x.rowStride = r.stride[1];
    } else if (r.count[0] == rows && r.count[1] == 1) {
      x.blocks = ceilDiv(r.base % kBlockBytes + r.bytes, kBlockBytes);
      x.blockStride = kBlockBytes;
      x.rowStride = r.stride[0];
    }
    isa::addOperand(operands_, x);
  }
}

uint64_t BankConflicts::vectorCycles(const isa::Footprint &footprint,
                                     uint64_t rows, uint64_t beatsPerRow) {
  if (!ub_.exist() || rows == 0 || beatsPerRow == 0) {
    return 0;
  }
  collect(footprint, rows);
  return ub_.lostCycles(operands_, rows, beatsPerRow);
}

/// Rule 34: in a group of rows read together, those that begin in one bank
/// follow each other. Rows outside the image are not read.
uint64_t BankConflicts::im2colCycles(const isa::Command &command,
                                     const isa::PipeConfig &config) const {
  const uint32_t banks = arch_.timing.banks.l1Banks;
  const uint32_t perGroup = arch_.timing.im2colRowsPerCycle;
  const auto to = isa::Im2colTarget::unpack(command.rs1);
  const auto from = isa::Im2colSource::unpack(command.rs2);
  const auto image = isa::Mte1Config0::unpack(config.mte1[0]);
  const auto kernel = isa::Mte1Config1::unpack(config.mte1[1]);
  const auto channels = isa::Mte1Config2::unpack(config.mte1[2]);
  const auto batch = isa::Mte1Config3::unpack(config.mte1[3]);
  const bool c04 = batch.c04 != 0;
  const uint64_t size = isa::sizeOf(static_cast<isa::ElementType>(command.f3));
  const uint64_t taps = c04 ? kBlockBytes / size / 4 : 1;
  if (banks == 0 || perGroup < 2 || image.ow == 0 || kernel.kw == 0 ||
      kernel.kh == 0 || taps == 0) {
    return 0;
  }
  const uint64_t perKernelRow = ceilDiv(uint64_t{kernel.kw}, taps);
  const uint64_t pixelBytes = kBlockBytes / taps;
  uint64_t lost = 0;
  for (uint64_t i = 0; i < to.k1Count; ++i) {
    const uint64_t k1 = from.k1Start + i;
    const auto kw = static_cast<int64_t>(k1 % perKernelRow * taps * kernel.dw);
    const uint64_t line = k1 / perKernelRow;
    const auto kh = static_cast<int64_t>(line % kernel.kh * kernel.dh);
    const uint64_t plane =
        from.addr + kBlockBytes * (line / kernel.kh) * channels.c1Stride;
    uint64_t ow = from.mStart % image.ow, oh = from.mStart / image.ow;
    for (uint64_t m = 0; m < to.mCount; m += perGroup) {
      std::array<uint8_t, 256> used{};
      uint8_t most = 1;
      const uint64_t end = std::min<uint64_t>(perGroup, to.mCount - m);
      for (uint64_t row = 0; row < end; ++row) {
        uint64_t y = oh, base = plane;
        if (batch.images > 1 && batch.oh) {
          base += kBlockBytes * (oh / batch.oh) * batch.imageStride;
          y = oh % batch.oh;
        }
        const int64_t ih = static_cast<int64_t>(y * kernel.sh) + kh -
                           static_cast<int64_t>(image.padTop);
        const int64_t iw = static_cast<int64_t>(ow * kernel.sw) + kw -
                           static_cast<int64_t>(image.padLeft);
        if (ih >= 0 && ih < static_cast<int64_t>(image.h) && iw >= 0 &&
            iw < static_cast<int64_t>(image.w)) {
          const uint64_t at =
              base + pixelBytes * static_cast<uint64_t>(
                                      ih * static_cast<int64_t>(image.w) + iw);
          most = std::max(most, ++used[at / kBlockBytes % banks]);
        }
        if (++ow == image.ow) {
          ow = 0;
          ++oh;
        }
      }
      lost += most - 1;
    }
  }
  return lost;
}

} // namespace kiln::sim
