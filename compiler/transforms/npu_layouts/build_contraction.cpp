// SPDX-License-Identifier: Apache-2.0
#include "compiler/transforms/npu_layouts/body_context.h"

#include "compiler/dialect/npu/NpuOps.h"
#include "compiler/transforms/npu_schedule/tiling.h"

#include "mlir/Dialect/SCF/IR/SCF.h"

using namespace mlir;

namespace kiln::npu {

namespace {

SmallVector<int64_t> pairOf(DenseIntElementsAttr attr) {
  return SmallVector<int64_t>(attr.getValues<int64_t>());
}

/// Top and left padding of an operand.
std::pair<int64_t, int64_t> paddingOf(Value v) {
  auto pad = v.getDefiningOp<tensor::PadOp>();
  if (!pad) {
    return {0, 0};
  }
  return {pad.getStaticLow()[2], pad.getStaticLow()[3]};
}

/// The accumulator's start: the bias, broadcast over rows, or zero.
Value accumulatorOf(BodyContext &c, const Epilogue &e, int64_t m, int64_t n) {
  Type f32 = c.b.getF32Type();
  if (!e.bias) {
    return c.filled({m, n}, f32, 0);
  }
  return linalg::BroadcastOp::create(c.b, c.loc, c.arg(e.bias),
                                     c.empty({m, n}, f32), ArrayRef<int64_t>{0})
      ->getResult(0);
}

Value product(BodyContext &c, Value a, Value b, Value init) {
  return linalg::MatmulOp::create(c.b, c.loc, TypeRange{init.getType()},
                                  ValueRange{a, b}, ValueRange{init})
      ->getResult(0);
}

Value unpack(BodyContext &c, Value source, ArrayRef<int64_t> shape,
             StringRef kind) {
  Value init = c.empty(shape, typeOf(source).getElementType());
  return UnpackOp::create(c.b, c.loc, TypeRange{init.getType()}, source, init,
                          kind)
      ->getResult(0);
}

class ConvBuilder {
public:
  ConvBuilder(BodyContext &c)
      : c(c), op(cast<linalg::Conv2DNchwFchwOp>(c.root)),
        e(epilogueOf(c.root, 1)),
        out(imageType(cast<RankedTensorType>(c.logical.getResultTypes()[0]))),
        outC0(out.getDimSize(4)), n(out.getDimSize(0) * outC0) {}

  LogicalResult run() {
    c.finish(c.forEachImage(out, 1, [&](Value image) { return tile(image); }));
    return success();
  }

private:
  Value tile(Value image) {
    Value x = c.imageOf(c.arg(op.getInputs()[0]), image);
    Value w = c.arg(op.getInputs()[1]);
    int64_t m = out.getDimSize(2) * out.getDimSize(3);
    int64_t k = typeOf(w).getDimSize(0) * typeOf(w).getDimSize(2);
    Value a = patches(x, m, k);
    Value b = unpack(c, w, {k, n}, "columns");
    Value sum = product(c, a, b, accumulatorOf(c, e, m, n));
    return epilogue(sum, m, image);
  }

  Value patches(Value x, int64_t m, int64_t k) {
    ArrayRef<int64_t> filter = typeOf(op.getInputs()[1]).getShape();
    auto [top, left] = paddingOf(op.getInputs()[0]);
    Value init = c.empty({m, k}, typeOf(x).getElementType());
    Value zero = c.index(0);
    return Im2colOp::create(c.b, c.loc, TypeRange{init.getType()}, x, init,
                            c.index(top), zero, zero, out.getDimSize(3),
                            ArrayRef<int64_t>{filter[2], filter[3]},
                            pairOf(op.getStrides()), pairOf(op.getDilations()),
                            left, filter[1], false)
        ->getResult(0);
  }

  Value epilogue(Value sum, int64_t m, Value image) {
    AffineExpr n1 = c.b.getAffineDimExpr(0), row = c.b.getAffineDimExpr(1),
               lane = c.b.getAffineDimExpr(2);
    AffineMap blocks =
        AffineMap::get(3, 0, {row, n1 * outC0 + lane}, c.b.getContext());
    AffineMap identity = c.b.getMultiDimIdentityMap(3);
    Type element = out.getElementType();
    Value init = c.empty({n / outC0, m, outC0}, element);
    if (!e.op) {
      return convertGeneric(c, {sum, blocks}, init, identity, /*isRoot=*/true);
    }
    if (e.fixDoesIt) {
      return rootGeneric(c, e, init, identity,
                         [&](OpOperand &o) -> MappedInput {
                           if (o.get() == e.bias) {
                             return {};
                           }
                           return {sum, blocks};
                         });
    }
    Value fixed =
        convertGeneric(c, {sum, blocks}, init, identity, /*isRoot=*/false);
    return blockedRoot(c, e, fixed, out, image, 1);
  }

  BodyContext &c;
  linalg::Conv2DNchwFchwOp op;
  Epilogue e;
  RankedTensorType out;
  int64_t outC0, n;
};

class MatmulBuilder {
public:
  MatmulBuilder(BodyContext &c)
      : c(c), batched(llvm::isa<linalg::BatchMatmulOp>(c.root)),
        e(epilogueOf(c.root, batched ? 2 : 1)),
        out(cast<RankedTensorType>(c.logical.getResultTypes()[0])) {}

  LogicalResult run() {
    if (!batched) {
      c.finish(tile({}));
      return success();
    }
    ArrayRef<int64_t> s = out.getShape();
    Value result = c.empty(s, out.getElementType());
    auto loop = scf::ForOp::create(c.b, c.loc, c.index(0), c.index(s[0]),
                                   c.index(1), ValueRange{result});
    {
      OpBuilder::InsertionGuard guard(c.b);
      c.b.setInsertionPointToStart(loop.getBody());
      Value part = tile(loop.getInductionVar());
      SmallVector<OpFoldResult> offsets, sizes, ones;
      box(s, loop.getInductionVar(), offsets, sizes, ones);
      Value whole = tensor::InsertSliceOp::create(
          c.b, c.loc, part, loop.getRegionIterArg(0), offsets, sizes, ones);
      scf::YieldOp::create(c.b, c.loc, whole);
    }
    c.finish(loop.getResult(0));
    return success();
  }

private:
  void box(ArrayRef<int64_t> shape, Value at,
           SmallVector<OpFoldResult> &offsets, SmallVector<OpFoldResult> &sizes,
           SmallVector<OpFoldResult> &ones) {
    for (auto [i, size] : llvm::enumerate(shape)) {
      offsets.push_back(i == 0 ? OpFoldResult(at) : c.b.getIndexAttr(0));
      sizes.push_back(c.b.getIndexAttr(i == 0 ? 1 : size));
      ones.push_back(c.b.getIndexAttr(1));
    }
  }

  /// Entry `at` of a stack; the value itself without one.
  Value entry(Value stack, Value at) {
    if (!at) {
      return stack;
    }
    ArrayRef<int64_t> s = typeOf(stack).getShape();
    SmallVector<OpFoldResult> offsets, sizes, ones;
    box(s, at, offsets, sizes, ones);
    auto type =
        RankedTensorType::get(s.drop_front(), typeOf(stack).getElementType());
    return tensor::ExtractSliceOp::create(c.b, c.loc, type, stack, offsets,
                                          sizes, ones);
  }

  Value tile(Value at) {
    Value lhs = entry(c.arg(c.root->getOperand(0)), at);
    Value rhs = entry(c.arg(c.root->getOperand(1)), at);
    int64_t m = typeOf(lhs).getDimSize(0), k = typeOf(lhs).getDimSize(1);
    int64_t n = out.getShape().back();
    Type element = typeOf(lhs).getElementType();
    int64_t c0 = blockOf(element);
    Value init = c.empty({ceilTo(k, c0) / c0, m, c0}, element);
    Value packed =
        PackOp::create(c.b, c.loc, TypeRange{init.getType()}, lhs, init)
            ->getResult(0);
    Value a = unpack(c, packed, {m, k}, "rows");
    Value b = unpack(c, rhs, {k, n}, "columns");
    Value sum = product(c, a, b, accumulatorOf(c, e, m, n));
    return epilogue(sum, m, n, at);
  }

  Value epilogue(Value sum, int64_t m, int64_t n, Value at) {
    AffineMap identity = c.b.getMultiDimIdentityMap(2);
    Value init = c.empty({m, n}, out.getElementType());
    if (!e.op) {
      return convertGeneric(c, {sum, identity}, init, identity, true);
    }
    Value value = sum;
    if (!e.fixDoesIt) {
      Value fixed = c.empty({m, n}, c.b.getF32Type());
      value = convertGeneric(c, {sum, identity}, fixed, identity, false);
    }
    return rootGeneric(c, e, init, identity, [&](OpOperand &o) -> MappedInput {
      if (o.get() == e.bias) {
        return {};
      }
      linalg::GenericOp op = e.op;
      if (op.getMatchingBlockArgument(&o) == e.value) {
        return {value, identity};
      }
      return operand(op.getMatchingIndexingMap(&o), c.arg(o.get()), at);
    });
  }

  /// An operand of the epilogue with the batch loop taken out of its map.
  MappedInput operand(AffineMap map, Value v, Value at) {
    if (!batched) {
      return {v, map};
    }
    bool stacked = map.isFunctionOfDim(0);
    SmallVector<AffineExpr> exprs;
    for (AffineExpr expr : map.getResults()) {
      if (!expr.isFunctionOfDim(0)) {
        unsigned d = cast<AffineDimExpr>(expr).getPosition();
        exprs.push_back(c.b.getAffineDimExpr(d - 1));
      }
    }
    return {stacked ? entry(v, at) : v,
            AffineMap::get(2, 0, exprs, c.b.getContext())};
  }

  BodyContext &c;
  bool batched;
  Epilogue e;
  RankedTensorType out;
};

} // namespace

LogicalResult buildConv(BodyContext &c) { return ConvBuilder(c).run(); }

LogicalResult buildMatmul(BodyContext &c) { return MatmulBuilder(c).run(); }

} // namespace kiln::npu
