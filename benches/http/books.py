"""The data set: 100,000 books of 500 to 1,000 bytes, the same ones every time, and the requests that ask for them."""

import datetime
import itertools
import json
import random
import urllib.parse

from bson import ObjectId

import lab

COUNT = 100_000
SEED = 20261122
# Stands in a request for a number that was never used before.
UNIQUE = "@unique@"

SYLLABLES = (
    "ba be bi bo bu da de di do du fa fe ka ke ki ko la le li lo lu ma me mi mo mu na ne ni no ra re ri ro sa se si so"
    " ta te ti to va ve vi vo za"
).split()
BSON_TYPES = {"string": "string", "integer": ["int", "long"], "number": ["double", "int", "long"]}


class Library:
    """Makes books out of one random sequence."""

    def __init__(self):
        self.random = pick = random.Random(SEED)
        self.tags = sorted({self.word() + str(i % 10) for i in range(260)})[:200]
        self.words = [self.word(1) for _ in range(1500)] + ["the", "of", "and", "a", "in"] * 60
        self.authors = sorted({f"{self.word().title()} {self.word().title()}" for _ in range(2600)})[:2000]
        self.publishers = [
            {"name": self.word().title() + " " + pick.choice(["Press", "Books", "House"]), "city": self.word().title()}
            for _ in range(150)
        ]

    def word(self, shortest=2):
        return "".join(self.random.choice(SYLLABLES) for _ in range(self.random.randint(shortest, 4)))

    def blurb(self):
        words = []
        while sum(map(len, words)) + len(words) < 290:
            words.append(self.random.choice(self.words))
        text = " ".join(words).capitalize() + "."
        kind = self.random.random()
        if kind < 0.10:  # what JSON escapes
            return text[:100] + ' "' + text[100:120] + '" ' + text[120:]
        if kind < 0.15:
            return text[:150] + "\n" + text[150:]
        return text.replace("e", "é", 3) if kind < 0.35 else text

    def book(self, isbn):
        pick = self.random
        year = pick.randint(1950, 2024)
        days = datetime.timedelta(days=365 * (year - 1950))
        return {
            "title": " ".join(pick.choice(self.words) for _ in range(pick.randint(2, 6))).title(),
            "author": pick.choice(self.authors),
            "isbn": isbn,
            "year": year,
            "price": round(pick.uniform(3, 90), 2),
            "tags": pick.sample(self.tags, pick.randint(3, 5)),
            "published": datetime.datetime(1950, 1, 1)
            + days
            + datetime.timedelta(days=pick.randint(0, 364), seconds=pick.randint(0, 86399)),
            "stock": pick.randint(0, 500),
            "publisher": dict(pick.choice(self.publishers)),
            "blurb": self.blurb(),
        }


def identity(number):
    """The `_id` and the ISBN of a book."""
    return ObjectId(f"{1700000000 + number // 100:08x}be9c4a11d0{number:06x}"), f"978-{number:09d}"


def load(database):
    """Fills the database, unless it is filled."""
    books = database.books
    if books.estimated_document_count() == COUNT and "isbn_1" in books.index_information():
        return
    print("loading", COUNT, "books", flush=True)
    books.delete_many({})
    library = Library()
    identities = map(identity, range(COUNT))
    books.insert_many({"_id": id, **library.book(isbn)} for id, isbn in identities)
    build_indexes(books)


def collection_file():
    return json.loads((lab.SCHEMAS / "books.json").read_text())


def build_indexes(collection):
    """The indexes of the collection file, as Folio makes them: `_id` ends each that is not unique."""
    for index in collection_file()["x-indexes"]:
        unique = index.get("unique", False)
        keys = index["keys"] if unique else {**index["keys"], "_id": 1}
        collection.create_index(list(keys.items()), name=index["name"], unique=unique)


def validator(schema):
    """The rules of a collection file in MongoDB's words, as far as the benchmark's file needs it."""
    rules = {name: rule for name, rule in schema.items() if name[0] not in "$x" and name not in ("title", "type")}
    rules["bsonType"] = schema.get("bsonType") or BSON_TYPES.get(schema["type"], schema["type"])
    if "properties" in schema:
        rules["properties"] = {name: validator(rule) for name, rule in schema["properties"].items()}
    if "items" in schema:
        rules["items"] = validator(schema["items"])
    return rules


def empty_writes(database):
    """Makes the collection that is written to anew. Requests still in flight may bring it back in between."""
    name = database.books_w.name
    database.drop_collection(name)
    database.create_collection(name, check_exists=False, validator={"$jsonSchema": validator(collection_file())})
    build_indexes(database[name])


class Requests:
    """The requests of an adapter's workloads."""

    def __init__(self, database):
        library = Library()
        self.new_books = [library.book(UNIQUE) for _ in range(300)]
        self.known = [identity(number) for number in random.Random(1).sample(range(COUNT), 4000)]
        prolific = [{"$sortByCount": "$author"}, {"$match": {"count": {"$gte": 20}}}, {"$sort": {"_id": 1}}]
        self.authors = [found["_id"] for found in database.books.aggregate([*prolific, {"$limit": 1500}])]

    def of(self, adapter, work):
        """Method, path, headers and body of each request in the rotation."""
        spec = adapter[work]
        body = spec.get("body", "")
        json_body = {"Content-Type": "application/json"} if body else {}
        headers = {**json_body, **adapter.get("headers", {}), **spec.get("headers", {})}
        books = [json.dumps(dated(book, adapter["date"]), ensure_ascii=False) for book in self.new_books]
        values = {
            "@id@": [str(id) for id, _ in self.known],
            "@author@": [urllib.parse.quote(author) for author in self.authors],
            "@skip@": [str(page * 100) for page in range(20)],
            "@stock@": [str(100 + number) for number in range(800)],
            "@book@": books,
            "@books@": [",".join(books[(i * 37 + k) % 300] for k in range(100)) for i in range(30)],
        }
        used = {mark: found for mark, found in values.items() if mark in spec["url"] + body}
        rotation = max(map(len, used.values()), default=1)
        for row in itertools.islice(zip(*map(itertools.cycle, used.values())) if used else [()], rotation):
            replaced = [spec["url"], body]
            for mark, value in zip(used, row):
                replaced = [text.replace(mark, value) for text in replaced]
            yield spec["method"], replaced[0], headers, replaced[1]


def dated(book, style):
    text = book["published"].isoformat() + "Z"
    return {**book, "published": {"$date": text} if style == "extended" else text}
