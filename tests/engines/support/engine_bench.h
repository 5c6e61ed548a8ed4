// SPDX-License-Identifier: Apache-2.0
//
// EngineBench: a machine with global memory and both engines, for tests.
//
//   EngineBench bench;                                // k1
//   uint64_t a = bench.upload(values);
//   LaunchRequest r = bench.request(program, {a, b, c});
//   LaunchReport report = bench.runFunctional(r);     // fails the test if not
#pragma once

#include "simulator/core/engine.h"

#include <cstring>
#include <gtest/gtest.h>
#include <memory>
#include <string>
#include <vector>

namespace kiln::test {

class EngineBench {
public:
  explicit EngineBench(std::string_view machine = "k1");

  /// Copies values into a new GM buffer and binds nothing.
  template <typename T> uint64_t upload(const std::vector<T> &values) {
    uint64_t address = allocate(values.size() * sizeof(T));
    std::memcpy(gm->host(GmAddr(address), values.size() * sizeof(T)),
                values.data(), values.size() * sizeof(T));
    return address;
  }
  template <typename T> std::vector<T> download(uint64_t address, size_t n) {
    std::vector<T> values(n);
    std::memcpy(values.data(), gm->host(GmAddr(address), n * sizeof(T)),
                n * sizeof(T));
    return values;
  }
  uint64_t allocate(uint64_t bytes);

  /// A launch of `program` with the whole buffers at these addresses bound.
  sim::LaunchRequest request(std::shared_ptr<const sim::Program> program,
                             const std::vector<uint64_t> &buffers = {});

  sim::LaunchReport runFunctional(const sim::LaunchRequest &request) {
    return run(*functional, request);
  }
  sim::LaunchReport runCycle(const sim::LaunchRequest &request) {
    return run(*cycle, request);
  }
  /// The fault a launch must end with.
  sim::FaultReport fault(sim::Engine &engine,
                         const sim::LaunchRequest &request);

  isa::ArchSpec arch;
  std::unique_ptr<sim::HostGlobalMemory> gm;
  std::unique_ptr<sim::Engine> functional;
  std::unique_ptr<sim::Engine> cycle;

private:
  sim::LaunchReport run(sim::Engine &engine, const sim::LaunchRequest &request);
  std::vector<sim::GmRange> buffers_;
};

/// The text of a file below the repository root.
std::string readText(const std::string &path);

} // namespace kiln::test
