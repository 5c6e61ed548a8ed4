// SPDX-License-Identifier: Apache-2.0
//
// Every named mutant of the arithmetic contract is told from the contract by
// the directed operands. A mutant that survives means that a rule is untested.
#include "directed.h"

#include <gtest/gtest.h>

#include <set>

namespace kiln::isa::oracle {
namespace {

using Results = std::vector<uint32_t>;

template <Mutant M> Results cubeResults() {
  static const std::vector<directed::TileCase> cases = [] {
    std::vector<directed::TileCase> all;
    for (CubeType type : directed::kCubeTypes) {
      for (directed::TileCase &t : directed::cubeTiles(type)) {
        all.push_back(std::move(t));
      }
    }
    return all;
  }();
  Results out;
  for (const directed::TileCase &t : cases) {
    std::vector<std::byte> c = t.c;
    CubeOracle<M>::mmad(t.type, t.shape, t.mode, t.a.data(), t.b.data(),
                        t.bias.data(), c.data());
    const size_t words = out.size();
    out.resize(words + c.size() / 4);
    std::memcpy(out.data() + words, c.data(), c.size());
  }
  return out;
}

template <Mutant M> Results fixResults() {
  Results out;
  for (const FixMode &mode : directed::fixModes()) {
    for (uint32_t x : directed::fixAccumulators(mode.accumulator)) {
      out.push_back(VectorOracle<M>::fix(mode, x));
    }
  }
  return out;
}

template <Mutant M> Results vectorResults() {
  using V = VectorOracle<M>;
  Results out;
  for (ElementType t : directed::kElementTypes) {
    const std::vector<uint32_t> values = directed::edges(t);
    for (BinaryOp op : {BinaryOp::kAdd, BinaryOp::kSub, BinaryOp::kMul,
                        BinaryOp::kMax, BinaryOp::kMin}) {
      for (uint32_t a : values) {
        for (uint32_t b : values) {
          out.push_back(V::binary(op, t, a, b));
        }
      }
    }
  }
  for (ElementType t : directed::kFloatTypes) {
    for (const auto &[a, b, c] : directed::maddTriples(t)) {
      out.push_back(V::multiplyAdd(t, a, b, c));
    }
  }
  for (ElementType t : directed::kElementTypes) {
    for (const std::vector<uint32_t> &row : directed::sumRows(t)) {
      out.push_back(V::rowSum(t, row));
      out.push_back(V::columnSum(t, row));
    }
  }
  return out;
}

/// Logic, shifts, comparisons and arg reductions.
template <Mutant M> Results logicResults() {
  using V = VectorOracle<M>;
  Results out;
  for (ElementType t : directed::kElementTypes) {
    const std::vector<uint32_t> values = directed::edges(t);
    for (uint32_t a : values) {
      for (uint32_t b : values) {
        for (unsigned op = 0; op < 6; ++op) {
          out.push_back(V::compare(static_cast<CompareOp>(op), t, a, b));
        }
        for (BinaryOp op : {BinaryOp::kAnd, BinaryOp::kOr, BinaryOp::kXor}) {
          out.push_back(V::binary(op, t, a, b));
        }
        for (BinaryOp op :
             {BinaryOp::kShl, BinaryOp::kShr, BinaryOp::kShrUnsigned}) {
          out.push_back(isFloat(t) ? 0 : V::binary(op, t, a, b));
        }
        for (BinaryOp op : {BinaryOp::kMax, BinaryOp::kMin}) {
          const uint32_t row[] = {a, b, a};
          out.push_back(static_cast<uint32_t>(V::argExtreme(op, t, row)));
        }
      }
    }
  }
  return out;
}

template <Mutant M> Results castResults() {
  Results out;
  for (ElementType from : directed::kElementTypes) {
    for (ElementType to : directed::kElementTypes) {
      for (unsigned mode = 0; mode < 7; ++mode) {
        std::vector<uint32_t> values = directed::edges(from);
        if (from == ElementType::F32) {
          values = directed::fixAccumulators(from);
        }
        for (uint32_t x : values) {
          out.push_back(VectorOracle<M>::cast(
              from, to, static_cast<RoundingMode>(mode), x));
        }
      }
    }
  }
  return out;
}

template <Mutant M> Results expResults() {
  using V = VectorOracle<M>;
  Results out;
  for (uint32_t x = 0; x < 65536; x += 3) {
    out.push_back(V::expDifference(ElementType::F16, ElementType::F16, x,
                                   x * 7 % 0x4000));
    out.push_back(V::expDifference(ElementType::F32, ElementType::F16,
                                   0x3f800000 + x * 64, 0x3f800000 + x * 37));
  }
  return out;
}

/// Sorted lists with equal keys, sequences whose product rounds.
template <Mutant M> Results orderResults() {
  using V = VectorOracle<M>;
  Results out;
  for (ElementType t : directed::kElementTypes) {
    std::vector<uint32_t> keys = directed::edges(t);
    keys.insert(keys.end(), keys.begin(), keys.end());
    for (size_t position : V::sorted(t, keys)) {
      out.push_back(static_cast<uint32_t>(position));
    }
    for (uint32_t e : {0u, 1u, 3u, 2049u, 4097u, 65535u}) {
      for (uint32_t step : directed::edges(t)) {
        out.push_back(V::sequence(t, keys[12], step, e));
      }
    }
  }
  return out;
}

/// Arguments where functions have something to decide.
template <Mutant M> Results functionResults() {
  using V = VectorOracle<M>;
  Results out;
  for (UnaryOp op : {UnaryOp::kTanh, UnaryOp::kLn, UnaryOp::kRsqrt,
                     UnaryOp::kErf, UnaryOp::kSin, UnaryOp::kCos}) {
    for (uint32_t x = 0; x < 65536; ++x) {
      out.push_back(V::unary(op, ElementType::F16, x));
      if (x % 7 != 0) {
        continue;
      }
      out.push_back(
          V::unary(op, ElementType::F32, x << 16 | (x * 31 & 0xffff)));
    }
  }
  return out;
}

/// The number of results a mutant changes.
template <Mutant M, template <Mutant> typename Suite> size_t differences() {
  static const Results truth = Suite<Mutant::kNone>::run();
  const Results mutated = Suite<M>::run();
  EXPECT_EQ(truth.size(), mutated.size());
  size_t changed = 0;
  for (size_t i = 0; i < truth.size(); ++i) {
    changed += truth[i] != mutated[i] ? 1 : 0;
  }
  return changed;
}

#define KILN_SUITE(Name, function)                                             \
  template <Mutant M> struct Name {                                            \
    static Results run() { return function<M>(); }                             \
  }
KILN_SUITE(Cube, cubeResults);
KILN_SUITE(Fix, fixResults);
KILN_SUITE(Vector, vectorResults);
KILN_SUITE(Logic, logicResults);
KILN_SUITE(Cast, castResults);
KILN_SUITE(Exp, expResults);
KILN_SUITE(Functions, functionResults);
KILN_SUITE(Order, orderResults);
#undef KILN_SUITE

template <template <Mutant> typename Suite, Mutant... kMutants>
void expectKilled(std::set<Mutant> &killed) {
  const auto check = [&](Mutant m, size_t changed) {
    EXPECT_GT(changed, 0u) << "survives: " << text(m);
    killed.insert(m);
    ::testing::Test::RecordProperty(
        std::string(text(m).substr(0, text(m).find(':'))),
        std::to_string(changed));
  };
  (check(kMutants, differences<kMutants, Suite>()), ...);
}

TEST(Mutants, EveryOneIsKilledByDirectedOperands) {
  using enum Mutant;
  std::set<Mutant> killed;
  expectKilled<Cube, kAlignShift23, kAlignShift25, kAlignFloor, kAlignRound,
               kMaxRenormalised, kMaxSubnormalNormalised, kMaxCountsZeros,
               kMaxCountsTail, kTailNotMasked, kTailNanNotMasked,
               kZeroDotNegative, kDotTruncated, kDotTiesAway, kDotNotRounded,
               kNanNotCanonical, kInfTimesZero, kInfMinusInf, kFlushInput,
               kFlushOutput, kDescendingK, kBiasLast, kStartNegativeZero,
               kF32Fused, kF32Sequential, kF32Interleaved, kF32TailNegativeZero,
               kI8Saturates, kI8SignOfA, kI8SignOfB>(killed);
  expectKilled<Fix, kFixScaleFused, kFixAccExact, kFixReluFirst, kFixTruncates,
               kFixZeroPointFirst, kFixWraps, kReluKeepsNegativeZero,
               kReluDropsNan, kNanNotCanonical, kLeakyScalesPositive,
               kClipKeepsNegative>(killed);
  expectKilled<Vector, kMaxDropsNan, kMaxZerosEqual, kMaddTwoRoundings,
               kBf16TwoRoundings, kIntegersSaturate, kSumSequential,
               kSumAdjacentPairs, kSum32Lanes, kSumDescending,
               kSumRoundsEachStep, kNanNotCanonical, kFlushInput, kFlushOutput,
               kOverflowSaturates, kSumSaturates>(killed);
  expectKilled<Logic, kShiftCountWraps, kShrFillsZeros, kShrUnsignedFillsSign,
               kLogicCanonicalNan, kArgLast, kArgZerosEqual, kArgSkipsNan,
               kCompareNanOrdered, kCompareZerosDiffer, kCompareUnsigned,
               kCompareLeIsLt>(killed);
  expectKilled<Cast, kCastTiesAway, kCastModesSwapped, kCastTruncates,
               kCastWraps, kCastNanSaturates, kOverflowSaturates, kFlushOutput>(
      killed);
  expectKilled<Exp, kExpDifferenceInType, kExpTwoRoundings>(killed);
  expectKilled<Functions, kFunctionTwoRoundings, kLnOfMagnitude,
               kSinReducedCoarsely>(killed);
  expectKilled<Order, kSortNanLast, kSortZerosEqual, kSortUnstable,
               kSequenceTwoRoundings>(killed);
  for (unsigned m = 1; m < static_cast<unsigned>(kCount); ++m) {
    EXPECT_TRUE(killed.contains(static_cast<Mutant>(m)))
        << "no suite lists " << text(static_cast<Mutant>(m));
  }
}

} // namespace
} // namespace kiln::isa::oracle
