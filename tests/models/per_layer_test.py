#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""`kiln verify --per-layer` passes right models and names the wrong layer.

    per_layer_test.py BUILD_DIR DEVICE [large]

The device gets a package whose model has one wrong weight in one layer, the
reference the right model: the first difference must be that layer's result,
though every layer after it is wrong as well.
"""
import pathlib
import re
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))
import onnx  # noqa: E402
from random_verify_test import plant_weight_error  # noqa: E402
from verify_test import MODELS, ROOT, has_target  # noqa: E402

MISMATCH = 6
# Model -> values that are compared: at least so many results of dispatches.
RIGHT = {
    ROOT / "tools/digits/digits.onnx": 6,
    MODELS / "mlperf_tiny/ic_resnet8_fp32.onnx": 12,
    MODELS / "mlperf_tiny/kws_dscnn_fp32.onnx": 11,
    MODELS / "mnist_cnn/mnist-8.onnx": 5,
    MODELS / "robot_policies/go1_policy.onnx": 9,
}
# Every convolution, concat and pool; the reference takes its time.
LARGE = {
    MODELS / "squeezenet1_0_fp16/SqueezeNet_fp16.onnx": 38,
    MODELS / "speech_commands_squeezenet/speech_recog.onnx": 38,
}


def verify(kiln, model, *options):
    result = subprocess.run([kiln, "verify", model, "--per-layer", *options],
                            text=True, capture_output=True)
    return result.returncode, result.stdout + result.stderr


def check_right(kiln, device, model, least):
    code, text = verify(kiln, model, "--device", device)
    print("\n".join(text.splitlines()[:40]), flush=True)
    counts = [int(n) for n in re.findall(r"(\d+) values right", text)]
    assert code == 0 and counts and min(counts) >= least, (model, code, counts)


def value_after(model, node):
    """What the dispatch of a convolution gives: it takes the activation."""
    result = node.output[0]
    readers = [n for n in model.graph.node if result in n.input]
    return readers[0].output[0] if len(readers) == 1 \
        and readers[0].op_type == "Relu" else result


def check_wrong_layer_is_named(kiln, device, folder):
    source = ROOT / "tools/digits/digits.onnx"
    model = onnx.load(source)
    convs = [n for n in model.graph.node if n.op_type == "Conv"]
    for index, conv in enumerate(convs):
        planted = folder / f"planted_{index}.onnx"
        package = folder / f"planted_{index}.kiln"
        plant_weight_error(source, planted, index)
        subprocess.run([kiln, "compile", planted, "--target",
                        device.split(":")[0], "-o", package], check=True,
                       stdout=subprocess.DEVNULL)
        code, text = verify(kiln, source, "--device", device, "--package",
                            package)
        want = value_after(model, conv)
        print(text.splitlines()[-1])
        assert code == MISMATCH, code
        assert f"first difference in '{want}'" in text, want


def main():
    build, device = sys.argv[1:3]
    large = sys.argv[3:] == ["large"]
    kiln = pathlib.Path(build) / "bin" / "kiln"
    if not has_target(kiln, device):
        print(f"SKIPPED: this build has no compiler for {device}")
        return 77
    if large and not MODELS.exists():
        print(f"SKIPPED: {MODELS} is absent")
        return 77
    for model, least in (LARGE if large else RIGHT).items():
        if model.exists():
            check_right(kiln, device, model, least)
    if large:
        return 0
    with tempfile.TemporaryDirectory() as folder:
        check_wrong_layer_is_named(kiln, device, pathlib.Path(folder))
    return 0


if __name__ == "__main__":
    sys.exit(main())
