// SPDX-License-Identifier: Apache-2.0
//
// Every code block of docs/tutorial that names a file is a region of that file,
// and every example has its page; kernels stay as short as promised.
#include <filesystem>
#include <fstream>
#include <sstream>

#include <gtest/gtest.h>

namespace {

namespace fs = std::filesystem;

std::string readText(const fs::path &path) {
  std::ifstream in(path);
  std::stringstream text;
  text << in.rdbuf();
  return text.str();
}

/// The lines between the two markers "// [name]".
std::string region(const std::string &file, const std::string &name) {
  const std::string text = readText(file), marker = "// [" + name + "]\n";
  const size_t begin = text.find(marker);
  const size_t end =
      begin == std::string::npos ? begin : text.find(marker, begin + 1);
  if (end == std::string::npos) {
    return "no region [" + name + "] in " + file;
  }
  return text.substr(begin + marker.size(), end - begin - marker.size());
}

size_t bodyLines(const std::string &function) {
  size_t lines = 0;
  for (char c : function) {
    lines += c == '\n';
  }
  return lines - 2; // the signature and the closing brace
}

TEST(Tutorial, ShowsTheCodeOfTheExamples) {
  size_t pages = 0;
  for (const auto &entry : fs::directory_iterator("docs/tutorial")) {
    size_t blocks = 0;
    const std::string page = readText(entry.path());
    const std::string marker = "<!-- code: ";
    for (size_t at = page.find(marker); at != std::string::npos;
         at = page.find(marker, at + 1)) {
      const size_t open = page.find(" [", at), close = page.find("] -->", at);
      const std::string file =
          page.substr(at + marker.size(), open - at - marker.size());
      const std::string name = page.substr(open + 2, close - open - 2);
      const size_t code = page.find("```cpp\n", close) + 7;
      EXPECT_EQ(page.substr(code, page.find("```", code) - code),
                region(file, name))
          << entry.path();
      ++blocks;
    }
    // Declaration, kernel, reference.
    if (entry.path().filename() != "README.md") {
      EXPECT_GE(blocks, 3u) << entry.path();
      ++pages;
    }
  }
  EXPECT_GE(pages, 14u);
}

TEST(Tutorial, HasAPageForEveryExample) {
  for (const auto &entry : fs::directory_iterator("tik_dsl/examples")) {
    if (entry.path().extension() == ".yaml") { // the table of ceilings
      continue;
    }
    const fs::path page =
        "docs/tutorial" / entry.path().filename().replace_extension(".md");
    EXPECT_TRUE(fs::exists(page)) << page;
  }
}

TEST(Examples, AreAsShortAsPromised) {
  EXPECT_LE(bodyLines(region("tik_dsl/examples/01_vector_add.cpp", "kernel")),
            15u);
  EXPECT_LE(bodyLines(region("tik_dsl/examples/02_matmul.cpp", "kernel")), 45u);
  EXPECT_LE(bodyLines(region("tik_dsl/examples/05_softmax.cpp", "kernel")),
            40u);
  EXPECT_LE(
      bodyLines(region("tik_dsl/examples/12_flash_attention.cpp", "kernel")),
      150u);
}

} // namespace
