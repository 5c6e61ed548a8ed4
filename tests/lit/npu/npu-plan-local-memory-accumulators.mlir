// RUN: kiln-opt %s --npu-plan-local-memory=machine=k1 --npu-insert-sync --npu-verify-sync | FileCheck %s --check-prefixes=CHECK,K1
// RUN: kiln-opt %s --npu-plan-local-memory=machine=k1-nano --npu-insert-sync --npu-verify-sync | FileCheck %s --check-prefixes=CHECK,NANO

// Banks of L0C are 64 KiB on k1 and 2 KiB on k1-nano. FIX empties one slot
// while M fills the other: they lie in banks of their own.
// CHECK-LABEL: func.func @turns
func.func @turns(%n: index, %y: memref<65536xf32>) attributes {npu.kernel} {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c16 = arith.constant 16 : index
  %c32 = arith.constant 32 : index
  %c64 = arith.constant 64 : index
  %a = npu.alloc "a" : memref<16x16xf16, 2>
  %b = npu.alloc "b" : memref<16x16xf16, 3>
  scf.for %i = %c0 to %n step %c1 {
    // K1: npu.alloc "acc" slot {{.*}} {address = 0 : i64, depth = 2 : i64, pitch = 65536 : i64}
    // NANO: npu.alloc "acc" slot {{.*}} {address = 0 : i64, depth = 2 : i64, pitch = 2048 : i64}
    %c = npu.alloc "acc" {depth = 2} : memref<16x16xf32, 4>
    npu.mmad %c[%c0], %a[%c0], %b[%c0] m %c16 n %c16 k %c16 mode %c0
      : memref<16x16xf32, 4>, memref<16x16xf16, 2>, memref<16x16xf16, 3>
    npu.fix %y[%c0], %c[%c0] m %c16 n %c16 m1 %c1 c1_stride %c32 m_pitch %c64
      : memref<65536xf32>, memref<16x16xf32, 4>
  }
  return
}

// Where a slot cannot go further on, they follow each other: on k1-nano 5 KiB of
// 8 are taken, and two slots of 1 KiB lie in banks of 2 KiB behind them.
// CHECK-LABEL: func.func @full
func.func @full(%n: index, %y: memref<65536xf32>) attributes {npu.kernel} {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c16 = arith.constant 16 : index
  %c32 = arith.constant 32 : index
  %c64 = arith.constant 64 : index
  %a = npu.alloc "a" : memref<16x16xf16, 2>
  %b = npu.alloc "b" : memref<16x16xf16, 3>
  // CHECK: npu.alloc "rest" {address = 0 : i64}
  %rest = npu.alloc "rest" : memref<16x80xf32, 4>
  scf.for %i = %c0 to %n step %c1 {
    // K1: npu.alloc "acc" slot {{.*}} {address = 5120 : i64, depth = 2 : i64, pitch = 65536 : i64}
    // NANO: npu.alloc "acc" slot {{.*}} {address = 5120 : i64, depth = 2 : i64}
    %c = npu.alloc "acc" {depth = 2} : memref<16x16xf32, 4>
    npu.mmad %rest[%c0], %a[%c0], %b[%c0] m %c16 n %c16 k %c16 mode %c0
      : memref<16x80xf32, 4>, memref<16x16xf16, 2>, memref<16x16xf16, 3>
    npu.mmad %c[%c0], %a[%c0], %b[%c0] m %c16 n %c16 k %c16 mode %c0
      : memref<16x16xf32, 4>, memref<16x16xf16, 2>, memref<16x16xf16, 3>
    npu.fix %y[%c0], %c[%c0] m %c16 n %c16 m1 %c1 c1_stride %c32 m_pitch %c64
      : memref<65536xf32>, memref<16x16xf32, 4>
  }
  return
}
