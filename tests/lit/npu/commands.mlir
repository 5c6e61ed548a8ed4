// RUN: kiln-opt %s | kiln-opt | FileCheck %s
// RUN: kiln-opt %s --mlir-print-op-generic | kiln-opt | FileCheck %s
// Every command prints and parses.

// CHECK-LABEL: func.func @vector
func.func @vector(%x: memref<64x128xf16>, %y: memref<64x128xf32>, %n: index)
    attributes {npu.kernel} {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c4 = arith.constant 4 : index
  %c16 = arith.constant 16 : index
  %c128 = arith.constant 128 : index
  %c256 = arith.constant 256 : index
  %c512 = arith.constant 512 : index
  %bits = arith.constant 15360 : i64
  // CHECK: npu.block_index
  %block = npu.block_index
  // CHECK: npu.block_count
  %blocks = npu.block_count
  // CHECK: npu.alloc "a" {depth = 2 : i64} : memref<4x128xf16, 5>
  %a = npu.alloc "a" {depth = 2 : i64} : memref<4x128xf16, 5>
  // CHECK: npu.alloc "b" : memref<4x128xf16, 5>
  %b = npu.alloc "b" : memref<4x128xf16, 5>
  %f = npu.alloc "f" : memref<4x128xf32, 5>
  // CHECK: npu.alloc "placed" {address = 65536 : i64} : memref<4x8xf32, 5>
  %s = npu.alloc "placed" {address = 65536 : i64} : memref<4x8xf32, 5>
  // CHECK: npu.alloc "slots" slot %{{.*}} {address = 0 : i64, depth = 2 : i64}
  %u = npu.alloc "slots" slot %block {address = 0 : i64, depth = 2 : i64} : memref<4x128xf16, 5>
  // CHECK: npu.load %{{.*}}[%{{.*}}], %{{.*}}[%{{.*}}] rows %{{.*}} row_bytes %{{.*}} gm_stride %{{.*}} {dst_strides = array<i64: 8, 1>} : memref<4x128xf16, 5>, memref<64x128xf16>
  npu.load %a[%c0], %x[%c256] rows %c4 row_bytes %c256 gm_stride %c256
    {dst_strides = array<i64: 8, 1>} : memref<4x128xf16, 5>, memref<64x128xf16>
  // CHECK: npu.vbinary add
  npu.vbinary add %b[%c0], %a[%c0], %a[%c0] rows %c4 cols %n
    {dst_strides = array<i64: 8, 1>, src0_strides = array<i64: 8, 1>, src1_strides = array<i64: 0, 1>}
    : memref<4x128xf16, 5>, memref<4x128xf16, 5>, memref<4x128xf16, 5>
  // CHECK: npu.vscalar muls
  npu.vscalar muls %b[%c0], %b[%c0], %bits rows %c4 cols %c128
    {dst_strides = array<i64: 8, 1>, src_strides = array<i64: 8, 1>}
    : memref<4x128xf16, 5>, memref<4x128xf16, 5>
  // CHECK: npu.vdup
  npu.vdup %b[%c0], %bits rows %c1 cols %c128 {dst_strides = array<i64: 8, 1>}
    : memref<4x128xf16, 5>
  // CHECK: npu.vunary tanh
  npu.vunary tanh %b[%c0], %a[%c0] rows %c4 cols %c128
    {dst_strides = array<i64: 8, 1>, src_strides = array<i64: 8, 1>}
    : memref<4x128xf16, 5>, memref<4x128xf16, 5>
  // CHECK: npu.vcast {{.*}} rounding = 1
  npu.vcast %f[%c0], %a[%c0] rows %c4 cols %c128
    {dst_strides = array<i64: 16, 1>, src_strides = array<i64: 8, 1>, rounding = 1 : i32}
    : memref<4x128xf32, 5>, memref<4x128xf16, 5>
  // CHECK: npu.vreduce max_l
  npu.vreduce max_l %s[%c0], %f[%c0] rows %c4 cols %c128
    {dst_strides = array<i64: 1, 0>, src_strides = array<i64: 16, 1>}
    : memref<4x8xf32, 5>, memref<4x128xf32, 5>
  // CHECK: npu.vbroadcast
  npu.vbroadcast %f[%c0], %s[%c0] rows %c4 cols %c128
    {dst_strides = array<i64: 16, 1>, src_strides = array<i64: 1, 0>}
    : memref<4x128xf32, 5>, memref<4x8xf32, 5>
  // CHECK: npu.vtranspose in
  npu.vtranspose in %b[%c0], %a[%c0] rows %c4 cols %c16
    {dst_strides = array<i64: 1, 1>, src_strides = array<i64: 8, 1>}
    : memref<4x128xf16, 5>, memref<4x128xf16, 5>
  // CHECK: npu.scalar_load {{.*}} -> i32
  %v = npu.scalar_load %s[%c4] : memref<4x8xf32, 5> -> i32
  // CHECK: npu.scalar_store {{.*}}, i32
  npu.scalar_store %s[%c0], %v : memref<4x8xf32, 5>, i32
  // CHECK: npu.set_flag V to MTE3, %{{.*}}
  npu.set_flag V to MTE3, %c1
  // CHECK: npu.wait_flag V to MTE3, %{{.*}}
  npu.wait_flag V to MTE3, %c1
  // CHECK: npu.store
  npu.store %y[%c0], %f[%c0] rows %c4 row_bytes %c512 gm_stride %c512
    {src_strides = array<i64: 16, 1>} : memref<64x128xf32>, memref<4x128xf32, 5>
  // CHECK: npu.barrier
  npu.barrier
  // CHECK: npu.trap
  npu.trap %bits
  return
}

// CHECK-LABEL: func.func @cube
func.func @cube(%x: memref<4x56x56x16xf16>, %w: memref<36x4x16x16xf16>,
    %bias: memref<64xf32>, %y: memref<4x3136x16xf16>) attributes {npu.kernel} {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c2 = arith.constant 2 : index
  %c4 = arith.constant 4 : index
  %c9 = arith.constant 9 : index
  %c10 = arith.constant 10 : index
  %c16 = arith.constant 16 : index
  %c32 = arith.constant 32 : index
  %c64 = arith.constant 64 : index
  %c128 = arith.constant 128 : index
  %c144 = arith.constant 144 : index
  %c1792 = arith.constant 1792 : index
  %c17920 = arith.constant 17920 : index
  %c100352 = arith.constant 100352 : index
  %xl1 = npu.alloc "x" : memref<4x10x56x16xf16, 1>
  %nz = npu.alloc "nz" : memref<4x64x16xf16, 1>
  %wl1 = npu.alloc "w" : memref<36x4x16x16xf16, 1>
  %bl1 = npu.alloc "bias" : memref<64xf32, 1>
  %bt = npu.alloc "bt" : memref<64xf32, 6>
  %a = npu.alloc "a" {depth = 2 : i64} : memref<16x144xf16, 2>
  %b = npu.alloc "b" {depth = 2 : i64} : memref<144x64xf16, 3>
  %acc = npu.alloc "acc" : memref<16x64xf32, 4>
  %ub = npu.alloc "ub" : memref<4x64x16xf16, 5>
  // CHECK: npu.load
  npu.load %xl1[%c0], %x[%c0] rows %c4 row_bytes %c17920 gm_stride %c100352
    {dst_strides = array<i64: 560, 1>} : memref<4x10x56x16xf16, 1>, memref<4x56x56x16xf16>
  // CHECK: npu.load_nz {{.*}} {col_stride = 64 : i64}
  npu.load_nz %nz[%c0], %x[%c0] rows %c64 row_bytes %c128 gm_stride %c128
    {col_stride = 64 : i64} : memref<4x64x16xf16, 1>, memref<4x56x56x16xf16>
  // CHECK: npu.move_l1
  npu.move_l1 %nz[%c0], %ub[%c0] rows %c64 row_blocks %c4
    {dst_strides = array<i64: 1, 64>, src_strides = array<i64: 4, 1>}
    : memref<4x64x16xf16, 1>, memref<4x64x16xf16, 5>
  // CHECK: npu.load_l0 {{.*}} {inner_stride = 1 : i64, outer_stride = 4 : i64}
  npu.load_l0 %b[%c0], %wl1[%c0] outer %c9 inner %c4
    {outer_stride = 4, inner_stride = 1} : memref<144x64xf16, 3>, memref<36x4x16x16xf16, 1>
  // CHECK: npu.load_l0 {{.*}} transpose
  npu.load_l0 %b[%c0], %wl1[%c0] outer %c9 inner %c4
    {outer_stride = 4, inner_stride = 1, transpose} : memref<144x64xf16, 3>, memref<36x4x16x16xf16, 1>
  // CHECK: npu.load_im2col
  npu.load_im2col %a[%c0], %xl1[%c0] m %c0, %c16 k1 %c0, %c9 height %c10 pad_top %c1
    {width = 56, out_width = 56, pad_left = 1, kernel = array<i64: 3, 3>,
     stride = array<i64: 1, 1>, dilation = array<i64: 1, 1>, c1 = 4,
     c1_stride = 560, c_valid_last = 16} : memref<16x144xf16, 2>, memref<4x10x56x16xf16, 1>
  // CHECK: npu.load_im2col {{.*}} image_stride = 560 : i64, images = 2 : i64
  npu.load_im2col %a[%c0], %xl1[%c0] m %c0, %c16 k1 %c0, %c9 height %c10 pad_top %c1
    {width = 56, out_width = 56, pad_left = 1, kernel = array<i64: 3, 3>,
     stride = array<i64: 1, 1>, dilation = array<i64: 1, 1>, c1 = 2, images = 2,
     image_stride = 560, out_height = 10, c1_stride = 1120, c_valid_last = 16}
    : memref<16x144xf16, 2>, memref<4x10x56x16xf16, 1>
  // CHECK: npu.load_im2col {{.*}} {c04
  npu.load_im2col %a[%c0], %xl1[%c0] m %c0, %c16 k1 %c0, %c2 height %c10 pad_top %c1
    {width = 56, out_width = 28, pad_left = 3, kernel = array<i64: 7, 7>, c04,
     stride = array<i64: 2, 2>, dilation = array<i64: 1, 1>, c1 = 1,
     c1_stride = 0, c_valid_last = 3} : memref<16x144xf16, 2>, memref<4x10x56x16xf16, 1>
  // CHECK: npu.load_bias
  npu.load_bias %bt[%c0], %bl1[%c0] bytes %c128 : memref<64xf32, 6>, memref<64xf32, 1>
  // CHECK: npu.mmad {{.*}} bias %{{.*}}[%{{.*}}] : memref<64xf32, 6> m
  npu.mmad %acc[%c0], %a[%c0], %b[%c0] bias %bt[%c0] : memref<64xf32, 6>
    m %c16 n %c64 k %c144 mode %c2
    : memref<16x64xf32, 4>, memref<16x144xf16, 2>, memref<144x64xf16, 3>
  // CHECK: npu.mmad %{{.*}}[%{{.*}}], %{{.*}}[%{{.*}}], %{{.*}}[%{{.*}}] m
  npu.mmad %acc[%c0], %a[%c0], %b[%c0] m %c16 n %c64 k %c144 mode %c1
    : memref<16x64xf32, 4>, memref<16x144xf16, 2>, memref<144x64xf16, 3>
  // CHECK: npu.fix {{.*}} {activation = 1 : i32, scale = 5.000000e-01 : f32}
  npu.fix %y[%c0], %acc[%c0] m %c16 n %c64 m1 %c1 c1_stride %c100352 m_pitch %c32
    {activation = 1 : i32, scale = 0.5 : f32} : memref<4x3136x16xf16>, memref<16x64xf32, 4>
  return
}

// CHECK-LABEL: func.func @tables
func.func @tables(%x: memref<128xi32>, %n: index) attributes {npu.kernel} {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c32 = arith.constant 32 : index
  %c64 = arith.constant 64 : index
  %c128 = arith.constant 128 : index
  %bits = arith.constant 7 : i64
  %a = npu.alloc "a" : memref<64xf16, 5>
  %b = npu.alloc "b" : memref<64xf16, 5>
  %i = npu.alloc "i" : memref<64xi32, 5>
  %p = npu.alloc "p" : memref<128xi32, 5>
  %q = npu.alloc "q" : memref<256xi32, 5>
  %m = npu.alloc "m" : memref<32xui8, 5>
  // CHECK: npu.viota
  npu.viota %i[%c0], %bits, %bits rows %c1 cols %c64 {dst_strides = array<i64: 0, 1>}
    : memref<64xi32, 5>
  // CHECK: npu.vcompare lt
  npu.vcompare lt %m[%c0], %a[%c0], %b[%c0] rows %c1 cols %c64
    {dst_strides = array<i64: 0, 1>, src0_strides = array<i64: 0, 1>, src1_strides = array<i64: 0, 1>}
    : memref<32xui8, 5>, memref<64xf16, 5>, memref<64xf16, 5>
  // CHECK: npu.vcompare_scalar ge
  npu.vcompare_scalar ge %m[%c0], %a[%c0], %bits rows %c1 cols %c64
    {dst_strides = array<i64: 0, 1>, src_strides = array<i64: 0, 1>}
    : memref<32xui8, 5>, memref<64xf16, 5>
  // CHECK: npu.vselect
  npu.vselect %b[%c0], %m[%c0], %a[%c0], %b[%c0] rows %c1 cols %n
    {dst_strides = array<i64: 0, 1>, src0_strides = array<i64: 0, 1>, src1_strides = array<i64: 0, 1>}
    : memref<64xf16, 5>, memref<32xui8, 5>, memref<64xf16, 5>, memref<64xf16, 5>
  // CHECK: npu.vgather {{.*}} count %{{.*}} rows
  npu.vgather %b[%c0], %a[%c0], %i[%c0] count %c64 rows %c1 cols %n
    {dst_strides = array<i64: 0, 1>, index_strides = array<i64: 0, 1>}
    : memref<64xf16, 5>, memref<64xf16, 5>, memref<64xi32, 5>
  // CHECK: npu.vgather_blocks {{.*}} count %{{.*}} rows {{.*}} blocks
  npu.vgather_blocks %b[%c0], %a[%c0], %i[%c0] count %c1 rows %c1 blocks %n
    {dst_strides = array<i64: 0, 1>, index_strides = array<i64: 0, 1>}
    : memref<64xf16, 5>, memref<64xf16, 5>, memref<64xi32, 5>
  // CHECK: npu.vscatter
  npu.vscatter %b[%c0], %a[%c0], %i[%c0] count %c64 rows %c1 cols %n
    {src_strides = array<i64: 0, 1>, index_strides = array<i64: 0, 1>}
    : memref<64xf16, 5>, memref<64xf16, 5>, memref<64xi32, 5>
  // CHECK: npu.vsort32
  npu.vsort32 %p[%c0], %a[%c0], %i[%c0] rows %c1 cols %c64
    {dst_strides = array<i64: 0, 1>, src_strides = array<i64: 0, 1>, index_strides = array<i64: 0, 1>}
    : memref<128xi32, 5>, memref<64xf16, 5>, memref<64xi32, 5>
  // CHECK: npu.vmerge f16 {{.*}} pairs %{{.*}}, %{{.*}} {
  npu.vmerge f16 %q[%c0], %p[%c0], %p[%c0] rows %c1 pairs %c32, %c32
    {dst_strides = array<i64: 0, 1>, src0_strides = array<i64: 0, 1>, src1_strides = array<i64: 0, 1>}
    : memref<256xi32, 5>, memref<128xi32, 5>, memref<128xi32, 5>
  // CHECK: npu.vpairs keys
  npu.vpairs keys %a[%c0], %p[%c0] rows %c1 cols %c32
    {dst_strides = array<i64: 0, 1>, src_strides = array<i64: 0, 1>}
    : memref<64xf16, 5>, memref<128xi32, 5>
  // CHECK: npu.store {{.*}} {mode = 1 : i32
  npu.store %x[%c0], %p[%c0] rows %c1 row_bytes %c128 gm_stride %c0
    {src_strides = array<i64: 0, 1>, mode = 1 : i32} : memref<128xi32>, memref<128xi32, 5>
  // CHECK: npu.post MTE3 %{{.*}} to %{{.*}}, %{{.*}} : memref<128xi32>
  npu.post MTE3 %x to %n, %c1 : memref<128xi32>
  // CHECK: npu.pend %{{.*}}, %{{.*}} : memref<128xi32>
  npu.pend %x, %c1 : memref<128xi32>
  // CHECK: npu.barrier device
  npu.barrier device
  // CHECK: npu.print "none"
  npu.print "none"
  // CHECK: npu.print "{d} {x}", %{{.*}}, %{{.*}}
  npu.print "{d} {x}", %bits, %bits
  // CHECK: npu.assert %{{.*}}, "holds"
  npu.assert %bits, "holds"
  return
}

// CHECK-LABEL: func.func @columns
func.func @columns(%y: memref<16x64xi8>, %n: index) attributes {npu.kernel} {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c16 = arith.constant 16 : index
  %c32 = arith.constant 32 : index
  %c64 = arith.constant 64 : index
  %bt = npu.alloc "bt" : memref<64xf32, 6>
  %acc = npu.alloc "acc" : memref<16x64xi32, 4>
  // CHECK: npu.fix {{.*}} scales %{{.*}}[%{{.*}}] : memref<64xf32, 6> slopes %{{.*}}[%{{.*}}] : memref<64xf32, 6> {activation = 4 : i32, zero_point = -3 : i64}
  npu.fix %y[%c0], %acc[%c0] m %c16 n %c64 m1 %c1 c1_stride %c32 m_pitch %c64
    scales %bt[%c0] : memref<64xf32, 6> slopes %bt[%c0] : memref<64xf32, 6>
    {activation = 4 : i32, zero_point = -3 : i64} : memref<16x64xi8>, memref<16x64xi32, 4>
  return
}
