// SPDX-License-Identifier: Apache-2.0
#include "simulator/core/kernel_text.h"

#include "isa/numerics/soft_float.h"

#include <cstring>
#include <fmt/format.h>

namespace kiln::sim {

namespace {

float floatOf(isa::ElementType type, uint64_t bits) {
  const uint32_t wide = isa::oracle::SoftFloat<>::convert(
      isa::oracle::formatOf(type), isa::oracle::kF32,
      static_cast<uint32_t>(bits) &
          (sizeOf(type) == 2 ? 0xffffu : 0xffffffffu));
  float value = 0;
  std::memcpy(&value, &wide, sizeof(value));
  return value;
}

/// A value as a placeholder asks for it; nothing when it is none.
std::optional<std::string> formatValue(std::string_view kind, uint64_t value) {
  if (kind == "d") {
    return fmt::format("{}", static_cast<int64_t>(value));
  }
  if (kind == "u") {
    return fmt::format("{}", value);
  }
  if (kind == "x") {
    return fmt::format("{:#x}", value);
  }
  if (kind == "f16") {
    return fmt::format("{}", floatOf(isa::ElementType::F16, value));
  }
  if (kind == "bf16") {
    return fmt::format("{}", floatOf(isa::ElementType::BF16, value));
  }
  if (kind == "f32") {
    return fmt::format("{}", floatOf(isa::ElementType::F32, value));
  }
  return std::nullopt;
}

} // namespace

std::string formatKernelText(std::string_view format,
                             const std::array<uint64_t, 2> &values,
                             unsigned numValues) {
  std::string out;
  unsigned next = 0;
  while (!format.empty()) {
    const size_t open = format.find('{');
    const size_t close =
        open == std::string_view::npos ? open : format.find('}', open);
    if (close == std::string_view::npos) {
      return out += format;
    }
    out += format.substr(0, open);
    std::optional<std::string> value;
    if (next < numValues) {
      value =
          formatValue(format.substr(open + 1, close - open - 1), values[next]);
    }
    if (value) {
      ++next;
      out += *value;
    } else {
      out += format.substr(open, close - open + 1);
    }
    format.remove_prefix(close + 1);
  }
  return out;
}

} // namespace kiln::sim
