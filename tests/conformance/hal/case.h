// SPDX-License-Identifier: Apache-2.0
//
// Case: what a body of the suite gets: devices of the driver under test, the
// suite's programs, short forms for the usual steps, and a recorder of
// failures. Bodies are functions, not GoogleTest tests, so that the same body
// runs on good drivers (no failure allowed) and on drivers with a planted bug
// (a failure wanted).
//
//   void copiesAWholeBuffer(Case &c) {
//     auto from = c.bufferOf(pattern(100, 1));
//     auto to = c.buffer(100);
//     c.expectOk(c.queue().copy({from}, {to}, c.next()), "copy");
//     c.expectOk(c.wait(), "wait");
//     c.expectBytes(c.read(to), pattern(100, 1), "copied bytes");
//   }
#pragma once

#include "hal/api/session.h"
#include "tests/conformance/hal/program_kit.h"

#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace kiln::hal::conformance {

using ByteVector = std::vector<std::byte>;

/// Makes a device of the driver under test.
using DeviceFactory =
    std::function<Result<std::unique_ptr<Device>>(const DeviceOptions &)>;

struct CaseSetup {
  DeviceFactory makeDevice;
  ProgramKit kit;
  DeviceOptions options{};
  std::chrono::milliseconds patience{20000}; // of every wait
};

class Case {
public:
  explicit Case(const CaseSetup &setup) : setup_(setup) {}
  ~Case();

  const std::vector<std::string> &failures() const { return failures_; }
  bool failed() const { return !failures_.empty(); }

  // Checks. All return what they found, so that a body can stop.
  bool expect(bool condition, const std::string &what);
  bool expectOk(const Status &status, const std::string &what);
  bool expectCode(const Status &status, StatusCode code,
                  const std::string &what);
  bool expectBytes(const ByteVector &found, const ByteVector &expected,
                   const std::string &what);

  const CaseSetup &setup() const { return setup_; }
  /// The device most bodies use, made on first use. Null when that failed.
  Device *device();
  /// Another one, with its own options. Null when that failed.
  std::unique_ptr<Device> makeDevice(const DeviceOptions &options);
  Queue queue(uint32_t index = 0);
  uint32_t otherQueue();

  // Buffers; null when allocation failed (recorded).
  std::shared_ptr<Buffer> buffer(uint64_t size,
                                 MemoryType type = MemoryType::kDevice);
  std::shared_ptr<Buffer> bufferOf(const ByteVector &bytes);
  /// The bytes of a buffer, by way of staging memory.
  ByteVector read(const std::shared_ptr<Buffer> &buffer);

  // Programs.
  std::shared_ptr<Program> load(const ProgramImage &image);
  DispatchInfo dispatch(std::string_view kernel,
                        const std::vector<BufferRange> &bindings,
                        std::vector<int64_t> constants, uint32_t blocks = 1);
  /// copy kernel over whole buffers in one block.
  DispatchInfo copyDispatch(const std::shared_ptr<Buffer> &from,
                            const std::shared_ptr<Buffer> &to);

  // Ordering. A case has one timeline of its own; next() chains each verb
  // behind the one before.
  std::shared_ptr<Timeline> timeline() { return timeline_; }
  std::shared_ptr<Timeline> newTimeline() const {
    return std::make_shared<Timeline>();
  }
  Sync next();
  Status wait();
  Status wait(const std::shared_ptr<Timeline> &timeline, uint64_t value);

private:
  const CaseSetup &setup_;
  std::vector<std::string> failures_;
  std::unique_ptr<Device> device_;
  bool triedDevice_ = false;
  std::shared_ptr<Timeline> timeline_ = std::make_shared<Timeline>();
  uint64_t value_ = 0;
};

/// Reports of a submission. Shared with the observer, which on a faulty driver
/// may be called after the body has ended.
class ReportLog {
public:
  DispatchObserver observer() const;
  std::vector<std::pair<size_t, ProgramReport>> entries() const;

private:
  struct State {
    std::mutex mutex;
    std::vector<std::pair<size_t, ProgramReport>> entries;
  };
  std::shared_ptr<State> state_ = std::make_shared<State>();
};

struct Body {
  std::string name;
  void (*run)(Case &);
};

/// All bodies of the suite, in a fixed order.
const std::vector<Body> &allBodies();

void addMemoryBodies(std::vector<Body> &bodies);
void addTransferBodies(std::vector<Body> &bodies);
void addOrderBodies(std::vector<Body> &bodies);
void addDispatchBodies(std::vector<Body> &bodies);
void addRecordingBodies(std::vector<Body> &bodies);
void addFaultBodies(std::vector<Body> &bodies);
void addSessionBodies(std::vector<Body> &bodies);

/// Bytes that differ from place to place and from seed to seed.
ByteVector pattern(size_t size, unsigned seed);

} // namespace kiln::hal::conformance
