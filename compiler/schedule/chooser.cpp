// SPDX-License-Identifier: Apache-2.0
#include "compiler/schedule/chooser.h"

#include "isa/support/units.h"

#include <algorithm>
#include <fmt/format.h>
#include <limits>

namespace kiln::schedule {

using isa::Space;

namespace {

constexpr int64_t kBlock = isa::kBlockBytes;
constexpr int64_t kCell = isa::kCellRows;
/// Field limits of mmad and of the counts of LV (machine.md).
constexpr int64_t kMaxMmadRows = 4080;
constexpr int64_t kMaxMmadDepth = 65520;
/// Cycles a tile costs beside its cells and bytes (mmad head, flags).
constexpr int64_t kHeadCycles = 16;
/// Cycles of the flags and the issue of one command of a chain.
constexpr int64_t kSyncCycles = 8;
/// Entries of MTE1's queue for a step over k: two moves and their flags.
constexpr double kEntriesPerStep = 6;
/// Slots of an operand whose parts of k are loaded one by one.
constexpr int64_t kMostSlots = 3;
/// What a part of k costs beside its compute (measured on convolutions).
constexpr double kRoundCycles = 100;
/// What hidden traffic counts: others share the memory.
constexpr double kTrafficWeight = 0.02;
/// Vector kernels: tiles to aim for, and UB bytes below which no tile shrinks.
constexpr int64_t kTilesToOverlap = 6, kSmallTile = 64 * 1024;

int64_t ceilDivide(int64_t a, int64_t b) { return (a + b - 1) / b; }
int64_t roundUp(int64_t a, int64_t b) { return ceilDivide(a, b) * b; }
int64_t roundDown(int64_t a, int64_t b) { return a / b * b; }

struct Tile {
  int64_t m, n, k;
};

int64_t blockElements(const ContractionShape &s) {
  return kBlock / s.elementBytes;
}

/// L1 bytes of A for m rows and k columns of a tile; an image has all its
/// channels unless it is `sliced`.
int64_t aBytes(const ContractionShape &s, int64_t m, int64_t k,
               bool sliced = false) {
  if (s.c1 == 0) {
    return ceilDivide(k, blockElements(s)) * roundUp(m, kCell) * kBlock;
  }
  int64_t rows = ceilDivide(m, s.rowUnit);
  int64_t reach = (s.kernelHeight - 1) * s.dilationHeight + 1;
  // One row more than needed: the bound the compiler can prove for strides.
  int64_t input = std::min(s.height, (rows - 1) * s.strideHeight + reach + 1);
  int64_t blocks = sliced ? ceilDivide(k, s.kUnit) : s.c1;
  return blocks * input * s.width * kBlock;
}

int64_t bBytes(const ContractionShape &s, int64_t n, int64_t k) {
  return ceilDivide(k, blockElements(s)) * roundUp(n, kCell) * kBlock;
}

int64_t biasBytes(const ContractionShape &s, int64_t n) {
  return s.hasBias ? roundUp(n, kCell) * 4 : 0;
}

struct Machine {
  int64_t l1, l0a, l0b, l0c, ub, bt;
  double cellsPerCycle, l0BytesPerCycle, portBytesPerCycle;
  int64_t cubeLatency, l0Latency, memoryLatency;
  double stepsAhead; // steps over k that S issues before the cube does them
};

/// Cycles from a read that leaves an idle core to its first data, when L2
/// misses and the DRAM row is closed (docs/microarchitecture.md).
int64_t readLatency(const isa::ArchSpec &arch) {
  const isa::MemoryTiming &m = arch.timing.memory;
  if (m.model == "flat") {
    return m.flat.latencyCycles;
  }
  double seconds = (m.dram.part.rcdPs + m.dram.part.clPs) * 1e-12;
  return 2 * m.nocCycles + m.l2.missCycles + m.l2.fillCycles +
         static_cast<int64_t>(seconds *
                              static_cast<double>(arch.timing.clockHz));
}

Machine machineOf(const isa::ArchSpec &arch, const ContractionShape &s) {
  auto bytes = [&](Space space) {
    return static_cast<int64_t>(arch.arch.capacity(space));
  };
  auto rate = [](double value, double fallback) {
    return value > 0 ? value : fallback;
  };
  const isa::TimingPart &t = arch.timing;
  double weight = s.elementBytes == 4 ? std::max(1u, t.cubeFp32Weight) : 1;
  return {
      bytes(Space::L1),
      bytes(Space::L0A),
      bytes(Space::L0B),
      bytes(Space::L0C),
      bytes(Space::UB),
      bytes(Space::BT),
      t.cubeRate.cells / rate(t.cubeRate.cycles, 1) / weight,
      rate(std::min(t.l1ToL0A.bytesPerCycle, t.l1ToL0B.bytesPerCycle), 256),
      rate(t.memory.portReadBytesPerCycle, 128),
      std::max<int64_t>(t.cubeLatencyCycles, kHeadCycles),
      std::max<int64_t>(t.l1ToL0B.latencyCycles, kHeadCycles),
      std::max<int64_t>(readLatency(arch), kHeadCycles),
      rate(arch.arch.queueDepth[static_cast<unsigned>(isa::Pipe::MTE1)], 32) /
          kEntriesPerStep};
}

/// The m x n part of one core: least cube work, then fewest GM bytes.
Tile chooseCores(const ContractionShape &s, int64_t maxCores) {
  int64_t rowUnits = ceilDivide(s.m, s.rowUnit);
  int64_t columnUnits = ceilDivide(s.n, s.nUnit);
  Tile best{roundUp(s.m, s.rowUnit), roundUp(s.n, s.nUnit), s.k};
  int64_t bestWork = std::numeric_limits<int64_t>::max();
  int64_t bestBytes = bestWork;
  for (int64_t cm = 1; cm <= std::min(maxCores, rowUnits); ++cm) {
    int64_t cn = std::min(std::max<int64_t>(maxCores / cm, 1), columnUnits);
    Tile t{ceilDivide(rowUnits, cm) * s.rowUnit,
           ceilDivide(columnUnits, cn) * s.nUnit, s.k};
    int64_t work = ceilDivide(t.m, kCell) * ceilDivide(t.n, kCell);
    int64_t bytes = cn * aBytes(s, t.m, s.k) + cm * bBytes(s, t.n, s.k);
    if (std::pair(work, bytes) < std::pair(bestWork, bestBytes)) {
      best = t;
      bestWork = work;
      bestBytes = bytes;
    }
  }
  return best;
}

/// Largest k0 whose tiles fill at most half of L0A and L0B; 0: none.
int64_t depthOfL0(const ContractionShape &s, const Machine &machine, int64_t m0,
                  int64_t n0) {
  int64_t c0 = blockElements(s);
  int64_t k0 = std::min(machine.l0a / 2 / (m0 * s.elementBytes),
                        machine.l0b / 2 / (n0 * s.elementBytes));
  return std::min({roundDown(k0, c0), roundUp(s.k, c0), kMaxMmadDepth});
}

/// Candidate: tiles of both levels, loop order and depths, with its cycles.
struct Candidate {
  Tile l1{0, 0, 0}, l0{0, 0, 0};
  bool rowsOuter = false, sliced = false;
  int64_t aDepth = 1, bDepth = 1;
  double cycles = std::numeric_limits<double>::max();
};

/// Sum of ceil(part / unit) over the parts of parts of `size`.
double roundedParts(int64_t size, int64_t outer, int64_t inner, int64_t unit) {
  auto partsOf = [&](int64_t part) {
    return part / inner * ceilDivide(inner, unit) +
           ceilDivide(part % inner, unit);
  };
  return static_cast<double>(size / outer * partsOf(outer) +
                             partsOf(size % outer));
}

/// Steps over k of one tile of C.
double kSteps(const ContractionShape &s, const Candidate &c) {
  double slices = ceilDivide(s.k, c.l1.k);
  return slices * ceilDivide(std::min(c.l1.k, s.k), c.l0.k);
}

/// Cycles of cube and MTE1. A step takes what the slower of the two takes;
/// with two slots it cannot start before the step before the last is over and
/// its operands have come, so both share two steps' time with the latencies.
double computeCycles(const ContractionShape &s, const Machine &machine,
                     const Tile &core, const Candidate &c) {
  double rows = roundedParts(core.m, c.l1.m, c.l0.m, kCell);
  double columns = roundedParts(core.n, c.l1.n, c.l0.n, kCell);
  double mTiles = ceilDivide(core.m, c.l1.m) * ceilDivide(c.l1.m, c.l0.m);
  double nTiles = ceilDivide(core.n, c.l1.n) * ceilDivide(c.l1.n, c.l0.n);
  double blocks = ceilDivide(s.k * s.elementBytes, kBlock);
  double tiles = mTiles * nTiles, steps = tiles * kSteps(s, c);
  double cube = rows * columns * blocks / machine.cellsPerCycle / steps;
  double bytes = (rows * nTiles + columns * mTiles) * kCell * blocks * kBlock;
  double moves = bytes / machine.l0BytesPerCycle / steps;
  double latency = machine.cubeLatency + machine.l0Latency + 2 * kSyncCycles;
  double step = std::max({cube, moves, (cube + moves + latency) / 2});
  return steps * step + tiles * kHeadCycles;
}

/// What the cube waits for the operands of a round (the tiles of one load),
/// given the round's compute and port cycles. A load starts when its slot is
/// free and S has come so far: S is ahead of the cube by what the queues hold.
double roundStall(const ContractionShape &s, const Machine &machine,
                  const Tile &core, const Candidate &c, double compute,
                  double load) {
  bool splitK = c.l1.k < s.k;
  double tiles = ceilDivide(core.m, c.l1.m) * ceilDivide(c.l1.m, c.l0.m) *
                 ceilDivide(core.n, c.l1.n) * ceilDivide(c.l1.n, c.l0.n);
  double steps = tiles * kSteps(s, c);
  double rounds = splitK ? tiles * ceilDivide(s.k, c.l1.k)
                         : static_cast<double>(ceilDivide(core.m, c.l1.m)) *
                               ceilDivide(core.n, c.l1.n);
  double step = compute * rounds / steps;
  double slots = static_cast<double>(
      std::min(c.aDepth == 1 ? 8 : c.aDepth, c.bDepth == 1 ? 8 : c.bDepth));
  double ahead = std::min((slots - 1) * compute, machine.stepsAhead * step);
  return std::max(load + machine.memoryLatency - ahead, 0.0);
}

/// The whole kernel: compute, plus loads that no second slot hides, plus the
/// first loads and the last result; never less than the traffic takes.
double totalCycles(const ContractionShape &s, const Machine &machine,
                   const Tile &core, const Candidate &c) {
  double mTiles = ceilDivide(core.m, c.l1.m);
  double nTiles = ceilDivide(core.n, c.l1.n);
  bool splitK = c.l1.k < s.k;
  double a = aBytes(s, c.l1.m, s.k), b = bBytes(s, c.l1.n, s.k);
  double aLoads = mTiles * (c.rowsOuter || mTiles == 1 ? 1 : nTiles);
  double bLoads = nTiles * (c.rowsOuter && nTiles > 1 ? mTiles : 1);
  if (splitK) { // loaded anew for every tile of C
    double tiles = mTiles * nTiles * ceilDivide(c.l1.m, c.l0.m) *
                   ceilDivide(c.l1.n, c.l0.n);
    b = bBytes(s, c.l0.n, s.k);
    bLoads = tiles;
    if (s.c1 == 0 || c.sliced) {
      a = s.c1 == 0 ? aBytes(s, c.l0.m, s.k) : a;
      aLoads = tiles;
    }
  }
  double port = machine.portBytesPerCycle;
  double read = (a * aLoads + b * bLoads) / port;
  double written = static_cast<double>(core.m) * core.n * s.outBytes / port;
  // One slot: every load but the first waits for the compute before it, and
  // parts of k are such loads as well.
  bool aInParts = splitK && (s.c1 == 0 || c.sliced);
  double aExposed = c.aDepth == 1 ? a * (aLoads - (aInParts ? 0 : 1)) : 0;
  double bExposed = c.bDepth == 1 ? b * (bLoads - (splitK ? 0 : 1)) : 0;
  double first =
      aBytes(s, c.l1.m, s.c1 != 0 && !c.sliced ? s.k : c.l1.k, c.sliced) +
      bBytes(s, c.l1.n, c.l1.k);
  double last = static_cast<double>(c.l0.m) * c.l0.n * s.outBytes;
  double busy = computeCycles(s, machine, core, c);
  double compute = busy + (aExposed + bExposed) / port;
  double commands = (aLoads + bLoads) * kSyncCycles;
  double rounds =
      splitK ? bLoads * ceilDivide(s.k, c.l1.k) : std::max(aLoads, bLoads);
  compute +=
      rounds * roundStall(s, machine, core, c, busy / rounds, read / rounds);
  return std::max({compute, read, written}) + (first + last) / port + commands +
         (splitK ? rounds * kRoundCycles : 0) + read * kTrafficWeight;
}

bool fitsL1(const ContractionShape &s, const Machine &machine,
            const Candidate &c) {
  return aBytes(s, c.l1.m, c.l1.k, c.sliced) * c.aDepth +
             bBytes(s, c.l1.n, c.l1.k) * c.bDepth +
             biasBytes(s, c.l1.n) * c.bDepth <=
         machine.l1;
}

/// The largest k0 that fits, made even over the steps of an L1 tile.
int64_t evenDepth(const ContractionShape &s, const Machine &machine,
                  const Candidate &c) {
  int64_t c0 = blockElements(s), whole = roundUp(c.l1.k, c0);
  int64_t most = depthOfL0(s, machine, c.l0.m, roundUp(c.l0.n, kCell));
  most = std::min(most, whole);
  return most < c0 ? most
                   : roundUp(ceilDivide(whole, ceilDivide(whole, most)), c0);
}

/// Both orders and all depths of one pair of tiles.
void tryTiles(const ContractionShape &s, const Machine &machine,
              const Tile &core, Candidate c, Candidate &best) {
  bool splitK = c.l1.k < s.k;
  c.l0.m = std::min(c.l0.m, roundUp(c.l1.m, kCell));
  c.l0.n = std::min(c.l0.n, roundUp(c.l1.n, s.nUnit));
  c.l0.k = evenDepth(s, machine, c);
  bool streamsA = c.l1.m < core.m || (splitK && (s.c1 == 0 || c.sliced));
  bool streamsB = c.l1.n < core.n || splitK;
  const int64_t most = splitK ? kMostSlots : 2;
  for (bool rowsOuter : {false, true}) {
    for (int64_t aDepth = 1; aDepth <= (streamsA ? most : 1); ++aDepth) {
      for (int64_t bDepth = 1; bDepth <= (streamsB ? most : 1); ++bDepth) {
        c.rowsOuter = rowsOuter;
        c.aDepth = aDepth;
        c.bDepth = bDepth;
        if (!fitsL1(s, machine, c)) {
          continue;
        }
        c.cycles = totalCycles(s, machine, core, c);
        if (c.cycles < best.cycles) {
          best = c;
        }
      }
    }
  }
}

/// Sizes to try for a dimension: one per number of parts.
std::vector<int64_t> candidates(int64_t size, int64_t unit) {
  std::vector<int64_t> list;
  int64_t units = ceilDivide(size, unit);
  for (int64_t parts = 1; parts <= units; ++parts) {
    int64_t tile = ceilDivide(units, parts) * unit;
    if (list.empty() || list.back() != tile) {
      list.push_back(tile);
    }
  }
  return list;
}

/// L0 tiles of m and n that leave a second slot everywhere.
std::vector<Tile> l0Tiles(const ContractionShape &s, const Machine &machine,
                          const Tile &core) {
  std::vector<Tile> list;
  int64_t maxM = std::min(roundUp(core.m, kCell), kMaxMmadRows);
  int64_t maxN = std::min(roundUp(core.n, s.nUnit), kMaxMmadRows);
  for (int64_t m0 = kCell; m0 <= maxM; m0 += kCell * (m0 < 256 ? 1 : 4)) {
    for (int64_t n0 = s.nUnit; n0 <= maxN; n0 += s.nUnit * (n0 < 256 ? 1 : 4)) {
      int64_t n = roundUp(n0, kCell);
      int64_t k0 = depthOfL0(s, machine, m0, n);
      if (m0 * n * 4 > machine.l0c / 2 || biasBytes(s, n0) * 2 > machine.bt ||
          m0 * n * s.epilogueBytes > machine.ub || k0 < blockElements(s)) {
        break;
      }
      list.push_back({m0, n0, k0});
    }
  }
  return list;
}

/// Whether a tile cuts `size` into parts that are as even as they can be.
bool isEven(int64_t tile, int64_t size, int64_t unit) {
  int64_t parts = ceilDivide(size, tile);
  return tile == roundUp(ceilDivide(size, parts), unit);
}

/// All L1 and L0 tiles with k whole in L1.
void searchWhole(const ContractionShape &s, const Machine &machine,
                 const Tile &core, const std::vector<Tile> &tiles,
                 Candidate &best) {
  std::vector<int64_t> columns = candidates(core.n, s.nUnit);
  for (int64_t m : candidates(core.m, s.c1 != 0 ? s.rowUnit : kCell)) {
    for (int64_t n : columns) {
      Candidate c;
      c.l1 = {m, n, s.k};
      if (!fitsL1(s, machine, c)) {
        continue;
      }
      for (const Tile &l0 : tiles) {
        if (l0.m - kCell >= m || l0.n - s.nUnit >= n) {
          continue; // clipped: the same as a smaller one
        }
        c.l0 = l0;
        tryTiles(s, machine, core, c, best);
      }
    }
  }
}

/// k in parts of `k` in L1: what is cut in k is loaded for every tile of C, so
/// an L1 tile is as wide as one of L0.
void searchSplit(const ContractionShape &s, const Machine &machine,
                 const Tile &core, const std::vector<Tile> &tiles, int64_t k,
                 bool sliced, Candidate &best) {
  for (int64_t m : candidates(core.m, s.c1 != 0 ? s.rowUnit : kCell)) {
    for (const Tile &l0 : tiles) {
      if (!isEven(l0.m, m, kCell) || !isEven(l0.n, core.n, s.nUnit)) {
        continue;
      }
      Candidate c;
      c.l1 = {m, l0.n, k};
      c.l0 = l0;
      c.sliced = sliced;
      tryTiles(s, machine, core, c, best);
    }
  }
}

Candidate search(const ContractionShape &s, const Machine &machine,
                 const Tile &core, const std::vector<Tile> &tiles) {
  Candidate best;
  searchWhole(s, machine, core, tiles, best);
  for (bool sliced : {false, true}) {
    int64_t unit = sliced ? s.kUnit : blockElements(s);
    if (unit == 0) {
      continue;
    }
    for (int64_t parts : {2, 3, 4, 6, 8, 12, 16, 32}) {
      int64_t k = roundUp(ceilDivide(s.k, parts), unit);
      if (k < s.k && ceilDivide(s.k, k) == parts) {
        searchSplit(s, machine, core, tiles, k, sliced, best);
      }
    }
  }
  for (bool sliced : {false, true}) { // nothing fits: as few parts as possible
    int64_t unit = sliced ? s.kUnit : blockElements(s);
    if (unit == 0) {
      continue;
    }
    for (int64_t k : candidates(s.k, unit)) {
      if (best.l1.m == 0) {
        searchSplit(s, machine, core, {tiles.front()}, k, sliced, best);
      }
    }
  }
  return best;
}

Schedule contractionSchedule(const Tile &core, const Candidate &c,
                             const ContractionShape &s) {
  Schedule out;
  out.family = "contraction";
  std::vector<int64_t> order =
      c.rowsOuter ? std::vector<int64_t>{0, 1} : std::vector<int64_t>{1, 0};
  out.levels = {{"cores", {core.m, core.n}, {}},
                {"l1", {c.l1.m, c.l1.n, c.l1.k}, order},
                {"l0", {c.l0.m, c.l0.n, c.l0.k}, {}}};
  out.placements = {{c.sliced ? "slice" : "a", Space::L1, c.aDepth},
                    {"b", Space::L1, c.bDepth},
                    {"a", Space::L0A, 2},
                    {"b", Space::L0B, 2},
                    {"acc", Space::L0C, 2}};
  if (s.hasBias) {
    out.placements.push_back({"bias", Space::L1, c.bDepth});
  }
  return out;
}

} // namespace

std::array<int64_t, isa::kNumSpaces>
contractionBytes(const ContractionShape &s, const Schedule &schedule) {
  std::array<int64_t, isa::kNumSpaces> bytes{};
  const Level *l1 = schedule.level("l1"), *l0 = schedule.level("l0");
  bool sliced = schedule.places("slice", Space::L1);
  auto at = [&](Space space) -> int64_t & {
    return bytes[static_cast<unsigned>(space)];
  };
  at(Space::L1) =
      aBytes(s, l1->tile[0], l1->tile[2], sliced) *
          schedule.depth(sliced ? "slice" : "a", Space::L1) +
      bBytes(s, l1->tile[1], l1->tile[2]) * schedule.depth("b", Space::L1) +
      biasBytes(s, l1->tile[1]) * schedule.depth("bias", Space::L1);
  int64_t m0 = roundUp(l0->tile[0], kCell), n0 = roundUp(l0->tile[1], kCell);
  int64_t k0 = roundUp(l0->tile[2], blockElements(s));
  at(Space::L0A) = m0 * k0 * s.elementBytes * schedule.depth("a", Space::L0A);
  at(Space::L0B) = n0 * k0 * s.elementBytes * schedule.depth("b", Space::L0B);
  at(Space::L0C) = m0 * n0 * 4 * schedule.depth("acc", Space::L0C);
  at(Space::UB) = m0 * n0 * s.epilogueBytes;
  at(Space::BT) = biasBytes(s, n0) * 2;
  return bytes;
}

Result<Schedule> chooseContraction(const ContractionShape &s,
                                   const isa::ArchSpec &arch,
                                   int64_t maxCores) {
  Machine machine = machineOf(arch, s);
  Tile core = chooseCores(s, std::max<int64_t>(maxCores, 1));
  std::vector<Tile> tiles = l0Tiles(s, machine, core);
  if (tiles.empty()) {
    return Status(
        StatusCode::kDoesNotFit,
        fmt::format("contraction {}x{}x{}: a 16 x {} tile does not fit L0 or "
                    "UB of machine '{}'",
                    s.m, s.n, s.k, s.nUnit, arch.name));
  }
  Candidate best = search(s, machine, core, tiles);
  if (best.l1.m == 0) {
    int64_t m = s.c1 != 0 ? s.rowUnit : kCell;
    return Status(
        StatusCode::kDoesNotFit,
        fmt::format(
            "contraction {}x{}x{}: the smallest tile needs {} bytes of "
            "L1, machine '{}' has {}",
            s.m, s.n, s.k,
            aBytes(s, m, std::max(blockElements(s), s.kUnit), s.kUnit != 0) +
                bBytes(s, s.nUnit, blockElements(s)),
            arch.name, machine.l1));
  }
  return contractionSchedule(core, best, s);
}

int64_t vectorBytes(const VectorShape &s, const std::vector<int64_t> &tile) {
  auto sizeOf = [&](int64_t loop) {
    auto at = static_cast<size_t>(loop);
    int64_t t = at < tile.size() ? tile[at] : 0;
    return std::min(t != 0 ? t : s.loops[at], s.loops[at]);
  };
  int64_t total = 0;
  for (const VectorBuffer &b : s.buffers) {
    int64_t bytes = b.elementBytes;
    for (size_t i = b.dims.size(); i-- > 0;) {
      const DimUse &d = b.dims[i];
      int64_t extent = d.window;
      if (d.loop >= 0) {
        extent += (sizeOf(d.loop) - 1) * d.stride;
      }
      if (d.inner >= 0) {
        extent += (sizeOf(d.inner) - 1) * d.innerStride;
      }
      bytes *= ceilDivide(extent, d.divide);
      if (i + 1 == b.dims.size()) {
        bytes = roundUp(bytes, kBlock);
      }
    }
    total += roundUp(bytes, kBlock) * b.depth;
  }
  return total;
}

namespace {

bool isPass(const VectorShape &s, size_t loop) {
  return loop < s.passes.size() && s.passes[loop];
}
size_t rootLoops(const VectorShape &s) {
  return s.rootLoops != 0 ? s.rootLoops : s.loops.size();
}

/// Spreads the outermost loops over the cores.
std::vector<int64_t> vectorCores(const VectorShape &s, int64_t maxCores) {
  std::vector<int64_t> tile(rootLoops(s), 0);
  int64_t left = maxCores;
  for (size_t i = 0; i < tile.size() && left > 1; ++i) {
    if (!s.cuttable[i] || isPass(s, i) || s.loops[i] <= 1) {
      continue;
    }
    tile[i] =
        roundUp(ceilDivide(s.loops[i], std::min(left, s.loops[i])), s.unit(i));
    left /= ceilDivide(s.loops[i], tile[i]);
  }
  return tile;
}

/// The tile of one UB: starts as the part of a core.
class VectorCutter {
public:
  VectorCutter(const VectorShape &s, const std::vector<int64_t> &cores)
      : s_(s), whole_(s.loops) {
    for (size_t i = 0; i < cores.size(); ++i) {
      whole_[i] = cores[i] != 0 ? cores[i] : s.loops[i];
    }
    tile = whole_;
  }

  int64_t bytes() const { return vectorBytes(s_, tile); }

  /// From the outside: inner loops stay whole as long as possible.
  void cutResult(int64_t budget) {
    for (size_t i = 0; i < rootLoops(s_) && bytes() > budget; ++i) {
      if (s_.cuttable[i] && !isPass(s_, i)) {
        fit(i, 1, tile[i], budget);
      }
    }
  }

  /// A reduction longer than UB takes several passes; what they leave free
  /// goes to the tile of the result, innermost loop first.
  void cutPasses(int64_t capacity) {
    capacity /= std::max<int64_t>(s_.passCount, 1);
    for (size_t i = 0; i < tile.size() && bytes() > capacity; ++i) {
      if (isPass(s_, i)) {
        fit(i, 1, tile[i], capacity);
      }
    }
    for (size_t i = rootLoops(s_); i-- > 0 && bytes() <= capacity;) {
      if (s_.cuttable[i] && !isPass(s_, i) && tile[i] < whole_[i]) {
        fit(i, tile[i], whole_[i], capacity);
      }
    }
  }

  /// Sizes of the loops; 0: not cut.
  std::vector<int64_t> cuts(size_t count, bool passes) const {
    std::vector<int64_t> sizes(count, 0);
    for (size_t i = 0; i < count; ++i) {
      bool cut = tile[i] < whole_[i] && isPass(s_, i) == passes;
      sizes[i] = cut ? tile[i] : 0;
    }
    return sizes;
  }

private:
  /// The largest size in [low, high] that fits, or low.
  void fit(size_t i, int64_t low, int64_t high, int64_t budget) {
    while (low < high) {
      tile[i] = (low + high + 1) / 2;
      if (bytes() <= budget) {
        low = tile[i];
      } else {
        high = tile[i] - 1;
      }
    }
    if (low < s_.loops[i]) {
      low = std::max(roundDown(low, s_.unit(i)), s_.unit(i));
    }
    tile[i] = low;
  }

  const VectorShape &s_;
  std::vector<int64_t> whole_, tile;
};

} // namespace

Result<Schedule> chooseVector(const VectorShape &s, const isa::ArchSpec &arch,
                              int64_t maxCores) {
  std::vector<int64_t> cores = vectorCores(s, maxCores);
  VectorCutter cutter(s, cores);
  auto capacity = static_cast<int64_t>(arch.arch.capacity(Space::UB));
  // Several tiles, so that loads, V and stores overlap; not too small ones.
  int64_t budget = std::clamp(cutter.bytes() / kTilesToOverlap,
                              std::min(kSmallTile, capacity), capacity);
  cutter.cutResult(budget);
  if (cutter.bytes() > capacity) {
    cutter.cutPasses(capacity);
  }
  if (cutter.bytes() > capacity) {
    return Status(StatusCode::kDoesNotFit,
                  fmt::format("vector kernel: the smallest tile needs {} bytes "
                              "of UB, machine '{}' has {}",
                              cutter.bytes(), arch.name, capacity));
  }
  Schedule out;
  out.family = "vector";
  out.levels = {{"cores", cores, {}},
                {"ub", cutter.cuts(rootLoops(s), false), {}}};
  std::vector<int64_t> passes = cutter.cuts(s.loops.size(), true);
  if (std::any_of(passes.begin(), passes.end(),
                  [](int64_t size) { return size != 0; })) {
    out.levels.push_back({"passes", passes, {}});
  }
  return out;
}

} // namespace kiln::schedule
