// SPDX-License-Identifier: Apache-2.0
#include "compiler/transforms/cpu/cpu_passes.h"

#include "isa/support/units.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/IR/PatternMatch.h"

using namespace mlir;

namespace kiln::cpu {

// Buffers of one dispatch get disjoint slices: a dispatch has few, and all are
// alive together in the usual case (padded input, one intermediate).
FailureOr<uint64_t> assignWorkspace(func::FuncOp func) {
  constexpr uint64_t kAlignment = 64;
  SmallVector<memref::AllocOp> allocs;
  func.walk([&](memref::AllocOp op) { allocs.push_back(op); });
  uint64_t size = 0;
  SmallVector<uint64_t> offsets;
  for (memref::AllocOp op : allocs) {
    MemRefType type = op.getType();
    if (!type.hasStaticShape()) {
      return op.emitError("buffer of a CPU dispatch has no static size: ")
             << type;
    }
    uint64_t bytes = type.getNumElements() *
                     llvm::divideCeil(type.getElementTypeBitWidth(), 8);
    offsets.push_back(size);
    size += alignUp(bytes, kAlignment);
  }
  Type bytes = IntegerType::get(func.getContext(), 8);
  auto type = MemRefType::get({static_cast<int64_t>(size)}, bytes);
  unsigned index = func.getNumArguments();
  if (failed(func.insertArgument(index, type, {}, func.getLoc()))) {
    return failure();
  }
  Value workspace = func.getArgument(index);
  IRRewriter rw(func.getContext());
  for (auto [op, offset] : llvm::zip_equal(allocs, offsets)) {
    rw.setInsertionPoint(op);
    Value start = arith::ConstantIndexOp::create(rw, op.getLoc(), offset);
    rw.replaceOpWithNewOp<memref::ViewOp>(op, op.getType(), workspace, start,
                                          ValueRange{});
  }
  func.walk([&](memref::DeallocOp op) { rw.eraseOp(op); });
  return size;
}

} // namespace kiln::cpu
