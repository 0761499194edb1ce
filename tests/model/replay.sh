#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# replay.sh PROGRAM WALKS [FIRST]: replays random walks of the model, with the seeds FIRST (1) and
# up, on the code. PROGRAM is model_replay of the build folder.
set -eu

program=$1 walks=$2 first=${3:-1}
here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

seed=$first
while [ "$seed" -lt $((first + walks)) ]; do
    "$here/walk.sh" "$seed" >"$work/walk-$seed"
    seed=$((seed + 1))
done
"$program" "$work"/walk-*
