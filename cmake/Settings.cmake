# Compiler settings every target shares: the language, the warnings (all errors), the sanitizers of a preset.
set(CMAKE_CXX_STANDARD 23)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
set(CMAKE_RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/bin)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)

option(VOLGROW_TESTS "Build the tests, fuzz targets and benchmarks" ON)
set(VOLGROW_SANITIZE "" CACHE STRING "Sanitizers to build with, e.g. address,undefined or thread")
option(VOLGROW_COVERAGE "Instrument for gcov" OFF)
option(VOLGROW_FUZZERS "Build libFuzzer targets (clang only)" OFF)
# A packager builds without, and so does preset release: it finds out who leans on one of these headers.
option(VOLGROW_PRECOMPILE "Precompile the headers that most sources begin with" OFF)

find_program(CCACHE ccache)
if(CCACHE)
  # What its manual asks for where headers are precompiled.
  set(CMAKE_CXX_COMPILER_LAUNCHER ${CMAKE_COMMAND} -E env CCACHE_SLOPPINESS=pch_defines,time_macros ${CCACHE})
endif()

add_compile_options(-Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wold-style-cast -Werror)
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU" AND CMAKE_BUILD_TYPE STREQUAL "Release")
  # g++ 12 takes the other member of std::expected's and std::optional's union for read, and "text" + std::string for
  # a copy onto itself (PR105651).
  add_compile_options(-Wno-maybe-uninitialized -Wno-restrict)
endif()
if(VOLGROW_SANITIZE STREQUAL "thread")
  # It optimizes with checks in between, and finds yet more of that kind; the other builds refuse what is real.
  add_compile_options(-Wno-error)
endif()
add_compile_definitions(VOLGROW_VERSION="${PROJECT_VERSION}")
include_directories(${CMAKE_SOURCE_DIR})

if(VOLGROW_SANITIZE)
  add_compile_options(-fsanitize=${VOLGROW_SANITIZE} -fno-omit-frame-pointer -fno-sanitize-recover=all)
  add_link_options(-fsanitize=${VOLGROW_SANITIZE})
  # vptr wants the type information of every base, and SOCI's library keeps some of its to itself.
  if(VOLGROW_SANITIZE MATCHES "undefined")
    add_compile_options(-fno-sanitize=vptr)
  endif()
endif()
# -O1, for a run is worth what it tries in its time.
if(VOLGROW_FUZZERS)
  add_compile_options(-fsanitize=fuzzer-no-link -O1)
endif()
if(VOLGROW_COVERAGE)
  add_compile_options(--coverage -fprofile-abs-path)
  add_link_options(--coverage)
endif()
if(CMAKE_BUILD_TYPE STREQUAL "Release")
  add_compile_options(-fstack-protector-strong -D_FORTIFY_SOURCE=2)
  add_link_options(-Wl,-z,relro,-z,now)
endif()

# Most sources begin with these; half of the time of a test's compilation was theirs.
set(common_headers <algorithm> <array> <chrono> <cstdint> <expected> <filesystem> <functional> <map> <memory> <optional>
                   <string> <string_view> <utility> <variant> <vector> <fmt/format.h>)
if(VOLGROW_PRECOMPILE AND CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  add_compile_options(-fpch-preprocess -Winvalid-pch)  # the first for ccache
endif()

# precompiled(TARGET): with the headers above. The first target makes them, the others use what it made.
function(precompiled target)
  if(NOT VOLGROW_PRECOMPILE)
    return()
  endif()
  if(target STREQUAL "volgrow_core")
    target_precompile_headers(volgrow_core PRIVATE ${common_headers})
  else()
    target_precompile_headers(${target} REUSE_FROM volgrow_core)
  endif()
endfunction()
