// RUN: kiln-opt %s --npu-plan-local-memory=machine=k1 --npu-insert-sync --npu-verify-sync --canonicalize | FileCheck %s

// One producer, one consumer, no loop: one flag.
// CHECK-LABEL: func.func @straight
func.func @straight(%x: memref<64xf16>) attributes {npu.kernel} {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c64 = arith.constant 64 : index
  %c128 = arith.constant 128 : index
  %a = npu.alloc "a" : memref<64xf16, 5>
  // CHECK: npu.load
  // CHECK-NEXT: npu.set_flag MTE2 to MTE3, %c0
  // CHECK-NEXT: npu.wait_flag MTE2 to MTE3, %c0
  // CHECK-NEXT: npu.store
  // CHECK-NEXT: return
  npu.load %a[%c0], %x[%c0] rows %c1 row_bytes %c128 gm_stride %c0
    {dst_strides = array<i64: 0, 1>} : memref<64xf16, 5>, memref<64xf16>
  npu.store %x[%c0], %a[%c0] rows %c1 row_bytes %c128 gm_stride %c0
    {src_strides = array<i64: 0, 1>} : memref<64xf16>, memref<64xf16, 5>
  return
}

// Two slots: two ids each way, chosen by the slot; primed before the outermost
// loop of the nest, drained at its end.
// CHECK-LABEL: func.func @double_buffer
func.func @double_buffer(%x: memref<?xf16>, %y: memref<?xf16>, %n: index) attributes {npu.kernel} {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c128 = arith.constant 128 : index
  // CHECK: npu.set_flag MTE3 to MTE2, %c0
  // CHECK-NEXT: npu.set_flag MTE3 to MTE2, %c1
  // CHECK: scf.for
  scf.for %i = %c0 to %n step %c1 {
    // CHECK-NOT: flag
    // CHECK: scf.for {{.*}} iter_args(%[[SLOT:.*]] =
    scf.for %j = %c0 to %n step %c1 {
      %a = npu.alloc "a" {depth = 2} : memref<64xf16, 5>
      // CHECK: npu.wait_flag MTE3 to MTE2, %[[SLOT]]
      // CHECK-NEXT: npu.load
      // CHECK-NEXT: npu.set_flag MTE2 to MTE3, %[[SLOT]]
      // CHECK-NEXT: npu.wait_flag MTE2 to MTE3, %[[SLOT]]
      // CHECK-NEXT: npu.store
      // CHECK-NEXT: npu.set_flag MTE3 to MTE2, %[[SLOT]]
      npu.load %a[%c0], %x[%j] rows %c1 row_bytes %c128 gm_stride %c0
        {dst_strides = array<i64: 0, 1>} : memref<64xf16, 5>, memref<?xf16>
      npu.store %y[%j], %a[%c0] rows %c1 row_bytes %c128 gm_stride %c0
        {src_strides = array<i64: 0, 1>} : memref<?xf16>, memref<64xf16, 5>
    }
    // CHECK-NOT: flag
    // CHECK: scf.yield
  }
  // CHECK: npu.wait_flag MTE3 to MTE2, %c0
  // CHECK-NEXT: npu.wait_flag MTE3 to MTE2, %c1
  return
}

// Loads of one pipe need one flag: the second load orders the first.
// CHECK-LABEL: func.func @implied
func.func @implied(%x: memref<64xf16>) attributes {npu.kernel} {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c64 = arith.constant 64 : index
  %c128 = arith.constant 128 : index
  %a = npu.alloc "a" : memref<64xf16, 5>
  %b = npu.alloc "b" : memref<64xf16, 5>
  // CHECK: npu.load
  // CHECK-NEXT: npu.load
  // CHECK-NEXT: npu.set_flag MTE2 to V
  // CHECK-NEXT: npu.wait_flag MTE2 to V
  // CHECK-NEXT: npu.vbinary
  // CHECK-NEXT: return
  npu.load %a[%c0], %x[%c0] rows %c1 row_bytes %c128 gm_stride %c0
    {dst_strides = array<i64: 0, 1>} : memref<64xf16, 5>, memref<64xf16>
  npu.load %b[%c0], %x[%c0] rows %c1 row_bytes %c128 gm_stride %c0
    {dst_strides = array<i64: 0, 1>} : memref<64xf16, 5>, memref<64xf16>
  npu.vbinary add %a[%c0], %a[%c0], %b[%c0] rows %c1 cols %c64
    {dst_strides = array<i64: 0, 1>, src0_strides = array<i64: 0, 1>, src1_strides = array<i64: 0, 1>}
    : memref<64xf16, 5>, memref<64xf16, 5>, memref<64xf16, 5>
  return
}

// An if is one item: its flags stand outside, so they balance on both ways.
// CHECK-LABEL: func.func @branch
func.func @branch(%x: memref<64xf16>, %v: i64, %n: index) attributes {npu.kernel} {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c64 = arith.constant 64 : index
  %c128 = arith.constant 128 : index
  %some = arith.cmpi sgt, %n, %c0 : index
  %a = npu.alloc "a" : memref<64xf16, 5>
  // CHECK: npu.vdup
  // CHECK-NEXT: scf.if
  // CHECK-NEXT: npu.vdup
  // CHECK: {{^    }$}}
  // CHECK-NEXT: npu.set_flag V to MTE3
  // CHECK-NEXT: npu.wait_flag V to MTE3
  // CHECK-NEXT: npu.store
  npu.vdup %a[%c0], %v rows %c1 cols %c64 {dst_strides = array<i64: 0, 1>} : memref<64xf16, 5>
  scf.if %some {
    npu.vdup %a[%c0], %v rows %c1 cols %n {dst_strides = array<i64: 0, 1>} : memref<64xf16, 5>
  }
  npu.store %x[%c0], %a[%c0] rows %c1 row_bytes %c128 gm_stride %c0
    {src_strides = array<i64: 0, 1>} : memref<64xf16>, memref<64xf16, 5>
  return
}

// The control core's accesses of UB are items of pipe S.
// CHECK-LABEL: func.func @control
func.func @control(%v: i64) attributes {npu.kernel} {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c64 = arith.constant 64 : index
  %a = npu.alloc "a" : memref<64xf16, 5>
  // CHECK: npu.vdup
  // CHECK-NEXT: npu.set_flag V to S
  // CHECK-NEXT: npu.wait_flag V to S
  // CHECK-NEXT: npu.scalar_load
  npu.vdup %a[%c0], %v rows %c1 cols %c64 {dst_strides = array<i64: 0, 1>} : memref<64xf16, 5>
  %s = npu.scalar_load %a[%c0] : memref<64xf16, 5> -> i16
  npu.scalar_store %a[%c0], %s : memref<64xf16, 5>, i16
  return
}
