// SPDX-License-Identifier: Apache-2.0
#include "tools/engine/operator_guard.h"

#include "tik_dsl/builder/mistakes.h"

#include <csignal>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <iterator>
#include <memory>
#include <mutex>

#include <unistd.h>

namespace kiln::tools {
namespace {

using tik::Mistake;

constexpr int kCrashes[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT};
constexpr const char *kCrashNames[] = {"SIGSEGV", "SIGBUS", "SIGFPE", "SIGILL",
                                       "SIGABRT"};
constexpr size_t kCrashCount = std::size(kCrashes);
constexpr int kTimeLimit = SIGVTALRM;
constexpr size_t kStackBytes = size_t{64} << 10;

/// A call that runs on this thread.
struct Call {
  const tik::CallState *state = nullptr;
  std::unique_ptr<char[]> stack{};
  stack_t before{};
  timer_t timer{};
  bool hasTimer = false;
};

// A signal handler can reach nothing but static storage.
thread_local Call current;
struct sigaction handlersBefore[kCrashCount];

/// A line on stderr, made of what a signal handler may use.
class Report {
public:
  Report &add(const char *text) {
    const size_t length = std::min(std::strlen(text), sizeof(text_) - size_);
    std::memcpy(text_ + size_, text, length);
    size_ += length;
    return *this;
  }
  Report &add(uint32_t number) {
    char digits[11];
    char *out = digits + sizeof(digits);
    *--out = 0;
    do {
      *--out = static_cast<char>('0' + number % 10);
    } while ((number /= 10) != 0);
    return add(out);
  }
  [[noreturn]] void end() {
    add("\n");
    (void)!::write(STDERR_FILENO, text_, size_);
    ::_exit(2); // bad input
  }

private:
  char text_[4096];
  size_t size_ = 0;
};

/// "kiln: invalid argument: op.cpp:21: error TIK539: kernel() crashed after
/// this line"; `what` is "crashed".
Report begin(const tik::CallState &state, Mistake number, const char *what) {
  Report report;
  report.add("\nkiln: invalid argument: ");
  if (state.last.file != nullptr) {
    report.add(state.last.file).add(":").add(state.last.line);
  } else {
    report.add(state.file);
  }
  report.add(": error TIK").add(static_cast<uint32_t>(number)).add(": ");
  report.add(state.phase).add(" ").add(what);
  return report.add(state.last.file ? " after this line" : "");
}

void onCrash(int signal, siginfo_t *info, void *) {
  size_t which = 0;
  while (kCrashes[which] != signal) {
    ++which;
  }
  const tik::CallState *state = current.state;
  if (state != nullptr && !state->isInKiln) {
    begin(*state, Mistake::kCrash, "crashed")
        .add(": ")
        .add(kCrashNames[which])
        .end();
  }
  sigaction(signal, &handlersBefore[which], nullptr);
  if (info->si_code <= 0) { // sent; an instruction does it again by itself
    raise(signal);
  }
}

void onTimeLimit(int) {
  if (const tik::CallState *state = current.state) {
    begin(*state, Mistake::kEndless, "does not come to an end").end();
  }
}

void onExit() {
  if (const tik::CallState *state = current.state) {
    begin(*state, Mistake::kEndsProgram, "called exit()").end();
  }
}

void install() {
  struct sigaction action = {};
  action.sa_flags = SA_ONSTACK | SA_NODEFER | SA_SIGINFO;
  action.sa_sigaction = onCrash;
  for (size_t i = 0; i < kCrashCount; ++i) {
    sigaction(kCrashes[i], &action, &handlersBefore[i]);
  }
  action.sa_flags = SA_ONSTACK;
  action.sa_handler = onTimeLimit;
  sigaction(kTimeLimit, &action, nullptr);
  std::atexit(onExit);
}

bool startTimer(double seconds, timer_t &timer) {
  sigevent event = {};
  event.sigev_notify = SIGEV_THREAD_ID;
  event.sigev_signo = kTimeLimit;
  event._sigev_un._tid = ::gettid();
  if (timer_create(CLOCK_THREAD_CPUTIME_ID, &event, &timer) != 0) {
    return false;
  }
  itimerspec limit = {};
  limit.it_value.tv_sec = static_cast<time_t>(seconds);
  limit.it_value.tv_nsec = static_cast<long>(
      1e9 * (seconds - static_cast<double>(limit.it_value.tv_sec)));
  return timer_settime(timer, 0, &limit, nullptr) == 0;
}

} // namespace

void OperatorGuard::enter(const tik::CallState &state) {
  static std::once_flag once;
  std::call_once(once, install);
  // A stack that overflowed has no room for a handler.
  current.stack = std::make_unique<char[]>(kStackBytes);
  const stack_t own = {current.stack.get(), 0, kStackBytes};
  sigaltstack(&own, &current.before);
  current.hasTimer =
      startTimer(state.isReference ? limits_.referenceSeconds : limits_.seconds,
                 current.timer);
  current.state = &state;
}

void OperatorGuard::leave() {
  current.state = nullptr;
  if (current.hasTimer) {
    timer_delete(current.timer);
  }
  sigaltstack(&current.before, nullptr);
  current.stack.reset();
}

OperatorGuard &operatorGuard() {
  static OperatorGuard guard;
  return guard;
}

} // namespace kiln::tools
