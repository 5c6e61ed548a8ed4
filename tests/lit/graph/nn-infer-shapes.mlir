// SPDX-License-Identifier: Apache-2.0
// RUN: kiln-opt --nn-infer-shapes %s | FileCheck %s

// CHECK-LABEL: plan.func @windows
plan.func @windows(%x: tensor<1x4x13x10xf32>, %w: tensor<8x4x3x3xf32>) -> (tensor<1x8x1x1xf32>) {
  // Strides 2, asymmetric pads, dilation 2: (13+1+2-5)/2+1 = 6, (10-5)/2+1 = 3.
  // CHECK: nn.conv {{.*}} -> tensor<1x8x6x3xf32>
  %0 = nn.conv %x, %w {strides = array<i64: 2, 2>, pads_begin = array<i64: 1, 0>, pads_end = array<i64: 2, 0>, dilations = array<i64: 2, 2>, group = 1 : i64} : (tensor<1x4x13x10xf32>, tensor<8x4x3x3xf32>) -> tensor<*xf32>
  // ceil((6-3)/2)+1 = 3, ceil((3-3)/2)+1 = 1.
  // CHECK: nn.max_pool {{.*}} -> tensor<1x8x3x1xf32>
  %1 = nn.max_pool %0 {kernel = array<i64: 3, 3>, strides = array<i64: 2, 2>, pads_begin = array<i64: 0, 0>, pads_end = array<i64: 0, 0>, dilations = array<i64: 1, 1>, ceil_mode = true} : (tensor<*xf32>) -> tensor<*xf32>
  // CHECK: nn.global_average_pool {{.*}} -> tensor<1x8x1x1xf32>
  %2 = nn.global_average_pool %1 : (tensor<*xf32>) -> tensor<*xf32>
  %3 = nn.reshape %2 {shape = array<i64: 1, 8, 1, 1>} : (tensor<*xf32>) -> tensor<1x8x1x1xf32>
  plan.return %3 : tensor<1x8x1x1xf32>
}

// A window that starts beyond image and leading padding is dropped: with
// kernel 1 and stride 2 over 4 elements ceil mode would give a third one.
// CHECK-LABEL: plan.func @ceil_drops
plan.func @ceil_drops(%x: tensor<1x1x4x4xf32>) -> (tensor<1x1x2x2xf32>) {
  // CHECK: nn.average_pool {{.*}} -> tensor<1x1x2x2xf32>
  %0 = nn.average_pool %x {kernel = array<i64: 1, 1>, strides = array<i64: 2, 2>, pads_begin = array<i64: 0, 0>, pads_end = array<i64: 0, 0>, dilations = array<i64: 1, 1>, ceil_mode = true, count_include_pad = false} : (tensor<1x1x4x4xf32>) -> tensor<1x1x2x2xf32>
  plan.return %0 : tensor<1x1x2x2xf32>
}

// CHECK-LABEL: plan.func @matrices
plan.func @matrices(%a: tensor<2x1x4x5xf32>, %b: tensor<3x5x6xf32>, %v: tensor<5xf32>, %m: tensor<4x5xf32>) -> (tensor<5x4xf32>) {
  // CHECK: nn.matmul {{.*}} -> tensor<2x3x4x6xf32>
  %0 = nn.matmul %a, %b : (tensor<2x1x4x5xf32>, tensor<3x5x6xf32>) -> tensor<*xf32>
  // CHECK: nn.matmul {{.*}} -> tensor<3x6xf32>
  %1 = nn.matmul %v, %b : (tensor<5xf32>, tensor<3x5x6xf32>) -> tensor<*xf32>
  // CHECK: nn.matmul {{.*}} -> tensor<f32>
  %2 = nn.matmul %v, %v : (tensor<5xf32>, tensor<5xf32>) -> tensor<*xf32>
  // CHECK: nn.gemm {{.*}} -> tensor<5x5xf32>
  %3 = nn.gemm %m, %m {alpha = 1.0 : f32, beta = 1.0 : f32, trans_a = true, trans_b = false} : (tensor<4x5xf32>, tensor<4x5xf32>) -> tensor<*xf32>
  // CHECK: nn.transpose {{.*}} -> tensor<5x4xf32>
  %4 = nn.transpose %m {permutation = array<i64: 1, 0>} : (tensor<4x5xf32>) -> tensor<*xf32>
  %5 = nn.reshape %4 {shape = array<i64: 5, 4>} : (tensor<*xf32>) -> tensor<5x4xf32>
  plan.return %5 : tensor<5x4xf32>
}

// CHECK-LABEL: plan.func @movement
plan.func @movement(%x: tensor<2x3xf16>, %s: tensor<f16>) -> (tensor<6x6xf16>) {
  // CHECK: nn.add {{.*}} -> tensor<2x3xf16>
  %0 = nn.add %x, %s : (tensor<2x3xf16>, tensor<f16>) -> tensor<*xf16>
  // CHECK: nn.concat {{.*}} -> tensor<2x6xf16>
  %1 = nn.concat %0, %x {axis = 1 : i64} : (tensor<*xf16>, tensor<2x3xf16>) -> tensor<*xf16>
  // CHECK: nn.pad {{.*}} -> tensor<6x6xf16>
  %2 = nn.pad %1 {pads_begin = array<i64: 1, 0>, pads_end = array<i64: 3, 0>, value = 0.0 : f32} : (tensor<*xf16>) -> tensor<*xf16>
  // CHECK: nn.slice {{.*}} -> tensor<3x2xf16>
  %3 = nn.slice %2 {starts = array<i64: 1, 1>, sizes = array<i64: 3, 2>, steps = array<i64: 2, 3>} : (tensor<*xf16>) -> tensor<*xf16>
  // CHECK: nn.cast {{.*}} -> tensor<3x2xf32>
  %4 = nn.cast %3 to f32 : (tensor<*xf16>) -> tensor<*xf32>
  %5 = nn.reshape %2 {shape = array<i64: 6, 6>} : (tensor<*xf16>) -> tensor<6x6xf16>
  plan.return %5 : tensor<6x6xf16>
}
