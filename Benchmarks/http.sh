#!/bin/sh
# The HTTP layer alone: the Null backend streams to 32 clients, all on two cores. Benchmarks/http.sh [BINARY] [SECONDS] [ROUNDS]
set -eu
here=$(cd "$(dirname "$0")" && pwd)
. "$here/server.sh"
start_server "${1:-$here/../.build/release/cserve}" --device null --max-num-seqs 64
for _ in $(seq "${3:-3}"); do
    python3 "$here/streaming_clients.py" "$address" --clients 32 --tokens 1900 --seconds "${2:-10}" --pid "$server"
done
