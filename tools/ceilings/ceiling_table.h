// SPDX-License-Identifier: Apache-2.0
//
// The table of ceilings as data: which kernel at which shape must reach which
// share of the machine. `kiln bench --table` prints it, tik_cycles_test holds
// its cycles.
//
//   Result<CeilingTable> table = readCeilings("examples/ceilings.yaml");
//   for (const CeilingRow &row : table->rows) ...
//
// The file is YAML, a list of rows; its head documents the keys. Errors are
// kCorrupt with file, line and what was expected.
#pragma once

#include "isa/arch/arch_spec.h"
#include "tik_dsl/builder/operator_decl.h"

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace kiln::tools {

/// What a share is of; row_share.h computes it. All are shares of the time
/// from the first command's start to the last retire.
enum class ShareOf : uint8_t {
  kCube,           // "cube": useful products over the cube's peak
  kVector,         // "V": V works (waits for banks do not count)
  kVectorResident, // "V, data in UB": the same from V's first command to its
                   // last, what comes before and after not counted
  kMultiplyAdd,    // "V multiply-add": useful products over V's peak of those
  kReadPort,       // "read port": every input once
  kHbm,            // "HBM": every input once over the peak of the memory's pins
  kHbmBusy,        // "HBM busy": what the memory moved over the same peak
};
constexpr unsigned kNumShares = 7;
constexpr const char *kShareNames[kNumShares] = {
    "cube",      "V",   "V, data in UB", "V multiply-add",
    "read port", "HBM", "HBM busy"};

/// An operator of the compiler instead of an example.
struct CompilerOperator {
  std::string name; // empty: an example
  std::vector<std::string> shapes, attributes;
};

/// A second run: the machine with an effect switched off.
struct WithoutEffect {
  std::string effect; // in words
  isa::MachineKeys keys;
};

struct CeilingRow {
  std::string name;
  std::string example; // stem of a file beside the table
  tik::ShapeCase settings;
  CompilerOperator op;
  std::string machine = "k1";
  uint32_t cores = 1;
  ShareOf share = ShareOf::kCube;
  double ceiling = 0, bar = 0; // percent; 0: none
  bool isLong = false;         // over 5 million cycles: the long set
  bool data = false; // the kernel reads values: run it with seeded inputs
  std::optional<WithoutEffect> without;
};

/// The geometric mean of rows, some of them several times.
struct CeilingGroup {
  struct Member {
    size_t row = 0; // of CeilingTable::rows
    uint32_t times = 1;
  };
  std::string name;
  std::vector<Member> members;
  double ceiling = 0, bar = 0;
};

struct CeilingTable {
  std::vector<CeilingRow> rows;
  std::vector<CeilingGroup> groups;
};

Result<CeilingTable> parseCeilings(const std::string &text,
                                   const std::string &origin);
Result<CeilingTable> readCeilings(const std::filesystem::path &file);

} // namespace kiln::tools
