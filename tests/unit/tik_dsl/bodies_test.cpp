// SPDX-License-Identifier: Apache-2.0
//
// Operators that have a body and no kernel: every form that a body may have is
// run on the CPU device, and on the NPU where its compiler takes the form, and
// compared with a reference in plain C++.
#include "tests/unit/tik_dsl/inline_operator.h"
#include "tools/engine/device_body_runner.h"

#include <cmath>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace kiln::tik {
namespace {

OperatorReport testBody(const InlineFunctions &functions) {
  Result<isa::ArchSpec> k1 = isa::loadArchSpec("k1");
  Result<Operator> op = inlineOperator(functions);
  if (!k1 || !op) {
    ADD_FAILURE() << k1.status().message() << op.status().message();
    return {};
  }
  tools::DeviceBodyRunner cpu("cpu"), npu("npu:functional");
  TestOptions options;
  options.arch = &*k1;
  options.bodyRunner = &cpu;
  options.npuBodyRunner = &npu;
  Result<OperatorReport> report = testOperator(*op, options);
  if (!report) {
    ADD_FAILURE() << report.status().message();
    return {};
  }
  for (const ShapeReport &shape : report->shapes) {
    EXPECT_FALSE(shape.bodies.empty());
    EXPECT_EQ(shape.bodies.front().device, "cpu");
    for (const std::string &problem : shape.problems) {
      ADD_FAILURE() << shape.shape << ": " << problem;
    }
  }
  return *report;
}

/// Whether the NPU took the first shape.
bool onNpu(const OperatorReport &report) {
  return !report.shapes.empty() && report.shapes[0].bodies.size() == 2;
}

TEST(Bodies, ElementwiseOnTensors) {
  const auto report =
      testBody({[](Declaration &d) {
                  d.name("op", "")
                      .input("x", f32, {"M", "N"})
                      .output("y", f32, {"M", "N"});
                  d.shape({{"M", 5}, {"N", 100}}).edge({{"M", 1}, {"N", 1}});
                  d.tolerance(f32, 1e-5, 1e-6, "a polynomial of 4 ULP");
                  d.body(R"mlir(
  func.func @silu(%x: tensor<?x?xf32>) -> tensor<?x?xf32> {
    %one = arith.constant dense<1.0> : tensor<{M}x{N}xf32>
    %some = tensor.cast %one : tensor<{M}x{N}xf32> to tensor<?x?xf32>
    %n = arith.negf %x : tensor<?x?xf32>
    %e = math.exp %n : tensor<?x?xf32>
    %d = arith.addf %e, %some : tensor<?x?xf32>
    %y = arith.divf %x, %d : tensor<?x?xf32>
    return %y : tensor<?x?xf32>
  })mlir");
                },
                nullptr,
                [](const Reference &r) {
                  for (int64_t i = 0; i < r["y"].size(); ++i) {
                    r["y"][i] = r["x"][i] / (1 + std::exp(-r["x"][i]));
                  }
                }});
  EXPECT_TRUE(onNpu(report)) << report.shapes[0].remarks.at(0);
}

TEST(Bodies, ContractionWithWhatFollows) {
  const auto report = testBody(
      {[](Declaration &d) {
         d.name("op", "")
             .input("a", f16, {"M", "K"})
             .input("b", f16, {"K", "N"});
         d.input("bias", f32, {"N"}).output("c", f16, {"M", "N"});
         d.shape({{"M", 33}, {"N", 40}, {"K", 48}});
         d.tolerance(f16, 1e-3, 1e-3, "fp32 inside, one rounding to 11 bits");
         d.body(R"mlir(
  func.func @matmul(%a: tensor<?x?xf16>, %b: tensor<?x?xf16>,
                    %bias: tensor<?xf32>) -> tensor<{M}x{N}xf16> {
    %zero = arith.constant 0.0 : f32
    %e = tensor.empty() : tensor<{M}x{N}xf32>
    %f = linalg.fill ins(%zero : f32) outs(%e : tensor<{M}x{N}xf32>)
        -> tensor<{M}x{N}xf32>
    %m = linalg.matmul ins(%a, %b : tensor<?x?xf16>, tensor<?x?xf16>)
                       outs(%f : tensor<{M}x{N}xf32>) -> tensor<{M}x{N}xf32>
    %o = tensor.empty() : tensor<{M}x{N}xf16>
    %c = linalg.generic {
        indexing_maps = [affine_map<(i, j) -> (i, j)>, affine_map<(i, j) -> (j)>,
                         affine_map<(i, j) -> (i, j)>],
        iterator_types = ["parallel", "parallel"]}
        ins(%m, %bias : tensor<{M}x{N}xf32>, tensor<?xf32>)
        outs(%o : tensor<{M}x{N}xf16>) {
    ^bb0(%x: f32, %y: f32, %unused: f16):
      %s = arith.addf %x, %y : f32
      %r = arith.maximumf %s, %zero : f32
      %h = arith.truncf %r : f32 to f16
      linalg.yield %h : f16
    } -> tensor<{M}x{N}xf16>
    return %c : tensor<{M}x{N}xf16>
  })mlir");
       },
       nullptr,
       [](const Reference &r) {
         const int64_t m = r["a"].dim(0), k = r["a"].dim(1), n = r["b"].dim(1);
         for (int64_t i = 0; i < m * n; ++i) {
           double sum = r["bias"][i % n];
           for (int64_t p = 0; p < k; ++p) {
             sum += r["a"][i / n * k + p] * r["b"][p * n + i % n];
           }
           r["c"][i] = std::max(sum, 0.0);
         }
       }});
  EXPECT_TRUE(onNpu(report)) << report.shapes[0].remarks.at(0);
}

TEST(Bodies, ReductionAndNamedOperations) {
  (void)testBody({[](Declaration &d) {
                    d.name("op", "")
                        .input("x", f32, {"M", "N"})
                        .output("y", f32, {"M", "N"});
                    d.shape({{"M", 7}, {"N", 65}}).edge({{"M", 1}, {"N", 1}});
                    d.tolerance(f32, 1e-5, 1e-6,
                                "sums of 65 in fp32, an exp of 4 ULP");
                    d.body(R"mlir(
  func.func @softmax(%x: tensor<{M}x{N}xf32>) -> tensor<{M}x{N}xf32> {
    %e = tensor.empty() : tensor<{M}x{N}xf32>
    %y = linalg.softmax dimension(1) ins(%x : tensor<{M}x{N}xf32>)
        outs(%e : tensor<{M}x{N}xf32>) -> tensor<{M}x{N}xf32>
    return %y : tensor<{M}x{N}xf32>
  })mlir");
                  },
                  nullptr,
                  [](const Reference &r) {
                    const int64_t n = r["x"].dim(1);
                    for (int64_t i = 0; i < r["x"].size(); ++i) {
                      double sum = 0;
                      for (int64_t j = 0; j < n; ++j) {
                        sum += std::exp(r["x"][i / n * n + j]);
                      }
                      r["y"][i] = std::exp(r["x"][i]) / sum;
                    }
                  }});
}

TEST(Bodies, MovementTablesAndTwoOutputs) {
  (void)testBody(
      {[](Declaration &d) {
         d.name("op", "").input("x", f32, {4, 6});
         d.output("y", f32, {8, 6}).output("z", f32, {6, 4}).shape({});
         d.body(R"mlir(
  func.func @move(%x: tensor<4x6xf32>) -> (tensor<8x6xf32>, tensor<6x4xf32>) {
    %zero = arith.constant 0.0 : f32
    %table = arith.constant dense<[1.0, 2.0, 3.0, 4.0]> : tensor<4xf32>
    %upper = tensor.extract_slice %x[0, 0] [2, 6] [1, 1]
        : tensor<4x6xf32> to tensor<2x6xf32>
    %odd = tensor.extract_slice %x[0, 1] [2, 3] [1, 2]
        : tensor<4x6xf32> to tensor<2x3xf32>
    %wide = tensor.pad %odd low[0, 1] high[0, 2] {
    ^bb0(%i: index, %j: index):
      tensor.yield %zero : f32
    } : tensor<2x3xf32> to tensor<2x6xf32>
    %both = tensor.concat dim(0) %upper, %wide
        : (tensor<2x6xf32>, tensor<2x6xf32>) -> tensor<4x6xf32>
    %e8 = tensor.empty() : tensor<8x6xf32>
    %f8 = linalg.fill ins(%zero : f32) outs(%e8 : tensor<8x6xf32>)
        -> tensor<8x6xf32>
    %y = tensor.insert_slice %both into %f8[2, 0] [4, 6] [1, 1]
        : tensor<4x6xf32> into tensor<8x6xf32>
    %e = tensor.empty() : tensor<6x4xf32>
    %t = linalg.transpose ins(%x : tensor<4x6xf32>)
        outs(%e : tensor<6x4xf32>) permutation = [1, 0]
    %b = linalg.broadcast ins(%table : tensor<4xf32>)
        outs(%e : tensor<6x4xf32>) dimensions = [0]
    %z = arith.mulf %t, %b : tensor<6x4xf32>
    return %y, %z : tensor<8x6xf32>, tensor<6x4xf32>
  })mlir");
       },
       nullptr,
       [](const Reference &r) {
         for (int64_t i = 0; i < 24; ++i) {
           r["z"][i] =
               r["x"][i % 4 * 6 + i / 4] * static_cast<double>(1 + i % 4);
         }
         for (int64_t i = 0; i < 12; ++i) {
           r["y"][12 + i] = r["x"][i];
         }
         for (int64_t i = 0; i < 6; ++i) {
           r["y"][24 + i / 3 * 6 + 1 + i % 3] =
               r["x"][i / 3 * 6 + 1 + 2 * (i % 3)];
         }
       }});
}

TEST(Bodies, IntegersIndicesAndConditions) {
  (void)testBody({[](Declaration &d) {
                    d.name("op", "").input("x", i32, {"N"}, {-100, 100});
                    d.output("y", i32, {"N"}).shape({{"N", 50}});
                    d.body(R"mlir(
  func.func @mask(%x: tensor<?xi32>) -> tensor<?xi32> {
    %c = arith.constant dense<10> : tensor<{N}xi32>
    %limit = tensor.cast %c : tensor<{N}xi32> to tensor<?xi32>
    %less = arith.cmpi slt, %x, %limit : tensor<?xi32>
    %s = arith.select %less, %x, %limit : tensor<?xi1>, tensor<?xi32>
    %0 = arith.constant 0 : index
    %n = tensor.dim %x, %0 : tensor<?xi32>
    %e = tensor.empty(%n) : tensor<?xi32>
    %y = linalg.generic {
        indexing_maps = [affine_map<(i) -> (i)>, affine_map<(i) -> (i)>],
        iterator_types = ["parallel"]}
        ins(%s : tensor<?xi32>) outs(%e : tensor<?xi32>) {
    ^bb0(%a: i32, %o: i32):
      %i = linalg.index 0 : index
      %k = arith.index_cast %i : index to i32
      %r = arith.addi %a, %k : i32
      linalg.yield %r : i32
    } -> tensor<?xi32>
    return %y : tensor<?xi32>
  })mlir");
                  },
                  nullptr,
                  [](const Reference &r) {
                    for (int64_t i = 0; i < r["y"].size(); ++i) {
                      r["y"][i] =
                          std::min(r["x"][i], 10.0) + static_cast<double>(i);
                    }
                  }});
}

TEST(Bodies, WhatIsNotComputedIsCopied) {
  (void)testBody(
      {[](Declaration &d) {
         d.name("op", "").input("x", f16, {4}).input("y", f16, {4, 4});
         d.output("same", f16, {4}).output("again", f16, {4});
         d.output("filled", f16, {2, 2}).output("sum", f16, {4}).shape({});
         d.tolerance(f16, 1e-3, 1e-3, "sums of five in 11 bits");
         d.body(R"mlir(
  func.func @copy(%x: tensor<4xf16>, %y: tensor<4x4xf16>)
      -> (tensor<4xf16>, tensor<4xf16>, tensor<2x2xf16>, tensor<4xf16>) {
    %three = arith.constant 3.0 : f16
    %e = tensor.empty() : tensor<4xf16>
    %f = linalg.fill ins(%three : f16) outs(%e : tensor<4xf16>) -> tensor<4xf16>
    %v = tensor.expand_shape %f [[0, 1]] output_shape [2, 2]
        : tensor<4xf16> into tensor<2x2xf16>
    %s = linalg.reduce { arith.addf } ins(%y : tensor<4x4xf16>)
        outs(%x : tensor<4xf16>) dimensions = [1]
    return %x, %x, %v, %s
        : tensor<4xf16>, tensor<4xf16>, tensor<2x2xf16>, tensor<4xf16>
  })mlir");
       },
       nullptr,
       [](const Reference &r) {
         for (int64_t i = 0; i < 4; ++i) {
           r["same"][i] = r["again"][i] = r["sum"][i] = r["x"][i];
           r["filled"][i] = 3;
           for (int64_t j = 0; j < 4; ++j) {
             r["sum"][i] += r["y"][4 * i + j];
           }
         }
       }});
}

TEST(Bodies, AWrongBodyIsFound) {
  current() = {[](Declaration &d) {
                 d.name("op", "").input("x", f16, {8}).output("y", f16, {8});
                 d.shape({}).body(R"mlir(
  func.func @twice(%x: tensor<8xf16>) -> tensor<8xf16> {
    %y = arith.addf %x, %x : tensor<8xf16>
    return %y : tensor<8xf16>
  })mlir");
               },
               nullptr,
               [](const Reference &r) {
                 for (int64_t i = 0; i < 8; ++i) {
                   r["y"][i] = i == 5 ? r["x"][i] : 2 * r["x"][i];
                 }
               }};
  Result<Operator> op = Operator::declare(inlineEntry, "inline.cpp");
  ASSERT_TRUE(op) << op.status().message();
  Result<isa::ArchSpec> k1 = isa::loadArchSpec("k1");
  tools::DeviceBodyRunner cpu("cpu");
  TestOptions options;
  options.arch = &*k1;
  options.bodyRunner = &cpu;
  const auto report = testOperator(*op, options);
  ASSERT_TRUE(report) << report.status().message();
  EXPECT_FALSE(report->passed());
  EXPECT_THAT(report->shapes[0].problems,
              testing::ElementsAre(testing::StartsWith(
                  "body on cpu: 1 of 8 elements are outside the tolerance; "
                  "worst y[5]")));
  EXPECT_EQ(report->shapes[0].code, StatusCode::kMismatch);
  EXPECT_THAT(toText(*report), testing::HasSubstr("\n  body on cpu  FAIL "));
}

} // namespace
} // namespace kiln::tik
