#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# install_test.sh SOURCE BUILD: installs into a scratch prefix, moves that elsewhere, and builds and
# runs a consumer with find_package, with pkg-config (shared and static), and with add_subdirectory.
set -eu

source=$1
build=$2
flags=$(sed -n 's/^CMAKE_CXX_FLAGS:[A-Z]*=//p' "$build/CMakeCache.txt")
consumer=$source/tests/integration/consumer
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

cmake --install "$build" --prefix "$work/first" >"$work/log"
mv "$work/first" "$work/moved"
prefix=$work/moved
lib=$(dirname "$(find "$prefix" -name libtallycard-card.so)")

find "$prefix" -type f \( -name '*.cmake' -o -name '*.pc' -o -name '*.hpp' \) \
    -exec grep -lE "$work|$source|Werror" {} + && {
    echo "an installed file names a folder of the build, or a flag of ours" >&2
    exit 1
}
readelf -d "$lib/libtallycard-card.so" | grep -q 'SONAME.*libtallycard-card.so.0.1'
if nm -DC --defined-only "$lib/libtallycard-card.so" | grep -q 'sodium\|tallycard::contact::'; then
    echo "the shared library shows what is not its interface" >&2
    exit 1
fi
"$prefix/bin/tallycard" --version

driver=$(find "$prefix" -name libifdtallycard.so)
if [ -n "$driver" ]; then
    echo "== driver for pcscd"
    if nm -DC --defined-only "$driver" | grep -v ' IFDH[A-Za-z]*$'; then
        echo "the driver shows what is not its interface" >&2
        exit 1
    fi
    if readelf -d "$driver" | grep 'NEEDED.*\(tallycard\|pcsc\)'; then
        echo "the driver does not stand alone" >&2
        exit 1
    fi
    entry=$prefix/etc/reader.conf.d/tallycard
    grep -q "^LIBPATH *$work/first/lib/pcsc/drivers/serial/libifdtallycard.so$" "$entry"
    config=$(sed -n 's/^DEVICENAME *tallycard://p' "$entry")
    [ -f "$prefix/${config#"$work/first/"}" ]
fi

echo "== find_package"
cmake -S "$consumer" -B "$work/found" -G Ninja -DCMAKE_PREFIX_PATH="$prefix" \
    -DCMAKE_CXX_FLAGS="$flags" >"$work/log" || { cat "$work/log"; exit 1; }
cmake --build "$work/found" >"$work/log" || { cat "$work/log"; exit 1; }
(cd "$work" && found/consumer && found/consumer_static)

echo "== pkg-config"
export PKG_CONFIG_PATH="$lib/pkgconfig"
# shellcheck disable=SC2046,SC2086
c++ -std=c++20 $flags "$consumer/main.cpp" -o "$work/linked" \
    $(pkg-config --cflags --libs tallycard-issuer)
(cd "$work" && LD_LIBRARY_PATH="$lib" ./linked)
rm "$lib"/libtallycard-*.so*
# shellcheck disable=SC2046,SC2086
c++ -std=c++20 $flags "$consumer/main.cpp" -o "$work/linked" \
    $(pkg-config --static --cflags --libs tallycard-issuer)
(cd "$work" && ./linked)

echo "== add_subdirectory"
cmake -S "$consumer" -B "$work/inside" -G Ninja -DTALLYCARD_SOURCE="$source" \
    -DCMAKE_CXX_FLAGS="-O0" >"$work/log" || { cat "$work/log"; exit 1; }
if grep -q 'BUILD_TESTS:BOOL=ON' "$work/inside/CMakeCache.txt"; then
    echo "a consumer was made to build our tests" >&2
    exit 1
fi
cmake --build "$work/inside" --target consumer >"$work/log" || { cat "$work/log"; exit 1; }
(cd "$work" && inside/consumer)
