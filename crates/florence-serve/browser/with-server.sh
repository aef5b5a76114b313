#!/usr/bin/env bash
# The browser's tests against a server of this workspace, on a port that is free.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"
log=$(mktemp)
cargo build --manifest-path ../../../Cargo.toml --bin florence
"${CARGO_TARGET_DIR:-../../../target}/debug/florence" serve --listen 127.0.0.1:0 > "$log" &
server=$!
trap 'kill "$server" 2>/dev/null || true; rm -f "$log"' EXIT
for _ in $(seq 100); do
    FLORENCE_URL=$(head -n 1 "$log")
    [ -n "$FLORENCE_URL" ] && break
    sleep 0.1
done
[ -n "$FLORENCE_URL" ] || { echo "the server does not start" >&2; exit 1; }
export FLORENCE_URL
npm "${@:-test}"
