// SPDX-License-Identifier: Apache-2.0
// RUN: kiln-opt %s --linalg-to-npu | FileCheck %s

// Rows that are contiguous on both sides become one row of bytes.
// CHECK-LABEL: func.func @copies
// CHECK: npu.load {{.*}} rows %c4 row_bytes %c7168 gm_stride %c100352 {dst_strides = array<i64: 560, 1>}
// CHECK: npu.store {{.*}} rows %c6 row_bytes %c308 gm_stride %c308 {src_strides = array<i64: 10, 1>}
func.func @copies(%x: memref<4x56x56x16xf16>, %y: memref<6x77xf32>) attributes {npu.kernel} {
  %s = memref.subview %x[0, 3, 0, 0] [4, 4, 56, 16] [1, 1, 1, 1] : memref<4x56x56x16xf16> to memref<4x4x56x16xf16, strided<[50176, 896, 16, 1], offset: 2688>>
  %l1 = npu.alloc "image" : memref<4x10x56x16xf16, 1>
  %d = memref.subview %l1[0, 0, 0, 0] [4, 4, 56, 16] [1, 1, 1, 1] : memref<4x10x56x16xf16, 1> to memref<4x4x56x16xf16, strided<[8960, 896, 16, 1]>, 1>
  linalg.copy ins(%s : memref<4x4x56x16xf16, strided<[50176, 896, 16, 1], offset: 2688>>) outs(%d : memref<4x4x56x16xf16, strided<[8960, 896, 16, 1]>, 1>)
  %ub = npu.alloc "rows" : memref<6x80xf32, 5>
  %v = memref.subview %ub[0, 0] [6, 77] [1, 1] : memref<6x80xf32, 5> to memref<6x77xf32, strided<[80, 1]>, 5>
  linalg.copy ins(%v : memref<6x77xf32, strided<[80, 1]>, 5>) outs(%y : memref<6x77xf32>)
  return
}

// exp(x - m) with m per row: one block per row, then one command.
// CHECK-LABEL: func.func @exp_of_difference
// CHECK: npu.vbroadcast {{.*}} rows %c6 cols %c8
// CHECK: npu.vbinary expd {{.*}} rows %c6 cols %c77
// CHECK-SAME: src1_strides = array<i64: 1, 0>
func.func @exp_of_difference() attributes {npu.kernel} {
  %x = npu.alloc "x" : memref<6x80xf32, 5>
  %xv = memref.subview %x[0, 0] [6, 77] [1, 1] : memref<6x80xf32, 5> to memref<6x77xf32, strided<[80, 1]>, 5>
  %m = npu.alloc "m" : memref<6x8xf32, 5>
  %mv = memref.subview %m[0, 0] [6, 1] [1, 1] : memref<6x8xf32, 5> to memref<6xf32, strided<[8]>, 5>
  linalg.generic {indexing_maps = [affine_map<(i, j) -> (i, j)>, affine_map<(i, j) -> (i)>, affine_map<(i, j) -> (i, j)>], iterator_types = ["parallel", "parallel"]} ins(%xv, %mv : memref<6x77xf32, strided<[80, 1]>, 5>, memref<6xf32, strided<[8]>, 5>) outs(%xv : memref<6x77xf32, strided<[80, 1]>, 5>) {
  ^bb0(%a: f32, %b: f32, %o: f32):
    %d = arith.subf %a, %b : f32
    %e = math.exp %d : f32
    linalg.yield %e : f32
  }
  return
}

// A window with a stride: blk_stride carries it, taps are loop steps.
// CHECK-LABEL: func.func @max_pool
// CHECK: scf.for
// CHECK: scf.for
// CHECK: npu.vbinary max {{.*}} rows %c3 cols %c48
// CHECK-SAME: dst_strides = array<i64: 1, 3>
// CHECK-SAME: src1_strides = array<i64: 2, 14>
func.func @max_pool() attributes {npu.kernel} {
  %x = npu.alloc "x" : memref<1x7x7x16xf16, 5>
  %w = npu.alloc "w" : memref<3x3xf32, 5>
  %y = npu.alloc "y" : memref<1x3x3x16xf16, 5>
  linalg.generic {indexing_maps = [affine_map<(c, h, w, l, i, j) -> (c, h * 2 + i, w * 2 + j, l)>, affine_map<(c, h, w, l, i, j) -> (i, j)>, affine_map<(c, h, w, l, i, j) -> (c, h, w, l)>], iterator_types = ["parallel", "parallel", "parallel", "parallel", "reduction", "reduction"]} ins(%x, %w : memref<1x7x7x16xf16, 5>, memref<3x3xf32, 5>) outs(%y : memref<1x3x3x16xf16, 5>) {
  ^bb0(%a: f16, %b: f32, %o: f16):
    %m = arith.maximumf %o, %a : f16
    linalg.yield %m : f16
  }
  return
}
