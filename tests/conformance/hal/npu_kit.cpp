// SPDX-License-Identifier: Apache-2.0
//
// The kernels of the suite as NPU programs, built word by word.
#include "tests/conformance/hal/program_kit.h"
#include "tests/engines/support/program_builder.h"

#include <map>

namespace kiln::hal::conformance {
namespace {

using isa::Opcode;
using isa::Pipe;
using test::ProgramBuilder;

// Registers. The builder uses a0 to a2 for operands.
constexpr unsigned kA0 = 10, kA1 = 11, kA2 = 12, kS0 = 8, kS1 = 9, kS2 = 18,
                   kS3 = 19, kS4 = 20;
constexpr unsigned kWordUnsigned = 6, kDouble = 3; // f3 of loads and stores

// Offsets in the argument block.
constexpr int kVersion = 0, kBindings = 4, kConstants = 8, kReserved = 12,
              kWorkspace = 16, kWords = 24;

/// One row at address 0 of UB.
constexpr uint64_t kRow = isa::LocalView{0, 1, 1, 1}.pack();

class KernelBuilder : public ProgramBuilder {
public:
  KernelBuilder(const char *name, uint32_t bindings, uint32_t constants) {
    note.kernel = name;
    note.bindingCount = bindings;
    note.constantCount = constants;
    addi(kS0, kA0, 0); // the argument block
  }
  void argument(unsigned rd, uint32_t word) {
    load(kDouble, rd, kS0, kWords + 8 * static_cast<int>(word));
  }
  void add(unsigned rd, unsigned rs1, unsigned rs2) {
    word(rs2 << 20 | rs1 << 15 | rd << 7 | 0x33);
  }
  void mul(unsigned rd, unsigned rs1, unsigned rs2) {
    word(1u << 25 | rs2 << 20 | rs1 << 15 | rd << 7 | 0x33);
  }
  /// UB row 0 <- GM at `address`, `bytes` long (both registers).
  void loadRow(unsigned address, unsigned bytes) {
    li(kA0, kRow);
    addi(kA1, address, 0);
    addi(kA2, bytes, 0);
    npuWord({.op = Opcode::kLdUb});
  }
  void storeRow(unsigned address, unsigned bytes) {
    addi(kA0, address, 0);
    li(kA1, kRow);
    addi(kA2, bytes, 0);
    npuWord({.op = Opcode::kStUb});
  }
  void after(Pipe source, Pipe destination) {
    set(source, destination);
    wait(source, destination);
  }
};

std::vector<uint8_t> copyKernel() {
  KernelBuilder b("copy", 2, 1);
  b.argument(kS1, 0);
  b.argument(kS2, 1);
  b.argument(kS3, 2);
  b.csrRead(kS4, isa::kCsrBlockIndex);
  b.mul(kS4, kS4, kS3);
  b.add(kS1, kS1, kS4);
  b.add(kS2, kS2, kS4);
  b.loadRow(kS1, kS3);
  b.after(Pipe::MTE2, Pipe::MTE3);
  b.storeRow(kS2, kS3);
  b.end();
  return b.elf();
}

std::vector<uint8_t> probeKernel() {
  KernelBuilder b("probe", 1, 2);
  b.csrRead(kS4, isa::kCsrBlockIndex);
  b.li(kS2, isa::kUbWindowBase);
  b.store(kDouble, kS4, kS2, 0);
  auto move = [&](unsigned f3, int from, int slot) {
    b.load(f3, kS3, kS0, from);
    b.store(kDouble, kS3, kS2, 8 * slot);
  };
  move(kWordUnsigned, kVersion, 1);
  move(kWordUnsigned, kBindings, 2);
  move(kWordUnsigned, kConstants, 3);
  move(kDouble, kWords + 8, 4);
  move(kDouble, kWords + 16, 5);
  move(kDouble, kWorkspace, 6);
  move(kWordUnsigned, kReserved, 7);
  b.argument(kS1, 0);
  b.li(kS3, 64);
  b.mul(kS4, kS4, kS3);
  b.add(kS1, kS1, kS4);
  b.after(Pipe::S, Pipe::MTE3);
  b.storeRow(kS1, kS3);
  b.end();
  return b.elf();
}

std::vector<uint8_t> incrementKernel() {
  KernelBuilder b("increment", 1, 1);
  b.argument(kS1, 0);
  b.argument(kS2, 1);
  b.li(kS3, 64);
  b.loadRow(kS1, kS3);
  b.after(Pipe::MTE2, Pipe::S);
  b.li(kS4, isa::kUbWindowBase);
  b.load(kDouble, kA0, kS4, 0);
  b.add(kA0, kA0, kS2);
  b.store(kDouble, kA0, kS4, 0);
  b.after(Pipe::S, Pipe::MTE3);
  b.storeRow(kS1, kS3);
  b.end();
  return b.elf();
}

std::vector<uint8_t> spinKernel() {
  KernelBuilder b("spin", 0, 0);
  b.branch(0, 0, 0, b.size()); // beq x0, x0, here
  b.end();
  return b.elf();
}

std::vector<uint8_t> trapKernel() {
  KernelBuilder b("trap", 1, 0);
  b.npu({.op = Opcode::kKtrap}, 7);
  b.end();
  return b.elf();
}

std::vector<uint8_t> greedyKernel() {
  KernelBuilder b("greedy", 0, 0);
  b.note.capacityNeeds = {{"UB", uint64_t{1} << 30}};
  b.end();
  return b.elf();
}

ProgramImage image(const std::string &name, std::vector<uint8_t> elf) {
  return {ProgramKind::kNpuElf, name, {name}, {}, {}, std::move(elf)};
}

} // namespace

ProgramKit npuKit() {
  std::map<std::string, ProgramImage, std::less<>> images;
  auto add = [&](const std::string &name, std::vector<uint8_t> elf) {
    images.emplace(name, image(name, std::move(elf)));
  };
  add("copy", copyKernel());
  add("probe", probeKernel());
  add("increment", incrementKernel());
  add("spin", spinKernel());
  add("trap", trapKernel());
  ProgramKit kit;
  kit.kernel = [images](std::string_view kernel) {
    return KernelImage{images.find(kernel)->second, 0};
  };
  std::vector<uint8_t> cut = copyKernel();
  cut.resize(cut.size() / 2);
  kit.corrupt = image("corrupt", cut);
  kit.unfit = image("greedy", greedyKernel());
  kit.unfitCode = StatusCode::kDoesNotFit;
  return kit;
}

} // namespace kiln::hal::conformance
