// SPDX-License-Identifier: Apache-2.0
//
// testOperator: everything `kiln test-op` checks of a one-file operator.
//
//   TestOptions options;
//   options.arch = &k1; options.runner = &engines;
//   Result<OperatorReport> report = testOperator("op.cpp", options);
//   report->passed(); toText(*report);
//
// For every declared and edge shape, or those of options.shapes: build; run on
// the functional engine in eager, lazy and random order, with flags and with a
// barrier after every command, and on the cycle engine; all with the checks
// for races, uninitialised reads, bounds and flags. All runs must give the same
// bits; they are compared with the reference by the tolerance that is declared
// for the output's type and the shape's attributes. (A
// kernel whose blocks add floats to one place may give different bits: then
// each run is compared.) Shapes that differ in dynamic sizes only run on one
// and the same kernel.
//
// An operator with knobs is tested with their defaults, or with those of the
// shape; then, of each shape without knobs of its own, with a few legal
// settings drawn by the seed (eager, one random order, cycle): results are
// right for every legal setting.
//
// A body runs on options.bodyRunner and is compared with the reference in the
// same way; of an operator without a kernel also on options.npuBodyRunner, and
// nothing else runs.
//
// A shape that fails is part of the report; the Status is for an operator that
// cannot be tested at all (does not compile, contradicts itself).
#pragma once

#include "tik_dsl/loader/operator_file.h"
#include "tik_dsl/testing/kernel_runner.h"

#include <functional>
#include <string>
#include <vector>

namespace kiln::tik {

struct TestOptions {
  LoadOptions load{};
  const isa::ArchSpec *arch = nullptr; // borrowed
  KernelRunner *runner = nullptr;      // borrowed
  BodyRunner *bodyRunner = nullptr;    // borrowed; null: bodies do not run
  BodyRunner *npuBodyRunner = nullptr; // for operators without a kernel
  uint32_t cores = 1;
  uint32_t randomOrders = 2;
  uint64_t seed = 1;
  bool functional = true; // run on the functional engine
  bool cycle = true;      // and on the cycle engine
  /// Replaces the declared shapes.
  std::vector<ShapeCase> shapes{};
  /// Values of knobs for every shape; not empty: no other setting is drawn.
  KnobValues knobs{};
  uint32_t settings = 3; // legal ones to draw for each shape
  /// Called before each shape, for a progress display.
  std::function<void(size_t index, size_t count, const std::string &shape)>
      progress{};
};

/// Worst element of all outputs.
struct Comparison {
  double maxAbs = 0;
  double maxUlp = 0;
  double ofTolerance = 0; // 1: an error as large as is allowed
  uint64_t elements = 0, wrong = 0;
  std::string worst; // "c[17]: got 1.5, expected 1.25", empty when all pass
};

/// The least cycles in which the machine can do the work, and what limits it:
/// the cube for the useful multiplications ("M"), the ports for every input
/// once ("read") and every output once ("write"), or the vector commands of
/// this kernel ("V").
struct Bound {
  std::string by; // empty: not known
  uint64_t cycles = 0;
  double share = 0; // of kernelCycles
};

Bound boundOf(const BoundShape &shape, const RunReport &run,
              const isa::ArchSpec &arch);
/// Useful multiplications over what the cube could do in kernelCycles.
double usefulShareOf(const BoundShape &shape, const RunReport &run,
                     const isa::ArchSpec &arch);

/// A body on a device; its problems are among those of the shape.
struct BodyReport {
  std::string device;
  bool passed = false;
  Comparison comparison;
};

struct ShapeReport {
  std::string shape;
  bool isEdge = false;
  std::vector<std::string> problems; // empty: passed
  /// Kind of the first problem: what a tool's exit code says.
  StatusCode code = StatusCode::kOk;
  uint32_t runs = 0;
  Comparison comparison;
  std::vector<std::string> tolerances; // of the outputs, with their sources
  std::vector<BodyReport> bodies;
  RunReport cycle;        // of the cycle engine
  double usefulShare = 0; // of the cube's peak in kernelCycles
  Bound bound;            // what the machine allows
  uint64_t usefulMacs = 0;
  double buildSeconds = 0;
  isa::KernelNote note;
  std::vector<std::string> remarks; // of the compiler: barriers it put in
  std::vector<std::string> printed; // by the first run
  /// Blocks add floats in the order they come: every run is compared with the
  /// reference, their bits may differ.
  bool orderDependent = false;
  KnobValues setting; // every knob, as the kernel was built
  /// The settings that were drawn; their problems are among `problems`.
  std::vector<ShapeReport> settings;
};

struct OperatorReport {
  std::string file, name, summary;
  double compileSeconds = 0;
  std::vector<ShapeReport> shapes;

  bool passed() const;
};

Result<OperatorReport> testOperator(const std::filesystem::path &file,
                                    const TestOptions &options);
/// The same for an operator that is loaded.
Result<OperatorReport> testOperator(const Operator &op,
                                    const TestOptions &options);

/// A table, with the problems below it.
std::string toText(const OperatorReport &report);

} // namespace kiln::tik
