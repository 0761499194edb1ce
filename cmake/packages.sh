#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# packages.sh SET...: installs what is missing of the named sets of Debian packages (build, run,
# test, chain, service, qemu, proofs, coverage, lint, fuzz). Needs root or sudo, and only when
# something is missing.
set -eu

packages()
{
    case $1 in
    build)
        echo g++ make cmake ninja-build pkg-config libpcsclite-dev libsodium-dev libsqlite3-dev \
            libpq-dev libcli11-dev nlohmann-json3-dev libp11-kit-dev libcpp-httplib-dev libssl-dev
        ;;
    run) echo pcscd vsmartcard-vpcd ;;
    test)
        echo catch2 hledger iproute2 python3 python3-pyscard opensc pcsc-tools softhsm2 valgrind \
            postgresql-15
        ;;
    # An npm that does not come from Debian does as well, and Debian's would put it out.
    chain) command -v npm >/dev/null || echo npm ;;
    service) echo opensc softhsm2 postgresql-15 ;;
    qemu) echo qemu-system-x86 busybox-static cpio libccid pcscd python3 ;;
    proofs) echo spin ;;
    coverage) echo gcovr ;;
    lint) echo clang-14 clang-format-14 clang-tidy-14 ;;
    fuzz) echo clang-14 llvm-14 libclang-rt-14-dev ;;
    *)
        echo "packages.sh: no such set: $1" >&2
        exit 64
        ;;
    esac
}

missing=
for set in "$@"; do
    for package in $(packages "$set"); do
        status=$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null || true)
        [ "$status" = installed ] || missing="$missing $package"
    done
done
[ -n "$missing" ] || exit 0

if [ "$(id -u)" -eq 0 ]; then
    as_root=
elif command -v sudo >/dev/null; then
    as_root="sudo DEBIAN_FRONTEND=noninteractive"
else
    echo "packages.sh: run as root, or install these:$missing" >&2
    exit 1
fi
echo "installing:$missing"
export DEBIAN_FRONTEND=noninteractive
# shellcheck disable=SC2086
{
    $as_root apt-get update -q
    $as_root apt-get install -q -y --no-install-recommends $missing
}
