# SPDX-License-Identifier: Apache-2.0
# `cmake --install` gives a prefix that works alone: the program, its examples,
# operators in C++, and a program of others that links the runtime. Everything
# runs in an empty folder with an empty environment.
#
#   cmake -DBUILD=<build folder> -DWORK=<scratch> -DSOURCE=<repository>
#         -DCOMPILER=<c++> -P install_test.cmake
set(prefix ${WORK}/prefix)
set(empty ${WORK}/empty)
set(share ${prefix}/share/kiln)
file(REMOVE_RECURSE ${WORK})
file(MAKE_DIRECTORY ${empty})

# run(command...): in the empty folder; stops the test when it fails.
function(run)
  execute_process(COMMAND env -i PATH=/usr/bin:/bin ${ARGN}
    WORKING_DIRECTORY ${empty} OUTPUT_VARIABLE output ERROR_VARIABLE output
    RESULT_VARIABLE code)
  if(NOT code EQUAL 0)
    list(JOIN ARGN " " command)
    message(FATAL_ERROR "${command}: exit ${code}: ${output}")
  endif()
  set(output "${output}" PARENT_SCOPE)
endfunction()

run(${CMAKE_COMMAND} --install ${BUILD} --prefix ${prefix})
execute_process(COMMAND readelf -d ${prefix}/bin/kiln OUTPUT_VARIABLE dynamic)
if(dynamic MATCHES "${BUILD}")
  message(FATAL_ERROR "the installed kiln names the build folder: ${dynamic}")
endif()

set(kiln ${prefix}/bin/kiln)
run(${kiln} --version)
run(${kiln} devices)
run(${kiln} asm ${share}/examples/vadd.s -o vadd.elf)
run(${kiln} dis vadd.elf)

set(digits ${share}/examples/digits)
foreach(target cpu npu)
  run(${kiln} compile ${digits}/digits.onnx --target ${target}
    -o ${target}.kiln)
endforeach()
foreach(device cpu npu:functional npu:cycle)
  string(REGEX REPLACE ":.*" "" target ${device})
  run(${kiln} run ${target}.kiln --device ${device}
    --input image=${digits}/digit_7.npy)
  run(${kiln} verify ${digits}/digits.onnx --device ${device})
endforeach()

run(${kiln} test-op ${share}/examples/01_vector_add.cpp --shape N=5000)
run(${kiln} test-op ${share}/examples/02_matmul.cpp --shape M=65,N=40,K=48)
run(${kiln} new-op my_op)
run(${kiln} test-op my_op.cpp)
run(${kiln} test-op my_op.cpp --shape N=5000 --knobs tile=2048,slots=2)
run(${kiln} compile ${digits}/digits.onnx --ops my_op.cpp -o with_ops.kiln)

# A model with an operator of the examples: its body on the CPU, its kernel on
# the NPU. Both round one sum, so the bits are equal.
set(custom ${SOURCE}/tests/install/custom.onnx)
set(vector_add ${share}/examples/01_vector_add.cpp)
foreach(target cpu npu)
  run(${kiln} compile ${custom} --ops ${vector_add} --target ${target}
    -o custom_${target}.kiln)
endforeach()
foreach(device cpu npu:functional npu:cycle)
  string(REGEX REPLACE ":.*" "" target ${device})
  string(REPLACE ":" "_" name ${device})
  run(${kiln} run custom_${target}.kiln --device ${device}
    --input x=random:f16:1:300 --output y=${name}.npy)
  run(${CMAKE_COMMAND} -E compare_files cpu.npy ${name}.npy)
endforeach()

# A program of others.
run(${CMAKE_COMMAND} -S ${SOURCE}/tests/install/consumer -B consumer
  -DCMAKE_CXX_COMPILER=${COMPILER} -DCMAKE_PREFIX_PATH=${prefix})
run(${CMAKE_COMMAND} --build consumer)
foreach(device cpu npu:functional)
  string(REGEX REPLACE ":.*" "" target ${device})
  run(consumer/consumer ${device} ${target}.kiln ${digits}/digit_7.npy)
  if(NOT output STREQUAL "7\n")
    message(FATAL_ERROR "the consumer on ${device} prints '${output}'")
  endif()
endforeach()
