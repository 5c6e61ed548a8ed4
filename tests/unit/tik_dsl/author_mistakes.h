// SPDX-License-Identifier: Apache-2.0
//
// Kernels with one mistake each: `bad` is set to the line of the mistake while
// the kernel is built.
#pragma once

#include "tests/unit/tik_dsl/inline_operator.h"

#include <span>
#include <vector>

namespace kiln::tik {

inline uint32_t bad = 0;
#define BAD_NEXT bad = __LINE__ + 1

struct MistakeCase {
  const char *name;
  void (*kernel)(const Kernel &);
  uint32_t number;
  const char *text; // "@-3": the number of the line three above
};

/// Mistakes of single commands: memory, types, fields. Tensors are x, y (f16,
/// 4096) and z (f32, 64x20).
std::span<const MistakeCase> commandMistakes();

/// The same of masks, tables, lists, columns of FIX, texts, and of blocks that
/// meet.
std::span<const MistakeCase> meetingMistakes();

/// The same of dimensions and sizes.
std::span<const MistakeCase> memoryMistakes();

/// Numbers of the mistakes with knobs that knob_mistakes.cpp makes.
std::vector<uint32_t> knobMistakeNumbers();

} // namespace kiln::tik
