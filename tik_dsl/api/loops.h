// SPDX-License-Identifier: Apache-2.0
//
// The control flow of a kernel: range-for over blocks and ranges, and when().
// Made by Kernel; see kernel.h. The body of each runs exactly once, while the
// kernel is built; leaving it by break, return or an exception is error TIK102.
#pragma once

#include "tik_dsl/api/scalar.h"

#include <exception>

namespace kiln::tik {

namespace detail {

/// The loop of a range-for: one pass of the C++ body, bracketed by begin and
/// end calls of the table.
template <typename Derived> class LoopBody {
public:
  struct End {};
  class Iterator {
  public:
    explicit Iterator(Derived *loop) : loop_(loop) {}
    Index operator*() const { return loop_->value_; }
    Iterator &operator++() {
      loop_->close();
      loop_->open_ = false;
      return *this;
    }
    bool operator!=(End) const { return loop_->open_; }

  private:
    Derived *loop_;
  };

  Iterator begin() {
    auto *self = static_cast<Derived *>(this);
    value_ = Index(t_, self->enter());
    open_ = true;
    return Iterator(self);
  }
  End end() const { return {}; }

  LoopBody(const LoopBody &) = delete;
  LoopBody &operator=(const LoopBody &) = delete;
  ~LoopBody() {
    if (open_) {
      if (std::uncaught_exceptions() > 0) {
        return; // that is the mistake
      }
      const KilnTikLine at = toC(line_);
      t_->mistake(t_->self, 102,
                  "the body of a loop was left by break or return; it is built "
                  "once and must run to its end: use when() for what depends "
                  "on run-time values",
                  &at);
      static_cast<Derived *>(this)->close();
    }
  }

protected:
  LoopBody(const KilnTikTable *table, const Line &line)
      : t_(table), line_(line) {}
  LoopBody(LoopBody &&) = default;

  const KilnTikTable *t_;
  Line line_;
  Index value_;
  bool open_ = false;
};

} // namespace detail

/// One iteration per block of the launch.
class Blocks : public detail::LoopBody<Blocks> {
public:
  Blocks(const KilnTikTable *table, int64_t count, const Line &line)
      : LoopBody(table, line), count_(count) {}

private:
  friend detail::LoopBody<Blocks>;
  KilnTikValue enter() {
    const KilnTikLine at = detail::toC(line_);
    return t_->beginBlocks(t_->self, count_, &at);
  }
  void close() {
    const KilnTikLine at = detail::toC(line_);
    t_->endBlocks(t_->self, &at);
  }
  int64_t count_;
};

/// from, from + step, ... below to, on one core.
class Range : public detail::LoopBody<Range> {
public:
  Range(const KilnTikTable *table, const Operand &from, const Operand &to,
        const Operand &step, const Line &line)
      : LoopBody(table, line), from_(from), to_(to), step_(step) {}

  /// Buffers created directly in the body have `depth` slots (1 to 8) that take
  /// turns.
  Range buffers(uint32_t depth) && {
    depth_ = depth;
    return static_cast<Range &&>(*this);
  }

private:
  friend detail::LoopBody<Range>;
  KilnTikValue enter() {
    const KilnTikLine at = detail::toC(line_);
    return t_->beginRange(t_->self, from_.handle(t_), to_.handle(t_),
                          step_.handle(t_), depth_, &at);
  }
  void close() {
    const KilnTikLine at = detail::toC(line_);
    t_->endRange(t_->self, &at);
  }
  Operand from_, to_, step_;
  uint32_t depth_ = 1;
};

/// A branch on a run-time condition.
class When {
public:
  template <typename Body>
  When(const KilnTikTable *table, const Condition &condition, const Body &body,
       const Line &line)
      : t_(table) {
    const KilnTikLine at = detail::toC(line);
    t_->beginWhen(t_->self, detail::handleOf(condition, t_, at), &at);
    body();
    t_->endWhen(t_->self, &at);
  }
  /// Right behind the when(): otherwise TIK114.
  template <typename Body>
  void otherwise(const Body &body, Line line = Line::current()) && {
    const KilnTikLine at = detail::toC(line);
    t_->continueOtherwise(t_->self, &at);
    body();
    t_->endWhen(t_->self, &at);
  }
  When(const When &) = delete;
  When &operator=(const When &) = delete;

private:
  const KilnTikTable *t_;
};

} // namespace kiln::tik
