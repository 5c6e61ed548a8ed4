// SPDX-License-Identifier: Apache-2.0
//
// OperatorGuard: what an operator's code does to the process becomes a numbered
// message with its line, and exit code 2.
//
//   tik::OperatorFile::load(path, {.includeDir = folder,
//                                  .watch = &operatorGuard()});
//
//   kiln: invalid argument: op.cpp:21: error TIK539: kernel() crashed after
//   this line: SIGSEGV
//
// TIK539: a signal of a crash, stack overflow included. TIK540: exit().
// TIK541: more CPU time than the limit. A crash inside Kiln is none of these:
// it ends the process as it always did. Nothing of the process is used after a
// crash, so the message is all there is.
//
// Handlers are installed with the first enter(); the time limit is that of the
// calling thread. Source: POSIX.1-2017, sigaction, sigaltstack, timer_create.
#pragma once

#include "tik_dsl/builder/call_watch.h"

namespace kiln::tools {

/// CPU-seconds of one call.
struct OperatorLimits {
  double seconds = 20;
  double referenceSeconds = 600;
};

class OperatorGuard final : public tik::CallWatch {
public:
  explicit OperatorGuard(const OperatorLimits &limits = {}) : limits_(limits) {}

  void enter(const tik::CallState &state) override;
  void leave() override;

private:
  OperatorLimits limits_;
};

/// That of the program's verbs.
OperatorGuard &operatorGuard();

} // namespace kiln::tools
