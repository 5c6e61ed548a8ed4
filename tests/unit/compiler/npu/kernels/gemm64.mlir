// C[64,64] f32 = A[64,64] f16 (row-major) x B[64,64] f16 (FRACTAL_Z).
func.func @gemm64(%x: memref<64x64xf16>, %w: memref<4x4x16x16xf16>, %y: memref<64x64xf32>)
    attributes {npu.kernel} {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c4 = arith.constant 4 : index
  %c32 = arith.constant 32 : index
  %c64 = arith.constant 64 : index
  %c128 = arith.constant 128 : index
  %c256 = arith.constant 256 : index
  %c8192 = arith.constant 8192 : index
  %xl1 = npu.alloc "x" : memref<4x64x16xf16, 1>
  %wl1 = npu.alloc "w" : memref<4x4x16x16xf16, 1>
  %a = npu.alloc "a" : memref<64x64xf16, 2>
  %b = npu.alloc "b" : memref<64x64xf16, 3>
  %c = npu.alloc "c" : memref<64x64xf32, 4>
  npu.load_nz %xl1[%c0], %x[%c0] rows %c64 row_bytes %c128 gm_stride %c128
    {col_stride = 64} : memref<4x64x16xf16, 1>, memref<64x64xf16>
  npu.load %wl1[%c0], %w[%c0] rows %c1 row_bytes %c8192 gm_stride %c0
    {dst_strides = array<i64: 0, 1>} : memref<4x4x16x16xf16, 1>, memref<4x4x16x16xf16>
  npu.load_l0 %a[%c0], %xl1[%c0] outer %c4 inner %c4
    {outer_stride = 1, inner_stride = 4} : memref<64x64xf16, 2>, memref<4x64x16xf16, 1>
  npu.load_l0 %b[%c0], %wl1[%c0] outer %c4 inner %c4
    {outer_stride = 4, inner_stride = 1} : memref<64x64xf16, 3>, memref<4x4x16x16xf16, 1>
  npu.mmad %c[%c0], %a[%c0], %b[%c0] m %c64 n %c64 k %c64 mode %c0
    : memref<64x64xf32, 4>, memref<64x64xf16, 2>, memref<64x64xf16, 3>
  npu.fix %y[%c0], %c[%c0] m %c64 n %c64 m1 %c4 c1_stride %c32 m_pitch %c256
    : memref<64x64xf32>, memref<64x64xf32, 4>
  return
}
