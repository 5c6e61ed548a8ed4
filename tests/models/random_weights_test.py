#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Random-weight models are deterministic, well scaled, and catch small errors.

A planted error of one weight and a planted halo error (one output row of a
convolution computed without the rows below its tile) exceed the bounds that
the per-layer comparison uses: relative L2 1e-5 for fp32, 3e-3 for fp16.
"""
import pathlib
import sys
import tempfile

import numpy as np
import onnx
from onnx import numpy_helper

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))
import random_weights  # noqa: E402

LIGHT = HERE.parents[2] / "shared" / "models" / "onnx_light_models"
BOUND = {"f32": 1e-5, "f16": 3e-3}


def load(path):
    tensor = onnx.TensorProto()
    tensor.ParseFromString(path.read_bytes())
    return numpy_helper.to_array(tensor)


def relative_l2(got, want):
    return np.linalg.norm(got - want) / np.linalg.norm(want)


def test_same_seed_same_bytes(folder):
    light = LIGHT / "light_squeezenet.onnx"
    a = random_weights.generate(light, folder / "a").read_bytes()
    assert random_weights.generate(light, folder / "b").read_bytes() == a
    assert random_weights.generate(light, folder / "c", 8).read_bytes() != a


def model_with_data(folder, name):
    path = random_weights.generate(LIGHT / f"{name}.onnx", folder)
    data = folder / f"{path.stem}.test_data" / "test_data_set_0"
    model = onnx.load(path)
    expected = [load(data / f"output_{i}.pb")
                for i in range(len(model.graph.output))]
    return model, load(data / "input_0.pb"), expected


def test_stored_outputs_are_the_models(folder):
    model, image, expected = model_with_data(folder, "light_squeezenet")
    feeds = {model.graph.input[0].name: image}
    for got, want in zip(random_weights.run_model(model, feeds), expected):
        assert relative_l2(got, want) < 1e-6


def test_a_planted_weight_error_fails(folder):
    model, image, expected = model_with_data(folder, "light_resnet50")
    feeds = {model.graph.input[0].name: image}
    convs = [n for n in model.graph.node if n.op_type == "Conv"]
    for index in (1, len(convs) // 2, len(convs) - 1):
        planted = onnx.ModelProto()
        planted.CopyFrom(model)
        weight = next(i for i in planted.graph.initializer
                      if i.name == convs[index].input[1])
        values = numpy_helper.to_array(weight).copy()
        at = np.unravel_index(np.abs(values).argmax(), values.shape)
        values[at] = -values[at]
        weight.CopyFrom(numpy_helper.from_array(values, weight.name))
        got = random_weights.run_model(planted, feeds)[index]
        error = relative_l2(got, expected[index])
        print(f"one weight of convolution {index}: relative L2 {error:.2g}")
        assert error > BOUND["f32"] and error > BOUND["f16"]


def test_a_planted_halo_error_fails(folder):
    model, image, expected = model_with_data(folder, "light_resnet50")
    outputs = [o.name for o in model.graph.output]
    conv = next(n for n in model.graph.node
                if n.op_type == "Conv" and outputs.index(n.output[0]) == 2)
    kernel = next(a.ints for a in conv.attribute if a.name == "kernel_shape")
    assert list(kernel) == [3, 3]
    model.graph.output.append(onnx.ValueInfoProto(name=conv.input[0]))
    feeds = {model.graph.input[0].name: image}
    source = random_weights.run_model(model, feeds)[-1]
    weight = next(numpy_helper.to_array(i) for i in model.graph.initializer
                  if i.name == conv.input[1])
    row = source.shape[2] // 2
    cut = source.copy()
    cut[:, :, row:] = 0
    values = {conv.input[0]: cut, conv.input[1]: weight}
    opset = model.opset_import[0].version
    planted = expected[2].copy()
    planted[:, :, row - 1] = random_weights.run_node(
        conv, opset, values)[:, :, row - 1]
    error = relative_l2(planted, expected[2])
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
            print(f"passed {name}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
