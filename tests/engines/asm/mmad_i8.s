# SPDX-License-Identifier: Apache-2.0
#
# 256 products C += A * B of int8, 128 x 256 x 256, from L0: what the speed of
# the engines on integers is measured on. Binding: 512 rows of 256 bytes.

  .text
  .globl kernel
kernel:
  ld s0, 24(a0)
  li t0, 0x0200000200000000  # 512 rows to 0, blocks 512 apart
  li t1, 0x0000010000000100  # 256 bytes, 256 apart
  ld.nz t0, s0, t1
  kset mte2, mte1, x0
  kwait mte2, mte1, x0
  li t0, 0x0000080008000000  # A: 8 x 8 fractals
  li t1, 0x0002000001000000  # outer stride 1, inner stride 32
  cp.l0a t0, t1
  li t0, 0x0000100008000000  # B: 8 x 16 fractals
  cp.l0b t0, t1
  kset mte1, m, x0
  kwait mte1, m, x0
  li s1, 0x0100100080000000  # m 128, n 256, k 256
  li s2, 0x0000010000000000  # C = C + A * B
  li s3, 256
.Lnext:
  mmad.i8 s1, x0, s2
  addi s3, s3, -1
  bnez s3, .Lnext
  ret
