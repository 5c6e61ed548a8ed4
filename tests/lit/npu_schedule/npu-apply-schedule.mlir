// SPDX-License-Identifier: Apache-2.0
// RUN: kiln-opt %s --npu-apply-schedule | FileCheck %s

// A function's own schedule is followed to the letter: slices of GM are copied
// to L1, the moves to L0 are the operations themselves, the accumulator is one
// buffer over the k loop, and no loop is peeled for the tails.

// CHECK-LABEL: func.func @matmul
// CHECK-SAME: npu.schedule = "contraction: cores[100,77]; l1[64,48,33] order[0,1]; l0[32,16,16]; a@L1x2; b@L1x1; acc@L0Cx2"
// CHECK: scf.for
// CHECK: npu.alloc_tile "a" in 1 depth 2 : tensor<3x64x16xf16>
// CHECK: npu.pack {{.*}}npu.placed
// CHECK: scf.for
// CHECK: npu.alloc_tile "b" in 1 depth 1 : tensor<3x48x16xf16>
// CHECK: linalg.copy
// CHECK: npu.alloc_tile "acc" in 4 depth 2 : tensor<32x16xf32>
// CHECK: linalg.fill
// CHECK: scf.for
// CHECK: npu.alloc_tile "a0" in 2 depth 1 : tensor<32x16xf16>
// CHECK: npu.unpack {{.*}}kind = "rows"
// CHECK: npu.alloc_tile "b0" in 3 depth 1 : tensor<16x16xf16>
// CHECK: npu.unpack {{.*}}kind = "columns"
// CHECK: linalg.matmul
// CHECK: linalg.generic
func.func @matmul(%ma: memref<100x33xf16>, %mb: memref<3x80x16xf16>, %out: memref<100x77xf32>) attributes {npu.kernel, npu.schedule = "contraction: cores[100,77]; l1[64,48,33] order[0,1]; l0[32,16,16]; a@L1x2; b@L1x1; acc@L0Cx2"} {
  %x = bufferization.to_tensor %ma restrict : memref<100x33xf16> to tensor<100x33xf16>
  %w = bufferization.to_tensor %mb restrict : memref<3x80x16xf16> to tensor<3x80x16xf16>
  %z = arith.constant 0.0 : f32
  %ep = tensor.empty() : tensor<3x100x16xf16>
  %p = npu.pack %x into %ep : tensor<100x33xf16>, tensor<3x100x16xf16> -> tensor<3x100x16xf16>
  %ea = tensor.empty() : tensor<100x33xf16>
  %a = npu.unpack %p into %ea {kind = "rows"} : tensor<3x100x16xf16>, tensor<100x33xf16> -> tensor<100x33xf16>
  %eb = tensor.empty() : tensor<33x77xf16>
  %b = npu.unpack %w into %eb {kind = "columns"} : tensor<3x80x16xf16>, tensor<33x77xf16> -> tensor<33x77xf16>
  %ec = tensor.empty() : tensor<100x77xf32>
  %i = linalg.fill ins(%z : f32) outs(%ec : tensor<100x77xf32>) -> tensor<100x77xf32>
  %c = linalg.matmul ins(%a, %b : tensor<100x33xf16>, tensor<33x77xf16>) outs(%i : tensor<100x77xf32>) -> tensor<100x77xf32>
  %r = linalg.generic {indexing_maps = [affine_map<(m, n) -> (m, n)>, affine_map<(m, n) -> (m, n)>], iterator_types = ["parallel", "parallel"]} ins(%c : tensor<100x77xf32>) outs(%ec : tensor<100x77xf32>) attrs = {npu.root} {
  ^bb0(%v: f32, %o: f32):
    linalg.yield %v : f32
  } -> tensor<100x77xf32>
  bufferization.materialize_in_destination %r in restrict writable %out : (tensor<100x77xf32>, memref<100x77xf32>) -> ()
  return
}

// A vector kernel: rows padded to 32 bytes, a broadcast operand in one block
// per element.

// CHECK-LABEL: func.func @scale_rows
// CHECK: npu.alloc_tile "in" in 5 depth 2 : tensor<6x80xf32>
// CHECK: npu.alloc_tile "in" in 5 depth 2 : tensor<6x8xf32>
// CHECK: npu.alloc_tile "out" in 5 depth 2 : tensor<6x80xf32>
func.func @scale_rows(%mx: memref<6x77xf32>, %my: memref<6xf32>, %out: memref<6x77xf32>) attributes {npu.kernel} {
  %x = bufferization.to_tensor %mx restrict : memref<6x77xf32> to tensor<6x77xf32>
  %y = bufferization.to_tensor %my restrict : memref<6xf32> to tensor<6xf32>
  %e = tensor.empty() : tensor<6x77xf32>
  %r = linalg.generic {indexing_maps = [affine_map<(i, j) -> (i, j)>, affine_map<(i, j) -> (i)>, affine_map<(i, j) -> (i, j)>], iterator_types = ["parallel", "parallel"]} ins(%x, %y : tensor<6x77xf32>, tensor<6xf32>) outs(%e : tensor<6x77xf32>) attrs = {npu.root} {
  ^bb0(%a: f32, %b: f32, %o: f32):
    %s = arith.mulf %a, %b : f32
    linalg.yield %s : f32
  } -> tensor<6x77xf32>
  bufferization.materialize_in_destination %r in restrict writable %out : (tensor<6x77xf32>, memref<6x77xf32>) -> ()
  return
}
