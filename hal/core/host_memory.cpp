// SPDX-License-Identifier: Apache-2.0
#include "hal/core/host_memory.h"

#include "isa/support/units.h"

#include <cstdlib>
#include <cstring>
#include <string>
#include <unistd.h>

namespace kiln::hal {
namespace {

struct Free {
  void operator()(std::byte *p) const { std::free(p); }
};

class HostMemory : public DriverMemory {
public:
  HostMemory(const BufferRequest &request, std::unique_ptr<std::byte, Free> p,
             std::shared_ptr<std::atomic<uint64_t>> used)
      : DriverMemory(request), bytes_(std::move(p)), used_(std::move(used)) {}
  ~HostMemory() override {
    if (used_) {
      *used_ -= request().size;
    }
  }
  std::byte *hostAddress() override { return bytes_.get(); }

private:
  std::unique_ptr<std::byte, Free> bytes_;
  std::shared_ptr<std::atomic<uint64_t>> used_; // null: not counted
};

std::byte *at(const MemoryRange &range) {
  return range.memory->hostAddress() + range.offset;
}

} // namespace

Result<std::unique_ptr<DriverMemory>>
HostMemoryPool::allocate(const BufferRequest &request) {
  bool counted = request.type == MemoryType::kDevice;
  uint64_t before = counted ? used_->fetch_add(request.size) : 0;
  bool fits = request.size <= limit_ && before <= limit_ - request.size;
  std::unique_ptr<std::byte, Free> bytes;
  if (fits || !counted) {
    bytes.reset(static_cast<std::byte *>(std::aligned_alloc(
        kBufferAlignment, alignUp(request.size, kBufferAlignment))));
  }
  if (!bytes) {
    if (counted) {
      *used_ -= request.size;
    }
    return Status(StatusCode::kDoesNotFit,
                  "out of memory: " + std::to_string(request.size) +
                      " bytes wanted, " + std::to_string(before) + " of " +
                      std::to_string(limit_) + " in use");
  }
  return std::unique_ptr<DriverMemory>(std::make_unique<HostMemory>(
      request, std::move(bytes), counted ? used_ : nullptr));
}

uint64_t hostMemoryBytes() {
  long pages = sysconf(_SC_PHYS_PAGES);
  long pageBytes = sysconf(_SC_PAGE_SIZE);
  return pages > 0 && pageBytes > 0
             ? static_cast<uint64_t>(pages) * static_cast<uint64_t>(pageBytes)
             : 0;
}

Status copyOnHost(const CopyCommand &command) {
  std::memcpy(at(command.target), at(command.source), command.target.size);
  return Status::ok();
}

Status fillOnHost(const FillCommand &command) {
  std::byte *target = at(command.target);
  uint8_t unit[4];
  std::memcpy(unit, &command.pattern, sizeof(unit));
  for (uint64_t i = 0; i < command.target.size; i += command.patternBytes) {
    std::memcpy(target + i, unit, command.patternBytes);
  }
  return Status::ok();
}

Status uploadOnHost(const UploadCommand &command) {
  if (!command.data.empty()) {
    std::memcpy(at(command.target), command.data.data(), command.data.size());
  }
  return Status::ok();
}

} // namespace kiln::hal
