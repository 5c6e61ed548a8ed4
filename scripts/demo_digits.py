#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""The demo after the build: scripts/demo calls it with the path of `kiln`.

Standard library only. A device that cannot run the model yet is named with
the reason that `kiln` gives; nothing is shown in its place.
"""
import array
import json
import pathlib
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[1]
DIGITS = ROOT / "tools" / "digits"
WORK = ROOT / "build" / "demo"
DEVICES = (("cpu", "cpu"), ("npu:functional", "npu:k1"),
           ("npu:cycle", "npu:k1"))
SHADES = " .:-=+*#%@"
# Suggested for whole fp32 models; the same bound `kiln verify` uses.
RELATIVE, ABSOLUTE = 1e-3, 1e-4

KILN = sys.argv[1]


def heading(text):
    line = f"== {text} =="
    print(f"\033[1m{line}\033[0m" if sys.stdout.isatty() else line, flush=True)


def kiln(*args):
    """Exit code, standard output, last line of the error."""
    result = subprocess.run([KILN, *map(str, args)], text=True,
                            capture_output=True)
    error = result.stderr.strip().splitlines()
    return result.returncode, result.stdout, error[-1] if error else ""


def read_npy(path):
    """The float32 elements of a .npy file."""
    data = path.read_bytes()
    start = 10 + int.from_bytes(data[8:10], "little")
    return array.array("f", data[start:])


def picture(pixels):
    rows = []
    for r in range(8):
        row = pixels[8 * r:8 * r + 8]
        rows.append("".join(
            SHADES[min(9, int(p * 9.99))] * 2 for p in row))
    return rows


class Device:
    """One device of the demo: its package, then ten results."""

    def __init__(self, name, target):
        self.name, self.target = name, target
        self.problem = None
        self.outputs = []
        self.reports = []
        self.package = WORK / f"digits-{target.replace(':', '-')}.kiln"

    def compile(self):
        code, text, error = kiln("compile", DIGITS / "digits.onnx",
                                 "--target", self.target, "-o", self.package)
        if code:
            self.problem = error
        return text.strip() or error

    def run(self, k):
        if self.problem:
            return
        out = WORK / f"{self.name.replace(':', '-')}_{k}.npy"
        code, text, error = kiln(
            "run", self.package, "--device", self.name, "--json", "--input",
            f"image={DIGITS}/images/digit_{k}.npy", "--output",
            f"probabilities={out}")
        if code:
            self.problem = error
            return
        self.outputs.append(read_npy(out))
        self.reports.append(json.loads(text))

    def class_of(self, k):
        values = self.outputs[k]
        return max(range(len(values)), key=values.__getitem__)


def agree(devices, k):
    """What can be said of the outputs of image k on the devices that ran."""
    ran = [d for d in devices if len(d.outputs) > k]
    if len(ran) < 2:
        return "one device only"
    first = ran[0].outputs[k]
    worst = 0.0
    for other in ran[1:]:
        for a, b in zip(first, other.outputs[k]):
            worst = max(worst, abs(a - b))
            if abs(a - b) > ABSOLUTE + RELATIVE * abs(a):
                return f"outputs DIFFER by {abs(a - b):.2g}"
    npu = [d.outputs[k] for d in ran if d.name.startswith("npu")]
    same = "; both NPU engines equal bit for bit" \
        if len(npu) == 2 and npu[0] == npu[1] else ""
    return f"outputs agree (largest difference {worst:.1g}){same}"


def compile_model(devices):
    heading("compile the digits CNN")
    for device in devices:
        known = next((d for d in devices if d.target == device.target and
                      d is not device and d.package.exists()), None)
        if known and known.problem is None:
            continue
        print(device.compile())


def run_images(devices):
    heading("ten images that the training never saw")
    right = {d.name: 0 for d in devices}
    agreed = True
    for k in range(10):
        for device in devices:
            device.run(k)
        lines = picture(read_npy(DIGITS / "images" / f"digit_{k}.npy"))
        notes = [f"a {k}"]
        for device in devices:
            if len(device.outputs) > k:
                found = device.class_of(k)
                right[device.name] += found == k
                share = device.outputs[k][found]
                notes.append(f"{device.name:15} says {found} "
                             f"({100 * share:.1f} %)")
        verdict = agree(devices, k)
        agreed = agreed and "DIFFER" not in verdict
        notes.append(verdict)
        for i, line in enumerate(lines):
            print(f"  |{line}|  {notes[i] if i < len(notes) else ''}")
        print(flush=True)
    for device in devices:
        if device.problem:
            print(f"{device.name}: not there yet: {device.problem}")
        else:
            print(f"{device.name}: {right[device.name]} of 10 right")
    ran = [d for d in devices if not d.problem]
    return agreed and bool(ran) and all(right[d.name] == 10 for d in ran)


def show_cycles(devices):
    heading("where the cycles of one image went (npu:cycle)")
    device = next(d for d in devices if d.name == "npu:cycle")
    if device.problem:
        print(f"not there yet: {device.problem}")
    else:
        _, text, _ = kiln("run", device.package, "--device", "npu:cycle",
                          "--layers", "--input",
                          f"image={DIGITS}/images/digit_7.npy")
        print(text)
        print("An 8x8 image is far too small for this machine: launches and "
              "latency are all there is.")
    heading("a matrix product of 512 x 512 x 512 in fp16: busy pipes")
    code, text, error = kiln("run", "op:matmul", "--shape", "512x512,512x512",
                             "--dtype", "fp16", "--device", "npu:cycle",
                             "--layers")
    print(text if code == 0 else f"not there yet: {error}")
    return code == 0 or "not there yet" in error or code == 4


def main():
    WORK.mkdir(parents=True, exist_ok=True)
    for stale in WORK.glob("*"):
        stale.unlink()
    devices = [Device(*names) for names in DEVICES]
    compile_model(devices)
    for device in devices:
        if not device.package.exists() and device.problem is None:
            device.problem = "its package was not compiled"
    right = run_images(devices)
    right = show_cycles(devices) and right
    heading("what to try next")
    print("""a model of your own (its inputs from test_data_set_0 beside it):
  build/bin/kiln verify MODEL.onnx --device npu:cycle
an operator of your own, in one C++ file, on every device with all checks:
  build/bin/kiln test-op tik_dsl/examples/01_vector_add.cpp
a kernel by hand, checked for races and uninitialised reads:
  build/bin/kiln asm tools/examples/vadd.s -o /tmp/vadd.elf && \\
  build/bin/kiln sim /tmp/vadd.elf --bind 0=random:f16:1:2048 \\
    --bind 1=random:f16:2:2048 --bind 2=zeros:f16:2048 \\
    --engine cycle --check race,init""")
    return 0 if right else 1


if __name__ == "__main__":
    sys.exit(main())
