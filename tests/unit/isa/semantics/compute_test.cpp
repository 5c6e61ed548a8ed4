// SPDX-License-Identifier: Apache-2.0
//
// M, FIX and V against references written here from the manual's formulas in
// the host's float and double. Operands are chosen so that the reference is
// exact or rounds once; the rules of rounding themselves are tested in
// tests/unit/isa/numerics.
#include "test_core.h"

namespace kiln::isa {
namespace {

using namespace testing;

uint32_t bitsOf(float x) { return std::bit_cast<uint32_t>(x); }
float floatOf(uint32_t bits) { return std::bit_cast<float>(bits); }

/// Small multiples of 1/8: sums of products are exact in f32.
float smallNumber(std::mt19937 &random) {
  return static_cast<float>(static_cast<int>(random() % 65) - 32) / 8;
}

struct MmadRun {
  CubeType type;
  uint32_t m, n, k;
  CubeMode mode;
};

/// Row m, lane k of A: fractal (mi,ki) at 512*(mi*K1+ki), rows of 32 bytes.
uint32_t addrA(const MmadRun &r, uint32_t size, uint32_t m, uint32_t k) {
  const uint32_t c0 = 32 / size, k1 = (r.k + c0 - 1) / c0;
  return 512 * (m / 16 * k1 + k / c0) + 32 * (m % 16) + k % c0 * size;
}
uint32_t addrB(const MmadRun &r, uint32_t size, uint32_t n, uint32_t k) {
  const uint32_t c0 = 32 / size, n1 = (r.n + 15) / 16;
  return 512 * (k / c0 * n1 + n / 16) + 32 * (n % 16) + k % c0 * size;
}
uint32_t addrC(uint32_t m1, uint32_t m, uint32_t n) {
  return 1024 * (n / 16 * m1 + m / 16) + 64 * (m % 16) + 4 * (n % 16);
}

/// Places values in all of the tile's real lanes; everything else keeps the
/// random bytes of the core, NaN among them.
void checkMmad(const MmadRun &run) {
  TestCore core;
  core.fillRandom(run.m + 100 * run.n + run.k);
  std::mt19937 random(run.k);
  const bool integer = run.type < CubeType::kF16;
  const bool bf16 = run.type == CubeType::kBf16;
  const uint32_t size = integer ? 1 : run.type == CubeType::kF32 ? 4 : 2;
  const auto draw = [&](Space s, uint32_t at, bool isSigned) -> double {
    if (integer) {
      const auto x = static_cast<uint8_t>(random());
      core.set<uint8_t>(s, at, x);
      return isSigned ? static_cast<int8_t>(x) : x;
    }
    const float x = smallNumber(random);
    if (size == 4) {
      core.set<float>(s, at, x);
    } else {
      core.set<uint16_t>(
          s, at, bf16 ? static_cast<uint16_t>(bitsOf(x) >> 16) : halfBits(x));
    }
    return x;
  };
  const bool signedA = run.type == CubeType::kI8 || run.type == CubeType::kI8u8;
  const bool signedB = run.type == CubeType::kI8 || run.type == CubeType::kU8i8;
  std::vector<double> a(run.m * run.k), b(run.n * run.k), bias(run.n);
  for (uint32_t m = 0; m < run.m; ++m) {
    for (uint32_t k = 0; k < run.k; ++k) {
      a[m * run.k + k] =
          draw(Space::L0A, 1024 + addrA(run, size, m, k), signedA);
    }
  }
  for (uint32_t n = 0; n < run.n; ++n) {
    for (uint32_t k = 0; k < run.k; ++k) {
      b[n * run.k + k] =
          draw(Space::L0B, 512 + addrB(run, size, n, k), signedB);
    }
    bias[n] = static_cast<double>(n) * 3 - 20;
    integer ? core.set<int32_t>(Space::BT, 64 + 4 * n, int32_t(bias[n]))
            : core.set<float>(Space::BT, 64 + 4 * n, float(bias[n]));
  }
  const uint32_t m1 = (run.m + 15) / 16;
  for (uint32_t m = 0; m < run.m; ++m) {
    for (uint32_t n = 0; n < run.n; ++n) {
      const uint32_t at = 2048 + addrC(m1, m, n);
      integer ? core.set<int32_t>(Space::L0C, at, int32_t(m * 100 + n))
              : core.set<float>(Space::L0C, at, float(m * 100 + n));
    }
  }
  const TestCore before = core;
  core.runOk(command(
      Opcode::kMmad,
      CubeShape{.addr = 2048, .m = run.m, .n = run.n, .k = run.k}.pack(), 1024,
      CubeB{.addr = 512, .bias = 64, .mode = run.mode}.pack(),
      static_cast<unsigned>(run.type)));
  std::vector<bool> written(core[Space::L0C].size());
  for (uint32_t m = 0; m < run.m; ++m) {
    for (uint32_t n = 0; n < run.n; ++n) {
      double want = run.mode == CubeMode::kAccumulate ? m * 100 + n
                    : run.mode == CubeMode::kBias     ? bias[n]
                                                      : 0;
      for (uint32_t k = 0; k < run.k; ++k) {
        want += a[m * run.k + k] * b[n * run.k + k];
      }
      const uint32_t at = 2048 + addrC(m1, m, n);
      ASSERT_EQ(want, integer ? core.get<int32_t>(Space::L0C, at)
                              : double(core.get<float>(Space::L0C, at)))
          << m << " " << n;
      std::fill_n(written.begin() + at, 4, true);
    }
  }
  for (size_t i = 0; i < written.size(); ++i) {
    ASSERT_TRUE(written[i] ||
                core[Space::L0C][i] == before.local[unsigned(Space::L0C)][i])
        << "byte " << i << " outside the tile changed";
  }
}

TEST(Mmad, MultipliesEveryTypeShapeAndMode) {
  for (CubeType type :
       {CubeType::kI8, CubeType::kU8i8, CubeType::kI8u8, CubeType::kU8,
        CubeType::kF16, CubeType::kBf16, CubeType::kF32}) {
    for (CubeMode mode :
         {CubeMode::kZero, CubeMode::kAccumulate, CubeMode::kBias}) {
      checkMmad({type, 16, 16, 32, mode});
      checkMmad({type, 1, 1, 1, mode});
      checkMmad({type, 37, 21, 19, mode});
      checkMmad({type, 5, 50, 70, mode});
    }
  }
}

struct FixRun {
  Opcode op;
  ElementType out;
  uint32_t m, n;
  bool relu;
  float scale; // 0: off
  bool perChannel;
  uint32_t c1Stride, mPitch;
};

/// Reads an element of any type as a double.
double elementOf(TestCore &core, Space s, uint64_t at, ElementType t) {
  switch (t) {
  case ElementType::I8:
    return core.get<int8_t>(s, at);
  case ElementType::U8:
    return core.get<uint8_t>(s, at);
  case ElementType::I16:
    return core.get<int16_t>(s, at);
  case ElementType::U16:
    return core.get<uint16_t>(s, at);
  case ElementType::I32:
    return core.get<int32_t>(s, at);
  case ElementType::F16:
    return halfValue(core.get<uint16_t>(s, at));
  case ElementType::BF16:
    return halfValue(core.get<uint16_t>(s, at), true);
  default:
    return core.get<float>(s, at);
  }
}

void checkFix(const FixRun &run) {
  TestCore core;
  core.fillRandom(run.m + run.n);
  const uint32_t m1 = (run.m + 15) / 16 + 1; // a tile inside a larger one
  core.config.fix[0] =
      FixConfig0{.type = run.out,
                 .activation = run.relu ? Activation::kRelu : Activation::kNone,
                 .l0cM1 = m1}
          .pack();
  core.config.fix[1] = run.perChannel ? 0 : bitsOf(run.scale);
  core.config.fix[2] = FixConfig2{.scales = 128,
                                  .perChannel = run.perChannel ? 1u : 0u,
                                  .zeroPoint = 3}
                           .pack();
  for (uint32_t n = 0; n < run.n; ++n) {
    core.set<float>(Space::BT, 128 + 4 * n, 0.25f * static_cast<float>(n % 5));
    for (uint32_t m = 0; m < run.m; ++m) {
      core.set<float>(Space::L0C, 1024 + addrC(m1, m, n),
                      (static_cast<float>(m) - 10) / 4 +
                          static_cast<float>(n % 3));
    }
  }
  const Space space = run.op == Opcode::kFixGm   ? Space::GM
                      : run.op == Opcode::kFixUb ? Space::UB
                                                 : Space::L1;
  const uint64_t dst = TestCore::base(space) + 256;
  core.runOk(command(
      run.op, dst, AccumulatorTile{.addr = 1024, .m = run.m, .n = run.n}.pack(),
      FixStrides{.c1Stride = run.c1Stride, .mPitch = run.mPitch}.pack(),
      static_cast<unsigned>(AccumulatorType::kF32)));
  const uint32_t size = sizeOf(run.out), c0 = 32 / size;
  const bool integer = run.out < ElementType::F16;
  for (uint32_t m = 0; m < run.m; ++m) {
    for (uint32_t n = 0; n < run.n; ++n) {
      float x = (static_cast<float>(m) - 10) / 4 + static_cast<float>(n % 3);
      x *= run.perChannel      ? 0.25f * static_cast<float>(n % 5)
           : run.scale != 0.0f ? run.scale
                               : 1.0f;
      x = run.relu ? std::max(x, 0.0f) : x;
      double want = x;
      if (integer) {
        want = std::nearbyint(x) + (size == 1 ? 3 : 0);
        want = run.out == ElementType::U8 || run.out == ElementType::U16
                   ? std::max(want, 0.0)
                   : want;
      }
      const uint64_t at =
          dst + n / c0 * run.c1Stride + m * run.mPitch + n % c0 * size;
      ASSERT_EQ(want, elementOf(core, space, at, run.out))
          << m << " " << n << " " << name(run.out);
    }
  }
}

TEST(Fix, ScalesActivatesCastsAndPlaces) {
  for (Opcode op : {Opcode::kFixGm, Opcode::kFixUb, Opcode::kFixL1}) {
    for (ElementType out :
         {ElementType::I8, ElementType::U8, ElementType::I16, ElementType::U16,
          ElementType::F16, ElementType::BF16, ElementType::F32}) {
      for (bool relu : {false, true}) {
        const uint32_t size = sizeOf(out);
        // NC1HWC0: rows of 32 bytes, then ND: rows of n elements.
        checkFix({op, out, 19, 37, relu, 0, false, 32 * 24, 32});
        checkFix({op, out, 19, 37, relu, 0.5f, false, 32, 48 * size});
        checkFix({op, out, 70, 16, relu, 0, true, 32, 16 * size});
        checkFix({op, out, 3, 5, relu, -2.0f, false, 64, 32});
      }
    }
  }
}

TEST(Fix, CopiesIntegerAccumulators) {
  TestCore core;
  core.fillRandom(9);
  core.config.fix[0] = FixConfig0{.type = ElementType::I32, .l0cM1 = 2}.pack();
  core.runOk(command(Opcode::kFixUb, 0,
                     AccumulatorTile{.m = 20, .n = 18}.pack(),
                     FixStrides{.c1Stride = 32, .mPitch = 96}.pack(),
                     static_cast<unsigned>(AccumulatorType::kI32)));
  for (uint32_t m = 0; m < 20; ++m) {
    for (uint32_t n = 0; n < 18; ++n) {
      EXPECT_EQ(core.get<uint32_t>(Space::L0C, addrC(2, m, n)),
                core.get<uint32_t>(Space::UB, n / 8 * 32 + m * 96 + n % 8 * 4));
    }
  }
}

/// A view of UB by the addressing formula of V.
struct Elements {
  uint32_t addr, row, blk;
  ElementType type;

  uint64_t at(uint32_t r, uint32_t e) const {
    const uint32_t size = sizeOf(type), epb = 32 / size;
    return addr + 32 * (r * row + e / epb * blk) + size * (e % epb);
  }
};

void setElement(TestCore &core, const Elements &x, uint32_t r, uint32_t e,
                float v) {
  const uint64_t at = x.at(r, e);
  switch (x.type) {
  case ElementType::I8:
  case ElementType::U8:
    core.set<uint8_t>(Space::UB, at, static_cast<uint8_t>(int(v)));
    break;
  case ElementType::I16:
  case ElementType::U16:
    core.set<uint16_t>(Space::UB, at, static_cast<uint16_t>(int(v)));
    break;
  case ElementType::I32:
    core.set<int32_t>(Space::UB, at, int(v));
    break;
  case ElementType::F16:
    core.set<uint16_t>(Space::UB, at, halfBits(v));
    break;
  case ElementType::BF16:
    core.set<uint16_t>(Space::UB, at, static_cast<uint16_t>(bitsOf(v) >> 16));
    break;
  case ElementType::F32:
    core.set<float>(Space::UB, at, v);
  }
}

double valueOf(TestCore &core, const Elements &x, uint32_t r, uint32_t e) {
  return elementOf(core, Space::UB, x.at(r, e), x.type);
}

/// The strides a two-source instruction is tried with.
struct Layout {
  uint32_t rows, cols;
  uint32_t dstRow, dstBlk, aRow, aBlk, bRow, bBlk;
};
constexpr Layout kLayouts[] = {
    {1, 100, 0, 1, 0, 1, 0, 1},      // one contiguous row
    {5, 37, 20, 1, 11, 1, 17, 1},    // rows with tails
    {4, 64, 8, 1, 8, 1, 0, 1},       // full rows, src1 a broadcast row
    {6, 70, 30, 1, 30, 1, 1, 0},     // src1 a broadcast block per row
    {3, 50, 40, 2, 60, 3, 7, 1},     // strided blocks
    {20, 8, 3, 1, 2, 1, 1, 1},       // short rows
    {2, 700, 200, 1, 200, 2, 100, 1} // longer than a piece
};

/// f in double on operands whose result is exact in every float type.
void checkBinary(Opcode op, ElementType type, const Layout &l,
                 double (*f)(double, double)) {
  TestCore core;
  core.fillRandom(l.cols);
  std::mt19937 random(l.rows);
  const Elements dst{0x8000, l.dstRow, l.dstBlk, type};
  const Elements a{0x400, l.aRow, l.aBlk, type},
      b{0xf0e0, l.bRow, l.bBlk, type};
  // b must stay inside UB: move it down for the wide layouts.
  const Elements src1{l.cols > 100 ? 0x6000u : b.addr - 0x2000u, b.row, b.blk,
                      type};
  const bool isUnsigned = type == ElementType::U8 || type == ElementType::U16;
  for (uint32_t r = 0; r < l.rows; ++r) {
    for (uint32_t e = 0; e < l.cols; ++e) {
      for (const Elements &x : {a, src1}) {
        const auto v = static_cast<float>(int(random() % 15) - 7);
        setElement(core, x, r, e,
                   isUnsigned ? std::fabs(v)
                              : (v == 0 && op == Opcode::kVdiv ? 1.0f : v));
      }
    }
  }
  TestCore before = core;
  core.runOk(command(op, type, view(dst.addr, dst.row, dst.blk, l.rows),
                     view(a.addr, a.row, a.blk, l.cols),
                     view(src1.addr, src1.row, src1.blk)));
  for (uint32_t r = 0; r < l.rows; ++r) {
    for (uint32_t e = 0; e < l.cols; ++e) {
      double want = f(valueOf(before, a, r, e), valueOf(before, src1, r, e));
      if (op == Opcode::kVdiv) {
        want = type == ElementType::F16   ? halfValue(halfBits(float(want)))
               : type == ElementType::F32 ? double(float(want))
                                          : want;
        if (type == ElementType::BF16) {
          continue; // rounding of quotients: tests/unit/isa/numerics
        }
      }
      if (type == ElementType::U8 && want < 0) {
        want += 256;
      } else if (type == ElementType::U16 && want < 0) {
        want += 65536;
      }
      ASSERT_EQ(want, valueOf(core, dst, r, e))
          << mnemonic(op) << " " << name(type) << " row " << r << " element "
          << e;
    }
  }
}

constexpr ElementType kAllTypes[] = {
    ElementType::I8,  ElementType::U8,  ElementType::I16,  ElementType::U16,
    ElementType::I32, ElementType::F16, ElementType::BF16, ElementType::F32};

TEST(Vector, TwoSourceInstructionsWalkTheirViews) {
  struct Op {
    Opcode op;
    double (*f)(double, double);
  };
  const Op ops[] = {
      {Opcode::kVadd, [](double a, double b) { return a + b; }},
      {Opcode::kVsub, [](double a, double b) { return a - b; }},
      {Opcode::kVmul, [](double a, double b) { return a * b; }},
      {Opcode::kVmax, [](double a, double b) { return std::max(a, b); }},
      {Opcode::kVmin, [](double a, double b) { return std::min(a, b); }},
      {Opcode::kVdiv, [](double a, double b) { return a / b; }},
  };
  for (const Op &op : ops) {
    for (ElementType type : kAllTypes) {
      if (op.op == Opcode::kVdiv && type < ElementType::F16) {
        continue;
      }
      for (const Layout &layout : kLayouts) {
        checkBinary(op.op, type, layout, op.f);
      }
    }
  }
}

/// A vector of one row for the remaining instructions.
struct Row {
  TestCore core;
  Elements src, dst;
  std::vector<float> values;

  Row(ElementType from, ElementType to, std::vector<float> v)
      : src{0x1000, 0, 1, from}, dst{0x4000, 0, 1, to}, values(std::move(v)) {
    core.fillRandom(1);
    for (uint32_t e = 0; e < values.size(); ++e) {
      setElement(core, src, 0, e, values[e]);
    }
  }
  void run(Opcode op, uint64_t rs3 = 0) {
    core.runOk(command(op, src.type, view(dst.addr, 0, 1, 1),
                       view(src.addr, 0, 1, uint32_t(values.size())), rs3));
  }
  double result(uint32_t e) { return valueOf(core, dst, 0, e); }
};

uint32_t scalarBits(ElementType t, float v) {
  return t == ElementType::F32    ? bitsOf(v)
         : t == ElementType::BF16 ? bitsOf(v) >> 16
         : t == ElementType::F16
             ? halfBits(v)
             : static_cast<uint32_t>(int(v)) &
                   (sizeOf(t) == 4 ? ~0u : (1u << 8 * sizeOf(t)) - 1);
}

TEST(Vector, ScalarFormsUseOneElement) {
  const std::vector<float> v = {0, 1, 2, 3, 5, 8, 13, 21, 4, 7, 6, 9, 10};
  for (ElementType t : kAllTypes) {
    const uint64_t three = scalarBits(t, 3);
    Row add(t, t, v), mul(t, t, v), max(t, t, v), min(t, t, v), dup(t, t, v);
    add.run(Opcode::kVadds, three);
    mul.run(Opcode::kVmuls, three);
    max.run(Opcode::kVmaxs, three);
    min.run(Opcode::kVmins, three);
    dup.core.runOk(command(Opcode::kVdup, t, view(0x4000, 0, 1, 1),
                           view(0, 0, 0, uint32_t(v.size())), three));
    for (uint32_t e = 0; e < v.size(); ++e) {
      const double x = v[e];
      EXPECT_EQ(x + 3, add.result(e)) << name(t);
      EXPECT_EQ(x * 3, mul.result(e)) << name(t);
      EXPECT_EQ(std::max(x, 3.0), max.result(e)) << name(t);
      EXPECT_EQ(std::min(x, 3.0), min.result(e)) << name(t);
      EXPECT_EQ(3, dup.result(e)) << name(t);
    }
  }
}

TEST(Vector, MoveKeepsBitsAndMayBeInPlace) {
  TestCore core;
  core.fillRandom(8);
  const TestCore before = core;
  core.runOk(command(Opcode::kVmov, ElementType::F16, view(0x40, 4, 2, 3),
                     view(0x40, 4, 2, 20)));
  EXPECT_EQ(before.local[unsigned(Space::UB)], core[Space::UB]);
  core.runOk(command(Opcode::kVmov, ElementType::F16, view(0x4000, 4, 1, 3),
                     view(0x40, 4, 1, 20)));
  for (uint32_t r = 0; r < 3; ++r) {
    for (uint32_t i = 0; i < 40; ++i) {
      EXPECT_EQ(core.get<uint8_t>(Space::UB, 0x40 + 128 * r + i),
                core.get<uint8_t>(Space::UB, 0x4000 + 128 * r + i));
    }
  }
}

TEST(Vector, FunctionsAreCloseToTheirNames) {
  const std::vector<float> v = {0.25f, 0.5f, 1, 2, 3, 0.125f, 7, 9, 1.5f};
  struct Function {
    Opcode op;
    double (*f)(double);
  };
  const Function functions[] = {
      {Opcode::kVexp, [](double x) { return std::exp(x); }},
      {Opcode::kVrec, [](double x) { return 1 / x; }},
      {Opcode::kVsqrt, [](double x) { return std::sqrt(x); }},
      {Opcode::kVtanh, [](double x) { return std::tanh(x); }},
  };
  for (const Function &fn : functions) {
    for (ElementType t :
         {ElementType::F16, ElementType::BF16, ElementType::F32}) {
      Row row(t, t, v);
      row.run(fn.op);
      // Half an ulp and a little: 2^-11, 2^-8, 2^-24 of the value.
      const double ulp = t == ElementType::F16    ? 0x1p-10
                         : t == ElementType::BF16 ? 0x1p-7
                                                  : 0x1p-23;
      for (uint32_t e = 0; e < v.size(); ++e) {
        const double want = fn.f(double(v[e]));
        EXPECT_NEAR(want, row.result(e), 0.53 * ulp * std::fabs(want))
            << mnemonic(fn.op) << " " << name(t) << " of " << v[e];
      }
    }
  }
}

TEST(Vector, ExpOfDifferenceWritesThreeTypes) {
  const std::vector<float> v = {1, 2, 3, -1, 0.5f, 4, -6};
  struct Form {
    Opcode op;
    ElementType to;
  };
  for (const Form &form : {Form{Opcode::kVexpd, ElementType::F32},
                           Form{Opcode::kVexpdH, ElementType::F16},
                           Form{Opcode::kVexpdB, ElementType::BF16}}) {
    Row row(ElementType::F32, form.to, v);
    const Elements b{0x6000, 0, 0, ElementType::F32};
    for (uint32_t e = 0; e < 8; ++e) {
      setElement(row.core, b, 0, e, 1.25f);
    }
    row.run(form.op, view(b.addr, 0, 0));
    const double ulp = form.to == ElementType::F16    ? 0x1p-10
                       : form.to == ElementType::BF16 ? 0x1p-7
                                                      : 0x1p-23;
    for (uint32_t e = 0; e < v.size(); ++e) {
      const double want = std::exp(double(v[e]) - 1.25);
      EXPECT_NEAR(want, row.result(e), 0.53 * ulp * want);
    }
  }
}

TEST(Vector, MultiplyAddReadsItsDestination) {
  for (ElementType t :
       {ElementType::F16, ElementType::BF16, ElementType::F32}) {
    for (uint32_t blk : {1u, 2u}) {
      TestCore core;
      core.fillRandom(4);
      const Elements d{0x2000, 30, blk, t}, a{0x4000, 30, 1, t},
          b{0x6000, 1, 0, t};
      for (uint32_t r = 0; r < 3; ++r) {
        for (uint32_t e = 0; e < 40; ++e) {
          setElement(core, d, r, e, float(e % 7));
          setElement(core, a, r, e, float(r + 2));
          setElement(core, b, r, e, float(e % (32 / sizeOf(t)) % 4));
        }
      }
      core.runOk(command(Opcode::kVmadd, t, view(0x2000, 30, blk, 3),
                         view(0x4000, 30, 1, 40), view(0x6000, 1, 0)));
      for (uint32_t r = 0; r < 3; ++r) {
        for (uint32_t e = 0; e < 40; ++e) {
          const uint32_t factor = e % (32 / sizeOf(t)) % 4;
          EXPECT_EQ(e % 7 + (r + 2) * factor, valueOf(core, d, r, e));
        }
      }
    }
  }
}

TEST(Vector, CastWalksBlocksOfBothTypes) {
  std::vector<float> v;
  for (int i = 0; i < 75; ++i) {
    v.push_back(static_cast<float>(i));
  }
  for (ElementType from : kAllTypes) {
    for (ElementType to : kAllTypes) {
      Row row(from, to, v);
      row.run(Opcode::kVcast, CastMode{.type = to}.pack());
      for (uint32_t e = 0; e < v.size(); ++e) {
        ASSERT_EQ(v[e], row.result(e)) << name(from) << " " << name(to);
      }
    }
  }
}

TEST(Vector, RowReductionsWriteOneElementPerRow) {
  for (ElementType t : kAllTypes) {
    for (uint32_t cols : {1u, 40u, 64u, 130u}) {
      TestCore core;
      core.fillRandom(cols);
      const Elements src{0x1000, 40, 2, t}, dst{0x8000 + sizeOf(t), 3, 0, t};
      for (uint32_t r = 0; r < 5; ++r) {
        for (uint32_t e = 0; e < cols; ++e) {
          setElement(core, src, r, e, float((e * 7 + r) % 12));
        }
      }
      const bool sums = t >= ElementType::I32;
      for (Opcode op : {Opcode::kVsumL, Opcode::kVmaxL}) {
        if (op == Opcode::kVsumL && !sums) {
          continue;
        }
        core.runOk(
            command(op, t, view(dst.addr, 3, 0, 5), view(0x1000, 40, 2, cols)));
        for (uint32_t r = 0; r < 5; ++r) {
          float want = 0;
          for (uint32_t e = 0; e < cols; ++e) {
            const auto x = float((e * 7 + r) % 12);
            want = op == Opcode::kVsumL ? want + x : std::max(want, x);
          }
          if (t == ElementType::BF16) { // 8 bits of the sum
            uint32_t bits = bitsOf(want);
            bits += 0x7fff + ((bits >> 16) & 1);
            want = floatOf(bits & 0xffff0000);
          }
          EXPECT_EQ(want, valueOf(core, dst, r, 0)) << name(t) << " " << cols;
        }
      }
    }
  }
}

TEST(Vector, ColumnReductionsKeepColumns) {
  for (ElementType t : kAllTypes) {
    TestCore core;
    core.fillRandom(5);
    const Elements src{0x1000, 45, 1, t}, dst{0x8000, 0, 2, t};
    for (uint32_t r = 0; r < 6; ++r) {
      for (uint32_t e = 0; e < 600 / sizeOf(t); ++e) {
        setElement(core, src, r, e, float((e + 5 * r) % 9));
      }
    }
    const uint32_t cols = 600 / sizeOf(t);
    for (Opcode op : {Opcode::kVsumR, Opcode::kVmaxR}) {
      if (op == Opcode::kVsumR && t < ElementType::I32) {
        continue;
      }
      core.runOk(
          command(op, t, view(0x8000, 0, 2, 6), view(0x1000, 45, 1, cols)));
      for (uint32_t e = 0; e < cols; ++e) {
        float want = 0;
        for (uint32_t r = 0; r < 6; ++r) {
          const auto x = float((e + 5 * r) % 9);
          want = op == Opcode::kVsumR ? want + x : std::max(want, x);
        }
        EXPECT_EQ(want, valueOf(core, dst, 0, e)) << name(t);
      }
    }
  }
}

TEST(Vector, BroadcastFillsRows) {
  for (ElementType t : kAllTypes) {
    for (uint32_t blk : {1u, 2u}) {
      TestCore core;
      core.fillRandom(6);
      const Elements src{0x1000 + sizeOf(t), 1, 0, t}, dst{0x4000, 50, blk, t};
      for (uint32_t r = 0; r < 7; ++r) {
        setElement(core, src, r, 0, float(r + 1));
      }
      core.runOk(command(Opcode::kVbc, t, view(0x4000, 50, blk, 7),
                         view(src.addr, 1, 0, 77)));
      for (uint32_t r = 0; r < 7; ++r) {
        for (uint32_t e = 0; e < 77; ++e) {
          ASSERT_EQ(r + 1, valueOf(core, dst, r, e));
        }
      }
    }
  }
}

TEST(Vector, TransposesBetweenPlanarAndBlocked) {
  for (ElementType t : {ElementType::I8, ElementType::F16, ElementType::F32}) {
    const uint32_t size = sizeOf(t), c0 = 32 / size, channels = c0 - 1;
    TestCore core;
    core.fillRandom(7);
    core.runOk(command(Opcode::kVtrIn, t, view(0x4000, 0, 2, channels),
                       view(0x400, 7, 1, 45)));
    const Elements planar{0x400, 7, 1, t};
    for (uint32_t p = 0; p < 45; ++p) {
      for (uint32_t i = 0; i < 32; ++i) {
        const uint32_t c = i / size;
        const uint8_t want =
            c < channels
                ? core.get<uint8_t>(Space::UB, planar.at(c, p) + i % size)
                : 0;
        ASSERT_EQ(want, core.get<uint8_t>(Space::UB, 0x4000 + 64 * p + i));
      }
    }
    core.runOk(command(Opcode::kVtrOut, t, view(0x8000, 20, 1, channels),
                       view(0x4000, 0, 2, 45)));
    const Elements back{0x8000, 20, 1, t};
    for (uint32_t c = 0; c < channels; ++c) {
      for (uint32_t p = 0; p < 45; ++p) {
        for (uint32_t i = 0; i < size; ++i) {
          ASSERT_EQ(core.get<uint8_t>(Space::UB, planar.at(c, p) + i),
                    core.get<uint8_t>(Space::UB, back.at(c, p) + i));
        }
      }
    }
  }
}

} // namespace
} // namespace kiln::isa
