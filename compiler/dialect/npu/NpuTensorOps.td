// SPDX-License-Identifier: Apache-2.0
//
// Tensor level of the npu dialect: what scheduling works on.
//
// A contraction stays a logical 2-D linalg.matmul; physical layouts hide behind
// the destination-style operations below, so exact m, n and k stay tensor sizes
// all the way to the command:
//
//   %a = npu.im2col %x pad_top %c1 from [%c0, %c0] into %ea {..}
//          : tensor<4x56x56x16xf16> -> tensor<3136x576xf16>
//   %b = npu.unpack %w into %eb {kind = "columns"}
//          : tensor<36x64x16xf16> -> tensor<576x64xf16>
//   %c = linalg.matmul ins(%a, %b) outs(%bias) -> tensor<3136x64xf32>
//
// Layouts. C0 is the number of elements in 32 bytes.
//   image   [C1, H, W, C0]   channels in blocks
//   columns [K1, X, C0]      the matrix [K, X] in blocks of C0 rows; FRACTAL_Z
//                            weights are this with X rounded up to 16
//   rows    [K1, X, C0]      the same bytes read as the matrix [X, K] (NZ)
//
// Every operation tiles over the dimensions of its result and works on tensors
// and, after bufferisation, on memrefs; the memory spaces of the memrefs decide
// which command it becomes. Padding lanes of a blocked result are undefined
// unless the operation says otherwise.
#ifndef KILN_COMPILER_DIALECT_NPU_NPUTENSOROPS_TD
#define KILN_COMPILER_DIALECT_NPU_NPUTENSOROPS_TD

include "compiler/dialect/npu/NpuBase.td"
include "mlir/Dialect/Bufferization/IR/BufferizableOpInterface.td"
include "mlir/Interfaces/DestinationStyleOpInterface.td"
include "mlir/Interfaces/InferTypeOpInterface.td"
include "mlir/Interfaces/SideEffectInterfaces.td"
include "mlir/Interfaces/TilingInterface.td"

/// A move: operand 0 is read, `init` is overwritten whole. An operation says
/// only which slice of the source a tile needs (getTiledImplementation).
class NPU_TileableMove<string mnemonic> : NPU_Op<mnemonic, [
    DestinationStyleOpInterface,
    DeclareOpInterfaceMethods<MemoryEffectsOpInterface>,
    DeclareOpInterfaceMethods<ConditionallySpeculatable>,
    DeclareOpInterfaceMethods<ReifyRankedShapedTypeOpInterface,
      ["reifyResultShapes"]>,
    DeclareOpInterfaceMethods<BufferizableOpInterface,
      ["bufferizesToMemoryRead", "bufferizesToMemoryWrite",
       "getAliasingValues", "bufferize"]>,
    DeclareOpInterfaceMethods<TilingInterface,
      ["getLoopIteratorTypes", "getIterationDomain", "getTiledImplementation",
       "getResultTilePosition", "generateResultTileValue",
       "getIterationDomainTileFromResultTile"]>]> {
  let results = (outs Variadic<AnyRankedTensor>:$result);
  let hasVerifier = 1;
  let extraClassDeclaration = [{
    ::mlir::MutableOperandRange getDpsInitsMutable() {
      return getInitMutable();
    }
  }];
  let extraClassDefinition = [{
    void $cppClass::getEffects(
        SmallVectorImpl<SideEffects::EffectInstance<MemoryEffects::Effect>>
            &effects) {
      moveEffects(getSourceMutable(), getInitMutable(), effects);
    }
    Speculation::Speculatability $cppClass::getSpeculatability() {
      return moveSpeculatability(getOperation());
    }
    LogicalResult $cppClass::reifyResultShapes(
        OpBuilder &b, ReifiedRankedShapedTypeDims &shapes) {
      return moveShapes(b, getLoc(), getInit(), shapes);
    }
    bool $cppClass::bufferizesToMemoryRead(
        OpOperand &o, const bufferization::AnalysisState &) {
      return !isDpsInit(&o);
    }
    bool $cppClass::bufferizesToMemoryWrite(
        OpOperand &o, const bufferization::AnalysisState &) {
      return isDpsInit(&o);
    }
    bufferization::AliasingValueList $cppClass::getAliasingValues(
        OpOperand &o, const bufferization::AnalysisState &) {
      return moveAliases(getOperation(), o);
    }
    LogicalResult $cppClass::bufferize(
        RewriterBase &rewriter,
        const bufferization::BufferizationOptions &options,
        bufferization::BufferizationState &state) {
      return moveBufferize(getOperation(), rewriter, options, state);
    }
    SmallVector<utils::IteratorType> $cppClass::getLoopIteratorTypes() {
      return moveLoops(getInit());
    }
    SmallVector<Range> $cppClass::getIterationDomain(OpBuilder &b) {
      return moveDomain(b, getLoc(), getInit());
    }
    LogicalResult $cppClass::getResultTilePosition(
        OpBuilder &, unsigned, ArrayRef<OpFoldResult> offsets,
        ArrayRef<OpFoldResult> sizes, SmallVector<OpFoldResult> &resultOffsets,
        SmallVector<OpFoldResult> &resultSizes) {
      resultOffsets.assign(offsets.begin(), offsets.end());
      resultSizes.assign(sizes.begin(), sizes.end());
      return success();
    }
    FailureOr<TilingResult> $cppClass::generateResultTileValue(
        OpBuilder &b, unsigned, ArrayRef<OpFoldResult> offsets,
        ArrayRef<OpFoldResult> sizes) {
      return getTiledImplementation(b, offsets, sizes);
    }
    LogicalResult $cppClass::getIterationDomainTileFromResultTile(
        OpBuilder &, unsigned, ArrayRef<OpFoldResult> offsets,
        ArrayRef<OpFoldResult> sizes,
        SmallVectorImpl<OpFoldResult> &domainOffsets,
        SmallVectorImpl<OpFoldResult> &domainSizes) {
      domainOffsets.assign(offsets.begin(), offsets.end());
      domainSizes.assign(sizes.begin(), sizes.end());
      return success();
    }
  }];
}

def NPU_Im2colOp : NPU_TileableMove<"im2col"> {
  let summary = "patch matrix [M, K] of an image [C1, H, W, C0]";
  let description = [{
    Row m_start + i is the output pixel (oh, ow) = divmod(m_start + i, ow of the
    attribute), column k_start + j the tap ((c1*KH + kh)*KW + kw)*C0 + c0. Taps
    outside the image and channels >= c_valid read as 0.

    A tile is made in one of two ways. With `by_rows` (row offset and size are
    multiples of `ow`; the schedule sets it before core and L1 tiles) the image
    is sliced to the rows the tile needs, and `pad_top` shrinks accordingly; the
    bottom padding is implied by the slice's height. Without, the image stays and
    m_start and k_start move: exactly the command's fields. With `by_channels`
    (column offset and size are multiples of KH*KW*C0; set before an L1 tile of
    k) the image is sliced to those channel blocks; `c1_from` counts the blocks
    in front of the slice.
  }];
  let arguments = (ins AnyShaped:$source, AnyShaped:$init, Index:$pad_top,
    Index:$m_start, Index:$k_start, Optional<Index>:$c1_from, I64Attr:$ow,
    DenseI64ArrayAttr:$kernel, DenseI64ArrayAttr:$stride,
    DenseI64ArrayAttr:$dilation, I64Attr:$pad_left, I64Attr:$c_valid,
    UnitAttr:$by_rows, UnitAttr:$by_channels);
  let builders = [OpBuilder<(ins "::mlir::TypeRange":$types,
      "::mlir::Value":$source, "::mlir::Value":$init,
      "::mlir::Value":$pad_top, "::mlir::Value":$m_start,
      "::mlir::Value":$k_start, "int64_t":$ow,
      "::llvm::ArrayRef<int64_t>":$kernel, "::llvm::ArrayRef<int64_t>":$stride,
      "::llvm::ArrayRef<int64_t>":$dilation, "int64_t":$pad_left,
      "int64_t":$c_valid), [{
    build($_builder, $_state, types, source, init, pad_top, m_start, k_start,
          /*c1_from=*/::mlir::Value(), ow, kernel, stride, dilation, pad_left,
          c_valid, /*by_rows=*/false, /*by_channels=*/false);
  }]>];
  let assemblyFormat = [{
    $source `pad_top` $pad_top `from` `[` $m_start `,` $k_start `]`
    (`c1_from` $c1_from^)? `into` $init attr-dict `:` type($source) `,` type($init) (`->` type($result)^)?
  }];
}

def NPU_UnpackOp : NPU_TileableMove<"unpack"> {
  let summary = "matrix from its blocks of C0 rows or columns";
  let description = [{
    source [B1, X, C0]; kind "rows": result [X, B] with (x, b) = source[b / C0,
    x, b % C0]; kind "columns": result [B, X]. B and X may be smaller than the
    blocks hold. Tile offsets in B are multiples of C0 (and in X of 16 once the
    source is in L1); sizes may be tails.
  }];
  let arguments = (ins AnyShaped:$source, AnyShaped:$init, StrAttr:$kind);
  let assemblyFormat = [{
    $source `into` $init attr-dict
    `:` type($source) `,` type($init) (`->` type($result)^)?
  }];
}

def NPU_PackOp : NPU_TileableMove<"pack"> {
  let summary = "matrix [R, C] to column blocks [C1, R, C0]";
  let description = [{
    GM -> L1 this is ld.nz. Lanes beyond C are undefined.
  }];
  let arguments = (ins AnyShaped:$source, AnyShaped:$init);
  let assemblyFormat = [{
    $source `into` $init attr-dict
    `:` type($source) `,` type($init) (`->` type($result)^)?
  }];
}

def NPU_BlockOp : NPU_TileableMove<"block"> {
  let summary = "planar [C, X] to channel blocks [C1, X, C0]";
  let description = [{
    Lanes beyond C are 0. In UB this is vtr.in, one command per block.
  }];
  let arguments = (ins AnyShaped:$source, AnyShaped:$init);
  let assemblyFormat = [{
    $source `into` $init attr-dict
    `:` type($source) `,` type($init) (`->` type($result)^)?
  }];
}

def NPU_UnblockOp : NPU_TileableMove<"unblock"> {
  let summary = "channel blocks [C1, X, C0] to planar [C, X]";
  let description = [{
    C may be smaller than C1*C0. Tile offsets in C are multiples of C0. In UB
    this is vtr.out.
  }];
  let arguments = (ins AnyShaped:$source, AnyShaped:$init);
  let assemblyFormat = [{
    $source `into` $init attr-dict
    `:` type($source) `,` type($init) (`->` type($result)^)?
  }];
}

def NPU_PadOp : NPU_TileableMove<"pad"> {
  let summary = "image with a border, [C1, H, W, C0] to [C1, H', W', C0]";
  let description = [{
    result(c, h, w, l) = source(c, h - pad_top, w - pad_left, l) where that
    exists, else `value`. Lanes stay whole; a tile slices the image to what it
    holds of it (maybe nothing), and its pads shrink accordingly.
  }];
  let arguments = (ins AnyShaped:$source, AnyShaped:$init, Index:$pad_top,
    Index:$pad_left, F32Attr:$value);
  let assemblyFormat = [{
    $source `pad_top` $pad_top `pad_left` $pad_left `into` $init attr-dict
    `:` type($source) `,` type($init) (`->` type($result)^)?
  }];
}

def NPU_AllocTileOp : NPU_Op<"alloc_tile", [
    DeclareOpInterfaceMethods<BufferizableOpInterface,
      ["bufferizesToAllocation", "resultBufferizesToMemoryWrite", "bufferize",
       "getBufferType"]>]> {
  let summary = "a tile's place in a local memory space";
  let description = [{
    Static capacity; tails use a slice of it. Becomes npu.alloc, in the loop
    where it stands. `depth` tiles are in flight.

        %t = npu.alloc_tile "image" in 1 depth 2 : tensor<4x10x56x16xf16>
  }];
  let arguments = (ins StrAttr:$name, I64Attr:$space, I64Attr:$depth);
  let results = (outs AnyStaticShapeTensor:$result);
  let assemblyFormat = [{
    $name `in` $space `depth` $depth attr-dict `:` type($result)
  }];
}

#endif // KILN_COMPILER_DIALECT_NPU_NPUTENSOROPS_TD
