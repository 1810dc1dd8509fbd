#!/bin/sh
# The HTTP layer alone: the Null backend streams to 32 clients. Benchmarks/http_streaming.sh [BINARY] [SECONDS]
set -eu
root=$(cd "$(dirname "$0")/.." && pwd)
binary=${1:-$root/.build/release/cserve}
seconds=${2:-10}
[ -x "$binary" ] || { echo "$binary is missing: swift build -c release --product cserve" >&2; exit 1; }
log=$(mktemp)
"$binary" serve --device null --port 0 --max-num-seqs 64 --disable-access-log >"$log" 2>&1 &
server=$!
trap 'kill "$server" 2>/dev/null || true; wait "$server" 2>/dev/null || true; rm -f "$log"' EXIT
until grep -q '^Ready' "$log"; do
    kill -0 "$server" 2>/dev/null || { cat "$log" >&2; exit 1; }
    sleep 0.1
done
address=$(sed -n 's/^Listening on //p' "$log")
python3 "$root/Benchmarks/http_streaming.py" "$address" --clients 32 --tokens 1900 --seconds "$seconds"
