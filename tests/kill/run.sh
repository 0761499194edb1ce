#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# run.sh [--rounds N] [--seed S] [--audit N]: the long form of the tests here, without sanitizers.
# N rounds (2000) of real operations through pcscd with a process killed in each, an audit after
# every N of them (20); then a cut at every call that changes a file, and every call that fails.
set -eu

cd "$(dirname "$0")/../.."
cmake/packages.sh build run test
cmake --preset dev -B build/kill -G Ninja
cmake --build build/kill --target kill_loop cut_tests fail_tests
TALLYCARD_IFD=$PWD/build/kill/readers/ifd/libifdtallycard.so \
    tests/integration/private_pcscd.sh --no-daemon --driver tallycard \
    build/kill/tests/kill/kill_loop --rounds 2000 "$@"
[ ! -d /dev/shm ] || export TMPDIR=/dev/shm
TALLYCARD_CUTS=all build/kill/tests/kill/cut_tests
build/kill/tests/kill/fail_tests
