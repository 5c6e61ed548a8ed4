// SPDX-License-Identifier: Apache-2.0
//
// Dispatches of every kernel family from the shared level to the functional
// engine, compared with the same dispatch as plain loops on the host. Inputs
// are small integers where sums are exact; the tolerance of the others is that
// of an exponential in f32 (a few ULP) or of f16 (2^-11 relative).
#include "tests/unit/compiler/npu_schedule/plan_runner.h"
#include "tests/unit/compiler/support/plan_interpreter.h"

#include "compiler/constants/byte_ops.h"
#include "compiler/pipeline/register.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Parser/Parser.h"

#include <cmath>
#include <gtest/gtest.h>

namespace kiln::test {
namespace {

struct Case {
  const char *name;
  const char *arguments; // of the dispatch
  const char *body;      // ends with the result %r
  const char *result;
  double tolerance = 0;
};

/// The types in "%a: tensor<2xf32>, %b: tensor<3xf32>".
std::vector<std::string> typesIn(std::string arguments) {
  std::vector<std::string> types;
  for (size_t at = 0;
       (at = arguments.find("tensor<", at)) != std::string::npos;) {
    size_t end = arguments.find('>', at) + 1;
    types.push_back(arguments.substr(at, end - at));
    at = end;
  }
  return types;
}

std::string moduleOf(const Case &c) {
  std::string names, types, mainArguments;
  std::vector<std::string> list = typesIn(c.arguments);
  for (size_t i = 0; i < list.size(); ++i) {
    std::string comma = i == 0 ? "" : ", ", id = "%a" + std::to_string(i);
    names += comma + id;
    types += comma + list[i];
    mainArguments += comma + id + ": " + list[i] + " {plan.name = \"i" +
                     std::to_string(i) + "\"}";
  }
  std::string result = c.result;
  return "plan.func @main(" + mainArguments + ") -> (" + result +
         " {plan.name = \"o\"}) {\n %0 = plan.dispatch @k(" + names + ") : (" +
         types + ") -> " + result + "\n plan.return %0 : " + result +
         "\n}\nfunc.func private @k(" + c.arguments + ") -> " + result +
         " attributes {plan.dispatch} {\n" + c.body +
         "\n return %r : " + result + "\n}\n";
}

Constant inputOf(mlir::Type type, uint64_t seed) {
  auto tensor = mlir::cast<mlir::RankedTensorType>(type);
  Constant c = makeConstant(tensor.getElementType().isF16() ? ElementType::kF16
                                                            : ElementType::kF32,
                            tensor.getShape().vec());
  for (int64_t i = 0; i < c.elementCount(); ++i) {
    uint64_t h = (i + 1 + seed * 1000003) * 0x9e3779b97f4a7c15u;
    storeElement(c, i, static_cast<double>((h >> 40) % 7) - 3);
  }
  return c;
}

class DispatchTest : public testing::TestWithParam<Case> {
protected:
  void check(const NpuRunOptions &options) {
    const Case &c = GetParam();
    mlir::DialectRegistry registry;
    registerKilnDialects(registry);
    mlir::MLIRContext context(registry, mlir::MLIRContext::Threading::DISABLED);
    auto module = mlir::parseSourceString<mlir::ModuleOp>(
        moduleOf(c), mlir::ParserConfig(&context));
    ASSERT_TRUE(module) << moduleOf(c);
    std::vector<Constant> inputs;
    auto kernel = *module->getOps<mlir::func::FuncOp>().begin();
    for (mlir::Type type : kernel.getArgumentTypes()) {
      inputs.push_back(inputOf(type, inputs.size() + 1));
    }
    ConstantStore none;
    Result<std::vector<Constant>> want = runPlan(*module, none, inputs);
    ASSERT_TRUE(want) << want.status().message();
    Result<std::vector<Constant>> got =
        runOnNpu(*module, none, inputs, options);
    ASSERT_TRUE(got) << got.status().message();
    compare(want->front(), got->front(), c.tolerance);
  }

  static void compare(const Constant &want, const Constant &got,
                      double tolerance) {
    ASSERT_EQ(want.shape, got.shape);
    int wrong = 0;
    for (int64_t i = 0; i < want.elementCount() && wrong < 5; ++i) {
      double w = loadElement(want, i), g = loadElement(got, i);
      bool equal = w == g || std::abs(w - g) <=
                                 tolerance * std::abs(w) + tolerance * 1e-3;
      if (!equal) {
        ADD_FAILURE() << "element " << i << ": " << g << " instead of " << w;
        ++wrong;
      }
    }
  }
};

TEST_P(DispatchTest, OnOneCore) { check({}); }
TEST_P(DispatchTest, OnFourCoresWithBarriers) {
  check({4, "k1", pipeline::NpuSync::kBarrierAll});
}
TEST_P(DispatchTest, OnTheSmallMachine) { check({1, "k1-nano"}); }

constexpr double kExp = 1e-5; // a few ULP of f32

const Case kCases[] = {
    {"AddWithBroadcastVector", "%x: tensor<37x77xf32>, %y: tensor<77xf32>",
     R"(%e = tensor.empty() : tensor<37x77xf32>
 %r = linalg.generic {indexing_maps = [affine_map<(i, j) -> (i, j)>, affine_map<(i, j) -> (j)>, affine_map<(i, j) -> (i, j)>], iterator_types = ["parallel", "parallel"]} ins(%x, %y : tensor<37x77xf32>, tensor<77xf32>) outs(%e : tensor<37x77xf32>) {
 ^bb0(%a: f32, %b: f32, %o: f32):
  %s = arith.addf %a, %b : f32
  linalg.yield %s : f32 } -> tensor<37x77xf32>)",
     "tensor<37x77xf32>"},
    {"SubWithBroadcastColumnInHalf",
     "%x: tensor<37x77xf16>, %y: tensor<37xf16>",
     R"(%e = tensor.empty() : tensor<37x77xf16>
 %r = linalg.generic {indexing_maps = [affine_map<(i, j) -> (i, j)>, affine_map<(i, j) -> (i)>, affine_map<(i, j) -> (i, j)>], iterator_types = ["parallel", "parallel"]} ins(%x, %y : tensor<37x77xf16>, tensor<37xf16>) outs(%e : tensor<37x77xf16>) {
 ^bb0(%a: f16, %b: f16, %o: f16):
  %aw = arith.extf %a : f16 to f32
  %bw = arith.extf %b : f16 to f32
  %s = arith.subf %bw, %aw : f32
  %t = arith.truncf %s : f32 to f16
  linalg.yield %t : f16 } -> tensor<37x77xf16>)",
     "tensor<37x77xf16>"},
    {"Sigmoid", "%x: tensor<1001xf32>",
     R"(%one = arith.constant 1.0 : f32
 %e = tensor.empty() : tensor<1001xf32>
 %r = linalg.generic {indexing_maps = [affine_map<(i) -> (i)>, affine_map<(i) -> (i)>], iterator_types = ["parallel"]} ins(%x : tensor<1001xf32>) outs(%e : tensor<1001xf32>) {
 ^bb0(%a: f32, %o: f32):
  %n = arith.negf %a : f32
  %p = math.exp %n : f32
  %s = arith.addf %p, %one : f32
  %q = arith.divf %one, %s : f32
  linalg.yield %q : f32 } -> tensor<1001xf32>)",
     "tensor<1001xf32>", kExp},
    {"TransposeOfFourDimensions", "%x: tensor<3x5x4x7xf32>",
     R"(%e = tensor.empty() : tensor<7x3x5x4xf32>
 %r = linalg.transpose ins(%x : tensor<3x5x4x7xf32>) outs(%e : tensor<7x3x5x4xf32>) permutation = [3, 0, 1, 2])",
     "tensor<7x3x5x4xf32>"},
    {"TransposeOfAMatrixInHalf", "%x: tensor<61x83xf16>",
     R"(%e = tensor.empty() : tensor<83x61xf16>
 %r = linalg.transpose ins(%x : tensor<61x83xf16>) outs(%e : tensor<83x61xf16>) permutation = [1, 0])",
     "tensor<83x61xf16>"},
    {"SumOverRows", "%x: tensor<29x45xf32>",
     R"(%z = arith.constant 0.0 : f32
 %e = tensor.empty() : tensor<45xf32>
 %f = linalg.fill ins(%z : f32) outs(%e : tensor<45xf32>) -> tensor<45xf32>
 %r = linalg.generic {indexing_maps = [affine_map<(i, j) -> (i, j)>, affine_map<(i, j) -> (j)>], iterator_types = ["reduction", "parallel"]} ins(%x : tensor<29x45xf32>) outs(%f : tensor<45xf32>) {
 ^bb0(%a: f32, %o: f32):
  %s = arith.addf %a, %o : f32
  linalg.yield %s : f32 } -> tensor<45xf32>)",
     "tensor<45xf32>"},
    {"MaxOverColumns", "%x: tensor<29x45xf32>",
     R"(%z = arith.constant 0xFF800000 : f32
 %e = tensor.empty() : tensor<29xf32>
 %f = linalg.fill ins(%z : f32) outs(%e : tensor<29xf32>) -> tensor<29xf32>
 %r = linalg.generic {indexing_maps = [affine_map<(i, j) -> (i, j)>, affine_map<(i, j) -> (i)>], iterator_types = ["parallel", "reduction"]} ins(%x : tensor<29x45xf32>) outs(%f : tensor<29xf32>) {
 ^bb0(%a: f32, %o: f32):
  %s = arith.maximumf %a, %o : f32
  linalg.yield %s : f32 } -> tensor<29xf32>)",
     "tensor<29xf32>"},
    {"MatmulWithTails", "%x: tensor<100x33xf16>, %y: tensor<33x77xf16>",
     R"(%z = arith.constant 0.0 : f32
 %e = tensor.empty() : tensor<100x77xf32>
 %f = linalg.fill ins(%z : f32) outs(%e : tensor<100x77xf32>) -> tensor<100x77xf32>
 %r = linalg.matmul ins(%x, %y : tensor<100x33xf16>, tensor<33x77xf16>) outs(%f : tensor<100x77xf32>) -> tensor<100x77xf32>)",
     "tensor<100x77xf32>"},
    {"MatmulInSinglePrecisionWithEpilogue",
     "%x: tensor<19x50xf32>, %y: tensor<50x23xf32>, %b: tensor<23xf32>, "
     "%c: tensor<19x23xf32>",
     R"(%z = arith.constant 0.0 : f32
 %e = tensor.empty() : tensor<19x23xf32>
 %f = linalg.fill ins(%z : f32) outs(%e : tensor<19x23xf32>) -> tensor<19x23xf32>
 %p = linalg.matmul ins(%x, %y : tensor<19x50xf32>, tensor<50x23xf32>) outs(%f : tensor<19x23xf32>) -> tensor<19x23xf32>
 %r = linalg.generic {indexing_maps = [affine_map<(i, j) -> (i, j)>, affine_map<(i, j) -> (j)>, affine_map<(i, j) -> (i, j)>, affine_map<(i, j) -> (i, j)>], iterator_types = ["parallel", "parallel"]} ins(%p, %b, %c : tensor<19x23xf32>, tensor<23xf32>, tensor<19x23xf32>) outs(%e : tensor<19x23xf32>) {
 ^bb0(%a: f32, %v: f32, %w: f32, %o: f32):
  %s = arith.addf %a, %v : f32
  %t = arith.mulf %s, %w : f32
  %u = arith.maximumf %t, %z : f32
  linalg.yield %u : f32 } -> tensor<19x23xf32>)",
     "tensor<19x23xf32>"},
    {"BatchMatmul", "%x: tensor<3x18x20xf32>, %y: tensor<3x20x35xf32>",
     R"(%z = arith.constant 0.0 : f32
 %e = tensor.empty() : tensor<3x18x35xf32>
 %f = linalg.fill ins(%z : f32) outs(%e : tensor<3x18x35xf32>) -> tensor<3x18x35xf32>
 %r = linalg.batch_matmul ins(%x, %y : tensor<3x18x20xf32>, tensor<3x20x35xf32>) outs(%f : tensor<3x18x35xf32>) -> tensor<3x18x35xf32>)",
     "tensor<3x18x35xf32>"},
    {"ConvOfTwoImagesWithResidual",
     "%x: tensor<2x3x9x9xf16>, %w: tensor<20x3x3x3xf16>, %b: tensor<20xf16>, "
     "%c: tensor<2x20x5x5xf16>",
     R"(%z = arith.constant 0.0 : f32
 %h = arith.constant 0.0 : f16
 %q = tensor.pad %x low[0, 0, 1, 1] high[0, 0, 1, 1] {
 ^bb0(%i: index, %j: index, %k: index, %l: index):
  tensor.yield %h : f16 } : tensor<2x3x9x9xf16> to tensor<2x3x11x11xf16>
 %e = tensor.empty() : tensor<2x20x5x5xf32>
 %g = tensor.empty() : tensor<2x20x5x5xf16>
 %f = linalg.fill ins(%z : f32) outs(%e : tensor<2x20x5x5xf32>) -> tensor<2x20x5x5xf32>
 %p = linalg.conv_2d_nchw_fchw {strides = dense<2> : vector<2xi64>, dilations = dense<1> : vector<2xi64>} ins(%q, %w : tensor<2x3x11x11xf16>, tensor<20x3x3x3xf16>) outs(%f : tensor<2x20x5x5xf32>) -> tensor<2x20x5x5xf32>
 %r = linalg.generic {indexing_maps = [affine_map<(n, c, i, j) -> (n, c, i, j)>, affine_map<(n, c, i, j) -> (c)>, affine_map<(n, c, i, j) -> (n, c, i, j)>, affine_map<(n, c, i, j) -> (n, c, i, j)>], iterator_types = ["parallel", "parallel", "parallel", "parallel"]} ins(%p, %b, %c : tensor<2x20x5x5xf32>, tensor<20xf16>, tensor<2x20x5x5xf16>) outs(%g : tensor<2x20x5x5xf16>) {
 ^bb0(%a: f32, %v: f16, %w1: f16, %o: f16):
  %vw = arith.extf %v : f16 to f32
  %s = arith.addf %a, %vw : f32
  %ww = arith.extf %w1 : f16 to f32
  %t = arith.addf %s, %ww : f32
  %u = arith.maximumf %t, %z : f32
  %y = arith.truncf %u : f32 to f16
  linalg.yield %y : f16 } -> tensor<2x20x5x5xf16>)",
     "tensor<2x20x5x5xf16>"},
    {"DepthwiseConv", "%x: tensor<1x11x12x10xf32>, %w: tensor<11x3x3xf32>",
     R"(%z = arith.constant 0.0 : f32
 %q = tensor.pad %x low[0, 0, 1, 1] high[0, 0, 1, 1] {
 ^bb0(%i: index, %j: index, %k: index, %l: index):
  tensor.yield %z : f32 } : tensor<1x11x12x10xf32> to tensor<1x11x14x12xf32>
 %e = tensor.empty() : tensor<1x11x6x5xf32>
 %f = linalg.fill ins(%z : f32) outs(%e : tensor<1x11x6x5xf32>) -> tensor<1x11x6x5xf32>
 %r = linalg.depthwise_conv_2d_nchw_chw {strides = dense<2> : vector<2xi64>, dilations = dense<1> : vector<2xi64>} ins(%q, %w : tensor<1x11x14x12xf32>, tensor<11x3x3xf32>) outs(%f : tensor<1x11x6x5xf32>) -> tensor<1x11x6x5xf32>)",
     "tensor<1x11x6x5xf32>"},
    {"MaxPoolInHalf", "%x: tensor<2x18x13x13xf16>",
     R"(%z = arith.constant 0xFC00 : f16
 %e = tensor.empty() : tensor<2x18x6x6xf16>
 %s = tensor.empty() : tensor<3x3xf16>
 %f = linalg.fill ins(%z : f16) outs(%e : tensor<2x18x6x6xf16>) -> tensor<2x18x6x6xf16>
 %r = linalg.pooling_nchw_max {strides = dense<2> : vector<2xi64>, dilations = dense<1> : vector<2xi64>} ins(%x, %s : tensor<2x18x13x13xf16>, tensor<3x3xf16>) outs(%f : tensor<2x18x6x6xf16>) -> tensor<2x18x6x6xf16>)",
     "tensor<2x18x6x6xf16>"},
    {"GlobalSumPool", "%x: tensor<1x20x9x8xf16>",
     R"(%z = arith.constant 0.0 : f32
 %k = arith.constant 0.5 : f32
 %e = tensor.empty() : tensor<1x20x1x1xf32>
 %g = tensor.empty() : tensor<1x20x1x1xf16>
 %s = tensor.empty() : tensor<9x8xf16>
 %f = linalg.fill ins(%z : f32) outs(%e : tensor<1x20x1x1xf32>) -> tensor<1x20x1x1xf32>
 %p = linalg.pooling_nchw_sum {strides = dense<1> : vector<2xi64>, dilations = dense<1> : vector<2xi64>} ins(%x, %s : tensor<1x20x9x8xf16>, tensor<9x8xf16>) outs(%f : tensor<1x20x1x1xf32>) -> tensor<1x20x1x1xf32>
 %r = linalg.generic {indexing_maps = [affine_map<(n, c, i, j) -> (n, c, i, j)>, affine_map<(n, c, i, j) -> (n, c, i, j)>], iterator_types = ["parallel", "parallel", "parallel", "parallel"]} ins(%p : tensor<1x20x1x1xf32>) outs(%g : tensor<1x20x1x1xf16>) {
 ^bb0(%a: f32, %o: f16):
  %m = arith.mulf %a, %k : f32
  %t = arith.truncf %m : f32 to f16
  linalg.yield %t : f16 } -> tensor<1x20x1x1xf16>)",
     "tensor<1x20x1x1xf16>"},
    {"ConcatOfThree",
     "%x: tensor<2x3x5xf32>, %y: tensor<2x4x5xf32>, %z: tensor<2x1x5xf32>",
     R"(%r = tensor.concat dim(1) %x, %y, %z : (tensor<2x3x5xf32>, tensor<2x4x5xf32>, tensor<2x1x5xf32>) -> tensor<2x8x5xf32>)",
     "tensor<2x8x5xf32>"},
    {"SliceWithSteps", "%x: tensor<9x40xf32>",
     R"(%r = tensor.extract_slice %x[1, 3] [4, 12] [2, 3] : tensor<9x40xf32> to tensor<4x12xf32>)",
     "tensor<4x12xf32>"},
    {"Pad", "%x: tensor<5x13xf32>",
     R"(%v = arith.constant 2.5 : f32
 %r = tensor.pad %x low[1, 2] high[3, 4] {
 ^bb0(%i: index, %j: index):
  tensor.yield %v : f32 } : tensor<5x13xf32> to tensor<9x19xf32>)",
     "tensor<9x19xf32>"},
    // Larger than a tile can be: windows, rows and reductions are cut too.
    {"MaxPoolOfDilatedWindowsWiderThanUB", "%x: tensor<1x3x130x140xf16>",
     R"(%z = arith.constant 0xFC00 : f16
 %q = tensor.pad %x low[0, 0, 10, 20] high[0, 0, 10, 20] {
 ^bb0(%i: index, %j: index, %k: index, %l: index):
  tensor.yield %z : f16 } : tensor<1x3x130x140xf16> to tensor<1x3x150x180xf16>
 %e = tensor.empty() : tensor<1x3x6x5xf16>
 %s = tensor.empty() : tensor<11x15xf16>
 %f = linalg.fill ins(%z : f16) outs(%e : tensor<1x3x6x5xf16>) -> tensor<1x3x6x5xf16>
 %r = linalg.pooling_nchw_max {strides = dense<10> : vector<2xi64>, dilations = dense<9> : vector<2xi64>} ins(%q, %s : tensor<1x3x150x180xf16>, tensor<11x15xf16>) outs(%f : tensor<1x3x6x5xf16>) -> tensor<1x3x6x5xf16>)",
     "tensor<1x3x6x5xf16>"},
    {"DepthwiseConvOfAWideImage",
     "%x: tensor<1x5x4x3000xf32>, %w: tensor<5x3x3xf32>",
     R"(%z = arith.constant 0.0 : f32
 %q = tensor.pad %x low[0, 0, 1, 1] high[0, 0, 1, 1] {
 ^bb0(%i: index, %j: index, %k: index, %l: index):
  tensor.yield %z : f32 } : tensor<1x5x4x3000xf32> to tensor<1x5x6x3002xf32>
 %e = tensor.empty() : tensor<1x5x4x3000xf32>
 %f = linalg.fill ins(%z : f32) outs(%e : tensor<1x5x4x3000xf32>) -> tensor<1x5x4x3000xf32>
 %r = linalg.depthwise_conv_2d_nchw_chw {strides = dense<1> : vector<2xi64>, dilations = dense<1> : vector<2xi64>} ins(%q, %w : tensor<1x5x6x3002xf32>, tensor<5x3x3xf32>) outs(%f : tensor<1x5x4x3000xf32>) -> tensor<1x5x4x3000xf32>)",
     "tensor<1x5x4x3000xf32>"},
    {"GlobalSumOfALargeImage", "%x: tensor<1x20x90x110xf16>",
     R"(%z = arith.constant 0.0 : f32
 %k = arith.constant 0.03125 : f32
 %e = tensor.empty() : tensor<1x20x1x1xf32>
 %g = tensor.empty() : tensor<1x20x1x1xf16>
 %s = tensor.empty() : tensor<90x110xf16>
 %f = linalg.fill ins(%z : f32) outs(%e : tensor<1x20x1x1xf32>) -> tensor<1x20x1x1xf32>
 %p = linalg.pooling_nchw_sum {strides = dense<1> : vector<2xi64>, dilations = dense<1> : vector<2xi64>} ins(%x, %s : tensor<1x20x90x110xf16>, tensor<90x110xf16>) outs(%f : tensor<1x20x1x1xf32>) -> tensor<1x20x1x1xf32>
 %r = linalg.generic {indexing_maps = [affine_map<(n, c, i, j) -> (n, c, i, j)>, affine_map<(n, c, i, j) -> (n, c, i, j)>], iterator_types = ["parallel", "parallel", "parallel", "parallel"]} ins(%p : tensor<1x20x1x1xf32>) outs(%g : tensor<1x20x1x1xf16>) {
 ^bb0(%a: f32, %o: f16):
  %m = arith.mulf %a, %k : f32
  %t = arith.truncf %m : f32 to f16
  linalg.yield %t : f16 } -> tensor<1x20x1x1xf16>)",
     "tensor<1x20x1x1xf16>"},
    {"SumOverMoreRowsThanUBHolds", "%x: tensor<3001x45xf32>",
     R"(%z = arith.constant 0.0 : f32
 %e = tensor.empty() : tensor<45xf32>
 %f = linalg.fill ins(%z : f32) outs(%e : tensor<45xf32>) -> tensor<45xf32>
 %r = linalg.generic {indexing_maps = [affine_map<(i, j) -> (i, j)>, affine_map<(i, j) -> (j)>], iterator_types = ["reduction", "parallel"]} ins(%x : tensor<3001x45xf32>) outs(%f : tensor<45xf32>) {
 ^bb0(%a: f32, %o: f32):
  %s = arith.addf %a, %o : f32
  linalg.yield %s : f32 } -> tensor<45xf32>)",
     "tensor<45xf32>"},
    {"MaxOverLongerColumnsThanUBHolds", "%x: tensor<5x70001xf32>",
     R"(%z = arith.constant 0xFF800000 : f32
 %e = tensor.empty() : tensor<5xf32>
 %f = linalg.fill ins(%z : f32) outs(%e : tensor<5xf32>) -> tensor<5xf32>
 %r = linalg.generic {indexing_maps = [affine_map<(i, j) -> (i, j)>, affine_map<(i, j) -> (i)>], iterator_types = ["parallel", "reduction"]} ins(%x : tensor<5x70001xf32>) outs(%f : tensor<5xf32>) {
 ^bb0(%a: f32, %o: f32):
  %s = arith.maximumf %a, %o : f32
  linalg.yield %s : f32 } -> tensor<5xf32>)",
     "tensor<5xf32>"},
    {"SoftmaxOfRowsLongerThanUBHolds", "%x: tensor<3x30011xf32>",
     R"(%z = arith.constant 0.0 : f32
 %n = arith.constant 0xFF800000 : f32
 %e = tensor.empty() : tensor<3xf32>
 %g = tensor.empty() : tensor<3x30011xf32>
 %f = linalg.fill ins(%n : f32) outs(%e : tensor<3xf32>) -> tensor<3xf32>
 %m = linalg.generic {indexing_maps = [affine_map<(i, j) -> (i, j)>, affine_map<(i, j) -> (i)>], iterator_types = ["parallel", "reduction"]} ins(%x : tensor<3x30011xf32>) outs(%f : tensor<3xf32>) {
 ^bb0(%a: f32, %o: f32):
  %s = arith.maximumf %a, %o : f32
  linalg.yield %s : f32 } -> tensor<3xf32>
 %p = linalg.generic {indexing_maps = [affine_map<(i, j) -> (i, j)>, affine_map<(i, j) -> (i)>, affine_map<(i, j) -> (i, j)>], iterator_types = ["parallel", "parallel"]} ins(%x, %m : tensor<3x30011xf32>, tensor<3xf32>) outs(%g : tensor<3x30011xf32>) {
 ^bb0(%a: f32, %b: f32, %o: f32):
  %s = arith.subf %a, %b : f32
  %t = math.exp %s : f32
  linalg.yield %t : f32 } -> tensor<3x30011xf32>
 %h = linalg.fill ins(%z : f32) outs(%e : tensor<3xf32>) -> tensor<3xf32>
 %d = linalg.generic {indexing_maps = [affine_map<(i, j) -> (i, j)>, affine_map<(i, j) -> (i)>], iterator_types = ["parallel", "reduction"]} ins(%p : tensor<3x30011xf32>) outs(%h : tensor<3xf32>) {
 ^bb0(%a: f32, %o: f32):
  %s = arith.addf %a, %o : f32
  linalg.yield %s : f32 } -> tensor<3xf32>
 %r = linalg.generic {indexing_maps = [affine_map<(i, j) -> (i, j)>, affine_map<(i, j) -> (i)>, affine_map<(i, j) -> (i, j)>], iterator_types = ["parallel", "parallel"]} ins(%p, %d : tensor<3x30011xf32>, tensor<3xf32>) outs(%g : tensor<3x30011xf32>) {
 ^bb0(%a: f32, %b: f32, %o: f32):
  %s = arith.divf %a, %b : f32
  linalg.yield %s : f32 } -> tensor<3x30011xf32>)",
     "tensor<3x30011xf32>", kExp},
    {"ConvOfManyChannels",
     "%x: tensor<1x200x5x60xf16>, %w: tensor<20x200x3x3xf16>",
     R"(%z = arith.constant 0.0 : f32
 %h = arith.constant 0.0 : f16
 %q = tensor.pad %x low[0, 0, 1, 1] high[0, 0, 1, 1] {
 ^bb0(%i: index, %j: index, %k: index, %l: index):
  tensor.yield %h : f16 } : tensor<1x200x5x60xf16> to tensor<1x200x7x62xf16>
 %e = tensor.empty() : tensor<1x20x5x60xf32>
 %f = linalg.fill ins(%z : f32) outs(%e : tensor<1x20x5x60xf32>) -> tensor<1x20x5x60xf32>
 %r = linalg.conv_2d_nchw_fchw {strides = dense<1> : vector<2xi64>, dilations = dense<1> : vector<2xi64>} ins(%q, %w : tensor<1x200x7x62xf16>, tensor<20x200x3x3xf16>) outs(%f : tensor<1x20x5x60xf32>) -> tensor<1x20x5x60xf32>)",
     "tensor<1x20x5x60xf32>"},
    {"ConvOfAWideImageWithResidual",
     "%x: tensor<2x3x4x1500xf16>, %w: tensor<20x3x3x3xf16>, %b: "
     "tensor<20xf16>, "
     "%c: tensor<2x20x4x750xf16>",
     R"(%z = arith.constant 0.0 : f32
 %h = arith.constant 0.0 : f16
 %q = tensor.pad %x low[0, 0, 1, 1] high[0, 0, 1, 0] {
 ^bb0(%i: index, %j: index, %k: index, %l: index):
  tensor.yield %h : f16 } : tensor<2x3x4x1500xf16> to tensor<2x3x6x1501xf16>
 %e = tensor.empty() : tensor<2x20x4x750xf32>
 %g = tensor.empty() : tensor<2x20x4x750xf16>
 %f = linalg.fill ins(%z : f32) outs(%e : tensor<2x20x4x750xf32>) -> tensor<2x20x4x750xf32>
 %p = linalg.conv_2d_nchw_fchw {strides = dense<[1, 2]> : vector<2xi64>, dilations = dense<1> : vector<2xi64>} ins(%q, %w : tensor<2x3x6x1501xf16>, tensor<20x3x3x3xf16>) outs(%f : tensor<2x20x4x750xf32>) -> tensor<2x20x4x750xf32>
 %r = linalg.generic {indexing_maps = [affine_map<(n, c, i, j) -> (n, c, i, j)>, affine_map<(n, c, i, j) -> (c)>, affine_map<(n, c, i, j) -> (n, c, i, j)>, affine_map<(n, c, i, j) -> (n, c, i, j)>], iterator_types = ["parallel", "parallel", "parallel", "parallel"]} ins(%p, %b, %c : tensor<2x20x4x750xf32>, tensor<20xf16>, tensor<2x20x4x750xf16>) outs(%g : tensor<2x20x4x750xf16>) {
 ^bb0(%a: f32, %v: f16, %w1: f16, %o: f16):
  %vw = arith.extf %v : f16 to f32
  %s = arith.addf %a, %vw : f32
  %ww = arith.extf %w1 : f16 to f32
  %t = arith.addf %s, %ww : f32
  %u = arith.maximumf %t, %z : f32
  %y = arith.truncf %u : f32 to f16
  linalg.yield %y : f16 } -> tensor<2x20x4x750xf16>)",
     "tensor<2x20x4x750xf16>"},
    {"ConvOfASignalLongerThanL1",
     "%x: tensor<1x1x1x40000xf32>, %w: tensor<3x1x1x5xf32>",
     R"(%z = arith.constant 0.0 : f32
 %q = tensor.pad %x low[0, 0, 0, 2] high[0, 0, 0, 2] {
 ^bb0(%i: index, %j: index, %k: index, %l: index):
  tensor.yield %z : f32 } : tensor<1x1x1x40000xf32> to tensor<1x1x1x40004xf32>
 %e = tensor.empty() : tensor<1x3x1x10000xf32>
 %f = linalg.fill ins(%z : f32) outs(%e : tensor<1x3x1x10000xf32>) -> tensor<1x3x1x10000xf32>
 %r = linalg.conv_2d_nchw_fchw {strides = dense<[1, 4]> : vector<2xi64>, dilations = dense<1> : vector<2xi64>} ins(%q, %w : tensor<1x1x1x40004xf32>, tensor<3x1x1x5xf32>) outs(%f : tensor<1x3x1x10000xf32>) -> tensor<1x3x1x10000xf32>)",
     "tensor<1x3x1x10000xf32>"},
};

std::string nameOf(const testing::TestParamInfo<Case> &info) {
  return info.param.name;
}

INSTANTIATE_TEST_SUITE_P(Kernels, DispatchTest, testing::ValuesIn(kCases),
                         nameOf);

} // namespace
} // namespace kiln::test
