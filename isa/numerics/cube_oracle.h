// SPDX-License-Identifier: Apache-2.0
//
// The cube's arithmetic in integers (machine.md, "Arithmetic contract").
//
//   using C = CubeOracle<>;
//   uint32_t d = C::dotHalf(kF16, a, b, 16);       // f32 bits of one dot
//   C::mmad(CubeType::kF16, {m, n, k}, CubeMode::kZero, l0a, l0b, bias, l0c);
//
// fp16 and bf16, one dot of 16 lanes: an operand is m * 2^(e-25) (bf16:
// m * 2^(e-134)), e = max(exponent field, 1). E is the largest ea+eb of the
// lanes below K whose product is not zero, not renormalised. Every product is
// truncated to a multiple of 2^(E-74) (bf16: 2^(E-292)), the multiples are
// summed exactly, and the sum is rounded once to f32; a zero sum is +0. Then
// C = C + dot as an f32 addition. k ascends.
// fp32, one dot of 4: four rounded products, (p0+p1)+(p2+p3), then C + dot;
// missing lanes have the product +0. int8: exact, wrapping i32.
#pragma once

#include "isa/numerics/cube_types.h"
#include "isa/numerics/soft_float.h"

#include <array>
#include <cstddef>
#include <cstring>
#include <optional>
#include <span>

namespace kiln::isa::oracle {

template <Mutant M = Mutant::kNone> struct CubeOracle {
  using F = SoftFloat<M>;

  /// One dot of the lanes below `valid` (<= a.size() == b.size()); f32 bits.
  static constexpr uint32_t dotHalf(Format f, std::span<const uint16_t> a,
                                    std::span<const uint16_t> b,
                                    unsigned valid) {
    if (std::optional<uint32_t> special = dotSpecial(f, a, b, valid)) {
      return *special;
    }
    return F::pack(kF32, alignedSum(f, a, b, valid), dotRounding());
  }

  /// C after one k step of fp16 or bf16.
  static constexpr uint32_t stepHalf(Format f, uint32_t c,
                                     std::span<const uint16_t> a,
                                     std::span<const uint16_t> b,
                                     unsigned valid) {
    if (M == Mutant::kDotNotRounded && !dotSpecial(f, a, b, valid) &&
        !kF32.isNan(c) && !kF32.isInf(c)) {
      return F::pack(
          kF32, F::addExact(alignedSum(f, a, b, valid), F::unpack(kF32, c)));
    }
    return F::add(kF32, c, dotHalf(f, a, b, valid));
  }

  /// One dot of four fp32 lanes.
  static constexpr uint32_t dotF32(std::span<const uint32_t> a,
                                   std::span<const uint32_t> b,
                                   unsigned valid) {
    std::array<uint32_t, 4> p{};
    p.fill(M == Mutant::kF32TailNegativeZero ? kF32.signBit() : 0);
    for (unsigned i = 0; i < valid; ++i) {
      p[i] = F::multiply(kF32, a[i], b[i]);
    }
    if (M == Mutant::kF32Fused && valid == 4) {
      return F::add(kF32, F::multiplyAdd(kF32, a[0], b[0], p[1]),
                    F::multiplyAdd(kF32, a[2], b[2], p[3]));
    }
    if (M == Mutant::kF32Sequential) {
      return F::add(kF32, F::add(kF32, F::add(kF32, p[0], p[1]), p[2]), p[3]);
    }
    if (M == Mutant::kF32Interleaved) {
      return F::add(kF32, F::add(kF32, p[0], p[2]), F::add(kF32, p[1], p[3]));
    }
    return F::add(kF32, F::add(kF32, p[0], p[1]), F::add(kF32, p[2], p[3]));
  }

  static constexpr uint32_t stepI8(uint32_t c, std::span<const uint8_t> a,
                                   std::span<const uint8_t> b, CubeType type,
                                   unsigned valid) {
    const bool sa = signedA(type) != (M == Mutant::kI8SignOfA);
    const bool sb = signedB(type) != (M == Mutant::kI8SignOfB);
    int64_t sum = static_cast<int32_t>(c);
    for (unsigned i = 0; i < valid; ++i) {
      const int x = sa ? static_cast<int8_t>(a[i]) : a[i];
      const int y = sb ? static_cast<int8_t>(b[i]) : b[i];
      sum += x * y;
    }
    if (M == Mutant::kI8Saturates) {
      sum = std::clamp<int64_t>(sum, INT32_MIN, INT32_MAX);
    }
    return static_cast<uint32_t>(sum);
  }

  /// The whole tile, element by element. `bias` holds n f32 or i32 values in
  /// mode kBias. Buffers are in the layouts of CubeExtents.
  static void mmad(CubeType type, CubeExtents s, CubeMode mode,
                   const std::byte *a, const std::byte *b,
                   const std::byte *bias, std::byte *c) {
    const uint32_t m1 = (s.m + 15) / 16;
    for (uint32_t n = 0; n < s.n; ++n) {
      for (uint32_t m = 0; m < s.m; ++m) {
        std::byte *cell =
            c + 1024 * ((n / 16) * m1 + m / 16) + 64 * (m % 16) + 4 * (n % 16);
        uint32_t preset = 0;
        if (mode == CubeMode::kAccumulate) {
          std::memcpy(&preset, cell, 4);
        } else if (mode == CubeMode::kBias) {
          std::memcpy(&preset, bias + 4 * n, 4);
        } else if (M == Mutant::kStartNegativeZero && !isInteger(type)) {
          preset = kF32.signBit();
        }
        const uint32_t value = element(type, s, m, n, a, b, preset, mode);
        std::memcpy(cell, &value, 4);
      }
    }
  }

private:
  static constexpr unsigned kGuardBits = M == Mutant::kAlignShift23   ? 23
                                         : M == Mutant::kAlignShift25 ? 25
                                                                      : 24;

  static constexpr RoundingMode dotRounding() {
    return M == Mutant::kDotTruncated  ? RoundingMode::kRtz
           : M == Mutant::kDotTiesAway ? RoundingMode::kRmm
                                       : RoundingMode::kRne;
  }

  /// The result when an operand is NaN or infinite, else nothing.
  static constexpr std::optional<uint32_t>
  dotSpecial(Format f, std::span<const uint16_t> a, std::span<const uint16_t> b,
             unsigned valid) {
    bool plus = false, minus = false, nan = false;
    const size_t lanes = M == Mutant::kTailNanNotMasked ? a.size() : valid;
    for (size_t i = 0; i < lanes; ++i) {
      nan |= f.isNan(a[i]) || f.isNan(b[i]);
      if (i >= valid || (!f.isInf(a[i]) && !f.isInf(b[i]))) {
        continue;
      }
      if (f.isZero(a[i]) || f.isZero(b[i])) {
        nan |= M != Mutant::kInfTimesZero;
      } else {
        (f.isNegative(a[i]) != f.isNegative(b[i]) ? minus : plus) = true;
      }
    }
    if (nan || (plus && minus && M != Mutant::kInfMinusInf)) {
      return M == Mutant::kNanNotCanonical ? kF32.nan() | 1 : kF32.nan();
    }
    if (plus || minus) {
      return kF32.infinity() | (plus ? 0 : kF32.signBit());
    }
    return std::nullopt;
  }

  /// The contract's e: the exponent field, at least 1.
  static constexpr int exponentOf(Format f, uint16_t x) {
    const int field =
        (x >> f.mantissaBits) & static_cast<int>(f.exponentMask());
    if (M == Mutant::kMaxSubnormalNormalised && field == 0 && !f.isZero(x)) {
      const int width = std::bit_width(uint32_t(x & f.mantissaMask()));
      return width - static_cast<int>(f.mantissaBits);
    }
    return std::max(field, 1);
  }

  static constexpr int64_t mantissaOf(Format f, uint16_t x) {
    return static_cast<int64_t>(F::unpack(f, x).mantissa);
  }

  /// E, or nothing when all products are zero.
  static constexpr std::optional<int>
  largestExponent(Format f, std::span<const uint16_t> a,
                  std::span<const uint16_t> b, unsigned valid) {
    std::optional<int> largest;
    const size_t lanes = M == Mutant::kMaxCountsTail ? a.size() : valid;
    for (size_t i = 0; i < lanes; ++i) {
      const int64_t product = mantissaOf(f, a[i]) * mantissaOf(f, b[i]);
      if (product == 0 && M != Mutant::kMaxCountsZeros) {
        continue;
      }
      int e = exponentOf(f, a[i]) + exponentOf(f, b[i]);
      if (M == Mutant::kMaxRenormalised &&
          (product >> (2 * f.mantissaBits + 1)) != 0) {
        ++e;
      }
      largest = largest ? std::max(*largest, e) : e;
    }
    return largest;
  }

  /// product * 2^shift truncated toward zero.
  static constexpr int64_t align(int64_t product, int shift, bool negative) {
    if (shift >= 0) {
      // 22 bits and at most 24 more; a mutant's E may be too small.
      return (product << std::min(shift, 36)) * (negative ? -1 : 1);
    }
    const int right = std::min(-shift, 62);
    int64_t kept = product >> right;
    const int64_t rest = product - (kept << right);
    if (M == Mutant::kAlignFloor && negative && rest != 0) {
      ++kept;
    }
    if (M == Mutant::kAlignRound && rest >= int64_t(1) << (right - 1)) {
      ++kept;
    }
    return negative ? -kept : kept;
  }

  static constexpr Magnitude alignedSum(Format f, std::span<const uint16_t> a,
                                        std::span<const uint16_t> b,
                                        unsigned valid) {
    const std::optional<int> largest = largestExponent(f, a, b, valid);
    const bool negativeZero = M == Mutant::kZeroDotNegative;
    if (!largest) {
      return {negativeZero, 0, 0};
    }
    int64_t sum = 0;
    const size_t lanes = M == Mutant::kTailNotMasked ? a.size() : valid;
    for (size_t i = 0; i < lanes; ++i) {
      // Both e here are the contract's, whatever a mutant does to E.
      const int e =
          CubeOracle<>::exponentOf(f, a[i]) + CubeOracle<>::exponentOf(f, b[i]);
      const int shift = static_cast<int>(kGuardBits) - (*largest - e);
      sum += align(mantissaOf(f, a[i]) * mantissaOf(f, b[i]), shift,
                   f.isNegative(a[i]) != f.isNegative(b[i]));
    }
    if (sum == 0) {
      return {negativeZero, 0, 0};
    }
    // 2 * (bias + mantissa bits) is 50 for fp16 and 268 for bf16.
    const int scale = 2 * (f.bias() + static_cast<int>(f.mantissaBits));
    const uint64_t magnitude =
        sum < 0 ? -static_cast<uint64_t>(sum) : static_cast<uint64_t>(sum);
    return {sum < 0, *largest - scale - static_cast<int>(kGuardBits),
            magnitude};
  }

  template <Mutant> friend struct CubeOracle;

  /// Element (m,n) after all k steps.
  static uint32_t element(CubeType type, CubeExtents s, uint32_t m, uint32_t n,
                          const std::byte *a, const std::byte *b,
                          uint32_t preset, CubeMode mode) {
    const uint32_t lanes = dotLength(type);
    const uint32_t steps = (s.k + lanes - 1) / lanes;
    const bool biasLast =
        M == Mutant::kBiasLast && mode == CubeMode::kBias && !isInteger(type);
    uint32_t c = biasLast ? 0 : preset;
    for (uint32_t i = 0; i < steps; ++i) {
      const uint32_t step = M == Mutant::kDescendingK ? steps - 1 - i : i;
      c = oneStep(type, s, m, n, step * lanes, a, b, c);
    }
    return biasLast ? F::add(kF32, c, preset) : c;
  }

  /// One dot from element k0 on.
  static uint32_t oneStep(CubeType type, CubeExtents s, uint32_t m, uint32_t n,
                          uint32_t k0, const std::byte *a, const std::byte *b,
                          uint32_t c) {
    const uint32_t kf = fractalK(type), lanes = dotLength(type);
    const uint32_t k1 = (s.k + kf - 1) / kf, n1 = (s.n + 15) / 16;
    const uint32_t ki = k0 / kf, offset = k0 % kf * operandBytes(type);
    const std::byte *ra =
        a + 512 * ((m / 16) * k1 + ki) + 32 * (m % 16) + offset;
    const std::byte *rb = b + 512 * (ki * n1 + n / 16) + 32 * (n % 16) + offset;
    const unsigned valid = std::min(lanes, s.k - k0);
    if (isInteger(type)) {
      std::array<uint8_t, 32> x, y;
      std::memcpy(x.data(), ra, 32);
      std::memcpy(y.data(), rb, 32);
      return stepI8(c, x, y, type, valid);
    }
    if (type == CubeType::kF32) {
      std::array<uint32_t, 4> x, y;
      std::memcpy(x.data(), ra, 16);
      std::memcpy(y.data(), rb, 16);
      return F::add(kF32, c, dotF32(x, y, valid));
    }
    std::array<uint16_t, 16> x, y;
    std::memcpy(x.data(), ra, 32);
    std::memcpy(y.data(), rb, 32);
    return stepHalf(type == CubeType::kF16 ? kF16 : kBf16, c, x, y, valid);
  }
};

} // namespace kiln::isa::oracle
