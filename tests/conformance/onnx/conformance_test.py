#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""`kiln conformance` on one device: nothing wrong, nothing lost.

    conformance_test.py BUILD_DIR DEVICE [--refresh] [--jobs N]

- No test fails but the five whose stored expectation is known to be wrong.
- Every test in passed_DEVICE.txt, the committed table, still passes.
- Every test that the rule covers passes: class plain, not random, opset up to
  21, all operators in the list (Conv with one group or one per channel),
  tensors fp32 or fp16 up to rank 4, inference.

gaps_DEVICE.txt holds the ones of the last kind that do not pass yet; a name in
it that passes fails the test, so that it is removed.

--refresh writes both tables anew; the first may only grow.
"""
import argparse
import json
import pathlib
import subprocess
import sys

import onnx

HERE = pathlib.Path(__file__).resolve().parent
SHARED = HERE.parents[2].parent / "shared"
sys.path.insert(0, str(HERE))
sys.path.insert(0, str(HERE.parents[1] / "models"))
from prepare_node_tests import OPERATORS  # noqa: E402
from verify_test import has_target  # noqa: E402

FLOATS = (onnx.TensorProto.FLOAT, onnx.TensorProto.FLOAT16)


# The importer's range; node_later holds newer ones.
MAX_OPSET = 21


def partly_grouped(conv, model):
    """Groups that are neither one nor one per channel: a later issue."""
    groups = next((a.i for a in conv.attribute if a.name == "group"), 1)
    shapes = {v.name: [d.dim_value for d in v.type.tensor_type.shape.dim]
              for v in model.graph.input}
    shapes |= {i.name: list(i.dims) for i in model.graph.initializer}
    weight = shapes.get(conv.input[1], [0, 1])
    return groups != 1 and weight[1] != 1


def covered_tensor(value):
    """fp32 or fp16 up to rank 4; i64 vectors are shapes."""
    tensor = value.type.tensor_type
    rank = len(tensor.shape.dim)
    if tensor.elem_type == onnx.TensorProto.INT64:
        return rank <= 1
    return tensor.elem_type in FLOATS and rank <= 4


def in_training(model):
    for node in model.graph.node:
        training = any(a.name == "training_mode" and a.i
                       for a in node.attribute)
        if training or (node.op_type == "BatchNormalization" and
                        len(node.output) > 1):
            return True
        # A third input of Dropout is its training mode.
        if node.op_type == "Dropout" and len(node.input) > 2:
            return True
    return False


def must_pass(name, root, classes):
    """Whether the rule covers a test."""
    group, test = name.split("/")
    kind = classes["classes"].get(group, classes["classes"].get(
        "other", {})).get(test if group in classes["classes"] else name)
    if kind != "plain" or name in classes["random"] or \
            name in classes["wrong_expectation"]:
        return False
    model = onnx.load(root / group / test / "model.onnx")
    if not {n.op_type for n in model.graph.node} <= OPERATORS:
        return False
    if any(o.version > MAX_OPSET for o in model.opset_import):
        return False
    if any(n.op_type == "Conv" and partly_grouped(n, model)
           for n in model.graph.node):
        return False
    values = list(model.graph.input) + list(model.graph.output)
    # Integer results (indices of MaxPool, masks) are no fp32 or fp16 tensors.
    return all(v.type.HasField("tensor_type") and covered_tensor(v)
               for v in values) and not in_training(model)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("build", type=pathlib.Path)
    parser.add_argument("device")
    parser.add_argument("--refresh", action="store_true")
    parser.add_argument("--jobs", default="2")
    parser.add_argument("--filter", default="")
    args = parser.parse_args()
    root = args.build / "onnx_node_tests"
    class_file = SHARED / "onnx_node_test_classes.json"
    if not root.exists() or not class_file.exists():
        print(f"SKIPPED: {root} or {class_file} is absent")
        return 77
    if not has_target(args.build / "bin" / "kiln", args.device):
        print(f"SKIPPED: this build has no compiler for {args.device}")
        return 77
    classes = json.loads(class_file.read_text())
    result = subprocess.run(
        [args.build / "bin" / "kiln", "conformance", root, "--device",
         args.device, "--classes", class_file, "--jobs", args.jobs,
         "--filter", args.filter, "--json"], capture_output=True, text=True)
    report = json.loads(result.stdout)
    print(report["summary"])
    passed = {t["name"] for t in report["tests"] if t["status"] == "pass"}
    bad = [t for t in report["tests"] if t["status"] == "fail"
           and t["name"] not in classes["wrong_expectation"]]
    for test in bad:
        print("WRONG", test["name"], test["reason"][:300])

    table = HERE / f"passed_{args.device.replace(':', '_')}.txt"
    if not table.exists() and not args.refresh:
        print(f"no {table.name}, the committed table: --refresh writes it")
        return 1
    before = set(table.read_text().split()) if table.exists() else set()
    if args.filter:
        before = {n for n in before if args.filter in n}
    lost = sorted(before - passed)
    for name in lost:
        print("LOST", name)
    reasons = {t["name"]: t["reason"] for t in report["tests"]}
    gap_file = HERE / f"gaps_{args.device.replace(':', '_')}.txt"
    gaps = set(gap_file.read_text().split()) if gap_file.exists() else set()
    owed = sorted(t["name"] for t in report["tests"]
                  if t["name"] not in passed and
                  must_pass(t["name"], root, classes))
    closed = sorted(gaps & passed)
    for name in closed:
        print("CLOSED", name, "passes now: remove it from", gap_file.name)
    print(f"{len(owed)} owed, {len(gaps)} of them in {gap_file.name}")
    if args.refresh:
        gap_file.write_text("".join(name + "\n" for name in owed))
        gaps, closed = set(owed), []
    owed = [name for name in owed if name not in gaps]
    for name in owed:
        print("OWED", name, reasons[name][:200])
    if args.refresh and not lost:
        table.write_text("\n".join(sorted(before | passed)) + "\n")
        print(f"{table.name}: {len(passed)} tests")
    return 1 if bad or lost or owed or closed else 0


if __name__ == "__main__":
    sys.exit(main())
