#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# run.sh [CTEST-ARGUMENT...]: installs what is missing, builds everything with g++ and the address
# and undefined-behaviour sanitizers, and runs all tests. Arguments go to ctest: -L card, -R replay.
#
# run.sh --qemu [CTEST-ARGUMENT...]: the tests with a virtual machine instead. Without sanitizers:
# everything in it is slow enough.
#
# run.sh --threads [CTEST-ARGUMENT...]: the thread sanitizer instead, over readers, monitors, driver,
# platform, auditor, service, witness and chain: everything that has threads.
#
# run.sh --valgrind [CATCH2-ARGUMENT...]: the unit tests under memcheck instead, leaks included, and
# that no branch and no index depends on a secret.
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
if [ "${1-}" = --threads ]; then
    shift
    cmake/packages.sh build run test chain
    tests/chain/tools.sh build/thread
    cmake --preset thread -G Ninja
    cmake --build build/thread --target conformance_tests pcsc_tests ifd_driver_tests \
        decorator_tests ifd_tests loopback_tests monitor_tests threads_tests vpcd_tests \
        service_tests witness_tests chain_tests
    # Races of pcscd itself, which is built without it, are not ours; one of our driver in it ends it.
    export TSAN_OPTIONS="halt_on_error=1 ignore_noninstrumented_modules=1 die_after_fork=0 second_deadlock_stack=1 suppressions=$PWD/tests/service/httplib.supp"
    exec ctest --test-dir build/thread --output-on-failure \
        -L '^(conformance|pcsc|decorator|ifd|loopback|monitor|threads|vpcd|service|witness|chain)$' \
        -E '^(service|chain): |^https:' "$@"
fi
if [ "${1-}" = --valgrind ]; then
    shift
    cmake/packages.sh build test
    cmake --preset dev -G Ninja
    rooms="terminal applet issuer ledger card crypto decorator ifd loopback monitor protocol threads vpcd witness"
    # shellcheck disable=SC2086
    cmake --build build/dev --target secrets $(printf '%s_tests ' $rooms)
    ctest --test-dir build/dev --output-on-failure -j2 -L '^secrets$'
    # A test that counts allocations with an operator new of its own keeps it (nouserintercepts).
    # shellcheck disable=SC2086
    printf '%s\n' $rooms | xargs -P 2 -I '{}' valgrind --quiet --error-exitcode=9 \
        --soname-synonyms=somalloc=nouserintercepts \
        --leak-check=full --errors-for-leak-kinds=definite,indirect,possible \
        "build/dev/tests/unit/{}_tests" "$@"
    exit 0
fi
cmake/packages.sh build run test chain
tests/chain/tools.sh build/sanitize
cmake --preset sanitize -G Ninja
cmake --build build/sanitize
exec ctest --test-dir build/sanitize --output-on-failure -j2 "$@"
