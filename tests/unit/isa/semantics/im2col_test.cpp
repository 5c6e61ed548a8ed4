// SPDX-License-Identifier: Apache-2.0
//
// im2col against the definition of a convolution's input matrix.
#include "test_core.h"

namespace kiln::isa {
namespace {

using namespace testing;

struct Geometry {
  uint32_t h = 7, w = 6, kh = 3, kw = 3, sh = 1, sw = 1, dh = 1, dw = 1;
  uint32_t padTop = 1, padLeft = 1, oh = 7, ow = 6;
  uint32_t c1 = 1, valid = 16, c1Stride = 0;
  uint32_t images = 0, imageStride = 0;
  bool c04 = false;
  uint32_t pad = 0;

  void apply(PipeConfig &config) const {
    config.mte1[0] =
        Mte1Config0{
            .h = h, .w = w, .padTop = padTop, .padLeft = padLeft, .ow = ow}
            .pack();
    config.mte1[1] = Mte1Config1{.kh = kh,
                                 .kw = kw,
                                 .sh = sh,
                                 .sw = sw,
                                 .dh = dh,
                                 .dw = dw,
                                 .cValidLast = valid}
                         .pack();
    config.mte1[2] =
        Mte1Config2{.c1Stride = c1Stride, .c1 = c1, .pad = pad}.pack();
    config.mte1[3] = Mte1Config3{.imageStride = imageStride,
                                 .images = images,
                                 .c04 = c04 ? 1u : 0u,
                                 .oh = images > 1 ? oh : 0}
                         .pack();
  }
};

/// The byte of the im2col matrix at row m, k block k1, byte i.
uint8_t expected(TestCore &core, const Geometry &g, ElementType type,
                 uint32_t src, uint32_t m, uint32_t k1, uint32_t i) {
  const uint32_t size = sizeOf(type), c0 = 32 / size;
  const uint32_t image = g.images > 1 ? m / (g.oh * g.ow) : 0;
  const uint32_t pixel = g.images > 1 ? m % (g.oh * g.ow) : m;
  const uint32_t taps = g.c04 ? c0 / 4 : 1, channels = c0 / taps;
  const uint32_t perRow = (g.kw + taps - 1) / taps;
  const uint32_t element = i / size;
  const uint32_t kw = k1 % perRow * taps + element / channels;
  const uint32_t kh = k1 / perRow % g.kh;
  const uint32_t c1 = k1 / (perRow * g.kh), c = element % channels;
  const bool last = g.c04 || c1 + 1 == g.c1;
  const int ih = int(pixel / g.ow * g.sh + kh * g.dh) - int(g.padTop);
  const int iw = int(pixel % g.ow * g.sw + kw * g.dw) - int(g.padLeft);
  const bool outside = ih < 0 || iw < 0 || ih >= int(g.h) || iw >= int(g.w) ||
                       (last && c >= g.valid) || kw >= g.kw;
  if (outside) {
    return static_cast<uint8_t>(i % size == 0 ? g.pad : g.pad >> 8);
  }
  const uint32_t at = src + 32 * (image * g.imageStride + c1 * g.c1Stride) +
                      (uint32_t(ih) * g.w + uint32_t(iw)) * channels * size +
                      c * size + i % size;
  return core.get<uint8_t>(Space::L1, at);
}

void check(const Geometry &g, ElementType type, uint32_t mStart,
           uint32_t mCount, uint32_t k1Start, uint32_t k1Count) {
  TestCore core;
  core.fillRandom(g.h + g.kw + mStart);
  g.apply(core.config);
  const uint32_t src = 0x60;
  core.runOk(command(
      Opcode::kIm2col, type,
      Im2colTarget{.addr = 512, .mCount = mCount, .k1Count = k1Count}.pack(),
      Im2colSource{.addr = src, .mStart = mStart, .k1Start = k1Start}.pack()));
  for (uint32_t r = 0; r < (mCount + 15) / 16 * 16; ++r) {
    for (uint32_t j = 0; j < k1Count; ++j) {
      for (uint32_t i = 0; i < 32; ++i) {
        const uint32_t size = sizeOf(type);
        const auto pad =
            static_cast<uint8_t>(i % size == 0 ? g.pad : g.pad >> 8);
        const uint8_t want = r < mCount ? expected(core, g, type, src,
                                                   mStart + r, k1Start + j, i)
                                        : pad;
        ASSERT_EQ(want, core.get<uint8_t>(Space::L0A,
                                          512 + 512 * (r / 16 * k1Count + j) +
                                              32 * (r % 16) + i))
            << "row " << r << " block " << j << " byte " << i;
      }
    }
  }
}

TEST(Im2col, PadsTheBorder) { check({}, ElementType::F16, 0, 42, 0, 9); }

TEST(Im2col, StartsAnywhere) {
  check({.pad = 0x3c00}, ElementType::F16, 9, 21, 4, 3);
}

TEST(Im2col, StridesAndDilates) {
  check({.h = 11,
         .w = 13,
         .kh = 2,
         .kw = 3,
         .sh = 2,
         .sw = 3,
         .dh = 3,
         .dw = 2,
         .padTop = 2,
         .padLeft = 3,
         .oh = 6,
         .ow = 5},
        ElementType::BF16, 0, 30, 0, 6);
}

TEST(Im2col, MasksMissingChannelsOfTheLastBlockOnly) {
  check({.c1 = 2, .valid = 5, .c1Stride = 50}, ElementType::F16, 3, 13, 0, 18);
}

TEST(Im2col, ServesEightBitAndF32) {
  check({.valid = 32, .pad = 0x7b}, ElementType::I8, 0, 42, 0, 9);
  check({.valid = 30, .pad = 0x7b}, ElementType::U8, 0, 40, 1, 8);
  check({.valid = 7}, ElementType::F32, 0, 42, 0, 9);
}

TEST(Im2col, WalksImages) {
  check({.images = 3, .imageStride = 44}, ElementType::F16, 30, 80, 2, 4);
}

TEST(Im2col, PacksTapsOfFourChannels) {
  check({.h = 9,
         .w = 9,
         .kh = 7,
         .kw = 7,
         .sh = 2,
         .sw = 2,
         .padTop = 3,
         .padLeft = 3,
         .oh = 5,
         .ow = 5,
         .valid = 3,
         .c04 = true},
        ElementType::F16, 0, 25, 0, 14);
  check({.kw = 5,
         .padLeft = 2,
         .valid = 4,
         .images = 2,
         .imageStride = 11,
         .c04 = true},
        ElementType::I8, 5, 60, 0, 3);
}

TEST(Im2col, ReadsPadBelowAndRightOfTheImage) {
  // Rows of m far beyond the image: all pad.
  check({}, ElementType::F16, 6 * 8, 16, 0, 9);
}

} // namespace
} // namespace kiln::isa
