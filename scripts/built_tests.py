#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Prints a ctest -R expression of the tests whose program exists.

    ctest --test-dir build-asan -R "$(scripts/built_tests.py build-asan)"
"""
import json
import os
import subprocess
import sys


def main():
    listing = subprocess.run(
        ["ctest", "--test-dir", sys.argv[1], "--show-only=json-v1"],
        check=True, capture_output=True, text=True).stdout
    build = os.path.abspath(sys.argv[1])
    names = []
    for test in json.loads(listing)["tests"]:
        command = test.get("command", [""])
        if command[0].startswith(build) and os.path.exists(command[0]):
            names.append(test["name"])
    print("^(" + "|".join(names) + ")$")


if __name__ == "__main__":
    main()
