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
cd "$folder"
npm ci --omit=optional --ignore-scripts --no-audit --no-fund --loglevel=error
# The program for this machine is in an optional package, which npm leaves out where node is older
# than it asks for, as Debian's is. The program needs none: it is fetched by itself, and checked
# against the lock.
package=$(node -p "const name = '@foundry-rs/anvil-' + process.platform + '-' +
    ({x64: 'amd64', arm64: 'arm64'})[process.arch]
name + '@' + require('./package-lock.json').packages['node_modules/' + name].version")
archive=$(npm pack --loglevel=error "$package")
node -e "const [, name, archive] = process.argv
const expected = require('./package-lock.json').packages['node_modules/' + name].integrity
const hash = require('crypto').createHash('sha512').update(require('fs').readFileSync(archive))
if ('sha512-' + hash.digest('base64') !== expected) throw name + ' is not what the lock says'" \
    "${package%@*}" "$archive"
tar -xzf "$archive" package/bin/anvil
mv package/bin/anvil anvil
rm -r package "$archive"
cp package-lock.json installed
