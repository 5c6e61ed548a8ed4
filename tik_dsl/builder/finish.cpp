// SPDX-License-Identifier: Apache-2.0
//
// The end of a kernel: the dialect's verifiers, and whether its buffers fit.
#include "tik_dsl/builder/kernel_builder.h"

#include "compiler/dialect/npu/NpuOps.h"
#include "compiler/transforms/npu/insert_sync.h"
#include "compiler/transforms/npu/verify_sync.h"

#include "mlir/IR/Diagnostics.h"
#include "mlir/IR/Verifier.h"

#include <map>

using namespace mlir;

namespace kiln::tik {

namespace {

AuthorLine lineOf(Location location) {
  AuthorLine line;
  location->walk([&](Location inner) {
    if (auto file = dyn_cast<FileLineColLoc>(inner)) {
      line = {file.getFilename().str(), file.getLine(), file.getColumn()};
      return WalkResult::interrupt();
    }
    return WalkResult::advance();
  });
  return line;
}

struct BufferRow {
  std::string name;
  isa::Space space{};
  int64_t slotBytes = 0, depth = 1;
  AuthorLine created;
  uint32_t firstLine = 0, lastLine = 0; // of its uses
};

BufferRow rowOf(npu::AllocOp alloc) {
  BufferRow row;
  row.name = alloc.getName().str();
  row.space = *npu::spaceOf(alloc.getType());
  row.slotBytes = npu::localBytes(alloc.getType());
  row.depth = static_cast<int64_t>(alloc.getDepth());
  row.created = lineOf(alloc.getLoc());
  for (Operation *user : alloc.getBuffer().getUsers()) {
    const uint32_t line = lineOf(user->getLoc()).line;
    row.firstLine = row.firstLine == 0 ? line : std::min(row.firstLine, line);
    row.lastLine = std::max(row.lastLine, line);
  }
  return row;
}

std::string pad(std::string text, size_t width) {
  text.resize(std::max(width, text.size()), ' ');
  return text;
}

/// One line per buffer, largest first.
std::string table(const std::vector<BufferRow> &rows) {
  size_t width = 8;
  for (const BufferRow &row : rows) {
    width = std::max(width, row.name.size() + 2);
  }
  std::string text = "\n  " + pad("buffer", width) + pad("bytes", 12) +
                     pad("slots", 7) + "line  used in lines";
  for (const BufferRow &row : rows) {
    text += "\n  " + pad(row.name, width) +
            pad(std::to_string(row.slotBytes * row.depth), 12) +
            pad(std::to_string(row.depth), 7) +
            pad(std::to_string(row.created.line), 6) +
            std::to_string(row.firstLine) + "-" + std::to_string(row.lastLine);
  }
  return text;
}

/// Runs `body` and returns the errors it reports, with their lines.
std::vector<std::pair<AuthorLine, std::string>>
collect(MLIRContext *context, llvm::function_ref<void()> body) {
  std::vector<std::pair<AuthorLine, std::string>> errors;
  ScopedDiagnosticHandler handler(context, [&](Diagnostic &d) {
    if (d.getSeverity() == DiagnosticSeverity::Error) {
      errors.emplace_back(lineOf(d.getLocation()), d.str());
    }
    return success();
  });
  body();
  return errors;
}

} // namespace

bool KernelBuilder::checkVerifiers(ModuleOp module) {
  bool ok = true;
  const auto errors =
      collect(builder_.getContext(), [&] { ok = succeeded(verify(module)); });
  for (const auto &[line, text] : errors) {
    messages_.add(Mistake::kVerifier, line, text);
  }
  return ok;
}

/// Buffers with several slots live through the loops around them, so those of
/// one nest lie side by side: where they are too large together, no plan can
/// help and nothing more need be built.
bool KernelBuilder::certainlyFits(isa::Space space, int64_t bytes) {
  uint32_t outermost = 0;
  for (const Scope &scope : llvm::reverse(scopes_)) {
    if (scope.kind == ScopeKind::kWhen) {
      break; // planLocalMemory: an unbroken nest of loops
    }
    outermost = scope.kind == ScopeKind::kRange ? scope.id : outermost;
  }
  int64_t &sum = rotating_[{space, outermost}];
  sum += bytes;
  if (sum >
      static_cast<int64_t>(options_.capacities[static_cast<unsigned>(space)])) {
    mistake(Mistake::kDoesNotFit,
            "buffers of " + std::string(isa::name(space)) + " do not fit");
    return false;
  }
  return true;
}

bool KernelBuilder::checkCapacities(func::FuncOp kernel) {
  if (options_.quick && !hasManual_) { // the kernel is not used again
    bool ok = false;
    (void)collect(builder_.getContext(), [&] {
      ok = succeeded(npu::planLocalMemoryBySize(kernel, options_.capacities));
    });
    if (!ok) {
      mistake(Mistake::kDoesNotFit, "buffers do not fit");
    }
    return ok;
  }
  OwningOpRef<ModuleOp> scratch = ModuleOp::create(loc_);
  func::FuncOp copy = kernel.clone();
  scratch->push_back(copy);
  bool ok = true;
  const auto errors = collect(builder_.getContext(), [&] {
    ok = succeeded(npu::planLocalMemoryBySize(copy, options_.capacities));
  });
  if (ok) {
    return true;
  }
  std::map<isa::Space, std::vector<BufferRow>> spaces;
  kernel.walk([&](npu::AllocOp alloc) {
    const BufferRow row = rowOf(alloc);
    spaces[row.space].push_back(row);
  });
  for (auto &[space, rows] : spaces) {
    const std::string name(isa::name(space));
    const auto error = llvm::find_if(errors, [&](const auto &e) {
      return e.second.starts_with("buffers of " + name + " do not fit");
    });
    if (error == errors.end()) {
      continue;
    }
    llvm::sort(rows, [](const BufferRow &a, const BufferRow &b) {
      return std::tuple(-a.slotBytes * a.depth, a.created.line, a.name) <
             std::tuple(-b.slotBytes * b.depth, b.created.line, b.name);
    });
    const std::string sentence = error->second.substr(
        0, error->second.find("; use")); // the planner's remedy is general
    messages_.add(Mistake::kDoesNotFit, rows.front().created,
                  sentence + "; '" + rows.front().name +
                      "' is the largest: a smaller tile or " +
                      (rows.front().depth > 1 ? "fewer slots"
                                              : "fewer buffers "
                                                "at a time") +
                      table(rows));
  }
  return false;
}

/// What is read was written, and every output is.
bool KernelBuilder::checkUses() {
  for (const MemoryEntry &entry : memories_) {
    const bool tensor = entry.space == isa::Space::GM;
    const bool given = tensor && entry.kind == TensorKind::kInput;
    if (!given && !entry.written && entry.firstRead.line != 0) {
      messages_.add(Mistake::kNeverWritten, entry.firstRead,
                    entry.firstReader + ": '" + entry.name +
                        "' is read, and no command of the kernel writes it");
    } else if (tensor && entry.kind == TensorKind::kOutput && !entry.written) {
      messages_.add(Mistake::kOutputNeverWritten, entry.declared,
                    "output '" + entry.name +
                        "' is never written by the kernel");
    } else if (entry.accumulated.line != 0 && !entry.stored) {
      messages_.add(Mistake::kNeverInitialised, entry.accumulated,
                    "store: '" + entry.name +
                        "' is accumulated into, and no plain store begins it");
    }
  }
  checkSemaphores();
  return messages_.empty();
}

namespace {

/// The number of an error of npu-verify-sync.
Mistake syncMistake(llvm::StringRef text) {
  const std::pair<const char *, Mistake> kTexts[] = {
      {"race in ", Mistake::kRace},
      {"waits for flag ", Mistake::kWaitBeforeSet},
      {" is set already", Mistake::kSetTwice},
      {" may be set again", Mistake::kSetTwice},
      {" is left set at the end", Mistake::kFlagLeft},
      {"only when this code runs", Mistake::kFlagMaybe},
      {"flag id is not known", Mistake::kFlagIdUnknown},
  };
  for (const auto &[part, number] : kTexts) {
    if (text.contains(part)) {
      return number;
    }
  }
  return Mistake::kVerifier;
}

} // namespace

/// Flags that the author sets are proven here, so that what is missing is the
/// author's message; the pipeline proves them again.
bool KernelBuilder::checkManualSync(func::FuncOp kernel) {
  if (!hasManual_) {
    return true;
  }
  OwningOpRef<ModuleOp> scratch = ModuleOp::create(loc_);
  func::FuncOp copy = kernel.clone();
  scratch->push_back(copy);
  bool ok = true;
  const auto errors = collect(builder_.getContext(), [&] {
    ok = succeeded(npu::planLocalMemory(copy, options_.capacities)) &&
         succeeded(npu::insertSync(copy)) && succeeded(npu::verifySync(copy));
  });
  for (const auto &[line, text] : errors) {
    messages_.add(syncMistake(text), line, text);
  }
  return ok;
}

OwningOpRef<ModuleOp> KernelBuilder::finish() {
  while (scopes_.size() > 1) {
    closeScope(scopes_.back().kind);
  }
  if (!messages_.empty()) {
    return {};
  }
  func::ReturnOp::create(builder_, loc_);
  if (!checkVerifiers(*module_) || !checkCapacities(kernel_) ||
      !checkManualSync(kernel_) || !checkUses()) {
    return {};
  }
  return std::move(module_);
}

} // namespace kiln::tik
