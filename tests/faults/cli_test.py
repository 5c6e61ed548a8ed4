#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Bad input on the command line: exit code, culprit, remedy, no partial file.

    cli_test.py BUILD_DIR [part of a test's name]

Every test runs the installed program as a user would and checks the
documented exit code (kiln --help) and that the message names what was wrong.
"""
import json
import os
import pathlib
import signal
import socket
import subprocess
import sys
import tempfile
import time

import numpy as np
import onnx

ROOT = pathlib.Path(__file__).resolve().parents[2]
DIGITS = ROOT / "tools" / "digits"
VADD = ROOT / "tools" / "examples" / "vadd.s"
REFUSED = ROOT.parent / "shared" / "models" / "must_be_refused"
KILN = None
VADD_BINDS = ["--bind", "0=random:f16:1:2048", "--bind", "1=random:f16:2:2048",
              "--bind", "2=zeros:f16:2048"]


def kiln(*args, cwd, timeout=60):
    return subprocess.run([str(KILN), *map(str, args)], cwd=cwd, text=True,
                          errors="replace", capture_output=True,
                          timeout=timeout)


def expect(result, code, *words):
    text = result.stdout + result.stderr
    assert result.returncode == code, \
        f"exit {result.returncode}, expected {code}\n{text}"
    for word in words:
        assert word in text, f"no '{word}' in:\n{text}"


def only_files(folder, *names):
    found = sorted(p.name for p in folder.iterdir())
    assert found == sorted(names), found


def vadd_elf(folder):
    expect(kiln("asm", VADD, "-o", "vadd.elf", cwd=folder), 0)
    return folder / "vadd.elf"


# Usage.

def test_no_verb_is_a_usage_error(folder):
    expect(kiln(cwd=folder), 2, "--help")


def test_an_unknown_verb_is_named(folder):
    expect(kiln("frobnicate", cwd=folder), 2, "frobnicate", "--help")


def test_an_unknown_option_is_named(folder):
    expect(kiln("devices", "--colour", cwd=folder), 2, "--colour", "--help")


def test_every_verb_has_help_with_an_example(folder):
    for verb in ("devices", "compile", "run", "verify", "conformance", "sim",
                 "asm", "dis", "bench", "test-op", "profile", "top"):
        expect(kiln(verb, "--help", cwd=folder), 0, "Example", "kiln " + verb)


def test_version_says_what_was_built(folder):
    expect(kiln("--version", cwd=folder), 0, "kiln ", "commit ", "LLVM 22",
           "ISA version ", "machine k1 ")


def test_a_name_that_is_no_text_is_json_too(folder):
    for name in (b"\xff.onnx", b"\xc3.kiln"):
        result = kiln("run", os.fsdecode(name), "--json", cwd=folder)
        expect(result, 3)
        assert "\ufffd" in json.loads(result.stdout)["error"]["message"]


def test_an_error_is_json_too(folder):
    result = kiln("dis", "missing.elf", "--json", cwd=folder)
    expect(result, 3)
    error = json.loads(result.stdout)["error"]
    assert error["exit"] == 3 and "missing.elf" in error["message"]


# Files.

def test_a_missing_file_is_named(folder):
    for args in (["run", "missing.onnx"], ["run", "missing.kiln"],
                 ["verify", "missing.onnx"], ["compile", "missing.onnx"],
                 ["sim", "missing.elf"], ["asm", "missing.s"],
                 ["dis", "missing.elf"], ["run", DIGITS / "digits.onnx",
                                          "--input", "image=missing.npy"]):
        expect(kiln(*args, cwd=folder), 3, "missing.", "o such file")
        only_files(folder)


def test_a_folder_is_no_file(folder):
    expect(kiln("dis", ".", cwd=folder), 3, "directory")


def test_an_output_that_cannot_be_written_is_named(folder):
    result = kiln("asm", VADD, "-o", "no/such/folder/x.elf", cwd=folder)
    expect(result, 3, "no/such/folder/x.elf")
    only_files(folder)


def test_a_result_that_stdout_does_not_take_is_an_error(folder):
    with open("/dev/full", "w") as full:
        for args in (["devices"], ["devices", "--json"], ["--help"]):
            result = subprocess.run([str(KILN), *args], stdout=full,
                                    stderr=subprocess.PIPE, text=True,
                                    cwd=folder)
            assert result.returncode == 3, result
            assert "stdout" in result.stderr, result


def test_a_device_as_output_stays_one(folder):
    os.mkfifo(folder / "pipe")
    reader = os.open(folder / "pipe", os.O_RDONLY | os.O_NONBLOCK)
    expect(run_digits(folder, "--output", "probabilities=pipe"), 0)
    assert len(os.read(reader, 100)) == 40
    os.close(reader)
    only_files(folder, "pipe")


def test_garbage_is_no_package(folder):
    (folder / "x.kiln").write_bytes(b"not a package" * 100)
    expect(kiln("run", "x.kiln", cwd=folder), 3, "x.kiln")


def test_garbage_is_no_model(folder):
    (folder / "x.onnx").write_bytes(b"\xff\xff not a model" * 100)
    expect(kiln("run", "x.onnx", cwd=folder), 3, "x.onnx")
    expect(kiln("compile", "x.onnx", "--target", "cpu", "-o", "y.kiln",
                cwd=folder), 3, "x.onnx")
    only_files(folder, "x.onnx")


# Models.

def test_a_wrong_input_name_lists_the_right_ones(folder):
    expect(kiln("run", DIGITS / "digits.onnx", "--input",
                f"picture={DIGITS}/images/digit_0.npy", cwd=folder),
           2, "picture", "'image' 1x1x8x8 f32")


def test_a_missing_input_is_named(folder):
    expect(kiln("run", DIGITS / "digits.onnx", cwd=folder), 2, "'image'",
           "--input image=FILE")


def test_a_wrong_shape_names_both(folder):
    np.save(folder / "x.npy", np.zeros((1, 1, 9, 8), np.float32))
    expect(kiln("run", DIGITS / "digits.onnx", "--input", "image=x.npy",
                cwd=folder), 2, "1x1x9x8", "1x1x8x8")


def test_a_wrong_type_names_both(folder):
    np.save(folder / "x.npy", np.zeros((1, 1, 8, 8), np.float16))
    expect(kiln("run", DIGITS / "digits.onnx", "--input", "image=x.npy",
                cwd=folder), 2, "f16", "f32")


def test_an_unknown_output_lists_the_right_ones(folder):
    expect(kiln("run", DIGITS / "digits.onnx", "--input",
                f"image={DIGITS}/images/digit_0.npy", "--output",
                "score=s.npy", cwd=folder), 2, "score", "probabilities")
    only_files(folder)


def test_an_unknown_device_lists_the_right_ones(folder):
    expect(kiln("run", DIGITS / "digits.onnx", "--device", "gpu", "--input",
                f"image={DIGITS}/images/digit_0.npy", cwd=folder), 2, "gpu",
           "cpu")


def run_digits(folder, *args):
    return kiln("run", DIGITS / "digits.onnx", "--input",
                f"image={DIGITS}/images/digit_0.npy", *args, cwd=folder)


def test_without_data_the_cycles_are_the_same_and_no_value_is_shown(folder):
    cycle = ["--device", "npu:cycle"]
    whole = json.loads(run_digits(folder, *cycle, "--json").stdout)
    off = json.loads(run_digits(folder, *cycle, "--data-off", "--json").stdout)
    assert off["cycles"] == whole["cycles"] and whole["cycles"] > 0
    assert whole["outputs"] and not off["outputs"] and off["data"] is False
    expect(run_digits(folder, *cycle, "--data-off"), 0, "no values")
    for args in (["--output", "probabilities=s.npy"], ["--watch"],
                 ["--dump-layers", "layers"], ["--check", "race"]):
        expect(run_digits(folder, *cycle, "--data-off", *args), 2,
               "--data-off computes no values")
    for device in ("cpu", "npu:functional"):
        expect(run_digits(folder, "--device", device, "--data-off"), 2,
               "--data-off needs --device npu:cycle")
    only_files(folder)


def test_a_raw_input_holds_what_the_model_takes(folder):
    image = np.load(DIGITS / "images" / "digit_0.npy")
    (folder / "x.bin").write_bytes(image.tobytes())
    (folder / "short.bin").write_bytes(image.tobytes()[:-1])
    expect(kiln("compile", DIGITS / "digits.onnx", "--target", "cpu", "-o",
                "d.kiln", cwd=folder), 0)
    for model in (DIGITS / "digits.onnx", "d.kiln"):
        for value, file in ((f"{DIGITS}/images/digit_0.npy", "want.bin"),
                            ("x.bin", "got.bin")):
            expect(kiln("run", model, "--input", f"image={value}", "--output",
                        f"probabilities={file}", cwd=folder), 0)
        want = (folder / "want.bin").read_bytes()
        assert len(want) == 40 and (folder / "got.bin").read_bytes() == want
        expect(kiln("run", model, "--input", "image=short.bin", cwd=folder), 2,
               "short.bin", "255 bytes", "1x1x8x8 f32", "256")
        expect(kiln("run", model, "--input", "picture=x.bin", cwd=folder), 2,
               "picture")


def test_a_raw_input_needs_every_dimension(folder):
    kind = onnx.TensorProto.FLOAT
    graph = onnx.helper.make_graph(
        [onnx.helper.make_node("Relu", ["x"], ["y"])], "relu",
        [onnx.helper.make_tensor_value_info("x", kind, ["rows", 2])],
        [onnx.helper.make_tensor_value_info("y", kind, ["rows", 2])])
    onnx.save(onnx.helper.make_model(
        graph, ir_version=8,
        opset_imports=[onnx.helper.make_opsetid("", 13)]), folder / "m.onnx")
    np.arange(-3, 3, dtype=np.float32).tofile(folder / "x.bin")
    run = ["run", "m.onnx", "--input", "x=x.bin", "--output", "y=y.npy"]
    expect(kiln(*run, cwd=folder), 2, "'rows'", "--dim rows=N")
    expect(kiln(*run, "--dim", "rows=4", cwd=folder), 2, "4x2 f32")
    only_files(folder, "m.onnx", "x.bin")
    expect(kiln(*run, "--dim", "rows=3", cwd=folder), 0)
    assert np.load(folder / "y.npy").tolist() == [[0, 0], [0, 0], [1, 2]]


def test_options_that_do_not_apply_are_refused(folder):
    expect(run_digits(folder, "--shape", "4x4"), 2, "op:NAME")
    expect(kiln("run", "op:relu", "--shape", "4x4", "--input", "x=x.npy",
                cwd=folder), 2, "--input")
    for option in (["--check", "race"], ["--order", "lazy"],
                   ["--budget", "9"]):
        expect(run_digits(folder, "--device", "cpu", *option), 2, option[0],
               "npu:functional", "'cpu'")
    expect(kiln("compile", DIGITS / "digits.onnx", "-o", "d.kiln",
                cwd=folder), 0)
    for option in (["--precision", "fp16"], ["--dim", "n=1"],
                   ["--sync", "barrier-all"], ["--dump-dir", "ir"]):
        expect(kiln("run", "d.kiln", "--device", "npu:functional", "--input",
                    f"image={DIGITS}/images/digit_0.npy", *option,
                    cwd=folder), 2, "d.kiln", "compiled already", option[0])
    expect(kiln("bench", "--table", DIGITS / "digits.onnx", cwd=folder), 2,
           "not both")
    expect(kiln("bench", "--table", "--filter", "no such row", cwd=folder), 2,
           "no such row")
    expect(kiln("compile", "d.kiln", cwd=folder), 2, "compiled already")
    expect(kiln("compile", "op.cpp", cwd=folder), 2, "--ops op.cpp")
    only_files(folder, "d.kiln")


def test_figures_have_their_documented_names(folder):
    keys = {"device", "machine_hash", "precision", "cycles", "kernel_cycles",
            "time_us", "useful_mac_share", "model_mac_share", "busy", "stalls",
            "gm_bytes", "bound", "host_cpu_s"}
    pipes = {"S", "MTE2", "MTE1", "M", "FIX", "V", "MTE3"}
    vadd_elf(folder)
    on = ["--device", "npu:cycle"]
    model = DIGITS / "digits.onnx"
    commands = (
        ["run", model, "--input", f"image={DIGITS}/images/digit_0.npy", *on],
        ["run", "op:softmax", "--shape", "8x64", *on],
        ["bench", model, "--repeat", "2", *on],
        ["sim", "vadd.elf", *VADD_BINDS, "--engine", "cycle"],
        ["test-op", ROOT / "tik_dsl/examples/01_vector_add.cpp", "--shape",
         "N=4096", *on])
    reports = [json.loads(kiln(*args, "--json", cwd=folder).stdout)
               for args in commands]
    for report in reports:
        figures = {**report, **report.get("shapes", [{}])[0]}
        assert keys <= figures.keys(), keys - figures.keys()
        assert figures["busy"].keys() == pipes == figures["stalls"].keys()
        assert figures["bound"]["pipe"] in pipes
        assert 0 < figures["kernel_cycles"] < figures["cycles"]
    times = reports[2]
    assert times["runs"] == 2
    mean = 1 / times["runs_per_second"]
    assert 0 < times["host_latency_s"]["best"] <= mean * (1 + 1e-9)


def test_numbers_out_of_range_say_the_range(folder):
    model = DIGITS / "digits.onnx"
    for value in ("0", "-1", "1.5", "many"):
        expect(kiln("bench", model, "--repeat", value, cwd=folder), 2,
               f"'{value}': expected a whole number of 1 or more")
    for value in ("-1", "nan", "inf", "x"):
        expect(kiln("verify", model, "--rtol", value, cwd=folder), 2,
               f"'{value}': expected a number from 0")
    expect(kiln("compile", model, "--cores", "33", cwd=folder), 2,
           "33 cores; machine 'k1' has 32")
    expect(kiln("compile", model, "--cores", "0", cwd=folder), 2, "--cores")
    for shape in ("99999999x99999999", "4294967296x4294967296x2"):
        expect(run_digits(folder, "--input", f"image=random:f32:1:{shape}"), 2,
               shape, "2^32 elements")
        expect(kiln("run", "op:relu", "--shape", shape, cwd=folder), 2, shape)
    expect(run_digits(folder, "--input", "image=zeros:99999999999999"), 2,
           "2^40 bytes")
    expect(kiln("run", "op:relu", "--shape", "4x4", "--constant", "1",
                cwd=folder), 2, "--constant 1")
    expect(kiln("run", "op:softmax", "--shape", "4x4,4x4", cwd=folder), 2,
           "2 inputs, expected 1")
    expect(kiln("run", "op:gemm", "--shape", "4x4,4x4", "--attr", "alpha=",
                cwd=folder), 2, "alpha=", "expected a value")
    only_files(folder)


def test_layers_are_dumped_into_a_folder(folder):
    expect(run_digits(folder, "--dump=layers"), 0)
    expect(run_digits(folder, "--dump-layers", "here"), 0)
    names = sorted(p.name for p in (folder / "layers").iterdir())
    assert len(names) > 3 and names == sorted(
        p.name for p in (folder / "here").iterdir()), names
    last = np.load(folder / "layers" / names[-1])
    assert last.size == 10 and abs(last.sum() - 1) < 1e-5, names[-1]
    expect(run_digits(folder, "--dump=weights"), 2, "weights")
    (folder / "file").write_text("")
    for option in ("--dump-layers", "--output-dir", "--dump-dir"):
        expect(run_digits(folder, option, "file"), 3, "file")


def test_watch_names_the_first_infinity_and_long_names_are_cut(folder):
    kind, long = onnx.TensorProto.FLOAT, "/".join(["layer"] * 60)
    graph = onnx.helper.make_graph(
        [onnx.helper.make_node("MatMul", ["x", "w"], [long], "scale"),
         onnx.helper.make_node("MatMul", [long, "w"], ["y"], "again")], "two",
        [onnx.helper.make_tensor_value_info("x", kind, [4, 4])],
        [onnx.helper.make_tensor_value_info("y", kind, [4, 4])],
        [onnx.numpy_helper.from_array(
            np.eye(4, dtype=np.float32) * np.float32(1e20), "w")])
    onnx.save(onnx.helper.make_model(
        graph, ir_version=8,
        opset_imports=[onnx.helper.make_opsetid("", 13)]), folder / "m.onnx")
    np.save(folder / "one.npy", np.eye(4, dtype=np.float32))
    np.save(folder / "small.npy", np.eye(4, dtype=np.float32) * 1e-10)
    np.save(folder / "large.npy", np.eye(4, dtype=np.float32) * 1e20)
    for device in ("cpu", "npu:cycle"):
        def run(name):
            return kiln("run", "m.onnx", "--input", f"x={name}.npy", "--watch",
                        "--dump=layers", "--device", device, cwd=folder)
        expect(run("one"), 0, "first infinity in 'y'", "'again'")
        expect(run("large"), 0, f"first infinity in '{long}'", "'scale'")
        result = run("small")
        expect(result, 0)
        assert "first" not in result.stdout, result.stdout
        cut = long.replace("/", "_")[:200]
        assert list((folder / "layers").glob(f"*_{cut}~0.npy"))


def test_a_missing_machine_file_is_unreadable(folder):
    for file in ("no/machine.yaml", "."):
        expect(run_digits(folder, "--device", "npu:cycle", "--machine", file),
               3, file)
        expect(kiln("devices", "--machine", file, cwd=folder), 3, file)


def test_threads_beyond_the_engine_are_refused(folder):
    expect(run_digits(folder, "--device", "npu:cycle", "--threads", "65"), 2,
           "65 threads", "1 to 64")


def test_models_that_must_be_refused_are(folder):
    if not REFUSED.exists():
        print(f"  not run: {REFUSED} is absent")
        return
    for model in sorted(REFUSED.glob("*.onnx")):
        for target in ("cpu", "npu:k1"):
            result = kiln("compile", model, "--target", target, "-o",
                          "out.kiln", cwd=folder)
            if result.returncode == 2:
                expect(result, 2, "--dim")
                continue
            expect(result, 4, model.name)
            only_files(folder)


def test_a_mismatch_exits_with_6(folder):
    data = folder / "test_data_set_0"
    data.mkdir()
    source = DIGITS / "digits.test_data" / "test_data_set_0"
    other = DIGITS / "digits.test_data" / "test_data_set_1"
    (data / "input_0.pb").write_bytes((source / "input_0.pb").read_bytes())
    (data / "output_0.pb").write_bytes((other / "output_0.pb").read_bytes())
    expect(kiln("verify", DIGITS / "digits.onnx", "--data", ".", cwd=folder),
           6, "probabilities", "differ")


def test_a_model_without_test_data_says_where_to_put_it(folder):
    (folder / "x.onnx").write_bytes((DIGITS / "digits.onnx").read_bytes())
    expect(kiln("verify", "x.onnx", cwd=folder), 2, "test_data_set_N")


# Kernels.

def test_a_mistake_in_assembly_is_located(folder):
    (folder / "x.s").write_text(".globl kernel\nkernel:\n  ld.ub a0\n")
    expect(kiln("asm", "x.s", cwd=folder), 3, "x.s:3")
    only_files(folder, "x.s")


def test_truncated_kernels_are_refused(folder):
    elf = vadd_elf(folder).read_bytes()
    for size in range(0, len(elf) - 1, 97):
        (folder / "cut.elf").write_bytes(elf[:size])
        expect(kiln("sim", "cut.elf", *VADD_BINDS, cwd=folder), 3, "cut.elf")


def test_damaged_kernels_are_listed_or_refused(folder):
    elf = vadd_elf(folder).read_bytes()
    listing = kiln("dis", "vadd.elf", cwd=folder)
    expect(listing, 0, "vadd.s:", "ld.ub")
    for seed in range(60):
        damaged = bytearray(elf)
        damaged[seed * 7919 % len(elf)] ^= 1 << seed % 8
        (folder / "bad.elf").write_bytes(damaged)
        result = kiln("dis", "bad.elf", "--json", cwd=folder)
        assert result.returncode in (0, 3), (seed, result)
        json.loads(result.stdout)


def test_bindings_must_match_the_kernel(folder):
    vadd_elf(folder)
    expect(kiln("sim", "vadd.elf", *VADD_BINDS[:4], cwd=folder), 2, "3")
    expect(kiln("sim", "vadd.elf", "--bind", "1=zeros:8", cwd=folder), 2,
           "--bind")
    expect(kiln("sim", "vadd.elf", "--bind", "0=random:f99:1:8", cwd=folder),
           2, "f99")


def test_an_unknown_order_or_check_is_named(folder):
    vadd_elf(folder)
    for option, value in (("--order", "sideways"), ("--order", "random:x"),
                          ("--check", "luck")):
        expect(kiln("sim", "vadd.elf", *VADD_BINDS, option, value, cwd=folder),
               2, value, "expected")


def test_a_race_is_a_device_fault(folder):
    text = VADD.read_text().replace("kset  mte2, v, zero", "").replace(
        "kwait mte2, v, zero", "")
    (folder / "race.s").write_text(text)
    expect(kiln("asm", "race.s", "-o", "race.elf", cwd=folder), 0)
    expect(kiln("sim", "race.elf", *VADD_BINDS, "--check", "race",
                cwd=folder), 7, "vadd", "ld.ub", "race.s:")


def test_a_buffer_too_small_is_a_device_fault(folder):
    vadd_elf(folder)
    expect(kiln("sim", "vadd.elf", *VADD_BINDS[:4], "--bind",
                "2=zeros:f16:1024", "--out", "2=c.npy", cwd=folder), 7,
           "st.ub", "vadd.s:")
    only_files(folder, "vadd.elf")


def test_kernel_outputs_may_be_pictures_and_sound(folder):
    vadd_elf(folder)
    sim = ["sim", "vadd.elf", *VADD_BINDS]
    expect(kiln(*sim, "--out", "2=c.npy", "--out",
                "2=c.wav:range=-2..2:type=i32", cwd=folder), 0)
    want = np.load(folder / "c.npy").astype(float) * 2.0**30
    data = (folder / "c.wav").read_bytes()[44:]
    assert (np.frombuffer(data, "<i4") == want).all()
    # The first output is fine, the second is no picture: neither is written.
    expect(kiln(*sim, "--out", "0=a.npy", "--out", "2=c.png", cwd=folder), 2,
           "c.png", "2048 f16", "1 dimensions")
    expect(kiln(*sim, "--out", "0=a.npy", "--out", "7=c.npy", cwd=folder), 2,
           "7=c.npy", "3 bindings")
    expect(kiln(*sim, "--out", "0=no/a.npy", cwd=folder), 3, "no/a.npy")
    only_files(folder, "vadd.elf", "c.npy", "c.wav")


def test_a_deadlock_explains_itself(folder):
    text = VADD.read_text().replace("kset  mte2, v, zero", "")
    (folder / "dead.s").write_text(text)
    expect(kiln("asm", "dead.s", "-o", "dead.elf", cwd=folder), 0)
    for engine in ("functional", "cycle"):
        expect(kiln("sim", "dead.elf", *VADD_BINDS, "--engine", engine,
                    cwd=folder), 7, "MTE2", "V", "dead.s:")


def test_an_endless_kernel_runs_into_its_budget(folder):
    (folder / "loop.s").write_text(".globl kernel\nkernel:\n  j kernel\n")
    expect(kiln("asm", "loop.s", "-o", "loop.elf", cwd=folder), 0)
    for engine in ("functional", "cycle"):
        expect(kiln("sim", "loop.elf", "--budget", "100000", "--engine",
                    engine, cwd=folder), 7, "budget", "loop.s:")


def test_a_kernel_too_big_for_the_machine_does_not_fit(folder):
    text = VADD.read_text().replace("UB=12288", "UB=300000")
    (folder / "big.s").write_text(text)
    expect(kiln("asm", "big.s", "-o", "big.elf", cwd=folder), 0)
    expect(kiln("sim", "big.elf", *VADD_BINDS, cwd=folder), 5, "UB", "300000")


def test_ctrl_c_ends_with_130_and_leaves_nothing(folder):
    (folder / "loop.s").write_text("# kiln: bindings=1\n.globl kernel\n"
                                   "kernel:\n  j kernel\n")
    expect(kiln("asm", "loop.s", "-o", "loop.elf", cwd=folder), 0)
    process = subprocess.Popen(
        [str(KILN), "sim", "loop.elf", "--bind", "0=zeros:8", "--out",
         "0=out.npy"], cwd=folder, text=True, stderr=subprocess.PIPE)
    time.sleep(0.5)
    process.send_signal(signal.SIGINT)
    _, error = process.communicate(timeout=20)
    assert process.returncode == 130, process.returncode
    assert "interrupted" in error, error
    only_files(folder, "loop.s", "loop.elf")


# Machine files.

def test_each_mistake_in_a_machine_file_is_named(folder):
    machine = (ROOT / "isa" / "arch" / "k1-nano.yaml").read_text()
    lines = machine.splitlines()
    key = next(line for line in lines if "clock" in line and ":" in line)
    name = key.split(":")[0].strip()
    variants = {
        "missing": machine.replace(key, ""),
        "unknown": machine.replace(key, key + "\n" + key.replace(
            name, "clokc")),
        "type": machine.replace(key, key.split(":")[0] + ": often"),
        "yaml": machine + "\n  : [unclosed",
    }
    words = {"missing": name, "unknown": "clokc", "type": name, "yaml": ""}
    for kind, text in variants.items():
        (folder / "m.yaml").write_text(text)
        result = kiln("devices", "--machine", "m.yaml", cwd=folder)
        assert result.returncode in (2, 3), (kind, result)
        expect(result, result.returncode, "m.yaml", words[kind])


# Profiles and the debugger.

def test_a_profile_of_a_missing_file_is_refused(folder):
    expect(kiln("profile", "missing.elf", "--html", "p.html", cwd=folder), 3,
           "missing.elf")
    expect(kiln("top", "missing.cpp", cwd=folder), 3, "missing.cpp")
    only_files(folder)


def test_options_of_operators_are_refused_for_elf_files(folder):
    elf = vadd_elf(folder)
    expect(kiln("top", elf, "--shape", "N=4", *VADD_BINDS, cwd=folder), 2,
           "--shape", "one-file operator")
    expect(kiln("top", elf, "--knobs", "tile=4", *VADD_BINDS, cwd=folder), 2,
           "--knobs", "one-file operator")


def test_knobs_that_cannot_be_are_refused_by_number(folder):
    def matmul(size, knobs):
        return kiln("test-op", ROOT / "tik_dsl/examples/02_matmul.cpp",
                    "--device", "npu:functional", "--shape",
                    f"M={size},N={size},K={size}", "--knobs", knobs, cwd=folder)
    expect(matmul(32, "colour=1"), 2, "TIK528", "'colour' is no knob of matmul",
           "there are 'tileM', 'tileN'")
    expect(matmul(32, "tileM=17"), 2, "TIK529", "tileM=17; possible: 128, 32")
    expect(matmul(32, "parts=1,parts=2"), 2, "TIK530", "parts=2")
    expect(matmul(32, "tileM"), 2, "--knobs tileM: expected NAME=N,NAME=N")
    expect(matmul(32, "tileL1=128,tileK=256,tileN=32"), 2, "TIK532",
           "pieces divide the whole")
    expect(matmul(512, "tileM=256,tileN=256,tileK=32"), 5, "TIK201",
           "buffers of L0C do not fit")
    expect(matmul(32, "tileM=32,tileN=32"), 0,
           "knobs tileM=32,tileN=32,tileL1=256,tileK=64,")
    only_files(folder)


def test_a_timeline_needs_the_cycle_engine(folder):
    elf = vadd_elf(folder)
    expect(kiln("sim", elf, *VADD_BINDS, "--trace", "t", cwd=folder), 2,
           "--trace", "--engine cycle")
    only_files(folder, "vadd.elf")


def test_a_port_in_use_is_named(folder):
    elf = vadd_elf(folder)
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        expect(kiln("sim", elf, *VADD_BINDS, "--gdb", port, cwd=folder), 2,
               f"port {port}")


def main(tests):
    """Runs the functions test_* of a module, each in an empty folder."""
    global KILN
    KILN = pathlib.Path(sys.argv[1]).resolve() / "bin" / "kiln"
    part = sys.argv[2] if len(sys.argv) > 2 else ""
    os.environ.pop("COLUMNS", None)
    failed = []
    for name, test in list(tests.items()):
        if not name.startswith("test_") or part not in name:
            continue
        with tempfile.TemporaryDirectory() as folder:
            try:
                test(pathlib.Path(folder))
                print(f"passed {name}")
            except (AssertionError, subprocess.TimeoutExpired) as error:
                failed.append(name)
                print(f"FAILED {name}: {error}")
    print(f"{len(failed)} failed: {' '.join(failed)}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(globals()))
