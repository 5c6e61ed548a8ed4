# SPDX-License-Identifier: Apache-2.0
# c = a + b, 2048 fp16 elements.
#
#   kiln asm vadd.s -o vadd.elf
#   kiln sim vadd.elf --bind 0=random:f16:1:2048 --bind 1=random:f16:2:2048 \
#       --bind 2=zeros:f16:2048 --out 2=c.npy --check race,init --engine cycle
#
# UB holds three rows of 4096 bytes: a at 0, b at 4096, c at 8192. An operand
# word (LV) packs address, row stride, block stride and row or column count.
#
# kiln: bindings=3 UB=12288
.globl kernel
kernel:
  ld    s0, 24(a0)            # bindings of the argument block
  ld    s1, 32(a0)
  ld    s2, 40(a0)
  li    t2, 4096              # row_bytes of the transfers

  li    t0, (1 << 48) | (1 << 40) | 0      # one row at 0
  ld.ub t0, s0, t2
  li    t1, (1 << 48) | (1 << 40) | 4096
  ld.ub t1, s1, t2
  kset  mte2, v, zero
  kwait mte2, v, zero

  li    a1, (1 << 48) | (1 << 40) | 8192   # dst: rows
  li    a2, (2048 << 48) | (1 << 40) | 0   # src0: columns
  li    a3, (1 << 40) | 4096               # src1
  vadd.f16 a1, a2, a3
  kset  v, mte3, zero
  kwait v, mte3, zero

  st.ub s2, a1, t2
  ret
