# SPDX-License-Identifier: Apache-2.0
#
# c = a + b, f16, in tiles of 1024 elements, all buffers double.
# Bindings a, b, c; constant 0: number of tiles.
#
# UB: a at slot * 2 KiB, b at 0x1000 + slot * 2 KiB, c at 0x2000 + slot * 2 KiB.

  .text
  .globl kernel
kernel:
  ld s0, 24(a0)             # a
  ld s1, 32(a0)             # b
  ld s2, 40(a0)             # c
  ld s3, 48(a0)             # tiles left
  li s4, 0                  # slot
  li s5, 0x0001010000000000 # one row, consecutive blocks
  li s6, 0x0400010000000000 # 1024 columns, consecutive blocks
  li s7, 0x0000010000000000 # consecutive blocks
  li s8, 2048               # bytes of a row
  li t0, 0
  kset v, mte2, t0          # both slots of the inputs are free
  kset mte3, v, t0          # both slots of the output are free
  li t0, 1
  kset v, mte2, t0
  kset mte3, v, t0
  beqz s3, .Ldone
.Ltile:
  slli t0, s4, 11           # offset of the slot
  li t1, 0x1000
  add t1, t1, t0            # b
  li t2, 0x2000
  add t2, t2, t0            # c
  kwait v, mte2, s4
  add t3, s5, t0
  ld.ub t3, s0, s8
  add t3, s5, t1
  ld.ub t3, s1, s8
  kset mte2, v, s4
  kwait mte2, v, s4
  kwait mte3, v, s4
  add t3, s5, t2
  add t4, s6, t0
  add t5, s7, t1
  vadd.f16 t3, t4, t5
  kset v, mte2, s4
  kset v, mte3, s4
  kwait v, mte3, s4
  st.ub s2, t3, s8
  kset mte3, v, s4
  add s0, s0, s8
  add s1, s1, s8
  add s2, s2, s8
  xori s4, s4, 1
  addi s3, s3, -1
  bnez s3, .Ltile
.Ldone:
  li t0, 0
  kwait v, mte2, t0
  kwait mte3, v, t0
  li t0, 1
  kwait v, mte2, t0
  kwait mte3, v, t0
  ret
