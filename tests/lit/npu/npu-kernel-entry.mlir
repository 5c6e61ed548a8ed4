// RUN: kiln-opt %s --npu-kernel-entry | FileCheck %s

// Bindings first, then constants, after the 24-byte header.
// CHECK-LABEL: func.func @kernel(
// CHECK-SAME: %[[BLOCK:.*]]: !llvm.ptr) attributes {npu.kernel}
func.func @kernel(%x: memref<8xf16>, %n: index, %y: memref<8xf16>, %d: i64)
    attributes {npu.kernel} {
  // CHECK: llvm.getelementptr %[[BLOCK]][24]
  // CHECK: llvm.getelementptr %[[BLOCK]][40]
  // CHECK: llvm.getelementptr %[[BLOCK]][32]
  // CHECK: llvm.getelementptr %[[BLOCK]][48]
  %p = memref.extract_aligned_pointer_as_index %y : memref<8xf16> -> index
  %q = arith.index_cast %p : index to i64
  // An instruction of a queue touches no memory that LLVM knows.
  // CHECK: llvm.inline_asm has_side_effects ".insn r4 0x2b, 0, 0, x0, $0, $1, $2", "r,r,r"
  npu_isa.ld.ub %d, %q, %d
  // CHECK: llvm.inline_asm has_side_effects ".insn r4 0x7b, 5, 2, x1, $0, $1, x0", "r,r"
  npu_isa.vexp elementType(5) %d, %d
  // CHECK: llvm.inline_asm has_side_effects ".insn r4 0xb, 6, 1, x5, $0, x0, x0", "r" %
  npu_isa.kset src(5) dst(6) %d
  // The control core meets a pipe: a memory barrier.
  // CHECK: llvm.inline_asm has_side_effects ".insn r4 0xb, 0, 2, x5, $0, x0, x0", "r,~{memory}"
  npu_isa.kwait src(5) dst(0) %d
  // CHECK: llvm.inline_asm has_side_effects ".insn r4 0xb, 0, 3, x0, x0, x0, x0", "~{memory}"
  npu_isa.kbar
  // CHECK: llvm.inline_asm "csrr $0, 0xcc0", "=r"
  %b = npu.block_index
  %a = npu.alloc "a" {address = 64 : i64} : memref<32xf16, 5>
  // CHECK: llvm.load volatile {{.*}} -> i16
  %s = npu.scalar_load %a[%b] : memref<32xf16, 5> -> i16
  return
}
