// SPDX-License-Identifier: Apache-2.0
#include "hal/api/buffer.h"

#include "hal/api/driver.h"

namespace kiln::hal {

Buffer::Buffer(BufferRequest request, std::unique_ptr<DriverMemory> memory)
    : request_(request), memory_(std::move(memory)) {}

Buffer::~Buffer() = default;

Result<std::span<std::byte>> Buffer::map() {
  bool allowed =
      request_.type == MemoryType::kHost && (request_.usage & kUsageMap);
  std::byte *address = allowed ? memory_->hostAddress() : nullptr;
  if (!address) {
    return Status(StatusCode::kInvalidArgument,
                  "only host memory with usage map can be mapped; copy to a "
                  "buffer of MemoryType::kHost");
  }
  return std::span(address, request_.size);
}

} // namespace kiln::hal
