// SPDX-License-Identifier: Apache-2.0
//
// What must not change a cycle: visiting every cycle instead of the busy ones,
// leaving the data out, computing it on other threads, checking, and running
// the same launch again. On random programs, one core and several.
#include "isa/gen/operands.h"
#include "tests/engines/support/random_program.h"
#include "tests/support/seeds.h"
#include "tests/timing/neutral.h"

#include <algorithm>
#include <random>

namespace kiln::test {
namespace {

/// The bytes that a launch leaves in the buffer at `gm`, in a bench of its own:
/// a program may move local bytes that only earlier launches wrote.
std::vector<std::byte> resultOf(const EngineBench &like,
                                const sim::LaunchRequest &request,
                                uint64_t gm) {
  EngineBench bench(like.arch.name);
  EXPECT_EQ(bench.allocate(kRandomGmBytes), gm);
  std::mt19937_64 random(7);
  std::byte *bytes = bench.gm->host(GmAddr(gm), kRandomGmBytes);
  std::generate(bytes, bytes + kRandomGmBytes,
                [&] { return static_cast<std::byte>(random()); });
  bench.runCycle(request);
  return bench.download<std::byte>(gm, kRandomGmBytes);
}

/// Same cycles, same bytes with 2 and 3 threads.
void checkThreads(EngineBench &bench, sim::LaunchRequest request, uint64_t gm,
                  const StampedRun &plain, bool bits, const std::string &name) {
  const std::vector<std::byte> expected = resultOf(bench, request, gm);
  for (unsigned threads : {2u, 3u}) {
    request.threads = threads;
    expectEqual(plain, runStamped(bench, request), name + ", with threads");
    if (bits) {
      EXPECT_TRUE(expected == resultOf(bench, request, gm)) << name;
    }
  }
}

bool readsWindow(const std::vector<Step> &steps) {
  return std::any_of(steps.begin(), steps.end(), [](const Step &s) {
    return s.kind == Step::Kind::kWindowCopy;
  });
}

void checkMachine(const char *machine, uint32_t cores, unsigned programs) {
  EngineBench bench(machine);
  uint64_t gm = bench.allocate(kRandomGmBytes);
  unsigned withoutData = 0;
  uint64_t waited = 0; // for banks that other pipes use, cycles
  for (uint64_t seed : seeds(1, programs)) {
    // Cores that run the same program, or that meet in one of their own.
    const uint32_t blocks = seed % 2 ? cores : 1;
    std::vector<Step> steps =
        randomSteps(bench.arch, gm, seed, 5 + seed % 60, blocks);
    ProgramBuilder b;
    synchronise(steps, bench.arch, seed).emit(b);
    b.note.bindingCount = 1;
    sim::LaunchRequest request = bench.request(b.program(), {gm});
    request.cores = request.blockDim = cores;
    std::string name = std::string(machine) + ", seed " + std::to_string(seed);
    const StampedRun plain = runStamped(bench, request);
    for (isa::Pipe p : {isa::Pipe::MTE2, isa::Pipe::FIX, isa::Pipe::MTE3}) {
      waited += plain.report.pipes[static_cast<unsigned>(p)].bankCycles;
    }
    expectEqual(plain, runStamped(bench, request), name + ", again");
    request.noSkip = true;
    expectEqual(plain, runStamped(bench, request), name + ", every cycle");
    request.noSkip = false;
    // Cores that run the same program write the same places, in no order.
    checkThreads(bench, request, gm, plain, cores == 1 || blocks == cores,
                 name);
    request.checks = {
        .race = true, .init = true, .bounds = true, .flags = true};
    expectEqual(plain, runStamped(bench, request), name + ", checked");
    request.checks = {};
    if (!readsWindow(steps)) {
      ++withoutData;
      request.dataOff = true;
      expectEqual(plain, runStamped(bench, request), name + ", without data");
    }
  }
  EXPECT_GT(withoutData, programs / 8);
  EXPECT_GT(waited, 0u);
}

TEST(Neutral, OnNano) { checkMachine("k1-nano", 1, 60); }

TEST(Neutral, OnOneCoreOfK1) { checkMachine("k1", 1, 30); }

TEST(Neutral, OnFourCoresOfK1) { checkMachine("k1", 4, 15); }

TEST(Neutral, OnTwoCoresOfEdge) { checkMachine("k1-edge", 2, 15); }

/// The first to retire, of the core that came first, with its block.
TEST(Neutral, AFaultOfDataIsTheSameWithThreads) {
  EngineBench bench;
  const uint64_t gm = bench.allocate(8192);
  ProgramBuilder b;
  isa::LoadGeometry geometry;
  geometry.rowBytes = 512;
  for (uint64_t address : {gm, gm + 4096, gm + 8192, gm + 16384}) {
    b.npu({.op = isa::Opcode::kLdUb}, isa::LocalView{0, 16, 1, 1}.pack(),
          address, geometry.pack());
  }
  b.barrier();
  b.note.bindingCount = 1;
  sim::LaunchRequest request = bench.request(b.program(), {gm});
  request.blockDim = 6;
  request.cores = 3;
  const sim::FaultReport plain = bench.fault(*bench.cycle, request);
  EXPECT_EQ(plain.kind, isa::FaultKind::kGmBounds);
  for (unsigned threads : {2u, 4u}) {
    request.threads = threads;
    EXPECT_EQ(bench.fault(*bench.cycle, request).text(), plain.text());
  }
}

} // namespace
} // namespace kiln::test
