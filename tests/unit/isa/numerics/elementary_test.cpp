// SPDX-License-Identifier: Apache-2.0
//
// Special values of exp, tanh, 1/x and sqrt. Their errors in ULP:
// functions_test.cpp.
#include "isa/numerics/vector_oracle.h"

#include <gtest/gtest.h>

namespace kiln::isa::oracle {
namespace {

using V = VectorOracle<>;

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
