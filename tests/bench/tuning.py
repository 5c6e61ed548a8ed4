#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""How close `kiln tune` comes to the best setting there is.

    tuning.py BUILD_DIR RECORDS [KERNEL...] [--seeds N] [--shapes N]

For each kernel and shape: every legal setting is measured once (RECORDS keeps
them, a second run measures nothing), then the search runs with N seeds on
those measurements. Prints a row per shape: legal settings, share of them that
the search tried, best there is, and how far above it each seed ended.
Exit 1 when one is more than 2 % above or tried more than a tenth.
"""
import argparse
import json
import pathlib
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
EXAMPLES = ROOT / "tik_dsl" / "examples"
KERNELS = {
    "matmul": ("02_matmul.cpp", [
        "M=256,N=256,K=256", "M=512,N=128,K=300", "M=100,N=700,K=200",
        "M=64,N=1024,K=256", "M=300,N=300,K=128", "M=128,N=512,K=512,out=f16",
        "M=1,N=2048,K=256", "M=16,N=512,K=1024", "M=384,N=384,K=64",
        "M=77,N=333,K=500,out=f16"]),
    "conv3x3": ("10_conv3x3.cpp", [
        "C1=4,H=14,W=14,N1=4", "C1=2,H=28,W=28,N1=4", "C1=4,H=7,W=7,N1=8",
        "C1=1,H=56,W=56,N1=4", "C1=2,H=30,W=17,N1=6", "C1=8,H=14,W=14,N1=8",
        "C1=1,H=33,W=112,N1=2", "C1=3,H=20,W=20,N1=3", "C1=16,H=7,W=7,N1=4",
        "C1=4,H=28,W=14,N1=2"]),
    "softmax": ("05_softmax.cpp", [
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


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("build", type=pathlib.Path)
    parser.add_argument("records", type=pathlib.Path)
    parser.add_argument("kernels", nargs="*", default=list(KERNELS))
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--shapes", type=int, default=10)
    options = parser.parse_args()
    print("| kernel | shape | legal | tried | best | default is above by "
          "| found is above by | measured/s |")
    print("|---|---|---|---|---|---|---|---|")
    missed = 0
    for kernel in options.kernels:
        source, shapes = KERNELS[kernel]
        for shape in shapes[:options.shapes]:
            full = tune(options.build, options.records, source, shape,
                        "--exhaustive")
            best = full["best"]["kernel_cycles"]
            gaps, share, standard = [], 0, 0
            for seed in range(1, options.seeds + 1):
                found = tune(options.build, options.records, source, shape,
                             "--seed", str(seed))
                if found["measured"]:
                    sys.exit(f"{shape}: measured again")
                standard = found["default"]["kernel_cycles"] / best - 1
                gaps.append(found["best"]["kernel_cycles"] / best - 1)
                share = len(found["trials"]) / found["legal"]
                missed += gaps[-1] > 0.02 or share > 0.1
            speed = full["measured"] / max(full["search_s"], 1e-3)
            print(f"| {kernel} | {shape} | {full['legal']} | {share:.1%} "
                  f"| {best} | {standard:.1%} "
                  f"| {', '.join(f'{gap:.1%}' for gap in gaps)} "
                  f"| {speed:.0f} |", flush=True)
    print(f"\n{missed} searches missed")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
