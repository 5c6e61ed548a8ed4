// SPDX-License-Identifier: Apache-2.0
//
// Buffer: memory of a device.
//
//   auto weights = device.allocate({.size = 4096});
//   auto staging = device.allocate({.size = 4096, .type = MemoryType::kHost});
//   Result<std::span<std::byte>> bytes = (*staging)->map();
//
// Contract: at least 64-byte aligned; the content is undefined until written.
// A buffer lives as long as work that uses it is pending. Host memory may be
// mapped; the host touches mapped bytes only while no work uses them. Device
// memory is reached by Queue::upload and Queue::copy.
#pragma once

#include "isa/support/status.h"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

namespace kiln::hal {

class DriverMemory;

constexpr uint64_t kBufferAlignment = 64;

enum class MemoryType : uint8_t {
  kDevice, // what programs run on
  kHost    // staging: can be mapped, not bound to a dispatch
};

/// What a buffer may be used for; validation refuses other uses.
enum BufferUsage : uint32_t {
  kUsageDispatch = 1,
  kUsageCopySource = 2,
  kUsageCopyTarget = 4, // copy, fill and upload
  kUsageMap = 8,
};
constexpr uint32_t kUsageAll = 15;

struct BufferRequest {
  uint64_t size = 0; // bytes, 1 to 2^48
  MemoryType type = MemoryType::kDevice;
  uint32_t usage = kUsageAll; // BufferUsage bits
};

class Buffer {
public:
  Buffer(BufferRequest request, std::unique_ptr<DriverMemory> memory);
  ~Buffer();

  uint64_t size() const { return request_.size; }
  const BufferRequest &request() const { return request_; }

  /// The bytes of a host buffer, valid while the buffer lives.
  /// kInvalidArgument for device memory and without kUsageMap.
  Result<std::span<std::byte>> map();

  DriverMemory &memory() const { return *memory_; }

private:
  BufferRequest request_;
  std::unique_ptr<DriverMemory> memory_;
};

constexpr uint64_t kWholeSize = ~uint64_t{0};

/// Bytes [offset, offset + size) of a buffer. A range that reaches beyond the
/// buffer is kInvalidArgument where it is used.
struct BufferRange {
  std::shared_ptr<Buffer> buffer;
  uint64_t offset = 0;
  uint64_t size = kWholeSize; // up to the end
};

} // namespace kiln::hal
