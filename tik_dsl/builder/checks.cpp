// SPDX-License-Identifier: Apache-2.0
//
// Checks that all commands share: placement, alignment, bounds, fields,
// overlap, types. The limits of fields are those of the instruction words
// (isa/spec); the npu dialect's verifier checks the same once more.
#include "tik_dsl/builder/kernel_builder.h"

#include "isa/support/units.h"

using namespace mlir;

namespace kiln::tik {

namespace {

constexpr int64_t kMaxRowStride = (1 << 16) - 1;
constexpr int64_t kMaxBlockStride = 255;

std::string namesOf(const std::vector<isa::Space> &spaces) {
  std::string text;
  for (isa::Space space : spaces) {
    text += (text.empty() ? "" : " or ") + std::string(isa::name(space));
  }
  return text;
}

std::string plural(int64_t n, const char *unit) {
  return std::to_string(n) + " " + unit + (n == 1 ? "" : "s");
}

} // namespace

/// Whether a value is certain to be above `most` in some execution.
bool KernelBuilder::exceeds(const Facts &value, int64_t most) const {
  return value.low > most ||
         (value.reachesHigh && value.high > most && !insideWhen());
}

std::optional<CheckedOperand> KernelBuilder::operand(const KilnTikPlace &place,
                                                     const OperandRule &rule) {
  const MemoryEntry *entry = memory(place.memory);
  if (entry == nullptr) {
    return std::nullopt;
  }
  const std::string who =
      "the " + std::string(rule.role) + " '" + entry->name + "'";
  if (!llvm::is_contained(rule.spaces, entry->space)) {
    mistake(Mistake::kWrongSpace,
            who + " lies in " + std::string(isa::name(entry->space)) +
                "; this instruction wants it in " + namesOf(rule.spaces));
    return std::nullopt;
  }
  CheckedOperand result{entry, entry->base, Value(), Facts::constant(0),
                        rule.extent.value_or(Facts::constant(0))};
  if (place.offset == 0) {
    result.offset = index(0);
  } else {
    result.offset = indexOf(place.offset);
    result.offsetFacts = factsOf(place.offset);
    result.perBlock = isPerBlock(place.offset);
  }
  if (!result.offset || !aligned(who, result.offsetFacts, rule.align) ||
      !inside(who, result)) {
    return std::nullopt;
  }
  noteUse(place.memory, rule.use);
  return result;
}

/// Remembers who reads and writes a memory, for checkUses().
void KernelBuilder::noteUse(KilnTikMemory handle, Use use) {
  MemoryEntry &entry = memories_[handle];
  entry.written |= use != Use::kRead;
  entry.stored |= use == Use::kWrite;
  if (use == Use::kAccumulate && entry.accumulated.line == 0) {
    entry.accumulated = line_;
  }
  const bool reads = use == Use::kRead || use == Use::kUpdate;
  if (reads && entry.firstRead.line == 0) {
    entry.firstRead = line_;
    entry.firstReader = call_;
  }
}

bool KernelBuilder::aligned(const std::string &who, const Facts &offset,
                            int64_t align) {
  if (offset.isMultipleOf(align)) {
    return true;
  }
  const std::string begins =
      offset.isConstant()
          ? " begins at byte " + std::to_string(offset.low)
          : " begins at an offset that is only known to be a multiple of " +
                plural(offset.divisor, "byte");
  mistake(Mistake::kMisaligned,
          who + begins + "; a multiple of " + std::to_string(align) +
              " is needed" +
              (offset.isConstant() ? "" : " (see assumeMultiple)"));
  return false;
}

bool KernelBuilder::inside(const std::string &who,
                           const CheckedOperand &operand) {
  const Facts &offset = operand.offsetFacts;
  if (exceeds(negate(offset), 0)) {
    mistake(Mistake::kBeforeBuffer, who + " begins at byte " +
                                        std::to_string(offset.low) +
                                        ", before its first byte");
    return false;
  }
  const Facts end = offset + operand.extent;
  const int64_t bytes = operand.memory->bytes;
  if (exceeds(end, bytes)) {
    mistake(Mistake::kOutOfBounds,
            who + " is accessed up to byte " +
                std::to_string(end.reachesHigh ? end.high : end.low) +
                "; it has " + plural(bytes, "byte"));
    return false;
  }
  return true;
}

Value KernelBuilder::count(const char *name, KilnTikValue handle, int64_t most,
                           Mistake number) {
  Value count = indexOf(handle);
  if (!count) {
    return {};
  }
  const Facts facts = factsOf(handle);
  if (exceeds(facts, most)) {
    mistake(number,
            std::string(name) + " reaches " +
                std::to_string(facts.reachesHigh ? facts.high : facts.low) +
                "; the instruction takes at most " + std::to_string(most));
    return {};
  }
  if (exceeds(negate(facts), 0)) {
    mistake(Mistake::kNegativeCount, std::string(name) + " is " +
                                         std::to_string(facts.low) +
                                         "; a count is not negative");
    return {};
  }
  // What a field cannot hold is cut off, and no engine sees it.
  constexpr int64_t kNoBound = (int64_t{1} << 31) - 1;
  if (facts.high >= kNoBound && most < kNoBound && !insideWhen()) {
    mistake(number, std::string(name) +
                        " has no bound; the instruction takes at most " +
                        std::to_string(most) + ": use min()");
    return {};
  }
  return count;
}

bool KernelBuilder::inRange(const char *name, int64_t value, int64_t least,
                            int64_t most, Mistake number) {
  if (value >= least && value <= most) {
    return true;
  }
  mistake(number, std::string(name) + " is " + std::to_string(value) + "; " +
                      std::to_string(least) + " to " + std::to_string(most) +
                      " is possible");
  return false;
}

bool KernelBuilder::strides(const char *role, const KilnTikView &view) {
  if (view.row_stride == KILN_TIK_ODD_PITCH) {
    mistake(Mistake::kOddPitch, "rows of the " + std::string(role) +
                                    " are not a multiple of 32 bytes apart");
    return false;
  }
  const bool row = view.row_stride >= 0 && view.row_stride <= kMaxRowStride;
  const bool block =
      view.block_stride >= 0 && view.block_stride <= kMaxBlockStride;
  if (row && block) {
    return true;
  }
  mistake(
      Mistake::kStrideRange,
      "the " + std::string(row ? "block" : "row") + " stride of the " + role +
          " is " + plural(row ? view.block_stride : view.row_stride, "block") +
          "; 0 to " + std::to_string(row ? kMaxBlockStride : kMaxRowStride) +
          " is possible");
  return false;
}

bool KernelBuilder::sameType(const CheckedOperand &a, const CheckedOperand &b) {
  if (a.memory->type == b.memory->type) {
    return true;
  }
  mistake(Mistake::kTypeMix, "'" + a.memory->name + "' is " +
                                 std::string(isa::name(a.memory->type)) +
                                 " and '" + b.memory->name + "' is " +
                                 std::string(isa::name(b.memory->type)) +
                                 "; the types must be equal (cast() converts)");
  return false;
}

/// The rows of a destination lie apart, and a command writes no block twice.
bool KernelBuilder::distinctRows(const char *role, const KilnTikView &view,
                                 const Facts &rows, const Facts &rowBytes) {
  const bool severalRows = exceeds(rows, 1);
  const bool severalBlocks = exceeds(rowBytes, isa::kBlockBytes);
  if ((severalRows && view.row_stride == 0) ||
      (severalBlocks && view.block_stride == 0)) {
    mistake(
        Mistake::kRepeatedDestination,
        std::string(view.row_stride == 0 && severalRows ? "rows" : "blocks") +
            " of the " + role +
            " lie 0 apart: each would overwrite the one before");
    return false;
  }
  const int64_t pitch = view.row_stride * int64_t{isa::kBlockBytes};
  if (severalRows && view.block_stride == 1 && exceeds(rowBytes, pitch)) {
    mistake(Mistake::kTooWide,
            "the tile's rows take " +
                std::to_string(rowBytes.reachesHigh ? rowBytes.high
                                                    : rowBytes.low) +
                " bytes; rows of the " + role + " are " +
                std::to_string(pitch) + " bytes apart");
    return false;
  }
  return true;
}

bool KernelBuilder::differentBuffers(const CheckedOperand &a,
                                     const CheckedOperand &b) {
  if (a.memory != b.memory) {
    return true;
  }
  mistake(Mistake::kSameBuffer, "'" + a.memory->name +
                                    "' is destination and source; " + call_ +
                                    " needs two buffers");
  return false;
}

bool KernelBuilder::mayWrite(const CheckedOperand &dst, bool sizePerBlock) {
  const MemoryEntry &tensor = *dst.memory;
  if (tensor.space != isa::Space::GM) {
    return true;
  }
  if (tensor.kind == TensorKind::kInput) {
    mistake(Mistake::kInputWritten,
            "'" + tensor.name + "' is an input; only outputs are written");
    return false;
  }
  if (accumulation_ == 0 && blockCount_ > 1 && !dst.perBlock && !sizePerBlock &&
      !insidePerBlock()) {
    mistake(Mistake::kSharedBetweenBlocks,
            "all " + std::to_string(blockCount_) +
                " blocks write the same bytes of '" + tensor.name +
                "'; the place depends on nothing that differs between blocks");
    return false;
  }
  return true;
}

Facts KernelBuilder::viewExtent(const KilnTikView &view, const Facts &rows,
                                const Facts &rowBytes) const {
  const Facts block = Facts::constant(isa::kBlockBytes);
  const Facts minusOne = Facts::constant(-1);
  Facts row = rowBytes;
  if (view.block_stride != 1) {
    const Facts blocks = divide(rowBytes, block, /*up=*/true);
    row = rowBytes +
          (blocks + minusOne) * block * Facts::constant(view.block_stride - 1);
  }
  if (rows.isConstant() && rows.low == 1) {
    return row;
  }
  Facts whole =
      (rows + minusOne) * Facts::constant(view.row_stride) * block + row;
  if (rows.low < 1 || rowBytes.low < 1) { // nothing may be touched
    whole.low = std::min<int64_t>(0, whole.low);
    whole.reachesLow = false;
  }
  return whole;
}

bool KernelBuilder::noPartialOverlap(const CheckedOperand &dst,
                                     const KilnTikView &dstView,
                                     const CheckedOperand &src,
                                     const KilnTikView &srcView,
                                     const Facts &rows) {
  if (dst.memory != src.memory) {
    return true;
  }
  const Facts &a = dst.offsetFacts, &b = src.offsetFacts;
  const bool constant = a.isConstant() && b.isConstant();
  const bool same = dst.offset == src.offset || (constant && a.low == b.low);
  const bool oneRow = rows.isConstant() && rows.low == 1;
  if (same && dstView.block_stride == srcView.block_stride &&
      (oneRow || dstView.row_stride == srcView.row_stride)) {
    return true;
  }
  if (!same && !constant) {
    return true; // not known here; the engines check
  }
  const bool apart =
      a.low + dst.extent.high <= b.low || b.low + src.extent.high <= a.low;
  if (!same && apart) {
    return true;
  }
  mistake(Mistake::kOverlap, "destination and source overlap in part in '" +
                                 dst.memory->name + "' (from bytes " +
                                 std::to_string(a.low) + " and " +
                                 std::to_string(b.low) +
                                 "); they must be the same place or apart");
  return false;
}

} // namespace kiln::tik
