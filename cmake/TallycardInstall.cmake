# Headers, libraries, CMake package and pkg-config files, all relocatable.
include(CMakePackageConfigHelpers)

set(components card virtual)
if(TALLYCARD_BUILD_ISSUER)
    list(APPEND components issuer)
endif()
if(TALLYCARD_BUILD_SERVICE)
    list(APPEND components https)
endif()

# The headers of optional parts only with them.
set(without_headers "")
if(NOT TALLYCARD_BUILD_PKCS11)
    list(APPEND without_headers PATTERN "pkcs11_*.hpp" EXCLUDE)
endif()
if(NOT TALLYCARD_BUILD_POSTGRES)
    list(APPEND without_headers PATTERN postgres_store.hpp EXCLUDE)
endif()
install(DIRECTORY ${PROJECT_SOURCE_DIR}/include/tallycard DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}
    ${without_headers})

set(package_dir ${CMAKE_INSTALL_LIBDIR}/cmake/tallycard)
foreach(component IN LISTS components)
    install(TARGETS tallycard_${component} tallycard_${component}_static EXPORT tallycard-targets)
endforeach()
install(EXPORT tallycard-targets NAMESPACE tallycard:: DESTINATION ${package_dir})
configure_package_config_file(${PROJECT_SOURCE_DIR}/cmake/tallycard-config.cmake.in
    ${PROJECT_BINARY_DIR}/tallycard-config.cmake INSTALL_DESTINATION ${package_dir})
write_basic_package_version_file(${PROJECT_BINARY_DIR}/tallycard-config-version.cmake
    COMPATIBILITY SameMinorVersion)
install(FILES ${PROJECT_BINARY_DIR}/tallycard-config.cmake
    ${PROJECT_BINARY_DIR}/tallycard-config-version.cmake DESTINATION ${package_dir})

# What a static link needs besides: Requires.private, for `pkg-config --static`.
set(card_requires "")
set(card_requires_private "libsodium, libpcsclite")
set(virtual_requires "tallycard-card")
set(virtual_requires_private "libsodium")
set(issuer_requires "tallycard-card")
set(issuer_requires_private "libsodium, sqlite3")
# libpq's own file asks for what Debian has no libraries of.
if(TALLYCARD_BUILD_POSTGRES)
    set(issuer_libs_private "-lpq")
endif()
set(https_requires "tallycard-card")
set(https_requires_private "cpp-httplib, openssl")
set(card_description "cards, readers and terminals")
set(virtual_description "virtual cards in this process")
set(issuer_description "the issuer's platform")
set(https_description "the client of the issuer's service")
file(RELATIVE_PATH prefix_from_pc
    ${CMAKE_INSTALL_PREFIX}/${CMAKE_INSTALL_LIBDIR}/pkgconfig ${CMAKE_INSTALL_PREFIX})
string(REGEX REPLACE "/$" "" prefix_from_pc ${prefix_from_pc})
foreach(component IN LISTS components)
    set(requires ${${component}_requires})
    set(requires_private ${${component}_requires_private})
    set(libs_private ${${component}_libs_private})
    set(description ${${component}_description})
    configure_file(${PROJECT_SOURCE_DIR}/cmake/tallycard.pc.in
        ${PROJECT_BINARY_DIR}/tallycard-${component}.pc @ONLY)
    install(FILES ${PROJECT_BINARY_DIR}/tallycard-${component}.pc
        DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
endforeach()
