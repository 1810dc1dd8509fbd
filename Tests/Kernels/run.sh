#!/usr/bin/env bash
# Compares all levels of the CPU kernels with plain loops and with each other.
#
#   Tests/Kernels/run.sh           the levels that this machine runs, AMX in software (amx_model.h) among them
#   Tests/Kernels/run.sh aarch64   the ARM levels under qemu-aarch64; on Debian and Ubuntu:
#                                  apt-get install qemu-user gcc-aarch64-linux-gnu libc6-dev-arm64-cross
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
out=$root/.build/kernels
clang=${CLANG:-$(command -v clang || echo "$(dirname "$(command -v swift)")/clang")}
linker=$clang
flags=(-O3 -std=gnu17 -fno-math-errno -fno-trapping-math -Wall -Wextra -I "$root/Sources/CKernels/include")
mkdir -p "$out"

build() { # build NAME FLAGS...: the kernels and the checks as one program
    local name=$1 folder source
    shift
    folder=$out/$name
    mkdir -p "$folder"
    for source in "$root"/Sources/CKernels/*.c "$here"/*.c; do
        echo "$source"
    done | xargs -P 4 -I {} sh -c '
        o=$1/$(basename "$(dirname "$2")")-$(basename "$2").o; shift 2; "$@" -c "$0" -o "$o"' \
        {} "$folder" {} "$clang" "${flags[@]}" "$@"
    "$linker" -o "$folder/check" "$folder"/*.o -lm -lpthread
}

case ${1:-native} in
native)
    define=()
    [[ $(uname -m) == x86_64 ]] && define=(-DCS_AMX_MODEL="\"$here/amx_model.h\"")
    build native "${define[@]}"
    "$out/native/check"
    ;;
aarch64)
    linker=aarch64-linux-gnu-gcc
    build aarch64 --target=aarch64-linux-gnu --sysroot=/usr/aarch64-linux-gnu -isystem /usr/aarch64-linux-gnu/include
    # Armv8.0; Neoverse N1 has byte dots; the last has all.
    for cpu in cortex-a72 neoverse-n1 max; do
        echo "qemu-aarch64 -cpu $cpu"
        qemu-aarch64 -L /usr/aarch64-linux-gnu -cpu "$cpu" "$out/aarch64/check"
    done
    ;;
*)
    sed -n '2,6p' "$0" | sed 's/^# \{0,1\}//'
    exit 2
    ;;
esac
