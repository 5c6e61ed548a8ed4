// SPDX-License-Identifier: Apache-2.0
// RUN: kiln-opt %s --npu-refuse-inlined --split-input-file --verify-diagnostics | FileCheck %s

// What an operation of nn becomes is not asked, however few generics it has.
// CHECK-LABEL: func.func private @sums
// CHECK: attributes {plan.dispatch} {
func.func private @sums(%x: tensor<4x8xf32>, %f: tensor<4xf32>) -> tensor<4xf32> attributes {plan.dispatch} {
  %s = linalg.generic {indexing_maps = [affine_map<(i, j) -> (i, j)>, affine_map<(i, j) -> (i)>], iterator_types = ["parallel", "reduction"]} ins(%x : tensor<4x8xf32>) outs(%f : tensor<4xf32>) {
  ^bb0(%a: f32, %o: f32):
    %n = arith.addf %o, %a : f32
    linalg.yield %n : f32
  } -> tensor<4xf32>
  return %s : tensor<4xf32>
}

// -----

// Elementwise arithmetic of a body is as good as that of nn; the mark is gone
// afterwards.
// CHECK-LABEL: func.func private @negate
// CHECK: attributes {plan.dispatch} {
func.func private @negate(%x: tensor<4xf32>) -> tensor<4xf32> attributes {plan.dispatch, plan.inlined} {
  %e = tensor.empty() : tensor<4xf32>
  %s = linalg.generic {indexing_maps = [affine_map<(i) -> (i)>, affine_map<(i) -> (i)>], iterator_types = ["parallel"]} ins(%x : tensor<4xf32>) outs(%e : tensor<4xf32>) {
  ^bb0(%a: f32, %o: f32):
    %n = arith.negf %a : f32
    linalg.yield %n : f32
  } -> tensor<4xf32>
  return %s : tensor<4xf32>
}

// -----

// Four generics, and no softmax: the number says nothing.
func.func private @reduction(%x: tensor<4x8xf32>, %f: tensor<4xf32>) -> tensor<4x8xf32> attributes {plan.dispatch, plan.inlined} {
  %e = tensor.empty() : tensor<4x8xf32>
  %0 = linalg.generic {indexing_maps = [affine_map<(i, j) -> (i, j)>, affine_map<(i, j) -> (i, j)>], iterator_types = ["parallel", "parallel"]} ins(%x : tensor<4x8xf32>) outs(%e : tensor<4x8xf32>) {
  ^bb0(%a: f32, %o: f32):
    %n = arith.negf %a : f32
    linalg.yield %n : f32
  } -> tensor<4x8xf32>
  %1 = linalg.generic {indexing_maps = [affine_map<(i, j) -> (i, j)>, affine_map<(i, j) -> (i, j)>], iterator_types = ["parallel", "parallel"]} ins(%0 : tensor<4x8xf32>) outs(%e : tensor<4x8xf32>) {
  ^bb0(%a: f32, %o: f32):
    %n = arith.mulf %a, %a : f32
    linalg.yield %n : f32
  } -> tensor<4x8xf32>
  // expected-error @+1 {{'linalg.generic' op is a reduction of its own, which the NPU's compiler does not do; write a kernel for it}}
  %2 = linalg.generic {indexing_maps = [affine_map<(i, j) -> (i, j)>, affine_map<(i, j) -> (i)>], iterator_types = ["parallel", "reduction"]} ins(%1 : tensor<4x8xf32>) outs(%f : tensor<4xf32>) {
  ^bb0(%a: f32, %o: f32):
    %n = arith.addf %o, %a : f32
    linalg.yield %n : f32
  } -> tensor<4xf32>
  %3 = linalg.generic {indexing_maps = [affine_map<(i, j) -> (i, j)>, affine_map<(i, j) -> (i)>, affine_map<(i, j) -> (i, j)>], iterator_types = ["parallel", "parallel"]} ins(%1, %2 : tensor<4x8xf32>, tensor<4xf32>) outs(%e : tensor<4x8xf32>) {
  ^bb0(%a: f32, %b: f32, %o: f32):
    %n = arith.divf %a, %b : f32
    linalg.yield %n : f32
  } -> tensor<4x8xf32>
  return %3 : tensor<4x8xf32>
}

// -----

func.func private @integers(%x: tensor<4xf32>) -> tensor<4xf32> attributes {plan.dispatch, plan.inlined} {
  %e = tensor.empty() : tensor<4xf32>
  // expected-error @+1 {{'linalg.generic' op computes with integers, which the NPU's compiler does not do; write a kernel for it}}
  %s = linalg.generic {indexing_maps = [affine_map<(i) -> (i)>, affine_map<(i) -> (i)>], iterator_types = ["parallel"]} ins(%x : tensor<4xf32>) outs(%e : tensor<4xf32>) {
  ^bb0(%a: f32, %o: f32):
    %i = arith.fptosi %a : f32 to i32
    %n = arith.sitofp %i : i32 to f32
    linalg.yield %n : f32
  } -> tensor<4xf32>
  return %s : tensor<4xf32>
}

// -----

func.func private @order(%x: tensor<8xf32>) -> tensor<4xf32> attributes {plan.dispatch, plan.inlined} {
  %e = tensor.empty() : tensor<4xf32>
  // expected-error @+1 {{'linalg.generic' op reads elements in an order of its own, which the NPU's compiler does not do; write a kernel for it}}
  %s = linalg.generic {indexing_maps = [affine_map<(i) -> (2 * i)>, affine_map<(i) -> (i)>], iterator_types = ["parallel"]} ins(%x : tensor<8xf32>) outs(%e : tensor<4xf32>) {
  ^bb0(%a: f32, %o: f32):
    linalg.yield %a : f32
  } -> tensor<4xf32>
  return %s : tensor<4xf32>
}

// -----

func.func private @type(%x: tensor<4x2xi32>) -> tensor<2x4xi32> attributes {plan.dispatch, plan.inlined} {
  // expected-error @+1 {{'tensor.empty' op gives no tensor of f16 or f32, which the NPU's compiler does not do; write a kernel for it}}
  %e = tensor.empty() : tensor<2x4xi32>
  %s = linalg.transpose ins(%x : tensor<4x2xi32>) outs(%e : tensor<2x4xi32>) permutation = [1, 0]
  return %s : tensor<2x4xi32>
}
