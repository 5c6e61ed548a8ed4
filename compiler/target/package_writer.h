// SPDX-License-Identifier: Apache-2.0
//
// plan + code -> package: one plan operation becomes one instruction of the
// runtime, constants are evaluated, locations become the source map.
//
//   Result<hal::PackageModel> p = buildPackage(main, constants, code, info);
//   Result<std::vector<uint8_t>> bytes = hal::serialize(*p);
//
// Needs planArena() before. Equal inputs give equal packages.
#pragma once

#include "compiler/constants/constant_store.h"
#include "compiler/dialect/plan/plan_dialect.h"
#include "compiler/target/target.h"
#include "hal/format/package_model.h"

#include <string>
#include <vector>

namespace kiln::target {

/// What the package says about itself and its origin.
struct PackageInfo {
  std::string fingerprint; // of the compiler build
  std::string name;        // of the model
  std::string target;
  std::string machineName, machineHash;
  std::string precision;
  uint32_t isaVersion = 0;
  struct Node {
    std::string opType;
    std::string output; // the value it gives; empty: several
  };
  /// By line - 1 of the locations.
  std::vector<Node> nodes;
};

Result<hal::PackageModel> buildPackage(plan::FuncOp main,
                                       const ConstantStore &constants,
                                       const TargetCode &code,
                                       const PackageInfo &info);

} // namespace kiln::target
