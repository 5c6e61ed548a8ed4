# SPDX-License-Identifier: Apache-2.0
# The layering check stops the configuration when a link goes against the
# arrow, however the link is written, and lets allowed links pass.
#
#   cmake -DSOURCE=<repository> -DWORK=<scratch folder> -DCOMPILER=c++ \
#         -P layers_test.cmake
cmake_minimum_required(VERSION 3.25)

# configure(NAME <case> FAILS_WITH <text or empty> BODY <cmake code>)
function(configure name fails_with body)
  set(folder ${WORK}/${name})
  file(REMOVE_RECURSE ${folder})
  file(WRITE ${folder}/empty.cpp "")
  file(WRITE ${folder}/CMakeLists.txt "
cmake_minimum_required(VERSION 3.25)
project(Variant LANGUAGES CXX)
include(${SOURCE}/cmake/KilnTargets.cmake)
function(add_library_of name layer)
  add_library(\${name} INTERFACE)
  kiln_set_layer(\${name} \${layer})
endfunction()
${body}
kiln_check_layers()
")
  execute_process(COMMAND ${CMAKE_COMMAND} -S ${folder} -B ${folder}/build
    -DCMAKE_CXX_COMPILER=${COMPILER} -DCMAKE_CXX_COMPILER_WORKS=ON
    RESULT_VARIABLE code OUTPUT_VARIABLE output ERROR_VARIABLE output)
  # CMake wraps long lines.
  string(REGEX REPLACE "[ \n]+" " " output "${output}")
  if(fails_with STREQUAL "")
    if(NOT code EQUAL 0)
      message(FATAL_ERROR "${name}: must configure, but: ${output}")
    endif()
    return()
  endif()
  if(code EQUAL 0)
    message(FATAL_ERROR "${name}: must not configure")
  endif()
  string(FIND "${output}" "${fails_with}" at)
  if(at EQUAL -1)
    message(FATAL_ERROR "${name}: no '${fails_with}' in: ${output}")
  endif()
  message(STATUS "passed ${name}")
endfunction()

configure(along_the_arrow "" "
add_library_of(low isa)
add_library_of(high simulator)
target_link_libraries(high INTERFACE low)
")
configure(isa_to_simulator "low (isa) links high (simulator)" "
add_library_of(low isa)
add_library_of(high simulator)
target_link_libraries(low INTERFACE high)
")
configure(hal_to_compiler "runtime (hal) links passes (compiler)" "
add_library_of(passes compiler)
add_library_of(runtime hal)
target_link_libraries(runtime INTERFACE passes)
")
configure(compiler_to_simulator "passes (compiler) links engine (simulator)" "
add_library_of(engine simulator)
add_library_of(passes compiler)
target_link_libraries(passes INTERFACE engine)
")
configure(link_before_the_target_exists "low (isa) links high (simulator)" "
add_library_of(low isa)
target_link_libraries(low INTERFACE high)
add_library_of(high simulator)
")
configure(static_library_against_the_arrow "low (isa) links high (simulator)" "
kiln_library(high LAYER simulator SOURCES empty.cpp)
kiln_library(low LAYER isa SOURCES empty.cpp LINKS high)
")
configure(private_link_against_the_arrow "low (isa) links high (simulator)" "
kiln_library(high LAYER simulator SOURCES empty.cpp)
kiln_library(low LAYER isa SOURCES empty.cpp)
target_link_libraries(low PRIVATE high)
")
configure(unknown_layer "unknown layer 'cellar'" "
add_library_of(low cellar)
")
