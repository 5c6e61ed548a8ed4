// SPDX-License-Identifier: Apache-2.0
//
// CallWatch: who wants to know when the code of an operator runs in this
// process. It is native code: it may crash, end the process or never return,
// and only the program around it can say so in a useful way.
//
//   class Guard : public CallWatch { ... };
//   OperatorFile::load(path, {.includeDir = ..., .watch = &guard});
//
// Thread rule: enter() and leave() come in pairs on the thread that runs the
// code; several threads may be in operators at once.
#pragma once

#include "tik_dsl/api/builder_table.h"

namespace kiln::tik {

/// Where an operator's code is; written while it runs. Strings live as long as
/// the call.
struct CallState {
  const char *file = "";  // the operator's
  const char *phase = ""; // "kernel()"
  KilnTikLine last{};     // of its last call to Kiln; file null: none yet
  bool isInKiln = false;  // that call has not returned
  bool isReference = false;
};

class CallWatch {
public:
  virtual ~CallWatch() = default;
  virtual void enter(const CallState &state) = 0;
  virtual void leave() = 0;
};

/// Between its making and its end the operator's code runs; `watch` may be
/// null.
class WatchedCall {
public:
  WatchedCall(CallWatch *watch, const CallState &state) : watch_(watch) {
    if (watch_) {
      watch_->enter(state);
    }
  }
  ~WatchedCall() {
    if (watch_) {
      watch_->leave();
    }
  }
  WatchedCall(const WatchedCall &) = delete;
  WatchedCall &operator=(const WatchedCall &) = delete;

private:
  CallWatch *watch_;
};

} // namespace kiln::tik
