#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# run.sh [--json]: installs what is missing, builds the benchmarks for release, and runs them all:
# ours beside a floor measured in the same run. Nothing here passes or fails.
# TALLYCARD_BENCH_JOBS: how many compilers at once.
set -eu

cd "$(dirname "$0")/../.."
{
    cmake/packages.sh build run
    cmake --preset release -G Ninja -DTALLYCARD_BUILD_TESTS=OFF -DTALLYCARD_BUILD_BENCH=ON
    cmake --build build/release ${TALLYCARD_BENCH_JOBS:+-j "$TALLYCARD_BENCH_JOBS"} \
        --target apdu_bench card_bench ifd_bench service_bench settle_bench
} >&2
bin=$PWD/build/release/tests/bench
# Not in /tmp, which may be memory: what is durable is to be measured on a disk.
TMPDIR=$bin
export TMPDIR

# Where the kernel puts two processes decides about a factor of two or three between bare loops: what
# goes through pcscd shares one processor with it.
status=0
taskset -c 0 tests/integration/private_pcscd.sh "$bin/apdu_bench" "$@" || status=$?
[ "$status" -ne 77 ] || { "$bin/apdu_bench" "$@"; status=0; }
[ "$status" -eq 0 ] || exit "$status"
build=$PWD/build/release
TALLYCARD_IFD=$build/readers/ifd/libifdtallycard.so TALLYCARD_INSTANT_IFD=$bin/libinstant_ifd.so \
    taskset -c 0 tests/integration/private_pcscd.sh --no-daemon --driver tallycard --driver instant \
    "$bin/ifd_bench" "$@" || [ $? -eq 77 ]
"$bin/card_bench" "$@"
"$bin/settle_bench" "$@"
"$bin/service_bench" "$@"
