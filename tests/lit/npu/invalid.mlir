// RUN: kiln-opt %s --split-input-file --verify-diagnostics
// What the verifiers of the commands refuse, and how they say it.

func.func @space(%n: index, %v: i64) {
  %c0 = arith.constant 0 : index
  %a = npu.alloc "a" : memref<64xf16, 1>
  // expected-error @+1 {{'dst': expected a buffer in UB, found one in L1}}
  npu.vdup %a[%c0], %v rows %n cols %n {dst_strides = array<i64: 0, 1>} : memref<64xf16, 1>
  return
}

// -----

func.func @alignment(%n: index, %v: i64) {
  %c8 = arith.constant 8 : index
  %a = npu.alloc "a" : memref<64xf16, 5>
  // expected-error @+1 {{'dst': expected an offset that is a multiple of 32 bytes, found 8}}
  npu.vdup %a[%c8], %v rows %n cols %n {dst_strides = array<i64: 0, 1>} : memref<64xf16, 5>
  return
}

// -----

func.func @capacity(%v: i64) {
  %c0 = arith.constant 0 : index
  %c2 = arith.constant 2 : index
  %c64 = arith.constant 64 : index
  %a = npu.alloc "a" : memref<64xf16, 5>
  // expected-error @+1 {{'dst': expected at most 128 bytes, the size of its buffer, found bytes up to 256}}
  npu.vdup %a[%c0], %v rows %c2 cols %c64 {dst_strides = array<i64: 4, 1>} : memref<64xf16, 5>
  return
}

// -----

func.func @view(%v: i64, %n: index) {
  %c0 = arith.constant 0 : index
  %a = npu.alloc "a" : memref<2x64xf16, 5>
  %s = memref.subview %a[1, 0] [1, 64] [1, 1]
    : memref<2x64xf16, 5> to memref<1x64xf16, strided<[64, 1], offset: 64>, 5>
  // expected-error @+1 {{'dst': expected an npu.alloc or a kernel argument as base, found the result of 'memref.subview'}}
  npu.vdup %s[%c0], %v rows %n cols %n {dst_strides = array<i64: 0, 1>}
    : memref<1x64xf16, strided<[64, 1], offset: 64>, 5>
  return
}

// -----

func.func @field(%v: i64, %n: index) {
  %c0 = arith.constant 0 : index
  %a = npu.alloc "a" : memref<64xf16, 5>
  // expected-error @+1 {{'dst_strides (block)': expected a value from 0 to 255, found 256}}
  npu.vdup %a[%c0], %v rows %n cols %n {dst_strides = array<i64: 0, 256>} : memref<64xf16, 5>
  return
}

// -----

func.func @local_alloc() {
  // expected-error @+1 {{'buffer': expected a local memory space (1 to 6), found GM}}
  %a = npu.alloc "a" : memref<64xf16>
  return
}

// -----

func.func @accumulator_rank() {
  // expected-error @+1 {{'buffer': expected a logical 2-D type in L0C, found rank 1}}
  %a = npu.alloc "a" : memref<64xf32, 4>
  return
}

// -----

func.func @cube_types() {
  %c0 = arith.constant 0 : index
  %c16 = arith.constant 16 : index
  %a = npu.alloc "a" : memref<16x16xf16, 2>
  %b = npu.alloc "b" : memref<16x16xbf16, 3>
  %c = npu.alloc "c" : memref<16x16xf32, 4>
  // expected-error @+1 {{'a, b and acc': expected f16, bf16 or f32 twice and f32, or 8-bit integers and i32, found f16, bf16 and f32}}
  npu.mmad %c[%c0], %a[%c0], %b[%c0] m %c16 n %c16 k %c16 mode %c0
    : memref<16x16xf32, 4>, memref<16x16xf16, 2>, memref<16x16xbf16, 3>
  return
}

// -----

func.func @bias_mode() {
  %c0 = arith.constant 0 : index
  %c2 = arith.constant 2 : index
  %c16 = arith.constant 16 : index
  %a = npu.alloc "a" : memref<16x16xf16, 2>
  %b = npu.alloc "b" : memref<16x16xf16, 3>
  %c = npu.alloc "c" : memref<16x16xf32, 4>
  // expected-error @+1 {{'mode': expected a bias operand for mode 2, found none}}
  npu.mmad %c[%c0], %a[%c0], %b[%c0] m %c16 n %c16 k %c16 mode %c2
    : memref<16x16xf32, 4>, memref<16x16xf16, 2>, memref<16x16xf16, 3>
  return
}

// -----

func.func @flag_pipes(%n: index) {
  // expected-error @+1 {{'src and dst': expected different pipes, found the same pipe}}
  npu.set_flag V to V, %n
  return
}

// -----

func.func @flag_id() {
  %c8 = arith.constant 8 : index
  // expected-error @+1 {{'id': expected a value from 0 to 7, found 8}}
  npu.wait_flag V to MTE3, %c8
  return
}

// -----

func.func @index_type(%n: index) {
  %c0 = arith.constant 0 : index
  %a = npu.alloc "a" : memref<64xf16, 5>
  // expected-error @+1 {{'index': expected elements of i32, found another type}}
  npu.vgather %a[%c0], %a[%c0], %a[%c0] count %n rows %n cols %n
    {dst_strides = array<i64: 0, 1>, index_strides = array<i64: 0, 1>}
    : memref<64xf16, 5>, memref<64xf16, 5>, memref<64xf16, 5>
  return
}

// -----

func.func @mask_type(%n: index) {
  %c0 = arith.constant 0 : index
  %a = npu.alloc "a" : memref<64xf16, 5>
  // expected-error @+1 {{'dst': expected a buffer of bytes, found another type}}
  npu.vcompare lt %a[%c0], %a[%c0], %a[%c0] rows %n cols %n
    {dst_strides = array<i64: 0, 1>, src0_strides = array<i64: 0, 1>, src1_strides = array<i64: 0, 1>}
    : memref<64xf16, 5>, memref<64xf16, 5>, memref<64xf16, 5>
  return
}

// -----

func.func @zero_point(%y: memref<16x16xf16>, %n: index) {
  %c0 = arith.constant 0 : index
  %acc = npu.alloc "acc" : memref<16x16xf32, 4>
  // expected-error @+1 {{'zero_point': expected an 8-bit destination, found another type}}
  npu.fix %y[%c0], %acc[%c0] m %n n %n m1 %n c1_stride %n m_pitch %n
    {zero_point = 1 : i64} : memref<16x16xf16>, memref<16x16xf32, 4>
  return
}

// -----

func.func @post_pipe(%y: memref<16xf16>, %n: index) {
  // expected-error @+1 {{'from': expected a pipe that writes GM, FIX or MTE3, found V}}
  npu.post V %y to %n, %n : memref<16xf16>
  return
}

// -----

func.func @semaphore(%y: memref<16xf16>) {
  %c16 = arith.constant 16 : index
  // expected-error @+1 {{'id': expected a value from 0 to 15, found 16}}
  npu.pend %y, %c16 : memref<16xf16>
  return
}

// -----

func.func @values(%v: i64) {
  // expected-error @+1 {{'values': expected a value from 0 to 2, found 3}}
  npu.print "{d}", %v, %v, %v
  return
}

// -----

func.func @pitch(%s: index) {
  // expected-error @+1 {{'pitch': expected at least the 128 bytes of a slot, found 96}}
  %a = npu.alloc "a" slot %s {address = 0 : i64, depth = 2 : i64, pitch = 96 : i64} : memref<64xf16, 5>
  return
}
