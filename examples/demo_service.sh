# SPDX-License-Identifier: Apache-2.0
# The part of demo.sh --service: the issuer is tallycard-issuerd, and the tills reach it over HTTPS.
# Its books are in PostgreSQL, its keys in a token of SoftHSM2 and its ledger on a chain of anvil's,
# where these are there.
# shellcheck shell=sh disable=SC2154

issuerd=$build/src/service/tallycard-issuerd
folder=$work/issuer
config=$work/issuerd.conf

# The whole demo once more, beside a PostgreSQL of its own: demo.sh finds it in
# TALLYCARD_TEST_POSTGRES. Comes back where PostgreSQL is not to be had.
beside_postgres()
{
    [ -z "${TALLYCARD_TEST_POSTGRES:-}" ] || return 0
    status=0
    TALLYCARD_BUILD=$build "$top/tests/integration/private_postgres.sh" "$0" --service || status=$?
    [ "$status" -eq 77 ] || exit "$status"
}

setting() { echo "$1 = $2" >>"$config"; }

configure_postgres()
{
    if [ -z "${TALLYCARD_TEST_POSTGRES:-}" ]; then
        echo "PostgreSQL is not there: the books are in a SQLite file."
        store=$folder/store.db
        return
    fi
    store="postgres:$TALLYCARD_TEST_POSTGRES"
    setting store "$store"
}

token_key()
{
    pkcs11-tool --module "$module" --token-label issuer --login --pin env:HSM_PIN --keypairgen \
        --key-type EC:edwards25519 --usage-sign --label "$1" --id "$2" >/dev/null
}

configure_token()
{
    notes_key=$folder/checkpoint.key
    for module in /usr/lib/softhsm/libsofthsm2.so /usr/lib/*/softhsm/libsofthsm2.so; do
        [ ! -e "$module" ] || break
    done
    if ! [ -e "$module" ] || ! command -v softhsm2-util >/dev/null ||
        ! command -v pkcs11-tool >/dev/null; then
        echo "SoftHSM2 is not there: the keys are in sealed files."
        return
    fi
    mkdir "$work/tokens"
    printf 'directories.tokendir = %s\nlog.level = ERROR\n' "$work/tokens" >"$work/softhsm2.conf"
    export SOFTHSM2_CONF="$work/softhsm2.conf"
    HSM_PIN=$(od -An -v -tx1 -N8 /dev/urandom | tr -d ' \n')
    export HSM_PIN
    echo "$HSM_PIN" >"$work/hsm-pin"
    # softhsm2-util knows no other way than argv; this PIN dies with the folder.
    softhsm2-util --init-token --free --label issuer --so-pin "$HSM_PIN" --pin "$HSM_PIN" >/dev/null
    token_key operation 01
    token_key checkpoint 02
    notes_key="pkcs11:token=issuer;object=checkpoint?module-path=$module"
    setting operation-key "pkcs11:token=issuer;object=operation?module-path=$module"
    setting checkpoint-key "$notes_key"
    setting hsm-pin-file "$work/hsm-pin"
    notes_secret="--hsm-pin-file $work/hsm-pin"
}

anvil_listens() { grep -q '^Listening on' "$work/anvil.log"; }

# A node of a chain, and a contract on it for this issuer. The service writes there once it is
# started again: also what has settled until then.
start_chain()
{
    chain=
    if ! command -v npm >/dev/null || ! "$top/tests/chain/tools.sh" "$build" >"$work/npm" 2>&1; then
        echo "anvil is not there: the ledger is on no chain."
        return
    fi
    "$build/chain-tools/anvil" --port 0 >"$work/anvil.log" 2>&1 &
    started="$started $!"
    until_true 20 "anvil does not listen" anvil_listens
    chain=http://$(sed -n 's/^Listening on //p' "$work/anvil.log")
    account=0xf39fd6e51aad88f6f4ce6ab8827279cfffb92266  # the first of anvil's
    step 0 "The issuer makes a contract for its ledger" "$tool" chain deploy --chain "$chain" \
        --account "$account" --issuer "$folder/issuer.pub" --json
    contract=$(sed -n 's/.*"contract":"\(0x[0-9a-f]*\)".*/\1/p' "$work/said")
    cat >>"$config" <<END
[chain demo]
url = $chain
chain-id = 31337
contract = $contract
account = $account
mode = full
final = 0
poll-seconds = 1
END
}

serving() { grep -q '"event":"serving"' "$work/issuerd.log"; }

# start_service [--init ...]
start_service()
{
    : >"$work/issuerd.log"
    "$issuerd" --config "$config" "$@" 2>"$work/issuerd.log" &
    service=$!
    started="$started $service"
    until_true 20 "tallycard-issuerd does not serve: $(tail -n 1 "$work/issuerd.log")" serving
    port_of_service=$(sed -n 's/.*"event":"serving".*"port":\([0-9]*\).*/\1/p' "$work/issuerd.log")
    export TALLYCARD_ISSUER="https://127.0.0.1:$port_of_service"
    echo "serving at $TALLYCARD_ISSUER"
}

# Who asks: each has a token of its own.
office() { TALLYCARD_TOKEN_FILE=$folder/operator.token "$@"; }
till() { TALLYCARD_TOKEN_FILE=$folder/terminal-1.token "$@"; }
# Offline, a till has the issuer's public description and nothing else.
offline() { TALLYCARD_ISSUER=$folder/issuer.pub "$@"; }

issuer_begins()
{
    setting folder "$folder"
    setting listen 127.0.0.1:0
    configure_postgres
    notes_secret="--passphrase-file $folder/passphrase"
    configure_token
    printf '\n> An issuer makes its keys, certificate and tokens, and serves\n'
    start_service --init --name demo.example
    export TALLYCARD_CA="$folder/tls.crt" TALLYCARD_TERMINAL=terminal-1
    [ "$(stat -c %a "$folder/tls.key" "$folder/operator.token" | sort -u)" = 600 ] ||
        fail "the service's secrets are open to others"
    # The card root key is for the station that issues cards: not for the service's machine.
    mkdir "$work/vault"
    mv "$folder/card-root.key" "$work/vault/"
    secret=
    secret_at_issue="--card-root $work/vault/card-root.key --passphrase-file $folder/passphrase"
    start_chain
}

# What the machine of the service does itself, without asking it.
books() { TALLYCARD_STORE=$store "$@" --issuer "$folder"; }

service_is_killed()
{
    kill -9 "$service"
    wait "$service" 2>/dev/null || true
    step 1 "The service dies, and the till says so" \
        till "$tool" top-up 1.00 -r "$reader_1"
    said 'cannot be reached'
    printf '\n> It is started again, and knows everything\n'
    start_service
}

audit()
{
    # shellcheck disable=SC2086
    step 0 "The issuer exports its ledger for auditors" books "$tool" ledger export "$work/export" \
        --checkpoint-key "$notes_key" $notes_secret
    cp "$folder/issuer.pub" "$work/auditor.pub"
    if [ -n "$chain" ]; then
        until_true 20 "the entries do not come onto the chain: $(tail -n 1 "$work/issuerd.log")" \
            all_on_chain
        step 0 "An auditor checks everything, and the chain, with public keys alone" \
            against_chain
        said 'the chain agrees: 8 entries by their leaves, 8 of them in full'
        return
    fi
    step 0 "An auditor checks everything with public keys alone" \
        "$tool" ledger verify "$work/export" --issuer "$work/auditor.pub"
}

against_chain()
{
    "$tool" ledger verify "$work/export" --issuer "$work/auditor.pub" --chain "$chain" \
        --contract "$contract"
}
all_on_chain() { against_chain 2>/dev/null | grep -q 'agrees: 8 entries'; }
