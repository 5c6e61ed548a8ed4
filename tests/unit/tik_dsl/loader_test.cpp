// SPDX-License-Identifier: Apache-2.0
//
// Operator files and the compiler: what loads, what must not compile, and that
// the headers need nothing but themselves.
#include "tests/unit/tik_dsl/inline_operator.h"
#include "tik_dsl/loader/operator_file.h"
#include "tools/engine/engine_runner.h"

#include <ctime>
#include <filesystem>
#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

extern "C" int32_t kilnTestCOperator(const KilnTikRequest *request);

namespace kiln::tik {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

std::string loadError(const std::string &file) {
  const auto loaded = OperatorFile::load(file, {.includeDir = "."});
  return loaded ? "loaded" : loaded.status().message();
}

TEST(OperatorFiles, ConditionsAreNoCppBools) {
  const std::string error =
      loadError("tests/unit/tik_dsl/bad/condition_as_bool.cpp");
  EXPECT_THAT(error, HasSubstr("condition_as_bool.cpp:10:"));
  EXPECT_THAT(error, HasSubstr("a run-time value is not a C++ bool: the kernel "
                               "is being built, not run; write "
                               "k.when(condition, [&] { ... })"));
}

TEST(OperatorFiles, NumbersAreNoCppBools) {
  const std::string error =
      loadError("tests/unit/tik_dsl/bad/index_as_bool.cpp");
  EXPECT_THAT(error, HasSubstr("index_as_bool.cpp:10:"));
  EXPECT_THAT(error, HasSubstr("a run-time value is not a C++ bool"));
}

TEST(OperatorFiles, FloatsHaveNoArithmetic) {
  const std::string error =
      loadError("tests/unit/tik_dsl/bad/float_arithmetic.cpp");
  EXPECT_THAT(error, HasSubstr("float_arithmetic.cpp:11:"));
  EXPECT_THAT(error,
              HasSubstr("a run-time float is a bit container: the control core "
                        "has no float unit; use the vector instruction on a "
                        "buffer (k.adds, k.muls, k.maxs, k.mins)"));
}

TEST(OperatorFiles, HeadersNeedOnlyThemselves) {
  // A folder in which nothing but tik_dsl/api can be found.
  const fs::path folder =
      fs::path(testing::TempDir()) / "kiln-tik-headers" / "tik_dsl";
  fs::create_directories(folder);
  fs::remove(folder / "api");
  fs::create_directory_symlink(fs::absolute("tik_dsl/api"), folder / "api");
  for (const char *name : {"01_vector_add", "02_matmul"}) {
    const auto loaded =
        OperatorFile::load(std::string("tik_dsl/examples/") + name + ".cpp",
                           {.includeDir = folder.parent_path()});
    EXPECT_TRUE(loaded) << loaded.status().message();
  }
  for (const auto &entry : fs::directory_iterator("tik_dsl/api")) {
    std::ifstream in(entry.path());
    const std::string text((std::istreambuf_iterator<char>(in)), {});
    EXPECT_EQ(text.find("#include \"mlir"), std::string::npos) << entry.path();
    EXPECT_EQ(text.find("#include \"llvm"), std::string::npos) << entry.path();
  }
}

TEST(OperatorFiles, TheSystemCompilerWillDo) {
  const auto loaded =
      OperatorFile::load("tik_dsl/examples/02_matmul.cpp",
                         {.includeDir = ".", .compilers = {"c++"}});
  ASSERT_TRUE(loaded) << loaded.status().message();
  EXPECT_EQ(loaded->op().decl().name, "matmul");
}

TEST(OperatorFiles, MissingFilesAndCompilersAreNamed) {
  EXPECT_EQ(loadError("no/such.cpp"), "no/such.cpp: no such file");
  const auto loaded =
      OperatorFile::load("tik_dsl/examples/01_vector_add.cpp",
                         {.includeDir = ".", .compilers = {"no-compiler"}});
  ASSERT_FALSE(loaded);
  EXPECT_EQ(loaded.status().code(), StatusCode::kUnsupported);
  EXPECT_EQ(loaded.status().message(),
            "no C++ compiler on the PATH (tried no-compiler); a C++20 compiler "
            "is needed for operator files");
}

TEST(OperatorFiles, WithoutTheEntryPointAreRefused) {
  const fs::path file = fs::path(testing::TempDir()) / "empty_operator.cpp";
  std::ofstream(file) << "int x;\n";
  EXPECT_EQ(loadError(file.string()),
            file.string() + " has no operator: it must end with "
                            "KILN_OPERATOR(declare, kernel, reference)");
}

TEST(OperatorFiles, APluginInPlainCWorks) {
  Result<isa::ArchSpec> k1 = isa::loadArchSpec("k1");
  ASSERT_TRUE(k1);
  Result<Operator> op = Operator::declare(kilnTestCOperator, "c_operator.c");
  ASSERT_TRUE(op) << op.status().message();
  tools::EngineRunner runner(*k1);
  TestOptions options;
  options.arch = &*k1;
  options.runner = &runner;
  Result<OperatorReport> report = testOperator(*op, options);
  ASSERT_TRUE(report) << report.status().message();
  EXPECT_TRUE(report->passed()) << toText(*report);
}

TEST(OperatorFiles, BuildToTheSameBytesEveryTime) {
  Result<isa::ArchSpec> k1 = isa::loadArchSpec("k1");
  ASSERT_TRUE(k1);
  const auto file =
      OperatorFile::load("tik_dsl/examples/02_matmul.cpp", {.includeDir = "."});
  ASSERT_TRUE(file) << file.status().message();
  Result<BoundShape> shape =
      file->op().bind({false, {{"M", 512}, {"N", 512}, {"K", 512}}});
  ASSERT_TRUE(shape);
  OperatorCompiler compiler;
  std::vector<uint8_t> first;
  for (int i = 0; i < 5; ++i) {
    const std::clock_t start = std::clock();
    Result<CompiledKernel> kernel =
        compiler.compile(file->op(), *shape, {.arch = &*k1});
    const double milliseconds =
        1e3 * static_cast<double>(std::clock() - start) / CLOCKS_PER_SEC;
    ASSERT_TRUE(kernel) << kernel.status().message();
    // A figure for the record; the bar is 50 ms (issue 5), never asserted.
    std::printf("matmul, call to ELF: %.1f CPU-ms\n", milliseconds);
    EXPECT_TRUE(first.empty() || first == kernel->elf);
    first = kernel->elf;
  }
  std::printf("matmul, C++ compiler: %.2f s\n", file->compileSeconds());
}

} // namespace
} // namespace kiln::tik
