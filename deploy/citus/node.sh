#!/bin/sh
# The entry point of each server of compose.citus.yaml, and of the step that joins them. They sign in to each other by
# passwords that libpq takes from a file which its own account alone can read, and the secrets are root's.
set -eu
umask 077
export PGPASSFILE="${PGPASSFILE:-/tmp/pgpass}"
secrets="${SECRETS:-/run/secrets}"
for login in postgres:superuser rovitracker_owner:owner rovitracker_login:login; do
    password=$(cat "$secrets/${login#*:}_password")
    printf '*:*:*:%s:%s\n' "${login%:*}" "$password"
done > "$PGPASSFILE"
exec "$@"
