# SPDX-License-Identifier: Apache-2.0
"""Small programs whose cycles on k1 were computed by hand.

Each figure is a sum of terms, in the order in which they happen, from the
published figures of k1 and the rules of docs/microarchitecture.md. Nothing
writes this file: when the engine gives another sum, one of the two is wrong.
"""
from dataclasses import dataclass

from machine import BINDING, load, view


@dataclass
class Program:
    what: str
    terms: tuple  # of (cycles, why)
    body: str
    bindings: tuple = ()
    launch: bool = False  # cycles of the launch, not of the kernel


def row_add(dst, src, rows, other=None):
    """vadd over rows of 128 halves: a beat per row."""
    return (load("a1", view(dst, rows, 8)) + load("a2", view(src, 128, 8)) +
            load("a3", view(src if other is None else other, 0, 8)) +
            "  vadd.f16 a1, a2, a3\n")


VADD = "  vadd.f16 a1, a2, a3\n"
RETURN = "  ret\n"
UB_A, UB_B = 0, 0x20000  # banks of their own
LOADED = f"  ld s0, {BINDING}(a0)\n"


def load_rows(rows, row_bytes, stride=0):
    return (load("a1", view(UB_A, rows, (row_bytes + 31) // 32)) +
            load("a3", row_bytes | stride << 32) + "  ld.ub a1, s0, a3\n")


def load_add_store():
    return (f"  ld s1, {BINDING + 8}(a0)\n" + LOADED + load_rows(1, 2048) +
            "  kset mte2, v, zero\n  kwait mte2, v, zero\n" +
            row_add(UB_B, UB_A, 8) +
            "  kset v, mte3, zero\n  kwait v, mte3, zero\n" +
            load("a1", view(UB_B, 1)) + load("a3", 2048) +
            "  st.ub.f16 s1, a1, a3\n" + RETURN)


def mmads():
    tile = 64 << 24 | 64 << 36 | 64 << 48
    return (load("a1", tile) + load("a2", 0) + load("a3", 1 << 40) +
            "  mmad.f16 a1, a2, a3\n" * 4 + RETURN)


def matmul():
    """C[64x64] f16 = A[64x32] * B[32x64], all row-major in GM: both in NZ to
    L1, A at 0 and B at 4 KiB."""
    def fractal_move(text, target, source):
        return load("a1", target) + load("a2", source) + f"  {text} a1, a2\n"

    def flag(source, destination):
        return (f"  kset {source}, {destination}, zero\n"
                f"  kwait {source}, {destination}, zero\n")
    return (
        LOADED + f"  ld s1, {BINDING + 8}(a0)\n  ld s2, {BINDING + 16}(a0)\n" +
        load("t0", 5 | 4 << 6) + "  kcfg fix, 0, t0\n" +
        load("a1", view(0, 64, 64, 0)) + load("a3", 64 | 64 << 32) +
        "  ld.nz a1, s0, a3\n" +
        load("a1", view(4096, 32, 32, 0)) + load("a3", 128 | 128 << 32) +
        "  ld.nz a1, s1, a3\n" + flag("mte2", "mte1") +
        fractal_move("cp.l0a", 4 << 24 | 2 << 40, 1 << 24 | 4 << 44) +
        fractal_move("cp.l0b.t", 2 << 24 | 4 << 40, 4096 | 1 << 24 | 2 << 44) +
        flag("mte1", "m") + load("a1", 64 << 24 | 64 << 36 | 32 << 48) +
        load("a2", 0) + "  mmad.f16 a1, a2, a2\n" + flag("m", "fix") +
        load("a1", 64 << 24 | 64 << 44) + load("a3", 32 | 128 << 32) +
        "  fix.gm.f32 s2, a1, a3\n" + RETURN)


def five_adds():
    return (load("a2", view(UB_A, 128, 8)) + load("a3", view(UB_A, 0, 8)) +
            load("a1", view(UB_B, 1, 8)) +
            (VADD + "  addi a1, a1, 256\n") * 5 + RETURN)


PROGRAMS = (
    Program("nothing", (
        (4000, "doorbell"), (800, "dispatch"), (32, "one core"),
        (1, "32 bytes of text at 64 per cycle"),
        (5, "gp, sp and the address of the kernel"), (3, "call: a taken jump"),
        (3, "return"), (1, "kend")), RETURN, launch=True),
    Program("vadd of 8 rows of 128 halves", (
        (8, "a beat per row"), (24, "latency")),
        row_add(UB_B, UB_A, 8) + RETURN),
    Program("vadd of 100 rows, then one that needs its result", (
        (100, "beats"), (24, "latency: the second waits for retirement"),
        (1, "its beat"), (24, "latency")),
        row_add(UB_B, UB_A, 100) + row_add(0x10000, UB_B, 1) + RETURN),
    Program("vadd of 100 rows, then an independent one", (
        (100, "beats"), (1, "its beat"), (24, "latency")),
        row_add(UB_B, UB_A, 100) + row_add(0x10000, UB_A, 1) + RETURN),
    Program("vadd of 8 rows, both sources in one bank and group", (
        (16, "two cycles per beat"), (24, "latency")),
        row_add(UB_B, UB_A, 8, 0x8000) + RETURN),
    Program("five independent vadd of one row", (
        (25, "the fifth waits until the first of four has retired"),
        (1, "its beat"), (24, "latency")), five_adds()),
    Program("vadd of one row, kbar, the same again", (
        (25, "beat and latency"), (4, "kbar"), (1, "queue"),
        (25, "beat and latency")),
        row_add(UB_B, UB_A, 1) + "  kbar\n" + VADD + RETURN),
    Program("vadd of 50 rows, a division, vadd behind both", (
        (50, "beats; S divides meanwhile"), (1, "beat"), (24, "latency")),
        row_add(UB_B, UB_A, 50) + load("a1", view(0x10000, 1, 8)) +
        "  div t0, t1, t2\n" + VADD + RETURN),
    Program("vadd of one row, two divisions, an independent vadd", (
        (20, "S divides from the cycle in which the first starts"),
        (20, "and again"), (1, "queue"), (1, "beat"), (24, "latency")),
        row_add(UB_B, UB_A, 1) + "  div t0, t1, t2\n  div t0, t1, t2\n" +
        VADD + RETURN),
    Program("load of 2 KiB", (
        (16, "beats of 128 bytes"), (300, "a miss of L2")),
        LOADED + load_rows(1, 2048) + RETURN, (4096,)),
    Program("load of 8 rows of 32 bytes", (
        (16, "two beats per row, at least"), (300, "a miss of L2")),
        LOADED + load_rows(8, 32, 256) + RETURN, (4096,)),
    Program("load of 512 bytes, kbar, the same again", (
        (4, "beats"), (300, "a miss of L2"), (4, "kbar"), (1, "queue"),
        (4, "beats"), (110, "a hit of L2")),
        LOADED + load_rows(1, 512) + "  kbar\n  ld.ub a1, s0, a3\n" + RETURN,
        (4096,)),
    Program("load, vadd and store of 2 KiB", (
        (16, "beats"), (300, "a miss of L2"), (4, "flag"), (1, "kwait"),
        (8, "beats"), (24, "latency"), (4, "flag"), (1, "kwait"),
        (16, "beats"), (110, "L2 acknowledges")),
        load_add_store(), (4096, 4096)),
    Program("four accumulating mmad of 64 x 64 x 64 on one tile", (
        (64, "cells"), (5, "21 less the 16 cells of a k step"), (64, "cells"),
        (5, "again"), (64, "cells"), (5, "again"), (64, "cells"),
        (21, "latency")), mmads()),
    Program("matmul of 64 x 32 and 32 x 64, from GM to GM", (
        (32, "beats of A"), (32, "beats of B"), (300, "a miss of L2"),
        (4, "flag"), (1, "kwait"), (16, "4 KiB to L0A at 256 bytes"),
        (16, "4 KiB to L0B"), (28, "latency"), (4, "flag"), (1, "kwait"),
        (32, "cells"), (21, "latency"), (4, "flag"), (1, "kwait"),
        (64, "4096 elements at 64"), (110, "L2 acknowledges"),
        (20, "latency of FIX")), matmul(), (4096, 4096, 8192)),
)


def computed(program):
    return sum(cycles for cycles, _ in program.terms)


def simulated(bench, program):
    report = bench.assemble(program.body, program.bindings).run(data=True)
    return report["cycles" if program.launch else "kernel_cycles"]
