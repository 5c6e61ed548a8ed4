// SPDX-License-Identifier: Apache-2.0
#include "tests/conformance/hal/case.h"

#include <algorithm>

namespace kiln::hal::conformance {
namespace {

/// Larger than any staging buffer of a driver, and not a multiple of one.
constexpr size_t kLarge = 3 * 1024 * 1024 + 5;

ByteVector withPart(ByteVector whole, size_t at, const ByteVector &part) {
  std::ranges::copy(part, whole.begin() + static_cast<ptrdiff_t>(at));
  return whole;
}

ByteVector repeated(std::initializer_list<int> unit, size_t size) {
  ByteVector bytes(size);
  for (size_t i = 0; i < size; ++i) {
    bytes[i] = static_cast<std::byte>(unit.begin()[i % unit.size()]);
  }
  return bytes;
}

void uploadWritesExactlyItsBytes(Case &c) {
  auto buffer = c.bufferOf(pattern(200, 1));
  ByteVector part = pattern(37, 2);
  c.expectOk(c.queue().upload({buffer}, part, c.next()), "upload");
  c.expectOk(c.wait(), "upload");
  c.expectBytes(c.read(buffer), withPart(pattern(200, 1), 0, part), "bytes");
}

void uploadWritesAtItsOffset(Case &c) {
  auto buffer = c.bufferOf(pattern(200, 1));
  ByteVector part = pattern(50, 2);
  c.expectOk(c.queue().upload({buffer, 101, 50}, part, c.next()), "upload");
  c.expectOk(c.wait(), "upload");
  c.expectBytes(c.read(buffer), withPart(pattern(200, 1), 101, part), "bytes");
}

void uploadTakesTheBytesAtTheCall(Case &c) {
  auto buffer = c.buffer(64);
  auto gate = c.newTimeline();
  Sync sync = c.next();
  sync.wait.push_back({gate, 1});
  ByteVector data = pattern(64, 3);
  c.expectOk(c.queue().upload({buffer}, data, sync), "upload");
  std::ranges::fill(data, std::byte{0});
  c.expectOk(gate->signal(1), "gate");
  c.expectOk(c.wait(), "upload");
  c.expectBytes(c.read(buffer), pattern(64, 3), "bytes");
}

void largeUploadArrives(Case &c) {
  auto buffer = c.bufferOf(pattern(kLarge, 4));
  c.expectBytes(c.read(buffer), pattern(kLarge, 4), "bytes");
}

void copyMovesAWholeBuffer(Case &c) {
  auto from = c.bufferOf(pattern(777, 5));
  auto to = c.buffer(777);
  c.expectOk(c.queue().copy({from}, {to}, c.next()), "copy");
  c.expectOk(c.wait(), "copy");
  c.expectBytes(c.read(to), pattern(777, 5), "target");
  c.expectBytes(c.read(from), pattern(777, 5), "source");
}

void copyKeepsToItsRanges(Case &c) {
  ByteVector source = pattern(300, 6);
  auto from = c.bufferOf(source);
  auto to = c.bufferOf(pattern(300, 7));
  c.expectOk(c.queue().copy({from, 11, 90}, {to, 203, 90}, c.next()), "copy");
  c.expectOk(c.wait(), "copy");
  ByteVector part(source.begin() + 11, source.begin() + 101);
  c.expectBytes(c.read(to), withPart(pattern(300, 7), 203, part), "target");
}

void copyWithinABuffer(Case &c) {
  ByteVector whole = pattern(128, 8);
  auto buffer = c.bufferOf(whole);
  c.expectOk(c.queue().copy({buffer, 0, 64}, {buffer, 64, 64}, c.next()),
             "copy");
  c.expectOk(c.wait(), "copy");
  ByteVector half(whole.begin(), whole.begin() + 64);
  c.expectBytes(c.read(buffer), withPart(whole, 64, half), "bytes");
}

void largeCopyOnTheDevice(Case &c) {
  auto from = c.bufferOf(pattern(kLarge, 9));
  auto to = c.buffer(kLarge);
  c.expectOk(c.queue().copy({from}, {to}, c.next()), "copy");
  c.expectOk(c.wait(), "copy");
  c.expectBytes(c.read(to), pattern(kLarge, 9), "target");
}

void emptyCopyOnlySignals(Case &c) {
  auto from = c.bufferOf(pattern(64, 1));
  auto to = c.bufferOf(pattern(64, 2));
  c.expectOk(c.queue().copy({from, 64, 0}, {to, 0, 0}, c.next()), "copy");
  c.expectOk(c.wait(), "copy");
  c.expectBytes(c.read(to), pattern(64, 2), "target");
}

void checkFill(Case &c, uint32_t bits, uint8_t patternBytes,
               const ByteVector &expected) {
  size_t size = expected.size();
  auto buffer = c.bufferOf(pattern(size + 24, 3));
  c.expectOk(c.queue().fill({buffer, 12, size}, bits, patternBytes, c.next()),
             "fill");
  c.expectOk(c.wait(), "fill");
  c.expectBytes(c.read(buffer), withPart(pattern(size + 24, 3), 12, expected),
                "bytes");
}

void fillsWithBytes(Case &c) {
  checkFill(c, 0x11223344, 1, repeated({0x44}, 33));
}

void fillsWithHalfWords(Case &c) {
  checkFill(c, 0x11223344, 2, repeated({0x44, 0x33}, 34));
}

void fillsWithWords(Case &c) {
  checkFill(c, 0x11223344, 4, repeated({0x44, 0x33, 0x22, 0x11}, 40));
}

void fillsALargeRange(Case &c) {
  checkFill(c, 0xcafe, 2, repeated({0xfe, 0xca}, kLarge / 2 * 2));
}

} // namespace

void addTransferBodies(std::vector<Body> &bodies) {
  bodies.insert(bodies.end(),
                {{"UploadWritesExactlyItsBytes", uploadWritesExactlyItsBytes},
                 {"UploadWritesAtItsOffset", uploadWritesAtItsOffset},
                 {"UploadTakesTheBytesAtTheCall", uploadTakesTheBytesAtTheCall},
                 {"LargeUploadArrives", largeUploadArrives},
                 {"CopyMovesAWholeBuffer", copyMovesAWholeBuffer},
                 {"CopyKeepsToItsRanges", copyKeepsToItsRanges},
                 {"CopyWithinABuffer", copyWithinABuffer},
                 {"LargeCopyOnTheDevice", largeCopyOnTheDevice},
                 {"EmptyCopyOnlySignals", emptyCopyOnlySignals},
                 {"FillsWithBytes", fillsWithBytes},
                 {"FillsWithHalfWords", fillsWithHalfWords},
                 {"FillsWithWords", fillsWithWords},
                 {"FillsALargeRange", fillsALargeRange}});
}

} // namespace kiln::hal::conformance
