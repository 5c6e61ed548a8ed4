// SPDX-License-Identifier: Apache-2.0
// RUN: kiln-opt --nn-to-linalg --form-dispatches --plan-concat-in-place --split-input-file %s | FileCheck %s

// CHECK-LABEL: plan.func @joins
// CHECK: %[[A:.*]] = plan.dispatch
// CHECK: %[[B:.*]] = plan.dispatch
// CHECK: plan.concat %[[A]], %[[B]]
// CHECK-NOT: tensor.concat
plan.func @joins(%x: tensor<1x4x4x4xf32>) -> (tensor<1x8x4x4xf32>) {
  %0 = nn.relu %x : (tensor<1x4x4x4xf32>) -> tensor<1x4x4x4xf32>
  %1 = nn.tanh %x : (tensor<1x4x4x4xf32>) -> tensor<1x4x4x4xf32>
  %2 = nn.concat %0, %1 {axis = 1 : i64} : (tensor<1x4x4x4xf32>, tensor<1x4x4x4xf32>) -> tensor<1x8x4x4xf32>
  plan.return %2 : tensor<1x8x4x4xf32>
}

// -----

// Two images: the parts alternate.
// CHECK-LABEL: plan.func @not_contiguous
// CHECK-NOT: plan.concat
// CHECK: tensor.concat
plan.func @not_contiguous(%x: tensor<2x4x4x4xf32>) -> (tensor<2x8x4x4xf32>) {
  %0 = nn.relu %x : (tensor<2x4x4x4xf32>) -> tensor<2x4x4x4xf32>
  %1 = nn.tanh %x : (tensor<2x4x4x4xf32>) -> tensor<2x4x4x4xf32>
  %2 = nn.concat %0, %1 {axis = 1 : i64} : (tensor<2x4x4x4xf32>, tensor<2x4x4x4xf32>) -> tensor<2x8x4x4xf32>
  plan.return %2 : tensor<2x8x4x4xf32>
}

// -----

// A model input has its own memory.
// CHECK-LABEL: plan.func @input
// CHECK-NOT: plan.concat
// CHECK: tensor.concat
plan.func @input(%x: tensor<1x4x4x4xf32>) -> (tensor<1x8x4x4xf32>) {
  %0 = nn.relu %x : (tensor<1x4x4x4xf32>) -> tensor<1x4x4x4xf32>
  %1 = nn.concat %0, %x {axis = 1 : i64} : (tensor<1x4x4x4xf32>, tensor<1x4x4x4xf32>) -> tensor<1x8x4x4xf32>
  plan.return %1 : tensor<1x8x4x4xf32>
}

// -----

// The second part would start at byte 12.
// CHECK-LABEL: plan.func @unaligned
// CHECK-NOT: plan.concat
// CHECK: tensor.concat
plan.func @unaligned(%x: tensor<3xf32>) -> (tensor<6xf32>) {
  %0 = nn.relu %x : (tensor<3xf32>) -> tensor<3xf32>
  %1 = nn.tanh %x : (tensor<3xf32>) -> tensor<3xf32>
  %2 = nn.concat %0, %1 {axis = 0 : i64} : (tensor<3xf32>, tensor<3xf32>) -> tensor<6xf32>
  plan.return %2 : tensor<6xf32>
}
