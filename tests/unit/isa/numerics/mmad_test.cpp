// SPDX-License-Identifier: Apache-2.0
//
// numerics::mmad gives the oracle's bits, on every instruction set this
// machine has, on directed and on random operands.
#include "directed.h"
#include "targets.h"

#include "isa/numerics/mmad.h"

#include <gtest/gtest.h>

namespace kiln::isa {
namespace {

using directed::TileCase;

void expectEqual(const TileCase &t) {
  std::vector<std::byte> expected = t.c, actual = t.c;
  oracle::CubeOracle<>::mmad(t.type, t.shape, t.mode, t.a.data(), t.b.data(),
                             t.bias.data(), expected.data());
  numerics::mmad(t.type, t.shape, t.mode, t.a.data(), t.b.data(), t.bias.data(),
                 actual.data());
  for (size_t i = 0; i < expected.size(); i += 4) {
    uint32_t want, got;
    std::memcpy(&want, expected.data() + i, 4);
    std::memcpy(&got, actual.data() + i, 4);
    ASSERT_EQ(want, got) << std::hex << want << " " << got << std::dec << ": "
                         << t.what << ", type " << static_cast<unsigned>(t.type)
                         << " m " << t.shape.m << " n " << t.shape.n << " k "
                         << t.shape.k << " byte " << i;
  }
}

class Mmad : public testing::OnEveryTarget {};

TEST_P(Mmad, KeepsToTheContractOnDirectedOperands) {
  for (CubeType type : directed::kCubeTypes) {
    for (const TileCase &t : directed::cubeTiles(type)) {
      expectEqual(t);
    }
  }
}

/// All directed dots against one another, so that blocks that pass the
/// exponent guard stand beside blocks that fail it.
TEST_P(Mmad, KeepsToTheContractOnTilesOfDirectedDots) {
  for (CubeType type : {CubeType::kF16, CubeType::kBf16}) {
    const auto dots = directed::halfDots(
        type == CubeType::kF16 ? oracle::kF16 : oracle::kBf16);
    const auto count = static_cast<uint32_t>(dots.size());
    for (uint32_t first = 0; first + 40 <= count; first += 40) {
      std::vector<uint16_t> a(256 * 3), b(256 * 3);
      for (uint32_t i = 0; i < 40; ++i) {
        const directed::Dot &d = dots[first + i];
        std::copy(d.a.begin(), d.a.end(), a.begin() + 16 * i);
        std::copy(d.b.begin(), d.b.end(), b.begin() + 16 * i);
      }
      expectEqual({"directed dots crossed",
                   type,
                   {40, 40, 16},
                   CubeMode::kZero,
                   directed::bytesOf(a),
                   directed::bytesOf(b),
                   {},
                   std::vector<std::byte>(1024 * 9)});
    }
  }
}

TEST_P(Mmad, EqualsTheOracleOnRandomTiles) {
  std::mt19937 random(21);
  const auto upTo = [&](uint32_t n) {
    return 1 + static_cast<uint32_t>(random() % n);
  };
  for (unsigned round = 0; round < 40; ++round) {
    for (CubeType type : directed::kCubeTypes) {
      const CubeExtents s{upTo(37), upTo(40), upTo(100)};
      const auto mode = static_cast<CubeMode>(random() % 3);
      const oracle::Format f =
          type == CubeType::kF16 ? oracle::kF16 : oracle::kBf16;
      const bool bits = round % 2 == 0 || isInteger(type);
      expectEqual(directed::randomTile(
          bits ? "random bits" : "normal", type, s, mode, random, [&] {
            return bits                     ? static_cast<uint32_t>(random())
                   : type == CubeType::kF32 ? directed::normalWord(random)
                                            : directed::normalPair(f, random);
          }));
    }
  }
}

/// Infinities among ordinary numbers take the fast path.
TEST_P(Mmad, PropagatesInfinitiesAndNanInGuardedBlocks) {
  std::mt19937 random(22);
  for (CubeType type : {CubeType::kF16, CubeType::kBf16}) {
    const oracle::Format f =
        type == CubeType::kF16 ? oracle::kF16 : oracle::kBf16;
    TileCase t = directed::randomTile(
        "normal with infinities", type, {24, 24, 48}, CubeMode::kBias, random,
        [&] { return directed::normalPair(f, random); });
    for (unsigned i = 0; i < 24; ++i) {
      const uint32_t special[] = {f.infinity(), f.infinity() | f.signBit(), 0,
                                  f.nan() | 3};
      const auto x = static_cast<uint16_t>(special[i % 4]);
      std::memcpy(t.a.data() + 2 * (random() % (t.a.size() / 2)), &x, 2);
      std::memcpy(t.b.data() + 2 * (random() % (t.b.size() / 2)), &x, 2);
    }
    expectEqual(t);
  }
}

/// The guard itself: a spread of 24 is exact, one of 25 truncates. A pair that
/// cancels sets E; only the residue at the end of the spread is left.
TEST_P(Mmad, SwitchesPathsExactlyAtTheGuard) {
  for (unsigned spread = 20; spread <= 28; ++spread) {
    std::vector<uint16_t> a(256), b(256);
    const auto half = [](unsigned e, unsigned m, bool negative = false) {
      return directed::half(oracle::kF16, e, m, negative);
    };
    for (unsigned i = 0; i < 16; ++i) {
      a[16 * i] = half(29, 1024);
      a[16 * i + 1] = half(29, 1024, true);
      a[16 * i + 2] = half(29 - spread / 2, 1025 + 2 * i, i % 2 != 0);
      b[16 * i] = b[16 * i + 1] = half(16, 1024);
      b[16 * i + 2] = half(16 - (spread - spread / 2), 1027 + 4 * i);
    }
    expectEqual({"guard",
                 CubeType::kF16,
                 {16, 16, 16},
                 CubeMode::kZero,
                 directed::bytesOf(a),
                 directed::bytesOf(b),
                 {},
                 std::vector<std::byte>(1024)});
  }
}

/// Every exponent but no infinity or NaN, signs, zeros and subnormals, edges
/// of the tile: the path that truncates by addition.
TEST_P(Mmad, EqualsTheOracleOnWideFiniteTiles) {
  std::mt19937 random(23);
  for (unsigned round = 0; round < 24; ++round) {
    for (CubeType type : {CubeType::kF16, CubeType::kBf16}) {
      const oracle::Format f =
          type == CubeType::kF16 ? oracle::kF16 : oracle::kBf16;
      const auto finite = [&] {
        const auto x = static_cast<uint32_t>(random() & 0xffff);
        return f.isNan(x) || f.isInf(x) ? x & ~f.infinity()
               : random() % 8 == 0      ? x & f.signBit()
                                        : x;
      };
      const CubeExtents s{1 + static_cast<uint32_t>(random() % 24),
                          1 + static_cast<uint32_t>(random() % 40),
                          1 + static_cast<uint32_t>(random() % 80)};
      expectEqual(directed::randomTile(
          "wide", type, s, static_cast<CubeMode>(round % 3), random,
          [&] { return finite() | finite() << 16; }));
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Targets, Mmad, testing::allTargets(),
                         testing::targetName);

} // namespace
} // namespace kiln::isa
