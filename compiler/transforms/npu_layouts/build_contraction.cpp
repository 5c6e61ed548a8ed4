// SPDX-License-Identifier: Apache-2.0
#include "compiler/transforms/npu_layouts/body_context.h"

#include "compiler/dialect/npu/NpuIndexMath.h"
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
    if (c.strip != 0) {
      c.finish(c.forEachImage(out, 2, [&](Value n) { return strips(n); }));
    } else {
      c.finish(c.forEachImage(out, 1, [&](Value n) { return tile(n); }));
    }
    return success();
  }

private:
  int64_t depth() {
    auto w = cast<RankedTensorType>(c.arg(op.getInputs()[1]).getType());
    return w.getDimSize(0) * w.getDimSize(2);
  }

  Value tile(Value image) {
    Value x = c.imageOf(c.arg(op.getInputs()[0]), image);
    int64_t m = out.getDimSize(2) * out.getDimSize(3);
    auto [top, left] = paddingOf(op.getInputs()[0]);
    Im2colOp a = patches(x, m, out.getDimSize(3), top, left);
    return epilogue(contract(a->getResult(0), m), m, image);
  }

  Value contract(Value a, int64_t m) {
    Value b = unpack(c, c.arg(op.getInputs()[1]), {depth(), n}, "columns");
    return product(c, a, b, accumulatorOf(c, e, m, n));
  }

  Im2colOp patches(Value x, int64_t m, int64_t width, int64_t top,
                   int64_t left) {
    ArrayRef<int64_t> filter = typeOf(op.getInputs()[1]).getShape();
    Value init = c.empty({m, depth()}, typeOf(x).getElementType());
    Value zero = c.index(0);
    return Im2colOp::create(
        c.b, c.loc, TypeRange{init.getType()}, x, init, c.index(top), zero,
        zero, width, ArrayRef<int64_t>{filter[2], filter[3]},
        pairOf(op.getStrides()), pairOf(op.getDilations()), left, filter[1]);
  }

  /// [n1, OH, OW, C0], part by part of its rows. The horizontal border of the
  /// image is in GM already, so that all parts are alike.
  Value strips(Value image) {
    ArrayRef<int64_t> s = out.getShape();
    int64_t count = ceilTo(s[3], c.strip) / c.strip;
    Value result = c.empty({s[0], s[2], s[3], s[4]}, out.getElementType());
    Value x = c.imageOf(c.arg(op.getInputs()[0]), image);
    return loop(count, result, [&](Value i, Value columns) {
      IndexMath m{c.b, c.loc};
      OpFoldResult start = m.min({m.d(0) * c.strip, m.c(s[3] - c.strip)}, {i});
      Value strip = columnsOf(x, start);
      return loop(s[2], columns, [&](Value row, Value rows) {
        c.part = {row, start, c.strip};
        return stripOfRow(strip, rows, image);
      });
    });
  }

  Value loop(int64_t count, Value init,
             function_ref<Value(Value, Value)> body) {
    auto loop = scf::ForOp::create(c.b, c.loc, c.index(0), c.index(count),
                                   c.index(1), ValueRange{init});
    OpBuilder::InsertionGuard guard(c.b);
    c.b.setInsertionPointToStart(loop.getBody());
    Value next = body(loop.getInductionVar(), loop.getRegionIterArg(0));
    scf::YieldOp::create(c.b, c.loc, next);
    return loop.getResult(0);
  }

  /// The columns of the image that the strip at `start` of the result reads.
  Value columnsOf(Value x, OpFoldResult start) {
    ArrayRef<int64_t> s = typeOf(x).getShape();
    int64_t stride = pairOf(op.getStrides())[1];
    int64_t taps = typeOf(op.getInputs()[1]).getDimSize(3);
    int64_t reach = (taps - 1) * pairOf(op.getDilations())[1] + 1;
    IndexMath m{c.b, c.loc};
    SmallVector<OpFoldResult> offsets(4, m.index(0)), ones(4, m.index(1));
    SmallVector<OpFoldResult> sizes{m.index(s[0]), m.index(s[1]),
                                    m.index((c.strip - 1) * stride + reach),
                                    m.index(s[3])};
    offsets[2] = m.times(start, stride);
    return tensor::ExtractSliceOp::create(c.b, c.loc, x, offsets, sizes, ones);
  }

  Value stripOfRow(Value strip, Value result, Value image) {
    IndexMath m{c.b, c.loc};
    int64_t top = paddingOf(op.getInputs()[0]).first;
    Im2colOp whole =
        patches(strip, out.getDimSize(2) * c.strip, c.strip, top, /*left=*/0);
    whole.setByRows(true);
    FailureOr<TilingResult> row = whole.getTiledImplementation(
        c.b, {m.times(c.part->row, c.strip), m.index(0)},
        {m.index(c.strip), m.index(depth())});
    Value part =
        epilogue(contract(row->tiledValues.front(), c.strip), c.strip, image);
    whole->erase();
    ArrayRef<int64_t> s = typeOf(part).getShape();
    SmallVector<OpFoldResult> ones(4, m.index(1));
    SmallVector<OpFoldResult> offsets{m.index(0), c.part->row, c.part->start,
                                      m.index(0)};
    SmallVector<OpFoldResult> sizes{m.index(s[0]), m.index(1), m.index(s[1]),
                                    m.index(s[2])};
    return tensor::InsertSliceOp::create(c.b, c.loc, part, result, offsets,
                                         sizes, ones);
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
