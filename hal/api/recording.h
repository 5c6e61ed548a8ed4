// SPDX-License-Identifier: Apache-2.0
//
// Recording: a reusable list of commands with binding slots.
//
//   auto r = *device.createRecording();
//   r->dispatch({.program = conv, .bindings = {{SlotRange{0}, Access::kRead},
//                                              {arena, Access::kWrite}}});
//   r->barrier();
//   r->copy(arena, SlotRange{1});
//   r->finish();
//   queue.submit(r, {input, output}, {.signal = {{t, 1}}});
//
// Contract: commands between two barriers may run at the same time and in any
// order. A recording is filled by one thread, finished once, and submitted any
// number of times after that, also while an earlier submission runs. Ranges of
// slots are relative to the range bound at submission.
#pragma once

#include "hal/api/buffer.h"
#include "hal/api/program.h"

#include <optional>
#include <string>
#include <variant>
#include <vector>

namespace kiln::hal {

/// Bytes [offset, offset + size) of what is bound to a slot at submission.
struct SlotRange {
  uint32_t slot = 0;
  uint64_t offset = 0;
  uint64_t size = kWholeSize;
};

/// What a command works on.
using CommandRange = std::variant<BufferRange, SlotRange>;

struct CommandBinding {
  CommandRange range;
  Access access = Access::kReadWrite;
};

struct DispatchInfo {
  std::shared_ptr<Program> program;
  uint32_t entry = 0;  // of program->reflection().entries
  uint32_t blocks = 1; // at least 1
  /// Device memory, in the order the entry has them; offsets are multiples of
  /// DeviceDescription::bindingAlignment. Two may be the same range, or must
  /// not overlap where one is written.
  std::vector<CommandBinding> bindings{};
  std::vector<int64_t> constants{}; // in the order the entry has them
  std::string label{};              // in reports and messages
  /// Scratch memory for the program; undefined before and after.
  std::optional<CommandRange> workspace{};
};

class Recording {
public:
  struct Copy {
    CommandRange source, target;
  };
  struct Fill {
    CommandRange target;
    uint32_t pattern;
    uint8_t patternBytes;
  };
  struct Barrier {};
  using Entry = std::variant<DispatchInfo, Copy, Fill, Barrier>;

  // All are kInvalidArgument once the recording is finished. What a command
  // works on is checked when it is submitted.
  Status dispatch(DispatchInfo info);
  /// Ranges of equal size that do not overlap.
  Status copy(CommandRange source, CommandRange target);
  /// Repeats the low patternBytes (1, 2, 4) bytes of pattern; the target's size
  /// is a multiple of it.
  Status fill(CommandRange target, uint32_t pattern, uint8_t patternBytes = 4);
  /// Commands after it begin when all before it are finished and visible.
  Status barrier();
  Status finish();

  bool finished() const { return finished_; }
  const std::vector<Entry> &entries() const { return entries_; }

private:
  Status add(Entry entry);

  std::vector<Entry> entries_;
  bool finished_ = false;
};

} // namespace kiln::hal
