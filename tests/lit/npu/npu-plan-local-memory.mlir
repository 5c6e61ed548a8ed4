// RUN: kiln-opt %s --npu-plan-local-memory=machine=k1 --canonicalize | FileCheck %s

// Buffers that do not live at the same time share bytes; the larger is placed
// first.
// CHECK-LABEL: func.func @lifetimes
func.func @lifetimes(%v: i64, %x: memref<64xf16>) attributes {npu.kernel} {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c128 = arith.constant 128 : index
  %c64 = arith.constant 64 : index
  // CHECK-DAG: npu.alloc "first" {address = 4096 : i64}
  %a = npu.alloc "first" : memref<64xf16, 5>
  // CHECK-DAG: npu.alloc "large" {address = 0 : i64}
  %b = npu.alloc "large" : memref<2048xf16, 5>
  // CHECK-DAG: npu.alloc "second" {address = 4096 : i64}
  %c = npu.alloc "second" : memref<64xf16, 5>
  npu.vdup %b[%c0], %v rows %c1 cols %c64 {dst_strides = array<i64: 0, 1>} : memref<2048xf16, 5>
  npu.load %a[%c0], %x[%c0] rows %c1 row_bytes %c128 gm_stride %c0 {dst_strides = array<i64: 0, 1>} : memref<64xf16, 5>, memref<64xf16>
  npu.load %c[%c0], %x[%c0] rows %c1 row_bytes %c128 gm_stride %c0 {dst_strides = array<i64: 0, 1>} : memref<64xf16, 5>, memref<64xf16>
  npu.vdup %b[%c0], %v rows %c1 cols %c64 {dst_strides = array<i64: 0, 1>} : memref<2048xf16, 5>
  return
}

// A slot counter goes through every loop of the nest and does not restart.
// CHECK-LABEL: func.func @slots
func.func @slots(%v: i64, %n: index) attributes {npu.kernel} {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c64 = arith.constant 64 : index
  // CHECK: scf.for {{.*}} iter_args(%[[OUTER:.*]] = %c0) -> (index)
  scf.for %i = %c0 to %n step %c1 {
    // CHECK: %[[INNER:.*]] = scf.for {{.*}} iter_args(%[[SLOT:.*]] = %[[OUTER]]) -> (index)
    scf.for %j = %c0 to %n step %c1 {
      // CHECK: npu.alloc "a" slot %[[SLOT]] {address = 0 : i64, depth = 2 : i64}
      %a = npu.alloc "a" {depth = 2} : memref<64xf16, 5>
      // CHECK: npu.alloc "b" slot %[[SLOT]] {address = 256 : i64, depth = 2 : i64}
      %b = npu.alloc "b" {depth = 2} : memref<64xf16, 5>
      npu.vdup %a[%c0], %v rows %c1 cols %c64 {dst_strides = array<i64: 0, 1>} : memref<64xf16, 5>
      npu.vdup %b[%c0], %v rows %c1 cols %c64 {dst_strides = array<i64: 0, 1>} : memref<64xf16, 5>
      // CHECK: %[[NEXT:.*]] = arith.xori %[[SLOT]], %c1
      // CHECK: scf.yield %[[NEXT]]
    }
    // CHECK: scf.yield %[[INNER]]
  }
  return
}

// Three slots: no division.
// CHECK-LABEL: func.func @three
func.func @three(%v: i64, %n: index) attributes {npu.kernel} {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c64 = arith.constant 64 : index
  // CHECK: iter_args(%[[SLOT:.*]] = %c0)
  scf.for %i = %c0 to %n step %c1 {
    %a = npu.alloc "a" {depth = 3} : memref<64xf16, 5>
    npu.vdup %a[%c0], %v rows %c1 cols %c64 {dst_strides = array<i64: 0, 1>} : memref<64xf16, 5>
    // CHECK: %[[LAST:.*]] = arith.cmpi eq, %[[SLOT]], %c2
    // CHECK: %[[SUM:.*]] = arith.addi %[[SLOT]], %c1
    // CHECK: arith.select %[[LAST]], %c0, %[[SUM]]
  }
  return
}

// Outside of loops a second slot has no use. L0 buffers are whole fractals.
// CHECK-LABEL: func.func @rounding
func.func @rounding(%n: index) attributes {npu.kernel} {
  %c0 = arith.constant 0 : index
  %c17 = arith.constant 17 : index
  // CHECK-DAG: npu.alloc "x" {address = 0 : i64} : memref<17x17xf16, 2>
  %x = npu.alloc "x" {depth = 2} : memref<17x17xf16, 2>
  // CHECK-DAG: npu.alloc "y" {address = 2048 : i64} : memref<16x16xf16, 2>
  %y = npu.alloc "y" : memref<16x16xf16, 2>
  %b = npu.alloc "b" : memref<17x16xf16, 3>
  %c = npu.alloc "c" : memref<17x16xf32, 4>
  npu.mmad %c[%c0], %x[%c0], %b[%c0] m %c17 n %n k %c17 mode %c0
    : memref<17x16xf32, 4>, memref<17x17xf16, 2>, memref<17x16xf16, 3>
  npu.mmad %c[%c0], %y[%c0], %b[%c0] m %n n %n k %n mode %c0
    : memref<17x16xf32, 4>, memref<16x16xf16, 2>, memref<17x16xf16, 3>
  npu.mmad %c[%c0], %x[%c0], %b[%c0] m %c17 n %n k %c17 mode %c0
    : memref<17x16xf32, 4>, memref<17x17xf16, 2>, memref<17x16xf16, 3>
  return
}
