// SPDX-License-Identifier: Apache-2.0
#include "tests/rtl/random_rtl_program.h"

#include "isa/gen/operands.h"

#include <algorithm>
#include <cstring>
#include <map>
#include <random>

namespace kiln::test {

using isa::LocalView;
using isa::Opcode;
using isa::Pipe;

namespace {

/// Registers of the scalar instructions; a0 to a2 and 28 to 30 are taken.
constexpr unsigned kFirstReg = 16, kNumRegs = 8, kRamReg = 24, kUbReg = 25;
/// Where they work: no command and no copy of S touches these bytes.
constexpr uint64_t kScratchRam = isa::kScalarRamBase + 4096;
constexpr uint64_t kScratchUb = 31 * 1024;

class Source {
public:
  Source(uint64_t gm, uint64_t seed)
      : gm_(gm), random_(seed), bank_(seed % 3 == 0) {}
  Step next() {
    switch (below(16)) {
    case 0 ... 3:
      return load();
    case 4 ... 6:
      return store();
    case 7 ... 13:
      return vector();
    case 14:
      return configuration();
    default:
      return copy();
    }
  }

private:
  uint64_t below(uint64_t n) { return random_() % n; }
  uint32_t some(uint64_t n) { return static_cast<uint32_t>(below(n)); }
  uint64_t gmAddress() { return gm_ + below(kRandomGmBytes - 12288); }
  /// In a small window of one of UB's banks.
  uint32_t address() {
    uint32_t bank = bank_ ? 0 : some(3);
    return bank * 8192 + 32 * some(96);
  }
  LocalView view(uint32_t rows, uint32_t blocks, bool source) {
    uint32_t stride = below(4) ? 1 : some(source ? 4 : 3) + !source;
    uint32_t row = blocks * std::max(stride, 1u) + some(3);
    return {address(), source && below(6) == 0 ? 0 : row, stride, rows};
  }
  Step command(Opcode op, uint8_t f3, uint64_t a, uint64_t b, uint64_t c) {
    Step s;
    s.instruction.op = op;
    s.instruction.f3 = f3;
    s.operand[0] = a;
    s.operand[1] = b;
    s.operand[2] = c;
    return s;
  }
  uint32_t rowBytes() {
    constexpr uint32_t kMost[] = {40, 200, 200, 1500};
    return 1 + some(kMost[below(4)]);
  }
  uint32_t someRows(uint32_t bytes) {
    if (below(40) == 0) {
      return 0;
    }
    return 1 + some(bytes < 64 && below(3) == 0 ? 24 : 5);
  }
  Step load() {
    isa::LoadGeometry g;
    g.rowBytes = below(40) ? rowBytes() : 0;
    g.gmStride = g.rowBytes + (below(3) ? some(64) : 0);
    uint32_t rows = someRows(g.rowBytes);
    return command(Opcode::kLdUb, 0,
                   view(rows, (g.rowBytes + 31) / 32, false).pack(),
                   gmAddress(), g.pack());
  }
  Step store() {
    isa::StoreGeometry g;
    g.rowBytes = below(40) ? rowBytes() : 0;
    g.gmStride = g.rowBytes + (below(3) ? some(64) : 0);
    uint32_t rows = someRows(g.rowBytes);
    return command(Opcode::kStUb, static_cast<uint8_t>(below(8)), gmAddress(),
                   view(rows, (g.rowBytes + 31) / 32, true).pack(), g.pack());
  }
  Step vector() {
    constexpr Opcode kOps[] = {Opcode::kVadd, Opcode::kVmul,  Opcode::kVmax,
                               Opcode::kVadd, Opcode::kVcast, Opcode::kVsumL};
    Opcode op = kOps[below(std::size(kOps))];
    uint8_t type = below(2) ? 5 : 7;
    uint32_t epb = type == 5 ? 16 : 8;
    uint32_t rows = below(40) ? 1 + some(4) : 0;
    uint32_t columns = below(40) ? 1 + some(9 * epb) : 0;
    uint32_t blocks = (columns + epb - 1) / epb;
    LocalView dst = view(rows, blocks, false);
    LocalView a = below(4) ? view(columns, blocks, true) : dst;
    a.count = columns;
    if (op == Opcode::kVcast) {
      isa::CastMode mode;
      mode.type = isa::ElementType(below(2) ? 5 : 7);
      mode.rounding = isa::RoundingMode(below(7));
      return command(op, type, dst.pack(), a.pack(), mode.pack());
    }
    if (op == Opcode::kVsumL) {
      dst.blkStride = 0;
      dst.addr += (type == 5 ? 2 : 4) * some(8);
      return command(op, type, dst.pack(), a.pack(), 0);
    }
    LocalView b = below(4) ? view(0, blocks, true) : a;
    b.count = 0;
    return command(op, type, dst.pack(), a.pack(), b.pack());
  }
  Step configuration() {
    Step s;
    s.instruction.op = Opcode::kKcfg;
    s.instruction.sub = static_cast<uint8_t>(Pipe::MTE2);
    s.operand[0] = random_() & 0xffff'ffff;
    return s;
  }
  Step copy() {
    Step s;
    s.kind = Step::Kind::kWindowCopy;
    s.operand[0] = 8 * below(512);
    s.operand[1] = 8 * below(512);
    s.operand[2] = 8;
    return s;
  }

  uint64_t gm_;
  std::mt19937_64 random_;
  bool bank_; // everything in one bank
};

/// Scalar instructions between the commands.
class Filler {
public:
  Filler(ProgramBuilder &b, uint64_t seed) : b_(b), random_(~seed) {
    b_.li(kRamReg, kScratchRam);
    b_.li(kUbReg, isa::kUbWindowBase + kScratchUb);
  }
  void some() {
    for (uint64_t n = below(2) ? 0 : below(4); n > 0; --n) {
      one();
    }
  }

private:
  uint64_t below(uint64_t n) { return random_() % n; }
  unsigned reg() { return kFirstReg + static_cast<unsigned>(below(kNumRegs)); }
  void binary(uint32_t f7, uint32_t f3) {
    unsigned rd = reg(), x = reg(), y = reg();
    b_.word(f7 << 25 | y << 20 | x << 15 | f3 << 12 | rd << 7 |
            (below(4)  ? 0x33
             : f3 == 0 ? 0x3b
                       : 0x33));
  }
  void one() {
    int slot = 8 * static_cast<int>(below(16));
    switch (below(13)) {
    case 0:
      b_.load(3, reg(), kRamReg, slot);
      break;
    case 1:
      b_.store(3, reg(), kRamReg, slot);
      break;
    case 2:
      b_.load(3, reg(), kUbReg, slot);
      break;
    case 3:
      b_.store(3, reg(), kUbReg, slot);
      break;
    case 4:
    case 5:
      binary(1, static_cast<uint32_t>(below(4))); // mul
      break;
    case 6:
      binary(1, 4 + static_cast<uint32_t>(below(4))); // div
      break;
    case 7:
      b_.branch(static_cast<unsigned>(below(2)), reg(), reg(), b_.size() + 2);
      b_.addi(reg(), reg(), 7);
      break;
    case 8:
      flag();
      break;
    case 9:
      b_.csrRead(reg(), isa::kCsrBlockIndex + static_cast<unsigned>(below(4)));
      break;
    default:
      b_.addi(reg(), reg(), static_cast<int>(below(4096)) - 2048);
    }
  }
  /// A flag to or from a pipe that has no unit; each id once.
  void flag() {
    Pipe without = Pipe(2 + below(3));
    Pipe other = Pipe(below(isa::kNumPipes));
    if (other == without) {
      return;
    }
    bool from = below(2);
    auto pair = from ? std::pair(without, other) : std::pair(other, without);
    unsigned &used = used_[pair];
    if (used < isa::kNumFlagIds) {
      b_.set(pair.first, pair.second, used);
      b_.wait(pair.first, pair.second, used);
      ++used;
    }
  }

  ProgramBuilder &b_;
  std::mt19937_64 random_;
  std::map<std::pair<Pipe, Pipe>, unsigned> used_;
};

/// A command of no rows, columns or bytes.
bool touchesNothing(const Step &step) {
  LocalView first = LocalView::unpack(step.operand[0]);
  LocalView second = LocalView::unpack(step.operand[1]);
  uint32_t bytes = isa::LoadGeometry::unpack(step.operand[2]).rowBytes;
  switch (step.instruction.op) {
  case Opcode::kLdUb:
    return first.count == 0 || bytes == 0;
  case Opcode::kStUb:
    return second.count == 0 || bytes == 0;
  default:
    return first.count == 0 || second.count == 0;
  }
}

} // namespace

std::vector<Step> randomRtlSteps(const isa::ArchSpec &arch, uint64_t gm,
                                 uint64_t seed, size_t count) {
  Source source(gm, seed);
  std::vector<Step> steps;
  isa::PipeConfig config;
  isa::Footprint footprint;
  while (steps.size() < count) {
    Step step = source.next();
    if (step.kind == Step::Kind::kCommand &&
        step.instruction.op != Opcode::kKcfg) {
      if (!isa::encode(step.instruction)) {
        continue;
      }
      isa::footprint(step.command(), config, footprint);
      if (footprint.ranges.empty() && !touchesNothing(step)) {
        continue; // it would fault
      }
      bool inside = std::all_of(
          footprint.ranges.begin(), footprint.ranges.end(),
          [&](const isa::StridedRange &r) {
            return r.end() <= (r.space == isa::Space::UB ? kScratchUb
                                                         : gm + kRandomGmBytes);
          });
      if (!inside) {
        continue;
      }
    }
    steps.push_back(step);
  }
  return steps;
}

RtlProgram makeRtlProgram(const std::vector<Step> &steps,
                          const isa::ArchSpec &arch, uint64_t seed) {
  RtlProgram p;
  SyncedProgram synced = synchronise(steps, arch, seed);
  Filler filler(p.builder, seed);
  for (const Issue &issue : synced.issues) {
    filler.some();
    synced.emitIssue(issue, p.builder);
    p.commands += issue.kind == Issue::Kind::kStep &&
                  steps[issue.step].kind == Step::Kind::kCommand;
  }
  p.builder.note.bindingCount = 1;
  p.builder.barrier();
  p.builder.end();
  p.text = synced.text();
  return p;
}

ProgramBuilder fullQueues(uint64_t gm) {
  ProgramBuilder b;
  b.note.bindingCount = 1;
  isa::LoadGeometry geometry;
  geometry.rowBytes = 2048;
  for (Pipe p : {Pipe::MTE1, Pipe::M, Pipe::FIX, Pipe::V, Pipe::MTE3}) {
    b.npu({.op = Opcode::kLdUb}, LocalView{0, 0, 1, 1}.pack(), gm,
          geometry.pack());
    b.set(Pipe::MTE2, p, 0);
    b.wait(Pipe::MTE2, p, 0);
    // Flags of p to S and MTE2: words that nothing else would do for M.
    const Pipe kTo[] = {Pipe::S, Pipe::MTE2, p == Pipe::V ? Pipe::M : Pipe::V};
    for (unsigned id = 0; id < isa::kNumFlagIds; ++id) {
      b.li(10, id);
      for (Pipe to : kTo) {
        b.npuWord({.op = Opcode::kKset,
                   .sub = static_cast<uint8_t>(p),
                   .f3 = static_cast<uint8_t>(to)});
      }
    }
    for (unsigned id = 0; id < isa::kNumFlagIds; ++id) {
      for (Pipe to : kTo) {
        b.wait(p, to, id);
      }
    }
  }
  // MTE2 behind itself: loads wait for the port.
  for (unsigned i = 0; i < 40; ++i) {
    b.li(10, i);
    for (unsigned n = 0; n < 4; ++n) {
      b.npuWord({.op = Opcode::kKcfg, .sub = 1, .f3 = 0});
    }
    geometry.rowBytes = 64;
    b.npu({.op = Opcode::kLdUb}, LocalView{64 * i, 0, 1, 1}.pack(), gm + 64 * i,
          geometry.pack());
  }
  b.barrier();
  b.end();
  return b;
}

std::vector<std::byte> edgyBytes(size_t count, uint64_t seed) {
  constexpr uint32_t k32[] = {
      0x0000'0000, 0x8000'0000, 0x0000'0001, 0x807f'ffff, 0x0080'0000,
      0x7f7f'ffff, 0xff80'0000, 0x7f80'0000, 0x7fc0'1234, 0x477f'f000,
      0x477f'efff, 0x3380'0000, 0x3300'0001, 0x3f80'0000, 0xbf80'0001};
  constexpr uint16_t k16[] = {0x0000, 0x8000, 0x0001, 0x83ff, 0x0400, 0x7bff,
                              0xfc00, 0x7c00, 0x7e55, 0x3c00, 0xbc01, 0x1400};
  std::mt19937_64 random(seed);
  std::vector<std::byte> bytes(count);
  for (size_t at = 0; at + 4 <= count; at += 4) {
    uint64_t r = random();
    uint32_t word = static_cast<uint32_t>(r >> 32);
    switch (r % 8) {
    case 0:
      word = k32[(r >> 8) % std::size(k32)];
      break;
    case 1:
      word = k16[(r >> 8) % std::size(k16)] |
             uint32_t{k16[(r >> 16) % std::size(k16)]} << 16;
      break;
    case 2: // near one: sums cancel
      word = (word & 0x80ff'ffff) | 0x3f00'0000;
      break;
    case 3:
      word = (word & 0x83ff'83ff) | 0x3800'3c00;
      break;
    default:
      break;
    }
    std::memcpy(bytes.data() + at, &word, 4);
  }
  return bytes;
}

} // namespace kiln::test
