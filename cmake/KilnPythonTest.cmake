# SPDX-License-Identifier: Apache-2.0
# kiln_python_test(NAME script.py [ARGS arg ...] [LABELS quick|full|long ...]
#                  [TIMEOUT seconds])
#
# A ctest that runs a Python script with the test environment of scripts/setup
# (.venv). Exit 77 of the script means "skipped", shown as such by ctest; a
# missing environment is a skip too, with the remedy in the output.
function(kiln_python_test name script)
  cmake_parse_arguments(ARG "" "TIMEOUT" "ARGS;LABELS" ${ARGN})
  if(NOT ARG_LABELS)
    set(ARG_LABELS quick)
  endif()
  if(NOT ARG_TIMEOUT)
    set(ARG_TIMEOUT 300)
  endif()
  add_test(NAME ${name}
    COMMAND ${PROJECT_SOURCE_DIR}/cmake/run_python_test.sh
      ${CMAKE_CURRENT_SOURCE_DIR}/${script} ${ARG_ARGS}
    WORKING_DIRECTORY ${PROJECT_SOURCE_DIR})
  set_tests_properties(${name} PROPERTIES LABELS "${ARG_LABELS}"
    TIMEOUT ${ARG_TIMEOUT} SKIP_RETURN_CODE 77)
endfunction()
