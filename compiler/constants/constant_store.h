// SPDX-License-Identifier: Apache-2.0
//
// ConstantStore: where the bytes of weights live while a model is compiled.
//
// The IR names a constant (`plan.const @c12`); the bytes stay here and never
// enter an MLIR attribute. Equal content (type, shape, bytes) gets one id.
//
//   ConstantStore store;
//   std::string id = store.add({ElementType::kF32, {2, 3}, bytes});
//   const Constant *constant = store.find(id);   // nullptr when unknown
//
// Contract: `add` asserts that the byte count fits type and shape; ids are
// "c0", "c1", ... in order of first use, so equal inputs give equal ids.
// Pointers from find() stay valid until the store is destroyed.
// Threads: one writer, no concurrent readers.
#pragma once

#include "compiler/constants/element_type.h"

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace kiln {

struct Constant {
  ElementType type = ElementType::kF32;
  std::vector<int64_t> shape;
  std::vector<uint8_t> bytes;

  /// Product of the dimensions; 1 for a scalar.
  int64_t elementCount() const;
};

class ConstantStore {
public:
  ConstantStore() = default;
  ConstantStore(ConstantStore &&) = default;
  ConstantStore &operator=(ConstantStore &&) = default;

  /// Stores `constant`, or finds its equal. Returns the id.
  std::string add(Constant constant);

  /// The constant named `id`, nullptr when there is none.
  const Constant *find(std::string_view id) const;

  /// Number of distinct constants.
  size_t size() const { return constants_.size(); }

private:
  std::vector<std::unique_ptr<Constant>> constants_;
  std::multimap<uint64_t, size_t> byHash_;
};

} // namespace kiln
