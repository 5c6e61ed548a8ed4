// SPDX-License-Identifier: Apache-2.0
#include "compiler/target/const_recipe.h"

#include "compiler/constants/byte_ops.h"
#include "compiler/pipeline/register.h"
#include "mlir/AsmParser/AsmParser.h"
#include "mlir/IR/MLIRContext.h"

#include <gtest/gtest.h>

namespace kiln::target {
namespace {

/// 0, 1, 2, ... in f32.
Constant counting(std::vector<int64_t> shape) {
  Constant c = makeConstant(ElementType::kF32, std::move(shape));
  for (int64_t i = 0; i < c.elementCount(); ++i) {
    storeElement(c, i, static_cast<double>(i));
  }
  return c;
}

class ConstRecipe : public testing::Test {
protected:
  ConstRecipe() {
    mlir::DialectRegistry registry;
    registerKilnDialects(registry);
    context.appendDialectRegistry(registry);
    context.loadAllAvailableDialects();
  }
  Result<Constant> run(const Constant &c, const std::string &steps) {
    auto array = mlir::dyn_cast_or_null<mlir::ArrayAttr>(
        mlir::parseAttribute(steps, &context));
    EXPECT_TRUE(array) << steps;
    return evaluateRecipe(c, array);
  }
  mlir::MLIRContext context;
};

TEST_F(ConstRecipe, FractalZIsPadReshapeTranspose) {
  // [K=3, N=5] with C0 = 2 and 4 columns: [K1=2, N1=2, 4, 2].
  Constant in = counting({3, 5});
  Result<Constant> out = run(in, R"([
    #plan.step<"pad", tensor<4x8xf32>, {low = array<i64: 0, 0>, high = array<i64: 1, 3>, value = -1.0 : f64}>,
    #plan.step<"reshape", tensor<2x2x2x4xf32>, {}>,
    #plan.step<"transpose", tensor<2x2x4x2xf32>, {permutation = array<i64: 0, 2, 3, 1>}>])");
  ASSERT_TRUE(out) << out.status().message();
  for (int64_t k = 0; k < 4; ++k) {
    for (int64_t n = 0; n < 8; ++n) {
      int64_t at = ((k / 2 * 2 + n / 4) * 4 + n % 4) * 2 + k % 2;
      double expected = k < 3 && n < 5 ? k * 5 + n : -1.0;
      EXPECT_EQ(loadElement(*out, at), expected) << k << "," << n;
    }
  }
}

TEST_F(ConstRecipe, CastRoundsToNearestEven) {
  Constant in = makeConstant(ElementType::kF32, {2});
  storeElement(in, 0, 2049.0); // halfway between 2048 and 2050
  storeElement(in, 1, 2051.0); // halfway between 2050 and 2052
  Result<Constant> out = run(in, R"([#plan.step<"cast", tensor<2xf16>, {}>])");
  ASSERT_TRUE(out);
  EXPECT_EQ(loadElement(*out, 0), 2048.0);
  EXPECT_EQ(loadElement(*out, 1), 2052.0);
}

TEST_F(ConstRecipe, SliceTakesTheBox) {
  Result<Constant> out = run(
      counting({3, 4}),
      R"([#plan.step<"slice", tensor<2x2xf32>, {starts = array<i64: 1, 2>}>])");
  ASSERT_TRUE(out);
  EXPECT_EQ(loadElement(*out, 0), 6);
  EXPECT_EQ(loadElement(*out, 3), 11);
}

TEST_F(ConstRecipe, StepsThatDoNotFitAreRefusedByName) {
  for (
      const char *steps :
      {R"([#plan.step<"reshape", tensor<7xf32>, {}>])",
       R"([#plan.step<"transpose", tensor<4x3xf32>, {permutation = array<i64: 0>}>])",
       R"([#plan.step<"slice", tensor<3x4xf32>, {starts = array<i64: 1, 0>}>])",
       R"([#plan.step<"pad", tensor<3x4xf32>, {low = array<i64: 1, 0>, high = array<i64: 0, 0>}>])",
       R"([#plan.step<"spin", tensor<3x4xf32>, {}>])"}) {
    Result<Constant> out = run(counting({3, 4}), steps);
    ASSERT_FALSE(out) << steps;
    EXPECT_NE(out.status().message().find("recipe step '"), std::string::npos);
  }
}

} // namespace
} // namespace kiln::target
