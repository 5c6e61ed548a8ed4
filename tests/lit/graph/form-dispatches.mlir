// SPDX-License-Identifier: Apache-2.0
// RUN: kiln-opt --nn-to-linalg --form-dispatches --cse --verify-shared-level --split-input-file --mlir-print-local-scope %s | FileCheck %s

// A residual block: the add joins the convolution that is computed last, with
// its relu, as one generic; a dispatch is named after its node.
// CHECK-LABEL: plan.func @residual
// CHECK: %[[W:.*]] = plan.const @c0
// CHECK: %[[A:.*]] = plan.dispatch @first(%{{.*}}, %[[W]])
// CHECK: %[[B:.*]] = plan.dispatch @second(%[[A]], %[[W]], %{{.*}})
// CHECK: plan.return %[[B]]
// CHECK: func.func private @first{{.*}} attributes {plan.dispatch}
// CHECK: linalg.conv_2d_nchw_fchw
// CHECK: linalg.generic
// CHECK: arith.maximumf
// CHECK-NOT: linalg.generic
// CHECK: func.func private @second
// CHECK: linalg.conv_2d_nchw_fchw
// CHECK: linalg.generic
// CHECK: arith.addf
// CHECK: arith.maximumf
// CHECK-NOT: linalg.generic
plan.func @residual(%x: tensor<1x4x8x8xf32>) -> (tensor<1x4x8x8xf32>) {
  %w = plan.const @c0 : tensor<4x4x1x1xf32>
  %0 = nn.conv %x, %w {strides = array<i64: 1, 1>, pads_begin = array<i64: 0, 0>, pads_end = array<i64: 0, 0>, dilations = array<i64: 1, 1>, group = 1 : i64} : (tensor<1x4x8x8xf32>, tensor<4x4x1x1xf32>) -> tensor<1x4x8x8xf32> loc("first")
  %1 = nn.relu %0 : (tensor<1x4x8x8xf32>) -> tensor<1x4x8x8xf32>
  %2 = nn.conv %1, %w {strides = array<i64: 1, 1>, pads_begin = array<i64: 0, 0>, pads_end = array<i64: 0, 0>, dilations = array<i64: 1, 1>, group = 1 : i64} : (tensor<1x4x8x8xf32>, tensor<4x4x1x1xf32>) -> tensor<1x4x8x8xf32> loc("second")
  %3 = nn.add %2, %x : (tensor<1x4x8x8xf32>, tensor<1x4x8x8xf32>) -> tensor<1x4x8x8xf32>
  %4 = nn.relu %3 : (tensor<1x4x8x8xf32>) -> tensor<1x4x8x8xf32>
  plan.return %4 : tensor<1x4x8x8xf32>
}

// -----

// An f16 chain is computed in f32 and rounded once.
// CHECK-LABEL: plan.func @round_once
// CHECK: func.func private
// CHECK: linalg.conv_2d_nchw_fchw
// CHECK: linalg.generic
// CHECK-NOT: arith.extf
// CHECK: arith.maximumf
// CHECK: arith.truncf
// CHECK-NOT: arith.truncf
plan.func @round_once(%x: tensor<1x4x8x8xf16>, %w: tensor<4x4x1x1xf16>) -> (tensor<1x4x8x8xf16>) {
  %0 = nn.conv %x, %w {strides = array<i64: 1, 1>, pads_begin = array<i64: 0, 0>, pads_end = array<i64: 0, 0>, dilations = array<i64: 1, 1>, group = 1 : i64} : (tensor<1x4x8x8xf16>, tensor<4x4x1x1xf16>) -> tensor<1x4x8x8xf16>
  %1 = nn.relu %0 : (tensor<1x4x8x8xf16>) -> tensor<1x4x8x8xf16>
  plan.return %1 : tensor<1x4x8x8xf16>
}

// -----

// A value that two operations read is stored: nothing joins it.
// CHECK-LABEL: plan.func @shared_value
// CHECK-COUNT-3: plan.dispatch
// CHECK-NOT: plan.dispatch
// CHECK: plan.return
plan.func @shared_value(%x: tensor<4x4xf32>) -> (tensor<4x4xf32>, tensor<4x4xf32>) {
  %0 = nn.matmul %x, %x : (tensor<4x4xf32>, tensor<4x4xf32>) -> tensor<4x4xf32>
  %1 = nn.relu %0 : (tensor<4x4xf32>) -> tensor<4x4xf32>
  %2 = nn.tanh %0 : (tensor<4x4xf32>) -> tensor<4x4xf32>
  plan.return %1, %2 : tensor<4x4xf32>, tensor<4x4xf32>
}

// -----

// Reshapes and contiguous slices are views, of constants a recipe step; a
// slice across rows needs a kernel.
// CHECK-LABEL: plan.func @views
// CHECK: %[[V:.*]] = plan.slice %{{.*}}[12] : tensor<4x6xf32> to tensor<12xf32>
// CHECK: plan.dispatch @k(%{{.*}}) : (tensor<4x6xf32>) -> tensor<4x3xf32>
// CHECK: plan.const @c0 [#plan.step<"reshape", tensor<6xf32>, {}>] : tensor<6xf32>
// CHECK: plan.return %[[V]]
plan.func @views(%x: tensor<4x6xf32>) -> (tensor<12xf32>, tensor<4x3xf32>, tensor<4x6xf32>) {
  %w = plan.const @c0 : tensor<2x3xf32>
  %0 = nn.slice %x {starts = array<i64: 2, 0>, sizes = array<i64: 2, 6>, steps = array<i64: 1, 1>} : (tensor<4x6xf32>) -> tensor<2x6xf32>
  %1 = nn.reshape %0 {shape = array<i64: 12>} : (tensor<2x6xf32>) -> tensor<12xf32>
  %2 = nn.slice %x {starts = array<i64: 0, 1>, sizes = array<i64: 4, 3>, steps = array<i64: 1, 1>} : (tensor<4x6xf32>) -> tensor<4x3xf32>
  %3 = nn.reshape %w {shape = array<i64: 1, 6>} : (tensor<2x3xf32>) -> tensor<1x6xf32>
  %4 = nn.add %x, %3 : (tensor<4x6xf32>, tensor<1x6xf32>) -> tensor<4x6xf32>
  plan.return %1, %2, %4 : tensor<12xf32>, tensor<4x3xf32>, tensor<4x6xf32>
}

// -----

// A softmax is one dispatch; the matmul before it another.
// CHECK-LABEL: plan.func @softmax
// CHECK-COUNT-2: plan.dispatch
// CHECK-NOT: plan.dispatch @
// CHECK: plan.return
// CHECK-NOT: plan.group
plan.func @softmax(%x: tensor<4x4xf32>) -> (tensor<4x4xf32>) {
  %0 = nn.matmul %x, %x : (tensor<4x4xf32>, tensor<4x4xf32>) -> tensor<4x4xf32>
  %1 = nn.softmax %0 {axis = 1 : i64} : (tensor<4x4xf32>) -> tensor<4x4xf32>
  plan.return %1 : tensor<4x4xf32>
}

// -----

// An operation that reads its producer twice still becomes one body.
// CHECK-LABEL: plan.func @square
// CHECK: func.func private
// CHECK: linalg.matmul
// CHECK: linalg.generic {{.*}} ins(%{{[a-z0-9]*}} : tensor<4x4xf32>)
// CHECK-NOT: linalg.generic
plan.func @square(%x: tensor<4x4xf32>) -> (tensor<4x4xf32>) {
  %0 = nn.matmul %x, %x : (tensor<4x4xf32>, tensor<4x4xf32>) -> tensor<4x4xf32>
  %1 = nn.relu %0 : (tensor<4x4xf32>) -> tensor<4x4xf32>
  %2 = nn.mul %1, %1 : (tensor<4x4xf32>, tensor<4x4xf32>) -> tensor<4x4xf32>
  plan.return %2 : tensor<4x4xf32>
}

// -----

// A dispatch says how many multiply-accumulates its contraction has, of the
// model's sizes, and which node's value it gives: that of the last one, here
// the relu (nodes count from 1). A pool multiplies nothing.
// CHECK-LABEL: plan.func @accounts
// CHECK: plan.dispatch @first({{.*}}) {plan.macs = #plan.macs<9216, f16>, plan.result = #plan.result<2, tensor<1x6x8x8xf16>>}
// CHECK: plan.dispatch @pool({{.*}}) {plan.result = #plan.result<3, tensor<1x6x4x4xf16>>}
// CHECK: plan.dispatch @scores({{.*}}) {plan.macs = #plan.macs<480, f16>, plan.result = #plan.result<4, tensor<1x5xf16>>}
plan.func @accounts(%x: tensor<1x24x8x8xf16>, %w: tensor<6x24x1x1xf16>, %v: tensor<96x5xf16>) -> (tensor<1x5xf16>) {
  %0 = nn.conv %x, %w {strides = array<i64: 1, 1>, pads_begin = array<i64: 0, 0>, pads_end = array<i64: 0, 0>, dilations = array<i64: 1, 1>, group = 1 : i64} : (tensor<1x24x8x8xf16>, tensor<6x24x1x1xf16>) -> tensor<1x6x8x8xf16> loc("first"("m.onnx":1:0))
  %1 = nn.relu %0 : (tensor<1x6x8x8xf16>) -> tensor<1x6x8x8xf16> loc("relu"("m.onnx":2:0))
  %2 = nn.max_pool %1 {kernel = array<i64: 2, 2>, strides = array<i64: 2, 2>, pads_begin = array<i64: 0, 0>, pads_end = array<i64: 0, 0>, dilations = array<i64: 1, 1>, ceil_mode = false} : (tensor<1x6x8x8xf16>) -> tensor<1x6x4x4xf16> loc("pool"("m.onnx":3:0))
  %3 = nn.reshape %2 {shape = array<i64: 1, 96>} : (tensor<1x6x4x4xf16>) -> tensor<1x96xf16> loc("flat"("m.onnx":5:0))
  %4 = nn.matmul %3, %v : (tensor<1x96xf16>, tensor<96x5xf16>) -> tensor<1x5xf16> loc("scores"("m.onnx":4:0))
  plan.return %4 : tensor<1x5xf16>
}

// -----

// Who widens the f16 result of a pool asks for it: the cast is no epilogue.
// CHECK-LABEL: plan.func @widened
// CHECK: %[[Y:.*]] = plan.dispatch @{{.*}}(%arg0) : (tensor<1x16x4x4xf16>) -> tensor<1x16x2x2xf16>
// CHECK: plan.dispatch @{{.*}}(%[[Y]]) : (tensor<1x16x2x2xf16>) -> tensor<1x16x2x2xf32>
plan.func @widened(%x: tensor<1x16x4x4xf16>) -> (tensor<1x16x2x2xf32>) {
  %0 = nn.max_pool %x {kernel = array<i64: 2, 2>, strides = array<i64: 2, 2>, pads_begin = array<i64: 0, 0>, pads_end = array<i64: 0, 0>, dilations = array<i64: 1, 1>, ceil_mode = false} : (tensor<1x16x4x4xf16>) -> tensor<1x16x2x2xf16>
  %1 = nn.cast %0 to f32 : (tensor<1x16x2x2xf16>) -> tensor<1x16x2x2xf32>
  plan.return %1 : tensor<1x16x2x2xf32>
}
