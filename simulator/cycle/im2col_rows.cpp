// SPDX-License-Identifier: Apache-2.0
#include "simulator/cycle/im2col_rows.h"

#include "isa/support/units.h"

#include <algorithm>

namespace kiln::sim {

using isa::kBlockBytes;

Im2colRows::Im2colRows(const isa::Command &command,
                       const isa::PipeConfig &config, uint32_t perGroup)
    : to_(isa::Im2colTarget::unpack(command.rs1)),
      from_(isa::Im2colSource::unpack(command.rs2)),
      image_(isa::Mte1Config0::unpack(config.mte1[0])),
      kernel_(isa::Mte1Config1::unpack(config.mte1[1])),
      channels_(isa::Mte1Config2::unpack(config.mte1[2])),
      batch_(isa::Mte1Config3::unpack(config.mte1[3])), perGroup_(perGroup) {
  const uint64_t size = isa::sizeOf(static_cast<isa::ElementType>(command.f3));
  taps_ = batch_.c04 && size ? kBlockBytes / size / 4 : 1;
  valid_ = perGroup_ && image_.ow && kernel_.kw && kernel_.kh && taps_;
  if (valid_) {
    perKernelRow_ = ceilDiv(uint64_t{kernel_.kw}, taps_);
    pixelBytes_ = kBlockBytes / taps_;
    enterStep();
  }
}

void Im2colRows::enterStep() {
  const uint64_t k1 = from_.k1Start + step_;
  kw_ = static_cast<int64_t>(k1 % perKernelRow_ * taps_ * kernel_.dw);
  const uint64_t line = k1 / perKernelRow_;
  kh_ = static_cast<int64_t>(line % kernel_.kh * kernel_.dh);
  plane_ = from_.addr + kBlockBytes * (line / kernel_.kh) * channels_.c1Stride;
  ow_ = from_.mStart % image_.ow;
  oh_ = from_.mStart / image_.ow;
}

bool Im2colRows::next(std::vector<uint64_t> &addresses) {
  addresses.clear();
  if (!valid_ || step_ == to_.k1Count || to_.mCount == 0) {
    return false;
  }
  const uint64_t end = std::min<uint64_t>(perGroup_, to_.mCount - m_);
  for (uint64_t row = 0; row < end; ++row) {
    uint64_t y = oh_, base = plane_;
    if (batch_.images > 1 && batch_.oh) {
      base += kBlockBytes * (oh_ / batch_.oh) * batch_.imageStride;
      y = oh_ % batch_.oh;
    }
    const int64_t ih = static_cast<int64_t>(y * kernel_.sh) + kh_ -
                       static_cast<int64_t>(image_.padTop);
    const int64_t iw = static_cast<int64_t>(ow_ * kernel_.sw) + kw_ -
                       static_cast<int64_t>(image_.padLeft);
    if (ih >= 0 && ih < static_cast<int64_t>(image_.h) && iw >= 0 &&
        iw < static_cast<int64_t>(image_.w)) {
      addresses.push_back(base + pixelBytes_ *
                                     static_cast<uint64_t>(ih * image_.w + iw));
    }
    if (++ow_ == image_.ow) {
      ow_ = 0;
      ++oh_;
    }
  }
  m_ += end;
  if (m_ == to_.mCount) {
    m_ = 0;
    if (++step_ != to_.k1Count) {
      enterStep();
    }
  }
  return true;
}

} // namespace kiln::sim
