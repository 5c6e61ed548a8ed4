// SPDX-License-Identifier: Apache-2.0
//
// Convolutions from the scheduling form to bits on the functional engine. Data
// are small integers, so that every sum is exact in any order and the expected
// bits are those of the definition.
#include "tests/unit/compiler/npu_schedule/schedule_runner.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

namespace kiln::test {
namespace {

struct Conv {
  int64_t channels, height, width, filters, kernel, stride, pad;
  bool half = true;
  int64_t cores = 1;

  int64_t c0() const { return half ? 16 : 8; }
  int64_t c1() const { return (channels + c0() - 1) / c0(); }
  int64_t n() const { return (filters + c0() - 1) / c0() * c0(); }
  int64_t nPadded() const { return (n() + 15) / 16 * 16; }
  int64_t oh() const { return (height + 2 * pad - kernel) / stride + 1; }
  int64_t ow() const { return (width + 2 * pad - kernel) / stride + 1; }
  int64_t m() const { return oh() * ow(); }
  int64_t k1() const { return c1() * kernel * kernel; }
};

std::string text(const Conv &c) {
  const char *e = c.half ? "f16" : "f32";
  std::string image =
      fmt::format("{}x{}x{}x{}x{}", c.c1(), c.height, c.width, c.c0(), e);
  std::string weights =
      fmt::format("{}x{}x{}x{}", c.k1(), c.nPadded(), c.c0(), e);
  std::string a = fmt::format("{}x{}x{}", c.m(), c.k1() * c.c0(), e);
  std::string b = fmt::format("{}x{}x{}", c.k1() * c.c0(), c.n(), e);
  std::string acc = fmt::format("{}x{}xf32", c.m(), c.n());
  std::string out =
      fmt::format("{}x{}x{}x{}", c.n() / c.c0(), c.m(), c.c0(), e);
  std::string body =
      c.half ? "%t = arith.truncf %p : f32 to f16\n linalg.yield %t : f16"
             : "linalg.yield %p : f32";
  return fmt::format(
      R"(
func.func @conv(%mx: memref<{image}>, %mw: memref<{weights}>,
    %mb: memref<{n}xf32>, %out: memref<{out}>) attributes {{npu.kernel}} {{
  %c0 = arith.constant 0 : index
  %top = arith.constant {pad} : index
  %zero = arith.constant 0.0 : f32
  %x = bufferization.to_tensor %mx restrict : memref<{image}> to tensor<{image}>
  %w = bufferization.to_tensor %mw restrict : memref<{weights}> to tensor<{weights}>
  %bias = bufferization.to_tensor %mb restrict : memref<{n}xf32> to tensor<{n}xf32>
  %ea = tensor.empty() : tensor<{a}>
  %a = npu.im2col %x pad_top %top from [%c0, %c0] into %ea {{ow = {ow} : i64,
    kernel = array<i64: {kernel}, {kernel}>, stride = array<i64: {stride}, {stride}>,
    dilation = array<i64: 1, 1>, pad_left = {pad} : i64, c_valid = {channels} : i64}}
    : tensor<{image}>, tensor<{a}> -> tensor<{a}>
  %eb = tensor.empty() : tensor<{b}>
  %b = npu.unpack %w into %eb {{kind = "columns"}}
    : tensor<{weights}>, tensor<{b}> -> tensor<{b}>
  %ec = tensor.empty() : tensor<{acc}>
  %i = linalg.broadcast ins(%bias : tensor<{n}xf32>) outs(%ec : tensor<{acc}>) dimensions = [0]
  %c = linalg.matmul ins(%a, %b : tensor<{a}>, tensor<{b}>)
    outs(%i : tensor<{acc}>) -> tensor<{acc}>
  %eo = tensor.empty() : tensor<{out}>
  %r = linalg.generic {{indexing_maps = [
      affine_map<(n1, m, c0) -> (m, n1 * {block} + c0)>,
      affine_map<(n1, m, c0) -> (n1, m, c0)>],
      iterator_types = ["parallel", "parallel", "parallel"]}}
      ins(%c : tensor<{acc}>) outs(%eo : tensor<{out}>) attrs = {{npu.root}} {{
    ^bb0(%v: f32, %o: {e}):
      %p = arith.maximumf %v, %zero : f32
      {body}
  }} -> tensor<{out}>
  bufferization.materialize_in_destination %r in restrict writable %out
    : (tensor<{out}>, memref<{out}>) -> ()
  return
}})",
      fmt::arg("image", image), fmt::arg("weights", weights),
      fmt::arg("n", c.n()), fmt::arg("out", out), fmt::arg("pad", c.pad),
      fmt::arg("a", a), fmt::arg("b", b), fmt::arg("acc", acc),
      fmt::arg("ow", c.ow()), fmt::arg("kernel", c.kernel),
      fmt::arg("stride", c.stride), fmt::arg("channels", c.channels),
      fmt::arg("block", c.c0()), fmt::arg("e", e), fmt::arg("body", body));
}

int64_t smallInteger(int64_t seed) {
  uint64_t h = (seed + 1) * 0x9e3779b97f4a7c15u;
  return static_cast<int64_t>((h >> 40) % 5) - 2;
}

/// Values of [C1, H, W, C0]; lanes beyond the channels are NaN.
int64_t imageAt(const Conv &c, int64_t ch, int64_t h, int64_t w) {
  return smallInteger((ch * c.height + h) * c.width + w);
}
int64_t weightAt(const Conv &c, int64_t f, int64_t ch, int64_t h, int64_t w) {
  return smallInteger(((f * c.channels + ch) * c.kernel + h) * c.kernel + w +
                      7777777);
}
int64_t biasAt(int64_t f) { return smallInteger(f + 99) * 10; }

template <typename T> std::vector<T> imageOf(const Conv &c) {
  std::vector<T> x(c.c1() * c.height * c.width * c.c0(),
                   static_cast<T>(__builtin_nanf("")));
  for (int64_t ch = 0; ch < c.channels; ++ch) {
    for (int64_t h = 0; h < c.height; ++h) {
      for (int64_t w = 0; w < c.width; ++w) {
        x[((ch / c.c0() * c.height + h) * c.width + w) * c.c0() + ch % c.c0()] =
            static_cast<T>(imageAt(c, ch, h, w));
      }
    }
  }
  return x;
}

template <typename T> std::vector<T> weightsOf(const Conv &c) {
  std::vector<T> packed(c.k1() * c.nPadded() * c.c0());
  for (int64_t f = 0; f < c.filters; ++f) {
    for (int64_t ch = 0; ch < c.channels; ++ch) {
      for (int64_t h = 0; h < c.kernel; ++h) {
        for (int64_t w = 0; w < c.kernel; ++w) {
          int64_t k1 = (ch / c.c0() * c.kernel + h) * c.kernel + w;
          packed[(k1 * c.nPadded() + f) * c.c0() + ch % c.c0()] =
              static_cast<T>(weightAt(c, f, ch, h, w));
        }
      }
    }
  }
  return packed;
}

/// Straight from the definition, exact in 64 bits.
template <typename T> std::vector<T> expected(const Conv &c) {
  std::vector<T> out(c.n() * c.m());
  for (int64_t f = 0; f < c.filters; ++f) {
    for (int64_t m = 0; m < c.m(); ++m) {
      int64_t sum = biasAt(f);
      for (int64_t ch = 0; ch < c.channels; ++ch) {
        for (int64_t kh = 0; kh < c.kernel; ++kh) {
          for (int64_t kw = 0; kw < c.kernel; ++kw) {
            int64_t h = m / c.ow() * c.stride + kh - c.pad;
            int64_t w = m % c.ow() * c.stride + kw - c.pad;
            if (h >= 0 && h < c.height && w >= 0 && w < c.width) {
              sum += imageAt(c, ch, h, w) * weightAt(c, f, ch, kh, kw);
            }
          }
        }
      }
      out[(f / c.c0() * c.m() + m) * c.c0() + f % c.c0()] =
          static_cast<T>(std::max<int64_t>(sum, 0));
    }
  }
  return out;
}

template <typename T> void check(const Conv &c) {
  ScheduleRunner runner(text(c), c.cores);
  ASSERT_TRUE(runner.lower()) << runner.error();
  std::vector<float> bias(c.n());
  for (int64_t f = 0; f < c.filters; ++f) {
    bias[f] = static_cast<float>(biasAt(f));
  }
  std::vector<T> want = expected<T>(c);
  KernelRun run = runner.run({bytesOf(imageOf<T>(c)), bytesOf(weightsOf<T>(c)),
                              bytesOf(bias), Bytes(want.size() * sizeof(T))});
  ASSERT_TRUE(run.status) << run.status.message() << runner.commands();
  for (const sim::Finding &finding : run.report.findings) {
    ADD_FAILURE() << finding.text << runner.schedule();
  }
  std::vector<T> got = valuesOf<T>(run.bindings.back());
  int64_t wrong = 0;
  for (int64_t f = 0; f < c.filters && wrong < 4; ++f) {
    for (int64_t m = 0; m < c.m() && wrong < 4; ++m) {
      int64_t at = (f / c.c0() * c.m() + m) * c.c0() + f % c.c0();
      if (std::memcmp(&got[at], &want[at], sizeof(T)) != 0) {
        ADD_FAILURE() << "filter " << f << " pixel " << m << ": "
                      << static_cast<float>(got[at]) << " instead of "
                      << static_cast<float>(want[at]) << "\n"
                      << runner.schedule();
        ++wrong;
      }
    }
  }
}

void check(const Conv &c) { c.half ? check<_Float16>(c) : check<float>(c); }

TEST(ConvKernel, TheFirstTargetInHalfPrecision) {
  check({64, 56, 56, 64, 3, 1, 1});
}

TEST(ConvKernel, TheFirstTargetInSinglePrecision) {
  check({64, 56, 56, 64, 3, 1, 1, false});
}

TEST(ConvKernel, StridesPadsAndKernels) {
  for (const Conv &c : std::vector<Conv>{{16, 7, 7, 64, 3, 1, 1},
                                         {32, 30, 30, 16, 5, 2, 2},
                                         {16, 29, 29, 32, 7, 2, 3},
                                         {48, 28, 28, 32, 1, 2, 0},
                                         {16, 15, 15, 16, 3, 1, 0},
                                         {16, 13, 13, 16, 3, 2, 1},
                                         {64, 9, 9, 128, 1, 1, 0}}) {
    check(c);
    Conv single = c;
    single.half = false;
    check(single);
  }
}

TEST(ConvKernel, ChannelsThatFillNoBlock) {
  check({3, 16, 16, 10, 3, 1, 1});
  check({3, 16, 16, 10, 3, 1, 1, false});
  check({1, 28, 28, 8, 5, 1, 2, false});
  check({20, 12, 12, 24, 3, 1, 1});
}

TEST(ConvKernel, SplitOverCores) {
  check({32, 28, 28, 64, 3, 1, 1, true, 6});
  check({32, 14, 14, 64, 3, 2, 1, false, 4});
}

} // namespace
} // namespace kiln::test
