#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Unpacks the shared ONNX node tests and adds ONNX Runtime's outputs.

    prepare_node_tests.py OUT_DIR

Reads ../shared/onnx_*_tests*.tar.zst beside the repository; exits with 77
(skipped) when they are not there. For every test whose operators all have a
reference in ops/, test_data_set_N/ort_output_I.pb is written beside
output_I.pb: a second, independent source of expected values.
"""
import pathlib
import shutil
import subprocess
import sys

import numpy as np
import onnx
import onnxruntime

ROOT = pathlib.Path(__file__).resolve().parents[3]
SHARED = ROOT.parent / "shared"
ARCHIVES = ("onnx_node_tests.tar.zst", "onnx_node_tests_later.tar.zst",
            "onnx_backend_other_tests.tar.zst")
OPERATORS = set("""Add AveragePool BatchNormalization Concat Constant
ConstantOfShape Conv Dropout Flatten Gemm GlobalAveragePool Identity MatMul
MaxPool Mul Relu Reshape Sigmoid Softmax Split Sub Sum Tanh Transpose""".split())


def unpack(out):
    stamp = out / "unpacked"
    wanted = " ".join(f"{a}:{(SHARED / a).stat().st_size}" for a in ARCHIVES)
    if stamp.exists() and stamp.read_text() == wanted:
        return
    shutil.rmtree(out, ignore_errors=True)
    out.mkdir(parents=True)
    for archive in ARCHIVES:
        subprocess.run(["tar", "--zstd", "-xf", SHARED / archive, "-C", out],
                       check=True)
    stamp.write_text(wanted)


def load_tensor(path):
    tensor = onnx.TensorProto()
    tensor.ParseFromString(path.read_bytes())
    return onnx.numpy_helper.to_array(tensor)


def add_ort_outputs(folder):
    """True when ONNX Runtime ran the test."""
    model = onnx.load(folder / "model.onnx")
    if not {n.op_type for n in model.graph.node} <= OPERATORS:
        return False
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4
    options.intra_op_num_threads = 1
    try:
        session = onnxruntime.InferenceSession(
            str(folder / "model.onnx"), options,
            providers=["CPUExecutionProvider"])
        for data in sorted(folder.glob("test_data_set_*")):
            feeds = {}
            for i, value in enumerate(session.get_inputs()):
                feeds[value.name] = load_tensor(data / f"input_{i}.pb")
            for i, array in enumerate(session.run(None, feeds)):
                tensor = onnx.numpy_helper.from_array(np.asarray(array))
                (data / f"ort_output_{i}.pb").write_bytes(
                    tensor.SerializeToString())
    except Exception as error:  # ONNX Runtime refuses some opsets and types
        reason = str(error).splitlines()[0][:100]
        print(f"no ONNX Runtime output for {folder.name}: {reason}")
        return False
    return True


def main():
    out = pathlib.Path(sys.argv[1])
    missing = [a for a in ARCHIVES if not (SHARED / a).exists()]
    if missing:
        print(f"SKIPPED: {SHARED} lacks {', '.join(missing)}")
        return 77
    unpack(out)
    done = out / "ort_outputs"
    if not done.exists():
        folders = sorted(p.parent for p in out.glob("*/*/model.onnx"))
        count = sum(add_ort_outputs(f) for f in folders)
        done.write_text(f"{count}\n")
    print(f"{out}: ONNX Runtime {onnxruntime.__version__} ran "
          f"{done.read_text().strip()} tests")
    return 0


if __name__ == "__main__":
    sys.exit(main())
