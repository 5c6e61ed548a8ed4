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

void addTestOp(CLI::App &app, Context &context) {
  addPending(app, context, "test-op", "compile and check a one-file operator",
             "kiln test-op tik_dsl/examples/01_vector_add.cpp");
}

} // namespace kiln::tools
