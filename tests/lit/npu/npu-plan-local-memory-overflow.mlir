// RUN: not kiln-opt %s --npu-plan-local-memory=machine=k1-nano 2>&1 | FileCheck %s
// A failure lists every buffer of the space with its size, depth and lifetime.

func.func @overflow(%v: i64, %n: index) attributes {npu.kernel} {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  // CHECK: error: buffers of UB do not fit: 40960 bytes needed, 32768 available; use smaller tiles or a smaller depth for the largest of:
  scf.for %i = %c0 to %n step %c1 {
    // CHECK: note: 'tile': 32768 bytes = depth 2 x 16384 ('memref<8192xf16, 5>'), live from point
    %a = npu.alloc "tile" {depth = 2} : memref<8192xf16, 5>
    // CHECK: note: 'sum': 8192 bytes = depth 1 x 8192 ('memref<4096xf16, 5>'), live from point
    %b = npu.alloc "sum" : memref<4096xf16, 5>
    npu.vdup %a[%c0], %v rows %c1 cols %n {dst_strides = array<i64: 0, 1>} : memref<8192xf16, 5>
    npu.vdup %b[%c0], %v rows %c1 cols %n {dst_strides = array<i64: 0, 1>} : memref<4096xf16, 5>
    npu.vdup %a[%c0], %v rows %c1 cols %n {dst_strides = array<i64: 0, 1>} : memref<8192xf16, 5>
  }
  return
}
