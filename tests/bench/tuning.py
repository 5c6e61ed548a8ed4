#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""How close `kiln tune` comes to the best setting there is.

    tuning.py BUILD_DIR RECORDS [KERNEL...] [--seeds N] [--shapes N]

For each kernel and shape: every legal setting is measured once (RECORDS keeps
them, a second run measures nothing), then the search runs with N seeds on
those measurements. Prints a row per shape: legal settings, trials of the
search, the best found (of the worst seed), the best there is, and how far each
seed ended above it; then the geometric means. Exit 1 when one is more than
2 % above or tried more than a tenth, or when a space is smaller than the bar
asks for.
"""
import argparse
import json
import math
import pathlib
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
EXAMPLES = ROOT / "tik_dsl" / "examples"
# Source, least legal settings, shapes.
KERNELS = {
    "matmul": ("02_matmul.cpp", 500, [
        "M=200,N=200,K=400", "M=16,N=512,K=1000", "M=128,N=512,K=256,out=f16",
        "M=250,N=60,K=400", "M=77,N=333,K=500,out=f16", "M=1,N=2048,K=512",
        "M=250,N=250,K=250", "M=64,N=1024,K=300", "M=100,N=700,K=500",
        "M=256,N=256,K=256"]),
    "conv3x3": ("10_conv3x3.cpp", 500, [
        "C1=12,H=5,W=9,N1=4", "C1=1,H=33,W=112,N1=4", "C1=4,H=14,W=14,N1=4",
        "C1=4,H=7,W=7,N1=8", "C1=16,H=7,W=7,N1=4", "C1=1,H=56,W=56,N1=4",
        "C1=3,H=20,W=20,N1=3", "C1=2,H=28,W=28,N1=4", "C1=8,H=14,W=14,N1=8",
        "C1=2,H=30,W=17,N1=6"]),
    "softmax": ("05_softmax.cpp", 100, [
        "R=256,C=512", "R=128,C=1024", "R=1024,C=64", "R=300,C=700",
        "R=77,C=1000", "R=512,C=128", "R=2000,C=32", "R=200,C=768",
        "R=1024,C=256", "R=333,C=333"]),
}


def tune(build, records, source, shape, *more):
    command = [str(build / "bin" / "kiln"), "tune", "--op",
               str(EXAMPLES / source), "--shape", shape, "--records",
               str(records), "--json", *more]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode != 0:
        sys.exit(f"{' '.join(command)}: exit {done.returncode}\n{done.stderr}")
    return json.loads(done.stdout)


def measure(options, source, shape):
    """Everything, then searches on what was measured."""
    full = tune(options.build, options.records, source, shape, "--exhaustive")
    found = []
    for seed in range(1, options.seeds + 1):
        found.append(tune(options.build, options.records, source, shape,
                          "--seed", str(seed)))
        if found[-1]["measured"]:
            sys.exit(f"{shape}: measured again")
    return full, found


def show(kernel, shape, full, found):
    """Prints a row; how far above the best each search ended."""
    best = full["best"]["kernel_cycles"]
    cycles = [search["best"]["kernel_cycles"] for search in found]
    gaps = [c / best - 1 for c in cycles]
    trials = len(found[0]["trials"])
    standard = found[0]["default"]
    above = (f"{standard['kernel_cycles'] / best - 1:.1%}"
             if standard and "problem" not in standard else "none")
    speed = full["measured"] / max(full["search_s"], 1e-3)
    print(f"| {kernel} | {shape} | {full['legal']} "
          f"| {trials} ({trials / full['legal']:.1%}) | {max(cycles)} | {best} "
          f"| {', '.join(f'{gap:.2%}' for gap in gaps)} | {above} "
          f"| {speed:.0f} |", flush=True)
    return gaps


def geomean(gaps):
    return math.exp(sum(math.log1p(gap) for gap in gaps) / len(gaps)) - 1


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("build", type=pathlib.Path)
    parser.add_argument("records", type=pathlib.Path)
    parser.add_argument("kernels", nargs="*", default=list(KERNELS))
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--shapes", type=int, default=10)
    options = parser.parse_args()
    print("| kernel | shape | legal | trials | found, worst seed | best "
          "| above the best, per seed | default is above by | measured/s |")
    print("|---|---|---|---|---|---|---|---|---|")
    missed, means = 0, []
    for kernel in options.kernels:
        source, least, shapes = KERNELS[kernel]
        all_gaps = []
        for shape in shapes[:options.shapes]:
            full, found = measure(options, source, shape)
            gaps = show(kernel, shape, full, found)
            missed += sum(gap > 0.02 for gap in gaps)
            missed += full["legal"] < least
            missed += 10 * len(found[0]["trials"]) > full["legal"]
            all_gaps += gaps
        means.append(f"{kernel} {geomean(all_gaps):.3%}")
    print(f"\nabove the best, geometric means: {', '.join(means)}")
    print(f"{missed} missed")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
