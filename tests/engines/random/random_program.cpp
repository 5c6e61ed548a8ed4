// SPDX-License-Identifier: Apache-2.0
//
// Drawing, writing and shrinking of random programs.
#include "tests/engines/random/coverage.h"
#include "tests/engines/random/step_source.h"

#include <algorithm>

namespace kiln::test {

using isa::Opcode;

namespace {

/// Fixed registers of a copy by S, and of the choice of a block.
constexpr unsigned kSourceReg = 28, kTargetReg = 29, kValueReg = 30;
constexpr unsigned kIndexReg = 5, kBlockReg = 6;

bool isEncodable(const Step &step) {
  return step.kind != Step::Kind::kCommand ||
         isa::encode(step.instruction).isOk();
}

/// Draws steps and keeps those that do not fault.
class Author {
public:
  Author(const isa::ArchSpec &arch, uint64_t gm, uint64_t seed)
      : source_(gm, seed),
        trial_(arch, gm, std::vector<std::byte>(kRandomGmBytes)) {}
  std::vector<Step> write(uint64_t seed, size_t count, uint32_t blocks);

private:
  using Draw = StepSource::Draw;
  bool append(Draw draw, uint32_t block);
  void appendPair(const Combination &wanted, uint32_t block);
  bool tryPair(const Combination &wanted, uint32_t block);
  void focusOn(const StepTrace &first);
  void appendForm(const isa::Instruction &form, uint32_t block);
  Draw ofClass(unsigned index) {
    return index == kWindowClass
               ? Draw{source_.windowCopy()}
               : source_.ofClass(static_cast<isa::TimingClass>(index));
  }

  StepSource source_;
  Interpreter trial_;
  std::vector<Step> steps_;
};

/// By how much a program goes on in the lists of combinations and of forms.
constexpr uint64_t kPairsPerProgram = 5;
constexpr unsigned kFirstTries = 40, kSecondTries = 40; // of a pair

/// Every data command with every f3.
const std::vector<isa::Instruction> &forms() {
  static const std::vector<isa::Instruction> all = [] {
    std::vector<isa::Instruction> found;
    for (unsigned op = 0; op < isa::kNumOpcodes; ++op) {
      const isa::OpcodeInfo &info = isa::info(static_cast<Opcode>(op));
      for (uint8_t f3 = 0; f3 < 8; ++f3) {
        if (info.timing != isa::TimingClass::kControl &&
            (info.f3Mask >> f3 & 1)) {
          found.push_back({.op = static_cast<Opcode>(op), .f3 = f3});
        }
      }
    }
    return found;
  }();
  return all;
}

std::vector<Step> Author::write(uint64_t seed, size_t count, uint32_t blocks) {
  const std::vector<Combination> &all = possibleCombinations();
  uint64_t pair = seed * kPairsPerProgram, form = pair;
  for (size_t tries = 0; steps_.size() < count && tries < 20 * count; ++tries) {
    const auto block = static_cast<uint32_t>(source_.below(blocks));
    switch (source_.below(3)) {
    case 0:
      appendPair(all[pair++ % all.size()], block);
      break;
    case 1:
      appendForm(forms()[form++ % forms().size()], block);
      break;
    default:
      (void)append(source_.any(), block);
    }
  }
  return std::move(steps_);
}

bool Author::append(Draw draw, uint32_t block) {
  bool kept = false;
  for (Step &step : draw) {
    step.block = block;
    kept = isEncodable(step) && trial_.run(step);
    if (kept) {
      steps_.push_back(step);
    }
  }
  return kept;
}

void Author::appendForm(const isa::Instruction &form, uint32_t block) {
  constexpr unsigned kTries = 30;
  for (unsigned i = 0; i < kTries; ++i) {
    if (append(source_.ofOpcode(form.op, form.f3), block)) {
      return;
    }
  }
}

/// What the last step of a draw would touch; `config` goes on behind it.
StepTrace traceOfLast(const StepSource::Draw &draw, isa::PipeConfig &config) {
  StepTrace trace;
  for (const Step &step : draw) {
    if (isEncodable(step)) {
      trace = traceOf(step, config);
      applyConfiguration(step, config);
    }
  }
  return trace;
}

/// Lets the next draws meet a block of UB that `first` touches.
void Author::focusOn(const StepTrace &first) {
  const StepTrace::Cell &cell = first.cells[source_.below(first.cells.size())];
  std::optional<uint64_t> address = addressIn(isa::Space::UB, cell);
  source_.focusOn(address ? std::optional(static_cast<uint32_t>(*address))
                          : std::nullopt);
}

void Author::appendPair(const Combination &wanted, uint32_t block) {
  for (unsigned i = 0; i < kFirstTries && !tryPair(wanted, block); ++i) {
  }
  source_.focusOn(std::nullopt);
}
bool Author::tryPair(const Combination &wanted, uint32_t block) {
  isa::PipeConfig before = trial_.config(block);
  Draw draw = ofClass(wanted.first);
  const StepTrace first = traceOfLast(draw, before);
  for (unsigned j = 0; j < kSecondTries && !first.cells.empty(); ++j) {
    focusOn(first);
    isa::PipeConfig config = before;
    Draw next = ofClass(wanted.second);
    const StepTrace second = traceOfLast(next, config);
    if (!second.cells.empty() &&
        (first.pipe == second.pipe) == wanted.samePipe &&
        is(dependence(first, second), wanted.relation)) {
      return append(std::move(draw), block) && append(std::move(next), block);
    }
  }
  return false;
}

std::string flagText(const sim::FlagName &flag) {
  return std::string(isa::name(flag.source)) + "," +
         std::string(isa::name(flag.destination)) + "," +
         std::to_string(flag.id);
}

void emitStep(const Step &s, ProgramBuilder &b) {
  if (s.kind == Step::Kind::kCommand) {
    b.npu(s.instruction, s.operand[0], s.operand[1], s.operand[2]);
    return;
  }
  unsigned width = 0; // log2, as in f3 of a store; loads of bytes are signed
  while ((uint64_t{1} << width) < s.operand[2]) {
    ++width;
  }
  b.li(kSourceReg, isa::kUbWindowBase + s.operand[0]);
  b.li(kTargetReg, isa::kUbWindowBase + s.operand[1]);
  b.load(width, kValueReg, kSourceReg, 0);
  b.store(width, kValueReg, kTargetReg, 0);
}

void emitBlock(const SyncedProgram &program, uint32_t block,
               ProgramBuilder &b) {
  for (const Issue &issue : program.issues) {
    if (issue.block == block || issue.kind == Issue::Kind::kDeviceBarrier) {
      program.emitIssue(issue, b);
    }
  }
  b.end();
}

/// jal x0 over `words` words and itself.
void jumpOver(size_t words, ProgramBuilder &b) {
  const auto offset = static_cast<uint32_t>(4 * (words + 1));
  b.word((offset >> 20 & 1) << 31 | (offset >> 1 & 0x3ff) << 21 |
         (offset >> 11 & 1) << 20 | (offset >> 12 & 0xff) << 12 | 0x6f);
}

std::string issueText(const SyncedProgram &program, const Issue &issue) {
  const std::string semaphore = std::to_string(issue.semaphore) + " of block ";
  switch (issue.kind) {
  case Issue::Kind::kSet:
    return "kset " + flagText(issue.flag);
  case Issue::Kind::kWait:
    return "kwait " + flagText(issue.flag);
  case Issue::Kind::kBarrier:
    return "kbar";
  case Issue::Kind::kDeviceBarrier:
    return "kdbar of every block";
  case Issue::Kind::kPost:
    return "kpost." + std::string(isa::name(issue.pipe)) + " " + semaphore +
           std::to_string(issue.peer);
  case Issue::Kind::kPend:
    return "kpend " + semaphore + std::to_string(issue.block);
  case Issue::Kind::kStep:
    return program.steps[issue.step].text();
  }
  return {};
}

} // namespace

isa::Command Step::command() const {
  uint32_t word = *isa::encode(instruction);
  return isa::makeCommand(instruction, word, operand[0], operand[1], operand[2],
                          0);
}

std::string Step::text() const {
  if (kind == Kind::kWindowCopy) {
    return "S copies " + std::to_string(operand[2]) + " bytes of UB from " +
           std::to_string(operand[0]) + " to " + std::to_string(operand[1]);
  }
  return isa::toText(instruction) + "  " + isa::describeOperands(command());
}

void SyncedProgram::emitIssue(const Issue &issue, ProgramBuilder &b) const {
  switch (issue.kind) {
  case Issue::Kind::kSet:
    b.set(issue.flag.source, issue.flag.destination, issue.flag.id);
    break;
  case Issue::Kind::kWait:
    b.wait(issue.flag.source, issue.flag.destination, issue.flag.id);
    break;
  case Issue::Kind::kBarrier:
    b.barrier();
    break;
  case Issue::Kind::kDeviceBarrier:
    b.npu({.op = Opcode::kKdbar});
    break;
  case Issue::Kind::kPost:
    b.npu({.op = Opcode::kKpost, .f3 = static_cast<uint8_t>(issue.pipe)},
          uint64_t{issue.peer} << 16 | issue.semaphore);
    break;
  case Issue::Kind::kPend:
    b.npu({.op = Opcode::kKpend, .f3 = static_cast<uint8_t>(isa::Pipe::MTE2)},
          issue.semaphore);
    break;
  case Issue::Kind::kStep:
    emitStep(steps[issue.step], b);
  }
}

void SyncedProgram::emit(ProgramBuilder &b) const {
  if (blocks > 1) {
    b.csrRead(kIndexReg, isa::kCsrBlockIndex);
  }
  for (uint32_t block = 0; block < blocks; ++block) {
    if (block + 1 < blocks) {
      ProgramBuilder section;
      emitBlock(*this, block, section);
      b.li(kBlockReg, block);
      b.branch(0, kIndexReg, kBlockReg, b.size() + 2);
      jumpOver(section.size(), b);
    }
    emitBlock(*this, block, b);
  }
}

std::vector<size_t> SyncedProgram::pairs() const {
  std::vector<size_t> found;
  for (size_t i = 0; i < issues.size(); ++i) {
    if (issues[i].kind == Issue::Kind::kSet ||
        issues[i].kind == Issue::Kind::kPost) {
      found.push_back(i);
    }
  }
  return found;
}

SyncedProgram SyncedProgram::withoutPair(size_t i) const {
  SyncedProgram p = *this;
  p.issues.erase(p.issues.begin() + static_cast<int64_t>(i),
                 p.issues.begin() + static_cast<int64_t>(i) + 2);
  return p;
}

std::string SyncedProgram::text() const {
  std::string out;
  for (const Issue &issue : issues) {
    out += blocks > 1 ? "  block " + std::to_string(issue.block) + ": " : "  ";
    out += issueText(*this, issue) + "\n";
  }
  return out;
}

std::vector<Step> randomSteps(const isa::ArchSpec &arch, uint64_t gm,
                              uint64_t seed, size_t count, uint32_t blocks) {
  return Author(arch, gm, seed).write(seed, count, blocks);
}

std::optional<std::vector<std::byte>> interpret(const isa::ArchSpec &arch,
                                                uint64_t gm,
                                                const std::vector<Step> &steps,
                                                std::vector<std::byte> memory) {
  Interpreter interpreter(arch, gm, std::move(memory));
  for (const Step &step : steps) {
    if (!interpreter.run(step)) {
      return std::nullopt;
    }
  }
  return interpreter.takeGm();
}

std::vector<Step>
shrink(std::vector<Step> steps,
       const std::function<bool(const std::vector<Step> &)> &fails) {
  for (size_t chunk = std::max<size_t>(steps.size() / 2, 1);;) {
    bool removed = false;
    for (size_t at = 0; at < steps.size();) {
      size_t end = std::min(at + chunk, steps.size());
      std::vector<Step> fewer(steps.begin(),
                              steps.begin() + static_cast<int64_t>(at));
      fewer.insert(fewer.end(), steps.begin() + static_cast<int64_t>(end),
                   steps.end());
      if (fails(fewer)) {
        steps = std::move(fewer);
        removed = true;
      } else {
        at = end;
      }
    }
    if (chunk == 1 && !removed) {
      return steps;
    }
    chunk = std::max<size_t>(chunk / 2, 1);
  }
}

} // namespace kiln::test
