#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Where light_resnet50 with its constant weights overflows fp16, and that this
is the model's doing.

    overflow_test.py BUILD_DIR DEVICE

All weights and statistics are 0.02, so that values grow from block to block,
beyond 65504 = the largest fp16 number.
A float64 run says at which dispatch this must begin. Every dispatch before is
compared with it, and the device must store its first infinity exactly there.
The classes, a softmax of infinities, are NaN.
"""
import pathlib
import subprocess
import sys
import tempfile

import numpy as np
import onnx

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))
import float64_reference  # noqa: E402
from random_verify_test import BOUND, LIGHT, relative_l2  # noqa: E402
from random_weights import read_tensor, write_tensor  # noqa: E402
from verify_test import has_target  # noqa: E402

LARGEST_HALF = 65504


def main():
    build, device = sys.argv[1:3]
    kiln = pathlib.Path(build) / "bin" / "kiln"
    if not LIGHT.exists() or not has_target(kiln, device):
        print(f"SKIPPED: no {LIGHT}, or no compiler for {device}")
        return 77
    path = LIGHT / "light_resnet50.onnx"
    image = np.random.default_rng(1).uniform(
        0, 1, (1, 3, 224, 224)).astype(np.float16).astype(np.float32)
    name = "gpu_0/data_0"
    exact = float64_reference.run(onnx.load(path), {name: image})
    with tempfile.TemporaryDirectory() as text:
        folder = pathlib.Path(text)
        write_tensor(folder / "image.pb", image, name)
        result = subprocess.run(
            [kiln, "run", path, "--input", f"{name}={folder / 'image.pb'}",
             "--device", device, "--precision", "fp16", "--watch",
             "--dump-layers", folder / "layers", "--output-dir", folder],
            check=True, text=True, capture_output=True)
        print(result.stdout.splitlines()[-1])
        compared = 0
        for file in sorted((folder / "layers").glob("*.npy")):
            value = file.stem.split("_", 1)[1]
            if value not in exact:
                continue
            want = exact[value]
            got = np.load(file).astype(np.float64)
            assert got.shape == want.shape, (value, got.shape)
            largest = np.abs(want).max()
            if np.isinf(got).any():
                print(f"{value}: infinity after {compared} right values; "
                      f"largest in float64 {largest:.6g}")
                assert largest > LARGEST_HALF and compared > 10
                assert f"first infinity in '{value}'" in result.stdout
                classes = read_tensor(folder / "output_0.pb")
                assert np.isnan(classes).all(), "softmax of infinities"
                return 0
            error = relative_l2(got, want)
            assert largest <= LARGEST_HALF and error <= BOUND["f16"], (
                value, largest, error)
            compared += 1
    print("no infinity, though float64 says so")
    return 1


if __name__ == "__main__":
    sys.exit(main())
