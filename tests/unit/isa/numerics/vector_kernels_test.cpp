// SPDX-License-Identifier: Apache-2.0
//
// The vector and FIX kernels give the oracle's bits, on every instruction set
// this machine has, on directed and on random operands.
#include "directed.h"
#include "targets.h"

#include "isa/numerics/element_io.h"
#include "isa/numerics/vector_kernels.h"

#include <gtest/gtest.h>

namespace kiln::isa {
namespace {

using directed::pack;
using Oracle = oracle::VectorOracle<>;
using Values = std::vector<uint32_t>;

/// Edges against edges, then random bits: two operand arrays.
std::pair<Values, Values> pairs(ElementType t, uint32_t seed) {
  Values a, b;
  const Values edges = directed::edges(t);
  for (uint32_t x : edges) {
    for (uint32_t y : edges) {
      a.push_back(x);
      b.push_back(y);
    }
  }
  std::mt19937 random(seed);
  for (unsigned i = 0; i < 20011; ++i) {
    uint32_t x = static_cast<uint32_t>(random());
    uint32_t y = static_cast<uint32_t>(random());
    if (i % 2 != 0 && oracle::isFloat(t)) { // neighbouring exponents
      const oracle::Format f = oracle::formatOf(t);
      y = (y & (f.mantissaMask() | f.signBit())) | (x & f.infinity());
      y ^= (static_cast<uint32_t>(random()) & 3) << f.mantissaBits;
    }
    a.push_back(x & oracle::maskOf(t));
    b.push_back(y & oracle::maskOf(t));
  }
  return {a, b};
}

void expectElements(ElementType t, const Values &want,
                    const std::vector<std::byte> &got, const char *what,
                    const Values &a, const Values &b) {
  for (size_t i = 0; i < want.size(); ++i) {
    ASSERT_EQ(want[i], loadElement(t, got.data(), i))
        << what << " " << name(t) << std::hex << " want " << want[i] << " got "
        << loadElement(t, got.data(), i) << " of " << a[i] << ", " << b[i];
  }
}

class VectorKernels : public testing::OnEveryTarget {};

TEST_P(VectorKernels, BinaryOperationsEqualTheOracle) {
  for (ElementType t : directed::kElementTypes) {
    const auto [a, b] = pairs(t, 31);
    const auto pa = pack(t, a), pb = pack(t, b);
    for (BinaryOp op : {BinaryOp::kAdd, BinaryOp::kSub, BinaryOp::kMul,
                        BinaryOp::kDiv, BinaryOp::kMax, BinaryOp::kMin}) {
      if (op == BinaryOp::kDiv && !oracle::isFloat(t)) {
        continue;
      }
      Values want;
      for (size_t i = 0; i < a.size(); ++i) {
        want.push_back(Oracle::binary(op, t, a[i], b[i]));
      }
      std::vector<std::byte> got(pa.size());
      numerics::binary(op, t, pa.data(), pb.data(), got.data(), a.size());
      expectElements(t, want, got, "binary", a, b);
      got = pa; // in place
      numerics::binary(op, t, got.data(), pb.data(), got.data(), a.size());
      expectElements(t, want, got, "binary in place", a, b);
    }
  }
}

TEST_P(VectorKernels, MultiplyAddRoundsOnce) {
  for (ElementType t : directed::kFloatTypes) {
    auto [a, b] = pairs(t, 32);
    Values c(b.rbegin(), b.rend());
    for (const auto &[x, y, z] : directed::maddTriples(t)) {
      a.push_back(x);
      b.push_back(y);
      c.push_back(z);
    }
    Values want;
    for (size_t i = 0; i < a.size(); ++i) {
      want.push_back(Oracle::multiplyAdd(t, a[i], b[i], c[i]));
    }
    const auto pa = pack(t, a), pb = pack(t, b);
    auto got = pack(t, c);
    numerics::multiplyAdd(t, pa.data(), pb.data(), got.data(), a.size());
    expectElements(t, want, got, "madd", a, b);
  }
}

TEST_P(VectorKernels, UnaryOperationsEqualTheOracle) {
  for (ElementType t : directed::kFloatTypes) {
    Values a;
    if (t == ElementType::F32) {
      a = pairs(t, 33).first;
      for (uint32_t x = 0x3d000000; x < 0x42c00000; x += 4099) {
        a.push_back(x);
        a.push_back(x | 0x80000000);
      }
    } else {
      for (uint32_t x = 0; x < 65536; ++x) {
        a.push_back(x);
      }
    }
    const auto pa = pack(t, a);
    for (UnaryOp op : {UnaryOp::kExp, UnaryOp::kRec, UnaryOp::kSqrt,
                       UnaryOp::kTanh, UnaryOp::kLn, UnaryOp::kRsqrt,
                       UnaryOp::kErf, UnaryOp::kSin, UnaryOp::kCos}) {
      Values want;
      for (uint32_t x : a) {
        want.push_back(Oracle::unary(op, t, x));
      }
      std::vector<std::byte> got(pa.size());
      numerics::unary(op, t, pa.data(), got.data(), a.size());
      expectElements(t, want, got, "unary", a, a);
    }
  }
}

TEST_P(VectorKernels, ExpOfADifferenceEqualsTheOracle) {
  for (ElementType from : directed::kFloatTypes) {
    auto [a, b] = pairs(from, 34);
    for (ElementType to : {from, ElementType::F16, ElementType::BF16}) {
      Values want;
      for (size_t i = 0; i < a.size(); ++i) {
        want.push_back(Oracle::expDifference(from, to, a[i], b[i]));
      }
      const auto pa = pack(from, a), pb = pack(from, b);
      std::vector<std::byte> got(a.size() * sizeOf(to));
      numerics::expDifference(from, to, pa.data(), pb.data(), got.data(),
                              a.size());
      expectElements(to, want, got, "expd", a, b);
    }
  }
}

TEST_P(VectorKernels, CastsEqualTheOracleInEveryMode) {
  for (ElementType from : directed::kElementTypes) {
    Values a = pairs(from, 35).first;
    if (from == ElementType::F32) {
      const Values more = directed::fixAccumulators(from);
      a.insert(a.end(), more.begin(), more.end());
      std::mt19937 random(36);
      for (unsigned i = 0; i < 5000; ++i) { // the range of integers
        a.push_back((static_cast<uint32_t>(random()) & 0x87ffffff) +
                    0x3e000000 + (i % 32 << 23));
      }
    }
    for (ElementType to : directed::kElementTypes) {
      for (unsigned mode = 0; mode < 7; ++mode) {
        const auto rounding = static_cast<RoundingMode>(mode);
        Values want;
        for (uint32_t x : a) {
          want.push_back(Oracle::cast(from, to, rounding, x));
        }
        const auto pa = pack(from, a);
        std::vector<std::byte> got(a.size() * sizeOf(to));
        numerics::cast(from, to, rounding, pa.data(), got.data(), a.size());
        expectElements(to, want, got, name(from).data(), a, a);
      }
    }
  }
}

TEST_P(VectorKernels, SumsKeepTheOrderOfTheContract) {
  for (ElementType t : directed::kElementTypes) {
    for (const Values &row : directed::sumRows(t)) {
      const auto bytes = pack(t, row);
      uint32_t lanes[kReduceLanes] = {};
      numerics::sumToLanes(t, bytes.data(), row.size(), lanes);
      EXPECT_EQ(Oracle::rowSum(t, row), numerics::finishLanes(t, lanes))
          << name(t) << " row of " << row.size();
      // In two pieces, the first a multiple of 64.
      const size_t first = row.size() / 128 * 64;
      uint32_t pieces[kReduceLanes] = {};
      numerics::sumToLanes(t, bytes.data(), first, pieces);
      numerics::sumToLanes(t, bytes.data() + first * sizeOf(t),
                           row.size() - first, pieces);
      EXPECT_EQ(Oracle::rowSum(t, row), numerics::finishLanes(t, pieces));
    }
  }
}

TEST_P(VectorKernels, ColumnSumsAddRowsAscending) {
  for (ElementType t : directed::kElementTypes) {
    const Values values = directed::sumRows(t).back();
    for (size_t columns : {1, 7, 16, 100}) {
      const size_t rows = values.size() / columns;
      const auto bytes = pack(t, values);
      Values sums(columns, 0);
      for (size_t r = 0; r < rows; ++r) {
        numerics::sumToColumns(t, bytes.data() + r * columns * sizeOf(t),
                               columns, sums.data());
      }
      std::vector<std::byte> got(columns * sizeOf(t));
      numerics::finishColumns(t, sums.data(), got.data(), columns);
      for (size_t c = 0; c < columns; ++c) {
        Values column;
        for (size_t r = 0; r < rows; ++r) {
          column.push_back(values[r * columns + c]);
        }
        EXPECT_EQ(Oracle::columnSum(t, column), loadElement(t, got.data(), c));
      }
    }
  }
}

TEST_P(VectorKernels, ExtremesOfARowEqualTheOracle) {
  std::mt19937 random(37);
  for (ElementType t : directed::kElementTypes) {
    const Values edges = directed::edges(t);
    for (size_t n : {1, 2, 3, 5, 16, 31, 64, 511, 512, 513, 1500}) {
      for (unsigned round = 0; round < 4; ++round) {
        Values row(n);
        for (uint32_t &x : row) {
          // Rounds 2 and 3 have no NaN in floats: two thirds of the edges.
          x = round < 2 ? static_cast<uint32_t>(random()) & oracle::maskOf(t)
                        : edges[random() % (edges.size() * 2 / 5)];
        }
        if (round == 0 && oracle::isFloat(t)) {
          std::fill(row.begin(), row.end(), oracle::formatOf(t).signBit());
          row[n / 2] = n % 2 == 0 ? 0 : row[n / 2];
        }
        for (BinaryOp op : {BinaryOp::kMax, BinaryOp::kMin}) {
          EXPECT_EQ(Oracle::extreme(op, t, row),
                    numerics::extreme(op, t, pack(t, row).data(), n))
              << name(t) << " " << n;
        }
      }
    }
  }
}

TEST_P(VectorKernels, FixEqualsTheOracle) {
  std::mt19937 random(38);
  for (const FixMode &mode : directed::fixModes()) {
    Values a = directed::fixAccumulators(mode.accumulator);
    for (unsigned i = 0; i < 600; ++i) {
      a.push_back(static_cast<uint32_t>(random()) >> (i % 3 == 0 ? 12 : 0));
    }
    Values want, scaled, scales, sloped, slopes;
    for (size_t i = 0; i < a.size(); ++i) {
      want.push_back(Oracle::fix(mode, a[i]));
      scales.push_back(0x3e000000 + (static_cast<uint32_t>(random()) >> 6));
      FixMode own = mode;
      own.scaled = true;
      own.scale = scales.back();
      scaled.push_back(Oracle::fix(own, a[i]));
      own = mode;
      own.parameter = scales.back() ^ (i % 5 == 0 ? 0x80000000 : 0);
      slopes.push_back(own.parameter);
      sloped.push_back(Oracle::fix(own, a[i]));
    }
    std::vector<std::byte> got(a.size() * sizeOf(mode.out));
    numerics::fix(mode, a.data(), {}, got.data(), a.size());
    expectElements(mode.out, want, got, "fix", a, a);
    if (mode.out != ElementType::I32) {
      numerics::fix(mode, a.data(), {.scales = scales.data()}, got.data(),
                    a.size());
      expectElements(mode.out, scaled, got, "fix per channel", a, scales);
      numerics::fix(mode, a.data(), {.slopes = slopes.data()}, got.data(),
                    a.size());
      expectElements(mode.out, sloped, got, "slopes per channel", a, slopes);
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Targets, VectorKernels, testing::allTargets(),
                         testing::targetName);

} // namespace
} // namespace kiln::isa
