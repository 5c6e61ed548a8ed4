// SPDX-License-Identifier: Apache-2.0
#include "compiler/schedule/chooser.h"

#include <gtest/gtest.h>

namespace kiln::schedule {
namespace {

using isa::Space;

isa::ArchSpec machine(const char *name, std::array<uint64_t, 7> kibibytes) {
  isa::ArchSpec arch;
  arch.name = name;
  for (unsigned i = 0; i < isa::kNumSpaces; ++i) {
    arch.arch.capacityBytes[i] = kibibytes[i] * 1024;
  }
  return arch;
}

// GM, L1, L0A, L0B, L0C, UB, BT as in k1_numbers.md, sections 1 and 7.
isa::ArchSpec k1() { return machine("k1", {0, 1024, 64, 64, 256, 256, 4}); }
isa::ArchSpec nano() { return machine("k1-nano", {0, 64, 4, 4, 8, 32, 4}); }

ContractionShape matmul(int64_t m, int64_t n, int64_t k, int64_t bytes) {
  ContractionShape s;
  s.m = m;
  s.n = n;
  s.k = k;
  s.elementBytes = bytes;
  return s;
}

ContractionShape conv(int64_t size, int64_t c1, int64_t n, int64_t kernel,
                      int64_t stride, int64_t bytes) {
  ContractionShape s;
  int64_t out = (size - 1) / stride + 1;
  s.m = out * out;
  s.n = n;
  s.k = c1 * kernel * kernel * 32 / bytes;
  s.elementBytes = bytes;
  s.rowUnit = out;
  s.c1 = c1;
  s.height = s.width = size;
  s.kernelHeight = kernel;
  s.strideHeight = stride;
  s.hasBias = true;
  return s;
}

void expectFits(const ContractionShape &s, const isa::ArchSpec &arch,
                int64_t cores) {
  Result<Schedule> r = chooseContraction(s, arch, cores);
  std::string what = arch.name + " " + std::to_string(s.m) + "x" +
                     std::to_string(s.n) + "x" + std::to_string(s.k);
  ASSERT_TRUE(r) << what << ": " << r.status().message();
  auto bytes = contractionBytes(s, *r);
  for (unsigned i = 1; i < isa::kNumSpaces; ++i) {
    EXPECT_LE(bytes[i], static_cast<int64_t>(arch.arch.capacityBytes[i]))
        << what << " " << isa::kSpaceNames[i] << " " << print(*r);
  }
  const Level *core = r->level("cores"), *l1 = r->level("l1");
  EXPECT_EQ(core->tile[0] % s.rowUnit, 0) << print(*r);
  EXPECT_EQ(l1->tile[0] % s.rowUnit, 0) << print(*r);
  EXPECT_EQ(l1->tile[1] % s.nUnit, 0) << print(*r);
  int64_t blocks =
      ((s.m - 1) / core->tile[0] + 1) * ((s.n - 1) / core->tile[1] + 1);
  EXPECT_LE(blocks, cores) << print(*r);
}

TEST(Chooser, MatrixProductsFitEveryMachine) {
  for (const isa::ArchSpec &arch : {k1(), nano()}) {
    for (int64_t m : {1, 7, 16, 100, 512, 3136}) {
      for (int64_t n : {1, 10, 64, 1000, 4096}) {
        for (int64_t k : {1, 33, 256, 25088}) {
          for (int64_t bytes : {2, 4}) {
            expectFits(matmul(m, n, k, bytes), arch, 1);
            expectFits(matmul(m, n, k, bytes), arch, 32);
          }
        }
      }
    }
  }
}

TEST(Chooser, ConvolutionsFitK1) {
  for (int64_t size : {7, 14, 28, 56, 112, 224}) {
    for (int64_t channels : {1, 4, 16, 32}) {
      for (int64_t kernel : {1, 3, 5, 7}) {
        for (int64_t stride : {1, 2}) {
          for (int64_t bytes : {2, 4}) {
            if (size * channels > 1024) {
              continue; // seven rows alone would not fit L1
            }
            expectFits(conv(size, channels, 64, kernel, stride, bytes), k1(),
                       1);
          }
        }
      }
    }
  }
}

TEST(Chooser, SmallConvolutionsFitNano) {
  for (int64_t size : {7, 14, 28}) {
    for (int64_t channels : {1, 2}) {
      for (int64_t kernel : {1, 3, 5}) {
        expectFits(conv(size, channels, 32, kernel, 1, 4), nano(), 1);
      }
    }
  }
}

TEST(Chooser, ImageWithTooManyChannelsIsCutInThem) {
  for (const isa::ArchSpec &arch : {k1(), nano()}) {
    for (int64_t size : {28, 224}) {
      for (int64_t channels : {16, 64, 256}) {
        for (int64_t kernel : {1, 3, 7}) {
          ContractionShape s = conv(size, channels, 64, kernel, 1, 2);
          s.kUnit = kernel * kernel * 16;
          if (size * kernel * 32 * 2 > 64 * 1024) {
            continue; // one block of one window's rows alone fills L1
          }
          expectFits(s, arch, 1);
          int64_t rows = std::min<int64_t>(kernel + 1, size);
          bool fits = rows * size * channels * 32 <=
                      static_cast<int64_t>(arch.arch.capacity(Space::L1));
          Result<Schedule> r = chooseContraction(s, arch);
          EXPECT_TRUE(fits || r->places("slice", Space::L1)) << print(*r);
          EXPECT_TRUE(!r->places("slice", Space::L1) ||
                      r->level("l1")->tile[2] % s.kUnit == 0)
              << print(*r);
        }
      }
    }
  }
}

TEST(Chooser, BigMatrixProductFillsHalfOfL0) {
  Result<Schedule> r = chooseContraction(matmul(1024, 1024, 1024, 2), k1());
  ASSERT_TRUE(r);
  const Level *l0 = r->level("l0");
  EXPECT_GE(l0->tile[0] * l0->tile[1], 16 * 1024) << print(*r);
  EXPECT_EQ(r->depth("a", Space::L1), 2) << print(*r);
  EXPECT_EQ(r->depth("b", Space::L1), 2) << print(*r);
  EXPECT_LE(l0->tile[0] * l0->tile[1], 32 * 1024) << print(*r);
  EXPECT_GE(std::max(l0->tile[0], l0->tile[1]) * l0->tile[2], 12 * 1024);
}

TEST(Chooser, ImpossibleKernelIsNamed) {
  Result<Schedule> r = chooseContraction(conv(224, 4, 64, 7, 1, 4), nano());
  ASSERT_FALSE(r);
  EXPECT_EQ(r.status().code(), StatusCode::kDoesNotFit);
  EXPECT_NE(r.status().message().find("k1-nano"), std::string::npos);
}

VectorShape softmaxRows(int64_t rows, int64_t columns) {
  VectorShape s;
  s.loops = {rows, columns};
  s.cuttable = {true, false};
  VectorBuffer full{{{0, 1, 1}, {1, 1, 1}}, 4, 2};
  VectorBuffer statistics{{{0, 1, 1}, {-1, 1, 1}}, 4, 1};
  s.buffers = {full, full, statistics};
  return s;
}

TEST(Chooser, VectorTilesFitAndAreNotTiny) {
  for (int64_t rows : {1, 6, 32, 1000, 100000}) {
    for (int64_t columns : {1, 77, 1000, 8000}) {
      VectorShape s = softmaxRows(rows, columns);
      Result<Schedule> r = chooseVector(s, k1(), 1);
      ASSERT_TRUE(r) << r.status().message();
      std::vector<int64_t> tile = r->level("ub")->tile;
      EXPECT_LE(vectorBytes(s, tile), 256 * 1024);
      if (tile[0] != 0) {
        ++tile[0];
        EXPECT_GT(vectorBytes(s, tile), 64 * 1024);
      }
    }
  }
}

TEST(Chooser, VectorKernelThatCannotBeCutIsRefused) {
  Result<Schedule> r = chooseVector(softmaxRows(4, 100000), k1(), 1);
  ASSERT_FALSE(r);
  EXPECT_EQ(r.status().code(), StatusCode::kDoesNotFit);
}

TEST(Chooser, LongReductionTakesPassesAndLeavesTheRestToTheResult) {
  VectorShape s = softmaxRows(8, 100000);
  s.passes = {false, true};
  Result<Schedule> r = chooseVector(s, k1(), 1);
  ASSERT_TRUE(r) << r.status().message();
  std::vector<int64_t> tile = r->level("passes")->tile;
  EXPECT_EQ(tile[0], 0);
  EXPECT_GT(tile[1], 1000);
  tile[0] = r->level("ub")->tile[0];
  EXPECT_LE(vectorBytes(s, tile), 256 * 1024);
  ++tile[1];
  EXPECT_GT(vectorBytes(s, tile), 256 * 1024);
  // A window of 60 x 80 taps, 10 pixels apart: three rows of results fit.
  VectorShape w;
  w.loops = {43, 25, 60, 80};
  w.rootLoops = 2;
  w.cuttable = {true, true, false, false};
  w.passes = {false, false, true, true};
  w.buffers = {{{{0, 10, 1, 1, 2, 10}, {1, 10, 1, 1, 3, 10}, {-1, 1, 16}}, 2}};
  r = chooseVector(w, k1(), 1);
  ASSERT_TRUE(r) << r.status().message();
  EXPECT_EQ(r->level("passes")->tile, (std::vector<int64_t>{0, 0, 1, 0}));
  EXPECT_EQ(r->level("ub")->tile, (std::vector<int64_t>{1, 0}));
}

TEST(Chooser, VectorKernelUsesTheCores) {
  Result<Schedule> r = chooseVector(softmaxRows(320, 1000), k1(), 32);
  ASSERT_TRUE(r);
  EXPECT_EQ(r->level("cores")->tile, (std::vector<int64_t>{10, 0}));
}

} // namespace
} // namespace kiln::schedule
