// SPDX-License-Identifier: Apache-2.0
//
// The texts of kprint and kassert.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace kiln::sim {

/// A line a kernel printed.
struct PrintedLine {
  uint32_t block = 0;
  uint64_t pc = 0;
  std::string text;
};

/// Fills the placeholders {d} {u} {x} {f16} {bf16} {f32} from left to right;
/// anything else stays as it is, a placeholder without a value too.
std::string formatKernelText(std::string_view format,
                             const std::array<uint64_t, 2> &values,
                             unsigned numValues);

} // namespace kiln::sim
