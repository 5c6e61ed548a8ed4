# SPDX-License-Identifier: Apache-2.0
"""isagen refuses each kind of mistake in the tables and names it.

    isagen_test.py SOURCE_FOLDER
"""
import os
import shutil
import sys
import tempfile
import unittest

ROOT = sys.argv.pop(1)
sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(ROOT, "isa/gen"))
import isagen  # noqa: E402
import spec_model  # noqa: E402

SPEC = os.path.join(ROOT, "isa/spec")


class Mistakes(unittest.TestCase):
    def refused(self, file, old, new, words):
        with tempfile.TemporaryDirectory() as folder:
            copy = os.path.join(folder, "spec")
            shutil.copytree(SPEC, copy)
            path = os.path.join(copy, file)
            with open(path, encoding="utf-8") as f:
                text = f.read()
            self.assertIn(old, text)
            with open(path, "w", encoding="utf-8") as f:
                f.write(text.replace(old, new, 1))
            with self.assertRaises(spec_model.SpecError) as caught:
                spec_model.load(copy)
            for word in words:
                self.assertIn(word, str(caught.exception))

    def test_two_instructions_of_one_encoding(self):
        self.refused("move.yaml", "f2: 0, sub: 1}", "f2: 0, sub: 0}",
                     ["ld.l1", "ld.ub"])

    def test_two_instructions_of_one_text(self):
        self.refused("move.yaml", "mnemonic: ld.l1", "mnemonic: ld.ub",
                     ["ambiguous"])

    def test_overlapping_fields(self):
        self.refused("isa.yaml", "name: row_stride, bits: [39, 24]",
                     "name: row_stride, bits: [39, 23]",
                     ["LocalView", "row_stride", "overlaps"])

    def test_fields_out_of_order(self):
        self.refused("isa.yaml", "bits: [39, 24], unit: block",
                     "bits: [24, 39], unit: block", ["out of order"])

    def test_a_maximum_that_does_not_fit(self):
        self.refused("isa.yaml", "max: 3, enum: StoreMode",
                     "max: 9, enum: StoreMode", ["mode", "does not fit"])

    def test_an_unknown_key(self):
        self.refused("cube.yaml", "    timing: cube",
                     "    speed: 9\n    timing: cube", ["mmad", "speed"])

    def test_names_that_do_not_exist(self):
        self.refused("cube.yaml", "timing: cube", "timing: cubes", ["cubes"])
        self.refused("cube.yaml", "pipe: M", "pipe: N", ["pipe N"])
        self.refused("cube.yaml", "layout: CubeB", "layout: CubeC",
                     ["mmad", "rs3", "CubeC"])
        self.refused("cube.yaml", "kind: CubeType", "kind: Cub", ["Cub"])
        self.refused("cube.yaml", "writes: [L0C]", "writes: [L0D]", ["L0D"])
        self.refused("move.yaml", "zero: [blk_stride]", "zero: [blk]",
                     ["ld.nz", "blk"])

    def test_an_f3_without_a_name(self):
        self.refused("cube.yaml", "allowed: [0,", "allowed: [4, 0,",
                     ["mmad", "f3 4"])

    def test_a_gap_between_registers(self):
        self.refused("cube.yaml", "    rs2: {name: a, layout: LocalAddress, "
                     "space: L0A, align: 512}\n", "", ["mmad", "gap"])

    def test_a_sub_beyond_its_field(self):
        self.refused("vector_math.yaml", "sub: 9", "sub: 32", ["sub 32"])

    def test_templates_shapes_and_works_that_do_not_exist(self):
        self.refused("vector_math.yaml", "like: unary", "like: unaries",
                     ["template unaries"])
        self.refused("templates.yaml", "shape: cast", "shape: casts",
                     ["vcast", "shape casts"])
        self.refused("templates.yaml", "result: mode", "result: modes",
                     ["vcast", "result type modes"])
        self.refused("vector_math.yaml", "    work: expDifference\n", "",
                     ["work"])
        self.refused("vector_math.yaml", "types: float", "types: floats",
                     ["type set floats"])


class Output(unittest.TestCase):
    def test_is_the_same_every_time_and_covers_every_instruction(self):
        spec = spec_model.load(SPEC)
        again = spec_model.load(SPEC)
        for name, emit in isagen.OUTPUTS.items():
            text = emit(spec)
            self.assertEqual(text, emit(again), name)
        manual = isagen.OUTPUTS["manual.md"](spec)
        for i in spec.instructions:
            self.assertIn(f"### {i.mnemonic}\n", manual)
            self.assertIn(f"def NpuIsa_{i.class_name}Op",
                          isagen.OUTPUTS["NpuIsaOps.td"](spec))


if __name__ == "__main__":
    unittest.main()
