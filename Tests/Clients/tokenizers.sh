#!/bin/sh
# Compares ids and decoded text of the committed tokenizers with PyPI tokenizers on 1.2 MB of text: no difference allowed.
# Usage: Tests/Clients/tokenizers.sh [BINARY]   (TextProbe, after swift build --build-tests)
# Left out: bert, whose punctuation is of a newer Unicode version than the peer's (docs/results/tokenizer.md); no served
# model family uses it, and its committed expectations are tested like the others'.
set -eu
cd "$(dirname "$0")"
root=$(cd ../.. && pwd)
binary=${1:-$root/.build/debug/TextProbe}
[ -x "$binary" ] || { echo "No $binary: build it with 'swift build --build-tests' first." >&2; exit 1; }

. ./python.sh

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"$python" "$root/Tools/tokenizer/make_corpus.py" "$work/corpus.jsonl"
find "$root/Tests/Fixtures/tokenizers" -mindepth 1 -maxdepth 1 -type d ! -name bert | sort |
    xargs -n 1 -P 2 "$python" "$root/Tools/tokenizer/compare.py" "$binary" "$work/corpus.jsonl"
