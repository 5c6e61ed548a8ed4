// SPDX-License-Identifier: Apache-2.0
//
// Builds the physical body of one dispatch function from its logical body.
#pragma once

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/Builders.h"

#include <functional>
#include <optional>

namespace kiln::npu {

/// How the kernel wants an argument.
enum class ArgForm {
  kPlain,         // as it is
  kImage,         // [C1, N, H, W, C0]
  kResultImage,   // the same, with elements of the result type
  kConvWeights,   // [C1*KH*KW, N rounded to 16, C0] of [F, C, KH, KW]
  kWindowWeights, // [C1, KH, KW, C0] of [C, KH, KW]
  kBias,          // vector in f32, rounded up to blocks of the result
  kChannels,      // vector, rounded up to blocks of the result
  kFloat,         // as it is, in f32
  kColumns,       // [.., K1, N, C0] of [.., K, N]
};

/// What a dispatch computes, as far as layouts care.
enum class DispatchKind {
  kConv,
  kDepthwise,
  kPool,
  kMatmul,
  kBlockedElementwise,
  kPlain,
};

inline mlir::RankedTensorType typeOf(mlir::Value v) {
  return mlir::cast<mlir::RankedTensorType>(v.getType());
}
inline int64_t blockOf(mlir::Type element) {
  return 256 / element.getIntOrFloatBitWidth();
}
inline int64_t ceilTo(int64_t a, int64_t b) { return (a + b - 1) / b * b; }

/// [C1, N, H, W, C0] of [N, C, H, W].
mlir::RankedTensorType imageType(mlir::RankedTensorType logical);

/// The elementwise operation that follows a root, taken apart.
struct Epilogue {
  mlir::linalg::GenericOp op; // null: none
  mlir::Value value;          // body argument of the root's result
  mlir::Value bias;           // operand per output channel, added first
  mlir::Operation *biasAdd = nullptr;
  bool fixDoesIt = false; // scale, relu and cast only, no other input
};

/// For epilogueOf: the root has no accumulator that a bias could start.
constexpr unsigned kNoBias = ~0u;

/// Takes apart what follows `root`; `channelDim` is the dimension of the
/// result that a bias runs along.
Epilogue epilogueOf(mlir::Operation *root, unsigned channelDim);

/// The kind of a dispatch; elementwise ones are plain until an operand is in
/// blocks (canBeBlocked).
DispatchKind kindOf(mlir::func::FuncOp logical);

/// Whether an elementwise dispatch can run on blocks, given its operands.
bool canBeBlocked(mlir::func::FuncOp logical);

/// The argument that the root reads as weights gets an argument of its own
/// where the body reads it elsewhere too (x * x), since weights have their own
/// form. The number of the argument that is passed a second time, if so.
std::optional<unsigned> separateWeights(mlir::func::FuncOp logical,
                                        DispatchKind kind);

/// The forms of the arguments for a kind; failure when the kind cannot take
/// this body (the dispatch is then plain, or an error for windows).
mlir::FailureOr<llvm::SmallVector<ArgForm>> formsOf(mlir::func::FuncOp logical,
                                                    DispatchKind kind);

/// Fills `physical`, whose arguments have the types of `formsOf`, and returns
/// from it. `strip`: width of the parts of the result of a convolution (see
/// layouts.h); 0: whole rows.
mlir::LogicalResult buildBody(mlir::func::FuncOp logical, DispatchKind kind,
                              mlir::func::FuncOp physical, int64_t strip = 0);

/// Width of the strips of a convolution when its image is too wide for L1;
/// 0: it is not.
int64_t stripWidth(mlir::func::FuncOp logical, int64_t l1Bytes);

/// The padded operand of a convolution; its pad, or null.
mlir::tensor::PadOp imagePad(mlir::func::FuncOp logical);

/// The physical type of the result.
mlir::RankedTensorType resultType(mlir::func::FuncOp logical,
                                  DispatchKind kind);

} // namespace kiln::npu
