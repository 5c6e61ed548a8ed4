// SPDX-License-Identifier: Apache-2.0
#include "compiler/target/npu_codegen.h"

#include "simulator/core/elf_image.h"
#include "tests/unit/compiler/npu/kernel_runner.h"

#include "mlir/Parser/Parser.h"
#include <fmt/format.h>
#include <gtest/gtest.h>

namespace kiln::test {
namespace {

/// A kernel with `bytes` of locals that the optimiser must keep.
std::string kernelWithLocals(int bytes) {
  return fmt::format(R"(
    llvm.func @k(%block: !llvm.ptr) {{
      %count = llvm.mlir.constant({} : i64) : i64
      %locals = llvm.alloca %count x i8 : (i64) -> !llvm.ptr
      llvm.inline_asm has_side_effects "", "r,~{{memory}}" %locals
        : (!llvm.ptr) -> ()
      llvm.return
    }})",
                     bytes);
}

isa::KernelNote emit(int localBytes) {
  mlir::MLIRContext context;
  loadKernelDialects(context);
  auto module = mlir::parseSourceString<mlir::ModuleOp>(
      kernelWithLocals(localBytes), &context);
  isa::KernelNote note;
  note.kernel = "k";
  Result<target::ObjectBytes> elf = target::emitNpuElf(*module, note);
  EXPECT_TRUE(elf) << elf.status().message();
  Result<sim::ElfImage> image = sim::ElfImage::parse(*elf, "k");
  EXPECT_TRUE(image) << image.status().message();
  return image->note;
}

TEST(NpuCodegen, SmallFramesKeepTheDefaultStack) {
  EXPECT_EQ(emit(64).stackBytes, isa::KernelNote().stackBytes);
}

TEST(NpuCodegen, LargeFramesGetTheStackTheyNeed) {
  EXPECT_GE(emit(5000).stackBytes, 5000u);
}

TEST(NpuCodegen, EqualModulesGiveEqualBytes) {
  KernelRunner a("tests/unit/compiler/npu/kernels/gemm_tiled.mlir");
  KernelRunner b("tests/unit/compiler/npu/kernels/gemm_tiled.mlir");
  ASSERT_TRUE(a.compile(pipeline::NpuSync::kFlags));
  ASSERT_TRUE(b.compile(pipeline::NpuSync::kFlags));
  EXPECT_EQ(a.program().elf, b.program().elf);
}

TEST(NpuCodegen, LinesOfTheKernelFileReachTheBinary) {
  KernelRunner runner("tests/unit/compiler/npu/kernels/vadd.mlir");
  ASSERT_TRUE(runner.compile(pipeline::NpuSync::kFlags));
  auto program = sim::Program::load(runner.program().elf, "vadd");
  ASSERT_TRUE(program) << program.status().message();
  bool found = false;
  const sim::RvCode &code = (*program)->code();
  for (size_t i = 0; i < code.words.size(); ++i) {
    const auto line = (*program)->image().lines.find(code.base + 4 * i);
    found |= line && line->file.ends_with("vadd.mlir") && line->line == 20;
  }
  EXPECT_TRUE(found) << "no instruction of the npu.vbinary in line 20";
}

} // namespace
} // namespace kiln::test
