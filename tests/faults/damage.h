// SPDX-License-Identifier: Apache-2.0
//
// Damaged copies of a file: the same ones on every machine.
//
//   for (size_t i = 0; i < kDamages; ++i) {
//     parse(truncated(whole, i));   // never the whole file
//     parse(flipped(whole, i));     // one bit differs
//   }
#pragma once

#include "isa/support/status.h"

#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace kiln::test {

constexpr size_t kDamages = 1000;
constexpr char kModel[] = "tools/digits/digits.onnx";

using Bytes = std::vector<uint8_t>;

/// splitmix64: the same damages on every machine.
inline uint64_t next(uint64_t &state) {
  uint64_t z = (state += 0x9e3779b97f4a7c15u);
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
  return z ^ (z >> 31);
}

/// At most kDamages different lengths.
inline Bytes truncated(const Bytes &whole, size_t i) {
  size_t size = i * (whole.size() - 1) / kDamages;
  return Bytes(whole.begin(), whole.begin() + static_cast<long>(size));
}

inline Bytes flipped(const Bytes &whole, uint64_t seed) {
  uint64_t state = seed;
  Bytes bytes = whole;
  uint64_t bit = next(state) % (bytes.size() * 8);
  bytes[bit / 8] ^= static_cast<uint8_t>(1u << (bit % 8));
  return bytes;
}

inline bool isDocumented(StatusCode code) {
  return code == StatusCode::kCorrupt || code == StatusCode::kUnsupported ||
         code == StatusCode::kInvalidArgument ||
         code == StatusCode::kDoesNotFit;
}

/// A code of kiln --help and a message.
inline void expectDocumented(const Status &status, const std::string &what) {
  EXPECT_TRUE(isDocumented(status.code()))
      << what << ": exit " << exitCode(status.code()) << ": "
      << status.message();
  EXPECT_FALSE(status.message().empty()) << what;
}

} // namespace kiln::test
