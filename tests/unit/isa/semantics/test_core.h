// SPDX-License-Identifier: Apache-2.0
//
// A core's memories for tests of the semantics: local buffers of their own,
// global memory of a few bound buffers with gaps between them.
#pragma once

#include "isa/gen/operands.h"
#include "isa/semantics/semantics.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstring>
#include <map>
#include <random>
#include <vector>

namespace kiln::isa::testing {

/// Buffers bound to a launch; anything else is out of bounds.
class TestGm final : public GlobalMemory {
public:
  void bind(uint64_t addr, uint64_t bytes) { buffers[addr].resize(bytes); }

  std::byte *map(uint64_t addr, uint64_t bytes, Access) override {
    for (auto &[base, data] : buffers) {
      if (addr >= base && addr - base <= data.size() &&
          bytes <= data.size() - (addr - base)) {
        return data.data() + (addr - base);
      }
    }
    return nullptr;
  }

  std::map<uint64_t, std::vector<std::byte>> buffers;
};

constexpr uint64_t kGmBase = 0x1'0000'0000;
constexpr uint64_t kGmBytes = 64 * 1024;

class TestCore {
public:
  TestCore() {
    constexpr size_t kCapacity[kNumSpaces] = {
        0, 64 * 1024, 32 * 1024, 32 * 1024, 64 * 1024, 64 * 1024, 4096};
    for (unsigned i = 1; i < kNumSpaces; ++i) {
      local[i].resize(kCapacity[i]);
    }
    gm.bind(kGmBase, kGmBytes);
  }

  CoreMemory memory() {
    CoreMemory m;
    for (unsigned i = 1; i < kNumSpaces; ++i) {
      m.local[i] = local[i];
    }
    m.gm = &gm;
    return m;
  }

  std::vector<std::byte> &operator[](Space s) {
    return s == Space::GM ? gm.buffers.begin()->second
                          : local[static_cast<unsigned>(s)];
  }
  static uint64_t base(Space s) { return s == Space::GM ? kGmBase : 0; }

  /// Typed access by address.
  template <typename T> T get(Space s, uint64_t addr) {
    T v;
    std::memcpy(&v, (*this)[s].data() + (addr - base(s)), sizeof(T));
    return v;
  }
  template <typename T> void set(Space s, uint64_t addr, T v) {
    std::memcpy((*this)[s].data() + (addr - base(s)), &v, sizeof(T));
  }

  void fillRandom(uint32_t seed) {
    std::mt19937 random(seed);
    for (unsigned i = 0; i < kNumSpaces; ++i) {
      for (std::byte &b : (*this)[static_cast<Space>(i)]) {
        b = static_cast<std::byte>(random());
      }
    }
  }

  std::optional<Fault> run(const Command &c) {
    CoreMemory m = memory();
    return execute(c, config, m);
  }
  void runOk(const Command &c) {
    const std::optional<Fault> fault = run(c);
    ASSERT_FALSE(fault.has_value())
        << name(fault->kind) << ": " << fault->message;
  }

  std::array<std::vector<std::byte>, kNumSpaces> local;
  TestGm gm;
  PipeConfig config;
};

inline Command command(Opcode op, uint64_t rs1, uint64_t rs2 = 0,
                       uint64_t rs3 = 0, unsigned f3 = 0) {
  Command c;
  c.op = op;
  c.pipe = info(op).pipe;
  c.f3 = static_cast<uint8_t>(f3);
  c.rs1 = rs1;
  c.rs2 = rs2;
  c.rs3 = rs3;
  return c;
}
inline Command command(Opcode op, ElementType type, uint64_t rs1,
                       uint64_t rs2 = 0, uint64_t rs3 = 0) {
  return command(op, rs1, rs2, rs3, static_cast<unsigned>(type));
}

/// addr, row stride, block stride, count.
inline uint64_t view(uint32_t addr, uint32_t row, uint32_t blk,
                     uint32_t count = 0) {
  return LocalView{addr, row, blk, count}.pack();
}

/// A binary16 or bfloat16 value from its definition, and back to nearest even
/// by search: slow and independent of isa/numerics.
inline float halfValue(uint16_t x, bool bf16 = false) {
  if (bf16) {
    return std::bit_cast<float>(static_cast<uint32_t>(x) << 16);
  }
  const int e = (x >> 10) & 31, m = x & 1023;
  const float sign = (x & 0x8000) != 0 ? -1.0f : 1.0f;
  if (e == 31) {
    return m != 0 ? NAN : sign * INFINITY;
  }
  return sign * (e == 0 ? std::ldexp(float(m), -24)
                        : std::ldexp(float(1024 + m), e - 25));
}
inline uint16_t halfBits(float x) {
  const uint16_t sign = std::signbit(x) ? 0x8000 : 0;
  const float a = std::fabs(x);
  if (std::isnan(x)) {
    return 0x7e00;
  }
  if (a >= 65520.0f) {
    return sign | 0x7c00;
  }
  uint16_t lo = 0, hi = 0x7bff;
  while (lo < hi) { // the largest half not above a
    const auto mid = static_cast<uint16_t>((lo + hi + 1) / 2);
    halfValue(mid) <= a ? lo = mid : hi = static_cast<uint16_t>(mid - 1);
  }
  const double below = halfValue(lo);
  const double above = lo == 0x7bff ? 65536.0 : halfValue(lo + 1);
  const double down = a - below, up = above - a;
  if (up < down || (up == down && (lo & 1) != 0)) {
    ++lo;
  }
  return sign | lo;
}

} // namespace kiln::isa::testing
