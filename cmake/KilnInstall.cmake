# SPDX-License-Identifier: Apache-2.0
# The installed runtime, for programs of others:
#
#   find_package(Kiln REQUIRED)
#   target_link_libraries(my_program Kiln::runtime)
#
# Kiln::runtime is kiln_hal_drivers with everything it links. Headers keep
# their repo-rooted names below include/kiln.
include(CMakePackageConfigHelpers)

# Every Kiln library that `name` links, itself included, into `result`.
function(kiln_closure name result)
  set(found ${name})
  set(queue ${name})
  while(queue)
    list(POP_FRONT queue target)
    get_target_property(links ${target} INTERFACE_LINK_LIBRARIES)
    foreach(link IN LISTS links)
      string(REGEX REPLACE "^\\$<LINK_ONLY:(.*)>$" "\\1" link "${link}")
      if(TARGET "${link}" AND NOT link IN_LIST found)
        get_target_property(layer ${link} KILN_LAYER)
        if(layer)
          list(APPEND found ${link})
          list(APPEND queue ${link})
        endif()
      endif()
    endforeach()
  endwhile()
  set(${result} ${found} PARENT_SCOPE)
endfunction()

function(kiln_install_runtime)
  kiln_closure(kiln_hal_drivers libraries)
  set_target_properties(kiln_hal_drivers PROPERTIES EXPORT_NAME runtime)
  install(TARGETS ${libraries} EXPORT KilnTargets ARCHIVE DESTINATION lib)
  install(EXPORT KilnTargets NAMESPACE Kiln:: DESTINATION lib/cmake/Kiln)
  configure_package_config_file(cmake/KilnConfig.cmake.in KilnConfig.cmake
    INSTALL_DESTINATION lib/cmake/Kiln)
  write_basic_package_version_file(KilnConfigVersion.cmake
    COMPATIBILITY SameMinorVersion)
  install(FILES ${PROJECT_BINARY_DIR}/KilnConfig.cmake
    ${PROJECT_BINARY_DIR}/KilnConfigVersion.cmake
    DESTINATION lib/cmake/Kiln)
  foreach(header
      isa/arch/arch_spec.h isa/codec/machine_types.h isa/support/sha256.h
      isa/support/status.h hal/drivers/all/all.h)
    get_filename_component(folder ${header} DIRECTORY)
    install(FILES ${PROJECT_SOURCE_DIR}/${header}
      DESTINATION include/kiln/${folder})
  endforeach()
  install(DIRECTORY hal/api hal/format DESTINATION include/kiln/hal
    FILES_MATCHING PATTERN "*.h" PATTERN package_index.h EXCLUDE)
endfunction()
