//! `folio plan` and `folio apply`, through the binary itself.

use std::{
    os::unix::fs::PermissionsExt,
    path::Path,
    process::{Command, Output},
};

use mongodb::bson::{Document, doc};
use serde_json::{Value, json};

use crate::{
    cli::{FOLIO, files, text},
    support::{TestDatabase, database},
};

/// Runs a command on the database and the files of a folder.
fn run(command: &str, database: &TestDatabase, schemas: &Path, more: &[&str]) -> Output {
    let mut folio = Command::new(FOLIO);
    folio.args([command, "--mongodb", &database.uri, "--database", &database.name, "--schemas"]);
    folio.arg(schemas).args(more).output().unwrap()
}

/// The exit code and what was printed, errors too.
fn printed(output: &Output) -> (Option<i32>, String) {
    (output.status.code(), text(&output.stdout) + &text(&output.stderr))
}

fn price(minimum: i32, indexes: &Value) -> Value {
    let properties = json!({
        "price": { "bsonType": "int", "minimum": minimum }, "isbn": { "type": "string" },
    });
    json!({ "type": "object", "properties": properties, "x-indexes": indexes })
}

/// A database in step with a file that asks little, and these documents.
async fn started(documents: impl IntoIterator<Item = Document>) -> TestDatabase {
    let database = database().await;
    let (code, said) = printed(&run("apply", &database, files(&price(-99, &json!([]))).path(), &[]));
    assert_eq!(code, Some(0), "{said}");
    let documents: Vec<_> = documents.into_iter().collect();
    if !documents.is_empty() {
        // As another program would: `_id`s here are not as the file says.
        let off = doc! { "collMod": "things", "validationLevel": "off" };
        database.db.run_command(off).await.unwrap();
        database.db.collection("things").insert_many(documents).await.unwrap();
        database.db.run_command(doc! { "collMod": "things", "validationLevel": "strict" }).await.unwrap();
    }
    database
}

fn priced(prices: impl IntoIterator<Item = i32>) -> Vec<Document> {
    let id = |n: usize| bson::oid::ObjectId::from_bytes([u8::try_from(n).unwrap(); 12]);
    prices.into_iter().enumerate().map(|(n, price)| doc! { "_id": id(n), "price": price, "isbn": "978" }).collect()
}

#[tokio::test]
async fn a_plan_is_json_for_programs() {
    let test = started(priced([-1, 4, 5])).await;
    let indexes = json!([{ "keys": { "isbn": 1 }, "unique": true }, { "keys": { "price": -1 } }]);
    let plan = run("plan", &test, files(&price(0, &indexes)).path(), &["--json"]);
    insta::assert_snapshot!("plan_json", text(&plan.stdout));
    assert_eq!(printed(&plan).0, Some(3));
}

#[tokio::test]
async fn apply_makes_what_it_shows() {
    let test = started(priced([5, 6])).await;
    let indexes = json!([{ "keys": { "price": -1 } }]);
    let folder = files(&price(0, &indexes));
    let (code, said) = printed(&run("apply", &test, folder.path(), &["--color", "always"]));
    assert_eq!(code, Some(0), "{said}");
    assert!(said.contains("\u{1b}[33m~ validator things [safe]\u{1b}[0m\n"), "{said}");
    assert!(said.contains("    ~ #/properties/price minimum: -99 → 0 (tightened)"), "{said}");
    assert!(said.contains("done: + index things.price_-1__id_-1"), "{said}");
    test.db.collection("things").insert_one(doc! { "price": -1 }).await.unwrap_err();
    for command in ["plan", "apply"] {
        let output = printed(&run(command, &test, folder.path(), &[]));
        assert_eq!(output, (Some(0), "the database is as the collection files say\n".to_owned()), "{command}");
    }
}

#[tokio::test]
async fn what_stands_in_the_way_is_an_exit_code_of_its_own() {
    let test = started(priced([-1, 4])).await;
    let tight = files(&price(0, &json!([])));
    for command in ["plan", "apply"] {
        let (code, said) = printed(&run(command, &test, tight.path(), &[]));
        assert_eq!(code, Some(3), "{command}: {said}");
        assert!(said.contains("! 1 stored document breaks it; correct them first:"), "{said}");
        assert!(said.contains("/price: must be at least 0 (#/properties/price/minimum)"), "{said}");
    }
    let loose = files(&price(-999, &json!([])));
    let (code, said) = printed(&run("plan", &test, loose.path(), &[]));
    assert_eq!(code, Some(2), "{said}");
    assert!(said.contains("minimum: -99 → -999 (loosened)"), "{said}");
}

#[tokio::test]
async fn destructive_changes_need_to_be_asked_for() {
    let test = started(priced([4])).await;
    let index = |options: Value| {
        let mut index = json!({ "keys": { "price": 1 }, "name": "p" });
        index.as_object_mut().unwrap().extend(options.as_object().unwrap().clone());
        files(&price(-99, &json!([index])))
    };
    let (code, said) = printed(&run("apply", &test, index(json!({})).path(), &[]));
    assert_eq!(code, Some(0), "{said}");
    let sparse = index(json!({ "sparse": true }));
    let (code, said) = printed(&run("apply", &test, sparse.path(), &[]));
    assert_eq!(code, Some(2), "{said}");
    assert!(said.contains("[destructive]") && said.contains("nothing was changed"), "{said}");
    let (code, said) = printed(&run("apply", &test, sparse.path(), &["--apply", "all"]));
    assert_eq!(code, Some(0), "{said}");
    assert!(said.contains("done: ~ index things.p"), "{said}");
}

#[tokio::test]
async fn a_plan_in_a_file_is_carried_out_only_on_what_it_was_made_from() {
    let test = started(priced([4])).await;
    let folder = files(&price(0, &json!([])));
    let file = tempfile::tempdir().unwrap().keep().join("plan.json");
    let file = file.to_str().unwrap();
    let nowhere = run("plan", &test, folder.path(), &["--out", "no/such/plan.json"]);
    assert!(text(&nowhere.stderr).starts_with("there is no folder `no/such`: make it"), "{nowhere:?}");
    // As somebody made it before, for everyone to read.
    std::fs::write(file, "").unwrap();
    let plan = || {
        assert_eq!(printed(&run("plan", &test, folder.path(), &["--out", file])).0, Some(2));
        assert_eq!(std::fs::metadata(file).unwrap().permissions().mode() & 0o777, 0o600);
    };
    let apply = || printed(&run("apply", &test, folder.path(), &[file]));

    plan();
    test.db.run_command(doc! { "collMod": "things", "validationAction": "warn" }).await.unwrap();
    let (code, said) = apply();
    assert_eq!(code, Some(1), "{said}");
    assert!(
        said.contains("the collection `things` is not as it was") && said.contains("nothing was changed"),
        "{said}"
    );

    plan();
    std::fs::write(folder.path().join("things.json"), price(1, &json!([])).to_string()).unwrap();
    let (code, said) = apply();
    assert_eq!(code, Some(1), "{said}");
    assert!(said.contains("the file of `things` is another"), "{said}");

    plan();
    test.db.collection("things").insert_many(priced([]).into_iter().chain([doc! { "price": 7 }])).await.unwrap();
    let annotated = price(1, &json!([]));
    let mut annotated = annotated.as_object().unwrap().clone();
    annotated.insert("title".to_owned(), "Things".into());
    std::fs::write(folder.path().join("things.json"), Value::from(annotated).to_string()).unwrap();
    let (code, said) = apply();
    assert_eq!(code, Some(0), "{said}");
    let (code, said) = apply();
    assert_eq!(code, Some(1), "{said}");

    std::fs::write(file, r#"{"version": 9, "fingerprint": {"collections": {}, "files": {}, "applied": [null, null]}}"#)
        .unwrap();
    let (code, said) = apply();
    assert_eq!(code, Some(1), "{said}");
    assert!(said.contains("version 9"), "{said}");
    std::fs::remove_dir_all(Path::new(file).parent().unwrap()).unwrap();
}

#[tokio::test]
async fn going_back_needs_to_be_asked_for() {
    let test = started(priced([4])).await;
    let (old, new) = (files(&price(-99, &json!([]))), files(&price(0, &json!([]))));
    assert_eq!(printed(&run("apply", &test, new.path(), &[])).0, Some(0));
    for command in ["plan", "apply"] {
        let (code, said) = printed(&run(command, &test, old.path(), &[]));
        assert_eq!(code, Some(2), "{said}");
        assert!(said.contains("older than those that the database follows") && said.contains("--rollback"), "{said}");
    }
    let (code, said) = printed(&run("apply", &test, old.path(), &["--rollback"]));
    assert_eq!(code, Some(0), "{said}");
    test.db.collection("things").insert_one(doc! { "price": -1 }).await.unwrap();
}

#[tokio::test]
async fn a_plan_says_nothing_to_the_terminal() {
    let test = started([doc! { "_id": "\u{1b}[2J", "price": 5, "extra\u{1b}[31m\n- done": 1 }]).await;
    let mut closed = price(-99, &json!([]));
    closed["additionalProperties"] = false.into();
    closed["properties"]["_id"] = json!({ "bsonType": "string" });
    let (code, said) = printed(&run("plan", &test, files(&closed).path(), &[]));
    assert_eq!(code, Some(3), "{said}");
    assert!(!said.contains('\u{1b}') && !said.contains("\n- done"), "{said}");
}

#[tokio::test]
async fn the_commands_say_what_a_stage_is_and_when_it_ends() {
    let test = started([doc! { "price": -5 }]).await;
    let folder = files(&price(0, &json!([])));
    let (code, said) = printed(&run("apply", &test, folder.path(), &["--stage"]));
    assert!(code == Some(0) && said.contains("set with level `moderate` and action `error`"), "{said}");
    let (code, said) = printed(&run("plan", &test, folder.path(), &[]));
    assert!(code == Some(0) && said.contains("a stage goes on until these documents are corrected"), "{said}");
}
