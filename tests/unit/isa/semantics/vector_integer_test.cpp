// SPDX-License-Identifier: Apache-2.0
//
// Logic, shifts, comparisons, selects, minima and arg reductions of V as the
// commands do them: strides, pieces, tails, ties. References are written here
// from the manual's text.
#include "test_core.h"

namespace kiln::isa {
namespace {

using namespace testing;

constexpr ElementType kIntegers[] = {ElementType::I8, ElementType::U8,
                                     ElementType::I16, ElementType::U16,
                                     ElementType::I32};

/// Byte address of element (r,e) of a view.
uint32_t at(const LocalView &v, uint32_t size, uint32_t r, uint32_t e) {
  const uint32_t perBlock = 32 / size;
  return v.addr + 32 * (r * v.rowStride + e / perBlock * v.blkStride) +
         e % perBlock * size;
}

int64_t integerAt(TestCore &core, ElementType t, uint32_t addr) {
  switch (t) {
  case ElementType::I8:
    return core.get<int8_t>(Space::UB, addr);
  case ElementType::U8:
    return core.get<uint8_t>(Space::UB, addr);
  case ElementType::I16:
    return core.get<int16_t>(Space::UB, addr);
  case ElementType::U16:
    return core.get<uint16_t>(Space::UB, addr);
  default:
    return core.get<int32_t>(Space::UB, addr);
  }
}

/// The low bits of a value as the type reads them.
int64_t wrapped(ElementType t, int64_t v) {
  const unsigned bits = 8 * sizeOf(t);
  const auto low = static_cast<uint64_t>(v) & ((uint64_t{1} << bits) - 1);
  const bool isSigned = t != ElementType::U8 && t != ElementType::U16;
  return isSigned && (low >> (bits - 1)) != 0
             ? static_cast<int64_t>(low) - (int64_t{1} << bits)
             : static_cast<int64_t>(low);
}

struct IntegerOp {
  Opcode vector, scalar;
  int64_t (*f)(int64_t a, int64_t b, unsigned width);
};

int64_t shiftCount(int64_t b, unsigned width) {
  const auto bits = static_cast<uint64_t>(b) & ((uint64_t{1} << width) - 1);
  return static_cast<int64_t>(std::min<uint64_t>(bits, width));
}
uint64_t unsignedOf(int64_t a, unsigned width) {
  return static_cast<uint64_t>(a) & ((uint64_t{1} << width) - 1);
}

constexpr IntegerOp kOps[] = {
    {Opcode::kVand, Opcode::kVands,
     [](int64_t a, int64_t b, unsigned) { return a & b; }},
    {Opcode::kVor, Opcode::kVors,
     [](int64_t a, int64_t b, unsigned) { return a | b; }},
    {Opcode::kVxor, Opcode::kVxors,
     [](int64_t a, int64_t b, unsigned) { return a ^ b; }},
    {Opcode::kVshl, Opcode::kVshls,
     [](int64_t a, int64_t b, unsigned w) {
       return static_cast<int64_t>(unsignedOf(a, w) << shiftCount(b, w));
     }},
    {Opcode::kVshr, Opcode::kVshrs,
     [](int64_t a, int64_t b, unsigned w) { return a >> shiftCount(b, w); }},
    {Opcode::kVshru, Opcode::kVshrus,
     [](int64_t a, int64_t b, unsigned w) {
       return static_cast<int64_t>(unsignedOf(a, w) >> shiftCount(b, w));
     }},
};

TEST(VectorInteger, LogicAndShiftsWalkTheirViews) {
  for (ElementType t : kIntegers) {
    const unsigned width = 8 * sizeOf(t);
    for (const IntegerOp &op : kOps) {
      TestCore core;
      core.fillRandom(width);
      const LocalView dst{0x8000, 60, 2, 3}, a{0x1000, 40, 1, 85},
          b{0x4000, 1, 0, 0};
      for (uint32_t i = 0; i < 128; ++i) { // shift counts near the width
        core.set<uint8_t>(Space::UB, b.addr + i,
                          i % sizeOf(t) == 0
                              ? static_cast<uint8_t>(i * 5 % (width + 3))
                              : uint8_t{0});
      }
      TestCore before = core;
      core.runOk(command(op.vector, t, dst.pack(), a.pack(), b.pack()));
      for (uint32_t r = 0; r < 3; ++r) {
        for (uint32_t e = 0; e < 85; ++e) {
          const int64_t x = integerAt(before, t, at(a, sizeOf(t), r, e));
          const int64_t y = integerAt(before, t, at(b, sizeOf(t), r, e));
          ASSERT_EQ(wrapped(t, op.f(x, y, width)),
                    integerAt(core, t, at(dst, sizeOf(t), r, e)))
              << mnemonic(op.vector) << " " << name(t) << " " << x << " " << y;
        }
      }
      core.runOk(command(op.scalar, t, dst.pack(), a.pack(), 5));
      for (uint32_t e = 0; e < 85; ++e) {
        const int64_t x = integerAt(before, t, at(a, sizeOf(t), 1, e));
        ASSERT_EQ(wrapped(t, op.f(x, 5, width)),
                  integerAt(core, t, at(dst, sizeOf(t), 1, e)));
      }
      core.runOk(command(Opcode::kVnot, t, dst.pack(), a.pack()));
      for (uint32_t e = 0; e < 85; ++e) {
        const int64_t x = integerAt(before, t, at(a, sizeOf(t), 2, e));
        ASSERT_EQ(wrapped(t, ~x), integerAt(core, t, at(dst, sizeOf(t), 2, e)));
      }
    }
  }
}

TEST(VectorInteger, MultiplyAddScalarAddsToItsDestination) {
  for (ElementType t : kIntegers) {
    TestCore core;
    core.fillRandom(3);
    TestCore before = core;
    const LocalView dst{0x8000, 40, 1, 2}, a{0x1000, 40, 1, 70};
    core.runOk(command(Opcode::kVmadds, t, dst.pack(), a.pack(), 3));
    for (uint32_t e = 0; e < 70; ++e) {
      const uint32_t d = at(dst, sizeOf(t), 1, e);
      const int64_t x = integerAt(before, t, at(a, sizeOf(t), 1, e));
      ASSERT_EQ(wrapped(t, 3 * x + integerAt(before, t, d)),
                integerAt(core, t, d));
    }
  }
}

TEST(VectorInteger, LogicTakesFloatsAsBits) {
  TestCore core;
  core.fillRandom(2);
  core.set<uint32_t>(Space::UB, 0, 0xff800001); // a signalling NaN
  core.runOk(command(Opcode::kVands, ElementType::F32, view(0x40, 0, 1, 1),
                     view(0, 0, 1, 1), 0x7fffffff));
  EXPECT_EQ(0x7f800001u, core.get<uint32_t>(Space::UB, 0x40));
}

/// A comparison into a mask, then the select that undoes it.
TEST(VectorCompare, MasksRowsAndSelectsByThem) {
  const struct {
    Opcode vector, scalar;
    bool (*holds)(double, double);
  } ops[] = {
      {Opcode::kVcmpEq, Opcode::kVcmpsEq,
       [](double a, double b) { return a == b; }},
      {Opcode::kVcmpNe, Opcode::kVcmpsNe,
       [](double a, double b) { return a != b; }},
      {Opcode::kVcmpLt, Opcode::kVcmpsLt,
       [](double a, double b) { return a < b; }},
      {Opcode::kVcmpLe, Opcode::kVcmpsLe,
       [](double a, double b) { return a <= b; }},
      {Opcode::kVcmpGt, Opcode::kVcmpsGt,
       [](double a, double b) { return a > b; }},
      {Opcode::kVcmpGe, Opcode::kVcmpsGe,
       [](double a, double b) { return a >= b; }},
  };
  for (const auto &op : ops) {
    for (uint32_t cols : {1u, 7u, 64u, 300u, 700u}) {
      TestCore core;
      core.fillRandom(cols);
      const uint32_t maskBlocks = (cols + 255) / 256;
      const LocalView a{0x400, 90, 1, cols}, b{0x5000, 91, 1, 0};
      const LocalView mask{0xa000, maskBlocks, 1, 3};
      for (uint32_t r = 0; r < 3; ++r) {
        for (uint32_t e = 0; e < cols; ++e) {
          const auto v = static_cast<float>((e * 7 + r) % 5);
          core.set<float>(Space::UB, at(a, 4, r, e), e % 11 == 3 ? NAN : v);
          core.set<float>(Space::UB, at(b, 4, r, e), 2);
        }
      }
      for (bool scalar : {false, true}) {
        core.runOk(command(scalar ? op.scalar : op.vector, ElementType::F32,
                           mask.pack(), a.pack(),
                           scalar ? 0x40000000 : b.pack()));
        for (uint32_t r = 0; r < 3; ++r) {
          for (uint32_t e = 0; e < (cols + 7) / 8 * 8; ++e) {
            const bool want =
                e < cols &&
                op.holds(core.get<float>(Space::UB, at(a, 4, r, e)), 2);
            const auto byte =
                core.get<uint8_t>(Space::UB, at(mask, 1, r, e / 8));
            ASSERT_EQ(want, (byte >> (e % 8) & 1) != 0)
                << mnemonic(op.vector) << " " << r << " " << e;
          }
        }
      }
      LocalView selected = b;
      selected.count = mask.addr / 32;
      const LocalView dst{0x400, 90, 1, 3}; // in place of src0
      TestCore before = core;
      core.runOk(command(Opcode::kVsel, ElementType::F32, dst.pack(), a.pack(),
                         selected.pack()));
      for (uint32_t r = 0; r < 3; ++r) {
        for (uint32_t e = 0; e < cols; ++e) {
          const auto x = before.get<uint32_t>(Space::UB, at(a, 4, r, e));
          const auto v = before.get<float>(Space::UB, at(a, 4, r, e));
          ASSERT_EQ(op.holds(v, 2) ? x : 0x40000000u,
                    core.get<uint32_t>(Space::UB, at(dst, 4, r, e)));
        }
      }
    }
  }
}

/// The element with the wanted extreme, found as the manual words it.
uint32_t argOf(const std::vector<float> &v, bool largest) {
  uint32_t best = 0;
  for (uint32_t i = 0; i < v.size(); ++i) {
    if (std::isnan(v[i])) {
      return i;
    }
    const bool zeros = v[i] == 0 && v[best] == 0;
    const bool better = zeros ? std::signbit(v[i]) != std::signbit(v[best]) &&
                                    std::signbit(v[i]) != largest
                              : (largest ? v[i] > v[best] : v[i] < v[best]);
    best = better ? i : best;
  }
  return best;
}

TEST(VectorReduce, ArgOfARowAndOfAColumnTakesTheFirstOfEquals) {
  for (uint32_t cols : {1u, 9u, 64u, 700u}) {
    for (unsigned variant = 0; variant < 4; ++variant) {
      TestCore core;
      core.fillRandom(variant);
      std::mt19937 random(cols + variant);
      const LocalView a{0x400, 90, 1, cols};
      std::vector<std::vector<float>> rows(5, std::vector<float>(cols));
      for (uint32_t r = 0; r < 5; ++r) {
        for (uint32_t e = 0; e < cols; ++e) {
          float &v = rows[r][e];
          v = static_cast<float>(int(random() % 7) - 3);
          if (variant == 1) { // zeros of both signs only
            v = random() % 2 != 0 ? 0.0f : -0.0f;
          } else if (variant == 2 && random() % 40 == 0) {
            v = NAN;
          } else if (variant == 3) {
            v = 5;
          }
          core.set<float>(Space::UB, at(a, 4, r, e), v);
        }
      }
      for (bool largest : {true, false}) {
        core.runOk(command(largest ? Opcode::kVargmaxL : Opcode::kVargminL,
                           ElementType::F32, view(0xc004, 2, 0, 5), a.pack()));
        core.runOk(command(largest ? Opcode::kVargmaxR : Opcode::kVargminR,
                           ElementType::F32, view(0xd000, 0, 1, 5), a.pack()));
        for (uint32_t r = 0; r < 5; ++r) {
          ASSERT_EQ(argOf(rows[r], largest),
                    core.get<uint32_t>(Space::UB, 0xc004 + 64 * r))
              << "variant " << variant << " cols " << cols;
        }
        for (uint32_t e = 0; e < cols; ++e) {
          std::vector<float> column;
          for (const auto &row : rows) {
            column.push_back(row[e]);
          }
          ASSERT_EQ(argOf(column, largest),
                    core.get<uint32_t>(Space::UB, 0xd000 + 4 * e));
        }
      }
    }
  }
}

TEST(VectorReduce, MinimaAndSumsOfIntegers) {
  for (ElementType t : kIntegers) {
    TestCore core;
    core.fillRandom(11);
    const LocalView a{0x400, 90, 1, 333};
    core.runOk(command(Opcode::kVminL, t, view(0xc000, 1, 0, 6), a.pack()));
    core.runOk(command(Opcode::kVsumL, t, view(0xc400, 1, 0, 6), a.pack()));
    core.runOk(command(Opcode::kVminR, t, view(0xd000, 0, 1, 6), a.pack()));
    core.runOk(command(Opcode::kVsumR, t, view(0xe000, 0, 1, 6), a.pack()));
    std::vector<int64_t> smallest(333, INT64_MAX), sums(333);
    for (uint32_t r = 0; r < 6; ++r) {
      int64_t least = INT64_MAX, sum = 0;
      for (uint32_t e = 0; e < 333; ++e) {
        const int64_t x = integerAt(core, t, at(a, sizeOf(t), r, e));
        least = std::min(least, x);
        sum += x;
        smallest[e] = std::min(smallest[e], x);
        sums[e] += x;
      }
      EXPECT_EQ(least, integerAt(core, t, 0xc000 + 32 * r)) << name(t);
      EXPECT_EQ(wrapped(t, sum), integerAt(core, t, 0xc400 + 32 * r));
    }
    for (uint32_t e = 0; e < 333; ++e) {
      EXPECT_EQ(smallest[e], integerAt(core, t, 0xd000 + sizeOf(t) * e));
      EXPECT_EQ(wrapped(t, sums[e]),
                integerAt(core, t, 0xe000 + sizeOf(t) * e));
    }
  }
}

} // namespace
} // namespace kiln::isa
