// SPDX-License-Identifier: Apache-2.0
#include "compiler/pipeline/compile.h"

#include "compiler/frontend/body/body_model.h"
#include "compiler/frontend/onnx/importer.h"
#include "compiler/pipeline/diagnostics.h"
#include "compiler/pipeline/register.h"
#include "compiler/pipeline/shared_pipeline.h"
#include "compiler/pipeline/targets.h"
#include "compiler/target/package_writer.h"
#include "compiler/transforms/plan_arena.h"
#include "compiler/transforms/plan_concat.h"
#include "hal/format/package.h"
#include "isa/gen/opcodes.h"

#include "mlir/IR/MLIRContext.h"

#include <chrono>
#include <fstream>

using namespace mlir;

namespace kiln::pipeline {
namespace {

/// One compilation: what the stages share.
class Compilation {
public:
  Compilation(const std::filesystem::path &model, const CompileOptions &options)
      : modelPath(model), options(options) {
    registerKilnDialects(registry);
    context = std::make_unique<MLIRContext>(registry);
    context->loadAllAvailableDialects();
    context->printOpOnDiagnostic(false);
  }

  using Import = std::function<Result<ImportedModel>(const ImportOptions &,
                                                     MLIRContext &)>;
  Result<CompileOutput> run(const Import &import);

private:
  /// Ends a stage: its time, its dump; true when compilation stops here.
  bool finish(const char *stage, ModuleOp module);
  void begin(const char *stage) {
    if (options.progress) {
      options.progress(stage);
    }
  }
  Result<target::PackageInfo> packageInfo(const ImportedModel &model) const;
  Status unknownStage() const;
  Status checkCustom() const;

  std::filesystem::path modelPath;
  const CompileOptions &options;
  DialectRegistry registry;
  std::unique_ptr<MLIRContext> context;
  std::unique_ptr<target::Target> target;
  CompileOutput output;
  Status dumpStatus;
  bool stopped = false;
  std::chrono::steady_clock::time_point lastStage =
      std::chrono::steady_clock::now();
};

std::string textOf(ModuleOp module) {
  std::string text;
  llvm::raw_string_ostream os(text);
  OpPrintingFlags flags;
  flags.elideLargeElementsAttrs(16);
  module.print(os, flags);
  return text;
}

bool Compilation::finish(const char *stage, ModuleOp module) {
  auto now = std::chrono::steady_clock::now();
  output.times.push_back(
      {stage, std::chrono::duration<double>(now - lastStage).count()});
  if (!options.dumpDir.empty() && dumpStatus.isOk()) {
    char name[64];
    std::snprintf(name, sizeof name, "%02zu-%s.mlir", output.times.size(),
                  stage);
    std::filesystem::path path = options.dumpDir / name;
    std::ofstream file(path);
    file << textOf(module);
    if (!file.flush()) {
      dumpStatus = Status(StatusCode::kCorrupt,
                          "cannot write the dump " + path.string());
    }
  }
  if (!stopped && options.stopAfter == stage) {
    output.text = textOf(module);
    stopped = true;
  }
  lastStage = std::chrono::steady_clock::now();
  return stopped;
}

Result<target::PackageInfo>
Compilation::packageInfo(const ImportedModel &model) const {
  target::PackageInfo info;
  info.fingerprint = options.fingerprint;
  info.name = modelPath.stem().string();
  info.target = target->name();
  info.machineName = target->machineName();
  info.machineHash = target->machineHash();
  info.precision = options.precision;
  info.isaVersion = isa::kIsaVersion;
  for (const NodeInfo &node : model.nodes) {
    info.nodes.push_back({node.opType, node.output});
  }
  return info;
}

Status Compilation::unknownStage() const {
  std::string known;
  for (const StageTime &t : output.times) {
    known += (known.empty() ? "" : ", ") + t.stage;
  }
  return Status(StatusCode::kInvalidArgument,
                "no stage '" + options.stopAfter +
                    "'; this target has: " + known);
}

Status Compilation::checkCustom() const {
  if (options.precision != "strict") {
    return Status(
        StatusCode::kUnsupported,
        "custom operators keep their types: --precision strict, not " +
            options.precision);
  }
  return options.kernelLibrary->load();
}

/// Programs that came with the model.
static void addLibraryKernels(const ImportedModel &model,
                              target::TargetCode &code) {
  for (const auto &[name, kernel] : model.libraryKernels) {
    target::DispatchCode dispatch;
    dispatch.program = code.programs.size();
    dispatch.blockDim = kernel.blocks;
    code.dispatches[name] = dispatch;
    hal::ProgramModel program;
    program.kind = hal::ProgramKind::kNpuElf;
    program.name = name;
    program.entries = {kernel.entry};
    program.needs.assign(kernel.needs.begin(), kernel.needs.end());
    program.bytes = kernel.elf;
    code.programs.push_back(std::move(program));
  }
}

Result<CompileOutput> Compilation::run(const Import &importModel) {
  SharedLevelOptions shared;
  if (options.precision == "fp16") {
    shared.precision = Precision::kFp16;
  } else if (options.precision != "strict") {
    return Status(StatusCode::kInvalidArgument, "unknown precision '" +
                                                    options.precision +
                                                    "'; one of: strict, fp16");
  }
  KILN_ASSIGN_OR_RETURN(target, makeTarget(options));
  if (!options.dumpDir.empty()) {
    std::error_code error;
    std::filesystem::create_directories(options.dumpDir, error);
  }
  auto hook = [&](const char *stage, ModuleOp m) { return !finish(stage, m); };

  begin("import");
  ImportOptions import;
  import.dims = options.dims;
  import.target = options.target;
  import.machine = options.machine;
  import.cores = options.cores;
  if (options.kernelLibrary) {
    KILN_RETURN_IF_ERROR(checkCustom());
    import.kernelLibrary = options.kernelLibrary.get();
  }
  KILN_ASSIGN_OR_RETURN(ImportedModel model, importModel(import, *context));
  ModuleOp module = *model.module;
  if (finish("nn", module)) {
    return output;
  }

  begin("shared level");
  KILN_RETURN_IF_ERROR(buildSharedLevel(module, model.constants, shared));
  if (finish("linalg", module)) {
    return output;
  }

  begin("layouts");
  KILN_RETURN_IF_ERROR(target->prepare(module, hook));
  if (stopped) {
    return output;
  }

  plan::concatInPlace(*module.getOps<plan::FuncOp>().begin());

  begin("code");
  KILN_ASSIGN_OR_RETURN(target::TargetCode code, target->emit(module, hook));
  if (stopped) {
    return output;
  }

  addLibraryKernels(model, code);

  begin("plan");
  auto main = *module.getOps<plan::FuncOp>().begin();
  plan::ArenaOptions arena;
  for (const auto &[name, dispatch] : code.dispatches) {
    arena.workspaceBytes[name] = dispatch.workspaceBytes;
  }
  {
    DiagnosticCollector errors(context.get());
    if (failed(plan::planArena(main, arena))) {
      return errors.status(StatusCode::kInternal, "planning memory");
    }
  }
  if (finish("plan", module)) {
    return output;
  }
  KILN_RETURN_IF_ERROR(dumpStatus);
  if (!options.stopAfter.empty()) {
    return unknownStage();
  }

  begin("package");
  KILN_ASSIGN_OR_RETURN(target::PackageInfo info, packageInfo(model));
  KILN_ASSIGN_OR_RETURN(
      hal::PackageModel package,
      target::buildPackage(main, model.constants, code, info));
  KILN_ASSIGN_OR_RETURN(output.package, hal::serialize(package));
  finish("package", module);
  return std::move(output);
}

} // namespace

Result<CompileOutput> compileModel(const std::filesystem::path &model,
                                   const CompileOptions &options) {
  return Compilation(model, options)
      .run([&](const ImportOptions &import, MLIRContext &context) {
        return importOnnx(model, import, context);
      });
}

Result<CompileOutput> compileModelBytes(std::span<const uint8_t> bytes,
                                        const std::string &name,
                                        const CompileOptions &options) {
  if (bytes.empty()) {
    return Status(StatusCode::kCorrupt, name + ": an empty model");
  }
  return Compilation(name, options)
      .run([&](const ImportOptions &import, MLIRContext &context) {
        return importOnnxBytes(bytes, name, import, context);
      });
}

Result<CompileOutput> compileBody(const BodyModel &body,
                                  const CompileOptions &options) {
  return Compilation(body.name, options)
      .run([&](const ImportOptions &, MLIRContext &context) {
        return importBody(body, context);
      });
}

} // namespace kiln::pipeline
