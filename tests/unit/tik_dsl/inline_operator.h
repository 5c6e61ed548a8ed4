// SPDX-License-Identifier: Apache-2.0
//
// Operators whose functions live in the test program itself.
//
//   Operator op = inlineOperator({declare, kernel, reference});
//   BuildResult r = build(op);
#pragma once

#include "tik_dsl/api/tik.h"
#include "tik_dsl/builder/operator.h"
#include "tik_dsl/testing/test_operator.h"

namespace kiln::tik {

struct InlineFunctions {
  void (*declare)(Declaration &) = nullptr;
  void (*kernel)(const Kernel &) = nullptr;
  void (*reference)(const Reference &) = nullptr;
  void (*knobs)(const Knobs &) = nullptr;
};

/// The functions that the entry point answers with; one operator at a time.
inline InlineFunctions &current() {
  static InlineFunctions functions;
  return functions;
}

inline int32_t inlineEntry(const KilnTikRequest *request) {
  const InlineFunctions &f = current();
  return detail::answer(request, f.declare, f.kernel, f.reference, f.knobs);
}

inline Result<Operator> inlineOperator(const InlineFunctions &functions) {
  current() = functions;
  return Operator::declare(inlineEntry, "inline.cpp");
}

/// Tests an inline operator on the machine k1; ADD_FAILURE where it cannot be
/// tested.
OperatorReport testInline(const InlineFunctions &functions, uint32_t cores = 1);

/// The same of a file, with the headers of this tree.
OperatorReport testExample(const std::filesystem::path &file,
                           TestOptions options = {});

} // namespace kiln::tik
