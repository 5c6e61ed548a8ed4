// SPDX-License-Identifier: Apache-2.0
#include "tests/conformance/hal/case.h"

#include <algorithm>

namespace kiln::hal::conformance {

ByteVector pattern(size_t size, unsigned seed) {
  ByteVector bytes(size);
  uint32_t state = seed * 2654435761u + 1;
  for (std::byte &byte : bytes) {
    state = state * 1664525u + 1013904223u;
    byte = static_cast<std::byte>(state >> 24);
  }
  return bytes;
}

const std::vector<Body> &allBodies() {
  static const std::vector<Body> kBodies = [] {
    std::vector<Body> bodies;
    addMemoryBodies(bodies);
    addTransferBodies(bodies);
    addOrderBodies(bodies);
    addDispatchBodies(bodies);
    addRecordingBodies(bodies);
    addFaultBodies(bodies);
    addSessionBodies(bodies);
    return bodies;
  }();
  return kBodies;
}

Case::~Case() = default;

bool Case::expect(bool condition, const std::string &what) {
  if (!condition) {
    failures_.push_back(what);
  }
  return condition;
}

bool Case::expectOk(const Status &status, const std::string &what) {
  return expect(status.isOk(), what + ": " + status.message());
}

bool Case::expectCode(const Status &status, StatusCode code,
                      const std::string &what) {
  return expect(status.code() == code,
                what + ": code " +
                    std::to_string(static_cast<int>(status.code())) +
                    ", expected " + std::to_string(static_cast<int>(code)) +
                    ": " + status.message());
}

bool Case::expectBytes(const ByteVector &found, const ByteVector &expected,
                       const std::string &what) {
  if (found.size() != expected.size()) {
    return expect(false, what + ": " + std::to_string(found.size()) +
                             " bytes, expected " +
                             std::to_string(expected.size()));
  }
  auto [at, unused] = std::ranges::mismatch(found, expected);
  return expect(at == found.end(), what + ": first wrong byte at " +
                                       std::to_string(at - found.begin()));
}

Device *Case::device() {
  if (!triedDevice_) {
    triedDevice_ = true;
    device_ = makeDevice(setup_.options);
  }
  return device_.get();
}

std::unique_ptr<Device> Case::makeDevice(const DeviceOptions &options) {
  Result<std::unique_ptr<Device>> device = setup_.makeDevice(options);
  return expectOk(device.status(), "making a device") ? *std::move(device)
                                                      : nullptr;
}

Queue Case::queue(uint32_t index) { return *device()->queue(index); }

uint32_t Case::otherQueue() {
  return device()->description().queues > 1 ? 1 : 0;
}

std::shared_ptr<Buffer> Case::buffer(uint64_t size, MemoryType type) {
  auto buffer = device()->allocate({.size = size, .type = type});
  return expectOk(buffer.status(), "allocating") ? *buffer : nullptr;
}

std::shared_ptr<Buffer> Case::bufferOf(const ByteVector &bytes) {
  std::shared_ptr<Buffer> result = buffer(bytes.size());
  std::shared_ptr<Timeline> done = newTimeline();
  if (result &&
      expectOk(queue().upload({result}, bytes, {.signal = {{done, 1}}}),
               "upload")) {
    expectOk(wait(done, 1), "upload");
  }
  return result;
}

ByteVector Case::read(const std::shared_ptr<Buffer> &buffer) {
  std::shared_ptr<Timeline> done = newTimeline();
  auto staging = this->buffer(buffer->size(), MemoryType::kHost);
  if (!staging ||
      !expectOk(queue().copy({buffer}, {staging}, {.signal = {{done, 1}}}),
                "reading") ||
      !expectOk(wait(done, 1), "reading")) {
    return ByteVector(buffer->size()); // the failure is recorded
  }
  Result<std::span<std::byte>> bytes = staging->map();
  return expectOk(bytes.status(), "map")
             ? ByteVector(bytes->begin(), bytes->end())
             : ByteVector(buffer->size());
}

std::shared_ptr<Program> Case::load(const ProgramImage &image) {
  auto program = device()->loadProgram(image);
  return expectOk(program.status(), "loading a program") ? *program : nullptr;
}

DispatchInfo Case::dispatch(std::string_view kernel,
                            const std::vector<BufferRange> &bindings,
                            std::vector<int64_t> constants, uint32_t blocks) {
  KernelImage image = setup_.kit.kernel(kernel);
  DispatchInfo info;
  info.program = load(image.image);
  info.entry = image.entry;
  info.blocks = blocks;
  info.constants = std::move(constants);
  info.label = kernel;
  for (const BufferRange &range : bindings) {
    info.bindings.push_back({range, Access::kReadWrite});
  }
  return info;
}

DispatchInfo Case::copyDispatch(const std::shared_ptr<Buffer> &from,
                                const std::shared_ptr<Buffer> &to) {
  DispatchInfo info =
      dispatch("copy", {{from}, {to}}, {static_cast<int64_t>(from->size())});
  info.bindings[0].access = Access::kRead;
  info.bindings[1].access = Access::kWrite;
  return info;
}

Sync Case::next() {
  Sync sync;
  if (value_ > 0) {
    sync.wait = {{timeline_, value_}};
  }
  sync.signal = {{timeline_, ++value_}};
  return sync;
}

Status Case::wait() { return wait(timeline_, value_); }

Status Case::wait(const std::shared_ptr<Timeline> &timeline, uint64_t value) {
  // A body that has failed once need not wait in vain again.
  return timeline->wait(value, failed() ? std::chrono::milliseconds(0)
                                        : setup_.patience);
}

DispatchObserver ReportLog::observer() const {
  return [state = state_](size_t command, const ProgramReport &report) {
    std::lock_guard lock(state->mutex);
    state->entries.emplace_back(command, report);
  };
}

std::vector<std::pair<size_t, ProgramReport>> ReportLog::entries() const {
  std::lock_guard lock(state_->mutex);
  return state_->entries;
}

} // namespace kiln::hal::conformance
