// SPDX-License-Identifier: Apache-2.0
//
// npu-plan-local-memory: addresses for every npu.alloc of a kernel.
//
//   LogicalResult ok = planLocalMemory(kernel, arch.capacityBytes);
//
// A buffer of depth N takes N * localBytes(type) bytes. It lives from its first
// to its last use in program order; a use inside a nested loop lives through
// that loop, and a buffer of depth above 1 through every loop that shares its
// slot counter. Buffers are placed by size, largest first, each at the lowest
// offset that is free over its lifetime (first fit; no optimality claimed).
// Those of UB are then moved where that lets V lose fewer cycles in banks and
// to commands in flight (place_buffers.h), those of L0C and their slots where
// FIX waits less for M (place_accumulators.h); a kernel that fits without this
// fits with it.
//
// Afterwards every npu.alloc carries `address`, `pitch` when its slots lie
// further apart than they are large, and one of depth N > 1 also its slot: a
// counter 0, 1, .. N-1, 0, .. that advances with every iteration of the loop the
// buffer lives in and is carried through the enclosing loops, so that it does
// not restart when an inner loop is entered again. Outside of loops a depth
// above 1 has no use and becomes 1.
//
// Errors: control flow other than scf.for and scf.if; a table of every buffer
// of the space that overflows (bytes, depth, lifetime, source line) and the
// remedy, as notes of one diagnostic.
#pragma once

#include "isa/arch/arch_spec.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Pass/Pass.h"

#include <array>

namespace kiln::npu {

/// Bytes of every local space, the entry of GM is not used; and what decides
/// between placements. Without a vector window buffers are placed by size
/// alone.
struct Capacities {
  std::array<uint64_t, isa::kNumSpaces> bytes{};
  isa::TimingPart timing{};
  uint32_t vectorWindow = 0; // commands of V in flight

  uint64_t operator[](unsigned space) const { return bytes[space]; }
  uint64_t &operator[](unsigned space) { return bytes[space]; }
};

Capacities capacitiesOf(const isa::ArchSpec &arch);

mlir::LogicalResult planLocalMemory(mlir::func::FuncOp kernel,
                                    const Capacities &capacities);

/// The same by size alone: faster, and fits whenever it fits.
mlir::LogicalResult planLocalMemoryBySize(mlir::func::FuncOp kernel,
                                          const Capacities &capacities);

/// Highest end of any buffer per space, after planning.
std::array<uint64_t, isa::kNumSpaces> usedBytes(mlir::func::FuncOp kernel);

/// The outermost loop of the unbroken nest of scf.for around `block`, null
/// when the block is not the body of a loop. Slot counters of buffers of this
/// block are carried through exactly these loops.
mlir::scf::ForOp outermostLoopOf(mlir::Block *block);

/// Takes the machine from the pass option `machine`.
std::unique_ptr<mlir::Pass> createPlanLocalMemoryPass();
std::unique_ptr<mlir::Pass>
createPlanLocalMemoryPass(const Capacities &capacities);

} // namespace kiln::npu
