// SPDX-License-Identifier: Apache-2.0
//
// Units as types: a cycle is not a byte count, an address is not an index.
#pragma once

#include <compare>
#include <cstdint>

namespace kiln {

/// A count with a unit. Same-unit arithmetic only; `.count()` leaves the type.
template <typename Tag> class Unit {
public:
  constexpr Unit() = default;
  constexpr explicit Unit(uint64_t count) : count_(count) {}
  constexpr uint64_t count() const { return count_; }

  constexpr auto operator<=>(const Unit &) const = default;
  constexpr Unit operator+(Unit o) const { return Unit(count_ + o.count_); }
  constexpr Unit operator-(Unit o) const { return Unit(count_ - o.count_); }
  constexpr Unit &operator+=(Unit o) {
    count_ += o.count_;
    return *this;
  }
  constexpr Unit operator*(uint64_t n) const { return Unit(count_ * n); }

private:
  uint64_t count_ = 0;
};

using Cycle = Unit<struct CycleTag>; // clock cycles of a core
using Bytes = Unit<struct BytesTag>;

/// A byte address in global memory (48 bits).
using GmAddr = Unit<struct GmAddrTag>;

constexpr uint64_t ceilDiv(uint64_t a, uint64_t b) { return (a + b - 1) / b; }
constexpr uint64_t alignUp(uint64_t a, uint64_t b) { return ceilDiv(a, b) * b; }

} // namespace kiln
