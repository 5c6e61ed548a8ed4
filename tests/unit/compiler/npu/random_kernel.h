// SPDX-License-Identifier: Apache-2.0
//
// Random kernels of npu commands: nested loops with run-time trip counts (zero
// too), ifs, buffers of depth 1 and 2 (or 3) at any level, all pipes, the
// control core's UB accesses, GM that is written and read again. Every buffer
// is written before it is read.
//
//   std::string text = randomKernel(seed);
//   // arguments: x (read), y (written), z (both), each kRandomKernelBytes;
//   // then three trip counts
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

namespace kiln::test {

constexpr size_t kRandomKernelBytes = 64 * 512;

/// MLIR text of a kernel named "random". Same seed, same text.
std::string randomKernel(uint64_t seed);

} // namespace kiln::test
