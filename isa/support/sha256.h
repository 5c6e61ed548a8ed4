// SPDX-License-Identifier: Apache-2.0
//
// SHA-256 of a byte range: names content (machine files, package sections,
// kernels).
//
//   std::string hash = toHex(sha256(bytes));
//
// Source: FIPS 180-4, section 6.2. Pure functions, any thread.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string>

namespace kiln {

using Sha256 = std::array<uint8_t, 32>;

Sha256 sha256(std::span<const uint8_t> bytes);

/// Lower-case hexadecimal, two digits per byte.
std::string toHex(std::span<const uint8_t> bytes);

} // namespace kiln
