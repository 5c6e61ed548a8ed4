// SPDX-License-Identifier: Apache-2.0
//
// Worst-case errors of exp, tanh, 1/x and sqrt in units of the last place,
// against long double arithmetic of the C library (64-bit mantissa: its own
// error is below 2^-39 ULP of f32): every argument of f16 and bf16, directed
// and dense points of f32. The bounds below are the published ones; an ULP is
// the distance of neighbours at the exact result, the subnormal unit below the
// normal range.
#include "isa/numerics/vector_oracle.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <functional>
#include <random>

namespace kiln::isa::oracle {
namespace {

using V = VectorOracle<>;

long double valueOf(Format f, uint32_t x) {
  const uint32_t bits = SoftFloat<>::convert(f, kF32, x);
  float v;
  std::memcpy(&v, &bits, 4);
  return v;
}

struct Function {
  const char *name;
  UnaryOp op;
  std::function<long double(long double)> exact;
};

const Function kFunctions[] = {
    {"exp", UnaryOp::kExp, [](long double x) { return std::exp(x); }},
    {"tanh", UnaryOp::kTanh, [](long double x) { return std::tanh(x); }},
    {"rec", UnaryOp::kRec, [](long double x) { return 1 / x; }},
    {"sqrt", UnaryOp::kSqrt, [](long double x) { return std::sqrt(x); }},
};

/// Error in ULP of the result of one argument, or 0 where both overflow or
/// there is nothing to measure.
double errorOf(const Function &fn, ElementType type, uint32_t x) {
  const Format f = formatOf(type);
  if (f.isNan(x) || f.isInf(x) || (f.isZero(x) && fn.op == UnaryOp::kRec)) {
    return 0;
  }
  const long double exact = fn.exact(valueOf(f, x));
  if (std::isnan(exact)) {
    return 0;
  }
  const uint32_t got = V::unary(fn.op, type, x);
  const int smallest = 1 - f.bias();
  const int exponent =
      exact == 0 ? smallest : std::max(std::ilogb(exact), smallest);
  const long double unit =
      std::ldexp(1.0L, exponent - static_cast<int>(f.mantissaBits));
  if (f.isInf(got)) { // right from half an ulp beyond the largest on
    const long double limit = valueOf(f, f.largest()) + unit / 2;
    return std::fabs(exact) >= limit * (1 - 0x1p-30L) ? 0 : INFINITY;
  }
  return static_cast<double>(std::fabs(valueOf(f, got) - exact) / unit);
}

struct Bound {
  ElementType type;
  double exp, tanh, rec, sqrt;
};
// Half an ULP is correct rounding.
constexpr Bound kBounds[] = {
    {ElementType::F16, 0.5001, 0.5001, 0.5, 0.5},
    {ElementType::BF16, 0.5001, 0.5001, 0.5, 0.5},
    {ElementType::F32, 0.51, 0.53, 0.5, 0.5},
};

double boundOf(const Bound &b, UnaryOp op) {
  return op == UnaryOp::kExp    ? b.exp
         : op == UnaryOp::kTanh ? b.tanh
         : op == UnaryOp::kRec  ? b.rec
                                : b.sqrt;
}

std::vector<uint32_t> argumentsOf(ElementType type) {
  std::vector<uint32_t> v;
  if (type != ElementType::F32) {
    for (uint32_t x = 0; x < 65536; ++x) {
      v.push_back(x);
    }
    return v;
  }
  std::mt19937 random(41);
  for (unsigned i = 0; i < 200000; ++i) {
    v.push_back(static_cast<uint32_t>(random()));
    // 2^-28 to 2^7, where the functions do something
    v.push_back((static_cast<uint32_t>(random()) & 0x80000000) |
                (0x31800000 + static_cast<uint32_t>(random()) % 0x11800000));
  }
  // Table steps and ends of ranges, and their neighbours.
  for (int j = -150 * 64; j <= 130 * 64; j += 7) {
    const auto x = static_cast<float>(j / 64.0L * 0.693147180559945309417L);
    uint32_t bits;
    std::memcpy(&bits, &x, 4);
    for (uint32_t d : {0u, 1u, 2u}) {
      v.push_back(bits + d);
      v.push_back(bits - d);
    }
  }
  for (uint32_t edge : {0x3e800000u, 0x41800000u, 0x42b17218u, 0x42aeac50u,
                        0x42cff1b5u, 0x31800000u}) {
    for (uint32_t d = 0; d < 2000; ++d) {
      for (uint32_t x : {edge + d, edge - d}) {
        v.push_back(x);
        v.push_back(x | 0x80000000);
      }
    }
  }
  return v;
}

TEST(Elementary, StaysWithinThePublishedUlp) {
  for (const Bound &bound : kBounds) {
    const std::vector<uint32_t> arguments = argumentsOf(bound.type);
    for (const Function &fn : kFunctions) {
      double worst = 0;
      uint32_t at = 0;
      for (uint32_t x : arguments) {
        const double error = errorOf(fn, bound.type, x);
        if (error > worst) {
          worst = error;
          at = x;
        }
      }
      EXPECT_LE(worst, boundOf(bound, fn.op))
          << fn.name << " " << name(bound.type) << " at " << std::hex << at;
      std::printf("%-5s %-5s worst %.6f ULP at 0x%08x\n", fn.name,
                  name(bound.type).data(), worst, at);
    }
  }
}

TEST(Elementary, TreatsSpecialValuesAsIeeeFunctionsDo) {
  for (ElementType t :
       {ElementType::F16, ElementType::BF16, ElementType::F32}) {
    const Format f = formatOf(t);
    const uint32_t one = static_cast<uint32_t>(f.bias()) << f.mantissaBits;
    const uint32_t sign = f.signBit(), inf = f.infinity();
    const uint32_t payload = f.infinity() | 1 | sign;
    for (UnaryOp op :
         {UnaryOp::kExp, UnaryOp::kRec, UnaryOp::kSqrt, UnaryOp::kTanh}) {
      EXPECT_EQ(f.nan(), V::unary(op, t, payload));
    }
    EXPECT_EQ(one, V::unary(UnaryOp::kExp, t, 0));
    EXPECT_EQ(one, V::unary(UnaryOp::kExp, t, sign));
    EXPECT_EQ(inf, V::unary(UnaryOp::kExp, t, inf));
    EXPECT_EQ(0u, V::unary(UnaryOp::kExp, t, inf | sign));
    EXPECT_EQ(one, V::unary(UnaryOp::kTanh, t, inf));
    EXPECT_EQ(one | sign, V::unary(UnaryOp::kTanh, t, inf | sign));
    EXPECT_EQ(sign, V::unary(UnaryOp::kTanh, t, sign));
    EXPECT_EQ(1u, V::unary(UnaryOp::kTanh, t, 1));
    EXPECT_EQ(inf | sign, V::unary(UnaryOp::kRec, t, sign));
    EXPECT_EQ(sign, V::unary(UnaryOp::kRec, t, inf | sign));
    EXPECT_EQ(sign, V::unary(UnaryOp::kSqrt, t, sign));
    EXPECT_EQ(f.nan(), V::unary(UnaryOp::kSqrt, t, one | sign));
    EXPECT_EQ(inf, V::unary(UnaryOp::kSqrt, t, inf));
  }
}

} // namespace
} // namespace kiln::isa::oracle
