// SPDX-License-Identifier: Apache-2.0
//
// Session: a model package loaded onto a device; the interpreter of plans.
//
//   Result<std::unique_ptr<Session>> session =
//       Session::load(*device, Blob(fileBytes));
//   HostTensor image = HostTensor::make(DataType::kF32, {1, 1, 8, 8});
//   Result<std::vector<HostTensor>> out = (*session)->run({image});
//
// Loading verifies the package, loads its programs, uploads constants once and
// allocates the arena. run() uploads inputs, runs the plan's first function as
// one recording, and downloads outputs.
//
// Errors: those of Package and Device when loading (kCorrupt, kUnsupported,
// kDoesNotFit); kInvalidArgument for inputs of a wrong count, type or shape;
// whatever a dispatch raises (kDeviceFault, kBudgetExceeded, kDeviceLost) with
// the dispatch and its node in front. After a fault the session is usable.
//
// Thread rule: one call at a time. The device outlives the session.
#pragma once

#include "hal/api/device.h"
#include "hal/format/package.h"

#include <functional>
#include <memory>
#include <vector>

namespace kiln::hal {

/// A dense, row-major tensor in host memory: bytes.size() is the product of
/// the shape times the bytes of an element, little-endian.
struct HostTensor {
  DataType type = DataType::kF32;
  std::vector<int64_t> shape;
  std::vector<std::byte> bytes;

  /// A tensor of zeros. The shape must be valid (elementCount()).
  static HostTensor make(DataType type, std::vector<int64_t> shape);
};

/// A finished dispatch of a run.
struct DispatchProfile {
  size_t index = 0; // among the dispatches of the function
  const DispatchModel *dispatch = nullptr;
  const SourceEntry *source = nullptr; // null: unknown
  const ProgramModel *program = nullptr;
  ProgramReport report;
};

/// What a dispatch wrote, in the order of its bindings.
struct LayerDump {
  struct Output {
    uint32_t binding = 0;
    const ValueModel *value = nullptr; // null: not named by the package
    std::vector<std::byte> bytes;      // in the stored shape of value
  };
  size_t index = 0;
  const DispatchModel *dispatch = nullptr;
  const SourceEntry *source = nullptr;
  std::vector<Output> outputs;
};

struct RunOptions {
  /// Called for each dispatch, in plan order, after the run.
  std::function<void(const DispatchProfile &)> profile{};
  /// Called after each dispatch with what it wrote, before the next one runs;
  /// an error stops the run and becomes its result.
  std::function<Status(const LayerDump &)> dump{};
};

struct SessionOptions {
  /// How long a step may take before kBudgetExceeded; absent: forever. For
  /// devices that may hang.
  std::optional<std::chrono::nanoseconds> timeout{};
};

class Session {
public:
  /// Owned bytes live with the session; borrowed ones must outlive it.
  static Result<std::unique_ptr<Session>>
  load(Device &device, Blob package, const SessionOptions &options = {});
  ~Session();

  const Package &package() const;
  const PackageModel &model() const { return package().model(); }
  /// In the model's order; `index` below model().inputs.size(), and outputs.
  const ValueModel &input(size_t index) const;
  const ValueModel &output(size_t index) const;

  /// Device memory of arena, constants, inputs and outputs, in bytes.
  uint64_t deviceBytes() const;

  /// `inputs` and the result in the model's order, in logical shapes.
  Result<std::vector<HostTensor>> run(const std::vector<HostTensor> &inputs,
                                      const RunOptions &options = {});

private:
  class Impl;
  explicit Session(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

} // namespace kiln::hal
