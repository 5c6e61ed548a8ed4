// RUN: kiln-opt %s --npu-to-isa --canonicalize --cse | FileCheck %s
// Operand words: constant fields are folded into one constant, run-time fields
// are shifted and added.

// CHECK-LABEL: func.func @words
func.func @words(%x: memref<4x128xf16>, %n: index) attributes {npu.kernel} {
  %c0 = arith.constant 0 : index
  %c4 = arith.constant 4 : index
  %c128 = arith.constant 128 : index
  %c256 = arith.constant 256 : index
  %half = arith.constant 14336 : i64
  %a = npu.alloc "a" {address = 64 : i64} : memref<4x128xf16, 5>
  // ld.ub: dst = 64 | 8<<24 | 1<<40 | 4<<48, geometry = 256 | 256<<32
  // CHECK-DAG: %[[DST:.*]] = arith.constant 1126999552688192 : i64
  // CHECK-DAG: %[[GEOMETRY:.*]] = arith.constant 1099511628032 : i64
  // CHECK-DAG: %[[C40:.*]] = arith.constant 48 : i64
  // CHECK-DAG: %[[SRC:.*]] = arith.constant 1099645845568 : i64
  // CHECK: npu_isa.kcfg pipe(1) index(0) %c0_i64
  // CHECK: %[[GM:.*]] = arith.index_cast
  // CHECK: npu_isa.ld.ub %[[DST]], %[[GM]], %[[GEOMETRY]]
  npu.load %a[%c0], %x[%c0] rows %c4 row_bytes %c256 gm_stride %c256
    {dst_strides = array<i64: 8, 1>} : memref<4x128xf16, 5>, memref<4x128xf16>
  // vmuls.f16: src = 64 | 8<<24 | 1<<40 | n<<48
  // CHECK: %[[N:.*]] = arith.index_cast %{{.*}} : index to i64
  // CHECK: %[[SHIFTED:.*]] = arith.shli %[[N]], %[[C40]]
  // CHECK: %[[VIEW:.*]] = arith.addi %[[SHIFTED]], %[[SRC]]
  // CHECK: npu_isa.vmuls elementType(5) %[[DST]], %[[VIEW]], %c14336_i64
  npu.vscalar muls %a[%c0], %a[%c0], %half rows %c4 cols %n
    {dst_strides = array<i64: 8, 1>, src_strides = array<i64: 8, 1>}
    : memref<4x128xf16, 5>, memref<4x128xf16, 5>
  // CHECK: npu_isa.kset src(5) dst(6) %c0_i64
  npu.set_flag V to MTE3, %c0
  // CHECK: npu_isa.kwait src(5) dst(6) %c0_i64
  npu.wait_flag V to MTE3, %c0
  // CHECK: npu_isa.st.ub elementType(5)
  npu.store %x[%c0], %a[%c0] rows %c4 row_bytes %c256 gm_stride %c256
    {src_strides = array<i64: 8, 1>} : memref<4x128xf16>, memref<4x128xf16, 5>
  // CHECK: npu_isa.kbar
  npu.barrier
  return
}

// The slot adds slot * bytes to the address.
// CHECK-LABEL: func.func @slot
func.func @slot(%s: index, %v: i64, %n: index) attributes {npu.kernel} {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %a = npu.alloc "a" slot %s {address = 0 : i64, depth = 2 : i64} : memref<128xf16, 5>
  // CHECK: %[[BYTES:.*]] = arith.muli %{{.*}}, %c256
  // CHECK: %[[CAST:.*]] = arith.index_cast %[[BYTES]]
  // CHECK: %[[DST:.*]] = arith.addi %[[CAST]], %c282574488338432_i64
  // CHECK: npu_isa.vdup elementType(5) %[[DST]]
  npu.vdup %a[%c0], %v rows %c1 cols %n {dst_strides = array<i64: 0, 1>} : memref<128xf16, 5>
  return
}

// CHECK-LABEL: func.func @meeting
func.func @meeting(%x: memref<64xi32>) attributes {npu.kernel} {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c3 = arith.constant 3 : index
  %c32 = arith.constant 32 : index
  %c128 = arith.constant 128 : index
  %a = npu.alloc "a" {address = 0 : i64} : memref<32xf16, 5>
  %b = npu.alloc "b" {address = 64 : i64} : memref<32xf16, 5>
  %i = npu.alloc "i" {address = 128 : i64} : memref<32xi32, 5>
  %m = npu.alloc "m" {address = 256 : i64} : memref<32xui8, 5>
  // vgather: table = 0 | 32<<24, index = 128 | 1<<40 | 32<<48
  // CHECK-DAG: %[[TABLE:.*]] = arith.constant 536870912 : i64
  // CHECK-DAG: %[[INDEX:.*]] = arith.constant 9008298766368896 : i64
  // CHECK: npu_isa.vgather elementType(5) %{{.*}}, %[[INDEX]], %[[TABLE]]
  npu.vgather %b[%c0], %a[%c0], %i[%c0] count %c32 rows %c1 cols %c32
    {dst_strides = array<i64: 0, 1>, index_strides = array<i64: 0, 1>}
    : memref<32xf16, 5>, memref<32xf16, 5>, memref<32xi32, 5>
  // vgatherb: table = 0 | 1<<24, index = 128 | 1<<40 | 1<<48
  // CHECK: npu_isa.vgatherb elementType(5) %{{.*}}, %c282574488338560_i64, %c16777216_i64
  npu.vgather_blocks %b[%c0], %a[%c0], %i[%c0] count %c1 rows %c1 blocks %c1
    {dst_strides = array<i64: 0, 1>, index_strides = array<i64: 0, 1>}
    : memref<32xf16, 5>, memref<32xf16, 5>, memref<32xi32, 5>
  // vsel: mask in block 256 / 32
  // CHECK: npu_isa.vsel elementType(5)
  npu.vselect %b[%c0], %m[%c0], %a[%c0], %b[%c0] rows %c1 cols %c32
    {dst_strides = array<i64: 0, 1>, src0_strides = array<i64: 0, 1>, src1_strides = array<i64: 0, 1>}
    : memref<32xf16, 5>, memref<32xui8, 5>, memref<32xf16, 5>, memref<32xf16, 5>
  // CHECK: npu_isa.st.ub elementType(4)
  npu.store %x[%c0], %i[%c0] rows %c1 row_bytes %c128 gm_stride %c0
    {src_strides = array<i64: 0, 1>, mode = 2 : i32} : memref<64xi32>, memref<32xi32, 5>
  // kpost: semaphore 3 of block 1
  // CHECK: npu_isa.kpost pipe(6) %c65539_i64
  npu.post MTE3 %x to %c1, %c3 : memref<64xi32>
  // CHECK: npu_isa.kpend pipe(1) %c3_i64
  npu.pend %x, %c3 : memref<64xi32>
  // CHECK: npu_isa.kdbar
  npu.barrier device
  return
}
