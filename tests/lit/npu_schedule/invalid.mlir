// SPDX-License-Identifier: Apache-2.0
// RUN: kiln-opt %s --split-input-file --verify-diagnostics --npu-verify-placed

func.func @copy(%x: memref<8xf32>, %y: memref<8xf32>) attributes {npu.kernel} {
  // expected-error @+1 {{a copy that no schedule asked for}}
  memref.copy %x, %y : memref<8xf32> to memref<8xf32>
  return
}

// -----

func.func @buffer() attributes {npu.kernel} {
  // expected-error @+1 {{a buffer without a memory space}}
  %x = memref.alloc() : memref<8xf32>
  return
}

// -----

func.func @kind(%x: tensor<4x16x16xf16>, %i: tensor<16x64xf16>) {
  // expected-error @+1 {{kind is "rows" or "columns", not "diagonal"}}
  %r = npu.unpack %x into %i {kind = "diagonal"} : tensor<4x16x16xf16>, tensor<16x64xf16> -> tensor<16x64xf16>
  return
}

// -----

func.func @block(%x: tensor<4x16x8xf16>, %i: tensor<16x64xf16>) {
  // expected-error @+1 {{must be 16 (32 bytes)}}
  %r = npu.unpack %x into %i {kind = "rows"} : tensor<4x16x8xf16>, tensor<16x64xf16> -> tensor<16x64xf16>
  return
}
