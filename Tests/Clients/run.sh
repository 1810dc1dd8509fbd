#!/bin/sh
# Runs OpenAI's own client against the built binary: Tests/Clients/run.sh [BINARY]
set -eu
cd "$(dirname "$0")"
root=$(cd ../.. && pwd)
binary=${1:+$(cd "$root" && realpath "$1")}
if [ -z "$binary" ]; then
    for candidate in "$root/.build/release/cserve" "$root/.build/debug/cserve"; do
        if [ -x "$candidate" ]; then binary=$candidate; break; fi
    done
fi
[ -n "$binary" ] || { echo "No cserve binary: build it with 'swift build' first." >&2; exit 1; }

. ./python.sh

log=$(mktemp)
"$binary" serve --port 0 --max-num-seqs 16 --api-key test-key --disable-access-log >"$log" 2>&1 &
server=$!
trap 'kill "$server" 2>/dev/null || true; wait "$server" 2>/dev/null || true; rm -f "$log"' EXIT
waited=0
until grep -q '^Ready' "$log"; do
    kill -0 "$server" 2>/dev/null || { cat "$log" >&2; exit 1; }
    waited=$((waited + 1))
    [ "$waited" -lt 300 ] || { echo "The server is not ready after 60 s:" >&2; cat "$log" >&2; exit 1; }
    sleep 0.2
done
address=$(sed -n 's/^Listening on //p' "$log")
"$python" openai_client_test.py "$address" test-key
