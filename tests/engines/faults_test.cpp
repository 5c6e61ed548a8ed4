// SPDX-License-Identifier: Apache-2.0
//
// Modelled faults: each names kind, instruction, pc, pipe and remedy, is the
// same on both engines, and leaves the engine usable.
#include "isa/gen/operands.h"
#include "tests/engines/support/engine_bench.h"
#include "tests/engines/support/program_builder.h"

#include <functional>
#include <gmock/gmock.h>

namespace kiln::test {
namespace {

using isa::FaultKind;
using isa::LocalView;
using isa::Opcode;
using isa::Pipe;
using sim::FaultReport;
using testing::HasSubstr;

class Faults : public testing::Test {
protected:
  using Fill = std::function<void(ProgramBuilder &)>;

  /// Runs the kernel on both engines; both must fault alike.
  FaultReport expectFault(const Fill &fill, FaultKind kind) {
    ProgramBuilder builder;
    fill(builder);
    builder.note.bindingCount = 1;
    sim::LaunchRequest request = bench.request(builder.program(), {gm});
    request.budget = 100'000;
    FaultReport functional = bench.fault(*bench.functional, request);
    FaultReport cycle = bench.fault(*bench.cycle, request);
    EXPECT_EQ(functional.kind, kind) << functional.text();
    EXPECT_EQ(cycle.kind, kind) << cycle.text();
    EXPECT_FALSE(functional.remedy.empty());
    EXPECT_THAT(functional.text(), HasSubstr("instruction: "));
    if (kind != FaultKind::kBudget) {
      EXPECT_EQ(functional.pc, cycle.pc);
      EXPECT_EQ(functional.pipe, cycle.pipe);
      EXPECT_EQ(functional.instruction, cycle.instruction);
    }
    expectUsable();
    return functional;
  }

  void expectUsable() {
    ProgramBuilder good;
    load(good, gm, 64);
    good.note.bindingCount = 1;
    sim::LaunchRequest request = bench.request(good.program(), {gm});
    bench.runFunctional(request);
    bench.runCycle(request);
  }

  static void load(ProgramBuilder &b, uint64_t address, uint32_t bytes,
                   uint32_t ub = 0) {
    b.npu({.op = Opcode::kLdUb}, LocalView{ub, 1, 1, 1}.pack(), address,
          isa::LoadGeometry{bytes, 0}.pack());
  }

  EngineBench bench;
  uint64_t gm = bench.allocate(4096);
};

TEST_F(Faults, AGmAccessOutsideTheBuffersNamesTheNearest) {
  FaultReport f = expectFault(
      [&](ProgramBuilder &b) { load(b, gm + 4090, 64); }, FaultKind::kGmBounds);
  EXPECT_EQ(f.pipe, Pipe::MTE2);
  EXPECT_THAT(f.message, HasSubstr("nearest bound buffer is [0x100000000"));
  EXPECT_THAT(f.operands, HasSubstr("row_bytes=0x40"));
}

TEST_F(Faults, BoundsMayBeSwitchedOffForAllocatedMemory) {
  ProgramBuilder b;
  load(b, gm + 4090, 64);
  b.note.bindingCount = 1;
  sim::LaunchRequest request = bench.request(b.program(), {gm});
  request.checks.bounds = false;
  bench.runFunctional(request);
}

TEST_F(Faults, AStoreToAReadOnlyBindingIsOutOfBounds) {
  ProgramBuilder b;
  isa::StoreGeometry g;
  g.rowBytes = 32;
  b.npu({.op = Opcode::kStUb, .f3 = 1}, gm, LocalView{0, 1, 1, 1}.pack(),
        g.pack());
  b.note.bindingCount = 1;
  sim::LaunchRequest request = bench.request(b.program(), {gm});
  request.bindings[0].writable = false;
  EXPECT_THAT(bench.fault(*bench.functional, request).message,
              HasSubstr("read-only"));
}

TEST_F(Faults, AMisalignedLocalAddress) {
  expectFault([&](ProgramBuilder &b) { load(b, gm, 64, 8); },
              FaultKind::kMisaligned);
}

TEST_F(Faults, ALocalBufferBeyondTheCapacity) {
  FaultReport f =
      expectFault([&](ProgramBuilder &b) { load(b, gm, 64, 256 * 1024 - 32); },
                  FaultKind::kLocalBounds);
  EXPECT_THAT(f.message, HasSubstr("0x40000"));
}

TEST_F(Faults, AnUndefinedWord) {
  FaultReport f = expectFault([](ProgramBuilder &b) { b.word(0xffff'ffff); },
                              FaultKind::kIllegalInstruction);
  EXPECT_EQ(f.pipe, Pipe::S);
  EXPECT_EQ(f.pc, isa::kInstructionRamBase);
}

TEST_F(Faults, AnUndefinedNpuWord) {
  expectFault([](ProgramBuilder &b) { b.word(0x7b | 3u << 25 | 31u << 7); },
              FaultKind::kIllegalInstruction);
}

TEST_F(Faults, SettingASetFlag) {
  FaultReport f = expectFault(
      [](ProgramBuilder &b) {
        b.set(Pipe::V, Pipe::MTE3, 2);
        b.set(Pipe::V, Pipe::MTE3, 2);
      },
      FaultKind::kFlagAlreadySet);
  EXPECT_EQ(f.pipe, Pipe::V);
  EXPECT_THAT(f.message, HasSubstr("flag V>MTE3 id 2 is still set by kset at "
                                   "0x80000004"));
}

TEST_F(Faults, AFlagIdAboveSeven) {
  for (bool set : {true, false}) {
    FaultReport f = expectFault(
        [&](ProgramBuilder &b) {
          set ? b.set(Pipe::M, Pipe::FIX, 8) : b.wait(Pipe::M, Pipe::FIX, 8);
        },
        FaultKind::kFlagId);
    EXPECT_THAT(f.message, HasSubstr("flag id 8, expected 0 to 7"));
  }
}

TEST_F(Faults, FlagsLeftAtTheEndAreAllNamed) {
  FaultReport f = expectFault(
      [](ProgramBuilder &b) {
        b.set(Pipe::M, Pipe::FIX, 1);
        b.set(Pipe::MTE2, Pipe::V, 7);
      },
      FaultKind::kFlagResidue);
  EXPECT_THAT(f.message, HasSubstr("flag M>FIX id 1 is still set at kend"));
  EXPECT_THAT(f.message, HasSubstr("flag MTE2>V id 7 is still set at kend"));
}

TEST_F(Faults, AFlagThatSSetLastIsResidueToo) {
  FaultReport f =
      expectFault([](ProgramBuilder &b) { b.set(Pipe::S, Pipe::V, 5); },
                  FaultKind::kFlagResidue);
  EXPECT_THAT(f.message, HasSubstr("flag S>V id 5 is still set at kend"));
}

TEST_F(Faults, ATrapNamesItsCode) {
  FaultReport f =
      expectFault([](ProgramBuilder &b) { b.npu({.op = Opcode::kKtrap}, 42); },
                  FaultKind::kTrap);
  EXPECT_THAT(f.message, HasSubstr("42"));
}

TEST_F(Faults, AnEndlessLoopUsesUpTheBudget) {
  expectFault([](ProgramBuilder &b) { b.branch(0, 0, 0, b.size()); },
              FaultKind::kBudget);
  ProgramBuilder b;
  b.branch(0, 0, 0, b.size());
  sim::LaunchRequest request = bench.request(b.program());
  request.budget = 1000;
  EXPECT_EQ(bench.functional->run(request).status().code(),
            StatusCode::kBudgetExceeded);
}

TEST_F(Faults, ScalarAccessOutsideItsMemories) {
  FaultReport f = expectFault(
      [&](ProgramBuilder &b) {
        b.li(5, gm);
        b.load(3, 6, 5, 0);
      },
      FaultKind::kControl);
  EXPECT_THAT(f.message, HasSubstr("load of 8 bytes at 0x100000000"));
  expectFault(
      [](ProgramBuilder &b) {
        b.li(5, isa::kScalarRamBase + 32 * 1024);
        b.store(0, 0, 5, 0);
      },
      FaultKind::kControl);
  expectFault(
      [](ProgramBuilder &b) {
        b.li(5, isa::kScalarRamBase);
        b.load(3, 6, 5, 4);
      },
      FaultKind::kMisaligned);
}

TEST_F(Faults, FetchingOutsideTheText) {
  FaultReport f = expectFault(
      [](ProgramBuilder &b) { b.branch(0, 0, 0, 1000); }, FaultKind::kControl);
  EXPECT_EQ(f.pc, isa::kInstructionRamBase + 4000);
  expectFault([](ProgramBuilder &b) { b.word(0x0000'0067); }, // jr x0
              FaultKind::kControl);
}

TEST_F(Faults, UnknownAndWrittenCsrs) {
  expectFault([](ProgramBuilder &b) { b.csrRead(5, 0xcc4); },
              FaultKind::kControl);
  expectFault(
      [](ProgramBuilder &b) { b.word(0xcc0u << 20 | 1u << 15 | 0x1073); },
      FaultKind::kIllegalInstruction);
}

TEST_F(Faults, ADeadlockNamesWaitersSettersAndTheCycle) {
  FaultReport f = expectFault(
      [](ProgramBuilder &b) {
        b.wait(Pipe::V, Pipe::MTE2, 0); // MTE2 waits for V
        b.set(Pipe::MTE2, Pipe::V, 1);
        b.wait(Pipe::MTE2, Pipe::V, 1); // V waits for MTE2
        b.set(Pipe::V, Pipe::MTE2, 0);
      },
      FaultKind::kDeadlock);
  EXPECT_THAT(f.message, HasSubstr("MTE2 waits at 0x80000004 for flag V>MTE2 "
                                   "id 0, which nobody has set"));
  EXPECT_THAT(f.message, HasSubstr("V waits at 0x80000014 for flag MTE2>V id "
                                   "1, which nobody has set"));
  EXPECT_THAT(f.message, HasSubstr("S waits at"));
  EXPECT_TRUE(f.message.ends_with("cycle of waiters: MTE2 -> V -> MTE2"))
      << f.message;
}

TEST_F(Faults, AMissingSetSaysThatItsPipeHasNothingLeft) {
  FaultReport f = expectFault(
      [](ProgramBuilder &b) {
        b.set(Pipe::M, Pipe::FIX, 0);
        b.wait(Pipe::M, Pipe::FIX, 0);
        b.wait(Pipe::M, Pipe::FIX, 0);
      },
      FaultKind::kDeadlock);
  EXPECT_THAT(f.message, HasSubstr("last set by kset at 0x80000004, cleared "
                                   "by kwait at 0x8000000c"));
  EXPECT_THAT(f.message, HasSubstr("M has nothing left to run"));
}

TEST_F(Faults, AFullQueueInFrontOfItsSetIsADeadlock) {
  FaultReport f = expectFault(
      [](ProgramBuilder &b) {
        b.wait(Pipe::M, Pipe::V, 0);
        for (int i = 0; i < 40; ++i) {
          b.npu({.op = Opcode::kVdup, .f3 = 5}, LocalView{0, 1, 1, 1}.pack(),
                LocalView{0, 0, 0, 1}.pack(), 0);
        }
        b.set(Pipe::M, Pipe::V, 0);
      },
      FaultKind::kDeadlock);
  EXPECT_THAT(f.message, HasSubstr("for room in the queue of V"));
}

TEST_F(Faults, DataOffRefusesALoadFromUb) {
  ProgramBuilder b;
  b.li(5, isa::kUbWindowBase);
  b.load(3, 6, 5, 0);
  sim::LaunchRequest request = bench.request(b.program());
  request.dataOff = true;
  EXPECT_THAT(bench.fault(*bench.cycle, request).message,
              HasSubstr("run without data"));
}

TEST_F(Faults, ARequestThatDoesNotMatchTheProgramIsRefused) {
  ProgramBuilder b;
  b.note.bindingCount = 2;
  sim::LaunchRequest request = bench.request(b.program(), {gm});
  EXPECT_EQ(bench.functional->run(request).status().code(),
            StatusCode::kInvalidArgument);
  request.bindings.push_back({gm + (uint64_t{1} << 40), 16, true});
  EXPECT_EQ(bench.functional->run(request).status().code(),
            StatusCode::kInvalidArgument);
  request.bindings.back() = {gm, 16, true};
  request.cores = 1000;
  EXPECT_EQ(bench.cycle->run(request).status().code(),
            StatusCode::kInvalidArgument);
}

TEST_F(Faults, AProgramThatNeedsMoreThanTheMachineDoesNotFit) {
  EngineBench nano("k1-nano");
  ProgramBuilder b;
  b.note.capacityNeeds = {{"UB", 33 * 1024}, {"L1", 1024}};
  Status s = nano.functional->run(nano.request(b.program())).status();
  EXPECT_EQ(s.code(), StatusCode::kDoesNotFit);
  EXPECT_THAT(s.message(), HasSubstr("UB needs 33792 bytes"));
}

} // namespace
} // namespace kiln::test
