// SPDX-License-Identifier: Apache-2.0
#include "compiler/frontend/body/linalg_body.h"

#include "compiler/frontend/body/check_body.h"

#include "mlir/Dialect/ControlFlow/IR/ControlFlowOps.h"
#include "mlir/IR/Diagnostics.h"
#include "mlir/IR/MLIRContext.h"
#include "mlir/Parser/Parser.h"

#include "llvm/Support/CrashRecoveryContext.h"

using namespace mlir;

namespace kiln {

namespace body {

/// The innermost place in the text that a location names.
static std::optional<FileLineColLoc> placeOf(Location at) {
  std::optional<FileLineColLoc> place;
  at->walk([&](Location inner) {
    if (auto file = dyn_cast<FileLineColLoc>(inner)) {
      place = file;
      return WalkResult::interrupt();
    }
    return WalkResult::advance();
  });
  return place;
}

void Findings::add(BodyFault fault, Location at, std::string text) {
  const auto place = placeOf(at);
  list_.push_back(
      {fault, body_.file, place ? place->getLine() : body_.line, text});
}

} // namespace body

namespace {

constexpr size_t kMostText = 1 << 20;
constexpr size_t kMostNesting = 200;
constexpr uint32_t kMostLines = 1 << 20; // put before the text for its line

/// The line, counted from 0, where brackets nest too deeply for a parser that
/// recurses.
std::optional<uint32_t> tooDeep(const std::string &text) {
  size_t depth = 0;
  uint32_t line = 0;
  for (size_t i = 0; i < text.size(); ++i) {
    switch (text[i]) {
    case '\n':
      ++line;
      break;
    case '(':
    case '[':
    case '{':
    case '<':
      if (++depth > kMostNesting) {
        return line;
      }
      break;
    case '>':
      depth -= depth > 0 && (i == 0 || text[i - 1] != '-');
      break;
    case ')':
    case ']':
    case '}':
      depth -= depth > 0;
      break;
    }
  }
  return std::nullopt;
}

/// MLIR reads elements of iterator_types as strings without a look. The line,
/// counted from 0, of a list that holds something else.
std::optional<uint32_t> badIterators(llvm::StringRef text) {
  constexpr llvm::StringLiteral kName = "iterator_types";
  for (size_t at = text.find(kName); at != llvm::StringRef::npos;
       at = text.find(kName, at + 1)) {
    llvm::StringRef rest = text.substr(at + kName.size());
    rest.consume_front("\"");
    rest = rest.ltrim();
    bool good = rest.consume_front("=");
    rest = rest.ltrim();
    good = good && rest.consume_front("[");
    for (rest = rest.ltrim(); good && !rest.consume_front("]");
         rest = rest.ltrim()) {
      good = rest.consume_front("\"") && rest.contains('"');
      rest = rest.substr(rest.find('"') + 1).ltrim();
      good = good && (rest.consume_front(",") || rest.starts_with("]"));
    }
    if (!good) {
      return text.take_front(at).count('\n');
    }
  }
  return std::nullopt;
}

/// Runs `work` so that a crash of MLIR's on text nobody foresaw comes back as
/// false; what it had is lost.
bool runSafely(llvm::function_ref<void()> work) {
  bool threw = false;
  llvm::CrashRecoveryContext::Enable();
  llvm::CrashRecoveryContext recovery;
  const bool done = recovery.RunSafely([&] {
    try {
      work();
    } catch (...) { // of the standard library inside MLIR
      threw = true;
    }
  });
  llvm::CrashRecoveryContext::Disable();
  return done && !threw;
}

} // namespace

struct LinalgBodyReader::State {
  State() : context(MLIRContext::Threading::DISABLED) {
    // Those that are not possible in a body are known so that the message can
    // say so.
    context.loadDialect<affine::AffineDialect, arith::ArithDialect,
                        bufferization::BufferizationDialect,
                        cf::ControlFlowDialect, func::FuncDialect,
                        linalg::LinalgDialect, math::MathDialect,
                        memref::MemRefDialect, scf::SCFDialect,
                        tensor::TensorDialect, vector::VectorDialect>();
    context.printOpOnDiagnostic(false);
  }
  std::optional<std::string> read(const BodyText &body,
                                  const BodySignature &signature,
                                  std::vector<BodyFinding> &list);
  MLIRContext context;
};

LinalgBodyReader::LinalgBodyReader() : state_(std::make_unique<State>()) {}
LinalgBodyReader::~LinalgBodyReader() = default;
LinalgBodyReader::LinalgBodyReader(LinalgBodyReader &&) noexcept = default;
LinalgBodyReader &
LinalgBodyReader::operator=(LinalgBodyReader &&) noexcept = default;

std::optional<std::string>
LinalgBodyReader::read(const BodyText &body, const BodySignature &signature,
                       std::vector<BodyFinding> &list) {
  auto refuse = [&](uint32_t line, const char *text) {
    list.push_back({BodyFault::kText, body.file, body.line + line, text});
    return std::nullopt;
  };
  if (body.text.size() > kMostText) {
    return refuse(0, "the text has more than 2^20 characters");
  }
  if (const auto line = tooDeep(body.text)) {
    return refuse(*line, "brackets nest deeper than 200");
  }
  if (const auto line = badIterators(body.text)) {
    return refuse(*line, "iterator_types is a list of strings");
  }
  std::optional<std::string> result;
  const size_t known = list.size();
  if (!runSafely([&] { result = state_->read(body, signature, list); })) {
    (void)state_.release(); // nobody knows what is left of it
    state_ = std::make_unique<State>();
    list.resize(known);
    return refuse(0, "MLIR fails on this text");
  }
  return result;
}

std::optional<std::string>
LinalgBodyReader::State::read(const BodyText &body,
                              const BodySignature &signature,
                              std::vector<BodyFinding> &list) {
  body::Findings findings(list, body);
  // Lines of the text are lines of the author's file.
  const uint32_t before =
      body.line > 0 && body.line <= kMostLines ? body.line - 1 : 0;
  const std::string text = std::string(before, '\n') + body.text;
  BodyFault fault = BodyFault::kText;
  ScopedDiagnosticHandler handler(&context, [&](Diagnostic &d) {
    if (d.getSeverity() == DiagnosticSeverity::Error) {
      findings.add(fault, d.getLocation(), d.str());
    }
    return success();
  });
  const size_t known = findings.size();
  OwningOpRef<ModuleOp> module =
      parseSourceString<ModuleOp>(text, ParserConfig(&context), body.file);
  if (!module || findings.size() > known) {
    if (findings.size() == known) {
      list.push_back({fault, body.file, body.line, "does not parse"});
    }
    return std::nullopt;
  }
  fault = BodyFault::kSize; // what a static body finds is about its sizes
  func::FuncOp func = body::onlyFunction(*module, findings);
  if (!func || !body::checkBody(func, signature, findings) ||
      !body::makeStatic(func, signature, findings)) {
    return std::nullopt;
  }
  std::string result;
  llvm::raw_string_ostream os(result);
  module->print(os, OpPrintingFlags().enableDebugInfo());
  return result;
}

} // namespace kiln
