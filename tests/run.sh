#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# run.sh [CTEST-ARGUMENT...]: installs what is missing, builds everything with g++ and the address
# and undefined-behaviour sanitizers, and runs all tests. Arguments go to ctest: -L card, -R replay.
#
# run.sh --qemu [CTEST-ARGUMENT...]: the tests with a virtual machine instead. Without sanitizers:
# everything in it is slow enough.
#
# run.sh --proofs [CTEST-ARGUMENT...]: the model, walks of it on the code, and the simulated world
# instead, without sanitizers.
set -eu

cd "$(dirname "$0")/.."
if [ "${1-}" = --qemu ]; then
    shift
    cmake/packages.sh build test qemu
    cmake --preset release -B build/qemu -G Ninja -DTALLYCARD_BUILD_QEMU_TEST=ON \
        -DTALLYCARD_BUILD_BENCH=OFF
    cmake --build build/qemu --target tallycard tallycard-vicc conformance_tests
    exec ctest --test-dir build/qemu --output-on-failure -L qemu "$@"
fi
if [ "${1-}" = --proofs ]; then
    shift
    cmake/packages.sh build test proofs
    cmake --preset dev -B build/proofs -G Ninja -DTALLYCARD_BUILD_PROOFS=ON
    cmake --build build/proofs --target model_replay tallycard_simulation simulation_tests
    exec ctest --test-dir build/proofs --output-on-failure -L 'model|simulation' "$@"
fi
cmake/packages.sh build run test
cmake --preset sanitize -G Ninja
cmake --build build/sanitize
exec ctest --test-dir build/sanitize --output-on-failure -j2 "$@"
