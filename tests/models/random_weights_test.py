#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Random-weight models are deterministic, well conditioned, and catch small
errors.

The float64 reference agrees with ONNX Runtime, whose own fp32 errors stay below
the bound: a net that amplifies rounding errors beyond it would judge nobody. A
planted error of one weight and a planted halo error (one output row of a
convolution computed without the rows below its tile) exceed the bounds that
the per-layer comparison uses: relative L2 1e-5 for fp32, 3e-3 for fp16.
"""
import pathlib
import sys
import tempfile

import numpy as np
import onnx
import onnxruntime
from onnx import numpy_helper

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))
import float64_reference  # noqa: E402
import random_weights  # noqa: E402
from random_verify_test import (  # noqa: E402
    BOUND, LIGHT, plant_weight_error, relative_l2)


class Generated:
    def __init__(self, folder, name):
        path = random_weights.generate(LIGHT / f"{name}.onnx", folder)
        data = folder / f"{path.stem}.test_data" / "test_data_set_0"
        self.path = path
        self.model = onnx.load(path)
        self.feeds = {self.model.graph.input[0].name:
                      random_weights.read_tensor(data / "input_0.pb")}
        self.outputs = [o.name for o in self.model.graph.output]
        self.expected = {
            name: random_weights.read_tensor(data / f"output_{i}.pb")
            for i, name in enumerate(self.outputs)}


def test_same_seed_same_bytes(folder):
    light = LIGHT / "light_squeezenet.onnx"
    a = random_weights.generate(light, folder / "a").read_bytes()
    assert random_weights.generate(light, folder / "b").read_bytes() == a
    assert random_weights.generate(light, folder / "c", 8).read_bytes() != a


def test_weights_of_a_half_model_are_half_numbers(folder):
    path = random_weights.generate(LIGHT / "light_squeezenet.onnx", folder,
                                   half=True)
    for i in onnx.load(path).graph.initializer:
        values = numpy_helper.to_array(i)
        assert (values == values.astype(np.float16)).all(), i.name


def check_onnx_runtime_agrees(folder, name):
    net = Generated(folder, name)
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4
    session = onnxruntime.InferenceSession(
        str(net.path), options, providers=["CPUExecutionProvider"])
    errors = [relative_l2(got, net.expected[layer]) for layer, got in zip(
        net.outputs, session.run(None, net.feeds))]
    print(f"{name}: ONNX Runtime {onnxruntime.__version__} against float64: "
          f"relative L2 at most {max(errors):.2g}")
    assert max(errors) < BOUND["f32"]


def test_onnx_runtime_agrees_on_resnet50(folder):
    check_onnx_runtime_agrees(folder, "light_resnet50")


def test_onnx_runtime_agrees_on_squeezenet(folder):
    check_onnx_runtime_agrees(folder, "light_squeezenet")


def test_a_planted_weight_error_fails(folder):
    net = Generated(folder, "light_resnet50")
    convs = [n for n in net.model.graph.node if n.op_type == "Conv"]
    for index in (1, len(convs) // 2, len(convs) - 1):
        planted = folder / "planted.onnx"
        plant_weight_error(net.path, planted, index)
        got = float64_reference.run(onnx.load(planted), net.feeds)
        layer = convs[index].output[0]
        error = relative_l2(got[layer], net.expected[layer])
        print(f"one weight of convolution {index}: relative L2 {error:.2g}")
        assert error > BOUND["f32"] and error > BOUND["f16"]


def test_a_planted_halo_error_fails(folder):
    net = Generated(folder, "light_resnet50")
    conv = [n for n in net.model.graph.node if n.op_type == "Conv"][2]
    kernel = next(a.ints for a in conv.attribute if a.name == "kernel_shape")
    assert list(kernel) == [3, 3]
    values = float64_reference.run(net.model, net.feeds)
    row = values[conv.input[0]].shape[2] // 2
    cut = values[conv.input[0]].copy()
    cut[:, :, row:] = 0
    wrong = float64_reference.evaluate(conv, {**values, conv.input[0]: cut})
    expected = net.expected[conv.output[0]]
    planted = expected.copy()
    planted[:, :, row - 1] = wrong[:, :, row - 1]
    error = relative_l2(planted, expected)
    print(f"one row without its halo: relative L2 {error:.2g}")
    assert error > BOUND["f32"] and error > BOUND["f16"]


def main():
    if not LIGHT.exists():
        print(f"SKIPPED: {LIGHT} is absent")
        return 77
    for name, test in list(globals().items()):
        if name.startswith("test_"):
            with tempfile.TemporaryDirectory() as folder:
                test(pathlib.Path(folder))
            print(f"passed {name}", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
