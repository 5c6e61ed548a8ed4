#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The Perfetto file of `kiln profile`, read with Perfetto's message classes.

    perfetto_test.py BUILD_DIR [part of a test's name]
"""
import collections
import re
import subprocess

from support import MATMUL, ROOT, VECTOR_ADD, kiln_json, run_tests, skip

try:
    from perfetto.protos.perfetto.trace import perfetto_trace_pb2 as messages
except ImportError:
    skip("the Python package 'perfetto' is absent; run scripts/setup")

BEGIN = messages.TrackEvent.TYPE_SLICE_BEGIN
END = messages.TrackEvent.TYPE_SLICE_END
Slice = collections.namedtuple(
    "Slice", "track begin end depth name values flows ends_flows")


def read(path):
    """(track uuid -> name, slices); checks order and nesting on the way."""
    trace = messages.Trace()
    trace.ParseFromString(path.read_bytes())
    tracks, processes, names, keys = {}, {}, {}, {}
    open_slices = collections.defaultdict(list)
    last = collections.defaultdict(int)
    slices = []
    for packet in trace.packet:
        for entry in packet.interned_data.event_names:
            names[entry.iid] = entry.name
        for entry in packet.interned_data.debug_annotation_names:
            keys[entry.iid] = entry.name
        if packet.HasField("track_descriptor"):
            d = packet.track_descriptor
            if d.HasField("thread"):
                tracks[d.uuid] = (processes[d.parent_uuid],
                                  d.thread.thread_name)
            else:
                processes[d.uuid] = d.process.process_name
                tracks[d.uuid] = (d.process.process_name, None)
        if not packet.HasField("track_event"):
            continue
        event, now = packet.track_event, packet.timestamp
        assert event.track_uuid in tracks, "an event of an unknown track"
        assert now >= last[event.track_uuid], "events go back in time"
        last[event.track_uuid] = now
        stack = open_slices[event.track_uuid]
        if event.type == BEGIN:
            values = {keys[a.name_iid]:
                      a.string_value if a.HasField("string_value")
                      else a.uint_value for a in event.debug_annotations}
            stack.append((now, names[event.name_iid], values,
                          list(event.flow_ids),
                          list(event.terminating_flow_ids)))
        else:
            assert event.type == END and stack, "an end without a begin"
            begin, name, values, flows, ends = stack.pop()
            assert now > begin, f"{name} has no length"
            slices.append(Slice(tracks[event.track_uuid], begin, now,
                                len(stack), name, values, flows, ends))
    assert not any(open_slices.values()), "a slice without an end"
    return tracks, slices


def profile(folder, *args):
    out = folder / "t.perfetto-trace"
    result = kiln_json("profile", *args, "--perfetto", out)
    return out, result["launches"][0]


def check(path, launch):
    _, slices = read(path)
    by_name = collections.defaultdict(list)
    for s in slices:
        by_name[s.name].append(s)
    whole = [s for s in slices if s.track == ("launches", None)]
    assert [(s.begin, s.end) for s in whole] == [(0, launch["cycles"])]

    # Slices of one thread nest: what is inside is a flag or configuration, or
    # a wait for the port inside a transfer.
    inside = {s.name for s in slices if s.depth == 1}
    assert inside <= {"kset", "kwait", "kcfg", "gm_port"}, inside
    assert all(s.depth < 2 for s in slices)

    # A pipe's commands are in order, and their occupancy adds up to no less
    # than its busy cycles (a transfer may also wait for the port).
    for pipe in launch["pipes"]:
        mine = [s for s in slices if s.track[1] == pipe["name"]]
        length = 0
        for track in sorted({s.track for s in mine}):
            commands = [s for s in mine if s.track == track and
                        "pc" in s.values and s.depth == 0 and s.name not in
                        ("kset", "kwait", "kcfg", "kbar", "kend")]
            for a, b in zip(commands, commands[1:]):
                assert a.end <= b.begin
            length += sum(s.end - s.begin for s in commands)
        if pipe["name"] != "S":
            waiting = sum(s.end - s.begin for s in mine if s.name == "gm_port")
            assert length - waiting == pipe["busy"], (pipe, length, waiting)
        for reason in ("flag", "interlock", "window", "empty", "gm_port"):
            total = sum(s.end - s.begin for s in mine if s.name == reason)
            assert total == pipe["stalls"][reason], (pipe["name"], reason)

    # Every kwait has consumed a kset that was visible by then.
    begins = {f: s for s in slices for f in s.flows}
    ends = {f: s for s in slices for f in s.ends_flows}
    assert begins and begins.keys() == ends.keys()
    assert len(ends) == len(by_name["kwait"]), "a kwait without a flow"
    for flow, kset in begins.items():
        kwait = ends[flow]
        assert (kset.name, kwait.name) == ("kset", "kwait")
        assert kset.values["retire"] <= kwait.begin
        pattern = r"k(?:set|wait)\.(\w+)\.(\w+) "
        assert re.match(pattern, kset.values["instruction"]).groups() == \
            re.match(pattern, kwait.values["instruction"]).groups()
    for s in slices:
        if "issue" in s.values:
            assert s.values["issue"] <= s.values["start"] == s.begin
    return by_name


def test_a_vector_kernel(folder):
    names = check(*profile(folder, VECTOR_ADD, "--shape", "N=100000"))
    tiles = 13  # of 8192
    assert len(names["ld.ub"]) == 2 * tiles
    assert len(names["vadd.f16"]) + len(names["vadd"]) == tiles
    bytes_read = sum(s.values["GM bytes read"] for s in names["ld.ub"])
    assert bytes_read == 2 * 2 * 100000


def test_a_matrix_kernel_on_two_cores(folder):
    path, launch = profile(folder, MATMUL, "--shape", "M=256,N=512,K=512",
                           "--cores", 2)
    check(path, launch)
    tracks, _ = read(path)
    assert ("core 1", "MTE1") in tracks.values()


def test_the_format_is_the_one_in_perfetto_proto(folder):
    path, _ = profile(folder, VECTOR_ADD, "--shape", "N=20000")
    decoded = subprocess.run(
        ["protoc", "--decode=kiln.perfetto.Trace", "--proto_path",
         ROOT / "simulator" / "trace", "perfetto.proto"],
        input=path.read_bytes(), capture_output=True, check=True)
    text = decoded.stdout.decode()
    assert "TYPE_SLICE_BEGIN" in text and "thread_name: \"V\"" in text
    # protoc prints fields that the file does not name by their number.
    assert not re.search(r"^\s*\d+[:\s]", text, re.M)


if __name__ == "__main__":
    run_tests(globals())
