#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# tools.sh FOLDER: installs the node and the compiler of package-lock.json into FOLDER/chain-tools, by
# npm, where they are not there yet. No script of a package is run.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
folder=$1/chain-tools
mkdir -p "$folder"
cmp -s "$here/package-lock.json" "$folder/installed" && exit 0
cp "$here/package.json" "$here/package-lock.json" "$folder/"
npm ci --prefix "$folder" --ignore-scripts --no-audit --no-fund --loglevel=error
# npm keeps its own bin/anvil, which looks for the program of this machine: the tests run that one.
node -p "require.resolve('@foundry-rs/anvil-' + process.platform + '-' +
    ({x64: 'amd64', arm64: 'arm64'})[process.arch] + '/bin/anvil', {paths: ['$folder']})" \
    >"$folder/anvil-path"
ln -sf "$(cat "$folder/anvil-path")" "$folder/anvil"
rm "$folder/anvil-path"
cp "$here/package-lock.json" "$folder/installed"
