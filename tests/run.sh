#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# run.sh [CTEST-ARGUMENT...]: installs what is missing, builds everything with g++ and the address
# and undefined-behaviour sanitizers, and runs all tests. Arguments go to ctest: -L card, -R replay.
set -eu

cd "$(dirname "$0")/.."
cmake/packages.sh build run test
cmake --preset sanitize -G Ninja
cmake --build build/sanitize
exec ctest --test-dir build/sanitize --output-on-failure -j2 "$@"
