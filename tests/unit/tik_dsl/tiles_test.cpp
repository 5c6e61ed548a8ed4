// SPDX-License-Identifier: Apache-2.0
//
// The conveniences of tik_dsl/api/tiles.h, each against its reference in all
// orders with all checks.
#include "tests/unit/tik_dsl/inline_operator.h"
#include "tik_dsl/api/tiles.h"

#include <algorithm>
#include <cmath>
#include <set>

#include <gtest/gtest.h>

namespace kiln::tik {
namespace {

void expectPassed(const InlineFunctions &functions) {
  const OperatorReport report = testInline(functions);
  EXPECT_TRUE(!report.shapes.empty() && report.passed()) << toText(report);
}

TEST(Tiles, ElementwiseOfAnyLength) {
  expectPassed({[](Declaration &d) {
                  d.name("axpy", "z = x * y").input("x", f32, {"N"});
                  d.input("y", f32, {"N"}).output("z", f32, {"N"});
                  d.shape({{"N", 10000}}).edge({{"N", 1}});
                  d.tolerance(f32, 0, 0, "one rounding");
                },
                [](const Kernel &k) {
                  tiles::elementwise(
                      k, {k.tensor("x"), k.tensor("y")}, k.tensor("z"),
                      {.tile = 1024, .slots = 3},
                      [&](auto &in, const Buffer &out, const Index &n) {
                        k.mul(out, in[0], in[1], n);
                      });
                },
                [](const Reference &r) {
                  for (int64_t i = 0; i < r["z"].size(); ++i) {
                    r["z"][i] = r["x"][i] * r["y"][i];
                  }
                }});
}

void softmaxReference(const Reference &r) {
  const HostArray x = r["x"], y = r["y"];
  const int64_t C = x.dim(1);
  for (int64_t i = 0; i < x.dim(0); ++i) {
    double most = x[i * C], sum = 0;
    for (int64_t j = 0; j < C; ++j) {
      most = std::max(most, x[i * C + j]);
    }
    for (int64_t j = 0; j < C; ++j) {
      sum += y[i * C + j] = std::exp(x[i * C + j] - most);
    }
    for (int64_t j = 0; j < C; ++j) {
      y[i * C + j] /= sum;
    }
  }
}

TEST(Tiles, PiecesAndAFilledBuffer) {
  const int64_t N = 100, part = 16;
  EXPECT_EQ(tiles::piece(N, int64_t{0}, part), 16);
  EXPECT_EQ(tiles::piece(N, int64_t{6}, part), 4);
  EXPECT_EQ(tiles::piece(N, int64_t{8}, part), 0);
  expectPassed({[](Declaration &d) {
                  d.name("pieces", "x + 3").input("x", f32, {"N"});
                  d.output("y", f32, {"N"}).shape({{"N", 100}});
                  d.edge({{"N", 1}}).edge({{"N", 128}});
                  d.tolerance(f32, 0, 0, "one rounding");
                },
                [](const Kernel &k) {
                  const Tensor x = k.tensor("x"), y = k.tensor("y");
                  const int64_t n = x.size(), size = 16;
                  const Buffer three =
                      tiles::filled(k, f32, {2, 8}, 3, "three");
                  for (Index i : k.range(0, 8)) { // some have nothing
                    const Index count = tiles::piece(n, i, size);
                    const Index from = min(i * size, n - 1);
                    const Buffer t = k.ub(f32, {size}, "t");
                    k.load(t, x.at(from), count);
                    k.add(t, t, three.at(0), count);
                    k.store(y.at(from), t, count);
                  }
                },
                [](const Reference &r) {
                  for (int64_t i = 0; i < r["y"].size(); ++i) {
                    r["y"][i] = static_cast<float>(r["x"][i]) + 3.0f;
                  }
                }});
}

TEST(Tiles, SoftmaxOfRows) {
  expectPassed({[](Declaration &d) {
                  d.name("softmax", "rows").input("x", f32, {20, 50}, {-5, 5});
                  d.output("y", f32, {20, 50}).shape({});
                  d.tolerance(f32, 1e-5, 1e-7, "exp, sum and quotient in fp32");
                },
                [](const Kernel &k) {
                  const Buffer t = k.ub(f32, {20, 56}, "t");
                  tiles::copy(k, t, k.tensor("x"), {20, 50});
                  tiles::softmaxRows(k, t, {20, 50});
                  tiles::copy(k, k.tensor("y"), t, {20, 50});
                },
                softmaxReference});
}

/// C = A x B through every memory: UB and moveToL1 for A, GM for B.
TEST(Tiles, CopyAndProductThroughEveryMemory) {
  expectPassed({[](Declaration &d) {
                  d.name("product", "A x B").input("a", f16, {32, 96});
                  d.input("b", f16, {96, 48}).output("c", f32, {32, 48});
                  d.shape({}).macs({32, 96, 48});
                  d.tolerance(f32, 1e-5, 1e-5, "96 products in fp32");
                },
                [](const Kernel &k) {
                  const Buffer ub = k.ub(f16, {32, 96}, "ub");
                  const Buffer other = k.ub(f16, {32, 96}, "other");
                  const Buffer a = k.l1Nz(f16, 32, 96, "a");
                  const Buffer b = k.l1Nz(f16, 96, 48, "b");
                  const Buffer acc = k.l0c(f32, 32, 48, "acc");
                  const Buffer out = k.ub(f32, {32, 48}, "out");
                  tiles::copy(k, ub, k.tensor("a"), {32, 96});
                  tiles::copy(k, other, ub, {32, 96});
                  tiles::copy(k, a, other, {32, 96});
                  tiles::copy(k, b, k.tensor("b"), {96, 48});
                  tiles::product(k, acc, a, b, {32, 48, 96}, k.constant(0) == 1,
                                 {.step = 32});
                  tiles::copy(k, out, acc, {32, 48});
                  tiles::copy(k, k.tensor("c"), out, {32, 48});
                },
                [](const Reference &r) {
                  for (int64_t i = 0; i < 32 * 48; ++i) {
                    r["c"][i] = 0;
                    for (int64_t j = 0; j < 96; ++j) {
                      r["c"][i] +=
                          r["a"][i / 48 * 96 + j] * r["b"][j * 48 + i % 48];
                    }
                  }
                }});
}

TEST(Tiles, TransposeAndReductions) {
  expectPassed({[](Declaration &d) {
                  d.name("mixed", "x', row sums, row maxima");
                  d.input("x", f16, {40, 30}).output("t", f16, {30, 40});
                  d.output("sum", f16, {40, 1}).output("most", f16, {40, 1});
                  d.shape({});
                  d.tolerance(f16, 1e-3, 1e-3, "one rounding to 11 bits");
                },
                [](const Kernel &k) {
                  const Buffer x = k.ub(f16, {40, 32}, "x");
                  const Buffer t = k.ub(f16, {32, 48}, "t");
                  const Buffer s = k.ub(f16, {40, 16}, "s");
                  const Buffer m = k.ub(f16, {40, 16}, "m");
                  tiles::copy(k, x, k.tensor("x"), {40, 30});
                  tiles::transpose(k, t, x, {40, 30});
                  tiles::sumRows(k, s, x, {40, 30});
                  tiles::maxRows(k, m, x, {40, 30});
                  tiles::copy(k, k.tensor("t"), t, {30, 40});
                  tiles::copy(k, k.tensor("sum"), s, {40, 1});
                  tiles::copy(k, k.tensor("most"), m, {40, 1});
                },
                [](const Reference &r) {
                  for (int64_t i = 0; i < 40; ++i) {
                    r["sum"][i] = 0;
                    r["most"][i] = -100;
                    for (int64_t j = 0; j < 30; ++j) {
                      const double v = r["x"][i * 30 + j];
                      r["t"][j * 40 + i] = v;
                      r["sum"][i] += v;
                      r["most"][i] = std::max(r["most"][i], v);
                    }
                  }
                }});
}

uint32_t callLine = 0, bodyLine = 0;

/// A mistake inside softmaxRows() and one in the body that elementwise() calls.
void mistakenCalls(const Kernel &k) {
  const Buffer t = k.ub(f32, {20, 56}, "t");
  callLine = __LINE__ + 1;
  tiles::softmaxRows(k, t, {20, 60});
  tiles::elementwise(k, {k.tensor("x")}, k.tensor("y"), {.tile = 64},
                     [&](auto &in, const Buffer &out, const Index &) {
                       bodyLine = __LINE__ + 1;
                       k.exp(out, in[0], 65);
                     });
}

TEST(Tiles, MistakesInsideBearTheLineOfTheCall) {
  Result<isa::ArchSpec> k1 = isa::loadArchSpec("k1");
  ASSERT_TRUE(k1);
  Result<Operator> op =
      inlineOperator({[](Declaration &d) {
                        d.name("lines", "y = exp(x)").input("x", f32, {64});
                        d.output("y", f32, {64}).shape({});
                      },
                      mistakenCalls, [](const Reference &) {}});
  ASSERT_TRUE(op) << op.status().message();
  Result<BoundShape> shape = op->bind(op->decl().cases[0]);
  ASSERT_TRUE(shape);
  MessageList messages;
  OperatorCompiler compiler;
  EXPECT_FALSE(compiler.compile(*op, *shape, {.arch = &*k1}, &messages));
  std::set<uint32_t> lines;
  for (const Message &message : messages.messages()) {
    EXPECT_NE(message.at.file.find("tiles_test.cpp"), std::string::npos)
        << message.render();
    lines.insert(message.at.line);
  }
  EXPECT_EQ(lines, (std::set<uint32_t>{callLine, bodyLine}));
}

} // namespace
} // namespace kiln::tik
