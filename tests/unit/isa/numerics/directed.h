// SPDX-License-Identifier: Apache-2.0
//
// Directed operands of the arithmetic contract. Each group is aimed at one
// rule; mutants_test.cpp proves that together they tell every rule from its
// named mutants, the kernel tests that the fast code keeps to them.
#pragma once

#include "isa/numerics/cube_oracle.h"
#include "isa/numerics/element_io.h"
#include "isa/numerics/vector_oracle.h"

#include <array>
#include <cstdint>
#include <cstring>
#include <random>
#include <string>
#include <vector>

namespace kiln::isa::directed {

/// A product in the layouts of the cube.
struct TileCase {
  std::string what;
  CubeType type{};
  CubeExtents shape;
  CubeMode mode = CubeMode::kZero;
  std::vector<std::byte> a, b, bias, c;
};

/// A dot of 16 as a product of one row and one column; lanes at or beyond
/// `valid` are in the operands but not in k.
struct Dot {
  std::string what;
  std::array<uint16_t, 16> a{}, b{};
  unsigned valid = 16;
  uint32_t c = 0;
};

/// Bits of (-1)^negative * mantissa * 2^(field - bias - mantissa bits) with
/// the hidden bit in the mantissa (absent: a subnormal, field must be 1).
inline uint16_t half(oracle::Format f, unsigned field, unsigned mantissa,
                     bool negative = false) {
  const bool normal = (mantissa >> f.mantissaBits) != 0;
  return static_cast<uint16_t>((negative ? f.signBit() : 0) |
                               ((normal ? field : 0) << f.mantissaBits) |
                               (mantissa & f.mantissaMask()));
}

inline std::vector<Dot> alignmentDots(oracle::Format f) {
  std::vector<Dot> dots;
  const unsigned one = 1u << f.mantissaBits, odd = one | 1;
  const unsigned top = f.exponentMask() - 1;
  // A cancelling pair sets E; the residue at a gap of 22 to 28 is all that is
  // left. mantissa 3/2: the pair's product carries (kMaxRenormalised).
  for (unsigned pairMantissa : {one, one + one / 2, 2 * one - 1}) {
    for (unsigned gap = 22; gap <= 28; ++gap) {
      for (unsigned residue : {odd, one | 3, 2 * one - 1}) {
        for (bool negative : {false, true}) {
          Dot d{.what = "pair and residue at gap " + std::to_string(gap)};
          const unsigned high = top - 1, low = 15;
          d.a[0] = half(f, high, pairMantissa);
          d.b[0] = half(f, low, pairMantissa);
          d.a[5] = half(f, high, pairMantissa, true);
          d.b[5] = d.b[0];
          d.a[9] = half(f, high - gap / 2, residue, negative);
          d.b[9] = half(f, low - (gap - gap / 2), odd);
          dots.push_back(d);
        }
      }
    }
  }
  // The largest exponents belong to a subnormal times a large number.
  for (unsigned gap = 23; gap <= 27; ++gap) {
    Dot d{.what = "subnormal times max, residue at gap " + std::to_string(gap)};
    d.a[1] = half(f, 1, 1);
    d.b[1] = half(f, 28, one);
    d.a[2] = half(f, 1, 1, true);
    d.b[2] = d.b[1];
    d.a[3] = half(f, 1, odd);
    d.b[3] = half(f, 28 - gap, odd);
    dots.push_back(d);
  }
  // Zero times max must not set E, nor may a lane beyond K.
  for (unsigned valid : {16u, 7u, 1u}) {
    Dot d{.what = "zero times max beside a small product", .valid = valid};
    d.a[0] = half(f, 2, odd);
    d.b[0] = half(f, 2, one | 5);
    const unsigned lane = valid == 16 ? 4 : 12;
    d.a[lane] = valid == 16 ? 0 : half(f, top, one);
    d.b[lane] = half(f, top, one);
    if (valid != 16) { // cancels, so that only E could tell
      d.a[lane + 1] = half(f, top, one, true);
      d.b[lane + 1] = d.b[lane];
    }
    dots.push_back(d);
  }
  return dots;
}

inline std::vector<Dot> roundingDots(oracle::Format f) {
  std::vector<Dot> dots;
  const unsigned one = 1u << f.mantissaBits;
  const uint16_t unit = half(f, 15, one);
  // 2^k (1 + j 2^-24): ties and their neighbours, from three lanes; C beside
  // it makes a second rounding visible.
  for (unsigned j : {1u, 2u, 3u, 4u, 5u}) {
    for (bool negative : {false, true}) {
      for (uint32_t c : {0u, 0x33800000u, 0xb3800000u, 0x4b800000u}) {
        Dot d{.what = "tie", .c = c};
        d.a[0] = half(f, 27, one, negative);
        d.b[0] = half(f, 15, one);
        d.a[1] = half(f, 15, one | (j << (f.mantissaBits - 3)), negative);
        d.b[1] = half(f, 3, one);
        d.a[2] = half(f, 14, one, negative);
        d.b[2] = half(f, 4, one | (j & 1));
        dots.push_back(d);
      }
    }
  }
  // 1 + 2^-24 and 3 * 2^-24: a tie that rounds down, one that rounds up.
  for (unsigned low : {3u, 4u, 5u}) {
    for (unsigned extra : {0u, 1u}) {
      Dot d{.what = "1 + small power"};
      d.a[0] = unit;
      d.b[0] = unit;
      d.a[1] = half(f, low, one);
      d.b[1] = half(f, 3, one);
      if (extra != 0) {
        d.a[2] = half(f, 4, one);
        d.b[2] = half(f, 3, one);
      }
      dots.push_back(d);
    }
  }
  // C = 2^24 and a dot of 1 + tiny: rounding the dot first gives a tie.
  for (uint32_t c : {0x4b800000u, 0x4b800001u, 0xcb800000u}) {
    Dot d{.what = "dot rounds onto a tie with C", .c = c};
    d.a[0] = unit;
    d.b[0] = unit;
    d.a[1] = half(f, 3, one);
    d.b[1] = half(f, 2, one);
    dots.push_back(d);
  }
  return dots;
}

inline std::vector<Dot> specialDots(oracle::Format f) {
  std::vector<Dot> dots;
  const unsigned one = 1u << f.mantissaBits;
  const auto inf = static_cast<uint16_t>(f.infinity());
  const auto minusInf = static_cast<uint16_t>(f.infinity() | f.signBit());
  const auto payload = static_cast<uint16_t>(f.nan() | 1 | f.signBit());
  const uint16_t x = half(f, 15, one | 1);
  const auto minusZero = static_cast<uint16_t>(f.signBit());
  const auto add = [&](std::string what, std::vector<uint16_t> a,
                       std::vector<uint16_t> b, uint32_t c = 0) {
    Dot d{.what = std::move(what), .c = c};
    std::copy(a.begin(), a.end(), d.a.begin());
    std::copy(b.begin(), b.end(), d.b.begin());
    dots.push_back(d);
  };
  add("NaN operand", {x, payload}, {x, x});
  add("NaN times zero", {payload}, {0});
  add("infinity", {x, inf}, {x, x});
  add("minus infinity", {x, inf}, {x, static_cast<uint16_t>(x | minusZero)});
  add("infinity times zero", {inf, x}, {0, x});
  add("zero times minus infinity", {minusZero, x}, {minusInf, x});
  add("infinities that cancel", {inf, inf}, {x, minusInf});
  add("minus infinity first", {minusInf, inf}, {x, x});
  add("infinite C and its opposite", {minusInf}, {x}, 0x7f800000);
  add("NaN in C", {x}, {x}, 0xffc12345);
  add("all zero, C -0", {0, minusZero}, {x, x}, 0x80000000);
  add("all -0, C -0", {minusZero}, {x}, 0x80000000);
  add("exact cancellation, C -0", {x, static_cast<uint16_t>(x | minusZero)},
      {x, x}, 0x80000000);
  add("subnormal operands", {half(f, 1, 3), half(f, 1, one - 1)},
      {half(f, 20, one | 1), x});
  add("smallest squared", {half(f, 1, 1)}, {half(f, 1, 1)});
  add("minus smallest squared", {half(f, 1, 1, true)}, {half(f, 1, 1)});
  if (f.exponentBits == 8) { // bf16 dots may be subnormal or overflow
    add("subnormal dot", {half(f, 40, one | 5)}, {half(f, 80, one | 3)});
    add("subnormal dot, minus", {half(f, 30, one | 5, true)},
        {half(f, 85, one | 3)});
    add("overflowing dot", {half(f, 250, one)}, {half(f, 200, one)});
    add("largest finite dot", {half(f, 190, 2 * one - 1)},
        {half(f, 191, 2 * one - 1)});
  }
  for (unsigned valid : {1u, 2u, 15u}) {
    Dot d{.what = "tail of NaN", .valid = valid};
    d.a.fill(payload);
    d.b.fill(x);
    for (unsigned i = 0; i < valid; ++i) {
      d.a[i] = x;
    }
    dots.push_back(d);
    d.what = "tail of ones";
    for (unsigned i = valid; i < 16; ++i) {
      d.a[i] = x;
    }
    dots.push_back(d);
  }
  return dots;
}

inline std::vector<Dot> halfDots(oracle::Format f) {
  std::vector<Dot> dots = alignmentDots(f);
  for (auto &&more : {roundingDots(f), specialDots(f)}) {
    dots.insert(dots.end(), more.begin(), more.end());
  }
  return dots;
}

template <typename T> std::vector<std::byte> bytesOf(const std::vector<T> &v) {
  std::vector<std::byte> out(v.size() * sizeof(T));
  std::memcpy(out.data(), v.data(), out.size());
  return out;
}

/// A dot as a 1x1 tile.
inline TileCase tileOf(CubeType type, const Dot &d) {
  std::vector<uint16_t> a(256), b(256);
  std::copy(d.a.begin(), d.a.end(), a.begin());
  std::copy(d.b.begin(), d.b.end(), b.begin());
  std::vector<uint32_t> c(256);
  c[0] = d.c;
  return {d.what,     type, {1, 1, d.valid}, CubeMode::kAccumulate, bytesOf(a),
          bytesOf(b), {},   bytesOf(c)};
}

/// A tile of random words, `make` giving 32 bits of operand.
template <typename Make>
TileCase randomTile(std::string what, CubeType type, CubeExtents s,
                    CubeMode mode, std::mt19937 &random, Make make) {
  const size_t k1 = (s.k + fractalK(type) - 1) / fractalK(type);
  const size_t m1 = (s.m + 15) / 16, n1 = (s.n + 15) / 16;
  const auto words = [&](size_t bytes, auto fn) {
    std::vector<uint32_t> v(bytes / 4);
    for (uint32_t &x : v) {
      x = fn();
    }
    return bytesOf(v);
  };
  const auto any = [&] { return static_cast<uint32_t>(random()); };
  const auto small = [&] { // accumulators near the dots in size
    return 0x3f000000u + (any() & 0x81ffffff);
  };
  TileCase t{std::move(what), type, s, mode, {}, {}, {}, {}};
  t.a = words(512 * m1 * k1, make);
  t.b = words(512 * n1 * k1, make);
  const bool integer = isInteger(type);
  t.bias = integer ? words(64 * n1, any) : words(64 * n1, small);
  t.c = integer ? words(1024 * m1 * n1, any) : words(1024 * m1 * n1, small);
  return t;
}

/// Two f16 or bf16 values of a normal distribution in a word.
inline uint32_t normalPair(oracle::Format f, std::mt19937 &random) {
  std::normal_distribution<float> normal;
  const auto one = [&] {
    const float x = normal(random);
    uint32_t bits;
    std::memcpy(&bits, &x, 4);
    return oracle::SoftFloat<>::convert(oracle::kF32, f, bits);
  };
  const uint32_t low = one();
  return low | one() << 16;
}

inline uint32_t normalWord(std::mt19937 &random) {
  std::normal_distribution<float> normal;
  const float x = normal(random);
  uint32_t bits;
  std::memcpy(&bits, &x, 4);
  return bits;
}

/// fp32: orders of addition, roundings of products, missing lanes.
inline std::vector<TileCase> f32Tiles() {
  std::vector<TileCase> tiles;
  const auto add = [&](std::string what, std::vector<uint32_t> a,
                       std::vector<uint32_t> b, CubeMode mode, uint32_t c) {
    std::vector<uint32_t> va(128), vb(128), vc(256);
    const auto k = static_cast<uint32_t>(a.size());
    a.resize(8, 0xffc00001); // NaN beyond k
    b.resize(8, 0x7f800000);
    std::copy(a.begin(), a.end(), va.begin());
    std::copy(b.begin(), b.end(), vb.begin());
    vc[0] = c;
    tiles.push_back({std::move(what),
                     CubeType::kF32,
                     {1, 1, k},
                     mode,
                     bytesOf(va),
                     bytesOf(vb),
                     bytesOf(std::vector<uint32_t>{c}),
                     bytesOf(vc)});
  };
  constexpr uint32_t kOne = 0x3f800000, kMinus = 0xbf800000, kTiny = 0x33000000,
                     kBig = 0x4b800000;
  add("order", {kBig, kMinus, kTiny, kOne}, {kOne, kOne, kOne, kOne},
      CubeMode::kZero, 0);
  add("order 2", {kTiny, kTiny, kBig, kBig | 0x80000000},
      {kOne, kOne, kOne, kOne}, CubeMode::kZero, 0);
  add("order 3", {kBig, kTiny, kBig | 0x80000000, kTiny},
      {kOne, kOne, kOne, kOne}, CubeMode::kZero, 0);
  add("products round", {0x3f800001, 0x3f800001, 0x3f800003, 0x3f800005},
      {0x3f800001, 0xbf800001, 0x3f800007, 0xbf800003}, CubeMode::kZero, 0);
  add("missing lanes are +0", {0x80000000, 0x80000000, 0x80000000},
      {kOne, kOne, kOne}, CubeMode::kAccumulate, 0x80000000);
  add("one lane, -0", {0x80000000}, {kOne}, CubeMode::kAccumulate, 0x80000000);
  add("C starts from +0", {0x80000000, 0x80000000, 0x80000000, 0x80000000},
      {kOne, kOne, kOne, kOne}, CubeMode::kZero, 0);
  add("bias first", {kBig, kOne, kTiny, kOne, kBig | 0x80000000},
      {kOne, kOne, kOne, kOne, kOne}, CubeMode::kBias, 0x3f000001);
  add("NaN", {0xff800001, kOne}, {kOne, kOne}, CubeMode::kZero, 0);
  add("infinity times zero", {0x7f800000, kOne}, {0, kOne}, CubeMode::kZero, 0);
  add("subnormal", {0x00000003, 0x00400001}, {kOne, 0x3f000000},
      CubeMode::kZero, 0);
  std::mt19937 random(11);
  for (CubeMode mode :
       {CubeMode::kZero, CubeMode::kAccumulate, CubeMode::kBias}) {
    tiles.push_back(randomTile("normal", CubeType::kF32, {5, 19, 37}, mode,
                               random, [&] { return normalWord(random); }));
  }
  return tiles;
}

inline std::vector<TileCase> i8Tiles() {
  std::vector<TileCase> tiles;
  std::mt19937 random(12);
  for (CubeType type :
       {CubeType::kI8, CubeType::kU8i8, CubeType::kI8u8, CubeType::kU8}) {
    for (CubeMode mode :
         {CubeMode::kZero, CubeMode::kAccumulate, CubeMode::kBias}) {
      tiles.push_back(
          randomTile("random bytes", type, {18, 5, 67}, mode, random,
                     [&] { return static_cast<uint32_t>(random()); }));
    }
    TileCase t = randomTile("extremes", type, {1, 2, 64}, CubeMode::kAccumulate,
                            random, [&] { return 0x80ff7f80u; });
    const uint32_t limits[] = {0x7fffffff, 0x80000000};
    std::memcpy(t.c.data(), limits, 8);
    tiles.push_back(t);
  }
  return tiles;
}

/// Everything above for one operand type.
inline std::vector<TileCase> cubeTiles(CubeType type) {
  if (type == CubeType::kF32) {
    return f32Tiles();
  }
  std::vector<TileCase> tiles;
  if (isInteger(type)) {
    for (TileCase &t : i8Tiles()) {
      if (t.type == type) {
        tiles.push_back(std::move(t));
      }
    }
    return tiles;
  }
  const oracle::Format f =
      type == CubeType::kF16 ? oracle::kF16 : oracle::kBf16;
  for (const Dot &d : halfDots(f)) {
    tiles.push_back(tileOf(type, d));
  }
  std::mt19937 random(13);
  for (CubeMode mode :
       {CubeMode::kZero, CubeMode::kAccumulate, CubeMode::kBias}) {
    tiles.push_back(randomTile("normal", type, {3, 2, 100}, mode, random,
                               [&] { return normalPair(f, random); }));
    tiles.push_back(
        randomTile("wide exponents", type, {3, 2, 100}, mode, random, [&] {
          return static_cast<uint32_t>(random()) & 0xbfffbfff;
        }));
  }
  return tiles;
}

inline constexpr CubeType kCubeTypes[] = {
    CubeType::kI8,  CubeType::kU8i8, CubeType::kI8u8, CubeType::kU8,
    CubeType::kF16, CubeType::kBf16, CubeType::kF32};

/// Bit patterns as an array of the type.
inline std::vector<std::byte> pack(ElementType t,
                                   const std::vector<uint32_t> &values) {
  std::vector<std::byte> out(values.size() * sizeOf(t));
  for (size_t i = 0; i < values.size(); ++i) {
    storeElement(t, out.data(), i, values[i]);
  }
  return out;
}

/// Values of a float type that sit on the edges of its rules.
inline std::vector<uint32_t> edgeFloats(oracle::Format f) {
  const uint32_t one = static_cast<uint32_t>(f.bias()) << f.mantissaBits;
  const uint32_t ulp = 1, exponent = 1u << f.mantissaBits;
  std::vector<uint32_t> v = {
      0,
      1,
      2,
      3,
      exponent - 1, // largest subnormal
      exponent,     // smallest normal
      exponent + 1,
      one - ulp,
      one,
      one + ulp,
      one + exponent / 2,            // 1.5
      one + exponent,                // 2
      one + exponent + exponent / 4, // 2.5
      one + exponent + exponent / 2, // 3
      one - exponent,                // 0.5
      one - exponent + 1,
      one + (f.mantissaBits + 1) * exponent, // ulp 1: integers around
      one + (f.mantissaBits + 1) * exponent + 1,
      one - f.mantissaBits * exponent, // an ulp of 1
      one - (f.mantissaBits + 1) * exponent,
      f.largest(),
      f.largest() - 1,
      f.largest() - exponent,
      f.infinity(),
      f.nan(),
      f.infinity() | 1, // signalling, with a payload
  };
  const size_t positive = v.size();
  for (size_t i = 0; i < positive; ++i) {
    v.push_back(v[i] | f.signBit());
  }
  return v;
}

inline std::vector<uint32_t> edgeIntegers(ElementType t) {
  std::vector<uint32_t> v = {0, 1, 2, 3, 5, 7, 100, 127, 128, 129, 255};
  const uint32_t mask = oracle::maskOf(t);
  for (uint32_t x : std::vector<uint32_t>(v)) {
    v.push_back(0u - x);
    v.push_back((mask >> 1) - x);
    v.push_back(mask - x);
  }
  v.push_back(0x01000001); // not exact in f32
  v.push_back(0x01000003);
  v.push_back(0x00008001); // a tie in bf16
  v.push_back(0x00808001); // a tie in bf16 only before a second rounding
  for (uint32_t &x : v) {
    x &= mask;
  }
  return v;
}

inline std::vector<uint32_t> edges(ElementType t) {
  return oracle::isFloat(t) ? edgeFloats(oracle::formatOf(t)) : edgeIntegers(t);
}

inline constexpr ElementType kElementTypes[] = {
    ElementType::I8,  ElementType::U8,  ElementType::I16,  ElementType::U16,
    ElementType::I32, ElementType::F16, ElementType::BF16, ElementType::F32};
inline constexpr ElementType kFloatTypes[] = {
    ElementType::F16, ElementType::BF16, ElementType::F32};

/// Triples whose exact a*b + c needs its one rounding, by type.
inline std::vector<std::array<uint32_t, 3>> maddTriples(ElementType t) {
  const oracle::Format f = oracle::formatOf(t);
  const uint32_t one = static_cast<uint32_t>(f.bias()) << f.mantissaBits;
  const uint32_t exponent = 1u << f.mantissaBits;
  std::vector<std::array<uint32_t, 3>> v;
  for (uint32_t i = 0; i < 64; ++i) {
    const uint32_t a = one + 1 + 5 * i % exponent;
    const uint32_t b = one + 3 + 7 * i % exponent;
    const uint32_t product = oracle::SoftFloat<>::multiply(f, a, b);
    v.push_back({a, b, product ^ f.signBit()}); // the rounding error itself
    v.push_back({a, b, product});
    v.push_back({a, b, i}); // below the half of a tie, and subnormal
    v.push_back({a, b, i | f.signBit()});
    // a tie of the product alone, moved by a tiny addend
    v.push_back({one + (1u << (f.mantissaBits / 2)),
                 one + (1u << ((f.mantissaBits + 1) / 2 - 1)),
                 i | (i % 2 != 0 ? f.signBit() : 0)});
  }
  return v;
}

/// Rows whose sum depends on the order of additions.
inline std::vector<std::vector<uint32_t>> sumRows(ElementType t) {
  std::vector<std::vector<uint32_t>> rows;
  std::mt19937 random(14);
  for (size_t n : {1, 2, 33, 63, 64, 65, 100, 127, 128, 200, 513, 1100}) {
    std::vector<uint32_t> row(n), large(n);
    for (size_t i = 0; i < n; ++i) {
      if (oracle::isFloat(t)) {
        row[i] = oracle::SoftFloat<>::convert(oracle::kF32, oracle::formatOf(t),
                                              normalWord(random));
      } else {
        row[i] = static_cast<uint32_t>(random());
      }
      large[i] = row[i];
    }
    if (oracle::isFloat(t)) { // one large term early and its opposite late
      const uint32_t big = oracle::SoftFloat<>::convert(
          oracle::kF32, oracle::formatOf(t), 0x46800000 /* 2^14 */);
      large[n / 3] = big;
      large[n - 1] = big | oracle::formatOf(t).signBit();
      rows.push_back(std::vector<uint32_t>(n, oracle::formatOf(t).signBit()));
    }
    rows.push_back(row);
    rows.push_back(large);
  }
  return rows;
}

/// FIX modes of interest.
inline std::vector<FixMode> fixModes() {
  std::vector<FixMode> modes;
  for (ElementType accumulator : {ElementType::I32, ElementType::F32}) {
    for (ElementType out : kElementTypes) {
      if (out == ElementType::I32) {
        continue;
      }
      for (Activation activation :
           {Activation::kNone, Activation::kRelu, Activation::kLeaky,
            Activation::kClip, Activation::kPrelu}) {
        for (uint32_t scale : {0u, 0x3f800000u, 0xbf400000u, 0x3dcccccdu,
                               0x3f7fdfffu, 0x7f800000u, 0x00000001u}) {
          FixMode mode{accumulator, out, activation, scale != 0, scale, 0};
          mode.parameter = activation == Activation::kClip    ? 0x40c00000
                           : activation >= Activation::kLeaky ? 0x3dcccccd
                                                              : 0;
          modes.push_back(mode);
          if (sizeOf(out) == 1) {
            mode.zeroPoint = out == ElementType::I8 ? -77 : 77;
            modes.push_back(mode);
          }
        }
      }
    }
  }
  modes.push_back({ElementType::I32, ElementType::I32});
  return modes;
}

/// Accumulators of interest: ties at every output precision and the edges.
inline std::vector<uint32_t> fixAccumulators(ElementType type) {
  if (type == ElementType::I32) {
    return edgeIntegers(ElementType::I32);
  }
  std::vector<uint32_t> v = edgeFloats(oracle::kF32);
  for (uint32_t x :
       {0x3f801000u, 0x3f803000u, 0x3f808000u, 0x3f818000u, 0x3f000000u,
        0x3fc00000u, 0x40200000u, 0x42fe8000u, 0x42ff0000u, 0x43480000u,
        0x437f8000u, 0x477fefffu, 0x477ff000u, 0x33000000u, 0x33000001u,
        0x387fe000u, 0x3fc01000u, 0x3fc00ff0u}) {
    v.push_back(x);
    v.push_back(x | 0x80000000);
  }
  return v;
}

} // namespace kiln::isa::directed
