// RUN: kiln-opt %s --npu-minimize-config | FileCheck %s

// All words are 0 at launch; a repeat is dropped, a change is kept.
// CHECK-LABEL: func.func @repeats
func.func @repeats(%d: i64) {
  %c0 = arith.constant 0 : i64
  %c1 = arith.constant 1 : i64
  // CHECK-NOT: npu_isa.kcfg
  // CHECK: npu_isa.ld.ub
  npu_isa.kcfg pipe(1) index(0) %c0
  npu_isa.ld.ub %d, %d, %d
  // CHECK: npu_isa.kcfg pipe(1) index(0) %c1_i64
  npu_isa.kcfg pipe(1) index(0) %c1
  npu_isa.ld.ub %d, %d, %d
  // CHECK-NOT: npu_isa.kcfg
  npu_isa.kcfg pipe(1) index(0) %c1
  npu_isa.ld.ub %d, %d, %d
  // CHECK: return
  return
}

// One value in the loop: written once, before it.
// CHECK-LABEL: func.func @invariant
func.func @invariant(%d: i64, %n: index) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c7 = arith.constant 7 : i64
  // CHECK: npu_isa.kcfg pipe(4) index(0) %{{.*}}
  // CHECK-NEXT: scf.for
  // CHECK-NOT: npu_isa.kcfg
  // CHECK: npu_isa.fix.gm
  // CHECK: return
  scf.for %i = %c0 to %n step %c1 {
    npu_isa.kcfg pipe(4) index(0) %c7
    npu_isa.fix.gm accumulator(7) %d, %d, %d
  }
  return
}

// Two values in the loop, and a value that changes: both stay.
// CHECK-LABEL: func.func @changing
func.func @changing(%d: i64, %n: index) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c7 = arith.constant 7 : i64
  %c8 = arith.constant 8 : i64
  scf.for %i = %c0 to %n step %c1 {
    %v = arith.index_cast %i : index to i64
    // CHECK: scf.for
    // CHECK: npu_isa.kcfg pipe(4) index(0) %c7_i64
    npu_isa.kcfg pipe(4) index(0) %c7
    npu_isa.fix.gm accumulator(7) %d, %d, %d
    // CHECK: npu_isa.kcfg pipe(4) index(0) %c8_i64
    npu_isa.kcfg pipe(4) index(0) %c8
    // CHECK: npu_isa.kcfg pipe(4) index(1)
    npu_isa.kcfg pipe(4) index(1) %v
    npu_isa.fix.gm accumulator(7) %d, %d, %d
  }
  return
}

// A join of two values is unknown.
// CHECK-LABEL: func.func @join
func.func @join(%d: i64, %some: i1) {
  %c0 = arith.constant 0 : i64
  %c1 = arith.constant 1 : i64
  scf.if %some {
    // CHECK: scf.if
    // CHECK: npu_isa.kcfg pipe(1) index(0) %c1_i64
    npu_isa.kcfg pipe(1) index(0) %c1
    npu_isa.ld.ub %d, %d, %d
  }
  // CHECK: npu_isa.kcfg pipe(1) index(0) %c0_i64
  npu_isa.kcfg pipe(1) index(0) %c0
  npu_isa.ld.ub %d, %d, %d
  return
}
