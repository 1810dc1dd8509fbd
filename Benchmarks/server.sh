# Sourced: starts a server and stops it at exit. start_server BINARY FLAG... sets $address.

log=$(mktemp)
server=
stop_server() {
    [ -z "$server" ] || { kill "$server" 2>/dev/null || true; wait "$server" 2>/dev/null || true; }
    rm -f "$log"
}
trap stop_server EXIT

start_server() {
    [ -x "$1" ] || { echo "$1 is missing: swift build -c release --product cserve" >&2; exit 1; }
    binary=$1
    shift
    "$binary" serve --port 0 --disable-access-log "$@" >"$log" 2>&1 &
    server=$!
    until grep -q '^Ready' "$log"; do
        kill -0 "$server" 2>/dev/null || { cat "$log" >&2; exit 1; }
        sleep 0.1
    done
    address=$(sed -n 's/^Listening on //p' "$log")
}
