// SPDX-License-Identifier: Apache-2.0
//
// Mistakes with dimensions and sizes of tensors, buffers and workspaces.
#include "tests/unit/tik_dsl/author_mistakes.h"

namespace kiln::tik {

namespace {

void writeOutputs(const Kernel &k) {
  const Buffer t = k.ub(f32, {16}, "ones"), h = k.ub(f16, {16}, "half");
  k.fill(t, 1, 16);
  k.fill(h, 1, 16);
  k.store(k.tensor("y"), h, 16);
  k.store(k.tensor("z"), t, 16);
}

const MistakeCase kCases[] = {
    {"DimensionBelowZero",
     [](const Kernel &k) {
       BAD_NEXT;
       k.tensor("x").dim(-1);
     },
     223, "dim: a dimension below 0"},
    {"ExtentBelowZero",
     [](const Kernel &k) {
       BAD_NEXT;
       k.tensor("x").extent(-1);
     },
     223, "extent: a dimension below 0"},
    {"MoreIndicesThanDimensions",
     [](const Kernel &k) {
       const Buffer t = k.ub(f16, {16}, "t");
       const Tensor x = k.tensor("x");
       BAD_NEXT;
       k.load(t, x.at(0, 0, 0), 16);
     },
     223, "at: more indices than dimensions"},
    {"IndicesOfABuffer",
     [](const Kernel &k) {
       const Buffer t = k.ub(f16, {16}, "t");
       BAD_NEXT;
       k.fill(t.at(0, 0), 0, 16);
     },
     223, "at: more indices than dimensions"},
    {"ManyDimensions",
     [](const Kernel &k) {
       BAD_NEXT;
       k.ub(f16, {1, 1, 1, 1, 1, 1, 1, 1, 16}, "t");
     },
     219, "buffer: the number of dimensions of 't' is 9; 1 to 8 is possible"},
    {"ManySlots",
     [](const Kernel &k) {
       BAD_NEXT;
       k.ub(f16, {16}, "t", 100);
     },
     219, "buffer: the number of slots of 't' is 100; 0 to 8 is possible"},
    {"NoType",
     [](const Kernel &k) {
       BAD_NEXT;
       k.ub(static_cast<Type>(8), {16}, "t");
     },
     219, "buffer: the type of 't' is 8; 0 to 7 is possible"},
    {"FlatWorkspace",
     [](const Kernel &k) {
       BAD_NEXT;
       k.workspace(f16, {}, "w");
     },
     219,
     "workspace: the number of dimensions of 'w' is 0; 1 to 8 is possible"},
    {"EmptyWorkspace",
     [](const Kernel &k) {
       BAD_NEXT;
       k.workspace(f16, {4, 0}, "w");
     },
     212, "workspace: 'w' is 4x0 f16; every size is at least 1"},
    {"LargeWorkspace",
     [](const Kernel &k) {
       BAD_NEXT;
       k.workspace(f16, {int64_t{1} << 38}, "w");
     },
     201,
     "workspace: 'w' (274877906944 f16) takes 549755813888 bytes; GM has "
     "34359738368"},
    {"HugeBuffer",
     [](const Kernel &k) {
       BAD_NEXT;
       k.ub(f16, {int64_t{1} << 40, int64_t{1} << 40}, "t");
     },
     213,
     "buffer: 't' is 1099511627776x1099511627776 f16; no memory is that large"},
    {"NegativeBuffer",
     [](const Kernel &k) {
       BAD_NEXT;
       k.ub(f16, {-16}, "t");
     },
     212, "buffer: 't' is -16 f16; every size is at least 1"},
    {"PostWithoutPend",
     [](const Kernel &k) {
       writeOutputs(k);
       BAD_NEXT;
       k.post(k.tensor("y"), 0, 3);
     },
     224, "post: no pend() of the kernel waits for semaphore 3"},
    {"PendWithoutPost",
     [](const Kernel &k) {
       writeOutputs(k);
       k.post(k.tensor("y"), 0, 3);
       k.pend(k.tensor("y"), 3);
       BAD_NEXT;
       k.pend(k.tensor("y"), 4);
     },
     224, "pend: no post() of the kernel counts up semaphore 4"},
    {"CountWithoutABound",
     [](const Kernel &k) {
       const Buffer t = k.ub(i32, {8}, "t");
       k.fill(t, 1 << 20, 8);
       BAD_NEXT;
       k.adds(t, t, 1, k.read(t));
     },
     401,
     "adds: the number of columns has no bound; the instruction takes at most "
     "65535: use min()"},
    {"BroadcastInPlace",
     [](const Kernel &k) {
       const Buffer t = k.ub(f16, {64}, "t");
       k.fill(t, 1, 64);
       BAD_NEXT;
       k.broadcast(t, t, 64);
     },
     215,
     "broadcast: 't' is destination and source; broadcast needs two "
     "buffers"},
    {"IntegerForFloats",
     [](const Kernel &k) {
       const Buffer t = k.ub(f16, {16}, "t");
       k.fill(t, 1, 16);
       for (Index i : k.range(0, 4)) {
         BAD_NEXT;
         k.adds(t, t, i, 16);
       }
     },
     311,
     "the run-time number is an integer and the elements are floats; its bits "
     "would be taken for one"},
    {"FloatWithoutAValue",
     [](const Kernel &k) {
       const Buffer t = k.ub(f16, {16}, "t");
       k.fill(t, 1, 16);
       const Scalar<Half> none;
       BAD_NEXT;
       k.adds(t, t, none, 16);
     },
     108, "a number is used that was never given a value"},
    {"ConditionWithoutAValue",
     [](const Kernel &k) {
       const Condition none;
       BAD_NEXT;
       k.when(none, [&] {});
     },
     108, "a Condition is used that was never given a value"},
    {"RequirementWithoutAValue",
     [](const Kernel &k) {
       const Condition none;
       BAD_NEXT;
       k.require(none, "text");
     },
     108, "a Condition is used that was never given a value"},
    {"ManyCalls",
     [](const Kernel &k) {
       for (int64_t i = 0; i < 300'000; ++i) {
         BAD_NEXT;
         k.tensor("x");
       }
     },
     123, "the kernel makes more than 262144 calls"},
    {"PrintWithoutAText",
     [](const Kernel &k) {
       BAD_NEXT;
       k.print(static_cast<const char *>(nullptr));
     },
     120, "print: there is no text"},
};

} // namespace

std::span<const MistakeCase> memoryMistakes() { return kCases; }

} // namespace kiln::tik
