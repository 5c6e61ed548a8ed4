# SPDX-License-Identifier: Apache-2.0
"""Micro-benchmarks: one per published rate and latency of k1.

Each is a kernel in assembly with work to do n times. Its kernel cycles are
T(n); from two sizes the rate is the work between them over the cycles between
them, and the latency what is left of the first: T(n) - work / rate. Nothing of
the engine is used but the cycles of the two runs.
"""
from dataclasses import dataclass
from fractions import Fraction
from typing import Callable, Optional

from machine import BINDING, load, view

SRC0, SRC1, DST = 0, 0x10000, 0x20000  # in UB, each in a bank of its own


@dataclass
class Micro:
    what: str
    unit: str            # of the work
    rate: Fraction       # published, per cycle
    latency: Optional[int]  # published; None: the kernel has none to show
    body: Callable[[int], str]
    sizes: tuple
    work: Callable[[int], int]
    bindings: tuple = ()
    note: str = ""
    cores: int = 1
    least: float = 1     # share of the rate that has to be reached


def measure(bench, micro):
    """(rate, latency) as simulated."""
    small, large = micro.sizes
    cycles = [bench.assemble(micro.body(n), micro.bindings, micro.cores)
              .run(data=True)["kernel_cycles"] for n in micro.sizes]
    done = [micro.work(n) for n in micro.sizes]
    rate = Fraction(done[1] - done[0], cycles[1] - cycles[0])
    return rate, cycles[0] - done[0] / rate


def command(text, a1, a2, a3, before=""):
    """A kernel of one command."""
    return (before + load("a1", a1) + load("a2", a2) + load("a3", a3) +
            f"  {text}\n  ret\n")


# The cube. L0A and L0B hold m x k and k x n operands.
def mmad(kind, macs, lanes):
    def body(k):
        return command(f"mmad.{kind} a1, a2, a3", 128 << 24 | 128 << 36 |
                       k << 48, 0, 0)
    return Micro(f"mmad {kind}", "MAC", Fraction(macs), 21, body,
                 (lanes * 2, lanes * 8), lambda k: 128 * 128 * k)


def chained(m, n, gap):
    """Accumulating products on one tile: cells of a k step and the gap."""
    cells = m // 16 * (n // 16) * 4

    def body(count):
        text = load("a1", m << 24 | n << 36 | 64 << 48) + load("a2", 0) + \
            load("a3", 1 << 40)
        return text + "  mmad.f16 a1, a2, a3\n" * count + "  ret\n"
    return Micro(f"mmad f16 {m} x {n} x 64 on the tile of the one before",
                 "mmad", Fraction(1, cells + gap), None, body, (2, 30),
                 lambda count: count, note=f"{cells} cells and {gap} cycles")


CUBE = [mmad("f16", 4096, 16), mmad("bf16", 4096, 16), mmad("i8", 8192, 32),
        mmad("f32", 1024, 8), chained(64, 64, 5), chained(96, 64, 0)]


# MTE1, FIX and MTE3 between local memories.
def fractals(text, size=1):
    def body(n):
        return command(text, 8 << 24 | n << 40, n << 24 | 1 << 44, 0) \
            .replace("  li a3, 0x0\n", "")
    return Micro(f"L1 -> {text[3:6].upper()}, {text.split()[0]}", "B",
                 Fraction(256), 28, body, (2, 16), lambda n: 8 * n * 512)


def im2col(what, width, stride, rate, c04=False, note=""):
    """A 1 x 1 kernel (C04: 1 x 4 taps) over rows of `width` pixels."""
    outputs = 64

    def body(n):
        words = [64 | width << 16 | outputs << 48,
                 1 | (4 if c04 else 1) << 8 | 1 << 16 | stride << 24 |
                 1 << 32 | 1 << 40 | (4 if c04 else 16) << 48,
                 1 << 24, (1 << 40 if c04 else 0)]
        setup = "".join(load("t0", word) + f"  kcfg mte1, {i}, t0\n"
                        for i, word in enumerate(words))
        return command("im2col.f16 a1, a2", n << 24 | 1 << 40, 0, 0, setup)
    return Micro(f"L1 -> L0A, im2col, {what}", "B", Fraction(rate), 50, body,
                 (256, 2048), lambda n: n * 32, note=note)


def bias():
    return Micro("L1 -> bias table", "B", Fraction(32), 20,
                 lambda n: command("cp.bt a1, a2, a3", 0, 0, n), (1024, 4096),
                 lambda n: n)


TYPES = {"i8": (0, 1), "f16": (5, 2), "f32": (7, 4)}


def fix(target, kind, rate, latency, bindings=()):
    number, size = TYPES[kind]

    def body(n):
        strides = 128 * 32 | 32 << 32
        setup = load("t0", number | 8 << 6) + "  kcfg fix, 0, t0\n"
        text = command(f"fix.{target}.f32 a1, a2, a3", 0, 128 << 24 | n << 44,
                       strides, setup)
        if bindings:
            text = text.replace("  li a1, 0x0\n", f"  ld a1, {BINDING}(a0)\n")
        return text
    return Micro(f"L0C -> {target.upper()}, {kind} out", "el", Fraction(rate),
                 latency, body, (32, 256), lambda n: 128 * n, bindings,
                 note=f"{rate * size} B per cycle")


def local_store():
    return Micro("UB -> L1, st.l1", "B", Fraction(128), 20,
                 lambda n: command("st.l1 a1, a2, a3", view(0, n, 32),
                                   view(0, 0, 32), 32), (16, 128),
                 lambda n: n * 1024)


LOCAL = [fractals("cp.l0a a1, a2"), fractals("cp.l0a.t a1, a2"),
         fractals("cp.l0b a1, a2"), fractals("cp.l0b.t a1, a2"),
         im2col("stride 1", 64, 1, 256), im2col("stride 2", 128, 2, 256,
                                                note="published 128 to 256"),
         im2col("stride 4", 256, 4, 128, note="two rows in a bank"),
         im2col("C04, stride 2", 132, 2, 128, c04=True), bias(),
         fix("ub", "f16", 64, 20), fix("ub", "f32", 64, 20),
         fix("ub", "i8", 128, 20), fix("l1", "f16", 64, 20),
         fix("l1", "f32", 32, 20), fix("l1", "i8", 128, 20), local_store()]


# GM, one core. Latencies are those of a miss, and of L2's acknowledgement.
def gm_load(text, n_view, rate=128, row=2048, gm_stride=0, what="", unit="B",
            work=lambda n: n * 2048, latency=300, note=""):
    def body(n):
        return command(f"{text} a1, s0, a3", n_view(n), 0,
                       row | (gm_stride or row) << 32,
                       f"  ld s0, {BINDING}(a0)\n").replace("  li a2, 0x0\n",
                                                            "")
    # At most 8 KiB: lines in channels that do not refresh meanwhile.
    return Micro(what, unit, Fraction(rate), latency, body, (1, 4), work,
                 (1 << 17,), note)


def again():
    """The same 512 bytes, loaded again and again: L2 has them."""
    def body(n):
        text = (f"  ld s0, {BINDING}(a0)\n" + load("a1", view(0, 1)) +
                load("a3", 512) + "  ld.ub a1, s0, a3\n")
        return text + "  kbar\n  ld.ub a1, s0, a3\n" * n + "  ret\n"
    return Micro("512 B that L2 holds, after kbar", "load",
                 Fraction(1, 4 + 110 + 4 + 1), None, body, (1, 9),
                 lambda n: n, (4096,),
                 note="4 beats, hit 110, kbar 4, queue 1")


def gm_store():
    def body(n):
        return command("st.ub.f16 s0, a1, a3", view(0, n, 64), 0,
                       2048 | 2048 << 32, f"  ld s0, {BINDING}(a0)\n")
    return Micro("UB -> GM, st.ub", "B", Fraction(128), 110, body, (2, 32),
                 lambda n: n * 2048, (1 << 17,))


GLOBAL = [
    gm_load("ld.ub", lambda n: view(0, n, 64), what="GM -> UB, ld.ub"),
    gm_load("ld.l1", lambda n: view(0, n, 64), what="GM -> L1, ld.l1"),
    gm_load("ld.nz", lambda n: view(0, n, 64, 0), what="GM -> L1, ld.nz"),
    gm_load("ld.ub", lambda n: view(0, n, 1), Fraction(1, 2), 32, 256,
            "GM -> UB, rows of 32 B", "row", lambda n: n, 300,
            "two beats at least"),
    gm_load("ld.ub", lambda n: view(0, n, 17), Fraction(1, 5), 520, 1024,
            "GM -> UB, rows of 520 B", "row", lambda n: n, 300, "five beats"),
    again(), gm_store(), fix("gm", "f16", 64, 130, (1 << 20,)),
    fix("gm", "f32", 32, 130, (1 << 20,)), fix("gm", "i8", 128, 130,
                                               (1 << 20,))]


# V: rows of 256 bytes (f16: 128, f32: 64, i8: 256 elements), or of `columns`.
def vector(text, kind, rate, latency, columns=0, src1=None, note="",
           sizes=(8, 64)):
    size = TYPES[kind][1]
    columns = columns or 256 // size
    row = (columns * size + 31) // 32

    def body(n):
        third = view(SRC1, 0, row) if src1 is None else src1
        return command(f"{text}.{kind} a1, a2{'' if third < 0 else ', a3'}",
                       view(DST, n, row), view(SRC0, columns, row),
                       max(third, 0))
    return Micro(f"{text} {kind}", "el", Fraction(rate), latency, body, sizes,
                 lambda n: n * columns, note=note)


UNARY = -1
BROADCAST = view(SRC1, 0, 8, 0)  # one block for all: latched, no access


def cast(source, target, rate):
    size = max(TYPES[source][1], TYPES[target][1])
    columns = 256 // size
    row = 8

    def body(n):
        return command(f"vcast.{source} a1, a2, a3", view(DST, n, row),
                       view(SRC0, columns, row), TYPES[target][0])
    return Micro(f"vcast {source} to {target}", "el", Fraction(rate), 24, body,
                 (8, 64), lambda n: n * columns)


def lane(text, kind, cycles):
    """Along rows of 512 elements: cycles per row."""
    row = 512 * TYPES[kind][1] // 32

    def body(n):
        return command(f"{text}.{kind} a1, a2", view(DST, n, 1, 0),
                       view(SRC0, 512, row), 0)
    return Micro(f"{text} {kind}, rows of 512", "row", Fraction(1, cycles), 36,
                 body, (8, 32), lambda n: n, note=f"{cycles} cycles a row")


def column(text, kind, rate):
    columns = 256 // TYPES[kind][1]

    def body(n):
        return command(f"{text}.{kind} a1, a2", view(DST, n, 0),
                       view(SRC0, columns, 8), 0)
    return Micro(f"{text} {kind}", "el", Fraction(rate), 24, body, (8, 64),
                 lambda n: n * columns)


def transpose(kind):
    size = TYPES[kind][1]
    channels = 32 // size

    def body(n):
        return command(f"vtr.in.{kind} a1, a2", view(DST, channels, 0),
                       view(SRC0, n, n * size // 32), 0)
    return Micro(f"vtr.in {kind}", "B", Fraction(256), 24, body, (128, 1024),
                 lambda n: n * 32)


def spread():
    def body(n):
        return command("vbc.f16 a1, a2", view(DST, n, 1), view(SRC0, 16, 1, 0),
                       0)
    return Micro("vbc f16, rows of one block", "row", Fraction(8), 24, body,
                 (64, 1024), lambda n: n)


def index(text, kind, rate):
    table = SRC1 | 64 << 24
    third = table if text == "vgather" else view(SRC1, 0, 40)
    columns = 320

    def body(n):
        # vgather's indices are i32, whatever its elements are.
        return command(f"{text}.{kind} a1, a2, a3", view(DST, n, 80),
                       view(SRC0, columns, 40), third)
    return Micro(f"{text} {kind}", "el", Fraction(rate), 40, body, (2, 8),
                 lambda n: n * columns)


def gather_blocks(kind, rate):
    blocks, each = 21, 16 if kind == "f16" else 8  # eight full beats a row
    table = SRC1 | 64 << 24

    def body(n):
        return command(f"vgatherb.{kind} a1, a2, a3", view(DST, n, blocks),
                       view(SRC0, blocks, 3), table)
    return Micro(f"vgatherb {kind}", "el", Fraction(rate), 40, body, (42, 168),
                 lambda n: n * blocks * each)


def merge():
    def body(n):
        return command("vmerge.f16 a1, a2, a3", view(DST, 1), view(SRC0, n),
                       view(SRC1, n))
    return Micro("vmerge f16", "pair", Fraction(2), 40, body, (64, 512),
                 lambda n: 2 * n)


VECTOR = [
    *(vector(op, kind, rate, 24, src1=src1)
      for op, src1 in (("vadd", None), ("vmul", None), ("vmax", None),
                       ("vadds", 0), ("vmov", UNARY), ("vmadd", BROADCAST))
      for kind, rate in (("i8", 128), ("f16", 128), ("f32", 64))),
    vector("vmadd", "f16", 64, 24, note="three sources: two reads a cycle"),
    vector("vand", "f16", 128, 24),
    cast("f16", "f32", 64), cast("f32", "f16", 64), cast("i8", "f16", 128),
    vector("vcmp.lt", "f16", 128, 24), vector("vcmp.lt", "f32", 64, 24),
    vector("vsel", "f16", 128, 24, src1=view(SRC1, 0x1800, 8)),
    *(vector(op, kind, 64, 32, src1=src1)
      for op, src1 in (("vexp", UNARY), ("vexpd", None), ("vrec", UNARY),
                       ("vrsqrt", UNARY)) for kind in ("f16", "f32")),
    *(vector(op, kind, 32, 32, src1=src1)
      for op, src1 in (("vln", UNARY), ("vdiv", None), ("vsqrt", UNARY),
                       ("vtanh", UNARY), ("verf", UNARY))
      for kind in ("f16", "f32")),
    vector("vsin", "f16", 16, 40, src1=UNARY),
    vector("vcos", "f32", 16, 40, src1=UNARY),
    column("vmax.r", "f16", 128), column("vmax.r", "f32", 64),
    column("vsum.r", "f16", 64), column("vsum.r", "f32", 64),
    lane("vmax.l", "f16", 5), lane("vmax.l", "f32", 9),
    lane("vsum.l", "f16", 9), lane("vsum.l", "f32", 9),
    transpose("f16"), transpose("f32"), spread(), index("vgather", "f16", 5),
    gather_blocks("f16", 42), gather_blocks("f32", 21),
    index("vsort32", "f16", 2), merge()]


# Flags, barriers and the control core: what one more of them costs.
def repeated(what, cycles, once, before="", note=""):
    """`once` n times between two vadd, more cycles than the first one takes."""
    marker = load("a1", view(DST, 1, 8)) + load("a2", view(SRC0, 128, 8)) + \
        load("a3", view(SRC1, 0, 8))
    add = "  vadd.f16 a1, a2, a3\n"

    def body(n):
        return before + marker + add + once * n + add + "  ret\n"
    return Micro(what, "", Fraction(1, cycles), None, body, (40, 140),
                 lambda n: n, note=note)


def configuration(n):
    """n kcfg that stand ready behind a wait."""
    return (load("a1", view(DST, 100, 8)) + load("a2", view(SRC0, 128, 0)) +
            load("a3", view(SRC1, 0, 0)) + load("a4", 0) + load("a5", 0) +
            load("a6", 32) + "  vadd.f16 a1, a2, a3\n  kset v, mte1, zero\n"
            "  kwait v, mte1, zero\n" + "  kcfg mte1, 3, zero\n" * n +
            "  cp.bt a4, a5, a6\n  ret\n")


CONTROL = [
    repeated("flag from V to MTE3 and back", 10,
             "  kset v, mte3, zero\n  kwait v, mte3, zero\n"
             "  kset mte3, v, zero\n  kwait mte3, v, zero\n",
             note="twice: visible after 4, kwait 1; kset waits in its shadow"),
    repeated("kbar behind a vadd", 30, "  kbar\n  vadd.f16 a1, a2, a3\n",
             note="queue 1, row 1, latency 24, kbar 4"),
    Micro("kcfg in the queue", "", Fraction(1), None, configuration, (4, 24),
          lambda n: n),
    repeated("S: addi", 1, "  addi t0, t0, 1\n"),
    repeated("S: mul, dependent", 3, "  mul t0, t0, t0\n"),
    repeated("S: div", 20, "  div t0, t1, t2\n"),
    repeated("S: taken branch", 3, "  beq zero, zero, 1f\n1:\n",
             note="1 and 2 more"),
    repeated("S: CSR", 1, "  csrr t1, 0xcc0\n"),
    repeated("S: load from scalar RAM, dependent", 2, "  ld a0, 0(a0)\n",
             before="  sd a0, 0(a0)\n", note="1, and a bubble of 1"),
    repeated("S: load from the UB window, dependent", 9,
             "  ld t0, 0(t0)\n",
             before=load("t0", 0x90000000) + "  sd t0, 0(t0)\n",
             note="8, and a bubble of 1"),
]


# All 32 cores on their own parts of GM, 32 KiB at a time. The parts that stay
# in L2 lie an odd number of lines apart, so that cores in step are at slices
# of their own.
CORES, PART = 32, 1 << 15
APART = PART + 512


def parts(text, resident):
    """`text` n times, over eight buffers in UB; `resident`: on the same 32 KiB,
    which L2 holds then."""
    def body(n):
        setup = (f"  ld s0, {BINDING}(a0)\n  csrr t0, 0xcc0\n" +
                 load("t1", APART if resident else PART * n) +
                 "  mul t0, t0, t1\n  add s0, s0, t0\n" +
                 load("a1", view(0, 1)) + load("a3", PART) + load("t1", PART) +
                 load("t2", 8 * PART - 1) + load("t3", view(0, 1)))
        once = (f"  {text}\n  add a1, a1, t1\n  and a1, a1, t2\n"
                "  or a1, a1, t3\n")
        if resident:
            return setup + once + "  kdbar\n" + once * n + "  ret\n"
        return setup + (once + "  add s0, s0, t1\n") * n + "  ret\n"
    return body


def shared(what, text, rate, resident, least):
    sizes = (4, 12) if resident else (16, 64)
    bindings = (CORES * (APART if resident else PART * sizes[1]),)
    return Micro(what, "B", Fraction(rate), None, parts(text, resident), sizes,
                 lambda n: CORES * PART * n, bindings, cores=CORES,
                 least=least)


SHARED = [
    shared("L2 -> 32 cores, lines it holds", "ld.ub a1, s0, a3", 4096, True,
           0.95),
    shared("32 cores -> L2", "st.ub.f16 s0, a1, a3", 2048, True, 0.95),
    shared("HBM2 -> 32 cores, streams", "ld.ub a1, s0, a3", 1200, False, 0.92),
]

GROUPS = (("The cube", CUBE), ("Between local memories", LOCAL),
          ("One core and GM", GLOBAL), ("32 cores and GM", SHARED),
          ("The vector unit", VECTOR), ("Flags, barriers, control", CONTROL))


def agrees(micro, rate, latency):
    """A core's own figures are exact; shared ones reach a share."""
    if micro.least < 1:
        return micro.least <= rate / micro.rate <= 1
    return rate == micro.rate and latency == (latency if micro.latency is None
                                              else micro.latency)
