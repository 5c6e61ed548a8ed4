// SPDX-License-Identifier: Apache-2.0
// RUN: kiln-opt %s --npu-assign-layouts | FileCheck %s

// The image enters in blocks of 8 channels, the weights by a recipe; the
// activation that follows stays in blocks; the result leaves row-major.

// CHECK-LABEL: plan.func @main
// CHECK: plan.dispatch @input_block({{.*}}) : (tensor<1x3x8x8xf32>) -> tensor<1x1x8x8x8xf32>
// CHECK: plan.const @c0 [#plan.step<"pad", tensor<16x8x3x3xf32>
// CHECK-SAME: "transpose", tensor<1x3x3x16x8xf32>
// CHECK-SAME: tensor<9x16x8xf32>
// CHECK: plan.dispatch @conv({{.*}}) : (tensor<1x1x8x8x8xf32>, tensor<9x16x8xf32>) -> tensor<2x1x6x6x8xf32>
// CHECK: plan.dispatch @negate({{.*}}) : (tensor<2x1x6x6x8xf32>) -> tensor<2x1x6x6x8xf32>
// CHECK: plan.dispatch @negate_plain({{.*}}) : (tensor<2x1x6x6x8xf32>) -> tensor<1x10x6x6xf32>
// CHECK: func.func private @conv
// CHECK: npu.im2col {{.*}}c_valid = 3
// CHECK: npu.unpack {{.*}}kind = "columns"
// CHECK: linalg.matmul
plan.func @main(%x: tensor<1x3x8x8xf32> {plan.name = "x"}) -> (tensor<1x10x6x6xf32> {plan.name = "y"}) {
  %w = plan.const @c0 : tensor<10x3x3x3xf32>
  %0 = plan.dispatch @conv(%x, %w) : (tensor<1x3x8x8xf32>, tensor<10x3x3x3xf32>) -> tensor<1x10x6x6xf32>
  %1 = plan.dispatch @negate(%0) : (tensor<1x10x6x6xf32>) -> tensor<1x10x6x6xf32>
  plan.return %1 : tensor<1x10x6x6xf32>
}
func.func private @conv(%x: tensor<1x3x8x8xf32>, %w: tensor<10x3x3x3xf32>) -> tensor<1x10x6x6xf32> attributes {plan.dispatch} {
  %z = arith.constant 0.0 : f32
  %e = tensor.empty() : tensor<1x10x6x6xf32>
  %f = linalg.fill ins(%z : f32) outs(%e : tensor<1x10x6x6xf32>) -> tensor<1x10x6x6xf32>
  %r = linalg.conv_2d_nchw_fchw {strides = dense<1> : vector<2xi64>, dilations = dense<1> : vector<2xi64>} ins(%x, %w : tensor<1x3x8x8xf32>, tensor<10x3x3x3xf32>) outs(%f : tensor<1x10x6x6xf32>) -> tensor<1x10x6x6xf32>
  return %r : tensor<1x10x6x6xf32>
}
func.func private @negate(%x: tensor<1x10x6x6xf32>) -> tensor<1x10x6x6xf32> attributes {plan.dispatch} {
  %e = tensor.empty() : tensor<1x10x6x6xf32>
  %r = linalg.generic {indexing_maps = [affine_map<(n, c, h, w) -> (n, c, h, w)>, affine_map<(n, c, h, w) -> (n, c, h, w)>], iterator_types = ["parallel", "parallel", "parallel", "parallel"]} ins(%x : tensor<1x10x6x6xf32>) outs(%e : tensor<1x10x6x6xf32>) {
  ^bb0(%a: f32, %o: f32):
    %n = arith.negf %a : f32
    linalg.yield %n : f32
  } -> tensor<1x10x6x6xf32>
  return %r : tensor<1x10x6x6xf32>
}
