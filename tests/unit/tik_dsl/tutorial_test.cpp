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

/// The author's lines of an example: all that makes the kernel, be it in one
/// function or in several with types of their own. These are the lines between
/// its declaration and its reference, without the knobs (another function), and
/// of these those with code: no blank lines and no lines that are only a
/// comment. The signature and the closing brace of kernel() do not count.
size_t authorsLines(const std::string &file) {
  const std::string text = readText(file);
  const std::string declaration = "// [declaration]\n";
  const size_t begin = text.rfind(declaration) + declaration.size();
  const size_t end = text.find("// [reference]\n");
  std::string body = text.substr(begin, end - begin);
  const std::string knobs = "// [knobs]\n";
  if (const size_t first = body.find(knobs); first != std::string::npos) {
    body.erase(first, body.rfind(knobs) - first);
  }
  EXPECT_NE(body.find("\nvoid kernel(const Kernel &k) {\n"), std::string::npos)
      << file;
  std::istringstream in(body);
  size_t lines = 0;
  for (std::string line; std::getline(in, line);) {
    const size_t code = line.find_first_not_of(' ');
    lines += code != std::string::npos && line.compare(code, 2, "//") != 0;
  }
  return lines - 2;
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
  EXPECT_LE(authorsLines("tik_dsl/examples/01_vector_add.cpp"), 15u);
  EXPECT_LE(authorsLines("tik_dsl/examples/02_matmul.cpp"), 45u);
  EXPECT_LE(authorsLines("tik_dsl/examples/05_softmax.cpp"), 40u);
  EXPECT_LE(authorsLines("tik_dsl/examples/12_flash_attention.cpp"), 150u);
}

} // namespace
