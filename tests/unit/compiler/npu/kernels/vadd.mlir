// z = x + y over 10000 halves: tiles of 2048, double-buffered, with a tail.
func.func @vadd(%x: memref<10000xf16>, %y: memref<10000xf16>, %z: memref<10000xf16>)
    attributes {npu.kernel} {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c2 = arith.constant 2 : index
  %c2048 = arith.constant 2048 : index
  %c10000 = arith.constant 10000 : index
  scf.for %i = %c0 to %c10000 step %c2048 {
    %n = affine.min affine_map<(d0) -> (-d0 + 10000, 2048)>(%i)
    %bytes = arith.muli %n, %c2 : index
    %at = arith.muli %i, %c2 : index
    %a = npu.alloc "a" {depth = 2} : memref<2048xf16, 5>
    %b = npu.alloc "b" {depth = 2} : memref<2048xf16, 5>
    %s = npu.alloc "s" {depth = 2} : memref<2048xf16, 5>
    npu.load %a[%c0], %x[%at] rows %c1 row_bytes %bytes gm_stride %c0
      {dst_strides = array<i64: 0, 1>} : memref<2048xf16, 5>, memref<10000xf16>
    npu.load %b[%c0], %y[%at] rows %c1 row_bytes %bytes gm_stride %c0
      {dst_strides = array<i64: 0, 1>} : memref<2048xf16, 5>, memref<10000xf16>
    npu.vbinary add %s[%c0], %a[%c0], %b[%c0] rows %c1 cols %n
      {dst_strides = array<i64: 0, 1>, src0_strides = array<i64: 0, 1>, src1_strides = array<i64: 0, 1>}
      : memref<2048xf16, 5>, memref<2048xf16, 5>, memref<2048xf16, 5>
    npu.store %z[%at], %s[%c0] rows %c1 row_bytes %bytes gm_stride %c0
      {src_strides = array<i64: 0, 1>} : memref<10000xf16>, memref<2048xf16, 5>
  }
  return
}
