// SPDX-License-Identifier: Apache-2.0
//
// What the verifiers of the commands share: operand placement, alignment,
// capacity and field widths of what is constant.
//
//   Check check(op);
//   if (failed(check.operand({"dst", op.getDst(), op.getDstOffset(),
//                             {isa::Space::UB}, isa::kBlockBytes}))) ...
#pragma once

#include "compiler/dialect/npu/NpuOps.h"

#include "isa/support/units.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/Matchers.h"

namespace kiln::npu {

// Field limits of the instruction words (isa/spec).
constexpr int64_t kMaxCount16 = (1 << 16) - 1;
constexpr int64_t kMaxCount20 = (1 << 20) - 1;
constexpr int64_t kMaxCount24 = (1 << 24) - 1;
constexpr int64_t kMaxCount12 = (1 << 12) - 1;
constexpr int64_t kMaxByte = 255;
constexpr int64_t kMaxSemaphore = 15;
constexpr int64_t kMaxUnsigned32 = (int64_t(1) << 32) - 1;

inline std::optional<int64_t> constantOf(mlir::Value value) {
  llvm::APInt constant;
  if (value && mlir::matchPattern(value, mlir::m_ConstantInt(&constant))) {
    return constant.getSExtValue();
  }
  return std::nullopt;
}

inline int64_t elementBytes(mlir::Value base) {
  return (llvm::cast<mlir::MemRefType>(base.getType())
              .getElementTypeBitWidth() +
          7) /
         8;
}

/// Bytes of a base, nullopt when not static.
inline std::optional<int64_t> capacityOf(mlir::MemRefType type) {
  if (!type.hasStaticShape()) {
    return std::nullopt;
  }
  if (type.getMemorySpace()) {
    return localBytes(type);
  }
  if (!type.getLayout().isIdentity()) {
    return std::nullopt;
  }
  return type.getNumElements() * ((type.getElementTypeBitWidth() + 7) / 8);
}

inline std::string namesOf(llvm::ArrayRef<isa::Space> spaces) {
  std::string text;
  for (isa::Space space : spaces) {
    text += (text.empty() ? "" : " or ") + std::string(isa::name(space));
  }
  return text;
}

struct Operand {
  llvm::StringRef name;
  mlir::Value base;
  mlir::Value offset;
  llvm::SmallVector<isa::Space, 3> spaces; // allowed
  int64_t align = 1;
  /// Bytes from the offset to the end of what is touched, where known.
  std::optional<int64_t> extent = std::nullopt;
};

/// Collects the first violation of a command as a diagnostic.
class Check {
public:
  explicit Check(mlir::Operation *op) : op_(op) {}

  llvm::LogicalResult operand(const Operand &o) {
    auto type = llvm::dyn_cast<mlir::MemRefType>(o.base.getType());
    if (!type) {
      return fail(o.name, "a ranked memref", "an unranked one");
    }
    const auto space = spaceOf(type);
    if (!space || !llvm::is_contained(o.spaces, *space)) {
      return fail(o.name, "a buffer in " + namesOf(o.spaces),
                  space ? "one in " + std::string(isa::name(*space))
                        : "an unknown memory space");
    }
    if (llvm::failed(base(o))) {
      return llvm::failure();
    }
    const auto offset = constantOf(o.offset);
    if (!offset) {
      return llvm::success();
    }
    if (*offset < 0 || *offset % o.align != 0) {
      return fail(o.name,
                  "an offset that is a multiple of " + std::to_string(o.align) +
                      " bytes",
                  std::to_string(*offset));
    }
    const auto capacity = capacityOf(type);
    if (capacity && *offset + o.extent.value_or(0) > *capacity) {
      return fail(o.name,
                  "at most " + std::to_string(*capacity) +
                      " bytes, the size of its buffer",
                  "bytes up to " +
                      std::to_string(*offset + o.extent.value_or(0)));
    }
    return llvm::success();
  }

  llvm::LogicalResult count(llvm::StringRef name, mlir::Value value,
                            int64_t max) {
    const auto constant = constantOf(value);
    return constant ? range(name, *constant, 0, max) : llvm::success();
  }

  llvm::LogicalResult range(llvm::StringRef name, int64_t value, int64_t min,
                            int64_t max) {
    if (value >= min && value <= max) {
      return llvm::success();
    }
    return fail(name,
                "a value from " + std::to_string(min) + " to " +
                    std::to_string(max),
                std::to_string(value));
  }

  llvm::LogicalResult strides(llvm::StringRef name,
                              llvm::ArrayRef<int64_t> strides) {
    if (strides.size() != 2) {
      return fail(name, "{row stride, block stride}",
                  std::to_string(strides.size()) + " values");
    }
    if (llvm::failed(
            range(name.str() + " (row)", strides[0], 0, kMaxCount16))) {
      return llvm::failure();
    }
    return range(name.str() + " (block)", strides[1], 0, kMaxByte);
  }

  llvm::LogicalResult fail(const llvm::Twine &name, const llvm::Twine &expected,
                           const llvm::Twine &found) {
    return op_->emitOpError() << "'" << name.str() << "': expected "
                              << expected.str() << ", found " << found.str();
  }

  llvm::LogicalResult elementType(llvm::StringRef name, mlir::Value base) {
    const mlir::Type type =
        llvm::cast<mlir::MemRefType>(base.getType()).getElementType();
    if (elementTypeOf(type)) {
      return llvm::success();
    }
    std::string text;
    llvm::raw_string_ostream(text) << type;
    return fail(name,
                "an element type of the machine (i8 ui8 i16 ui16 i32 f16 "
                "bf16 f32)",
                text);
  }

private:
  llvm::LogicalResult base(const Operand &o) {
    if (auto argument = llvm::dyn_cast<mlir::BlockArgument>(o.base)) {
      if (llvm::isa<mlir::func::FuncOp>(argument.getOwner()->getParentOp())) {
        return llvm::success();
      }
      return fail(o.name, "an npu.alloc or a kernel argument as base",
                  "a loop-carried memref");
    }
    mlir::Operation *def = o.base.getDefiningOp();
    if (llvm::isa<AllocOp>(def)) {
      return llvm::success();
    }
    return fail(o.name, "an npu.alloc or a kernel argument as base",
                "the result of '" + def->getName().getStringRef() + "'");
  }

  mlir::Operation *op_;
};

/// Extent in bytes of rows x rowBytes with constant geometry.
inline std::optional<int64_t> extent(mlir::Value rows,
                                     std::optional<int64_t> rowBytes,
                                     std::optional<int64_t> stride) {
  const auto r = constantOf(rows);
  if (!r || !rowBytes || !stride) {
    return std::nullopt;
  }
  return *r == 0 ? 0 : (*r - 1) * *stride + *rowBytes;
}

/// Extent of a local view of rows x bytes.
inline std::optional<int64_t> viewExtent(mlir::Value rows,
                                         std::optional<int64_t> rowBytes,
                                         llvm::ArrayRef<int64_t> strides) {
  if (!rowBytes || strides.size() != 2) {
    return std::nullopt;
  }
  const int64_t block = isa::kBlockBytes;
  if (*rowBytes == 0) {
    return 0;
  }
  const int64_t blocks = ceilDiv(*rowBytes, block);
  const int64_t row =
      (blocks - 1) * strides[1] * block + *rowBytes - (blocks - 1) * block;
  return extent(rows, row, strides[0] * block);
}

inline std::optional<int64_t> scaled(mlir::Value value, int64_t factor) {
  const auto constant = constantOf(value);
  return constant ? std::optional(*constant * factor) : std::nullopt;
}

} // namespace kiln::npu
