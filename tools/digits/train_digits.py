#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Trains the digits CNN of scripts/demo with numpy and exports it to ONNX.

    .venv/bin/python tools/digits/train_digits.py            # writes the files
    .venv/bin/python tools/digits/train_digits.py --check    # writes nothing

Data: the 1797 8x8 images bundled with scikit-learn (pixels 0..16, scaled to
0..1), split once with a fixed seed: 1437 to train, 360 held out.

    image [1,1,8,8]
      -> Conv 3x3, 16 -> Relu -> MaxPool 2x2        [1,16,4,4]
      -> Conv 3x3, 32 -> Relu -> MaxPool 2x2        [1,32,2,2]
      -> Flatten -> Gemm 10 -> Softmax              probabilities [1,10]

Adam on the cross entropy, small random shifts as augmentation. Every random
number comes from one seeded generator, so a second run on the same machine
writes the same bytes (another BLAS may differ in the last bits).

Written: digits.onnx; images/digit_K.npy, the first held-out image of each
class K, chosen before any training; digits.test_data/test_data_set_K, the
same images and ONNX Runtime's outputs in the layout `kiln verify` reads.
"""
import argparse
import pathlib
import sys

import numpy as np

SEED = 20240613
HERE = pathlib.Path(__file__).resolve().parent
KERNEL = 3
CHANNELS = (1, 16, 32)
CLASSES = 10


def load_digits():
    """Returns train and held-out (images [N,1,8,8] in 0..1, classes [N])."""
    from sklearn.datasets import load_digits as bundled
    data = bundled()
    images = (data.images / 16.0).astype(np.float32)[:, None]
    order = np.random.default_rng(SEED).permutation(len(images))
    images, classes = images[order], data.target[order]
    return (images[360:], classes[360:]), (images[:360], classes[:360])


def patches(x):
    """[N,C,H,W] -> [N,H,W,C*9]: every 3x3 neighbourhood, zero padded."""
    padded = np.pad(x, ((0, 0), (0, 0), (1, 1), (1, 1)))
    windows = np.lib.stride_tricks.sliding_window_view(
        padded, (KERNEL, KERNEL), axis=(2, 3))
    n, c, h, w = x.shape
    return windows.transpose(0, 2, 3, 1, 4, 5).reshape(n, h, w, -1)


class Conv:
    """3x3 convolution, padding 1, followed by Relu and a 2x2 MaxPool."""

    def __init__(self, rng, fan_in, fan_out):
        scale = np.sqrt(2.0 / (fan_in * 9))
        self.weight = rng.normal(0, scale, (fan_out, fan_in * 9))
        self.bias = np.zeros(fan_out)

    def forward(self, x):
        self.shape = x.shape
        self.columns = patches(x)
        y = self.columns @ self.weight.T + self.bias
        y = y.transpose(0, 3, 1, 2)
        self.positive = y > 0
        y = y * self.positive
        n, c, h, w = y.shape
        blocks = y.reshape(n, c, h // 2, 2, w // 2, 2)
        pooled = blocks.max(axis=(3, 5))
        hit = blocks == pooled[:, :, :, None, :, None]
        self.share = hit / hit.sum(axis=(3, 5), keepdims=True)
        return pooled

    def backward(self, grad):
        n, c, h, w = self.positive.shape
        grad = (self.share * grad[:, :, :, None, :, None]).reshape(n, c, h, w)
        grad = (grad * self.positive).transpose(0, 2, 3, 1)
        flat = grad.reshape(-1, c)
        self.grads = [flat.T @ self.columns.reshape(len(flat), -1),
                      flat.sum(axis=0)]
        columns = (grad @ self.weight).reshape(
            n, h, w, self.shape[1], KERNEL, KERNEL)
        out = np.zeros((n, self.shape[1], h + 2, w + 2))
        for i in range(KERNEL):
            for j in range(KERNEL):
                out[:, :, i:i + h, j:j + w] += \
                    columns[..., i, j].transpose(0, 3, 1, 2)
        return out[:, :, 1:-1, 1:-1]

    def params(self):
        return [self.weight, self.bias]


class Dense:
    def __init__(self, rng, fan_in, fan_out):
        self.weight = rng.normal(0, np.sqrt(1.0 / fan_in), (fan_out, fan_in))
        self.bias = np.zeros(fan_out)

    def forward(self, x):
        self.shape = x.shape
        self.x = x.reshape(len(x), -1)
        return self.x @ self.weight.T + self.bias

    def backward(self, grad):
        self.grads = [grad.T @ self.x, grad.sum(axis=0)]
        return (grad @ self.weight).reshape(self.shape)

    def params(self):
        return [self.weight, self.bias]


def softmax(logits):
    e = np.exp(logits - logits.max(axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True)


def shifted(rng, images):
    """Moves each image by -1, 0 or 1 pixels in both directions."""
    padded = np.pad(images, ((0, 0), (0, 0), (1, 1), (1, 1)))
    moves = rng.integers(0, 3, (len(images), 2))
    return np.stack([p[:, i:i + 8, j:j + 8]
                     for p, (i, j) in zip(padded, moves)])


def train(images, classes, epochs):
    rng = np.random.default_rng(SEED + 1)
    layers = [Conv(rng, CHANNELS[0], CHANNELS[1]),
              Conv(rng, CHANNELS[1], CHANNELS[2]),
              Dense(rng, CHANNELS[2] * 4, CLASSES)]
    params = [p for layer in layers for p in layer.params()]
    first = [np.zeros_like(p) for p in params]
    second = [np.zeros_like(p) for p in params]
    step = 0
    for epoch in range(epochs):
        rate = 3e-3 * (1 - epoch / epochs)
        order = rng.permutation(len(images))
        for start in range(0, len(order), 64):
            pick = order[start:start + 64]
            y = shifted(rng, images[pick])
            for layer in layers:
                y = layer.forward(y)
            grad = softmax(y)
            grad[np.arange(len(pick)), classes[pick]] -= 1
            grad /= len(pick)
            for layer in reversed(layers):
                grad = layer.backward(grad)
            step += 1
            grads = [g for layer in layers for g in layer.grads]
            for p, g, m, v in zip(params, grads, first, second):
                m += 0.1 * (g - m)
                v += 0.001 * (g * g - v)
                p -= rate * (m / (1 - 0.9 ** step)) / (
                    np.sqrt(v / (1 - 0.999 ** step)) + 1e-8)
    return layers


def export(layers):
    """The trained layers as an ONNX model, opset 13."""
    import onnx
    from onnx import TensorProto, helper, numpy_helper
    conv1, conv2, dense = layers

    def constant(name, value):
        return numpy_helper.from_array(value.astype(np.float32), name)

    constants = [
        constant("conv1.weight", conv1.weight.reshape(16, 1, 3, 3)),
        constant("conv1.bias", conv1.bias),
        constant("conv2.weight", conv2.weight.reshape(32, 16, 3, 3)),
        constant("conv2.bias", conv2.bias),
        constant("dense.weight", dense.weight),
        constant("dense.bias", dense.bias),
    ]

    def block(i, source):
        return [
            helper.make_node("Conv", [source, f"conv{i}.weight",
                                      f"conv{i}.bias"], [f"conv{i}"],
                             name=f"conv{i}", kernel_shape=[3, 3],
                             pads=[1, 1, 1, 1]),
            helper.make_node("Relu", [f"conv{i}"], [f"relu{i}"],
                             name=f"relu{i}"),
            helper.make_node("MaxPool", [f"relu{i}"], [f"pool{i}"],
                             name=f"pool{i}", kernel_shape=[2, 2],
                             strides=[2, 2]),
        ]

    nodes = block(1, "image") + block(2, "pool1") + [
        helper.make_node("Flatten", ["pool2"], ["features"], name="flatten"),
        helper.make_node("Gemm", ["features", "dense.weight", "dense.bias"],
                         ["logits"], name="dense", transB=1),
        helper.make_node("Softmax", ["logits"], ["probabilities"],
                         name="softmax", axis=1),
    ]
    graph = helper.make_graph(
        nodes, "digits",
        [helper.make_tensor_value_info("image", TensorProto.FLOAT,
                                       [1, 1, 8, 8])],
        [helper.make_tensor_value_info("probabilities", TensorProto.FLOAT,
                                       [1, CLASSES])],
        constants)
    model = helper.make_model(
        graph, producer_name="kiln train_digits.py",
        opset_imports=[helper.make_opsetid("", 13)], ir_version=7)
    onnx.checker.check_model(model, full_check=True)
    return model.SerializeToString(deterministic=True)


def run(model_bytes, images):
    """The class probabilities of every image by ONNX Runtime."""
    import onnxruntime
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(
        model_bytes, options, providers=["CPUExecutionProvider"])
    return np.concatenate(
        [session.run(None, {"image": image[None]})[0] for image in images])


def first_of_each_class(images, classes):
    return np.stack([images[np.flatnonzero(classes == k)[0]]
                     for k in range(CLASSES)])


def write_files(model_bytes, examples):
    from onnx import numpy_helper
    (HERE / "digits.onnx").write_bytes(model_bytes)
    (HERE / "images").mkdir(exist_ok=True)
    outputs = run(model_bytes, examples)
    for k, image in enumerate(examples):
        np.save(HERE / "images" / f"digit_{k}.npy", image[None])
        folder = HERE / "digits.test_data" / f"test_data_set_{k}"
        folder.mkdir(parents=True, exist_ok=True)
        for name, array, stem in (("image", image[None], "input_0"),
                                  ("probabilities", outputs[k:k + 1],
                                   "output_0")):
            tensor = numpy_helper.from_array(array, name)
            (folder / f"{stem}.pb").write_bytes(tensor.SerializeToString())


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--check", action="store_true",
                        help="train and test, but write nothing")
    parser.add_argument("--epochs", type=int, default=40)
    args = parser.parse_args()

    (images, classes), (held_images, held_classes) = load_digits()
    examples = first_of_each_class(held_images, held_classes)
    layers = train(images.astype(np.float64), classes, args.epochs)
    model_bytes = export(layers)
    probabilities = run(model_bytes, held_images)
    accuracy = float(np.mean(probabilities.argmax(axis=1) == held_classes))
    picked = run(model_bytes, examples).argmax(axis=1)
    print(f"digits.onnx: {len(model_bytes)} bytes, "
          f"held-out accuracy {100 * accuracy:.2f} % of {len(held_classes)}, "
          f"ten examples: {' '.join(map(str, picked))}")
    if not args.check:
        write_files(model_bytes, examples)
    return 0 if accuracy > 0.95 and len(model_bytes) < 200_000 else 1


if __name__ == "__main__":
    sys.exit(main())
