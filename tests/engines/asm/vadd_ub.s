# SPDX-License-Identifier: Apache-2.0
#
# c = a + b on 64 rows of 128 f16 elements of UB, constant 0 times: what the
# speed of the engines on vectors is measured on. Binding: 32 KiB for a and b.

  .text
  .globl kernel
kernel:
  ld s0, 24(a0)
  ld s3, 32(a0)
  li t0, 0x0080010008000000  # 128 rows of 256 bytes, one after the other
  li t1, 256
  ld.ub t0, s0, t1
  kset mte2, v, x0
  kwait mte2, v, x0
  li s1, 0x0040010008008000  # 64 rows to 32 KiB, 8 blocks apart
  li s2, 0x0080010008000000  # 128 columns
  li s4, 0x0000010008004000  # b at 16 KiB
.Lnext:
  vadd.f16 s1, s2, s4
  addi s3, s3, -1
  bnez s3, .Lnext
  ret
