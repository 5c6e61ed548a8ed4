// SPDX-License-Identifier: Apache-2.0
//
// Package: a verified view of the bytes of a .kiln file.
//
//   Result<Package> package = Package::parse(bytes);
//   if (!package) return package.status();       // kCorrupt, exit code 3
//   const PackageModel &model = package->model();
//   Result<std::span<const uint8_t>> w = package->constantBytes(0);
//
// parse() verifies, before it looks at any content: the index, the place of
// every section, the hashes of model, plan, source map and programs; then the
// FlatBuffers structure of each section and every index, offset and size in it
// (validate()). The hash of a constant is checked by its first
// constantBytes(). A failure is kCorrupt and names the section; a package that
// needs a newer reader is kUnsupported.
//
// The bytes are borrowed: keep them alive and unchanged. Blobs of the model
// borrow from them too.
//
// Thread rule: const calls from any thread.
#pragma once

#include "hal/format/package_model.h"
#include "isa/support/sha256.h"

#include <atomic>
#include <memory>
#include <span>
#include <string>
#include <vector>

namespace kiln::hal {

constexpr uint32_t kPackageFormatVersion = 1;

/// A part of the file, for listings.
struct SectionInfo {
  std::string name; // "plan", "program 0 'k'", "constant 3 'w1'"
  uint64_t offset = 0;
  uint64_t size = 0;
  Sha256 hash{};
};

class Package {
public:
  static Result<Package> parse(std::span<const uint8_t> bytes);

  /// Blobs of constants in it are not verified: use constantBytes().
  const PackageModel &model() const { return model_; }
  const std::vector<SectionInfo> &sections() const { return sections_; }

  /// The bytes of constant `index`, verified against their hash.
  Result<std::span<const uint8_t>> constantBytes(uint32_t index) const;

private:
  Package() = default;

  PackageModel model_;
  std::vector<SectionInfo> sections_;
  std::vector<uint32_t> constantSections_;
  /// One flag per constant: its hash was found right.
  std::unique_ptr<std::atomic<bool>[]> verified_;
};

} // namespace kiln::hal
