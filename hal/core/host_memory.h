// SPDX-License-Identifier: Apache-2.0
//
// Memory in the host's address space, with a limit, and the transfers on it:
// for drivers whose device memory is host memory, and for staging buffers.
//
//   HostMemoryPool pool(limitBytes);
//   Result<std::unique_ptr<DriverMemory>> memory = pool.allocate(request);
//
// Thread rule: any call from any thread. Memory may outlive the pool.
#pragma once

#include "hal/api/driver.h"

#include <atomic>
#include <memory>

namespace kiln::hal {

class HostMemoryPool {
public:
  /// The limit counts device memory; host staging is limited by the host.
  explicit HostMemoryPool(uint64_t limitBytes)
      : limit_(limitBytes),
        used_(std::make_shared<std::atomic<uint64_t>>(uint64_t{0})) {}

  /// kDoesNotFit beyond the limit or when the host has no memory left.
  Result<std::unique_ptr<DriverMemory>> allocate(const BufferRequest &request);

  uint64_t usedBytes() const { return *used_; }

private:
  uint64_t limit_;
  std::shared_ptr<std::atomic<uint64_t>> used_;
};

/// Physical memory of the host in bytes.
uint64_t hostMemoryBytes();

// Transfers between memories that the host can address.
Status copyOnHost(const CopyCommand &command);
Status fillOnHost(const FillCommand &command);
Status uploadOnHost(const UploadCommand &command);

} // namespace kiln::hal
