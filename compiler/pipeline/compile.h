// SPDX-License-Identifier: Apache-2.0
//
// The compiler from end to end: a model file becomes a package. The whole
// pipeline is compile.cpp, readable from top to bottom:
//
//   import          ONNX -> nn                       (compiler/frontend)
//   shared level    nn -> linalg, dispatches, plan   (shared_pipeline.h)
//   Target::prepare layouts, conversions             (one per target)
//   Target::emit    dispatches -> programs
//   plan-arena      places in memory
//   package         plan + programs + constants -> bytes
//
//   CompileOptions options;
//   options.target = "cpu";
//   Result<CompileOutput> out = compileModel("digits.onnx", options);
//   write(out->package);
#pragma once

#include "compiler/frontend/body/linalg_body.h"
#include "compiler/frontend/kernel_library.h"
#include "compiler/target/target.h"
#include "isa/support/status.h"

#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <vector>

namespace kiln::pipeline {

struct CompileOptions {
  std::string target = "npu";          // "npu" or "cpu"
  std::string machine = "k1";          // name or file, for npu
  std::string cpu = "native";          // LLVM name, for cpu
  unsigned cores = 1;                  // to split dispatches over, for npu
  std::string precision = "strict";    // "strict" follows the model; "fp16"
  std::string sync = "flags";          // "flags" or "barrier-all", for npu
  std::map<std::string, int64_t> dims; // values of symbolic dimensions
  /// Stop after this stage and return its text: "nn", "linalg", "layouts",
  /// "plan", or a stage of the target (npu: "scheduled", "bufferized", "npu";
  /// cpu: "bufferized", "vectorized", "llvm"). Empty: compile to the end.
  std::string stopAfter;
  /// Write every stage to DIR/NN-stage.mlir; the folder is made. Empty: none.
  std::filesystem::path dumpDir;
  /// Asked for every node before the compiler's own operators, with precision
  /// "strict" only; null: there is none.
  std::shared_ptr<KernelLibrary> kernelLibrary;
  std::string fingerprint; // of this build, recorded in the package
  /// Called before each stage, for progress displays.
  std::function<void(const std::string &stage)> progress;
};

struct StageTime {
  std::string stage;
  double seconds = 0;
};

struct CompileOutput {
  std::vector<uint8_t> package; // empty when stopped before
  std::string text;             // of the stage stopped after
  std::vector<std::string> remarks;
  std::vector<StageTime> times;
};

/// Compiles an ONNX file. Errors: kInvalidArgument (an option, a dimension),
/// kCorrupt (the file), kUnsupported (every gap of the model in one message),
/// kDoesNotFit (the machine), kInternal.
Result<CompileOutput> compileModel(const std::filesystem::path &model,
                                   const CompileOptions &options);

/// The same for the bytes of an ONNX file; `name` stands in for its path.
Result<CompileOutput> compileModelBytes(std::span<const uint8_t> bytes,
                                        const std::string &name,
                                        const CompileOptions &options);

/// The body of one operator as a model of its own.
Result<CompileOutput> compileBody(const BodyModel &body,
                                  const CompileOptions &options);

} // namespace kiln::pipeline
