// SPDX-License-Identifier: Apache-2.0
//
// Kernels that use the DSL's instructions beyond the examples, each against its
// reference in all orders with all checks; and proof that testOperator() finds
// what is wrong.
#include "tests/unit/tik_dsl/inline_operator.h"

#include <algorithm>
#include <cmath>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace kiln::tik {
namespace {

using testing::HasSubstr;

void expectPassed(const InlineFunctions &functions) {
  const OperatorReport report = testInline(functions);
  EXPECT_TRUE(!report.shapes.empty() && report.passed()) << toText(report);
}

//===----------------------------------------------------------------------===//
// Softmax of rows: reductions, broadcast, exp, reciprocal, two dimensions
//===----------------------------------------------------------------------===//

void declareSoftmax(Declaration &d) {
  d.name("softmax", "rows");
  d.input("x", f32, {"R", 80}, {-8, 8}).output("y", f32, {"R", 80});
  d.shape({{"R", 37}}).edge({{"R", 1}});
  d.tolerance(f32, 1e-5, 1e-7, "exp within 0.51 ULP, 80 additions");
}

void softmax(const Kernel &k) {
  const Tensor x = k.tensor("x"), y = k.tensor("y");
  const int64_t rows = x.dim(0), cols = 80, tile = 16;
  for (Index r : k.range(0, rows, tile).buffers(2)) {
    const Index n = min(tile, rows - r);
    const Buffer t = k.ub(f32, {tile, cols}, "t"),
                 e = k.ub(f32, {tile, 8}, "e");
    const Buffer w = k.ub(f32, {tile, cols}, "w");
    k.load(t, x.at(r, 0), {n, cols});
    k.rowMax(e, t, {n, cols});
    k.broadcast(w, e, {n, cols});
    k.expDifference(t, t, w, {n, cols});
    k.rowSum(e, t, {n, cols});
    k.broadcast(w, e, {n, cols});
    k.div(t, t, w, {n, cols});
    k.store(y.at(r, 0), t, {n, cols});
  }
}

void softmaxReference(const Reference &r) {
  const HostArray x = r["x"], y = r["y"];
  for (int64_t i = 0; i < x.dim(0); ++i) {
    double most = x[i * 80], sum = 0;
    for (int64_t j = 0; j < 80; ++j) {
      most = std::max(most, x[i * 80 + j]);
    }
    for (int64_t j = 0; j < 80; ++j) {
      sum += y[i * 80 + j] = std::exp(x[i * 80 + j] - most);
    }
    for (int64_t j = 0; j < 80; ++j) {
      y[i * 80 + j] /= sum;
    }
  }
}

TEST(Instructions, SoftmaxOfRows) {
  expectPassed({declareSoftmax, softmax, softmaxReference});
}

//===----------------------------------------------------------------------===//
// relu(A x B' + bias) * 0.5: bias table, transposed B, FIX options, fp32 cube
//===----------------------------------------------------------------------===//

void declareDense(Declaration &d) {
  d.name("dense", "relu(0.5 * (A x B' + bias))");
  d.input("a", f32, {"M", "K"}).input("b", f32, {"N", "K"});
  d.input("bias", f32, {"N"}).output("c", f16, {"M", "N"});
  d.shape({{"M", 30}, {"N", 50}, {"K", 40}})
      .edge({{"M", 1}, {"N", 1}, {"K", 1}});
  d.tolerance(f16, 1e-3, 1e-3, "one rounding to 11 bits after fp32");
}

void dense(const Kernel &k) {
  const Tensor a = k.tensor("a"), b = k.tensor("b"), c = k.tensor("c");
  const int64_t m = a.dim(0), kk = a.dim(1), n = b.dim(0);
  const Buffer aL1 = k.l1Nz(f32, m, kk, "aL1"), bL1 = k.l1Nz(f32, n, kk, "bL1");
  const Buffer biasL1 = k.l1(f32, {n}, "biasL1");
  const Buffer table = k.biasTable(f32, n, "table");
  const Buffer aL0 = k.l0a(f32, m, kk, "aL0"), bL0 = k.l0b(f32, kk, n, "bL0");
  const Buffer acc = k.l0c(f32, m, n, "acc");
  k.loadNz(aL1, a, {m, kk});
  k.loadNz(bL1, b, {n, kk});
  k.load(biasL1, k.tensor("bias"), n);
  k.loadBias(table, biasL1, n);
  k.loadA(aL0, aL1, {m, kk});
  k.loadBTransposed(bL0, bL1, {kk, n});
  k.mmadBias(acc, aL0, bL0, table, {m, n, kk}, false);
  k.fix(c, acc, {m, n}, {.relu = true, .scale = 0.5f});
}

void denseReference(const Reference &r) {
  const HostArray a = r["a"], b = r["b"], c = r["c"];
  for (int64_t i = 0; i < a.dim(0); ++i) {
    for (int64_t j = 0; j < b.dim(0); ++j) {
      double sum = r["bias"][j];
      for (int64_t p = 0; p < a.dim(1); ++p) {
        sum += a[i * a.dim(1) + p] * b[j * a.dim(1) + p];
      }
      c[i * b.dim(0) + j] = std::max(0.5 * sum, 0.0);
    }
  }
}

TEST(Instructions, DenseLayerInFp32) {
  expectPassed({declareDense, dense, denseReference});
}

//===----------------------------------------------------------------------===//
// Branches, the control core's reads and writes, run-time scalars
//===----------------------------------------------------------------------===//

void declareBranches(Declaration &d) {
  d.name("branches", "even tiles + first element, odd tiles * 2");
  d.input("x", i32, {256}, {-100, 100}).output("y", i32, {256});
  d.shape({});
}

void branches(const Kernel &k) {
  const Tensor x = k.tensor("x"), y = k.tensor("y");
  for (Index i : k.range(0, 256, 64).buffers(2)) {
    const Buffer t = k.ub(i32, {64}, "t");
    k.load(t, x.at(i), 64);
    const Index tile = i / 64;
    k.when(tile % 2 == 0 && !(tile == 2), [&] {
       k.adds(t, t, k.read(t), 64);
     }).otherwise([&] { k.muls(t, t, select(tile > 2, 2, 3), 64); });
    // What comes behind is outside, also where the result is kept.
    [[maybe_unused]] const auto second =
        k.when(i == 64, [&] { k.write(t.at(5), i + 7); });
    k.store(y.at(i), t, 64);
  }
}

void branchesReference(const Reference &r) {
  const HostArray x = r["x"], y = r["y"];
  for (int64_t i = 0; i < 256; ++i) {
    const int64_t tile = i / 64;
    y[i] = tile == 0 ? x[i] + x[0] : x[i] * (tile > 2 ? 2 : 3);
  }
  y[69] = 71;
}

TEST(Instructions, BranchesAndElementAccess) {
  expectPassed({declareBranches, branches, branchesReference});
}

//===----------------------------------------------------------------------===//
// Casts, scalar forms, column reductions, transposition, two products in L1
//===----------------------------------------------------------------------===//

void declareMixed(Declaration &d) {
  d.name("mixed", "y = sqrt(max(x, 0.25)) summed over rows; t = x transposed");
  d.input("x", f16, {16, 48}, {-2, 2});
  d.output("y", f32, {48}).output("t", f16, {48, 16});
  d.shape({});
  d.tolerance(f32, 1e-5, 1e-5, "sqrt and 16 additions in fp32");
  d.tolerance(f16, 0, 0, "moves only");
}

void mixed(const Kernel &k) {
  const Buffer x = k.ub(f16, {16, 48}, "x"), w = k.ub(f32, {16, 48}, "w");
  const Buffer sum = k.ub(f32, {48}, "sum"), t = k.ub(f16, {48, 16}, "t");
  k.load(x, k.tensor("x"), {16, 48});
  k.cast(w, x, {16, 48});
  k.maxs(w, w, 0.25, {16, 48});
  k.sqrt(w, w, {16, 48});
  k.sumOfRows(sum, w, {16, 48});
  k.store(k.tensor("y"), sum, 48);
  k.toBlocked(t, x, {16, 48});
  k.store(k.tensor("t"), t, {48, 16});
}

void mixedReference(const Reference &r) {
  const HostArray x = r["x"], y = r["y"], t = r["t"];
  for (int64_t j = 0; j < 48; ++j) {
    y[j] = 0;
    for (int64_t i = 0; i < 16; ++i) {
      y[j] += std::sqrt(std::max(x[i * 48 + j], 0.25));
      t[j * 16 + i] = x[i * 48 + j];
    }
  }
}

TEST(Instructions, CastsReductionsTransposition) {
  expectPassed({declareMixed, mixed, mixedReference});
}

//===----------------------------------------------------------------------===//
// Masks, bits, elementary functions, extremes with their indices, scatter
//===----------------------------------------------------------------------===//

void declareMasks(Declaration &d) {
  d.name("masks", "the larger of x and y, and whether x is below a half");
  d.input("x", f32, {"R", "C"}).input("y", f32, {"R", "C"});
  d.output("larger", f32, {"R", "C"}).output("below", f32, {"R", "C"});
  d.shape({{"R", 5}, {"C", 40}}).edge({{"R", 1}, {"C", 1}});
  d.edge({{"R", 3}, {"C", 304}});
}

void masks(const Kernel &k) {
  const Tensor x = k.tensor("x");
  const int64_t R = x.dim(0), C = x.dim(1), wide = alignUp(C, 8);
  const Buffer a = k.ub(f32, {R, wide}, "a"), b = k.ub(f32, {R, wide}, "b");
  const Buffer c = k.ub(f32, {R, wide}, "c");
  const Buffer mask = k.ub(u8, {R, 32 * ceilDiv(C, 256)}, "mask");
  const Buffer one = k.ub(f32, {8}, "one"), zero = k.ub(f32, {8}, "zero");
  auto everywhere = [](const Buffer &block) {
    return block.at(0).broadcastRow().blockStride(0);
  };
  k.fill(one, 1, 8);
  k.fill(zero, 0, 8);
  k.load(a, x, {R, C});
  k.load(b, k.tensor("y"), {R, C});
  k.compare(Compare::greater, mask, a, b, {R, C});
  k.select(c, mask, a, b, {R, C});
  k.store(k.tensor("larger"), c, {R, C});
  k.compare(Compare::less, mask, a, 0.5, {R, C});
  k.select(c, mask, everywhere(one), everywhere(zero), {R, C});
  k.store(k.tensor("below"), c, {R, C});
}

void masksReference(const Reference &r) {
  for (int64_t i = 0; i < r["x"].size(); ++i) {
    r["larger"][i] = std::max(r["x"][i], r["y"][i]);
    r["below"][i] = r["x"][i] < 0.5;
  }
}

TEST(Instructions, MasksOfComparisons) {
  expectPassed({declareMasks, masks, masksReference});
}

void declareBits(Declaration &d) {
  d.name("bits", "logic and shifts of integers");
  d.input("x", i32, {64}, {-100000, 100000}).output("y", i32, {9, 64});
  d.shape({});
}

void bits(const Kernel &k) {
  const Buffer x = k.ub(i32, {64}, "x"), by = k.ub(i32, {64}, "by");
  const Buffer y = k.ub(i32, {9, 64}, "y");
  k.load(x, k.tensor("x"), 64);
  k.iota(by, 0, 1, 64);
  k.bitAnd(y.at(0, 0), x, by, 64);
  k.bitOr(y.at(1, 0), x, by, 64);
  k.bitXor(y.at(2, 0), x, by, 64);
  k.shiftLeft(y.at(3, 0), x, by, 64);
  k.shiftRight(y.at(4, 0), x, by, 64);
  k.shiftRightUnsigned(y.at(5, 0), x, by, 64);
  k.bitNot(y.at(6, 0), x, 64);
  k.shiftRights(y.at(7, 0), x, 3, 64);
  k.fill(y.at(8, 0), 7, 64);
  k.madds(y.at(8, 0), x, 5, 64);
  k.store(k.tensor("y"), y, {9, 64});
}

void bitsReference(const Reference &r) {
  const HostArray x = r["x"], y = r["y"];
  for (int64_t i = 0; i < 64; ++i) {
    const auto v = static_cast<int32_t>(x[i]), n = static_cast<int32_t>(i);
    const auto u = static_cast<uint32_t>(v);
    const bool far = n >= 32; // counts beyond the width leave the fill
    y[i] = v & n;
    y[64 + i] = v | n;
    y[128 + i] = v ^ n;
    y[192 + i] = far ? 0 : static_cast<int32_t>(u << n);
    y[256 + i] = v >> (far ? 31 : n);
    y[320 + i] = far ? 0 : static_cast<int32_t>(u >> n);
    y[384 + i] = ~v;
    y[448 + i] = v >> 3;
    y[512 + i] = 5 * v + 7;
  }
}

TEST(Instructions, LogicAndShifts) {
  expectPassed({declareBits, bits, bitsReference});
}

void declareFunctions(Declaration &d) {
  d.name("functions", "log, 1/sqrt, erf, sin, cos");
  d.input("x", f32, {200}, {0.1, 4}).output("y", f32, {5, 200});
  d.shape({});
  d.tolerance(f32, 1e-6, 1e-6, "at most 4 units in the last place of 1 to 4");
}

void functions(const Kernel &k) {
  const Buffer x = k.ub(f32, {200}, "x"), y = k.ub(f32, {5, 200}, "y");
  k.load(x, k.tensor("x"), 200);
  k.log(y.at(0, 0), x, 200);
  k.reciprocalSqrt(y.at(1, 0), x, 200);
  k.erf(y.at(2, 0), x, 200);
  k.sin(y.at(3, 0), x, 200);
  k.cos(y.at(4, 0), x, 200);
  k.store(k.tensor("y"), y, {5, 200});
}

void functionsReference(const Reference &r) {
  const HostArray y = r["y"];
  for (int64_t i = 0; i < 200; ++i) {
    const double x = r["x"][i];
    y[i] = std::log(x);
    y[200 + i] = 1 / std::sqrt(x);
    y[400 + i] = std::erf(x);
    y[600 + i] = std::sin(x);
    y[800 + i] = std::cos(x);
  }
}

TEST(Instructions, ElementaryFunctions) {
  expectPassed({declareFunctions, functions, functionsReference});
}

void declareExtremes(Declaration &d) {
  d.name("extremes", "minima and the places of extremes");
  d.input("x", f32, {12, 40}, {-9, 9});
  d.output("low", f32, {12, 1}).output("most", i32, {12, 1});
  d.output("least", i32, {12, 1}).output("lowOf", f32, {40});
  d.output("mostOf", i32, {40}).output("leastOf", i32, {40});
  d.shape({});
}

void extremes(const Kernel &k) {
  const Buffer x = k.ub(f32, {12, 40}, "x");
  k.load(x, k.tensor("x"), {12, 40});
  const Buffer low = k.ub(f32, {12, 8}, "low"), lowOf = k.ub(f32, {40}, "of");
  k.rowMin(low, x, {12, 40});
  k.store(k.tensor("low"), low, {12, 1});
  k.minOfRows(lowOf, x, {12, 40});
  k.store(k.tensor("lowOf"), lowOf, 40);
  const Buffer most = k.ub(i32, {12, 8}, "m"), least = k.ub(i32, {12, 8}, "l");
  k.rowArgMax(most, x, {12, 40});
  k.store(k.tensor("most"), most, {12, 1});
  k.rowArgMin(least, x, {12, 40});
  k.store(k.tensor("least"), least, {12, 1});
  const Buffer mostOf = k.ub(i32, {40}, "mo"), leastOf = k.ub(i32, {40}, "lo");
  k.argMaxOfRows(mostOf, x, {12, 40});
  k.store(k.tensor("mostOf"), mostOf, 40);
  k.argMinOfRows(leastOf, x, {12, 40});
  k.store(k.tensor("leastOf"), leastOf, 40);
}

void extremesReference(const Reference &r) {
  const HostArray x = r["x"];
  auto search = [&](int64_t from, int64_t n, int64_t step, double sign) {
    int64_t best = 0;
    for (int64_t i = 1; i < n; ++i) {
      if (sign * x[from + i * step] > sign * x[from + best * step]) {
        best = i;
      }
    }
    return best;
  };
  for (int64_t i = 0; i < 12; ++i) {
    const int64_t least = search(i * 40, 40, 1, -1);
    r["low"][i] = x[i * 40 + least];
    r["least"][i] = static_cast<double>(least);
    r["most"][i] = static_cast<double>(search(i * 40, 40, 1, 1));
  }
  for (int64_t j = 0; j < 40; ++j) {
    const int64_t least = search(j, 12, 40, -1);
    r["lowOf"][j] = x[least * 40 + j];
    r["leastOf"][j] = static_cast<double>(least);
    r["mostOf"][j] = static_cast<double>(search(j, 12, 40, 1));
  }
}

TEST(Instructions, ExtremesAndTheirPlaces) {
  expectPassed({declareExtremes, extremes, extremesReference});
}

/// Rows of a table with 16 columns, ten of them side by side in a row of y.
TEST(Instructions, GatherBlocksLooksUpRows) {
  expectPassed({[](Declaration &d) {
                  d.name("embedding", "y[r, b] = table[i[r, b]]");
                  d.input("table", f16, {30, 16});
                  d.input("i", i32, {4, 10}, {-2, 33});
                  d.output("y", f16, {4, 160}).shape({});
                },
                [](const Kernel &k) {
                  const Buffer table = k.ub(f16, {30, 16}, "table");
                  const Buffer i = k.ub(i32, {4, 16}, "i");
                  const Buffer y = k.ub(f16, {4, 160}, "y");
                  k.load(table, k.tensor("table"), {30, 16});
                  k.load(i, k.tensor("i"), {4, 10});
                  k.gatherBlocks(y, {table, 30}, i, {4, 10});
                  k.store(k.tensor("y"), y, {4, 160});
                },
                [](const Reference &r) {
                  for (int64_t e = 0; e < 640; ++e) {
                    const auto row = static_cast<int64_t>(r["i"][e / 16]);
                    r["y"][e] = row >= 0 && row < 30
                                    ? r["table"][row * 16 + e % 16]
                                    : 0;
                  }
                }});
}

TEST(Instructions, ScatterKeepsTheLastOfEqualIndices) {
  expectPassed({[](Declaration &d) {
                  d.name("scattered", "y[i] = x, 0 where no index points to");
                  d.input("x", f16, {100}).input("i", i32, {100}, {-5, 70});
                  d.output("y", f16, {64}).shape({});
                },
                [](const Kernel &k) {
                  const Buffer x = k.ub(f16, {100}, "x");
                  const Buffer i = k.ub(i32, {100}, "i");
                  const Buffer y = k.ub(f16, {64}, "y");
                  k.load(x, k.tensor("x"), 100);
                  k.load(i, k.tensor("i"), 100);
                  k.fill(y, 0, 64);
                  k.scatter({y, 64}, x, i, 100);
                  k.store(k.tensor("y"), y, 64);
                },
                [](const Reference &r) {
                  for (int64_t i = 0; i < 64; ++i) {
                    r["y"][i] = 0;
                  }
                  for (int64_t i = 0; i < 100; ++i) {
                    const auto at = static_cast<int64_t>(r["i"][i]);
                    if (at >= 0 && at < 64) {
                      r["y"][at] = r["x"][i];
                    }
                  }
                }});
}

//===----------------------------------------------------------------------===//
// FIX: activations with a parameter, with a slope per column
//===----------------------------------------------------------------------===//

TEST(Instructions, ActivationsOfFix) {
  expectPassed(
      {[](Declaration &d) {
         d.name("activations", "leaky, clip and prelu of A x B");
         d.input("a", f16, {16, 32}).input("b", f16, {32, 48});
         d.input("slope", f32, {48}, {-0.5, 0.5});
         d.output("leaky", f32, {16, 48}).output("clip", f32, {16, 48});
         d.output("prelu", f32, {16, 48}).shape({});
         d.tolerance(f32, 1e-5, 1e-5, "32 products in fp32, |x| <= 1");
       },
       [](const Kernel &k) {
         const Buffer aL1 = k.l1Nz(f16, 16, 32, "aL1");
         const Buffer bL1 = k.l1Nz(f16, 32, 48, "bL1");
         const Buffer slopeL1 = k.l1(f32, {48}, "slopeL1");
         const Buffer slope = k.biasTable(f32, 48, "slope");
         const Buffer a = k.l0a(f16, 16, 32, "a"), b = k.l0b(f16, 32, 48, "b");
         const Buffer acc = k.l0c(f32, 16, 48, "acc");
         k.loadNz(aL1, k.tensor("a"), {16, 32});
         k.loadNz(bL1, k.tensor("b"), {32, 48});
         k.load(slopeL1, k.tensor("slope"), 48);
         k.loadBias(slope, slopeL1, 48);
         k.loadA(a, aL1, {16, 32});
         k.loadB(b, bL1, {32, 48});
         k.mmad(acc, a, b, {16, 48, 32}, false);
         k.fix(k.tensor("leaky"), acc, {16, 48},
               {.activation = Activation::leaky, .parameter = 0.25f});
         k.fix(k.tensor("clip"), acc, {16, 48},
               {.activation = Activation::clip, .parameter = 0.75f});
         k.fix(k.tensor("prelu"), acc, {16, 48},
               {.slopes = slope, .activation = Activation::prelu});
       },
       [](const Reference &r) {
         for (int64_t i = 0; i < 16 * 48; ++i) {
           const int64_t m = i / 48, n = i % 48;
           double sum = 0;
           for (int64_t j = 0; j < 32; ++j) {
             sum += r["a"][m * 32 + j] * r["b"][j * 48 + n];
           }
           r["leaky"][i] = sum < 0 ? 0.25 * sum : sum;
           r["clip"][i] = std::clamp(sum, 0.0, 0.75);
           r["prelu"][i] = sum < 0 ? r["slope"][n] * sum : sum;
         }
       }});
}

//===----------------------------------------------------------------------===//
// What is wrong is found
//===----------------------------------------------------------------------===//

void declareCopy(Declaration &d) {
  d.name("copy", "y = x").input("x", f16, {64}).output("y", f16, {64});
  d.shape({});
}
void copyReference(const Reference &r) {
  for (int64_t i = 0; i < 64; ++i) {
    r["y"][i] = r["x"][i];
  }
}
void rightCopy(const Kernel &k) {
  const Buffer t = k.ub(f16, {64}, "t");
  k.load(t, k.tensor("x"), 64);
  k.store(k.tensor("y"), t, 64);
}

TEST(Findings, ARightKernelHasNone) {
  expectPassed({declareCopy, rightCopy, copyReference});
}

TEST(Findings, AWrongElementIsNamed) {
  const OperatorReport report =
      testInline({declareCopy, rightCopy, [](const Reference &r) {
                    copyReference(r);
                    r["y"][17] = 1000;
                  }});
  ASSERT_EQ(report.shapes.size(), 1u);
  ASSERT_EQ(report.shapes[0].problems.size(), 1u);
  EXPECT_EQ(report.shapes[0].code, StatusCode::kMismatch);
  EXPECT_THAT(report.shapes[0].problems[0],
              testing::StartsWith("reference: 1 of 64 elements are outside the "
                                  "tolerance; worst y[17]: got "));
}

TEST(Findings, AnUnwrittenElementIsFoundAtItsLine) {
  static uint32_t line = 0;
  const OperatorReport report = testInline({declareCopy,
                                            [](const Kernel &k) {
                                              const Buffer t =
                                                  k.ub(f16, {64}, "t");
                                              k.load(t, k.tensor("x"), 48);
                                              line = __LINE__ + 1;
                                              k.store(k.tensor("y"), t, 64);
                                            },
                                            copyReference});
  ASSERT_EQ(report.shapes.size(), 1u);
  const std::string text = toText(report);
  EXPECT_FALSE(report.passed());
  EXPECT_THAT(text, HasSubstr("which nothing wrote in block 0"));
  EXPECT_THAT(text,
              HasSubstr("instructions_test.cpp:" + std::to_string(line) + ":"));
}

TEST(Findings, AnUnwrittenLaneOfTheCubeIsFound) {
  // k = 16 lanes of A are multiplied, 8 were loaded.
  const OperatorReport report = testInline(
      {[](Declaration &d) {
         d.name("lanes", "A x B").input("a", f16, {16, 8});
         d.input("b", f16, {16, 16}).output("c", f32, {16, 16}).shape({});
       },
       [](const Kernel &k) {
         const Buffer aL1 = k.l1Nz(f16, 16, 32, "aL1");
         const Buffer bL1 = k.l1Nz(f16, 16, 16, "bL1");
         const Buffer aL0 = k.l0a(f16, 16, 32, "aL0");
         const Buffer bL0 = k.l0b(f16, 32, 16, "bL0");
         const Buffer acc = k.l0c(f32, 16, 16, "acc");
         k.loadNz(aL1, k.tensor("a"), {16, 8});
         k.loadNz(bL1, k.tensor("b"), {16, 16});
         k.loadA(aL0, aL1, {16, 32});
         k.loadB(bL0, bL1, {16, 16});
         k.mmad(acc, aL0, bL0, {16, 16, 32}, false);
         k.fix(k.tensor("c"), acc, {16, 16});
       },
       [](const Reference &) {}});
  EXPECT_THAT(toText(report), HasSubstr("mmad.f16"));
  EXPECT_THAT(toText(report), HasSubstr("which nothing wrote in block 0"));
}

} // namespace
} // namespace kiln::tik
