#!/bin/busybox sh
# SPDX-License-Identifier: Apache-2.0
# What a virtual machine does after its kernel: starts pcscd, and plays top-up and payment with the
# card in its USB reader. Says on the console how each step ended, for qemu_test.py:
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
reader=0
pin=739164
secret="--passphrase-file /tmp/passphrase"
export TALLYCARD_ISSUER=/tmp/issuer TALLYCARD_JOURNAL=/tmp/payments

# step NAME COMMAND...
step()
{
    name=$1
    shift
    echo "> $name"
    "$@" >/tmp/said 2>&1 </dev/null
    status=$?
    sed 's/^/| /' /tmp/said
    echo "< $name $status"
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

with_pin()
{
    echo $pin >/tmp/pin
    "$@" --pin-fd 3 3</tmp/pin
}

usb_product() { cat /sys/bus/usb/devices/*/product; }
is_plugged() { usb_product | grep -q CCID; }
load_modules()
{
    for module in usb-common usbcore uhci-hcd; do
        insmod /modules/$module.ko || return 1
    done
    within 30 is_plugged && usb_product
}

has_reader() { tallycard readers | grep -q '^ *0 '; }
has_card() { tallycard readers | grep -q 3b0954414c4c5943415244; }
has_no_card() { ! has_card; }
readers()
{
    within 30 has_reader
    within 30 has_card
    tallycard readers
}
without_card() { within 30 has_no_card && tallycard readers; }
balance() { tallycard balance -r $reader; }

stty -echo
date -s 2026-01-01 >/dev/null
step usb load_modules
pcscd --foreground 2>&1 | sed 's/^/pcscd: /' &
step readers readers
od -An -v -tx1 -N16 /dev/urandom >/tmp/passphrase
# shellcheck disable=SC2086
{
    step issuer tallycard issuer init --name demo.example $secret
    step issue with_pin tallycard issue -r $reader --transport-key-file /transport-key $secret
    step top-up tallycard top-up 50.00 -r $reader $secret
    step pay tallycard pay 12.30 --to SHOP-1 -r $reader
    step settle tallycard settle
    step cash-out with_pin tallycard cash-out 10.00 -r $reader $secret
    step too-much tallycard pay 40.00 --to SHOP-1 -r $reader
    ask "take the card out"
    step without-card without_card
    ask "put the card in"
    step again readers
    step balance balance
    ask "kill the card's program"
    step no-answer balance
    ask "start it again"
    step pay-again tallycard pay 1.00 --to SHOP-1 -r $reader
    step settle-again tallycard settle
    step verify tallycard ledger verify $secret
    step accounts tallycard accounts
}
poweroff -f
