//! `folio check` beyond the files' mistakes: examples tried on a real server, warnings, the schema for editors.

use std::{
    fs,
    io::Read,
    path::Path,
    process::{Command, Output, Stdio},
    time::{Duration, Instant},
};

use folio::schema::meta;
use mongodb::bson::{doc, oid::ObjectId};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};

use crate::support::{Api, database};

const FOLIO: &str = env!("CARGO_BIN_EXE_folio");

fn check(schemas: &Path, args: &[&str]) -> Output {
    Command::new(FOLIO).arg("check").arg("--schemas").arg(schemas).args(args).output().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

/// A folder with one collection file, `things`.
fn folder(file: &Value) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("things.json"), file.to_string()).unwrap();
    folder
}

/// A place on the server for scratch databases of the test's own.
struct Place {
    uri: String,
    /// The name of a database that is not there, and short enough to begin the scratch databases' names.
    database: String,
    client: mongodb::Client,
}

impl Place {
    async fn new() -> Self {
        let shared = database().await;
        let database = format!("test_{}", &ObjectId::new().to_hex()[12..]);
        Self { uri: shared.uri, database, client: shared.db.client().clone() }
    }

    fn args(&self) -> [&str; 5] {
        ["--examples", "--mongodb", &self.uri, "--database", &self.database]
    }

    /// The exit code, what is said, and what is complained of.
    async fn examples(&self, file: &Value) -> (Option<i32>, String, String) {
        let folder = folder(file);
        let checked = check(folder.path(), &self.args());
        assert_eq!(self.databases().await, [""; 0], "something is left behind");
        let shown = format!("{}/", folder.path().display());
        let plain = |bytes: &[u8]| text(bytes).replace(&shown, "");
        (checked.status.code(), plain(&checked.stdout), plain(&checked.stderr))
    }

    async fn databases(&self) -> Vec<String> {
        let names = self.client.list_database_names().await.unwrap();
        names.into_iter().filter(|name| name.starts_with(&self.database)).collect()
    }
}

#[tokio::test]
async fn the_examples_of_the_sample_are_right() {
    let place = Place::new().await;
    let checked = check(Path::new("schemas"), &place.args());
    let (said, warned) = (text(&checked.stdout), text(&checked.stderr));
    assert!(checked.status.success() && warned.is_empty(), "{said}{warned}");
    for line in [
        "schemas/books.json: ok, 7 indexes, 2 examples accepted, 4 counterexamples refused",
        "    #/x-counterexamples/3: refused: /price: must be a multiple of 0.01 (#/properties/price/multipleOf)",
    ] {
        assert!(said.lines().any(|said| said == line), "no `{line}` in\n{said}");
    }
    assert_eq!(place.databases().await, [""; 0]);
}

#[tokio::test]
async fn examples_that_are_not_what_they_should_be_are_listed() {
    let file = json!({
        "type": "object",
        "required": ["n"],
        "additionalProperties": false,
        "properties": {
            "n": { "bsonType": "int", "minimum": 0 },
            "at": { "bsonType": "date", "x-set": { "insert": "now" } },
            "spot": { "type": "object" }
        },
        "examples": [{ "n": 1 }, { "n": -1 }, { "n": 1, "at": "2024-05-01T00:00:00Z" }, 5, { "n": { "$numberInt": 1 } }],
        "x-counterexamples": [{}, { "n": 1 }, { "n": -1, "at": "2024-05-01T00:00:00Z" }, { "n": -1, "m": 1 },
            { "n": 1, "spot": { "type": "Point", "coordinates": [300, 0] } }],
        "x-indexes": [{ "keys": { "n": 1 }, "unique": true }, { "keys": { "spot": "2dsphere" } }]
    });
    let (code, said, complaints) = Place::new().await.examples(&file).await;
    assert_eq!(code, Some(1), "{said}{complaints}");
    let unsent = "these fields are not for clients to write: /at";
    let expected = [
        "things.json#/examples/1: is refused: /n: must be at least 0 (#/properties/n/minimum)".to_owned(),
        format!("things.json#/examples/2: {unsent}"),
        "things.json#/examples/3: expected an object".to_owned(),
        "things.json#/examples/4: ".to_owned(),
        "things.json#/x-counterexamples/1: is accepted, and should break a rule".to_owned(),
        format!(
            "things.json#/x-counterexamples/2: says nothing of the rules, since it never comes to MongoDB: {unsent}"
        ),
    ];
    let complaints: Vec<_> = complaints.lines().collect();
    assert_eq!(complaints.len(), expected.len(), "{complaints:#?}");
    for (complaint, expected) in complaints.iter().zip(expected) {
        assert!(complaint.starts_with(&expected), "{complaint} is not {expected}");
    }
    let expected = [
        "things.json: 6 mistakes",
        "    #/x-counterexamples/0: refused: /n: is required (#/required)",
        "    #/x-counterexamples/3: refused: /n: must be at least 0 (#/properties/n/minimum); \
         /m: is not a declared field (#/additionalProperties)",
        "    #/x-counterexamples/4: refused: a `2dsphere` index takes GeoJSON",
    ];
    assert_eq!(said.lines().count(), expected.len(), "{said}");
    for (line, expected) in said.lines().zip(expected) {
        assert!(line.starts_with(expected), "{line} is not {expected}");
    }
}

/// Examples are what a POST sends: the service adds its part before MongoDB judges.
#[tokio::test]
async fn examples_get_what_the_service_writes() {
    let file = json!({
        "type": "object",
        "required": ["_id", "stock", "at", "by", "nested", "owner"],
        "properties": {
            "_id": { "bsonType": "binData", "format": "uuid", "x-set": { "insert": "uuid" } },
            "stock": { "bsonType": "int", "default": 0 },
            "at": { "bsonType": "date", "x-set": { "insert": "now" } },
            "by": { "bsonType": "objectId", "x-set": { "insert": "user" } },
            "owner": { "type": "string", "x-set": { "insert": "user" } },
            "nested": { "type": "object", "required": ["at"],
                "properties": { "at": { "bsonType": "date", "x-set": { "insert": "now" } } } }
        },
        "examples": [{ "nested": {} }, { "nested": {}, "stock": 3 }],
        "x-counterexamples": [{}]
    });
    let (code, said, complaints) = Place::new().await.examples(&file).await;
    let expected = "things.json: ok, 0 indexes, 2 examples accepted, 1 counterexample refused\n    \
                    #/x-counterexamples/0: refused: /nested: is required (#/required)\n";
    assert_eq!((code, said.as_str(), complaints.as_str()), (Some(0), expected, ""));
}

/// Whatever the database does about stored documents that break the rules.
#[tokio::test]
async fn examples_are_held_to_rules_that_only_warn() {
    let file = json!({
        "type": "object",
        "properties": { "n": { "bsonType": "int", "minimum": 0 } },
        "examples": [{ "n": 0 }],
        "x-counterexamples": [{ "n": -1 }],
        "x-collection": { "validation": { "level": "moderate", "action": "warn" } }
    });
    let (code, said, complaints) = Place::new().await.examples(&file).await;
    assert_eq!((code, said.lines().count(), complaints.as_str()), (Some(0), 2, ""), "{said}");
}

#[tokio::test]
async fn the_examples_of_fields_are_held_to_their_fields() {
    let file = json!({
        "type": "object",
        "required": ["other"],
        "properties": {
            "code": { "type": "string", "pattern": "^[A-Z]+$", "examples": ["AB", "ab"] },
            "price": { "bsonType": "decimal", "minimum": 0, "examples": ["19.90", 5, "-1.00"] },
            "lines": { "type": "array", "examples": [[]], "items": {
                "type": "object", "required": ["at"], "additionalProperties": false, "examples": [{}],
                "properties": { "at": { "bsonType": "date", "examples": ["2024-05-01T00:00:00Z", "yesterday"] } } } }
        }
    });
    let (code, _, complaints) = Place::new().await.examples(&file).await;
    assert_eq!(code, Some(1));
    let expected = [
        "things.json#/properties/code/examples/1: is refused: must match the pattern `^[A-Z]+$` (#/properties/code/pattern)",
        "things.json#/properties/lines/items/examples/0: is refused: /at: is required (#/properties/lines/items/required)",
        "things.json#/properties/lines/items/properties/at/examples/1: is refused: must be a date \
         (#/properties/lines/items/properties/at/bsonType)",
        "things.json#/properties/price/examples/2: is refused: must be at least 0 (#/properties/price/minimum)",
    ];
    assert_eq!(complaints.lines().collect::<Vec<_>>(), expected);
}

#[tokio::test]
async fn what_the_server_refuses_of_a_file_leaves_nothing_behind() {
    let indexes = json!([{ "keys": { "a": 1 }, "collation": { "locale": "xx-nowhere" } }]);
    let file = json!({ "type": "object", "properties": { "a": { "type": "string" } }, "x-indexes": indexes });
    let (code, _, complaints) = Place::new().await.examples(&file).await;
    assert_eq!(code, Some(1));
    assert!(complaints.contains("xx-nowhere"), "{complaints}");
}

#[tokio::test]
async fn ctrl_c_leaves_nothing_behind() {
    let place = Place::new().await;
    let examples = vec![json!({ "n": 1 }); 20_000];
    let folder =
        folder(&json!({ "type": "object", "properties": { "n": { "bsonType": "int" } }, "examples": examples }));
    for signal in [Signal::INT, Signal::TERM] {
        let mut command = Command::new(FOLIO);
        command.arg("check").arg("--schemas").arg(folder.path()).args(place.args());
        let mut child = command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
        let begun = Instant::now();
        while place.databases().await.is_empty() {
            assert!(begun.elapsed() < Duration::from_secs(30), "nothing is tried");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        kill_process(Pid::from_child(&child), signal).unwrap();
        let mut complaints = String::new();
        child.stderr.take().unwrap().read_to_string(&mut complaints).unwrap();
        assert_eq!(complaints.trim(), "stopped before every example was tried");
        assert_eq!(child.wait().unwrap().code(), Some(1));
        assert_eq!(place.databases().await, [""; 0], "{signal:?}");
    }
}

#[tokio::test]
async fn what_a_killed_check_left_is_swept() {
    let place = Place::new().await;
    let (old, new) = ("650000000000000000000000", ObjectId::new().to_hex());
    let named = |beside: &str, id: &str| format!("{beside}_folio_check_{id}");
    let mut mine = [named(&place.database, old), named(&place.database, &new), place.database.clone()];
    for name in &mine {
        place.client.database(name).collection("things").insert_one(doc! { "a": 1 }).await.unwrap();
    }
    assert!(check(Path::new("schemas"), &place.args()).status.success());
    let mut left = place.databases().await;
    left.sort();
    mine.sort();
    assert_eq!(left, mine.iter().filter(|name| !name.ends_with(old)).cloned().collect::<Vec<_>>());
    for name in left {
        place.client.database(&name).drop().await.unwrap();
    }
}

#[test]
fn warns_without_failing_unless_asked_to() {
    let folder = folder(&json!({
        "type": "object",
        "properties": { "a": { "type": "string" }, "b": { "bsonType": "objectId", "x-ref": { "collection": "things" } } },
        "x-indexes": [{ "keys": { "a": 1 } }, { "keys": { "a": 1, "c": 1 } }],
        "x-access": { "loader": ["import"] }
    }));
    let shown = folder.path().join("things.json");
    let expected = ["#/x-indexes/0: ", "#/x-indexes/1/keys/c: ", "#/properties/b/x-ref: ", "#/x-access/loader: "];
    for (args, code) in [(&[][..], 0), (&["--deny-warnings"], 1), (&["--strict"], 1)] {
        let checked = check(folder.path(), args);
        assert_eq!(checked.status.code(), Some(code), "{checked:?}");
        assert!(text(&checked.stdout).ends_with("things.json: ok, 2 indexes\n"));
        let warnings = text(&checked.stderr);
        assert_eq!(warnings.lines().count(), expected.len(), "{warnings}");
        for (warning, place) in warnings.lines().zip(expected) {
            assert!(warning.starts_with(&format!("warning: {}{place}", shown.display())), "{warning}");
        }
    }
    assert_eq!(check(Path::new("schemas"), &["--deny-warnings"]).status.code(), Some(0));
}

#[test]
fn writes_the_schema_for_editors() {
    let folder = tempfile::tempdir().unwrap();
    let nowhere = folder.path().join("nowhere");
    let printed = check(&nowhere, &["--meta"]);
    assert!(printed.status.success(), "{printed:?}");
    assert_eq!(text(&printed.stdout), meta::text());
    let file = folder.path().join("collection.schema.json");
    assert!(check(&nowhere, &["--meta", file.to_str().unwrap()]).status.success());
    assert_eq!(fs::read_to_string(&file).unwrap(), meta::text());
    let failed = check(&nowhere, &["--meta", nowhere.join("x").to_str().unwrap()]);
    assert_eq!(failed.status.code(), Some(1));
    assert!(text(&failed.stderr).starts_with("cannot write `"), "{failed:?}");
    assert_eq!(check(&nowhere, &["--meta", "--examples"]).status.code(), Some(1));
}

#[tokio::test]
async fn serves_the_schema_for_editors() {
    let api = Api::library().await;
    let served = api.get("/collection.schema.json").await;
    assert_eq!((served.status, served.header("content-type")), (200, "application/schema+json"));
    assert_eq!(served.text, meta::text());
}
