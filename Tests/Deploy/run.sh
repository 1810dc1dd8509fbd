#!/bin/sh
# Renders the plans of Tests/Fixtures/plans for every target and checks the files with others' eyes: the strict JSON schemas of
# Kubernetes, kubectl's kustomize where it is there; fetches from a hub on loopback beside huggingface_hub.
# Tests/Deploy/run.sh [BINARY]
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

. ../Clients/python.sh
"$python" manifests_test.py "$binary"
"$python" fetch_test.py "$binary"
