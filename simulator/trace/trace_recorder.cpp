// SPDX-License-Identifier: Apache-2.0
#include "simulator/trace/trace_recorder.h"

#include "isa/abi/launch.h"
#include "isa/codec/instruction.h"
#include "simulator/core/core_state.h"

#include <algorithm>

namespace kiln::sim {

using isa::Command;
using isa::Opcode;
using isa::Pipe;
using isa::TimingClass;

namespace {

constexpr uint32_t kNone = ~uint32_t{0};

void putUleb(std::vector<uint8_t> &out, uint64_t value) {
  for (; value >= 0x80; value >>= 7) {
    out.push_back(static_cast<uint8_t>(value | 0x80));
  }
  out.push_back(static_cast<uint8_t>(value));
}

void putSleb(std::vector<uint8_t> &out, int64_t value) {
  while (value < -64 || value > 63) {
    out.push_back(static_cast<uint8_t>(value | 0x80));
    value >>= 7;
  }
  out.push_back(static_cast<uint8_t>(value & 0x7f));
}

TraceKind kindOf(Opcode op) {
  switch (op) {
  case Opcode::kKset:
    return TraceKind::kSet;
  case Opcode::kKwait:
    return TraceKind::kWait;
  case Opcode::kKcfg:
    return TraceKind::kConfigure;
  case Opcode::kKpost:
    return TraceKind::kPost;
  case Opcode::kKpend:
    return TraceKind::kPend;
  case Opcode::kKbar:
  case Opcode::kKdbar:
    return TraceKind::kBarrier;
  case Opcode::kKend:
    return TraceKind::kEnd;
  default:
    return TraceKind::kData;
  }
}

/// Bytes of a range; a stride of 0 reads the same bytes again, once counted.
uint64_t bytesOf(const isa::StridedRange &r) {
  uint64_t outer = r.stride[0] ? r.count[0] : std::min<uint64_t>(r.count[0], 1);
  uint64_t inner = r.stride[1] ? r.count[1] : std::min<uint64_t>(r.count[1], 1);
  return r.bytes * outer * inner;
}

/// Adds `add`, widening a range of the same memory when all are taken.
void addRange(TraceCommand &c, const TraceRange &add) {
  if (c.rangeCount < TraceCommand::kMaxRanges) {
    c.range[c.rangeCount++] = add;
    return;
  }
  for (TraceRange &r : c.range) {
    if (r.space == add.space && r.write == add.write) {
      r.lo = std::min(r.lo, add.lo);
      r.hi = std::max(r.hi, add.hi);
      r.bytes += add.bytes;
      return;
    }
  }
}

/// Loops of the code: every branch or jump back closes one.
std::vector<TraceLoop> loopsOf(const RvCode &code) {
  std::vector<TraceLoop> loops;
  for (size_t i = 0; i < code.words.size(); ++i) {
    const RvRecord &record = code.records[i];
    bool jumps = record.op == RvOp::kJal ||
                 (record.op >= RvOp::kBeq && record.op <= RvOp::kBgeu);
    if (jumps && record.imm < 0) {
      uint64_t last = code.base + 4 * i;
      loops.push_back({last + 4 * static_cast<int64_t>(record.imm), last});
    }
  }
  std::sort(loops.begin(), loops.end(), [](const auto &a, const auto &b) {
    uint64_t sizeA = a.last - a.first, sizeB = b.last - b.first;
    return sizeA != sizeB ? sizeA < sizeB : a.first < b.first;
  });
  return loops;
}

} // namespace

TraceRecorder::TraceRecorder(const isa::ArchSpec &machine,
                             const Program &program)
    : program_(program) {
  trace_.machine = machine;
  trace_.loops = loopsOf(program.code());
  indexOfWord_.assign(program.code().words.size(), kNone);
}

TraceRecorder::Cursor &TraceRecorder::cursor(uint32_t core, unsigned pipe) {
  if (core >= trace_.tracks_.size()) {
    trace_.tracks_.resize(core + 1);
    cursors_.resize(core + 1);
  }
  return cursors_[core][pipe];
}

void TraceRecorder::beganBlock(uint32_t core, uint32_t block, uint64_t now) {
  trace_.blocks.push_back({core, block, now});
}

uint32_t TraceRecorder::indexOf(const Command &c) {
  uint32_t &index =
      indexOfWord_[(c.pc - program_.code().base) / sizeof(uint32_t)];
  if (index == kNone) {
    index = static_cast<uint32_t>(trace_.instructions.size());
    TraceInstruction &i = trace_.instructions.emplace_back();
    i.pc = c.pc;
    i.kind = kindOf(c.op);
    i.op = c.op;
    i.pipe = c.pipe;
    i.f3 = c.f3;
    if (i.kind == TraceKind::kSet || i.kind == TraceKind::kWait) {
      FlagName flag = sim::flagOf(c);
      i.flagSource = flag.source;
      i.flagDestination = flag.destination;
    }
    i.text = isa::disassembleWord(c.word);
    i.line = program_.image().lines.find(c.pc);
  }
  return index;
}

void TraceRecorder::record(const CommandStamp &stamp, TraceCommand c) {
  unsigned pipe = static_cast<unsigned>(stamp.command.pipe);
  Cursor &at = cursor(stamp.core, pipe);
  Trace::Track &track = trace_.tracks_[stamp.core][pipe];
  std::vector<uint8_t> &out = track.commands;
  ++track.count;
  putUleb(out, indexOf(stamp.command));
  putSleb(out, static_cast<int64_t>(stamp.start - at.lastStart));
  at.lastStart = stamp.start;
  putUleb(out, stamp.start - stamp.issue);
  putUleb(out, stamp.busyEnd - stamp.start);
  putSleb(out, static_cast<int64_t>(stamp.retire - stamp.busyEnd));
  putUleb(out, stamp.bankCycles);
  out.push_back(c.flagId);
  out.push_back(c.rangeCount);
  for (const TraceRange &r : c.ranges()) {
    out.push_back(static_cast<uint8_t>(static_cast<unsigned>(r.space) << 1 |
                                       unsigned{r.write}));
    putUleb(out, r.lo);
    putUleb(out, r.hi - r.lo);
    putUleb(out, r.bytes);
  }
}

void TraceRecorder::retired(const CommandStamp &stamp) {
  isa::footprint(stamp.command, *stamp.config, footprint_);
  TraceCommand c;
  for (const isa::StridedRange &r : footprint_.ranges) {
    if (r.end() > r.base) {
      addRange(c, {r.space, r.write, r.base, r.end(), bytesOf(r)});
    }
  }
  countPaths(stamp.command.pipe);
  countWork(stamp.command);
  record(stamp, c);
}

void TraceRecorder::synced(const CommandStamp &stamp) {
  TraceCommand c;
  c.flagId = static_cast<uint8_t>(std::min<uint64_t>(stamp.command.rs1, 255));
  record(stamp, c);
}

void TraceRecorder::countPaths(Pipe pipe) {
  for (const isa::StridedRange &r : footprint_.ranges) {
    unsigned space = static_cast<unsigned>(r.space);
    uint64_t bytes = bytesOf(r);
    pathBytes_[(static_cast<unsigned>(pipe) * isa::kNumSpaces + space) * 2 +
               r.write] += bytes;
    trace_.events.bytes[space] += bytes;
  }
}

void TraceRecorder::countWork(const Command &c) {
  EventCounts &events = trace_.events;
  TimingClass timing = isa::info(c.op).timing;
  if (timing == TimingClass::kCube) {
    LaunchReport one;
    countCommand(c, {}, one);
    auto type = static_cast<isa::CubeType>(c.f3);
    (type <= isa::CubeType::kU8    ? events.macs8
     : type == isa::CubeType::kF32 ? events.macs32
                                   : events.macs16) += one.macs;
    return;
  }
  if (c.pipe != Pipe::V) {
    return;
  }
  unsigned size = isa::sizeOf(static_cast<isa::ElementType>(c.f3));
  uint64_t lanes = 0;
  for (const isa::StridedRange &r : footprint_.ranges) {
    lanes = std::max(lanes, r.bytes * r.count[0] * r.count[1] / size);
  }
  bool wide = size == 4;
  bool madd = timing == TimingClass::kVMultiplyAdd;
  if (timing == TimingClass::kVExp || timing == TimingClass::kVDivide ||
      timing == TimingClass::kVReciprocal ||
      timing == TimingClass::kVTrigonometric) {
    (wide ? events.functionLanes32 : events.functionLanes16) += lanes;
    return;
  }
  bool multiplies = madd || c.op == Opcode::kVmul || c.op == Opcode::kVmuls;
  if (multiplies) {
    (wide ? events.mulLanes32 : events.mulLanes16) += lanes;
  }
  if (madd || !multiplies) {
    (wide ? events.addLanes32 : events.addLanes16) += lanes;
  }
}

void TraceRecorder::spent(uint32_t core, Pipe pipe, unsigned state,
                          uint64_t cycles) {
  unsigned p = static_cast<unsigned>(pipe);
  Cursor &at = cursor(core, p);
  if (at.state != state) {
    flushState(core, p);
    at.state = state;
  }
  at.stateCycles += cycles;
}

void TraceRecorder::flushState(uint32_t core, unsigned pipe) {
  Cursor &at = cursors_[core][pipe];
  if (at.stateCycles) {
    std::vector<uint8_t> &out = trace_.tracks_[core][pipe].states;
    out.push_back(static_cast<uint8_t>(at.state));
    putUleb(out, at.stateCycles);
    at.stateCycles = 0;
  }
}

Trace TraceRecorder::finish(const LaunchReport &report) {
  for (uint32_t core = 0; core < trace_.cores(); ++core) {
    for (unsigned p = 0; p < isa::kNumPipes; ++p) {
      flushState(core, p);
    }
  }
  for (unsigned p = 0; p < isa::kNumPipes; ++p) {
    for (unsigned s = 0; s < isa::kNumSpaces; ++s) {
      for (unsigned write = 0; write < 2; ++write) {
        if (uint64_t n = pathBytes_[(p * isa::kNumSpaces + s) * 2 + write]) {
          trace_.paths.push_back({static_cast<Pipe>(p),
                                  static_cast<isa::Space>(s), write != 0, n});
        }
      }
    }
  }
  trace_.report = report;
  return std::move(trace_);
}

} // namespace kiln::sim
