# SPDX-License-Identifier: Apache-2.0
# MLIR, LLVM and lld 22 as packaged by Debian. Only the shared libraries are
# linked: a static LLVM component beside them would give two registries.
set(KILN_LLVM 22 CACHE STRING "LLVM major version")
find_package(MLIR ${KILN_LLVM}.1 REQUIRED CONFIG
  HINTS /usr/lib/llvm-${KILN_LLVM}/lib/cmake/mlir)
find_package(LLD REQUIRED CONFIG
  HINTS /usr/lib/llvm-${KILN_LLVM}/lib/cmake/lld)
list(APPEND CMAKE_MODULE_PATH "${MLIR_CMAKE_DIR}" "${LLVM_CMAKE_DIR}")
include(TableGen)
include(AddLLVM)
include(AddMLIR)
set(CMAKE_RUNTIME_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/bin)
# Tablegen reads the directory property.
include_directories(SYSTEM ${MLIR_INCLUDE_DIRS} ${LLVM_INCLUDE_DIRS})
include_directories(${PROJECT_SOURCE_DIR} ${PROJECT_BINARY_DIR})

# The precompiled header of every compiler source. Generated dialect headers
# stay out of it: an edit of a .td file would rebuild everything.
add_library(kiln_mlir_pch STATIC ${PROJECT_SOURCE_DIR}/compiler/mlir_pch.cpp)
target_precompile_headers(kiln_mlir_pch PRIVATE <compiler/mlir_pch.h>)
kiln_own_target(kiln_mlir_pch compiler)

# Objects that use the precompiled header are found in ccache from any folder:
# the .sum file stands for the header's bytes, which hold absolute paths (for
# which reason the header itself is never taken from ccache), and it is named
# once only, in the one way that ccache makes relative.
set(CMAKE_CXX_COMPILE_OPTIONS_USE_PCH -Xclang -include-pch -Xclang <PCH_FILE>)
set_target_properties(kiln_mlir_pch PROPERTIES CXX_COMPILER_LAUNCHER "")
set(pch_sum "")
foreach(file ${PROJECT_SOURCE_DIR}/compiler/mlir_pch.h
    ${LLVM_INCLUDE_DIRS}/llvm/Config/llvm-config.h
    ${LLVM_INCLUDE_DIRS}/llvm/Support/VCSRevision.h)
  file(SHA256 ${file} sum)
  string(APPEND pch_sum "${sum}\n")
  set_property(DIRECTORY ${PROJECT_SOURCE_DIR} APPEND PROPERTY
    CMAKE_CONFIGURE_DEPENDS ${file})
endforeach()
file(CONFIGURE OUTPUT
  ${CMAKE_CURRENT_BINARY_DIR}/CMakeFiles/kiln_mlir_pch.dir/cmake_pch.hxx.pch.sum
  CONTENT "${pch_sum}" @ONLY)
target_include_directories(kiln_mlir_pch SYSTEM PRIVATE
  ${MLIR_INCLUDE_DIRS} ${LLVM_INCLUDE_DIRS})

# kiln_dialect(NAME prefix TD file.td DIALECT name [TYPES] [ENUMS] [INTERFACES file.td])
#
# Generated headers land in the build folder under the same path and are
# included repo-rooted. Defines
# the target kiln_<dialect>_incgen.
function(kiln_dialect)
  cmake_parse_arguments(ARG "TYPES;ENUMS;ATTRS;INTERFACES" "TD;DIALECT;PREFIX" "" ${ARGN})
  set(LLVM_TARGET_DEFINITIONS ${ARG_TD})
  set(p ${ARG_PREFIX})
  mlir_tablegen(${p}Dialect.h.inc -gen-dialect-decls -dialect=${ARG_DIALECT})
  mlir_tablegen(${p}Dialect.cpp.inc -gen-dialect-defs -dialect=${ARG_DIALECT})
  mlir_tablegen(${p}Ops.h.inc -gen-op-decls -dialect=${ARG_DIALECT})
  mlir_tablegen(${p}Ops.cpp.inc -gen-op-defs -dialect=${ARG_DIALECT})
  if(ARG_TYPES)
    mlir_tablegen(${p}Types.h.inc -gen-typedef-decls -typedefs-dialect=${ARG_DIALECT})
    mlir_tablegen(${p}Types.cpp.inc -gen-typedef-defs -typedefs-dialect=${ARG_DIALECT})
  endif()
  if(ARG_ENUMS)
    mlir_tablegen(${p}Enums.h.inc -gen-enum-decls)
    mlir_tablegen(${p}Enums.cpp.inc -gen-enum-defs)
  endif()
  if(ARG_ATTRS)
    mlir_tablegen(${p}Attrs.h.inc -gen-attrdef-decls -attrdefs-dialect=${ARG_DIALECT})
    mlir_tablegen(${p}Attrs.cpp.inc -gen-attrdef-defs -attrdefs-dialect=${ARG_DIALECT})
  endif()
  if(ARG_INTERFACES)
    mlir_tablegen(${p}OpInterfaces.h.inc -gen-op-interface-decls)
    mlir_tablegen(${p}OpInterfaces.cpp.inc -gen-op-interface-defs)
  endif()
  add_public_tablegen_target(kiln_${ARG_DIALECT}_incgen)
endfunction()
