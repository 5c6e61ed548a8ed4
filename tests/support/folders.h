// SPDX-License-Identifier: Apache-2.0
//
// Folders of tests.
//
//   fs::path file = scratchFolder() / "x.npy";
//   for (const fs::path &test : modelFolders("build/node_tests")) ...
#pragma once

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace kiln::test {

/// An empty folder of this process, removed when it ends: tests that run at
/// the same time, of other checkouts too, do not meet.
inline const std::filesystem::path &scratchFolder() {
  struct Folder {
    Folder() {
      std::string name = ::testing::TempDir() + "kiln_test_XXXXXX";
      if (!mkdtemp(name.data())) {
        std::perror(name.c_str());
        std::abort();
      }
      path = name;
    }
    ~Folder() {
      std::error_code ignored;
      std::filesystem::remove_all(path, ignored);
    }
    std::filesystem::path path;
  };
  static const Folder folder;
  return folder.path;
}

/// Folders below `root` that hold a model.onnx, sorted.
inline std::vector<std::filesystem::path>
modelFolders(const std::filesystem::path &root) {
  std::vector<std::filesystem::path> folders;
  for (const auto &entry :
       std::filesystem::recursive_directory_iterator(root)) {
    if (entry.path().filename() == "model.onnx") {
      folders.push_back(entry.path().parent_path());
    }
  }
  std::sort(folders.begin(), folders.end());
  return folders;
}

} // namespace kiln::test
