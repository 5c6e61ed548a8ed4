// SPDX-License-Identifier: Apache-2.0
#include "simulator/core/host_global_memory.h"

#include <algorithm>
#include <fmt/format.h>
#include <sys/mman.h>

namespace kiln::sim {

Result<std::unique_ptr<HostGlobalMemory>>
HostGlobalMemory::create(uint64_t base, uint64_t bytes) {
  void *data = mmap(nullptr, bytes, PROT_READ | PROT_WRITE,
                    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (data == MAP_FAILED) {
    return Status(StatusCode::kDoesNotFit,
                  fmt::format("cannot reserve {} bytes of host address space "
                              "for global memory: raise the limit of virtual "
                              "memory or use a machine with less GM",
                              bytes));
  }
  return std::unique_ptr<HostGlobalMemory>(
      new HostGlobalMemory(base, bytes, static_cast<std::byte *>(data)));
}

HostGlobalMemory::HostGlobalMemory(uint64_t base, uint64_t bytes,
                                   std::byte *data)
    : base_(base), bytes_(bytes), data_(data) {
  free_[base] = bytes;
}

HostGlobalMemory::~HostGlobalMemory() { munmap(data_, bytes_); }

Result<GmAddr> HostGlobalMemory::allocate(Bytes size) {
  uint64_t bytes = alignUp(std::max<uint64_t>(size.count(), 1), kAlignment);
  uint64_t largest = 0;
  for (auto it = free_.begin(); it != free_.end(); ++it) {
    auto [address, available] = *it;
    largest = std::max(largest, available);
    if (size.count() > bytes_ || available < bytes) {
      continue;
    }
    free_.erase(it);
    if (available > bytes) {
      free_[address + bytes] = available - bytes;
    }
    live_[address] = bytes;
    allocated_ += bytes;
    return GmAddr(address);
  }
  return Status(StatusCode::kDoesNotFit,
                fmt::format("{} bytes of global memory asked for, the largest "
                            "free range of {} has {}",
                            size.count(), bytes_, largest));
}

Status HostGlobalMemory::free(GmAddr address) {
  auto it = live_.find(address.count());
  if (it == live_.end()) {
    return {StatusCode::kInvalidArgument,
            fmt::format("{:#x} is not the address of a live allocation",
                        address.count())};
  }
  auto [begin, bytes] = *it;
  live_.erase(it);
  allocated_ -= bytes;
  auto next = free_.lower_bound(begin);
  if (next != free_.end() && next->first == begin + bytes) {
    bytes += next->second;
    next = free_.erase(next);
  }
  if (next != free_.begin()) {
    auto previous = std::prev(next);
    if (previous->first + previous->second == begin) {
      previous->second += bytes;
      return Status::ok();
    }
  }
  free_[begin] = bytes;
  return Status::ok();
}

std::byte *HostGlobalMemory::host(GmAddr address, uint64_t bytes) {
  uint64_t offset = address.count() - base_;
  if (address.count() < base_ || offset > bytes_ || bytes > bytes_ - offset) {
    return nullptr;
  }
  return data_ + offset;
}

void HostGlobalMemory::bind(std::vector<GmRange> ranges, bool exact) {
  std::sort(
      ranges.begin(), ranges.end(),
      [](const GmRange &a, const GmRange &b) { return a.address < b.address; });
  bound_ = std::move(ranges);
  exact_ = exact;
}

std::byte *HostGlobalMemory::map(uint64_t address, uint64_t bytes,
                                 isa::Access access) {
  if (exact_) {
    bool inside =
        std::any_of(bound_.begin(), bound_.end(), [&](const GmRange &range) {
          return address >= range.address && bytes <= range.bytes &&
                 address - range.address <= range.bytes - bytes &&
                 (range.writable || access == isa::Access::kRead);
        });
    if (!inside) {
      return nullptr;
    }
  }
  return host(GmAddr(address), bytes);
}

std::string HostGlobalMemory::nearest(uint64_t address) const {
  const GmRange *best = nullptr;
  uint64_t distance = ~uint64_t{0};
  for (const GmRange &range : bound_) {
    uint64_t end = range.address + range.bytes;
    uint64_t d = address < range.address ? range.address - address
                 : address >= end        ? address - end
                                         : 0;
    if (d < distance) {
      distance = d;
      best = &range;
    }
  }
  if (!best) {
    return "no buffer is bound";
  }
  return fmt::format("the nearest bound buffer is [{:#x}, {:#x}){}",
                     best->address, best->address + best->bytes,
                     best->writable ? "" : ", read-only");
}

} // namespace kiln::sim
