# SPDX-License-Identifier: Apache-2.0
# Target helpers and the layering check.
#
# Every target of the project belongs to one layer, the top folder it lives in.
# A layer may link only against the layers listed for it here; a link against
# the arrow stops the configuration. The check walks all targets after every
# folder was read, so a plain target_link_libraries() is checked as well.

set(KILN_LAYERS isa hal_format simulator hal hal_driver_npu compiler
    compiler_target tik_dsl ops tools tests)

set(KILN_MAY_LINK_isa isa)
set(KILN_MAY_LINK_hal_format hal_format isa)
set(KILN_MAY_LINK_simulator simulator isa)
set(KILN_MAY_LINK_hal hal hal_format isa)
set(KILN_MAY_LINK_hal_driver_npu hal_driver_npu hal hal_format isa simulator)
set(KILN_MAY_LINK_compiler compiler isa)
set(KILN_MAY_LINK_compiler_target compiler_target compiler hal_format isa)
set(KILN_MAY_LINK_tik_dsl tik_dsl compiler compiler_target isa)
set(KILN_MAY_LINK_ops ops tik_dsl compiler isa)
set(KILN_MAY_LINK_tools ${KILN_LAYERS})
list(REMOVE_ITEM KILN_MAY_LINK_tools tests)
set(KILN_MAY_LINK_tests ${KILN_LAYERS})

# kiln_library(NAME LAYER layer SOURCES a.cpp ... [LINKS lib ...] [MLIR])
#
# A static library. MLIR: a source of the compiler; uses the precompiled header
# and links libMLIR and libLLVM (the shared ones, nothing else of LLVM).
function(kiln_library name)
  cmake_parse_arguments(ARG "MLIR;INTERFACE" "LAYER" "SOURCES;LINKS" ${ARGN})
  if(ARG_INTERFACE)
    add_library(${name} INTERFACE)
    target_link_libraries(${name} INTERFACE ${ARG_LINKS})
    target_compile_features(${name} INTERFACE cxx_std_20)
    kiln_include_folders(${name} INTERFACE)
    kiln_set_layer(${name} ${ARG_LAYER})
    return()
  endif()
  add_library(${name} STATIC ${ARG_SOURCES})
  target_link_libraries(${name} PUBLIC ${ARG_LINKS})
  kiln_own_target(${name} ${ARG_LAYER})
  if(ARG_MLIR)
    kiln_use_mlir(${name})
  endif()
endfunction()

# kiln_executable(NAME LAYER layer SOURCES ... [LINKS ...] [MLIR])
function(kiln_executable name)
  cmake_parse_arguments(ARG "MLIR" "LAYER" "SOURCES;LINKS" ${ARGN})
  add_executable(${name} ${ARG_SOURCES})
  target_link_libraries(${name} PRIVATE ${ARG_LINKS})
  kiln_own_target(${name} ${ARG_LAYER})
  if(ARG_MLIR)
    kiln_use_mlir(${name})
  endif()
endfunction()

add_custom_target(kiln_tests_asan)
add_custom_target(kiln_tests_tsan)

# kiln_test(NAME SOURCES ... [LINKS ...] [MLIR] [LABELS quick|full|long ...]
#           [TIMEOUT seconds] [SEEDS times])
#
# A GoogleTest program, registered as one ctest test. Runs in the source
# folder, so tests name files relative to the repository root.
#
# SEEDS: the test takes its seeds from tests/support/seeds.h; NAME_long, of the
# long set, runs it with that many times the seeds, from a random place.
#
# A folder whose tests are also run under sanitizers sets KILN_SANITIZERS to
# asan, tsan or both before its tests: each name becomes a label of the test,
# and the target kiln_tests_<name> builds the tests that carry it.
function(kiln_test name)
  cmake_parse_arguments(ARG "MLIR" "TIMEOUT;SEEDS" "SOURCES;LINKS;LABELS"
    ${ARGN})
  set(mlir)
  if(ARG_MLIR)
    set(mlir MLIR)
  endif()
  set(main GTest::gtest_main)
  if(ARG_SEEDS)
    set(main kiln_test_seeds)
    add_test(NAME ${name}_long
      COMMAND ${name} --times=${ARG_SEEDS} --first-seed=random
      WORKING_DIRECTORY ${PROJECT_SOURCE_DIR})
    set_tests_properties(${name}_long PROPERTIES LABELS long TIMEOUT 7200)
  endif()
  kiln_executable(${name} LAYER tests SOURCES ${ARG_SOURCES}
    LINKS ${ARG_LINKS} GTest::gtest ${main} GTest::gmock ${mlir})
  set_target_properties(${name} PROPERTIES
    RUNTIME_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/tests)
  add_test(NAME ${name} COMMAND ${name}
    WORKING_DIRECTORY ${PROJECT_SOURCE_DIR})
  if(NOT ARG_LABELS)
    set(ARG_LABELS quick)
  endif()
  if(NOT ARG_TIMEOUT)
    set(ARG_TIMEOUT 300)
  endif()
  list(APPEND ARG_LABELS ${KILN_SANITIZERS})
  set_tests_properties(${name} PROPERTIES LABELS "${ARG_LABELS}"
    TIMEOUT ${ARG_TIMEOUT})
  foreach(sanitizer IN LISTS KILN_SANITIZERS)
    add_dependencies(kiln_tests_${sanitizer} ${name})
  endforeach()
endfunction()

function(kiln_own_target name layer)
  kiln_set_layer(${name} ${layer})
  target_compile_features(${name} PUBLIC cxx_std_20)
  kiln_include_folders(${name} PUBLIC)
  target_compile_options(${name} PRIVATE
    -Wall -Wextra -Wno-unused-parameter -Werror -ffp-contract=off)
endfunction()

# Includes are repo-rooted: in the tree, in the build folder (generated
# headers), and under include/kiln when installed.
function(kiln_include_folders name scope)
  target_include_directories(${name} ${scope}
    $<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}>
    $<BUILD_INTERFACE:${PROJECT_BINARY_DIR}>
    $<INSTALL_INTERFACE:include/kiln>)
endfunction()

function(kiln_set_layer name layer)
  if(NOT layer IN_LIST KILN_LAYERS)
    message(FATAL_ERROR
      "target '${name}': unknown layer '${layer}'; one of: ${KILN_LAYERS}")
  endif()
  set_property(GLOBAL APPEND PROPERTY KILN_TARGETS ${name})
  set_property(TARGET ${name} PROPERTY KILN_LAYER ${layer})
endfunction()

function(kiln_use_mlir name)
  if(NOT TARGET kiln_mlir_pch)
    message(FATAL_ERROR "target '${name}' uses MLIR but KILN_COMPILER is OFF")
  endif()
  target_include_directories(${name} SYSTEM PRIVATE
    ${MLIR_INCLUDE_DIRS} ${LLVM_INCLUDE_DIRS})
  target_link_libraries(${name} PRIVATE MLIR LLVM)
  # An executable's -fPIE would not match the precompiled header's -fPIC.
  get_target_property(type ${name} TYPE)
  if(type STREQUAL "EXECUTABLE")
    set_target_properties(${name} PROPERTIES POSITION_INDEPENDENT_CODE OFF)
    target_compile_options(${name} PRIVATE -fPIC)
  endif()
  target_precompile_headers(${name} REUSE_FROM kiln_mlir_pch)
endfunction()

# Called once, after all folders: fails when a link goes against the arrow.
function(kiln_check_layers)
  get_property(targets GLOBAL PROPERTY KILN_TARGETS)
  set(errors "")
  foreach(target IN LISTS targets)
    get_target_property(layer ${target} KILN_LAYER)
    get_target_property(type ${target} TYPE)
    set(links "")
    if(NOT type STREQUAL "INTERFACE_LIBRARY")
      get_target_property(links ${target} LINK_LIBRARIES)
    endif()
    get_target_property(interface_links ${target} INTERFACE_LINK_LIBRARIES)
    foreach(link IN LISTS links interface_links)
      string(REGEX REPLACE "^\\$<LINK_ONLY:(.*)>$" "\\1" link "${link}")
      if(NOT TARGET "${link}")
        continue()
      endif()
      get_target_property(other ${link} KILN_LAYER)
      if(other AND NOT other IN_LIST KILN_MAY_LINK_${layer})
        string(APPEND errors
          "  ${target} (${layer}) links ${link} (${other}); "
          "${layer} may link: ${KILN_MAY_LINK_${layer}}\n")
      endif()
    endforeach()
  endforeach()
  if(errors)
    message(FATAL_ERROR "links against the arrow of the layers:\n${errors}")
  endif()
endfunction()
