#!/bin/sh
# Runs the benchmarks beside their peers: Benchmarks/run.sh [NAME...]; names: scheduler simulator sampler engine tokenizer startup http model speculation
# Needs the release binary (make bench builds it). The tokenizer's peer comes from PyPI into Benchmarks/.venv.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
root=$(dirname "$here")
binary=${CSERVE_BINARY:-$root/.build/release/cserve}
[ $# -gt 0 ] || set -- scheduler simulator sampler engine tokenizer startup http model speculation

built() {
    swift build -c release --package-path "$here" --product "$1" >&2
    echo "$(swift build -c release --package-path "$here" --show-bin-path)/$1"
}

peer() {
    if ! [ -x "$here/.venv/bin/python" ]; then
        echo "Making Benchmarks/.venv with the packages of requirements.txt" >&2
        python3 -m venv "$here/.venv"
        "$here/.venv/bin/pip" install --quiet --disable-pip-version-check -r "$here/requirements.txt"
    fi
    echo "$here/.venv/bin/python"
}

echo "$(nproc) cores, $(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo 2>/dev/null | head -1), load $(cut -d ' ' -f 1-3 /proc/loadavg 2>/dev/null)"
for name in "$@"; do
    printf '\n== %s\n' "$name"
    case $name in
    scheduler) "$(built SchedulerBenchmark)" ;;
    simulator) "$(built SimulatorBenchmark)" ;;
    sampler) "$(built SamplerBenchmark)" ;;
    engine) "$(built EngineBenchmark)" ;;
    tokenizer) PYTHON=${CSERVE_BENCH_PYTHON:-$(peer)} BINARY=$(built TokenizerBenchmark) "$here/tokenizer.sh" ;;
    startup) python3 "$here/startup.py" "$binary" 11 ;;
    http) "$here/http.sh" "$binary" ;;
    model) "$here/model.sh" "$binary" ;;
    speculation) python3 "$here/speculation.py" "$binary" ;;
    *) echo "There is no benchmark '$name'." >&2; exit 2 ;;
    esac
done
