// SPDX-License-Identifier: Apache-2.0
#include "tests/unit/tik_dsl/author_mistakes.h"

namespace kiln::tik {
namespace {

//===----------------------------------------------------------------------===//
// Memory
//===----------------------------------------------------------------------===//

void inputWritten(const Kernel &k) {
  const Buffer t = k.ub(f16, {128}, "t");
  k.fill(t, 0, 128);
  BAD_NEXT;
  k.store(k.tensor("x"), t, 128);
}

void beforeBuffer(const Kernel &k) {
  const Buffer t = k.ub(f16, {128}, "t");
  for (Index i : k.range(0, 128, 16)) {
    BAD_NEXT;
    k.fill(t.at(i - 64), 0, 16);
  }
}

void hugeBuffer(const Kernel &k) {
  BAD_NEXT;
  k.ub(f16, {1 << 30, 1 << 30}, "huge");
}

/// A square of 16 as destination and source of a command.
template <auto Command> void inPlace(const Kernel &k) {
  const Buffer t = k.ub(f16, {16, 16}, "t");
  BAD_NEXT;
  Command(k, t, Line::current());
}

void repeatedRow(const Kernel &k) {
  const Buffer t = k.ub(f16, {4, 64}, "t");
  BAD_NEXT;
  k.fill(t.at(0, 0).broadcastRow(), 0, {2, 16});
}

void repeatedBlock(const Kernel &k) {
  const Buffer t = k.ub(f16, {4, 64}, "t");
  BAD_NEXT;
  k.fill(t.at(0, 0).blockStride(0), 0, {2, 32});
}

void tileTooWide(const Kernel &k) {
  const Buffer t = k.ub(f16, {4, 64}, "t");
  BAD_NEXT;
  k.fill(t, 0, {2, 80});
}

void blockStrideTooLarge(const Kernel &k) {
  const Buffer t = k.ub(f16, {128}, "t");
  BAD_NEXT;
  k.fill(t.at(0).blockStride(300), 1, 16);
}

void columnsTooFarApart(const Kernel &k) {
  const Buffer t = k.l1(f16, {128}, "t");
  BAD_NEXT;
  k.loadNz(t.at(0).columnBlocks(70000), k.tensor("x"), {1, 16});
}

//===----------------------------------------------------------------------===//
// Types
//===----------------------------------------------------------------------===//

void transposedType(const Kernel &k) {
  const Buffer l1 = k.l1Nz(f32, 16, 16, "l1"), b = k.l0b(f32, 16, 16, "b");
  BAD_NEXT;
  k.loadB(b, l1, {16, 16});
}

void biasType(const Kernel &k) {
  const Buffer a = k.l0a(f16, 16, 16, "a"), b = k.l0b(f16, 16, 16, "b");
  const Buffer c = k.l0c(f32, 16, 16, "c");
  const Buffer table = k.biasTable(i32, 16, "table");
  BAD_NEXT;
  k.mmadBias(c, a, b, table, {16, 16, 16}, false);
}

void accumulatorType(const Kernel &k) {
  BAD_NEXT;
  k.l0c(f16, 16, 16, "acc");
}

void numberTooLarge(const Kernel &k) {
  const Buffer t = k.ub(i8, {32}, "t");
  BAD_NEXT;
  k.fill(t, 300, 32);
}

void halfTooLarge(const Kernel &k) {
  const Buffer t = k.ub(f16, {32}, "t");
  BAD_NEXT;
  k.muls(t, t, 1e6, 32);
}

void fraction(const Kernel &k) {
  const Buffer t = k.ub(i32, {32}, "t");
  BAD_NEXT;
  k.adds(t, t, 0.5, 32);
}

void floatAsInteger(const Kernel &k) {
  const Buffer t = k.ub(f16, {32}, "t");
  BAD_NEXT;
  k.read(t);
}

void readOfAnotherType(const Kernel &k) {
  const Buffer t = k.ub(f16, {32}, "t");
  BAD_NEXT;
  k.readFloat<float>(t);
}

void scalarOfAnotherType(const Kernel &k) {
  const Buffer h = k.ub(f16, {32}, "h"), t = k.ub(f32, {32}, "t");
  const Scalar<Half> s = k.readFloat<Half>(h);
  BAD_NEXT;
  k.adds(t, t, s, 32);
}

//===----------------------------------------------------------------------===//
// Fields
//===----------------------------------------------------------------------===//

void rowTooLong(const Kernel &k) {
  const Buffer t = k.ub(f16, {128}, "t");
  BAD_NEXT;
  k.load(t, k.tensor("x"), 600000);
}

void rowsTooFarApart(const Kernel &k) {
  const Buffer t = k.ub(f16, {2, 16}, "t");
  BAD_NEXT;
  k.load(t, k.tensor("x").at(0).rowPitch(int64_t{1} << 32), {2, 16});
}

void productTooLarge(const Kernel &k) {
  const Buffer a = k.l0a(f16, 16, 16, "a"), b = k.l0b(f16, 16, 16, "b");
  const Buffer c = k.l0c(f32, 16, 16, "c");
  BAD_NEXT;
  k.mmad(c, a, b, {5000, 16, 16}, false);
}

void tooManyFractals(const Kernel &k) {
  const Buffer l1 = k.l1(f16, {4096}, "l1"), a = k.l0a(f16, 16, 16, "a");
  BAD_NEXT;
  k.loadFractals(a, l1, {70000, 1}, {1, 1});
}

void fractalsTooFarApart(const Kernel &k) {
  const Buffer l1 = k.l1(f16, {4096}, "l1"), a = k.l0a(f16, 16, 16, "a");
  BAD_NEXT;
  k.loadFractals(a, l1, {1, 1}, {1 << 20, 1});
}

void hugeKernel(const Kernel &k) {
  const Buffer l1 = k.l1(f16, {4096}, "l1"), a = k.l0a(f16, 16, 16, "a");
  const Image image = {.width = 4, .outWidth = 4, .kernel = {300, 3}};
  BAD_NEXT;
  k.im2col(a, l1, image, {0, 4, 0, 1});
}

void imagesWithoutHeight(const Kernel &k) {
  const Buffer l1 = k.l1(f16, {4096}, "l1"), a = k.l0a(f16, 16, 16, "a");
  const Image image = {.width = 4, .outWidth = 4, .images = 2};
  BAD_NEXT;
  k.im2col(a, l1, image, {0, 4, 0, 1});
}

void fiveChannelsInFour(const Kernel &k) {
  const Buffer l1 = k.l1(f16, {4096}, "l1"), a = k.l0a(f16, 16, 16, "a");
  const Image image = {
      .width = 4, .outWidth = 4, .channelsLast = 5, .c04 = true};
  BAD_NEXT;
  k.im2col(a, l1, image, {0, 4, 0, 1});
}

void tooManyChannels(const Kernel &k) {
  const Buffer a = k.ub(f16, {32, 32}, "a"), b = k.ub(f16, {32, 32}, "b");
  BAD_NEXT;
  k.toBlocked(b, a, {17, 32});
}

void unknownRounding(const Kernel &k) {
  const Buffer a = k.ub(f16, {32}, "a"), b = k.ub(f32, {32}, "b");
  BAD_NEXT;
  k.cast(b, a, 32, static_cast<Rounding>(9));
}

void scaleIsNoNumber(const Kernel &k) {
  const Buffer c = k.l0c(f32, 16, 16, "c");
  BAD_NEXT;
  k.fix(k.tensor("y"), c, {16, 16}, {.scale = __builtin_nanf("")});
}

const MistakeCase kCases[] = {
    {"InputWritten", inputWritten, 208,
     "store: 'x' is an input; only outputs are written"},
    {"BeforeBuffer", beforeBuffer, 209,
     "fill: the destination 't' begins at byte -128, before its first byte"},
    {"HugeBuffer", hugeBuffer, 213,
     "buffer: 'huge' is 1073741824x1073741824 f16; no memory is that large"},
    {"CastInPlace", inPlace<[](auto &k, auto &t, Line at) {
       k.cast(t, t, {16, 16}, Rounding::nearestEven, at);
     }>,
     215, "cast: 't' is destination and source; cast needs two buffers"},
    {"ReduceInPlace",
     inPlace<[](auto &k, auto &t, Line at) { k.rowSum(t, t, {16, 16}, at); }>,
     215, "rowSum: 't' is destination and source; rowSum needs two buffers"},
    {"TransposeInPlace", inPlace<[](auto &k, auto &t, Line at) {
       k.toBlocked(t, t, {16, 16}, at);
     }>,
     215,
     "toBlocked: 't' is destination and source; toBlocked needs two buffers"},
    {"RepeatedRow", repeatedRow, 216,
     "fill: rows of the destination lie 0 apart: each would overwrite the one "
     "before"},
    {"RepeatedBlock", repeatedBlock, 216,
     "fill: blocks of the destination lie 0 apart: each would overwrite the "
     "one before"},
    {"TileTooWide", tileTooWide, 220,
     "fill: the tile's rows take 160 bytes; rows of the destination are 128 "
     "bytes apart"},
    {"BlockStrideTooLarge", blockStrideTooLarge, 402,
     "fill: the block stride of the destination is 300 blocks; 0 to 255 is "
     "possible"},
    {"ColumnsTooFarApart", columnsTooFarApart, 402,
     "loadNz: the distance of column blocks is 70000; 0 to 65535 is possible"},
    {"TransposedType", transposedType, 304,
     "load to L0: 'b' is f32; fractals are transposed for 16-bit types only"},
    {"BiasType", biasType, 305,
     "mmad: the bias 'table' is i32, the accumulator is f32"},
    {"AccumulatorType", accumulatorType, 306,
     "buffer: 'acc' is f16; accumulators in L0C are f32 or i32"},
    {"NumberTooLarge", numberTooLarge, 307,
     "the number is beyond the type of the elements"},
    {"HalfTooLarge", halfTooLarge, 307,
     "the number is beyond the type of the elements"},
    {"Fraction", fraction, 308,
     "a fraction is no number of the integer type of the elements"},
    {"FloatAsInteger", floatAsInteger, 309,
     "read: the elements are floats; use readFloat<T>()"},
    {"ReadOfAnotherType", readOfAnotherType, 310,
     "readFloat<T>: T is not the type of the elements"},
    {"ScalarOfAnotherType", scalarOfAnotherType, 311,
     "the run-time float is of another type than the elements"},
    {"RowTooLong", rowTooLong, 405,
     "load: the bytes of a row reaches 1200000; the instruction takes at most "
     "1048575"},
    {"RowsTooFarApart", rowsTooFarApart, 406,
     "load: the distance of rows reaches 8589934592; the instruction takes at "
     "most 4294967295"},
    {"ProductTooLarge", productTooLarge, 407,
     "mmad: m reaches 5000; the instruction takes at most 4095"},
    {"TooManyFractals", tooManyFractals, 408,
     "load to L0: the outer fractals reaches 70000; the instruction takes at "
     "most 65535"},
    {"FractalsTooFarApart", fractalsTooFarApart, 408,
     "load to L0: the outer stride is 1048576; 0 to 1048575 is possible"},
    {"ImagesWithoutHeight", imagesWithoutHeight, 409,
     "im2col: out_height is 0; 1 to 65535 is possible"},
    {"FiveChannelsInFour", fiveChannelsInFour, 409,
     "im2col: c_valid_last is 5; 1 to 4 is possible"},
    {"HugeKernel", hugeKernel, 409,
     "im2col: kernel is 300; 1 to 255 is possible"},
    {"TooManyChannels", tooManyChannels, 410,
     "toBlocked: the number of channels reaches 17; the instruction takes at "
     "most 16"},
    {"UnknownRounding", unknownRounding, 411,
     "cast: the rounding is 9; 0 to 6 is possible"},
    {"ScaleIsNoNumber", scaleIsNoNumber, 412,
     "fix: the scale is not a finite number"},
};

} // namespace

std::span<const MistakeCase> commandMistakes() { return kCases; }

} // namespace kiln::tik
