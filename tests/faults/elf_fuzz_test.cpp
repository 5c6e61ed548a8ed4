// SPDX-License-Identifier: Apache-2.0
//
// Damaged NPU programs and words that are no instruction, on both engines: a
// typed error or a modelled fault with a message, or a run to the end; never a
// crash, never a hang. The long set has 10^5 damages and 10^6 words.
#include "isa/codec/instruction.h"
#include "tests/engines/support/assembled.h"
#include "tests/engines/support/engine_bench.h"
#include "tests/engines/support/program_builder.h"
#include "tests/faults/damage.h"
#include "tests/support/seeds.h"

#include <cstring>
#include <map>

#include <fmt/format.h>

namespace kiln::test {
namespace {

/// Where a mutation is likely to matter.
struct Places {
  size_t headers = 0; // the first so many bytes
  size_t text = 0, textEnd = 0;
  size_t sections = 0; // to the end of the file
};

template <typename T> T fieldAt(const Bytes &file, size_t at) {
  T value{};
  std::memcpy(&value, file.data() + at, sizeof(T));
  return value;
}

Places placesOf(const Bytes &file) {
  Places p;
  p.headers = 64 + 56 * fieldAt<uint16_t>(file, 56);
  p.text = fieldAt<uint64_t>(file, 64 + 8);
  p.textEnd = p.text + fieldAt<uint64_t>(file, 64 + 32);
  p.sections = fieldAt<uint64_t>(file, 40);
  return p;
}

/// Overwrites a field of 2, 4 or 8 bytes in [begin, end) with a value that is
/// often wrong.
void overwriteField(Bytes &file, size_t begin, size_t end, uint64_t &state) {
  const size_t width = size_t{2} << next(state) % 3;
  const size_t at = begin + next(state) % (end - begin) / width * width;
  const uint64_t kValues[] = {0,
                              1,
                              ~uint64_t{0},
                              ~uint64_t{0} >> 1,
                              file.size(),
                              file.size() - 1,
                              uint64_t{1} << 31,
                              next(state),
                              fieldAt<uint64_t>(file, at % 64) + 1};
  const uint64_t value = kValues[next(state) % std::size(kValues)];
  std::memcpy(file.data() + at, &value, std::min(width, file.size() - at));
}

/// A copy with one to three mutations.
Bytes mutated(const Bytes &whole, uint64_t seed) {
  uint64_t state = seed;
  Bytes file = whole;
  const Places places = placesOf(whole);
  for (uint64_t left = 1 + next(state) % 3; left && file.size() > 128; --left) {
    switch (next(state) % 7) {
    case 0:
      file[next(state) % file.size()] ^=
          static_cast<uint8_t>(1u << next(state) % 8);
      break;
    case 1:
      overwriteField(file, 0, std::min(places.headers, file.size() - 8), state);
      break;
    case 2:
      overwriteField(file, std::min(places.sections, file.size() - 64),
                     file.size() - 8, state);
      break;
    case 3:
      overwriteField(file, 0, file.size() - 8, state);
      break;
    case 4: // instructions: other operands, other registers, none
      overwriteField(file, std::min(places.text, file.size() - 64),
                     std::min(places.textEnd, file.size() - 8), state);
      break;
    case 5:
      file.resize(next(state) % file.size());
      break;
    default: { // a piece moves
      const size_t bytes = 1 + next(state) % 64;
      const size_t from = next(state) % (file.size() - bytes);
      const size_t to = next(state) % (file.size() - bytes);
      std::memmove(file.data() + to, file.data() + from, bytes);
    }
    }
  }
  return file;
}

bool isExpected(const Status &status) {
  return status.code() == StatusCode::kDeviceFault ||
         status.code() == StatusCode::kBudgetExceeded ||
         isDocumented(status.code());
}

class DamagedElf : public testing::Test {
protected:
  /// Loads and runs; counts what came of it.
  void check(const Bytes &file, uint64_t seed, bool cycle) {
    auto program = sim::Program::load(file, "damaged.elf");
    if (!program) {
      expectDocumented(program.status(), fmt::format("seed {}", seed));
      ++refused_;
      return;
    }
    sim::LaunchRequest request = bench_.request(*program, {gm_, gm_, gm_});
    request.bindings.resize((*program)->image().note.bindingCount % 4);
    request.constants = {1};
    request.constants.resize((*program)->image().note.constantCount % 4);
    request.budget = cycle ? 20'000 : 2'000;
    sim::Engine &engine = cycle ? *bench_.cycle : *bench_.functional;
    const Status status = engine.run(request).status();
    if (!status.isOk()) {
      EXPECT_TRUE(isExpected(status))
          << "seed " << seed << ": exit " << exitCode(status.code()) << ": "
          << status.message();
      EXPECT_FALSE(status.message().empty()) << "seed " << seed;
      ++faulted_;
    } else {
      ++ran_;
    }
  }

  EngineBench bench_{"k1-nano"};
  uint64_t gm_ = bench_.allocate(1 << 16);
  size_t refused_ = 0, faulted_ = 0, ran_ = 0;
};

TEST_F(DamagedElf, IsRefusedOrFaultsOrRuns) {
  const Bytes files[] = {
      assembleElf(readText("tests/engines/asm/vadd.s"), "vadd.s", 3, 1),
      assembleElf(readText("tests/engines/asm/gemm64.s"), "gemm64.s", 3)};
  for (const Bytes &whole : files) {
    ASSERT_GT(whole.size(), 1000u);
  }
  for (uint64_t seed : seeds(0, 2'000)) {
    check(mutated(files[seed % 2], seed), seed, seed % 4 >= 2);
  }
  fmt::print("damaged programs: {} refused, {} faulted, {} ran to the end\n",
             refused_, faulted_, ran_);
  EXPECT_GT(refused_, 100u);
  EXPECT_GT(faulted_, 100u);
  EXPECT_GT(ran_, 100u);
}

/// A word that no instruction has.
uint32_t undefinedWord(uint64_t &state) {
  constexpr uint32_t kMajor[] = {0x0b, 0x2b, 0x5b, 0x7b};
  for (;;) {
    auto word = static_cast<uint32_t>(next(state));
    if (next(state) % 16 == 0) {
      return word & ~3u; // no 32-bit instruction at all
    }
    word = (word & ~0x7fu) | kMajor[next(state) % 4];
    word &= ~(next(state) % 3 == 0 ? 31u << 27 : 0u);
    if (!isa::decodeFast(word)) {
      return word;
    }
  }
}

TEST_F(DamagedElf, AWordThatIsNoInstructionIsAFaultWithItsField) {
  std::map<std::string, unsigned> fields;
  for (uint64_t seed : seeds(0, 20'000)) {
    uint64_t state = seed;
    const uint32_t word = undefinedWord(state);
    ProgramBuilder b;
    b.word(word);
    sim::LaunchRequest request = bench_.request(b.program());
    sim::Engine &engine = seed % 8 == 0 ? *bench_.cycle : *bench_.functional;
    const Status status = engine.run(request).status();
    ASSERT_EQ(StatusCode::kDeviceFault, status.code()) << std::hex << word;
    ASSERT_TRUE(engine.lastFault().has_value());
    const sim::FaultReport &fault = *engine.lastFault();
    ASSERT_EQ(isa::FaultKind::kIllegalInstruction, fault.kind)
        << std::hex << word << ": " << fault.message;
    if (isa::isNpuWord(word)) {
      const std::string why = isa::decode(word).status().message();
      ASSERT_NE(std::string::npos, fault.message.find(why))
          << fault.message << "\nexpected: " << why;
      ++fields[why.substr(0, why.find(':'))];
    }
  }
  EXPECT_GE(fields.size(), 4u);
}

} // namespace
} // namespace kiln::test
