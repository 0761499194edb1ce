#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# coverage.sh: builds the unit tests with the branches of the money core counted, runs them, and
# prints the table. Fails where a line or branch was never taken.
#
# coverage.sh --simulation SEEDS: the same count for the simulated world alone. Reports, and does
# not fail for what a world never comes to.
set -eu

cd "$(dirname "$0")/.."
cmake/packages.sh build test coverage
build=build/coverage
cmake --preset dev -B $build -G Ninja -DTALLYCARD_COVERAGE=ON -DTALLYCARD_BUILD_PROOFS=ON \
    -DTALLYCARD_BUILD_BENCH=OFF -DTALLYCARD_BUILD_PROGRAMS=OFF
least=100
if [ "${1-}" = --simulation ]; then
    least=0
    cmake --build $build --target tallycard_simulation
    find $build -name '*.gcda' -delete
    $build/tests/simulation/tallycard_simulation --seeds "$2" --no-probes
else
    cmake --build $build --target applet_tests issuer_tests terminal_tests
    find $build -name '*.gcda' -delete
    for area in applet issuer terminal; do $build/tests/unit/${area}_tests; done
fi
# Branches that only an exception takes are the compiler's: the library throws none of its own. Nor
# does a broken contract come back, to be counted.
exec gcovr --root . --filter 'src/' --filter 'virtual-card/' --exclude '.*\.hpp' \
    --exclude-throw-branches --exclude-unreachable-branches \
    --exclude-branches-by-pattern '.*TALLYCARD_EXPECTS\(.*' \
    --branches --fail-under-branch $least --fail-under-line $least $build
