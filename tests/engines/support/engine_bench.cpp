// SPDX-License-Identifier: Apache-2.0
#include "tests/engines/support/engine_bench.h"

#include <fstream>
#include <sstream>

namespace kiln::test {

EngineBench::EngineBench(std::string_view machine)
    : arch(*isa::loadArchSpec(machine)),
      gm(*sim::HostGlobalMemory::create(arch.arch.gmBase,
                                        arch.arch.capacity(isa::Space::GM))),
      functional(sim::createFunctionalEngine(arch, *gm)),
      cycle(sim::createCycleEngine(arch, *gm)) {}

uint64_t EngineBench::allocate(uint64_t bytes) {
  uint64_t address = gm->allocate(Bytes(bytes))->count();
  buffers_.push_back({address, bytes, true});
  return address;
}

sim::LaunchRequest
EngineBench::request(std::shared_ptr<const sim::Program> program,
                     const std::vector<uint64_t> &buffers) {
  sim::LaunchRequest r;
  r.program = std::move(program);
  for (uint64_t address : buffers) {
    for (const sim::GmRange &range : buffers_) {
      if (range.address == address) {
        r.bindings.push_back(range);
      }
    }
  }
  return r;
}

sim::LaunchReport EngineBench::run(sim::Engine &engine,
                                   const sim::LaunchRequest &request) {
  Result<sim::LaunchReport> report = engine.run(request);
  EXPECT_TRUE(report.isOk()) << report.status().message();
  return report ? *report : sim::LaunchReport();
}

sim::FaultReport EngineBench::fault(sim::Engine &engine,
                                    const sim::LaunchRequest &request) {
  Result<sim::LaunchReport> report = engine.run(request);
  EXPECT_FALSE(report.isOk()) << "the launch ended without a fault";
  EXPECT_TRUE(engine.lastFault().has_value()) << report.status().message();
  return engine.lastFault().value_or(sim::FaultReport());
}

std::string readText(const std::string &path) {
  std::ifstream in(path, std::ios::binary);
  EXPECT_TRUE(in.good()) << "cannot read " << path;
  std::ostringstream text;
  text << in.rdbuf();
  return text.str();
}

} // namespace kiln::test
