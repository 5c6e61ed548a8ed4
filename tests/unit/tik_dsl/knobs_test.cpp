// SPDX-License-Identifier: Apache-2.0
//
// Spaces of settings: what is legal compiles, what is not is refused by the
// compiler too, with numbered messages; the default is what the example was
// before it had knobs.
#include "tests/unit/tik_dsl/inline_operator.h"
#include "tik_dsl/builder/knob_space.h"
#include "tik_dsl/builder/knobs.h"
#include "tik_dsl/loader/operator_file.h"
#include "tools/engine/engine_runner.h"

#include <algorithm>
#include <ctime>
#include <map>
#include <optional>
#include <set>
#include <sstream>
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

/// The default and about one in `nth` of all settings, legal or not, drawn by
/// their values: the same ones from every machine's space.
std::vector<Setting> someSettings(const SearchSpace &space, uint64_t nth) {
  std::vector<Setting> all = allSettings(space);
  const Setting byDefault = all.front();
  std::erase_if(all, [&](const Setting &setting) {
    uint64_t hash = 0xcbf29ce484222325; // FNV-1a
    for (int64_t value : setting) {
      hash = (hash ^ static_cast<uint64_t>(value)) * 0x100000001b3;
    }
    return setting != byDefault && (hash >> 32) % nth != 0;
  });
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
  size_t least;     // legal points that issue 5 asks for
  size_t everyNth;  // of the points looked at is compiled
  size_t oneIn = 1; // of the points is looked at
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
  const std::vector<Setting> all = someSettings(*space, GetParam().oneIn);
  const double start = cpuSeconds();
  std::vector<Setting> legal, refused;
  for (const Setting &setting : all) {
    (space->isLegal(setting) ? legal : refused).push_back(setting);
  }
  const double perPoint =
      1e6 * (cpuSeconds() - start) / static_cast<double>(all.size());
  std::printf("%s: %zu of %zu settings are legal, %.0f CPU-us per point\n",
              GetParam().example, legal.size(), all.size(), perPoint);
  EXPECT_GE(legal.size() * GetParam().oneIn, GetParam().least);
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
  for (size_t i = 0; i < refused.size(); i += 5 * GetParam().everyNth) {
    const Result<CompiledKernel> kernel = compile(refused[i]);
    EXPECT_FALSE(kernel) << text(*space, refused[i]);
    EXPECT_THAT(kernel.status().message(), testing::HasSubstr("error TIK"));
  }
}

const SpaceCase kCases[] = {
    {"02_matmul", {{"M", 512}, {"N", 512}, {"K", 512}}, 500, 41, 4},
    {"02_matmul", {{"M", 128}, {"N", 1024}, {"K", 4096}}, 500, 41, 2},
    {"02_matmul", {{"M", 1}, {"N", 4096}, {"K", 4096}}, 500, 41, 2},
    {"10_conv3x3", {{"C1", 4}, {"H", 56}, {"W", 56}, {"N1", 4}}, 500, 41},
    {"10_conv3x3", {{"C1", 8}, {"H", 28}, {"W", 28}, {"N1", 8}}, 500, 101},
    {"10_conv3x3", {{"C1", 16}, {"H", 14}, {"W", 14}, {"N1", 16}}, 500, 101},
    {"10_conv3x3", {{"C1", 32}, {"H", 7}, {"W", 7}, {"N1", 32}}, 500, 101},
    {"05_softmax", {{"R", 256}, {"C", 1024}}, 100, 1},
    {"05_softmax", {{"R", 256}, {"C", 2048}}, 100, 11},
    {"06_layer_norm", {{"R", 256}, {"C", 1024}}, 100, 41},
    {"07_gelu", {{"N", 1 << 17}}, 0, 7},
};

/// Bytes that TIK201 says are needed, minus those of all buffers of its table;
/// nothing where one buffer alone is too large.
std::optional<int64_t> beyondTheSum(const std::string &message) {
  const std::string needed = "do not fit: ";
  const size_t at = message.find(needed);
  if (at == std::string::npos) {
    return std::nullopt;
  }
  int64_t bytes = std::stoll(message.substr(at + needed.size()));
  std::istringstream lines(message.substr(message.find("\n  buffer")));
  std::string line, name;
  std::getline(lines, line); // the rest of the message's first line
  std::getline(lines, line); // titles
  for (int64_t size = 0; lines >> name >> size; std::getline(lines, line)) {
    bytes -= size;
  }
  return bytes;
}

/// The planner is first fit. In these kernels all buffers of a memory live at
/// once, so what it refuses fits no other way either: no setting is lost.
TEST(SearchSpaces, LoseNothingThatFits) {
  Result<isa::ArchSpec> k1 = isa::loadArchSpec("k1");
  ASSERT_TRUE(k1);
  const std::pair<const char *, ShapeCase> cases[] = {
      {"02_matmul", {.settings = {{"M", 128}, {"N", 512}, {"K", 256}}}},
      {"05_softmax", {.settings = {{"R", 256}, {"C", 1024}}}},
      {"10_conv3x3",
       {.settings = {{"C1", 4}, {"H", 56}, {"W", 56}, {"N1", 4}}}}};
  for (const auto &[example, shape] : cases) {
    const auto file = load(example);
    ASSERT_TRUE(file) << file.status().message();
    Result<SearchSpace> space = searchSpace(file->op(), shape, *k1);
    ASSERT_TRUE(space) << space.status().message();
    OperatorCompiler compiler;
    std::map<uint32_t, size_t> why;
    size_t tables = 0;
    for (const Setting &setting : allSettings(*space)) {
      Result<BoundShape> bound =
          file->op().bind(withSetting(shape, *space, setting));
      ASSERT_TRUE(bound);
      MessageList messages;
      const bool fits = static_cast<bool>(
          compiler.check(file->op(), *bound, {.arch = &*k1}, &messages));
      ASSERT_EQ(fits, space->isLegal(setting)) << text(*space, setting);
      if (fits) {
        continue;
      }
      ++why[messages.messages().front().number];
      for (const Message &message : messages.messages()) {
        if (const auto beyond = beyondTheSum(message.text)) {
          ++tables;
          EXPECT_EQ(*beyond, 0) << text(*space, setting) << message.text;
        }
      }
    }
    EXPECT_GT(tables, 10u) << example;
    for (const auto &[number, count] : why) {
      std::printf("%s: %zu settings refused by TIK%u\n", example, count,
                  number);
      EXPECT_TRUE(number == 201 || number == 532) << number;
    }
  }
}

TEST(SearchSpaces, FollowTheMachine) {
  const auto file = load("02_matmul");
  ASSERT_TRUE(file) << file.status().message();
  const ShapeCase shape{.settings = {{"M", 128}, {"N", 128}, {"K", 256}}};
  std::map<std::string, std::set<Setting>> legal;
  for (const char *name : {"k1", "k1-nano"}) {
    Result<isa::ArchSpec> arch = isa::loadArchSpec(name);
    ASSERT_TRUE(arch);
    Result<SearchSpace> space = searchSpace(file->op(), shape, *arch);
    ASSERT_TRUE(space) << space.status().message();
    OperatorCompiler compiler;
    for (const Setting &setting : allSettings(*space)) {
      if (space->isLegal(setting) && legal[name].insert(setting).second &&
          legal[name].size() % 10 == 1) {
        Result<BoundShape> bound =
            file->op().bind(withSetting(shape, *space, setting));
        ASSERT_TRUE(bound);
        EXPECT_TRUE(compiler.compile(file->op(), *bound, {.arch = &*arch}))
            << name << " " << text(*space, setting);
      }
    }
  }
  // What fits the small machine fits the large one, and not the other way.
  EXPECT_GT(legal["k1"].size(), 2 * legal["k1-nano"].size());
  EXPECT_GT(legal["k1-nano"].size(), 0u);
  EXPECT_TRUE(std::includes(legal["k1"].begin(), legal["k1"].end(),
                            legal["k1-nano"].begin(), legal["k1-nano"].end()));
}

TEST(SearchSpaces, AnswerSeveralThreads) {
  Result<isa::ArchSpec> k1 = isa::loadArchSpec("k1");
  ASSERT_TRUE(k1);
  const auto file = load("05_softmax");
  ASSERT_TRUE(file) << file.status().message();
  Result<SearchSpace> space =
      searchSpace(file->op(), {.settings = {{"R", 64}, {"C", 1024}}}, *k1);
  ASSERT_TRUE(space) << space.status().message();
  const std::vector<Setting> all = allSettings(*space);
  std::vector<char> alone, together(all.size());
  for (const Setting &setting : all) {
    alone.push_back(space->isLegal(setting));
  }
  std::vector<std::thread> threads;
  for (size_t first = 0; first < 4; ++first) {
    threads.emplace_back([&, first] {
      for (size_t i = first; i < all.size(); i += 4) {
        together[i] = space->isLegal(all[i]);
      }
    });
  }
  for (std::thread &thread : threads) {
    thread.join();
  }
  EXPECT_EQ(alone, together);
}

//===----------------------------------------------------------------------===//
// test-op
//===----------------------------------------------------------------------===//

/// A kernel that is right with every even knob only.
const InlineFunctions kSometimesWrong = {
    [](Declaration &d) {
      d.name("sometimes", "y = x").input("x", f16, {"N"}, {1, 2});
      d.output("y", f16, {"N"}).shape({{"N", 100}});
    },
    [](const Kernel &k) {
      const Buffer t = k.ub(f16, {112}, "t");
      k.load(t, k.tensor("x"), 100);
      if (k.knob("copies") % 2 != 0) {
        k.adds(t, t, 1, 100);
      }
      k.store(k.tensor("y"), t, 100);
    },
    [](const Reference &r) { std::copy_n(r["x"].data(), 100, r["y"].data()); },
    [](const Knobs &k) { k.knob("copies", {2, 4, 3}); }};

TEST(TestOp, DrawsSettingsAndNamesTheWrongOne) {
  Result<isa::ArchSpec> k1 = isa::loadArchSpec("k1");
  ASSERT_TRUE(k1);
  Result<Operator> op = inlineOperator(kSometimesWrong);
  ASSERT_TRUE(op) << op.status().message();
  tools::EngineRunner runner(*k1);
  TestOptions options{.arch = &*k1, .runner = &runner};
  Result<OperatorReport> report = testOperator(*op, options);
  ASSERT_TRUE(report) << report.status().message();
  ASSERT_EQ(report->shapes.size(), 1u);
  const ShapeReport &shape = report->shapes[0];
  EXPECT_EQ(shape.setting, KnobValues({{"copies", 2}}));
  EXPECT_EQ(shape.settings.size(), 2u); // all there are besides the default
  EXPECT_EQ(shape.code, StatusCode::kMismatch);
  ASSERT_EQ(shape.problems.size(), 1u) << toText(*report);
  EXPECT_THAT(shape.problems[0],
              testing::StartsWith("knobs copies=3: reference: 100 of 100 "
                                  "elements are outside the tolerance"));
  EXPECT_THAT(toText(*report),
              testing::AllOf(testing::HasSubstr("N=100: knobs copies=2\n"),
                             testing::HasSubstr("\n  ok with copies=4: "),
                             testing::HasSubstr("\n  FAIL with copies=3: ")));
}

TEST(TestOp, TakesTheSettingThatItIsGiven) {
  Result<isa::ArchSpec> k1 = isa::loadArchSpec("k1");
  ASSERT_TRUE(k1);
  Result<Operator> op = inlineOperator(kSometimesWrong);
  ASSERT_TRUE(op) << op.status().message();
  tools::EngineRunner runner(*k1);
  TestOptions options{
      .arch = &*k1, .runner = &runner, .knobs = {{"copies", 4}}};
  Result<OperatorReport> report = testOperator(*op, options);
  ASSERT_TRUE(report) << report.status().message();
  EXPECT_TRUE(report->passed()) << toText(*report);
  EXPECT_EQ(report->shapes[0].setting, KnobValues({{"copies", 4}}));
  EXPECT_TRUE(report->shapes[0].settings.empty());
  options.knobs = {{"copies", 5}};
  report = testOperator(*op, options);
  ASSERT_FALSE(report);
  EXPECT_EQ(report.status().message(),
            "inline.cpp: error TIK529: copies=5; possible: 2, 4, 3");
  EXPECT_EQ(report.status().code(), StatusCode::kInvalidArgument);
}

INSTANTIATE_TEST_SUITE_P(Examples, Spaces, testing::ValuesIn(kCases),
                         [](const auto &info) {
                           return "E" + std::string(info.param.example) + "_" +
                                  std::to_string(info.index);
                         });

} // namespace
} // namespace kiln::tik
