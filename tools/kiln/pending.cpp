// SPDX-License-Identifier: Apache-2.0
//
// Verbs whose library is not in this build: they say so and exit with 4.
#include "tools/kiln/verbs.h"

namespace kiln::tools {
namespace {

void addPending(CLI::App &app, Context &context, const std::string &name,
                const std::string &what, const std::string &example) {
  CLI::App *verb = addVerb(app, context, name, what, example);
  verb->allow_extras();
  verb->callback([&context, name] {
    context.action = [name] {
      return Status(StatusCode::kUnsupported,
                    "'" + name +
                        "' is not part of this build yet; "
                        "kiln --help lists what is");
    };
  });
}

} // namespace

void addDevices(CLI::App &app, Context &context) {
  addPending(app, context, "devices", "list devices and machines",
             "kiln devices");
}
void addCompile(CLI::App &app, Context &context) {
  addPending(app, context, "compile", "model to package",
             "kiln compile model.onnx --target npu:k1 -o model.kiln");
}
void addRun(CLI::App &app, Context &context) {
  addPending(app, context, "run", "run a model, a package or one operator",
             "kiln run model.onnx --input image=image.npy --device cpu");
}
void addVerify(CLI::App &app, Context &context) {
  addPending(app, context, "verify", "compare with the stored test data",
             "kiln verify model.onnx --device cpu");
}
void addConformance(CLI::App &app, Context &context) {
  addPending(app, context, "conformance", "run a folder of ONNX node tests",
             "kiln conformance node/ --device cpu --json");
}
void addSim(CLI::App &app, Context &context) {
  addPending(app, context, "sim", "run one kernel binary on an engine",
             "kiln sim vadd.elf --bind 0=a.npy --engine functional");
}
void addAsm(CLI::App &app, Context &context) {
  addPending(app, context, "asm", "assembly to ELF",
             "kiln asm vadd.s -o vadd.elf");
}
void addDis(CLI::App &app, Context &context) {
  addPending(app, context, "dis", "disassemble an ELF", "kiln dis vadd.elf");
}
void addBench(CLI::App &app, Context &context) {
  addPending(app, context, "bench", "latency, throughput, table of rows",
             "kiln bench --table");
}
void addTestOp(CLI::App &app, Context &context) {
  addPending(app, context, "test-op", "compile and check a one-file operator",
             "kiln test-op tik_dsl/examples/01_vector_add.cpp");
}

} // namespace kiln::tools
