# SPDX-License-Identifier: Apache-2.0
"""What the tests of profiles share: running kiln, and running tests."""
import json
import pathlib
import subprocess
import sys
import tempfile
import traceback

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = pathlib.Path(sys.argv[1]).resolve()
KILN = BUILD / "bin" / "kiln"
EXAMPLES = ROOT / "tik_dsl" / "examples"
VECTOR_ADD = EXAMPLES / "01_vector_add.cpp"
MATMUL = EXAMPLES / "02_matmul.cpp"
SKIPPED = 77


def kiln(*args):
    result = subprocess.run([str(KILN), *map(str, args)], text=True, cwd=ROOT,
                            capture_output=True, timeout=200)
    assert result.returncode == 0, result.stdout + result.stderr
    return result.stdout


def kiln_json(*args):
    return json.loads(kiln(*args, "--json"))


def skip(why):
    print(f"SKIPPED: {why}")
    sys.exit(SKIPPED)


def run_tests(tests, *arguments):
    """Calls every test_* of `tests` with a folder; exits with the verdict."""
    part = sys.argv[2] if len(sys.argv) > 2 else ""
    failed = []
    for name, test in list(tests.items()):
        if not name.startswith("test_") or part not in name:
            continue
        with tempfile.TemporaryDirectory() as folder:
            try:
                test(pathlib.Path(folder), *arguments)
                print(f"passed {name}", flush=True)
            except (AssertionError, subprocess.TimeoutExpired) as error:
                traceback.print_exc(limit=-2)
                failed.append(name)
                print(f"FAILED {name}: {error}", flush=True)
    print(f"{len(failed)} failed: {' '.join(failed)}")
    sys.exit(1 if failed else 0)
