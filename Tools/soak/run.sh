#!/bin/sh
# Starts a server and soaks it: Tools/soak/run.sh [BINARY] [SECONDS] [DEVICE]
# The KV cache is small, so that every page of it is touched while warming up and growth after that is a leak.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
. "$root/Benchmarks/server.sh"
start_server "${1:-$root/.build/release/cserve}" --device "${3:-cpu}" --max-num-seqs 64 --kv-cache-memory-bytes 40000000
python3 "$here/soak.py" "$address" --clients 64 --seconds "${2:-300}" --memory-mb 50
kill -0 "$server" || { cat "$log" >&2; exit 1; }
