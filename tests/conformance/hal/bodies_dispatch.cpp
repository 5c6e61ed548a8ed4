// SPDX-License-Identifier: Apache-2.0
#include "tests/conformance/hal/case.h"

#include <cstring>

namespace kiln::hal::conformance {
namespace {

ByteVector zeros(size_t size) { return ByteVector(size); }

std::vector<uint64_t> words(const ByteVector &bytes) {
  std::vector<uint64_t> result(bytes.size() / 8);
  std::memcpy(result.data(), bytes.data(), result.size() * 8);
  return result;
}

void loadedProgramsDescribeThemselves(Case &c) {
  KernelImage image = c.setup().kit.kernel("probe");
  auto program = c.load(image.image);
  if (!program) {
    return;
  }
  const ProgramReflection &r = program->reflection();
  c.expect(r.kind == image.image.kind, "kind");
  c.expect(r.codeBytes == image.image.bytes.size(), "code size");
  c.expect(r.entries.size() > image.entry, "entry");
}

void corruptProgramsAreRefused(Case &c) {
  const ProgramImage &image = c.setup().kit.corrupt;
  Status status = c.device()->loadProgram(image).status();
  c.expectCode(status, StatusCode::kCorrupt, "a corrupt program");
  c.expect(status.message().find(image.name) != std::string::npos,
           "the message names the program: " + status.message());
}

void unfitProgramsAreRefused(Case &c) {
  const ProgramKit &kit = c.setup().kit;
  Status status = c.device()->loadProgram(kit.unfit).status();
  c.expectCode(status, kit.unfitCode, "a program this device cannot run");
}

void dispatchRunsOneBlock(Case &c) {
  auto from = c.bufferOf(pattern(1024, 1));
  auto to = c.bufferOf(zeros(1024));
  c.expectOk(c.queue().dispatch(c.copyDispatch(from, to), c.next()),
             "dispatch");
  c.expectOk(c.wait(), "dispatch");
  c.expectBytes(c.read(to), pattern(1024, 1), "bytes");
}

void dispatchRunsEveryBlock(Case &c) {
  auto from = c.bufferOf(pattern(17 * 64, 2));
  auto to = c.bufferOf(zeros(18 * 64));
  DispatchInfo info = c.dispatch("copy", {{from}, {to, 0, 17 * 64}}, {64}, 17);
  c.expectOk(c.queue().dispatch(info, c.next()), "dispatch");
  c.expectOk(c.wait(), "dispatch");
  ByteVector expected = pattern(17 * 64, 2);
  expected.resize(18 * 64);
  c.expectBytes(c.read(to), expected, "bytes");
}

void kernelsSeeTheirArguments(Case &c) {
  auto out = c.bufferOf(zeros(3 * 64));
  int64_t big = int64_t{0x0123456789abcdef}, negative = -42;
  DispatchInfo info = c.dispatch("probe", {{out}}, {big, negative}, 3);
  c.expectOk(c.queue().dispatch(info, c.next()), "dispatch");
  c.expectOk(c.wait(), "dispatch");
  std::vector<uint64_t> expected;
  for (uint64_t block = 0; block < 3; ++block) {
    for (uint64_t word :
         {block, uint64_t{1}, uint64_t{1}, uint64_t{2},
          static_cast<uint64_t>(big), static_cast<uint64_t>(negative),
          uint64_t{0}, uint64_t{0}}) {
      expected.push_back(word);
    }
  }
  c.expect(words(c.read(out)) == expected, "argument words");
}

void bindingsStartAtTheirOffset(Case &c) {
  ByteVector source = pattern(1024, 3);
  auto from = c.bufferOf(source);
  auto to = c.bufferOf(zeros(1024));
  DispatchInfo info =
      c.dispatch("copy", {{from, 128, 256}, {to, 512, 256}}, {256});
  c.expectOk(c.queue().dispatch(info, c.next()), "dispatch");
  c.expectOk(c.wait(), "dispatch");
  ByteVector expected(1024);
  std::memcpy(&expected[512], &source[128], 256);
  c.expectBytes(c.read(to), expected, "bytes");
}

void entriesAreTheOnesNamed(Case &c) {
  auto out = c.bufferOf(zeros(64));
  c.expectOk(
      c.queue().dispatch(c.dispatch("increment", {{out}}, {5}), c.next()),
      "increment");
  c.expectOk(c.wait(), "increment");
  c.expect(words(c.read(out))[0] == 5, "increment ran");
  c.expectOk(c.queue().dispatch(c.dispatch("probe", {{out}}, {6, 7}), c.next()),
             "probe");
  c.expectOk(c.wait(), "probe");
  c.expect(words(c.read(out))[4] == 6, "probe ran");
}

void dispatchRunsOnce(Case &c) {
  auto out = c.bufferOf(zeros(64));
  for (unsigned i = 0; i < 5; ++i) {
    c.expectOk(
        c.queue().dispatch(c.dispatch("increment", {{out}}, {3}), c.next()),
        "dispatch");
  }
  c.expectOk(c.wait(), "dispatches");
  c.expect(words(c.read(out))[0] == 15, "sum of five increments");
}

void dispatchesDoNotShareConstants(Case &c) {
  auto a = c.bufferOf(zeros(64));
  auto b = c.bufferOf(zeros(64));
  auto t = c.newTimeline();
  auto u = c.newTimeline();
  c.expectOk(c.queue().dispatch(c.dispatch("increment", {{a}}, {10}),
                                {.signal = {{t, 1}}}),
             "first");
  c.expectOk(c.queue(c.otherQueue())
                 .dispatch(c.dispatch("increment", {{b}}, {-20}),
                           {.signal = {{u, 1}}}),
             "second");
  c.expectOk(c.wait(t, 1), "first");
  c.expectOk(c.wait(u, 1), "second");
  c.expect(words(c.read(a))[0] == 10, "first sum");
  c.expect(words(c.read(b))[0] == static_cast<uint64_t>(-20), "second sum");
}

void manyProgramsStayLoaded(Case &c) {
  auto out = c.bufferOf(zeros(64));
  std::vector<DispatchInfo> infos;
  for (int64_t i = 0; i < 8; ++i) {
    infos.push_back(
        c.dispatch(i % 2 ? "increment" : "probe", {{out}}, {i, i * i}));
    if (i % 2) {
      infos.back().constants.resize(1);
    }
  }
  for (const DispatchInfo &info : infos) {
    c.expectOk(c.queue().dispatch(info, c.next()), "dispatch");
  }
  c.expectOk(c.wait(), "dispatches");
  // probe with constant 6 wrote block index 0, increment added 7.
  std::vector<uint64_t> found = words(c.read(out));
  c.expect(found[0] == 7 && found[4] == 6 && found[5] == 36, "last words");
}

void programsLiveUntilTheirWorkEnds(Case &c) {
  auto out = c.bufferOf(zeros(64));
  auto gate = c.newTimeline();
  Sync sync = c.next();
  sync.wait.push_back({gate, 1});
  // The temporary dispatch owns the only reference to its program.
  c.expectOk(c.queue().dispatch(c.dispatch("increment", {{out}}, {1}), sync),
             "dispatch");
  c.expectOk(gate->signal(1), "gate");
  c.expectOk(c.wait(), "dispatch");
  c.expect(words(c.read(out))[0] == 1, "sum");
}

void observersHearOfEachDispatch(Case &c) {
  auto out = c.bufferOf(zeros(64 * 4));
  ReportLog log;
  for (uint32_t n : {1u, 4u}) {
    DispatchInfo info = c.dispatch("probe", {{out}}, {0, 0}, n);
    c.expectOk(c.queue().dispatch(info, c.next(), log.observer()), "dispatch");
  }
  c.expectOk(c.wait(), "dispatches");
  std::vector<uint32_t> blocks;
  for (const auto &[command, report] : log.entries()) {
    blocks.push_back(report.blocks);
  }
  c.expect(blocks == std::vector<uint32_t>{1, 4}, "reported blocks");
}

void cyclesAddUp(Case &c) {
  auto from = c.bufferOf(pattern(4096, 1));
  auto to = c.buffer(4096);
  ReportLog log;
  c.expectOk(
      c.queue().dispatch(c.copyDispatch(from, to), c.next(), log.observer()),
      "dispatch");
  c.expectOk(c.wait(), "dispatch");
  auto reports = log.entries();
  if (!c.expect(reports.size() == 1 && reports[0].second.cycle.has_value(),
                "no cycles reported")) {
    return;
  }
  const ProgramReport &report = reports[0].second;
  c.expect(report.cycle->cycles >= report.cycle->kernelCycles, "kernel cycles");
  c.expect(report.cycle->kernelCycles > 0, "no time passed");
  c.expect(!report.cycle->pipes.empty(), "no pipes");
  for (const PipeReport &pipe : report.cycle->pipes) {
    uint64_t sum = pipe.busyCycles + pipe.idleCycles;
    for (const auto &[reason, cycles] : pipe.stalls) {
      sum += cycles;
    }
    c.expect(sum == report.cycle->cycles * report.cores,
             "cycles of pipe " + pipe.pipe);
  }
}

/// What a device with so many host threads shows of eight blocks that copy and
/// a dispatch that reads what they wrote: bytes, and cycles where there are
/// any.
std::pair<ByteVector, std::vector<uint64_t>> runWithThreads(Case &c,
                                                            uint32_t threads) {
  CaseSetup setup = c.setup();
  setup.options.threads = threads;
  Case own(setup);
  auto from = own.bufferOf(pattern(8 * 512, 4));
  auto to = own.bufferOf(zeros(8 * 512));
  ReportLog log;
  own.expectOk(
      own.queue().dispatch(own.dispatch("copy", {{from}, {to}}, {512}, 8),
                           own.next(), log.observer()),
      "copy");
  own.expectOk(
      own.queue().dispatch(own.dispatch("increment", {{to, 0, 64}}, {5}),
                           own.next(), log.observer()),
      "increment");
  own.expectOk(own.wait(), "dispatches");
  std::vector<uint64_t> cycles;
  for (const auto &[command, report] : log.entries()) {
    if (report.cycle) {
      cycles.push_back(report.cycle->cycles);
    }
  }
  ByteVector bytes = own.read(to);
  for (const std::string &failure : own.failures()) {
    c.expect(false, std::to_string(threads) + " threads: " + failure);
  }
  return {bytes, cycles};
}

void threadsChangeNothing(Case &c) {
  const auto [bytes, cycles] = runWithThreads(c, 1);
  const auto [sameBytes, sameCycles] = runWithThreads(c, 2);
  ByteVector expected = pattern(8 * 512, 4);
  const uint64_t first = words(expected)[0] + 5;
  std::memcpy(expected.data(), &first, sizeof(first));
  c.expectBytes(bytes, expected, "bytes with one thread");
  c.expectBytes(sameBytes, expected, "bytes with two threads");
  c.expect(cycles == sameCycles, "cycles with one and with two threads");
}

} // namespace

void addDispatchBodies(std::vector<Body> &bodies) {
  bodies.insert(
      bodies.end(),
      {{"LoadedProgramsDescribeThemselves", loadedProgramsDescribeThemselves},
       {"CorruptProgramsAreRefused", corruptProgramsAreRefused},
       {"UnfitProgramsAreRefused", unfitProgramsAreRefused},
       {"DispatchRunsOneBlock", dispatchRunsOneBlock},
       {"DispatchRunsEveryBlock", dispatchRunsEveryBlock},
       {"KernelsSeeTheirArguments", kernelsSeeTheirArguments},
       {"BindingsStartAtTheirOffset", bindingsStartAtTheirOffset},
       {"EntriesAreTheOnesNamed", entriesAreTheOnesNamed},
       {"DispatchRunsOnce", dispatchRunsOnce},
       {"DispatchesDoNotShareConstants", dispatchesDoNotShareConstants},
       {"ManyProgramsStayLoaded", manyProgramsStayLoaded},
       {"ProgramsLiveUntilTheirWorkEnds", programsLiveUntilTheirWorkEnds},
       {"ObserversHearOfEachDispatch", observersHearOfEachDispatch},
       {"CyclesAddUp", cyclesAddUp},
       {"ThreadsChangeNothing", threadsChangeNothing}});
}

} // namespace kiln::hal::conformance
