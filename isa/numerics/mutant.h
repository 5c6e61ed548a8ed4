// SPDX-License-Identifier: Apache-2.0
//
// Mutants: named wrong versions of single rules of the arithmetic contract.
// The oracle takes one as a template parameter; kNone is the contract. They
// exist to prove that the directed tests can tell each rule from its nearest
// wrong neighbour (random operands cannot: mutants of the alignment rule
// survive millions of random dots). Nothing outside tests names another one.
#pragma once

#include <cstdint>
#include <string_view>

namespace kiln::isa::oracle {

// X(enumerator, what the mutant does)
#define KILN_NUMERICS_MUTANTS(X)                                               \
  X(kNone, "the contract")                                                     \
  X(kAlignShift23, "products keep 23 guard bits instead of 24")                \
  X(kAlignShift25, "products keep 25 guard bits instead of 24")                \
  X(kAlignFloor, "aligned products are floored instead of truncated")          \
  X(kAlignRound, "aligned products are rounded instead of truncated")          \
  X(kMaxRenormalised, "E takes the carry of the largest product into account") \
  X(kMaxSubnormalNormalised, "E normalises subnormal operands")                \
  X(kMaxCountsZeros, "E also counts lanes whose product is zero")              \
  X(kMaxCountsTail, "E also counts lanes at or beyond K")                      \
  X(kTailNotMasked, "lanes at or beyond K are added")                          \
  X(kTailNanNotMasked, "a NaN at or beyond K makes the dot NaN")               \
  X(kZeroDotNegative, "a zero sum is -0")                                      \
  X(kDotTruncated, "the dot is truncated to f32")                              \
  X(kDotTiesAway, "the dot rounds ties away from zero")                        \
  X(kDotNotRounded, "C joins the exact sum before its only rounding")          \
  X(kNanNotCanonical, "a NaN result keeps the operand's bits")                 \
  X(kInfTimesZero, "inf * 0 counts as 0")                                      \
  X(kInfMinusInf, "+inf with -inf gives the first infinity")                   \
  X(kFlushInput, "subnormal operands read as zero")                            \
  X(kFlushOutput, "subnormal results become zero")                             \
  X(kDescendingK, "k steps run from the last to the first")                    \
  X(kBiasLast, "the bias is added after the products")                         \
  X(kStartNegativeZero, "C starts from -0")                                    \
  X(kF32Fused, "f32 products are not rounded before the additions")            \
  X(kF32Sequential, "f32 products add as ((p0+p1)+p2)+p3")                     \
  X(kF32Interleaved, "f32 products add as (p0+p2)+(p1+p3)")                    \
  X(kF32TailNegativeZero, "missing lanes of an f32 dot are -0")                \
  X(kI8Saturates, "the i32 accumulator saturates")                             \
  X(kI8SignOfA, "A of an 8-bit dot is read with the other signedness")         \
  X(kI8SignOfB, "B of an 8-bit dot is read with the other signedness")         \
  X(kFixScaleFused, "FIX does not round between scale and cast")               \
  X(kFixAccExact, "FIX scales an i32 accumulator before rounding it to f32")   \
  X(kFixReluFirst, "FIX activates before it scales")                           \
  X(kFixTruncates, "FIX truncates to integers")                                \
  X(kFixZeroPointFirst, "FIX saturates before it adds the zero point")         \
  X(kFixWraps, "FIX wraps at the ends of an integer type")                     \
  X(kReluKeepsNegativeZero, "relu(-0) is -0")                                  \
  X(kReluDropsNan, "relu(NaN) is 0")                                           \
  X(kMaxDropsNan, "max and min ignore a NaN")                                  \
  X(kMaxZerosEqual, "max and min take the first of two zeros")                 \
  X(kMaddTwoRoundings, "madd rounds the product")                              \
  X(kBf16TwoRoundings, "a bf16 operation rounds to f32 first")                 \
  X(kIntegersSaturate, "integer add, sub and mul saturate")                    \
  X(kSumSequential, "a row sum is one ascending chain")                        \
  X(kSumAdjacentPairs, "the 64 lanes of a row sum add as neighbours")          \
  X(kSum32Lanes, "a row sum has 32 lanes")                                     \
  X(kSumDescending, "sums run from the last element to the first")             \
  X(kSumRoundsEachStep, "f16 sums round to f16 at every step")                 \
  X(kCastTiesAway, "casts to nearest even round ties away")                    \
  X(kCastModesSwapped, "round down and round up are exchanged")                \
  X(kCastTruncates, "every rounding mode truncates")                           \
  X(kCastWraps, "narrowing casts to integers wrap")                            \
  X(kCastNanSaturates, "NaN casts to the largest integer")                     \
  X(kOverflowSaturates, "float overflow gives the largest finite value")       \
  X(kExpDifferenceInType, "expd rounds src0 - src1 to the source type")        \
  X(kExpTwoRoundings, "exp rounds to f32 before its destination type")         \
  X(kShiftCountWraps, "shift counts are taken modulo the width")               \
  X(kShrFillsZeros, "a right shift of a signed type fills with zeros")         \
  X(kShrUnsignedFillsSign, "the unsigned right shift fills with the sign")     \
  X(kLogicCanonicalNan, "and, or, xor make a NaN canonical")                   \
  X(kSumSaturates, "sums of 8 and 16-bit integers saturate")                   \
  X(kArgLast, "of equal extremes the last one counts")                         \
  X(kArgZerosEqual, "arg reductions take -0 and +0 for equal")                 \
  X(kArgSkipsNan, "arg reductions pass over NaN")                              \
  X(kCompareNanOrdered, "a comparison with NaN holds, ne does not")            \
  X(kCompareZerosDiffer, "comparisons order -0 before +0")                     \
  X(kCompareUnsigned, "signed integers compare as unsigned")                   \
  X(kCompareLeIsLt, "le is lt")                                                \
  X(kFunctionTwoRoundings, "functions round to f32 before their type")         \
  X(kLnOfMagnitude, "ln of a negative number is that of its magnitude")        \
  X(kSinReducedCoarsely, "sin loses low bits of large arguments")              \
  X(kSortNanLast, "a sorted list ends with NaN")                               \
  X(kSortZerosEqual, "-0 and +0 sort as equals")                               \
  X(kSortUnstable, "equal keys are sorted in reverse")                         \
  X(kLeakyScalesPositive, "leaky relu scales the values above 0")              \
  X(kClipKeepsNegative, "clip has no lower bound")                             \
  X(kSequenceTwoRoundings, "a sequence rounds e * step before the addition")

enum class Mutant : uint8_t {
#define KILN_MUTANT(name, text) name,
  KILN_NUMERICS_MUTANTS(KILN_MUTANT)
#undef KILN_MUTANT
      kCount
};

constexpr std::string_view kMutantTexts[] = {
#define KILN_MUTANT(name, text) #name ": " text,
    KILN_NUMERICS_MUTANTS(KILN_MUTANT)
#undef KILN_MUTANT
};
/// "kAlignShift23: products keep 23 guard bits instead of 24"
constexpr std::string_view text(Mutant m) {
  return kMutantTexts[static_cast<unsigned>(m)];
}

} // namespace kiln::isa::oracle
