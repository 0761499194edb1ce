# shellcheck shell=dash disable=SC2034
# SPDX-License-Identifier: Apache-2.0
# Top-up and payment with the card in the USB reader, for qemu_test.py. Played by guest.sh.
reader=0
pin=739164
secret="--passphrase-file /tmp/passphrase"
export TALLYCARD_ISSUER=/tmp/issuer TALLYCARD_JOURNAL=/tmp/payments

with_pin()
{
    echo $pin >/tmp/pin
    "$@" --pin-fd 3 3</tmp/pin
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
