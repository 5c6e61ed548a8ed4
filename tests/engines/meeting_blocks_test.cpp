// SPDX-License-Identifier: Apache-2.0
//
// Blocks that meet: semaphores and the device barrier in every order and
// engine, their faults; the texts of kprint and kassert.
#include "isa/gen/operands.h"
#include "tests/engines/support/engine_bench.h"
#include "tests/engines/support/program_builder.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <optional>

namespace kiln::test {
namespace {

using isa::FaultKind;
using isa::LocalView;
using isa::Opcode;
using isa::Pipe;
using sim::Order;
using ::testing::HasSubstr;

constexpr uint8_t kI32 = 4;
constexpr unsigned kT0 = 5, kT1 = 6, kT2 = 7, kA0 = 10, kA1 = 11, kA2 = 12;
constexpr uint32_t kBlocks = 4;

void slli(ProgramBuilder &b, unsigned rd, unsigned rs1, unsigned by) {
  b.word(by << 20 | rs1 << 15 | 1u << 12 | rd << 7 | 0x13);
}
void add(ProgramBuilder &b, unsigned rd, unsigned rs1, unsigned rs2) {
  b.word(rs2 << 20 | rs1 << 15 | rd << 7 | 0x33);
}
void sub(ProgramBuilder &b, unsigned rd, unsigned rs1, unsigned rs2) {
  b.word(1u << 30 | rs2 << 20 | rs1 << 15 | rd << 7 | 0x33);
}

/// Four bytes between UB block 0 and the GM address in register a1 or a0.
void loadWord(ProgramBuilder &b) {
  b.li(kA0, LocalView{0, 1, 1, 1}.pack());
  b.li(kA2, isa::LoadGeometry{.rowBytes = 4}.pack());
  b.npuWord({.op = Opcode::kLdUb, .rs1 = kA0, .rs2 = kA1, .rs3 = kA2});
}
void storeWord(ProgramBuilder &b) {
  b.li(kA1, LocalView{0, 1, 1, 1}.pack());
  b.li(kA2, isa::StoreGeometry{.rowBytes = 4}.pack());
  b.npuWord(
      {.op = Opcode::kStUb, .f3 = kI32, .rs1 = kA0, .rs2 = kA1, .rs3 = kA2});
}

/// Block n waits for block n - 1, adds 1 to a number in GM and posts to block
/// n + 1.
std::shared_ptr<const sim::Program> relay(uint64_t gm) {
  ProgramBuilder b;
  b.note.bindingCount = 1;
  b.csrRead(kT0, isa::kCsrBlockIndex);
  b.li(kT1, 0);
  b.li(kA0, 3); // semaphore 3
  b.branch(0, kT0, kT1, b.size() + 2);
  b.npuWord({.op = Opcode::kKpend, .f3 = 1, .rs1 = kA0});
  b.li(kA1, gm);
  loadWord(b);
  b.set(Pipe::MTE2, Pipe::V);
  b.wait(Pipe::MTE2, Pipe::V);
  b.npu({.op = Opcode::kVadds, .f3 = kI32}, LocalView{0, 1, 1, 1}.pack(),
        LocalView{0, 1, 1, 1}.pack(), 1);
  b.set(Pipe::V, Pipe::MTE3);
  b.wait(Pipe::V, Pipe::MTE3);
  b.li(kA0, gm);
  storeWord(b);
  b.li(kT1, kBlocks - 1);
  b.addi(kA0, kT0, 1);
  slli(b, kA0, kA0, 16);
  b.addi(kA0, kA0, 3);
  b.branch(0, kT0, kT1, b.size() + 2);
  b.npuWord({.op = Opcode::kKpost, .f3 = 6, .rs1 = kA0});
  return b.program();
}

sim::LaunchRequest together(EngineBench &bench,
                            std::shared_ptr<const sim::Program> program,
                            const std::vector<uint64_t> &buffers) {
  sim::LaunchRequest request = bench.request(std::move(program), buffers);
  request.blockDim = request.cores = kBlocks;
  return request;
}

TEST(MeetingBlocks, SemaphoresPassANumberOnInEveryOrder) {
  EngineBench bench;
  for (Order order : {Order::kEager, Order::kLazy, Order::kRandom}) {
    const uint64_t gm = bench.upload<int32_t>({100});
    sim::LaunchRequest request = together(bench, relay(gm), {gm});
    request.order = order;
    sim::LaunchReport report = bench.runFunctional(request);
    EXPECT_EQ(104, bench.download<int32_t>(gm, 1)[0]);
    // kwait, st.ub per block and a kpost in all but the last: counted once,
    // however often a block had to wait.
    EXPECT_EQ(2 * kBlocks + kBlocks - 1, report.commands[unsigned(Pipe::MTE3)]);
  }
  const uint64_t gm = bench.upload<int32_t>({-2});
  bench.runCycle(together(bench, relay(gm), {gm}));
  EXPECT_EQ(2, bench.download<int32_t>(gm, 1)[0]);
}

struct Stamps final : sim::CommandListener {
  void retired(const sim::CommandStamp &stamp) override {
    all.push_back(stamp);
  }
  const sim::CommandStamp &of(uint32_t core, Opcode op) const {
    for (const sim::CommandStamp &s : all) {
      if (s.core == core && s.command.op == op) {
        return s;
      }
    }
    ADD_FAILURE() << "no " << mnemonic(op) << " on core " << core;
    return all.front();
  }
  std::vector<sim::CommandStamp> all;
};

TEST(MeetingBlocks, APostTravelsForTheCyclesOfTheMachineFile) {
  for (uint32_t cycles : {1u, 60u, 61u}) {
    EngineBench bench;
    bench.arch.timing.semaphoreCycles = cycles;
    const uint64_t gm = bench.upload<int32_t>({0});
    sim::LaunchRequest request = together(bench, relay(gm), {gm});
    Stamps stamps;
    request.listener = &stamps;
    bench.runCycle(request);
    for (uint32_t core = 0; core + 1 < kBlocks; ++core) {
      // The store retires, the post travels, kpend takes a cycle.
      EXPECT_EQ(stamps.of(core, Opcode::kStUb).retire + cycles + 1,
                stamps.of(core + 1, Opcode::kLdUb).start);
    }
  }
}

/// Every block stores its index + 1, meets the others (unless `meet` is false)
/// and takes the number of the block opposite.
std::shared_ptr<const sim::Program> exchange(uint64_t in, uint64_t out,
                                             bool meet = true) {
  ProgramBuilder b;
  b.note.bindingCount = 2;
  b.csrRead(kT0, isa::kCsrBlockIndex);
  slli(b, kT2, kT0, 2);
  b.addi(kT1, kT0, 1);
  b.li(kA0, isa::kUbWindowBase);
  b.store(2, kT1, kA0, 0);
  b.set(Pipe::S, Pipe::MTE3);
  b.wait(Pipe::S, Pipe::MTE3);
  b.li(kA0, in);
  add(b, kA0, kA0, kT2);
  storeWord(b);
  b.npu({.op = meet ? Opcode::kKdbar : Opcode::kKbar});
  b.li(kA1, in + 4 * (kBlocks - 1));
  sub(b, kA1, kA1, kT2);
  loadWord(b);
  b.set(Pipe::MTE2, Pipe::MTE3);
  b.wait(Pipe::MTE2, Pipe::MTE3);
  b.li(kA0, out);
  add(b, kA0, kA0, kT2);
  storeWord(b);
  b.npu({.op = Opcode::kKdbar}); // twice: rounds are counted
  return b.program();
}

TEST(MeetingBlocks, TheDeviceBarrierLetsNobodyPassEarly) {
  EngineBench bench;
  const std::vector<int32_t> want = {4, 3, 2, 1};
  for (Order order : {Order::kEager, Order::kLazy, Order::kRandom}) {
    const uint64_t in = bench.upload(std::vector<int32_t>(kBlocks));
    const uint64_t out = bench.upload(std::vector<int32_t>(kBlocks));
    sim::LaunchRequest request = together(bench, exchange(in, out), {in, out});
    request.order = order;
    bench.runFunctional(request);
    EXPECT_EQ(want, bench.download<int32_t>(out, kBlocks));
  }
  const uint64_t in = bench.upload(std::vector<int32_t>(kBlocks));
  const uint64_t out = bench.upload(std::vector<int32_t>(kBlocks));
  bench.runCycle(together(bench, exchange(in, out), {in, out}));
  EXPECT_EQ(want, bench.download<int32_t>(out, kBlocks));
}

TEST(MeetingBlocks, LazyPipesPostWhatOtherBlocksWaitFor) {
  // Block 0 waits for a post of block 1 that nothing in block 1 waits for.
  ProgramBuilder b;
  auto postBehindMte2 = [&](uint64_t block, uint64_t semaphore) {
    b.set(Pipe::MTE2, Pipe::MTE3);
    b.wait(Pipe::MTE2, Pipe::MTE3);
    b.npu({.op = Opcode::kKpost, .f3 = 6}, block << 16 | semaphore);
  };
  b.csrRead(kT0, isa::kCsrBlockIndex);
  b.li(kT1, 1);
  const size_t branch = b.size();
  b.word(0);
  b.npu({.op = Opcode::kKpend, .f3 = 1}, 3);
  postBehindMte2(1, 1);
  b.end();
  const size_t second = b.size();
  postBehindMte2(0, 3);
  b.npu({.op = Opcode::kKpend, .f3 = 1}, 1);
  b.set(Pipe::MTE2, Pipe::S);
  b.wait(Pipe::MTE2, Pipe::S);
  b.end();
  b.patchBranch(branch, kT0, kT1, second);
  EngineBench bench;
  for (Order order : {Order::kEager, Order::kLazy, Order::kRandom}) {
    sim::LaunchRequest request = bench.request(b.program());
    request.blockDim = request.cores = 2;
    request.order = order;
    bench.runFunctional(request);
  }
}

constexpr sim::Checks kAllChecks{
    .race = true, .init = true, .bounds = true, .flags = true};

/// What the checks find in an order of the functional engine, or in the cycle
/// engine.
std::vector<sim::Finding> findings(EngineBench &bench,
                                   sim::LaunchRequest request,
                                   std::optional<Order> order) {
  request.checks = kAllChecks;
  request.order = order.value_or(Order::kEager);
  return order ? bench.runFunctional(request).findings
               : bench.runCycle(request).findings;
}

constexpr std::optional<Order> kEveryWay[] = {Order::kEager, Order::kLazy,
                                              Order::kRandom, std::nullopt};

TEST(MeetingBlocks, ChecksFollowSemaphoresAndTheDeviceBarrier) {
  EngineBench bench;
  const uint64_t in = bench.upload(std::vector<int32_t>(kBlocks));
  const uint64_t out = bench.upload(std::vector<int32_t>(kBlocks));
  for (std::optional<Order> order : kEveryWay) {
    for (auto &program : {relay(in), exchange(in, out)}) {
      std::vector<uint64_t> buffers = {in, out};
      buffers.resize(program->image().note.bindingCount);
      for (const sim::Finding &f :
           findings(bench, together(bench, program, buffers), order)) {
        ADD_FAILURE() << f.text;
      }
    }
  }
}

TEST(MeetingBlocks, ARaceBetweenBlocksNamesWhatIsMissing) {
  EngineBench bench;
  const uint64_t in = bench.upload(std::vector<int32_t>(kBlocks));
  const uint64_t out = bench.upload(std::vector<int32_t>(kBlocks));
  const auto request =
      together(bench, exchange(in, out, /*meet=*/false), {in, out});
  for (std::optional<Order> order : kEveryWay) {
    const std::vector<sim::Finding> found = findings(bench, request, order);
    ASSERT_FALSE(found.empty());
    EXPECT_THAT(found[0].text, HasSubstr("GM byte"));
    EXPECT_THAT(found[0].text, HasSubstr("missing: kpost after the first"));
  }
}

/// Blocks 1 to 3 store a word each and post to block 0, which loads the words
/// behind so many kpends and takes the rest later.
std::shared_ptr<const sim::Program> gather(uint64_t words, unsigned pends) {
  ProgramBuilder b;
  b.note.bindingCount = 1;
  b.csrRead(kT0, isa::kCsrBlockIndex);
  b.li(kT1, 0);
  const size_t branch = b.size();
  b.word(0);
  slli(b, kT2, kT0, 2); // a block that stores
  b.li(kA0, isa::kUbWindowBase);
  b.store(2, kT0, kA0, 0);
  b.set(Pipe::S, Pipe::MTE3);
  b.wait(Pipe::S, Pipe::MTE3);
  b.li(kA0, words);
  add(b, kA0, kA0, kT2);
  storeWord(b);
  b.npu({.op = Opcode::kKpost, .f3 = 6}, 2);
  b.end();
  const size_t first = b.size();
  for (unsigned i = 0; i < kBlocks - 1; ++i) {
    if (i == pends) {
      b.npu({.op = Opcode::kLdUb}, LocalView{0, 1, 1, 1}.pack(), words,
            isa::LoadGeometry{.rowBytes = 4 * kBlocks}.pack());
    }
    b.npu({.op = Opcode::kKpend, .f3 = 1}, 2);
  }
  if (pends == kBlocks - 1) {
    b.npu({.op = Opcode::kLdUb}, LocalView{0, 1, 1, 1}.pack(), words,
          isa::LoadGeometry{.rowBytes = 4 * kBlocks}.pack());
  }
  b.end();
  b.patchBranch(branch, kT0, kT1, first);
  return b.program();
}

TEST(MeetingBlocks, OneSemaphoreMayGatherManyBlocks) {
  EngineBench bench;
  const uint64_t words = bench.upload(std::vector<int32_t>(kBlocks));
  for (std::optional<Order> order : kEveryWay) {
    EXPECT_TRUE(
        findings(bench, together(bench, gather(words, 3), {words}), order)
            .empty());
  }
  // After two of three posts any block may be the one that has not come.
  for (unsigned pends : {1u, 2u}) {
    EXPECT_FALSE(findings(bench, together(bench, gather(words, pends), {words}),
                          Order::kEager)
                     .empty());
  }
}

/// A fault of both engines.
void expectFault(const ProgramBuilder &builder, FaultKind kind,
                 const char *text) {
  EngineBench bench;
  for (sim::Engine *engine : {bench.functional.get(), bench.cycle.get()}) {
    ProgramBuilder b = builder;
    sim::FaultReport fault = bench.fault(*engine, bench.request(b.program()));
    EXPECT_EQ(isa::name(kind), isa::name(fault.kind)) << fault.message;
    EXPECT_THAT(fault.message, HasSubstr(text));
    EXPECT_FALSE(fault.remedy.empty());
  }
}

TEST(MeetingBlocks, MisuseIsNamed) {
  ProgramBuilder waits, overflows, leaves, misses, wrong;
  waits.npu({.op = Opcode::kKpend, .f3 = 1}, 7);
  expectFault(waits, FaultKind::kDeadlock, "semaphore 7");
  for (unsigned i = 0; i < 16; ++i) {
    overflows.npu({.op = Opcode::kKpost, .f3 = 4}, 2);
  }
  expectFault(overflows, FaultKind::kSemaphore, "semaphore 2 of block 0 is 15");
  leaves.npu({.op = Opcode::kKpost, .f3 = 6}, 1);
  expectFault(leaves, FaultKind::kSemaphore,
              "semaphore 1 of block 0 is 1 at the end");
  misses.npu({.op = Opcode::kKpost, .f3 = 6}, 1u << 16);
  expectFault(misses, FaultKind::kSemaphore, "block 1");
  wrong.npu({.op = Opcode::kKpend, .f3 = 1}, 16);
  expectFault(wrong, FaultKind::kSemaphore, "semaphore 16; expected 0 to 15");
}

TEST(MeetingBlocks, NeedACoreEach) {
  EngineBench bench;
  ProgramBuilder b;
  b.npu({.op = Opcode::kKdbar});
  sim::LaunchRequest request = bench.request(b.program());
  request.blockDim = 3;
  request.cores = 2;
  for (sim::Engine *engine : {bench.functional.get(), bench.cycle.get()}) {
    const Status status = engine->run(request).status();
    EXPECT_EQ(StatusCode::kInvalidArgument, status.code());
    EXPECT_THAT(status.message(), HasSubstr("3 blocks"));
  }
}

/// Puts a text into the scalar RAM.
uint64_t putText(ProgramBuilder &b, std::string text) {
  constexpr uint64_t kAddress = isa::kScalarRamBase + 0x4000;
  text.resize((text.size() / 8 + 1) * 8);
  for (size_t i = 0; i < text.size(); i += 8) {
    uint64_t word = 0;
    std::memcpy(&word, text.data() + i, 8);
    b.li(kT1, word);
    b.li(kT2, kAddress + i);
    b.store(3, kT1, kT2, 0);
  }
  return kAddress;
}

TEST(KernelText, PrintsNumbersOfEveryKind) {
  EngineBench bench;
  ProgramBuilder b;
  const uint64_t text = putText(b, "row {d} of {x}{?}");
  b.npu({.op = Opcode::kKprint}, text, ~uint64_t{4}, 255);
  const uint64_t floats = putText(b, "{f16} and {bf16}, {u}");
  b.npu({.op = Opcode::kKprint}, floats, 0x3c00, 0x4049);
  for (bool cycle : {false, true}) {
    const sim::LaunchRequest request = bench.request(b.program());
    sim::LaunchReport report =
        cycle ? bench.runCycle(request) : bench.runFunctional(request);
    ASSERT_EQ(2u, report.printed.size());
    EXPECT_EQ("row -5 of 0xff{?}", report.printed[0].text);
    EXPECT_EQ("1 and 3.140625, {u}", report.printed[1].text);
    EXPECT_EQ(0u, report.printed[0].block);
  }
}

TEST(KernelText, AnAssertionThatHoldsIsSilent) {
  EngineBench bench;
  ProgramBuilder b;
  const uint64_t text = putText(b, "not reached");
  b.npu({.op = Opcode::kKassert}, 1, text);
  EXPECT_TRUE(bench.runFunctional(bench.request(b.program())).printed.empty());
  EXPECT_TRUE(bench.runCycle(bench.request(b.program())).printed.empty());
}

TEST(KernelText, AnAssertionThatFailsTrapsWithItsText) {
  ProgramBuilder b;
  const uint64_t text = putText(b, "count is {d}");
  b.npu({.op = Opcode::kKassert}, 0, text, 12);
  expectFault(b, FaultKind::kTrap, "assertion failed: count is 12");
}

TEST(KernelText, ATextOutsideTheScalarRamIsAFault) {
  ProgramBuilder b;
  b.npu({.op = Opcode::kKprint}, 64);
  expectFault(b, FaultKind::kControl, "no text of at most 255 bytes at 0x40");
}

TEST(IsaVersion, NewerProgramsAreRefusedByName) {
  ProgramBuilder b;
  b.end();
  const std::vector<uint8_t> elf = b.elf();
  const std::string known =
      "\"isa_version\":" + std::to_string(isa::kIsaVersion);
  for (const auto &[digit, runs] :
       {std::pair{'1', true}, {'0', false}, {'9', false}}) {
    std::vector<uint8_t> changed = elf;
    const auto at =
        std::search(changed.begin(), changed.end(), known.begin(), known.end());
    ASSERT_NE(changed.end(), at);
    *(at + static_cast<long>(known.size()) - 1) = static_cast<uint8_t>(digit);
    const auto program = sim::Program::load(changed, "changed.elf");
    EXPECT_EQ(runs, bool(program)) << digit;
    if (!runs) {
      EXPECT_EQ(StatusCode::kUnsupported, program.status().code());
      EXPECT_THAT(program.status().message(), HasSubstr("isa_version"));
    }
  }
}

} // namespace
} // namespace kiln::test
