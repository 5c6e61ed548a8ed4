// SPDX-License-Identifier: Apache-2.0
#include "tests/rtl/comparison.h"

#include "isa/codec/instruction.h"

#include <algorithm>
#include <fmt/format.h>

namespace kiln::test {

namespace {

/// Keeps the engine's stamps and when the block began and ended.
class Recorder final : public sim::CommandListener {
public:
  void beganBlock(uint32_t, uint32_t, uint64_t now) override { began = now; }
  void retired(const sim::CommandStamp &stamp) override { add(stamp); }
  void synced(const sim::CommandStamp &stamp) override { add(stamp); }

  std::vector<RtlStamp> stamps;
  uint64_t began = 0;

private:
  void add(const sim::CommandStamp &s) {
    stamps.push_back({s.command.pc, s.issue, s.start, s.retire});
  }
};

/// Copies the local memories in front of the last instruction.
class Snapshot final : public sim::DebugHook {
public:
  explicit Snapshot(uint64_t pc) : pc_(pc) {}
  bool stopsBefore(uint64_t pc) override { return pc == pc_; }
  bool stopped(const sim::DebugView &view) override {
    auto of = view.state->memory[isa::Space::UB];
    ub.assign(of.begin(), of.end());
    auto ram = view.state->scalarRam();
    scalarRam.assign(ram.begin(), ram.end());
    return true;
  }
  void faulted(const sim::DebugView &, const sim::FaultReport &) override {}

  std::vector<std::byte> ub, scalarRam;

private:
  uint64_t pc_;
};

std::string text(const RtlStamp &s) {
  return fmt::format("issue {} start {} retire {}", s.issue, s.start, s.retire);
}

std::string compareStamps(const sim::Program &program,
                          const std::vector<RtlStamp> &expected,
                          const std::vector<RtlStamp> &found) {
  for (size_t i = 0; i < std::max(expected.size(), found.size()); ++i) {
    if (i >= found.size() || i >= expected.size()) {
      return fmt::format("{} instructions issued, {} expected", found.size(),
                         expected.size());
    }
    if (expected[i] == found[i]) {
      continue;
    }
    size_t word = (found[i].pc - program.code().base) / 4;
    Result<isa::Instruction> instruction =
        isa::decode(program.code().words[word]);
    return fmt::format("command {} at pc {:#x}, {}: engine {}, rtl {}", i,
                       found[i].pc,
                       instruction ? isa::toText(*instruction) : "?",
                       text(expected[i]), text(found[i]));
  }
  return {};
}

std::string compareBytes(const char *what,
                         const std::vector<std::byte> &expected,
                         const std::vector<std::byte> &found) {
  auto at = std::mismatch(expected.begin(), expected.end(), found.begin(),
                          found.end());
  if (at.first == expected.end() && at.second == found.end()) {
    return {};
  }
  return fmt::format("{} differs from byte {:#x}: engine {:#x}, rtl {:#x}",
                     what, at.first - expected.begin(),
                     static_cast<unsigned>(*at.first),
                     static_cast<unsigned>(*at.second));
}

} // namespace

std::string Comparison::difference(
    const std::shared_ptr<const sim::Program> &program,
    const std::vector<uint64_t> &buffers,
    const std::function<void(std::vector<uint16_t> &)> &mutate) {
  sim::LaunchRequest request = bench.request(program, buffers);
  std::vector<std::vector<std::byte>> before, after;
  for (const sim::GmRange &r : request.bindings) {
    before.push_back(bench.download<std::byte>(r.address, r.bytes));
  }
  Recorder recorder;
  Snapshot snapshot(program->code().base +
                    4 * (program->code().words.size() - 1));
  request.listener = &recorder;
  request.debug = &snapshot;
  auto engine = sim::createCycleEngine(bench.arch, *bench.gm);
  Result<sim::LaunchReport> report = engine->run(request);
  if (!report) {
    return "engine: " + report.status().message();
  }
  for (size_t i = 0; i < before.size(); ++i) {
    const sim::GmRange &r = request.bindings[i];
    after.push_back(bench.download<std::byte>(r.address, r.bytes));
    std::memcpy(bench.gm->host(GmAddr(r.address), r.bytes), before[i].data(),
                r.bytes);
  }
  expected = std::move(recorder.stamps);
  std::sort(expected.begin(), expected.end(),
            [](const auto &a, const auto &b) { return a.issue < b.issue; });

  RtlLaunch launch;
  std::vector<uint64_t> addresses;
  for (const sim::GmRange &r : request.bindings) {
    addresses.push_back(r.address);
  }
  launch.argumentBlock = isa::buildArgumentBlock(addresses, {}, 0);
  launch.startCycle = recorder.began;
  launch.budget = 4 * report->cycles + 10'000;
  launch.mutate = mutate;
  found = runRtl(bench.arch, *bench.gm, *program, launch);
  if (!found.problem.empty() || found.fault) {
    return fmt::format("rtl: {} fault {}", found.problem, found.fault);
  }
  std::string bad = compareStamps(*program, expected, found.stamps);
  if (bad.empty() && found.cycles != report->cycles) {
    bad = fmt::format("the block ends in {}, rtl {}", report->cycles,
                      found.cycles);
  }
  for (size_t i = 0; i < before.size() && bad.empty(); ++i) {
    const sim::GmRange &r = request.bindings[i];
    bad = compareBytes("GM", after[i],
                       bench.download<std::byte>(r.address, r.bytes));
  }
  if (bad.empty()) {
    bad = compareBytes("UB", snapshot.ub, found.ub);
  }
  if (bad.empty()) {
    bad = compareBytes("scalar RAM", snapshot.scalarRam, found.scalarRam);
  }
  return bad;
}

} // namespace kiln::test
