#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Makes the tables of docs/validation.md and checks what they claim.

    validate.py BUILD_DIR [TABLE ...]           compare with the page
    validate.py BUILD_DIR [TABLE ...] --write   write the page

Tables: micro, by_hand, streams, dram, long, far; default: all but the last
two. A figure
that misses its claim fails in both modes. --write changes measured figures
only: published and hand-computed ones stand in micro.py and by_hand.py.
"""
import difflib
import pathlib
import re
import subprocess
import sys
import tempfile

import by_hand
import micro
import streams
from machine import ROOT, Bench

PAGE = ROOT / "docs" / "validation.md"
failures = []


def expect(holds, what):
    if not holds:
        failures.append(what)


def table(columns, rows):
    lines = ["| " + " | ".join(map(str, row)) + " |" for row in rows]
    return "\n".join([f"| {' | '.join(columns)} |", "|---" * len(columns) +
                      "|", *lines])


def figure(value):
    return f"{float(value):.4g}"


def rate(value, unit):
    """1/5 of a row per cycle reads better as 5 cycles."""
    if value < 1 or not unit:
        return f"{figure(1 / value)} cycles"
    return f"{figure(value)} {unit}/c"


def make_micro(bench, _):
    rows = []
    for title, group in micro.GROUPS:
        rows.append([f"**{title}**"] + [""] * 5)
        for one in group:
            found, latency = micro.measure(bench, one)
            expect(micro.agrees(one, found, latency),
                   f"{one.what}: {found} per cycle, latency {latency}; "
                   f"published {one.rate}, {one.latency}")
            single = one.latency is not None
            rows.append([one.what, rate(one.rate, one.unit),
                         rate(found, one.unit), one.latency if single else "",
                         figure(latency) if single else "", one.note])
    return table(["kernel", "published", "simulated", "latency", "simulated",
                  ""], rows)


def make_by_hand(bench, _):
    rows = []
    for program in by_hand.PROGRAMS:
        hand = by_hand.computed(program)
        found = by_hand.simulated(bench, program)
        expect(hand == found, f"{program.what}: {found}, by hand {hand}")
        rows.append([program.what, "; ".join(f"{c} {why}"
                                             for c, why in program.terms),
                     hand, found])
    return table(["program", "terms", "by hand", "simulated"], rows)


def stream_rows(bench, group, reached=True):
    """`reached`: whether the streams have to be near their ceilings."""
    rows = []
    for stream in group:
        report, without = streams.measure(bench, stream)
        share = stream.share(report)
        best = without if without else report
        expect(streams.near(stream, stream.share(best)) == reached,
               f"{stream.what}, {stream.cores} cores: "
               f"{stream.share(best):.1f} % of {stream.of}, ceiling "
               f"{stream.ceiling}; near it: {reached} is what the page says")
        # A row that needs no explanation must not carry one.
        expect(not without or not streams.near(stream, share),
               f"{stream.what}: near its ceiling without {stream.change}")
        off = [""] * 3
        if without:
            off = [f"`{stream.change}` ({stream.effect})",
                   f"{stream.share(without):.1f}",
                   f"{stream.share(without) / stream.ceiling:.3f}"]
        rows.append([stream.what, stream.cores, stream.of, stream.ceiling,
                     report["kernel_cycles"], f"{share:.1f}",
                     f"{share / stream.ceiling:.3f}", *off])
    return table(["stream", "cores", "of", "ceiling %", "cycles", "reached %",
                  "ratio", "effect off", "reached %", "ratio"], rows)


def make_streams(bench, _):
    return stream_rows(bench, streams.STREAMS)


def make_long(bench, _):
    return stream_rows(bench, streams.LONG)


def make_far(bench, _):
    return stream_rows(bench, streams.FAR, reached=False)


def make_dram(_, build):
    """The test calculates and compares; its lines are the table."""
    result = subprocess.run([str(build / "tests/timing_dram_bandwidth_test")],
                            cwd=ROOT, capture_output=True, text=True)
    expect(result.returncode == 0, result.stdout[-2000:])
    rows = []
    pattern = r"^(\S+) +(.+?) +([\d.]+) B/c, calculated +([\d.]+), peak +(.+)$"
    for part, what, found, calculated, peak in re.findall(
            pattern, result.stdout, re.M):
        ratio = float(found) / float(calculated)
        expect(0.95 <= ratio <= 1.05, f"{part}, {what}: {ratio}")
        rows.append([part, what, peak, calculated, found, f"{ratio:.3f}"])
    expect(len(rows) == 15, f"{len(rows)} DRAM streams")
    return table(["part", "stream of one channel", "peak B/c",
                  "calculated B/c", "simulated B/c", "ratio"], rows)


MAKERS = {"micro": make_micro, "by_hand": make_by_hand,
          "streams": make_streams, "dram": make_dram, "long": make_long,
          "far": make_far}
LONG = ("long", "far")


def place(name):
    return re.compile(rf"(<!-- table: {name} -->\n).*?(<!-- end -->)", re.S)


def main(build, *options):
    write = "--write" in options
    names = [o for o in options if not o.startswith("--")] or \
        [name for name in MAKERS if name not in LONG]
    page = PAGE.read_text()
    with tempfile.TemporaryDirectory() as folder:
        bench = Bench(build, folder)
        for name in names:
            made = MAKERS[name](bench, pathlib.Path(build).resolve())
            assert place(name).search(page), f"no table {name} in {PAGE}"
            page = place(name).sub(lambda m, t=made: f"{m[1]}\n{t}\n\n{m[2]}",
                                   page)
    old = PAGE.read_text()
    if write:
        PAGE.write_text(page)
    elif page != old:
        print("".join(difflib.unified_diff(
            old.splitlines(True), page.splitlines(True), "the page",
            "measured", n=0)))
        failures.append("docs/validation.md differs from what is measured; "
                        "tests/validation/validate.py BUILD --write, and say "
                        "why in the commit")
    for failure in failures:
        print("FAILED", failure)
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
