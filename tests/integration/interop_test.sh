#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# interop_test.sh BUILD: programs that are not ours talk to cards that tallycard issued, T=1 and T=0.
# Run by private_pcscd.sh. 77 where they are not installed.
set -eu

skip()
{
    echo "interop: skipped: $*" >&2
    exit 77
}

for program in opensc-tool scriptor; do
    command -v "$program" >/dev/null || skip "no $program"
done
# The system's Python has the distribution's pyscard, whichever comes first in PATH.
for python in python3 /usr/bin/python3; do
    if "$python" -c 'import smartcard' 2>/dev/null; then
        exec "$python" "$(dirname "$0")/interop_test.py" "$1"
    fi
done
skip "no pyscard"
