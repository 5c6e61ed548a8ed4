// SPDX-License-Identifier: Apache-2.0
#include "tests/engines/random/step.h"

#include "isa/support/units.h"
#include "simulator/check/byte_shadow.h"

#include <algorithm>
#include <cstdlib>
#include <cstring>

namespace kiln::test {

using isa::Opcode;
using isa::Pipe;

namespace {

/// Keys of cells: the space above the cell's number; configuration words
/// stand in a space of their own.
constexpr unsigned kSpaceShift = 56;
constexpr uint64_t kConfigurationSpace = isa::kNumSpaces;

bool isConfiguration(const Step &step) {
  return step.kind == Step::Kind::kCommand &&
         step.instruction.op == Opcode::kKcfg;
}

/// Words of the configuration of a pipe, a cell each.
uint64_t configurationKey(Pipe pipe, unsigned index) {
  return kConfigurationSpace << kSpaceShift | static_cast<uint64_t>(pipe) << 3 |
         index;
}

void addRange(const isa::StridedRange &range, StepTrace &trace) {
  const uint64_t space = static_cast<uint64_t>(range.space) << kSpaceShift;
  sim::forEachCell(range, [&](uint64_t cell, uint32_t mask) {
    trace.cells.push_back({space | cell, range.write ? 0 : mask,
                           range.write ? mask : 0, range.commutes});
  });
}

/// Sorts the cells and makes one of equal ones.
void tidy(std::vector<StepTrace::Cell> &cells) {
  std::sort(cells.begin(), cells.end(),
            [](const auto &a, const auto &b) { return a.key < b.key; });
  size_t used = 0;
  for (size_t i = 0; i < cells.size(); ++i) {
    if (used && cells[used - 1].key == cells[i].key) {
      cells[used - 1].read |= cells[i].read;
      cells[used - 1].write |= cells[i].write;
    } else {
      cells[used++] = cells[i];
    }
  }
  cells.resize(used);
}

void addWindowCopy(const Step &step, StepTrace &trace) {
  isa::StridedRange range;
  range.space = isa::Space::UB;
  range.bytes = step.operand[2];
  range.base = step.operand[0];
  addRange(range, trace);
  range.write = true;
  range.base = step.operand[1];
  addRange(range, trace);
}

void addCommand(const Step &step, const isa::PipeConfig &config,
                StepTrace &trace) {
  isa::Footprint footprint;
  isa::footprint(step.command(), config, footprint);
  for (const isa::StridedRange &range : footprint.ranges) {
    addRange(range, trace);
  }
  if (isa::info(step.instruction.op).readsConfig) {
    for (unsigned index = 0; index < 4; ++index) {
      trace.cells.push_back({configurationKey(trace.pipe, index), 1, 0, 0});
    }
  }
}

} // namespace

Pipe pipeOfStep(const Step &step) {
  return step.kind == Step::Kind::kWindowCopy ? Pipe::S
                                              : isa::pipeOf(step.instruction);
}

std::optional<uint64_t> addressIn(isa::Space space,
                                  const StepTrace::Cell &cell) {
  if (cell.key >> kSpaceShift != static_cast<uint64_t>(space)) {
    return std::nullopt;
  }
  return sim::kShadowCellBytes *
         (cell.key & ((uint64_t{1} << kSpaceShift) - 1));
}

void applyConfiguration(const Step &step, isa::PipeConfig &config) {
  if (isConfiguration(step)) {
    (void)isa::configure(step.command(), config);
  }
}

StepTrace traceOf(const Step &step, const isa::PipeConfig &config) {
  StepTrace trace;
  trace.pipe = pipeOfStep(step);
  if (step.kind == Step::Kind::kWindowCopy) {
    addWindowCopy(step, trace);
  } else {
    trace.timing = isa::info(step.instruction.op).timing;
    if (isConfiguration(step)) {
      trace.cells.push_back(
          {configurationKey(trace.pipe, step.instruction.f3), 0, 1, 0});
    } else {
      addCommand(step, config, trace);
    }
  }
  tidy(trace.cells);
  return trace;
}

unsigned dependence(const StepTrace &earlier, const StepTrace &later,
                    bool gmOnly) {
  static_assert(static_cast<unsigned>(isa::Space::GM) == 0);
  const uint64_t end = gmOnly ? uint64_t{1} << kSpaceShift : ~uint64_t{0};
  unsigned found = 0;
  auto a = earlier.cells.begin(), b = later.cells.begin();
  while (a != earlier.cells.end() && b != later.cells.end() && a->key < end) {
    if (a->key != b->key) {
      ++(a->key < b->key ? a : b);
      continue;
    }
    if (a->commutes == 0 || a->commutes != b->commutes) {
      found |= (a->write & b->read ? kReadAfterWrite : 0u) |
               (a->read & b->write ? kWriteAfterRead : 0u) |
               (a->write & b->write ? kWriteAfterWrite : 0u);
    }
    ++a;
    ++b;
  }
  return found;
}

class Interpreter::Memory final : public isa::GlobalMemory {
public:
  Memory(uint64_t base, std::vector<std::byte> bytes)
      : bytes(std::move(bytes)), base_(base) {}
  std::byte *map(uint64_t address, uint64_t size, isa::Access) override {
    bool inside = address >= base_ && size <= bytes.size() &&
                  address - base_ <= bytes.size() - size;
    return inside ? bytes.data() + (address - base_) : nullptr;
  }
  std::vector<std::byte> bytes;

private:
  uint64_t base_;
};

/// The local memories of a block. The host zeroes pages when they are touched,
/// and programs touch few.
struct Interpreter::Core {
  struct Free {
    void operator()(std::byte *p) const { std::free(p); }
  };
  Core(const isa::ArchSpec &arch, isa::GlobalMemory &gm) {
    constexpr uint64_t kAlignment = 64;
    for (unsigned s = 1; s < isa::kNumSpaces; ++s) {
      const uint64_t bytes = arch.arch.capacityBytes[s];
      local[s].reset(
          static_cast<std::byte *>(std::calloc(bytes + kAlignment, 1)));
      auto address = reinterpret_cast<uintptr_t>(local[s].get());
      memory.local[s] = {
          local[s].get() + (alignUp(address, kAlignment) - address), bytes};
    }
    memory.gm = &gm;
  }
  std::unique_ptr<std::byte, Free> local[isa::kNumSpaces];
  isa::CoreMemory memory;
  isa::PipeConfig config;
};

Interpreter::Interpreter(const isa::ArchSpec &arch, uint64_t gm,
                         std::vector<std::byte> memory)
    : arch_(arch), gm_(std::make_unique<Memory>(gm, std::move(memory))) {}

Interpreter::~Interpreter() = default;

Interpreter::Core &Interpreter::core(uint32_t block) {
  while (cores_.size() <= block) {
    cores_.push_back(std::make_unique<Core>(arch_, *gm_));
  }
  return *cores_[block];
}

const isa::PipeConfig &Interpreter::config(uint32_t block) {
  return core(block).config;
}

bool Interpreter::run(const Step &step) {
  Core &at = core(step.block);
  if (step.kind == Step::Kind::kWindowCopy) {
    std::byte *ub = at.memory[isa::Space::UB].data();
    std::memmove(ub + step.operand[1], ub + step.operand[0], step.operand[2]);
    return true;
  }
  isa::Command c = step.command();
  if (c.op == Opcode::kKcfg) {
    return !isa::configure(c, at.config);
  }
  return !isa::execute(c, at.config, at.memory);
}

std::vector<std::byte> Interpreter::takeGm() { return std::move(gm_->bytes); }

} // namespace kiln::test
