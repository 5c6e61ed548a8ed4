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

int64_t ceilDivide(int64_t a, int64_t b) { return (a + b - 1) / b; }
int64_t roundUp(int64_t a, int64_t b) { return ceilDivide(a, b) * b; }
int64_t roundDown(int64_t a, int64_t b) { return a / b * b; }

struct Tile {
  int64_t m, n, k;
};

int64_t blockElements(const ContractionShape &s) {
  return kBlock / s.elementBytes;
}

/// L1 bytes of A for m rows and k columns of a tile.
int64_t aBytes(const ContractionShape &s, int64_t m, int64_t k) {
  if (s.c1 == 0) {
    return ceilDivide(k, blockElements(s)) * roundUp(m, kCell) * kBlock;
  }
  int64_t rows = ceilDivide(m, s.rowUnit);
  int64_t reach = (s.kernelHeight - 1) * s.dilationHeight + 1;
  // One row more than needed: the bound the compiler can prove for strides.
  int64_t input = std::min(s.height, (rows - 1) * s.strideHeight + reach + 1);
  return s.c1 * input * s.width * kBlock;
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
  int64_t cubeLatency;
};

Machine machineOf(const isa::ArchSpec &arch, const ContractionShape &s) {
  auto bytes = [&](Space space) {
    return static_cast<int64_t>(arch.arch.capacity(space));
  };
  auto rate = [](double value, double fallback) {
    return value > 0 ? value : fallback;
  };
  const isa::TimingPart &t = arch.timing;
  double weight = s.elementBytes == 4 ? std::max(1u, t.cubeFp32Weight) : 1;
  return {bytes(Space::L1),
          bytes(Space::L0A),
          bytes(Space::L0B),
          bytes(Space::L0C),
          bytes(Space::UB),
          bytes(Space::BT),
          t.cubeRate.cells / rate(t.cubeRate.cycles, 1) / weight,
          rate(std::min(t.l1ToL0A.bytesPerCycle, t.l1ToL0B.bytesPerCycle), 256),
          rate(t.memory.portReadBytesPerCycle, 128),
          std::max<int64_t>(t.cubeLatencyCycles, kHeadCycles)};
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

double l0Cycles(const ContractionShape &s, const Machine &machine,
                const Tile &core, const Tile &l0) {
  double mTiles = ceilDivide(core.m, l0.m), nTiles = ceilDivide(core.n, l0.n);
  double kTiles = ceilDivide(s.k, l0.k);
  double rows = roundUp(core.m, kCell), columns = roundUp(core.n, kCell);
  double steps = ceilDivide(s.k * s.elementBytes, kBlock);
  double cube = rows / kCell * columns / kCell * steps / machine.cellsPerCycle;
  double bytes = (rows * nTiles + columns * mTiles) * steps * kBlock;
  double moves = bytes / machine.l0BytesPerCycle;
  double heads = mTiles * nTiles * (kTiles + 1) * machine.cubeLatency;
  return std::max(cube, moves) + heads;
}

Tile chooseL0(const ContractionShape &s, const Machine &machine,
              const Tile &core) {
  Tile best{0, 0, 0};
  double bestCycles = std::numeric_limits<double>::max();
  int64_t maxM = std::min(roundUp(core.m, kCell), kMaxMmadRows);
  int64_t maxN = std::min(roundUp(core.n, kCell), kMaxMmadRows);
  for (int64_t m0 = kCell; m0 <= maxM; m0 += kCell) {
    for (int64_t n0 = s.nUnit; n0 <= roundUp(maxN, s.nUnit); n0 += s.nUnit) {
      int64_t ub = m0 * roundUp(n0, kCell) * s.epilogueBytes;
      if (m0 * roundUp(n0, kCell) * 4 > machine.l0c / 2 ||
          biasBytes(s, n0) * 2 > machine.bt || ub > machine.ub) {
        break;
      }
      int64_t k0 = depthOfL0(s, machine, m0, roundUp(n0, kCell));
      if (k0 < blockElements(s)) {
        break;
      }
      Tile t{m0, n0, k0};
      double cycles = l0Cycles(s, machine, core, t);
      if (cycles < bestCycles) {
        best = t;
        bestCycles = cycles;
      }
    }
  }
  return best;
}

struct L1Choice {
  Tile tile{0, 0, 0};
  bool rowsOuter = false;
  int64_t aDepth = 1, bDepth = 1;
  double cycles = std::numeric_limits<double>::max();
};

/// Cycles lost to GM: reloads beyond what compute hides, and the first tiles.
double gmCycles(const ContractionShape &s, const Machine &machine,
                const Tile &core, const L1Choice &c, double compute) {
  double mTiles = ceilDivide(core.m, c.tile.m);
  double nTiles = ceilDivide(core.n, c.tile.n);
  bool splitK = c.tile.k < s.k;
  double a = aBytes(s, c.tile.m, s.k), b = bBytes(s, c.tile.n, s.k);
  double aLoads = mTiles * (c.rowsOuter || mTiles == 1 ? 1 : nTiles);
  double bLoads = nTiles * (c.rowsOuter && nTiles > 1 ? mTiles : 1);
  if (splitK) {
    bLoads = mTiles * nTiles;
    aLoads = s.c1 != 0 ? aLoads : mTiles * nTiles;
  }
  double total = (a * aLoads + b * bLoads) / machine.portBytesPerCycle;
  double first = (aBytes(s, c.tile.m, s.c1 != 0 ? s.k : c.tile.k) +
                  bBytes(s, c.tile.n, c.tile.k)) /
                 machine.portBytesPerCycle;
  return std::max(total, compute) + first + mTiles * nTiles * 64;
}

bool fitsL1(const ContractionShape &s, const Machine &machine,
            const L1Choice &c) {
  return aBytes(s, c.tile.m, c.tile.k) * c.aDepth +
             bBytes(s, c.tile.n, c.tile.k) * c.bDepth +
             biasBytes(s, c.tile.n) * c.bDepth <=
         machine.l1;
}

void tryL1(const ContractionShape &s, const Machine &machine, const Tile &core,
           double compute, L1Choice c, L1Choice &best) {
  bool splitK = c.tile.k < s.k;
  for (bool rowsOuter : {false, true}) {
    for (int64_t depth : {2, 1}) {
      c.rowsOuter = rowsOuter;
      bool streamsA = c.tile.m < core.m || (splitK && s.c1 == 0);
      bool streamsB = c.tile.n < core.n || splitK;
      c.aDepth = streamsA ? depth : 1;
      c.bDepth = streamsB ? depth : 1;
      if (!fitsL1(s, machine, c)) {
        continue;
      }
      c.cycles =
          gmCycles(s, machine, core, c, compute) * (depth == 1 ? 1.3 : 1);
      if (c.cycles < best.cycles) {
        best = c;
      }
    }
  }
}

/// Sizes to try for a dimension: all multiples while few, then coarser.
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

/// The best L1 tile whose sizes are multiples of the units, k at most `k`.
L1Choice searchL1(const ContractionShape &s, const Machine &machine,
                  const Tile &core, double compute, const Tile &unit,
                  int64_t k) {
  L1Choice best;
  for (int64_t m : candidates(core.m, unit.m)) {
    for (int64_t n : candidates(core.n, unit.n)) {
      tryL1(s, machine, core, compute, {.tile = {m, n, k}}, best);
    }
  }
  return best;
}

L1Choice chooseL1(const ContractionShape &s, const Machine &machine,
                  const Tile &core, const Tile &l0) {
  double compute = l0Cycles(s, machine, core, l0);
  int64_t rows = s.c1 != 0 ? s.rowUnit : l0.m;
  Tile coarse{rows, roundUp(l0.n, s.nUnit), l0.k};
  Tile fine{s.c1 != 0 ? s.rowUnit : kCell, s.nUnit, l0.k};
  for (const Tile &unit : {coarse, fine}) {
    L1Choice best = searchL1(s, machine, core, compute, unit, s.k);
    if (best.tile.m != 0) {
      return best;
    }
  }
  for (int64_t k : candidates(s.k, l0.k)) {
    L1Choice best = searchL1(s, machine, core, compute, fine, k);
    if (k < s.k && best.tile.m != 0) {
      return best;
    }
  }
  return {};
}

Schedule contractionSchedule(const Tile &core, const L1Choice &l1,
                             const Tile &l0, const ContractionShape &s) {
  Schedule out;
  out.family = "contraction";
  std::vector<int64_t> order =
      l1.rowsOuter ? std::vector<int64_t>{0, 1} : std::vector<int64_t>{1, 0};
  out.levels = {{"cores", {core.m, core.n}, {}},
                {"l1", {l1.tile.m, l1.tile.n, l1.tile.k}, order},
                {"l0", {l0.m, l0.n, l0.k}, {}}};
  out.placements = {{"a", Space::L1, l1.aDepth},
                    {"b", Space::L1, l1.bDepth},
                    {"a", Space::L0A, 2},
                    {"b", Space::L0B, 2},
                    {"acc", Space::L0C, 2}};
  if (s.hasBias) {
    out.placements.push_back({"bias", Space::L1, l1.bDepth});
  }
  return out;
}

} // namespace

std::array<int64_t, isa::kNumSpaces>
contractionBytes(const ContractionShape &s, const Schedule &schedule) {
  std::array<int64_t, isa::kNumSpaces> bytes{};
  const Level *l1 = schedule.level("l1"), *l0 = schedule.level("l0");
  auto at = [&](Space space) -> int64_t & {
    return bytes[static_cast<unsigned>(space)];
  };
  at(Space::L1) =
      aBytes(s, l1->tile[0], l1->tile[2]) * schedule.depth("a", Space::L1) +
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
  Tile l0 = chooseL0(s, machine, core);
  if (l0.m == 0) {
    return Status(
        StatusCode::kDoesNotFit,
        fmt::format("contraction {}x{}x{}: a 16 x {} tile does not fit L0 or "
                    "UB of machine '{}'",
                    s.m, s.n, s.k, s.nUnit, arch.name));
  }
  L1Choice l1 = chooseL1(s, machine, core, l0);
  if (l1.tile.m == 0) {
    int64_t m = s.c1 != 0 ? s.rowUnit : kCell;
    return Status(
        StatusCode::kDoesNotFit,
        fmt::format("contraction {}x{}x{}: the smallest tile needs {} bytes of "
                    "L1, machine '{}' has {}",
                    s.m, s.n, s.k,
                    aBytes(s, m, l0.k) + bBytes(s, s.nUnit, l0.k), arch.name,
                    machine.l1));
  }
  l0.m = std::min(l0.m, roundUp(l1.tile.m, kCell));
  l0.n = std::min(l0.n, l1.tile.n);
  l0.k = std::min(depthOfL0(s, machine, l0.m, roundUp(l0.n, kCell)),
                  roundUp(l1.tile.k, blockElements(s)));
  return contractionSchedule(core, l1, l0, s);
}

int64_t vectorBytes(const VectorShape &s, const std::vector<int64_t> &tile) {
  int64_t total = 0;
  for (const VectorBuffer &b : s.buffers) {
    int64_t bytes = b.elementBytes;
    for (size_t i = b.dims.size(); i-- > 0;) {
      const DimUse &d = b.dims[i];
      int64_t extent = d.window;
      if (d.loop >= 0) {
        int64_t t = tile[d.loop] != 0 ? tile[d.loop] : s.loops[d.loop];
        extent = (std::min(t, s.loops[d.loop]) - 1) * d.stride + d.window;
      }
      bytes *= extent;
      if (i + 1 == b.dims.size()) {
        bytes = roundUp(bytes, kBlock);
      }
    }
    total += roundUp(bytes, kBlock) * b.depth;
  }
  return total;
}

namespace {

/// Spreads the outermost loops over the cores.
std::vector<int64_t> vectorCores(const VectorShape &s, int64_t maxCores) {
  std::vector<int64_t> tile(s.loops.size(), 0);
  int64_t left = maxCores;
  for (size_t i = 0; i < s.loops.size() && left > 1; ++i) {
    if (!s.cuttable[i] || s.loops[i] <= 1) {
      continue;
    }
    tile[i] = roundUp(ceilDivide(s.loops[i], std::min(left, s.loops[i])),
                      s.unit(i));
    left /= ceilDivide(s.loops[i], tile[i]);
  }
  return tile;
}

} // namespace

Result<Schedule> chooseVector(const VectorShape &s, const isa::ArchSpec &arch,
                              int64_t maxCores) {
  std::vector<int64_t> cores = vectorCores(s, maxCores);
  std::vector<int64_t> tile(s.loops.size());
  for (size_t i = 0; i < tile.size(); ++i) {
    tile[i] = cores[i] != 0 ? cores[i] : s.loops[i];
  }
  auto capacity = static_cast<int64_t>(arch.arch.capacity(Space::UB));
  // Cut from the outside: inner loops stay whole as long as possible.
  for (size_t i = 0; i < tile.size() && vectorBytes(s, tile) > capacity; ++i) {
    if (!s.cuttable[i]) {
      continue;
    }
    int64_t low = 1, high = std::max<int64_t>(tile[i], 1);
    while (low < high) { // the largest size that fits, or 1
      tile[i] = (low + high + 1) / 2;
      if (vectorBytes(s, tile) <= capacity) {
        low = tile[i];
      } else {
        high = tile[i] - 1;
      }
    }
    if (low < s.loops[i]) {
      low = std::max(roundDown(low, s.unit(i)), s.unit(i));
    }
    tile[i] = low;
  }
  if (vectorBytes(s, tile) > capacity) {
    return Status(StatusCode::kDoesNotFit,
                  fmt::format("vector kernel: the smallest tile needs {} bytes "
                              "of UB, machine '{}' has {}",
                              vectorBytes(s, tile), arch.name, capacity));
  }
  Schedule out;
  out.family = "vector";
  for (size_t i = 0; i < tile.size(); ++i) {
    int64_t whole = cores[i] != 0 ? cores[i] : s.loops[i];
    tile[i] = tile[i] >= whole ? 0 : tile[i];
  }
  out.levels = {{"cores", cores, {}}, {"ub", tile, {}}};
  return out;
}

} // namespace kiln::schedule
