#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The page of `kiln profile --html` in a browser without a screen.

    page_test.py BUILD_DIR [part of a test's name]
"""
import html
import re
import shutil
import struct
import subprocess
import zlib

from support import MATMUL, ROOT, VECTOR_ADD, kiln_json, run_tests, skip

BROWSER = shutil.which("chromium") or shutil.which("chromium-browser") or \
    shutil.which("google-chrome")
if not BROWSER:
    skip("no chromium here; apt-get install chromium")


def browse(folder, page, *args):
    return subprocess.run(
        ["timeout", "100", BROWSER, "--headless", "--no-sandbox",
         "--disable-gpu", "--hide-scrollbars",
         f"--user-data-dir={folder}/profile", *args, f"file://{page}"],
        stdin=subprocess.DEVNULL, capture_output=True, timeout=120)


def rendered(folder, page):
    result = browse(folder, page, "--dump-dom")
    text = result.stdout.decode()
    assert 'data-ready="yes"' in text, \
        "the page's script did not finish: " + result.stderr.decode()[-2000:]
    return text


def table(text, name):
    """Rows of cells of the table with this id."""
    body = re.search(rf'<table id="{name}">(.*?)</table>', text, re.S).group(1)
    return [[html.unescape(re.sub(r"<[^>]*>", "", cell)) for cell in
             re.findall(r"<t[hd][^>]*>(.*?)</t[hd]>", row, re.S)]
            for row in re.findall(r"<tr[^>]*>(.*?)</tr>", body, re.S)]


def number(text):
    return int(text.replace(",", "")) if text else 0


def pixels(path):
    """Colours of a PNG of 8 bits per channel and how often they occur."""
    data, at, packed = path.read_bytes(), 8, b""
    while at < len(data):
        size, kind = struct.unpack(">I4s", data[at:at + 8])
        chunk = data[at + 8:at + 8 + size]
        if kind == b"IHDR":
            width, height, depth, colour = struct.unpack(">IIBB", chunk[:10])
        elif kind == b"IDAT":
            packed += chunk
        at += size + 12
    assert depth == 8 and colour in (2, 6)
    channels = 3 if colour == 2 else 4
    raw, stride = zlib.decompress(packed), width * channels
    counts, above, at = {}, bytes(stride), 0
    for _ in range(height):
        kind, line = raw[at], bytearray(raw[at + 1:at + 1 + stride])
        at += 1 + stride
        for i in range(stride):
            left = line[i - channels] if i >= channels else 0
            corner = above[i - channels] if i >= channels else 0
            up = above[i]
            if kind == 1:
                line[i] = (line[i] + left) & 255
            elif kind == 2:
                line[i] = (line[i] + up) & 255
            elif kind == 3:
                line[i] = (line[i] + (left + up) // 2) & 255
            elif kind == 4:
                guess = left + up - corner
                near = min((left, up, corner),
                           key=lambda v: abs(guess - v))
                line[i] = (line[i] + near) & 255
        for i in range(0, stride, channels):
            colour = tuple(line[i:i + 3])
            counts[colour] = counts.get(colour, 0) + 1
        above = bytes(line)
    return counts


def make(folder, *args):
    page = folder / "p.html"
    return page, kiln_json("profile", *args, "--html", page)


def test_a_kernel_page_shows_what_the_trace_holds(folder):
    page, data = make(folder, VECTOR_ADD, "--shape", "N=100000")
    assert not re.search(r'(src|href)\s*=\s*"?https?:', page.read_text()), \
        "the page loads something"
    text, launch = rendered(folder, page), data["launches"][0]
    stalls = table(text, "stalls")
    assert stalls[0][1:] == [p["name"] for p in launch["pipes"]]
    sums = [number(cell) for cell in stalls[-1][1:]]
    assert sums == [launch["cycles"]] * 7, sums
    for column in range(1, 8):
        assert sum(number(row[column]) for row in stalls[1:-1]) == \
            launch["cycles"]
    use = {row[0]: number(row[1]) for row in table(text, "use")[1:]}
    assert use == {p["name"]: p["busy"] for p in launch["pipes"]}
    banks = {row[0]: number(row[2]) for row in table(text, "use")[1:]}
    assert banks == {p["name"]: p["bank_cycles"] for p in launch["pipes"]}
    lines = table(text, "lines")[1:]
    assert sum(number(row[2]) for row in lines) == launch["kernel_cycles"]
    assert any("k.load(a" in row[1] for row in lines)
    energy = table(text, "energy")
    assert any(row[0] == "local_byte" and "Horowitz" in row[5]
               for row in energy[1:])
    moved = {(row[0], row[1]): number(row[2])
             for row in table(text, "bytes")[1:]}
    assert moved["MTE2", "reads GM"] == 400000
    memory = table(text, "memory")[1:]
    counters = {row[0]: number(row[1]) for row in memory}
    shares = {row[0]: row[2] for row in memory}
    hits = counters["dram row hits"]
    requests = hits + counters["dram row misses"]
    assert shares["dram row hits"] == f"{100 * hits / requests:.1f} %", shares
    # Inputs come from DRAM once, and every burst is a hit, a miss or merged.
    assert counters["dram read bytes"] >= 400000
    assert counters["l2 read misses"] > 0
    assert counters == {name.replace("_", " "): count for name, count
                        in launch["memory"].items()}
    assert "Bound: <b>MTE2</b>" in text


def test_no_table_is_cut_off(folder):
    page, _ = make(folder, VECTOR_ADD, "--shape", "N=100000")
    script = """<script>
      const cut = [...document.querySelectorAll('section')].filter(
        (s) => s.scrollWidth > s.clientWidth + 1);
      document.body.setAttribute('data-cut',
        cut.map((s) => s.querySelector('h2').textContent).join());
      </script></body>"""
    page.write_text(page.read_text().replace("</body>", script))
    result = browse(folder, page, "--dump-dom", "--window-size=1200,1100")
    cut = re.search(r'data-cut="([^"]*)"', result.stdout.decode()).group(1)
    assert cut == "", f"cut off: {cut}"


def test_zoom_shows_fewer_cycles(folder):
    page, data = make(folder, VECTOR_ADD, "--shape", "N=100000")
    whole = data["launches"][0]["cycles"]
    script = "<script>byId('zoom-in').click(); byId('zoom-in').click();" \
             "</script></body>"
    page.write_text(page.read_text().replace("</body>", script))
    text = re.search(r'<span id="range"[^>]*>cycles ([\d,]+) to ([\d,]+)',
                     rendered(folder, page))
    begin, end = number(text.group(1)), number(text.group(2))
    assert abs((end - begin) - whole / 4) < 2 and begin > 0


def test_a_model_page_lists_its_layers(folder):
    model = ROOT / "tools" / "digits" / "digits.onnx"
    page, data = make(folder, model)
    rows = table(rendered(folder, page), "layers")[1:]
    assert len(rows) == len(data["layers"]) > 1
    shown = sum(number(row[3]) for row in rows)
    assert shown == data["cycles"] > 0


def test_the_timeline_and_the_roofline_are_drawn(folder):
    page, _ = make(folder, MATMUL, "--shape", "M=256,N=512,K=512")
    shot = folder / "shot.png"
    browse(folder, page, f"--screenshot={shot}", "--window-size=1200,1100")
    counts = pixels(shot)
    assert counts.get((0x2f, 0x6f, 0xdb), 0) > 5000, "no command is drawn"
    assert counts.get((0xf2, 0xb8, 0xa0), 0) > 200, "no wait is drawn"
    assert "<circle" in rendered(folder, page)


if __name__ == "__main__":
    run_tests(globals())
