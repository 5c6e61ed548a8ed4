// SPDX-License-Identifier: Apache-2.0
#include "tests/engines/random/coverage.h"

#include <algorithm>
#include <deque>
#include <map>

#include <fmt/format.h>

namespace kiln::test {

using isa::Opcode;
using isa::Pipe;
using isa::TimingClass;

namespace {

/// Earlier commands of the block that a command is paired with.
constexpr size_t kReach = 24;

constexpr std::string_view kRelationNames[kNumRelations] = {"RAW", "WAR", "WAW",
                                                            "none"};

/// An instruction of a class, as far as combinations can tell: memories are
/// bits, the configuration of each pipe among them.
struct Variant {
  Pipe pipe{};
  uint32_t reads = 0, writes = 0;
};

uint32_t configurationOf(Pipe pipe) {
  return 1u << (isa::kNumSpaces + static_cast<unsigned>(pipe));
}

/// Synchronisation that is not of S alone.
bool isGenerated(Opcode op) {
  return isa::info(op).timing != TimingClass::kControl || op == Opcode::kKcfg ||
         op == Opcode::kKset || op == Opcode::kKwait || op == Opcode::kKpost ||
         op == Opcode::kKpend;
}

std::vector<Pipe> pipesOf(Opcode op) {
  const isa::OpcodeInfo &info = isa::info(op);
  std::vector<Pipe> pipes;
  for (unsigned p = 0; p < isa::kNumPipes; ++p) {
    const bool legal = info.pipeRule == isa::PipeRule::kSub
                           ? info.subMask >> p & 1
                       : info.pipeRule == isa::PipeRule::kF3
                           ? info.f3Mask >> p & 1
                           : static_cast<unsigned>(info.pipe) == p;
    if (legal) {
      pipes.push_back(static_cast<Pipe>(p));
    }
  }
  return pipes;
}

using Variants = std::array<std::vector<Variant>, kNumClasses>;

Variants makeVariants() {
  Variants all;
  for (unsigned i = 0; i < isa::kNumOpcodes; ++i) {
    const auto op = static_cast<Opcode>(i);
    const isa::OpcodeInfo &info = isa::info(op);
    if (!isGenerated(op)) {
      continue;
    }
    for (Pipe pipe : pipesOf(op)) {
      Variant v{pipe, info.reads, info.writes};
      v.reads |= info.readsConfig ? configurationOf(pipe) : 0;
      v.writes |= op == Opcode::kKcfg ? configurationOf(pipe) : 0;
      all[static_cast<unsigned>(info.timing)].push_back(v);
    }
  }
  const uint32_t ub = 1u << static_cast<unsigned>(isa::Space::UB);
  all[kWindowClass].push_back({Pipe::S, ub, ub});
  return all;
}

const std::vector<Variant> &variantsOf(unsigned index) {
  static const Variants variants = makeVariants();
  return variants[index];
}

bool canRelate(const Variant &a, const Variant &b, Relation relation) {
  switch (relation) {
  case Relation::kRaw:
    return (a.writes & b.reads) != 0;
  case Relation::kWar:
    return (a.reads & b.writes) != 0;
  case Relation::kWaw:
    return (a.writes & b.writes) != 0;
  case Relation::kNone:
    return true;
  }
  return false;
}

std::string_view className(unsigned index) {
  return index == kWindowClass ? "s_window" : isa::kTimingClassNames[index];
}

/// A command of a program and its class.
struct Event {
  unsigned index = 0;
  StepTrace trace;
};

Pipe pipeOf(const Issue &issue) {
  switch (issue.kind) {
  case Issue::Kind::kSet:
    return issue.flag.source;
  case Issue::Kind::kWait:
    return issue.flag.destination;
  case Issue::Kind::kPost:
    return issue.pipe;
  default:
    return Pipe::MTE2; // kpend
  }
}

} // namespace

bool is(unsigned dependence, Relation relation) {
  return relation == Relation::kNone
             ? dependence == 0
             : (dependence >> static_cast<unsigned>(relation) & 1) != 0;
}

std::string text(const Combination &c) {
  return fmt::format("{} then {}, {}, {} pipe", className(c.first),
                     className(c.second),
                     kRelationNames[static_cast<unsigned>(c.relation)],
                     c.samePipe ? "same" : "other");
}

std::string whyImpossible(const Combination &c) {
  bool pipes = false;
  for (const Variant &a : variantsOf(c.first)) {
    for (const Variant &b : variantsOf(c.second)) {
      if ((a.pipe == b.pipe) != c.samePipe) {
        continue;
      }
      pipes = true;
      if (canRelate(a, b, c.relation)) {
        return {};
      }
    }
  }
  if (!pipes) {
    return c.samePipe ? "no pipe has both classes"
                      : "both classes are of one pipe only";
  }
  switch (c.relation) {
  case Relation::kRaw:
    return "the second reads nothing that the first writes";
  case Relation::kWar:
    return "the second writes nothing that the first reads";
  default:
    return "no memory is written by both";
  }
}

const std::vector<Combination> &possibleCombinations() {
  static const std::vector<Combination> all = [] {
    std::vector<Combination> found;
    for (unsigned first = 0; first < kNumClasses; ++first) {
      for (unsigned second = 0; second < kNumClasses; ++second) {
        for (unsigned r = 0; r < kNumRelations; ++r) {
          for (bool same : {false, true}) {
            Combination c{first, second, static_cast<Relation>(r), same};
            if (whyImpossible(c).empty()) {
              found.push_back(c);
            }
          }
        }
      }
    }
    return found;
  }();
  return all;
}

void Coverage::add(const SyncedProgram &program) {
  std::vector<std::deque<Event>> recent(program.blocks);
  std::vector<isa::PipeConfig> configs(program.blocks);
  for (const Issue &issue : program.issues) {
    if (issue.kind == Issue::Kind::kBarrier ||
        issue.kind == Issue::Kind::kDeviceBarrier) {
      continue;
    }
    Event now;
    if (issue.kind == Issue::Kind::kStep) {
      const Step &step = program.steps[issue.step];
      now.trace = traceOf(step, configs[issue.block]);
      now.index = step.kind == Step::Kind::kWindowCopy
                      ? kWindowClass
                      : static_cast<unsigned>(now.trace.timing);
      applyConfiguration(step, configs[issue.block]);
    } else {
      now.trace.pipe = pipeOf(issue);
    }
    std::deque<Event> &before = recent[issue.block];
    for (const Event &event : before) {
      const unsigned found = dependence(event.trace, now.trace);
      for (unsigned r = 0; r < kNumRelations; ++r) {
        if (is(found, static_cast<Relation>(r))) {
          seen_.insert({event.index, now.index, static_cast<Relation>(r),
                        event.trace.pipe == now.trace.pipe});
        }
      }
    }
    before.push_back(std::move(now));
    if (before.size() > kReach) {
      before.pop_front();
    }
  }
}

std::vector<Combination> Coverage::missing() const {
  std::vector<Combination> found;
  for (const Combination &c : possibleCombinations()) {
    if (!seen_.contains(c)) {
      found.push_back(c);
    }
  }
  return found;
}

std::string Coverage::matrix(bool samePipe) const {
  std::string out = fmt::format("{} pipe; r RAW, a WAR, w WAW, n none covered; "
                                "! not covered; . impossible\n{:>18}",
                                samePipe ? "same" : "other", "");
  for (unsigned second = 0; second < kNumClasses; ++second) {
    out += fmt::format(" {:>4}", second);
  }
  for (unsigned first = 0; first < kNumClasses; ++first) {
    out += fmt::format("\n{:>2} {:<15}", first, className(first));
    for (unsigned second = 0; second < kNumClasses; ++second) {
      out += ' ';
      for (unsigned r = 0; r < kNumRelations; ++r) {
        Combination c{first, second, static_cast<Relation>(r), samePipe};
        out += !whyImpossible(c).empty() ? '.'
               : seen_.contains(c)       ? "rawn"[r]
                                         : '!';
      }
    }
  }
  return out + "\n";
}

std::string Coverage::text() const {
  std::string out = matrix(true) + matrix(false);
  std::map<std::string, unsigned> reasons;
  for (unsigned first = 0; first < kNumClasses; ++first) {
    for (unsigned second = 0; second < kNumClasses; ++second) {
      for (unsigned i = 0; i < 2 * kNumRelations; ++i) {
        ++reasons[whyImpossible(
            {first, second, static_cast<Relation>(i / 2), i % 2 == 1})];
      }
    }
  }
  for (const auto &[why, count] : reasons) {
    if (!why.empty()) {
      out += fmt::format("{:>5} impossible: {}\n", count, why);
    }
  }
  return out + fmt::format("{:>5} of {} possible combinations covered\n",
                           possibleCombinations().size() - missing().size(),
                           possibleCombinations().size());
}

} // namespace kiln::test
