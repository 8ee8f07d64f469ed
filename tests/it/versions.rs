//! The sample library's files in five versions over many documents, through the binary: each plan counts exactly what
//! is in its way, nothing is made while something is, and the database follows.

use std::{collections::BTreeMap, fs, path::Path, process::Command};

use bson::{Bson, DateTime, Decimal128, Document, doc, oid::ObjectId};
use serde_json::{Value, json};

use crate::support::{TestDatabase, database, effort};

const FOLIO: &str = env!("CARGO_BIN_EXE_folio");

/// How many documents there are of each of books, members and loans, for each unit of effort.
const EACH: [(&str, usize); 3] = [("books", 10_000), ("members", 4000), ("loans", 6000)];

/// A folder of collection files that changes from version to version, and the database that follows it.
struct Library {
    test: TestDatabase,
    folder: tempfile::TempDir,
    files: BTreeMap<&'static str, Value>,
    sizes: BTreeMap<&'static str, usize>,
}

/// What a plan finds in the way: by collection, documents that break the new validator; by collection and index, keys
/// and documents that share them.
#[derive(Debug, Default, PartialEq)]
struct InTheWay {
    breaking: BTreeMap<String, u64>,
    duplicates: BTreeMap<String, (u64, u64)>,
}

impl Library {
    async fn new() -> Self {
        let read = |name| {
            let text = fs::read_to_string(Path::new("schemas").join(format!("{name}.json"))).unwrap();
            (name, serde_json::from_str(&text).unwrap())
        };
        Self {
            test: database().await,
            folder: tempfile::tempdir().unwrap(),
            files: ["authors", "books", "members", "loans"].into_iter().map(read).collect(),
            sizes: EACH.into_iter().map(|(name, size)| (name, size * effort())).collect(),
        }
    }

    fn file(&mut self, name: &'static str) -> &mut Value {
        self.files.get_mut(name).unwrap()
    }

    fn property(&mut self, collection: &'static str, name: &str) -> &mut Value {
        &mut self.file(collection)["properties"][name]
    }

    /// How many documents of the collection are so, by their numbers.
    fn count(&self, collection: &str, is_so: impl Fn(usize) -> bool) -> u64 {
        (0..self.sizes[collection]).filter(|i| is_so(*i)).count() as u64
    }

    async fn fill(&self) {
        for (name, document) in [("books", book as fn(usize) -> Document), ("members", member), ("loans", loan)] {
            let numbers: Vec<_> = (0..self.sizes[name]).collect();
            for part in numbers.chunks(5000) {
                self.test.db.collection(name).insert_many(part.iter().map(|i| document(*i))).await.unwrap();
            }
        }
    }

    fn run(&self, command: &str, more: &[&str]) -> (i32, String) {
        for (name, file) in &self.files {
            fs::write(self.folder.path().join(format!("{name}.json")), file.to_string()).unwrap();
        }
        let mut folio = Command::new(FOLIO);
        folio.args([command, "--mongodb", &self.test.uri, "--database", &self.test.name]);
        let output = folio.arg("--schemas").arg(self.folder.path()).args(more).output().unwrap();
        let error = String::from_utf8(output.stderr).unwrap();
        let code = output.status.code().unwrap();
        assert!(code != 1, "{command}: {error}");
        (code, String::from_utf8(output.stdout).unwrap())
    }

    /// The plan, its exit code, and what it finds in the way.
    fn plan(&self, more: &[&str]) -> (i32, Value, InTheWay) {
        let (code, out) = self.run("plan", &[&["--json"], more].concat());
        let plan: Value = serde_json::from_str(&out).unwrap();
        let mut found = InTheWay::default();
        for step in plan["steps"].as_array().unwrap() {
            let collection = step["collection"].as_str().unwrap();
            if let Some(breaking) = step.get("breaking") {
                assert!(breaking["exact"] == json!(true) || !more.is_empty(), "{step:#}");
                let shown = breaking["samples"].as_array().unwrap();
                let documents = breaking["documents"].as_u64().unwrap();
                assert_eq!(shown.len() as u64, documents.min(5), "{step:#}");
                assert!(shown.iter().all(|sample| sample["violations"][0]["rule"].is_string()), "{step:#}");
                found.breaking.insert(collection.to_owned(), documents);
            }
            if let Some(duplicates) = step.get("duplicates") {
                let index = step["index"].get("name").or_else(|| step["to"].get("name")).unwrap().as_str().unwrap();
                let [keys, documents] = ["keys", "documents"].map(|name| duplicates[name].as_u64().unwrap());
                found.duplicates.insert(format!("{collection}.{index}"), (keys, documents));
            }
        }
        (code, plan, found)
    }

    /// Holds that these, and only these, are in the way, and that nothing is made as long as they are.
    async fn is_blocked(&self, breaking: &[(&str, u64)], duplicates: &[(&str, (u64, u64))]) {
        let before = self.state().await;
        let (code, plan, found) = self.plan(&[]);
        let expected = InTheWay {
            breaking: breaking.iter().map(|(name, count)| ((*name).to_owned(), *count)).collect(),
            duplicates: duplicates.iter().map(|(name, counts)| ((*name).to_owned(), *counts)).collect(),
        };
        assert_eq!(found, expected, "{plan:#}");
        assert_eq!((code, plan["status"].as_str().unwrap()), (3, "blocked"));
        assert_eq!(self.run("apply", &["--apply", "all"]).0, 3);
        assert_eq!(self.state().await, before);
    }

    /// Holds that nothing is in the way, and makes the changes of the plan; gives their kinds.
    async fn follows(&self, level: &str) -> Vec<(String, String)> {
        let (code, plan, found) = self.plan(&[]);
        assert_eq!((code, found), (2, InTheWay::default()), "{plan:#}");
        assert_eq!(plan["apply"], level, "{plan:#}");
        if level == "all" {
            let before = self.state().await;
            assert_eq!(self.run("apply", &[]).0, 2, "`--apply safe` makes no such changes");
            assert_eq!(self.state().await, before);
        }
        let (code, out) = self.run("apply", &["--apply", level]);
        assert_eq!(code, 0, "{out}");
        assert_eq!(self.run("plan", &[]).0, 0);
        let steps = plan["steps"].as_array().unwrap().iter().filter(|step| !step["risk"].is_null());
        steps.map(|step| ["collection", "change"].map(|name| step[name].as_str().unwrap().to_owned()).into()).collect()
    }

    /// Options and indexes of all collections.
    async fn state(&self) -> Vec<String> {
        let db = &self.test.db;
        let mut state = Vec::new();
        for name in self.files.keys() {
            let listed = db.run_command(doc! { "listCollections": 1, "filter": { "name": name } }).await.unwrap();
            let indexes = db.run_command(doc! { "listIndexes": name }).await.unwrap();
            state.extend([listed, indexes].map(|answer| answer.get_document("cursor").unwrap().to_string()));
        }
        state
    }

    /// Changes documents as a migration does, whatever the rules say.
    async fn migrate(
        &self,
        collection: &str,
        filter: Document,
        update: impl Into<mongodb::options::UpdateModifications>,
    ) {
        let stored = self.test.db.collection::<Document>(collection);
        stored.update_many(filter, update).bypass_document_validation(true).await.unwrap();
    }
}

fn number(i: usize) -> i32 {
    i32::try_from(i).unwrap()
}

fn one_of(texts: [&str; 3], i: usize) -> &str {
    texts[i % 3]
}

fn decimal(text: &str) -> Decimal128 {
    text.parse().unwrap()
}

fn id(kind: u8, i: usize) -> ObjectId {
    let mut bytes = [kind; 12];
    bytes[8..].copy_from_slice(&number(i).to_be_bytes());
    ObjectId::from_bytes(bytes)
}

/// Every fifteenth has no ISBN; the titles of the first hundred come again.
fn book(i: usize) -> Document {
    let mut book = doc! {
        "_id": id(1, i),
        "title": format!("Book {}", if (100..200).contains(&i) { i - 100 } else { i }),
        "author": id(0, i % 50),
        "originalLanguage": one_of(["en", "fr", "ja"], i),
        "year": 1700 + number(i % 300),
        "pages": 1 + number(i % 1000),
        "tags": (0..i % 4).map(|tag| Bson::from(format!("tag {tag}"))).collect::<Vec<_>>(),
        "price": decimal(&format!("{}.50", i % 90)),
        "stock": number(i % 40),
    };
    if !i.is_multiple_of(15) {
        book.insert("isbn", format!("978{i:010}"));
    }
    book
}

/// Every third is reached by phone alone, every other third by both.
fn member(i: usize) -> Document {
    let mut member = doc! {
        "_id": id(2, i),
        "cardNumber": format!("L-{i:06}"),
        "name": format!("Member {}", i % 1000),
        "status": one_of(["active", "suspended", "left"], i),
        "joinedAt": DateTime::from_millis(1_600_000_000_000 + i64::from(number(i))),
        "fees": decimal("0.00"),
    };
    if !i.is_multiple_of(3) {
        member.insert("email", format!("Member.{i}@example.org"));
    }
    if i % 3 != 1 {
        member.insert("phone", format!("+31{i:09}"));
    }
    member
}

fn loan(i: usize) -> Document {
    let mut loan = doc! {
        "_id": id(3, i),
        "book": id(1, i % 1000),
        "member": id(2, i % 400),
        "borrowedAt": DateTime::from_millis(1_700_000_000_000),
        "dueAt": DateTime::from_millis(1_702_000_000_000),
        "renewals": number(i % 4),
    };
    if i.is_multiple_of(2) {
        loan.insert("returnedAt", DateTime::from_millis(1_701_000_000_000));
    }
    if i.is_multiple_of(10) {
        loan.insert("condition", one_of(["good", "worn", "damaged"], i));
    }
    loan
}

#[tokio::test]
async fn the_sample_goes_through_five_versions_of_its_files() {
    let mut library = Library::new().await;
    assert_eq!(library.plan(&[]).0, 2);
    assert_eq!(library.run("apply", &[]).0, 0);
    library.fill().await;
    assert_eq!(library.plan(&[]).0, 0);
    tightened(&mut library).await;
    loosened(&mut library).await;
    renamed(&mut library).await;
    indexed_anew(&mut library).await;
}

/// The second version allows less.
async fn tightened(library: &mut Library) {
    library.property("books", "pages")["maximum"] = json!(800);
    library.property("books", "stock")["minimum"] = json!(1);
    library.file("members")["required"] = json!(["cardNumber", "name", "status", "joinedAt", "phone"]);
    library.property("loans", "renewals")["maximum"] = json!(1);
    library.property("loans", "condition")["enum"] = json!(["good", "worn"]);
    let long = |i: usize| i % 1000 >= 800;
    let books = library.count("books", |i| long(i) || i % 40 == 0);
    let members = library.count("members", |i| i % 3 == 1);
    let loans = library.count("loans", |i| i % 4 > 1 || i % 10 == 0 && i % 3 == 2);
    library.is_blocked(&[("books", books), ("members", members), ("loans", loans)], &[]).await;
    estimated(library, books);

    library.migrate("books", doc! { "pages": { "$gt": 800 } }, doc! { "$set": { "pages": 800 } }).await;
    library.migrate("members", doc! { "phone": null }, doc! { "$set": { "phone": "+31201234567" } }).await;
    library.migrate("loans", doc! { "renewals": { "$gt": 1 } }, doc! { "$set": { "renewals": 1 } }).await;
    let books = library.count("books", |i| i % 40 == 0);
    let loans = library.count("loans", |i| i % 10 == 0 && i % 3 == 2);
    library.is_blocked(&[("books", books), ("loans", loans)], &[]).await;

    library.migrate("books", doc! { "stock": 0 }, doc! { "$inc": { "stock": 1 } }).await;
    library.migrate("loans", doc! { "condition": "damaged" }, doc! { "$set": { "condition": "worn" } }).await;
    let made = library.follows("safe").await;
    assert_eq!(made.len(), 3, "{made:?}");
    assert!(made.iter().all(|(_, change)| change == "set-validator"), "{made:?}");
}

/// A sample tells of about as many, and blocks as well.
fn estimated(library: &Library, books: u64) {
    let (code, plan, found) = library.plan(&["--sample", "400"]);
    assert_eq!((code, plan["status"].as_str().unwrap()), (3, "blocked"));
    let about = found.breaking["books"];
    assert!((books / 2..books * 2).contains(&about), "{about} is not about {books}");
}

/// The third allows more, so no document has to be looked at.
async fn loosened(library: &mut Library) {
    library.property("books", "pages")["maximum"] = json!(30_000);
    library.property("books", "shelf").clone_from(&json!({ "type": "string", "maxLength": 10 }));
    library.file("members")["required"] = json!(["cardNumber", "name"]);
    library.property("loans", "condition")["enum"] = json!(["good", "worn", "damaged", "lost"]);
    let made = library.follows("safe").await;
    assert_eq!(made.len(), 3, "{made:?}");
}

/// The fourth calls a field by another name, so every document that has it is in the way, until it has moved.
async fn renamed(library: &mut Library) {
    let properties = library.file("books")["properties"].as_object_mut().unwrap();
    let pages = properties.remove("pages").unwrap();
    properties.insert("pageCount".to_owned(), pages);
    let required = library.file("books")["required"].as_array_mut().unwrap();
    required.push(json!("pageCount"));
    let all = library.sizes["books"];
    library.is_blocked(&[("books", all as u64)], &[]).await;
    let renamed = all / 3;
    let first = doc! { "_id": { "$lt": id(1, renamed) } };
    library.migrate("books", first, doc! { "$rename": { "pages": "pageCount" } }).await;
    library.is_blocked(&[("books", (all - renamed) as u64)], &[]).await;
    library.migrate("books", doc! {}, doc! { "$rename": { "pages": "pageCount" } }).await;
    assert_eq!(library.follows("safe").await, [("books".to_owned(), "set-validator".to_owned())]);
}

/// The fifth has other indexes, two of them over duplicates.
async fn indexed_anew(library: &mut Library) {
    library.file("books")["x-indexes"] = json!([
        { "keys": { "isbn": 1 }, "unique": true },
        { "keys": { "author": 1, "pageCount": 1 } },
        { "keys": { "title": 1 }, "unique": true },
        { "keys": { "tags": 1, "title": 1 } },
    ]);
    let insensitive = json!({ "locale": "en", "strength": 2 });
    library.file("members")["x-indexes"] = json!([
        { "keys": { "cardNumber": 1 }, "unique": true },
        { "keys": { "email": 1 }, "unique": true, "partialFilter": { "email": { "$exists": true } }, "collation": insensitive },
        { "keys": { "name": 1 }, "collation": insensitive, "name": "people" },
    ]);
    let without = library.count("books", |i| i % 15 == 0);
    // One member more has an address that differs from another one in letter case alone.
    library.migrate("members", doc! { "_id": id(2, 5) }, doc! { "$set": { "email": "MEMBER.2@example.org" } }).await;
    let duplicates = [("books.isbn_1", (1, without)), ("books.title_1", (100, 200)), ("members.email_1", (1, 2))];
    library.is_blocked(&[], &duplicates).await;

    let books = *library.sizes.get("books").unwrap();
    for i in (0..books).step_by(15) {
        let isbn = doc! { "$set": { "isbn": format!("979{i:010}") } };
        library.migrate("books", doc! { "_id": id(1, i) }, isbn).await;
    }
    let title = vec![doc! { "$set": { "title": { "$concat": ["$title", " / ", { "$toString": "$_id" }] } } }];
    let again = doc! { "_id": { "$gte": id(1, 100), "$lt": id(1, 200) } };
    library.migrate("books", again, title).await;
    library.migrate("members", doc! { "_id": id(2, 5) }, doc! { "$set": { "email": "member.5@example.org" } }).await;
    let made = library.follows("all").await;
    let kinds = |kind: &str| made.iter().filter(|(_, change)| change == kind).count();
    assert_eq!((kinds("rebuild-index"), kinds("create-index"), made.len()), (2, 3, 5), "{made:?}");
}
