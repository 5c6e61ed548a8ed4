// SPDX-License-Identifier: Apache-2.0
#include "hal/api/recording.h"

namespace kiln::hal {

Status Recording::add(Entry entry) {
  if (finished_) {
    return {StatusCode::kInvalidArgument, "the recording is finished"};
  }
  entries_.push_back(std::move(entry));
  return Status::ok();
}

Status Recording::dispatch(DispatchInfo info) {
  if (!info.program) {
    return {StatusCode::kInvalidArgument,
            "dispatch '" + info.label + "' has no program"};
  }
  return add(std::move(info));
}

Status Recording::copy(CommandRange source, CommandRange target) {
  return add(Copy{std::move(source), std::move(target)});
}

Status Recording::fill(CommandRange target, uint32_t pattern,
                       uint8_t patternBytes) {
  return add(Fill{std::move(target), pattern, patternBytes});
}

Status Recording::barrier() { return add(Barrier{}); }

Status Recording::finish() {
  if (finished_) {
    return {StatusCode::kInvalidArgument, "the recording is finished"};
  }
  finished_ = true;
  return Status::ok();
}

} // namespace kiln::hal
