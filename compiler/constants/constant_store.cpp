// SPDX-License-Identifier: Apache-2.0
#include "compiler/constants/constant_store.h"

#include <cassert>
#include <charconv>
#include <string_view>

namespace kiln {

int64_t Constant::elementCount() const {
  int64_t count = 1;
  for (int64_t dim : shape) {
    count *= dim;
  }
  return count;
}

// FNV-1a over 8-byte words; a collision only costs a comparison.
static uint64_t hashBytes(const std::vector<uint8_t> &bytes, uint64_t hash) {
  constexpr uint64_t kPrime = 0x100000001b3;
  size_t i = 0;
  for (; i + 8 <= bytes.size(); i += 8) {
    uint64_t word = 0;
    for (size_t k = 0; k < 8; ++k) {
      word |= static_cast<uint64_t>(bytes[i + k]) << (8 * k);
    }
    hash = (hash ^ word) * kPrime;
    hash ^= hash >> 29;
  }
  for (; i < bytes.size(); ++i) {
    hash = (hash ^ bytes[i]) * kPrime;
  }
  return hash;
}

static uint64_t hashConstant(const Constant &constant) {
  uint64_t hash = 0xcbf29ce484222325 + static_cast<uint64_t>(constant.type);
  for (int64_t dim : constant.shape) {
    hash = (hash ^ static_cast<uint64_t>(dim)) * 0x100000001b3;
  }
  return hashBytes(constant.bytes, hash);
}

std::string ConstantStore::add(Constant constant) {
  assert(constant.bytes.size() == static_cast<size_t>(constant.elementCount()) *
                                      elementBytes(constant.type) &&
         "bytes of a constant must fit its type and shape");
  uint64_t hash = hashConstant(constant);
  auto [first, last] = byHash_.equal_range(hash);
  for (auto it = first; it != last; ++it) {
    const Constant &other = *constants_[it->second];
    if (other.type == constant.type && other.shape == constant.shape &&
        other.bytes == constant.bytes) {
      return "c" + std::to_string(it->second);
    }
  }
  byHash_.emplace(hash, constants_.size());
  constants_.push_back(std::make_unique<Constant>(std::move(constant)));
  return "c" + std::to_string(constants_.size() - 1);
}

const Constant *ConstantStore::find(std::string_view id) const {
  if (id.size() < 2 || id[0] != 'c') {
    return nullptr;
  }
  size_t index = 0;
  auto [end, error] =
      std::from_chars(id.data() + 1, id.data() + id.size(), index);
  if (error != std::errc() || end != id.data() + id.size() ||
      index >= constants_.size()) {
    return nullptr;
  }
  return constants_[index].get();
}

} // namespace kiln
