#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The committed digits model does what its README says.

Independent sources: scikit-learn's labels and ONNX Runtime's outputs.
"""
import pathlib
import sys

import numpy as np
import onnx
import onnxruntime

ROOT = pathlib.Path(__file__).resolve().parents[2]
DIGITS = ROOT / "tools" / "digits"
sys.path.insert(0, str(DIGITS))
import train_digits  # noqa: E402


def session():
    return onnxruntime.InferenceSession(
        str(DIGITS / "digits.onnx"), providers=["CPUExecutionProvider"])


def load_pb(path):
    tensor = onnx.TensorProto()
    tensor.ParseFromString(path.read_bytes())
    return onnx.numpy_helper.to_array(tensor)


def test_model_is_small_and_valid():
    data = (DIGITS / "digits.onnx").read_bytes()
    assert len(data) < 200_000, len(data)
    model = onnx.load_from_string(data)
    onnx.checker.check_model(model, full_check=True)
    assert [o.version for o in model.opset_import] == [13]
    kinds = {n.op_type for n in model.graph.node}
    assert {"Conv", "Relu", "MaxPool", "Gemm", "Softmax"} <= kinds, kinds


def test_images_are_the_first_held_out_of_each_class():
    _, (images, classes) = train_digits.load_digits()
    examples = train_digits.first_of_each_class(images, classes)
    for k, example in enumerate(examples):
        stored = np.load(DIGITS / "images" / f"digit_{k}.npy")
        assert stored.shape == (1, 1, 8, 8) and stored.dtype == np.float32
        assert np.array_equal(stored[0], example), k


def test_ten_images_get_their_class():
    run = session().run
    for k in range(10):
        image = np.load(DIGITS / "images" / f"digit_{k}.npy")
        assert run(None, {"image": image})[0].argmax() == k, k


def test_held_out_accuracy_is_above_95_percent():
    _, (images, classes) = train_digits.load_digits()
    data = (DIGITS / "digits.onnx").read_bytes()
    found = train_digits.run(data, images).argmax(axis=1)
    accuracy = np.mean(found == classes)
    print(f"held-out accuracy {100 * accuracy:.2f} % of {len(classes)}")
    assert accuracy > 0.95


def test_stored_outputs_are_onnx_runtimes():
    run = session().run
    for k in range(10):
        folder = DIGITS / "digits.test_data" / f"test_data_set_{k}"
        image = load_pb(folder / "input_0.pb")
        assert np.array_equal(
            image, np.load(DIGITS / "images" / f"digit_{k}.npy"))
        expected = run(None, {"image": image})[0]
        # ONNX Runtime picks kernels by CPU: last bits may differ.
        assert np.allclose(load_pb(folder / "output_0.pb"), expected,
                           rtol=1e-4, atol=1e-6), k


def main():
    for name, test in list(globals().items()):
        if name.startswith("test_"):
            test()
            print(f"passed {name}")


if __name__ == "__main__":
    main()
