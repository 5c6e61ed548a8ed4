#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Runs a Python test with the environment that scripts/setup creates.
root=$(cd "$(dirname "$0")/.." && pwd)
python=$root/.venv/bin/python
if [ ! -x "$python" ]; then
  echo "SKIPPED: no Python test environment at .venv; run scripts/setup"
  exit 77
fi
PYTHONDONTWRITEBYTECODE=1 exec "$python" "$@"
