# SPDX-License-Identifier: Apache-2.0
"""Streams against ceilings that an independent queue model of k1 computed.

The ceilings are those of an expert schedule with seven pipes, ports and a flat
memory, without banks. A stream of the DSL's examples comes within TOLERANCE of
its ceiling, or does so with the one named effect switched off by a key of the
machine file.
"""
from dataclasses import dataclass

from machine import busy

TOLERANCE = 0.03
CUBE, PORT, HBM = 4096, 128, 1200  # MACs, bytes, bytes per cycle
NO_BANKS = "timing.banks.ub_groups: 0"
FLAT = "timing.memory.model: flat"
LARGE_L2 = "timing.memory.l2.bytes: 134217728"


@dataclass
class Stream:
    what: str
    example: str
    shape: str
    of: str          # what the share is of: M, port, HBM or V
    work: int        # MACs or bytes; 0: busy cycles
    ceiling: float   # percent
    cores: int = 1
    change: str = ""  # that switches the effect off
    effect: str = ""

    def share(self, report):
        """Percent."""
        peak = {"M": CUBE * self.cores, "port": PORT, "HBM": HBM}
        if self.work:
            return 100 * self.work / peak[self.of] / report["kernel_cycles"]
        return 100 * busy(report, self.of)


def gemm(m, n, k, ceiling, cores=1, **more):
    return Stream(f"GEMM {m} x {n} x {k}", "02_matmul", f"M={m},N={n},K={k}",
                  "M", m * n * k, ceiling, cores, **more)


def conv(stage, blocks, pixels, ceiling):
    return Stream(f"3x3 convolution, stage {stage}", "10_conv3x3",
                  f"C1={blocks},H={pixels},W={pixels},N1={blocks}", "M",
                  9 * (16 * blocks * pixels) ** 2, ceiling)


STREAMS = (
    gemm(1024, 1024, 1024, 99.0), gemm(2048, 2048, 2048, 99.5),
    gemm(128, 4096, 4096, 99.3), gemm(2048, 2048, 2048, 96.3, 32),
    Stream("GEMV 4096 x 4096", "02_matmul", "M=1,N=4096,K=4096", "port",
           2 * 4096 * (4096 + 1), 99.0, change=FLAT,
           effect="banks and refresh of DRAM"),
    conv(2, 4, 56, 95.6), conv(3, 8, 28, 95.5), conv(4, 16, 14, 90.1),
    conv(5, 32, 7, 72.7),
    Stream("attention, 256 x 32 K x 128", "12_flash_attention",
           "M=256,N=32768", "M", 2 * 256 * 32768 * 128, 98.8),
    Stream("attention, 2 K x 2 K x 128", "12_flash_attention",
           "M=2048,N=2048", "M", 2 * 2048 * 2048 * 128, 97),
    Stream("add, 2 M", "01_vector_add", "N=2097152", "port", 2 * 2 * 2097152,
           98.4),
    Stream("GELU, 4 M", "07_gelu", "N=4194304", "V", 0, 99.3),
    Stream("softmax, 2048 x 1024", "05_softmax", "R=2048,C=1024", "V", 0,
           89.6),
    Stream("layer norm, 2048 x 1024", "06_layer_norm", "R=2048,C=1024", "V",
           0, 90.8),
)
LONG = (
    gemm(4096, 4096, 4096, 99.2, 32, change=LARGE_L2,
         effect="A, B and C, 96 MiB and more, in an L2 of 32 MiB"),
    Stream("add, 32 M", "01_vector_add", "N=33554432", "HBM",
           3 * 2 * 33554432, 91.7, 32),
)
# Beyond TOLERANCE with and without what was tried.
FAR = (
    Stream("GEMM 1024 x 1024 x 1024, f16 out", "02_matmul",
           "M=1024,N=1024,K=1024,out=f16", "M", 1024 ** 3, 82.5, 32,
           "timing.memory.dram.channels: 128, timing.memory.l2.hit_cycles: 5, "
           "timing.memory.l2.miss_cycles: 5, timing.memory.l2.fill_cycles: 5",
           "DRAM and L2 four times as fast and more"),
    Stream("max pool 3x3s2, 113 x 113 x 64", "15_max_pool",
           "C1=4,H=113,W=113,OH=56,OW=56", "port", 2 * 64 * 113 * 113, 72, 1,
           NO_BANKS, "banks of UB"),
)


def near(stream, share):
    return abs(share / stream.ceiling - 1) <= TOLERANCE


def measure(bench, stream):
    """(report, with the effect off or None)."""
    kernel = bench.operator(stream.example, stream.shape, stream.cores)
    return kernel.run(), kernel.run(stream.change) if stream.change else None
