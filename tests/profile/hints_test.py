#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Follows the hints of `kiln top`: each must bring half of what it promises.

    hints_test.py BUILD_DIR [part of a test's name]

A kernel with a known weakness is written from an example; the hint is read;
the source is changed as the hint says; the cycles of both are compared.
"""
from support import EXAMPLES, MATMUL, VECTOR_ADD, kiln, kiln_json, run_tests


def variant(folder, source, name, *changes):
    """A copy of an example with texts replaced, each exactly once."""
    text = source.read_text()
    for old, new in changes:
        assert text.count(old) == 1, f"{old!r} occurs {text.count(old)} times"
        text = text.replace(old, new)
    path = folder / name
    path.write_text(text)
    return path


def top(path, shape):
    return kiln_json("top", path, "--shape", shape)["launches"][0]


def line_of(path, text):
    for number, line in enumerate(path.read_text().splitlines(), 1):
        if text in line:
            return number
    raise AssertionError(f"no line with {text!r}")


def hint_of(launch, kind, path, text):
    """The hint of this kind whose lines hold the one with `text`."""
    wanted = line_of(path, text)
    for hint in launch["explain"]["hints"]:
        lines = hint["where"].rpartition(":")[2].split("-")
        if hint["kind"] == kind and lines[0].isdigit() and \
                int(lines[0]) <= wanted <= int(lines[-1]):
            return hint
    raise AssertionError(f"no hint {kind} at line {wanted}: " +
                         str(launch["explain"]["hints"]))


def follow(before, after, hint, what):
    gained = before["kernel_cycles"] - after["kernel_cycles"]
    print(f"  {what}: {before['kernel_cycles']} -> {after['kernel_cycles']}; "
          f"promised {hint['gain']}, gained {gained}: {hint['text']}")
    assert 2 * gained >= hint["gain"], what


def test_one_more_buffer_for_vector_add(folder):
    slow = variant(folder, VECTOR_ADD, "slow.cpp", (".buffers(6)", ""))
    faster = variant(folder, VECTOR_ADD, "faster.cpp",
                     (".buffers(6)", ".buffers(2)"))
    before = top(slow, "N=262144")
    hint = hint_of(before, "more_buffers", slow, "k.load(a")
    assert "2 buffers instead of 1" in hint["text"], hint
    follow(before, top(faster, "N=262144"), hint, "two buffers")


def test_one_more_buffer_for_matmul(folder):
    shape = "M=256,N=512,K=1024"
    after = top(MATMUL, shape)
    # Every knob is read: TIK533.
    for loop, slots, one, load, what in (
            ("k.range(0, depth, tileK)", ".buffers(2)", "", "k.loadA(",
             "two L0 buffers"),
            ("k.range(0, K, tileL1)", '.buffers(k.knob("slotsL1"))',
             '.buffers(k.knob("slotsL1") * 0 + 1)', "k.loadNz(aL1",
             "two L1 buffers")):
        slow = variant(folder, MATMUL, "slow.cpp", (loop + slots, loop + one))
        before = top(slow, shape)
        follow(before, after, hint_of(before, "more_buffers", slow, load),
               what)


def test_larger_tiles_for_vector_add(folder):
    slow = variant(folder, VECTOR_ADD, "slow.cpp", ("tile = 8192", "tile = 512"))
    faster = variant(folder, VECTOR_ADD, "faster.cpp",
                     ("tile = 8192", "tile = 1024"))
    before = top(slow, "N=65536")
    hint = hint_of(before, "larger_tile", slow, "k.load(a")
    follow(before, top(faster, "N=65536"), hint, "tiles of twice the size")


def test_no_barrier_in_vector_add(folder):
    slow = variant(folder, VECTOR_ADD, "slow.cpp",
                   ("k.store(z.at(i), a, count);",
                    "k.store(z.at(i), a, count);\n      k.barrier();"))
    before = top(slow, "N=262144")
    hint = hint_of(before, "no_barrier", slow, "k.barrier();")
    follow(before, top(VECTOR_ADD, "N=262144"), hint, "without the barrier")


COPY = """// SPDX-License-Identifier: Apache-2.0
#include "tik_dsl/api/tik.h"
using namespace kiln::tik;
namespace {
void declare(Declaration &d) {
  d.name("copy", "y = x, by column blocks");
  d.input("x", f16, {"M", "K"}, {-1, 1}).output("y", f16, {"M", "K"});
  d.shape({{"M", 64}, {"K", 2048}});
  d.tolerance(f16, 0, 0, "a copy");
}
void kernel(const Kernel &k) {
  const Tensor x = k.tensor("x"), y = k.tensor("y");
  const int64_t rows = x.dim(0), columns = COLUMNS;
  for (Index block : k.blocks(1)) {
    for (Index i : k.range(0, x.dim(1), columns).buffers(2)) {
      const Buffer a = k.ub(f16, {rows, columns}, "a");
      k.load(a, x.at(0, i), {rows, columns});
      k.store(y.at(0, i), a, {rows, columns});
    }
  }
}
void reference(const Reference &r) {
  const HostArray x = r["x"], y = r["y"];
  for (int64_t i = 0; i < y.size(); ++i) {
    y[i] = x[i];
  }
}
} // namespace
KILN_OPERATOR(declare, kernel, reference)
"""


def test_longer_rows_for_a_copy(folder):
    shape = "M=64,K=2048"
    paths = []
    for columns in ("32", "256"):
        path = folder / f"copy{columns}.cpp"
        path.write_text(COPY.replace("COLUMNS", columns))
        paths.append(path)
    before = top(paths[0], shape)
    hint = hint_of(before, "longer_rows", paths[0], "k.load(a")
    follow(before, top(paths[1], shape), hint, "rows of 512 bytes")


def test_every_example_is_explained(folder):
    for path in sorted(EXAMPLES.glob("*.cpp")):
        text = kiln("top", path)
        for word in ("bound:", "next:", "heaviest lines", "what would help"):
            assert word in text, f"{path.name}: no '{word}' in\n{text}"
        # Commands are of the example, or of a function of the DSL it calls.
        assert path.name in text or "tik_dsl/api/" in text, text
        launch = kiln_json("top", path)["launches"][0]
        all_cycles = launch["kernel_cycles"] * launch["cores"]
        assert sum(line["busy"] + line["waited"]
                   for line in launch["lines"]) == all_cycles
        # The model that hints are computed with is the engine's, exactly.
        assert launch["explain"]["model_ratio"] == 1, path.name


def test_the_model_follows_several_cores(folder):
    for cores in (2, 3):
        launch = kiln_json("top", MATMUL, "--shape", "M=256,N=512,K=512",
                           "--cores", cores)["launches"][0]
        assert launch["cores"] == cores
        assert launch["explain"]["model_ratio"] == 1


if __name__ == "__main__":
    run_tests(globals())
