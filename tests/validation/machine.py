# SPDX-License-Identifier: Apache-2.0
"""Runs kernels on the cycle engine through `kiln`, for the validation page.

    bench = Bench(build_dir, folder)
    bench.assemble(KERNEL_TEXT, [4096]).run()["kernel_cycles"]
    matmul = bench.operator("02_matmul", "M=64,N=64,K=64")
    matmul.run("timing.sync.flag_cycles: 2")

Kernel cycles go from the first start of a command to the last retirement.
"""
import json
import pathlib
import subprocess

ROOT = pathlib.Path(__file__).resolve().parents[2]
EXAMPLES = ROOT / "tik_dsl" / "examples"
HEADER = """# kiln: bindings={bindings} UB=262144 L1=1048576 L0A=65536 L0B=65536
# kiln: L0C=262144 BT=4096
.globl kernel
kernel:
"""
BINDING = 24  # offset of the first binding in the argument block


class Bench:
    def __init__(self, build, folder):
        self.kiln = pathlib.Path(build).resolve() / "bin" / "kiln"
        self.folder = pathlib.Path(folder)
        self.known = {}
        self.machines = {}

    def call(self, *args):
        result = subprocess.run([str(self.kiln), *map(str, args), "--json"],
                                text=True, cwd=ROOT, capture_output=True,
                                stdin=subprocess.DEVNULL)
        if result.returncode:
            raise AssertionError(f"kiln {' '.join(map(str, args))}\n"
                                 f"{result.stdout}{result.stderr}")
        return json.loads(result.stdout)

    def assemble(self, body, bindings=(), cores=1):
        """A kernel from the lines of its body; the last is a `ret`."""
        text = HEADER.format(bindings=len(bindings)) + body
        if text not in self.known:
            source = self.folder / f"k{len(self.known)}.s"
            source.write_text(text)
            self.known[text] = source.with_suffix(".elf")
            self.call("asm", source, "-o", self.known[text])
        args = [self.known[text], "--blocks", cores, "--cores", cores]
        for index, size in enumerate(bindings):
            args += ["--bind", f"{index}=zeros:{size}"]
        return Kernel(self, args)

    def operator(self, example, shape, cores=1):
        """An example of the DSL at a shape."""
        return Kernel(self, [EXAMPLES / f"{example}.cpp", "--shape", shape,
                             "--cores", cores])

    def machine(self, change):
        """k1, or k1 with a line "a.b.key: value" of its file changed."""
        if not change:
            return "k1"
        if change not in self.machines:
            path = self.folder / f"machine{len(self.machines)}.yaml"
            text = (ROOT / "isa" / "arch" / "k1.yaml").read_text()
            for one in change.split(", "):
                text = changed(text, *one.split(": "))
            path.write_text(text)
            self.machines[change] = path
        return self.machines[change]


class Kernel:
    def __init__(self, bench, args):
        self.bench, self.args = bench, args

    def run(self, change="", data=False):
        """The report of a run, by default without data."""
        return self.bench.call(
            "sim", *self.args, "--engine", "cycle", "--machine",
            self.bench.machine(change), *([] if data else ["--data-off"]))

    def cycles(self, change=""):
        return self.run(change)["kernel_cycles"]


def changed(text, path, value):
    """The text of a machine file with the value at a.b.c replaced."""
    lines, keys, depth = text.split("\n"), path.split("."), 0
    for index, line in enumerate(lines):
        if line.startswith("  " * depth + keys[depth] + ":"):
            depth += 1
            if depth == len(keys):
                name = line[:line.index(":") + 1]
                lines[index] = f"{name} {value}"
                return "\n".join(lines)
    raise AssertionError(f"no {path} in the machine file")


def busy(report, pipe):
    """Busy share of a pipe in the kernel."""
    return report["busy"][pipe] * report["cycles"] / report["kernel_cycles"]


def view(addr, count=0, row=0, block=1):
    """An operand of V and of loads: see LocalView in isa/spec/isa.yaml."""
    return addr | row << 24 | block << 40 | count << 48


def load(register, value):
    return f"  li {register}, {value:#x}\n"
