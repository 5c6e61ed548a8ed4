// SPDX-License-Identifier: Apache-2.0
#include "compiler/transforms/npu_layouts/body_context.h"

#include "compiler/transforms/npu_schedule/tiling.h"

#include "mlir/Dialect/SCF/IR/SCF.h"

using namespace mlir;

namespace kiln::npu {

Value BodyContext::filled(ArrayRef<int64_t> shape, Type element, double value) {
  Value scalar = arith::ConstantOp::create(b, loc, element,
                                           b.getFloatAttr(element, value));
  return linalg::FillOp::create(b, loc, scalar, empty(shape, element))
      .getResult(0);
}

SmallVector<ReassociationIndices>
groupsOf(std::initializer_list<std::initializer_list<int64_t>> lists) {
  SmallVector<ReassociationIndices> result;
  for (auto list : lists) {
    result.emplace_back(list);
  }
  return result;
}

Value BodyContext::imageOf(Value x, Value n) {
  ArrayRef<int64_t> s = typeOf(x).getShape();
  if (!n) {
    return tensor::CollapseShapeOp::create(b, loc, x,
                                           groupsOf({{0, 1}, {2}, {3}, {4}}));
  }
  auto type = RankedTensorType::get({s[0], s[2], s[3], s[4]},
                                    typeOf(x).getElementType());
  auto zero = b.getIndexAttr(0), one = b.getIndexAttr(1);
  SmallVector<OpFoldResult> offsets{zero, n, zero, zero, zero};
  SmallVector<OpFoldResult> sizes{b.getIndexAttr(s[0]), one,
                                  b.getIndexAttr(s[2]), b.getIndexAttr(s[3]),
                                  b.getIndexAttr(s[4])};
  SmallVector<OpFoldResult> ones(5, one);
  return tensor::ExtractSliceOp::create(b, loc, type, x, offsets, sizes, ones);
}

/// Part `p` of a row, dimensions `row` and `row` + 1 of `x`, of image `n` when
/// `x` has images.
static Value sliceOf(BodyContext &c, Value x, Value n, const RowPart &p,
                     unsigned row) {
  ArrayRef<int64_t> s = typeOf(x).getShape();
  SmallVector<OpFoldResult> offsets(s.size(), c.b.getIndexAttr(0));
  SmallVector<OpFoldResult> ones(s.size(), c.b.getIndexAttr(1)), sizes;
  for (int64_t size : s) {
    sizes.push_back(c.b.getIndexAttr(size));
  }
  SmallVector<int64_t> shape;
  if (row > 1) {
    offsets[1] = n ? OpFoldResult(n) : c.b.getIndexAttr(0);
    sizes[1] = c.b.getIndexAttr(1);
    shape.push_back(s[0]);
  }
  offsets[row] = p.row;
  sizes[row] = c.b.getIndexAttr(1);
  offsets[row + 1] = p.start;
  sizes[row + 1] = c.b.getIndexAttr(p.count);
  shape.push_back(p.count);
  if (row > 1) {
    shape.push_back(s.back());
  }
  auto type = RankedTensorType::get(shape, typeOf(x).getElementType());
  return tensor::ExtractSliceOp::create(c.b, c.loc, type, x, offsets, sizes,
                                        ones);
}

Value BodyContext::planeOf(Value x) {
  if (part) {
    return sliceOf(*this, x, {}, *part, 0);
  }
  return tensor::CollapseShapeOp::create(b, loc, x, groupsOf({{0, 1}}));
}

Value BodyContext::pixelsOf(Value x, Value n) {
  if (part) {
    return sliceOf(*this, x, n, *part, 2);
  }
  if (!n) {
    return tensor::CollapseShapeOp::create(b, loc, x,
                                           groupsOf({{0}, {1, 2, 3}, {4}}));
  }
  return tensor::CollapseShapeOp::create(b, loc, imageOf(x, n),
                                         groupsOf({{0}, {1, 2}, {3}}));
}

Value BodyContext::forEachImage(RankedTensorType out, unsigned pixelDims,
                                function_ref<Value(Value n)> tile) {
  ArrayRef<int64_t> s = out.getShape();
  if (s[1] == 1) {
    auto one = pixelDims == 0   ? groupsOf({{0}, {1, 2, 3, 4}})
               : pixelDims == 1 ? groupsOf({{0}, {1, 2, 3}, {4}})
                                : groupsOf({{0}, {1, 2}, {3}, {4}});
    return tensor::ExpandShapeOp::create(b, loc, out, tile({}), one);
  }
  SmallVector<int64_t> shape{s[0], s[1]};
  if (pixelDims == 1) {
    shape.push_back(s[2] * s[3]);
  } else if (pixelDims == 2) {
    shape.append({s[2], s[3]});
  }
  shape.push_back(s[4]);
  Value result = empty(shape, out.getElementType());
  auto loop = scf::ForOp::create(b, loc, index(0), index(s[1]), index(1),
                                 ValueRange{result});
  {
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPointToStart(loop.getBody());
    Value n = loop.getInductionVar();
    Value part = tile(n);
    SmallVector<OpFoldResult> offsets, sizes, ones;
    for (auto [i, size] : llvm::enumerate(shape)) {
      offsets.push_back(i == 1 ? OpFoldResult(n) : b.getIndexAttr(0));
      sizes.push_back(b.getIndexAttr(i == 1 ? 1 : size));
      ones.push_back(b.getIndexAttr(1));
    }
    Value whole = tensor::InsertSliceOp::create(
        b, loc, part, loop.getRegionIterArg(0), offsets, sizes, ones);
    scf::YieldOp::create(b, loc, whole);
  }
  if (pixelDims == 2) {
    return loop.getResult(0);
  }
  auto split = pixelDims == 0 ? groupsOf({{0}, {1}, {2, 3, 4}})
                              : groupsOf({{0}, {1}, {2, 3}, {4}});
  return tensor::ExpandShapeOp::create(b, loc, out, loop.getResult(0), split);
}

static linalg::GenericOp
makeGeneric(BodyContext &c, ArrayRef<MappedInput> inputs, Value init,
            AffineMap initMap,
            function_ref<void(OpBuilder &, Location, ValueRange)> body) {
  SmallVector<Value> values;
  SmallVector<AffineMap> maps;
  for (const MappedInput &input : inputs) {
    values.push_back(input.value);
    maps.push_back(input.map);
  }
  maps.push_back(initMap);
  SmallVector<utils::IteratorType> loops(initMap.getNumDims(),
                                         utils::IteratorType::parallel);
  return linalg::GenericOp::create(c.b, c.loc, init.getType(), values, init,
                                   maps, loops, body);
}

static void markRoot(BodyContext &c, Operation *op) {
  op->setAttr(kRootAttr, c.b.getUnitAttr());
}

Value rootGeneric(BodyContext &c, const Epilogue &e, Value init,
                  AffineMap initMap,
                  function_ref<MappedInput(OpOperand &)> input) {
  linalg::GenericOp old = e.op;
  SmallVector<MappedInput> inputs;
  SmallVector<Value> oldArgs;
  for (OpOperand *operand : old.getDpsInputOperands()) {
    MappedInput in = input(*operand);
    if (in.value) {
      inputs.push_back(in);
      oldArgs.push_back(old.getMatchingBlockArgument(operand));
    }
  }
  auto body = [&](OpBuilder &b, Location loc, ValueRange args) {
    IRMapping map;
    for (auto [oldArg, arg] : llvm::zip(oldArgs, args)) {
      Value v = arg;
      if (oldArg.getType() != v.getType()) {
        bool wider = v.getType().getIntOrFloatBitWidth() <
                     oldArg.getType().getIntOrFloatBitWidth();
        v = wider ? Value(arith::ExtFOp::create(b, loc, oldArg.getType(), v))
                  : Value(arith::TruncFOp::create(b, loc, oldArg.getType(), v));
      }
      map.map(oldArg, v);
    }
    if (e.biasAdd) {
      map.map(e.biasAdd->getResult(0), map.lookup(e.value));
    }
    for (Operation &op : old.getBody()->without_terminator()) {
      bool inputsKnown = llvm::all_of(op.getOperands(), [&](Value v) {
        return map.contains(v) || v.getParentBlock() != old.getBody();
      });
      if (&op != e.biasAdd && inputsKnown) {
        for (Value v : op.getOperands()) {
          if (!map.contains(v)) {
            map.map(v, b.clone(*v.getDefiningOp())->getResult(0));
          }
        }
        b.clone(op, map);
      }
    }
    Value result =
        map.lookupOrDefault(old.getBody()->getTerminator()->getOperand(0));
    linalg::YieldOp::create(b, loc, result);
  };
  auto generic = makeGeneric(c, inputs, init, initMap, body);
  markRoot(c, generic);
  return generic.getResult(0);
}

Value convertGeneric(BodyContext &c, MappedInput input, Value init,
                     AffineMap initMap, bool isRoot) {
  Type element = typeOf(init).getElementType();
  auto generic = makeGeneric(
      c, {input}, init, initMap, [&](OpBuilder &b, Location loc, ValueRange v) {
        Value x = v[0];
        if (x.getType() != element) {
          bool wider = x.getType().getIntOrFloatBitWidth() <
                       element.getIntOrFloatBitWidth();
          x = wider ? Value(arith::ExtFOp::create(b, loc, element, x))
                    : Value(arith::TruncFOp::create(b, loc, element, x));
        }
        linalg::YieldOp::create(b, loc, x);
      });
  if (isRoot) {
    markRoot(c, generic);
  } else {
    generic->setAttr(kFixAttr, c.b.getUnitAttr());
  }
  return generic.getResult(0);
}

Value blockedRoot(BodyContext &c, const Epilogue &e, Value value,
                  RankedTensorType out, Value n, unsigned pixelDims) {
  ArrayRef<int64_t> s = out.getShape();
  SmallVector<int64_t> shape{s[0]};
  if (pixelDims == 1) {
    shape.push_back(c.part ? c.part->count : (n ? 1 : s[1]) * s[2] * s[3]);
  } else if (pixelDims == 2) {
    shape.append({s[2], s[3]});
  }
  shape.push_back(s[4]);
  unsigned rank = shape.size();
  Value init = c.empty(shape, out.getElementType());
  AffineMap identity = c.b.getMultiDimIdentityMap(rank);
  auto only = [&](ArrayRef<unsigned> dims) {
    SmallVector<AffineExpr> exprs;
    for (unsigned d : dims) {
      exprs.push_back(c.b.getAffineDimExpr(d));
    }
    return AffineMap::get(rank, 0, exprs, c.b.getContext());
  };
  auto image = [&](Value in) -> Value {
    if (pixelDims == 1) {
      return c.pixelsOf(in, n);
    }
    Value x = c.imageOf(in, n);
    return pixelDims == 2 ? x
                          : Value(tensor::CollapseShapeOp::create(
                                c.b, c.loc, x, groupsOf({{0}, {1, 2, 3}})));
  };
  return rootGeneric(c, e, init, identity, [&](OpOperand &o) -> MappedInput {
    linalg::GenericOp op = e.op;
    if (e.value && op.getMatchingBlockArgument(&o) == e.value) {
      return {value, identity};
    }
    if (o.get() == e.bias) {
      return {};
    }
    AffineMap map = op.getMatchingIndexingMap(&o);
    Value in = c.arg(o.get());
    if (map.isIdentity()) {
      return {image(in), identity};
    }
    if (map.getNumResults() == 0) {
      return {in, only({})};
    }
    if (map.getNumResults() == 1) { // channels
      auto blocks =
          RankedTensorType::get({s[0], s[4]}, typeOf(in).getElementType());
      Value v = tensor::ExpandShapeOp::create(c.b, c.loc, blocks, in,
                                              groupsOf({{0, 1}}));
      return {v, only({0, rank - 1})};
    }
    if (pixelDims == 2) {
      return {in, only({1, 2})};
    }
    return {c.planeOf(in), only({1})};
  });
}

} // namespace kiln::npu
