// SPDX-License-Identifier: Apache-2.0
//
// `kiln compile`: model to package.
#include "tools/io/file.h"
#include "tools/kiln/compile_model.h"
#include "tools/kiln/cycle_report.h"
#include "tools/kiln/model_options.h"
#include "tools/kiln/verbs.h"

#include "hal/format/package.h"
#include "isa/arch/arch_spec.h"

#include <chrono>

#include <fmt/format.h>

namespace kiln::tools {
namespace {

struct Options {
  std::string model;
  std::string output;
  std::string target = "npu:k1";
  std::string machine;
  CompileOptions compile;
  std::vector<std::string> dims;
};

Status splitTarget(Options &options) {
  size_t colon = options.target.find(':');
  options.compile.target = options.target.substr(0, colon);
  if (colon != std::string::npos) {
    options.compile.machine = options.target.substr(colon + 1);
  }
  if (!options.machine.empty()) {
    options.compile.machine = options.machine;
  }
  const std::string &target = options.compile.target;
  if (target != "npu" && target != "cpu" && target != "null") {
    return {StatusCode::kInvalidArgument,
            "--target " + options.target + "; one of npu:MACHINE, cpu, null"};
  }
  return Status::ok();
}

/// What is no model to compile, by its name; and cores that are not there.
Status checkOptions(const Options &options) {
  const std::filesystem::path model = options.model;
  if (model.extension() == ".cpp" || model.extension() == ".kiln") {
    return {StatusCode::kInvalidArgument,
            model.extension() == ".kiln"
                ? options.model + ": a package is compiled already"
                : options.model +
                      ": a one-file operator is compiled with the "
                      "model that uses it: kiln compile "
                      "MODEL.onnx --ops " +
                      options.model};
  }
  if (options.compile.target != "npu") {
    return Status::ok();
  }
  KILN_ASSIGN_OR_RETURN(isa::ArchSpec machine,
                        isa::loadArchSpec(options.compile.machine));
  return options.compile.cores <= machine.arch.cores
             ? Status::ok()
             : Status(StatusCode::kInvalidArgument,
                      fmt::format("{} cores; machine '{}' has {}",
                                  options.compile.cores, machine.name,
                                  machine.arch.cores));
}

uint64_t dispatchCount(const hal::PackageModel &model) {
  uint64_t count = 0;
  for (const hal::PlanOp &op : model.plan.functions.at(0).ops) {
    count += std::holds_alternative<hal::DispatchModel>(op);
  }
  return count;
}

/// --stop-after: the text of a stage instead of a package.
Status printStage(const Context &context, const Options &options) {
  KILN_ASSIGN_OR_RETURN(pipeline::CompileOutput output,
                        pipeline::compileModel(options.model, options.compile));
  context.print(output.text,
                {{"stage", options.compile.stopAfter}, {"text", output.text}});
  return Status::ok();
}

Status compileToFile(const Context &context, Options options) {
  KILN_RETURN_IF_ERROR(splitTarget(options));
  KILN_RETURN_IF_ERROR(checkOptions(options));
  KILN_ASSIGN_OR_RETURN(options.compile.dims, parseDims(options.dims));
  if (options.output.empty()) {
    options.output = std::filesystem::path(options.model)
                         .filename()
                         .replace_extension(".kiln")
                         .string();
  }
  auto start = std::chrono::steady_clock::now();
  Progress progress("compile", 1);
  uint64_t stages = 0;
  options.compile.progress = [&](const std::string &stage) {
    progress.update(stages++ > 0, stage);
  };
  if (!options.compile.stopAfter.empty()) {
    return printStage(context, options);
  }
  KILN_ASSIGN_OR_RETURN(std::vector<uint8_t> package,
                        packageOf(options.model, options.compile));
  KILN_ASSIGN_OR_RETURN(hal::Package parsed, hal::Package::parse(package));
  KILN_RETURN_IF_ERROR(writeFile(options.output, package));
  std::chrono::duration<double> took = std::chrono::steady_clock::now() - start;
  const hal::PackageModel &model = parsed.model();
  nlohmann::json json = {{"output", options.output},
                         {"bytes", package.size()},
                         {"target", model.target},
                         {"machine", model.machineName},
                         {"machine_hash", model.machineHash},
                         {"precision", model.precision},
                         {"dispatches", dispatchCount(model)},
                         {"programs", model.programs.size()},
                         {"constants", model.constants.size()},
                         {"seconds", took.count()},
                         {"host_cpu_s", hostCpuSeconds()}};
  std::string on = model.machineName.empty() ? "" : " on " + model.machineName;
  context.print(fmt::format("{}: {} bytes for {}{}, {} dispatches, {} "
                            "programs, precision {}, {:.2f} s\n",
                            options.output, package.size(), model.target, on,
                            dispatchCount(model), model.programs.size(),
                            model.precision, took.count()),
                json);
  return Status::ok();
}

} // namespace

void addCompile(CLI::App &app, Context &context) {
  CLI::App *verb = addVerb(
      app, context, "compile", "compile a model to a package (.kiln)",
      "kiln compile model.onnx --target npu:k1 --dim batch=1 -o model.kiln");
  auto options = std::make_shared<Options>();
  verb->add_option("model", options->model, "ONNX file")->required();
  verb->add_option("-o,--output", options->output,
                   "package to write (default: MODEL.kiln)");
  verb->add_option("--target", options->target, "npu:MACHINE or cpu")
      ->capture_default_str();
  verb->add_option("--machine", options->machine, "name or machine file");
  verb->add_option("--cores", options->compile.cores, "cores to split over")
      ->check(atLeastOne());
  verb->add_option("--cpu", options->compile.cpu,
                   "target cpu: native or an LLVM name such as x86-64-v3");
  verb->add_option("--dim", options->dims, "NAME=N: a symbolic dimension");
  verb->add_option("--stop-after", options->compile.stopAfter,
                   "print this stage: nn, linalg, plan, ...");
  addCompileOptions(*verb, options->compile);
  setAction(*verb, context, options, compileToFile);
}

} // namespace kiln::tools
