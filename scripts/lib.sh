# SPDX-License-Identifier: Apache-2.0
# Shell functions shared by the scripts; sourced from the repository root.

bold= plain=
if [ -t 1 ]; then bold=$'\e[1m' plain=$'\e[0m'; fi

step() { printf '%s== %s ==%s\n' "$bold" "$*" "$plain"; }
die() { printf 'error: %s\n' "$*" >&2; exit 1; }

# Installs what is missing; quiet when nothing is.
run_setup() {
  step setup
  scripts/setup "$@"
}

# configure PRESET: CMake's output only when it fails.
configure() {
  step "configure ($1)"
  local log
  log=$(mktemp)
  if ! cmake --preset "$1" >"$log" 2>&1; then
    cat "$log" >&2
    rm -f "$log"
    die "cmake --preset $1 failed"
  fi
  rm -f "$log"
}

# build_targets FOLDER target...: on a terminal ninja rewrites one status line;
# otherwise a line every ten percent.
build_targets() {
  local folder=$1; shift
  step "build ($folder: $*)"
  local start=$SECONDS
  if [ -t 1 ]; then
    NINJA_STATUS='[%p %f/%t %es] ' ninja -C "$folder" "$@"
  else
    NINJA_STATUS='[%f/%t] ' ninja -C "$folder" "$@" | awk '
      match($0, /^\[[0-9]+\/[0-9]+\]/) {
        split(substr($0, 2, RLENGTH - 2), n, "/")
        if (n[2] < 10 || int(n[1] * 10 / n[2]) != last) { print substr($0, 1, 100) }
        last = int(n[1] * 10 / n[2]); fflush(); next
      }
      { print; fflush() }'
  fi
  echo "built in $((SECONDS - start)) s"
}
