// SPDX-License-Identifier: Apache-2.0
#include "tests/engines/random/laboratory.h"

#include <algorithm>
#include <random>

namespace kiln::test {

using sim::LaunchReport;
using sim::LaunchRequest;
using sim::Order;

namespace {

/// Every cycle of every pipe is accounted for.
std::string accounting(const LaunchReport &report) {
  for (unsigned p = 0; p < isa::kNumPipes; ++p) {
    if (report.pipes[p].total() != report.cycles * report.cores) {
      return "cycles of " + std::string(isa::kPipeNames[p]) + " do not add up";
    }
  }
  return {};
}

} // namespace

Laboratory::Laboratory(const char *machine)
    : bench(machine), gm(bench.allocate(kRandomGmBytes)) {
  std::mt19937_64 random(42);
  for (size_t i = 0; i < kRandomGmBytes; ++i) {
    initial.push_back(static_cast<std::byte>(random()));
  }
}

LaunchRequest Laboratory::request(const SyncedProgram &synced) {
  ProgramBuilder b;
  synced.emit(b);
  b.note.bindingCount = 1;
  LaunchRequest r = bench.request(b.program(), {gm});
  r.blockDim = r.cores = synced.blocks;
  return r;
}

std::string Laboratory::difference(const LaunchRequest &request, bool cycle,
                                   const std::vector<std::byte> &expected) {
  std::memcpy(bench.gm->host(GmAddr(gm), kRandomGmBytes), initial.data(),
              kRandomGmBytes);
  // A new engine each time: its local buffers are zero, as interpret()'s.
  auto engine = cycle ? sim::createCycleEngine(bench.arch, *bench.gm)
                      : sim::createFunctionalEngine(bench.arch, *bench.gm);
  Result<LaunchReport> report = engine->run(request);
  if (!report) {
    return report.status().message();
  }
  for (const sim::Finding &f : report->findings) {
    return f.text;
  }
  const auto *found = reinterpret_cast<const std::byte *>(
      bench.gm->host(GmAddr(gm), kRandomGmBytes));
  auto at = std::mismatch(expected.begin(), expected.end(), found);
  if (at.first != expected.end()) {
    return "GM differs from byte " + std::to_string(at.second - found);
  }
  return cycle ? accounting(*report) : std::string();
}

std::string Laboratory::differenceOfAny(const SyncedProgram &synced,
                                        const std::vector<std::byte> &expected,
                                        unsigned randomOrders) {
  LaunchRequest r = request(synced);
  for (Order order : {Order::kEager, Order::kLazy}) {
    r.order = order;
    r.checks.race = r.checks.flags = order == Order::kEager;
    std::string bad = difference(r, false, expected);
    if (!bad.empty()) {
      return (order == Order::kEager ? "eager: " : "lazy: ") + bad;
    }
  }
  r.order = Order::kRandom;
  for (r.seed = 1; r.seed <= randomOrders; ++r.seed) {
    std::string bad = difference(r, false, expected);
    if (!bad.empty()) {
      return "random order " + std::to_string(r.seed) + ": " + bad;
    }
  }
  std::string bad = difference(r, true, expected);
  return bad.empty() ? bad : "cycle: " + bad;
}

std::string Laboratory::check(const std::vector<Step> &steps, uint64_t seed,
                              unsigned randomOrders) {
  auto expected = interpret(bench.arch, gm, steps, initial);
  if (!expected) {
    return {}; // a shortened program that faults proves nothing
  }
  return differenceOfAny(synchronise(steps, bench.arch, seed), *expected,
                         randomOrders);
}

std::string Laboratory::run(const std::vector<Step> &steps, uint64_t seed,
                            unsigned randomOrders) {
  if (check(steps, seed, randomOrders).empty()) {
    return {};
  }
  const std::vector<Step> fewer =
      shrink(steps, [&](const std::vector<Step> &some) {
        return !check(some, seed, randomOrders).empty();
      });
  return "seed " + std::to_string(seed) + ": " +
         check(fewer, seed, randomOrders) + "\n" +
         synchronise(fewer, bench.arch, seed).text();
}

} // namespace kiln::test
