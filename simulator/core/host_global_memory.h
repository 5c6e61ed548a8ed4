// SPDX-License-Identifier: Apache-2.0
//
// HostGlobalMemory: the device's global memory in host pages that appear when
// they are first touched, an allocator over it, and the table of ranges that a
// launch may touch.
//
//   auto gm = HostGlobalMemory::create(arch.gmBase, arch.capacity(Space::GM));
//   Result<GmAddr> a = gm->allocate(Bytes(4096));
//   std::memcpy(gm->host(*a, 4096), data, 4096);
//   gm->bind({{a, 4096, true}});      // before a launch
//
// allocate() is first fit at 512-byte alignment and deterministic; a freed
// range is reused and its contents are undefined. Not thread-safe: the device
// that owns it serialises.
#pragma once

#include "isa/semantics/core_memory.h"
#include "isa/support/status.h"
#include "isa/support/units.h"

#include <map>
#include <memory>
#include <string>
#include <vector>

namespace kiln::sim {

/// Bytes of GM that a launch may touch.
struct GmRange {
  uint64_t address = 0;
  uint64_t bytes = 0;
  bool writable = true;
};

class HostGlobalMemory final : public isa::GlobalMemory {
public:
  static constexpr uint64_t kAlignment = 512; // the burst of k1

  /// kDoesNotFit when the host cannot reserve the address space.
  static Result<std::unique_ptr<HostGlobalMemory>> create(uint64_t base,
                                                          uint64_t bytes);
  ~HostGlobalMemory() override;
  HostGlobalMemory(const HostGlobalMemory &) = delete;
  HostGlobalMemory &operator=(const HostGlobalMemory &) = delete;

  /// kDoesNotFit names the request and the largest free range.
  Result<GmAddr> allocate(Bytes size);
  /// kInvalidArgument unless `address` came from allocate() and is live.
  Status free(GmAddr address);

  /// Host bytes of a range inside the memory, for upload and download; null
  /// when it is not inside.
  std::byte *host(GmAddr address, uint64_t bytes);

  /// The ranges map() accepts from now on. `exact` false: any byte of GM.
  void bind(std::vector<GmRange> ranges, bool exact = true);
  /// Text of the bound range nearest to `address`, for a bounds fault.
  std::string nearest(uint64_t address) const;

  std::byte *map(uint64_t address, uint64_t bytes, isa::Access access) override;

  uint64_t base() const { return base_; }
  uint64_t size() const { return bytes_; }
  uint64_t allocatedBytes() const { return allocated_; }

private:
  HostGlobalMemory(uint64_t base, uint64_t bytes, std::byte *data);

  uint64_t base_ = 0;
  uint64_t bytes_ = 0;
  std::byte *data_ = nullptr;
  uint64_t allocated_ = 0;
  std::map<uint64_t, uint64_t> live_; // address -> bytes
  std::map<uint64_t, uint64_t> free_; // address -> bytes, coalesced
  std::vector<GmRange> bound_;        // sorted, may overlap
  bool exact_ = true;
};

} // namespace kiln::sim
