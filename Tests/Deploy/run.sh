#!/bin/sh
# Renders the plans of Tests/Fixtures/plans and checks the files with others' eyes: the strict JSON schemas of Kubernetes,
# kubectl's kustomize where it is there; fetches from a hub on loopback beside huggingface_hub.
# Tests/Deploy/run.sh [BINARY]; CSERVE_DEPLOY_PYTHON names an interpreter that has the packages of requirements.txt.
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

python=${CSERVE_DEPLOY_PYTHON:-.venv/bin/python}
if [ "$python" = .venv/bin/python ] && ! cmp -s requirements.txt .venv/requirements.txt; then
    echo "Making Tests/Deploy/.venv with the packages of requirements.txt"
    python3 -m venv .venv
    .venv/bin/pip install --quiet --disable-pip-version-check -r requirements.txt
    cp requirements.txt .venv/requirements.txt
fi
"$python" manifests_test.py "$binary"
"$python" fetch_test.py "$binary"
