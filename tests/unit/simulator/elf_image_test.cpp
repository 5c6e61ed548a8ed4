// SPDX-License-Identifier: Apache-2.0
#include "simulator/core/elf_image.h"
#include "tests/engines/support/program_builder.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <random>

namespace kiln::sim {
namespace {

using testing::HasSubstr;

std::vector<uint8_t> goodFile() {
  test::ProgramBuilder b;
  b.note.kernel = "k";
  b.note.bindingCount = 2;
  b.addi(5, 0, 1);
  b.end();
  return b.elf();
}

void expectCorrupt(const std::vector<uint8_t> &file, const char *what) {
  Result<ElfImage> image = ElfImage::parse(file, "x.elf");
  ASSERT_FALSE(image.isOk()) << what;
  EXPECT_EQ(image.status().code(), StatusCode::kCorrupt);
  EXPECT_THAT(image.status().message(), HasSubstr("x.elf: "));
  EXPECT_THAT(image.status().message(), HasSubstr(what));
}

TEST(ElfImage, AGoodFileIsRead) {
  Result<ElfImage> image = ElfImage::parse(goodFile(), "x.elf");
  ASSERT_TRUE(image.isOk()) << image.status().message();
  EXPECT_EQ(image->entry, isa::kInstructionRamBase);
  ASSERT_EQ(image->segments.size(), 1u);
  EXPECT_TRUE(image->segments[0].executable);
  EXPECT_EQ(image->segments[0].bytes.size(), 8u);
  EXPECT_EQ(image->imageBytes(), 8u);
  EXPECT_EQ(image->note.kernel, "k");
  EXPECT_EQ(image->note.bindingCount, 2u);
  EXPECT_EQ(image->symbol("__kiln_stack_top"), isa::kScalarRamBase + 2048);
  EXPECT_FALSE(image->symbol("nothing").has_value());
}

TEST(ElfImage, ForeignFilesSayWhatWasFound) {
  expectCorrupt({}, "0 bytes, an ELF header has 64");
  std::vector<uint8_t> file(100, 'x');
  expectCorrupt(file, "starts with 78787878");
  file = goodFile();
  file[4] = 1;
  expectCorrupt(file, "ELF class 1");
  file = goodFile();
  file[18] = 62; // x86-64
  expectCorrupt(file, "machine 62");
  file = goodFile();
  file[24] = 2; // entry
  expectCorrupt(file, "entry point 0x80000002");
}

TEST(ElfImage, ASegmentOutsideItsMemoryIsRefused) {
  std::vector<uint8_t> file = goodFile();
  file[64 + 16 + 3] = 0x70; // address 0x70000000
  expectCorrupt(file, "occupies [0x70000000");
  file = goodFile();
  file[64 + 40 + 4] = 1; // 4 GiB in memory
  expectCorrupt(file, "segment 0 (code)");
}

TEST(ElfImage, AFileWithoutTheNoteIsNoProgramOfOurs) {
  std::vector<uint8_t> file = goodFile();
  std::string bytes(file.begin(), file.end());
  size_t at = bytes.rfind(".note.kiln");
  file[at + 1] = 'x';
  expectCorrupt(file, "no .note.kiln section");
}

TEST(ElfImage, TruncationAtEveryByteIsRefused) {
  std::vector<uint8_t> file = goodFile();
  for (size_t size = 0; size < file.size(); ++size) {
    std::vector<uint8_t> part(file.begin(),
                              file.begin() + static_cast<int64_t>(size));
    EXPECT_EQ(ElfImage::parse(part, "x").status().code(), StatusCode::kCorrupt)
        << size;
  }
}

TEST(ElfImage, FlippedBitsNeverCrash) {
  std::mt19937 random(7);
  const std::vector<uint8_t> good = goodFile();
  unsigned refused = 0;
  for (int i = 0; i < 5000; ++i) {
    std::vector<uint8_t> file = good;
    for (unsigned n = 1 + random() % 3; n; --n) {
      file[random() % file.size()] ^= uint8_t(1u << random() % 8);
    }
    refused += !ElfImage::parse(file, "x").isOk();
  }
  EXPECT_GT(refused, 1000u);
}

} // namespace
} // namespace kiln::sim
