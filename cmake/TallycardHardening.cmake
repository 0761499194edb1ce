# TALLYCARD_HARDENING: what compiler and linker have against exploits, for our own programs and
# libraries. A consumer's targets get none of it. tests/integration/hardening_test.py looks at what
# is built.
include(CheckCXXCompilerFlag)
include(CheckPIESupported)

add_library(tallycard_hardening INTERFACE)
set(hardening_link_options "")
if(TALLYCARD_HARDENING)
    check_pie_supported(LANGUAGES CXX)
    set(hardening_link_options LINKER:-z,relro,-z,now,-z,noexecstack)
    target_compile_definitions(tallycard_hardening INTERFACE _GLIBCXX_ASSERTIONS)
    foreach(flag IN ITEMS -fstack-protector-strong -fstack-clash-protection -fcf-protection)
        string(MAKE_C_IDENTIFIER "TALLYCARD_HAS${flag}" has)
        check_cxx_compiler_flag(${flag} ${has})
        if(${has})
            target_compile_options(tallycard_hardening INTERFACE ${flag})
        endif()
    endforeach()
    # Without optimisation it does nothing but warn, and some compilers define it by themselves.
    target_compile_options(tallycard_hardening INTERFACE
        $<$<CONFIG:Release,RelWithDebInfo,MinSizeRel>:-U_FORTIFY_SOURCE>
        $<$<CONFIG:Release,RelWithDebInfo,MinSizeRel>:-D_FORTIFY_SOURCE=2>)
endif()

# tallycard_harden(TARGET...): a program or a shared library of ours, its own sources included.
function(tallycard_harden)
    if(NOT TALLYCARD_HARDENING)
        return()
    endif()
    foreach(target IN LISTS ARGN)
        target_link_libraries(${target} PRIVATE $<BUILD_INTERFACE:tallycard_hardening>)
        target_link_options(${target} PRIVATE ${hardening_link_options})
        get_target_property(type ${target} TYPE)
        if(type STREQUAL EXECUTABLE)
            set_target_properties(${target} PROPERTIES POSITION_INDEPENDENT_CODE ON)
        endif()
    endforeach()
endfunction()
