#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Evaluates an ONNX graph in float64, written from the operators' definitions.

    values = run(onnx.load("net.onnx"), {"image": image})   # name -> array

The reference for nets with random weights. A peer that computes in fp32 is none
there: over fifty layers its own rounding errors are as large as ours. Nothing
is shared with Kiln or with ONNX Runtime; float64 rounds 2^29 times finer than
fp32, so that its errors do not count.

`replace(name, array) -> array` sees every node's result and may return another
array in its place: a rounding, or what a device really computed.

Operators: those of the classification nets below onnx_light_models that the
tests use, in two dimensions, groups = 1; another one is a KeyError.
"""
import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from onnx import numpy_helper


def attributes(node):
    return {a.name: (list(a.ints) if a.type == a.INTS else
                     a.i if a.type == a.INT else
                     numpy_helper.to_array(a.t) if a.type == a.TENSOR else a.f)
            for a in node.attribute}


def windows(x, attrs, fill):
    """[N, C, OH, OW, KH, KW]: the pixels under each position of the kernel."""
    assert attrs.get("dilations", [1, 1]) == [1, 1]
    assert not attrs.get("ceil_mode") and "auto_pad" not in attrs
    top, left, bottom, right = attrs.get("pads", [0, 0, 0, 0])
    x = np.pad(x, ((0, 0), (0, 0), (top, bottom), (left, right)),
               constant_values=fill)
    kernel = tuple(attrs["kernel_shape"])
    down, along = attrs.get("strides", [1, 1])
    return sliding_window_view(x, kernel, (2, 3))[:, :, ::down, ::along]


def conv(attrs, x, w, b=None):
    assert attrs.get("group", 1) == 1
    under = windows(x, {**attrs, "kernel_shape": w.shape[2:]}, 0)
    n, c, oh, ow, kh, kw = under.shape
    columns = under.transpose(0, 2, 3, 1, 4, 5).reshape(n * oh * ow, -1)
    y = (columns @ w.reshape(len(w), -1).T).reshape(n, oh, ow, len(w))
    y = y.transpose(0, 3, 1, 2)
    return y if b is None else y + b[:, None, None]


def batch_norm(attrs, x, scale, shift, mean, variance):
    factor = scale / np.sqrt(variance + attrs.get("epsilon", 1e-5))
    return (x - mean[:, None, None]) * factor[:, None, None] \
        + shift[:, None, None]


def average_pool(attrs, x):
    assert not any(attrs.get("pads", [0])) or attrs.get("count_include_pad")
    return windows(x, attrs, 0).mean(axis=(4, 5))


def gemm(attrs, a, b, c=0.0):
    a = a.T if attrs.get("transA") else a
    b = b.T if attrs.get("transB") else b
    return attrs.get("alpha", 1.0) * (a @ b) + attrs.get("beta", 1.0) * c


def softmax(attrs, x):
    rows = x.reshape(int(np.prod(x.shape[:attrs.get("axis", 1)])), -1)
    e = np.exp(rows - rows.max(axis=1, keepdims=True))
    return (e / e.sum(axis=1, keepdims=True)).reshape(x.shape)


def reshape(attrs, x, shape):
    return x.reshape([x.shape[i] if d == 0 else int(d)
                      for i, d in enumerate(shape)])


def constant_of_shape(attrs, shape):
    return np.full(shape, attrs["value"][0], np.float64)


OPERATORS = {
    "ConstantOfShape": constant_of_shape,
    "Conv": conv,
    "BatchNormalization": batch_norm,
    "Relu": lambda attrs, x: np.maximum(x, 0),
    "Sum": lambda attrs, *xs: sum(xs),
    "Add": lambda attrs, a, b: a + b,
    "Mul": lambda attrs, a, b: a * b,
    "MatMul": lambda attrs, a, b: a @ b,
    "Transpose": lambda attrs, x: x.transpose(attrs["perm"]),
    "Concat": lambda attrs, *xs: np.concatenate(xs, attrs["axis"]),
    "MaxPool": lambda attrs, x: windows(x, attrs, -np.inf).max(axis=(4, 5)),
    "AveragePool": average_pool,
    "GlobalAveragePool": lambda attrs, x: x.mean(axis=(2, 3), keepdims=True),
    "Gemm": gemm,
    "Dropout": lambda attrs, x: x,
    "Identity": lambda attrs, x: x,
    "Reshape": reshape,
    "Softmax": softmax,
}


def evaluate(node, values):
    """The first output of a node; `values` holds its inputs by name."""
    inputs = [np.asarray(values[i], np.int64 if values[i].dtype.kind == "i"
                         else np.float64) for i in node.input if i]
    return OPERATORS[node.op_type](attributes(node), *inputs)


def run(model, feeds, replace=lambda name, array: array):
    """Every value of the graph, by name, in float64."""
    values = {i.name: numpy_helper.to_array(i)
              for i in model.graph.initializer}
    values.update(feeds)
    for node in model.graph.node:
        name = node.output[0]
        values[name] = replace(name, evaluate(node, values))
    return values
