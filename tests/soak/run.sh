#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# run.sh [--minutes N] [--cards N]: builds without sanitizers and soaks for an hour, or N minutes:
# payments through a pcscd of its own, with up to six cards and terminals. Prints a table; fails when
# memory or descriptors are not flat.
set -eu

cd "$(dirname "$0")/../.."
cmake/packages.sh build run test
cmake --preset release -B build/soak -G Ninja -DTALLYCARD_BUILD_BENCH=OFF
cmake --build build/soak --target tallycard tallycard-vicc ifdtallycard soak_platform soak_terminal
[ $# -gt 0 ] || set -- --minutes 60
TALLYCARD_IFD=$PWD/build/soak/readers/ifd/libifdtallycard.so \
    PYTHONDONTWRITEBYTECODE=1 exec tests/integration/private_pcscd.sh --driver tallycard \
    --driver vpcd python3 tests/soak/soak.py build/soak "$@"
