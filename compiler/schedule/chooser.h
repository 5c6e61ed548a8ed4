// SPDX-License-Identifier: Apache-2.0
//
// The heuristic chooser: from the shape of a kernel and a machine to a
// Schedule that fits. A tuner may replace it; everything below it stays.
//
//   ContractionShape s{.m = 3136, .n = 64, .k = 576, .rowUnit = 56, ...};
//   Result<Schedule> r = chooseContraction(s, arch, /*maxCores=*/32);
//
// Capacity is a promise: the bytes of all placed buffers times their depths
// never exceed the machine's spaces (contractionBytes() recounts them, the
// unit test does so for many shapes). Nothing fits: kDoesNotFit names the
// smallest tile tried and its bytes.
//
// Rules (slice.md section 3): a tile of A and of B fills at most half of
// L0A/L0B, a tile of C half of L0C, so that both halves alternate; then the
// fewest cycles of the slower of cube and L0 traffic, then the fewest GM
// bytes. The cycle model uses ArchSpec's rates only as ratios.
#pragma once

#include "compiler/schedule/schedule.h"
#include "isa/arch/arch_spec.h"

#include <array>

namespace kiln::schedule {

/// C[m,n] = A[m,k] * B[k,n] with physical operands as the cube wants them.
struct ContractionShape {
  int64_t m = 1, n = 1, k = 1;
  int64_t elementBytes = 2; // of A and B
  int64_t outBytes = 2;     // of C in GM
  /// m is cut at L1 and core level in multiples of this: the output width of
  /// a convolution, 1 for a matrix product.
  int64_t rowUnit = 1;
  /// n is cut in multiples of this at core and L1 level (a multiple of 16).
  int64_t nUnit = 16;
  /// Convolution: image [c1, height, width, C0] behind A. 0: A is a matrix.
  int64_t c1 = 0, height = 0, width = 0;
  int64_t kernelHeight = 1, strideHeight = 1, dilationHeight = 1;
  /// Columns of A per block of channels: KH * KW * C0. Where k is cut in L1 in
  /// multiples of it, the image may be cut in C1 (placement "slice").
  int64_t kUnit = 0;
  /// The epilogue runs on V: bytes of UB per element of C (temporaries and
  /// other inputs included); 0: FIX writes C to GM.
  int64_t epilogueBytes = 0;
  bool hasBias = false;
};

/// Bytes of all placed buffers of a contraction, by memory space.
std::array<int64_t, isa::kNumSpaces> contractionBytes(const ContractionShape &,
                                                      const Schedule &);

Result<Schedule> chooseContraction(const ContractionShape &shape,
                                   const isa::ArchSpec &arch,
                                   int64_t maxCores = 1);

/// One dimension of a vector kernel's buffer: the extent it has for a tile t
/// of loop `loop` and a tile u of loop `inner` (a window that is cut) is
/// ceil(((t - 1) * stride + (u - 1) * innerStride + window) / divide); a loop
/// of -1 counts nothing.
struct DimUse {
  int64_t loop = -1;
  int64_t stride = 1;
  int64_t window = 1;
  int64_t divide = 1;
  int64_t inner = -1;
  int64_t innerStride = 1;
};

/// A buffer in UB. The innermost dimension is rounded up to 32 bytes.
struct VectorBuffer {
  std::vector<DimUse> dims;
  int64_t elementBytes = 4;
  int64_t depth = 1;
};

struct VectorShape {
  /// Extent of each loop of the root, then of the reductions' loops.
  std::vector<int64_t> loops;
  std::vector<bool> cuttable; // parallel loops that may be cut
  std::vector<VectorBuffer> buffers;
  /// Loops that are cut last, in several passes over the data: those of
  /// reductions, and the root's loops that a reduction must be over before.
  std::vector<bool> passes = {};
  /// Passes that keep tiles of their own, each as large as all buffers.
  int64_t passCount = 1;
  /// Number of loops of the root; 0: all.
  size_t rootLoops = 0;
  /// Tile sizes of a loop are multiples of its unit; missing ones are 1.
  std::vector<int64_t> units = {};

  int64_t unit(size_t loop) const {
    return loop < units.size() ? units[loop] : 1;
  }
};

/// UB bytes of a vector kernel for one tile size per loop (0: not cut).
/// Level "passes" of the schedule, only when needed, has a size per loop.
int64_t vectorBytes(const VectorShape &shape, const std::vector<int64_t> &tile);

Result<Schedule> chooseVector(const VectorShape &shape,
                              const isa::ArchSpec &arch, int64_t maxCores = 1);

} // namespace kiln::schedule
