# SPDX-License-Identifier: Apache-2.0
#
# C[1024x1024] f16 = A * B, f16, row-major, double-buffered: what the speed of
# the engines is measured on.
# Bindings A, B, C. Tiles of 128 x 256 x 64; L1: A panels (128 x 1024, NZ) at
# 0 and 256 KiB, the B panel (1024 x 256, NZ) at 512 KiB.
#
# Flags: MTE2>MTE1 and back: 0, 1 the A slots, 2 the B panel; MTE1>M and back:
# the L0 slots; M>FIX and back: the L0C slots.

  .text
  .globl kernel
kernel:
  ld s0, 24(a0)              # A
  ld s1, 32(a0)              # B, then its panel
  ld s2, 40(a0)              # C, then its columns
  li t0, 0x205               # l0c_M1 = 8 cells, write f16
  kcfg fix, 0, t0
  li t1, 1
  kset mte1, mte2, x0        # all slots are free
  kset mte1, mte2, t1
  kset m, mte1, x0
  kset m, mte1, t1
  kset fix, m, x0
  kset fix, m, t1
  li t1, 2
  kset mte1, mte2, t1
  li s3, 0                   # slot of L0
  li s4, 0                   # slot of A and of L0C
  li s5, 4                   # B panels left
  li s9, 0x0000080000000800  # A rows: 2048 bytes, 2048 apart
  li s10, 0x0000080000000200 # B rows: 512 bytes, 2048 apart
  li s11, 0x0000080000000020 # C: 32 bytes per 16 columns, 2048 per row
.Lpanel:
  li t1, 2
  kwait mte1, mte2, t1
  li t0, 0x0400000400080000  # 1024 rows to 512 KiB, blocks 1024 apart
  ld.nz t0, s1, s10
  kset mte2, mte1, t1
  kwait mte2, mte1, t1
  mv a4, s0                  # A panel
  mv a5, s2                  # C tile
  li s6, 8                   # A panels left
.Lrow:
  kwait mte1, mte2, s4
  slli a6, s4, 18            # slot of A in L1
  li t0, 0x0080000080000000  # 128 rows, blocks 128 apart
  add t0, t0, a6
  ld.nz t0, a4, s9
  kset mte2, mte1, s4
  kwait mte2, mte1, s4
  kwait fix, m, s4
  slli a7, s4, 17            # slot of L0C
  li t0, 0x0040100080000000  # m 128, n 256, k 64
  add a7, a7, t0
  li t0, 0x0000800001000000  # outer stride 1, inner stride 8
  add a6, a6, t0
  li a3, 0x0004000001080000  # B: outer stride 1, inner stride 64, 512 KiB
  li a2, 0                   # mode: C = A * B
  li s7, 16                  # k steps left
.Lstep:
  kwait m, mte1, s3
  slli t0, s3, 14
  li t1, 0x0000040008000000  # 8 x 4 fractals
  add t1, t1, t0
  cp.l0a t1, a6
  slli t2, s3, 15
  li t1, 0x0000100004000000  # 4 x 16 fractals
  add t1, t1, t2
  cp.l0b.t t1, a3
  kset mte1, m, s3
  kwait mte1, m, s3
  add t2, t2, a2
  mmad.f16 a7, t0, t2
  kset m, mte1, s3
  li t1, 16384
  add a6, a6, t1             # 4 column blocks of A
  addi a3, a3, 1024
  addi a3, a3, 1024          # 4 fractals of B
  li a2, 0x0000010000000000  # from now on C = C + A * B
  xori s3, s3, 1
  addi s7, s7, -1
  bnez s7, .Lstep
  kset mte1, mte2, s4
  kset m, fix, s4
  kwait m, fix, s4
  slli t0, s4, 17
  li t1, 0x0010000080000000  # m 128, n 256
  add t0, t0, t1
  fix.gm.f32 a5, t0, s11
  kset fix, m, s4
  li t0, 262144              # 128 rows of 2048 bytes
  add a4, a4, t0
  add a5, a5, t0
  xori s4, s4, 1
  addi s6, s6, -1
  bnez s6, .Lrow
  li t1, 2
  kset mte1, mte2, t1
  addi s1, s1, 512
  addi s2, s2, 512
  addi s5, s5, -1
  bnez s5, .Lpanel
  li t1, 1
  kwait mte1, mte2, x0
  kwait mte1, mte2, t1
  kwait m, mte1, x0
  kwait m, mte1, t1
  kwait fix, m, x0
  kwait fix, m, t1
  li t1, 2
  kwait mte1, mte2, t1
  ret
