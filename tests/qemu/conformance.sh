# shellcheck shell=dash
# SPDX-License-Identifier: Apache-2.0
# The cases of /cases of the conformance suite, on the USB reader, for conformance_test.py. Played by
# guest.sh.
export TALLYCARD_STAND=pcsc-usb TALLYCARD_STAND_PROTOCOL=t0
export TALLYCARD_VPCD_HOST=10.0.2.2 TALLYCARD_VPCD_PORT="$card_port"

network()
{
    insmod /modules/e1000.ko
    ifconfig lo 127.0.0.1 up
    ifconfig eth0 10.0.2.15 up
    ifconfig eth0
}

step network network
step suite conformance_tests "$(cat /cases)" --durations yes
