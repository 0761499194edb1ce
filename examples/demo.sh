#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# demo.sh [--service]: the whole story on two virtual cards, through the machine's real pcscd. Installs
# what is missing, builds, starts pcscd where none runs, and leaves nothing running. Ends with 0 only
# when every step did what it says. --service: with the issuer behind HTTPS, its books in PostgreSQL,
# its keys in SoftHSM2 and its ledger on a chain (anvil). TALLYCARD_DEMO_READER=loopback needs no daemon and no root.
# TALLYCARD_BUILD names a build folder to use as it is.
set -eu

top=$(cd "$(dirname "$0")/.." && pwd)
mode=${TALLYCARD_DEMO_READER:-pcsc}
build=${TALLYCARD_BUILD:-$top/build/demo}
tool=$build/examples/tallycard
vicc=$build/virtual-card/tallycard-vicc
port=35963  # of the vpcd driver; the second reader's is the next one
work=$(mktemp -d)
started=
sets=build
[ "$mode" = loopback ] || sets="$sets run"

case "$*" in
'') with_service= ;;
--service) with_service=yes sets="$sets service chain" ;;
*)
    echo "usage: demo.sh [--service]" >&2
    exit 64
    ;;
esac

fail()
{
    echo "demo: $*" >&2
    exit 1
}

leave()
{
    status=$?
    trap - EXIT INT TERM
    for process in $started; do
        kill "$process" 2>/dev/null || true
        wait "$process" 2>/dev/null || true
    done
    rm -rf "$work"
    exit "$status"
}
trap leave EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

# step STATUS WORDS COMMAND...: says what it does, does it, and insists on the exit status.
step()
{
    wanted=$1
    shift
    printf '\n> %s\n' "$1"
    shift
    got=0
    "$@" >"$work/said" 2>&1 || got=$?
    cat "$work/said"
    [ "$got" -eq "$wanted" ] || fail "that ended with $got, not $wanted"
}

said() { grep -q -e "$1" "$work/said" || fail "'$1' was expected in the answer"; }

# until_true SECONDS WHAT COMMAND...: waits until the command succeeds.
until_true()
{
    tries=$(($1 * 20))
    what=$2
    shift 2
    until "$@"; do
        tries=$((tries - 1))
        [ "$tries" -gt 0 ] || fail "$what"
        sleep 0.05
    done
}

build_tools()
{
    if [ -z "${TALLYCARD_BUILD:-}" ]; then
        echo "Building in $build (this takes some minutes the first time) ..."
        # shellcheck disable=SC2086
        "$top/cmake/packages.sh" $sets
        cmake -S "$top" -B "$build" -G Ninja -DCMAKE_BUILD_TYPE=Release \
            -DTALLYCARD_BUILD_TESTS=OFF -DTALLYCARD_BUILD_BENCH=OFF >"$work/cmake" ||
            { cat "$work/cmake"; fail "cmake failed"; }
        cmake --build "$build"
    fi
}

prepare()
{
    umask 077
    for card in 1 2; do
        od -An -v -tx1 -N32 /dev/urandom | tr -d ' \n' >"$work/transport-key-$card"
    done
    od -An -v -tx1 -N16 /dev/urandom | tr -d ' \n' >"$work/passphrase"
    echo 4711 >"$work/pin"
    export TALLYCARD_ISSUER="$work/issuer" TALLYCARD_JOURNAL="$work/terminal.journal"
    secret="--passphrase-file $work/passphrase"
    shop_secret=$secret
    secret_at_issue=$secret
}

# Without a service: everybody works in the issuer's folder.
office() { "$@"; }
till() { "$@"; }
offline() { "$@"; }
books() { "$@"; }
service_is_killed() { :; }
# shellcheck disable=SC2086
issuer_begins()
{
    step 0 "An issuer makes its keys" "$tool" issuer init --name demo.example $secret
}
# shellcheck disable=SC2086
audit()
{
    step 0 "An auditor checks everything with public keys alone" "$tool" ledger verify $secret
}

# The names of the virtual readers, first one first.
virtual_readers() { "$tool" readers 2>/dev/null | sed -n 's/^[0-9]*  *\(Virtual PCD [0-9 ]*[0-9]\)  .*/\1/p'; }
two_readers() { [ "$(virtual_readers | wc -l)" -ge 2 ]; }
two_cards() { [ "$("$tool" readers 2>/dev/null | grep -c 'Virtual PCD.*3b')" -ge 2 ]; }

answers() { "$tool" readers >/dev/null 2>&1; }

start_pcscd()
{
    PATH=$PATH:/usr/sbin:/sbin
    if ! answers; then
        [ "$(id -u)" -eq 0 ] || fail "no pcscd answers; start it, or run this as root"
        echo "No pcscd answers: starting one."
        pcscd --foreground >"$work/pcscd.log" 2>&1 &
        started="$started $!"
    fi
    until_true 10 "pcscd does not answer: $(tail -n 1 "$work/pcscd.log" 2>/dev/null)" answers
    until_true 10 "pcscd has no virtual readers; restart it so that it loads vsmartcard-vpcd" \
        two_readers
}

insert_cards()
{
    if [ "$mode" = loopback ]; then
        reader_1=loopback:$work/card-1
        reader_2=loopback:$work/card-2
        return
    fi
    start_pcscd
    for card in 1 2; do
        "$vicc" --image "$work/card-$card" --transport-key-file "$work/transport-key-$card" \
            --port $((port + card - 1)) >"$work/vicc-$card.log" 2>&1 &
        started="$started $!"
    done
    until_true 10 "the virtual cards do not show up in their readers" two_cards
    reader_1=$(virtual_readers | sed -n 1p)
    reader_2=$(virtual_readers | sed -n 2p)
}

value_of() { sed -n "s/.*\"$1\":\"\([0-9a-f]*\)\".*/\1/p" "$work/said"; }

with_pin()
{
    "$@" --pin-fd 3 3<"$work/pin"
}

story()
{
    issuer_begins
    # shellcheck disable=SC2086
    {
        step 0 "A shop makes the key of its account" \
            "$tool" account new-key "$work/shop.key" $shop_secret
        step 0 "and opens the account with it" \
            office "$tool" account open SHOP-1 --account-key "$work/shop.key" $shop_secret
        step 0 "It issues a card with a PIN" with_pin office "$tool" issue -r "$reader_1" \
            --transport-key-file "$work/transport-key-1" $secret_at_issue
        card=$(sed -n 's/^card \([0-9a-f]*\) issued.*/\1/p' "$work/said")
        step 0 "and a second one without" office "$tool" issue -r "$reader_2" --without-pin \
            --transport-key-file "$work/transport-key-2" $secret_at_issue
        step 0 "Top up 50.00 for cash" till "$tool" top-up 50.00 -r "$reader_1" $secret
        said 'balance 50.00 EUR'
        step 0 "Pay 12.30 at a shop, offline" offline "$tool" pay 12.30 --to SHOP-1 -r "$reader_1"
        said 'balance 37.70 EUR'
        service_is_killed
        step 0 "The shop settles when it is online" till "$tool" settle
        said 'settled, ledger entry 2'
        step 0 "It refunds 2.30: the owner of the account signs" \
            till "$tool" refund 2.30 --from SHOP-1 --payment "$card:2" \
            --account-key "$work/shop.key" -r "$reader_1" $shop_secret
        said 'balance 40.00 EUR'
        step 1 "and not 11.00 more, which is more than was paid" \
            till "$tool" refund 11.00 --from SHOP-1 --payment "$card:2" \
            --account-key "$work/shop.key" -r "$reader_1" $shop_secret
        said 'more than was paid'
        step 0 "The shop takes 8.00 out" office "$tool" account pay-out SHOP-1 8.00 --to bank \
            --account-key "$work/shop.key" --reference "invoice 17" $shop_secret
        step 0 "Cash out 10.00" with_pin till "$tool" cash-out 10.00 -r "$reader_1" $secret
        said 'balance 30.00 EUR'
        step 0 "Transfer 5.00 to the second card" \
            till "$tool" transfer 5.00 -r "$reader_1" --to-reader "$reader_2" $secret
        said 'transfer in 5.00 EUR .*balance 5.00 EUR'
        step 1 "Pay 40.00, which is not there: refused" \
            offline "$tool" pay 40.00 --to SHOP-1 -r "$reader_1"
        said 'not enough value on the card'
        step 0 "Look up the first instruction of the top-up" books "$tool" ledger prove 1 --json
        instruction=$(value_of first_instruction)
        receipt=$(value_of receipt)
        step 0 "Replay it: the card gives the same receipt, and no value" \
            till "$tool" execute "$instruction" -r "$reader_1" --json
        [ "$(value_of receipt)" = "$receipt" ] || fail "another receipt came back"
        step 0 "The balance, as the card signs it now" offline "$tool" balance -r "$reader_1"
        said '^25.00 EUR$'
        audit
        said 'the ledger is right: 8 entries, 2 cards'
        step 0 "What moved" office "$tool" accounts
        said '^sum  *0.00 EUR'
    }
}

build_tools
if [ -n "$with_service" ]; then
    # shellcheck source=examples/demo_service.sh
    . "$top/examples/demo_service.sh"
    beside_postgres
fi
prepare
insert_cards
story
printf '\nDone: every step did what it says.\n'
