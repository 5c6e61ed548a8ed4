#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Real models on one device, through `kiln verify`.

    verify_test.py BUILD_DIR DEVICE [MODEL ...] [-- more options of kiln verify]

Expected outputs were published with the models or come from ONNX Runtime (see
the README of the shared models). Tolerances: those the README suggests
(fp32 rtol 1e-3, atol 1e-4; fp16 atol 5e-3), the defaults of `kiln verify`.

known_gaps.txt lists what does not work yet, with the reason: such a model is
run all the same, and the test fails when it starts to pass, so that the line
is removed.
"""
import pathlib
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
MODELS = ROOT.parent / "shared" / "models"
GAPS = pathlib.Path(__file__).resolve().parent / "known_gaps.txt"

# Name -> path below ../shared/models, extra options.
REAL = {
    "mnist-8": ("mnist_cnn/mnist-8.onnx", []),
    # The weights equal mnist-8's, and so must the outputs.
    "mnist_opset1": ("mnist_cnn/mnist_opset1.onnx",
                     ["--data", str(MODELS / "mnist_cnn/mnist-8.test_data")]),
    "ic_resnet8": ("mlperf_tiny/ic_resnet8_fp32.onnx", []),
    "kws_dscnn": ("mlperf_tiny/kws_dscnn_fp32.onnx", []),
    "vww_mbv1_96": ("mlperf_tiny/vww_mbv1_96_fp32.onnx", []),
    "ad_toycar": ("mlperf_tiny/ad_toycar_fp32.onnx", []),
    "speech_commands": ("speech_commands_squeezenet/speech_recog.onnx", []),
    "squeezenet_fp16": ("squeezenet1_0_fp16/SqueezeNet_fp16.onnx", []),
    "super_resolution": ("super_resolution/super_resolution.onnx", []),
    "go1_policy": ("robot_policies/go1_policy.onnx", []),
}


def known_gaps(device):
    """Model -> reason, of the lines `DEVICE MODEL reason`."""
    gaps = {}
    for line in GAPS.read_text().splitlines():
        if line and not line.startswith("#"):
            where, model, reason = line.split(None, 2)
            if where == device:
                gaps[model] = reason
    return gaps


def has_target(kiln, device):
    """False while the build has no compiler for the device."""
    result = subprocess.run(
        [kiln, "compile", ROOT / "tools/digits/digits.onnx", "--target",
         device.split(":")[0], "--stop-after", "nn"],
        text=True, capture_output=True)
    return "unknown target" not in result.stderr


def verify(kiln, path, options):
    result = subprocess.run([kiln, "verify", path, *options], text=True,
                            capture_output=True)
    print(result.stdout, result.stderr, sep="", flush=True)
    return result.returncode


def main():
    arguments = sys.argv[1:]
    extra = []
    if "--" in arguments:
        at = arguments.index("--")
        arguments, extra = arguments[:at], arguments[at + 1:]
    kiln = pathlib.Path(arguments[0]) / "bin" / "kiln"
    device, names = arguments[1], arguments[2:] or ["digits", *REAL]
    if not MODELS.exists() and names != ["digits"]:
        print(f"SKIPPED: {MODELS} is absent")
        return 77
    if not has_target(kiln, device):
        print(f"SKIPPED: this build has no compiler for {device}")
        return 77
    failed = []
    gaps = known_gaps(device)
    for name in names:
        if name == "digits":
            path, options = ROOT / "tools/digits/digits.onnx", []
        else:
            path, options = MODELS / REAL[name][0], REAL[name][1]
        print(f"== {name} on {device}", flush=True)
        code = verify(kiln, path, ["--device", device, *options, *extra])
        if name in gaps and code:
            print(f"known gap: {gaps[name]}")
        elif name in gaps:
            failed.append(f"{name} (works now: remove it from {GAPS.name})")
        elif code:
            failed.append(f"{name} (exit {code})")
    if failed:
        print("failed:", ", ".join(failed))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
