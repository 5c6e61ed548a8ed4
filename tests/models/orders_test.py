#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Real models with all checks, in every order of the NPU's pipes.

    orders_test.py BUILD_DIR MODEL ...

Each model is compiled once and runs on npu:functional in eager, lazy and two
random orders and on npu:cycle, with the checks race, init, bounds and flags.
No finding, and the same bytes from all five.
"""
import json
import pathlib
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))
import onnx  # noqa: E402
import random_weights  # noqa: E402
from random_verify_test import LIGHT  # noqa: E402
from verify_test import MODELS, REAL, ROOT, has_target  # noqa: E402

CHECKS = "race,init,bounds,flags"
RUNS = [("npu:functional", "eager"), ("npu:functional", "lazy"),
        ("npu:functional", "random:1"), ("npu:functional", "random:2"),
        ("npu:cycle", "eager")]


def model_and_data(name, folder):
    """Path, folder with test_data_set_0, options of kiln compile."""
    if name == "digits":
        path = ROOT / "tools/digits/digits.onnx"
    elif name.startswith("light_"):
        path = random_weights.keep_logits(
            random_weights.generate(LIGHT / f"{name}.onnx", folder, half=True),
            folder)
        return path, path.with_suffix(".test_data"), ["--precision", "fp16"]
    else:
        path = MODELS / REAL[name][0]
        if REAL[name][1]:
            return path, pathlib.Path(REAL[name][1][1]), []
    beside = path.with_suffix(".test_data")
    return path, beside if beside.exists() else path.parent, []


def input_options(path, data):
    """--input options for the first data set."""
    graph = onnx.load(path).graph
    constant = {i.name for i in graph.initializer}
    names = [i.name for i in graph.input if i.name not in constant]
    options = []
    for index, name in enumerate(names):
        file = data / "test_data_set_0" / f"input_{index}.pb"
        options += ["--input", f"{name}={file}"]
    return options


def run(command):
    result = subprocess.run(command, text=True, capture_output=True)
    if result.returncode:
        print(result.stdout, result.stderr)
        raise SystemExit(f"exit {result.returncode}: {command}")
    return json.loads(result.stdout)


def dimensions(path, data):
    """--dim options: symbolic dimensions take the extents of the inputs."""
    graph = onnx.load(path).graph
    constant = {i.name for i in graph.initializer}
    options = {}
    inputs = [i for i in graph.input if i.name not in constant]
    for index, value in enumerate(inputs):
        shape = random_weights.read_tensor(
            data / "test_data_set_0" / f"input_{index}.pb").shape
        for dim, extent in zip(value.type.tensor_type.shape.dim, shape):
            if dim.dim_param:
                options[dim.dim_param] = extent
    return [word for name, extent in options.items()
            for word in ("--dim", f"{name}={extent}")]


def check(kiln, name, folder):
    path, data, options = model_and_data(name, folder)
    package = folder / f"{name}.kiln"
    run([kiln, "compile", path, "--target", "npu", "-o", package, "--json",
         *options, *dimensions(path, data)])
    first = None
    for device, order in RUNS:
        out = folder / f"{name}_{device.replace(':', '_')}_{order}"
        report = run([kiln, "run", package, *input_options(path, data),
                      "--device", device, "--order", order, "--check", CHECKS,
                      "--output-dir", out, "--json"])
        assert report["findings"] == [], report["findings"]
        assert all(layer["program"] == "npu-elf"
                   for layer in report["layers"]), "not all on the NPU"
        got = [file.read_bytes() for file in sorted(out.glob("*.pb"))]
        first = first or got
        assert got and got == first, f"{name}: {device} {order} differs"
    print(f"{name}: {len(report['layers'])} dispatches, {len(RUNS)} runs equal,"
          f" no finding; {report['cycles']} cycles", flush=True)


def main():
    kiln = pathlib.Path(sys.argv[1]) / "bin" / "kiln"
    if not MODELS.exists():
        print(f"SKIPPED: {MODELS} is absent")
        return 77
    if not has_target(kiln, "npu:functional"):
        print("SKIPPED: this build has no compiler for the NPU")
        return 77
    for name in sys.argv[2:]:
        with tempfile.TemporaryDirectory() as folder:
            check(kiln, name, pathlib.Path(folder))
    return 0


if __name__ == "__main__":
    sys.exit(main())
