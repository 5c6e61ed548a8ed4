// RUN: kiln-opt %s --npu-plan-local-memory=machine=k1 | FileCheck %s --check-prefixes=CHECK,K1
// RUN: kiln-opt %s --npu-plan-local-memory=machine=k1-nano | FileCheck %s --check-prefixes=CHECK,NANO

// Banks of UB are 64 KiB in 16 groups on k1 and 8 KiB in 4 groups on k1-nano.
// By size alone the operands would lie at 0, 2048 and 4096 and both sources in
// the same groups of one bank; half a turn of the groups apart they do not
// meet. By how much depends on the machine.
// CHECK-LABEL: func.func @add
func.func @add(%n: index) attributes {npu.kernel} {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c1024 = arith.constant 1024 : index
  // K1: npu.alloc "a" {address = 4352 : i64}
  // NANO: npu.alloc "a" {address = 4160 : i64}
  // CHECK: npu.alloc "b" {address = 0 : i64}
  // CHECK: npu.alloc "c" {address = 2048 : i64}
  %a = npu.alloc "a" : memref<1024xf16, 5>
  %b = npu.alloc "b" : memref<1024xf16, 5>
  %c = npu.alloc "c" : memref<1024xf16, 5>
  scf.for %i = %c0 to %n step %c1 {
    npu.vbinary add %c[%c0], %a[%c0], %b[%c0] rows %c1 cols %c1024
      {dst_strides = array<i64: 0, 1>, src0_strides = array<i64: 0, 1>,
       src1_strides = array<i64: 0, 1>}
      : memref<1024xf16, 5>, memref<1024xf16, 5>, memref<1024xf16, 5>
  }
  return
}

// A buffer that fills UB (of k1-nano) leaves no choice: the place by size stands.
// CHECK-LABEL: func.func @full
func.func @full(%n: index) attributes {npu.kernel} {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c512 = arith.constant 512 : index
  %c1024 = arith.constant 1024 : index
  // NANO: npu.alloc "all" {address = 0 : i64}
  %a = npu.alloc "all" : memref<16384xf16, 5>
  scf.for %i = %c0 to %n step %c1 {
    npu.vbinary add %a[%c0], %a[%c0], %a[%c1024] rows %c1 cols %c512
      {dst_strides = array<i64: 0, 1>, src0_strides = array<i64: 0, 1>,
       src1_strides = array<i64: 0, 1>}
      : memref<16384xf16, 5>, memref<16384xf16, 5>, memref<16384xf16, 5>
  }
  return
}
