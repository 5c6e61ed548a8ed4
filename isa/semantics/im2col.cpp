// SPDX-License-Identifier: Apache-2.0
//
// im2col: the rows of the im2col matrix of an image in L1, written as L0A
// fractals.
//
// Row m is output pixel (image, oh, ow) in row-major order; k block k1 is
// (c1*KH + kh)*KW + kw and holds the C0 channels of input pixel
// (oh*SH + kh*DH - pad_top, ow*SW + kw*DW - pad_left). In C04 mode pixels
// hold four channels, a k block C0/4 neighbouring taps of a kernel row:
// k1 = kh*ceil(KW/taps) + kw/taps.
#include "isa/semantics/operand_checks.h"

#include <algorithm>

namespace kiln::isa::semantics {

namespace {

struct Im2col {
  ElementType type;
  Im2colTarget dst;
  Im2colSource src;
  Mte1Config0 image;
  Mte1Config1 kernel;
  Mte1Config2 channels;
  Mte1Config3 batch;

  uint64_t size() const { return sizeOf(type); }
  bool c04() const { return batch.c04 != 0; }
  /// Taps of a k block, and the bytes of one of them.
  uint64_t taps() const { return c04() ? c0(type) / 4 : 1; }
  uint64_t tapBytes() const { return kBlockBytes / taps(); }
  uint64_t blocksPerKernelRow() const {
    return (kernel.kw + taps() - 1) / taps();
  }
  uint64_t k1Total() const {
    return (c04() ? 1 : channels.c1) * kernel.kh * blocksPerKernelRow();
  }
  uint64_t images() const { return std::max<uint64_t>(batch.images, 1); }
};

Im2col decode(const Command &c, const PipeConfig &config) {
  return {
      static_cast<ElementType>(c.f3),      Im2colTarget::unpack(c.rs1),
      Im2colSource::unpack(c.rs2),         Mte1Config0::unpack(config.mte1[0]),
      Mte1Config1::unpack(config.mte1[1]), Mte1Config2::unpack(config.mte1[2]),
      Mte1Config3::unpack(config.mte1[3])};
}

/// One tap of one k block: which channels of which kernel element.
struct Tap {
  uint64_t c1 = 0, kh = 0, kw = 0;
  uint64_t bytes = 0;  // channels that exist; 0 for a tap beyond the kernel
  uint64_t offset = 0; // in the 32-byte block
};

Tap tapOf(const Im2col &x, uint64_t k1, uint64_t tap) {
  const uint64_t perRow = x.blocksPerKernelRow();
  Tap t;
  t.kw = k1 % perRow * x.taps() + tap;
  t.kh = k1 / perRow % x.kernel.kh;
  t.c1 = k1 / perRow / x.kernel.kh;
  t.offset = tap * x.tapBytes();
  const bool last = x.c04() || t.c1 + 1 == x.channels.c1;
  const uint64_t channels = last ? x.kernel.cValidLast : c0(x.type);
  t.bytes = t.kw < x.kernel.kw ? channels * x.size() : 0;
  return t;
}

/// A run of rows m on one row of one image.
struct Segment {
  uint64_t image, oh, ow, count;
};

/// Calls fn(segment, first row) for the rows of the command.
template <typename Fn> void forEachSegment(const Im2col &x, Fn fn) {
  const uint64_t ow = x.image.ow;
  for (uint64_t i = 0; i < x.dst.mCount;) {
    const uint64_t m = x.src.mStart + i;
    Segment s{0, m / ow, m % ow, 0};
    if (x.images() > 1) {
      s.image = s.oh / x.batch.oh;
      s.oh %= x.batch.oh;
    }
    s.count = std::min(ow - s.ow, x.dst.mCount - i);
    fn(s, i);
    i += s.count;
  }
}

/// The part [first, first+count) of a segment that reads inside the image,
/// and the L1 address of its first element. Elements are `step` apart.
struct Inside {
  uint64_t first = 0, count = 0, address = 0, step = 0;
};

Inside insideOf(const Im2col &x, const Segment &s, const Tap &t) {
  Inside in;
  const int64_t ih =
      static_cast<int64_t>(s.oh * x.kernel.sh + t.kh * x.kernel.dh) -
      static_cast<int64_t>(x.image.padTop);
  if (t.bytes == 0 || ih < 0 || ih >= static_cast<int64_t>(x.image.h) ||
      s.image >= x.images()) {
    return in;
  }
  const auto sw = static_cast<int64_t>(x.kernel.sw);
  const int64_t iw0 = static_cast<int64_t>(s.ow) * sw +
                      static_cast<int64_t>(t.kw * x.kernel.dw) -
                      static_cast<int64_t>(x.image.padLeft);
  const int64_t first = iw0 < 0 ? (-iw0 + sw - 1) / sw : 0;
  const int64_t w = x.image.w;
  const int64_t end = iw0 >= w ? 0 : (w - 1 - iw0) / sw + 1;
  if (first >= std::min<int64_t>(end, static_cast<int64_t>(s.count))) {
    return in;
  }
  in.first = static_cast<uint64_t>(first);
  in.count = static_cast<uint64_t>(
                 std::min<int64_t>(end, static_cast<int64_t>(s.count))) -
             in.first;
  const auto pixel = static_cast<uint64_t>(ih * w + iw0 + first * sw);
  in.address = x.src.addr +
               kBlockBytes * (s.image * x.batch.imageStride +
                              t.c1 * uint64_t(x.channels.c1Stride)) +
               x.tapBytes() * pixel;
  in.step = x.tapBytes() * x.kernel.sw;
  return in;
}

MaybeFault checkGeometry(const Im2col &x) {
  const Mte1Config1 &k = x.kernel;
  if (x.image.ow == 0 || k.kh == 0 || k.kw == 0 || k.sh == 0 || k.sw == 0 ||
      k.dh == 0 || k.dw == 0 || (!x.c04() && x.channels.c1 == 0)) {
    return makeFault(
        FaultKind::kIllegalOperand,
        "im2col geometry ow {} kh {} kw {} sh {} sw {} dh {} dw {} "
        "c1 {}; expected all at least 1",
        x.image.ow, k.kh, k.kw, k.sh, k.sw, k.dh, k.dw, x.channels.c1);
  }
  const uint64_t most = x.c04() ? 4 : c0(x.type);
  if (k.cValidLast == 0 || k.cValidLast > most) {
    return makeFault(FaultKind::kIllegalOperand,
                     "c_valid_last is {}; expected 1 to {} for {}",
                     k.cValidLast, most, name(x.type));
  }
  if (x.images() > 1 && x.batch.oh == 0) {
    return makeFault(FaultKind::kIllegalOperand,
                     "oh is 0 with {} images; expected the output rows of an "
                     "image",
                     x.images());
  }
  if (x.type == ElementType::F32 && x.channels.pad != 0) {
    return makeFault(FaultKind::kIllegalOperand,
                     "pad is {:#x} with f32; expected 0", x.channels.pad);
  }
  return std::nullopt;
}

/// Extends the last range by one more row of equal shape, else appends.
void appendRow(Footprint &out, size_t first, const StridedRange &r) {
  if (out.ranges.size() > first) {
    StridedRange &last = out.ranges.back();
    const uint64_t step = r.base - last.base;
    const bool same = last.bytes == r.bytes && last.count[0] == r.count[0] &&
                      r.base > last.base;
    if (same && last.count[1] == 1) {
      last.count[1] = 2;
      last.stride[1] = step;
      return;
    }
    if (same && step == last.count[1] * last.stride[1]) {
      ++last.count[1];
      return;
    }
  }
  addRange(out, r);
}

void addSource(const Im2col &x, Footprint &out) {
  for (uint64_t j = 0; j < x.dst.k1Count; ++j) {
    for (uint64_t i = 0; i < x.taps(); ++i) {
      const Tap tap = tapOf(x, x.src.k1Start + j, i);
      const size_t first = out.ranges.size();
      forEachSegment(x, [&](const Segment &s, uint64_t) {
        const Inside in = insideOf(x, s, tap);
        if (in.count == 0) {
          return;
        }
        StridedRange r{.space = Space::L1, .base = in.address};
        if (in.step == tap.bytes) {
          r.bytes = in.count * tap.bytes;
        } else {
          r.bytes = tap.bytes;
          r.count[0] = in.count;
          r.stride[0] = in.step;
        }
        appendRow(out, first, r);
      });
    }
  }
}

/// A 32-byte block of pad values.
struct PadBlock {
  explicit PadBlock(const Im2col &x) {
    const auto pattern = static_cast<uint16_t>(
        x.size() == 1 ? (x.channels.pad & 0xff) * 0x0101 : x.channels.pad);
    for (unsigned i = 0; i < kBlockBytes; i += 2) {
      std::memcpy(bytes + i, &pattern, 2);
    }
  }
  std::byte bytes[kBlockBytes];
};

/// Row i of fractal column j.
std::byte *blockOf(const Im2col &x, std::byte *l0a, uint64_t i, uint64_t j) {
  return l0a + kFractalBytes * (i / kCellRows * x.dst.k1Count + j) +
         kBlockBytes * (i % kCellRows);
}

} // namespace

MaybeFault describeIm2col(const Command &c, const PipeConfig &config,
                          Footprint &out) {
  const Im2col x = decode(c, config);
  if (x.dst.mCount == 0 || x.dst.k1Count == 0) {
    return std::nullopt;
  }
  if (MaybeFault fault = checkGeometry(x)) {
    return fault;
  }
  if (x.src.k1Start + uint64_t(x.dst.k1Count) > x.k1Total()) {
    return makeFault(FaultKind::kIllegalOperand,
                     "k blocks {} to {} asked for; the kernel has {}",
                     x.src.k1Start, x.src.k1Start + x.dst.k1Count - 1,
                     x.k1Total());
  }
  addSource(x, out);
  const uint64_t m1 = (x.dst.mCount + kCellRows - 1) / kCellRows;
  addRange(out, {.space = Space::L0A,
                 .write = true,
                 .base = x.dst.addr,
                 .bytes = kFractalBytes * m1 * x.dst.k1Count});
  return std::nullopt;
}

void runIm2col(const Command &c, const PipeConfig &config, CoreMemory &memory) {
  const Im2col x = decode(c, config);
  const std::byte *l1 = memory[Space::L1].data();
  std::byte *l0a = memory[Space::L0A].data() + x.dst.addr;
  const PadBlock pad(x);
  const uint64_t rows = (x.dst.mCount + kCellRows - 1) / kCellRows * kCellRows;
  for (uint64_t j = 0; j < x.dst.k1Count; ++j) {
    for (uint64_t i = 0; i < rows; ++i) {
      std::memcpy(blockOf(x, l0a, i, j), pad.bytes, kBlockBytes);
    }
    for (uint64_t n = 0; n < x.taps(); ++n) {
      const Tap tap = tapOf(x, x.src.k1Start + j, n);
      forEachSegment(x, [&](const Segment &s, uint64_t row) {
        const Inside in = insideOf(x, s, tap);
        const std::byte *src = l1 + in.address;
        for (uint64_t i = 0; i < in.count; ++i, src += in.step) {
          std::byte *dst = blockOf(x, l0a, row + in.first + i, j) + tap.offset;
          if (tap.bytes == kBlockBytes) {
            std::memcpy(dst, src, kBlockBytes);
          } else {
            std::memcpy(dst, src, tap.bytes);
          }
        }
      });
    }
  }
}

} // namespace kiln::isa::semantics
