#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# compile_test.sh NODE SOLC-FOLDER: the committed artefact of the contract, made again, is the same.
set -eu

contract=$(cd "$(dirname "$0")/../../src/evm/contract" && pwd)
made=$(mktemp)
trap 'rm -f "$made"' EXIT
"$1" "$contract/compile.js" "$2" >"$made"
cmp "$made" "$contract/TallycardLedger.json"
