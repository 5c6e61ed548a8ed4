// RUN: kiln-opt %s --npu-plan-local-memory=machine=k1 --npu-insert-sync --npu-verify-sync | FileCheck %s

// Loops with 7, 5, 4 and 3 slots, each inside the other, none of a known number
// of trips. Each is back after its own slots have turned: the innermost body is
// walked some thousand times. With the least common multiple for every loop it
// would be 420 to the fourth, and this test would not end.

// CHECK-LABEL: func.func @turns
// CHECK-NOT: npu.barrier
// CHECK: npu.set_flag V to MTE3, %arg
// CHECK-NOT: npu.barrier
// CHECK: return
func.func @turns(%x: memref<256xf16>, %y: memref<256xf16>, %n: index) attributes {npu.kernel} {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c16 = arith.constant 16 : index
  %c512 = arith.constant 512 : index
  %bits = arith.constant 0 : i64
  scf.for %i7 = %c0 to %n step %c1 {
    %b7 = npu.alloc "b7" {depth = 7} : memref<256xf16, 5>
    npu.vdup %b7[%c0], %bits rows %c16 cols %c16 {dst_strides = array<i64: 1, 1>} : memref<256xf16, 5>
    scf.for %i5 = %c0 to %n step %c1 {
      %b5 = npu.alloc "b5" {depth = 5} : memref<256xf16, 5>
      npu.load %b5[%c0], %x[%c0] rows %c1 row_bytes %c512 gm_stride %c0
        {dst_strides = array<i64: 0, 1>} : memref<256xf16, 5>, memref<256xf16>
      scf.for %i4 = %c0 to %n step %c1 {
        %b4 = npu.alloc "b4" {depth = 4} : memref<256xf16, 5>
        npu.load %b4[%c0], %x[%c0] rows %c1 row_bytes %c512 gm_stride %c0
          {dst_strides = array<i64: 0, 1>} : memref<256xf16, 5>, memref<256xf16>
        scf.for %i3 = %c0 to %n step %c1 {
          %b3 = npu.alloc "b3" {depth = 3} : memref<256xf16, 5>
          npu.load %b3[%c0], %x[%c0] rows %c1 row_bytes %c512 gm_stride %c0
            {dst_strides = array<i64: 0, 1>} : memref<256xf16, 5>, memref<256xf16>
          npu.store %y[%c0], %b3[%c0] rows %c1 row_bytes %c512 gm_stride %c0
            {src_strides = array<i64: 0, 1>} : memref<256xf16>, memref<256xf16, 5>
        }
        npu.vunary mov %b4[%c0], %b4[%c0] rows %c16 cols %c16
          {dst_strides = array<i64: 1, 1>, src_strides = array<i64: 1, 1>} : memref<256xf16, 5>, memref<256xf16, 5>
      }
      npu.store %y[%c0], %b5[%c0] rows %c1 row_bytes %c512 gm_stride %c0
        {src_strides = array<i64: 0, 1>} : memref<256xf16>, memref<256xf16, 5>
    }
    npu.store %y[%c0], %b7[%c0] rows %c1 row_bytes %c512 gm_stride %c0
      {src_strides = array<i64: 0, 1>} : memref<256xf16>, memref<256xf16, 5>
  }
  return
}
