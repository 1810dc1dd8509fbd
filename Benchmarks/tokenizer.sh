#!/bin/sh
# CServe's tokenizer against PyPI tokenizers on one thread and one corpus, in one run; prints both speeds and their ratio.
# Usage: Benchmarks/tokenizer.sh [DIR...]   (folders with a tokenizer.json; the committed ones by default)
# PYTHON names an interpreter that has tokenizers; BINARY a built TokenizerBenchmark.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
root=$(dirname "$here")
python=${PYTHON:-python3}
if [ -z "${BINARY:-}" ]; then
    swift build -c release --package-path "$here" --product TokenizerBenchmark
    BINARY=$(swift build -c release --package-path "$here" --show-bin-path)/TokenizerBenchmark
fi
# Not bert, whose ids differ in 9 entries (docs/results/tokenizer.md): a ratio between unequal results says nothing.
[ $# -gt 0 ] || set -- $(find "$root/Tests/Fixtures/tokenizers" -mindepth 1 -maxdepth 1 -type d ! -name bert | sort)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"$python" "$root/Tools/tokenizer/make_corpus.py" "$work/corpus.jsonl"
"$BINARY" speed "$work/corpus.jsonl" "$@" > "$work/cserve"
RAYON_NUM_THREADS=1 TOKENIZERS_PARALLELISM=false "$python" "$here/tokenizer_peer.py" "$work/corpus.jsonl" "$@" > "$work/peer"
printf '%-16s %12s %12s %8s\n' tokenizer 'CServe MB/s' 'PyPI MB/s' ratio
paste -d ' ' "$work/cserve" "$work/peer" |
    awk '{ if ($3 != $7) { print $1 ": token counts differ: " $3 " and " $7; bad = 1 }
           printf "%-16s %12.2f %12.2f %8.2f\n", $1, $2, $6, $2 / $6 } END { exit bad }'
