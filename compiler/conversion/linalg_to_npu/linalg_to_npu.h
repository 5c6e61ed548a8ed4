// SPDX-License-Identifier: Apache-2.0
//
// linalg-to-npu: the placed, bufferised kernel to commands of the pipes. Every
// memref operation becomes commands on (base, byte offset, counts); views,
// linalg and the tensor-level npu operations are gone afterwards.
#pragma once

#include "mlir/Pass/Pass.h"

#include <memory>

namespace kiln::npu {

std::unique_ptr<mlir::Pass> createLinalgToNpuPass();

} // namespace kiln::npu
