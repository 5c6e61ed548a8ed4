#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Scripted sessions of gdb-multiarch with `kiln sim --gdb`.

    gdb_test.py BUILD_DIR [part of a test's name]
"""
import re
import shutil
import subprocess
import time

from support import KILN, ROOT, VECTOR_ADD, run_tests, skip

GDB = shutil.which("gdb-multiarch")
if not GDB:
    skip("no gdb-multiarch here; apt-get install gdb-multiarch")


def start(folder, engine, *args):
    """The waiting simulator and its port."""
    errors = folder / "sim.txt"
    process = subprocess.Popen(
        [str(KILN), "sim", *map(str, args), "--engine", engine, "--gdb", "0"],
        cwd=ROOT, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
        stderr=errors.open("w"))
    for _ in range(600):
        port = re.search(r"target remote :(\d+)", errors.read_text())
        if port:
            return process, int(port.group(1))
        assert process.poll() is None, errors.read_text()
        time.sleep(0.1)
    process.kill()
    raise AssertionError("the simulator does not listen")


def session(folder, elf, port, *commands):
    script = folder / "script.gdb"
    script.write_text("\n".join(["set pagination off", "set confirm off",
                                 f"target remote :{port}", *commands]) + "\n")
    out = folder / "gdb.txt"
    with out.open("w") as file:
        subprocess.run(["timeout", "60", GDB, "-nx", "-batch", "-x",
                        str(script), str(elf)], cwd=ROOT, timeout=90,
                       stdin=subprocess.DEVNULL, stdout=file,
                       stderr=subprocess.STDOUT)
    return out.read_text()


def finished(process, code=0):
    assert process.wait(timeout=60) == code, "exit code of kiln sim"


def line_of(text):
    for number, line in enumerate(VECTOR_ADD.read_text().splitlines(), 1):
        if text in line:
            return number
    raise AssertionError(text)


def debug_vector_add(folder, engine, *commands, shape="N=40000"):
    elf = folder / "k.elf"
    process, port = start(folder, engine, VECTOR_ADD, "--shape", shape,
                          "--elf", elf)
    text = session(folder, elf, port, *commands)
    finished(process)
    return text


def test_break_at_a_line_step_and_look(folder):
    add = line_of("k.add(a, a, b, count);")
    for engine in ("functional", "cycle"):
        text = debug_vector_add(
            folder, engine, f"break 01_vector_add.cpp:{add}", "continue",
            "info registers pc", "printf \"cycle %lu\\n\", $cycle",
            "info registers npu", "monitor flags", "monitor queue V",
            "monitor where", "bt", "stepi", "info registers pc", "next",
            "info line", "delete", "continue")
        assert f"01_vector_add.cpp:{add}" in text, text
        stops = [int(pc, 16) for pc in
                 re.findall(r"^pc\s+(0x[0-9a-f]+)", text, re.M)]
        assert len(stops) == 2 and stops[1] - stops[0] == 4, text
        for word in ("flags_mte2", "queue_v", "ub_at", "block 0 of 1",
                     "exited normally]"):
            assert word in text, f"no '{word}' in\n{text}"
        assert "The current thread has terminated" not in text, text
        # The session begins in code of no file, and gdb looks for none.
        first = text.splitlines()[0]
        assert re.fullmatch(r"0x[0-9a-f]+ in _start \(\)", first), text
        assert "No such file" not in text, text


def test_windows_are_typed_vectors(folder):
    store = line_of("k.store(z.at(i), a, count);")
    for engine in ("functional", "cycle"):
        text = debug_vector_add(
            folder, engine, f"break 01_vector_add.cpp:{store}",
            # S runs ahead as far as the queues are deep; by the twentieth
            # tile V has added the first ones.
            "ignore 1 20", "continue",
            "print $ub.f16[0]", "print sizeof($ub.f16)",
            "monitor ub 0 f16 1", "x/1xh 0x90000000",
            "set var $ub_at = 2", "print $ub.f16[0]", "monitor ub 2 f16 1",
            "delete", "continue", shape="N=400000")
        shown = re.findall(r"^\$\d+ = (\S+)$", text, re.M)
        assert shown[1] == "64", text
        monitored = re.findall(r"^0x0000[02]: (\S+)$", text, re.M)
        assert len(monitored) == 2, text
        # gdb decodes the same bytes by its own knowledge of the format.
        for mine, theirs in zip(monitored, (shown[0], shown[2])):
            assert abs(float(mine) - float(theirs)) <= \
                1e-3 * max(1, abs(float(theirs))), text
        assert monitored[0] != "0", text


def test_stopping_freezes_the_pipes(folder):
    """Time goes by while gdb looks; the machine's does not."""
    load = line_of("k.load(b")
    text = debug_vector_add(
        folder, "cycle", f"break 01_vector_add.cpp:{load}", "continue",
        "continue", "printf \"A %lu\\n\", $cycle", "monitor queue",
        "shell sleep 1", "printf \"B %lu\\n\", $cycle", "monitor queue",
        "delete", "continue")
    assert re.search(r"^A (\d+)$", text, re.M).group(1) == \
        re.search(r"^B (\d+)$", text, re.M).group(1)
    queues = re.findall(r"^MTE2: \d+ waiting\n(?:  .*\n)*", text, re.M)
    assert len(queues) == 2 and queues[0] == queues[1], text


def test_a_debugger_can_kill(folder):
    elf = folder / "k.elf"
    process, port = start(folder, "cycle", VECTOR_ADD, "--shape", "N=40000",
                          "--elf", elf)
    session(folder, elf, port, "kill")
    finished(process, 130)


if __name__ == "__main__":
    run_tests(globals())
