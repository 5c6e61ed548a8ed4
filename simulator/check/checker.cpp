// SPDX-License-Identifier: Apache-2.0
#include "simulator/check/checker.h"

#include "isa/codec/instruction.h"
#include "isa/gen/operands.h"
#include "isa/support/units.h"

#include <algorithm>
#include <bit>
#include <fmt/format.h>

namespace kiln::sim {

using isa::Command;
using isa::Opcode;
using isa::Pipe;
using isa::Space;

namespace {

/// The mask of row `row` of a transposed fractal of 16-bit elements: two bits
/// of each of its 16 rows.
uint32_t transposedMask(const uint32_t *fractal, uint64_t row) {
  uint32_t mask = 0;
  for (unsigned column = 0; column < isa::kCellRows; ++column) {
    mask |= (fractal[column] >> (2 * row) & 3u) << (2 * column);
  }
  return mask;
}

/// Whether every byte of the cells [first, last) has been written.
bool areWhole(const uint32_t *first, const uint32_t *last) {
  uint32_t all = kWholeCell;
  for (; first < last; ++first) {
    all &= *first;
  }
  return all == kWholeCell;
}

} // namespace

Checker::Checker(const Checks &checks, const Program &program,
                 const isa::ArchSpec &arch)
    : checks_(checks), program_(program),
      common_(std::make_shared<Common>(arch)) {
  for (unsigned s = 0; s < isa::kNumSpaces; ++s) {
    const uint64_t bytes = s == 0 ? 0 : arch.arch.capacityBytes[s];
    written_[s].resize(ceilDiv(bytes, kShadowCellBytes));
    local_.emplace_back(0, bytes);
  }
}

Checker::Checker(const Checker &other)
    : checks_(other.checks_), program_(other.program_), common_(other.common_) {
  for (unsigned s = 0; s < isa::kNumSpaces; ++s) {
    const size_t cells = other.written_[s].size();
    written_[s].resize(cells);
    local_.emplace_back(0, cells * kShadowCellBytes);
  }
}

void Checker::beginBlock(const BlockPosition &position) {
  block_ = position;
  site_ = {&program_, position.core, position.block};
  order_.beginBlock(position.block);
  flagUse_.fill({});
  for (unsigned s = 1; s < isa::kNumSpaces; ++s) {
    local_[s].clear();
    std::fill(written_[s].begin(), written_[s].end(), 0);
  }
}

Checker::FlagUse &Checker::use(const FlagName &flag) {
  return flagUse_[(static_cast<unsigned>(flag.source) * isa::kNumPipes +
                   static_cast<unsigned>(flag.destination)) *
                      isa::kNumFlagIds +
                  flag.id];
}

void Checker::issued(const Command &command) {
  order_.issued(command.pipe);
  if (command.op == Opcode::kKset || command.op == Opcode::kKwait) {
    checkProgramOrder(command, flagOf(command));
  }
}

void Checker::checkProgramOrder(const Command &command, FlagName flag) {
  if (!checks_.flags || flag.id >= isa::kNumFlagIds) {
    return;
  }
  FlagUse &u = use(flag);
  if (command.op == Opcode::kKset) {
    ++u.setsIssued;
    return;
  }
  if (++u.waitsIssued > u.setsIssued) {
    add({Finding::Kind::kFlagOrder,
         fmt::format("flag {}: the kwait at {} precedes its kset in program "
                     "order; a machine with shorter queues may deadlock",
                     text(flag), site_.place(command.pc)),
         0, command.pc, flag.source, flag.destination});
  }
}

uint32_t Checker::addAccessor(const Accessor &accessor) {
  common_->accessors.push_back(accessor);
  return static_cast<uint32_t>(common_->accessors.size());
}

/// Local memories have room for all of it; else the command faults.
bool Checker::isInside(const isa::Footprint &footprint) const {
  return std::all_of(footprint.ranges.begin(), footprint.ranges.end(),
                     [&](const isa::StridedRange &range) {
                       const auto s = static_cast<unsigned>(range.space);
                       return range.space == Space::GM ||
                              range.end() <=
                                  written_[s].size() * kShadowCellBytes;
                     });
}

void Checker::executing(const Command &command, const isa::PipeConfig &config) {
  Accessor who;
  who.position = order_.advance(command.pipe);
  if (!checks_.race && !checks_.init) {
    return;
  }
  isa::footprint(command, config, footprint_);
  if (!isInside(footprint_)) {
    return;
  }
  who.pc = command.pc;
  who.word = command.word;
  who.block = block_.block;
  for (const isa::StridedRange &range : footprint_.ranges) {
    who.commutes = std::max(who.commutes, range.commutes);
  }
  const uint32_t accessor = addAccessor(who);
  // Transposes of 8 and 32-bit elements need whole fractals.
  const bool moves =
      (command.op == Opcode::kCpL0a || command.op == Opcode::kCpL0b) &&
      command.f3 <= static_cast<unsigned>(isa::Transpose::kT);
  if (moves && checks_.init && !footprint_.ranges.empty()) {
    moveFractals(command);
  }
  // Reads first: a command reads its operands before it writes its results.
  for (bool write : {false, true}) {
    for (const isa::StridedRange &range : footprint_.ranges) {
      if (range.write == write) {
        access(range, accessor, moves);
      }
    }
  }
}

/// Whole fractals move with their padding lanes, which may be unwritten: what
/// is unwritten stays so in L0, and mmad is the one that must not read it.
void Checker::moveFractals(const Command &command) {
  const auto target = isa::FractalTarget::unpack(command.rs1);
  const auto source = isa::FractalSource::unpack(command.rs2);
  const bool transpose = command.f3 != 0;
  const Space space = command.op == Opcode::kCpL0a ? Space::L0A : Space::L0B;
  constexpr uint64_t kCells = isa::kFractalBytes / kShadowCellBytes;
  for (uint64_t o = 0; o < target.outer; ++o) {
    for (uint64_t i = 0; i < target.inner; ++i) {
      const uint32_t *from =
          &written_[static_cast<unsigned>(Space::L1)]
                   [source.addr / kShadowCellBytes +
                    kCells * (o * source.outerStride + i * source.innerStride)];
      uint32_t *to = &written_[static_cast<unsigned>(space)]
                              [target.addr / kShadowCellBytes +
                               kCells * (o * target.inner + i)];
      for (uint64_t cell = 0; cell < kCells; ++cell) {
        to[cell] = transpose ? transposedMask(from, cell) : from[cell];
      }
    }
  }
}

void Checker::configured(const Command &command) {
  order_.advance(command.pipe);
}

void Checker::flagSet(const Command &command, FlagName flag) {
  const EventPosition set = order_.advance(flag.source);
  if (command.pipe == Pipe::S) {
    checkProgramOrder(command, flag);
  }
  FlagUse &u = use(flag);
  // S goes on after its kwait: what it issues then comes later.
  const bool afterS =
      flag.destination == Pipe::S && u.lastWait.issue < set.issue;
  if (checks_.flags && u.waited && !afterS &&
      !order_.isOrdered(u.lastWait, flag.source)) {
    add({Finding::Kind::kFlagOrder,
         fmt::format("flag {}: nothing orders the kset at {} after the kwait "
                     "at {} that clears it; in another order it finds the "
                     "flag set",
                     text(flag), site_.place(command.pc),
                     site_.place(u.lastWaitPc)),
         u.lastWaitPc, command.pc, flag.destination, flag.source});
  }
  order_.flagSet(flag.source, flag);
}

void Checker::flagWaited(const Command &command, FlagName flag) {
  FlagUse &u = use(flag);
  u.lastWait = order_.advance(flag.destination);
  u.lastWaitPc = command.pc;
  u.waited = true;
  order_.flagWaited(flag.destination, flag);
  if (command.pipe == Pipe::S) {
    checkProgramOrder(command, flag);
  }
}

void Checker::barrier() { order_.barrier(); }

void Checker::posted(const Command &command) {
  order_.advance(command.pipe);
  const isa::Semaphore semaphore = isa::Semaphore::unpack(command.rs1);
  order_.posted(command.pipe, semaphore.block, semaphore.id);
}

void Checker::pended(const Command &command) {
  order_.advance(command.pipe);
  order_.pended(isa::OwnSemaphore::unpack(command.rs1).id);
}

void Checker::arrived() { order_.arrived(); }

void Checker::left() { order_.left(); }

void Checker::windowAccess(uint64_t pc, const WindowAccess &window) {
  Accessor who;
  who.position = order_.advance(Pipe::S);
  who.pc = pc;
  who.block = block_.block;
  isa::StridedRange range;
  range.space = Space::UB;
  range.write = window.write;
  range.base = window.offset;
  range.bytes = window.bytes;
  access(range, addAccessor(who));
}

/// Asked about the same earlier accesses cell by cell: the last answers are
/// kept.
class Checker::RaceJudge {
public:
  RaceJudge(Checker &checker, AccessId now, Space space)
      : checker_(checker), now_(now), space_(space) {}

  bool operator()(AccessId earlier, uint64_t address) {
    for (const Answer &answer : answers_) {
      if (answer.about == earlier) {
        return answer.stands;
      }
    }
    Answer &answer = answers_[next_++ % answers_.size()];
    answer = {earlier, judge(earlier, address)};
    return answer.stands;
  }

private:
  struct Answer {
    AccessId about;
    bool stands = false;
  };

  bool judge(AccessId earlier, uint64_t address) {
    const Accessor &before = checker_.accessor(earlier);
    const Accessor &who = checker_.accessor(now_);
    if (earlier.accessor() != now_.accessor()) {
      const bool commute =
          before.commutes != 0 && before.commutes == who.commutes;
      if ((earlier.isWrite() || now_.isWrite()) && !commute &&
          !checker_.order_.isOrdered(before.position, before.block,
                                     who.position.pipe)) {
        checker_.reportRace(earlier, now_, space_, address);
      }
    }
    const bool samePipe =
        before.position.pipe == who.position.pipe && before.block == who.block;
    return now_.isWrite() || (!earlier.isWrite() && samePipe);
  }

  Checker &checker_;
  AccessId now_;
  Space space_;
  std::array<Answer, 4> answers_{};
  unsigned next_ = 0;
};

void Checker::access(const isa::StridedRange &range, uint32_t accessor,
                     bool moves) {
  if (checks_.init && range.space != Space::GM && !moves) {
    checkInit(range, accessor);
  }
  if (checks_.race) {
    const AccessId id(accessor, range.write);
    RaceJudge judge(*this, id, range.space);
    AccessShadow &shadow = range.space == Space::GM
                               ? common_->gm
                               : local_[static_cast<unsigned>(range.space)];
    shadow.access(range, id, judge);
  }
}

void Checker::checkInit(const isa::StridedRange &range, uint32_t accessor) {
  uint32_t *written = written_[static_cast<unsigned>(range.space)].data();
  auto cell = [&](uint64_t index, uint32_t mask) {
    const uint32_t missing = range.write ? 0 : mask & ~written[index];
    written[index] |= mask;
    if (missing) [[unlikely]] {
      reportUnwritten(range,
                      index * kShadowCellBytes +
                          static_cast<unsigned>(std::countr_zero(missing)),
                      accessor);
    }
  };
  forEachRun(range, [&](uint64_t begin, uint64_t end) {
    uint64_t first = begin / kShadowCellBytes, last = end / kShadowCellBytes;
    if (begin % kShadowCellBytes != 0) {
      cell(first, cellMask(first, begin, end));
      ++first;
    }
    if (range.write && first < last) {
      std::fill(written + first, written + last, kWholeCell);
    } else if (!areWhole(written + first, written + last)) {
      for (uint64_t i = first; i < last; ++i) {
        cell(i, kWholeCell);
      }
    }
    if (first <= last && end % kShadowCellBytes != 0) {
      cell(last, cellMask(last, begin, end));
    }
  });
}

void Checker::reportUnwritten(const isa::StridedRange &range, uint64_t address,
                              uint32_t number) {
  const Accessor &who = accessor(AccessId(number, false));
  add({Finding::Kind::kUninitialised,
       fmt::format("{} reads {} byte {:#x}, which nothing wrote in block {}",
                   describe(who), isa::name(range.space), address, who.block),
       0, who.pc, who.position.pipe, who.position.pipe});
}

std::string Checker::describe(const Accessor &a) const {
  std::string instruction =
      a.word ? isa::disassembleWord(a.word) : "access of the UB window";
  return fmt::format("'{}' of {} at {}", instruction,
                     isa::name(a.position.pipe), site_.place(a.pc));
}

std::string Checker::betweenBlocks(const Accessor &a, const Accessor &b) const {
  if (!program_.meetsBlocks()) {
    return fmt::format("in blocks {} and {}: nothing orders the blocks of a "
                       "launch",
                       a.block, b.block);
  }
  return fmt::format("in blocks {} and {}; missing: kpost after the first, "
                     "kpend before the second (with flags from and to MTE2), "
                     "or kdbar between them",
                     a.block, b.block);
}

void Checker::reportRace(AccessId first, AccessId second, Space space,
                         uint64_t address) {
  const Accessor *a = &accessor(first);
  const Accessor *b = &accessor(second);
  bool sameBlock = a->block == b->block;
  if (sameBlock && a->position.issue > b->position.issue) {
    std::swap(first, second);
    std::swap(a, b);
  }
  const std::string why =
      sameBlock ? fmt::format("missing: kset {0},{1} after the first and "
                              "kwait {0},{1} before the second",
                              isa::name(a->position.pipe),
                              isa::name(b->position.pipe))
                : betweenBlocks(*a, *b);
  add({Finding::Kind::kRace,
       fmt::format("{} {} {} byte {:#x}, {} {} it; {}", describe(*a),
                   first.isWrite() ? "writes" : "reads", isa::name(space),
                   address, describe(*b), second.isWrite() ? "writes" : "reads",
                   why),
       a->pc, b->pc, a->position.pipe, b->position.pipe});
}

void Checker::add(Finding finding) {
  if (common_->findings.size() < LaunchReport::kMaxFindings &&
      common_->seen.emplace(finding.kind, finding.firstPc, finding.secondPc)
          .second) {
    common_->findings.push_back(std::move(finding));
  }
}

} // namespace kiln::sim
