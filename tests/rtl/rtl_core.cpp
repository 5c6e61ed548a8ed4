// SPDX-License-Identifier: Apache-2.0
#include "tests/rtl/rtl_core.h"

#include "VNpuCore.h"
#include "VNpuCore___024root.h"
#include "isa/codec/instruction.h"
#include "simulator/memory/memory_system.h"
#include "verilated.h"
#ifdef KILN_RTL_COVERAGE
#include "verilated_cov.h"
#include <unistd.h>
#endif

#include <algorithm>
#include <array>
#include <cstring>
#include <deque>
#include <fmt/format.h>
#include <map>
#include <memory>

namespace kiln::test {

using isa::ArchSpec;
using isa::Opcode;
using isa::Pipe;

namespace {

struct Key {
  const char *name;
  uint64_t (*value)(const ArchSpec &);
};

template <isa::VectorClass kClass>
const isa::VectorTiming &vectorOf(const ArchSpec &a) {
  return a.timing.vector[static_cast<unsigned>(kClass)];
}

constexpr unsigned index(Pipe p) { return static_cast<unsigned>(p); }

#define KILN_KEY(name, expression)                                             \
  Key {                                                                        \
    #name, [](const ArchSpec &a) -> uint64_t { return expression; }            \
  }

/// In the order of key_e in simulator/rtl/kiln_rtl_pkg.sv.
const Key kKeys[] = {
    KILN_KEY(load_use, a.timing.control.loadUseBubble),
    KILN_KEY(mul, a.timing.control.mulCycles),
    KILN_KEY(div, a.timing.control.divCycles),
    KILN_KEY(taken, a.timing.control.takenBranchCycles),
    KILN_KEY(csr, a.timing.control.csrCycles),
    KILN_KEY(scalar_ram, a.timing.control.scalarRamCycles),
    KILN_KEY(ub_window, a.timing.control.ubWindowCycles),
    KILN_KEY(flag, a.timing.flagCycles),
    KILN_KEY(flag_visible, a.timing.flagVisibleCycles),
    KILN_KEY(config, a.timing.configCycles),
    KILN_KEY(barrier, a.timing.barrierCycles),
    KILN_KEY(queue_mte2, a.arch.queueDepth[index(Pipe::MTE2)]),
    KILN_KEY(queue_mte1, a.arch.queueDepth[index(Pipe::MTE1)]),
    KILN_KEY(queue_m, a.arch.queueDepth[index(Pipe::M)]),
    KILN_KEY(queue_fix, a.arch.queueDepth[index(Pipe::FIX)]),
    KILN_KEY(queue_v, a.arch.queueDepth[index(Pipe::V)]),
    KILN_KEY(queue_mte3, a.arch.queueDepth[index(Pipe::MTE3)]),
    KILN_KEY(in_flight_mte2, a.arch.inFlight[index(Pipe::MTE2)]),
    KILN_KEY(in_flight_v, a.arch.inFlight[index(Pipe::V)]),
    KILN_KEY(in_flight_mte3_gm, a.arch.inFlightGm[index(Pipe::MTE3)]),
    KILN_KEY(read_bytes, a.timing.memory.portReadBytesPerCycle),
    KILN_KEY(write_bytes, a.timing.memory.portWriteBytesPerCycle),
    KILN_KEY(burst_bytes, a.timing.memory.burstBytes),
    KILN_KEY(reads, a.timing.memory.outstandingReads),
    KILN_KEY(writes, a.timing.memory.outstandingWrites),
    KILN_KEY(min_row_beats, a.timing.memory.minRowBeats),
    KILN_KEY(arithmetic_16,
             vectorOf<isa::VectorClass::kArithmetic>(a).elements16),
    KILN_KEY(arithmetic_32,
             vectorOf<isa::VectorClass::kArithmetic>(a).elements32),
    KILN_KEY(arithmetic_latency,
             vectorOf<isa::VectorClass::kArithmetic>(a).latencyCycles),
    KILN_KEY(arithmetic_row,
             vectorOf<isa::VectorClass::kArithmetic>(a).extraCyclesPerRow),
    KILN_KEY(cast_16, vectorOf<isa::VectorClass::kCast>(a).elements16),
    KILN_KEY(cast_32, vectorOf<isa::VectorClass::kCast>(a).elements32),
    KILN_KEY(cast_latency, vectorOf<isa::VectorClass::kCast>(a).latencyCycles),
    KILN_KEY(cast_row, vectorOf<isa::VectorClass::kCast>(a).extraCyclesPerRow),
    KILN_KEY(reduce_lane_32,
             vectorOf<isa::VectorClass::kReduceLane>(a).elements32),
    KILN_KEY(reduce_lane_latency,
             vectorOf<isa::VectorClass::kReduceLane>(a).latencyCycles),
    KILN_KEY(reduce_lane_row,
             vectorOf<isa::VectorClass::kReduceLane>(a).extraCyclesPerRow),
    KILN_KEY(ub_reads, a.timing.banks.ubReads),
    KILN_KEY(ub_write_delay, a.timing.banks.ubWriteDelayCycles),
    KILN_KEY(ub_pipes_meet, a.timing.banks.ubPipesMeet),
};
#undef KILN_KEY

constexpr unsigned kFlags = 7 * 7 * 8;
constexpr unsigned kSlots = 4;

/// The memory system behind one direction of the port: counts the bursts that
/// are complete in the current cycle.
class Direction final : public sim::MemClient {
public:
  void burstDone(uint64_t tag, Cycle) override {
    done |= uint16_t(1u << tag);
    last = static_cast<uint8_t>(tag);
  }
  void burstComes(uint64_t tag, Cycle first) override {
    coming.emplace_back(first.count(), static_cast<uint8_t>(tag));
  }
  std::deque<std::pair<uint64_t, uint8_t>> coming; // cycle, tag
  uint16_t done = 0;                               // of this cycle, by tag
  uint8_t last = 0;
  struct Burst {
    uint64_t address = 0;
    uint32_t bytes = 0;
  };
  std::array<Burst, 16> bursts;
};

class Bench {
public:
  Bench(const ArchSpec &arch, sim::HostGlobalMemory &gm,
        const sim::Program &program, const RtlLaunch &launch)
      : arch_(arch), gm_(gm), program_(program), launch_(launch),
        core_(&context_),
        memory_(sim::createMemorySystem(arch, 1, wheel_, launch.startCycle)) {}

  RtlRun run();

private:
  static void tick(void *, uint64_t, uint64_t) {}
  void clock() {
    core_.clk = 0;
    core_.eval();
    core_.clk = 1;
    core_.eval();
  }
  void load();
  void loadWords(bool data, uint64_t firstWord, const uint8_t *bytes,
                 size_t size);
  void advanceMemory();
  void takeRequests();
  void request(bool write, uint64_t address, uint32_t bytes, uint32_t beats,
               uint8_t tag);
  void moveData();
  void observe();
  void observeIssue();
  void writeCoverage();
  bool appears(unsigned flag) const {
    return core_.appeared[flag / 32] >> flag % 32 & 1;
  }

  const ArchSpec &arch_;
  sim::HostGlobalMemory &gm_;
  const sim::Program &program_;
  const RtlLaunch &launch_;
  VerilatedContext context_;
  VNpuCore core_;
  sim::TimingWheel wheel_;
  std::unique_ptr<sim::MemorySystem> memory_;
  Direction directions_[2]; // read, write
  bool storing_ = false;    // the bytes of a store come in this cycle
  Direction::Burst stored_;
  uint64_t now_ = 0;
  RtlRun result_;
  std::map<uint32_t, size_t> byTag_;
  std::array<std::deque<size_t>, kFlags> pendingSets_;
  size_t barrier_ = 0;
};

void Bench::loadWords(bool data, uint64_t firstWord, const uint8_t *bytes,
                      size_t size) {
  core_.load = 1;
  core_.load_data = data;
  for (size_t at = 0; at < size; at += 4) {
    uint32_t word = 0;
    std::memcpy(&word, bytes + at, std::min<size_t>(4, size - at));
    core_.load_index = static_cast<uint32_t>(firstWord + at / 4);
    core_.load_word = word;
    clock();
  }
  core_.load = 0;
}

/// What a launch does before the first instruction (core_state.h).
void Bench::load() {
  std::vector<uint16_t> keys;
  for (const Key &key : kKeys) {
    keys.push_back(static_cast<uint16_t>(key.value(arch_)));
  }
  if (launch_.mutate) {
    launch_.mutate(keys);
  }
  for (size_t i = 0; i < keys.size(); ++i) {
    core_.key[i] = keys[i];
  }
  core_.rst = 1;
  core_.start_cycle = launch_.startCycle;
  core_.entry = program_.image().entry;
  core_.argument = alignUp(program_.stackTop(), 8);
  core_.block_count = 1;
  const auto &words = program_.code().words;
  core_.text_words = static_cast<uint32_t>(words.size());
  loadWords(false, 0, reinterpret_cast<const uint8_t *>(words.data()),
            4 * words.size());
  for (const sim::Segment &segment : program_.image().segments) {
    if (!segment.executable) {
      loadWords(true, (segment.address - isa::kScalarRamBase) / 4,
                segment.bytes.data(), segment.bytes.size());
    }
  }
  loadWords(true, (core_.argument - isa::kScalarRamBase) / 4,
            launch_.argumentBlock.data(), launch_.argumentBlock.size());
  clock();
  core_.rst = 0;
}

/// Completions of cycle now_.
void Bench::advanceMemory() {
  for (Direction &d : directions_) {
    d.done = 0;
  }
  wheel_.add(now_, sim::Phase::kMain, &tick, nullptr);
  while (wheel_.now() < now_) {
    wheel_.runNext();
  }
}

void Bench::moveData() {
  if (storing_) {
    std::byte *to = gm_.host(GmAddr(stored_.address), stored_.bytes);
    if (to == nullptr) {
      result_.problem = fmt::format("store to {:#x}", stored_.address);
      return;
    }
    std::memcpy(to, &core_.write_data[0], stored_.bytes);
  }
  storing_ = false;
  Direction &read = directions_[0];
  core_.read_done = read.done;
  core_.read_done_tag = read.last;
  core_.read_comes = !read.coming.empty() && read.coming.front().first == now_;
  if (core_.read_comes) {
    core_.read_comes_tag = read.coming.front().second;
    read.coming.pop_front();
  }
  core_.write_done = directions_[1].done;
  if (std::popcount(read.done) > 1) {
    result_.problem = "two loads are complete in one cycle";
  }
  if (read.done) {
    const Direction::Burst &burst = read.bursts[read.last];
    std::byte *from = gm_.host(GmAddr(burst.address), burst.bytes);
    if (from == nullptr) {
      result_.problem = fmt::format("load from {:#x}", burst.address);
      return;
    }
    std::memcpy(&core_.read_data[0], from, burst.bytes);
  }
}

void Bench::request(bool write, uint64_t address, uint32_t bytes,
                    uint32_t beats, uint8_t tag) {
  Direction &d = directions_[write];
  sim::MemPort &port = memory_->port(0);
  if (port.readyAt(write, Cycle(now_)).count() != now_) {
    result_.problem =
        fmt::format("a burst in cycle {}, the port is not ready", now_);
    return;
  }
  d.bursts[tag] = {address, bytes};
  port.issue({GmAddr(address), bytes, beats, write, tag}, d, Cycle(now_));
}

void Bench::takeRequests() {
  if (core_.read_request) {
    request(false, core_.read_address, core_.read_bytes, core_.read_beats,
            core_.read_tag);
  }
  if (core_.write_request) {
    request(true, core_.write_address, core_.write_bytes, core_.write_beats,
            core_.write_tag);
    storing_ = true;
    stored_ = {core_.write_address, core_.write_bytes};
  }
}

void Bench::observeIssue() {
  size_t at = result_.stamps.size();
  result_.stamps.push_back({core_.issued_pc, now_, now_, 0});
  byTag_[core_.issued_tag] = at;
  size_t record = (core_.issued_pc - program_.code().base) / 4;
  uint32_t word = program_.code().words[record];
  Result<isa::Instruction> instruction = isa::decode(word);
  if (!instruction) {
    result_.problem = "the core issues what is no instruction";
    return;
  }
  unsigned flag = ((instruction->sub & 7u) * 7 + instruction->f3) * 8 +
                  static_cast<unsigned>(core_.issued_rs1 & 7);
  switch (instruction->op) {
  case Opcode::kKset:
    pendingSets_[flag % kFlags].push_back(at);
    break;
  case Opcode::kKwait:
    if (isa::pipeOf(*instruction) == Pipe::S) {
      result_.stamps[at].retire = now_ + 1;
    }
    break;
  case Opcode::kKbar:
  case Opcode::kKend:
    barrier_ = at;
    break;
  default:
    break;
  }
}

/// Turns what happens in this cycle into stamps.
void Bench::observe() {
  if (core_.went_on) {
    result_.stamps[barrier_].retire = now_;
  }
  for (unsigned p = 1; p < isa::kNumPipes; ++p) {
    for (unsigned i = 0; i < kSlots; ++i) {
      if (core_.retired[p] >> i & 1) {
        result_.stamps[byTag_[core_.retired_tag[p * kSlots + i]]].retire = now_;
      }
    }
    if (core_.left >> p & 1) {
      RtlStamp &stamp = result_.stamps[byTag_[core_.left_tag[p]]];
      stamp.start = now_;
      size_t record = (stamp.pc - program_.code().base) / 4;
      Opcode op = isa::decode(program_.code().words[record])->op;
      if (op == Opcode::kKwait) {
        stamp.retire = now_ + arch_.timing.flagCycles;
      } else if (op == Opcode::kKcfg) {
        stamp.retire = now_ + arch_.timing.configCycles;
      }
    }
  }
  for (unsigned f = 0; f < kFlags; ++f) {
    if (appears(f)) {
      if (pendingSets_[f].empty()) {
        result_.problem = "a flag appears that nobody set";
        return;
      }
      result_.stamps[pendingSets_[f].front()].retire = now_;
      pendingSets_[f].pop_front();
    }
  }
  if (core_.issued) {
    observeIssue();
  }
  result_.bankConflicts += core_.bank_conflict;
  result_.loadWaits += core_.load_waits;
  result_.storeWaits += core_.store_waits;
  result_.queueFull += core_.queue_full;
  result_.interlocks += core_.interlock;
}

RtlRun Bench::run() {
  load();
  for (now_ = launch_.startCycle;; ++now_) {
    advanceMemory();
    moveData();
    core_.clk = 0;
    core_.eval();
    takeRequests();
    observe();
    result_.fault = core_.fault;
    if (core_.ended || core_.fault || !result_.problem.empty()) {
      break;
    }
    if (now_ > launch_.startCycle + launch_.budget) {
      result_.problem = "the block does not end";
      break;
    }
    core_.clk = 1;
    core_.eval();
  }
  // `ended` is up in the cycle after the one the block ended in.
  result_.cycles = now_ - 1;
  const auto &ub = core_.rootp->npu_core__DOT__ub__DOT__mem;
  const auto &ram = core_.rootp->npu_core__DOT__s__DOT__ram;
  result_.ub.resize(arch_.arch.capacity(isa::Space::UB));
  result_.scalarRam.resize(arch_.arch.scalarRamBytes);
  std::memcpy(result_.ub.data(), &ub[0], result_.ub.size());
  std::memcpy(result_.scalarRam.data(), &ram[0], result_.scalarRam.size());
#ifdef KILN_RTL_COVERAGE
  writeCoverage();
#endif
  return std::move(result_);
}

#ifdef KILN_RTL_COVERAGE
/// Lines that ran, one file per run, where the environment says.
void Bench::writeCoverage() {
  static unsigned runs = 0;
  if (const char *folder = std::getenv("KILN_RTL_COVERAGE_DIR")) {
    context_.coveragep()->write(
        fmt::format("{}/{}-{}.dat", folder, ::getpid(), runs++).c_str());
  }
}
#endif

} // namespace

const std::vector<std::string> &rtlKeyNames() {
  static const std::vector<std::string> kNames = [] {
    std::vector<std::string> names;
    for (const Key &key : kKeys) {
      names.push_back(key.name);
    }
    return names;
  }();
  return kNames;
}

std::string rtlMisfit(const ArchSpec &arch) {
  auto differs = [](const char *what, uint64_t has, uint64_t needs) {
    return has == needs
               ? std::string()
               : fmt::format("{} is {}, the core has {}; ", what, has, needs);
  };
  return differs("UB", arch.arch.capacity(isa::Space::UB), 32768) +
         differs("scalar RAM", arch.arch.scalarRamBytes, 8192) +
         differs("instruction RAM", arch.arch.instructionRamBytes, 16384) +
         differs("ub_groups", arch.timing.banks.ubGroups, 4) +
         differs("ub_banks", arch.timing.banks.ubBanks, 4);
}

RtlRun runRtl(const ArchSpec &arch, sim::HostGlobalMemory &gm,
              const sim::Program &program, const RtlLaunch &launch) {
  std::string misfit = rtlMisfit(arch);
  if (!misfit.empty()) {
    RtlRun run;
    run.problem = misfit;
    return run;
  }
  return Bench(arch, gm, program, launch).run();
}

} // namespace kiln::test
