// SPDX-License-Identifier: Apache-2.0
//
// `kiln profile`: traces a kernel, an operator or a model on the cycle engine
// and shows what the trace holds.
#include "simulator/trace/trace_recorder.h"
#include "tools/io/file.h"
#include "tools/kiln/model_options.h"
#include "tools/kiln/op_run.h"
#include "tools/kiln/operator_options.h"
#include "tools/kiln/test_data.h"
#include "tools/kiln/traced_kernel.h"
#include "tools/kiln/verbs.h"

#include <algorithm>
#include <list>

#include <fmt/format.h>

namespace kiln::tools {
namespace {

struct Options {
  KernelOptions kernel;
  CompileOptions compile;
  OperatorRequest op;
  std::vector<std::string> inputs, dims;
  bool machineGiven = false;
  std::string html, perfetto;
  bool explain = false;
};

/// Records every launch of a device.
class Recorder final : public hal::LaunchTracer {
public:
  sim::CommandListener *begin(const isa::ArchSpec &machine,
                              const sim::Program &program) override {
    recorder_.emplace(machine, program);
    return &*recorder_;
  }
  void ended(const sim::LaunchReport *report) override {
    if (report) {
      traces_.push_back(recorder_->finish(*report));
    }
    recorder_.reset();
  }
  /// The first trace not taken yet that fits the report.
  std::optional<sim::Trace> take(const hal::ProgramReport &report) {
    for (auto it = traces_.begin(); it != traces_.end(); ++it) {
      if (report.cycle && it->report.cycles == report.cycle->cycles &&
          it->report.instructions == report.instructions) {
        sim::Trace trace = std::move(*it);
        traces_.erase(it);
        return trace;
      }
    }
    return std::nullopt;
  }

private:
  std::optional<sim::TraceRecorder> recorder_;
  std::list<sim::Trace> traces_;
};

Status finish(const Context &context, const Options &options,
              const Profile &profile) {
  if (!options.perfetto.empty()) {
    KILN_RETURN_IF_ERROR(writeFile(options.perfetto, profile.perfetto()));
  }
  if (!options.html.empty()) {
    KILN_RETURN_IF_ERROR(writeFile(options.html, profile.html()));
  }
  std::string text = profile.text();
  if (options.explain) {
    text += "\n" + profile.explanationText();
  }
  context.print(text, profile.json());
  return Status::ok();
}

Status profileKernel(const Context &context, Options &options) {
  KILN_ASSIGN_OR_RETURN(KernelLaunch launch, prepareKernel(options.kernel));
  KILN_ASSIGN_OR_RETURN(sim::Trace trace, runTraced(launch));
  KILN_RETURN_IF_ERROR(writeOutputs(options.kernel, launch));
  return finish(context, options, profileOf(launch, trace));
}

/// What a dispatch is called in tables.
ProfiledLayer layerOf(const hal::DispatchProfile &p) {
  ProfiledLayer layer;
  layer.title = p.source ? p.source->node : p.dispatch ? p.dispatch->name : "";
  layer.op = p.source ? p.source->opType : "";
  layer.program = p.program ? std::string(hal::name(p.program->kind)) : "";
  return layer;
}

/// Runs the model and adds its dispatches, in the order of the plan.
Status profileDispatches(const Context &context, const Options &options,
                         LoadedModel &model, const NamedTensors &inputs,
                         Recorder &recorder) {
  std::vector<hal::DispatchProfile> dispatches;
  hal::RunOptions run;
  run.profile = [&](const hal::DispatchProfile &p) { dispatches.push_back(p); };
  Result<NamedTensors> outputs = model.run(inputs, run);
  if (!outputs) {
    return outputs.status();
  }
  Profile profile(*model.device().machine, model.device().name,
                  options.kernel.program);
  Progress progress("profile", dispatches.size());
  for (size_t i = 0; i < dispatches.size(); ++i) {
    ProfiledLayer layer = layerOf(dispatches[i]);
    progress.update(i, layer.title);
    std::optional<sim::Trace> trace = recorder.take(dispatches[i].report);
    layer.trace = trace ? &*trace : nullptr;
    profile.add(layer);
  }
  return finish(context, options, profile);
}

Result<NamedTensors> inputsOf(const Options &options) {
  if (!options.inputs.empty()) {
    return loadInputs(options.inputs, options.kernel.program,
                      options.compile.dims);
  }
  KILN_ASSIGN_OR_RETURN(std::vector<TestCase> cases,
                        findTestCases(options.kernel.program, {}));
  return namedInputs(options.kernel.program, cases[0].dataSets[0]);
}

/// "8x8,8x8" apart.
std::vector<std::string> splitShapes(const std::string &text) {
  std::vector<std::string> shapes;
  for (size_t start = 0; start < text.size();) {
    size_t comma = std::min(text.find(',', start), text.size());
    shapes.push_back(text.substr(start, comma - start));
    start = comma + 1;
  }
  return shapes;
}

Status profileModel(const Context &context, Options &options) {
  KernelOptions &kernel = options.kernel;
  Recorder recorder;
  DeviceChoice device;
  device.device = "npu:cycle";
  device.machine = options.machineGiven ? kernel.machine : "";
  device.cores = kernel.cores;
  device.budget = kernel.budget;
  device.tracer = &recorder;
  options.compile.target = "npu";
  options.compile.cores = kernel.cores;
  if (options.machineGiven) {
    options.compile.machine = kernel.machine;
  }
  KILN_ASSIGN_OR_RETURN(options.compile.dims, parseDims(options.dims));
  if (kernel.program.starts_with("op:")) {
    options.op.name = kernel.program.substr(3);
    options.op.shapes = splitShapes(kernel.shape);
    options.op.seed = kernel.seed;
    KILN_ASSIGN_OR_RETURN(OperatorModel op, buildOperator(options.op));
    KILN_ASSIGN_OR_RETURN(
        std::vector<uint8_t> package,
        compileOperator(op, options.op.name, options.compile));
    KILN_ASSIGN_OR_RETURN(LoadedModel model,
                          loadPackage(std::move(package), device));
    return profileDispatches(context, options, model, op.inputs, recorder);
  }
  KILN_ASSIGN_OR_RETURN(NamedTensors inputs, inputsOf(options));
  KILN_ASSIGN_OR_RETURN(LoadedModel model, loadModel(kernel.program, inputs,
                                                     device, options.compile));
  return profileDispatches(context, options, model, inputs, recorder);
}

bool isKernel(const std::string &program) {
  std::string extension = std::filesystem::path(program).extension().string();
  return extension == ".elf" || extension == ".yaml" || isOperatorFile(program);
}

} // namespace

void addProfile(CLI::App &app, Context &context) {
  CLI::App *verb = addVerb(
      app, context, "profile",
      "trace a kernel, an operator or a model on the cycle engine",
      "kiln profile op.cpp --shape N=65536 --explain --html p.html\n"
      "  kiln profile model.onnx --perfetto p.perfetto-trace --html p.html\n"
      "  kiln profile op:matmul --shape 512x512,512x512 --explain");
  auto options = std::make_shared<Options>();
  addKernelOptions(*verb, options->kernel);
  verb->get_option("program")->description(
      "model.onnx, model.kiln, op:NAME, a kernel (.elf, .yaml) or a one-file "
      "operator (.cpp)");
  verb->add_option("--html", options->html, "write a page for a browser");
  verb->add_option("--perfetto", options->perfetto,
                   "write the timeline, for ui.perfetto.dev");
  verb->add_flag("--explain", options->explain,
                 "what bounds the heaviest launch, and what would help");
  verb->add_option("--input", options->inputs,
                   "model: NAME=FILE; default: the test data beside it");
  verb->add_option("--dim", options->dims, "model: NAME=N");
  verb->add_option("--dtype", options->op.dtype, "op: fp16 or fp32");
  verb->add_option("--attr", options->op.attributes, "op: NAME=VALUE");
  verb->add_option("--constant", options->op.constants,
                   "op: inputs that are weights, by index")
      ->delimiter(',');
  addCompileOptions(*verb, options->compile);
  verb->callback([&context, options, verb] {
    options->machineGiven = verb->get_option("--machine")->count() > 0;
    context.action = [&context, options] {
      return isKernel(options->kernel.program)
                 ? profileKernel(context, *options)
                 : profileModel(context, *options);
    };
  });
}

} // namespace kiln::tools
