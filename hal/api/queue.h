// SPDX-License-Identifier: Apache-2.0
//
// Queue: where work is handed to a device. Nothing is ordered by submission:
// two verbs are ordered only if one waits for what the other signals, on one
// queue as on two.
//
//   Queue queue = device.queue(0);
//   queue.upload({x}, bytes, {.signal = {{t, 1}}});
//   queue.dispatch(info, {.wait = {{t, 1}}, .signal = {{t, 2}}});
//   queue.copy({y}, {staging}, {.wait = {{t, 2}}, .signal = {{t, 3}}});
//   KILN_RETURN_IF_ERROR(t->wait(3));
//
// Contract: a verb returns when the work is accepted; what happens later (a
// fault, a lost device) fails the timelines it would have signalled. A verb
// that returns an error has submitted nothing and signals nothing.
//
// Thread rule: any call from any thread. A queue is a handle; it must not
// outlive its device.
#pragma once

#include "hal/api/recording.h"
#include "hal/api/timeline.h"

#include <functional>
#include <span>

namespace kiln::hal {

class DriverDevice;

/// Told about each finished dispatch of a submission, on a thread of the
/// device, before the submission signals. `command` counts the commands of the
/// submission. Must not block and must not call the device.
using DispatchObserver =
    std::function<void(size_t command, const ProgramReport &report)>;

class Queue {
public:
  Queue(DriverDevice &device, uint32_t index)
      : device_(&device), index_(index) {}

  /// Writes `data` to the start of target, which may be longer; the bytes are
  /// copied at the call.
  Status upload(const BufferRange &target, std::span<const std::byte> data,
                Sync sync);
  /// Ranges of equal size that do not overlap.
  Status copy(const BufferRange &source, const BufferRange &target, Sync sync);
  /// Repeats the low patternBytes (1, 2, 4) bytes of pattern; the target's size
  /// is a multiple of it.
  Status fill(const BufferRange &target, uint32_t pattern, uint8_t patternBytes,
              Sync sync);
  /// Runs `info`, whose ranges name buffers and no slots.
  Status dispatch(const DispatchInfo &info, Sync sync,
                  DispatchObserver observer = {});
  /// Runs a finished recording; bindings[i] fills slot i. kInvalidArgument for
  /// a recording that is not finished, and for a slot that nothing fills.
  Status submit(const std::shared_ptr<const Recording> &recording,
                std::vector<BufferRange> bindings, Sync sync,
                DispatchObserver observer = {});
  /// Signals when everything waited for is reached.
  Status barrier(Sync sync);

private:
  Status submitEntries(std::span<const Recording::Entry> entries,
                       const std::vector<BufferRange> &slots, Sync sync,
                       DispatchObserver observer);

  DriverDevice *device_;
  uint32_t index_;
};

} // namespace kiln::hal
