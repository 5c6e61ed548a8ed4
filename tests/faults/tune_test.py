#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""`kiln tune` on bad input, killed, interrupted, with workers that die.

    tune_test.py BUILD_DIR [part of a test's name]
"""
import json
import os
import pathlib
import shutil
import signal
import sqlite3
import subprocess
import sys
import time

import cli_test
from cli_test import ROOT, expect, kiln, only_files

SOFTMAX = ROOT / "tik_dsl" / "examples" / "05_softmax.cpp"
SHAPE = "R=64,C=512"


def tune(folder, *args, op=SOFTMAX):
    return kiln("tune", "--op", op, "--shape", SHAPE, "--records", "tune.db",
                "--json", *args, cwd=folder)


def report(result, code=0):
    expect(result, code)
    return json.loads(result.stdout)


def start(folder, *args):
    return subprocess.Popen(
        [str(cli_test.KILN), "tune", "--op", str(SOFTMAX), "--shape", SHAPE,
         "--records", "tune.db", "--json", "--exhaustive", *args], cwd=folder,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def recorded(folder):
    """Finished trials in the records; 0 when there are none yet."""
    try:
        with sqlite3.connect(f"file:{folder}/tune.db?mode=ro", uri=True) as db:
            return db.execute("SELECT count(*) FROM trial").fetchone()[0]
    except sqlite3.OperationalError:
        return 0


def wait_for_trials(folder, process, count):
    while recorded(folder) < count:
        assert process.poll() is None, process.communicate()
        time.sleep(0.01)


def workers_of(process):
    path = pathlib.Path(f"/proc/{process.pid}/task/{process.pid}/children")
    return [int(pid) for pid in path.read_text().split()]


def is_alive(pid):
    try:
        state = pathlib.Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return False
    return state.rsplit(")", 1)[1].split()[0] != "Z"


def test_bad_input_is_named(folder):
    expect(tune(folder, op=folder / "none.cpp"), 3, "none.cpp: no such file")
    expect(tune(folder, op=ROOT / "tik_dsl/examples/16_gather.cpp"), 2)
    expect(kiln("tune", "--op", SOFTMAX, "--shape", "R=64", "--records", "t.db",
                cwd=folder), 2, "C")
    expect(kiln("tune", "--op", SOFTMAX, "--shape", "R=64,C=8,D=1",
                "--records", "t.db", cwd=folder), 2, "D")
    expect(kiln("tune", "--op", SOFTMAX, "--shape", "R=64,C", cwd=folder), 2,
           "--shape R=64,C: expected NAME=N,NAME=N")
    expect(tune(folder, "--trials", "0"), 2, "--trials")
    expect(tune(folder, "--jobs", "x"), 2, "--jobs")
    expect(tune(folder, "--machine", "k9"), 2, "k9")
    only_files(folder)


def test_an_operator_without_knobs_is_refused(folder):
    source = folder / "plain.cpp"
    text = (ROOT / "tik_dsl/examples/01_vector_add.cpp").read_text()
    assert "knob(" not in text
    source.write_text(text)
    expect(kiln("tune", "--op", source, "--shape", "N=100", "--records", "t.db",
                cwd=folder), 2, "declares no knobs")
    only_files(folder, "plain.cpp")


def test_a_bad_records_file_is_refused_and_left_alone(folder):
    (folder / "tune.db").write_bytes(b"not a database" * 500)
    expect(tune(folder), 3, "tune.db", "left as it is")
    assert (folder / "tune.db").read_bytes() == b"not a database" * 500
    (folder / "tune.db").unlink()
    with sqlite3.connect(folder / "tune.db") as db:
        db.execute("CREATE TABLE mail(x)")
    expect(tune(folder), 3, "tune.db", "another program")
    expect(kiln("test-op", SOFTMAX, "--records", "tune.db", cwd=folder), 3,
           "another program")
    expect(kiln("test-op", SOFTMAX, "--records", "none.db", cwd=folder), 3,
           "none.db: no such records file")
    expect(kiln("test-op", SOFTMAX, "--records", "tune.db", "--knobs", "slots=1",
                cwd=folder), 2, "--records")
    only_files(folder, "tune.db")


def test_a_killed_search_goes_on_where_it_was(folder):
    process = start(folder)
    wait_for_trials(folder, process, 10)
    process.kill()
    process.communicate()
    finished = recorded(folder)
    resumed = report(tune(folder, "--exhaustive"))
    assert resumed["from_records"] == finished
    assert resumed["from_records"] + resumed["measured"] == resumed["legal"]
    # The guided search finds all it asks for in the records.
    guided = report(tune(folder))
    assert guided["measured"] == 0
    assert guided["from_records"] == len(guided["trials"])
    assert len(guided["trials"]) * 10 <= guided["legal"]
    best, least = guided["best"], resumed["best"]
    assert best["kernel_cycles"] <= 1.02 * least["kernel_cycles"], (best, least)


def test_an_interrupt_ends_it_and_its_workers(folder):
    process = start(folder, "--jobs", "2")
    wait_for_trials(folder, process, 3)
    workers = workers_of(process)
    assert len(workers) == 2, workers
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=30)
    assert process.returncode == 130, process.returncode
    deadline = time.time() + 30
    while any(is_alive(pid) for pid in workers):
        assert time.time() < deadline, "workers outlive the search"
        time.sleep(0.02)


def test_a_killed_worker_costs_one_trial(folder):
    process = start(folder, "--jobs", "2")
    wait_for_trials(folder, process, 3)
    os.kill(workers_of(process)[0], signal.SIGKILL)
    stdout, stderr = process.communicate(timeout=120)
    assert process.returncode == 0, stderr
    found = json.loads(stdout)
    assert len(found["trials"]) == found["legal"]
    problems = [t["problem"] for t in found["trials"] if "problem" in t]
    assert len(problems) <= 1, problems
    assert all("signal: Killed" in text for text in problems), problems
    assert found["measured"] == found["legal"]


def test_the_search_is_the_same_on_any_number_of_workers(folder):
    first = report(tune(folder, "--trials", "40", "--jobs", "1"))
    second = report(kiln("tune", "--op", SOFTMAX, "--shape", SHAPE,
                         "--records", "second.db", "--json", "--trials", "40",
                         "--jobs", "3", cwd=folder))
    assert first["trials"] == second["trials"]
    assert first["measured"] == second["measured"] == 40


def test_a_record_is_used_where_it_is_named(folder):
    best = report(tune(folder, "--trials", "20"))["best"]
    run = kiln("test-op", SOFTMAX, "--shape", SHAPE, "--device", "npu:cycle",
               "--records", "tune.db", "--json", cwd=folder)
    shape = report(run)["shapes"][0]
    assert shape["knobs"] == best["knobs"], shape["knobs"]
    assert shape["kernel_cycles"] == best["kernel_cycles"]
    expect(kiln("test-op", SOFTMAX, "--shape", SHAPE, "--device", "npu:cycle",
                "--records", "tune.db", cwd=folder), 0, "knobs of a record: ",
           best["knobs"], "best of 20 trials")
    expect(kiln("test-op", SOFTMAX, "--shape", "R=8,C=16", "--records",
                "tune.db", "--device", "npu:cycle", cwd=folder), 0,
           "R=8 C=16: no record, default knobs")
    # Another source is another kernel.
    other = folder / "other.cpp"
    shutil.copy(SOFTMAX, other)
    named = kiln("test-op", other, "--shape", SHAPE, "--device", "npu:cycle",
                 "--records", "tune.db", cwd=folder)
    expect(named, 0, "knobs of a record: ")
    other.write_text(SOFTMAX.read_text() + "// changed\n")
    expect(kiln("test-op", other, "--shape", SHAPE, "--device", "npu:cycle",
                "--records", "tune.db", cwd=folder), 0, "no record")


def write_model(path, rows, columns):
    """A model of one node: softmax of the domain of one-file operators."""
    import onnx
    from onnx import TensorProto, helper
    shape = [rows, columns]
    node = helper.make_node("softmax", ["x"], ["y"], domain="kiln.custom")
    graph = helper.make_graph(
        [node], "g",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT16, shape)],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT16, shape)])
    onnx.save(helper.make_model(graph, opset_imports=[
        helper.make_opsetid("", 17), helper.make_opsetid("kiln.custom", 1)]),
        str(path))


def test_a_model_is_built_with_the_records_of_its_operators(folder):
    best = report(tune(folder, "--trials", "20"))["best"]
    write_model(folder / "m.onnx", 64, 512)
    plain = kiln("compile", "m.onnx", "--ops", SOFTMAX, "-o", "plain.kiln",
                 cwd=folder)
    expect(plain, 0)
    assert "record" not in plain.stderr
    tuned = kiln("compile", "m.onnx", "--ops", SOFTMAX, "--records", "tune.db",
                 "-o", "tuned.kiln", cwd=folder)
    expect(tuned, 0, "softmax R=64 C=512: knobs of a record: " + best["knobs"])
    assert (folder / "plain.kiln").read_bytes() != \
        (folder / "tuned.kiln").read_bytes()
    write_model(folder / "m.onnx", 64, 256)
    expect(kiln("compile", "m.onnx", "--ops", SOFTMAX, "--records", "tune.db",
                cwd=folder), 0, "softmax R=64 C=256: no record")
    expect(kiln("compile", "m.onnx", "--records", "tune.db", cwd=folder), 2,
           "--ops")


if __name__ == "__main__":
    sys.exit(cli_test.main(globals()))
