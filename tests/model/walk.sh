#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# walk.sh SEED: prints a random walk of the model, one event or state in a line, for replay. With
# odd seeds the world is a poor one, with even seeds one in which payments follow each other.
set -eu

if [ $(($1 % 2)) -eq 1 ]; then
    world="-DSTART=1 -DMAX_BALANCE=2 -DPAYMENTS=6"
else
    world="-DSTART=4 -DMAX_BALANCE=6 -DPAYMENTS=30"
fi
# shellcheck disable=SC2086
exec spin -T "-n$1" -DWALK=250 -DMAX_SEQUENCE=6 -DAMOUNTS=2 -DLOG=16 -DOFFLINE_LIMIT=2 \
    -DSIGNATURES=30 -DREQUESTS=16 $world "$(dirname "$0")/tallycard.pml"
