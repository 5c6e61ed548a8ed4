// SPDX-License-Identifier: Apache-2.0
// RUN: kiln-opt --split-input-file --verify-diagnostics %s

func.func @weights(%x: tensor<1x4x8x8xf32>, %w: tensor<8x3x3x3xf32>) {
  // expected-error @below {{weights take 3 channels per group, the input has 4 in 1 group(s)}}
  %0 = nn.conv %x, %w {strides = array<i64: 1, 1>, pads_begin = array<i64: 0, 0>, pads_end = array<i64: 0, 0>, dilations = array<i64: 1, 1>, group = 1 : i64} : (tensor<1x4x8x8xf32>, tensor<8x3x3x3xf32>) -> tensor<1x8x6x6xf32>
  return
}

// -----

func.func @group(%x: tensor<1x4x8x8xf32>, %w: tensor<8x4x3x3xf32>) {
  // expected-error @below {{group 3 must divide the input channels 4 and the filters 8}}
  %0 = nn.conv %x, %w {strides = array<i64: 1, 1>, pads_begin = array<i64: 0, 0>, pads_end = array<i64: 0, 0>, dilations = array<i64: 1, 1>, group = 3 : i64} : (tensor<1x4x8x8xf32>, tensor<8x4x3x3xf32>) -> tensor<1x8x6x6xf32>
  return
}

// -----

func.func @bias(%x: tensor<1x4x8x8xf32>, %w: tensor<8x4x1x1xf32>, %b: tensor<4xf32>) {
  // expected-error @below {{bias is 'tensor<4xf32>', expected 'tensor<8xf32>'}}
  %0 = nn.conv %x, %w bias %b {strides = array<i64: 1, 1>, pads_begin = array<i64: 0, 0>, pads_end = array<i64: 0, 0>, dilations = array<i64: 1, 1>, group = 1 : i64} : (tensor<1x4x8x8xf32>, tensor<8x4x1x1xf32>, tensor<4xf32>) -> tensor<1x8x8x8xf32>
  return
}

// -----

func.func @strides(%x: tensor<1x4x8x8xf32>, %w: tensor<8x4x1x1xf32>) {
  // expected-error @below {{attribute 'strides' has 1 entries for 2 spatial dimensions}}
  %0 = nn.conv %x, %w {strides = array<i64: 1>, pads_begin = array<i64: 0, 0>, pads_end = array<i64: 0, 0>, dilations = array<i64: 1, 1>, group = 1 : i64} : (tensor<1x4x8x8xf32>, tensor<8x4x1x1xf32>) -> tensor<1x8x8x8xf32>
  return
}

// -----

func.func @window(%x: tensor<1x4x8x8xf32>) {
  // expected-error @below {{the window of 9 elements in spatial dimension 0 is larger than the padded input of 8}}
  %0 = nn.max_pool %x {kernel = array<i64: 9, 1>, strides = array<i64: 1, 1>, pads_begin = array<i64: 0, 0>, pads_end = array<i64: 0, 0>, dilations = array<i64: 1, 1>, ceil_mode = false} : (tensor<1x4x8x8xf32>) -> tensor<1x4x1x8xf32>
  return
}

// -----

func.func @result(%x: tensor<4xf32>) {
  // expected-error @below {{result #0 is declared 'tensor<5xf32>' but has type 'tensor<4xf32>'}}
  %0 = nn.relu %x : (tensor<4xf32>) -> tensor<5xf32>
  return
}

// -----

func.func @element(%x: tensor<4xi64>) {
  // expected-error @below {{computes on f32 or f16, found 'i64'}}
  %0 = nn.relu %x : (tensor<4xi64>) -> tensor<4xi64>
  return
}

// -----

func.func @broadcast(%a: tensor<2x3xf32>, %b: tensor<2x4xf32>) {
  // expected-error @below {{shapes 2x3 and 2x4 do not broadcast}}
  %0 = nn.add %a, %b : (tensor<2x3xf32>, tensor<2x4xf32>) -> tensor<2x4xf32>
  return
}

// -----

func.func @inner(%a: tensor<2x3xf32>, %b: tensor<2x4xf32>) {
  // expected-error @below {{shapes 2x3 and 2x4 disagree in K: 3 and 2}}
  %0 = nn.matmul %a, %b : (tensor<2x3xf32>, tensor<2x4xf32>) -> tensor<2x4xf32>
  return
}

// -----

func.func @reshape(%a: tensor<2x3xf32>) {
  // expected-error @below {{cannot turn 2x3 (6 elements) into 7 (7)}}
  %0 = nn.reshape %a {shape = array<i64: 7>} : (tensor<2x3xf32>) -> tensor<7xf32>
  return
}

// -----

func.func @slice(%a: tensor<4xf32>) {
  // expected-error @below {{dimension 0 of size 4 has no 3 elements from 1 with step 2}}
  %0 = nn.slice %a {starts = array<i64: 1>, sizes = array<i64: 3>, steps = array<i64: 2>} : (tensor<4xf32>) -> tensor<3xf32>
  return
}

// -----

func.func @permutation(%a: tensor<2x3xf32>) {
  // expected-error @below {{attribute 'permutation' is no permutation of [0, 2)}}
  %0 = nn.transpose %a {permutation = array<i64: 1, 1>} : (tensor<2x3xf32>) -> tensor<3x3xf32>
  return
}

// -----

plan.func @returns(%a: tensor<2xf32>) -> (tensor<3xf32>) {
  // expected-error @below {{returns ('tensor<2xf32>') but the function declares ('tensor<3xf32>')}}
  plan.return %a : tensor<2xf32>
}

// -----

plan.func @unknown(%a: tensor<2xf32>) -> (tensor<2xf32>) {
  // expected-error @below {{calls '@nowhere', which is no func.func of this module}}
  %0 = plan.dispatch @nowhere(%a) : (tensor<2xf32>) -> tensor<2xf32>
  plan.return %0 : tensor<2xf32>
}

// -----

func.func private @plain(%a: tensor<2xf32>) -> tensor<2xf32>
plan.func @unmarked(%a: tensor<2xf32>) -> (tensor<2xf32>) {
  // expected-error @below {{calls '@plain', which lacks the attribute 'plan.dispatch'}}
  %0 = plan.dispatch @plain(%a) : (tensor<2xf32>) -> tensor<2xf32>
  plan.return %0 : tensor<2xf32>
}

// -----

func.func private @k(%a: tensor<3xf32>) -> tensor<2xf32> attributes {plan.dispatch}
plan.func @types(%a: tensor<2xf32>) -> (tensor<2xf32>) {
  // expected-error @below {{passes ('tensor<2xf32>') -> ('tensor<2xf32>') but '@k' is '(tensor<3xf32>) -> tensor<2xf32>'}}
  %0 = plan.dispatch @k(%a) : (tensor<2xf32>) -> tensor<2xf32>
  plan.return %0 : tensor<2xf32>
}

// -----

plan.func @view(%a: tensor<8xf32>) -> (tensor<4xf32>) {
  // expected-error @below {{views elements [5, 9) of a source with 8}}
  %0 = plan.slice %a[5] : tensor<8xf32> to tensor<4xf32>
  plan.return %0 : tensor<4xf32>
}

// -----

plan.func @recipe() -> (tensor<4xf32>) {
  // expected-error @below {{the recipe ends with 'tensor<2x2xf32>' but the result is 'tensor<4xf32>'}}
  %0 = plan.const @c0 [#plan.step<"reshape", tensor<2x2xf32>, {}>] : tensor<4xf32>
  plan.return %0 : tensor<4xf32>
}

// -----

plan.func @places(%a: tensor<4xf32>) -> (tensor<4xf32>) {
  // expected-error @below {{'plan.places' needs one #plan.place per result (1)}}
  %0 = plan.copy %a {plan.places = []} : tensor<4xf32>
  plan.return %0 : tensor<4xf32>
}

// -----

// expected-error @below {{expected 'plan.name' with a string, found 'plan.nom'}}
plan.func @argument(%a: tensor<4xf32> {plan.nom = "x"}) -> (tensor<4xf32>) {
  plan.return %a : tensor<4xf32>
}
