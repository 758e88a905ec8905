#!/bin/sh
# The entry point of `migrate` in compose.citus.yaml. A migrated schema is distributed, or its functions are made again.
set -eu
rovitracker "$@"
if [ "$*" = "migrate up" ]; then
    exec rovitracker migrate distribute --shards 32
fi
