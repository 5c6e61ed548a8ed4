// SPDX-License-Identifier: Apache-2.0
#include "tests/engines/support/random_program.h"

#include "isa/gen/operands.h"
#include "simulator/check/byte_shadow.h"
#include "simulator/check/happens_before.h"

#include <algorithm>
#include <cstring>
#include <map>
#include <random>
#include <set>

namespace kiln::test {

using isa::Instruction;
using isa::LocalView;
using isa::Opcode;
using isa::Pipe;

namespace {

/// Fixed registers of a copy by S.
constexpr unsigned kSourceReg = 28, kTargetReg = 29, kValueReg = 30;

class VectorMemory final : public isa::GlobalMemory {
public:
  VectorMemory(uint64_t base, std::vector<std::byte> bytes)
      : base_(base), bytes(std::move(bytes)) {}
  std::byte *map(uint64_t address, uint64_t size, isa::Access) override {
    bool inside = address >= base_ && size <= bytes.size() &&
                  address - base_ <= bytes.size() - size;
    return inside ? bytes.data() + (address - base_) : nullptr;
  }

private:
  uint64_t base_;

public:
  std::vector<std::byte> bytes;
};

/// Executes steps one at a time on memories of its own.
class Interpreter {
public:
  Interpreter(const isa::ArchSpec &arch, uint64_t gm,
              std::vector<std::byte> memory)
      : gm_(gm, std::move(memory)) {
    for (unsigned s = 1; s < isa::kNumSpaces; ++s) {
      local_[s].resize(arch.arch.capacityBytes[s] + 64);
      auto address = reinterpret_cast<uintptr_t>(local_[s].data());
      memory_.local[s] = {local_[s].data() + (-address & 63),
                          arch.arch.capacityBytes[s]};
    }
    memory_.gm = &gm_;
  }
  /// False when the step faults; then nothing has changed.
  bool run(const Step &step) {
    if (step.kind == Step::Kind::kWindowCopy) {
      std::byte *ub = memory_[isa::Space::UB].data();
      std::memmove(ub + step.operand[1], ub + step.operand[0], 8);
      return true;
    }
    isa::Command c = step.command();
    if (c.op == Opcode::kKcfg) {
      return !isa::configure(c, config);
    }
    return !isa::execute(c, config, memory_);
  }
  std::vector<std::byte> takeGm() { return std::move(gm_.bytes); }

  isa::PipeConfig config;

private:
  VectorMemory gm_;
  std::vector<std::byte> local_[isa::kNumSpaces];
  isa::CoreMemory memory_;
};

isa::StridedRange bytesOf(isa::Space space, bool write, uint64_t base,
                          uint64_t bytes) {
  isa::StridedRange r;
  r.space = space;
  r.write = write;
  r.base = base;
  r.bytes = bytes;
  return r;
}

isa::Footprint footprintOf(const Step &step, const isa::PipeConfig &config) {
  isa::Footprint f;
  if (step.kind == Step::Kind::kWindowCopy) {
    f.ranges = {bytesOf(isa::Space::UB, false, step.operand[0], 8),
                bytesOf(isa::Space::UB, true, step.operand[1], 8)};
  } else if (step.instruction.op != Opcode::kKcfg) {
    isa::footprint(step.command(), config, f);
  }
  return f;
}

bool isEncodable(const Step &step) {
  return step.kind != Step::Kind::kCommand ||
         isa::encode(step.instruction).isOk();
}

Pipe pipeOfStep(const Step &step) {
  return step.kind == Step::Kind::kWindowCopy ? Pipe::S
                                              : isa::pipeOf(step.instruction);
}

/// Whether two byte sets meet, exactly.
bool meet(const isa::StridedRange &a, const isa::StridedRange &b) {
  if (a.space != b.space || a.end() <= b.base || b.end() <= a.base) {
    return false;
  }
  std::set<uint64_t> bytes;
  sim::forEachCell(a, [&](uint64_t cell, uint32_t mask) {
    for (unsigned i = 0; i < 32; ++i) {
      if (mask >> i & 1) {
        bytes.insert(32 * cell + i);
      }
    }
  });
  bool found = false;
  sim::forEachCell(b, [&](uint64_t cell, uint32_t mask) {
    for (unsigned i = 0; i < 32; ++i) {
      found |= (mask >> i & 1) && bytes.contains(32 * cell + i);
    }
  });
  return found;
}

bool conflict(const isa::Footprint &a, const isa::Footprint &b) {
  for (const isa::StridedRange &x : a.ranges) {
    for (const isa::StridedRange &y : b.ranges) {
      if ((x.write || y.write) && meet(x, y)) {
        return true;
      }
    }
  }
  return false;
}

/// Draws steps over small windows of the memories, so that they collide.
class StepSource {
public:
  StepSource(uint64_t gm, uint64_t seed) : gm_(gm), random_(seed) {}
  Step next();

private:
  uint64_t below(uint64_t n) { return random_() % n; }
  uint64_t gmAddress() { return gm_ + below(kRandomGmBytes - 8192) / 2 * 2; }
  uint64_t local(uint64_t window, uint64_t align) {
    return below(window / align) * align;
  }
  /// A view in UB; `aligned` to blocks.
  LocalView view(uint32_t rows, uint32_t blocksPerRow) {
    uint32_t blk = below(4) ? 1 : 2;
    return {static_cast<uint32_t>(local(4096, 32)),
            blocksPerRow * blk + static_cast<uint32_t>(below(2)), blk, rows};
  }
  Step command(Opcode op, uint8_t f3, uint64_t a, uint64_t b = 0,
               uint64_t c = 0) {
    Step s;
    s.instruction.op = op;
    s.instruction.f3 = f3;
    s.operand[0] = a;
    s.operand[1] = b;
    s.operand[2] = c;
    return s;
  }
  Step load();
  Step store();
  Step toL0();
  Step cube();
  Step fix();
  Step vector();
  Step reduction();
  Step configuration();
  Step windowCopy();

  uint64_t gm_;
  std::mt19937_64 random_;
};

Step StepSource::next() {
  switch (below(16)) {
  case 0:
  case 1:
  case 2:
    return load();
  case 3:
  case 4:
    return store();
  case 5:
  case 6:
    return toL0();
  case 7:
  case 8:
    return cube();
  case 9:
  case 10:
    return fix();
  case 11:
  case 12:
  case 13:
    return below(4) ? vector() : reduction();
  case 14:
    return configuration();
  default:
    return windowCopy();
  }
}

Step StepSource::load() {
  uint32_t rows = 1 + static_cast<uint32_t>(below(6));
  isa::LoadGeometry g;
  g.rowBytes = 1 + static_cast<uint32_t>(below(below(4) ? 200 : 1500));
  g.gmStride = g.rowBytes + static_cast<uint32_t>(below(64));
  uint32_t blocks = (g.rowBytes + 31) / 32;
  switch (below(3)) {
  case 0:
    return command(Opcode::kLdUb, 0, view(rows, blocks).pack(), gmAddress(),
                   g.pack());
  case 1:
    return command(
        Opcode::kLdL1, 0,
        LocalView{static_cast<uint32_t>(local(8192, 32)), blocks, 1, rows}
            .pack(),
        gmAddress(), g.pack());
  default:
    return command(Opcode::kLdNz, 0,
                   LocalView{static_cast<uint32_t>(local(8192, 32)),
                             rows + static_cast<uint32_t>(below(16)), 0, rows}
                       .pack(),
                   gmAddress(), g.pack());
  }
}

Step StepSource::store() {
  uint32_t rows = 1 + static_cast<uint32_t>(below(4));
  if (below(3) == 0) {
    uint32_t blocks = 1 + static_cast<uint32_t>(below(8));
    LocalView dst{static_cast<uint32_t>(local(8192, 32)), blocks, 1, rows};
    LocalView src = view(0, blocks);
    return command(Opcode::kStL1, 0, dst.pack(), src.pack(),
                   isa::RowBlocks{blocks}.pack());
  }
  isa::StoreGeometry g;
  g.rowBytes = 1 + static_cast<uint32_t>(below(below(4) ? 150 : 1200));
  g.gmStride = g.rowBytes + static_cast<uint32_t>(below(40));
  return command(Opcode::kStUb, 1, gmAddress(),
                 view(rows, (g.rowBytes + 31) / 32).pack(), g.pack());
}

Step StepSource::toL0() {
  uint64_t kind = below(4);
  if (kind == 0) {
    return command(Opcode::kCpBt, 0, local(512, 32), local(8192, 32),
                   32 * (1 + below(4)));
  }
  if (kind == 1) {
    isa::Im2colTarget t{static_cast<uint32_t>(local(2048, 512)),
                        1 + static_cast<uint32_t>(below(20)),
                        1 + static_cast<uint32_t>(below(2))};
    isa::Im2colSource s{static_cast<uint32_t>(local(4096, 32)),
                        static_cast<uint32_t>(below(4)),
                        static_cast<uint32_t>(below(2))};
    return command(Opcode::kIm2col, 5, t.pack(), s.pack());
  }
  isa::FractalTarget t{static_cast<uint32_t>(local(2048, 512)),
                       1 + static_cast<uint32_t>(below(2)),
                       1 + static_cast<uint32_t>(below(2))};
  isa::FractalSource s{static_cast<uint32_t>(local(8192, 32)),
                       1 + static_cast<uint32_t>(below(3)),
                       1 + static_cast<uint32_t>(below(4))};
  return command(kind == 2 ? Opcode::kCpL0a : Opcode::kCpL0b,
                 static_cast<uint8_t>(below(2)), t.pack(), s.pack());
}

Step StepSource::cube() {
  constexpr uint8_t kTypes[] = {0, 3, 5, 5, 5, 6, 7};
  isa::CubeShape shape;
  shape.addr = static_cast<uint32_t>(local(4096, 1024));
  shape.m = 1 + static_cast<uint32_t>(below(24));
  shape.n = 1 + static_cast<uint32_t>(below(24));
  shape.k = 1 + static_cast<uint32_t>(below(32));
  isa::CubeB b;
  b.addr = static_cast<uint32_t>(local(2048, 512));
  b.bias = static_cast<uint32_t>(local(512, 32));
  b.mode = static_cast<isa::CubeMode>(below(3));
  return command(Opcode::kMmad, kTypes[below(7)], shape.pack(),
                 local(2048, 512), b.pack());
}

Step StepSource::fix() {
  isa::AccumulatorTile tile{static_cast<uint32_t>(local(4096, 1024)),
                            1 + static_cast<uint32_t>(below(24)),
                            1 + static_cast<uint32_t>(below(24))};
  isa::FixStrides strides{static_cast<uint32_t>(32 * (1 + below(40))),
                          static_cast<uint32_t>(32 * (1 + below(8)))};
  uint8_t type = below(2) ? 7 : 4;
  switch (below(3)) {
  case 0:
    return command(Opcode::kFixGm, type, gmAddress() / 4 * 4, tile.pack(),
                   strides.pack());
  case 1:
    return command(Opcode::kFixUb, type, local(4096, 32), tile.pack(),
                   strides.pack());
  default:
    return command(Opcode::kFixL1, type, local(8192, 32), tile.pack(),
                   strides.pack());
  }
}

Step StepSource::vector() {
  constexpr Opcode kOps[] = {Opcode::kVadd,   Opcode::kVmul,  Opcode::kVmax,
                             Opcode::kVmov,   Opcode::kVdup,  Opcode::kVmadd,
                             Opcode::kVmuls,  Opcode::kVcast, Opcode::kVexp,
                             Opcode::kVxor,   Opcode::kVmin,  Opcode::kVshr,
                             Opcode::kVnot,   Opcode::kVln,   Opcode::kVsin,
                             Opcode::kVcmpLt, Opcode::kVsel,  Opcode::kVsort32};
  constexpr uint8_t kTypes[] = {4, 5, 5, 7, 7};
  Opcode op = kOps[below(std::size(kOps))];
  uint8_t type = kTypes[below(5)];
  unsigned epb = isa::c0(static_cast<isa::ElementType>(type));
  uint32_t columns = 1 + static_cast<uint32_t>(below(6 * epb));
  uint32_t blocks = (columns + epb - 1) / epb;
  LocalView dst = view(1 + static_cast<uint32_t>(below(4)), blocks);
  LocalView a = below(3) ? view(columns, blocks) : dst;
  a.count = columns;
  LocalView b = view(0, blocks);
  if (op == Opcode::kVdup) {
    a = LocalView{0, 0, 0, columns};
  }
  uint64_t third = b.pack();
  if (op == Opcode::kVdup || op == Opcode::kVmuls) {
    third = random_() & (type == 5 ? 0xffff : 0xffff'ffff);
  } else if (op == Opcode::kVcast) {
    isa::CastMode mode;
    mode.type = static_cast<isa::ElementType>(kTypes[below(5)]);
    third = mode.pack();
  } else if (isa::info(op).numOperands == 2) {
    third = 0;
  }
  return command(op, type, dst.pack(), a.pack(), third);
}

Step StepSource::reduction() {
  constexpr Opcode kOps[] = {Opcode::kVsumL, Opcode::kVmaxL,   Opcode::kVsumR,
                             Opcode::kVmaxR, Opcode::kVbc,     Opcode::kVminL,
                             Opcode::kVminR, Opcode::kVargmaxL};
  Opcode op = kOps[below(std::size(kOps))];
  uint8_t type = below(2) ? 5 : 7;
  unsigned epb = isa::c0(static_cast<isa::ElementType>(type));
  uint32_t columns = 1 + static_cast<uint32_t>(below(6 * epb));
  uint32_t blocks = (columns + epb - 1) / epb;
  LocalView dst = view(1 + static_cast<uint32_t>(below(4)), blocks);
  LocalView src = view(columns, blocks);
  if (isa::info(op).timing == isa::TimingClass::kVReduceLane) {
    dst.blkStride = 0;
  } else if (op == Opcode::kVbc) {
    src.blkStride = 0;
  } else {
    dst.rowStride = 0;
  }
  return command(op, type, dst.pack(), src.pack());
}

Step StepSource::configuration() {
  Step s;
  s.instruction.op = Opcode::kKcfg;
  uint64_t which = below(6);
  auto make = [&](Pipe pipe, uint8_t index, uint64_t value) {
    s.instruction.sub = static_cast<uint8_t>(pipe);
    s.instruction.f3 = index;
    s.operand[0] = value;
  };
  constexpr isa::ElementType kOut[] = {
      isa::ElementType::F16, isa::ElementType::F32, isa::ElementType::I32,
      isa::ElementType::I8};
  switch (which) {
  case 0:
    make(Pipe::MTE2, 0, random_() & 0xffff'ffff);
    break;
  case 1:
  case 2:
    make(Pipe::FIX, 0,
         isa::FixConfig0{kOut[below(4)], static_cast<isa::Activation>(below(2)),
                         2 + static_cast<uint32_t>(below(2))}
             .pack());
    break;
  case 3: {
    isa::Mte1Config0 c{6, 5, static_cast<uint32_t>(below(2)),
                       static_cast<uint32_t>(below(2)), 4};
    make(Pipe::MTE1, 0, c.pack());
    break;
  }
  case 4: {
    isa::Mte1Config1 c{2, 2, 1, 1, 1, 1, 1 + static_cast<uint32_t>(below(16))};
    make(Pipe::MTE1, 1, c.pack());
    break;
  }
  default: {
    isa::Mte1Config2 c;
    c.c1Stride = 30;
    c.c1 = 1;
    c.pad = static_cast<uint32_t>(below(2)) * 0x3c00;
    make(Pipe::MTE1, 2, c.pack());
  }
  }
  return s;
}

Step StepSource::windowCopy() {
  Step s;
  s.kind = Step::Kind::kWindowCopy;
  s.operand[0] = local(4096, 8);
  s.operand[1] = local(4096, 8);
  return s;
}

/// Adds the flags between steps, keeping the order they establish.
class Synchroniser {
public:
  Synchroniser(const std::vector<Step> &steps, uint64_t seed) : random_(seed) {
    out_.steps = steps;
  }
  SyncedProgram run();

private:
  struct Done {
    sim::EventPosition position;
    isa::Footprint footprint;
  };
  void order(Pipe source, Pipe destination);
  void barrier();
  sim::EventPosition issue(Pipe pipe) {
    if (pipe != Pipe::S) {
      order_.issued(pipe);
    }
    return order_.advance(pipe);
  }

  SyncedProgram out_;
  sim::HappensBefore order_;
  std::mt19937_64 random_;
  std::vector<Done> done_;
  std::map<std::tuple<Pipe, Pipe, unsigned>, sim::EventPosition> lastWait_;
};

SyncedProgram Synchroniser::run() {
  isa::PipeConfig config;
  for (size_t i = 0; i < out_.steps.size(); ++i) {
    const Step &step = out_.steps[i];
    Pipe pipe = pipeOfStep(step);
    Done now;
    now.footprint = footprintOf(step, config);
    if (step.kind == Step::Kind::kCommand &&
        step.instruction.op == Opcode::kKcfg) {
      (void)isa::configure(step.command(), config);
    }
    for (size_t j = done_.size(); j-- > 0;) {
      if (!order_.isOrdered(done_[j].position, pipe) &&
          conflict(done_[j].footprint, now.footprint)) {
        order(done_[j].position.pipe, pipe);
      }
    }
    if (random_() % 40 == 0) {
      barrier();
    }
    now.position = issue(pipe);
    done_.push_back(std::move(now));
    out_.issues.push_back({Issue::Kind::kStep, i, {}});
  }
  return std::move(out_);
}

void Synchroniser::order(Pipe source, Pipe destination) {
  unsigned first = static_cast<unsigned>(random_() % isa::kNumFlagIds);
  for (unsigned i = 0; i < isa::kNumFlagIds; ++i) {
    sim::FlagName flag{source, destination, (first + i) % isa::kNumFlagIds};
    auto wait = lastWait_.find({source, destination, flag.id});
    if (wait != lastWait_.end() && !order_.isOrdered(wait->second, source)) {
      continue; // the set might find the flag still set
    }
    issue(source);
    order_.flagSet(source, flag);
    out_.issues.push_back({Issue::Kind::kSet, 0, flag});
    sim::EventPosition waited = issue(destination);
    order_.flagWaited(destination, flag);
    out_.issues.push_back({Issue::Kind::kWait, 0, flag});
    lastWait_[{source, destination, flag.id}] = waited;
    return;
  }
  barrier();
  if (source == Pipe::S) { // a barrier does not wait for accesses of S
    order(source, destination);
  }
}

void Synchroniser::barrier() {
  order_.barrier();
  out_.issues.push_back({Issue::Kind::kBarrier, 0, {}});
}

} // namespace

isa::Command Step::command() const {
  uint32_t word = *isa::encode(instruction);
  return isa::makeCommand(instruction, word, operand[0], operand[1], operand[2],
                          0);
}

std::string Step::text() const {
  if (kind == Kind::kWindowCopy) {
    return "S copies 8 bytes of UB from " + std::to_string(operand[0]) +
           " to " + std::to_string(operand[1]);
  }
  return isa::toText(instruction) + "  " + isa::describeOperands(command());
}

void SyncedProgram::emit(ProgramBuilder &b) const {
  for (const Issue &issue : issues) {
    switch (issue.kind) {
    case Issue::Kind::kSet:
      b.set(issue.flag.source, issue.flag.destination, issue.flag.id);
      break;
    case Issue::Kind::kWait:
      b.wait(issue.flag.source, issue.flag.destination, issue.flag.id);
      break;
    case Issue::Kind::kBarrier:
      b.barrier();
      break;
    case Issue::Kind::kStep: {
      const Step &s = steps[issue.step];
      if (s.kind == Step::Kind::kCommand) {
        b.npu(s.instruction, s.operand[0], s.operand[1], s.operand[2]);
        break;
      }
      b.li(kSourceReg, isa::kUbWindowBase + s.operand[0]);
      b.li(kTargetReg, isa::kUbWindowBase + s.operand[1]);
      b.load(3, kValueReg, kSourceReg, 0);
      b.store(3, kValueReg, kTargetReg, 0);
    }
    }
  }
}

std::vector<size_t> SyncedProgram::sets() const {
  std::vector<size_t> found;
  for (size_t i = 0; i < issues.size(); ++i) {
    if (issues[i].kind == Issue::Kind::kSet) {
      found.push_back(i);
    }
  }
  return found;
}

SyncedProgram SyncedProgram::withoutFlag(size_t i) const {
  SyncedProgram p = *this;
  p.issues.erase(p.issues.begin() + static_cast<int64_t>(i),
                 p.issues.begin() + static_cast<int64_t>(i) + 2);
  return p;
}

std::string SyncedProgram::text() const {
  std::string out;
  for (const Issue &issue : issues) {
    std::string flag = std::string(isa::name(issue.flag.source)) + "," +
                       std::string(isa::name(issue.flag.destination)) + "," +
                       std::to_string(issue.flag.id);
    switch (issue.kind) {
    case Issue::Kind::kSet:
      out += "  kset " + flag + "\n";
      break;
    case Issue::Kind::kWait:
      out += "  kwait " + flag + "\n";
      break;
    case Issue::Kind::kBarrier:
      out += "  kbar\n";
      break;
    case Issue::Kind::kStep:
      out += "  " + steps[issue.step].text() + "\n";
    }
  }
  return out;
}

std::vector<Step> randomSteps(const isa::ArchSpec &arch, uint64_t gm,
                              uint64_t seed, size_t count) {
  StepSource source(gm, seed);
  Interpreter trial(arch, gm, std::vector<std::byte>(kRandomGmBytes));
  std::vector<Step> steps;
  for (size_t tries = 0; steps.size() < count && tries < 20 * count; ++tries) {
    Step step = source.next();
    if (isEncodable(step) && trial.run(step)) {
      steps.push_back(step);
    }
  }
  return steps;
}

bool isRaceFree(const SyncedProgram &program) {
  struct Done {
    sim::EventPosition position;
    isa::Footprint footprint;
  };
  sim::HappensBefore order;
  auto advance = [&](Pipe pipe) {
    if (pipe != Pipe::S) {
      order.issued(pipe);
    }
    return order.advance(pipe);
  };
  std::vector<Done> done;
  isa::PipeConfig config;
  for (const Issue &issue : program.issues) {
    if (issue.kind == Issue::Kind::kSet) {
      advance(issue.flag.source);
      order.flagSet(issue.flag.source, issue.flag);
    } else if (issue.kind == Issue::Kind::kWait) {
      advance(issue.flag.destination);
      order.flagWaited(issue.flag.destination, issue.flag);
    } else if (issue.kind == Issue::Kind::kBarrier) {
      order.barrier();
    } else {
      const Step &step = program.steps[issue.step];
      Pipe pipe = pipeOfStep(step);
      Done now{advance(pipe), footprintOf(step, config)};
      if (step.kind == Step::Kind::kCommand &&
          step.instruction.op == Opcode::kKcfg) {
        (void)isa::configure(step.command(), config);
      }
      for (const Done &before : done) {
        if (!order.isOrdered(before.position, pipe) &&
            conflict(before.footprint, now.footprint)) {
          return false;
        }
      }
      done.push_back(std::move(now));
    }
  }
  return true;
}

SyncedProgram synchronise(const std::vector<Step> &steps, const isa::ArchSpec &,
                          uint64_t seed) {
  return Synchroniser(steps, seed).run();
}

std::optional<std::vector<std::byte>> interpret(const isa::ArchSpec &arch,
                                                uint64_t gm,
                                                const std::vector<Step> &steps,
                                                std::vector<std::byte> memory) {
  Interpreter interpreter(arch, gm, std::move(memory));
  for (const Step &step : steps) {
    if (!interpreter.run(step)) {
      return std::nullopt;
    }
  }
  return interpreter.takeGm();
}

std::vector<Step>
shrink(std::vector<Step> steps,
       const std::function<bool(const std::vector<Step> &)> &fails) {
  for (size_t chunk = std::max<size_t>(steps.size() / 2, 1);;) {
    bool removed = false;
    for (size_t at = 0; at < steps.size();) {
      size_t end = std::min(at + chunk, steps.size());
      std::vector<Step> fewer(steps.begin(),
                              steps.begin() + static_cast<int64_t>(at));
      fewer.insert(fewer.end(), steps.begin() + static_cast<int64_t>(end),
                   steps.end());
      if (fails(fewer)) {
        steps = std::move(fewer);
        removed = true;
      } else {
        at = end;
      }
    }
    if (chunk == 1 && !removed) {
      return steps;
    }
    chunk = std::max<size_t>(chunk / 2, 1);
  }
}

} // namespace kiln::test
