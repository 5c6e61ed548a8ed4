// SPDX-License-Identifier: Apache-2.0
#include "tests/engines/support/assembled.h"

#include "compiler/target/assembler.h"
#include "compiler/target/elf_linker.h"
#include "isa/gen/opcodes.h"
#include "tests/engines/support/engine_bench.h"

namespace kiln::test {

std::vector<uint8_t> assembleElf(const std::string &text,
                                 const std::string &origin, uint32_t bindings,
                                 uint32_t constants) {
  isa::KernelNote note;
  note.isaVersion = isa::kIsaVersion;
  note.kernel = "kernel";
  note.bindingCount = bindings;
  note.constantCount = constants;
  Result<target::ObjectBytes> object = target::assemble(text, origin);
  EXPECT_TRUE(object.isOk()) << object.status().message();
  if (!object) {
    return {};
  }
  Result<target::ObjectBytes> elf = target::linkNpuProgram({*object}, note);
  EXPECT_TRUE(elf.isOk()) << elf.status().message();
  return elf ? std::vector<uint8_t>(elf->begin(), elf->end())
             : std::vector<uint8_t>();
}

std::shared_ptr<const sim::Program> assembleProgram(const std::string &text,
                                                    const std::string &origin,
                                                    uint32_t bindings,
                                                    uint32_t constants) {
  Result<std::shared_ptr<const sim::Program>> program = sim::Program::load(
      assembleElf(text, origin, bindings, constants), origin);
  EXPECT_TRUE(program.isOk()) << program.status().message();
  return program ? *program : nullptr;
}

std::shared_ptr<const sim::Program>
assembleFile(const std::string &name, uint32_t bindings, uint32_t constants) {
  return assembleProgram(readText("tests/engines/asm/" + name), name, bindings,
                         constants);
}

} // namespace kiln::test
