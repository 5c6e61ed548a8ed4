// SPDX-License-Identifier: Apache-2.0
//
// Dispatches of every kernel family from the shared level to the functional
// engine, compared with the same dispatch as plain loops on the host. Inputs
// are small integers where sums are exact; the tolerance of the others is that
// of an exponential in f32 (a few ULP) or of f16 (2^-11 relative).
#include "tests/unit/compiler/npu_schedule/kernel_text.h"
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
  void (*build)(KernelText &kernel); // the result is r
  double tolerance = 0;
};

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
    KernelText kernelText;
    c.build(kernelText);
    const std::string text = kernelText.module("r");
    auto module = mlir::parseSourceString<mlir::ModuleOp>(
        text, mlir::ParserConfig(&context));
    ASSERT_TRUE(module) << text;
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

// max(a + b + c, 0) of f32 and two of f16, to f16.
constexpr const char *kResidual = R"(%v = arith.extf %b : f16 to f32
  %s = arith.addf %a, %v : f32
  %w1 = arith.extf %c : f16 to f32
  %u = arith.addf %s, %w1 : f32
  %m = arith.maximumf %u, %zero : f32
  %t = arith.truncf %m : f32 to f16)";
constexpr const char *kNoMaximum32 = "0xFF800000"; // minus infinity
constexpr const char *kNoMaximum16 = "0xFC00";

/// What is left of a matrix after sum or maximum over its rows or columns.
struct Reduced {
  const char *type, *map; // "i": of every row; "j": of every column
};
KernelText &sum(KernelText &k, const char *name, const char *of,
                const Reduced &to) {
  const std::string start = std::string(name) + "_start";
  k.fill(start, to.type, "0.0");
  return k.generic(name, {{of, "ij"}}, {to.type, to.map, start},
                   "%t = arith.addf %a, %o : f32");
}
KernelText &maximum(KernelText &k, const char *name, const char *of,
                    const Reduced &to) {
  const std::string start = std::string(name) + "_start";
  k.fill(start, to.type, kNoMaximum32);
  return k.generic(name, {{of, "ij"}}, {to.type, to.map, start},
                   "%t = arith.maximumf %a, %o : f32");
}

/// Scaled sum of a whole image per channel, in f16.
void globalSum(KernelText &k, const char *image, const char *windowShape,
               const char *scale) {
  k.argument("x", image).constant("scale", scale, "f32");
  k.windowShape("s", windowShape).fill("f", "1x20x1x1xf32", "0.0");
  k.window("p", "pooling_nchw_sum", {"x", "s"}, "f", {1, 1});
  k.generic("r", {{"p", "ncij"}}, {"1x20x1x1xf16", "ncij"},
            R"(%m = arith.mulf %a, %scale : f32
  %t = arith.truncf %m : f32 to f16)");
}

/// Convolution of a padded image, bias and residual in f16.
struct ConvShapes {
  const char *image, *residual, *sum;
  KernelText::Extents high, strides;
};
void convWithResidual(KernelText &k, const ConvShapes &s) {
  k.argument("x", s.image).argument("w", "20x3x3x3xf16");
  k.argument("y", "20xf16").argument("z", s.residual);
  k.constant("zero", "0.0", "f32");
  k.pad("q", "x", {0, 0, 1, 1}, s.high, "0.0").fill("f", s.sum, "0.0");
  k.window("p", "conv_2d_nchw_fchw", {"q", "w"}, "f", s.strides);
  k.generic("r", {{"p", "ncij"}, {"y", "c"}, {"z", "ncij"}},
            {s.residual, "ncij"}, kResidual);
}

void depthwise(KernelText &k, const char *image, const char *weights,
               const char *sum, const KernelText::Extents &strides) {
  k.argument("x", image).argument("w", weights);
  k.pad("q", "x", {0, 0, 1, 1}, {0, 0, 1, 1}, "0.0").fill("f", sum, "0.0");
  k.window("r", "depthwise_conv_2d_nchw_chw", {"q", "w"}, "f", strides);
}

const Case kCases[] = {
    {"AddWithBroadcastVector",
     [](KernelText &k) {
       k.argument("x", "37x77xf32").argument("y", "77xf32");
       k.generic("r", {{"x", "ij"}, {"y", "j"}}, {"37x77xf32", "ij"},
                 "%t = arith.addf %a, %b : f32");
     }},
    {"SubWithBroadcastColumnInHalf",
     [](KernelText &k) {
       k.argument("x", "37x77xf16").argument("y", "37xf16");
       k.generic("r", {{"x", "ij"}, {"y", "i"}}, {"37x77xf16", "ij"},
                 R"(%aw = arith.extf %a : f16 to f32
  %bw = arith.extf %b : f16 to f32
  %s = arith.subf %bw, %aw : f32
  %t = arith.truncf %s : f32 to f16)");
     }},
    {"Sigmoid",
     [](KernelText &k) {
       k.argument("x", "1001xf32").constant("one", "1.0", "f32");
       k.generic("r", {{"x", "i"}}, {"1001xf32", "i"},
                 R"(%n = arith.negf %a : f32
  %p = math.exp %n : f32
  %s = arith.addf %p, %one : f32
  %t = arith.divf %one, %s : f32)");
     },
     kExp},
    {"TransposeOfFourDimensions",
     [](KernelText &k) {
       k.argument("x", "3x5x4x7xf32");
       k.transpose("r", "x", "7x3x5x4xf32", {3, 0, 1, 2});
     }},
    {"TransposeOfAMatrixInHalf",
     [](KernelText &k) {
       k.argument("x", "61x83xf16");
       k.transpose("r", "x", "83x61xf16", {1, 0});
     }},
    {"SumOverRows",
     [](KernelText &k) {
       sum(k.argument("x", "29x45xf32"), "r", "x", {"45xf32", "j"});
     }},
    {"MaxOverColumns",
     [](KernelText &k) {
       maximum(k.argument("x", "29x45xf32"), "r", "x", {"29xf32", "i"});
     }},
    {"MatmulWithTails",
     [](KernelText &k) {
       k.argument("x", "100x33xf16").argument("y", "33x77xf16");
       k.sum("r", "matmul", {"x", "y"}, "100x77xf32");
     }},
    {"MatmulInSinglePrecisionWithEpilogue",
     [](KernelText &k) {
       k.argument("x", "19x50xf32").argument("y", "50x23xf32");
       k.argument("z", "23xf32").argument("w", "19x23xf32");
       k.constant("zero", "0.0", "f32");
       k.sum("p", "matmul", {"x", "y"}, "19x23xf32");
       k.generic("r", {{"p", "ij"}, {"z", "j"}, {"w", "ij"}},
                 {"19x23xf32", "ij"}, R"(%s = arith.addf %a, %b : f32
  %m = arith.mulf %s, %c : f32
  %t = arith.maximumf %m, %zero : f32)");
     }},
    {"BatchMatmul",
     [](KernelText &k) {
       k.argument("x", "3x18x20xf32").argument("y", "3x20x35xf32");
       k.sum("r", "batch_matmul", {"x", "y"}, "3x18x35xf32");
     }},
    {"ConvOfTwoImagesWithResidual",
     [](KernelText &k) {
       convWithResidual(k, {"2x3x9x9xf16",
                            "2x20x5x5xf16",
                            "2x20x5x5xf32",
                            {0, 0, 1, 1},
                            {2, 2}});
     }},
    {"DepthwiseConv",
     [](KernelText &k) {
       depthwise(k, "1x11x12x10xf32", "11x3x3xf32", "1x11x6x5xf32", {2, 2});
     }},
    {"MaxPoolInHalf",
     [](KernelText &k) {
       k.argument("x", "2x18x13x13xf16").windowShape("s", "3x3xf16");
       k.fill("f", "2x18x6x6xf16", kNoMaximum16);
       k.window("r", "pooling_nchw_max", {"x", "s"}, "f", {2, 2});
     }},
    {"GlobalSumPool",
     [](KernelText &k) { globalSum(k, "1x20x9x8xf16", "9x8xf16", "0.5"); }},
    {"ConcatOfThree",
     [](KernelText &k) {
       k.argument("x", "2x3x5xf32").argument("y", "2x4x5xf32");
       k.argument("z", "2x1x5xf32");
       k.op("r",
            "tensor.concat dim(1) %x, %y, %z : (tensor<2x3x5xf32>, "
            "tensor<2x4x5xf32>, tensor<2x1x5xf32>) -> tensor<2x8x5xf32>",
            "2x8x5xf32");
     }},
    {"SliceWithSteps",
     [](KernelText &k) {
       k.argument("x", "9x40xf32");
       k.op("r",
            "tensor.extract_slice %x[1, 3] [4, 12] [2, 3] : "
            "tensor<9x40xf32> to tensor<4x12xf32>",
            "4x12xf32");
     }},
    {"Pad",
     [](KernelText &k) {
       k.argument("x", "5x13xf32").pad("r", "x", {1, 2}, {3, 4}, "2.5");
     }},
    // Larger than a tile can be: windows, rows and reductions are cut too.
    {"MaxPoolOfDilatedWindowsWiderThanUB",
     [](KernelText &k) {
       k.argument("x", "1x3x130x140xf16").windowShape("s", "11x15xf16");
       k.pad("q", "x", {0, 0, 10, 20}, {0, 0, 10, 20}, kNoMaximum16);
       k.fill("f", "1x3x6x5xf16", kNoMaximum16);
       k.window("r", "pooling_nchw_max", {"q", "s"}, "f", {10, 10}, 9);
     }},
    {"DepthwiseConvOfAWideImage",
     [](KernelText &k) {
       depthwise(k, "1x5x4x3000xf32", "5x3x3xf32", "1x5x4x3000xf32", {1, 1});
     }},
    {"GlobalSumOfALargeImage",
     [](KernelText &k) {
       globalSum(k, "1x20x90x110xf16", "90x110xf16", "0.03125");
     }},
    {"SumOverMoreRowsThanUBHolds",
     [](KernelText &k) {
       sum(k.argument("x", "3001x45xf32"), "r", "x", {"45xf32", "j"});
     }},
    {"MaxOverLongerColumnsThanUBHolds",
     [](KernelText &k) {
       maximum(k.argument("x", "5x70001xf32"), "r", "x", {"5xf32", "i"});
     }},
    {"SoftmaxOfRowsLongerThanUBHolds",
     [](KernelText &k) {
       const KernelText::Output matrix = {"3x30011xf32", "ij"};
       maximum(k.argument("x", "3x30011xf32"), "m", "x", {"3xf32", "i"});
       k.generic("p", {{"x", "ij"}, {"m", "i"}}, matrix,
                 R"(%s = arith.subf %a, %b : f32
  %t = math.exp %s : f32)");
       sum(k, "d", "p", {"3xf32", "i"});
       k.generic("r", {{"p", "ij"}, {"d", "i"}}, matrix,
                 "%t = arith.divf %a, %b : f32");
     },
     kExp},
    {"ConvOfManyChannels",
     [](KernelText &k) {
       k.argument("x", "1x200x5x60xf16").argument("w", "20x200x3x3xf16");
       k.pad("q", "x", {0, 0, 1, 1}, {0, 0, 1, 1}, "0.0");
       k.fill("f", "1x20x5x60xf32", "0.0");
       k.window("r", "conv_2d_nchw_fchw", {"q", "w"}, "f", {1, 1});
     }},
    {"ConvOfAWideImageWithResidual",
     [](KernelText &k) {
       convWithResidual(k, {"2x3x4x1500xf16",
                            "2x20x4x750xf16",
                            "2x20x4x750xf32",
                            {0, 0, 1, 0},
                            {1, 2}});
     }},
    {"ConvOfASignalLongerThanL1",
     [](KernelText &k) {
       k.argument("x", "1x1x1x40000xf32").argument("w", "3x1x1x5xf32");
       k.pad("q", "x", {0, 0, 0, 2}, {0, 0, 0, 2}, "0.0");
       k.fill("f", "1x3x1x10000xf32", "0.0");
       k.window("r", "conv_2d_nchw_fchw", {"q", "w"}, "f", {1, 4});
     }},
};

std::string nameOf(const testing::TestParamInfo<Case> &info) {
  return info.param.name;
}

INSTANTIATE_TEST_SUITE_P(Kernels, DispatchTest, testing::ValuesIn(kCases),
                         nameOf);

} // namespace
} // namespace kiln::test
