// SPDX-License-Identifier: Apache-2.0
//
// The examples at the shapes of the table of ceilings: golden cycles on k1, one
// core, in tests/unit/tik_dsl/example_cycles.txt.
//
//   build/tests/tik_cycles_test             compare
//   build/tests/tik_cycles_test --refresh   write what was measured
//
// Prints the table of tests/bench/README.md. A refreshed golden needs its
// reason in the commit.
#include "tik_dsl/testing/test_operator.h"
#include "tools/engine/engine_runner.h"

#include <cstdio>
#include <cstring>
#include <fstream>
#include <map>
#include <sstream>

#include <gtest/gtest.h>

namespace kiln::tik {
namespace {

constexpr char kFile[] = "tests/unit/tik_dsl/example_cycles.txt";
bool refresh = false;

struct Row {
  const char *name;
  const char *example;
  std::vector<std::pair<std::string, int64_t>> shape;
  /// What the share is of: "M", "read", "V" (busy), or "9" for multiply-adds of
  /// a depthwise 3x3 over 128 per cycle.
  const char *of;
  double ceiling, bar; // percent
};

const Row kRows[] = {
    {"GEMM 1024^3",
     "02_matmul",
     {{"M", 1024}, {"N", 1024}, {"K", 1024}},
     "M",
     99.0,
     96},
    {"GEMM 2048^3",
     "02_matmul",
     {{"M", 2048}, {"N", 2048}, {"K", 2048}},
     "M",
     99.5,
     96},
    {"M=128 N=K=4096",
     "02_matmul",
     {{"M", 128}, {"N", 4096}, {"K", 4096}},
     "M",
     99.3,
     95},
    {"GEMV 4096^2",
     "02_matmul",
     {{"M", 1}, {"N", 4096}, {"K", 4096}},
     "read",
     99.0,
     95},
    {"3x3 stage 2 b1",
     "10_conv3x3",
     {{"C1", 4}, {"H", 56}, {"W", 56}, {"N1", 4}},
     "M",
     95.6,
     92},
    {"3x3 stage 3 b1",
     "10_conv3x3",
     {{"C1", 8}, {"H", 28}, {"W", 28}, {"N1", 8}},
     "M",
     95.5,
     92},
    {"3x3 stage 4 b1",
     "10_conv3x3",
     {{"C1", 16}, {"H", 14}, {"W", 14}, {"N1", 16}},
     "M",
     90.1,
     86},
    {"3x3 stage 5 b1",
     "10_conv3x3",
     {{"C1", 32}, {"H", 7}, {"W", 7}, {"N1", 32}},
     "M",
     72.7,
     69},
    {"attention d128 2 K, fp16",
     "12_flash_attention",
     {{"M", 2048}, {"N", 2048}},
     "M",
     97,
     92},
    {"attention d128, 256 x 8 K",
     "12_flash_attention",
     {{"M", 256}, {"N", 8192}},
     "M",
     97,
     92},
    {"depthwise 112^2 x 96",
     "11_depthwise",
     {{"C1", 6}, {"H", 112}, {"W", 112}},
     "9",
     78,
     61},
    {"depthwise 56^2 x 144",
     "11_depthwise",
     {{"C1", 9}, {"H", 56}, {"W", 56}},
     "9",
     0,
     61},
    {"depthwise 28^2 x 192",
     "11_depthwise",
     {{"C1", 12}, {"H", 28}, {"W", 28}},
     "9",
     0,
     61},
    {"depthwise 14^2 x 576",
     "11_depthwise",
     {{"C1", 36}, {"H", 14}, {"W", 14}},
     "9",
     0,
     61},
    {"depthwise 7^2 x 960",
     "11_depthwise",
     {{"C1", 60}, {"H", 7}, {"W", 7}},
     "9",
     52,
     61},
    {"maxpool 3x3s2 113^2 x 64",
     "15_max_pool",
     {{"C1", 4}, {"H", 113}, {"W", 113}, {"OH", 56}, {"OW", 56}},
     "read",
     72,
     68},
    {"add", "01_vector_add", {{"N", 1 << 20}}, "read", 98.4, 94},
    {"GELU", "07_gelu", {{"N", 1 << 20}}, "V", 99.3, 95},
    {"softmax 1024", "05_softmax", {{"R", 2048}, {"C", 1024}}, "V", 89.6, 86},
    {"layer norm 1024",
     "06_layer_norm",
     {{"R", 2048}, {"C", 1024}},
     "V",
     90.8,
     86},
    {"int8 GEMM 1024^3",
     "20_int8_matmul",
     {{"M", 1024}, {"N", 1024}, {"K", 1024}},
     "M",
     98.6,
     96},
    {"int8 GEMM 2048^3",
     "20_int8_matmul",
     {{"M", 2048}, {"N", 2048}, {"K", 2048}},
     "M",
     99.5,
     96},
    {"gather 64 K of 4 K", "16_gather", {{"T", 4096}, {"N", 65536}}, "V", 0, 0},
    {"top 40 of 1000, 64 rows",
     "17_top_k",
     {{"R", 64}, {"C", 1000}, {"K", 40}},
     "V",
     0,
     0},
    {"histogram 64 K", "18_histogram", {{"N", 65536}}, "V", 0, 0},
};

std::map<std::string, uint64_t> readGoldens() {
  std::map<std::string, uint64_t> goldens;
  std::ifstream in(kFile);
  for (std::string line; std::getline(in, line);) {
    const size_t colon = line.rfind(": ");
    if (!line.starts_with("#") && colon != std::string::npos) {
      goldens[line.substr(0, colon)] = std::stoull(line.substr(colon + 2));
    }
  }
  return goldens;
}

Result<RunReport> cyclesOf(const Operator &op, const BoundShape &shape,
                           const isa::ArchSpec &arch) {
  OperatorCompiler compiler;
  KILN_ASSIGN_OR_RETURN(CompiledKernel kernel,
                        compiler.compile(op, shape, {.arch = &arch}));
  std::vector<std::vector<uint8_t>> bindings;
  for (const BoundTensor &tensor : shape.tensors) { // cycles know no data
    bindings.emplace_back(static_cast<size_t>(tensor.elements()) *
                          isa::sizeOf(tensor.type));
  }
  tools::EngineRunner runner(arch);
  return runner.run(
      {.kernel = &kernel, .bindings = &bindings, .order = RunOrder::kCycle});
}

double shareOf(const Row &row, const BoundShape &shape, const RunReport &run,
               const isa::ArchSpec &arch) {
  const auto cycles = static_cast<double>(run.kernelCycles);
  if (!std::strcmp(row.of, "M")) {
    return usefulShareOf(shape, run, arch);
  }
  if (!std::strcmp(row.of, "9")) {
    return 9.0 * static_cast<double>(shape.tensors.back().elements()) / 128 /
           cycles;
  }
  if (!std::strcmp(row.of, "read")) { // the port, whatever bounds the kernel
    double bytes = 0;
    for (const BoundTensor &tensor : shape.tensors) {
      bytes += tensor.isOutput ? 0.0
                               : static_cast<double>(tensor.elements()) *
                                     isa::sizeOf(tensor.type);
    }
    return bytes / arch.timing.memory.portReadBytesPerCycle / cycles;
  }
  const Bound bound = boundOf(shape, run, arch);
  EXPECT_EQ(bound.by, row.of) << row.name;
  return bound.share;
}

TEST(Cycles, OfTheExamplesAreGolden) {
  Result<isa::ArchSpec> k1 = isa::loadArchSpec("k1");
  ASSERT_TRUE(k1);
  const auto goldens = readGoldens();
  std::map<std::string, uint64_t> measured;
  std::map<std::string, OperatorFile> files;
  std::printf("| row | ceiling %% | DSL bar %% | reached %% | cycles |\n"
              "|---|---|---|---|---|\n");
  for (const Row &row : kRows) {
    auto file = files.find(row.example);
    if (file == files.end()) {
      auto loaded = OperatorFile::load(std::string("tik_dsl/examples/") +
                                           row.example + ".cpp",
                                       {.includeDir = "."});
      ASSERT_TRUE(loaded) << loaded.status().message();
      file = files.emplace(row.example, std::move(*loaded)).first;
    }
    const Operator &op = file->second.op();
    Result<BoundShape> shape = op.bind({false, row.shape});
    ASSERT_TRUE(shape) << shape.status().message();
    Result<RunReport> run = cyclesOf(op, *shape, *k1);
    ASSERT_TRUE(run) << run.status().message();
    EXPECT_TRUE(run->findings.empty()) << row.name;
    measured[row.name] = run->kernelCycles;
    std::printf("| %s | %.4g | %.4g | %.1f | %llu |\n", row.name, row.ceiling,
                row.bar, 100 * shareOf(row, *shape, *run, *k1),
                static_cast<unsigned long long>(run->kernelCycles));
  }
  if (!refresh) {
    EXPECT_EQ(measured, goldens) << "refresh with --refresh and say why";
    return;
  }
  std::ofstream out(kFile);
  out << "# SPDX-License-Identifier: Apache-2.0\n"
         "# Kernel cycles of the examples on k1, one core. Refresh:\n"
         "# build/tests/tik_cycles_test --refresh\n";
  for (const auto &[name, cycles] : measured) {
    out << name << ": " << cycles << "\n";
  }
}

} // namespace
} // namespace kiln::tik

int main(int argc, char **argv) {
  testing::InitGoogleTest(&argc, argv);
  for (int i = 1; i < argc; ++i) {
    kiln::tik::refresh |= !std::strcmp(argv[i], "--refresh");
  }
  return RUN_ALL_TESTS();
}
