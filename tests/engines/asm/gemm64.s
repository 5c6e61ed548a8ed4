# SPDX-License-Identifier: Apache-2.0
#
# C[64x64] f16 = A[64x64] f16 * B[64x64] f16, all row-major in GM.
# Bindings A, B, C. L1: A in NZ at 0, B in NZ at 8 KiB.

  .text
  .globl kernel
kernel:
  ld s0, 24(a0)             # A
  ld s1, 32(a0)             # B
  ld s2, 40(a0)             # C
  li t0, 0x105              # l0c_M1 = 4 cells, write f16
  kcfg fix, 0, t0

  # 64 rows of 128 bytes to column blocks of 32 bytes, 64 blocks apart.
  li t0, 0x0040000040000000
  li t1, 0x0000008000000080 # 128 bytes a row, 128 bytes apart
  ld.nz t0, s0, t1
  li t2, 0x0040000040002000
  ld.nz t2, s1, t1
  kset mte2, mte1, x0
  kwait mte2, mte1, x0

  # Fractal (mi, ki) of A lies at 512 * (4 * ki + mi) of its NZ form, that of
  # B, transposed, at 512 * (4 * ni + ki).
  li t0, 0x0000040004000000 # 4 x 4 fractals at 0
  li t1, 0x0000400001000000 # outer stride 1, inner stride 4, L1 0
  cp.l0a t0, t1
  li t1, 0x0000400001002000
  cp.l0b.t t0, t1
  kset mte1, m, x0
  kwait mte1, m, x0

  li t0, 0x0040040040000000 # C at 0, m = n = k = 64
  li t1, 0
  mmad.f16 t0, t1, t1       # C = A * B
  kset m, fix, x0
  kwait m, fix, x0

  li t0, 0x0004000040000000 # L0C 0, m = n = 64
  li t1, 0x0000008000000020 # 32 bytes to the next 16 columns, 128 to a row
  fix.gm.f32 s2, t0, t1
  ret
