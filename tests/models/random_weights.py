#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Fills a `light_*` graph (real network, constant weights) with random weights.

    random_weights.py light_resnet50.onnx OUT_DIR [--seed N] [--dtype f32|f16]

Writes OUT_DIR/NAME.onnx and OUT_DIR/NAME.test_data/test_data_set_0, NAME being
the file's stem with `_random` and the type. Constant weights give uniform
outputs, which accept almost any wrong kernel; here

- weights of Conv and Gemm are He-scaled (standard deviation sqrt(2 / fan-in)),
- BatchNormalization carries the statistics its input really has on the test
  image, disturbed by 10 %, with a scale below one on residual branches,
- the last weights are rescaled so that the logits have standard deviation 2.5,
- the graph's outputs are the logits and every convolution's result,
- expected outputs are ONNX Runtime's, in fp32 also for the f16 model (fp16
  weights and input are rounded first, so that both compute the same function).

Nodes are evaluated one by one with ONNX Runtime on the way: statistics and
scales are measured, not guessed. Same seed, same bytes.
"""
import argparse
import pathlib

import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper, numpy_helper

LOGIT_DEVIATION = 2.5


def run_model(model, feeds):
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4
    session = onnxruntime.InferenceSession(
        model.SerializeToString(), options,
        providers=["CPUExecutionProvider"])
    names = {i.name for i in session.get_inputs()}
    feeds = {k: v for k, v in feeds.items() if k in names}
    return session.run(None, feeds)


def run_node(node, opset, values):
    """Evaluates one node on concrete inputs; returns its first output."""
    inputs = [helper.make_tensor_value_info(
        name, helper.np_dtype_to_tensor_dtype(values[name].dtype),
        values[name].shape) for name in dict.fromkeys(node.input) if name]
    output = onnx.ValueInfoProto(name=node.output[0])
    graph = helper.make_graph([node], "node", inputs, [output])
    model = helper.make_model(graph, ir_version=7, opset_imports=[
        helper.make_opsetid("", opset)])
    # Optional further outputs (the mask of Dropout) stay unnamed.
    del model.graph.node[0].output[1:]
    return run_model(model, values)[0]


class Filler:
    """Walks the graph once; chooses and measures weights on the way."""

    def __init__(self, model, seed, half):
        self.model = model
        self.graph = model.graph
        self.opset = model.opset_import[0].version
        self.rng = np.random.default_rng(seed)
        self.half = half
        self.values = {i.name: numpy_helper.to_array(i)
                       for i in self.graph.initializer}
        self.fillers = {n.output[0]: n for n in self.graph.node
                        if n.op_type == "ConstantOfShape"}
        self.weights = {}
        self.last_weighted = None

    def store(self, name, array):
        array = np.asarray(array, np.float32)
        if self.half:
            array = array.astype(np.float16).astype(np.float32)
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
        # Residual branches end in a BatchNormalization that feeds a Sum: a
        # scale below one keeps the sum from growing block by block.
        feeds_sum = any(n.op_type in ("Sum", "Add") and node.output[0]
                        in n.input for n in self.graph.node)
        scale = 0.5 if feeds_sum else 1.0
        self.store(node.input[1], self.rng.uniform(
            0.8 * scale, 1.2 * scale, count))
        self.store(node.input[2], self.rng.normal(0, 0.1, count))
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
        self.values[image_name] = image
        softmax = next(n for n in self.graph.node if n.op_type == "Softmax")
        for node in self.graph.node:
            if node.op_type == "ConstantOfShape":
                continue
            if node.op_type in ("Conv", "Gemm"):
                self.fill_weighted(node)
            elif node.op_type == "BatchNormalization":
                self.fill_batch_norm(node)
            if node is softmax:
                self.rescale_logits(self.values[node.input[0]])
                break
            self.values[node.output[0]] = run_node(
                node, self.opset, self.values)
        return softmax.input[0]


def model_input(graph):
    constant = {i.name for i in graph.initializer}
    value, = [i for i in graph.input if i.name not in constant]
    return value.name, [d.dim_value for d in value.type.tensor_type.shape.dim]


def rebuild(source, weights, outputs, shapes, half):
    """The graph with weights as initializers and `outputs` as outputs."""
    kind = TensorProto.FLOAT16 if half else TensorProto.FLOAT
    number = np.float16 if half else np.float32
    name, shape = model_input(source.graph)
    keep = [n for n in source.graph.node
            if n.op_type != "ConstantOfShape" or n.output[0] not in weights]
    end = next(i for i, n in enumerate(keep) if n.op_type == "Softmax")
    keep = keep[:end]
    used = {i for n in keep for i in n.input}
    constants = [numpy_helper.from_array(array.astype(number), key)
                 for key, array in weights.items() if key in used]
    constants += [i for i in source.graph.initializer
                  if i.name in used and i.name not in weights]
    graph = helper.make_graph(
        keep, source.graph.name + "_random",
        [helper.make_tensor_value_info(name, kind, shape)],
        [helper.make_tensor_value_info(o, kind, shapes[o]) for o in outputs],
        constants)
    return helper.make_model(
        graph, producer_name="kiln random_weights.py", ir_version=7,
        opset_imports=[helper.make_opsetid("", source.opset_import[0].version)])


def write_tensor(path, array, name):
    tensor = numpy_helper.from_array(np.ascontiguousarray(array), name)
    path.write_bytes(tensor.SerializeToString())


def generate(path, out_dir, seed=7, half=False):
    """Returns the path of the written model."""
    source = onnx.load(path)
    name, shape = model_input(source.graph)
    image = np.random.default_rng(seed + 1).normal(
        0, 1, shape).astype(np.float32)
    if half:
        image = image.astype(np.float16).astype(np.float32)
    filler = Filler(source, seed, half)
    logits = filler.run(name, image)
    outputs = [n.output[0] for n in source.graph.node if n.op_type == "Conv"]
    outputs = [o for o in outputs if o != logits] + [logits]
    shapes = {o: filler.values[o].shape for o in outputs}

    in_f32 = rebuild(source, filler.weights, outputs, shapes, False)
    expected = run_model(in_f32, {name: image})
    deviation = expected[-1].std()
    assert 1 <= deviation <= 5, f"logit deviation {deviation}"

    written = rebuild(source, filler.weights, outputs, shapes, half)
    stem = f"{path.stem}_random_{'f16' if half else 'f32'}"
    data = out_dir / f"{stem}.test_data" / "test_data_set_0"
    data.mkdir(parents=True, exist_ok=True)
    number = np.float16 if half else np.float32
    write_tensor(data / "input_0.pb", image.astype(number), name)
    for i, (o, array) in enumerate(zip(outputs, expected)):
        write_tensor(data / f"output_{i}.pb", array.astype(number), o)
    target = out_dir / f"{stem}.onnx"
    target.write_bytes(written.SerializeToString(deterministic=True))
    spread = [float(e.std()) for e in expected]
    print(f"{target.name}: {len(outputs)} outputs, logit deviation "
          f"{deviation:.2f}, layer deviations {min(spread):.2f} to "
          f"{max(spread):.2f}")
    return target


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("model", type=pathlib.Path)
    parser.add_argument("out_dir", type=pathlib.Path)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--dtype", choices=("f32", "f16"), default="f32")
    args = parser.parse_args()
    generate(args.model, args.out_dir, args.seed, args.dtype == "f16")


if __name__ == "__main__":
    main()
