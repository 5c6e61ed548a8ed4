// SPDX-License-Identifier: Apache-2.0
//
// Bodies of conversion dispatches between row-major and channel blocks.
#include "compiler/transforms/npu_layouts/body_context.h"

#include "compiler/dialect/npu/NpuOps.h"
#include "compiler/transforms/npu_schedule/tiling.h"

#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Utils/ReshapeOpsUtils.h"

using namespace mlir;

namespace kiln::npu {

namespace {

/// A stack of matrices [B, rows, columns] of a row-major tensor: images as
/// [N, C, H*W], products as [.., K, N].
struct Stack {
  int64_t count, rows, columns;
};

Stack stackOf(RankedTensorType planar, RankedTensorType blocked) {
  ArrayRef<int64_t> s = planar.getShape();
  bool image = blocked.getRank() == 5;
  if (image) {
    return {s[0], s[1], s[2] * s[3]};
  }
  int64_t count = 1;
  for (int64_t size : s.drop_back(2)) {
    count *= size;
  }
  return {count, s[s.size() - 2], s.back()};
}

Value collapseTo(BodyContext &c, Value v, ArrayRef<int64_t> shape) {
  auto from = typeOf(v);
  auto to = RankedTensorType::get(shape, from.getElementType());
  if (from == to) {
    return v;
  }
  auto groups = getReassociationIndicesForReshape(from, to);
  return tensor::CollapseShapeOp::create(c.b, c.loc, to, v, *groups);
}

/// Slice `at` of dimension `dim`, without that dimension.
struct Entry {
  SmallVector<OpFoldResult> offsets, sizes, ones;
  Entry(OpBuilder &b, ArrayRef<int64_t> shape, unsigned dim, Value at) {
    for (auto [i, size] : llvm::enumerate(shape)) {
      offsets.push_back(i == dim ? OpFoldResult(at) : b.getIndexAttr(0));
      sizes.push_back(b.getIndexAttr(i == dim ? 1 : size));
      ones.push_back(b.getIndexAttr(1));
    }
  }
};

Value entryOf(BodyContext &c, Value v, unsigned dim, Value at) {
  SmallVector<int64_t> shape(typeOf(v).getShape());
  Entry e(c.b, shape, dim, at);
  shape.erase(shape.begin() + dim);
  return tensor::ExtractSliceOp::create(
      c.b, c.loc, RankedTensorType::get(shape, typeOf(v).getElementType()), v,
      e.offsets, e.sizes, e.ones);
}

/// The loop over a stack: `make` gives the entry of the result for one of the
/// source; `dims` are the stack's dimensions in source and result.
Value overStack(BodyContext &c, Value source, ArrayRef<int64_t> shape,
                std::pair<unsigned, unsigned> dims,
                function_ref<Value(Value)> make) {
  Value init = c.empty(shape, typeOf(source).getElementType());
  auto loop =
      scf::ForOp::create(c.b, c.loc, c.index(0), c.index(shape[dims.second]),
                         c.index(1), ValueRange{init});
  OpBuilder::InsertionGuard guard(c.b);
  c.b.setInsertionPointToStart(loop.getBody());
  Value at = loop.getInductionVar();
  Value part = make(entryOf(c, source, dims.first, at));
  Entry e(c.b, shape, dims.second, at);
  Value whole = tensor::InsertSliceOp::create(
      c.b, c.loc, part, loop.getRegionIterArg(0), e.offsets, e.sizes, e.ones);
  scf::YieldOp::create(c.b, c.loc, whole);
  return loop.getResult(0);
}

template <typename Op>
Value moved(BodyContext &c, Value source, ArrayRef<int64_t> shape) {
  Value init = c.empty(shape, typeOf(source).getElementType());
  auto op = Op::create(c.b, c.loc, TypeRange{init.getType()}, source, init);
  op->setAttr(kRootAttr, c.b.getUnitAttr());
  return op->getResult(0);
}

Value expandTo(BodyContext &c, Value v, RankedTensorType to) {
  if (v.getType() == to) {
    return v;
  }
  auto groups = getReassociationIndicesForReshape(to, typeOf(v));
  return tensor::ExpandShapeOp::create(c.b, c.loc, to, v, *groups);
}

} // namespace

LogicalResult buildBlockBody(func::FuncOp f) {
  BodyContext c(f, f, nullptr);
  Value x = f.getArgument(0);
  auto type = cast<RankedTensorType>(f.getResultTypes()[0]);
  Stack s = stackOf(typeOf(x), type);
  int64_t c0 = type.getShape().back(), blocks = ceilTo(s.rows, c0) / c0;
  if (s.count == 1) {
    Value planar = collapseTo(c, x, {s.rows, s.columns});
    c.finish(
        expandTo(c, moved<BlockOp>(c, planar, {blocks, s.columns, c0}), type));
    return success();
  }
  bool image = type.getRank() == 5;
  Value stack = collapseTo(c, x, {s.count, s.rows, s.columns});
  SmallVector<int64_t> shape{blocks, s.columns, c0};
  shape.insert(shape.begin() + (image ? 1 : 0), s.count);
  Value result = overStack(c, stack, shape, {0, image ? 1 : 0}, [&](Value v) {
    return moved<BlockOp>(c, v, {blocks, s.columns, c0});
  });
  c.finish(expandTo(c, result, type));
  return success();
}

LogicalResult buildUnblockBody(func::FuncOp f) {
  BodyContext c(f, f, nullptr);
  Value x = f.getArgument(0);
  auto type = cast<RankedTensorType>(f.getResultTypes()[0]);
  Stack s = stackOf(type, typeOf(x));
  if (s.count == 1) {
    Value blocked = tensor::CollapseShapeOp::create(
        c.b, c.loc, x, groupsOf({{0}, {1, 2, 3}, {4}}));
    c.finish(
        expandTo(c, moved<UnblockOp>(c, blocked, {s.rows, s.columns}), type));
    return success();
  }
  Value stack = tensor::CollapseShapeOp::create(
      c.b, c.loc, x, groupsOf({{0}, {1}, {2, 3}, {4}}));
  Value result =
      overStack(c, stack, {s.count, s.rows, s.columns}, {1, 0}, [&](Value v) {
        return moved<UnblockOp>(c, v, {s.rows, s.columns});
      });
  c.finish(expandTo(c, result, type));
  return success();
}

} // namespace kiln::npu
