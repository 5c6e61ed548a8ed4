// SPDX-License-Identifier: Apache-2.0
#include "tik_dsl/testing/test_operator.h"

#include "tik_dsl/builder/knob_space.h"
#include "tik_dsl/builder/knobs.h"
#include "tik_dsl/builder/tolerances.h"
#include "tik_dsl/testing/element_data.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <limits>
#include <map>
#include <random>

namespace kiln::tik {

namespace {

using Bindings = std::vector<std::vector<uint8_t>>;

std::string number(double value) {
  char text[32];
  std::snprintf(text, sizeof text, "%.6g", value);
  return text;
}

/// Kernels of one operator: shapes that differ in dynamic sizes share one.
class KernelCache {
public:
  Result<const CompiledKernel *> get(const Operator &op,
                                     const BoundShape &shape,
                                     const CompileOptions &options) {
    const auto key = std::pair(shape.kernelKey, options.barrierAll);
    auto known = kernels_.find(key);
    if (known == kernels_.end()) {
      KILN_ASSIGN_OR_RETURN(CompiledKernel kernel,
                            compiler_.compile(op, shape, options));
      known = kernels_.emplace(key, std::move(kernel)).first;
    }
    return &known->second;
  }

  BodyCompiler bodies;

private:
  OperatorCompiler compiler_;
  std::map<std::pair<std::string, bool>, CompiledKernel> kernels_;
};

/// A distance from the reference that passes.
struct Allowed {
  double relative = 0, absolute = 0;

  bool isExact() const { return relative == 0 && absolute == 0; }
  double at(double expected) const {
    return absolute + relative * std::fabs(expected);
  }
};

/// Which runs of a kernel are made.
enum class Runs : uint8_t { kAll, kFew };

/// One shape of one operator.
class ShapeTest {
public:
  ShapeTest(const Operator &op, const BoundShape &shape,
            const TestOptions &options, KernelCache &cache,
            Runs runs = Runs::kAll)
      : op_(op), shape_(shape), options_(options), cache_(cache), runs_(runs) {
    report_.shape = shape.text;
    report_.isEdge = shape.isEdge;
    report_.usefulMacs = shape.usefulMacs;
  }

  ShapeReport run() {
    noteTolerances();
    makeInputs();
    if (Status ok = op_.reference(shape_, values_); !ok) {
      problem("reference", ok.message(), ok.code());
      return std::move(report_);
    }
    if (op_.decl().hasKernel) {
      runKernel();
    }
    if (op_.decl().body && runs_ == Runs::kAll) {
      runBodies();
    }
    return std::move(report_);
  }

private:
  static constexpr uint8_t kUntouched = 0xa5;

  void runKernel() {
    const auto start = std::chrono::steady_clock::now();
    const CompiledKernel *kernel = compile(/*barrierAll=*/false);
    const std::chrono::duration<double> elapsed =
        std::chrono::steady_clock::now() - start;
    report_.buildSeconds = elapsed.count();
    if (!kernel) {
      return;
    }
    report_.note = kernel->note;
    report_.remarks = kernel->remarks;
    report_.orderDependent = kernel->orderDependent;
    if (Status ok = checkWorkspace(*kernel); !ok) {
      problem("build", ok.message(), ok.code());
      return;
    }
    runAll(*kernel);
    if (runs_ == Runs::kAll) {
      if (const CompiledKernel *oracle = compile(/*barrierAll=*/true)) {
        runOne(*oracle, RunOrder::kEager, 0, "barrier-all");
      }
    }
    if (!result_.empty()) {
      compare(result_, report_.comparison);
      reportWrong("reference", report_.comparison);
    }
  }

  /// Every run has workspaces of its own in the host's memory.
  static Status checkWorkspace(const CompiledKernel &kernel) {
    constexpr uint64_t kMost = uint64_t{1} << 32;
    uint64_t bytes = 0;
    for (uint64_t workspace : kernel.workspaceBytes) {
      bytes += workspace;
    }
    return bytes <= kMost
               ? Status::ok()
               : Status(StatusCode::kDoesNotFit,
                        "the workspaces take " + std::to_string(bytes) +
                            " bytes; a test takes at most " +
                            std::to_string(kMost) + ": choose a smaller shape");
  }

  void runBodies() {
    Result<std::string> body = cache_.bodies.compile(op_, shape_);
    if (!body) {
      problem("body", body.status().message(), body.status().code());
      return;
    }
    if (options_.bodyRunner) {
      runBody(*body, *options_.bodyRunner);
    }
    if (options_.npuBodyRunner && !op_.decl().hasKernel) {
      runBody(*body, *options_.npuBodyRunner);
    }
  }

  /// A device that cannot do what a body asks for is a remark where the body
  /// stands in for a kernel.
  void runBody(const std::string &text, BodyRunner &runner) {
    Bindings bindings = initial_;
    BodyReport body{runner.device(), false, {}};
    const std::string where = "body on " + body.device;
    const Status ran =
        runner.run({op_.decl().name, text, bodySignature(shape_), &bindings});
    if (ran.code() == StatusCode::kUnsupported &&
        &runner == options_.npuBodyRunner) {
      report_.remarks.push_back(where + ": " + ran.message());
      return;
    }
    const size_t known = report_.problems.size();
    if (!ran) {
      problem(where, ran.message(), ran.code());
    } else {
      compare(bindings, body.comparison);
      reportWrong(where, body.comparison);
    }
    body.passed = report_.problems.size() == known;
    report_.bodies.push_back(std::move(body));
  }

  void makeInputs() {
    uint64_t seed = options_.seed * 1000;
    for (const BoundTensor &tensor : shape_.tensors) {
      const auto count = static_cast<size_t>(tensor.elements());
      values_.push_back(tensor.isOutput
                            ? std::vector<double>(count, 0)
                            : testValues(count, tensor.type, tensor.low,
                                         tensor.high, ++seed));
      // Outputs start as a pattern that no kernel writes by accident.
      initial_.push_back(tensor.isOutput
                             ? std::vector<uint8_t>(
                                   count * isa::sizeOf(tensor.type), kUntouched)
                             : toBytes(values_.back(), tensor.type));
    }
  }

  const CompiledKernel *compile(bool barrierAll) {
    Result<const CompiledKernel *> kernel =
        cache_.get(op_, shape_,
                   {.arch = options_.arch,
                    .cores = options_.cores,
                    .barrierAll = barrierAll});
    if (!kernel) {
      problem("build", kernel.status().message(), kernel.status().code());
      return nullptr;
    }
    return *kernel;
  }

  void runAll(const CompiledKernel &kernel) {
    if (options_.functional) {
      const bool few = runs_ == Runs::kFew;
      runOne(kernel, RunOrder::kEager, 0, "eager");
      if (!few) {
        runOne(kernel, RunOrder::kLazy, 0, "lazy");
      }
      for (uint32_t i = 0; i < (few ? 1 : options_.randomOrders); ++i) {
        runOne(kernel, RunOrder::kRandom, options_.seed + i,
               "random:" + std::to_string(options_.seed + i));
      }
    }
    if (options_.cycle) {
      runOne(kernel, RunOrder::kCycle, 0, "cycle");
    }
  }

  /// After a run that did not end no other begins.
  void runOne(const CompiledKernel &kernel, RunOrder order, uint64_t seed,
              const std::string &name) {
    if (report_.code == StatusCode::kBudgetExceeded) {
      return;
    }
    Bindings bindings = initial_;
    for (uint64_t bytes : kernel.workspaceBytes) {
      bindings.emplace_back(bytes, uint8_t{0x5a});
    }
    Result<RunReport> run = options_.runner->run({.kernel = &kernel,
                                                  .bindings = &bindings,
                                                  .constants = shape_.constants,
                                                  .cores = options_.cores,
                                                  .order = order,
                                                  .seed = seed});
    ++report_.runs;
    if (!run) {
      const std::string why = kernel.explain(run.status().message());
      problem(name, why.empty() ? run.status().message() : why,
              run.status().code());
      return;
    }
    bindings.resize(initial_.size());
    for (const std::string &finding : run->findings) {
      problem(name, finding, StatusCode::kDeviceFault);
    }
    std::vector<std::string> printed = run->printed;
    if (order == RunOrder::kCycle) {
      setCycles(std::move(*run));
    }
    if (result_.empty()) {
      result_ = std::move(bindings);
      report_.printed = std::move(printed);
      first_ = name;
    } else if (bindings != result_ && kernel.orderDependent) {
      compare(bindings, report_.comparison);
    } else if (bindings != result_) {
      problem(name, "the bits differ from those of " + first_,
              StatusCode::kMismatch);
    }
  }

  void setCycles(RunReport run) {
    report_.bound = boundOf(shape_, run, *options_.arch);
    report_.usefulShare = usefulShareOf(shape_, run, *options_.arch);
    report_.cycle = std::move(run);
  }

  void compare(const Bindings &got, Comparison &comparison) {
    for (size_t i = 0; i < shape_.tensors.size(); ++i) {
      if (shape_.tensors[i].isOutput) {
        compare(shape_.tensors[i], toDoubles(got[i], shape_.tensors[i].type),
                values_[i], comparison);
      }
    }
  }

  void reportWrong(const std::string &where, const Comparison &c) {
    if (c.wrong > 0) {
      problem(where,
              std::to_string(c.wrong) + " of " + std::to_string(c.elements) +
                  " elements are outside the tolerance; worst " + c.worst,
              StatusCode::kMismatch);
    }
  }

  void compare(const BoundTensor &tensor, const std::vector<double> &got,
               const std::vector<double> &want, Comparison &c) {
    const Allowed allowed = allowedFor(tensor.type);
    double worst = -1;
    for (size_t i = 0; i < got.size(); ++i) {
      ++c.elements;
      const double ulp = ulpDistance(got[i], want[i], tensor.type);
      // An exact operator promises the reference rounded to the type.
      const double expected =
          allowed.isExact() ? rounded(want[i], tensor.type) : want[i];
      const double distance =
          got[i] == expected || ulp == 0 ? 0 : std::fabs(got[i] - expected);
      c.maxUlp = std::max(c.maxUlp, ulp);
      c.maxAbs = std::max(c.maxAbs, distance);
      // A share of an infinity or of a NaN would allow everything or nothing.
      const double most = std::isfinite(expected) ? allowed.at(expected) : 0;
      if (distance != 0) {
        const double share = distance / most;
        c.ofTolerance =
            std::max(c.ofTolerance,
                     std::isnan(share) ? std::numeric_limits<double>::infinity()
                                       : share);
      }
      if (!(distance <= most)) {
        ++c.wrong;
        if (!(distance <= worst)) {
          worst = distance;
          c.worst = tensor.name + "[" + std::to_string(i) + "]: got " +
                    number(got[i]) + ", expected " + number(expected);
          if (got[i] == untouched(tensor.type)) {
            c.worst += "; this is what was there before the kernel";
          }
        }
      }
    }
  }
  /// An element of an output before the kernel.
  static double untouched(isa::ElementType type) {
    const std::vector<uint8_t> bytes(isa::sizeOf(type), kUntouched);
    return toDoubles(bytes, type).front();
  }
  Allowed allowedFor(isa::ElementType type) const {
    const ToleranceDecl *declared = toleranceOf(op_.decl(), type, shape_);
    return declared ? Allowed{declared->relative, declared->absolute}
                    : Allowed{};
  }
  /// What the outputs are compared with, once each.
  void noteTolerances() {
    std::vector<std::string> &known = report_.tolerances;
    for (const BoundTensor &tensor : shape_.tensors) {
      const ToleranceDecl *declared =
          toleranceOf(op_.decl(), tensor.type, shape_);
      if (!tensor.isOutput || !declared) {
        continue;
      }
      std::string text = nameOf(op_.decl(), *declared) + ": " +
                         number(declared->relative) + " relative, " +
                         number(declared->absolute) +
                         " absolute: " + declared->source;
      if (std::find(known.begin(), known.end(), text) == known.end()) {
        known.push_back(std::move(text));
      }
    }
  }
  static double rounded(double value, isa::ElementType type) {
    return toDoubles(toBytes({&value, 1}, type), type).front();
  }

  /// The same words of several runs become one problem.
  void problem(const std::string &where, const std::string &text,
               StatusCode code) {
    if (report_.problems.empty()) {
      report_.code = code;
    }
    for (std::string &known : report_.problems) {
      if (known.ends_with(": " + text)) {
        known.insert(known.size() - text.size() - 2, ", " + where);
        return;
      }
    }
    report_.problems.push_back(where + ": " + text);
  }

  const Operator &op_;
  const BoundShape &shape_;
  const TestOptions &options_;
  KernelCache &cache_;
  const Runs runs_;
  std::vector<std::vector<double>> values_; // outputs: the reference's
  Bindings initial_, result_;
  std::string first_;
  ShapeReport report_;
};

std::string pad(const std::string &text, size_t width, bool right = false) {
  const std::string fill(width > text.size() ? width - text.size() : 0, ' ');
  return right ? fill + text : text + fill;
}

/// The reference holds every element as a double.
Status checkTestable(const Operator &op, const BoundShape &shape) {
  constexpr int64_t kMost = int64_t{1} << 28;
  for (const BoundTensor &tensor : shape.tensors) {
    if (tensor.elements() > kMost) {
      return Status(StatusCode::kDoesNotFit,
                    op.file() + ": '" + tensor.name + "' has " +
                        std::to_string(tensor.elements()) + " elements at " +
                        shape.text + "; a test takes at most " +
                        std::to_string(kMost) +
                        " per tensor: choose a smaller shape");
    }
  }
  return Status::ok();
}

} // namespace

namespace {

/// Cycles of all cores.
double coreCycles(const RunReport &run) {
  return static_cast<double>(run.kernelCycles) * static_cast<double>(run.cores);
}

} // namespace

double usefulShareOf(const BoundShape &shape, const RunReport &run,
                     const isa::ArchSpec &arch) {
  const BoundTensor &first = shape.tensors.front(); // inputs come first
  const isa::ElementType type =
      first.isOutput ? isa::ElementType::F16 : first.type;
  const double most = arch.peakMacsPerCycle(type) * coreCycles(run);
  return most > 0 ? static_cast<double>(shape.usefulMacs) / most : 0;
}

Bound boundOf(const BoundShape &shape, const RunReport &run,
              const isa::ArchSpec &arch) {
  const double total = coreCycles(run);
  if (total == 0) {
    return {};
  }
  double bytes[2] = {0, 0}; // in, out
  for (const BoundTensor &tensor : shape.tensors) {
    bytes[tensor.isOutput] +=
        static_cast<double>(tensor.elements()) * isa::sizeOf(tensor.type);
  }
  const auto &memory = arch.timing.memory;
  std::vector<std::pair<std::string, double>> shares = {
      {"M", usefulShareOf(shape, run, arch)},
      {"read", bytes[0] / memory.portReadBytesPerCycle / total},
      {"write", bytes[1] / memory.portWriteBytesPerCycle / total}};
  for (const PipeUse &pipe : run.pipes) {
    if (pipe.pipe == "V") {
      shares.emplace_back("V", static_cast<double>(pipe.busy) / total);
    }
  }
  const auto best = std::max_element(
      shares.begin(), shares.end(),
      [](const auto &a, const auto &b) { return a.second < b.second; });
  const double cycles = best->second * static_cast<double>(run.kernelCycles);
  return {best->first, static_cast<uint64_t>(cycles + 0.5), best->second};
}

bool OperatorReport::passed() const {
  for (const ShapeReport &shape : shapes) {
    if (!shape.problems.empty()) {
      return false;
    }
  }
  return true;
}

namespace {

/// Legal settings other than the default, drawn by the seed; fewer where the
/// space is small or most of it is not legal.
std::vector<tuning::Setting> drawSettings(const tuning::SearchSpace &space,
                                          uint32_t count,
                                          const std::string &seed) {
  std::seed_seq sequence(seed.begin(), seed.end());
  std::mt19937_64 random(sequence);
  std::vector<tuning::Setting> drawn;
  tuning::Setting byDefault;
  for (const tuning::Knob &knob : space.knobs) {
    byDefault.push_back(knob.values.front());
  }
  for (uint32_t i = 0; i < 100 * count && drawn.size() < count; ++i) {
    tuning::Setting setting;
    for (const tuning::Knob &knob : space.knobs) {
      setting.push_back(knob.values[random() % knob.values.size()]);
    }
    if (setting != byDefault &&
        std::find(drawn.begin(), drawn.end(), setting) == drawn.end() &&
        space.isLegal(setting)) {
      drawn.push_back(std::move(setting));
    }
  }
  return drawn;
}

/// Tests the shape with some legal settings of the knobs.
Status testSettings(const Operator &op, const ShapeCase &shape,
                    const TestOptions &options, KernelCache &cache,
                    ShapeReport &report) {
  KILN_ASSIGN_OR_RETURN(const tuning::SearchSpace space,
                        searchSpace(op, shape, *options.arch, options.cores));
  for (const tuning::Setting &setting :
       drawSettings(space, options.settings,
                    report.shape + std::to_string(options.seed))) {
    KILN_ASSIGN_OR_RETURN(const BoundShape bound,
                          op.bind(withSetting(shape, space, setting)));
    ShapeReport tested = ShapeTest(op, bound, options, cache, Runs::kFew).run();
    if (report.problems.empty()) {
      report.code = tested.code;
    }
    for (const std::string &problem : tested.problems) {
      report.problems.push_back("knobs " + settingText(bound.knobs) + ": " +
                                problem);
    }
    tested.setting = bound.knobs;
    report.settings.push_back(std::move(tested));
  }
  return Status::ok();
}

} // namespace

Result<OperatorReport> testOperator(const Operator &op,
                                    const TestOptions &options) {
  OperatorReport report{op.file(), op.decl().name, op.decl().summary, 0, {}};
  std::vector<ShapeCase> cases =
      options.shapes.empty() ? op.decl().cases : options.shapes;
  std::vector<BoundShape> shapes;
  std::vector<KnobValues> knobs;
  for (ShapeCase &settings : cases) {
    settings.knobs.insert(settings.knobs.end(), options.knobs.begin(),
                          options.knobs.end());
    KILN_ASSIGN_OR_RETURN(BoundShape shape, op.bind(settings));
    MessageList messages; // a wrong knob is no problem of a shape
    KILN_ASSIGN_OR_RETURN(
        KnobValues setting,
        resolveKnobs(op, shape, *options.arch, options.cores, messages));
    knobs.push_back(std::move(setting));
    KILN_RETURN_IF_ERROR(checkTestable(op, shape));
    shapes.push_back(std::move(shape));
  }
  KernelCache cache;
  for (size_t i = 0; i < shapes.size(); ++i) {
    if (options.progress) {
      options.progress(i, shapes.size(), shapes[i].text);
    }
    ShapeReport tested = ShapeTest(op, shapes[i], options, cache).run();
    tested.setting = std::move(knobs[i]);
    if (!tested.setting.empty() && cases[i].knobs.empty()) {
      KILN_RETURN_IF_ERROR(testSettings(op, cases[i], options, cache, tested));
    }
    report.shapes.push_back(std::move(tested));
  }
  return report;
}

Result<OperatorReport> testOperator(const std::filesystem::path &file,
                                    const TestOptions &options) {
  KILN_ASSIGN_OR_RETURN(OperatorFile loaded,
                        OperatorFile::load(file, options.load));
  KILN_ASSIGN_OR_RETURN(OperatorReport report,
                        testOperator(loaded.op(), options));
  report.compileSeconds = loaded.compileSeconds();
  return report;
}

namespace {

std::string percent(double share) {
  char text[32];
  std::snprintf(text, sizeof text, share < 9.995 ? "%.0f%%" : ">999%%",
                100 * share);
  return text;
}

std::string rowOf(const ShapeReport &shape) {
  char row[160];
  std::snprintf(row, sizeof row,
                "  %-6s %5u %11.4g %8.4g %7s %11llu  %-5s %7.1f%% %6.1f%% "
                "%4.0f ms\n",
                shape.problems.empty() ? "ok" : "FAIL", shape.runs,
                shape.comparison.maxAbs, shape.comparison.maxUlp,
                percent(shape.comparison.ofTolerance).c_str(),
                static_cast<unsigned long long>(shape.cycle.kernelCycles),
                shape.bound.by.c_str(), 100 * shape.bound.share,
                100 * shape.usefulShare, 1000 * shape.buildSeconds);
  return row;
}

std::string rowOf(const BodyReport &body) {
  char row[160];
  std::snprintf(row, sizeof row, "  %-6s %5u %11.4g %8.4g %7s\n",
                body.passed ? "ok" : "FAIL", 1U, body.comparison.maxAbs,
                body.comparison.maxUlp,
                percent(body.comparison.ofTolerance).c_str());
  return row;
}

/// What the table has no column for.
std::string notesOf(const ShapeReport &shape) {
  const std::string head = "\n" + shape.shape + ": ";
  std::string text;
  for (const std::string &problem : shape.problems) {
    text += head + problem + "\n";
  }
  for (const std::string &remark : shape.remarks) {
    text += head + "remark: " + remark + "\n";
  }
  if (shape.orderDependent) {
    text += head + "order-dependent: blocks add floats as they come\n";
  }
  if (!shape.setting.empty()) {
    text += head + "knobs " + settingText(shape.setting) + "\n";
  }
  for (const ShapeReport &drawn : shape.settings) {
    text += "  " + std::string(drawn.problems.empty() ? "ok" : "FAIL") +
            " with " + settingText(drawn.setting) + ": " +
            std::to_string(drawn.cycle.kernelCycles) + " cycles\n";
  }
  for (const std::string &line : shape.printed) {
    text += head + "printed: " + line + "\n";
  }
  return text;
}

/// The tolerances of all shapes, once each.
std::string tolerancesOf(const OperatorReport &report) {
  std::vector<std::string> known;
  std::string text;
  for (const ShapeReport &shape : report.shapes) {
    for (const std::string &tolerance : shape.tolerances) {
      if (std::find(known.begin(), known.end(), tolerance) == known.end()) {
        known.push_back(tolerance);
        text += (text.empty() ? "\ntolerance of " : "tolerance of ") +
                tolerance + "\n";
      }
    }
  }
  return text;
}

} // namespace

std::string toText(const OperatorReport &report) {
  size_t width = 5;
  for (const ShapeReport &shape : report.shapes) {
    width = std::max(width, shape.shape.size());
    for (const BodyReport &body : shape.bodies) {
      width = std::max(width, body.device.size() + 10);
    }
  }
  std::string text = report.name + ": " + report.summary + "\n\n" +
                     pad("shape", width) +
                     "  result  runs     max abs  max ulp  of tol      cycles  "
                     "bound     share  useful  build\n";
  std::string notes;
  for (const ShapeReport &shape : report.shapes) {
    text += pad(shape.shape, width) + rowOf(shape);
    for (const BodyReport &body : shape.bodies) {
      text += pad("  body on " + body.device, width) + rowOf(body);
    }
    notes += notesOf(shape);
  }
  return text + tolerancesOf(report) + notes;
}

} // namespace kiln::tik
