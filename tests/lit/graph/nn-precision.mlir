// SPDX-License-Identifier: Apache-2.0
// RUN: kiln-opt --nn-precision-fp16 --nn-to-linalg --form-dispatches --verify-shared-level %s | FileCheck %s

// Inputs and outputs keep their type behind conversion dispatches; the product
// between them reads f16 and accumulates in f32.
// CHECK-LABEL: plan.func @main(%arg0: tensor<4x8xf32>) -> tensor<4x6xf32>
// CHECK: %[[X:.*]] = plan.dispatch @{{.*}}(%arg0) : (tensor<4x8xf32>) -> tensor<4x8xf16>
// CHECK: %[[W:.*]] = plan.const @c0 [#plan.step<"cast", tensor<8x6xf16>, {}>] : tensor<8x6xf16>
// CHECK: %[[Y:.*]] = plan.dispatch @{{.*}}(%[[X]], %[[W]]){{.*}} : (tensor<4x8xf16>, tensor<8x6xf16>) -> tensor<4x6xf16>
// CHECK: plan.dispatch @{{.*}}(%[[Y]]) : (tensor<4x6xf16>) -> tensor<4x6xf32>
// CHECK: linalg.matmul {{.*}} outs(%{{.*}} : tensor<4x6xf32>)
// CHECK: arith.maximumf {{.*}} : f32
// CHECK: arith.truncf
plan.func @main(%x: tensor<4x8xf32>) -> (tensor<4x6xf32>) {
  %w = plan.const @c0 : tensor<8x6xf32>
  %0 = nn.matmul %x, %w : (tensor<4x8xf32>, tensor<8x6xf32>) -> tensor<4x6xf32>
  %1 = nn.relu %0 : (tensor<4x6xf32>) -> tensor<4x6xf32>
  plan.return %1 : tensor<4x6xf32>
}
