#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Fills a `light_*` graph (real network, constant weights) with random weights.

    random_weights.py light_resnet50.onnx OUT_DIR [--seed N] [--round f32|f16]
                      [--outputs conv|logits]

Writes OUT_DIR/NAME.onnx and OUT_DIR/NAME.test_data/test_data_set_0, NAME being
the file's stem with `_random` and the rounding. Constant weights give uniform
outputs, which accept almost any wrong kernel; here

- weights of Conv and Gemm are He-scaled (standard deviation sqrt(2 / fan-in)),
- BatchNormalization carries the statistics its input has in a float64 run on
  the test image, disturbed by 10 %: its output has unit scale. The last one of
  a residual branch is scaled by 1 / sqrt(number of branches), the initial scale
  at which the sums neither grow nor amplify rounding errors from block to block
  (De and Smith, "Batch Normalization Biases Residual Blocks Towards the Identity
  Function in Deep Networks", NeurIPS 2020),
- the last weights are rescaled so that the logits have standard deviation 2.5,
- the graph's outputs are every convolution's result and the logits, or with
  `--outputs logits` the logits alone, so that nothing hinders fusion,
- expected outputs are those of a float64 run (float64_reference.py).

The graph is fp32. With `--round f16` weights and image are fp16 numbers: a run
with --precision=fp16 then computes the same function. Same seed, same bytes.
"""
import argparse
import pathlib

import float64_reference
import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

LOGIT_DEVIATION = 2.5


def depths(graph):
    """Nodes on the longest way from an input, by name of the value."""
    depth = {}
    for node in graph.node:
        depth[node.output[0]] = 1 + max(
            (depth.get(i, 0) for i in node.input), default=0)
    return depth


def branch_ends(graph):
    """Values that residual sums add to a shortcut: of a sum's operands the one
    with the longest way behind it."""
    depth = depths(graph)
    return {max(node.input, key=lambda i: depth.get(i, 0))
            for node in graph.node if node.op_type in ("Sum", "Add")}


class Filler:
    """Walks the graph once; chooses and measures weights on the way."""

    def __init__(self, model, seed, half):
        self.graph = model.graph
        self.rng = np.random.default_rng(seed)
        self.number = np.float16 if half else np.float32
        self.values = {i.name: numpy_helper.to_array(i)
                       for i in self.graph.initializer}
        self.fillers = {n.output[0]: n for n in self.graph.node
                        if n.op_type == "ConstantOfShape"}
        self.branches = branch_ends(self.graph)
        self.weights = {}
        self.last_weighted = None

    def store(self, name, array):
        array = np.asarray(array).astype(self.number).astype(np.float32)
        self.weights[name] = self.values[name] = array

    def shape_of(self, name):
        if name in self.fillers:
            return [int(d) for d in self.values[self.fillers[name].input[0]]]
        return list(self.values[name].shape)

    def fill_weighted(self, node):
        shape = self.shape_of(node.input[1])
        transposed = any(a.name == "transB" and a.i for a in node.attribute)
        fan_in = np.prod(shape[1:])
        if node.op_type == "Gemm" and not transposed:
            fan_in = shape[0]
        self.store(node.input[1],
                   self.rng.normal(0, np.sqrt(2 / fan_in), shape))
        if len(node.input) > 2:
            self.store(node.input[2], self.rng.normal(
                0, 0.05, self.shape_of(node.input[2])))
        self.last_weighted = node

    def fill_batch_norm(self, node):
        x = self.values[node.input[0]]
        mean, variance = x.mean(axis=(0, 2, 3)), x.var(axis=(0, 2, 3))
        count = len(mean)
        scale = 1.0
        if node.output[0] in self.branches:
            scale = len(self.branches) ** -0.5
        self.store(node.input[1], scale * self.rng.uniform(0.8, 1.2, count))
        self.store(node.input[2], scale * self.rng.normal(0, 0.1, count))
        self.store(node.input[3], mean + 0.1 * np.sqrt(variance)
                   * self.rng.normal(0, 1, count))
        self.store(node.input[4], variance
                   * self.rng.uniform(0.9, 1.1, count) + 1e-3)

    def rescale_logits(self, logits):
        """What lies between the last weights and the logits (Relu, pooling) is
        homogeneous, so scaling weights and bias scales the logits."""
        factor = LOGIT_DEVIATION / logits.std()
        for name in self.last_weighted.input[1:]:
            self.store(name, self.values[name] * factor)

    def run(self, image_name, image):
        """The name of the logits."""
        self.values[image_name] = image
        for node in self.graph.node:
            if node.op_type == "ConstantOfShape":
                continue
            if node.op_type in ("Conv", "Gemm"):
                self.fill_weighted(node)
            elif node.op_type == "BatchNormalization":
                self.fill_batch_norm(node)
            elif node.op_type == "Softmax":
                self.rescale_logits(self.values[node.input[0]])
                return node.input[0]
            self.values[node.output[0]] = float64_reference.evaluate(
                node, self.values)
        raise ValueError("no Softmax: what are the logits?")


def model_input(graph):
    constant = {i.name for i in graph.initializer}
    value, = [i for i in graph.input if i.name not in constant]
    return value.name, [d.dim_value for d in value.type.tensor_type.shape.dim]


def rebuild(source, weights, outputs, shapes):
    """The graph with weights as initializers and `outputs` as outputs."""
    name, shape = model_input(source.graph)
    keep = [n for n in source.graph.node
            if n.op_type != "ConstantOfShape" or n.output[0] not in weights]
    end = next(i for i, n in enumerate(keep) if n.op_type == "Softmax")
    keep = keep[:end]
    used = {i for n in keep for i in n.input}
    constants = [numpy_helper.from_array(array, key)
                 for key, array in weights.items() if key in used]
    constants += [i for i in source.graph.initializer
                  if i.name in used and i.name not in weights]
    number = TensorProto.FLOAT
    graph = helper.make_graph(
        keep, source.graph.name + "_random",
        [helper.make_tensor_value_info(name, number, shape)],
        [helper.make_tensor_value_info(o, number, shapes[o])
         for o in outputs], constants)
    return helper.make_model(
        graph, producer_name="kiln random_weights.py", ir_version=7,
        opset_imports=[helper.make_opsetid("", source.opset_import[0].version)])


def write_tensor(path, array, name):
    tensor = numpy_helper.from_array(
        np.ascontiguousarray(array, np.float32), name)
    path.write_bytes(tensor.SerializeToString())


def read_tensor(path):
    tensor = onnx.TensorProto()
    tensor.ParseFromString(path.read_bytes())
    return numpy_helper.to_array(tensor)


def generate(path, out_dir, seed=7, half=False):
    """Returns the path of the written model."""
    source = onnx.load(path)
    name, shape = model_input(source.graph)
    filler = Filler(source, seed, half)
    image = np.random.default_rng(seed + 1).normal(0, 1, shape)
    image = image.astype(filler.number).astype(np.float32)
    logits = filler.run(name, image)
    outputs = [n.output[0] for n in source.graph.node
               if n.op_type == "Conv" and n.output[0] != logits] + [logits]

    model = rebuild(source, filler.weights, outputs,
                    {o: filler.values[o].shape for o in outputs})
    expected = float64_reference.run(model, {name: image})
    deviation = expected[logits].std()
    assert 1 <= deviation <= 5, f"logit deviation {deviation}"

    stem = f"{path.stem}_random_{'f16' if half else 'f32'}"
    data = out_dir / f"{stem}.test_data" / "test_data_set_0"
    data.mkdir(parents=True, exist_ok=True)
    write_tensor(data / "input_0.pb", image, name)
    for i, o in enumerate(outputs):
        write_tensor(data / f"output_{i}.pb", expected[o], o)
    target = out_dir / f"{stem}.onnx"
    target.write_bytes(model.SerializeToString(deterministic=True))
    spread = [float(expected[o].std()) for o in outputs]
    print(f"{target.name}: {len(outputs)} outputs, logit deviation "
          f"{deviation:.2f}, layer deviations {min(spread):.2f} to "
          f"{max(spread):.2f}", flush=True)
    return target


def keep_logits(path, out_dir):
    """A copy of a generated model with the logits as its only output."""
    model = onnx.load(path)
    last = len(model.graph.output) - 1
    del model.graph.output[:last]
    source = path.parent / f"{path.stem}.test_data" / "test_data_set_0"
    data = out_dir / f"{path.stem}.test_data" / "test_data_set_0"
    data.mkdir(parents=True, exist_ok=True)
    files = {"input_0.pb": (source / "input_0.pb").read_bytes(),
             "output_0.pb": (source / f"output_{last}.pb").read_bytes()}
    for old in data.glob("output_*.pb"):  # out_dir may be the model's own
        old.unlink()
    for file, content in files.items():
        (data / file).write_bytes(content)
    target = out_dir / path.name
    target.write_bytes(model.SerializeToString(deterministic=True))
    return target


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("model", type=pathlib.Path)
    parser.add_argument("out_dir", type=pathlib.Path)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--round", choices=("f32", "f16"), default="f32")
    parser.add_argument("--outputs", choices=("conv", "logits"),
                        default="conv")
    args = parser.parse_args()
    path = generate(args.model, args.out_dir, args.seed, args.round == "f16")
    if args.outputs == "logits":
        keep_logits(path, args.out_dir)


if __name__ == "__main__":
    main()
