// SPDX-License-Identifier: Apache-2.0
//
// Atomic stores, transposing loads and the activations of FIX against
// references written here from the manual's text.
#include "test_core.h"

namespace kiln::isa {
namespace {

using namespace testing;

TEST(AtomicStore, UpdatesEveryElementOfGm) {
  struct Mode {
    StoreMode mode;
    int64_t (*f)(int64_t, int64_t);
  };
  const Mode modes[] = {
      {StoreMode::kAdd, [](int64_t a, int64_t b) { return a + b; }},
      {StoreMode::kMax, [](int64_t a, int64_t b) { return std::max(a, b); }},
      {StoreMode::kMin, [](int64_t a, int64_t b) { return std::min(a, b); }},
  };
  for (const Mode &m : modes) {
    for (uint32_t blk : {1u, 3u}) { // contiguous rows, and blocks apart
      TestCore core;
      core.fillRandom(blk);
      TestCore before = core;
      core.runOk(command(
          Opcode::kStUb, ElementType::I16, kGmBase + 6, view(0x400, 20, blk, 3),
          StoreGeometry{.rowBytes = 74, .mode = m.mode, .gmStride = 120}
              .pack()));
      for (uint32_t at = 0; at < 600; at += 2) {
        const uint32_t r = at < 6 ? 3 : (at - 6) / 120;
        const uint32_t e = at < 6 ? 99 : (at - 6) % 120 / 2;
        auto want = before.get<int16_t>(Space::GM, kGmBase + at);
        if (r < 3 && e < 37) {
          const auto x = before.get<int16_t>(
              Space::UB, 0x400 + 32 * (20 * r + e / 16 * blk) + 2 * (e % 16));
          want = static_cast<int16_t>(m.f(want, x));
        }
        ASSERT_EQ(want, core.get<int16_t>(Space::GM, kGmBase + at)) << at;
      }
    }
  }
}

TEST(AtomicStore, FloatsAddAndCompareAsTheVectorUnitDoes) {
  TestCore core;
  core.set<uint16_t>(Space::UB, 0, halfBits(2048));
  core.set<uint16_t>(Space::UB, 2, 0x8000); // -0
  core.set<uint16_t>(Space::UB, 4, 0x7e55); // a NaN
  const auto store = [&](StoreMode mode, uint16_t old) {
    for (uint32_t i = 0; i < 3; ++i) {
      core.set<uint16_t>(Space::GM, kGmBase + 2 * i, old);
    }
    core.runOk(command(Opcode::kStUb, ElementType::F16, kGmBase,
                       view(0, 0, 1, 1),
                       StoreGeometry{.rowBytes = 6, .mode = mode}.pack()));
  };
  store(StoreMode::kAdd, halfBits(1)); // 2049 is a tie
  EXPECT_EQ(halfBits(2048), core.get<uint16_t>(Space::GM, kGmBase));
  store(StoreMode::kMax, 0);
  EXPECT_EQ(0, core.get<uint16_t>(Space::GM, kGmBase + 2));
  store(StoreMode::kMin, 0);
  EXPECT_EQ(0x8000, core.get<uint16_t>(Space::GM, kGmBase + 2));
  EXPECT_EQ(0x7e00, core.get<uint16_t>(Space::GM, kGmBase + 4));
}

TEST(AtomicStore, RowsThatMeetInGmAddUp) {
  TestCore core;
  for (uint32_t r = 0; r < 4; ++r) {
    core.set<int32_t>(Space::UB, 32 * r, static_cast<int32_t>(10 + r));
  }
  core.set<int32_t>(Space::GM, kGmBase, 1);
  core.runOk(
      command(Opcode::kStUb, ElementType::I32, kGmBase, view(0, 1, 1, 4),
              StoreGeometry{.rowBytes = 4, .mode = StoreMode::kAdd}.pack()));
  EXPECT_EQ(1 + 10 + 11 + 12 + 13, core.get<int32_t>(Space::GM, kGmBase));
}

TEST(AtomicStore, IntegerUpdatesCommuteFloatSumsDoNot) {
  const auto commutes = [](StoreMode mode, ElementType t) {
    Footprint fp;
    footprint(command(Opcode::kStUb, t, kGmBase, view(0, 1, 1, 1),
                      StoreGeometry{.rowBytes = 32, .mode = mode}.pack()),
              {}, fp);
    EXPECT_EQ(mode == StoreMode::kStore ? 2u : 3u, fp.ranges.size());
    return fp.ranges.back().commutes;
  };
  EXPECT_EQ(0, commutes(StoreMode::kStore, ElementType::I32));
  EXPECT_EQ(0, commutes(StoreMode::kAdd, ElementType::F32));
  EXPECT_NE(0, commutes(StoreMode::kAdd, ElementType::I32));
  EXPECT_NE(0, commutes(StoreMode::kMax, ElementType::F32));
  EXPECT_NE(commutes(StoreMode::kMax, ElementType::F32),
            commutes(StoreMode::kMin, ElementType::F32));
}

/// A row-major matrix in L1 as NZ: column blocks of 32 bytes, rows of 32 bytes
/// in them, seen as fractals of 16 rows. Both loads must transpose it.
template <typename Element> void checkTransposed(bool toL0a, unsigned f3) {
  constexpr uint32_t kC0 = 32 / sizeof(Element);
  constexpr uint32_t kRows = 64, kColumns = 2 * 32; // k x m (or n)
  TestCore core;
  core.fillRandom(f3);
  const auto source = [&](uint32_t k, uint32_t x) {
    return core.get<Element>(Space::L1, 0x200 + 32 * (x / kC0 * kRows + k) +
                                            sizeof(Element) * (x % kC0));
  };
  // A fractal of 16 rows further is 1 on, a column block kRows/16 on.
  const uint32_t crossing = kRows / 16, along = 1;
  const uint32_t k1 = kRows / kC0, x1 = kColumns / 16;
  core.runOk(command(toL0a ? Opcode::kCpL0a : Opcode::kCpL0b,
                     FractalTarget{.addr = 512,
                                   .outer = toL0a ? x1 : k1,
                                   .inner = toL0a ? k1 : x1}
                         .pack(),
                     FractalSource{.addr = 0x200,
                                   .outerStride = toL0a ? crossing : along,
                                   .innerStride = toL0a ? along : crossing}
                         .pack(),
                     0, f3));
  for (uint32_t x = 0; x < kColumns; ++x) {
    for (uint32_t k = 0; k < kRows; ++k) {
      const uint32_t fractal =
          toL0a ? x / 16 * k1 + k / kC0 : k / kC0 * x1 + x / 16;
      ASSERT_EQ(source(k, x),
                core.get<Element>(toL0a ? Space::L0A : Space::L0B,
                                  512 + 512 * fractal + 32 * (x % 16) +
                                      sizeof(Element) * (k % kC0)))
          << "k " << k << " column " << x;
    }
  }
}

TEST(TransposingLoad, TurnsRowMajorMatricesOfEveryWidth) {
  for (bool toL0a : {false, true}) {
    checkTransposed<uint16_t>(toL0a, 1);
    checkTransposed<uint8_t>(toL0a, 2);
    checkTransposed<uint32_t>(toL0a, 3);
  }
}

TEST(FixActivation, LeakyClipAndSlopesPerColumn) {
  struct Run {
    Activation activation;
    float (*f)(float x, uint32_t n);
  };
  const Run runs[] = {
      {Activation::kLeaky,
       [](float x, uint32_t) { return x < 0 ? x * 0.25f : x; }},
      {Activation::kClip,
       [](float x, uint32_t) { return std::min(std::max(x, 0.0f), 0.25f); }},
      {Activation::kPrelu,
       [](float x, uint32_t n) {
         return x < 0 ? x * (static_cast<float>(n) / 8) : x;
       }},
  };
  for (const Run &run : runs) {
    TestCore core;
    core.fillRandom(1);
    const bool prelu = run.activation == Activation::kPrelu;
    core.config.fix[0] = FixConfig0{.type = ElementType::F16,
                                    .activation = run.activation,
                                    .l0cM1 = 2}
                             .pack();
    core.config.fix[1] = FixConfig1{.scale = 0x3f000000, // 0.5
                                    .parameter = prelu ? 0 : 0x3e800000u}
                             .pack();
    core.config.fix[2] = FixConfig2{.slopes = prelu ? 64u : 0}.pack();
    for (uint32_t n = 0; n < 20; ++n) {
      core.set<float>(Space::BT, 64 + 4 * n, static_cast<float>(n) / 8);
      for (uint32_t m = 0; m < 17; ++m) {
        core.set<float>(Space::L0C,
                        1024 * (n / 16 * 2 + m / 16) + 64 * (m % 16) +
                            4 * (n % 16),
                        static_cast<float>(m) - 8);
      }
    }
    core.runOk(command(Opcode::kFixUb, 0x100,
                       AccumulatorTile{.m = 17, .n = 20}.pack(),
                       FixStrides{.c1Stride = 32, .mPitch = 64}.pack(),
                       static_cast<unsigned>(AccumulatorType::kF32)));
    for (uint32_t m = 0; m < 17; ++m) {
      for (uint32_t n = 0; n < 20; ++n) {
        ASSERT_EQ(
            run.f((static_cast<float>(m) - 8) / 2, n),
            halfValue(core.get<uint16_t>(Space::UB, 0x100 + 64 * m + 2 * n)))
            << m << " " << n;
      }
    }
  }
}

TEST(FixActivation, RefusesParametersItDoesNotTake) {
  TestCore core;
  const Command c =
      command(Opcode::kFixUb, 0, AccumulatorTile{.m = 1, .n = 1}.pack(),
              FixStrides{.c1Stride = 32, .mPitch = 32}.pack(),
              static_cast<unsigned>(AccumulatorType::kF32));
  core.config.fix[0] = FixConfig0{.type = ElementType::F16}.pack();
  core.config.fix[1] = FixConfig1{.parameter = 1}.pack();
  std::optional<Fault> fault = core.run(c);
  ASSERT_TRUE(fault);
  EXPECT_EQ(FaultKind::kIllegalOperand, fault->kind);
  EXPECT_NE(std::string::npos, fault->message.find("FIX[1].parameter"));
  core.config.fix[1] = 0;
  core.config.fix[2] = FixConfig2{.slopes = 4}.pack();
  EXPECT_TRUE(core.run(c));
  core.config.fix[0] =
      FixConfig0{.type = ElementType::F16, .activation = Activation::kPrelu}
          .pack();
  EXPECT_FALSE(core.run(c));
}

} // namespace
} // namespace kiln::isa
