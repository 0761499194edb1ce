#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# private_postgres.sh [--durable] COMMAND [ARGUMENT...]
#
# Runs COMMAND beside a PostgreSQL server of its own, which is in a scratch folder, listens on a Unix
# socket there and nowhere else, and ends with COMMAND. The server's own user is `postgres` where
# this is run by root, which PostgreSQL refuses to be.
#
# COMMAND finds in TALLYCARD_TEST_POSTGRES what libpq is to connect to, as a superuser. It may run
# "$TALLYCARD_TEST_POSTGRES_CONTROL MODE" to restart the server: smart, fast or immediate; and
# "... stop" and "... start".
#
# --durable: with fsync, as in production; for benchmarks, in $TMPDIR.
# Exits as COMMAND does; 77 where PostgreSQL is not to be had.
set -eu

give_up()
{
    echo "private_postgres: cannot run here: $*" >&2
    exit 77
}

as_server()
{
    if [ "$(id -u)" -eq 0 ]; then
        setpriv --reuid=postgres --regid=postgres --clear-groups "$@"
    else
        "$@"
    fi
}

pg_ctl()
{
    (cd "$TALLYCARD_TEST_POSTGRES_FOLDER" && as_server "$TALLYCARD_TEST_POSTGRES_BIN/pg_ctl" \
        --silent --wait --pgdata=data --log=log "$@")
}

if [ "${1-}" = --control ]; then
    case $2 in
    stop) pg_ctl stop --mode=fast ;;
    start) pg_ctl start ;;
    *) pg_ctl restart --mode="$2" ;;
    esac
    exit
fi

fsync=off
if [ "${1-}" = --durable ]; then
    fsync=on
    shift
fi
for TALLYCARD_TEST_POSTGRES_BIN in /usr/lib/postgresql/*/bin /usr/local/bin /usr/bin; do
    [ ! -x "$TALLYCARD_TEST_POSTGRES_BIN/initdb" ] || break
done
[ -x "$TALLYCARD_TEST_POSTGRES_BIN/initdb" ] || give_up "postgresql-15 is not installed"
[ "$(id -u)" -ne 0 ] || id postgres >/dev/null 2>&1 || give_up "there is no user postgres"

TALLYCARD_TEST_POSTGRES_FOLDER=$(mktemp -d)
export TALLYCARD_TEST_POSTGRES_BIN TALLYCARD_TEST_POSTGRES_FOLDER
leave()
{
    status=$?
    trap - EXIT INT TERM
    pg_ctl stop --mode=immediate >/dev/null 2>&1 || true
    rm -rf "$TALLYCARD_TEST_POSTGRES_FOLDER"
    exit "$status"
}
trap leave EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

[ "$(id -u)" -ne 0 ] || chown postgres: "$TALLYCARD_TEST_POSTGRES_FOLDER"
(cd "$TALLYCARD_TEST_POSTGRES_FOLDER" && as_server "$TALLYCARD_TEST_POSTGRES_BIN/initdb" \
    --pgdata=data --username=tallycard --auth=trust --no-sync --encoding=UTF8 --no-locale >initdb.log 2>&1) ||
    give_up "initdb: $(tail -n 1 "$TALLYCARD_TEST_POSTGRES_FOLDER/initdb.log")"
cat >>"$TALLYCARD_TEST_POSTGRES_FOLDER/data/postgresql.conf" <<END
listen_addresses = ''
unix_socket_directories = '$TALLYCARD_TEST_POSTGRES_FOLDER'
unix_socket_permissions = 0700
fsync = $fsync
END
pg_ctl start || give_up "$(tail -n 1 "$TALLYCARD_TEST_POSTGRES_FOLDER/log")"
TALLYCARD_TEST_POSTGRES="host=$TALLYCARD_TEST_POSTGRES_FOLDER user=tallycard dbname=postgres"
TALLYCARD_TEST_POSTGRES_CONTROL="$(realpath "$0") --control"
export TALLYCARD_TEST_POSTGRES TALLYCARD_TEST_POSTGRES_CONTROL
status=0
"$@" || status=$?
exit "$status"
