// SPDX-License-Identifier: Apache-2.0
//
// PackageModel: what a .kiln file says, as plain structs. The compiler fills
// one and serialises it; a reader gets one from Package (package.h).
//
//   PackageModel m;
//   m.name = "digits", m.target = "cpu";
//   m.values = {{"image", DataType::kF32, {1, 1, 8, 8}},
//               {"scores", DataType::kF32, {1, 10}}};
//   m.inputs = {0}, m.outputs = {1};
//   m.programs = {{ProgramKind::kCpuSo, "digits", {"k0"}, {"avx2"}, {}, so}};
//   DispatchModel d{"k0", 0, 0};
//   d.bindings = {{BufferRef::input(0, 256), Access::kRead, 0},
//                 {BufferRef::output(0, 40), Access::kWrite, 1}};
//   m.plan.functions = {{"main", {d}}};
//   Result<std::vector<uint8_t>> file = serialize(m);
//
// Contract: serialize() refuses (kInvalidArgument, naming the culprit) what
// validate() refuses, and equal models give equal bytes. Sizes are bytes.
// The format itself is described in package.fbs.
//
// Order: the ops of a function are ordered only by BarrierModel. Ops between
// two barriers may run at the same time, so a barrier stands between an op
// that writes bytes and one that touches them afterwards.
#pragma once

#include "hal/format/blob.h"
#include "hal/format/data_type.h"
#include "hal/format/expr.h"
#include "isa/support/status.h"

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

namespace kiln::hal {

/// Programs, constants and arena buffers start at multiples of this.
constexpr uint64_t kPackageAlignment = 64;

/// A tensor that somebody outside may ask about: a model input or output, or
/// what a dispatch reads or writes (for per-layer dumps).
struct ValueModel {
  std::string name; // ONNX value name
  DataType type = DataType::kF32;
  std::vector<int64_t> shape; // logical
  Layout layout = Layout::kDense;
  std::vector<int64_t> physicalShape{}; // empty: the same as shape

  /// The shape its bytes have.
  const std::vector<int64_t> &storedShape() const {
    return physicalShape.empty() ? shape : physicalShape;
  }
  bool operator==(const ValueModel &) const = default;
};

/// Elements of a shape; kInvalidArgument for a negative dimension or more
/// than 2^48 elements.
Result<uint64_t> elementCount(const std::vector<int64_t> &shape);

/// Bytes a value occupies in its stored shape.
Result<uint64_t> byteSize(const ValueModel &value);

/// A weight. `bytes` has exactly the size of type and physical shape.
struct ConstantModel {
  std::string name;
  DataType type = DataType::kF32;
  std::vector<int64_t> physicalShape;
  Blob bytes;
};

enum class ProgramKind : uint8_t { kNull, kNpuElf, kCpuSo };
constexpr unsigned kNumProgramKinds = 3;
constexpr std::string_view kProgramKindNames[kNumProgramKinds] = {
    "null", "npu-elf", "cpu-so"};
constexpr std::string_view name(ProgramKind kind) {
  return kProgramKindNames[static_cast<unsigned>(kind)];
}

/// Loadable code. An NPU ELF has one entry, its kernel; a CPU shared object
/// has any number.
struct ProgramModel {
  ProgramKind kind = ProgramKind::kNull;
  std::string name;
  std::vector<std::string> entries;       // symbols
  std::vector<std::string> cpuFeatures{}; // LLVM names: "avx2", "avx512f"
  /// Bytes used of each local space, by name ("L1", "UB").
  std::vector<std::pair<std::string, uint64_t>> needs{};
  Blob bytes{};
};

enum class BufferKind : uint8_t { kArena, kConstant, kInput, kOutput };
constexpr unsigned kNumBufferKinds = 4;
constexpr std::string_view kBufferKindNames[kNumBufferKinds] = {
    "arena", "constant", "input", "output"};
constexpr std::string_view name(BufferKind kind) {
  return kBufferKindNames[static_cast<unsigned>(kind)];
}

/// A byte range of the arena, of constant `index`, of model input or output
/// `index`.
struct BufferRef {
  BufferKind kind = BufferKind::kArena;
  uint32_t index = 0; // 0 for the arena
  Expr offset;
  Expr size;

  static BufferRef make(BufferKind kind, uint32_t index, int64_t offset,
                        int64_t size) {
    return {kind, index, Expr::constant(offset), Expr::constant(size)};
  }
  static BufferRef arena(int64_t offset, int64_t size) {
    return make(BufferKind::kArena, 0, offset, size);
  }
  static BufferRef constant(uint32_t index, int64_t size) {
    return make(BufferKind::kConstant, index, 0, size);
  }
  static BufferRef input(uint32_t index, int64_t size) {
    return make(BufferKind::kInput, index, 0, size);
  }
  static BufferRef output(uint32_t index, int64_t size) {
    return make(BufferKind::kOutput, index, 0, size);
  }
  bool operator==(const BufferRef &) const = default;
};

enum class Access : uint8_t { kRead, kWrite, kReadWrite };
constexpr unsigned kNumAccesses = 3;
constexpr bool reads(Access a) { return a != Access::kWrite; }
constexpr bool writes(Access a) { return a != Access::kRead; }

/// Index meaning "none".
constexpr int32_t kNoIndex = -1;

struct BindingModel {
  BufferRef buffer;
  Access access = Access::kRead;
  int32_t value = kNoIndex; // of PackageModel::values

  bool operator==(const BindingModel &) const = default;
};

/// Runs an entry of a program over blockDim blocks. Inputs, then outputs
/// become bindings 0..n-1 of the argument block (isa/abi/launch.h).
struct DispatchModel {
  std::string name;
  uint32_t program = 0;
  uint32_t entry = 0;
  Expr blockDim = Expr::constant(1);
  std::vector<BindingModel> bindings{};
  std::vector<Expr> constants{};
  int32_t source = kNoIndex; // of PackageModel::sourceMap
  /// Scratch memory of the arena, the `workspace` of the argument block. Its
  /// content is undefined before and after.
  std::optional<BufferRef> workspace{};
  /// Multiply-accumulates of the mathematical operator, of factors of this
  /// type: padded channels, tails and what is computed twice do not count.
  uint64_t macs = 0;
  DataType macType = DataType::kF32;

  bool operator==(const DispatchModel &) const = default;
};

/// Both sizes are equal; the ranges do not overlap.
struct CopyModel {
  BufferRef source;
  BufferRef target;
  bool operator==(const CopyModel &) const = default;
};

/// Repeats the low patternBytes (1, 2 or 4) bytes of `pattern`, little endian;
/// the size is a multiple of patternBytes.
struct FillModel {
  BufferRef target;
  uint32_t pattern = 0;
  uint8_t patternBytes = 4;
  bool operator==(const FillModel &) const = default;
};

/// Everything before is finished and visible to everything after.
struct BarrierModel {
  bool operator==(const BarrierModel &) const = default;
};

using PlanOp = std::variant<DispatchModel, CopyModel, FillModel, BarrierModel>;

struct FunctionModel {
  std::string name;
  std::vector<PlanOp> ops;
  bool operator==(const FunctionModel &) const = default;
};

struct PlanModel {
  std::vector<std::string> symbols{};
  Expr arenaSize = Expr::constant(0);
  std::vector<FunctionModel> functions{}; // [0] runs the model
  bool operator==(const PlanModel &) const = default;
};

/// Where a dispatch comes from: the main ONNX node or the DSL line.
struct SourceEntry {
  std::string node;   // ONNX node name
  std::string opType; // "Conv"
  std::string file;
  uint32_t line = 0; // 1 + node index for ONNX files
  bool operator==(const SourceEntry &) const = default;
};

struct PackageModel {
  std::string fingerprint{}; // of the compiler build
  std::string name{};
  std::string target{}; // "npu", "cpu" or "null"
  std::string machineName{};
  std::string machineHash{}; // hex, ArchSpec::hash
  std::string precision{};   // "strict", "fp16", ...
  uint32_t isaVersion = 0;
  std::vector<ValueModel> values{};
  std::vector<uint32_t> inputs{};  // indices of values
  std::vector<uint32_t> outputs{}; // indices of values
  std::vector<ConstantModel> constants{};
  std::vector<ProgramModel> programs{};
  std::string schedules{}; // the schedules used, as text
  PlanModel plan{};
  std::vector<SourceEntry> sourceMap{};
};

/// Checks every index, size, range and expression; kInvalidArgument names the
/// culprit ("dispatch 3 'conv_3', binding 1: ...").
Status validate(const PackageModel &model);

/// The bytes of a .kiln file.
Result<std::vector<uint8_t>> serialize(const PackageModel &model);

} // namespace kiln::hal
