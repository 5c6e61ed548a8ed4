// SPDX-License-Identifier: Apache-2.0
//
// Operators that crash, leave or never end: each ends the process with exit
// code 2 and its number at the line of the last call.
#include "tools/engine/operator_guard.h"

#include "tests/unit/tik_dsl/author_mistakes.h"

#include <csignal>
#include <cstdlib>
#include <stdexcept>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace kiln::tools {
namespace {

using namespace tik;

OperatorGuard &guard() {
  static OperatorGuard quick({.seconds = 0.2, .referenceSeconds = 0.2});
  return quick;
}

void declare(Declaration &d) {
  d.name("op", "").output("y", f16, {16}).shape({});
}
void noReference(const Reference &) {}
void noKernel(const Kernel &) {}

/// Runs every function of the operator under the guard.
void call(const InlineFunctions &functions) {
  current() = functions;
  const Result<isa::ArchSpec> k1 = isa::loadArchSpec("k1");
  const Result<Operator> op =
      Operator::declare(inlineEntry, "inline.cpp", &guard());
  const Result<BoundShape> shape = op->bind({});
  std::vector<std::vector<double>> tensors(1, std::vector<double>(16));
  (void)op->reference(*shape, tensors);
  OperatorCompiler compiler;
  (void)compiler.compile(*op, *shape, {.arch = &*k1});
}

int overflow(int depth) { // NOLINT(misc-no-recursion)
  volatile char frame[4096];
  frame[depth % 4096] = 1;
  return frame[depth % 4096] ? overflow(depth + 1) + frame[0] : 0;
}
void forever() {
  for (volatile int i = 0;; i = i + 1) {
  }
}
void throws() { throw std::runtime_error("not caught"); }
void noThrow() noexcept { throws(); }

struct GuardCase {
  const char *name;
  void (*kernel)(const Kernel &);
  const char *line; // behind "operator_guard_test.cpp:LINE: "
};

/// The line of the last call to Kiln.
constexpr uint32_t kLine = __LINE__ + 1;
void lastCall(const Kernel &k) { k.tensor("y"); }

const GuardCase kCases[] = {
    {"Segment",
     [](const Kernel &k) {
       lastCall(k);
       raise(SIGSEGV);
     },
     "error TIK539: kernel\\(\\) crashed after this line: SIGSEGV"},
    {"NullPointer",
     [](const Kernel &k) {
       lastCall(k);
       *static_cast<volatile int *>(nullptr) = 1;
     },
     "error TIK539: kernel\\(\\) crashed after this line: SIG"},
    {"StackOverflow",
     [](const Kernel &k) {
       lastCall(k);
       k.constant(overflow(0));
     },
     "error TIK539: kernel\\(\\) crashed after this line: SIGSEGV"},
    {"Abort",
     [](const Kernel &k) {
       lastCall(k);
       abort();
     },
     "error TIK539: kernel\\(\\) crashed after this line: SIGABRT"},
    {"ExceptionThatNobodyCatches",
     [](const Kernel &k) {
       lastCall(k);
       noThrow();
     },
     "error TIK539: kernel\\(\\) crashed after this line: SIGABRT"},
    {"Exit",
     [](const Kernel &k) {
       lastCall(k);
       exit(0);
     },
     "error TIK540: kernel\\(\\) called exit\\(\\) after this line"},
    {"Endless",
     [](const Kernel &k) {
       lastCall(k);
       forever();
     },
     "error TIK541: kernel\\(\\) does not come to an end after this line"},
    {"EndlessCalls",
     [](const Kernel &k) {
       for (;;) {
         lastCall(k);
       }
     },
     "error TIK541: kernel\\(\\) does not come to an end after this line"},
};

class Guard : public testing::TestWithParam<GuardCase> {};

TEST_P(Guard, NamesWhatAKernelDoesToTheProcess) {
  const std::string line =
      "kiln: invalid argument: .*operator_guard_test.cpp:" +
      std::to_string(kLine) + ": " + GetParam().line;
  EXPECT_EXIT(call({declare, GetParam().kernel, noReference}),
              testing::ExitedWithCode(2), line);
}

INSTANTIATE_TEST_SUITE_P(All, Guard, testing::ValuesIn(kCases),
                         [](const auto &info) { return info.param.name; });

TEST(GuardOf, ADeclarationAndAReference) {
  EXPECT_EXIT(call({[](Declaration &) { abort(); }, noKernel, noReference}),
              testing::ExitedWithCode(2),
              "kiln: invalid argument: inline.cpp: error TIK539: "
              "declare\\(\\) crashed: SIGABRT");
  EXPECT_EXIT(call({declare, noKernel, [](const Reference &) { forever(); }}),
              testing::ExitedWithCode(2),
              "inline.cpp: error TIK541: reference\\(\\) does not come to an "
              "end");
}

TEST(GuardOf, NothingElse) {
  // Between calls, and without one, the process ends as it always did.
  EXPECT_EXIT(
      {
        call({declare, noKernel, noReference});
        raise(SIGABRT); // the one that sanitizers leave alone
      },
      testing::KilledBySignal(SIGABRT), "");
  EXPECT_EXIT(
      {
        call({declare, noKernel, noReference});
        exit(3);
      },
      testing::ExitedWithCode(3), "");
}

} // namespace
} // namespace kiln::tools
