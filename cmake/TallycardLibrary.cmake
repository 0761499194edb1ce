# tallycard_library(NAME): the libraries tallycard::NAME (shared) and tallycard::NAME_static, made of
# one compilation. Rooms add their sources to the target tallycard_NAME_objects. Tests link the
# static one, since it shows what the shared one hides.
function(tallycard_library name)
    set(objects tallycard_${name}_objects)
    add_library(${objects} OBJECT)
    target_compile_features(${objects} PUBLIC cxx_std_20)
    target_link_libraries(${objects} PRIVATE tallycard_warnings tallycard_hardening)
    target_include_directories(${objects} PUBLIC $<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}/include>)
    set_target_properties(${objects} PROPERTIES
        CXX_EXTENSIONS OFF
        POSITION_INDEPENDENT_CODE ON
        CXX_VISIBILITY_PRESET hidden
        VISIBILITY_INLINES_HIDDEN ON)

    foreach(kind IN ITEMS SHARED STATIC)
        set(target tallycard_${name})
        set(export ${name})
        if(kind STREQUAL STATIC)
            string(APPEND target _static)
            string(APPEND export _static)
        endif()
        add_library(${target} ${kind} $<TARGET_OBJECTS:${objects}>)
        add_library(tallycard::${export} ALIAS ${target})
        target_compile_features(${target} PUBLIC cxx_std_20)
        target_include_directories(${target} PUBLIC
            $<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}/include>
            $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>)
        set_target_properties(${target} PROPERTIES
            LINKER_LANGUAGE CXX
            OUTPUT_NAME tallycard-${name}
            EXPORT_NAME ${export}
            INSTALL_RPATH "$ORIGIN"
            VERSION ${PROJECT_VERSION}
            SOVERSION ${PROJECT_VERSION_MAJOR}.${PROJECT_VERSION_MINOR})
    endforeach()
    tallycard_harden(tallycard_${name})
endfunction()

# tallycard_link(NAME PUBLIC|PRIVATE target...): what both forms of a library are linked with. A
# library of ours is named without its form: card, issuer, virtual.
function(tallycard_link name scope)
    foreach(dependency IN LISTS ARGN)
        if(TARGET tallycard_${dependency}_objects)
            target_link_libraries(tallycard_${name} ${scope} tallycard_${dependency})
            target_link_libraries(tallycard_${name}_static ${scope} tallycard_${dependency}_static)
        else()
            target_link_libraries(tallycard_${name}_objects PRIVATE ${dependency})
            target_link_libraries(tallycard_${name} ${scope} ${dependency})
            target_link_libraries(tallycard_${name}_static ${scope} ${dependency})
        endif()
    endforeach()
endfunction()
