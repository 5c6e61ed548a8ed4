// SPDX-License-Identifier: Apache-2.0
//
// `kiln run`: a package, a model or one operator on a device.
#include "tools/io/file.h"
#include "tools/io/npy.h"
#include "tools/kiln/cycle_report.h"
#include "tools/kiln/layer_table.h"
#include "tools/kiln/model_options.h"
#include "tools/kiln/op_run.h"
#include "tools/kiln/output_files.h"
#include "tools/kiln/per_layer.h"
#include "tools/kiln/verbs.h"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

namespace kiln::tools {
namespace {

struct Options {
  std::string model;
  DeviceChoice device;
  CompileOptions compile;
  OperatorRequest op;
  std::vector<std::string> inputs, dims;
  OutputFiles outputs;
  std::string layerDir, dump;
  bool watch = false;
  bool layers = false;
};

/// The largest elements of a tensor, for a look at scores.
std::string preview(const HostTensor &tensor) {
  Result<ops::Tensor> values = toReference(tensor);
  if (!values || values->values.empty()) {
    return "";
  }
  std::vector<int64_t> order(values->values.size());
  for (size_t i = 0; i < order.size(); ++i) {
    order[i] = static_cast<int64_t>(i);
  }
  size_t shown = std::min<size_t>(3, order.size());
  std::partial_sort(order.begin(), order.begin() + shown, order.end(),
                    [&](int64_t a, int64_t b) {
                      return values->values[a] > values->values[b];
                    });
  std::string text = "largest:";
  for (size_t i = 0; i < shown; ++i) {
    text += fmt::format(" [{}]={:.6g}", order[i], values->values[order[i]]);
  }
  return text;
}

/// Writes what each dispatch wrote, in the model's order of elements, and
/// watches for NaN and infinity: lanes that only the device's layout has do not
/// count.
class LayerWriter {
public:
  LayerWriter(std::string folder, bool watch)
      : folder_(std::move(folder)), watch_(watch) {}

  Status operator()(const hal::LayerDump &dump) {
    for (size_t i = 0; i < dump.outputs.size(); ++i) {
      const hal::LayerDump::Output &output = dump.outputs[i];
      if (!output.value) {
        continue;
      }
      KILN_ASSIGN_OR_RETURN(HostTensor tensor,
                            toDense(*output.value, output.bytes));
      KILN_RETURN_IF_ERROR(check(dump, tensor));
      if (!folder_.empty()) {
        const std::string name = fileName(tensor.name, i);
        KILN_ASSIGN_OR_RETURN(std::vector<uint8_t> bytes, formatNpy(tensor));
        KILN_RETURN_IF_ERROR(
            writeFile(std::filesystem::path(folder_) /
                          fmt::format("{:04}_{}.npy", dump.index, name),
                      bytes));
      }
    }
    return Status::ok();
  }

  const std::string &finding() const { return finding_; }

private:
  /// Names of values have '/' in them and any length, those of files have not.
  static std::string fileName(std::string name, size_t output) {
    constexpr size_t kMost = 200;
    std::replace(name.begin(), name.end(), '/', '_');
    return name.size() <= kMost
               ? name
               : fmt::format("{}~{}", name.substr(0, kMost), output);
  }

  Status check(const hal::LayerDump &dump, const HostTensor &tensor) {
    if (!watch_ || !finding_.empty() || !ops::isFloat(tensor.type)) {
      return Status::ok();
    }
    KILN_ASSIGN_OR_RETURN(ops::Tensor values, toReference(tensor));
    for (double v : values.values) {
      if (!std::isfinite(v)) {
        finding_ =
            fmt::format("first {} in '{}', written by dispatch {} '{}'",
                        std::isnan(v) ? "NaN" : "infinity", tensor.name,
                        dump.index, dump.dispatch ? dump.dispatch->name : "");
        break;
      }
    }
    return Status::ok();
  }

  std::string folder_;
  bool watch_;
  std::string finding_;
};

/// What one run showed, ready to print.
struct Shown {
  std::string text;
  nlohmann::json json;
};

Shown describeRun(const Options &options, const LoadedModel &model,
                  const NamedTensors &outputs, const LayerTable &layers) {
  Shown shown;
  shown.json = {{"device", options.device.device},
                {"precision", model.package().precision},
                {"outputs", nlohmann::json::array()}};
  if (layers.summary()) {
    shown.json.update(layers.summary()->json());
    shown.text += layers.summary()->text();
  }
  shown.json["precision"] = model.package().precision;
  shown.json["host_cpu_s"] = hostCpuSeconds();
  shown.json["layers"] = layers.json();
  shown.json["printed"] = layers.printed();
  for (const std::string &line : layers.printed()) {
    shown.text += line + "\n";
  }
  shown.json["findings"] = layers.findings();
  for (const std::string &finding : layers.findings()) {
    shown.text += finding + "\n";
  }
  if (options.layers) {
    shown.text += layers.text();
  }
  if (options.device.dataOff) {
    shown.text += "--data-off: timing only, no values\n";
    shown.json["data"] = false;
    return shown;
  }
  for (const HostTensor &t : outputs) {
    shown.text += fmt::format("{}: {} {}\n", t.name, describe(t), preview(t));
    shown.json["outputs"].push_back(
        {{"name", t.name}, {"type", ops::name(t.type)}, {"shape", t.shape}});
  }
  return shown;
}

Status showRun(const Context &context, const Options &options,
               const LayerWriter &writer, const LayerTable &layers,
               Shown shown) {
  if (!writer.finding().empty()) {
    shown.text += writer.finding() + "\n";
    shown.json["watch"] = writer.finding();
  }
  context.print(shown.text, shown.json);
  if (size_t count = layers.findings().size()) {
    return {StatusCode::kDeviceFault,
            fmt::format("{} finding{} of the checks", count,
                        count == 1 ? "" : "s")};
  }
  return Status::ok();
}

hal::RunOptions dumpOptions(const Options &options, LayerWriter &writer) {
  hal::RunOptions result;
  if (!options.layerDir.empty() || options.watch) {
    result.dump = [&](const hal::LayerDump &dump) { return writer(dump); };
  }
  return result;
}

Status runOp(const Context &context, Options &options) {
  options.op.name = options.model.substr(3);
  LayerWriter writer(options.layerDir, options.watch);
  KILN_ASSIGN_OR_RETURN(OperatorRun run,
                        runOperator(options.op, options.device, options.compile,
                                    dumpOptions(options, writer)));
  KILN_RETURN_IF_ERROR(options.outputs.save(run.outputs));
  Shown shown = describeRun(options, run.model, run.outputs, *run.layers);
  Status verdict =
      options.device.dataOff
          ? Status::ok()
          : checkOperator(run.op, run.outputs, shown.text, shown.json);
  KILN_RETURN_IF_ERROR(
      showRun(context, options, writer, *run.layers, std::move(shown)));
  return verdict;
}

/// Without data there is nothing to see of values.
Status checkDataOff(const Options &options) {
  if (!options.device.dataOff) {
    return Status::ok();
  }
  if (options.device.device != "npu:cycle") {
    return {StatusCode::kInvalidArgument,
            "--data-off needs --device npu:cycle: only it has timing without "
            "data"};
  }
  const bool looks = !options.outputs.named.empty() ||
                     !options.outputs.folder.empty() ||
                     !options.layerDir.empty() || options.watch ||
                     !options.device.checks.empty();
  return looks ? Status(StatusCode::kInvalidArgument,
                        "--data-off computes no values: --output, "
                        "--output-dir, --dump-layers, --watch and --check do "
                        "not go with it")
               : Status::ok();
}

/// Options of the other kind of run are a mistake, not a wish to ignore.
Status checkKind(const Options &options) {
  const bool isOperator = options.model.starts_with("op:");
  if (isOperator && !options.inputs.empty()) {
    return {StatusCode::kInvalidArgument,
            "--input: op:NAME makes its own inputs, of --shape and --seed"};
  }
  const bool ofOperator = !options.op.shapes.empty() ||
                          !options.op.attributes.empty() ||
                          !options.op.constants.empty();
  return isOperator || !ofOperator
             ? Status::ok()
             : Status(StatusCode::kInvalidArgument,
                      "--shape, --attr and --constant are for op:NAME; the "
                      "shapes of a model come from its inputs");
}

Status runModel(const Context &context, Options options) {
  KILN_RETURN_IF_ERROR(checkKind(options));
  KILN_RETURN_IF_ERROR(checkDataOff(options));
  KILN_RETURN_IF_ERROR(options.outputs.check());
  if (!options.dump.empty() && options.layerDir.empty()) {
    options.layerDir = options.dump;
  }
  if (!options.layerDir.empty()) {
    KILN_RETURN_IF_ERROR(makeFolder(options.layerDir));
  }
  KILN_ASSIGN_OR_RETURN(options.compile.dims, parseDims(options.dims));
  if (options.model.starts_with("op:")) {
    return runOp(context, options);
  }
  KILN_ASSIGN_OR_RETURN(
      NamedTensors inputs,
      loadInputs(options.inputs, options.model, options.compile.dims));
  KILN_ASSIGN_OR_RETURN(
      LoadedModel model,
      loadModel(options.model, inputs, options.device, options.compile));
  std::vector<std::string> names;
  for (size_t i = 0; i < model.package().outputs.size(); ++i) {
    names.push_back(model.session->output(i).name);
  }
  KILN_RETURN_IF_ERROR(options.outputs.checkNames(names));
  LayerTable layers(model);
  LayerWriter writer(options.layerDir, options.watch);
  hal::RunOptions runOptions = dumpOptions(options, writer);
  runOptions.profile = [&](const hal::DispatchProfile &p) { layers.add(p); };
  KILN_ASSIGN_OR_RETURN(NamedTensors outputs, model.run(inputs, runOptions));
  KILN_RETURN_IF_ERROR(options.outputs.save(outputs));
  return showRun(context, options, writer, layers,
                 describeRun(options, model, outputs, layers));
}

} // namespace

void addRun(CLI::App &app, Context &context) {
  CLI::App *verb = addVerb(
      app, context, "run", "run a package, a model or one operator",
      "kiln run model.onnx --input image=image.npy --output scores=s.npy\n"
      "  kiln run op:matmul --shape 512x512,512x512 --dtype fp16 "
      "--device npu:cycle");
  auto options = std::make_shared<Options>();
  verb->add_option("model", options->model, "model.kiln, model.onnx or op:NAME")
      ->required();
  verb->add_option(
      "--input", options->inputs,
      "NAME=FILE (.npy, .pb, raw; .png and .wav with :layout= :type= "
      ":channels= :range= :mean= :std= :frames= behind) or "
      "NAME=random:TYPE:SEED:SHAPE");
  verb->add_option("--output", options->outputs.named,
                   "NAME=FILE (.npy, .pb, raw; .png and .wav with the same "
                   "modifiers, :rate= and :outside=clip)");
  verb->add_option("--output-dir", options->outputs.folder,
                   "folder for output_0.pb, ...");
  verb->add_option("--dump-layers", options->layerDir,
                   "folder for what every dispatch wrote (.npy)");
  verb->add_option("--dump", options->dump,
                   "layers: the same into the folder 'layers'")
      ->check(CLI::IsMember({"layers"}));
  verb->add_flag("--watch", options->watch, "report the first NaN or infinity");
  verb->add_flag("--layers", options->layers, "table of dispatches");
  verb->add_option("--dim", options->dims, "NAME=N: a symbolic dimension");
  verb->add_option("--shape", options->op.shapes, "op: shape of each input")
      ->delimiter(',');
  verb->add_option("--dtype", options->op.dtype, "op: fp16 or fp32");
  verb->add_option("--seed", options->op.seed, "op: of the random inputs");
  verb->add_option("--attr", options->op.attributes,
                   "op: NAME=VALUE or NAME=V,V,...");
  verb->add_option("--constant", options->op.constants,
                   "op: inputs that are weights, by index")
      ->delimiter(',');
  addDeviceOptions(*verb, options->device);
  verb->add_flag("--data-off", options->device.dataOff,
                 "npu:cycle: timing only");
  addCompileOptions(*verb, options->compile);
  setAction(*verb, context, options, runModel);
}

} // namespace kiln::tools
