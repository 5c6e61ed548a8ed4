#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A light graph with random weights on one device, layer by layer.

    random_verify_test.py BUILD_DIR DEVICE light_squeezenet f32|f16 [options]

The README of this folder says what is compared and why. Twice: with every
convolution's result as an output, and with the logits alone, the net as people
run it. A model with one wrong weight must be found wrong.
"""
import pathlib
import subprocess
import sys
import tempfile

import numpy as np
import onnx
from onnx import numpy_helper

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))
import float64_reference  # noqa: E402
import random_weights  # noqa: E402
from verify_test import has_target, known_gaps  # noqa: E402

LIGHT = HERE.parents[2] / "shared" / "models" / "onnx_light_models"
BOUND = {"f32": 1e-5, "f16": 3e-3}
# Against an executor that rounds nothing but each result to fp16.
IDEAL_FACTOR = 2
MISMATCH = 6  # exit code of kiln verify


def relative_l2(got, want):
    return np.linalg.norm(got - want) / np.linalg.norm(want)


def round_to_half(name, array):
    return array.astype(np.float16).astype(np.float64)


class Case:
    """A generated model, its image and what a device makes of them."""

    def __init__(self, path, kiln, device, dtype, options):
        self.path, self.kiln, self.dtype = path, kiln, dtype
        self.options = ["--device", device, *options]
        if dtype == "f16":
            self.options += ["--precision", "fp16"]
        self.data = path.parent / f"{path.stem}.test_data"
        self.model = onnx.load(path)
        self.input = self.model.graph.input[0].name
        self.image = random_weights.read_tensor(
            self.data / "test_data_set_0" / "input_0.pb")
        self.layers = [o.name for o in self.model.graph.output]

    def kiln_run(self, model):
        """Output name -> array of one run on the device."""
        with tempfile.TemporaryDirectory() as folder:
            feed = self.data / "test_data_set_0" / "input_0.pb"
            subprocess.run(
                [self.kiln, "run", model, "--input", f"{self.input}={feed}",
                 "--output-dir", folder, *self.options],
                check=True, stdout=subprocess.DEVNULL)
            return {name: random_weights.read_tensor(
                        pathlib.Path(folder) / f"output_{i}.pb")
                    for i, name in enumerate(self.layers)}

    def kiln_verify(self, model):
        """Whether every output is within the bound of the float64 run."""
        result = subprocess.run(
            [self.kiln, "verify", model, "--data", self.data, "--l2",
             str(BOUND[self.dtype]), *self.options],
            text=True, capture_output=True)
        lines = result.stdout.splitlines()
        print("\n".join(lines[-2:]), result.stderr, flush=True)
        assert result.returncode in (0, MISMATCH), result.returncode
        return result.returncode == 0

    def reference(self, replace):
        return float64_reference.run(
            self.model, {self.input: self.image}, replace)

    def own_errors(self, got):
        """Each layer's error given what the device computed before it."""
        errors = {}

        def judge(name, array):
            if name not in got:
                return array
            errors[name] = relative_l2(got[name], array)
            return got[name].astype(np.float64)

        self.reference(judge)
        return errors

    def errors_from_the_image(self, got):
        """Each layer's error, and that of the ideal fp16 executor."""
        ideal = self.reference(round_to_half)
        errors = {}
        for i, name in enumerate(self.layers):
            exact = random_weights.read_tensor(
                self.data / "test_data_set_0" / f"output_{i}.pb")
            errors[name] = (relative_l2(got[name], exact),
                            relative_l2(ideal[name], exact))
        return errors


def wrong_on_their_own(case, got):
    errors = case.own_errors(got)
    worst = max(errors, key=errors.get)
    print(f"largest error of a layer on its own: {worst} {errors[worst]:.2e}")
    return [f"{name} {error:.2e}" for name, error in errors.items()
            if not error <= BOUND["f16"]]


def wrong_from_the_image(case, got):
    errors = case.errors_from_the_image(got)
    worst = max(errors, key=lambda name: errors[name][0])
    print("largest error from the image: {} {:.2e}, ideally {:.2e}; logits "
          "{:.2e}, ideally {:.2e}".format(worst, *errors[worst],
                                          *errors[case.layers[-1]]))
    return [f"{name} {error:.2e} from the image, ideally {ideal:.2e}"
            for name, (error, ideal) in errors.items()
            if not error <= max(BOUND["f16"], IDEAL_FACTOR * ideal)]


def is_right(case):
    if case.dtype == "f32":
        return case.kiln_verify(case.path)
    got = case.kiln_run(case.path)
    failed = wrong_on_their_own(case, got) + wrong_from_the_image(case, got)
    print(f"{len(failed)} wrong: {'; '.join(failed[:4])}" if failed
          else f"{len(case.layers)} layers right", flush=True)
    return not failed


def finds_wrong_weight(case, planted):
    """Whether the case's data and reference reject the planted model; in fp16
    the layer is named and no other one is to blame."""
    if case.dtype == "f32":
        return not case.kiln_verify(planted)
    failed = wrong_on_their_own(case, case.kiln_run(planted))
    print(f"wrong: {'; '.join(failed)}", flush=True)
    return len(failed) == 1 and failed[0].split()[0] == case.layers[1]


def plant_weight_error(source, target, index=1):
    """One weight of one convolution gets the other sign."""
    model = onnx.load(source)
    conv = [n for n in model.graph.node if n.op_type == "Conv"][index]
    weight = next(i for i in model.graph.initializer
                  if i.name == conv.input[1])
    values = numpy_helper.to_array(weight).copy()
    at = np.unravel_index(np.abs(values).argmax(), values.shape)
    values[at] = -values[at]
    weight.CopyFrom(numpy_helper.from_array(values, weight.name))
    target.write_bytes(model.SerializeToString())


def main():
    build, device, name, dtype = sys.argv[1:5]
    kiln = pathlib.Path(build) / "bin" / "kiln"
    if not LIGHT.exists():
        print(f"SKIPPED: {LIGHT} is absent")
        return 77
    if not has_target(kiln, device):
        print(f"SKIPPED: this build has no compiler for {device}")
        return 77
    with tempfile.TemporaryDirectory() as text:
        folder = pathlib.Path(text)

        path = random_weights.generate(LIGHT / f"{name}.onnx", folder,
                                       half=dtype == "f16")
        arguments = (kiln, device, dtype, sys.argv[5:])
        layers = Case(path, *arguments)
        fused = Case(random_weights.keep_logits(path, folder / "logits"),
                     *arguments)
        right = is_right(layers) and fused.kiln_verify(fused.path)
        gap = known_gaps(device).get(f"{name}_random_{dtype}")
        if gap:
            print("works now: remove it from known_gaps.txt" if right
                  else f"known gap: {gap}")
            return 1 if right else 0
        if not right:
            return 1
        planted = folder / "planted.onnx"
        plant_weight_error(layers.path, planted)
        print("one wrong weight:")
        return 0 if finds_wrong_weight(layers, planted) else 1


if __name__ == "__main__":
    sys.exit(main())
