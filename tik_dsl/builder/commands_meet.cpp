// SPDX-License-Identifier: Apache-2.0
//
// Blocks that meet: atomic accumulation, device barrier, semaphores. And the
// texts of the control core.
#include "tik_dsl/builder/kernel_builder.h"

#include "compiler/dialect/npu/NpuOps.h"

using namespace mlir;

namespace kiln::tik {

namespace {

constexpr int64_t kMostBlock = (1 << 16) - 1;
constexpr size_t kMostText = 255;

/// The placeholders of a text.
size_t placeholders(llvm::StringRef text) {
  constexpr llvm::StringLiteral kForms[] = {"{d}",   "{u}",    "{x}",
                                            "{f16}", "{bf16}", "{f32}"};
  size_t found = 0;
  for (llvm::StringRef form : kForms) {
    found += text.count(form);
  }
  return found;
}

} // namespace

//===----------------------------------------------------------------------===//
// Accumulation
//===----------------------------------------------------------------------===//

void KernelBuilder::beginAccumulate(uint32_t mode, const KilnTikLine *line) {
  at(line);
  call_ = "accumulate";
  if (accumulation_ != 0) {
    mistake(Mistake::kAccumulateNested,
            "accumulate() stands in an accumulate() scope");
  } else if (inRange("the accumulation", mode, KILN_TIK_STORE_ADD,
                     KILN_TIK_STORE_MIN)) {
    accumulation_ = mode;
  }
  openScope(ScopeKind::kAccumulate, 1);
}

void KernelBuilder::endAccumulate(const KilnTikLine *) {
  closeScope(ScopeKind::kAccumulate);
}

//===----------------------------------------------------------------------===//
// Meeting
//===----------------------------------------------------------------------===//

/// Blocks that wait for each other all run at once.
bool KernelBuilder::meetsOthers() {
  if (blockCount_ <= static_cast<int64_t>(options_.cores)) {
    return true;
  }
  mistake(Mistake::kTooManyBlocks,
          "there are " + std::to_string(blockCount_) + " blocks and " +
              std::to_string(options_.cores) +
              (options_.cores == 1 ? " core" : " cores") +
              "; blocks that meet all run at once");
  return false;
}

void KernelBuilder::meet(const KilnTikLine *line) {
  at(line);
  call_ = "meet";
  if (insidePerBlock()) {
    mistake(Mistake::kMeetMisplaced,
            "whether a block comes here depends on the block; all blocks have "
            "to");
    return;
  }
  if (!meetsOthers()) {
    return;
  }
  // One block meets nobody: its own order is kept by its flags.
  if (blockCount_ > 1 || insideManual()) {
    npu::BarrierOp::create(builder_, loc_, /*device=*/blockCount_ > 1);
  }
}

bool KernelBuilder::handsOver(const MemoryEntry &tensor) {
  if (tensor.space == isa::Space::GM && tensor.kind != TensorKind::kInput) {
    return true;
  }
  mistake(Mistake::kHandOver,
          "'" + tensor.name +
              (tensor.space == isa::Space::GM
                   ? "' is an input: no block writes it"
                   : "' lies in " + std::string(isa::name(tensor.space)) +
                         ": other blocks do not see it"));
  return false;
}

Value KernelBuilder::semaphore(KilnTikValue id) {
  Value number = indexOf(id);
  const Facts facts = factsOf(id);
  if (number && (facts.low < 0 || facts.high > 15)) {
    mistake(Mistake::kSemaphoreId,
            facts.isConstant()
                ? "semaphore " + std::to_string(facts.low) + "; ids are 0 to 15"
                : "the semaphore's id is not known to be 0 to 15");
    return {};
  }
  return number;
}

void KernelBuilder::noteSemaphore(KilnTikValue id, SemaphoreLines &lines) {
  const Facts facts = factsOf(id);
  for (int64_t i = facts.low; i <= facts.high; ++i) {
    AuthorLine &first = lines[static_cast<size_t>(i)];
    first = first.line == 0 ? line_ : first;
  }
}

/// A semaphore whose id is not known may be any of its range.
void KernelBuilder::checkSemaphores() {
  for (size_t i = 0; i < posted_.size(); ++i) {
    const bool posted = posted_[i].line != 0;
    if (posted != (pended_[i].line != 0)) {
      messages_.add(Mistake::kOneSided, posted ? posted_[i] : pended_[i],
                    (posted ? "post: no pend() of the kernel waits for "
                              "semaphore "
                            : "pend: no post() of the kernel counts up "
                              "semaphore ") +
                        std::to_string(i));
    }
  }
}

void KernelBuilder::post(KilnTikMemory tensor, KilnTikValue block,
                         KilnTikValue id, const KilnTikLine *line) {
  at(line);
  call_ = "post";
  const MemoryEntry *entry = memory(tensor);
  Value to = count("the block", block, kMostBlock), number = semaphore(id);
  if (entry == nullptr || !to || !number || !handsOver(*entry) ||
      !meetsOthers()) {
    return;
  }
  // In the queue of the pipe that writes the tensor; where both do, FIX comes
  // before by a flag.
  const bool byFix =
      entry->writers == 1u << static_cast<unsigned>(isa::Pipe::FIX);
  noteSemaphore(id, posted_);
  create<npu::PostOp>(byFix ? npu::PipeKind::FIX : npu::PipeKind::MTE3,
                      entry->base, to, number);
}

void KernelBuilder::pend(KilnTikMemory tensor, KilnTikValue id,
                         const KilnTikLine *line) {
  at(line);
  call_ = "pend";
  const MemoryEntry *entry = memory(tensor);
  Value number = semaphore(id);
  if (entry == nullptr || !number || !handsOver(*entry) || !meetsOthers()) {
    return;
  }
  noteSemaphore(id, pended_);
  create<npu::PendOp>(entry->base, number);
}

//===----------------------------------------------------------------------===//
// Texts
//===----------------------------------------------------------------------===//

bool KernelBuilder::textFits(const char *text, uint32_t values) {
  if (text == nullptr) {
    mistake(Mistake::kTextFormat, "there is no text");
    return false;
  }
  const llvm::StringRef words(text);
  if (words.size() > kMostText) {
    mistake(Mistake::kTextFormat, "the text has " +
                                      std::to_string(words.size()) +
                                      " bytes; 255 are possible");
    return false;
  }
  const size_t places = placeholders(words);
  if (places != values) {
    mistake(Mistake::kTextFormat, "the text has " + std::to_string(places) +
                                      " placeholders for " +
                                      std::to_string(values) + " values");
    return false;
  }
  return true;
}

void KernelBuilder::print(const char *text, uint32_t count,
                          const KilnTikValue *values, const KilnTikLine *line) {
  at(line);
  call_ = "print";
  if (!inRange("the number of values", count, 0, 2) || !textFits(text, count)) {
    return;
  }
  SmallVector<Value> words;
  for (uint32_t i = 0; i < count; ++i) {
    words.push_back(wordOf(values[i]));
    if (!words.back()) {
      return;
    }
  }
  npu::PrintOp::create(builder_, loc_, builder_.getStringAttr(text), words);
}

void KernelBuilder::requireValue(KilnTikValue condition, const char *text,
                                 KilnTikValue value, const KilnTikLine *line) {
  at(line);
  call_ = "require";
  if (!textFits(text, 1) || !mayFail(condition, text)) {
    return;
  }
  Value holds = wordOf(condition), shown = wordOf(value);
  if (holds && shown) {
    npu::AssertOp::create(builder_, loc_, holds, builder_.getStringAttr(text),
                          shown);
  }
}

} // namespace kiln::tik
