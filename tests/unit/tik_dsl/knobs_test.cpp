// SPDX-License-Identifier: Apache-2.0
//
// Spaces of settings: what is legal compiles, what is not is refused by the
// compiler too, with numbered messages; the default is what the example was
// before it had knobs.
#include "tests/unit/tik_dsl/inline_operator.h"
#include "tik_dsl/builder/knob_space.h"
#include "tik_dsl/builder/knobs.h"
#include "tik_dsl/loader/operator_file.h"

#include <ctime>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace kiln::tik {
namespace {

using tuning::SearchSpace;
using tuning::Setting;

Result<OperatorFile> load(const std::string &example) {
  return OperatorFile::load("tik_dsl/examples/" + example + ".cpp",
                            {.includeDir = "."});
}

std::vector<Setting> allSettings(const SearchSpace &space) {
  std::vector<Setting> all = {{}};
  for (const tuning::Knob &knob : space.knobs) {
    std::vector<Setting> longer;
    for (const Setting &setting : all) {
      for (int64_t value : knob.values) {
        longer.push_back(setting);
        longer.back().push_back(value);
      }
    }
    all = std::move(longer);
  }
  return all;
}

std::string text(const SearchSpace &space, const Setting &setting) {
  return settingText(withSetting({}, space, setting).knobs);
}

double cpuSeconds() {
  return static_cast<double>(std::clock()) / CLOCKS_PER_SEC;
}

struct SpaceCase {
  const char *example;
  std::vector<std::pair<std::string, int64_t>> shape;
  size_t least;    // legal points that issue 5 asks for
  size_t everyNth; // of the legal points is compiled
};

class Spaces : public testing::TestWithParam<SpaceCase> {};

TEST_P(Spaces, HoldWhatCompiles) {
  Result<isa::ArchSpec> k1 = isa::loadArchSpec("k1");
  ASSERT_TRUE(k1);
  const auto file = load(GetParam().example);
  ASSERT_TRUE(file) << file.status().message();
  const ShapeCase shape{.settings = GetParam().shape};
  Result<SearchSpace> space = searchSpace(file->op(), shape, *k1);
  ASSERT_TRUE(space) << space.status().message();
  const std::vector<Setting> all = allSettings(*space);
  const double start = cpuSeconds();
  std::vector<Setting> legal, refused;
  for (const Setting &setting : all) {
    (space->isLegal(setting) ? legal : refused).push_back(setting);
  }
  const double perPoint =
      1e6 * (cpuSeconds() - start) / static_cast<double>(all.size());
  std::printf("%s: %zu of %zu settings are legal, %.0f CPU-us per point\n",
              GetParam().example, legal.size(), all.size(), perPoint);
  EXPECT_GE(legal.size(), GetParam().least);
  EXPECT_TRUE(space->isLegal(all.front())) << "the default is not legal";
  OperatorCompiler compiler;
  const auto compile = [&](const Setting &setting) {
    Result<BoundShape> bound =
        file->op().bind(withSetting(shape, *space, setting));
    EXPECT_TRUE(bound) << bound.status().message();
    return compiler.compile(file->op(), *bound, {.arch = &*k1});
  };
  for (size_t i = 0; i < legal.size(); i += GetParam().everyNth) {
    const Result<CompiledKernel> kernel = compile(legal[i]);
    EXPECT_TRUE(kernel) << text(*space, legal[i]) << "\n"
                        << kernel.status().message();
  }
  for (size_t i = 0; i < refused.size(); i += GetParam().everyNth) {
    const Result<CompiledKernel> kernel = compile(refused[i]);
    EXPECT_FALSE(kernel) << text(*space, refused[i]);
    EXPECT_THAT(kernel.status().message(), testing::HasSubstr("error TIK"));
  }
}

const SpaceCase kCases[] = {
    {"02_matmul", {{"M", 512}, {"N", 512}, {"K", 512}}, 500, 7},
    {"02_matmul", {{"M", 128}, {"N", 4096}, {"K", 4096}}, 500, 31},
};

INSTANTIATE_TEST_SUITE_P(Examples, Spaces, testing::ValuesIn(kCases),
                         [](const auto &info) {
                           return "E" + std::string(info.param.example) + "_" +
                                  std::to_string(info.index);
                         });

} // namespace
} // namespace kiln::tik
