#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The first C++ block of README.md is examples/top_up.cpp, byte for byte.
set -eu

cd "$(dirname "$0")/../.."
block=$(mktemp)
trap 'rm -f "$block"' EXIT

awk '/^```cpp$/ { inside = 1; next } inside && /^```$/ { exit } inside' README.md >"$block"
diff -u examples/top_up.cpp "$block" || {
    echo "readme_test: put examples/top_up.cpp into README.md as it is" >&2
    exit 1
}
