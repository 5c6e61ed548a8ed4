// SPDX-License-Identifier: Apache-2.0
//
// `kiln top`: what bounds a kernel, its heaviest lines, and what would help.
#include "tools/kiln/traced_kernel.h"
#include "tools/kiln/verbs.h"

#include <fmt/format.h>

namespace kiln::tools {
namespace {

struct Options {
  KernelOptions kernel;
  size_t lines = 3;
};

Status top(const Context &context, Options &options) {
  KILN_ASSIGN_OR_RETURN(KernelLaunch launch, prepareKernel(options.kernel));
  KILN_ASSIGN_OR_RETURN(sim::Trace trace, runTraced(launch));
  sim::Explanation explanation = sim::explain(trace);
  std::string text = launch.title + "\n" +
                     pipeBars(trace, explanation.kernelCycles) + "\n" +
                     sim::toText(explanation, options.lines, launch.folder);
  nlohmann::json json;
  if (context.json) {
    json = profileOf(launch, trace).json();
  }
  context.print(text, json);
  return Status::ok();
}

} // namespace

void addTop(CLI::App &app, Context &context) {
  CLI::App *verb =
      addVerb(app, context, "top",
              "what bounds a kernel and which lines cost most, with hints",
              "kiln top tik_dsl/examples/01_vector_add.cpp --shape N=1048576");
  auto options = std::make_shared<Options>();
  addKernelOptions(*verb, options->kernel);
  verb->add_option("--lines", options->lines, "how many of the heaviest lines");
  verb->callback([&context, options] {
    context.action = [&context, options] { return top(context, *options); };
  });
}

} // namespace kiln::tools
