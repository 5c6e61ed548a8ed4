// SPDX-License-Identifier: Apache-2.0
//
// The command-level passes of the NPU by their command-line names, for tools
// with a textual pipeline.
#pragma once

namespace mlir {
class DialectRegistry;
} // namespace mlir

namespace kiln::npu {

/// The npu and npu_isa dialects.
void registerNpuDialects(mlir::DialectRegistry &registry);

/// npu-plan-local-memory, npu-barrier-all, npu-insert-sync, npu-verify-sync,
/// npu-to-isa, npu-minimize-config, npu-kernel-entry.
void registerNpuPasses();

} // namespace kiln::npu
