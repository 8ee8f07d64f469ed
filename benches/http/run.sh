#!/usr/bin/env bash
# Measures a release binary of Folio over HTTP, on a private MongoDB server.
# usage: run.sh compare|linear|profile FOLIO [options of that measurement; --help lists them]
#
# Needs cargo, python3 with venv and pip, curl, and wrk; `profile` needs perf too.
# MONGOD or FOLIO_MONGOD names the server; without them it is the one that the tests run, fetched if need be.
# Everything that is built, stored and measured goes to BENCH_HOME (~/.cache/folio/bench).
# A run that others disturb by more than BENCH_FOREIGN processors (0.2) is waited for or repeated.
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
cache=${XDG_CACHE_HOME:-$HOME/.cache}/folio

usage() { sed -n '3s/^# //p' "$0" >&2; exit 2; }
need() { command -v "$1" >/dev/null || { echo "missing \`$1\`: on Debian, \`apt install $2\`" >&2; exit 1; }; }

case "${1-}" in compare | linear | profile) measurement=$1 ;; *) usage ;; esac
[ -x "${2-}" ] || usage
FOLIO=$(realpath "$2")
shift 2
need wrk wrk
need curl curl
[ "$measurement" != profile ] || need perf linux-perf

export FOLIO BENCH_HOME=${BENCH_HOME:-$cache/bench} MONGOD=${MONGOD:-${FOLIO_MONGOD:-$cache/mongod-6.0.5/mongod}}
export PYTHONDONTWRITEBYTECODE=1
mkdir -p "$BENCH_HOME"
[ -x "$MONGOD" ] || "$root/scripts/get-mongod.sh" "$MONGOD"

python=$BENCH_HOME/venv/bin/python
if ! "$python" -c 'import pymongo' 2>/dev/null; then
    python3 -m venv "$BENCH_HOME/venv"
    "$python" -m pip install --quiet 'pymongo>=4.6,<5'
fi

# The limit is built from the same versions of the driver, the runtime and the HTTP stack as Folio.
cp "$root/Cargo.lock" "$here/limit/Cargo.lock"
CARGO_TARGET_DIR=$BENCH_HOME/limit cargo build --quiet --release --manifest-path "$here/limit/Cargo.toml"

exec "$python" "$here/$measurement.py" "$@"
