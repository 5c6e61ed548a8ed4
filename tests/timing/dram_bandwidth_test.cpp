// SPDX-License-Identifier: Apache-2.0
//
// Bandwidth of streams against a calculation from the part's data sheet that
// uses nothing of the model: within 5 %. Times are rounded up to cycles, as
// the machine does; the calculation is in bound().
//
// A stream of n bytes a request moves n bytes in the longest of
//   bus      n / (bits / 8 * transfers per second)
//   rows     the time between two activations, where every request opens a
//            row: tRRD, a quarter of tFAW, or tRC / banks
//   bank     tRAS + tRP, or tRCD + read + tRTP + tRP, where all are one bank's
// and refresh takes (tRFC + tRP + tRCD) of every tREFI.
#include "simulator/memory/dram_channel.h"
#include "simulator/memory/l2_memory.h"

#include <cmath>
#include <functional>
#include <gtest/gtest.h>
#include <random>

namespace kiln::sim {
namespace {

enum class Rows { kShared, kOwn, kOneBank };

double cyclesOf(uint64_t ps, uint64_t clockHz) {
  return std::ceil(static_cast<double>(ps) * static_cast<double>(clockHz) *
                   1e-12);
}

/// Bytes per cycle of one channel.
double bound(const isa::DramPart &p, uint64_t clock, uint32_t bytes,
             Rows rows) {
  auto c = [&](uint64_t ps) { return cyclesOf(ps, clock); };
  double rate =
      p.channelBits / 8.0 * p.pinKbps * 1e3 / static_cast<double>(clock);
  double bus = bytes / rate;
  double time = bus;
  if (rows == Rows::kOwn) {
    double act = std::max(c(p.rrdPs) * p.activations,
                          c(p.fawPs) / (4.0 / p.activations));
    time = std::max({bus, act, (c(p.rasPs) + c(p.rpPs)) / p.banks});
  } else if (rows == Rows::kOneBank) {
    double read = c(p.rcdPs) + bus + c(p.rtpPs) + c(p.rpPs);
    time = std::max(c(p.rasPs) + c(p.rpPs), read);
  }
  double lost = (c(p.rfcPs) + c(p.rpPs) + c(p.rcdPs)) / c(p.refiPs);
  return bytes / time * (1 - lost);
}

/// Keeps a channel's queue full with the lines of `next` and measures.
struct Source final : DramClient {
  Source(const isa::ArchSpec &arch, uint32_t bytes,
         std::function<uint64_t(uint64_t)> next)
      : bytes(bytes), next(std::move(next)),
        channel(DramCycles::of(arch.timing.memory.dram.part,
                               arch.timing.clockHz, 512),
                {64, 32, 8, 1000}, wheel, *this) {}
  void dramDone(uint32_t, bool, uint64_t now) override {
    ++finished;
    if (finished == kFrom) {
      begin = now;
    } else if (finished == kTo) {
      end = now;
    }
    push(0, now);
  }
  void push(uint64_t, uint64_t now) {
    if (sent < kTo + 64) {
      channel.push({next(sent++), bytes, false, 0, 0}, now);
    }
  }
  double bytesPerCycle() {
    for (int i = 0; i < 64; ++i) {
      wheel.at<&Source::push>(0, Phase::kMain, this);
    }
    while (wheel.runNext()) {
    }
    return static_cast<double>(kTo - kFrom) * bytes /
           static_cast<double>(end - begin);
  }
  static constexpr uint64_t kFrom = 1000, kTo = 21'000;
  uint32_t bytes;
  std::function<uint64_t(uint64_t)> next;
  TimingWheel wheel;
  DramChannel channel;
  uint64_t sent = 0, finished = 0, begin = 0, end = 0;
};

class DramStream : public testing::TestWithParam<const char *> {
protected:
  isa::ArchSpec arch = *isa::loadArchSpec(GetParam());
  const isa::DramPart &part = arch.timing.memory.dram.part;

  void expectNear(const char *what, uint32_t bytes, Rows rows,
                  std::function<uint64_t(uint64_t)> next) {
    double calculated = bound(part, arch.timing.clockHz, bytes, rows);
    double found = Source(arch, bytes, std::move(next)).bytesPerCycle();
    EXPECT_NEAR(found / calculated, 1.0, 0.05)
        << part.name << " " << what << ": " << found << " B/c, calculated "
        << calculated;
    std::printf("%-8s %-22s %6.2f B/c, calculated %6.2f, peak %6.2f\n",
                part.name.c_str(), what, found, calculated,
                part.channelBits / 8.0 * part.pinKbps * 1e3 /
                    static_cast<double>(arch.timing.clockHz));
  }
};

TEST_P(DramStream, Sequential) {
  expectNear("sequential", 512, Rows::kShared, [](uint64_t i) { return i; });
}

TEST_P(DramStream, OneLineOfEachRow) {
  uint64_t lines = part.pageBytes / 512;
  expectNear("a line of each row", 512, Rows::kOwn,
             [=](uint64_t i) { return i * lines; });
}

TEST_P(DramStream, OneBurstOfEachRow) {
  uint64_t lines = part.pageBytes / 512;
  expectNear("a burst of each row", part.burstBytes(), Rows::kOwn,
             [=](uint64_t i) { return i * lines; });
}

TEST_P(DramStream, RowsOfOneBank) {
  // Page p is in bank (sum of its digits): of every `banks` pages one is in
  // bank 0, whose lowest digit cancels the sum of the others.
  uint64_t lines = part.pageBytes / 512, banks = part.banks;
  expectNear("rows of one bank", 512, Rows::kOneBank, [=](uint64_t i) {
    uint64_t digits = 0;
    for (uint64_t x = i; x; x /= banks) {
      digits += x % banks;
    }
    return (i * banks + (banks - digits % banks) % banks) * lines;
  });
}

TEST_P(DramStream, RandomLines) {
  std::mt19937_64 random(1);
  expectNear("random lines", 512, Rows::kOwn,
             [&](uint64_t) { return random() % (1 << 20); });
}

INSTANTIATE_TEST_SUITE_P(Parts, DramStream,
                         testing::Values("k1", "k1-edge", "k1-nano"),
                         [](const auto &info) {
                           std::string name = info.param;
                           std::erase(name, '-');
                           return name;
                         });

/// All cores of a machine read (every third burst written if `writes`) their
/// own part of GM, line by line or at random; bytes per cycle of DRAM.
struct System final : MemClient {
  System(const isa::ArchSpec &arch, bool random)
      : arch(arch), random(random), memory(arch, arch.arch.cores, wheel),
        sent(arch.arch.cores) {}
  void burstDone(uint64_t tag, Cycle now) override {
    ++finished;
    if (finished == from()) {
      begin = now.count();
      before = memory.counters();
    } else if (finished == to()) {
      end = now.count();
      after = memory.counters();
    }
    pump(tag, now.count());
  }
  void pump(uint64_t core, uint64_t now) {
    MemPort &port = memory.port(static_cast<uint32_t>(core));
    if (sent[core] == kBursts) {
      return;
    }
    uint64_t ready = port.readyAt(false, Cycle(now)).count();
    if (ready == now) {
      uint64_t line =
          random ? generator() % (1 << 22) : core * (kBursts + 16) + sent[core];
      ++sent[core];
      port.issue({GmAddr(0x1'0000'0000 + line * 512), 512,
                  512 / arch.timing.memory.portReadBytesPerCycle, false, core},
                 *this, Cycle(now));
      pump(core, now);
    } else if (ready != ~uint64_t{0} && ready > now) {
      wheel.at<&System::pump>(ready, Phase::kMain, this, core);
    }
  }
  double bytesPerCycle() {
    for (uint32_t core = 0; core < arch.arch.cores; ++core) {
      wheel.at<&System::pump>(0, Phase::kMain, this, core);
    }
    while (wheel.runNext()) {
    }
    return static_cast<double>(after.dramReadBytes - before.dramReadBytes) /
           static_cast<double>(end - begin);
  }
  uint64_t from() const { return arch.arch.cores * kBursts / 10; }
  uint64_t to() const { return arch.arch.cores * kBursts * 8 / 10; }
  static constexpr uint64_t kBursts = 4000;
  isa::ArchSpec arch;
  bool random;
  TimingWheel wheel;
  L2Memory memory;
  std::vector<uint64_t> sent;
  std::mt19937_64 generator{7};
  uint64_t finished = 0, begin = 0, end = 0;
  MemoryCounters before, after;
};

TEST(DramBandwidth, Hbm2StreamsReach92Percent) {
  isa::ArchSpec arch = *isa::loadArchSpec("k1");
  double peak = 1200;
  for (bool random : {false, true}) {
    double share = System(arch, random).bytesPerCycle() / peak;
    std::printf("k1, 32 cores, %s: %.1f %% of the peak\n",
                random ? "random lines" : "streams", 100 * share);
    if (!random) {
      EXPECT_GE(share, 0.92);
    }
    EXPECT_LE(share, 1.0);
  }
}

} // namespace
} // namespace kiln::sim
