//! `folio apply`, killed at random moments.

use std::{
    path::Path,
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use folio::{
    config::Apply,
    schema::Catalog,
    sync::{self, BOOKKEEPING},
};
use mongodb::bson::{Document, doc};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::{
    cli::FOLIO,
    support::{TestDatabase, database, effort},
};

/// Enough that counting and indexing them takes a moment.
const DOCUMENTS: i32 = 5_000;

/// The files of a version: each asks more of the documents than the one before, and for other indexes, options and
/// collections.
fn version(number: i32, bad: bool) -> TempDir {
    let things = json!({
        "type": "object",
        "properties": { "n": { "bsonType": "int", "minimum": if bad { 10 } else { number - 1000 } } },
        "x-collection": { "preImages": number % 2 == 0 },
        "x-indexes": [
            { "name": "by", "keys": { format!("f{}", number % 3): 1, "n": 1 } },
            { "name": "once", "keys": { "n": 1 }, "unique": number % 2 == 0 },
            { "keys": { format!("g{number}"): 1 } }
        ]
    });
    let other = json!({ "type": "object", "x-indexes": [{ "keys": { "a": 1 } }] });
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, file: &Value| std::fs::write(folder.path().join(name), file.to_string()).unwrap();
    write("things.json", &things);
    write("others.json", &other);
    write(&format!("new{number}.json"), &other);
    folder
}

fn folio(command: &str, here: &TestDatabase, schemas: &Path) -> Command {
    let mut folio = Command::new(FOLIO);
    folio.args([command, "--mongodb", &here.uri, "--database", &here.name, "--schemas"]).arg(schemas);
    folio.stdout(Stdio::piped()).stderr(Stdio::piped());
    folio
}

/// Runs the command to its end, which must be good.
async fn succeed(mut command: Command) -> String {
    let output = tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap();
    let said = String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{:?}: {said}", output.status);
    said
}

fn apply(here: &TestDatabase, schemas: &Path, more: &[&str]) -> Command {
    let mut command = folio("apply", here, schemas);
    command.args(["--apply", "all"]).args(more);
    command
}

/// Kills the command after that time, if it has not ended by itself.
async fn killed(mut command: Command, after: Duration) {
    let mut child = command.spawn().unwrap();
    tokio::time::sleep(after).await;
    child.kill().unwrap();
    tokio::task::spawn_blocking(move || child.wait().unwrap()).await.unwrap();
}

/// As if the time of a dead holder's lease were over.
async fn expire_the_lease(here: &TestDatabase) {
    let kept = here.db.collection::<Document>(BOOKKEEPING);
    kept.update_one(doc! { "_id": "lease" }, vec![doc! { "$set": { "until": "$$NOW" } }]).await.unwrap();
}

async fn record(here: &TestDatabase) -> Document {
    let kept = here.db.collection::<Document>(BOOKKEEPING);
    kept.find_one(doc! { "_id": "catalog" }).await.unwrap().unwrap()
}

#[tokio::test]
async fn what_a_killed_apply_left_the_next_one_completes_and_older_files_do_not_undo() {
    let here = database().await;
    let mut old = version(0, false);
    let begun = Instant::now();
    succeed(apply(&here, old.path(), &[])).await;
    let documents = (0..DOCUMENTS).map(|n| doc! { "n": n, "f0": n % 7, "f1": n % 11, "f2": "x", "s": "y".repeat(200) });
    here.db.collection("things").insert_many(documents).await.unwrap();
    let whole = begun.elapsed();
    for round in 1..=3 * i32::try_from(effort().min(10)).unwrap() {
        // Of the second in three, documents break the validator, and it goes in in a stage.
        let bad = round % 3 == 2;
        let more: &[&str] = if bad { &["--stage"] } else { &[] };
        let new = version(round, bad);
        killed(apply(&here, new.path(), more), whole.mul_f64(fastrand::f64() * 1.5)).await;

        let older = Catalog::load(old.path()).unwrap();
        let report = sync::run(&here.db, &older, &Apply::None.into()).await;
        assert!(report.is_ok_and(|report| report.applied.is_empty()), "round {round}");
        // One that may change things only looks after its own: nothing was begun, or the newer files are in charge.
        if record(&here).await.contains_key("applying") {
            let report = sync::run(&here.db, &older, &Apply::All.into()).await.unwrap();
            assert!(report.superseded && report.applied.is_empty(), "round {round}: {report:?}");
        }

        let begun = Instant::now();
        if round > 1 {
            expire_the_lease(&here).await;
        }
        succeed(apply(&here, new.path(), more)).await;
        assert!(begun.elapsed() < Duration::from_secs(60), "round {round}: {:?}", begun.elapsed());
        let said = succeed(folio("plan", &here, new.path())).await;
        assert_eq!(said.contains("its stage ends"), bad, "round {round}: {said}");
        assert!(!record(&here).await.contains_key("applying"), "round {round}");
        let kept = here.db.collection::<Document>(BOOKKEEPING);
        assert_eq!(kept.count_documents(doc! { "_id": "lease" }).await.unwrap(), 0, "round {round}");
        let stored = here.db.collection::<Document>("things").count_documents(doc! {}).await.unwrap();
        assert_eq!(stored, u64::try_from(DOCUMENTS).unwrap(), "round {round}");
        old = new;
    }
}
