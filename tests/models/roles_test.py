#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""One value in several roles of a node: x * x, a * b + b, an image as its own
weights. The NPU gives each role a layout of its own.

    roles_test.py BUILD_DIR [DEVICE ...]

Random graphs of two or three nodes over few values, so that values meet
themselves; the results are compared with float64 on every device.
"""
import pathlib
import subprocess
import sys
import tempfile

import numpy as np
import onnx
from onnx import TensorProto, helper

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))
import float64_reference  # noqa: E402
from random_weights import write_tensor  # noqa: E402
from verify_test import has_target  # noqa: E402

DEVICES = ["cpu", "npu:functional", "npu:cycle"]


def fixed():
    """name -> (nodes, inputs with their shapes)."""
    n = helper.make_node
    return {
        "square": ([n("MatMul", ["x", "x"], ["y"])], {"x": (37, 37)}),
        "square and sum": ([n("MatMul", ["x", "x"], ["t"]),
                            n("Add", ["t", "x"], ["y"])], {"x": (40, 40)}),
        "weights added": ([n("MatMul", ["a", "b"], ["t"]),
                           n("Add", ["t", "b"], ["y"])],
                          {"a": (32, 32), "b": (32, 32)}),
        "stack": ([n("MatMul", ["x", "x"], ["y"])], {"x": (3, 24, 24)}),
        "transposed": ([n("Transpose", ["x"], ["t"], perm=[1, 0]),
                        n("MatMul", ["x", "t"], ["y"])], {"x": (24, 50)}),
        "gemm": ([n("Gemm", ["x", "x", "x"], ["y"])], {"x": (20, 20)}),
        "image": ([n("Conv", ["x", "x"], ["t"], kernel_shape=[3, 3]),
                   n("Relu", ["t"], ["y"])], {"x": (4, 4, 3, 3)}),
        "residual": ([n("Conv", ["x", "w"], ["t"], kernel_shape=[3, 3],
                        pads=[1, 1, 1, 1]), n("Add", ["t", "x"], ["y"])],
                     {"x": (1, 20, 6, 7), "w": (20, 20, 3, 3)}),
    }


def drawn(seed, size):
    """Square matrices of one size; every operand is any earlier value."""
    rng = np.random.default_rng(seed)
    values = [f"x{i}" for i in range(rng.integers(1, 3))]
    inputs = {name: (size, size) for name in values}
    nodes = []
    for i in range(3):
        op = rng.choice(["MatMul", "MatMul", "Add", "Mul", "Relu"])
        operands = [str(v) for v in
                    rng.choice(values, 1 if op == "Relu" else 2)]
        nodes.append(helper.make_node(str(op), operands, [f"t{i}"]))
        values.append(f"t{i}")
    nodes.append(helper.make_node("Add", [values[-1], values[-2]], ["y"]))
    return nodes, inputs


def write(folder, nodes, inputs, seed):
    rng = np.random.default_rng(seed)
    info = [helper.make_tensor_value_info(name, TensorProto.FLOAT, shape)
            for name, shape in inputs.items()]
    graph = helper.make_graph(
        nodes, "roles", info,
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, None)])
    model = onnx.shape_inference.infer_shapes(helper.make_model(
        graph, opset_imports=[helper.make_opsetid("", 12)], ir_version=7))
    data = folder / "test_data_set_0"
    data.mkdir(parents=True)
    onnx.save(model, folder / "model.onnx")
    feeds = {name: rng.uniform(-1, 1, shape).astype(np.float32)
             for name, shape in inputs.items()}
    for i, (name, array) in enumerate(feeds.items()):
        write_tensor(data / f"input_{i}.pb", array, name)
    result = float64_reference.run(
        model, {n: a.astype(np.float64) for n, a in feeds.items()})["y"]
    write_tensor(data / "output_0.pb", result, "y")
    return folder / "model.onnx"


def main():
    kiln = pathlib.Path(sys.argv[1]) / "bin/kiln"
    cases = fixed()
    for seed in range(24):
        cases[f"drawn {seed}"] = drawn(seed, (16, 21, 48)[seed % 3])
    failed = 0
    for device in sys.argv[2:] or DEVICES:
        if not has_target(kiln, device):
            print(f"{device}: not built, skipped")
            continue
        with tempfile.TemporaryDirectory() as folder:
            for i, (name, (nodes, inputs)) in enumerate(cases.items()):
                model = write(pathlib.Path(folder) / str(i), nodes, inputs, i)
                done = subprocess.run(
                    [kiln, "verify", model, "--device", device],
                    text=True, capture_output=True)
                if done.returncode != 0:
                    failed += 1
                    print(f"{device}: {name}: {done.stdout}{done.stderr}")
        print(f"{device}: {len(cases)} graphs")
    print(f"{failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
