// SPDX-License-Identifier: Apache-2.0
//
// Knobs: choices of a kernel that do not change what it computes, only how
// fast: tile sizes, depths, orders. An operator may declare them in a function
// of its own; `kiln tune` searches them.
//
//   void knobs(const Knobs &k) {
//     const int64_t most = k.capacity(Space::l0c) / (4 * 16);
//     k.knob("tileM", 128, doubling(16).upTo(most));
//     k.knob("depth", {2, 1, 3}); // the first is the default
//   }
//   void kernel(const Kernel &k) {
//     const int64_t tileM = k.knob("tileM"), depth = k.knob("depth");
//     ...
//   }
//   KILN_OPERATOR(declare, kernel, reference, knobs)
//
// The function is called once per shape and machine; values may depend on
// both, never on another knob. A declared value need not be possible together
// with every other: a setting is legal when the kernel builds with it, so
// buffers that do not fit, counts beyond their fields and offsets out of line
// are never written down here. Relations that the builder cannot see are
// Kernel::legal().
//
// Contract: results are right for every legal setting; `kiln test-op` tries a
// sample. Nodes of a model do not see knobs.
// Errors: TIK527 to TIK533 (tik_dsl/builder/mistake_table.inc).
#pragma once

#include "tik_dsl/api/kernel.h"

namespace kiln::tik {

/// The local memories of a core.
enum class Space : uint32_t {
  l1 = KILN_TIK_L1,
  l0a = KILN_TIK_L0A,
  l0b = KILN_TIK_L0B,
  l0c = KILN_TIK_L0C,
  ub = KILN_TIK_UB,
  biasTable = KILN_TIK_BT
};

/// Values of a knob, at most 256; what is beyond is not taken.
class Choices {
public:
  static constexpr uint32_t kMost = 256;

  Choices() = default;
  Choices(std::initializer_list<int64_t> values) {
    for (int64_t value : values) {
      add(value);
    }
  }
  /// Appends a value that is not there yet.
  void add(int64_t value) {
    for (uint32_t i = 0; i < count_; ++i) {
      if (values_[i] == value) {
        return;
      }
    }
    if (count_ < kMost) {
      values_[count_++] = value;
    }
  }
  uint32_t count() const { return count_; }
  const int64_t *values() const { return values_; }
  int64_t operator[](uint32_t i) const { return values_[i]; }

private:
  int64_t values_[kMost] = {};
  uint32_t count_ = 0;
};

/// A sequence that begins at `first`: first, then each value the one before
/// times `factor` plus `step`.
class Sequence {
public:
  constexpr Sequence(int64_t first, int64_t factor, int64_t step)
      : first_(first), factor_(factor), step_(step) {}

  /// Its values that are not above `most`; at least the first. One that does
  /// not grow ends there.
  Choices upTo(int64_t most) const {
    Choices choices;
    int64_t value = first_, before = 0;
    do {
      choices.add(value);
      before = value;
      value = value * factor_ + step_;
    } while (value > before && value <= most &&
             choices.count() < Choices::kMost);
    return choices;
  }

private:
  int64_t first_, factor_, step_;
};

/// n, 2n, 3n, ...
constexpr Sequence multiples(int64_t n) { return {n, 1, n}; }
/// n, 2n, 4n, ...
constexpr Sequence doubling(int64_t n) { return {n, 2, 0}; }

class Knobs {
public:
  explicit Knobs(const KilnTikTable *table) : t_(table) {}

  /// A choice with its values; the first is the default.
  void knob(const char *name, const Choices &values,
            Line line = Line::current()) const {
    const KilnTikLine at = detail::toC(line);
    t_->declareKnob(t_->self, name, values.count(), values.values(), &at);
  }
  /// The same with a default, which need not be among the values.
  void knob(const char *name, int64_t byDefault, const Choices &values,
            Line line = Line::current()) const {
    Choices all = {byDefault};
    for (uint32_t i = 0; i < values.count(); ++i) {
      all.add(values[i]);
    }
    knob(name, all, line);
  }

  /// A declared attribute or a dimension's symbol; another name is TIK506, a
  /// dimension that the launch gives TIK526.
  int64_t attribute(const char *name, Line line = Line::current()) const {
    const KilnTikLine at = detail::toC(line);
    return t_->attribute(t_->self, name, &at);
  }
  /// Bytes of a local memory of the machine.
  int64_t capacity(Space space) const {
    return t_->capacity(t_->self, static_cast<uint32_t>(space));
  }
  /// Cores of the launch.
  int64_t cores() const { return t_->cores(t_->self); }

private:
  const KilnTikTable *t_;
};

} // namespace kiln::tik
