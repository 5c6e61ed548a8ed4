// SPDX-License-Identifier: Apache-2.0
#include "tests/unit/compiler/npu/random_kernel.h"

#include <fmt/format.h>

#include <random>
#include <vector>

namespace kiln::test {
namespace {

// Every UB, L1 and L0 buffer is one fractal: 16x16 halves, 512 bytes.
constexpr char kUb[] = "memref<256xf16, 5>";
constexpr char kL1[] = "memref<256xf16, 1>";
constexpr char kL0A[] = "memref<16x16xf16, 2>";
constexpr char kL0B[] = "memref<16x16xf16, 3>";
constexpr char kL0C[] = "memref<16x16xf32, 4>";
constexpr char kGm[] = "memref<16384xf16>";

struct Buffers {
  std::vector<std::string> ub, l1, l0a, l0b, l0c;
};

class Generator {
public:
  explicit Generator(uint64_t seed) : random_(seed), slots_(2 + seed % 4 / 3) {}

  std::string run() {
    line("func.func @random(%x: {0}, %y: {0}, %z: {0}, %n0: index, "
         "%n1: index, %n2: index) attributes {{npu.kernel}} {{",
         kGm);
    for (int value : {0, 1, 2, 16, 32, 512}) {
      line("  %c{0} = arith.constant {0} : index", value);
    }
    line("  %bits = arith.constant 15360 : i64");
    block(0, {}, "%c0");
    line("  return");
    line("}}");
    return text_;
  }

private:
  template <typename... Args>
  void line(fmt::format_string<Args...> format, Args &&...args) {
    text_ += fmt::format(format, std::forward<Args>(args)...) + "\n";
  }
  unsigned pick(unsigned below) {
    return static_cast<unsigned>(random_() % below);
  }
  std::string fresh(const char *name) {
    return fmt::format("%{}{}", name, next_++);
  }
  const std::string &one(const std::vector<std::string> &of) {
    return of[pick(static_cast<unsigned>(of.size()))];
  }

  /// Allocates and initialises buffers, then emits random commands, loops and
  /// ifs. `iv` is an index below 8 that changes with the innermost loop.
  void block(unsigned nesting, Buffers buffers, const std::string &iv) {
    const std::string gm = fresh("gm");
    line("  {} = arith.muli {}, %c512 : index", gm, iv);
    const unsigned allocs = nesting == 0 ? 4 : pick(4);
    for (unsigned i = 0; i < allocs; ++i) {
      allocate(buffers, gm, nesting == 0 && i < 1);
    }
    const unsigned commands = 2 + pick(nesting == 0 ? 8 : 5);
    for (unsigned i = 0; i < commands; ++i) {
      const unsigned choice = pick(10);
      if (choice < 2 && nesting < 3) {
        loop(nesting, buffers);
      } else if (choice == 2 && nesting > 0 && nesting < 4) {
        branch(nesting, buffers, iv);
      } else {
        command(buffers, gm);
      }
    }
  }

  void loop(unsigned nesting, const Buffers &buffers) {
    const std::string iv = fresh("i");
    line("  scf.for {} = %c0 to %n{} step %c1 {{", iv, pick(3));
    block(nesting + 1, buffers, iv);
    line("  }}");
  }

  void branch(unsigned nesting, const Buffers &buffers, const std::string &iv) {
    const std::string bit = fresh("b"), some = fresh("p");
    line("  {} = arith.remui {}, %c2 : index", bit, iv);
    line("  {} = arith.cmpi eq, {}, %c0 : index", some, bit);
    line("  scf.if {} {{", some);
    block(nesting + 1, buffers, iv);
    if (pick(2)) {
      line("  }} else {{");
      block(nesting + 1, buffers, iv);
    }
    line("  }}");
  }

  void allocate(Buffers &buffers, const std::string &gm, bool forceUb) {
    const unsigned depth = pick(2) ? slots_ : 1;
    auto alloc = [&](const char *type) {
      const std::string name = fresh("buf");
      line("  {} = npu.alloc \"{}\" {{depth = {}}} : {}", name, name.substr(1),
           depth, type);
      return name;
    };
    if (forceUb || buffers.ub.empty() || pick(3)) {
      const std::string name = alloc(kUb);
      if (pick(2)) {
        load(name, kUb, gm);
      } else {
        line("  npu.vdup {}[%c0], %bits rows %c16 cols %c16 {{dst_strides = "
             "array<i64: 1, 1>}} : {}",
             name, kUb);
      }
      buffers.ub.push_back(name);
      return;
    }
    // A whole cube path: L1, L0A, L0B, L0C, written in this order.
    const std::string l1 = alloc(kL1), a = alloc(kL0A), b = alloc(kL0B),
                      c = alloc(kL0C);
    load(l1, kL1, gm);
    toL0(a, kL0A, l1);
    toL0(b, kL0B, l1);
    mmad(c, a, b, "%c0");
    buffers.l1.push_back(l1);
    buffers.l0a.push_back(a);
    buffers.l0b.push_back(b);
    buffers.l0c.push_back(c);
  }

  void load(const std::string &dst, const char *type, const std::string &gm) {
    line("  npu.load {}[%c0], {}[{}] rows %c1 row_bytes %c512 gm_stride %c0 "
         "{{dst_strides = array<i64: 0, 1>}} : {}, {}",
         dst, pick(3) ? "%x" : "%z", gm, type, kGm);
  }
  void toL0(const std::string &dst, const char *type, const std::string &l1) {
    line("  npu.load_l0 {}[%c0], {}[%c0] outer %c1 inner %c1 {{outer_stride = "
         "0, inner_stride = 0}} : {}, {}",
         dst, l1, type, kL1);
  }
  void mmad(const std::string &c, const std::string &a, const std::string &b,
            const char *mode) {
    line("  npu.mmad {}[%c0], {}[%c0], {}[%c0] m %c16 n %c16 k %c16 mode {} : "
         "{}, {}, {}",
         c, a, b, mode, kL0C, kL0A, kL0B);
  }
  void fix(const std::string &dst, const char *type, const std::string &at,
           const std::string &c) {
    line("  npu.fix {}[{}], {}[%c0] m %c16 n %c16 m1 %c1 c1_stride %c32 "
         "m_pitch %c32 : {}, {}",
         dst, at, c, type, kL0C);
  }

  void command(const Buffers &buffers, const std::string &gm) {
    const unsigned choice = pick(buffers.l1.empty() ? 7 : 12);
    const std::string &u = one(buffers.ub), &v = one(buffers.ub),
                      &w = one(buffers.ub);
    switch (choice) {
    case 0:
      return load(u, kUb, gm);
    case 1:
    case 2:
      return line(
          "  npu.vbinary {0} {1}[%c0], {2}[%c0], {3}[%c0] rows %c16 cols "
          "%c16 {{dst_strides = array<i64: 1, 1>, src0_strides = "
          "array<i64: 1, 1>, src1_strides = array<i64: 1, 1>}} : "
          "{4}, {4}, {4}",
          pick(2) ? "add" : "sub", u, v, w, kUb);
    case 3:
    case 4:
      return line("  npu.store {}[{}], {}[%c0] rows %c1 row_bytes %c512 "
                  "gm_stride %c0 {{src_strides = array<i64: 0, 1>}} : {}, {}",
                  pick(3) ? "%y" : "%z", gm, u, kGm, kUb);
    case 5:
      return line("  npu.vunary mov {}[%c0], {}[%c0] rows %c16 cols %c16 "
                  "{{dst_strides = array<i64: 1, 1>, src_strides = array<i64: "
                  "1, 1>}} : {}, {}",
                  u, v, kUb, kUb);
    case 6: {
      const std::string s = fresh("s");
      line("  {} = npu.scalar_load {}[%c32] : {} -> i16", s, u, kUb);
      return line("  npu.scalar_store {}[%c0], {} : {}, i16", v, s, kUb);
    }
    case 7:
      return load(one(buffers.l1), kL1, gm);
    case 8:
      return pick(2) ? toL0(one(buffers.l0a), kL0A, one(buffers.l1))
                     : toL0(one(buffers.l0b), kL0B, one(buffers.l1));
    case 9:
      return mmad(one(buffers.l0c), one(buffers.l0a), one(buffers.l0b),
                  pick(2) ? "%c0" : "%c1");
    case 10:
      return fix(u, kUb, "%c0", one(buffers.l0c));
    default:
      return pick(2) ? fix("%y", kGm, gm, one(buffers.l0c))
                     : line("  npu.move_l1 {}[%c0], {}[%c0] rows %c1 "
                            "row_blocks %c16 {{dst_strides = array<i64: 0, 1>, "
                            "src_strides = array<i64: 0, 1>}} : {}, {}",
                            one(buffers.l1), u, kL1, kUb);
    }
  }

  std::mt19937_64 random_;
  std::string text_;
  unsigned slots_; // of the deep buffers
  unsigned next_ = 0;
};

} // namespace

std::string randomKernel(uint64_t seed) { return Generator(seed).run(); }

} // namespace kiln::test
