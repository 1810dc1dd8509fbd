#!/bin/sh
# The built-in model on the CPU backend over HTTP: tokens per second with 1, 8 and 32 clients. Benchmarks/model.sh [BINARY] [SECONDS]
set -eu
here=$(cd "$(dirname "$0")" && pwd)
. "$here/server.sh"
start_server "${1:-$here/../.build/release/cserve}" --device cpu --max-num-seqs 64
for clients in 1 8 32; do
    python3 "$here/streaming_clients.py" "$address" --clients "$clients" --tokens 256 --seconds "${2:-10}" --pid "$server"
done
