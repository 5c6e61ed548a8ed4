// SPDX-License-Identifier: Apache-2.0
// RUN: kiln-opt --nn-to-linalg %s | FileCheck %s --check-prefix=INLINED
// RUN: kiln-opt --nn-to-linalg --form-dispatches %s | FileCheck %s

// The operations of the body take the place of nn.custom, marked; those of nn
// are not, nor is a softmax of the model beside it. A table is a constant.
// INLINED-LABEL: plan.func @main
// INLINED: plan.const @c0 : tensor<8xf32>
// INLINED: linalg.fill {plan.inlined}
// INLINED: linalg.generic {{.*}}"reduction"]} {{.*}} attrs = {plan.inlined}
// INLINED: linalg.generic {{.*}}"reduction"]} {{.*}} attrs = {plan.group
// INLINED-NOT: plan.inlined
// INLINED-NOT: nn.body

// Afterwards the dispatch has the mark that holds one of them.
// CHECK-LABEL: plan.func @main
// CHECK: plan.dispatch @sums(
// CHECK: plan.dispatch @scores(
// CHECK: func.func private @sums({{.*}} attributes {plan.dispatch, plan.inlined} {
// CHECK-NOT: plan.inlined
// CHECK: func.func private @scores({{.*}} attributes {plan.dispatch} {
// CHECK-NOT: plan.inlined
plan.func @main(%x: tensor<4x8xf32>) -> (tensor<4xf32>, tensor<4x8xf32>) {
  %0 = nn.custom @body(%x) : (tensor<4x8xf32>) -> tensor<4xf32> loc("sums"("m.onnx":1:0))
  %1 = nn.softmax %x {axis = 1 : i64} : (tensor<4x8xf32>) -> tensor<4x8xf32> loc("scores"("m.onnx":2:0))
  plan.return %0, %1 : tensor<4xf32>, tensor<4x8xf32>
}
func.func private @body(%x: tensor<4x8xf32>) -> tensor<4xf32> attributes {nn.body} {
  %zero = arith.constant 0.0 : f32
  %table = arith.constant dense<[1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0]> : tensor<8xf32>
  %e = tensor.empty() : tensor<4xf32>
  %f = linalg.fill ins(%zero : f32) outs(%e : tensor<4xf32>) -> tensor<4xf32>
  %s = linalg.generic {indexing_maps = [affine_map<(i, j) -> (i, j)>, affine_map<(i, j) -> (j)>, affine_map<(i, j) -> (i)>], iterator_types = ["parallel", "reduction"]} ins(%x, %table : tensor<4x8xf32>, tensor<8xf32>) outs(%f : tensor<4xf32>) {
  ^bb0(%a: f32, %b: f32, %o: f32):
    %p = arith.mulf %a, %b : f32
    %n = arith.addf %o, %p : f32
    linalg.yield %n : f32
  } -> tensor<4xf32>
  return %s : tensor<4xf32>
}
