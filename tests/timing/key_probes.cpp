// SPDX-License-Identifier: Apache-2.0
#include "tests/timing/key_probes.h"

#include "simulator/core/engine.h"
#include "simulator/cycle/command_timing.h"
#include "simulator/memory/address_map.h"
#include "simulator/memory/l2_memory.h"
#include "tests/timing/commands.h"

#include <algorithm>
#include <functional>
#include <gtest/gtest.h>
#include <random>

namespace kiln::test {

namespace {

using isa::LocalView;
using isa::Opcode;
using isa::Pipe;

constexpr uint64_t kGm = 0x1'0000'0000, kGmBytes = 1 << 20;
constexpr uint8_t kI8 = 0, kF16 = 5, kF32 = 7;

/// FNV-1a over 64-bit values.
class Digest {
public:
  void add(uint64_t value) {
    for (int i = 0; i < 8; ++i, value >>= 8) {
      hash_ = (hash_ ^ (value & 0xff)) * 0x100000001b3;
    }
  }
  uint64_t value() const { return hash_; }

private:
  uint64_t hash_ = 0xcbf29ce484222325;
};

/// Occupancy and latency of large commands of every class and width.
void probeOccupancies(const isa::ArchSpec &arch, Digest &digest) {
  // One of each class and path; sums would hide the narrow widths.
  constexpr Opcode kProbed[] = {
      Opcode::kCpL0a, Opcode::kCpL0b,   Opcode::kIm2col,  Opcode::kCpBt,
      Opcode::kMmad,  Opcode::kFixGm,   Opcode::kFixUb,   Opcode::kFixL1,
      Opcode::kStL1,  Opcode::kVadd,    Opcode::kVmadd,   Opcode::kVcast,
      Opcode::kVexp,  Opcode::kVrec,    Opcode::kVdiv,    Opcode::kVmaxR,
      Opcode::kVmaxL, Opcode::kVbc,     Opcode::kVtrIn,   Opcode::kVcmpEq,
      Opcode::kVsin,  Opcode::kVgather, Opcode::kVsort32, Opcode::kVgatherb};
  for (Opcode op : kProbed) {
    const isa::OpcodeInfo &info = isa::info(op);
    for (uint8_t f3 : {kI8, kF16, kF32}) {
      isa::Command c;
      c.op = op;
      c.pipe = info.pipe;
      c.f3 = f3;
      isa::PipeConfig config{};
      isa::FixConfig0 fix;
      fix.type = static_cast<isa::ElementType>(f3);
      config.fix[0] = fix.pack();
      using isa::TimingClass;
      switch (info.timing) {
      case TimingClass::kL1ToL0a:
      case TimingClass::kL1ToL0b:
        c.rs1 = isa::FractalTarget{0, 8, 16}.pack(); // 64 KiB
        break;
      case TimingClass::kIm2col: {
        isa::Im2colTarget to;
        to.mCount = 256;
        to.k1Count = 8;
        c.rs1 = to.pack();
        break;
      }
      case TimingClass::kFixGm:
      case TimingClass::kFixUb:
      case TimingClass::kFixL1:
        c.rs2 = isa::AccumulatorTile{0, 256, 256}.pack();
        break;
      case TimingClass::kCube:
        c.rs1 = isa::CubeShape{0, 256, 256, 1024}.pack();
        break;
      case TimingClass::kBiasTable:
        c.rs3 = isa::ByteCount{4096}.pack();
        break;
      case TimingClass::kLocalStore:
        c.rs1 = LocalView{0, 64, 1, 64}.pack();
        c.rs3 = isa::RowBlocks{64}.pack();
        break;
      default:
        c.rs1 = LocalView{0, 8, 1, 4096}.pack();
        c.rs2 = LocalView{0, 8, 1, 60'000}.pack();
      }
      sim::CommandTiming t = sim::timingOf(c, config, arch);
      digest.add(t.occupancy);
      digest.add(t.latency);
    }
  }
}

void add(ProgramBuilder &b, uint32_t dst, uint32_t src0, uint32_t src1,
         uint32_t rows) {
  b.npu({.op = Opcode::kVadd, .f3 = kF16}, view(dst, rows), view(src0, 128),
        view(src1, 0));
}

/// S: what each kind of instruction costs, seen by the command behind it.
void emitScalar(ProgramBuilder &b) {
  constexpr uint32_t kMul = 1u << 25 | 5u << 20 | 5u << 15 | 6u << 7 | 0x33;
  constexpr uint32_t kDivide = kMul | 4u << 12;
  auto mark = [&] { b.npuWord({.op = Opcode::kVadd, .f3 = kF16}); };
  add(b, 0x1000, 0, 0, 1);
  b.word(kMul);
  b.addi(6, 6, 1);
  mark();
  b.word(kDivide);
  mark();
  b.csrRead(5, isa::kCsrCoreId);
  b.addi(5, 5, 1);
  mark();
  b.li(7, isa::kScalarRamBase);
  b.load(3, 5, 7, 0);
  b.addi(5, 5, 1);
  mark();
  b.branch(0, 0, 0, b.size() + 1); // taken
  mark();
  b.barrier();
  mark();
  b.barrier();
  b.li(7, isa::kUbWindowBase);
  b.load(3, 5, 7, 0);
  b.addi(5, 5, 1);
  mark();
}

/// Flags and configuration that wait for nothing but themselves: operands are
/// in a0 to a2 before.
void emitSync(ProgramBuilder &b) {
  b.barrier();
  auto flag = [&](Opcode op, Pipe from, Pipe to) {
    b.npuWord({.op = op,
               .sub = static_cast<uint8_t>(from),
               .f3 = static_cast<uint8_t>(to)});
  };
  b.li(10, 0);
  b.li(11, 0);
  b.li(12, 0);
  flag(Opcode::kKset, Pipe::V, Pipe::MTE3);
  flag(Opcode::kKwait, Pipe::V, Pipe::MTE3);
  flag(Opcode::kKset, Pipe::MTE3, Pipe::V);
  flag(Opcode::kKwait, Pipe::MTE3, Pipe::V);
  b.npuWord({.op = Opcode::kVadd, .f3 = kF16}); // of no rows
  b.barrier();
  b.li(10, 0x2000); // destination, and scale bits
  b.li(11, isa::AccumulatorTile{0, 16, 16}.pack());
  b.li(12, isa::FixStrides{512, 32}.pack());
  for (int i = 0; i < 2; ++i) {
    b.npuWord(
        {.op = Opcode::kKcfg, .sub = static_cast<uint8_t>(Pipe::FIX), .f3 = 1});
  }
  b.npuWord({.op = Opcode::kFixUb, .f3 = kF32});
}

/// V on operands that meet in banks; an im2col whose rows do.
void emitBanks(ProgramBuilder &b, uint32_t bank) {
  b.barrier();
  uint32_t rows = bank / 1024;
  add(b, 2 * bank, 0, bank / 4, rows);
  add(b, bank / 2, 0, bank / 4, rows);
  add(b, bank / 4, bank / 4, bank / 2, rows);
  add(b, 0, bank - 1024, bank / 4, rows);
  b.npu({.op = Opcode::kVmadd, .f3 = kF16}, view(bank / 2, rows), view(0, 128),
        view(bank / 4, 0));
  im2col(b,
         {.height = 2, .width = 160, .perRow = 16, .stride = 8, .count = 16});
}

/// FIX beside an mmad: cells of its bank, and of others; a store beside V;
/// moves to L1 beside MTE1.
void emitMeetings(ProgramBuilder &b, const isa::ArchPart &arch) {
  const auto l0cBytes = static_cast<uint32_t>(arch.capacity(isa::Space::L0C));
  const auto depth =
      static_cast<uint32_t>(arch.capacity(isa::Space::L0A) / isa::kBlockBytes);
  for (uint32_t sixteenth : {1u, 3u, 5u, 9u}) {
    b.barrier();
    b.npu({.op = Opcode::kMmad, .f3 = kF16},
          isa::CubeShape{0, 16, 16, depth}.pack(), 0, 0);
    b.npu({.op = Opcode::kFixUb, .f3 = kF32}, 0,
          isa::AccumulatorTile{l0cBytes / 16 * sixteenth / 1024 * 1024, 16, 16}
              .pack(),
          isa::FixStrides{512, 32}.pack());
  }
  b.barrier();
  add(b, 0, 0, 0, 64);
  isa::StoreGeometry g;
  g.rowBytes = 2048;
  b.npu({.op = Opcode::kStUb, .f3 = 1}, kGm, view(0, 1, 64), g.pack());
  b.barrier();
  // Rows of one bank of L1 are read in turn, and a block is written to it.
  im2col(b,
         {.height = 2, .width = 640, .perRow = 40, .stride = 16, .count = 80});
  isa::RowBlocks blocks;
  blocks.blocks = 1;
  b.npu({.op = Opcode::kStL1}, view(8192, 1, 1), view(0, 0, 1), blocks.pack());
}

void emitMemory(ProgramBuilder &b) {
  b.barrier();
  isa::LoadGeometry shorts{16, 4096};
  b.npu({.op = Opcode::kLdUb}, view(0, 200, 1), kGm + 40, shorts.pack());
  isa::LoadGeometry row{4000, 0};
  b.npu({.op = Opcode::kLdUb}, view(0x2000, 1, 128), kGm + 1000, row.pack());
  isa::StoreGeometry g;
  g.rowBytes = 16;
  g.gmStride = 2048;
  b.npu({.op = Opcode::kStUb, .f3 = 1}, kGm, view(0, 200, 1), g.pack());
  g.rowBytes = 4000;
  b.npu({.op = Opcode::kStUb, .f3 = 1}, kGm, view(0x2000, 1, 128), g.pack());
}

/// A block that posts to itself.
void emitSemaphore(ProgramBuilder &b) {
  b.barrier();
  b.npu({.op = Opcode::kKpost, .f3 = static_cast<uint8_t>(Pipe::MTE3)}, 0);
  b.npu({.op = Opcode::kKpend, .f3 = static_cast<uint8_t>(Pipe::MTE2)}, 0);
  b.npu({.op = Opcode::kLdUb}, view(0, 1, 1), kGm,
        isa::LoadGeometry{16, 0}.pack());
}

struct Listener final : sim::CommandListener {
  explicit Listener(Digest &digest) : digest(digest) {}
  void retired(const sim::CommandStamp &s) override {
    for (uint64_t v : {s.issue, s.start, s.busyEnd, s.retire}) {
      digest.add(v);
    }
  }
  Digest &digest;
};

void probeProgram(const isa::ArchSpec &arch, Digest &digest) {
  ProgramBuilder b;
  emitScalar(b);
  b.configure(
      Pipe::FIX, 0,
      isa::FixConfig0{isa::ElementType::F16, isa::Activation::kNone, 1}.pack());
  emitSync(b);
  emitBanks(b, static_cast<uint32_t>(arch.arch.capacity(isa::Space::UB) / 4));
  emitMeetings(b, arch.arch);
  emitMemory(b);
  emitSemaphore(b);
  while (b.size() < 1600) {
    b.addi(0, 0, 0); // bytes of text for the launch
  }
  auto gm = sim::HostGlobalMemory::create(kGm, kGmBytes);
  ASSERT_TRUE(gm);
  ASSERT_TRUE((*gm)->allocate(Bytes(kGmBytes)));
  Listener listener(digest);
  sim::LaunchRequest request;
  b.note.bindingCount = 1;
  request.program = b.program();
  request.bindings = {{kGm, kGmBytes, true}};
  request.listener = &listener;
  auto engine = sim::createCycleEngine(arch, **gm);
  Result<sim::LaunchReport> report = engine->run(request);
  ASSERT_TRUE(report) << report.status().message();
  digest.add(report->cycles);
  digest.add(report->kernelCycles);
}

/// Addresses of slice 0 of k1: 18 lines of each of 70 sets, then others.
const std::vector<uint64_t> &linesOfSliceZero() {
  static const std::vector<uint64_t> lines = [] {
    std::vector<std::vector<uint64_t>> sets(70);
    std::vector<uint64_t> list, rest;
    size_t full = 0;
    for (uint64_t line = kGm / 512; full < sets.size(); ++line) {
      if (sim::spread(line, 32) != 0) {
        continue;
      }
      uint32_t set = sim::spread(line / 32, 128);
      if (set < sets.size() && sets[set].size() < 18) {
        sets[set].push_back(line * 512);
        full += sets[set].size() == 18;
      } else if (rest.size() < 300) {
        rest.push_back(line * 512);
      }
    }
    for (unsigned n = 0; n < 18; ++n) {
      for (const auto &set : sets) {
        list.push_back(set[n]);
      }
    }
    list.insert(list.end(), rest.begin(), rest.end());
    return list;
  }();
  return lines;
}

/// Two ports that send bursts as fast as they may.
struct Traffic final : sim::MemClient {
  Traffic(const isa::ArchSpec &arch, Digest &digest)
      : arch(arch), digest(digest), memory(arch, 2, wheel) {}
  void burstDone(uint64_t tag, Cycle now) override {
    digest.add(now.count());
    pump(tag, now.count());
  }
  void pump(uint64_t stream, uint64_t now) {
    std::vector<sim::MemRequest> &list = streams[stream];
    size_t &next = sent[stream];
    while (next < list.size()) {
      sim::MemPort &port = memory.port(stream == 2);
      bool write = list[next].write;
      uint64_t ready = port.readyAt(write, Cycle(now)).count();
      if (ready != now) {
        if (ready != ~uint64_t{0}) {
          wheel.at<&Traffic::pump>(ready, sim::Phase::kMain, this, stream);
        }
        return;
      }
      list[next].tag = stream;
      port.issue(list[next++], *this, Cycle(now));
    }
  }
  void run() {
    for (uint64_t stream = 0; stream < streams.size(); ++stream) {
      wheel.at<&Traffic::pump>(10, sim::Phase::kMain, this, stream);
    }
    while (wheel.runNext()) {
    }
  }
  isa::ArchSpec arch;
  Digest &digest;
  sim::TimingWheel wheel;
  sim::L2Memory memory;
  std::array<std::vector<sim::MemRequest>, 3> streams;
  std::array<size_t, 3> sent{};
};

/// Writes that fill sets of slice 0 and evict from them, among reads.
void probeTraffic(const isa::ArchSpec &arch, Digest &digest) {
  Traffic traffic(arch, digest);
  const std::vector<uint64_t> &lines = linesOfSliceZero();
  auto burst = [](uint64_t address, bool write, uint32_t bytes) {
    return sim::MemRequest{GmAddr(address), bytes, 4, write, 0};
  };
  for (size_t i = 0; i < 18 * 70; ++i) {
    traffic.streams[0].push_back(burst(lines[i], true, i % 7 ? 512 : 40));
  }
  for (size_t i = 18 * 70; i < lines.size(); ++i) {
    traffic.streams[1].push_back(burst(lines[i], false, 512));
    traffic.streams[2].push_back(burst(lines[i - 600], false, 512));
  }
  for (size_t i = 0; i < 200; ++i) {
    traffic.streams[1].push_back(burst(lines[i], false, 64));
    traffic.streams[2].push_back(burst(kGm + 512 * i, false, 512));
  }
  traffic.run();
}

struct DramProbe final : sim::DramClient {
  DramProbe(const isa::ArchSpec &arch, Digest &digest)
      : digest(digest),
        channel(sim::DramCycles::of(arch.timing.memory.dram.part,
                                    arch.timing.clockHz,
                                    arch.timing.memory.l2.lineBytes),
                {arch.timing.memory.dram.queueDepth,
                 arch.timing.memory.dram.writeHigh,
                 arch.timing.memory.dram.writeLow, 700},
                wheel, *this) {}
  void dramDone(uint32_t tag, bool, uint64_t now) override {
    digest.add(tag);
    digest.add(now);
  }
  void push(uint64_t index, uint64_t now) {
    channel.push(requests[index], now);
  }
  Digest &digest;
  sim::TimingWheel wheel;
  sim::DramChannel channel;
  std::vector<sim::DramRequest> requests;
};

/// Crowds and stragglers over few rows of all banks.
void probeDram(const isa::ArchSpec &arch, Digest &digest) {
  DramProbe p(arch, digest);
  std::mt19937_64 random(3);
  uint64_t cycle = 1;
  for (uint32_t i = 0; i < 1500; ++i) {
    bool crowd = i / 100 % 2;
    cycle += crowd ? random() % 2 : random() % 60;
    uint32_t sizes[] = {32, 64, 512};
    p.requests.push_back(
        {random() % 256, sizes[random() % 3], random() % 3 == 0, i, i});
    p.wheel.at<&DramProbe::push>(cycle, sim::Phase::kMain, &p, i);
  }
  while (p.wheel.runNext()) {
  }
}

} // namespace

uint64_t probe(const isa::ArchSpec &arch) {
  Digest digest;
  probeOccupancies(arch, digest);
  probeProgram(arch, digest);
  probeTraffic(arch, digest);
  probeDram(arch, digest);
  isa::ArchSpec flat = arch;
  flat.timing.memory.model = "flat";
  probeProgram(flat, digest);
  return digest.value();
}

} // namespace kiln::test
