#!/bin/sh
# What the official image's entrypoint does, as far as the tests need it: an unprivileged user, a cluster with
# POSTGRES_USER, POSTGRES_PASSWORD and POSTGRES_DB on the first start, and then the server.
set -eu

PGDATA=${PGDATA:-/var/lib/postgresql/data}
user=${POSTGRES_USER:-postgres}
database=${POSTGRES_DB:-$user}
export PGDATA

[ "${1:-postgres}" = postgres ] || exec "$@"
[ $# -gt 0 ] || set -- postgres

if [ "$(id -u)" = 0 ]; then
    mkdir -p "$PGDATA" /var/run/postgresql
    chown -R postgres:postgres "$PGDATA" /var/run/postgresql
    chmod 700 "$PGDATA"
    exec setpriv --reuid=postgres --regid=postgres --clear-groups "$0" "$@"
fi

if [ ! -s "$PGDATA/PG_VERSION" ]; then
    (umask 077 && printf '%s' "${POSTGRES_PASSWORD:-}" >/tmp/password)
    initdb -U "$user" --pwfile=/tmp/password -A scram-sha-256 --auth-local=trust -E UTF8 --locale=C \
        -N -D "$PGDATA" >/dev/null
    rm /tmp/password
    echo 'host all all all scram-sha-256' >>"$PGDATA/pg_hba.conf"
    pg_ctl -D "$PGDATA" -o "-c listen_addresses=''" -w start >/dev/null
    [ "$database" = postgres ] || createdb -U "$user" "$database"
    pg_ctl -D "$PGDATA" -m fast -w stop >/dev/null
fi
exec "$@" -c listen_addresses='*'
