#!/usr/bin/env bash
# What another program writes: a bad document sent straight to MongoDB is refused by the validator, naming the rule
# that the collection file has, and a good one is there in the API at once.
# usage: mongosh-test.sh, after `cargo build`; `MONGOSH` names the shell when it is not on PATH.
set -euo pipefail
cd "$(dirname "$0")/.."

folio=${CARGO_TARGET_DIR:-target}/debug/folio
mongosh=${MONGOSH:-mongosh}
work=$(mktemp -d)
pid=

cleanup() {
    if [ -n "$pid" ]; then
        kill "$pid" 2>/dev/null || true
        wait "$pid" 2>/dev/null || true
    fi
    rm -rf "$work"
}
trap cleanup EXIT

fail() {
    printf 'mongosh test: %s\n' "$1" >&2
    sed 's/^/    folio dev: /' "$work/output" >&2
    exit 1
}

# Prints what the group of an extended regular expression is in the first line of `folio dev` that has it.
printed() {
    sed -nE "s|.*$1.*|\\1|p" "$work/output" | head -n 1
}

[ -x "$folio" ] || { printf 'mongosh test: there is no `%s`: run `cargo build` first\n' "$folio" >&2; exit 1; }

"$folio" dev --listen 127.0.0.1:0 --data "$work/data" >"$work/output" 2>&1 &
pid=$!

uri= api=
deadline=$((SECONDS + 120))
until [ -n "$uri" ] && [ -n "$api" ] && curl --silent --fail --output "$work/ready" "${api%/v1}/readyz"; do
    kill -0 "$pid" 2>/dev/null || fail '`folio dev` ended before it was ready'
    [ "$SECONDS" -lt "$deadline" ] || fail '`folio dev` was not ready within 120 s'
    uri=$(printed 'mongosh "(mongodb://127\.0\.0\.1:[0-9]+/[^"]*)"')
    api=$(printed '(http://127\.0\.0\.1:[1-9][0-9]*/v1)')
    sleep 0.1
done

# Prints the `_id` of the good book; every other outcome is an error and thus another exit code.
cat >"$work/shell.js" <<'JS'
const books = db.getSiblingDB("library").books;
const good = {
  title: "A book from the shell",
  isbn: "9780000000019",
  author: new ObjectId(),
  originalLanguage: "en",
  year: NumberInt(1999),
  published: new Date("1999-12-31"),
  price: NumberDecimal("12.50"),
  stock: NumberInt(3),
};

function expect(holds, message, seen) {
  if (!holds) throw new Error(`${message}: ${EJSON.stringify(seen)}`);
}

const { title, ...bad } = { ...good, isbn: "9780000000026", price: "cheap" };
let refusal;
try {
  books.insertOne(bad);
} catch (error) {
  refusal = error;
}
expect(refusal !== undefined, "the bad book was stored", bad);
expect(refusal.code === 121, "the bad book was not refused by the validator", refusal);

// Any shape that nests the rules: the pointer of each broken one must stand somewhere in the details.
const details = EJSON.stringify(refusal.errInfo?.details ?? null);
expect(details.includes("#/properties/price"), "the details do not name the rule of `price`", details);
expect(details.includes('"title"'), "the details do not name the missing `title`", details);
expect(books.countDocuments({ isbn: bad.isbn }) === 0, "the bad book is there", bad);

const { insertedId } = books.insertOne(good);
print(`id=${insertedId.toHexString()}`);
JS

"$mongosh" --quiet --norc "$uri" --file "$work/shell.js" >"$work/shell" 2>&1 || fail "$(cat "$work/shell")"
id=$(sed -n 's/^id=//p' "$work/shell")
[ -n "$id" ] || fail "the shell printed no id: $(cat "$work/shell")"

curl --silent --show-error --fail-with-body "$api/books/$id" >"$work/book" || fail "$api/books/$id: $(cat "$work/book")"
python3 - "$work/book" "$id" <<'PYTHON' || fail "the API shows another book: $(cat "$work/book")"
import json, sys

with open(sys.argv[1], encoding="utf-8") as stream:
    book = json.load(stream)
assert book["_id"] == sys.argv[2], book["_id"]
assert book["title"] == "A book from the shell", book["title"]
assert book["isbn"] == "9780000000019", book["isbn"]
assert book["stock"] == 3, book["stock"]
PYTHON

printf 'mongosh test: the validator refuses the bad book, the API shows the good one\n'
