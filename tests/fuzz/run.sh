#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# run.sh [--seconds N] [--no-coverage] [TARGET...]: fuzzes each target, or those that are named, for
# N seconds (60), adds to tests/fuzz/corpus/ what reaches more code, made as small as it gets, and
# prints what the corpus alone reaches of the code that meets bytes from strangers. With
# --seconds 0 it only prints that. Stops at the first finding, whose input it names.
set -eu

usage()
{
    echo "usage: tests/fuzz/run.sh [--seconds N] [--no-coverage] [TARGET...]" >&2
    exit 64
}

seconds=60 coverage=yes
while [ $# -gt 0 ]; do
    case $1 in
    --seconds)
        [ $# -ge 2 ] || usage
        seconds=$2
        shift 2
        ;;
    --no-coverage)
        coverage=no
        shift
        ;;
    -*) usage ;;
    *) break ;;
    esac
done

cd "$(dirname "$0")/../.."
cmake/packages.sh build test lint fuzz
[ $# -gt 0 ] || set -- $(cd tests/fuzz && ls ./*_fuzz.cpp | sed 's|^\./||; s|_fuzz\.cpp$||')
found=$PWD/build/fuzz/found
export ASAN_OPTIONS=quarantine_size_mb=8
# Counting is for coverage.py alone.
export LLVM_PROFILE_FILE=/dev/null
targets=
for name in "$@"; do targets="$targets ${name}_fuzz"; done

# As few files as reach every place that any of them does are kept, whatever the counters say; and
# the seeds that people wrote. Those that the fuzzer made are named by their SHA-1.
keep_what_helps()
{
    kept=$(mktemp -d)
    ASAN_OPTIONS=$ASAN_OPTIONS:symbolize=0 "$program" -set_cover_merge=1 -use_counters=0 -print_funcs=0 \
        "$kept" "$scratch" "$corpus" >"$log.merge" 2>&1
    for file in "$corpus"/*; do
        case ${file##*/} in
        *[!0-9a-f]*) ;;
        ????????????????????????????????????????) rm "$file" ;;
        esac
    done
    written=$(sha1sum "$corpus"/* 2>/dev/null | cut -d ' ' -f 1)
    for file in "$kept"/*; do
        case $written in
        *"${file##*/}"*) ;;
        *) cp "$file" "$corpus/" ;;
        esac
    done
    rm -r "$kept"
}

fuzz()
{
    for name in "$@"; do
        program=build/fuzz/tests/fuzz/${name}_fuzz corpus=tests/fuzz/corpus/$name
        scratch=build/fuzz/scratch/$name log=build/fuzz/$name.log
        dictionary=tests/fuzz/dictionaries/$name
        mkdir -p "$scratch" "$corpus" "$found"
        set -- -max_total_time="$seconds" -timeout=20 -print_final_stats=1 -print_funcs=0
        [ ! -f "$dictionary" ] || set -- "$@" "-dict=$dictionary"
        if ! "$program" "$@" "-artifact_prefix=$found/$name-" "$scratch" "$corpus" \
            >"$log" 2>&1; then
            tail -n 40 "$log" >&2
            exit 1
        fi
        keep_what_helps
        sed -n 's/^stat::number_of_executed_units: *\([0-9]*\)/\1 executions/p' "$log" |
            sed "s/^/$name: /; s/\$/ in $seconds s, nothing found/"
    done
}

[ $coverage = no ] || targets=fuzzers
cmake -S . -B build/fuzz -G Ninja -DCMAKE_BUILD_TYPE=Debug -DCMAKE_CXX_COMPILER=clang++-14 \
    -DTALLYCARD_BUILD_BENCH=OFF -DTALLYCARD_BUILD_PROGRAMS=OFF -DTALLYCARD_BUILD_FUZZERS=ON \
    "-DCMAKE_CXX_FLAGS=-O1 -D_GLIBCXX_ASSERTIONS -fprofile-instr-generate -fcoverage-mapping" \
    >/dev/null
# shellcheck disable=SC2086
cmake --build build/fuzz --target $targets
[ "$seconds" -eq 0 ] || fuzz "$@"
[ $coverage = no ] || python3 tests/fuzz/coverage.py build/fuzz
