// SPDX-License-Identifier: Apache-2.0
//
// Whole kernels of npu commands through the command-level pipeline, on the
// functional engine in its three orders with every check on. Data are small
// integers, so that every reference is exact.
#include "tests/unit/compiler/npu/kernel_runner.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace kiln::test {
namespace {

using pipeline::NpuSync;
using sim::Order;

constexpr char kKernels[] = "tests/unit/compiler/npu/kernels/";

struct Case {
  NpuSync sync;
  Order order;
};

class NpuKernels : public testing::TestWithParam<Case> {
protected:
  /// Compiles `file` and runs it; the last binding is the output.
  Bytes run(const std::string &file, const std::vector<Bytes> &bindings) {
    KernelRunner runner(kKernels + file);
    const Status compiled = runner.compile(GetParam().sync);
    EXPECT_TRUE(compiled) << compiled.message();
    if (!compiled) {
      return {};
    }
    KernelRun run = runner.run(bindings, GetParam().order);
    EXPECT_TRUE(run.status) << run.status.message();
    for (const sim::Finding &finding : run.report.findings) {
      ADD_FAILURE() << finding.text;
    }
    return run.bindings.back();
  }
};

/// Integers from -range to range.
std::vector<_Float16> integers(size_t count, int range, unsigned seed) {
  std::vector<_Float16> values(count);
  for (_Float16 &value : values) {
    seed = seed * 1664525u + 1013904223u;
    value = static_cast<_Float16>(
        static_cast<int>(seed >> 20) % (2 * range + 1) - range);
  }
  return values;
}

/// Row-major [K,N] -> [K1,N1,16,C0].
std::vector<_Float16> fractalZ(const std::vector<_Float16> &b, int k, int n) {
  const int k1 = (k + 15) / 16, n1 = (n + 15) / 16;
  std::vector<_Float16> packed(k1 * n1 * 256);
  for (int i = 0; i < k; ++i) {
    for (int j = 0; j < n; ++j) {
      packed[((i / 16 * n1 + j / 16) * 16 + j % 16) * 16 + i % 16] =
          b[i * n + j];
    }
  }
  return packed;
}

std::vector<float> matmul(const std::vector<_Float16> &a,
                          const std::vector<_Float16> &b, int m, int n, int k) {
  std::vector<float> c(m * n);
  for (int i = 0; i < m; ++i) {
    for (int p = 0; p < k; ++p) {
      for (int j = 0; j < n; ++j) {
        c[i * n + j] +=
            static_cast<float>(a[i * k + p]) * static_cast<float>(b[p * n + j]);
      }
    }
  }
  return c;
}

TEST_P(NpuKernels, VectorAddWithATail) {
  const auto x = integers(10000, 500, 1), y = integers(10000, 500, 2);
  std::vector<_Float16> expected(10000);
  for (size_t i = 0; i < expected.size(); ++i) {
    expected[i] = x[i] + y[i];
  }
  const Bytes z = run("vadd.mlir", {bytesOf(x), bytesOf(y), Bytes(20000)});
  EXPECT_EQ(z, bytesOf(expected));
}

TEST_P(NpuKernels, OneTileMatmul) {
  const auto a = integers(64 * 64, 8, 3), b = integers(64 * 64, 8, 4);
  const Bytes c = run("gemm64.mlir", {bytesOf(a), bytesOf(fractalZ(b, 64, 64)),
                                      Bytes(64 * 64 * 4)});
  EXPECT_EQ(c, bytesOf(matmul(a, b, 64, 64, 64)));
}

TEST_P(NpuKernels, TiledMatmulWithBiasAndTails) {
  const auto a = integers(100 * 200, 3, 5), b = integers(200 * 96, 3, 6);
  std::vector<float> bias(96);
  for (int j = 0; j < 96; ++j) {
    bias[j] = static_cast<float>(j - 48);
  }
  const auto product = matmul(a, b, 100, 96, 200);
  std::vector<_Float16> expected(100 * 96);
  for (size_t i = 0; i < expected.size(); ++i) {
    expected[i] =
        static_cast<_Float16>(std::max(product[i] + bias[i % 96], 0.0f));
  }
  const Bytes y =
      run("gemm_tiled.mlir", {bytesOf(a), bytesOf(fractalZ(b, 200, 96)),
                              bytesOf(bias), Bytes(100 * 96 * 2)});
  EXPECT_EQ(y, bytesOf(expected));
}

INSTANTIATE_TEST_SUITE_P(
    Orders, NpuKernels,
    testing::Values(Case{NpuSync::kFlags, Order::kEager},
                    Case{NpuSync::kFlags, Order::kLazy},
                    Case{NpuSync::kFlags, Order::kRandom},
                    Case{NpuSync::kBarrierAll, Order::kEager},
                    Case{NpuSync::kBarrierAll, Order::kLazy},
                    Case{NpuSync::kBarrierAll, Order::kRandom}));

} // namespace
} // namespace kiln::test
