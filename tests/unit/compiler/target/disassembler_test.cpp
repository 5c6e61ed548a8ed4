// SPDX-License-Identifier: Apache-2.0
//
// Damaged files are refused or listed, never a crash or a hang: every length
// and every bit of an object and of a kernel.
#include "compiler/target/disassembler.h"

#include "compiler/target/assembler.h"
#include "compiler/target/kernel_source.h"

#include <gtest/gtest.h>

namespace kiln::target {
namespace {

constexpr char kSource[] = ".globl kernel\n"
                           "kernel:\n"
                           "  kset mte2, v, zero\n"
                           "  addi a0, a0, 1\n"
                           "  ret\n";

void list(std::span<const uint8_t> file) {
  Result<std::vector<DisassembledLine>> lines =
      disassembleElf(file, SourceLines::kNone);
  if (lines) {
    formatListing(*lines);
  } else {
    EXPECT_EQ(lines.status().code(), StatusCode::kCorrupt);
  }
}

void damageAndList(const Result<ObjectBytes> &file, size_t words) {
  ASSERT_TRUE(file) << file.status().message();
  std::vector<uint8_t> bytes(file->begin(), file->end());
  Result<std::vector<DisassembledLine>> lines =
      disassembleElf(bytes, SourceLines::kNone);
  ASSERT_TRUE(lines) << lines.status().message();
  EXPECT_EQ(lines->size(), words);
  EXPECT_EQ(lines->back().text, "ret");
  EXPECT_EQ(lines->back().function, "kernel");
  for (size_t size = 0; size < bytes.size(); ++size) {
    list(std::span(bytes).first(size));
  }
  for (size_t bit = 0; bit < 8 * bytes.size(); ++bit) {
    bytes[bit / 8] ^= static_cast<uint8_t>(1u << bit % 8);
    list(bytes);
    bytes[bit / 8] ^= static_cast<uint8_t>(1u << bit % 8);
  }
}

TEST(Disassembler, DamagedObjectsAreRefusedOrListed) {
  damageAndList(assemble(kSource, "small.s"), 3);
}

TEST(Disassembler, DamagedKernelsAreRefusedOrListed) {
  damageAndList(assembleKernel(kSource, "small.s"), 10);
}

} // namespace
} // namespace kiln::target
