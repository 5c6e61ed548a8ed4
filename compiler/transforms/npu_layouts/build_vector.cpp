// SPDX-License-Identifier: Apache-2.0
#include "compiler/transforms/npu_layouts/body_context.h"

#include "compiler/dialect/npu/NpuOps.h"
#include "compiler/transforms/npu_schedule/tiling.h"

#include "mlir/Dialect/Linalg/Transforms/Transforms.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/IR/Matchers.h"

using namespace mlir;

namespace kiln::npu {

namespace {

//===- windows: pools and depthwise convolutions --------------------------===//

class WindowBuilder {
public:
  WindowBuilder(BodyContext &c)
      : c(c), e(epilogueOf(c.root, kNoBias)),
        out(imageType(cast<RankedTensorType>(c.logical.getResultTypes()[0]))) {
    ArrayRef<int64_t> w = typeOf(c.root->getOperand(1)).getShape();
    kernel.assign(w.end() - 2, w.end());
    stride = values("strides");
    dilation = values("dilations");
    depthwise = llvm::isa<linalg::DepthwiseConv2DNchwChwOp>(c.root);
  }

  LogicalResult run() {
    ArrayRef<int64_t> in = typeOf(c.arg(c.root->getOperand(0))).getShape();
    if (in[4] != out.getDimSize(4)) {
      return c.root->emitError("the result of a window has elements of another "
                               "size than its image");
    }
    bool pixel = out.getDimSize(2) == 1 && out.getDimSize(3) == 1;
    global = pixel && !depthwise && in[2] == kernel[0] && in[3] == kernel[1] &&
             !c.root->getOperand(0).getDefiningOp<tensor::PadOp>();
    unsigned dims = global ? 0 : 2;
    c.finish(c.forEachImage(out, dims, [&](Value image) -> Value {
      Value x = c.imageOf(c.arg(c.root->getOperand(0)), image);
      Value value = global ? reduceImage(x) : reduceWindows(padded(x));
      if (e.op) {
        return blockedRoot(c, e, value, out, image, dims);
      }
      value.getDefiningOp()->setAttr(kRootAttr, c.b.getUnitAttr());
      return value;
    }));
    return success();
  }

private:
  SmallVector<int64_t> values(StringRef name) {
    auto attr = c.root->getAttrOfType<DenseIntElementsAttr>(name);
    return SmallVector<int64_t>(attr.getValues<int64_t>());
  }

  Type accumulator() const {
    return typeOf(c.root->getResult(0)).getElementType();
  }

  Value start(ArrayRef<int64_t> shape) {
    auto fill = c.root->getOperand(2).getDefiningOp<linalg::FillOp>();
    FloatAttr attr;
    double value = 0;
    if (fill && matchPattern(fill.getInputs()[0], m_Constant(&attr))) {
      value = attr.getValue().convertToDouble();
    }
    return c.filled(shape, accumulator(), value);
  }

  /// The part of the image the windows reach, with its border.
  Value padded(Value x) {
    auto pad = c.root->getOperand(0).getDefiningOp<tensor::PadOp>();
    if (!pad) {
      return x;
    }
    ArrayRef<int64_t> s = typeOf(x).getShape();
    int64_t top = pad.getStaticLow()[2], left = pad.getStaticLow()[3];
    int64_t height = reach(0), width = reach(1);
    int64_t rows = std::min(s[1], height - top);
    int64_t columns = std::min(s[2], width - left);
    Type element = typeOf(x).getElementType();
    if (rows != s[1] || columns != s[2]) {
      SmallVector<OpFoldResult> zeros(4, c.b.getIndexAttr(0));
      SmallVector<OpFoldResult> ones(4, c.b.getIndexAttr(1));
      SmallVector<OpFoldResult> sizes{
          c.b.getIndexAttr(s[0]), c.b.getIndexAttr(rows),
          c.b.getIndexAttr(columns), c.b.getIndexAttr(s[3])};
      x = tensor::ExtractSliceOp::create(c.b, c.loc, x, zeros, sizes, ones);
    }
    Value init = c.empty({s[0], height, width, s[3]}, element);
    FloatAttr value;
    double border = 0;
    if (matchPattern(pad.getConstantPaddingValue(), m_Constant(&value))) {
      border = value.getValue().convertToDouble();
    }
    return PadOp::create(c.b, c.loc, TypeRange{init.getType()}, x, init,
                         c.index(top), c.index(left),
                         llvm::APFloat(static_cast<float>(border)))
        ->getResult(0);
  }

  int64_t reach(int i) const {
    return (out.getDimSize(2 + i) - 1) * stride[i] +
           (kernel[i] - 1) * dilation[i] + 1;
  }

  Value combine(OpBuilder &b, Location loc, ValueRange v) {
    auto wide = [&](Value x) -> Value {
      return x.getType() == accumulator()
                 ? x
                 : Value(arith::ExtFOp::create(b, loc, accumulator(), x));
    };
    if (llvm::isa<linalg::PoolingNchwMaxOp>(c.root)) {
      return arith::MaximumFOp::create(b, loc, v.back(), wide(v[0]));
    }
    Value x = wide(v[0]);
    if (depthwise) {
      x = arith::MulFOp::create(b, loc, x, wide(v[1]));
    }
    return arith::AddFOp::create(b, loc, v.back(), x);
  }

  Value reduce(ValueRange inputs, Value init, ArrayRef<AffineMap> maps,
               unsigned parallel) {
    SmallVector<utils::IteratorType> loops(parallel + 2,
                                           utils::IteratorType::parallel);
    loops[parallel] = loops[parallel + 1] = utils::IteratorType::reduction;
    return linalg::GenericOp::create(
               c.b, c.loc, init.getType(), inputs, init, maps, loops,
               [&](OpBuilder &b, Location loc, ValueRange v) {
                 linalg::YieldOp::create(b, loc, combine(b, loc, v));
               })
        .getResult(0);
  }

  AffineMap map(unsigned dims, ArrayRef<AffineExpr> exprs) {
    return AffineMap::get(dims, 0, exprs, c.b.getContext());
  }
  AffineExpr d(unsigned i) { return c.b.getAffineDimExpr(i); }

  /// The image in the accumulator's type: one command for all of it.
  Value widened(Value x) {
    if (typeOf(x).getElementType() == accumulator()) {
      return x;
    }
    AffineMap identity = c.b.getMultiDimIdentityMap(typeOf(x).getRank());
    SmallVector<utils::IteratorType> loops(identity.getNumDims(),
                                           utils::IteratorType::parallel);
    Value init = c.empty(typeOf(x).getShape(), accumulator());
    return linalg::GenericOp::create(
               c.b, c.loc, init.getType(), x, init,
               ArrayRef<AffineMap>{identity, identity}, loops,
               [&](OpBuilder &b, Location loc, ValueRange v) {
                 linalg::YieldOp::create(
                     b, loc,
                     Value(arith::ExtFOp::create(b, loc, accumulator(), v[0])));
               })
        .getResult(0);
  }

  Value reduceImage(Value image) {
    Value x = widened(image);
    ArrayRef<int64_t> s = typeOf(x).getShape();
    // loops (c1, c0, h, w)
    return reduce({x}, start({s[0], s[3]}),
                  {map(4, {d(0), d(2), d(3), d(1)}), map(4, {d(0), d(1)})}, 2);
  }

  Value reduceWindows(Value x) {
    ArrayRef<int64_t> s = out.getShape();
    // loops (c1, oh, ow, c0, kh, kw)
    AffineMap image = map(6, {d(0), d(1) * stride[0] + d(4) * dilation[0],
                              d(2) * stride[1] + d(5) * dilation[1], d(3)});
    AffineMap result = map(6, {d(0), d(1), d(2), d(3)});
    Value init = start({s[0], s[2], s[3], s[4]});
    if (depthwise) {
      Value w = c.arg(c.root->getOperand(1));
      return reduce({x, w}, init,
                    {image, map(6, {d(0), d(4), d(5), d(3)}), result}, 4);
    }
    Value window = c.empty(kernel, c.b.getF32Type());
    return reduce({x, window}, init, {image, map(6, {d(4), d(5)}), result}, 4);
  }

  BodyContext &c;
  Epilogue e;
  RankedTensorType out;
  SmallVector<int64_t> kernel, stride, dilation;
  bool depthwise = false, global = false;
};

//===- data movement ------------------------------------------------------===//

/// Boxes of one result, each a root of its own. They do not overlap, so that
/// cores may work on all of them in any order.
class PieceBuilder {
  BodyContext &c;
  int64_t count = 0;

public:
  PieceBuilder(BodyContext &c, ArrayRef<int64_t> shape, Type element)
      : c(c), result(c.empty(shape, element)) {}

  void fill(Value scalar, ArrayRef<int64_t> shape, ArrayRef<int64_t> at) {
    Value box = c.empty(shape, typeOf(result).getElementType());
    insert(linalg::FillOp::create(c.b, c.loc, scalar, box).getResult(0), at);
  }

  void add(Value source, ArrayRef<int64_t> at) {
    Value box =
        c.empty(typeOf(source).getShape(), typeOf(source).getElementType());
    AffineMap identity = c.b.getMultiDimIdentityMap(at.size());
    insert(convertGeneric(c, {source, identity}, box, identity, true), at);
  }

  Value result;

private:
  void insert(Value piece, ArrayRef<int64_t> at) {
    SmallVector<OpFoldResult> offsets, sizes, ones;
    for (auto [size, offset] : llvm::zip_equal(typeOf(piece).getShape(), at)) {
      offsets.push_back(c.b.getIndexAttr(offset));
      sizes.push_back(c.b.getIndexAttr(size));
      ones.push_back(c.b.getIndexAttr(1));
    }
    result = tensor::InsertSliceOp::create(c.b, c.loc, mark(piece), result,
                                           offsets, sizes, ones);
  }
  Value mark(Value v) {
    v.getDefiningOp()->setAttr(kRootAttr, c.b.getI64IntegerAttr(count++));
    return v;
  }
};

int64_t productOf(ArrayRef<int64_t> shape) {
  int64_t count = 1;
  for (int64_t size : shape) {
    count *= size;
  }
  return count;
}

/// [outer, inner] of a tensor split at `axis`.
Value asMatrix(BodyContext &c, Value v, int64_t axis) {
  int64_t rank = typeOf(v).getRank();
  ReassociationIndices outer, inner;
  for (int64_t i = 0; i < rank; ++i) {
    (i < axis ? outer : inner).push_back(i);
  }
  if (rank == 1) {
    return v;
  }
  SmallVector<ReassociationIndices> groups;
  if (axis > 0) {
    groups.push_back(outer);
  }
  groups.push_back(inner);
  if (static_cast<int64_t>(groups.size()) == rank) {
    return v;
  }
  return tensor::CollapseShapeOp::create(c.b, c.loc, v, groups);
}

Value buildConcat(BodyContext &c, tensor::ConcatOp op) {
  auto type = op.getResultType();
  int64_t axis = op.getDim();
  ArrayRef<int64_t> s = type.getShape();
  int64_t outer = productOf(s.take_front(axis));
  int64_t inner = productOf(s.drop_front(axis));
  SmallVector<int64_t> shape{inner};
  if (axis > 0) {
    shape.insert(shape.begin(), outer);
  }
  PieceBuilder pieces(c, shape, type.getElementType());
  int64_t at = 0;
  for (Value input : op.getInputs()) {
    Value matrix = asMatrix(c, c.arg(input), axis);
    SmallVector<int64_t> offset(shape.size(), 0);
    offset.back() = at;
    pieces.add(matrix, offset);
    at += typeOf(matrix).getShape().back();
  }
  if (pieces.result.getType() == type) {
    return pieces.result;
  }
  SmallVector<ReassociationIndices> groups(axis > 0 ? 2 : 1);
  for (int64_t i = 0; i < type.getRank(); ++i) {
    groups[axis > 0 && i >= axis ? 1 : 0].push_back(i);
  }
  return tensor::ExpandShapeOp::create(c.b, c.loc, type, pieces.result, groups);
}

FailureOr<Value> buildPad(BodyContext &c, tensor::PadOp op) {
  auto type = op.getResultType();
  Value scalar = op.getConstantPaddingValue();
  if (!scalar) {
    return op.emitError("pads with a value that is no constant");
  }
  PieceBuilder pieces(c, type.getShape(), type.getElementType());
  Value value = c.b.clone(*scalar.getDefiningOp())->getResult(0);
  // The border, dimension by dimension: what is left is inside the former.
  SmallVector<int64_t> at(type.getRank(), 0), size(type.getShape());
  for (int64_t d = 0; d < type.getRank(); ++d) {
    int64_t low = op.getStaticLow()[d], high = op.getStaticHigh()[d];
    for (auto [offset, extent] :
         {std::pair(at[d], low), std::pair(at[d] + size[d] - high, high)}) {
      if (extent > 0) {
        SmallVector<int64_t> boxAt(at), boxSize(size);
        boxAt[d] = offset;
        boxSize[d] = extent;
        pieces.fill(value, boxSize, boxAt);
      }
    }
    at[d] += low;
    size[d] -= low + high;
  }
  pieces.add(c.arg(op.getSource()), op.getStaticLow());
  return pieces.result;
}

Value buildSlice(BodyContext &c, tensor::ExtractSliceOp op) {
  IRMapping map;
  map.map(op.getSource(), c.arg(op.getSource()));
  Value slice = c.b.clone(*op, map)->getResult(0);
  AffineMap identity = c.b.getMultiDimIdentityMap(typeOf(slice).getRank());
  Value init =
      c.empty(typeOf(slice).getShape(), typeOf(slice).getElementType());
  return convertGeneric(c, {slice, identity}, init, identity, true);
}

/// The logical body as it is, named operations as generics.
LogicalResult cloneBody(BodyContext &c, Value result) {
  IRMapping map;
  for (auto [from, to] :
       llvm::zip_equal(c.logical.getArguments(), c.physical.getArguments())) {
    map.map(from, to);
  }
  for (Operation &op : c.logical.getBody().front().without_terminator()) {
    c.b.clone(op, map);
  }
  IRRewriter rewriter(c.b.getContext());
  Value out = map.lookup(result);
  SmallVector<linalg::LinalgOp> named;
  for (Operation &op : c.physical.getBody().front()) {
    auto linalgOp = dyn_cast<linalg::LinalgOp>(op);
    if (linalgOp && !llvm::isa<linalg::GenericOp, linalg::FillOp>(op)) {
      named.push_back(linalgOp);
    }
  }
  for (linalg::LinalgOp op : named) {
    bool isResult = op->getResult(0) == out;
    rewriter.setInsertionPoint(op);
    FailureOr<linalg::GenericOp> generic =
        linalg::generalizeNamedOp(rewriter, op);
    if (failed(generic)) {
      return op.emitError("cannot be generalised");
    }
    out = isResult ? generic->getResult(0) : out;
  }
  Operation *root = out.getDefiningOp();
  if (!root || !llvm::isa<linalg::LinalgOp>(root)) {
    return c.logical.emitError("the dispatch has no root that V can run");
  }
  root->setAttr(kRootAttr, c.b.getUnitAttr());
  c.b.setInsertionPointToEnd(&c.physical.getBody().front());
  c.finish(out);
  return success();
}

} // namespace

LogicalResult buildWindow(BodyContext &c) { return WindowBuilder(c).run(); }

LogicalResult buildBlockedElementwise(BodyContext &c) {
  Epilogue e;
  e.op = cast<linalg::GenericOp>(c.root);
  auto out = imageType(cast<RankedTensorType>(c.logical.getResultTypes()[0]));
  Value pixels = blockedRoot(c, e, {}, out, {}, 1);
  c.finish(tensor::ExpandShapeOp::create(c.b, c.loc, out, pixels,
                                         groupsOf({{0}, {1, 2, 3}, {4}})));
  return success();
}

LogicalResult buildPlain(BodyContext &c) {
  Value result = c.logical.getBody().front().getTerminator()->getOperand(0);
  Operation *def = result.getDefiningOp();
  if (def) {
    c.loc = def->getLoc();
  }
  if (auto concat = dyn_cast_or_null<tensor::ConcatOp>(def)) {
    c.finish(buildConcat(c, concat));
    return success();
  }
  if (auto pad = dyn_cast_or_null<tensor::PadOp>(def)) {
    FailureOr<Value> padded = buildPad(c, pad);
    if (failed(padded)) {
      return failure();
    }
    c.finish(*padded);
    return success();
  }
  if (auto slice = dyn_cast_or_null<tensor::ExtractSliceOp>(def)) {
    c.finish(buildSlice(c, slice));
    return success();
  }
  return cloneBody(c, result);
}

} // namespace kiln::npu
