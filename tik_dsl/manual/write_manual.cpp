// SPDX-License-Identifier: Apache-2.0
//
// Writes the manual of the author's mistakes: DIR/TIKnnn.md and DIR/README.md.
//
//   kiln_tik_manual build/manual/mistakes
#include "tik_dsl/builder/mistakes.h"

#include <cstdio>
#include <filesystem>
#include <fstream>

namespace {

bool write(const std::filesystem::path &path, const std::string &text) {
  std::ofstream out(path);
  out << text;
  return static_cast<bool>(out.flush());
}

} // namespace

int main(int argc, char **argv) {
  if (argc != 2) {
    std::fprintf(stderr, "usage: kiln_tik_manual DIR\n");
    return 2;
  }
  const std::filesystem::path folder = argv[1];
  std::error_code error;
  std::filesystem::create_directories(folder, error);
  std::string index = "# Mistakes in operators\n\n"
                      "Messages of the DSL carry these numbers.\n\n"
                      "| number | what | what to do |\n|---|---|---|\n";
  bool ok = true;
  for (const auto &info : kiln::tik::allMistakes()) {
    const std::string name = kiln::tik::mistakeName(info.number);
    ok &= write(folder / (name + ".md"), kiln::tik::manualPage(info));
    index += "| [" + name + "](" + name + ".md) | " + std::string(info.title) +
             " | " + std::string(info.remedy) + " |\n";
  }
  ok &= write(folder / "README.md", index);
  if (!ok) {
    std::fprintf(stderr, "%s: cannot be written\n", folder.c_str());
  }
  return ok ? 0 : 3;
}
