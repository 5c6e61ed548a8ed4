# SPDX-License-Identifier: Apache-2.0
# `cmake --install` to a prefix gives a `kiln` that runs from there.
#
#   cmake -DBUILD=<build folder> -DWORK=<scratch> -DSOURCE=<repository> -P ...
file(REMOVE_RECURSE ${WORK})
execute_process(COMMAND ${CMAKE_COMMAND} --install ${BUILD} --prefix ${WORK}
  OUTPUT_VARIABLE output ERROR_VARIABLE output RESULT_VARIABLE code)
if(NOT code EQUAL 0)
  message(FATAL_ERROR "cmake --install failed: ${output}")
endif()
foreach(arguments "--version" "devices"
    "asm;${SOURCE}/tools/examples/vadd.s;-o;${WORK}/vadd.elf"
    "dis;${WORK}/vadd.elf")
  # A clean environment: nothing of the build folder may be needed.
  execute_process(COMMAND env -i ${WORK}/bin/kiln ${arguments}
    WORKING_DIRECTORY / OUTPUT_VARIABLE output ERROR_VARIABLE output
    RESULT_VARIABLE code)
  if(NOT code EQUAL 0)
    message(FATAL_ERROR "kiln ${arguments}: exit ${code}: ${output}")
  endif()
endforeach()
execute_process(COMMAND readelf -d ${WORK}/bin/kiln OUTPUT_VARIABLE dynamic)
if(dynamic MATCHES "${BUILD}")
  message(FATAL_ERROR "the installed kiln names the build folder: ${dynamic}")
endif()
