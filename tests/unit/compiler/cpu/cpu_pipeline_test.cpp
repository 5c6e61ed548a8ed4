// SPDX-License-Identifier: Apache-2.0
//
// Dispatches through the whole CPU path, compared with plain loops written
// here from the operators' definitions.
#include "compiler/pipeline/cpu_pipeline.h"
#include "tests/unit/compiler/cpu/run_dispatch.h"

#include "llvm/Support/FormatVariadic.h"

#include <gtest/gtest.h>

#include <cmath>

namespace kiln {
namespace {

using test::Tensor;

struct ConvShape {
  int64_t c, h, w, f, k, stride, pad;
};

std::string convDispatch(const ConvShape &s, bool relu) {
  int64_t ph = s.h + 2 * s.pad, pw = s.w + 2 * s.pad;
  int64_t oh = (ph - s.k) / s.stride + 1, ow = (pw - s.k) / s.stride + 1;
  return llvm::formatv(
             R"(
func.func private @conv(%x: tensor<1x{0}x{1}x{2}xf32>, %w: tensor<{3}x{0}x{4}x{4}xf32>, %b: tensor<{3}xf32>) -> tensor<1x{3}x{5}x{6}xf32> attributes {{plan.dispatch} {{
  %z = arith.constant 0.0 : f32
  %p = tensor.pad %x low[0, 0, {7}, {7}] high[0, 0, {7}, {7}] {{
  ^bb0(%i0: index, %i1: index, %i2: index, %i3: index):
    tensor.yield %z : f32
  } : tensor<1x{0}x{1}x{2}xf32> to tensor<1x{0}x{8}x{9}xf32>
  %e = tensor.empty() : tensor<1x{3}x{5}x{6}xf32>
  %f = linalg.fill ins(%z : f32) outs(%e : tensor<1x{3}x{5}x{6}xf32>) -> tensor<1x{3}x{5}x{6}xf32>
  %c = linalg.conv_2d_nchw_fchw {{strides = dense<{10}> : tensor<2xi64>} ins(%p, %w : tensor<1x{0}x{8}x{9}xf32>, tensor<{3}x{0}x{4}x{4}xf32>) outs(%f : tensor<1x{3}x{5}x{6}xf32>) -> tensor<1x{3}x{5}x{6}xf32>
  %r = linalg.generic {{indexing_maps = [affine_map<(n,f,h,w)->(n,f,h,w)>, affine_map<(n,f,h,w)->(f)>, affine_map<(n,f,h,w)->(n,f,h,w)>], iterator_types = ["parallel","parallel","parallel","parallel"]} ins(%c, %b : tensor<1x{3}x{5}x{6}xf32>, tensor<{3}xf32>) outs(%e : tensor<1x{3}x{5}x{6}xf32>) {{
  ^bb0(%a: f32, %bb: f32, %o: f32):
    %s = arith.addf %a, %bb : f32
    %m = arith.maximumf %s, {11} : f32
    linalg.yield %m : f32
  } -> tensor<1x{3}x{5}x{6}xf32>
  return %r : tensor<1x{3}x{5}x{6}xf32>
})",
             s.c, s.h, s.w, s.f, s.k, oh, ow, s.pad, ph, pw, s.stride,
             relu ? "%z" : "%s")
      .str();
}

std::vector<float> convReference(const ConvShape &s, const Tensor &x,
                                 const Tensor &w, const Tensor &b) {
  int64_t oh = (s.h + 2 * s.pad - s.k) / s.stride + 1;
  int64_t ow = (s.w + 2 * s.pad - s.k) / s.stride + 1;
  std::vector<float> out;
  for (int64_t f = 0; f < s.f; ++f) {
    for (int64_t y = 0; y < oh; ++y) {
      for (int64_t q = 0; q < ow; ++q) {
        double sum = b.f32[f];
        for (int64_t c = 0; c < s.c; ++c) {
          for (int64_t i = 0; i < s.k; ++i) {
            for (int64_t j = 0; j < s.k; ++j) {
              int64_t yy = y * s.stride + i - s.pad;
              int64_t xx = q * s.stride + j - s.pad;
              if (yy >= 0 && yy < s.h && xx >= 0 && xx < s.w) {
                sum += double(x.f32[(c * s.h + yy) * s.w + xx]) *
                       w.f32[((f * s.c + c) * s.k + i) * s.k + j];
              }
            }
          }
        }
        out.push_back(std::max(0.0, sum));
      }
    }
  }
  return out;
}

class CpuConv : public testing::TestWithParam<ConvShape> {};

TEST_P(CpuConv, EqualsTheDefinition) {
  ConvShape s = GetParam();
  Tensor x = Tensor::random({1, s.c, s.h, s.w}, 1);
  Tensor w = Tensor::random({s.f, s.c, s.k, s.k}, 2);
  Tensor b = Tensor::random({s.f}, 3);
  std::vector<float> expected = convReference(s, x, w, b);
  int64_t oh = (s.h + 2 * s.pad - s.k) / s.stride + 1;
  int64_t ow = (s.w + 2 * s.pad - s.k) / s.stride + 1;
  Tensor out = Tensor::zeros({1, s.f, oh, ow});
  ASSERT_EQ(test::runCpu(convDispatch(s, true), {&x, &w, &b, &out}), "");
  // Rounding of k*k*c products in another order, relative to their size.
  double tolerance = 1e-6 * std::sqrt(double(s.c * s.k * s.k)) * 4;
  for (size_t i = 0; i < expected.size(); ++i) {
    ASSERT_NEAR(out.f32[i], expected[i], tolerance) << "element " << i;
  }
}

INSTANTIATE_TEST_SUITE_P(Shapes, CpuConv,
                         testing::Values(ConvShape{8, 14, 14, 16, 3, 1, 1},
                                         ConvShape{3, 17, 13, 5, 5, 2, 2},
                                         ConvShape{4, 7, 7, 33, 1, 1, 0},
                                         ConvShape{1, 28, 28, 8, 5, 1, 2},
                                         ConvShape{6, 9, 31, 20, 3, 2, 0}));

TEST(CpuPipeline, MatmulWithTails) {
  const int64_t m = 13, n = 37, k = 29;
  std::string text = llvm::formatv(R"(
func.func private @mm(%a: tensor<{0}x{2}xf32>, %b: tensor<{2}x{1}xf32>) -> tensor<{0}x{1}xf32> attributes {{plan.dispatch} {{
  %z = arith.constant 0.0 : f32
  %e = tensor.empty() : tensor<{0}x{1}xf32>
  %f = linalg.fill ins(%z : f32) outs(%e : tensor<{0}x{1}xf32>) -> tensor<{0}x{1}xf32>
  %c = linalg.matmul ins(%a, %b : tensor<{0}x{2}xf32>, tensor<{2}x{1}xf32>) outs(%f : tensor<{0}x{1}xf32>) -> tensor<{0}x{1}xf32>
  return %c : tensor<{0}x{1}xf32>
})",
                                   m, n, k);
  Tensor a = Tensor::random({m, k}, 4), b = Tensor::random({k, n}, 5);
  Tensor out = Tensor::zeros({m, n});
  ASSERT_EQ(test::runCpu(text, {&a, &b, &out}), "");
  for (int64_t i = 0; i < m; ++i) {
    for (int64_t j = 0; j < n; ++j) {
      double sum = 0;
      for (int64_t p = 0; p < k; ++p) {
        sum += double(a.f32[i * k + p]) * b.f32[p * n + j];
      }
      ASSERT_NEAR(out.f32[i * n + j], sum, 1e-5) << i << "," << j;
    }
  }
}

TEST(CpuPipeline, RowSumAndExpAlongTheLastDimension) {
  std::string text = R"(
func.func private @sumexp(%x: tensor<5x77xf32>) -> tensor<5xf32> attributes {plan.dispatch} {
  %z = arith.constant 0.0 : f32
  %e = tensor.empty() : tensor<5xf32>
  %f = linalg.fill ins(%z : f32) outs(%e : tensor<5xf32>) -> tensor<5xf32>
  %r = linalg.generic {indexing_maps = [affine_map<(i,j)->(i,j)>, affine_map<(i,j)->(i)>], iterator_types = ["parallel","reduction"]} ins(%x : tensor<5x77xf32>) outs(%f : tensor<5xf32>) {
  ^bb0(%a: f32, %o: f32):
    %t = math.exp %a : f32
    %s = arith.addf %o, %t : f32
    linalg.yield %s : f32
  } -> tensor<5xf32>
  return %r : tensor<5xf32>
})";
  Tensor x = Tensor::random({5, 77}, 6), out = Tensor::zeros({5});
  ASSERT_EQ(test::runCpu(text, {&x, &out}), "");
  for (int i = 0; i < 5; ++i) {
    double sum = 0;
    for (int j = 0; j < 77; ++j) {
      sum += std::exp(double(x.f32[i * 77 + j]));
    }
    EXPECT_NEAR(out.f32[i], sum, 1e-5 * sum);
  }
}

TEST(CpuPipeline, MeanOverThePixelsOfEachChannel) {
  std::string text = R"(
func.func private @gap(%x: tensor<1x19x7x7xf32>) -> tensor<1x19xf32> attributes {plan.dispatch} {
  %z = arith.constant 0.0 : f32
  %s = arith.constant 49.0 : f32
  %e = tensor.empty() : tensor<1x19xf32>
  %f = linalg.fill ins(%z : f32) outs(%e : tensor<1x19xf32>) -> tensor<1x19xf32>
  %r = linalg.generic {indexing_maps = [affine_map<(n,c,h,w)->(n,c,h,w)>, affine_map<(n,c,h,w)->(n,c)>], iterator_types = ["parallel","parallel","reduction","reduction"]} ins(%x : tensor<1x19x7x7xf32>) outs(%f : tensor<1x19xf32>) {
  ^bb0(%a: f32, %o: f32):
    %t = arith.addf %a, %o : f32
    linalg.yield %t : f32
  } -> tensor<1x19xf32>
  %m = linalg.generic {indexing_maps = [affine_map<(n,c)->(n,c)>, affine_map<(n,c)->(n,c)>], iterator_types = ["parallel","parallel"]} ins(%r : tensor<1x19xf32>) outs(%e : tensor<1x19xf32>) {
  ^bb0(%a: f32, %o: f32):
    %t = arith.divf %a, %s : f32
    linalg.yield %t : f32
  } -> tensor<1x19xf32>
  return %m : tensor<1x19xf32>
})";
  Tensor x = Tensor::random({1, 19, 7, 7}, 8), out = Tensor::zeros({1, 19});
  ASSERT_EQ(test::runCpu(text, {&x, &out}), "");
  for (int c = 0; c < 19; ++c) {
    double sum = 0;
    for (int i = 0; i < 49; ++i) {
      sum += x.f32[c * 49 + i];
    }
    EXPECT_NEAR(out.f32[c], sum / 49, 1e-6) << c;
  }
}

TEST(CpuPipeline, MatmulWithATransposedRightSide) {
  const int64_t m = 3, n = 21, k = 53;
  std::string text = R"(
func.func private @mm(%a: tensor<3x53xf32>, %b: tensor<21x53xf32>) -> tensor<3x21xf32> attributes {plan.dispatch} {
  %z = arith.constant 0.0 : f32
  %e = tensor.empty() : tensor<3x21xf32>
  %f = linalg.fill ins(%z : f32) outs(%e : tensor<3x21xf32>) -> tensor<3x21xf32>
  %c = linalg.matmul indexing_maps = [affine_map<(m,n,k)->(m,k)>, affine_map<(m,n,k)->(n,k)>, affine_map<(m,n,k)->(m,n)>] ins(%a, %b : tensor<3x53xf32>, tensor<21x53xf32>) outs(%f : tensor<3x21xf32>) -> tensor<3x21xf32>
  return %c : tensor<3x21xf32>
})";
  Tensor a = Tensor::random({m, k}, 9), b = Tensor::random({n, k}, 10);
  Tensor out = Tensor::zeros({m, n});
  ASSERT_EQ(test::runCpu(text, {&a, &b, &out}), "");
  for (int64_t i = 0; i < m; ++i) {
    for (int64_t j = 0; j < n; ++j) {
      double sum = 0;
      for (int64_t p = 0; p < k; ++p) {
        sum += double(a.f32[i * k + p]) * b.f32[j * k + p];
      }
      ASSERT_NEAR(out.f32[i * n + j], sum, 1e-5) << i << "," << j;
    }
  }
}

TEST(CpuPipeline, TransposeGathersLanes) {
  std::string text = R"(
func.func private @t(%x: tensor<19x35xf32>) -> tensor<35x19xf32> attributes {plan.dispatch} {
  %e = tensor.empty() : tensor<35x19xf32>
  %r = linalg.transpose ins(%x : tensor<19x35xf32>) outs(%e : tensor<35x19xf32>) permutation = [1, 0]
  return %r : tensor<35x19xf32>
})";
  Tensor x = Tensor::random({19, 35}, 7), out = Tensor::zeros({35, 19});
  ASSERT_EQ(test::runCpu(text, {&x, &out}), "");
  for (int i = 0; i < 19; ++i) {
    for (int j = 0; j < 35; ++j) {
      ASSERT_EQ(out.f32[j * 19 + i], x.f32[i * 35 + j]);
    }
  }
}

TEST(CpuPipeline, AnUnknownCpuIsAUsageError) {
  mlir::MLIRContext context;
  auto target = target::resolveCpuTarget("no-such-cpu");
  ASSERT_FALSE(target);
  EXPECT_EQ(exitCode(target.status().code()), 2);
}

TEST(CpuPipeline, ACpuBelowTheBaselineIsRefused) {
  auto target = target::resolveCpuTarget("x86-64-v2");
  ASSERT_FALSE(target);
  EXPECT_EQ(exitCode(target.status().code()), 4);
}

} // namespace
} // namespace kiln
