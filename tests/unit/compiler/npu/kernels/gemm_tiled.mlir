// C[M,N] = relu(A x B + bias) as f16, M = 100, N = 96, K = 200, in tiles of
// 48 x 32 x 64 with tails in m and k; two levels of double buffering.
// A row-major, B FRACTAL_Z [13,6,16,16], C row-major.
func.func @gemm_tiled(%x: memref<100x200xf16>, %w: memref<13x6x16x16xf16>,
    %bias: memref<96xf32>, %y: memref<100x96xf16>) attributes {npu.kernel} {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c2 = arith.constant 2 : index
  %c3 = arith.constant 3 : index
  %c13 = arith.constant 13 : index
  %c16 = arith.constant 16 : index
  %c32 = arith.constant 32 : index
  %c48 = arith.constant 48 : index
  %c64 = arith.constant 64 : index
  %c96 = arith.constant 96 : index
  %c100 = arith.constant 100 : index
  %c128 = arith.constant 128 : index
  %c192 = arith.constant 192 : index
  %c200 = arith.constant 200 : index
  %c384 = arith.constant 384 : index
  %c400 = arith.constant 400 : index
  %c1024 = arith.constant 1024 : index
  %c3072 = arith.constant 3072 : index
  %bl1 = npu.alloc "bias" : memref<96xf32, 1>
  %bt = npu.alloc "bt" : memref<96xf32, 6>
  npu.load %bl1[%c0], %bias[%c0] rows %c1 row_bytes %c384 gm_stride %c0
    {dst_strides = array<i64: 0, 1>} : memref<96xf32, 1>, memref<96xf32>
  npu.load_bias %bt[%c0], %bl1[%c0] bytes %c384 : memref<96xf32, 6>, memref<96xf32, 1>
  scf.for %m = %c0 to %c100 step %c48 {
    %mt = affine.min affine_map<(d0) -> (-d0 + 100, 48)>(%m)
    %m1 = affine.apply affine_map<(d0) -> (d0 ceildiv 16)>(%mt)
    %xl1 = npu.alloc "x" {depth = 2} : memref<13x48x16xf16, 1>
    %xoff = arith.muli %m, %c400 : index
    npu.load_nz %xl1[%c0], %x[%xoff] rows %mt row_bytes %c400 gm_stride %c400
      {col_stride = 48} : memref<13x48x16xf16, 1>, memref<100x200xf16>
    scf.for %n = %c0 to %c96 step %c32 {
      %wl1 = npu.alloc "w" {depth = 2} : memref<13x2x16x16xf16, 1>
      %woff = arith.muli %n, %c32 : index
      npu.load %wl1[%c0], %w[%woff] rows %c13 row_bytes %c1024 gm_stride %c3072
        {dst_strides = array<i64: 32, 1>} : memref<13x2x16x16xf16, 1>, memref<13x6x16x16xf16>
      %acc = npu.alloc "acc" {depth = 2} : memref<48x32xf32, 4>
      %boff = affine.apply affine_map<(d0) -> (d0 * 4)>(%n)
      %last = scf.for %k = %c0 to %c200 step %c64 iter_args(%mode = %c2) -> (index) {
        %kt = affine.min affine_map<(d0) -> (-d0 + 200, 64)>(%k)
        %k1 = affine.apply affine_map<(d0) -> (d0 ceildiv 16)>(%kt)
        %a = npu.alloc "a" {depth = 2} : memref<48x64xf16, 2>
        %b = npu.alloc "b" {depth = 2} : memref<64x32xf16, 3>
        %aoff = affine.apply affine_map<(d0) -> (d0 * 96)>(%k)
        %koff = affine.apply affine_map<(d0) -> (d0 * 64)>(%k)
        npu.load_l0 %a[%c0], %xl1[%aoff] outer %m1 inner %k1
          {outer_stride = 1, inner_stride = 3} : memref<48x64xf16, 2>, memref<13x48x16xf16, 1>
        npu.load_l0 %b[%c0], %wl1[%koff] outer %k1 inner %c2
          {outer_stride = 2, inner_stride = 1} : memref<64x32xf16, 3>, memref<13x2x16x16xf16, 1>
        npu.mmad %acc[%c0], %a[%c0], %b[%c0] bias %bt[%boff] : memref<96xf32, 6>
          m %mt n %c32 k %kt mode %mode
          : memref<48x32xf32, 4>, memref<48x64xf16, 2>, memref<64x32xf16, 3>
        scf.yield %c1 : index
      }
      %yoff = affine.apply affine_map<(d0, d1) -> (d0 * 192 + d1 * 2)>(%m, %n)
      npu.fix %y[%yoff], %acc[%c0] m %mt n %c32 m1 %m1 c1_stride %c32 m_pitch %c192
        {activation = 1 : i32} : memref<100x96xf16>, memref<48x32xf32, 4>
    }
  }
  return
}
