// SPDX-License-Identifier: Apache-2.0
// RUN: kiln-opt --nn-to-linalg %s | FileCheck %s

// The convolution accumulates in f32; bias and the rounding follow in one
// generic. The window needs no bottom padding, so there is none.
// CHECK-LABEL: plan.func @conv_f16
plan.func @conv_f16(%x: tensor<1x3x8x8xf16>, %w: tensor<4x3x3x3xf16>, %b: tensor<4xf16>) -> (tensor<1x4x4x4xf16>) {
  // CHECK: tensor.pad {{.*}} low[0, 0, 1, 1] high[0, 0, 0, 0]
  // CHECK: linalg.fill {{.*}} -> tensor<1x4x4x4xf32>
  // CHECK: linalg.conv_2d_nchw_fchw {dilations = dense<1> : vector<2xi64>, strides = dense<2> : vector<2xi64>} {{.*}} -> tensor<1x4x4x4xf32>
  // CHECK: linalg.generic
  // CHECK: arith.extf %{{.*}} : f16 to f32
  // CHECK: arith.addf
  // CHECK: arith.truncf %{{.*}} : f32 to f16
  %0 = nn.conv %x, %w bias %b {strides = array<i64: 2, 2>, pads_begin = array<i64: 1, 1>, pads_end = array<i64: 1, 1>, dilations = array<i64: 1, 1>, group = 1 : i64} : (tensor<1x3x8x8xf16>, tensor<4x3x3x3xf16>, tensor<4xf16>) -> tensor<1x4x4x4xf16>
  plan.return %0 : tensor<1x4x4x4xf16>
}

// CHECK-LABEL: plan.func @depthwise
plan.func @depthwise(%x: tensor<1x4x8x8xf32>, %w: tensor<4x1x3x3xf32>) -> (tensor<1x4x6x6xf32>) {
  // CHECK: tensor.collapse_shape {{.*}} : tensor<4x1x3x3xf32> into tensor<4x3x3xf32>
  // CHECK: linalg.depthwise_conv_2d_nchw_chw
  // CHECK-NOT: linalg.generic
  %0 = nn.conv %x, %w {strides = array<i64: 1, 1>, pads_begin = array<i64: 0, 0>, pads_end = array<i64: 0, 0>, dilations = array<i64: 1, 1>, group = 4 : i64} : (tensor<1x4x8x8xf32>, tensor<4x1x3x3xf32>) -> tensor<1x4x6x6xf32>
  plan.return %0 : tensor<1x4x6x6xf32>
}

// One spatial dimension becomes two.
// CHECK-LABEL: plan.func @conv_1d
plan.func @conv_1d(%x: tensor<1x2x9xf32>, %w: tensor<4x2x3xf32>) -> (tensor<1x4x7xf32>) {
  // CHECK: linalg.conv_2d_nchw_fchw {{.*}} ins(%{{.*}} : tensor<1x2x1x9xf32>, tensor<4x2x1x3xf32>)
  // CHECK: tensor.collapse_shape {{.*}} into tensor<1x4x7xf32>
  %0 = nn.conv %x, %w {strides = array<i64: 1>, pads_begin = array<i64: 0>, pads_end = array<i64: 0>, dilations = array<i64: 1>, group = 1 : i64} : (tensor<1x2x9xf32>, tensor<4x2x3xf32>) -> tensor<1x4x7xf32>
  plan.return %0 : tensor<1x4x7xf32>
}

// Padding of a maximum is minus infinity.
// CHECK-LABEL: plan.func @max_pool
plan.func @max_pool(%x: tensor<1x4x7x7xf16>) -> (tensor<1x4x4x4xf16>) {
  // CHECK-DAG: arith.constant 0xFC00 : f16
  // CHECK: linalg.pooling_nchw_max {{.*}} -> tensor<1x4x4x4xf16>
  %0 = nn.max_pool %x {kernel = array<i64: 3, 3>, strides = array<i64: 2, 2>, pads_begin = array<i64: 1, 1>, pads_end = array<i64: 1, 1>, dilations = array<i64: 1, 1>, ceil_mode = false} : (tensor<1x4x7x7xf16>) -> tensor<1x4x4x4xf16>
  plan.return %0 : tensor<1x4x4x4xf16>
}

// A window that is never cut has one divisor: a scalar in the body.
// CHECK-LABEL: plan.func @average_whole
plan.func @average_whole(%x: tensor<1x4x8x8xf32>) -> (tensor<1x4x4x4xf32>) {
  // CHECK: linalg.pooling_nchw_sum
  // CHECK: arith.constant 2.500000e-01 : f32
  // CHECK: arith.mulf
  %0 = nn.average_pool %x {kernel = array<i64: 2, 2>, strides = array<i64: 2, 2>, pads_begin = array<i64: 0, 0>, pads_end = array<i64: 0, 0>, dilations = array<i64: 1, 1>, ceil_mode = false, count_include_pad = false} : (tensor<1x4x8x8xf32>) -> tensor<1x4x4x4xf32>
  plan.return %0 : tensor<1x4x4x4xf32>
}

// Cut windows: one reciprocal per position, from the constant store.
// CHECK-LABEL: plan.func @average_cut
plan.func @average_cut(%x: tensor<1x4x8x8xf32>) -> (tensor<1x4x8x8xf32>) {
  // CHECK: plan.const @c{{[0-9]+}} : tensor<8x8xf32>
  // CHECK: linalg.generic {indexing_maps = [#[[ID:.*]], #{{.*}}, #[[ID]]]
  %0 = nn.average_pool %x {kernel = array<i64: 3, 3>, strides = array<i64: 1, 1>, pads_begin = array<i64: 1, 1>, pads_end = array<i64: 1, 1>, dilations = array<i64: 1, 1>, ceil_mode = false, count_include_pad = false} : (tensor<1x4x8x8xf32>) -> tensor<1x4x8x8xf32>
  plan.return %0 : tensor<1x4x8x8xf32>
}

// A batch against one matrix is one product with more rows.
// CHECK-LABEL: plan.func @rows
plan.func @rows(%a: tensor<2x3x4x5xf32>, %b: tensor<5x6xf32>) -> (tensor<2x3x4x6xf32>) {
  // CHECK: linalg.matmul ins(%{{.*}} : tensor<24x5xf32>, tensor<5x6xf32>)
  %0 = nn.matmul %a, %b : (tensor<2x3x4x5xf32>, tensor<5x6xf32>) -> tensor<2x3x4x6xf32>
  plan.return %0 : tensor<2x3x4x6xf32>
}

// CHECK-LABEL: plan.func @batches
plan.func @batches(%a: tensor<2x1x4x5xf16>, %b: tensor<3x5x6xf16>) -> (tensor<2x3x4x6xf16>) {
  // CHECK: linalg.batch_matmul ins(%{{.*}} : tensor<6x4x5xf16>, tensor<6x5x6xf16>) outs(%{{.*}} : tensor<6x4x6xf32>)
  // CHECK: arith.truncf
  %0 = nn.matmul %a, %b : (tensor<2x1x4x5xf16>, tensor<3x5x6xf16>) -> tensor<2x3x4x6xf16>
  plan.return %0 : tensor<2x3x4x6xf16>
}

// CHECK-LABEL: plan.func @gemm
plan.func @gemm(%a: tensor<4x3xf32>, %b: tensor<5x4xf32>, %c: tensor<5xf32>) -> (tensor<3x5xf32>) {
  // CHECK-COUNT-2: linalg.transpose
  // CHECK: linalg.matmul
  // CHECK: linalg.generic
  // CHECK-DAG: arith.constant 5.000000e-01 : f32
  // CHECK: arith.addf
  %0 = nn.gemm %a, %b plus %c {alpha = 0.5 : f32, beta = 1.0 : f32, trans_a = true, trans_b = true} : (tensor<4x3xf32>, tensor<5x4xf32>, tensor<5xf32>) -> tensor<3x5xf32>
  plan.return %0 : tensor<3x5xf32>
}

// The generics of a softmax are tagged as one group; the maximum starts at
// minus infinity.
// CHECK-LABEL: plan.func @softmax
plan.func @softmax(%x: tensor<2x10xf32>) -> (tensor<2x10xf32>) {
  // CHECK: arith.constant 0xFF800000 : f32
  // CHECK: iterator_types = ["parallel", "reduction"]} {{.*}} attrs = {plan.group = [[G:.*]] : i64}
  // CHECK: arith.maximumf
  // CHECK: plan.group = [[G]]
  // CHECK: math.exp
  // CHECK: plan.group = [[G]]
  // CHECK: arith.addf
  // CHECK: plan.group = [[G]]
  // CHECK: arith.divf
  %0 = nn.softmax %x {axis = 1 : i64} : (tensor<2x10xf32>) -> tensor<2x10xf32>
  plan.return %0 : tensor<2x10xf32>
}

// Broadcast operands lose unit dimensions: maps are projected permutations.
// CHECK-LABEL: plan.func @broadcast
plan.func @broadcast(%x: tensor<1x4x8x8xf32>, %s: tensor<4x1x1xf32>) -> (tensor<1x4x8x8xf32>) {
  // CHECK: tensor.collapse_shape {{.*}} into tensor<4xf32>
  // CHECK: linalg.generic {{.*}} ins(%{{.*}} : tensor<1x4x8x8xf32>, tensor<4xf32>)
  %0 = nn.mul %x, %s : (tensor<1x4x8x8xf32>, tensor<4x1x1xf32>) -> tensor<1x4x8x8xf32>
  plan.return %0 : tensor<1x4x8x8xf32>
}
