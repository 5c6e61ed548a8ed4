#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A light graph with random weights on one device, layer by layer.

    random_verify_test.py BUILD_DIR DEVICE light_squeezenet f32 [options]

Every convolution's result and the logits are compared with ONNX Runtime by
their relative L2 error: 1e-5 for fp32, 3e-3 for fp16. A model with one wrong
weight must be found wrong.
"""
import pathlib
import subprocess
import sys
import tempfile

import numpy as np
import onnx
from onnx import numpy_helper

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))
import random_weights  # noqa: E402
from verify_test import has_target, known_gaps  # noqa: E402

LIGHT = HERE.parents[2] / "shared" / "models" / "onnx_light_models"
BOUND = {"f32": "1e-5", "f16": "3e-3"}


def verify(kiln, model, data, device, dtype, options):
    result = subprocess.run(
        [kiln, "verify", model, "--data", data, "--device", device, "--l2",
         BOUND[dtype], *options], text=True, capture_output=True)
    lines = result.stdout.splitlines()
    print("\n".join(lines[-3:]), result.stderr, flush=True)
    return result.returncode


def plant_weight_error(source, target):
    """One weight of the second convolution gets the other sign."""
    model = onnx.load(source)
    conv = [n for n in model.graph.node if n.op_type == "Conv"][1]
    weight = next(i for i in model.graph.initializer
                  if i.name == conv.input[1])
    values = numpy_helper.to_array(weight).copy()
    at = np.unravel_index(np.abs(values).argmax(), values.shape)
    values[at] = -values[at]
    weight.CopyFrom(numpy_helper.from_array(values, weight.name))
    target.write_bytes(model.SerializeToString())


def main():
    build, device, name, dtype = sys.argv[1:5]
    kiln = pathlib.Path(build) / "bin" / "kiln"
    if not LIGHT.exists():
        print(f"SKIPPED: {LIGHT} is absent")
        return 77
    if not has_target(kiln, device):
        print(f"SKIPPED: this build has no compiler for {device}")
        return 77
    with tempfile.TemporaryDirectory() as text:
        folder = pathlib.Path(text)
        model = random_weights.generate(LIGHT / f"{name}.onnx", folder,
                                        half=dtype == "f16")
        data = folder / f"{model.stem}.test_data"
        code = verify(kiln, model, data, device, dtype, sys.argv[5:])
        gap = known_gaps(device).get(f"{name}_random_{dtype}")
        if gap:
            print(f"known gap: {gap}" if code else
                  "works now: remove it from known_gaps.txt")
            return 0 if code else 1
        if code:
            return code
        planted = folder / "planted.onnx"
        plant_weight_error(model, planted)
        code = verify(kiln, planted, data, device, dtype, sys.argv[5:])
        print(f"one wrong weight: exit {code}")
        return 0 if code == 6 else 1


if __name__ == "__main__":
    sys.exit(main())
