// SPDX-License-Identifier: Apache-2.0
//
// Status and Result<T>: how every layer below the tools reports failure.
// Nothing throws across a public interface; a call returns a Status, or a
// Result<T> that holds either a value or a Status.
//
//   Result<Program> p = device.loadProgram(bytes);
//   if (!p) return p.status();
//   use(*p);
//
// Three kinds of error are never mixed: bad input (these codes), our bug
// (assert, or kInternal at a boundary), and a modelled hardware fault
// (kDeviceFault with the fault report as message).
#pragma once

#include <cassert>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

namespace kiln {

enum class StatusCode : unsigned char {
  kOk,
  kInvalidArgument, // usage: unknown name, wrong shape or dtype     exit 2
  kCorrupt,         // unreadable, truncated or inconsistent file     exit 3
  kUnsupported,     // valid, but not something we (or this CPU) do   exit 4
  kDoesNotFit,      // does not fit the machine or memory             exit 5
  kMismatch,        // numeric comparison failed                      exit 6
  kDeviceFault,     // a kernel faulted                               exit 7
  kBudgetExceeded,  // cycle or time budget used up                   exit 7
  kDeviceLost,      // device no longer usable                        exit 7
  kCancelled,       // interrupted by the user                        exit 130
  kInternal,        // our bug                                        exit 70
};

/// The process exit code documented for a status code.
constexpr int exitCode(StatusCode code) {
  switch (code) {
  case StatusCode::kOk:
    return 0;
  case StatusCode::kInvalidArgument:
    return 2;
  case StatusCode::kCorrupt:
    return 3;
  case StatusCode::kUnsupported:
    return 4;
  case StatusCode::kDoesNotFit:
    return 5;
  case StatusCode::kMismatch:
    return 6;
  case StatusCode::kDeviceFault:
  case StatusCode::kBudgetExceeded:
  case StatusCode::kDeviceLost:
    return 7;
  case StatusCode::kCancelled:
    return 130;
  case StatusCode::kInternal:
    return 70;
  }
  return 70;
}

/// Success, or a code and a message that says what was found, what was
/// expected, where, and what to do.
class [[nodiscard]] Status {
public:
  Status() = default;
  Status(StatusCode code, std::string message)
      : code_(code), message_(std::move(message)) {
    assert(code != StatusCode::kOk && "an error status needs an error code");
  }
  static Status ok() { return {}; }

  bool isOk() const { return code_ == StatusCode::kOk; }
  explicit operator bool() const { return isOk(); }
  StatusCode code() const { return code_; }
  const std::string &message() const { return message_; }

  /// The same status with "`context`: " before the message.
  Status withContext(std::string_view context) const {
    if (isOk()) {
      return *this;
    }
    return {code_, std::string(context) + ": " + message_};
  }

private:
  StatusCode code_ = StatusCode::kOk;
  std::string message_;
};

/// A value or the Status that explains why there is none.
template <typename T> class [[nodiscard]] Result {
public:
  Result(T value) : state_(std::in_place_index<0>, std::move(value)) {}
  Result(Status status) : state_(std::in_place_index<1>, std::move(status)) {
    assert(!std::get<1>(state_).isOk() && "an ok Result needs a value");
  }

  bool isOk() const { return state_.index() == 0; }
  explicit operator bool() const { return isOk(); }
  const Status &status() const {
    static const Status kOk;
    return isOk() ? kOk : std::get<1>(state_);
  }

  T &value() & { return std::get<0>(state_); }
  const T &value() const & { return std::get<0>(state_); }
  T &&value() && { return std::get<0>(std::move(state_)); }
  T &operator*() & { return value(); }
  const T &operator*() const & { return value(); }
  T &&operator*() && { return std::move(*this).value(); }
  T *operator->() { return &value(); }
  const T *operator->() const { return &value(); }

private:
  std::variant<T, Status> state_;
};

/// Returns early with the status of `expr` when it is an error.
#define KILN_RETURN_IF_ERROR(expr)                                             \
  do {                                                                         \
    if (::kiln::Status kilnStatus = (expr); !kilnStatus.isOk()) {              \
      return kilnStatus;                                                       \
    }                                                                          \
  } while (false)

#define KILN_CONCAT_INNER(a, b) a##b
#define KILN_CONCAT(a, b) KILN_CONCAT_INNER(a, b)

/// Declares `decl` from the value of a Result, or returns its status.
#define KILN_ASSIGN_OR_RETURN(decl, expr)                                      \
  KILN_ASSIGN_OR_RETURN_IMPL(KILN_CONCAT(kilnResult, __LINE__), decl, expr)
#define KILN_ASSIGN_OR_RETURN_IMPL(tmp, decl, expr)                            \
  auto tmp = (expr);                                                           \
  if (!tmp) {                                                                  \
    return tmp.status();                                                       \
  }                                                                            \
  decl = std::move(tmp).value()

} // namespace kiln
