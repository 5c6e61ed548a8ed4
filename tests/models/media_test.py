#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Pictures and sound as inputs of `kiln run`, on the CPU.

    media_test.py BUILD_DIR own|shared

own: files made here by zlib and the wave module; what a model that returns its
input gets is compared with numpy, bit by bit. Bad files and modifiers have
their exit code and name the culprit.
shared: published pictures and sound (../shared/media, else skipped) give the
published input tensors, and the models say what they show.
"""
import pathlib
import struct
import subprocess
import sys
import tempfile
import wave
import zlib

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

ROOT = pathlib.Path(__file__).resolve().parents[2]
SHARED = ROOT.parent / "shared"
KILN = None


def run(folder, model, *inputs, output="y"):
    arguments = [KILN, "run", model, "--device", "cpu",
                 "--output", f"{output}={folder / 'y.npy'}"]
    for value in inputs:
        arguments += ["--input", value]
    return subprocess.run([str(a) for a in arguments], text=True,
                          capture_output=True)


def output_of(folder, model, value, output="y"):
    result = run(folder, model, value, output=output)
    assert result.returncode == 0, result.stderr
    return np.load(folder / "y.npy")


def echo(folder, like):
    """A model whose output y is its input x."""
    kind = helper.np_dtype_to_tensor_dtype(like.dtype)
    graph = helper.make_graph(
        [helper.make_node("Identity", ["x"], ["y"])], "echo",
        [helper.make_tensor_value_info("x", kind, like.shape)],
        [helper.make_tensor_value_info("y", kind, like.shape)])
    model = helper.make_model(graph, ir_version=8,
                              opset_imports=[helper.make_opsetid("", 13)])
    onnx.save(model, folder / "echo.onnx")
    return folder / "echo.onnx"


def expect_same(folder, text, want):
    got = output_of(folder, echo(folder, want), f"x={text}")
    assert got.dtype == want.dtype and got.shape == want.shape, \
        f"{text}: {got.dtype} {got.shape}"
    assert got.tobytes() == want.tobytes(), \
        f"{text}: {np.abs(got.astype(float) - want).max()} apart"


def write_png(path, pixels):
    """8-bit RGB, rows unfiltered."""
    height, width, _ = pixels.shape
    rows = b"".join(b"\0" + row.tobytes() for row in pixels)

    def chunk(name, data):
        return (struct.pack(">I", len(data)) + name + data
                + struct.pack(">I", zlib.crc32(name + data)))

    path.write_bytes(
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
        + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b""))


def write_wav(path, samples):
    with wave.open(str(path), "wb") as file:
        file.setnchannels(samples.shape[1])
        file.setsampwidth(2)
        file.setframerate(16000)
        file.writeframes(samples.astype("<i2").tobytes())


def test_own_pictures(folder):
    random = np.random.default_rng(1)
    pixels = random.integers(0, 256, (13, 17, 3), dtype=np.uint8)
    picture = folder / "a:b.png"  # modifiers begin behind the extension
    write_png(picture, pixels)
    planes = pixels.transpose(2, 0, 1)[None]
    expect_same(folder, picture, (planes / 255).astype(np.float32))
    expect_same(folder, f"{picture}:layout=nhwc:range=0..255",
                pixels[None].astype(np.float32))
    mean, std = [0.485, 0.456, 0.406], [0.229, 0.224, 0.225]
    want = (planes / 255 - np.reshape(mean, (1, 3, 1, 1))) / np.reshape(
        std, (1, 3, 1, 1))
    expect_same(folder, f"{picture}:mean=0.485,0.456,0.406"
                ":std=0.229,0.224,0.225", want.astype(np.float32))
    expect_same(folder, f"{picture}:channels=bgr:range=0..255:type=f16",
                planes[:, ::-1].astype(np.float16))


def test_own_sound(folder):
    random = np.random.default_rng(2)
    samples = random.integers(-32768, 32768, (500, 2), dtype=np.int16)
    sound = folder / "s.wav"
    write_wav(sound, samples)
    expect_same(folder, sound, (samples.T[None] / 32768).astype(np.float32))
    expect_same(folder, f"{sound}:channels=mono:frames=100+50",
                (samples[100:150].mean(1)[None] / 32768).astype(np.float32))


def test_bad_input_is_named(folder):
    picture = folder / "p.png"
    write_png(picture, np.zeros((2, 2, 3), np.uint8))
    model = echo(folder, np.zeros((1, 3, 2, 2), np.float32))
    (folder / "cut.png").write_bytes(picture.read_bytes()[:60])
    (folder / "text.wav").write_text("no sound")
    for value, code, words in (
            (f"{picture}:colour=red", 2, ["colour=red", "layout"]),
            (f"{picture}:channels=grey", 2, ["1x1x2x2", "1x3x2x2"]),
            (f"{picture}:mean=1,2", 2, ["3 channels"]),
            (folder / "cut.png", 3, ["cut.png"]),
            (folder / "text.wav", 3, ["text.wav", "RIFF"]),
            (folder / "missing.png", 3, ["missing.png"])):
        result = run(folder, model, f"x={value}")
        assert result.returncode == code, f"{value}: {result}"
        for word in words:
            assert word in result.stderr, f"no '{word}' in {result.stderr}"
        assert not (folder / "y.npy").exists()


def published(path):
    return numpy_helper.to_array(onnx.load_tensor(str(path)))


def test_shared_files_give_the_published_tensors(folder):
    media, models = SHARED / "media", SHARED / "models"
    expect_same(folder, f"{media / 'fish.png'}:channels=bgr:range=0..255"
                ":type=f16", published(
                    models / "squeezenet1_0_fp16/SqueezeNet_fp16.test_data/"
                    "test_data_set_0/input_0.pb"))
    expect_same(folder, f"{media / 'speech_16k_60s.wav'}:frames=32000+4000",
                published(models / "silero_vad/silero_v1_mini.test_data/"
                          "test_data_set_0/input_0.pb"))


def test_shared_models_say_what_they_see(folder):
    media, models = SHARED / "media", SHARED / "models"
    scores = output_of(folder, models / "mnist_cnn/mnist-8.onnx",
                       f"Input3={media / 'mnist_28.png'}:range=0..255",
                       output="Plus214_Output_0")
    assert scores.argmax() == 8, scores
    model = models / "squeezenet1_0_fp16/SqueezeNet_fp16.onnx"
    name = onnx.load(model).graph.output[0].name
    scores = output_of(folder, model,
                       f"data_0={media / 'fish.png'}:channels=bgr"
                       ":range=0..255:type=f16", output=name)
    assert scores.argmax() == 0, scores.argmax()  # tench


def main():
    global KILN
    KILN = pathlib.Path(sys.argv[1]) / "bin" / "kiln"
    which = sys.argv[2]
    if which == "shared" and not (SHARED / "media").exists():
        print(f"SKIPPED: {SHARED / 'media'} is absent")
        return 77
    for name, test in sorted(globals().items()):
        if name.startswith("test_") and ("shared" in name) == (
                which == "shared"):
            with tempfile.TemporaryDirectory() as folder:
                test(pathlib.Path(folder))
            print("ok", name)
    return 0


if __name__ == "__main__":
    sys.exit(main())
