// SPDX-License-Identifier: Apache-2.0
//
// plan-arena: gives every tensor of a plan.func a place in global memory.
//
// Arguments are model inputs, returned values model outputs, constants
// themselves; every other value lies in one arena. Views (plan.slice) and the
// operands of plan.concat share the storage they view. Two storages may overlap
// when no operation needs both: intervals from first definition to last use in
// program order, placed by size, first fit at the lowest free offset
// (the same rule as for local memory).
//
//   ArenaOptions options;
//   options.workspaceBytes["conv_1"] = 4096;
//   if (failed(planArena(func, options))) ...
//   auto places = op->getAttrOfType<ArrayAttr>("plan.places");
#pragma once

#include "compiler/dialect/plan/plan_dialect.h"
#include "mlir/Support/LLVM.h"

#include <cstdint>
#include <map>
#include <string>

namespace kiln::plan {

struct ArenaOptions {
  /// Scratch bytes a dispatch function needs while it runs, by its name.
  std::map<std::string, uint64_t> workspaceBytes;
};

/// Attribute of plan.dispatch: the place of its workspace, when it has one.
constexpr char kWorkspaceAttr[] = "plan.workspace";

/// Unit attribute of plan.dispatch: its result [N, H, W, C] holds what the
/// model calls [N, C, H, W].
constexpr char kChannelsLastAttr[] = "channels_last";

/// Every returned value becomes one that may be written straight into a model
/// output: inputs, constants, repeated and partly viewed results get a
/// plan.copy.
void materializeOutputs(FuncOp func);

/// Sets `plan.places` on every operation with results, `plan.workspace` on
/// dispatches and `plan.arena_bytes` on the function. Runs
/// materializeOutputs() first.
mlir::LogicalResult planArena(FuncOp func, const ArenaOptions &options);

/// Where the bytes of `value` lie, after planArena().
PlaceAttr placeOf(mlir::Value value);

/// Bytes of a static tensor; sub-byte elements take whole bytes.
int64_t tensorBytes(mlir::Type type);

} // namespace kiln::plan
