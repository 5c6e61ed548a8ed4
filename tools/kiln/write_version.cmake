# SPDX-License-Identifier: Apache-2.0
# cmake -DSOURCE=... -DOUT=... -DKILN_VERSION=... -DKILN_LLVM_VERSION=... -P
#
# Writes version.h; untouched when nothing changed, so that a build without a
# new commit compiles nothing.
execute_process(COMMAND git -C ${SOURCE} rev-parse --short=12 HEAD
  OUTPUT_VARIABLE KILN_COMMIT OUTPUT_STRIP_TRAILING_WHITESPACE
  RESULT_VARIABLE failed ERROR_QUIET)
if(failed)
  set(KILN_COMMIT "unknown (no git checkout)")
else()
  execute_process(COMMAND git -C ${SOURCE} status --porcelain
      --untracked-files=no
    OUTPUT_VARIABLE changes ERROR_QUIET)
  if(changes)
    string(APPEND KILN_COMMIT "+changes")
  endif()
endif()
configure_file(${SOURCE}/tools/kiln/version.h.in ${OUT} @ONLY)
