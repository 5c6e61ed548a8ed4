// SPDX-License-Identifier: Apache-2.0
#include "hal/format/plan_hazards.h"

#include <algorithm>
#include <string>
#include <tuple>

namespace kiln::hal {
namespace {

/// Bytes an op touches.
struct Touch {
  BufferKind kind;
  uint32_t index;
  int64_t begin;
  int64_t end;
  size_t op;
  bool write;

  auto key() const { return std::tuple(kind, index, begin); }
};

void add(std::vector<Touch> &touches, const BufferRef &ref, size_t op,
         bool write) {
  std::optional<int64_t> offset = constantValue(ref.offset);
  std::optional<int64_t> size = constantValue(ref.size);
  if (offset && size && *size > 0) {
    touches.push_back(
        {ref.kind, ref.index, *offset, *offset + *size, op, write});
  }
}

void addOp(std::vector<Touch> &touches, const PlanOp &op, size_t index) {
  if (const auto *dispatch = std::get_if<DispatchModel>(&op)) {
    for (const BindingModel &binding : dispatch->bindings) {
      add(touches, binding.buffer, index, writes(binding.access));
    }
  } else if (const auto *copy = std::get_if<CopyModel>(&op)) {
    add(touches, copy->source, index, false);
    add(touches, copy->target, index, true);
  } else if (const auto *fill = std::get_if<FillModel>(&op)) {
    add(touches, fill->target, index, true);
  }
}

bool conflict(const Touch &a, const Touch &b) {
  return a.op != b.op && (a.write || b.write);
}

/// Compares each touch with those that begin before its end.
Status checkSegment(std::vector<Touch> &touches) {
  std::ranges::sort(touches, {}, &Touch::key);
  for (size_t i = 0; i < touches.size(); ++i) {
    const Touch &a = touches[i];
    for (size_t j = i + 1; j < touches.size(); ++j) {
      const Touch &b = touches[j];
      if (b.kind != a.kind || b.index != a.index || b.begin >= a.end) {
        break;
      }
      if (conflict(a, b)) {
        return {StatusCode::kInvalidArgument,
                "ops " + std::to_string(std::min(a.op, b.op)) + " and " +
                    std::to_string(std::max(a.op, b.op)) +
                    " touch the same bytes of " + std::string(name(a.kind)) +
                    " " + std::to_string(a.index) + " at " +
                    std::to_string(b.begin) + " with no barrier between them"};
      }
    }
  }
  touches.clear();
  return Status::ok();
}

} // namespace

Status checkHazards(const FunctionModel &function) {
  std::vector<Touch> touches;
  for (size_t i = 0; i < function.ops.size(); ++i) {
    if (std::holds_alternative<BarrierModel>(function.ops[i])) {
      KILN_RETURN_IF_ERROR(checkSegment(touches));
    } else {
      addOp(touches, function.ops[i], i);
    }
  }
  return checkSegment(touches);
}

} // namespace kiln::hal
