// SPDX-License-Identifier: Apache-2.0
//
// Layouts of the CPU path: images [N, C, H, W] become [N, H, W, C] between
// dispatches.
//
//   if (failed(cpu::toChannelsLast(module))) ...   // after form-dispatches
//
// With the channels last, the lanes of a vector are channels: every image,
// however small, fills them, depthwise convolutions and pools read whole
// vectors, and padding and strides cost nothing. Rules, in program order:
//  - convolutions and pools read and write channels last; a convolution of few
//    channels reads them as they are (a model's input);
//  - elementwise dispatches and concats follow their operands;
//  - dispatches of one operation read through their indexing maps;
//  - everything else is row-major: a permuting dispatch is inserted, or a view
//    where the bytes are the same (one channel or one pixel).
// Constants are permuted by recipe steps when the package is written. Only
// indexing maps and types change; no operation is replaced by another.
#pragma once

#include "mlir/IR/BuiltinOps.h"

namespace kiln::cpu {

mlir::LogicalResult toChannelsLast(mlir::ModuleOp module);

} // namespace kiln::cpu
