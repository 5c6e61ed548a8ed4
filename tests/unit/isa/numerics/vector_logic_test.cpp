// SPDX-License-Identifier: Apache-2.0
//
// Logic, shifts, comparisons and selects: the oracle says what the manual
// says, on values worked out by hand, and the kernels give the oracle's bits
// on every instruction set this machine has.
#include "directed.h"
#include "targets.h"

#include "isa/numerics/element_io.h"
#include "isa/numerics/vector_kernels.h"
#include "isa/numerics/vector_logic.h"

#include <gtest/gtest.h>

namespace kiln::isa {
namespace {

using directed::pack;
using Oracle = oracle::VectorOracle<>;
using Values = std::vector<uint32_t>;

constexpr BinaryOp kBitOps[] = {BinaryOp::kAnd, BinaryOp::kOr,
                                BinaryOp::kXor, BinaryOp::kShl,
                                BinaryOp::kShr, BinaryOp::kShrUnsigned};
constexpr CompareOp kCompareOps[] = {CompareOp::kEq, CompareOp::kNe,
                                     CompareOp::kLt, CompareOp::kLe,
                                     CompareOp::kGt, CompareOp::kGe};

/// Edges against edges, and as shift counts everything near the widths.
std::pair<Values, Values> pairs(ElementType t) {
  Values a, b, second = directed::edges(t);
  for (uint32_t x : {0, 1, 7, 8, 9, 15, 16, 17, 31, 32, 33, 127}) {
    second.push_back(x);
  }
  for (uint32_t x : directed::edges(t)) {
    for (uint32_t y : second) {
      a.push_back(x & oracle::maskOf(t));
      b.push_back(y & oracle::maskOf(t));
    }
  }
  std::mt19937 random(7);
  for (unsigned i = 0; i < 5003; ++i) {
    a.push_back(static_cast<uint32_t>(random()) & oracle::maskOf(t));
    b.push_back(i % 3 == 0
                    ? a.back()
                    : static_cast<uint32_t>(random()) & oracle::maskOf(t));
  }
  return {a, b};
}

TEST(VectorLogic, IsWhatTheManualSays) {
  using enum ElementType;
  const auto op = Oracle::binary;
  EXPECT_EQ(0x08u, op(BinaryOp::kAnd, I8, 0x0c, 0xf8));
  EXPECT_EQ(0xfcu, op(BinaryOp::kOr, U8, 0x0c, 0xf8));
  EXPECT_EQ(0xf4u, op(BinaryOp::kXor, I8, 0x0c, 0xf8));
  EXPECT_EQ(0xffffu, op(BinaryOp::kOr, F16, 0x7c01, 0x83fe));
  EXPECT_EQ(0x40u, op(BinaryOp::kShl, I8, 0x81, 6));
  EXPECT_EQ(0x80u, op(BinaryOp::kShl, I8, 0x81, 7));
  EXPECT_EQ(0u, op(BinaryOp::kShl, I8, 0x81, 8));
  EXPECT_EQ(0u, op(BinaryOp::kShl, I32, 1, 0x80000000));
  EXPECT_EQ(0x80000000u, op(BinaryOp::kShl, I32, 1, 31));
  EXPECT_EQ(0xfeu, op(BinaryOp::kShr, I8, 0x81, 6));
  EXPECT_EQ(0xffu, op(BinaryOp::kShr, I8, 0x81, 200));
  EXPECT_EQ(0u, op(BinaryOp::kShr, I8, 0x41, 200));
  EXPECT_EQ(0x02u, op(BinaryOp::kShr, U8, 0x81, 6));
  EXPECT_EQ(0u, op(BinaryOp::kShr, U16, 0x8100, 16));
  EXPECT_EQ(0xffffffffu, op(BinaryOp::kShr, I32, 0x80000000, 31));
  EXPECT_EQ(0xffffffffu, op(BinaryOp::kShr, I32, 0x80000000, 32));
  EXPECT_EQ(1u, op(BinaryOp::kShrUnsigned, I32, 0x80000000, 31));
  EXPECT_EQ(0u, op(BinaryOp::kShrUnsigned, I16, 0x8000, 16));
  EXPECT_EQ(0xff00u, Oracle::unary(UnaryOp::kNot, I16, 0x00ff));
  EXPECT_EQ(0x83ffu, Oracle::unary(UnaryOp::kNot, F16, 0x7c00));
}

TEST(VectorLogic, ComparesAsIeeeAndTwosComplement) {
  using enum ElementType;
  const auto c = Oracle::compare;
  EXPECT_TRUE(c(CompareOp::kEq, F32, 0x80000000, 0));
  EXPECT_FALSE(c(CompareOp::kLt, F16, 0x8000, 0));
  EXPECT_TRUE(c(CompareOp::kLe, F16, 0x8000, 0));
  EXPECT_TRUE(c(CompareOp::kLt, BF16, 0xff80, 0x0001));
  EXPECT_TRUE(c(CompareOp::kGt, F32, 0x00000001, 0x80000001));
  EXPECT_TRUE(c(CompareOp::kLt, F32, 0xc0000000, 0xbf800000));
  EXPECT_TRUE(c(CompareOp::kLt, I8, 0x80, 0x7f));
  EXPECT_TRUE(c(CompareOp::kGt, U8, 0x80, 0x7f));
  EXPECT_TRUE(c(CompareOp::kGe, I32, 0, 0x80000000));
  for (CompareOp op : kCompareOps) {
    EXPECT_EQ(op == CompareOp::kNe, c(op, F16, 0x7e00, 0x7e00));
    EXPECT_EQ(op == CompareOp::kNe, c(op, F32, 0x7f800001, 0));
    EXPECT_EQ(op == CompareOp::kNe, c(op, BF16, 0, 0xffc0));
  }
}

class VectorLogicKernels : public testing::OnEveryTarget {};

TEST_P(VectorLogicKernels, BitOperationsEqualTheOracle) {
  for (ElementType t : directed::kElementTypes) {
    const auto [a, b] = pairs(t);
    const auto pa = pack(t, a), pb = pack(t, b);
    for (BinaryOp op : kBitOps) {
      if (isShift(op) && oracle::isFloat(t)) {
        continue;
      }
      auto got = pa;
      numerics::binary(op, t, got.data(), pb.data(), got.data(), a.size());
      for (size_t i = 0; i < a.size(); ++i) {
        ASSERT_EQ(Oracle::binary(op, t, a[i], b[i]),
                  loadElement(t, got.data(), i))
            << name(t) << " op " << int(op) << std::hex << " " << a[i] << " "
            << b[i];
      }
    }
    auto got = pa;
    numerics::unary(UnaryOp::kNot, t, pa.data(), got.data(), a.size());
    for (size_t i = 0; i < a.size(); ++i) {
      ASSERT_EQ(Oracle::unary(UnaryOp::kNot, t, a[i]),
                loadElement(t, got.data(), i));
    }
  }
}

TEST_P(VectorLogicKernels, IntegerMultiplyAddWraps) {
  for (ElementType t : directed::kElementTypes) {
    if (oracle::isFloat(t)) {
      continue;
    }
    const auto [a, b] = pairs(t);
    const Values c(b.rbegin(), b.rend());
    const auto pa = pack(t, a), pb = pack(t, b);
    auto got = pack(t, c);
    numerics::multiplyAdd(t, pa.data(), pb.data(), got.data(), a.size());
    for (size_t i = 0; i < a.size(); ++i) {
      const uint32_t want = (a[i] * b[i] + c[i]) & oracle::maskOf(t);
      ASSERT_EQ(want, Oracle::multiplyAdd(t, a[i], b[i], c[i]));
      ASSERT_EQ(want, loadElement(t, got.data(), i));
    }
  }
}

TEST_P(VectorLogicKernels, ComparisonsEqualTheOracleAndClearTheirTail) {
  for (ElementType t : directed::kElementTypes) {
    const auto [a, b] = pairs(t);
    const auto pa = pack(t, a), pb = pack(t, b);
    for (CompareOp op : kCompareOps) {
      for (size_t n : {a.size(), size_t(1), size_t(515), size_t(8)}) {
        std::vector<uint8_t> bits((n + 7) / 8, 0xff);
        numerics::compare(op, t, pa.data(), pb.data(), bits.data(), n);
        for (size_t i = 0; i < 8 * bits.size(); ++i) {
          ASSERT_EQ(i < n && Oracle::compare(op, t, a[i], b[i]),
                    (bits[i / 8] >> (i % 8) & 1) != 0)
              << name(t) << " op " << int(op) << std::hex << " " << i;
        }
      }
    }
  }
}

TEST_P(VectorLogicKernels, SelectTakesTheFirstWhereTheBitIsSet) {
  for (ElementType t : directed::kElementTypes) {
    const auto [a, b] = pairs(t);
    const auto pa = pack(t, a), pb = pack(t, b);
    std::mt19937 random(9);
    std::vector<uint8_t> bits((a.size() + 7) / 8);
    for (uint8_t &x : bits) {
      x = static_cast<uint8_t>(random());
    }
    auto got = pb; // in place
    numerics::select(t, bits.data(), pa.data(), got.data(), got.data(),
                     a.size());
    for (size_t i = 0; i < a.size(); ++i) {
      const bool first = (bits[i / 8] >> (i % 8) & 1) != 0;
      ASSERT_EQ(first ? a[i] : b[i], loadElement(t, got.data(), i));
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Targets, VectorLogicKernels, testing::allTargets(),
                         testing::targetName);

} // namespace
} // namespace kiln::isa
