// RUN: kiln-opt %s --npu-verify-sync --split-input-file --verify-diagnostics

func.func @race(%x: memref<64xf16>, %y: memref<64xf16>) attributes {npu.kernel} {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c128 = arith.constant 128 : index
  %a = npu.alloc "a" {address = 0 : i64} : memref<64xf16, 5>
  // expected-note @+1 {{the earlier command}}
  npu.load %a[%c0], %x[%c0] rows %c1 row_bytes %c128 gm_stride %c0
    {dst_strides = array<i64: 0, 1>} : memref<64xf16, 5>, memref<64xf16>
  // expected-error @+1 {{race in UB: pipe MTE3 reads bytes that no flag orders after a command of pipe MTE2 that writes them}}
  npu.store %y[%c0], %a[%c0] rows %c1 row_bytes %c128 gm_stride %c0
    {src_strides = array<i64: 0, 1>} : memref<64xf16>, memref<64xf16, 5>
  return
}

// -----

// A barrier orders everything.
func.func @barrier(%x: memref<64xf16>) attributes {npu.kernel} {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c128 = arith.constant 128 : index
  %a = npu.alloc "a" {address = 0 : i64} : memref<64xf16, 5>
  npu.load %a[%c0], %x[%c0] rows %c1 row_bytes %c128 gm_stride %c0
    {dst_strides = array<i64: 0, 1>} : memref<64xf16, 5>, memref<64xf16>
  npu.barrier
  npu.store %x[%c0], %a[%c0] rows %c1 row_bytes %c128 gm_stride %c0
    {src_strides = array<i64: 0, 1>} : memref<64xf16>, memref<64xf16, 5>
  return
}

// -----

func.func @early_wait() attributes {npu.kernel} {
  %c0 = arith.constant 0 : index
  // expected-error @+1 {{waits for flag V>MTE3.0 before it is set in program order}}
  npu.wait_flag V to MTE3, %c0
  npu.set_flag V to MTE3, %c0
  return
}

// -----

func.func @set_twice() attributes {npu.kernel} {
  %c0 = arith.constant 0 : index
  // expected-note @+1 {{set here}}
  npu.set_flag V to MTE3, %c0
  // expected-error @+1 {{flag V>MTE3.0 is set already}}
  npu.set_flag V to MTE3, %c0
  return
}

// -----

// The second set may come before the wait has cleared the flag.
func.func @unordered_set() attributes {npu.kernel} {
  %c0 = arith.constant 0 : index
  npu.set_flag V to MTE3, %c0
  npu.wait_flag V to MTE3, %c0
  // expected-error @+1 {{flag V>MTE3.0 may be set again before the wait that clears it}}
  npu.set_flag V to MTE3, %c0
  npu.wait_flag V to MTE3, %c0
  return
}

// -----

func.func @residue() attributes {npu.kernel} {
  %c0 = arith.constant 0 : index
  // expected-error @+1 {{flag V>MTE3.0 is left set at the end of the kernel}}
  npu.set_flag V to MTE3, %c0
  return
}

// -----

// Right when the loop runs, wrong when it does not: no trip of a loop whose
// number of trips is not known says which code runs.
func.func @zero_trips(%n: index) attributes {npu.kernel} {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  npu.set_flag V to MTE3, %c0
  %done = scf.for %i = %c0 to %n step %n iter_args(%k = %c0) -> index {
    %first = arith.cmpi eq, %k, %c0 : index
    // expected-error @+1 {{flag V>MTE3.0 is left clear here, but only when this code runs}}
    scf.if %first {
      npu.wait_flag V to MTE3, %c0
    }
    scf.yield %c1 : index
  }
  return
}

// -----

func.func @unknown_id(%n: index) attributes {npu.kernel} {
  // expected-error @+1 {{flag id is not known; cannot prove the kernel's synchronisation}}
  npu.set_flag V to MTE3, %n
  return
}

// -----

// The last trip that runs the `if` need not have a trip after it: what the
// walked trips run does not count where the number of trips is not known.
func.func @last_trip(%x: memref<64xf16>, %n: index) attributes {npu.kernel} {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c2 = arith.constant 2 : index
  %c128 = arith.constant 128 : index
  %bits = arith.constant 0 : i64
  %a = npu.alloc "a" {address = 0 : i64} : memref<64xf16, 5>
  scf.for %i = %c0 to %n step %c1 {
    %s = arith.remui %i, %c2 : index
    %b = npu.alloc "b" slot %s {address = 4096 : i64, depth = 2} : memref<64xf16, 5>
    npu.set_flag V to MTE2, %c0
    npu.wait_flag V to MTE2, %c0
    npu.set_flag MTE2 to V, %c0
    npu.wait_flag MTE2 to V, %c0
    %even = arith.cmpi eq, %s, %c0 : index
    scf.if %even {
      // expected-note @+1 {{the earlier command}}
      npu.vdup %a[%c0], %bits rows %c1 cols %c2 {dst_strides = array<i64: 1, 1>} : memref<64xf16, 5>
    }
  }
  // expected-error @+1 {{race in UB: pipe MTE2 writes bytes that no flag orders after a command of pipe V that writes them}}
  npu.load %a[%c0], %x[%c0] rows %c1 row_bytes %c128 gm_stride %c0
    {dst_strides = array<i64: 0, 1>} : memref<64xf16, 5>, memref<64xf16>
  return
}

// -----

// A loop is walked for whole turns of its slots. Another number of trips is the
// same with other names, but z does not turn with them: the last trip may have
// used any slot of a, also the one where z lies.
func.func @other_names(%x: memref<256xf16>, %n: index) attributes {npu.kernel} {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c16 = arith.constant 16 : index
  %c512 = arith.constant 512 : index
  npu.set_flag V to MTE2, %c0
  %last = scf.for %i = %c0 to %n step %c1 iter_args(%s = %c0) -> index {
    %a = npu.alloc "a" slot %s {address = 0 : i64, depth = 2} : memref<256xf16, 5>
    %b = npu.alloc "b" {address = 4096 : i64} : memref<256xf16, 5>
    npu.load %a[%c0], %x[%c0] rows %c1 row_bytes %c512 gm_stride %c0
      {dst_strides = array<i64: 0, 1>} : memref<256xf16, 5>, memref<256xf16>
    npu.wait_flag V to MTE2, %c0
    npu.load %b[%c0], %x[%c0] rows %c1 row_bytes %c512 gm_stride %c0
      {dst_strides = array<i64: 0, 1>} : memref<256xf16, 5>, memref<256xf16>
    npu.set_flag MTE2 to V, %c0
    npu.wait_flag MTE2 to V, %c0
    // expected-note @+1 {{the earlier command}}
    npu.vbinary add %b[%c0], %a[%c0], %b[%c0] rows %c16 cols %c16
      {dst_strides = array<i64: 1, 1>, src0_strides = array<i64: 1, 1>, src1_strides = array<i64: 1, 1>}
      : memref<256xf16, 5>, memref<256xf16, 5>, memref<256xf16, 5>
    npu.set_flag V to MTE2, %c0
    %next = arith.xori %s, %c1 : index
    scf.yield %next : index
  }
  %z = npu.alloc "z" {address = 0 : i64} : memref<256xf16, 5>
  // expected-error @+1 {{race in UB: pipe MTE2 writes bytes that no flag orders after a command of pipe V that reads them}}
  npu.load %z[%c0], %x[%c0] rows %c1 row_bytes %c512 gm_stride %c0
    {dst_strides = array<i64: 0, 1>} : memref<256xf16, 5>, memref<256xf16>
  npu.wait_flag V to MTE2, %c0
  return
}

// -----

// Between the slots of a lies z: no slot that the last trip may have used.
func.func @between_slots(%x: memref<256xf16>, %n: index) attributes {npu.kernel} {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c16 = arith.constant 16 : index
  %c512 = arith.constant 512 : index
  npu.set_flag V to MTE2, %c0
  %last = scf.for %i = %c0 to %n step %c1 iter_args(%s = %c0) -> index {
    %a = npu.alloc "a" slot %s {address = 0 : i64, depth = 2, pitch = 1024} : memref<256xf16, 5>
    %b = npu.alloc "b" {address = 4096 : i64} : memref<256xf16, 5>
    npu.load %a[%c0], %x[%c0] rows %c1 row_bytes %c512 gm_stride %c0
      {dst_strides = array<i64: 0, 1>} : memref<256xf16, 5>, memref<256xf16>
    npu.wait_flag V to MTE2, %c0
    npu.load %b[%c0], %x[%c0] rows %c1 row_bytes %c512 gm_stride %c0
      {dst_strides = array<i64: 0, 1>} : memref<256xf16, 5>, memref<256xf16>
    npu.set_flag MTE2 to V, %c0
    npu.wait_flag MTE2 to V, %c0
    npu.vbinary add %b[%c0], %a[%c0], %b[%c0] rows %c16 cols %c16
      {dst_strides = array<i64: 1, 1>, src0_strides = array<i64: 1, 1>, src1_strides = array<i64: 1, 1>}
      : memref<256xf16, 5>, memref<256xf16, 5>, memref<256xf16, 5>
    npu.set_flag V to MTE2, %c0
    %next = arith.xori %s, %c1 : index
    scf.yield %next : index
  }
  %z = npu.alloc "z" {address = 512 : i64} : memref<256xf16, 5>
  npu.load %z[%c0], %x[%c0] rows %c1 row_bytes %c512 gm_stride %c0
    {dst_strides = array<i64: 0, 1>} : memref<256xf16, 5>, memref<256xf16>
  npu.wait_flag V to MTE2, %c0
  return
}

// -----

// Seven trips are walked as fewer, once they repeat: the last one uses slot 0,
// where z lies.
func.func @odd_trips(%x: memref<256xf16>) attributes {npu.kernel} {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c16 = arith.constant 16 : index
  %c512 = arith.constant 512 : index
  %n = arith.constant 7 : index
  npu.set_flag V to MTE2, %c0
  %last = scf.for %i = %c0 to %n step %c1 iter_args(%s = %c0) -> index {
    %a = npu.alloc "a" slot %s {address = 0 : i64, depth = 2} : memref<256xf16, 5>
    %b = npu.alloc "b" {address = 4096 : i64} : memref<256xf16, 5>
    npu.load %a[%c0], %x[%c0] rows %c1 row_bytes %c512 gm_stride %c0
      {dst_strides = array<i64: 0, 1>} : memref<256xf16, 5>, memref<256xf16>
    npu.wait_flag V to MTE2, %c0
    npu.load %b[%c0], %x[%c0] rows %c1 row_bytes %c512 gm_stride %c0
      {dst_strides = array<i64: 0, 1>} : memref<256xf16, 5>, memref<256xf16>
    npu.set_flag MTE2 to V, %c0
    npu.wait_flag MTE2 to V, %c0
    // expected-note @+1 {{the earlier command}}
    npu.vbinary add %b[%c0], %a[%c0], %b[%c0] rows %c16 cols %c16
      {dst_strides = array<i64: 1, 1>, src0_strides = array<i64: 1, 1>, src1_strides = array<i64: 1, 1>}
      : memref<256xf16, 5>, memref<256xf16, 5>, memref<256xf16, 5>
    npu.set_flag V to MTE2, %c0
    %next = arith.xori %s, %c1 : index
    scf.yield %next : index
  }
  %z = npu.alloc "z" {address = 0 : i64} : memref<256xf16, 5>
  // expected-error @+1 {{race in UB: pipe MTE2 writes bytes that no flag orders after a command of pipe V that reads them}}
  npu.load %z[%c0], %x[%c0] rows %c1 row_bytes %c512 gm_stride %c0
    {dst_strides = array<i64: 0, 1>} : memref<256xf16, 5>, memref<256xf16>
  npu.wait_flag V to MTE2, %c0
  return
}

// -----

// The last trip uses slot 1; the one before, slot 0, was waited for.
func.func @even_trips(%x: memref<256xf16>) attributes {npu.kernel} {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c16 = arith.constant 16 : index
  %c512 = arith.constant 512 : index
  %n = arith.constant 8 : index
  npu.set_flag V to MTE2, %c0
  %last = scf.for %i = %c0 to %n step %c1 iter_args(%s = %c0) -> index {
    %a = npu.alloc "a" slot %s {address = 0 : i64, depth = 2} : memref<256xf16, 5>
    %b = npu.alloc "b" {address = 4096 : i64} : memref<256xf16, 5>
    npu.load %a[%c0], %x[%c0] rows %c1 row_bytes %c512 gm_stride %c0
      {dst_strides = array<i64: 0, 1>} : memref<256xf16, 5>, memref<256xf16>
    npu.wait_flag V to MTE2, %c0
    npu.load %b[%c0], %x[%c0] rows %c1 row_bytes %c512 gm_stride %c0
      {dst_strides = array<i64: 0, 1>} : memref<256xf16, 5>, memref<256xf16>
    npu.set_flag MTE2 to V, %c0
    npu.wait_flag MTE2 to V, %c0
    npu.vbinary add %b[%c0], %a[%c0], %b[%c0] rows %c16 cols %c16
      {dst_strides = array<i64: 1, 1>, src0_strides = array<i64: 1, 1>, src1_strides = array<i64: 1, 1>}
      : memref<256xf16, 5>, memref<256xf16, 5>, memref<256xf16, 5>
    npu.set_flag V to MTE2, %c0
    %next = arith.xori %s, %c1 : index
    scf.yield %next : index
  }
  %z = npu.alloc "z" {address = 0 : i64} : memref<256xf16, 5>
  npu.load %z[%c0], %x[%c0] rows %c1 row_bytes %c512 gm_stride %c0
    {dst_strides = array<i64: 0, 1>} : memref<256xf16, 5>, memref<256xf16>
  npu.wait_flag V to MTE2, %c0
  return
}
