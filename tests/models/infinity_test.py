#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What fp16 makes of values beyond 65504, of infinities and of NaN.

    infinity_test.py BUILD_DIR [DEVICE ...]

One graph with a case per operator runs with --precision=fp16 on every device.
Asked of each output, element by element: the same kind of value (finite, +inf,
-inf, NaN) as the rules of this folder's README give in float64, finite values
within an fp16 rounding; and of npu:functional and npu:cycle the same bytes.

The rules are shown to matter: with each of them broken (MUTANTS) the expected
kinds differ somewhere, so that a device that broke it would fail.
"""
import pathlib
import subprocess
import sys
import tempfile

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))
import float64_reference  # noqa: E402
from random_weights import read_tensor, write_tensor  # noqa: E402
from verify_test import has_target  # noqa: E402

DEVICES = ["cpu", "npu:functional", "npu:cycle"]
INF, NAN = np.inf, np.nan
# Half an ULP of fp16 is 2^-11; fp32 sums add little.
RELATIVE, ABSOLUTE = 2 ** -10, 1e-3
# Sign of a zero, +-1, the largest number, the tie to infinity and just below
# it, products and sums that overflow, infinities, NaN.
SPECIAL = np.array([0.0, 1.0, -1.0, 300.0, -300.0, 65504.0, -65504.0, 65519.0,
                    65520.0, -65520.0, 1e6, -1e6, INF, -INF, NAN])


class Cases:
    """A graph of independent cases, their inputs and what is not stored."""

    def __init__(self):
        self.rng = np.random.default_rng(11)
        self.nodes, self.inputs, self.outputs = [], [], []
        self.weights, self.feeds = [], {}
        # Values that are never rounded to fp16.
        self.inside = set()

    def feed(self, name, array):
        self.feeds[name] = np.asarray(array, np.float32)
        self.inputs.append(helper.make_tensor_value_info(
            name, TensorProto.FLOAT, self.feeds[name].shape))
        return name

    def weight(self, name, array):
        self.weights.append(numpy_helper.from_array(
            np.asarray(array, np.float32), name))
        return name

    def node(self, op, inputs, name, **attributes):
        self.nodes.append(helper.make_node(op, inputs, [name], name=name,
                                           **attributes))
        return name

    def output(self, op, inputs, name, **attributes):
        self.outputs.append(helper.make_tensor_value_info(
            self.node(op, inputs, name, **attributes), TensorProto.FLOAT,
            None))

    def hidden(self, op, inputs, name, **attributes):
        """A value that folding removes: fp32, if it is ever computed."""
        self.inside.add(name)
        return self.node(op, inputs, name, **attributes)

    def sprinkled(self, shape, specials, size=1.0):
        """Random numbers of one size with special values strewn in."""
        x = (self.rng.normal(size=shape) * size).astype(np.float16)
        at = self.rng.choice(x.size, len(specials), replace=False)
        x.reshape(-1)[at] = specials
        return x

    def model(self):
        graph = helper.make_graph(self.nodes, "infinity", self.inputs,
                                  self.outputs, self.weights)
        model = helper.make_model(graph, opset_imports=[
            helper.make_opsetid("", 12)], ir_version=7)
        return onnx.shape_inference.infer_shapes(model, strict_mode=True)


def add_elementwise(c):
    """Every pair of special values, and each of them alone."""
    a, b = np.meshgrid(SPECIAL, SPECIAL)
    x, y = c.feed("x", a), c.feed("y", b)
    for op in ("Add", "Sub", "Mul"):
        c.output(op, [x, y], op.lower())
    for op in ("Relu", "Sigmoid", "Tanh"):
        c.output(op, [x], op.lower())
    c.output("Transpose", [x], "transposed", perm=[1, 0])
    c.output("Concat", [x, y], "joined", axis=1)


def add_softmax(c):
    rows = c.rng.normal(size=(6, 21))
    rows[0, 3] = INF
    rows[1, 4] = -INF
    rows[2, :] = -INF
    rows[3, 5] = NAN
    rows[4, :2] = 65504, -65504
    c.output("Softmax", [c.feed("rows", rows)], "softmax", axis=1)


def add_pools(c):
    """20 channels: four of the second block exist."""
    image = c.sprinkled((1, 20, 7, 9), [INF, -INF, NAN, 65504, INF, NAN])
    image[0, 2] = -INF
    image[0, 3] = 65504
    image[0, 17, :2, :2] = [[INF, -INF], [1, 1]]
    x = c.feed("image", image)
    window = {"kernel_shape": [3, 3], "strides": [2, 2]}
    c.output("MaxPool", [x], "max_pool", pads=[1, 1, 1, 1], **window)
    c.output("AveragePool", [x], "average_pool", **window)
    c.output("GlobalAveragePool", [x], "global_pool")


def add_matmul(c):
    """0 * inf, inf - inf, a sum that overflows, one that only passes by."""
    a = c.sprinkled((9, 37), [INF, -INF, NAN])
    w = c.rng.normal(size=(37, 29)).astype(np.float16)
    w[:, 5] = 0
    w[:, 6] = np.abs(w[:, 6])
    a[7, :] = 65504
    a[8, :2] = 65504, -65504
    w[:2, 7:9] = 3
    c.output("MatMul", [c.feed("a", a), c.weight("w", w)], "matmul")


def add_convolutions(c):
    """Two convolutions: what overflows in the first, and its undefined lanes
    beyond channel 20, meet the zero weights of the second one."""
    x = c.sprinkled((1, 20, 8, 8), [3e4, -3e4], 0.5)
    x[0, 7, 0, 0] = INF
    w = c.rng.normal(size=(20, 20, 3, 3)).astype(np.float16)
    v = c.rng.normal(size=(20, 20, 1, 1)).astype(np.float16)
    v[4] = np.abs(v[4])
    v[5, ::2] = 0
    feed = c.feed("photo", x)
    first = c.node("Conv", [feed, c.weight("w3", w)], "conv",
                   kernel_shape=[3, 3], pads=[1, 1, 1, 1])
    c.output("Relu", [first], "rectified")
    c.output("Conv", ["rectified", c.weight("w1", v)], "conv1x1",
             kernel_shape=[1, 1])
    deep = c.rng.normal(size=(20, 1, 3, 3)).astype(np.float16)
    c.output("Conv", ["rectified", c.weight("wd", deep)], "depthwise",
             kernel_shape=[3, 3], group=20)


def add_fused(c):
    """Beyond 65504 and back: bias and normalisation belong to the convolution,
    a sum that is fused with it does not."""
    x = np.full((1, 16, 4, 4), 64.0)
    x[0, 0] = 1e4
    feed = c.feed("large", x)
    w = np.zeros((16, 16, 1, 1))
    w[:, 0, 0, 0] = np.arange(5, 21)  # 5e4 .. 2e5
    w = c.weight("wl", w)
    shape = {"kernel_shape": [1, 1]}
    c.output("Conv", [feed, w], "overflows", **shape)
    c.output("Conv", [feed, w, c.weight("less", np.full(16, -6e4))],
             "biased", **shape)
    halved = c.hidden("Conv", [feed, w], "scaled_conv", **shape)
    ones = {name: c.weight(name, np.full(16, value)) for name, value in
            (("half", 0.5), ("shift", 0), ("mean", 0),
             ("variance", 1 - 1e-5))}
    c.output("BatchNormalization", [halved, *ones.values()], "scaled")
    sums = c.node("Conv", [feed, w], "summed_conv", **shape)
    c.output("Add", [sums, c.feed("back", np.full((1, 16, 4, 4), -5e4))],
             "summed")


def build():
    cases = Cases()
    for add in (add_elementwise, add_softmax, add_pools, add_matmul,
                add_convolutions, add_fused):
        add(cases)
    return cases


def to_half(array):
    with np.errstate(over="ignore"):
        return np.asarray(array).astype(np.float16).astype(np.float64)


def saturated(array):
    return np.where(np.isnan(array), NAN,
                    to_half(np.clip(array, -65504, 65504)))


def exp_sigmoid(attrs, x):
    return 1 / (1 + np.exp(-x))


RULES = {
    "Sigmoid": exp_sigmoid,
    "Tanh": lambda attrs, x: np.tanh(x),
    "Sub": lambda attrs, a, b: a - b,
    "Mul": lambda attrs, a, b: a * b,
    "MatMul": lambda attrs, a, b: a @ b,
    "Transpose": lambda attrs, x: x.transpose(attrs["perm"]),
}


def depthwise_or_dense(attrs, x, w, b=None):
    if attrs.get("group", 1) == 1:
        return float64_reference.conv(attrs, x, w, b)
    return np.concatenate([
        float64_reference.conv({**attrs, "group": 1}, x[:, i:i + 1],
                               w[i:i + 1]) for i in range(len(w))], 1)


def no_nan_relu(attrs, x):
    return np.fmax(x, 0)


def no_nan_pool(attrs, x):
    return np.fmax.reduce(np.fmax.reduce(
        float64_reference.windows(x, attrs, -np.inf), axis=5), axis=4)


def no_zero_times_infinity(attrs, a, b):
    return np.where((a == 0) | (b == 0), 0, a * b)


def skipping_zeros(attrs, a, b):
    products = np.where((a[:, :, None] == 0) | (b == 0), 0, a[:, :, None] * b)
    return products.sum(axis=1)


def half_pool(attrs, x):
    """Sums of the pool in fp16."""
    total = np.zeros(x.shape[:2])
    for column in x.reshape(*x.shape[:2], -1).transpose(2, 0, 1):
        total = to_half(total + column)
    return total[:, :, None, None] / (x.shape[2] * x.shape[3])


# Rule that is broken -> what is different in `expected`.
MUTANTS = {
    "overflow saturates": {"rounding": saturated},
    "relu(NaN) is 0": {"operators": {"Relu": no_nan_relu}},
    "a pool ignores NaN": {"operators": {"MaxPool": no_nan_pool}},
    "0 * inf is 0": {"operators": {"Mul": no_zero_times_infinity}},
    "a matmul skips zeros": {"operators": {"MatMul": skipping_zeros}},
    "a pool sums in fp16": {"operators": {"GlobalAveragePool": half_pool}},
    "what is folded rounds": {"inside": set()},
    "what is fused does not round": {"inside": {"scaled_conv", "summed_conv"}},
}


def expected(cases, model, operators=None, rounding=to_half, inside=None):
    inside = cases.inside if inside is None else inside
    known = dict(float64_reference.OPERATORS)
    float64_reference.OPERATORS.update(RULES, Conv=depthwise_or_dense)
    float64_reference.OPERATORS.update(operators or {})
    feeds = {i.name: rounding(numpy_helper.to_array(i))
             for i in model.graph.initializer}
    feeds.update({name: rounding(x) for name, x in cases.feeds.items()})
    try:
        with np.errstate(all="ignore"):
            return float64_reference.run(
                model, feeds, lambda name, array:
                array if name in inside else rounding(array))
    finally:
        float64_reference.OPERATORS.clear()
        float64_reference.OPERATORS.update(known)


def kinds(array):
    """0 finite, 1 +inf, -1 -inf, 2 NaN."""
    return np.where(np.isnan(array), 2,
                    np.where(np.isinf(array), np.sign(array), 0))


def wrong(got, want):
    """What differs, in words; nothing when the output is right."""
    different = kinds(got) != kinds(want)
    if different.any():
        at = np.argwhere(different)[0]
        return (f"{different.sum()} of {want.size} values are of another kind,"
                f" first {got[tuple(at)]} for {want[tuple(at)]} at {at}")
    finite = np.isfinite(want)
    error = np.abs(got[finite] - want[finite])
    far = error > ABSOLUTE + RELATIVE * np.abs(want[finite])
    return f"{far.sum()} values are off by up to {error.max()}" if far.any() \
        else ""


def run(kiln, package, cases, device, folder):
    options = []
    for name, array in cases.feeds.items():
        file = folder / f"{name}.pb"
        write_tensor(file, array, name)
        options += ["--input", f"{name}={file}"]
    out = folder / device.replace(":", "_")
    subprocess.run([kiln, "run", package, *options, "--device", device,
                    "--output-dir", out], check=True,
                   stdout=subprocess.DEVNULL)
    return {o.name: read_tensor(out / f"output_{i}.pb").astype(np.float64)
            for i, o in enumerate(cases.outputs)}


def check_rules_matter(cases, model, want):
    names = [o.name for o in cases.outputs]
    for rule, changes in MUTANTS.items():
        broken = expected(cases, model, **changes)
        shown = [n for n in names if (kinds(broken[n]) != kinds(want[n])).any()]
        print(f"'{rule}' would show in: {' '.join(shown)}")
        assert shown, rule


def main():
    kiln = pathlib.Path(sys.argv[1]) / "bin" / "kiln"
    devices = [d for d in sys.argv[2:] or DEVICES if has_target(kiln, d)]
    cases = build()
    model = cases.model()
    want = expected(cases, model)
    check_rules_matter(cases, model, want)
    failed = []
    results = {}
    with tempfile.TemporaryDirectory() as text:
        folder = pathlib.Path(text)
        onnx.save(model, folder / "infinity.onnx")
        for target in sorted({d.split(":")[0] for d in devices}):
            subprocess.run([kiln, "compile", folder / "infinity.onnx",
                            "--target", target, "--precision", "fp16", "-o",
                            folder / f"{target}.kiln"], check=True,
                           stdout=subprocess.DEVNULL)
        for device in devices:
            got = run(kiln, folder / f"{device.split(':')[0]}.kiln", cases,
                      device, folder)
            results[device] = got
            for name, array in got.items():
                error = wrong(array, want[name])
                if error:
                    failed.append(f"{name} on {device}: {error}")
    for name in [o.name for o in cases.outputs]:
        npu = [r[name].tobytes() for d, r in results.items() if d != "cpu"]
        if len(set(npu)) > 1:
            failed.append(f"{name}: the engines' bytes differ")
    for line in failed:
        print("WRONG", line)
    print(f"{len(cases.outputs)} outputs on {', '.join(devices)}: "
          f"{len(failed)} wrong")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
