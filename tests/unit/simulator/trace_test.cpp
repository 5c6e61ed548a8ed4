// SPDX-License-Identifier: Apache-2.0
//
// The recorded trace against what the engine itself reports, and the replay
// against the engine.
#include "simulator/trace/energy.h"
#include "simulator/trace/explain.h"
#include "simulator/trace/trace_recorder.h"
#include "tests/timing/stamps.h"

#include "isa/gen/operands.h"

#include <gmock/gmock.h>
#include <map>

namespace kiln::test {
namespace {

using isa::Opcode;
using isa::Pipe;
using isa::Space;
using sim::Trace;
using sim::TraceCommand;
using sim::TraceKind;

/// Forwards to two listeners.
struct Both final : sim::CommandListener {
  Both(sim::CommandListener &a, sim::CommandListener &b) : a(a), b(b) {}
  void beganBlock(uint32_t core, uint32_t block, uint64_t now) override {
    a.beganBlock(core, block, now);
    b.beganBlock(core, block, now);
  }
  void retired(const sim::CommandStamp &s) override {
    a.retired(s);
    b.retired(s);
  }
  void synced(const sim::CommandStamp &s) override {
    a.synced(s);
    b.synced(s);
  }
  void spent(uint32_t core, Pipe pipe, unsigned state,
             uint64_t cycles) override {
    a.spent(core, pipe, state, cycles);
    b.spent(core, pipe, state, cycles);
  }
  sim::CommandListener &a, &b;
};

constexpr uint64_t kTile = 4096; // bytes

/// `rounds` times: load a tile, add it to itself, store it; each pipe waits
/// for the one before. With `slots` buffers the load of a tile waits for the
/// store of the tile `slots` before.
void emitPipeline(ProgramBuilder &b, unsigned rounds, unsigned slots,
                  uint64_t in, uint64_t out) {
  for (unsigned r = 0; r < rounds; ++r) {
    isa::LocalView tile{};
    tile.addr = static_cast<uint32_t>(r % slots * kTile);
    tile.rowStride = kTile / isa::kBlockBytes;
    tile.blkStride = 1;
    tile.count = 1;
    isa::LocalView columns = tile;
    columns.count = kTile / 2;
    isa::LoadGeometry load{};
    load.rowBytes = kTile;
    load.gmStride = kTile;
    isa::StoreGeometry store{};
    store.rowBytes = kTile;
    store.gmStride = kTile;
    if (r >= slots) {
      b.wait(Pipe::MTE3, Pipe::MTE2, r % slots);
    }
    b.npu({.op = Opcode::kLdUb}, tile.pack(), in + r * kTile, load.pack());
    b.set(Pipe::MTE2, Pipe::V, r % slots);
    b.wait(Pipe::MTE2, Pipe::V, r % slots);
    isa::LocalView other = tile;
    other.count = 0;
    b.npu({.op = Opcode::kVadd, .f3 = 5}, tile.pack(), columns.pack(),
          other.pack());
    b.set(Pipe::V, Pipe::MTE3, r % slots);
    b.wait(Pipe::V, Pipe::MTE3, r % slots);
    b.npu({.op = Opcode::kStUb}, out + r * kTile, tile.pack(), store.pack());
    if (r + slots < rounds) {
      b.set(Pipe::MTE3, Pipe::MTE2, r % slots);
    }
  }
}

struct Recorded {
  Trace trace;
  Stamps stamps;
};

Recorded record(ProgramBuilder &builder, EngineBench &bench,
                const std::vector<uint64_t> &buffers, uint32_t cores = 1,
                uint32_t blocks = 1) {
  builder.note.bindingCount = static_cast<uint32_t>(buffers.size());
  sim::LaunchRequest request = bench.request(builder.program(), buffers);
  request.cores = cores;
  request.blockDim = blocks;
  Recorded result;
  sim::TraceRecorder recorder(bench.arch, *request.program);
  Both both(result.stamps, recorder);
  request.listener = &both;
  result.trace = recorder.finish(bench.runCycle(request));
  return result;
}

class TraceTest : public ::testing::Test {
protected:
  Recorded pipeline(unsigned rounds, unsigned slots, uint32_t cores = 1,
                    uint32_t blocks = 1) {
    uint64_t in = bench.allocate(rounds * kTile);
    uint64_t out = bench.allocate(rounds * kTile);
    ProgramBuilder b;
    emitPipeline(b, rounds, slots, in, out);
    return record(b, bench, {in, out}, cores, blocks);
  }
  EngineBench bench;
};

TEST_F(TraceTest, StatesOfEveryPipeTileTheLaunchAndMatchTheReport) {
  Recorded run = pipeline(6, 2, 2, 3);
  const sim::LaunchReport &report = run.trace.report;
  ASSERT_EQ(run.trace.cores(), 2u);
  for (unsigned p = 0; p < isa::kNumPipes; ++p) {
    std::array<uint64_t, sim::kNumStalls + 2> sum{};
    for (uint32_t core = 0; core < 2; ++core) {
      uint64_t end = 0;
      for (const sim::TraceState &s :
           run.trace.states(core, static_cast<Pipe>(p))) {
        EXPECT_EQ(s.begin, end);
        EXPECT_GT(s.end, s.begin);
        sum[s.state.index()] += s.end - s.begin;
        end = s.end;
      }
      EXPECT_EQ(end, report.cycles) << isa::kPipeNames[p];
    }
    EXPECT_EQ(sum[sim::PipeState::busy().index()], report.pipes[p].busy);
    EXPECT_EQ(sum[sim::PipeState::idle().index()], report.pipes[p].idle);
    for (unsigned s = 0; s < sim::kNumStalls; ++s) {
      EXPECT_EQ(sum[s], report.pipes[p].stall[s]) << sim::kStallNames[s];
    }
  }
}

TEST_F(TraceTest, HoldsTheStampsOfEveryCommandInTheOrderOfItsPipe) {
  Recorded run = pipeline(5, 2);
  for (Pipe pipe : {Pipe::MTE2, Pipe::V, Pipe::MTE3}) {
    std::vector<sim::CommandStamp> stamps = run.stamps.of(pipe, 5);
    std::vector<TraceCommand> data;
    uint64_t last = 0;
    for (const TraceCommand &c : run.trace.commands(0, pipe)) {
      EXPECT_GT(c.start, last);
      last = c.start;
      if (run.trace.of(c).kind == TraceKind::kData) {
        data.push_back(c);
      }
    }
    ASSERT_EQ(data.size(), stamps.size());
    for (size_t i = 0; i < data.size(); ++i) {
      EXPECT_EQ(data[i].issue, stamps[i].issue);
      EXPECT_EQ(data[i].start, stamps[i].start);
      EXPECT_EQ(data[i].busyEnd, stamps[i].busyEnd);
      EXPECT_EQ(data[i].retire, stamps[i].retire);
      EXPECT_EQ(run.trace.of(data[i]).pc, stamps[i].command.pc);
    }
  }
}

TEST_F(TraceTest, AFlagIsVisibleAfterTheRetirementBeforeItsSetAndThenWaited) {
  Recorded run = pipeline(1, 1);
  std::vector<TraceCommand> load = run.trace.commands(0, Pipe::MTE2);
  std::vector<TraceCommand> add = run.trace.commands(0, Pipe::V);
  ASSERT_EQ(load.size(), 2u);
  ASSERT_EQ(add.size(), 3u);
  EXPECT_EQ(run.trace.of(load[1]).kind, TraceKind::kSet);
  EXPECT_EQ(load[1].retire,
            load[0].retire + bench.arch.timing.flagVisibleCycles);
  EXPECT_EQ(run.trace.of(add[0]).kind, TraceKind::kWait);
  EXPECT_EQ(add[0].start, load[1].retire);
  EXPECT_EQ(run.trace.flagOf(add[0]), run.trace.flagOf(load[1]));
}

TEST_F(TraceTest, CountsTheBytesOfEveryPath) {
  Recorded run = pipeline(3, 1);
  auto bytes = [&](Pipe pipe, Space space, bool write) {
    for (const sim::PathBytes &p : run.trace.paths) {
      if (p.pipe == pipe && p.space == space && p.write == write) {
        return p.bytes;
      }
    }
    return uint64_t{0};
  };
  EXPECT_EQ(bytes(Pipe::MTE2, Space::GM, false), 3 * kTile);
  EXPECT_EQ(bytes(Pipe::MTE2, Space::UB, true), 3 * kTile);
  EXPECT_EQ(bytes(Pipe::V, Space::UB, false), 6 * kTile);
  EXPECT_EQ(bytes(Pipe::V, Space::UB, true), 3 * kTile);
  EXPECT_EQ(bytes(Pipe::MTE3, Space::UB, false), 3 * kTile);
  EXPECT_EQ(bytes(Pipe::MTE3, Space::GM, true), 3 * kTile);
  EXPECT_EQ(run.trace.events.addLanes16, 3 * kTile / 2);
  EXPECT_EQ(run.trace.events.bytes[static_cast<unsigned>(Space::UB)],
            5 * 3 * kTile);
}

TEST_F(TraceTest, EnergyIsEventsTimesTheFiguresOfTheMachineFile) {
  Recorded run = pipeline(3, 1);
  std::map<std::string_view, sim::EnergyRow> rows;
  for (const sim::EnergyRow &row : sim::energyOf(run.trace)) {
    rows[row.event] = row;
  }
  ASSERT_EQ(rows.size(), isa::kNumEnergyEvents);
  EXPECT_EQ(rows["local_byte"].count, 5 * 3 * kTile);
  EXPECT_EQ(rows["gm_byte"].count, 2 * 3 * kTile);
  EXPECT_EQ(rows["add_lane_16"].count, 3 * kTile / 2);
  EXPECT_EQ(rows["mac_16"].count, 0u);
  EXPECT_EQ(rows["control_instruction"].count, run.trace.report.instructions);
  // 2.5 pJ per byte of UB, as published for a small SRAM.
  EXPECT_DOUBLE_EQ(rows["local_byte"].picojoules(), 2.5 * 5 * 3 * kTile);
  EXPECT_THAT(rows["local_byte"].source, ::testing::HasSubstr("Horowitz"));
  // S and the launch before it: most of so short a run is idle.
  uint64_t idle = rows["idle_core_cycle"].count;
  EXPECT_GT(idle, run.trace.blocks[0].begin - 1);
  EXPECT_LT(idle, run.trace.report.cycles);
}

TEST_F(TraceTest, ExplainsEveryCycleOfTheBoundPipe) {
  Recorded run = pipeline(16, 1);
  sim::Explanation e = sim::explain(run.trace);
  EXPECT_EQ(e.kernelCycles, run.trace.report.kernelCycles);
  uint64_t lost = 0, lines = 0;
  for (const sim::LostOverlap &o : e.overlap) {
    lost += o.cycles;
  }
  for (const sim::LineCost &line : e.lines) {
    lines += line.busy + line.waited;
  }
  EXPECT_EQ(lost, e.lost);
  EXPECT_EQ(e.lost + e.bound().busy, e.kernelCycles);
  EXPECT_EQ(lines, e.kernelCycles);
  EXPECT_LE(e.pipes[2].busy, e.bound().busy);
}

TEST_F(TraceTest, IsHeldCompactly) {
  Recorded run = pipeline(64, 2);
  // Load, add, store, four flags each; two more but for the last two; kend.
  EXPECT_EQ(run.trace.commandCount(), 64u * 7 + 62 * 2 + 1);
  EXPECT_LT(run.trace.heldBytes(), run.trace.commandCount() * 40);
}

TEST_F(TraceTest, ListeningChangesNoCycle) {
  uint64_t in = bench.allocate(8 * kTile), out = bench.allocate(8 * kTile);
  ProgramBuilder b;
  emitPipeline(b, 8, 2, in, out);
  b.note.bindingCount = 2;
  sim::LaunchRequest request = bench.request(b.program(), {in, out});
  sim::LaunchReport plain = bench.runCycle(request);
  sim::TraceRecorder recorder(bench.arch, *request.program);
  request.listener = &recorder;
  sim::LaunchReport traced = bench.runCycle(request);
  EXPECT_EQ(traced.cycles, plain.cycles);
  EXPECT_EQ(traced.kernelCycles, plain.kernelCycles);
}

TEST_F(TraceTest, ReplayGivesTheCyclesOfTheEngine) {
  for (unsigned slots : {1u, 2u, 4u}) {
    Recorded run = pipeline(12, slots);
    sim::Replay replay(run.trace);
    EXPECT_TRUE(replay.modelled());
    EXPECT_EQ(replay.cycles(), run.trace.report.kernelCycles) << slots;
  }
}

TEST_F(TraceTest, ReplayFollowsTheCyclesOfFlagsAndConfiguration) {
  for (uint32_t cycles : {1u, 7u}) {
    bench.arch.timing.flagCycles = bench.arch.timing.configCycles = cycles;
    uint64_t in = bench.allocate(8 * kTile), out = bench.allocate(8 * kTile);
    ProgramBuilder b;
    emitPipeline(b, 8, 2, in, out);
    b.configure(Pipe::MTE2, 0, 0);
    b.barrier();
    emitPipeline(b, 8, 1, in, out);
    Recorded run = record(b, bench, {in, out});
    EXPECT_EQ(sim::Replay(run.trace).cycles(), run.trace.report.kernelCycles)
        << cycles;
  }
}

/// c = a + b with other data between a and b: one range holds both sources.
TEST_F(TraceTest, ReplayInterlocksOnTheRangeOverAllSources) {
  auto row = [](uint32_t addr, uint32_t count) {
    return isa::LocalView{addr, 8, 1, count}.pack();
  };
  ProgramBuilder b;
  for (unsigned i = 0; i < 8; ++i) {
    b.npu({.op = Opcode::kVadd, .f3 = 5}, row(0x8000, 1), row(0xc000, 128),
          row(0xc000, 0));
    b.npu({.op = Opcode::kVadd, .f3 = 5}, row(0x18000, 1), row(0, 128),
          row(0x10000, 0));
  }
  Recorded run = record(b, bench, {});
  std::vector<sim::CommandStamp> v = run.stamps.of(Pipe::V, 16);
  EXPECT_EQ(v[1].start, v[0].retire);
  EXPECT_EQ(sim::Replay(run.trace).cycles(), run.trace.report.kernelCycles);
}

TEST_F(TraceTest, AHintToOtherBanksBringsWhatItPromises) {
  auto row = [](uint32_t addr, uint32_t count) {
    return isa::LocalView{addr, 8, 1, count}.pack();
  };
  // Sources in one bank and group, then in banks of their own.
  Recorded runs[2];
  for (unsigned i = 0; i < 2; ++i) {
    uint32_t other = i == 0 ? 0x8000 : 0x10000;
    ProgramBuilder b;
    for (unsigned k = 0; k < 4; ++k) {
      b.npu({.op = Opcode::kVadd, .f3 = 5}, row(0x20000, 40), row(0, 128),
            row(other, 0));
    }
    runs[i] = record(b, bench, {});
  }
  const sim::LaunchReport &before = runs[0].trace.report;
  const sim::LaunchReport &after = runs[1].trace.report;
  EXPECT_EQ(before.pipes[static_cast<unsigned>(Pipe::V)].bankCycles, 4u * 40);
  EXPECT_EQ(after.pipes[static_cast<unsigned>(Pipe::V)].bankCycles, 0u);
  EXPECT_EQ(runs[0].trace.commands(0, Pipe::V)[1].bankCycles, 40u);
  uint64_t promised = 0; // no lines here: a hint per instruction
  for (const sim::Hint &hint : sim::explain(runs[0].trace).hints) {
    promised += hint.kind == sim::Hint::Kind::kOtherBanks ? hint.gain : 0;
  }
  EXPECT_EQ(promised, before.kernelCycles - after.kernelCycles);
  EXPECT_EQ(promised, 4u * 40);
}

/// A store that waits for a bank V reads: named by its pipe, in no sum twice.
TEST_F(TraceTest, TheExplanationNamesPipesThatWaitForBanks) {
  ProgramBuilder b;
  auto row = [](uint32_t addr, uint32_t count) {
    return isa::LocalView{addr, 8, 1, count}.pack();
  };
  for (unsigned k = 0; k < 4; ++k) {
    b.npu({.op = Opcode::kVadd, .f3 = 5}, row(0x20000, 40), row(0, 128),
          row(0x8000, 0));
  }
  const uint64_t gm = bench.allocate(4096);
  isa::StoreGeometry g;
  g.rowBytes = 256;
  b.npu({.op = Opcode::kStUb, .f3 = 1}, gm, row(0x4000, 1), g.pack());
  Recorded run = record(b, bench, {gm});
  const sim::LaunchReport &report = run.trace.report;
  const uint64_t v = report.pipes[static_cast<unsigned>(Pipe::V)].bankCycles;
  const uint64_t store =
      report.pipes[static_cast<unsigned>(Pipe::MTE3)].bankCycles;
  EXPECT_EQ(v, 4u * 40);
  EXPECT_GT(store, 0u);
  for (const sim::PipeCycles &p : report.pipes) {
    EXPECT_EQ(p.total(), report.cycles * run.trace.cores());
  }
  const std::string text = sim::toText(sim::explain(run.trace));
  EXPECT_THAT(text, ::testing::HasSubstr("V " + std::to_string(v)));
  EXPECT_THAT(text, ::testing::HasSubstr("MTE3 " + std::to_string(store)));
  EXPECT_THAT(text, ::testing::HasSubstr("in banks: "));
}

/// S is busiest here and waits for room most of the time all the same.
TEST_F(TraceTest, APipeWithAFullQueueIsTheBoundAndNotTheOneThatFillsIt) {
  Recorded run = pipeline(16, 1);
  const sim::Explanation e = sim::explain(run.trace);
  const auto &s = run.trace.report.pipes[static_cast<unsigned>(Pipe::S)];
  EXPECT_EQ(e.pipes[1].pipe, Pipe::S);
  EXPECT_GT(e.pipes[1].busy, e.pipes[0].busy);
  EXPECT_GE(e.pipes[0].busy, e.pipes[2].busy);
  EXPECT_GT(s.stall[static_cast<unsigned>(sim::Stall::kQueueFull)],
            e.pipes[1].busy);
}

TEST_F(TraceTest, ReplayWithoutAFlagIsFaster) {
  Recorded run = pipeline(12, 1);
  sim::Replay replay(run.trace);
  sim::WhatIf change;
  for (uint32_t i = 0; i < run.trace.instructions.size(); ++i) {
    const sim::TraceInstruction &instruction = run.trace.instructions[i];
    if (instruction.kind == TraceKind::kWait &&
        instruction.pipe == Pipe::MTE2) {
      change.freeInstruction = i;
      EXPECT_LT(replay.cycles(change), replay.cycles());
      return;
    }
  }
  FAIL() << "no kwait of MTE2";
}

/// Block 1 loads after block 0 has stored and posted to it.
void emitRelay(ProgramBuilder &b, uint64_t gm) {
  constexpr unsigned kT0 = 5, kT1 = 6, kA0 = 10;
  constexpr uint64_t kSemaphore = 3;
  isa::LocalView row{0, 1, 1, 1};
  isa::LoadGeometry load{};
  load.rowBytes = 32;
  isa::StoreGeometry store{};
  store.rowBytes = 32;
  b.csrRead(kT0, isa::kCsrBlockIndex);
  b.li(kT1, 0);
  b.li(kA0, kSemaphore);
  b.branch(0, kT0, kT1, b.size() + 2);
  b.npuWord({.op = Opcode::kKpend, .f3 = 1, .rs1 = kA0});
  b.npu({.op = Opcode::kLdUb}, row.pack(), gm, load.pack());
  b.npu({.op = Opcode::kStUb}, gm, row.pack(), store.pack());
  b.li(kT1, 1);
  b.li(kA0, uint64_t{1} << 16 | kSemaphore);
  b.branch(0, kT0, kT1, b.size() + 2);
  b.npuWord({.op = Opcode::kKpost, .f3 = 6, .rs1 = kA0});
}

TEST_F(TraceTest, ASemaphoreIsPostedAfterTheStoreAndTakenOnTheOtherCore) {
  uint64_t gm = bench.allocate(kTile);
  ProgramBuilder b;
  emitRelay(b, gm);
  Recorded run = record(b, bench, {gm}, 2, 2);
  std::vector<TraceCommand> stores = run.trace.commands(0, Pipe::MTE3);
  std::vector<TraceCommand> loads = run.trace.commands(1, Pipe::MTE2);
  ASSERT_EQ(stores.size(), 2u);
  ASSERT_EQ(loads.size(), 2u);
  EXPECT_EQ(run.trace.of(stores[1]).kind, TraceKind::kPost);
  EXPECT_EQ(stores[1].retire,
            stores[0].retire + bench.arch.timing.semaphoreCycles);
  EXPECT_EQ(run.trace.of(loads[0]).kind, TraceKind::kPend);
  EXPECT_EQ(loads[0].start, stores[1].retire);
  EXPECT_EQ(loads[1].start, loads[0].start + 1);
}

TEST_F(TraceTest, CoresThatWaitForEachOtherAreExplainedWithoutGains) {
  uint64_t gm = bench.allocate(2 * kTile);
  ProgramBuilder pends, meets;
  emitRelay(pends, gm);
  emitPipeline(meets, 2, 1, gm, gm);
  meets.npu({.op = Opcode::kKdbar});
  for (ProgramBuilder *b : {&pends, &meets}) {
    Recorded run = record(*b, bench, {gm}, 2, 2);
    EXPECT_FALSE(sim::Replay(run.trace).modelled());
    sim::Explanation e = sim::explain(run.trace);
    EXPECT_TRUE(e.hints.empty());
    EXPECT_THAT(sim::toText(e), ::testing::HasSubstr("waits for another"));
  }
}

} // namespace
} // namespace kiln::test
