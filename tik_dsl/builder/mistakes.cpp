// SPDX-License-Identifier: Apache-2.0
#include "tik_dsl/builder/mistakes.h"

namespace kiln::tik {

namespace {

constexpr MistakeInfo kMistakes[] = {
    {Mistake::kUseAfterScope, "a value or buffer is used outside its scope",
     "create it before the loop, or use it inside"},
    {Mistake::kLoopLeft, "the body of a loop was left early",
     "use when() for what depends on run-time values"},
    {Mistake::kBlocksMisplaced, "blocks() is not the outermost construct",
     "call blocks() once, outside of range() and when()"},
    {Mistake::kUnknownHandle, "a handle is not one of this kernel",
     "use values, tensors and buffers of the kernel being built"},
    {Mistake::kBadStep, "the step of a range is not positive",
     "use a step of at least 1"},
    {Mistake::kDivisionByZero, "division by the constant 0",
     "check the divisor in C++"},
    {Mistake::kNotACondition, "a number where a condition is needed",
     "compare it with something"},
    {Mistake::kNoValue, "a run-time value without a value",
     "initialise the Index"},
    {Mistake::kDoesNotFit, "buffers do not fit a local memory",
     "use smaller tiles or fewer slots for the largest buffers"},
    {Mistake::kMisaligned, "an address is not aligned",
     "use a multiple of the block, or assumeMultiple()"},
    {Mistake::kWrongSpace, "an operand lies in the wrong memory",
     "move the data there first"},
    {Mistake::kOutOfBounds, "an access ends behind its buffer",
     "make the buffer larger or the count smaller"},
    {Mistake::kOverlap, "destination and source overlap in part",
     "use the same place for both, or different buffers"},
    {Mistake::kBadShape, "a buffer cannot have this shape",
     "use positive sizes and rows of whole 32-byte blocks"},
    {Mistake::kUselessDepth, "several slots outside of a range",
     "create the buffer in the body of the range that it serves"},
    {Mistake::kTypeMix, "element types that do not go together",
     "convert with cast()"},
    {Mistake::kTypeUnsupported, "an element type the instruction lacks",
     "cast to a type it has"},
    {Mistake::kCountRange, "a count does not fit its field",
     "split the command, or use rows and columns"},
    {Mistake::kStrideRange, "a stride does not fit its field",
     "use a smaller distance between rows"},
    {Mistake::kBadField, "another field is out of range",
     "use a value of the range in the message"},
    {Mistake::kUnknownName, "a tensor or attribute that is not declared",
     "declare it, or correct the name"},
    {Mistake::kBadDeclaration, "the declaration contradicts itself",
     "see the message"},
    {Mistake::kBadShapeSetting, "a shape lacks a size or has a wrong one",
     "give every symbol a size of at least 1"},
    {Mistake::kException, "the operator's code threw an exception",
     "catch it in the operator"},
    {Mistake::kWrongVerb, "a function of another phase was called",
     "declare in declare(), build in kernel()"},
    {Mistake::kVerifier, "the compiler's own check failed", "see the message"},
};

} // namespace

std::span<const MistakeInfo> allMistakes() { return kMistakes; }

AuthorLine AuthorLine::of(const KilnTikLine *line) {
  if (line == nullptr || line->file == nullptr) {
    return {};
  }
  return {line->file, line->line, line->column};
}

std::string AuthorLine::text() const {
  return (file.empty() ? std::string("operator") : file) +
         (line > 0 ? ":" + std::to_string(line) : std::string());
}

std::string Message::render() const {
  return at.text() + ": error TIK" + std::to_string(number) + ": " + text;
}

void MessageList::add(uint32_t number, const AuthorLine &at, std::string text) {
  if (messages_.size() == kMost) {
    ++dropped_;
    return;
  }
  messages_.push_back({number, at, std::move(text)});
}

std::string MessageList::text() const {
  std::string all;
  for (const Message &message : messages_) {
    all += (all.empty() ? "" : "\n") + message.render();
  }
  if (dropped_ > 0) {
    all += "\n(and " + std::to_string(dropped_) + " more)";
  }
  return all;
}

} // namespace kiln::tik
