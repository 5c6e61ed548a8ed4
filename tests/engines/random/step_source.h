// SPDX-License-Identifier: Apache-2.0
//
// StepSource: draws the steps of random programs. Addresses lie in small
// windows of the memories, so that steps collide. A draw may be illegal; the
// caller tries it.
#pragma once

#include "isa/gen/vector_meanings.h"
#include "tests/engines/random/step.h"

#include <random>

namespace kiln::test {

class StepSource {
public:
  /// A command, behind the kcfg steps it wants to find.
  using Draw = std::vector<Step>;

  StepSource(uint64_t gm, uint64_t seed) : gm_(gm), random_(seed) {}

  uint64_t below(uint64_t n) { return random_() % n; }
  /// Any step; every pipe comes up often.
  Draw any();
  /// A data command of a timing class, or a kcfg of kControl.
  Draw ofClass(isa::TimingClass timing);
  /// A data command with this f3.
  Draw ofOpcode(isa::Opcode op, uint8_t f3);
  /// A copy by S.
  Step windowCopy();
  /// Views of UB and copies by S are often at this block of UB from now on.
  void focusOn(std::optional<uint32_t> address) { focus_ = address; }

private:
  uint32_t below32(uint32_t n) { return static_cast<uint32_t>(below(n)); }
  bool oneIn(uint64_t n) { return below(n) == 0; }
  /// Room for rows behind it; a multiple of `align`.
  uint64_t gmAddress(uint64_t align = 1) {
    return gm_ + below(kRandomGmBytes - 8192) / align * align;
  }
  uint32_t local(uint32_t window, uint32_t align) {
    return below32(window / align) * align;
  }
  uint8_t anyF3(isa::Opcode op);
  /// A view of UB with rows of so many bytes.
  isa::LocalView view(uint32_t count, uint64_t rowBytes);
  Step command(isa::Opcode op, uint8_t f3, uint64_t a, uint64_t b = 0,
               uint64_t c = 0);
  Step kcfg(isa::Pipe pipe, uint8_t index, uint64_t value);

  Draw anyOf(const std::vector<isa::Opcode> &ops);
  Step load(isa::Opcode op);
  Step store(uint8_t type);
  Step localStore();
  Step fractals(isa::Opcode op, uint8_t transpose);
  Step biasTable();
  void im2colConfig(Draw &draw, isa::ElementType type);
  Step im2col(uint8_t f3);
  Step cube(uint8_t type);
  void fixConfig(Draw &draw, bool integers);
  Step fix(isa::Opcode op, uint8_t f3);
  Step configuration();

  // vector_source.cpp
  struct Operands {
    isa::ElementType type{};
    uint32_t rows = 0, columns = 0;
    isa::LocalView dst, a;
    uint64_t rs1 = 0, rs3 = 0;
  };
  Step vector(isa::Opcode op, isa::ElementType type);
  uint32_t resultBytes(isa::Opcode op, const Operands &o, uint32_t columns,
                       isa::ElementType castTo) const;
  void thirdOperand(isa::Opcode op, Operands &o);
  void adjust(isa::VectorShape shape, Operands &o);
  uint32_t scalarBits(isa::Opcode op, isa::ElementType type);
  Draw indexed();

  uint64_t gm_;
  std::mt19937_64 random_;
  std::optional<uint32_t> focus_;
};

} // namespace kiln::test
