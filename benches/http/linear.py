"""Measures what a page costs in collections of ten thousand, a hundred thousand and a million documents: the first
page, and the thousandth, reached by following `next`. Reports ratios to the first page of the smallest: see README.md."""

import argparse
import json
import random
import statistics
import urllib.parse

import lab

SIZES = (10_000, 100_000, 1_000_000)
PAGE, FAR = 20, 1000
# All documents in an order with ties, and the half of them that an equality leaves.
QUERIES = {"sort": "sort=rank", "filter and sort": "half=0&sort=rank"}
FIGURES = ("cpu", "mongod_cpu", "p50")
SCHEMA = {
    "type": "object",
    "required": ["half", "rank", "name"],
    "additionalProperties": False,
    "properties": {"half": {"bsonType": "int"}, "rank": {"bsonType": "int"}, "name": {"type": "string"}},
    "x-indexes": [{"keys": {"rank": 1}}, {"keys": {"half": 1, "rank": 1}}],
}


def arguments():
    parser = argparse.ArgumentParser(prog="run.sh linear FOLIO", description=__doc__)
    parser.add_argument("--secs", type=int, default=5, help="of a run")
    parser.add_argument("--reps", type=int, default=3)
    parser.add_argument("--conc", type=int, default=1, help="connections")
    return parser.parse_args()


def collection_of(size):
    return f"rows_{size}"


def write_schemas():
    folder = lab.HOME / "linear-schemas"
    folder.mkdir(exist_ok=True)
    for size in SIZES:
        (folder / f"{collection_of(size)}.json").write_text(json.dumps(SCHEMA))
    return folder


def load(database, size):
    """Fills the collection, unless it is filled; the server under test has made it, with its rules and indexes."""
    collection = database[collection_of(size)]
    if collection.estimated_document_count() == size:
        return
    print("loading", size, "documents", flush=True)
    collection.delete_many({})
    pick = random.Random(size)
    rows = ({"half": pick.randrange(2), "rank": pick.randrange(size // 3), "name": f"{i:040}"} for i in range(size))
    collection.insert_many(rows, ordered=False)


def walk(server, path):
    """The paths of the first page and of the thousandth, or of the last full one; and that one's number. Every document
    must come once, and in order."""
    at, page, last, seen = path, 1, (-1, ""), set()
    while True:
        status, body = server.request("GET", at)
        assert status == 200, (at, status, body)
        answer = json.loads(body)
        for item in answer["items"]:
            key = item["rank"], item["_id"]
            assert key > last and item["_id"] not in seen, f"{path}: {key} after {last} on page {page}"
            last = key
            seen.add(item["_id"])
        if page == FAR or answer["next"] is None:
            return before if page < FAR else (at, page)
        before, page = (at, page), page + 1
        at = f"{path}&after={urllib.parse.quote(answer['next'])}"


def examined(server, database, path):
    """Keys and documents that the database examined for one answer, by its profiler."""
    database.command("profile", 0)
    database.drop_collection("system.profile")
    database.command("profile", 2)
    status, _ = server.request("GET", path)
    database.command("profile", 0)
    commands = list(database["system.profile"].find({"op": {"$in": ["query", "getmore"]}, "ns": {"$regex": "rows_"}}))
    assert status == 200 and len(commands) == 1, f"{path}: {status}, {len(commands)} commands, expected one"
    assert not commands[0].get("hasSortStage"), f"{path}: sorted in memory"
    return commands[0]["keysExamined"], commands[0]["docsExamined"]


def places(server, database):
    """Every page that is measured: size, query, number, path."""
    for size in SIZES:
        for name, query in QUERIES.items():
            first = f"/v1/{collection_of(size)}?{query}&limit={PAGE}"
            far, number = walk(server, first)
            print(f"walked {number} pages of {first}", flush=True)
            yield from ((size, name, 1, first), (size, name, number, far))


def measure(server, mongod, pages, options):
    """The median of each figure of each page. The pages take turns, so that what changes on the machine meets all."""
    loads = [lab.Load(server, [("GET", path, {}, "")], f"linear-{i}") for i, (*_, path) in enumerate(pages)]
    for load in loads:
        load.run(options.conc, 1)
    runs = [[] for _ in pages]
    for _ in range(options.reps):
        for load, found in zip(loads, runs):
            found.append(lab.measure(load, mongod, options.conc, options.secs))
            assert not found[-1]["refused"] + found[-1]["broken"], found[-1]
    return [{figure: statistics.median(run[figure] for run in found) for figure in FIGURES} for found in runs]


def markdown(pages, costs, figures):
    rows, first = [], {}
    for (size, query, number, _), keys, cost in zip(pages, costs, figures):
        base = first.setdefault(query, cost)
        ratios = [f"{cost[figure] / base[figure]:.2f}" for figure in FIGURES]
        shown = [f"{cost['cpu']:.4f}", f"{cost['mongod_cpu']:.4f}", f"{cost['p50']:.3f}"]
        rows.append([query, f"{size:,}", number, *keys, *shown, *ratios])
    head = ["query", "documents", "page", "keys examined", "documents examined", "CPU s/1k", "mongod CPU s/1k", "p50 ms"]
    return lab.table([*head, "CPU ÷ first", "mongod CPU ÷ first", "p50 ÷ first"], rows)


def main():
    options = arguments()
    with lab.Mongod() as mongod:
        database = mongod.client.bench
        server = lab.Server(lab.HERE / "adapters" / "folio.toml", write_schemas())
        try:
            server.start()
            for size in SIZES:
                load(database, size)
            pages = list(places(server, database))
            costs = [examined(server, database, path) for *_, path in pages]
            print("\n" + markdown(pages, costs, measure(server, mongod, pages, options)))
        finally:
            server.stop()


if __name__ == "__main__":
    main()
