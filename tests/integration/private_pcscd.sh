#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# private_pcscd.sh [--no-daemon] COMMAND [ARGUMENT...]
#
# Runs COMMAND beside a pcscd of its own with the vpcd driver, in namespaces of its own (mounts,
# network, processes): the machine's pcscd is not disturbed, several of these can run beside each
# other, and everything that was started inside ends with COMMAND. There are two readers, whose
# cards connect to 127.0.0.1:$TALLYCARD_VPCD_PORT and the port after it:
# "Virtual PCD 00 00" and "Virtual PCD 00 01".
#
# --no-daemon: COMMAND starts `pcscd --foreground -c $TALLYCARD_PCSCD_CONFIG` itself.
# Exits as COMMAND does; 77 where namespaces or pcscd are not to be had.
set -eu

give_up()
{
    echo "private_pcscd: cannot run here: $*" >&2
    exit 77
}

# Word splitting of $spaces is meant.
# shellcheck disable=SC2086
outside()
{
    command -v pcscd >/dev/null || PATH=$PATH:/usr/sbin:/sbin
    command -v pcscd >/dev/null || give_up "pcscd is not installed"
    command -v ip >/dev/null || give_up "iproute2 is not installed"
    spaces="--mount --net --pid --fork --kill-child --mount-proc"
    if [ "$(id -u)" -ne 0 ]; then
        if unshare --user --map-root-user $spaces true 2>/dev/null; then
            spaces="--user --map-root-user $spaces"
        elif sudo -n true 2>/dev/null; then
            exec sudo -nE "$0" "$@"
        else
            give_up "needs root, sudo without a password, or user namespaces"
        fi
    elif ! unshare $spaces true 2>/dev/null; then
        give_up "no permission for namespaces (in a container: CAP_SYS_ADMIN)"
    fi
    exec env PATH="$PATH" TALLYCARD_PRIVATE_PCSCD=inside unshare $spaces "$0" "$@"
}

write_config()
{
    TALLYCARD_PCSCD_CONFIG=/run/pcscd/config
    mkdir "$TALLYCARD_PCSCD_CONFIG"
    driver=$(find /usr/lib /usr/local/lib -name 'libifdvpcd.so*' 2>/dev/null | head -n 1)
    [ -n "$driver" ] || give_up "the vpcd driver is not installed"
    TALLYCARD_VPCD_PORT=35963
    cat >"$TALLYCARD_PCSCD_CONFIG/vpcd" <<END
FRIENDLYNAME "Virtual PCD"
DEVICENAME /dev/null:0x8C7B
LIBPATH $driver
CHANNELID 0x8C7B
END
    export TALLYCARD_PCSCD_CONFIG TALLYCARD_VPCD_PORT
}

# Both ports of vpcd listen, and clients are served. Asking the kernel, since whoever connects to
# such a port is a card.
is_ready()
{
    [ -S /run/pcscd/pcscd.comm ] &&
        grep -q ':8C7B 00000000:0000 0A' /proc/net/tcp &&
        grep -q ':8C7C 00000000:0000 0A' /proc/net/tcp
}

start_daemon()
{
    pcscd --foreground --critical -c "$TALLYCARD_PCSCD_CONFIG" &
    daemon=$!
    tries=0
    until is_ready; do
        kill -0 "$daemon" 2>/dev/null || give_up "pcscd does not start"
        tries=$((tries + 1))
        [ "$tries" -lt 1000 ] || give_up "pcscd does not get ready"
        sleep 0.01
    done
}

inside()
{
    unset TALLYCARD_PRIVATE_PCSCD PCSCLITE_CSOCK_NAME
    mount --make-rprivate /
    mkdir -p /run/pcscd 2>/dev/null || mount -t tmpfs tmpfs /run
    mkdir -p /run/pcscd
    mount -t tmpfs tmpfs /run/pcscd
    ip link set lo up
    with_daemon=yes
    if [ "${1-}" = --no-daemon ]; then
        with_daemon=no
        shift
    fi
    write_config
    [ "$with_daemon" = no ] || start_daemon
    status=0
    "$@" || status=$?
    exit "$status"
}

if [ "${TALLYCARD_PRIVATE_PCSCD-}" = inside ]; then
    inside "$@"
else
    outside "$@"
fi
