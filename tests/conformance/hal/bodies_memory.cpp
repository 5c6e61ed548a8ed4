// SPDX-License-Identifier: Apache-2.0
#include "tests/conformance/hal/case.h"

#include <cstring>

namespace kiln::hal::conformance {
namespace {

constexpr uint64_t kMiB = uint64_t{1} << 20;

void describesItself(Case &c) {
  const DeviceDescription &d = c.device()->description();
  c.expect(!d.name.empty() && !d.driver.empty() && !d.target.empty(),
           "names are empty");
  c.expect(!d.summary.empty(), "no summary");
  c.expect(d.memoryBytes > 0, "no memory");
  c.expect(d.queues > 0 && d.cores > 0, "no queues or cores");
  c.expect(!d.programKinds.empty(), "runs no programs");
}

void buffersAreDistinct(Case &c) {
  auto a = c.bufferOf(pattern(256, 1));
  auto b = c.bufferOf(pattern(256, 2));
  c.expectBytes(c.read(a), pattern(256, 1), "first buffer");
  c.expectBytes(c.read(b), pattern(256, 2), "second buffer");
}

void manySmallBuffersKeepTheirBytes(Case &c) {
  std::vector<std::shared_ptr<Buffer>> buffers;
  for (unsigned i = 0; i < 40; ++i) {
    buffers.push_back(c.bufferOf(pattern(1 + 13 * i, i)));
  }
  for (unsigned i = 0; i < buffers.size(); ++i) {
    c.expectBytes(c.read(buffers[i]), pattern(1 + 13 * i, i),
                  "buffer " + std::to_string(i));
  }
}

void hostMemoryIsAlignedAndMapped(Case &c) {
  for (uint64_t size : {1u, 63u, 4097u}) {
    auto buffer = c.buffer(size, MemoryType::kHost);
    Result<std::span<std::byte>> bytes = buffer->map();
    if (c.expectOk(bytes.status(), "map")) {
      c.expect(bytes->size() == size, "mapped size");
      c.expect(reinterpret_cast<uintptr_t>(bytes->data()) % kBufferAlignment ==
                   0,
               "alignment");
    }
  }
}

void mapSeesWhatACopyWrote(Case &c) {
  auto from = c.bufferOf(pattern(500, 3));
  auto staging = c.buffer(500, MemoryType::kHost);
  Result<std::span<std::byte>> bytes = staging->map();
  if (!c.expectOk(bytes.status(), "map before the copy")) {
    return;
  }
  c.expectOk(c.queue().copy({from}, {staging}, c.next()), "copy");
  c.expectOk(c.wait(), "copy");
  c.expectBytes(ByteVector(bytes->begin(), bytes->end()), pattern(500, 3),
                "mapped bytes");
}

void copySeesWhatTheHostWrote(Case &c) {
  auto staging = c.buffer(300, MemoryType::kHost);
  auto to = c.buffer(300);
  Result<std::span<std::byte>> bytes = staging->map();
  if (!c.expectOk(bytes.status(), "map")) {
    return;
  }
  ByteVector data = pattern(300, 4);
  std::memcpy(bytes->data(), data.data(), data.size());
  c.expectOk(c.queue().copy({staging}, {to}, c.next()), "copy");
  c.expectOk(c.wait(), "copy");
  c.expectBytes(c.read(to), data, "copied bytes");
}

void outOfMemoryIsAStatus(Case &c) {
  DeviceOptions options = c.setup().options;
  options.memoryBytes = kMiB;
  auto device = c.makeDevice(options);
  if (!device) {
    return;
  }
  auto fits = device->allocate({.size = kMiB / 2});
  c.expectOk(fits.status(), "half of the memory");
  auto tooMuch = device->allocate({.size = kMiB});
  c.expectCode(tooMuch.status(), StatusCode::kDoesNotFit, "beyond the limit");
  c.expect(!tooMuch.status().message().empty(), "no message");
  auto small = device->allocate({.size = 4096});
  c.expectOk(small.status(), "the device is usable after a refusal");
}

void hugeRequestsAreRefused(Case &c) {
  uint64_t all = c.device()->description().memoryBytes;
  c.expectCode(c.device()->allocate({.size = all + 1}).status(),
               StatusCode::kDoesNotFit, "more than the device has");
  c.expectCode(c.device()->allocate({.size = uint64_t{1} << 47}).status(),
               StatusCode::kDoesNotFit, "128 TiB");
}

void freedMemoryIsUsableAgain(Case &c) {
  DeviceOptions options = c.setup().options;
  options.memoryBytes = kMiB;
  auto device = c.makeDevice(options);
  for (int round = 0; device && round < 20; ++round) {
    auto buffer = device->allocate({.size = kMiB / 2 + 1});
    if (!c.expectOk(buffer.status(), "round " + std::to_string(round))) {
      return;
    }
  }
}

void buffersLiveUntilTheirWorkEnds(Case &c) {
  auto gate = c.newTimeline();
  auto to = c.buffer(200);
  {
    auto from = c.bufferOf(pattern(200, 5));
    Sync sync = c.next();
    sync.wait.push_back({gate, 1});
    c.expectOk(c.queue().copy({from}, {to}, sync), "copy");
  }
  // The copy's source has no owner but the pending work.
  auto other = c.bufferOf(pattern(0 + 200, 6));
  c.expectOk(gate->signal(1), "gate");
  c.expectOk(c.wait(), "copy");
  c.expectBytes(c.read(to), pattern(200, 5), "copied bytes");
}

} // namespace

void addMemoryBodies(std::vector<Body> &bodies) {
  bodies.insert(
      bodies.end(),
      {{"DescribesItself", describesItself},
       {"BuffersAreDistinct", buffersAreDistinct},
       {"ManySmallBuffersKeepTheirBytes", manySmallBuffersKeepTheirBytes},
       {"HostMemoryIsAlignedAndMapped", hostMemoryIsAlignedAndMapped},
       {"MapSeesWhatACopyWrote", mapSeesWhatACopyWrote},
       {"CopySeesWhatTheHostWrote", copySeesWhatTheHostWrote},
       {"OutOfMemoryIsAStatus", outOfMemoryIsAStatus},
       {"HugeRequestsAreRefused", hugeRequestsAreRefused},
       {"FreedMemoryIsUsableAgain", freedMemoryIsUsableAgain},
       {"BuffersLiveUntilTheirWorkEnds", buffersLiveUntilTheirWorkEnds}});
}

} // namespace kiln::hal::conformance
