#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Pictures and sound as inputs and outputs of `kiln run`, on the CPU.

    media_test.py BUILD_DIR own|shared

own: files made here by zlib and the wave module; what a model that returns its
input gets is compared with numpy, bit by bit, and what it writes is read by
them. Bad files, modifiers and tensors have their exit code and name the
culprit.
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


def run(folder, model, value, *more, output="y"):
    arguments = [KILN, "run", model, "--device", "cpu", "--input", value,
                 "--output", f"{output}={folder / 'y.npy'}", *more]
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


def read_png(path):
    """Pixels of a file without interlacing, by zlib (ISO/IEC 15948)."""
    data, at, packed = path.read_bytes(), 8, b""
    while at < len(data):
        size, name = struct.unpack(">I4s", data[at:at + 8])
        body = data[at + 8:at + 8 + size]
        check, = struct.unpack(">I", data[at + 8 + size:at + 12 + size])
        assert check == zlib.crc32(name + body), name
        if name == b"IHDR":
            width, height, depth, colour = struct.unpack(">IIBB", body[:10])
        packed += body if name == b"IDAT" else b""
        at += 12 + size
    channels = {0: 1, 2: 3, 4: 2, 6: 4}[colour]
    step = channels * depth // 8
    lines = np.frombuffer(zlib.decompress(packed), np.uint8).reshape(
        height, 1 + width * step)
    rows = np.zeros((height + 1, (width + 1) * step), int)  # and a zero border
    for y, line in enumerate(lines, 1):
        for i, byte in enumerate(line[1:], step):
            a, b, c = rows[y, i - step], rows[y - 1, i], rows[y - 1, i - step]
            paeth = min((a, b, c), key=lambda v: abs(a + b - c - v))
            filtered = (0, a, b, (a + b) // 2, paeth)[line[0]]
            rows[y, i] = (int(byte) + filtered) % 256
    return rows[1:, step:].astype(np.uint8).view(
        ">u2" if depth == 16 else np.uint8).reshape(height, width, channels)


def read_wav(path):
    with wave.open(str(path), "rb") as file:
        kind = {1: "u1", 2: "<i2", 4: "<i4"}[file.getsampwidth()]
        samples = np.frombuffer(file.readframes(file.getnframes()), kind)
        return (samples.reshape(file.getnframes(), file.getnchannels()),
                file.getframerate())


def write(folder, value, output, *more):
    """Runs a model whose output is `value`."""
    np.save(folder / "x.npy", np.ascontiguousarray(value))
    return subprocess.run(
        [str(a) for a in (KILN, "run", echo(folder, value), "--device", "cpu",
                          "--input", f"x={folder / 'x.npy'}",
                          "--output", f"y={output}", *more)],
        text=True, capture_output=True)


def written(folder, value, output):
    result = write(folder, value, output)
    assert result.returncode == 0, result.stderr


def test_own_pictures_are_written(folder):
    random = np.random.default_rng(3)
    pixels = random.integers(0, 256, (13, 17, 3), dtype=np.uint8)
    planes = pixels.transpose(2, 0, 1)[None]
    file = folder / "a:b.png"
    written(folder, (planes / 255).astype(np.float32), file)
    assert (read_png(file) == pixels).all()
    written(folder, pixels[..., ::-1].astype(np.float16),
            f"{file}:layout=hwc:channels=bgr:range=0..255")
    assert (read_png(file) == pixels).all()
    mean, std = [0.485, 0.456, 0.406], [0.229, 0.224, 0.225]
    written(folder, ((planes / 255 - np.reshape(mean, (1, 3, 1, 1)))
                     / np.reshape(std, (1, 3, 1, 1))).astype(np.float32),
            f"{file}:mean=0.485,0.456,0.406:std=0.229,0.224,0.225")
    assert (read_png(file) == pixels).all()
    grey = random.random((9, 4), dtype=np.float32)
    written(folder, grey, f"{file}:type=u16")
    want = np.rint(grey.astype(float) * 65535)
    assert (read_png(file)[..., 0] == want).all()
    # A picture that was read is the picture that is written.
    picture = folder / "p.png"
    write_png(picture, pixels)
    model = echo(folder, np.zeros((1, 3, 13, 17), np.float32))
    result = run(folder, model, f"x={picture}", "--output", f"y={file}")
    assert result.returncode == 0, result.stderr
    assert (read_png(file) == pixels).all()


def test_own_sound_is_written(folder):
    random = np.random.default_rng(4)
    samples = random.integers(-32768, 32768, (500, 2), dtype=np.int16)
    file = folder / "s.wav"
    written(folder, (samples.T[None] / 32768).astype(np.float32),
            f"{file}:rate=44100")
    got, rate = read_wav(file)
    assert rate == 44100 and (got == samples).all()
    mono = random.uniform(-1, 1, 300).astype(np.float32)
    written(folder, mono, file)
    got, rate = read_wav(file)
    want = np.minimum(np.rint(mono.astype(float) * 32768), 32767)
    assert rate == 16000 and (got[:, 0] == want).all()
    written(folder, mono, f"{file}:type=u8")
    want = np.minimum(np.rint(mono.astype(float) * 128) + 128, 255)
    assert (read_wav(file)[0][:, 0] == want).all()


def test_own_bad_outputs_are_named_and_leave_nothing(folder):
    batch = np.zeros((2, 3, 4, 4), np.float32)
    last = np.zeros((1, 4, 4, 3), np.float32)
    loud = np.full((1, 8), 1.5, np.float32)
    nan = np.full((4, 4), np.nan, np.float32)
    for value, name, code, words in (
            (batch, "o.png", 2, ["'y' 2x3x4x4 f32", "n = 2", "layout="]),
            (np.zeros((1, 5, 4, 4), np.float32), "o.png", 2, ["5 channels"]),
            (loud[0], "o.png", 2, ["1 dimensions", "hw"]),
            (last, "o.wav", 2, ["4 dimensions", "nct"]),
            (loud, "o.wav", 2, ["8 of 8", "-1..1", "1.5", "outside=clip"]),
            (nan, "o.png", 2, ["nan", ".npy"]),
            (batch, "o.png:colour=red", 2, ["colour=red", "outside"]),
            (batch, "o.png:type=f32", 2, ["type=f32", "u8 or u16"]),
            (batch, "no/o.png", 3, ["no/o.png", "o such file"])):
        result = write(folder, value, folder / name,
                       "--output", f"y={folder / 'also.npy'}")
        assert result.returncode == code, f"{name}: {result}"
        for word in words:
            assert word in result.stderr, f"no '{word}' in {result.stderr}"
        assert {p.name for p in folder.iterdir()} == {"x.npy", "echo.onnx"}


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
