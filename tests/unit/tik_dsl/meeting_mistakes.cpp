// SPDX-License-Identifier: Apache-2.0
#include "tests/unit/tik_dsl/author_mistakes.h"

#include <string>

namespace kiln::tik {
namespace {

/// An accumulator that a product has filled, for what FIX does with it.
Buffer product(const Kernel &k) {
  const Buffer l1 = k.l1Nz(f16, 16, 16, "l1");
  const Buffer a = k.l0a(f16, 16, 16, "a"), b = k.l0b(f16, 16, 16, "b");
  const Buffer acc = k.l0c(f32, 16, 16, "acc");
  k.loadNz(l1, k.tensor("x"), {1, 16});
  k.loadA(a, l1, {1, 16});
  k.loadB(b, l1, {16, 16});
  k.mmad(acc, a, b, {1, 16, 16}, false);
  return acc;
}

const MistakeCase kCases[] = {
    {"MeetInABranch",
     [](const Kernel &k) {
       for (Index b : k.blocks(2)) {
         k.when(b == 0, [&] {
           BAD_NEXT;
           k.meet();
         });
       }
     },
     118,
     "meet: whether a block comes here depends on the block; all blocks have "
     "to"},
    {"AccumulateNested",
     [](const Kernel &k) {
       k.accumulate(Accumulation::sum, [&] {
         BAD_NEXT;
         k.accumulate(Accumulation::sum, [&] {});
       });
     },
     119, "accumulate: accumulate() stands in an accumulate() scope"},
    {"TextWithoutValues",
     [](const Kernel &k) {
       BAD_NEXT;
       k.print("{d} of {f16}", 1);
     },
     120, "print: the text has 2 placeholders for 1 values"},
    {"TextTooLong",
     [](const Kernel &k) {
       static const std::string text(256, 'x');
       BAD_NEXT;
       k.print(text.c_str());
     },
     120, "print: the text has 256 bytes; 255 are possible"},
    {"RequireWithoutPlaceholder",
     [](const Kernel &k) {
       for (Index i : k.range(0, 16)) {
         BAD_NEXT;
         k.require(i < 8, "too far", i);
       }
     },
     120, "require: the text has 0 placeholders for 1 values"},
    {"MoreBlocksThanCores",
     [](const Kernel &k) {
       for (Index b : k.blocks(2)) {
         BAD_NEXT;
         k.meet();
       }
     },
     121,
     "meet: there are 2 blocks and 1 core; blocks that meet all run at once"},
    {"FixAccumulates",
     [](const Kernel &k) {
       const Buffer acc = product(k);
       k.accumulate(Accumulation::sum, [&] {
         BAD_NEXT;
         k.fix(k.tensor("z"), acc, {1, 16});
       });
     },
     122,
     "fix: fix() overwrites 'z'; in an accumulate() scope only store() writes "
     "to global memory"},
    {"GatherInPlace",
     [](const Kernel &k) {
       const Buffer t = k.ub(f16, {64}, "t"), i = k.ub(i32, {64}, "i");
       BAD_NEXT;
       k.gather(t, {t, 64}, i, 64);
     },
     215, "gather: 't' is destination and source; gather needs two buffers"},
    {"NeverInitialised",
     [](const Kernel &k) {
       const Buffer t = k.ub(f16, {4096}, "t"), z = k.ub(f32, {64, 24}, "z");
       k.fill(t, 1, 4096);
       k.fill(z, 1, {64, 20});
       k.store(k.tensor("z"), z, {64, 20});
       k.accumulate(Accumulation::sum, [&] {
         BAD_NEXT;
         k.store(k.tensor("y"), t, 4096);
       });
     },
     221, "store: 'y' is accumulated into, and no plain store begins it"},
    {"PostOfAnInput",
     [](const Kernel &k) {
       BAD_NEXT;
       k.post(k.tensor("x"), 0, 0);
     },
     222, "post: 'x' is an input: no block writes it"},
    {"FloatsShifted",
     [](const Kernel &k) {
       const Buffer t = k.ub(f16, {64}, "t");
       BAD_NEXT;
       k.shiftLeft(t, t, t, 64);
     },
     302,
     "shiftLeft: 't' is f16; this instruction takes i8, u8, i16, u16, i32"},
    {"FloatIndices",
     [](const Kernel &k) {
       const Buffer t = k.ub(f16, {64}, "t"), u = k.ub(f16, {64}, "u");
       BAD_NEXT;
       k.gather(u, {t, 64}, t, 64);
     },
     312, "gather: 't' is f16; indices are i32"},
    {"PairsInFloats",
     [](const Kernel &k) {
       const Buffer t = k.ub(f32, {64}, "t"), i = k.ub(i32, {64}, "i");
       const Buffer pairs = k.ub(f32, {128}, "pairs");
       BAD_NEXT;
       k.sort32(pairs, t, i, 64);
     },
     313, "sort32: 'pairs' is f32; lists of pairs lie in a buffer of i32"},
    {"MaskOfFloats",
     [](const Kernel &k) {
       const Buffer t = k.ub(f16, {64}, "t"), mask = k.ub(f16, {64}, "mask");
       BAD_NEXT;
       k.compare(Compare::less, mask, t, 0, 64);
     },
     314, "compare: 'mask' is f16; masks are u8"},
    {"ScalesOfIntegers",
     [](const Kernel &k) {
       const Buffer acc = product(k), table = k.biasTable(i32, 16, "table");
       BAD_NEXT;
       k.fix(k.tensor("z"), acc, {1, 16}, {.scales = table});
     },
     315, "fix: the scales 'table' are i32; FIX takes f32"},
    {"SemaphoreOfNoId",
     [](const Kernel &k) {
       const Tensor shared = k.workspace(f32, {8}, "shared");
       BAD_NEXT;
       k.pend(shared, 16);
     },
     413, "pend: semaphore 16; ids are 0 to 15"},
    {"RowsOfAMask",
     [](const Kernel &k) {
       const Buffer t = k.ub(f16, {4, 64}, "t"), mask = k.ub(u8, {4, 64}, "m");
       k.compare(Compare::less, mask, t, 0, {4, 64});
       BAD_NEXT;
       k.select(t, mask, t, t, {4, 64});
     },
     414,
     "select: rows of the mask are 64 bytes apart; for these columns the "
     "instruction wants 32"},
    {"TwoScales",
     [](const Kernel &k) {
       const Buffer acc = product(k), table = k.biasTable(f32, 16, "table");
       BAD_NEXT;
       k.fix(k.tensor("z"), acc, {1, 16}, {.scale = 2, .scales = table});
     },
     415, "fix: one scale and a scale per column"},
    {"PreluWithoutSlopes",
     [](const Kernel &k) {
       const Buffer acc = product(k);
       BAD_NEXT;
       k.fix(k.tensor("z"), acc, {1, 16}, {.activation = Activation::prelu});
     },
     415, "fix: slopes go with prelu and prelu with slopes"},
    {"ParameterOfRelu",
     [](const Kernel &k) {
       const Buffer acc = product(k);
       BAD_NEXT;
       k.fix(k.tensor("z"), acc, {1, 16}, {.relu = true, .parameter = 2});
     },
     415, "fix: a parameter goes with leaky and clip"},
    {"ZeroPointOfFloats",
     [](const Kernel &k) {
       const Buffer acc = product(k);
       BAD_NEXT;
       k.fix(k.tensor("z"), acc, {1, 16}, {.zeroPoint = 3});
     },
     416,
     "fix: a zero point, and the destination is f32; only 8-bit types have "
     "one"},
    {"ZeroPointTooLarge",
     [](const Kernel &k) {
       const Buffer acc = product(k), out = k.ub(i8, {32}, "out");
       BAD_NEXT;
       k.fix(out, acc, {1, 16}, {.zeroPoint = 128});
     },
     416, "fix: the zero point is 128; -128 to 127 is possible"},
};

} // namespace

std::span<const MistakeCase> meetingMistakes() { return kCases; }

} // namespace kiln::tik
