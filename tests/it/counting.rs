//! How many stored documents stand in the way of a change: exact, or said to be an estimate.

use std::{
    io::Read,
    num::NonZeroU64,
    process::{Command, Stdio},
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use bson::{
    Bson, DateTime, Decimal128, Document, JavaScriptCodeWithScope, RawDocumentBuf, Timestamp, doc, oid::ObjectId,
    spec::BinarySubtype,
};
use folio::{
    schema::Catalog,
    sync::{self, Breaking, Count, Counting, Pace, Plan, Progress},
};
use mongodb::Database;
use rustix::process::{Pid, Signal, kill_process};
use serde_json::json;

use crate::support::{TestDatabase, catalog, database};

const FOLIO: &str = env!("CARGO_BIN_EXE_folio");

/// `things` whose `n` is at least 0, with an `_id` of any type.
fn things() -> Catalog {
    let types = [
        "double",
        "string",
        "object",
        "binData",
        "objectId",
        "bool",
        "date",
        "null",
        "javascript",
        "symbol",
        "javascriptWithScope",
        "int",
        "timestamp",
        "long",
        "decimal",
        "minKey",
        "maxKey",
    ];
    let properties = json!({ "_id": { "bsonType": types }, "n": { "bsonType": "int", "minimum": 0 } });
    catalog(&[("things", json!({ "type": "object", "properties": properties }))])
}

fn at_full_pace() -> Counting {
    Counting { pace: Pace::Full, ..Counting::default() }
}

fn sampled(size: u64) -> Counting {
    Counting { sample: NonZeroU64::new(size), ..at_full_pace() }
}

async fn plan(db: &Database, counting: &Counting) -> Plan {
    sync::plan(db, &things(), counting).await.unwrap()
}

async fn breaking(db: &Database, counting: &Counting) -> Option<Breaking> {
    plan(db, counting).await.breaking.remove("things")
}

async fn fill(db: &Database, documents: impl IntoIterator<Item = Document>) {
    db.collection("things").insert_many(documents).await.unwrap();
}

/// An `_id` of every type that can be one, `n` times, and different each time.
fn ids(n: i32) -> Vec<Bson> {
    let bytes = |i: i32| bson::Binary { subtype: BinarySubtype::Generic, bytes: i.to_be_bytes().to_vec() };
    let code = |i: i32| JavaScriptCodeWithScope { code: i.to_string(), scope: doc! { "i": i } };
    let decimal = |i: i32| format!("{i}.75").parse::<Decimal128>().unwrap();
    let each = |i: i32| {
        [
            Bson::Double(f64::from(i) + 0.5),
            Bson::Int32(4 * i),
            Bson::Int64(i64::from(i) * 4 + 1),
            Bson::Decimal128(decimal(i)),
            Bson::String(i.to_string()),
            Bson::Symbol(format!("s{i}")),
            Bson::Document(doc! { "i": i, "odd": { "a.b": [i] } }),
            Bson::Binary(bytes(i)),
            Bson::ObjectId(ObjectId::new()),
            Bson::DateTime(DateTime::from_millis(i.into())),
            Bson::Timestamp(Timestamp { time: 7, increment: i.unsigned_abs() }),
            Bson::JavaScriptCode(i.to_string()),
            Bson::JavaScriptCodeWithScope(code(i)),
        ]
    };
    let once = [
        Bson::MinKey,
        Bson::MaxKey,
        Bson::Null,
        Bson::Boolean(false),
        Bson::Boolean(true),
        Bson::Double(f64::NAN),
        Bson::Double(f64::INFINITY),
        Bson::Double(f64::NEG_INFINITY),
        Bson::Document(doc! {}),
        Bson::String(String::new()),
    ];
    once.into_iter().chain((0..n).flat_map(each)).collect()
}

#[tokio::test]
async fn every_document_is_counted_whatever_its_id() {
    let here = database().await;
    let ids = ids(400);
    let documents = ids.iter().enumerate().map(|(i, id)| doc! { "_id": id, "n": if i % 3 == 0 { -1 } else { 1 } });
    fill(&here.db, documents).await;
    let expected = ids.len().div_ceil(3) as u64;
    let told = Arc::new(Mutex::new(Vec::new()));
    let progress = Progress::to({
        let told = Arc::clone(&told);
        move |reading| told.lock().unwrap().push((reading.collection.to_owned(), reading.done, reading.of))
    });
    let found = breaking(&here.db, &Counting { progress, ..Counting::default() }).await.unwrap();
    assert_eq!(found.count, Count::Exact(expected));
    assert_eq!(found.samples.len(), 5);
    assert_eq!(found.samples[0].id, Bson::MinKey);
    for sample in &found.samples {
        let [violation] = &sample.violations[..] else { panic!("{sample:?}") };
        assert_eq!((violation.pointer.as_str(), violation.keyword.as_str()), ("/n", "minimum"));
        assert_eq!(violation.rule.as_deref(), Some("#/properties/n"));
        assert_eq!(violation.found.as_ref().unwrap().get(), "-1");
    }
    let told = told.lock().unwrap();
    let all = ids.len() as u64;
    assert!(told.len() > 2 && told.is_sorted(), "{told:?}");
    assert_eq!(told[0], ("things".to_owned(), 0, all));
    assert_eq!(told.last(), Some(&("things".to_owned(), all, all)));
}

#[tokio::test]
async fn the_last_document_and_the_only_one_are_counted() {
    let here = database().await;
    here.db.create_collection("things").await.unwrap();
    assert!(breaking(&here.db, &at_full_pace()).await.is_none());
    for id in [Bson::MinKey, Bson::MaxKey, Bson::Null, Bson::Double(f64::NAN), Bson::Document(doc! { "eq": 1 })] {
        let one = RawDocumentBuf::try_from(doc! { "_id": id.clone(), "n": -1 }).unwrap();
        here.db.collection::<RawDocumentBuf>("things").insert_one(one).await.unwrap();
        let found = breaking(&here.db, &at_full_pace()).await.unwrap();
        assert_eq!((found.count, found.samples.len()), (Count::Exact(1), 1), "{id:?}");
        here.db.collection::<Document>("things").delete_many(doc! {}).await.unwrap();
    }
}

#[tokio::test]
async fn a_clustered_collection_is_counted_too() {
    let here = database().await;
    let clustered = doc! { "create": "things", "clusteredIndex": { "key": { "_id": 1 }, "unique": true } };
    here.db.run_command(clustered).await.unwrap();
    fill(&here.db, (0..3000).map(|i| doc! { "_id": i, "n": i - 1200 })).await;
    assert_eq!(breaking(&here.db, &at_full_pace()).await.unwrap().count, Count::Exact(1200));
}

#[tokio::test]
async fn writers_do_not_disturb_the_count() {
    let here = database().await;
    fill(&here.db, (0..6000).map(|i| doc! { "_id": 2 * i, "n": if i % 4 == 0 { -1 } else { 1 } })).await;
    let writer = tokio::spawn({
        let things = here.db.collection::<Document>("things");
        async move {
            for i in (0..).map(|i| i * 7919 % 20_000) {
                let kept = doc! { "_id": 2 * i + 1 };
                drop(things.insert_one(doc! { "_id": 2 * i + 1, "n": 5 }).await);
                things.delete_one(kept).await.unwrap();
                things.delete_one(doc! { "_id": 2 * i, "n": 1 }).await.unwrap();
                drop(things.insert_one(doc! { "_id": 12_000 + i, "n": 7 }).await);
            }
        }
    });
    for pace in [Pace::Full, Pace::Gentle] {
        let found = breaking(&here.db, &Counting { pace, ..Counting::default() }).await.unwrap();
        assert_eq!(found.count, Count::Exact(1500));
    }
    writer.abort();
}

#[tokio::test]
async fn a_sample_gives_an_estimate_and_says_so() {
    let here = database().await;
    fill(&here.db, (0..30_000).map(|i| doc! { "_id": i, "n": if i % 5 == 0 { -1 } else { 1 } })).await;
    let found = breaking(&here.db, &sampled(1400)).await.unwrap();
    let Count::Estimated { about, sampled: 1400 } = found.count else { panic!("{found:?}") };
    assert!((4000..8000).contains(&about), "{about} is not about 6000");
    assert_eq!(found.samples.len(), 5);
    assert!(found.samples.iter().all(|sample| sample.violations.len() == 1), "{found:?}");

    here.db.collection::<Document>("things").delete_many(doc! { "n": -1, "_id": { "$gt": 0 } }).await.unwrap();
    let plan = plan(&here.db, &sampled(10)).await;
    let found = &plan.breaking["things"];
    assert_eq!(found.count, Count::Estimated { about: 0, sampled: 10 });
    assert!(!found.is_in_the_way() && found.samples.is_empty());
    // Drawing as many as there are costs more than reading all.
    assert_eq!(breaking(&here.db, &sampled(30_000)).await.unwrap().count, Count::Exact(1));
    let refusal = sync::run(&here.db, &things(), &folio::config::Apply::Safe.into()).await.unwrap_err().to_string();
    assert!(refusal.contains("1 stored document breaks it"), "{refusal}");
}

/// What the server is doing for us in the database of the test, cursors that wait included.
async fn running(db: &Database) -> Vec<Document> {
    let mine = doc! { "ns": { "$regex": format!("^{}\\.", db.name()) }, "type": { "$in": ["op", "idleCursor"] } };
    let stages = vec![doc! { "$currentOp": { "idleCursors": true } }, doc! { "$match": mine }];
    let admin = db.client().database("admin");
    let command = doc! { "aggregate": 1, "pipeline": stages, "cursor": { "batchSize": 1000 } };
    let answer = admin.run_command(command).await.unwrap();
    let batch = answer.get_document("cursor").unwrap().get_array("firstBatch").unwrap();
    batch.iter().map(|op| op.as_document().unwrap().clone()).collect()
}

/// Whether the operation looks for duplicates.
fn groups(op: &Document) -> bool {
    op.get_document("command").is_ok_and(|command| command.get_str("aggregate").is_ok_and(|name| name == "things"))
}

async fn until<T>(db: &Database, wanted: impl Fn(&[Document]) -> Option<T>) -> T {
    let begun = Instant::now();
    loop {
        let found = running(db).await;
        if let Some(wanted) = wanted(&found) {
            return wanted;
        }
        assert!(begun.elapsed() < Duration::from_secs(20), "{found:#?}");
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
}

/// Documents with many keys each, which take long to group.
async fn fill_with_lists(here: &TestDatabase) {
    let list = |i: i32| (0..60).map(|j| Bson::Int32((i * 60 + j) >> 1)).collect::<Vec<_>>();
    for part in 0..4 {
        fill(&here.db, (part * 5000..(part + 1) * 5000).map(|i| doc! { "_id": i, "n": 1, "list": list(i) })).await;
    }
}

fn unique_list() -> serde_json::Value {
    json!({ "type": "object", "x-indexes": [{ "keys": { "list": 1 }, "unique": true }] })
}

#[tokio::test]
async fn nothing_is_left_on_the_server_when_nobody_waits_any_more() {
    let here = database().await;
    fill_with_lists(&here).await;
    let planning = tokio::spawn({
        let db = here.db.clone();
        async move { sync::plan(&db, &catalog(&[("things", unique_list())]), &Counting::default()).await }
    });
    until(&here.db, |running| running.iter().any(groups).then_some(())).await;
    let begun = Instant::now();
    planning.abort();
    until(&here.db, |running| running.is_empty().then_some(())).await;
    let took = begun.elapsed();
    assert!(took < Duration::from_secs(3), "it went on for {took:?}");
    let left = here.db.list_collection_names().await.unwrap();
    assert_eq!(left, ["things"]);
}

#[tokio::test]
async fn an_interrupted_plan_says_that_nothing_was_changed() {
    let here = database().await;
    fill_with_lists(&here).await;
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("things.json"), unique_list().to_string()).unwrap();
    let mut command = Command::new(FOLIO);
    command.args(["plan", "--mongodb", &here.uri, "--database", &here.name]).arg("--schemas").arg(folder.path());
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    until(&here.db, |running| running.iter().any(groups).then_some(())).await;
    kill_process(Pid::from_child(&child), Signal::INT).unwrap();
    let (mut out, mut error) = (String::new(), String::new());
    child.stdout.take().unwrap().read_to_string(&mut out).unwrap();
    child.stderr.take().unwrap().read_to_string(&mut error).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(1));
    assert_eq!((out.as_str(), error.trim_end()), ("", "stopped: nothing was changed"));
    until(&here.db, |running| running.is_empty().then_some(())).await;
}
