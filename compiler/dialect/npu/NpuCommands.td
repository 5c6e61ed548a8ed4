// SPDX-License-Identifier: Apache-2.0
//
// Memref level of the npu dialect: one op per instruction family. The operand
// convention stands in NpuBase.td; meaning and limits of the instructions in
// isa/spec.
#ifndef KILN_COMPILER_DIALECT_NPU_NPUCOMMANDS_TD
#define KILN_COMPILER_DIALECT_NPU_NPUCOMMANDS_TD

include "compiler/dialect/npu/NpuBase.td"
include "compiler/dialect/npu/NpuInterfaces.td"
include "mlir/Interfaces/InferTypeOpInterface.td"
include "mlir/Interfaces/SideEffectInterfaces.td"

/// A command of a pipe. Memory effects follow from getAccesses().
class NPU_Command<string mnemonic, list<Trait> traits = []>
    : NPU_Op<mnemonic, traits # [
        DeclareOpInterfaceMethods<PipeOpInterface>,
        DeclareOpInterfaceMethods<MemoryEffectsOpInterface>]> {
  let hasVerifier = 1;
}

/// {row stride, block stride} of a local view, in 32-byte blocks. Element
/// (r, e) lies at offset + 32*(r*row + (e / epb)*blk) + size*(e % epb), with
/// epb elements per 32-byte block. A source with row stride 0 is a broadcast.
defvar NPU_Strides = DenseI64ArrayAttr;

//===----------------------------------------------------------------------===//
// Buffers and the launch
//===----------------------------------------------------------------------===//

def NPU_AllocOp : NPU_Op<"alloc", [
    DeclareOpInterfaceMethods<MemoryEffectsOpInterface>]> {
  let summary = "a buffer in a local memory space";
  let description = [{
    Static capacity; the space is that of the memref type. `depth` is the number
    of slots that take turns (see NpuBase.td). npu-plan-local-memory fills
    `address` (bytes, of slot 0) and, for a depth above 1, the operand `slot`
    (0 to depth - 1; slot s lies at address + s * slotPitch()). `pitch` is given
    where slots lie further apart than their localBytes(type).

        %x = npu.alloc "x" {depth = 2} : memref<4x128xf16, 5>
  }];
  let arguments = (ins Optional<Index>:$slot, StrAttr:$name,
    DefaultValuedAttr<ConfinedAttr<I64Attr, [IntPositive]>, "1">:$depth,
    OptionalAttr<ConfinedAttr<I64Attr, [IntNonNegative]>>:$address,
    OptionalAttr<ConfinedAttr<I64Attr, [IntPositive]>>:$pitch);
  let results = (outs AnyStaticShapeMemRef:$buffer);
  let assemblyFormat = [{
    $name (`slot` $slot^)? attr-dict `:` type($buffer)
  }];
  let builders = [OpBuilder<(ins "::mlir::MemRefType":$type,
      "::llvm::StringRef":$name, CArg<"int64_t", "1">:$depth)>];
  let extraClassDeclaration = [{
    /// Bytes from one slot to the next.
    int64_t slotPitch();
    /// Bytes from the begin of the first slot to the end of the last one.
    int64_t extent();
  }];
  let hasVerifier = 1;
}

def NPU_BlockIndexOp : NPU_Op<"block_index", [Pure]> {
  let summary = "index of the block of the launch that this core runs";
  let results = (outs Index:$result);
  let assemblyFormat = "attr-dict";
}

def NPU_BlockCountOp : NPU_Op<"block_count", [Pure]> {
  let summary = "number of blocks of the launch";
  let results = (outs Index:$result);
  let assemblyFormat = "attr-dict";
}

//===----------------------------------------------------------------------===//
// MTE2: GM to L1 and UB
//===----------------------------------------------------------------------===//

def NPU_LoadOp : NPU_Command<"load"> {
  let summary = "GM -> UB or L1 (ld.ub, ld.l1)";
  let description = [{
    Row r of `row_bytes` bytes goes from src + r*gm_stride to the local view.
    The rest of a row's last 32-byte block is filled with `pad`, a 32-bit pattern
    repeated from the block's start.
  }];
  let arguments = (ins AnyMemRef:$dst, Index:$dst_offset, AnyMemRef:$src,
    Index:$src_offset, Index:$rows, Index:$row_bytes, Index:$gm_stride,
    NPU_Strides:$dst_strides, DefaultValuedAttr<I32Attr, "0">:$pad);
  let assemblyFormat = [{
    $dst `[` $dst_offset `]` `,` $src `[` $src_offset `]` `rows` $rows
    `row_bytes` $row_bytes `gm_stride` $gm_stride attr-dict
    `:` type($dst) `,` type($src)
  }];
}

def NPU_LoadNzOp : NPU_Command<"load_nz"> {
  let summary = "GM row-major -> L1 column blocks (ld.nz)";
  let description = [{
    Byte c of row r goes to dst + 32*((c/32)*col_stride + r) + c%32; col_stride
    is in 32-byte blocks (the number of rows the buffer holds). The rest of a
    row's last block is filled with `pad`.
  }];
  let arguments = (ins AnyMemRef:$dst, Index:$dst_offset, AnyMemRef:$src,
    Index:$src_offset, Index:$rows, Index:$row_bytes, Index:$gm_stride,
    I64Attr:$col_stride, DefaultValuedAttr<I32Attr, "0">:$pad);
  let assemblyFormat = [{
    $dst `[` $dst_offset `]` `,` $src `[` $src_offset `]` `rows` $rows
    `row_bytes` $row_bytes `gm_stride` $gm_stride attr-dict
    `:` type($dst) `,` type($src)
  }];
}

//===----------------------------------------------------------------------===//
// MTE3: UB to GM and L1
//===----------------------------------------------------------------------===//

def NPU_StoreOp : NPU_Command<"store"> {
  let summary = "UB -> GM (st.ub)";
  let description = [{
    Row r of the local view goes to dst + r*gm_stride, exactly `row_bytes` bytes.
    With another `mode` every element of GM is updated by that of src instead,
    in one piece with respect to other cores.
  }];
  let arguments = (ins AnyMemRef:$dst, Index:$dst_offset, AnyMemRef:$src,
    Index:$src_offset, Index:$rows, Index:$row_bytes, Index:$gm_stride,
    NPU_Strides:$src_strides,
    DefaultValuedAttr<NPU_StoreModeAttr,
      "::kiln::npu::StoreMode::store">:$mode);
  let assemblyFormat = [{
    $dst `[` $dst_offset `]` `,` $src `[` $src_offset `]` `rows` $rows
    `row_bytes` $row_bytes `gm_stride` $gm_stride attr-dict
    `:` type($dst) `,` type($src)
  }];
}

def NPU_MoveL1Op : NPU_Command<"move_l1"> {
  let summary = "UB -> L1 in blocks of 32 bytes (st.l1)";
  let description = [{
    Block b of row r moves from src + 32*(r*row + b*blk) to the same formula of
    dst with its own strides: row-major to column blocks and back.
  }];
  let arguments = (ins AnyMemRef:$dst, Index:$dst_offset, AnyMemRef:$src,
    Index:$src_offset, Index:$rows, Index:$row_blocks,
    NPU_Strides:$dst_strides, NPU_Strides:$src_strides);
  let assemblyFormat = [{
    $dst `[` $dst_offset `]` `,` $src `[` $src_offset `]` `rows` $rows
    `row_blocks` $row_blocks attr-dict `:` type($dst) `,` type($src)
  }];
}

//===----------------------------------------------------------------------===//
// MTE1: L1 to L0A, L0B, BT
//===----------------------------------------------------------------------===//

def NPU_LoadL0Op : NPU_Command<"load_l0"> {
  let summary = "L1 -> L0A or L0B in fractals of 512 bytes (cp.l0a, cp.l0b)";
  let description = [{
    Fractal (o, i) moves from src + 512*(o*outer_stride + i*inner_stride) to
    dst + 512*(o*inner + i); `transpose` transposes each fractal (16-bit
    elements). For L0A outer is m/16 and inner k/C0, for L0B outer is k/C0 and
    inner n/16.
  }];
  let arguments = (ins AnyMemRef:$dst, Index:$dst_offset, AnyMemRef:$src,
    Index:$src_offset, Index:$outer, Index:$inner,
    I64Attr:$outer_stride, I64Attr:$inner_stride, UnitAttr:$transpose);
  let assemblyFormat = [{
    $dst `[` $dst_offset `]` `,` $src `[` $src_offset `]` `outer` $outer
    `inner` $inner attr-dict `:` type($dst) `,` type($src)
  }];
}

def NPU_LoadIm2colOp : NPU_Command<"load_im2col"> {
  let summary = "L1 image -> L0A patches (im2col)";
  let description = [{
    Writes ceil(m_count/16) x k1_count fractals of the patch matrix of the image
    slice src = [c1][height][width][C0], rows from m_start (m = oh*out_width + ow
    within the slice) and column blocks from k1_start (k1 = (c1*KH + kh)*KW + kw).
    Positions outside the image, channels >= c_valid of the last c1 block and
    rows of the m tail read as `pad`.

    `height` and `pad_top` change per row tile and are values; c1_stride is the
    distance of c1 planes in 32-byte blocks (the buffer's capacity). `channels`,
    where the image is cut in C1, takes the place of c1 and c_valid_last.

    With `images` above 1, m = (n*out_height + oh)*out_width + ow runs over images
    that lie image_stride 32-byte blocks apart. With `c04` pixels hold four
    channels and a column block C0/4 neighbouring taps of a kernel row:
    k1 = kh*ceil(KW*4/C0) + kw*4/C0; c1 is 1, c_valid_last at most 4.
  }];
  let arguments = (ins AnyMemRef:$dst, Index:$dst_offset, AnyMemRef:$src,
    Index:$src_offset, Index:$m_start, Index:$m_count, Index:$k1_start,
    Index:$k1_count, Index:$height, Index:$pad_top, Optional<Index>:$channels,
    I64Attr:$width,
    I64Attr:$out_width, I64Attr:$pad_left, DenseI64ArrayAttr:$kernel,
    DenseI64ArrayAttr:$stride, DenseI64ArrayAttr:$dilation, I64Attr:$c1,
    I64Attr:$c1_stride, I64Attr:$c_valid_last,
    DefaultValuedAttr<I64Attr, "0">:$pad,
    DefaultValuedAttr<I64Attr, "1">:$images,
    DefaultValuedAttr<I64Attr, "0">:$image_stride,
    DefaultValuedAttr<I64Attr, "0">:$out_height, UnitAttr:$c04);
  let assemblyFormat = [{
    $dst `[` $dst_offset `]` `,` $src `[` $src_offset `]` `m` $m_start `,`
    $m_count `k1` $k1_start `,` $k1_count `height` $height `pad_top` $pad_top
    (`channels` $channels^)? attr-dict `:` type($dst) `,` type($src)
  }];
}

def NPU_LoadBiasOp : NPU_Command<"load_bias"> {
  let summary = "L1 -> bias table (cp.bt)";
  let arguments = (ins AnyMemRef:$dst, Index:$dst_offset, AnyMemRef:$src,
    Index:$src_offset, Index:$bytes);
  let assemblyFormat = [{
    $dst `[` $dst_offset `]` `,` $src `[` $src_offset `]` `bytes` $bytes
    attr-dict `:` type($dst) `,` type($src)
  }];
}

//===----------------------------------------------------------------------===//
// M and FIX
//===----------------------------------------------------------------------===//

def NPU_MmadOp : NPU_Command<"mmad", [AttrSizedOperandSegments]> {
  let summary = "L0C = or += L0A x L0B (mmad)";
  let description = [{
    mode 0: C = A*B; 1: C += A*B; 2: C = bias[n] + A*B (needs `bias`). The mode is
    a value: a k loop carries it as an iter_arg whose first value is the init
    mode and whose next is 1. Row pitch of C is ceil(m/16) cells; A holds
    ceil(m/16) x ceil(k/C0) fractals, B ceil(k/C0) x ceil(n/16).
  }];
  let arguments = (ins AnyMemRef:$acc, Index:$acc_offset, AnyMemRef:$a,
    Index:$a_offset, AnyMemRef:$b, Index:$b_offset,
    Optional<AnyMemRef>:$bias, Optional<Index>:$bias_offset,
    Index:$m, Index:$n, Index:$k, Index:$mode);
  let assemblyFormat = [{
    $acc `[` $acc_offset `]` `,` $a `[` $a_offset `]` `,` $b `[` $b_offset `]`
    (`bias` $bias^ `[` $bias_offset `]` `:` type($bias))?
    `m` $m `n` $n `k` $k `mode` $mode attr-dict
    `:` type($acc) `,` type($a) `,` type($b)
  }];
}

def NPU_FixOp : NPU_Command<"fix", [AttrSizedOperandSegments]> {
  let summary = "L0C -> GM, UB or L1 with scale, activation, cast (fix.*)";
  let description = [{
    Element (m, n) goes to dst + (n / C0)*c1_stride + m*m_pitch + (n % C0)*size
    with C0 and size of dst's element type: one formula for NC1HWC0, column
    blocks and row-major (row-major: c1_stride = 32). Strides in bytes. `m1` is
    the row pitch of the accumulator in cells: ceil(m/16) of the mmad that wrote
    it. `scale`, or the factor of column n in `scales` (f32, in BT), multiplies
    before the activation. `parameter` is the slope of leaky or the bound of
    clip; prelu takes the slope of column n from `slopes`. `zero_point` is added
    after the rounding to an 8-bit type.
  }];
  let arguments = (ins AnyMemRef:$dst, Index:$dst_offset, AnyMemRef:$src,
    Index:$src_offset, Index:$m, Index:$n, Index:$m1, Index:$c1_stride,
    Index:$m_pitch, Optional<AnyMemRef>:$scales,
    Optional<Index>:$scales_offset, Optional<AnyMemRef>:$slopes,
    Optional<Index>:$slopes_offset,
    DefaultValuedAttr<NPU_ActivationAttr,
      "::kiln::npu::ActivationKind::none">:$activation,
    OptionalAttr<F32Attr>:$scale, OptionalAttr<F32Attr>:$parameter,
    DefaultValuedAttr<I64Attr, "0">:$zero_point);
  let assemblyFormat = [{
    $dst `[` $dst_offset `]` `,` $src `[` $src_offset `]` `m` $m `n` $n
    `m1` $m1 `c1_stride` $c1_stride `m_pitch` $m_pitch
    (`scales` $scales^ `[` $scales_offset `]` `:` type($scales))?
    (`slopes` $slopes^ `[` $slopes_offset `]` `:` type($slopes))?
    attr-dict `:` type($dst) `,` type($src)
  }];
  let builders = [OpBuilder<(ins "::mlir::Value":$dst,
      "::mlir::Value":$dst_offset, "::mlir::Value":$src,
      "::mlir::Value":$src_offset, "::mlir::Value":$m, "::mlir::Value":$n,
      "::mlir::Value":$m1, "::mlir::Value":$c1_stride,
      "::mlir::Value":$m_pitch, "::kiln::npu::ActivationKind":$activation,
      "::mlir::FloatAttr":$scale), [{
    build($_builder, $_state, dst, dst_offset, src, src_offset, m, n, m1,
          c1_stride, m_pitch, /*scales=*/::mlir::Value(), ::mlir::Value(),
          /*slopes=*/::mlir::Value(), ::mlir::Value(), activation, scale,
          /*parameter=*/::mlir::FloatAttr(), /*zero_point=*/0);
  }]>];
}

//===----------------------------------------------------------------------===//
// V
//===----------------------------------------------------------------------===//

/// A vector command: rows x cols elements in UB.
class NPU_Vector<string mnemonic> : NPU_Command<mnemonic>;

def NPU_VBinaryOp : NPU_Vector<"vbinary"> {
  let summary = "dst = src0 op src1 (vadd and its like)";
  let description = [{
    madd: dst = src0*src1 + dst, one rounding. expd: dst = exp(src0 - src1), dst
    may be f16 or bf16 with f32 sources. bit_and, bit_or, bit_xor and the shifts
    (shr fills with the sign of signed types, shru with 0) work on bits.
  }];
  let arguments = (ins NPU_BinaryAttr:$kind, AnyMemRef:$dst, Index:$dst_offset,
    AnyMemRef:$src0, Index:$src0_offset, AnyMemRef:$src1, Index:$src1_offset,
    Index:$rows, Index:$cols, NPU_Strides:$dst_strides,
    NPU_Strides:$src0_strides, NPU_Strides:$src1_strides);
  let assemblyFormat = [{
    $kind $dst `[` $dst_offset `]` `,` $src0 `[` $src0_offset `]` `,`
    $src1 `[` $src1_offset `]` `rows` $rows `cols` $cols attr-dict
    `:` type($dst) `,` type($src0) `,` type($src1)
  }];
}

def NPU_VScalarOp : NPU_Vector<"vscalar"> {
  let summary = "dst = src op scalar (vadds and its like)";
  let description = [{
    `scalar` holds the bits of a value of the element type in its low bits.
    madds: dst = src*scalar + dst, one rounding.
  }];
  let arguments = (ins NPU_ScalarAttr:$kind, AnyMemRef:$dst, Index:$dst_offset,
    AnyMemRef:$src, Index:$src_offset, I64:$scalar, Index:$rows, Index:$cols,
    NPU_Strides:$dst_strides, NPU_Strides:$src_strides);
  let assemblyFormat = [{
    $kind $dst `[` $dst_offset `]` `,` $src `[` $src_offset `]` `,` $scalar
    `rows` $rows `cols` $cols attr-dict `:` type($dst) `,` type($src)
  }];
}

def NPU_VDupOp : NPU_Vector<"vdup"> {
  let summary = "dst = scalar in every element (vdup)";
  let arguments = (ins AnyMemRef:$dst, Index:$dst_offset, I64:$scalar,
    Index:$rows, Index:$cols, NPU_Strides:$dst_strides);
  let assemblyFormat = [{
    $dst `[` $dst_offset `]` `,` $scalar `rows` $rows `cols` $cols attr-dict
    `:` type($dst)
  }];
}

def NPU_VUnaryOp : NPU_Vector<"vunary"> {
  let summary = "dst = op(src) (vmov, vexp and their like)";
  let arguments = (ins NPU_UnaryAttr:$kind, AnyMemRef:$dst, Index:$dst_offset,
    AnyMemRef:$src, Index:$src_offset, Index:$rows, Index:$cols,
    NPU_Strides:$dst_strides, NPU_Strides:$src_strides);
  let assemblyFormat = [{
    $kind $dst `[` $dst_offset `]` `,` $src `[` $src_offset `]` `rows` $rows
    `cols` $cols attr-dict `:` type($dst) `,` type($src)
  }];
}

def NPU_VCastOp : NPU_Vector<"vcast"> {
  let summary = "dst = cast(src); the types are those of the memrefs (vcast)";
  let arguments = (ins AnyMemRef:$dst, Index:$dst_offset, AnyMemRef:$src,
    Index:$src_offset, Index:$rows, Index:$cols, NPU_Strides:$dst_strides,
    NPU_Strides:$src_strides,
    DefaultValuedAttr<NPU_RoundingAttr,
      "::kiln::npu::RoundingKind::rne">:$rounding);
  let assemblyFormat = [{
    $dst `[` $dst_offset `]` `,` $src `[` $src_offset `]` `rows` $rows
    `cols` $cols attr-dict `:` type($dst) `,` type($src)
  }];
}

def NPU_VReduceOp : NPU_Vector<"vreduce"> {
  let summary = "reduction along rows (_l) or over rows (_r)";
  let description = [{
    _l: one element per row at dst + 32*r*row (element-aligned; the block stride
    of dst is unused and 0). _r: one row of `cols` elements; `rows` counts the
    reduced rows. argmax and argmin give the i32 index of the first extreme.
  }];
  let arguments = (ins NPU_ReduceAttr:$kind, AnyMemRef:$dst, Index:$dst_offset,
    AnyMemRef:$src, Index:$src_offset, Index:$rows, Index:$cols,
    NPU_Strides:$dst_strides, NPU_Strides:$src_strides);
  let assemblyFormat = [{
    $kind $dst `[` $dst_offset `]` `,` $src `[` $src_offset `]` `rows` $rows
    `cols` $cols attr-dict `:` type($dst) `,` type($src)
  }];
}

def NPU_VBroadcastOp : NPU_Vector<"vbroadcast"> {
  let summary = "row r of dst = the element at src + 32*r*row (vbc)";
  let arguments = (ins AnyMemRef:$dst, Index:$dst_offset, AnyMemRef:$src,
    Index:$src_offset, Index:$rows, Index:$cols, NPU_Strides:$dst_strides,
    NPU_Strides:$src_strides);
  let assemblyFormat = [{
    $dst `[` $dst_offset `]` `,` $src `[` $src_offset `]` `rows` $rows
    `cols` $cols attr-dict `:` type($dst) `,` type($src)
  }];
}

def NPU_VTransposeOp : NPU_Vector<"vtranspose"> {
  let summary = "planar <-> C0-blocked (vtr.in, vtr.out)";
  let description = [{
    rows = channels <= C0, cols = pixels. `in`: row r, element e of src becomes
    element r of block e of dst, missing channels are written 0; `out` is the
    inverse.
  }];
  let arguments = (ins NPU_TransposeAttr:$kind, AnyMemRef:$dst,
    Index:$dst_offset, AnyMemRef:$src, Index:$src_offset, Index:$rows,
    Index:$cols, NPU_Strides:$dst_strides, NPU_Strides:$src_strides);
  let assemblyFormat = [{
    $kind $dst `[` $dst_offset `]` `,` $src `[` $src_offset `]` `rows` $rows
    `cols` $cols attr-dict `:` type($dst) `,` type($src)
  }];
}

def NPU_VCompareOp : NPU_Vector<"vcompare"> {
  let summary = "bit e of row r of dst = src0 op src1 (vcmp)";
  let description = [{
    Bit e is bit e%8 of byte e/8 of the row; dst is a buffer of bytes.
  }];
  let arguments = (ins NPU_CompareAttr:$kind, AnyMemRef:$dst, Index:$dst_offset,
    AnyMemRef:$src0, Index:$src0_offset, AnyMemRef:$src1, Index:$src1_offset,
    Index:$rows, Index:$cols, NPU_Strides:$dst_strides,
    NPU_Strides:$src0_strides, NPU_Strides:$src1_strides);
  let assemblyFormat = [{
    $kind $dst `[` $dst_offset `]` `,` $src0 `[` $src0_offset `]` `,`
    $src1 `[` $src1_offset `]` `rows` $rows `cols` $cols attr-dict
    `:` type($dst) `,` type($src0) `,` type($src1)
  }];
}

def NPU_VCompareScalarOp : NPU_Vector<"vcompare_scalar"> {
  let summary = "bit e of row r of dst = src op scalar (vcmps)";
  let arguments = (ins NPU_CompareAttr:$kind, AnyMemRef:$dst, Index:$dst_offset,
    AnyMemRef:$src, Index:$src_offset, I64:$scalar, Index:$rows, Index:$cols,
    NPU_Strides:$dst_strides, NPU_Strides:$src_strides);
  let assemblyFormat = [{
    $kind $dst `[` $dst_offset `]` `,` $src `[` $src_offset `]` `,` $scalar
    `rows` $rows `cols` $cols attr-dict `:` type($dst) `,` type($src)
  }];
}

def NPU_VSelectOp : NPU_Vector<"vselect"> {
  let summary = "dst = src0 where the mask's bit is 1, else src1 (vsel)";
  let description = [{
    Rows of the mask lie ceil(cols/256) blocks of 32 bytes apart.
  }];
  let arguments = (ins AnyMemRef:$dst, Index:$dst_offset, AnyMemRef:$mask,
    Index:$mask_offset, AnyMemRef:$src0, Index:$src0_offset, AnyMemRef:$src1,
    Index:$src1_offset, Index:$rows, Index:$cols, NPU_Strides:$dst_strides,
    NPU_Strides:$src0_strides, NPU_Strides:$src1_strides);
  let assemblyFormat = [{
    $dst `[` $dst_offset `]` `,` $mask `[` $mask_offset `]` `,`
    $src0 `[` $src0_offset `]` `,` $src1 `[` $src1_offset `]` `rows` $rows
    `cols` $cols attr-dict
    `:` type($dst) `,` type($mask) `,` type($src0) `,` type($src1)
  }];
}

def NPU_VIotaOp : NPU_Vector<"viota"> {
  let summary = "element e of every row of dst = start + e*step (viota)";
  let description = [{
    `start` and `step` hold the bits of values of the element type in their low
    bits.
  }];
  let arguments = (ins AnyMemRef:$dst, Index:$dst_offset, I64:$start, I64:$step,
    Index:$rows, Index:$cols, NPU_Strides:$dst_strides);
  let assemblyFormat = [{
    $dst `[` $dst_offset `]` `,` $start `,` $step `rows` $rows `cols` $cols
    attr-dict `:` type($dst)
  }];
}

def NPU_VGatherOp : NPU_Vector<"vgather"> {
  let summary = "dst = table[index], element by element (vgather)";
  let description = [{
    The table is `count` elements in a row; an i32 index that is not below
    `count` (read as unsigned) gives 0.
  }];
  let arguments = (ins AnyMemRef:$dst, Index:$dst_offset, AnyMemRef:$table,
    Index:$table_offset, AnyMemRef:$index, Index:$index_offset, Index:$count,
    Index:$rows, Index:$cols, NPU_Strides:$dst_strides,
    NPU_Strides:$index_strides);
  let assemblyFormat = [{
    $dst `[` $dst_offset `]` `,` $table `[` $table_offset `]` `,`
    $index `[` $index_offset `]` `count` $count `rows` $rows `cols` $cols
    attr-dict `:` type($dst) `,` type($table) `,` type($index)
  }];
}

def NPU_VGatherBlocksOp : NPU_Vector<"vgather_blocks"> {
  let summary = "dst = table[index], block by block of 32 bytes (vgatherb)";
  let description = [{
    A row of dst is `cols` blocks, with an i32 index each; the table is `count`
    blocks in a row. An index that is not below `count` (read as unsigned)
    gives zeros.
  }];
  let arguments = (ins AnyMemRef:$dst, Index:$dst_offset, AnyMemRef:$table,
    Index:$table_offset, AnyMemRef:$index, Index:$index_offset, Index:$count,
    Index:$rows, Index:$cols, NPU_Strides:$dst_strides,
    NPU_Strides:$index_strides);
  let assemblyFormat = [{
    $dst `[` $dst_offset `]` `,` $table `[` $table_offset `]` `,`
    $index `[` $index_offset `]` `count` $count `rows` $rows `blocks` $cols
    attr-dict `:` type($dst) `,` type($table) `,` type($index)
  }];
}

def NPU_VScatterOp : NPU_Vector<"vscatter"> {
  let summary = "table[index] = src, element by element (vscatter)";
  let description = [{
    As npu.vgather; of equal indices the last one stays, rows and then columns
    ascending, and an index that is not below `count` writes nothing.
  }];
  let arguments = (ins AnyMemRef:$table, Index:$table_offset, AnyMemRef:$src,
    Index:$src_offset, AnyMemRef:$index, Index:$index_offset, Index:$count,
    Index:$rows, Index:$cols, NPU_Strides:$src_strides,
    NPU_Strides:$index_strides);
  let assemblyFormat = [{
    $table `[` $table_offset `]` `,` $src `[` $src_offset `]` `,`
    $index `[` $index_offset `]` `count` $count `rows` $rows `cols` $cols
    attr-dict `:` type($table) `,` type($src) `,` type($index)
  }];
}

def NPU_VSort32Op : NPU_Vector<"vsort32"> {
  let summary = "each 32 elements of a row become sorted pairs (vsort32)";
  let description = [{
    A pair is a key in the low bits of 4 bytes and an i32 index. Descending, NaN
    first, equal keys in the order they came. dst is a buffer of i32, a row of
    it a list of `cols` pairs.
  }];
  let arguments = (ins AnyMemRef:$dst, Index:$dst_offset, AnyMemRef:$src,
    Index:$src_offset, AnyMemRef:$index, Index:$index_offset, Index:$rows,
    Index:$cols, NPU_Strides:$dst_strides, NPU_Strides:$src_strides,
    NPU_Strides:$index_strides);
  let assemblyFormat = [{
    $dst `[` $dst_offset `]` `,` $src `[` $src_offset `]` `,`
    $index `[` $index_offset `]` `rows` $rows `cols` $cols
    attr-dict `:` type($dst) `,` type($src) `,` type($index)
  }];
}

def NPU_VMergeOp : NPU_Vector<"vmerge"> {
  let summary = "row r of dst = the merged lists of row r of the sources (vmerge)";
  let description = [{
    Lists of `pairs0` and `pairs1` pairs, sorted as npu.vsort32 does by keys of
    type `key`; of equal keys those of src0 come first.
  }];
  let arguments = (ins AnyMemRef:$dst, Index:$dst_offset, AnyMemRef:$src0,
    Index:$src0_offset, AnyMemRef:$src1, Index:$src1_offset, Index:$rows,
    Index:$pairs0, Index:$pairs1, TypeAttr:$key, NPU_Strides:$dst_strides,
    NPU_Strides:$src0_strides, NPU_Strides:$src1_strides);
  let assemblyFormat = [{
    $key $dst `[` $dst_offset `]` `,` $src0 `[` $src0_offset `]` `,`
    $src1 `[` $src1_offset `]` `rows` $rows `pairs` $pairs0 `,` $pairs1
    attr-dict `:` type($dst) `,` type($src0) `,` type($src1)
  }];
}

def NPU_VPairsOp : NPU_Vector<"vpairs"> {
  let summary = "dst = the keys or indices of `cols` pairs (vpair.k, vpair.i)";
  let arguments = (ins NPU_PairAttr:$kind, AnyMemRef:$dst, Index:$dst_offset,
    AnyMemRef:$src, Index:$src_offset, Index:$rows, Index:$cols,
    NPU_Strides:$dst_strides, NPU_Strides:$src_strides);
  let assemblyFormat = [{
    $kind $dst `[` $dst_offset `]` `,` $src `[` $src_offset `]` `rows` $rows
    `cols` $cols attr-dict `:` type($dst) `,` type($src)
  }];
}

//===----------------------------------------------------------------------===//
// S: the UB window
//===----------------------------------------------------------------------===//

def NPU_ScalarLoadOp : NPU_Command<"scalar_load"> {
  let summary = "the control core reads from UB";
  let arguments = (ins AnyMemRef:$src, Index:$src_offset);
  let results = (outs AnySignlessInteger:$result);
  let assemblyFormat = [{
    $src `[` $src_offset `]` attr-dict `:` type($src) `->` type($result)
  }];
}

def NPU_ScalarStoreOp : NPU_Command<"scalar_store"> {
  let summary = "the control core writes to UB";
  let arguments = (ins AnyMemRef:$dst, Index:$dst_offset,
    AnySignlessInteger:$value);
  let assemblyFormat = [{
    $dst `[` $dst_offset `]` `,` $value attr-dict
    `:` type($dst) `,` type($value)
  }];
}

//===----------------------------------------------------------------------===//
// Flags. Written by npu-insert-sync (or by a manual scope of the DSL).
//===----------------------------------------------------------------------===//

class NPU_FlagOp<string mnemonic> : NPU_Op<mnemonic, [
    MemoryEffects<[MemRead, MemWrite]>]> {
  let arguments = (ins NPU_PipeAttr:$src, NPU_PipeAttr:$dst, Index:$id);
  let assemblyFormat = "$src `to` $dst `,` $id attr-dict";
  let hasVerifier = 1;
}

def NPU_SetFlagOp : NPU_FlagOp<"set_flag"> {
  let summary = "queued in src; sets flag (src, dst, id) after earlier commands";
}

def NPU_WaitFlagOp : NPU_FlagOp<"wait_flag"> {
  let summary = "queued in dst; blocks it until the flag is set, then clears it";
}

def NPU_BarrierOp : NPU_Op<"barrier", [MemoryEffects<[MemRead, MemWrite]>]> {
  let summary = "S waits until every pipe is empty (kbar)";
  let description = [{
    `device`: and until every block of the launch has come to its own (kdbar).
  }];
  let arguments = (ins UnitAttr:$device);
  let assemblyFormat = "(`device` $device^)? attr-dict";
}

//===----------------------------------------------------------------------===//
// Blocks that meet. For the order of commands a post reads the tensor that it
// hands over, and a pend writes it: another block did.
//===----------------------------------------------------------------------===//

def NPU_PostOp : NPU_Command<"post"> {
  let summary = "adds 1 to a semaphore of a block after earlier commands (kpost)";
  let arguments = (ins NPU_PipeAttr:$from, AnyMemRef:$tensor, Index:$block,
    Index:$id);
  let assemblyFormat = [{
    $from $tensor `to` $block `,` $id attr-dict `:` type($tensor)
  }];
}

def NPU_PendOp : NPU_Command<"pend"> {
  let summary = "MTE2 waits for an own semaphore, then takes 1 from it (kpend)";
  let arguments = (ins AnyMemRef:$tensor, Index:$id);
  let assemblyFormat = "$tensor `,` $id attr-dict `:` type($tensor)";
}

//===----------------------------------------------------------------------===//
// S: texts
//===----------------------------------------------------------------------===//

class NPU_TextOp<string mnemonic> : NPU_Op<mnemonic, [
    MemoryEffects<[MemRead, MemWrite]>]> {
  let hasVerifier = 1;
}

def NPU_PrintOp : NPU_TextOp<"print"> {
  let summary = "prints a text to the launch's report (kprint)";
  let description = [{
    {d}, {u}, {x}, {f16}, {bf16} and {f32} stand for the values, at most two.
  }];
  let arguments = (ins StrAttr:$text, Variadic<I64>:$values);
  let assemblyFormat = "$text (`,` $values^)? attr-dict";
}

def NPU_AssertOp : NPU_TextOp<"assert"> {
  let summary = "stops the core with a text where the condition is 0 (kassert)";
  let arguments = (ins I64:$condition, StrAttr:$text, Optional<I64>:$value);
  let assemblyFormat = "$condition `,` $text (`,` $value^)? attr-dict";
}

def NPU_TrapOp : NPU_Op<"trap", [MemoryEffects<[MemRead, MemWrite]>]> {
  let summary = "stops the core with a fault (ktrap)";
  let arguments = (ins I64:$code);
  let assemblyFormat = "$code attr-dict";
}

#endif // KILN_COMPILER_DIALECT_NPU_NPUCOMMANDS_TD
