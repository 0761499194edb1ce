#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# private_pcscd.sh [--no-daemon] [--driver NAME]... COMMAND [ARGUMENT...]
#
# Runs COMMAND beside a pcscd of its own, in namespaces of its own (mounts, network, processes): the
# machine's pcscd is not disturbed, several of these can run beside each other, and everything that
# was started inside ends with COMMAND.
#
# --driver vpcd (the default): two readers, "Virtual PCD 00 00" and "Virtual PCD 00 01", whose cards
# connect to 127.0.0.1:$TALLYCARD_VPCD_PORT and the port after it.
# --driver tallycard: our own driver, whose path is in $TALLYCARD_IFD. Four readers, "tallycard
# virtual reader 00 00" to "... 00 03", whose cards connect to $TALLYCARD_SLOTS/slot-0 to slot-3,
# with a pinpad whose keys are the pipe $TALLYCARD_SLOTS/pin; $TALLYCARD_IFD_CONFIG says so.
# --driver instant: the one reader of $TALLYCARD_INSTANT_IFD, for benchmarks.
#
# --no-daemon: COMMAND starts `pcscd --foreground -c $TALLYCARD_PCSCD_CONFIG` itself, with
# LD_PRELOAD=$TALLYCARD_PCSCD_PRELOAD where a driver was built with a sanitizer.
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
    export TALLYCARD_PCSCD_CONFIG
    for name in $drivers; do
        "write_config_$name"
    done
}

write_config_vpcd()
{
    driver=$(find /usr/lib /usr/local/lib -name 'libifdvpcd.so*' 2>/dev/null | head -n 1)
    [ -n "$driver" ] || give_up "the vpcd driver is not installed"
    TALLYCARD_VPCD_PORT=35963
    cat >"$TALLYCARD_PCSCD_CONFIG/vpcd" <<END
FRIENDLYNAME "Virtual PCD"
DEVICENAME /dev/null:0x8C7B
LIBPATH $driver
CHANNELID 0x8C7B
END
    export TALLYCARD_VPCD_PORT
}

write_config_tallycard()
{
    [ -f "${TALLYCARD_IFD-}" ] || give_up "TALLYCARD_IFD does not name our driver"
    TALLYCARD_SLOTS=/run/pcscd/slots
    TALLYCARD_IFD_CONFIG=/run/pcscd/tallycard.conf
    TALLYCARD_PCSCD_PRELOAD=$(ldd "$TALLYCARD_IFD" | awk '/lib[at]san/ { print $3 }')
    cat >"$TALLYCARD_PCSCD_CONFIG/tallycard" <<END
FRIENDLYNAME "tallycard virtual reader"
DEVICENAME tallycard:$TALLYCARD_IFD_CONFIG
LIBPATH $TALLYCARD_IFD
CHANNELID 0
END
    cat >"$TALLYCARD_IFD_CONFIG" <<END
directory = $TALLYCARD_SLOTS
pin-pipe = $TALLYCARD_SLOTS/pin
END
    chmod 600 "$TALLYCARD_IFD_CONFIG"
    export TALLYCARD_SLOTS TALLYCARD_IFD_CONFIG TALLYCARD_PCSCD_PRELOAD
}

write_config_instant()
{
    cat >"$TALLYCARD_PCSCD_CONFIG/instant" <<END
FRIENDLYNAME "instant reader"
DEVICENAME /dev/null
LIBPATH $TALLYCARD_INSTANT_IFD
CHANNELID 1
END
}

is_ready_instant()
{
    :
}

# Clients are served, and the last slot of each driver listens. Asking the kernel, since whoever
# connects to a slot is a card.
is_ready()
{
    [ -S /run/pcscd/pcscd.comm ] || return 1
    for name in $drivers; do
        "is_ready_$name" || return 1
    done
}

is_ready_vpcd()
{
    grep -q ':8C7B 00000000:0000 0A' /proc/net/tcp &&
        grep -q ':8C7C 00000000:0000 0A' /proc/net/tcp
}

is_ready_tallycard()
{
    grep -q " $TALLYCARD_SLOTS/slot-3\$" /proc/net/unix
}

# pcscd itself has leaks.
start_daemon()
{
    LD_PRELOAD=${TALLYCARD_PCSCD_PRELOAD-} ASAN_OPTIONS=detect_leaks=0 \
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
    drivers=
    while :; do
        case ${1-} in
        --no-daemon) with_daemon=no ;;
        --driver)
            shift
            drivers="$drivers $1"
            ;;
        *) break ;;
        esac
        shift
    done
    drivers=${drivers:-vpcd}
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
