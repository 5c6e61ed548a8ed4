# SPDX-License-Identifier: Apache-2.0
#
# Scalar work like that of a kernel's loops: address arithmetic, table loads
# and stores, a division now and then. Constant 0: iterations of 16 to 20
# instructions.

  .text
  .globl kernel
kernel:
  ld s0, 24(a0)
  addi sp, sp, -256
  li t0, 1
  li t1, 7
.Lloop:
  andi t2, t0, 31
  sh3add t3, t2, sp
  sd t1, 0(t3)
  slli t4, t0, 3
  add t1, t1, t4
  xor t1, t1, t0
  addi t5, t2, -31
  andi t5, t5, 31
  sh3add t5, t5, sp
  ld t6, 0(t5)
  mul t4, t4, t2
  add t1, t1, t4
  sltu t4, t1, t0
  add t1, t1, t4
  bnez t2, .Lnext
  divu t1, t1, t0
.Lnext:
  addi t0, t0, 1
  bne t0, s0, .Lloop
  addi sp, sp, 256
  ret
