#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""CPU device against ONNX Runtime: same run, one thread each, warm.

    .venv/bin/python tests/bench/cpu_vs_onnxruntime.py build [MODEL ...]

The peer is installed from PyPI (pinned) into .venv-bench on first use, apart
from the test environment. For every fp32 model of the first bar: rounds of
both in turn, each the median of many warm runs in a process of its own; the
middle round of each and their ratio; then the geometric mean. Bar: geomean
<= 3, no model above 8. Versions, CPU and date are printed; paste them with the
table into tests/bench/README.md.
"""
import datetime
import json
import math
import pathlib
import platform
import statistics
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests" / "models"))
from verify_test import MODELS, REAL  # noqa: E402

VENV = ROOT / ".venv-bench"
PEER = "onnxruntime==1.20.1"
FP32 = [name for name in REAL if name not in ("squeezenet_fp16",
                                              "mnist_opset1")]
REPEAT = 50
ROUNDS = 3

WORKER = """
import json, pathlib, sys, time
import numpy as np, onnxruntime
from onnx import TensorProto, numpy_helper
model, repeat = pathlib.Path(sys.argv[1]), int(sys.argv[2])
o = onnxruntime.SessionOptions()
o.intra_op_num_threads = o.inter_op_num_threads = 1
s = onnxruntime.InferenceSession(str(model), o,
                                 providers=["CPUExecutionProvider"])
data = model.with_suffix(".test_data") / "test_data_set_0"
feeds = {}
for i, value in enumerate(s.get_inputs()):
    t = TensorProto()
    t.ParseFromString((data / f"input_{i}.pb").read_bytes())
    feeds[value.name] = numpy_helper.to_array(t)
times = []
for i in range(repeat + 3):
    start = time.perf_counter()
    s.run(None, feeds)
    times.append(time.perf_counter() - start)
times = sorted(times[3:])
print(json.dumps({"best": times[0], "median": times[len(times) // 2],
                  "version": onnxruntime.__version__}))
"""


def peer_python():
    python = VENV / "bin" / "python"
    if not python.exists():
        subprocess.run(["/usr/bin/python3", "-m", "venv", VENV], check=True)
        subprocess.run([VENV / "bin" / "pip", "install", "-q", PEER,
                        "onnx==1.17.0", "numpy==2.1.3"], check=True)
    return python


def time_peer(model):
    out = subprocess.run([peer_python(), "-c", WORKER, model, str(REPEAT)],
                         check=True, capture_output=True, text=True).stdout
    return json.loads(out)


def time_kiln(kiln, model):
    out = subprocess.run(
        [kiln, "bench", model, "--device", "cpu", "--threads", "1",
         "--repeat", str(REPEAT), "--json"], check=True,
        capture_output=True, text=True).stdout
    return json.loads(out)["host_latency_s"]


def cpu_name():
    for line in pathlib.Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.split(":", 1)[1].strip()
    return platform.processor()


def main():
    kiln = pathlib.Path(sys.argv[1]) / "bin" / "kiln"
    names = sys.argv[2:] or FP32
    ratios = []
    version = ""
    print("| model | kiln cpu ms | ONNX Runtime ms | ratio |\n|---|---|---|---|")
    for name in names:
        model = MODELS / REAL[name][0]
        rounds = [(time_kiln(kiln, model), time_peer(model))
                  for _ in range(ROUNDS)]
        version = rounds[0][1]["version"]
        ours, peer = (statistics.median(side["median"] for side in sides)
                      for sides in zip(*rounds))
        ratio = ours / peer
        ratios.append(ratio)
        print(f"| {name} | {1e3 * ours:.3f} | {1e3 * peer:.3f} | "
              f"{ratio:.2f} |", flush=True)
    geomean = math.exp(sum(map(math.log, ratios)) / len(ratios))
    print(f"\ngeomean {geomean:.2f} (bar 3), worst {max(ratios):.2f} (bar 8)")
    print(f"{datetime.date.today()}, {cpu_name()}, one thread, ONNX Runtime "
          f"{version}, middle of {ROUNDS} medians of {REPEAT}")
    return 0 if geomean <= 3 and max(ratios) <= 8 else 1


if __name__ == "__main__":
    sys.exit(main())
