// SPDX-License-Identifier: Apache-2.0
//
// Every timing key of the machine files, one step up and one step down: some
// cycle of the probes must change on k1 or k1-nano. The list of keys comes from
// the visitor that reads machine files, so a new key is in it at once.
//
// A step is 1, or the least that validate() allows: for times of a DRAM part
// one cycle, for its data rate 1 %, for sizes that must divide each other one
// unit or a factor of two. A step that no program can see (129 instead of 128
// bytes per cycle for lines of 512 bytes) is caught in the other direction.
#include "tests/timing/key_probes.h"

#include "isa/arch/machine_fields.h"

#include <gtest/gtest.h>
#include <set>

namespace kiln::test {
namespace {

/// Visits a spec; reads or replaces the n-th number of its timing.
class KeyVisitor {
public:
  explicit KeyVisitor(size_t n = ~size_t{0}) : n_(n) {}
  void open(const std::string &key) { path_.push_back(key); }
  void close() { path_.pop_back(); }
  void field(const std::string &, std::string &) {}
  template <typename T> void field(const std::string &key, T &value) {
    // Energy is counted beside time and never changes it.
    if (!path_.empty() && (path_[0] == "arch" || path_[0] == "energy")) {
      return;
    }
    std::string name;
    for (const std::string &p : path_) {
      name += p + ".";
    }
    names.push_back(name + key);
    if (names.size() - 1 == n_) {
      before = value;
      if (replace) {
        value = static_cast<T>(with);
      }
    }
  }
  std::vector<std::string> names;
  uint64_t before = 0, with = 0;
  bool replace = false;

private:
  size_t n_;
  std::vector<std::string> path_;
};

void visit(KeyVisitor &v, isa::ArchSpec &spec) {
  isa::visitMachine(v, spec);
  v.open("dram_part");
  isa::visitDramPart(v, spec.timing.memory.dram.part);
  v.close();
}

bool endsWith(const std::string &text, const char *end) {
  return text.ends_with(end);
}

/// The values tried for a key that has `value`, up or down, best first.
std::vector<uint64_t> steps(const std::string &key, uint64_t value, bool up,
                            const isa::ArchSpec &arch) {
  const isa::L2Timing &l2 = arch.timing.memory.l2;
  uint64_t step = 1;
  if (endsWith(key, "_ps")) {
    step = 1'000'000'000'000 / arch.timing.clockHz;
  } else if (endsWith(key, "pin_kbps")) {
    step = value / 100;
  } else if (endsWith(key, "l2.bytes")) {
    step = uint64_t{l2.lineBytes} * l2.ways * l2.slices;
  } else if (endsWith(key, "page_bytes")) {
    step = l2.lineBytes;
  } else if (endsWith(key, "clock_hz")) {
    step = value / 100;
  }
  if (!up && value < step) {
    return {};
  }
  return {up ? value + step : value - step, up ? value * 2 : value / 2};
}

class Machine {
public:
  explicit Machine(const char *name)
      : arch(*isa::loadArchSpec(name)), base(probe(arch)) {
    KeyVisitor v;
    visit(v, arch);
    names = v.names;
  }
  enum class Step { kNone, kUnseen, kSeen };
  /// Whether the step of key n changes a cycle; none when no step is valid.
  Step step(size_t n, bool up) const {
    isa::ArchSpec copy = arch;
    KeyVisitor reader(n);
    visit(reader, copy);
    // Rates of three equal widths can change only together; one alone is no
    // machine, but its cycles are as well defined.
    bool rate = names[n].starts_with("timing.vector.") &&
                names[n].find(".bits") != std::string::npos;
    for (uint64_t value : steps(names[n], reader.before, up, arch)) {
      isa::ArchSpec mutant = arch;
      KeyVisitor writer(n);
      writer.replace = true;
      writer.with = value;
      visit(writer, mutant);
      if (value != reader.before &&
          ((rate && value) || isa::validate(mutant))) {
        return probe(mutant) == base ? Step::kUnseen : Step::kSeen;
      }
    }
    return Step::kNone;
  }
  isa::ArchSpec arch;
  uint64_t base;
  std::vector<std::string> names;
};

// With this a step in the file itself is seen. After a change of the engine or
// of a machine that is meant, with its reason in the commit: the numbers that
// the failure prints.
TEST(TimingKeys, TheBuiltInMachinesAreTheOnesOfThisTest) {
  EXPECT_EQ(probe(*isa::loadArchSpec("k1")), 119083062670013770u);
  EXPECT_EQ(probe(*isa::loadArchSpec("k1-nano")), 11847064891586983816u);
}

TEST(TimingKeys, AStepOfEveryKeyIsCaught) {
  using Step = Machine::Step;
  Machine k1("k1"), nano("k1-nano");
  ASSERT_EQ(k1.names, nano.names);
  ASSERT_GT(k1.names.size(), 120u);
  unsigned seen = 0, both = 0;
  for (size_t n = 0; n < k1.names.size(); ++n) {
    Step found[2];
    for (bool up : {false, true}) {
      found[up] = std::max(k1.step(n, up), nano.step(n, up));
    }
    if (std::max(found[0], found[1]) == Step::kNone) {
      std::printf("%s: has no other value\n", k1.names[n].c_str());
      continue;
    }
    EXPECT_EQ(std::max(found[0], found[1]), Step::kSeen)
        << k1.names[n] << " can change unseen";
    ++seen;
    both += found[0] == found[1];
    if (std::min(found[0], found[1]) == Step::kUnseen) {
      std::printf("%s: a step %s is not seen\n", k1.names[n].c_str(),
                  found[1] == Step::kSeen ? "down" : "up");
    }
  }
  std::printf("%u of %zu keys, %u of them in both directions\n", seen,
              k1.names.size(), both);
}

} // namespace
} // namespace kiln::test
