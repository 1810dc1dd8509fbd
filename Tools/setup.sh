#!/bin/sh
# Installs what a build ("build") or the tests ("test") need and is missing: by package name on Debian and Ubuntu,
# elsewhere it names what to install. Says what it does; does nothing when nothing is missing.
set -eu

missing=""
need() { # command that proves it is there, Debian package
    if ! sh -c "$1" >/dev/null 2>&1; then missing="$missing $2"; fi
}

if ! command -v swift >/dev/null 2>&1; then
    echo "CServe is built with Swift 6.2 or later, and there is no 'swift' on the PATH." >&2
    echo "Install it from https://www.swift.org/install/linux (or with swiftly), then run this again." >&2
    exit 1
fi

need "command -v git" git
need "command -v cc || command -v clang" gcc
need "echo '#include <stdlib.h>' | cc -E - || echo '#include <stdlib.h>' | clang -E -" libc6-dev
need "echo '#include <sqlite3.h>' | cc -E - || echo '#include <sqlite3.h>' | clang -E -" libsqlite3-dev
if [ "${1:-build}" = test ]; then
    need "command -v python3" python3
    need "python3 -c 'import venv, ensurepip'" python3-venv
    need "command -v openssl" openssl
    need "command -v curl" curl
    # Only counts instructions, and is done without where it cannot be installed.
    if command -v apt-get >/dev/null 2>&1; then need "command -v valgrind" valgrind; fi
fi
[ -z "$missing" ] && exit 0

if ! command -v apt-get >/dev/null 2>&1; then
    echo "Missing, please install (Debian's names):$missing" >&2
    exit 1
fi
sudo=""
if [ "$(id -u)" != 0 ]; then
    command -v sudo >/dev/null 2>&1 || { echo "Missing, please install as root: apt-get install$missing" >&2; exit 1; }
    sudo=sudo
fi
echo "Installing what is missing:$missing"
$sudo env DEBIAN_FRONTEND=noninteractive apt-get update -qq
# shellcheck disable=SC2086
$sudo env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $missing
