// SPDX-License-Identifier: Apache-2.0
//
// Worst-case errors of the vector unit's functions in units of the last place
// against MPFR (64 bits: its own error is below 2^-39 ULP of f32): every
// argument of f16 and bf16; directed and random points of f32. The bounds are
// those of isa/spec, which the manual prints; an ULP is the distance of
// neighbours at the exact result, the subnormal unit below the normal range.
//
// MPFR takes 1 to 25 us a point. The points of f32 therefore pass a filter
// first, the C library's function in double: a result whose error is below the
// worst one so far by more than kFilterMargin cannot be the worst, and all
// others go to MPFR. The margin is some thousand times the library's error
// (2^-28 ULP of f32), and one point in 4096 goes to both, which must agree
// within a quarter of it: the filter may cost time, never a finding.
//
//   isa_functions_test                      10^6 random points of f32 each
//   isa_functions_test --points=100000000   the long set
//   isa_functions_test --points=all         every f32
#include "isa/gen/accuracy.h"
#include "isa/numerics/element_io.h"
#include "isa/numerics/vector_kernels.h"
#include "isa/numerics/vector_oracle.h"

#include <gtest/gtest.h>

#include <bit>
#include <charconv>
#include <cmath>
#include <cstring>
#include <mpfr.h>
#include <numeric>
#include <optional>
#include <random>

namespace kiln::isa {
namespace {

constexpr uint64_t kEveryPoint = uint64_t(1) << 32;
uint64_t numPoints = 1'000'000;

/// A 64-bit MPFR number.
class Exact {
public:
  Exact() { mpfr_init2(value_, 64); }
  ~Exact() { mpfr_clear(value_); }
  Exact(const Exact &) = delete;
  Exact &operator=(const Exact &) = delete;
  mpfr_t &operator*() { return value_; }

private:
  mpfr_t value_;
};

using MpfrFunction = int (*)(mpfr_t, const mpfr_t, mpfr_rnd_t);
using DoubleFunction = double (*)(double);

struct Function {
  Opcode op;
  UnaryOp unary;
  MpfrFunction exact;
  DoubleFunction close;
  // Bits of the positive f32 between which the function is interesting.
  uint32_t lo, hi;
};

int reciprocal(mpfr_t y, const mpfr_t x, mpfr_rnd_t mode) {
  return mpfr_ui_div(y, 1, x, mode);
}
int squareRoot(mpfr_t y, const mpfr_t x, mpfr_rnd_t mode) {
  return mpfr_sqrt(y, x, mode);
}
/// 1/sqrt of a negative zero is a negative infinity here.
int reciprocalRoot(mpfr_t y, const mpfr_t x, mpfr_rnd_t mode) {
  return mpfr_rec_sqrt(y, x, mode);
}

double closeReciprocal(double x) { return 1 / x; }
double closeReciprocalRoot(double x) { return 1 / std::sqrt(x); }

const Function kFunctions[] = {
    {Opcode::kVexp, UnaryOp::kExp, mpfr_exp, std::exp, 0x31800000, 0x43000000},
    {Opcode::kVrec, UnaryOp::kRec, reciprocal, closeReciprocal, 0x3f800000,
     0x40000000},
    {Opcode::kVsqrt, UnaryOp::kSqrt, squareRoot, std::sqrt, 0x3f800000,
     0x40800000},
    {Opcode::kVtanh, UnaryOp::kTanh, mpfr_tanh, std::tanh, 0x31800000,
     0x41800000},
    {Opcode::kVln, UnaryOp::kLn, mpfr_log, std::log, 0x3f000000, 0x40000000},
    {Opcode::kVrsqrt, UnaryOp::kRsqrt, reciprocalRoot, closeReciprocalRoot,
     0x3f800000, 0x40800000},
    {Opcode::kVerf, UnaryOp::kErf, mpfr_erf, std::erf, 0x39000000, 0x40900000},
    {Opcode::kVsin, UnaryOp::kSin, mpfr_sin, std::sin, 0x39000000, 0x4a000000},
    {Opcode::kVcos, UnaryOp::kCos, mpfr_cos, std::cos, 0x39000000, 0x4a000000},
};

float valueOf(oracle::Format f, uint32_t x) {
  const uint32_t bits = oracle::SoftFloat<>::convert(f, oracle::kF32, x);
  float v;
  std::memcpy(&v, &bits, 4);
  return v;
}

/// Error in ULP of one result; infinite when it is of the wrong kind.
double errorOf(const Function &fn, oracle::Format f, uint32_t x, uint32_t got) {
  static Exact argument, exact, difference;
  mpfr_set_flt(*argument, valueOf(f, x), MPFR_RNDN);
  fn.exact(*exact, *argument, MPFR_RNDN);
  if (mpfr_nan_p(*exact) || f.isNan(got)) {
    return mpfr_nan_p(*exact) && got == f.nan() ? 0 : INFINITY;
  }
  if (mpfr_inf_p(*exact)) {
    const bool negative =
        mpfr_sgn(*exact) < 0 || (fn.op == Opcode::kVrsqrt && f.isNegative(x));
    return got == (f.infinity() | (negative ? f.signBit() : 0)) ? 0 : INFINITY;
  }
  const int smallest = 1 - f.bias();
  const int exponent =
      mpfr_zero_p(*exact)
          ? smallest
          : std::max<int>(static_cast<int>(mpfr_get_exp(*exact)) - 1, smallest);
  const int unit = exponent - static_cast<int>(f.mantissaBits);
  if (f.isInf(got)) { // right from half an ulp beyond the largest on
    const double limit = valueOf(f, f.largest()) +
                         std::ldexp(0.5, f.bias() - int(f.mantissaBits));
    return std::fabs(mpfr_get_d(*exact, MPFR_RNDN)) >= limit ? 0 : INFINITY;
  }
  mpfr_set_flt(*difference, valueOf(f, got), MPFR_RNDN);
  mpfr_sub(*difference, *difference, *exact, MPFR_RNDN);
  return std::fabs(std::ldexp(mpfr_get_d(*difference, MPFR_RNDN), -unit));
}

constexpr double kFilterMargin = 0x1p-16; // ULP

/// About the error of an f32 result: off by less than a quarter of the margin,
/// or too large. Nothing where doubles do not decide.
std::optional<double> closeErrorOf(const Function &fn, uint32_t x,
                                   uint32_t got) {
  const uint32_t magnitude = x & 0x7fffffff;
  if (magnitude == 0 || magnitude >= 0x7f800000) {
    return std::nullopt;
  }
  const double exact = fn.close(std::bit_cast<float>(x));
  const double result = std::bit_cast<float>(got);
  if (std::isnan(exact) && got == oracle::kF32.nan()) {
    return 0;
  }
  if (std::isinf(result) && exact * result > 0 &&
      std::fabs(exact) > 0x1.1p128) {
    return 0;
  }
  if (!std::isfinite(exact) || !std::isfinite(result)) {
    return std::nullopt;
  }
  // The exponent of a number a little nearer to zero: at a power of two the
  // smaller unit counts. A result below every f32 has the subnormal unit.
  const double below = std::fabs(exact) * (1 - 0x1p-40);
  const int exponent =
      below < 0x1p-126
          ? -126
          : static_cast<int>(std::bit_cast<uint64_t>(below) >> 52) - 1023;
  const double perUnit =
      std::bit_cast<double>(static_cast<uint64_t>(1023 + 23 - exponent) << 52);
  return std::fabs(result - exact) * perUnit;
}

/// The worst error so far and its argument.
struct Worst {
  double error = 0;
  uint32_t at = 0;
};

/// Whether MPFR has to look at a result of f32.
bool couldBeWorst(const Function &fn, uint32_t x, uint32_t got,
                  const Worst &worst) {
  const std::optional<double> close = closeErrorOf(fn, x, got);
  if (!close) {
    return true;
  }
  if ((x * 0x9e3779b9u) >> 20 == 0) { // the filter's own test
    const double error = errorOf(fn, oracle::kF32, x, got);
    EXPECT_LE(error, *close + kFilterMargin / 4)
        << mnemonic(fn.op) << " of 0x" << std::hex << x;
  }
  return *close > worst.error - kFilterMargin;
}

/// Runs the kernel on a batch of arguments.
void measure(const Function &fn, ElementType type,
             const std::vector<uint32_t> &arguments, Worst &worst) {
  const oracle::Format f = oracle::formatOf(type);
  std::vector<std::byte> values(arguments.size() * sizeOf(type));
  for (size_t i = 0; i < arguments.size(); ++i) {
    storeElement(type, values.data(), i, arguments[i]);
  }
  numerics::unary(fn.unary, type, values.data(), values.data(),
                  arguments.size());
  for (size_t i = 0; i < arguments.size(); ++i) {
    const uint32_t got = loadElement(type, values.data(), i);
    if (f.isNan(arguments[i]) ||
        (type == ElementType::F32 &&
         !couldBeWorst(fn, arguments[i], got, worst))) {
      continue;
    }
    const double error = errorOf(fn, f, arguments[i], got);
    if (error > worst.error) {
      worst = {error, arguments[i]};
    }
  }
}

/// Every exponent with mantissas at the edges, the neighbours of table steps,
/// and of the multiples of pi/2 and ln(2)/64.
std::vector<uint32_t> directedPoints() {
  std::vector<uint32_t> v;
  const auto around = [&](uint32_t bits, uint32_t radius) {
    for (uint32_t d = 0; d <= radius; ++d) {
      for (uint32_t x : {bits + d, bits - d}) {
        v.push_back(x & 0x7fffffff);
        v.push_back(x | 0x80000000);
      }
    }
  };
  for (uint32_t field = 0; field < 255; ++field) {
    for (uint32_t mantissa = 0; mantissa < 0x800000; mantissa += 0x20000) {
      around(field << 23 | mantissa, 1);
    }
    around(field << 23 | 0x3504f3, 2); // sqrt(2)
  }
  const auto multiples = [&](double step, int count) {
    for (int k = 1; k <= count; ++k) {
      const auto x = static_cast<float>(k * step);
      uint32_t bits;
      std::memcpy(&bits, &x, 4);
      around(bits, 1);
    }
  };
  multiples(1.5707963267948966, 20000);
  multiples(0.69314718055994531 / 64, 9600);
  multiples(1.0 / 64, 1100);
  return v;
}

double boundOf(const Function &fn, ElementType type) {
  for (const Accuracy &a : kAccuracies) {
    if (a.op == fn.op) {
      return type == ElementType::F16    ? a.f16
             : type == ElementType::BF16 ? a.bf16
                                         : a.f32;
    }
  }
  return -1;
}

class FunctionsOf : public ::testing::TestWithParam<unsigned> {
protected:
  void expectWithin(ElementType type, const Worst &worst) {
    const Function &fn = kFunctions[GetParam()];
    std::printf("%-6s %-4s worst %.6f ULP at 0x%08x\n", mnemonic(fn.op).data(),
                name(type).data(), worst.error, worst.at);
    const double bound = boundOf(fn, type);
    EXPECT_LE(worst.error, bound) << std::hex << worst.at;
    // A bound nobody comes near says nothing.
    EXPECT_GE(worst.error, bound - 0.02);
  }
};

TEST_P(FunctionsOf, StaysWithinThePublishedUlpOnEveryShortArgument) {
  for (ElementType type : {ElementType::F16, ElementType::BF16}) {
    std::vector<uint32_t> all(65536);
    for (uint32_t x = 0; x < all.size(); ++x) {
      all[x] = x;
    }
    Worst worst;
    measure(kFunctions[GetParam()], type, all, worst);
    expectWithin(type, worst);
  }
}

constexpr uint64_t kBatch = 65536;

std::vector<uint32_t> randomPoints(const Function &fn,
                                   std::mt19937_64 &random) {
  std::vector<uint32_t> batch(kBatch);
  for (size_t i = 0; i < batch.size(); ++i) {
    const uint64_t bits = random();
    batch[i] = static_cast<uint32_t>(bits);
    if (i % 4 != 0) { // most points where the function does something
      const auto within = static_cast<uint32_t>((bits >> 1) % (fn.hi - fn.lo));
      batch[i] = (fn.lo + within) |
                 (fn.lo < 0x3f000000 ? static_cast<uint32_t>(bits) << 31 : 0);
    }
  }
  return batch;
}

TEST_P(FunctionsOf, StaysWithinThePublishedUlpOnPointsOfF32) {
  const Function &fn = kFunctions[GetParam()];
  Worst worst;
  measure(fn, ElementType::F32, directedPoints(), worst);
  std::mt19937_64 random(GetParam() + 1);
  for (uint64_t done = 0; done < numPoints; done += kBatch) {
    std::vector<uint32_t> batch;
    if (numPoints == kEveryPoint) {
      batch.resize(kBatch);
      std::iota(batch.begin(), batch.end(), static_cast<uint32_t>(done));
    } else {
      batch = randomPoints(fn, random);
    }
    measure(fn, ElementType::F32, batch, worst);
  }
  expectWithin(ElementType::F32, worst);
}

INSTANTIATE_TEST_SUITE_P(Every, FunctionsOf,
                         ::testing::Range(0u, unsigned(std::size(kFunctions))),
                         [](const auto &info) {
                           return std::string(
                               mnemonic(kFunctions[info.param].op));
                         });

TEST(Functions, EveryPublishedAccuracyIsMeasured) {
  EXPECT_EQ(std::size(kFunctions), std::size(kAccuracies));
}

TEST(Functions, TreatSpecialValuesAsIeeeFunctionsDo) {
  using V = oracle::VectorOracle<>;
  for (ElementType t :
       {ElementType::F16, ElementType::BF16, ElementType::F32}) {
    const oracle::Format f = oracle::formatOf(t);
    const uint32_t one = static_cast<uint32_t>(f.bias()) << f.mantissaBits;
    const uint32_t sign = f.signBit(), inf = f.infinity();
    for (const Function &fn : kFunctions) {
      EXPECT_EQ(f.nan(), V::unary(fn.unary, t, inf | 1 | sign));
    }
    EXPECT_EQ(inf | sign, V::unary(UnaryOp::kLn, t, 0));
    EXPECT_EQ(inf | sign, V::unary(UnaryOp::kLn, t, sign));
    EXPECT_EQ(0u, V::unary(UnaryOp::kLn, t, one));
    EXPECT_EQ(inf, V::unary(UnaryOp::kLn, t, inf));
    EXPECT_EQ(f.nan(), V::unary(UnaryOp::kLn, t, one | sign));
    EXPECT_EQ(f.nan(), V::unary(UnaryOp::kLn, t, inf | sign));
    EXPECT_EQ(inf, V::unary(UnaryOp::kRsqrt, t, 0));
    EXPECT_EQ(inf | sign, V::unary(UnaryOp::kRsqrt, t, sign));
    EXPECT_EQ(0u, V::unary(UnaryOp::kRsqrt, t, inf));
    EXPECT_EQ(f.nan(), V::unary(UnaryOp::kRsqrt, t, one | sign));
    EXPECT_EQ(one, V::unary(UnaryOp::kErf, t, inf));
    EXPECT_EQ(one | sign, V::unary(UnaryOp::kErf, t, inf | sign));
    EXPECT_EQ(sign, V::unary(UnaryOp::kErf, t, sign));
    EXPECT_EQ(sign, V::unary(UnaryOp::kSin, t, sign));
    EXPECT_EQ(0u, V::unary(UnaryOp::kSin, t, 0));
    EXPECT_EQ(one, V::unary(UnaryOp::kCos, t, sign));
    EXPECT_EQ(f.nan(), V::unary(UnaryOp::kSin, t, inf));
    EXPECT_EQ(f.nan(), V::unary(UnaryOp::kCos, t, inf | sign));
  }
}

void readPoints(int argc, char **argv) {
  constexpr std::string_view kFlag = "--points=";
  for (int i = 1; i < argc; ++i) {
    const std::string_view argument = argv[i];
    if (argument == "--points=all") {
      numPoints = kEveryPoint;
    } else if (argument.starts_with(kFlag)) {
      std::from_chars(argument.data() + kFlag.size(),
                      argument.data() + argument.size(), numPoints);
    }
  }
}

} // namespace
} // namespace kiln::isa

int main(int argc, char **argv) {
  ::testing::InitGoogleTest(&argc, argv);
  kiln::isa::readPoints(argc, argv);
  return RUN_ALL_TESTS();
}
