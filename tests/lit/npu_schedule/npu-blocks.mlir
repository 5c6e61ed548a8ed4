// SPDX-License-Identifier: Apache-2.0
// RUN: kiln-opt %s --npu-blocks | FileCheck %s

// CHECK-DAG: #[[ROW:.*]] = affine_map<(d0) -> ((d0 floordiv 3) * 16)>
// CHECK-DAG: #[[COLUMN:.*]] = affine_map<(d0) -> ((d0 mod 3) * 8)>
// CHECK-LABEL: func.func @blocks
// CHECK-SAME: npu.block_dim = 12
// CHECK: %[[B:.*]] = npu.block_index
// CHECK-DAG: affine.apply #[[ROW]](%[[B]])
// CHECK-DAG: affine.apply #[[COLUMN]](%[[B]])
// CHECK-NOT: scf.forall
func.func @blocks(%x: memref<64x24xf32>) attributes {npu.kernel} {
  %z = arith.constant 0.0 : f32
  scf.forall (%i, %j) = (0, 0) to (64, 24) step (16, 8) {
    memref.store %z, %x[%i, %j] : memref<64x24xf32>
  }
  return
}
