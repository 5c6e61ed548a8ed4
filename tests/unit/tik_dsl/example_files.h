// SPDX-License-Identifier: Apache-2.0
//
// The operator files of tik_dsl/examples as parameters of tests.
//
//   class Examples : public testing::TestWithParam<std::string> {};
//   TEST_P(Examples, ...) { testExample(exampleFile(GetParam())); }
//   INSTANTIATE_TEST_SUITE_P(Files, Examples,
//                            testing::ValuesIn(allExamples()), exampleName);
#pragma once

#include <algorithm>
#include <filesystem>
#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace kiln::tik {

/// "01_vector_add" and so on, sorted.
inline std::vector<std::string> allExamples() {
  std::vector<std::string> names;
  for (const auto &entry :
       std::filesystem::directory_iterator("tik_dsl/examples")) {
    if (entry.path().extension() == ".cpp") {
      names.push_back(entry.path().stem().string());
    }
  }
  std::sort(names.begin(), names.end());
  return names;
}

inline std::filesystem::path exampleFile(const std::string &name) {
  return "tik_dsl/examples/" + name + ".cpp";
}

inline std::string
exampleName(const testing::TestParamInfo<std::string> &info) {
  return "E" + info.param;
}

} // namespace kiln::tik
