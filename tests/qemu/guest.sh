#!/bin/busybox sh
# SPDX-License-Identifier: Apache-2.0
# What a virtual machine does after its kernel: finds its USB reader, starts pcscd, and plays the
# story that initramfs.sh put in. Says on the console how each step ended, for machine.py:
#   > NAME
#   | what the step said
#   < NAME STATUS
# and asks the host for what only it can do: "! WISH", answered by a line when it is done.
#
# shellcheck shell=dash

/bin/busybox mkdir -p /usr/bin /sbin
/bin/busybox --install -s /bin
export PATH=/bin LD_LIBRARY_PATH=/lib
umask 077
mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t devtmpfs dev /dev
mkdir -p /run/pcscd
ln -s /proc/self/fd /dev/fd

# step NAME COMMAND...
step()
{
    name=$1
    shift
    echo "> $name"
    {
        "$@" 2>&1 </dev/null
        echo $? >/tmp/status
    } | sed 's/^/| /'
    echo "< $name $(cat /tmp/status)"
}

ask()
{
    echo "! $1"
    read -r _
}

# within SECONDS COMMAND...: until the command succeeds.
within()
{
    end=$(($(date +%s) + $1))
    shift
    until "$@"; do
        [ "$(date +%s)" -lt "$end" ] || return 1
        usleep 50000
    done
}

usb_product() { cat /sys/bus/usb/devices/*/product; }
is_plugged() { usb_product | grep -q CCID; }
load_modules()
{
    for module in usb-common usbcore uhci-hcd unix_diag; do
        insmod /modules/$module.ko || return 1
    done
    within 30 is_plugged && usb_product
}

stty -echo
date -s 2026-01-01 >/dev/null
step usb load_modules
pcscd --foreground 2>&1 | sed 's/^/pcscd: /' &
# shellcheck source=/dev/null
. /story
poweroff -f
