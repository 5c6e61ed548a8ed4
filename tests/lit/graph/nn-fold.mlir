// SPDX-License-Identifier: Apache-2.0
// RUN: kiln-opt --nn-fold --split-input-file %s | FileCheck %s
// What needs no bytes; folding into constants is tested with real bytes in
// tests/unit/compiler/frontend/nn_fold_test.cpp.

// CHECK-LABEL: plan.func @reshapes
// CHECK: nn.reshape %arg0 {shape = array<i64: 6>}
// CHECK-NOT: nn.reshape
plan.func @reshapes(%x: tensor<2x3xf32>) -> (tensor<6xf32>) {
  %0 = nn.reshape %x {shape = array<i64: 3, 2>} : (tensor<2x3xf32>) -> tensor<3x2xf32>
  %1 = nn.reshape %0 {shape = array<i64: 6>} : (tensor<3x2xf32>) -> tensor<6xf32>
  plan.return %1 : tensor<6xf32>
}

// -----

// NCHW -> NHWC of a single pixel moves nothing.
// CHECK-LABEL: plan.func @unit_transpose
// CHECK-NOT: nn.transpose
// CHECK: nn.reshape
plan.func @unit_transpose(%x: tensor<1x64x1x1xf32>) -> (tensor<1x1x1x64xf32>) {
  %0 = nn.transpose %x {permutation = array<i64: 0, 2, 3, 1>} : (tensor<1x64x1x1xf32>) -> tensor<1x1x1x64xf32>
  plan.return %0 : tensor<1x1x1x64xf32>
}

// -----

// CHECK-LABEL: plan.func @there_and_back
// CHECK-NEXT: plan.return %arg0
plan.func @there_and_back(%x: tensor<2x3xf32>) -> (tensor<2x3xf32>) {
  %0 = nn.transpose %x {permutation = array<i64: 1, 0>} : (tensor<2x3xf32>) -> tensor<3x2xf32>
  %1 = nn.transpose %0 {permutation = array<i64: 1, 0>} : (tensor<3x2xf32>) -> tensor<2x3xf32>
  plan.return %1 : tensor<2x3xf32>
}

// -----

// CHECK-LABEL: plan.func @softmax_axis
// CHECK: nn.transpose
// CHECK: nn.softmax {{.*}} {axis = 2 : i64}
// CHECK: nn.transpose
plan.func @softmax_axis(%x: tensor<2x3x4xf32>) -> (tensor<2x3x4xf32>) {
  %0 = nn.softmax %x {axis = 1 : i64} : (tensor<2x3x4xf32>) -> tensor<2x3x4xf32>
  plan.return %0 : tensor<2x3x4xf32>
}
