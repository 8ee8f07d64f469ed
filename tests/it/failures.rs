//! Every way in which a write fails in the database, on a server that is made to fail so: what the client is told, and
//! whether that is true.

use std::{collections::BTreeSet, fmt::Write as _, time::Duration};

use folio::schema::Catalog;
use futures::{TryStreamExt, future::join_all};
use mongodb::{
    Database,
    bson::{Document, doc},
};
use reqwest::Method;
use serde_json::{Value, json};
use tokio::time::sleep;

use crate::support::{Answer, Api, catalog, nodes::Set};

const ID: &str = "6650f0000000000000000001";
const JSON: &str = "application/json";
const MERGE: &str = "application/merge-patch+json";
const PATCH: &str = "application/json-patch+json";
const TWO: &str = r#"[{"_id":"6650f0000000000000000008","n":8},{"_id":"6650f0000000000000000009","n":9}]"#;
const BULK: &str = r#"[{"insert":{"_id":"6650f0000000000000000009","n":9}},
    {"update":{"id":"6650f0000000000000000001","patch":{"n":9}}}, {"delete":{"id":"6650f0000000000000000002"}}]"#;
const UPDATE: &str = r#"[{"update":{"id":"6650f0000000000000000001","patch":{"n":9}}}]"#;

/// A way to write, to the collection that it has for itself.
struct Way {
    name: &'static str,
    request: (Method, &'static str, &'static str, &'static str),
    header: Option<(&'static str, &'static str)>,
}

/// Every way to write. `{id}` in a path is that of the first of the documents that are there.
fn ways() -> Vec<Way> {
    let way = |name, method, path, media, body| Way { name, request: (method, path, media, body), header: None };
    let when = |way: Way, name, header, value| Way { name, header: Some((header, value)), ..way };
    vec![
        way("insert", Method::POST, "", JSON, r#"{"_id":"6650f0000000000000000009","n":9}"#),
        way("replace", Method::PUT, "/{id}", JSON, r#"{"n":9}"#),
        when(way("", Method::PUT, "/6650f0000000000000000009", JSON, r#"{"n":9}"#), "create", "if-none-match", "*"),
        way("merge", Method::PATCH, "/{id}", MERGE, r#"{"n":9}"#),
        when(way("", Method::PATCH, "/{id}", MERGE, r#"{"n":9}"#), "merge if", "if-match", "*"),
        way("patch", Method::PATCH, "/{id}", PATCH, r#"[{"op":"replace","path":"/n","value":9}]"#),
        way("operate", Method::PATCH, "/{id}", JSON, r#"{"$inc":{"n":1}}"#),
        when(way("", Method::PATCH, "/{id}", JSON, r#"{"$inc":{"n":1}}"#), "operate if", "if-match", "*"),
        way("upsert", Method::PUT, "/6650f0000000000000000009?upsert=true", JSON, r#"{"n":9}"#),
        way("delete", Method::DELETE, "/{id}", JSON, ""),
        way("insert all", Method::POST, "", JSON, TWO),
        way("insert each", Method::POST, "?ordered=false", JSON, TWO),
        way("merge many", Method::PATCH, "?n[lt]=3", MERGE, r#"{"n":9}"#),
        way("operate many", Method::PATCH, "?n[lt]=3", JSON, r#"{"$inc":{"n":10}}"#),
        way("bulk", Method::POST, "/_bulk", JSON, BULK),
        way("bulk each", Method::POST, "/_bulk?ordered=false", JSON, UPDATE),
        way("delete many", Method::DELETE, "?n[lt]=3", JSON, ""),
    ]
}

/// A collection for each way.
fn files() -> Catalog {
    let file = json!({ "type": "object", "properties": { "n": { "bsonType": "int" } }, "x-indexes": [{ "keys": { "n": 1 } }] });
    let names: Vec<_> = (0..ways().len()).map(|n| format!("w{n}")).collect();
    catalog(&names.iter().map(|name| (name.as_str(), file.clone())).collect::<Vec<_>>())
}

/// The service on a server of its own.
struct Stage {
    set: Set,
    api: Api,
    /// The service's database, looked at whatever state the server is in.
    look: Database,
    /// What is stored after each way that succeeds.
    done: Vec<Vec<Document>>,
}

impl Stage {
    async fn new() -> Self {
        let set = Set::start(1).await;
        let mut database = set.database("failures").await;
        // A server that says that it shuts down and does not is looked at again after half a second.
        database.uri.push_str("&heartbeatFrequencyMS=500&serverMonitoringMode=poll");
        let settings = database.settings();
        let api = Api::start_with(files(), database, settings).await;
        let look = set.nodes[0].admin().client().database("failures");
        let mut stage = Self { set, api, look, done: Vec::new() };
        for n in 0..ways().len() {
            stage.fill(n).await;
            let answer = stage.write(n, "10").await;
            assert!(answer.status < 300, "{}: {answer:?}", ways()[n].name);
            let done = stage.stored(n).await;
            stage.done.push(done);
        }
        stage
    }

    /// Puts back what is there before each write.
    async fn fill(&self, n: usize) {
        let id = |n: i32| mongodb::bson::oid::ObjectId::parse_str(format!("6650f000000000000000000{n}")).unwrap();
        let collection = self.api.collection(&format!("w{n}"));
        collection.delete_many(doc! {}).await.unwrap();
        collection.insert_many((1..=3).map(|n| doc! { "_id": id(n), "n": n })).await.unwrap();
    }

    async fn stored(&self, n: usize) -> Vec<Document> {
        let collection = self.look.collection(&format!("w{n}"));
        collection.find(doc! {}).sort(doc! { "_id": 1 }).await.unwrap().try_collect().await.unwrap()
    }

    /// Makes nothing fail any more, and waits until the service has seen that.
    async fn recover(&self) {
        self.set.heal().await;
        while self.api.get("/readyz").await.status != 200 {
            sleep(Duration::from_millis(20)).await;
        }
    }

    async fn write(&self, n: usize, seconds: &str) -> Answer {
        let Way { request: (method, path, media, body), header, .. } = &ways()[n];
        let headers = [Some(("request-timeout", seconds)), Some(("content-type", *media)), *header];
        let headers: Vec<_> = headers.into_iter().flatten().collect();
        let path = format!("/v1/w{n}{}", path.replace("{id}", ID));
        self.api.send(method.clone(), &path, &headers, *body).await
    }

    /// Writes, and tells in a line what the client was told and what was done.
    async fn attempt(&self, n: usize, seconds: &str) -> String {
        let before = self.stored(n).await;
        let answer = self.write(n, seconds).await;
        let after = self.stored(n).await;
        let done = match after {
            after if after == self.done[n] => "done",
            after if after == before => "not done",
            after => panic!("{} is half done: {answer:?}, {after:?}", ways()[n].name),
        };
        let told = told(&answer);
        match told.as_str() {
            told if told.starts_with('2') => assert_eq!(done, "done", "{answer:?}"),
            "503 unconfirmed" | "504 deadline-exceeded" => {}
            _ => assert_eq!(done, "not done", "{answer:?}"),
        }
        format!("{told}, {done}")
    }
}

/// The status of an answer, and what kind of problem it is. Where each document has an answer, it is that of them all.
fn told(answer: &Answer) -> String {
    if answer.status == 207 {
        let results = answer.json()["results"].as_array().unwrap().clone();
        let told = |result: &Value| {
            let slug = result["problem"]["type"].as_str().unwrap_or_default().trim_start_matches("/problems/");
            format!("{} {slug}", result["status"]).trim_end().to_owned()
        };
        let told: BTreeSet<_> = results.iter().map(told).collect();
        assert_eq!(told.len(), 1, "{answer:?}");
        return told.into_iter().next().unwrap();
    }
    match answer.status {
        status @ 200..=299 => status.to_string(),
        status => format!("{status} {}", slug(answer)),
    }
}

/// What kind of problem an answer is: all that is needed to decide whether to send the request again.
fn slug(answer: &Answer) -> String {
    let problem = answer.json();
    let slug = problem["type"].as_str().unwrap().trim_start_matches("/problems/").to_owned();
    answer.problem(answer.status, &slug);
    let again = answer.headers.contains_key("retry-after");
    assert_eq!(again, ["unavailable", "conflict"].contains(&slug.as_str()), "{answer:?}");
    assert!(
        !answer.text.contains("127.0.0.1") && !answer.text.contains("failCommand"),
        "the cause is for the log: {answer:?}"
    );
    slug
}

const WRITES: [&str; 4] = ["insert", "update", "delete", "findAndModify"];
const COMMIT: [&str; 1] = ["commitTransaction"];
const READS: [&str; 2] = ["find", "aggregate"];

fn code(code: i32) -> Document {
    doc! { "errorCode": code }
}

fn labeled(code: i32, label: &str) -> Document {
    doc! { "errorCode": code, "errorLabels": [label] }
}

fn unconfirmed(code: i32) -> Document {
    doc! { "writeConcernError": { "code": code, "errmsg": "waiting for replication", "errInfo": { "wtimeout": true } } }
}

/// The commands that fail, and how.
fn failures() -> Vec<(&'static str, Vec<&'static str>, Document)> {
    let transient = |code| labeled(code, "TransientTransactionError");
    vec![
        ("the connection breaks at the write", WRITES.to_vec(), doc! { "closeConnection": true }),
        ("the connection breaks at the read", READS.to_vec(), doc! { "closeConnection": true }),
        ("the connection breaks at the commit", COMMIT.to_vec(), doc! { "closeConnection": true }),
        ("NotWritablePrimary", WRITES.to_vec(), code(10107)),
        ("NotWritablePrimary at the commit", COMMIT.to_vec(), code(10107)),
        ("NotPrimaryNoSecondaryOk", WRITES.to_vec(), code(13435)),
        ("PrimarySteppedDown", WRITES.to_vec(), code(189)),
        ("InterruptedAtShutdown", WRITES.to_vec(), code(11600)),
        ("InterruptedDueToReplStateChange", WRITES.to_vec(), code(11602)),
        ("ShutdownInProgress", WRITES.to_vec(), code(91)),
        ("ShutdownInProgress at the commit", COMMIT.to_vec(), code(91)),
        ("WriteConcernFailed", WRITES.to_vec(), unconfirmed(64)),
        ("WriteConcernFailed at the commit", COMMIT.to_vec(), unconfirmed(64)),
        ("UnsatisfiableWriteConcern", WRITES.to_vec(), unconfirmed(100)),
        ("UnsatisfiableWriteConcern at the commit", COMMIT.to_vec(), unconfirmed(100)),
        ("ShutdownInProgress while waiting for others", WRITES.to_vec(), unconfirmed(91)),
        ("WriteConflict", WRITES.to_vec(), transient(112)),
        ("NoSuchTransaction at the commit", COMMIT.to_vec(), transient(251)),
        ("MaxTimeMSExpired", WRITES.to_vec(), code(50)),
        ("MaxTimeMSExpired at the read", READS.to_vec(), code(50)),
        ("MaxTimeMSExpired at the commit", COMMIT.to_vec(), code(50)),
        ("LockTimeout", WRITES.to_vec(), transient(24)),
        ("TemporarilyUnavailable", WRITES.to_vec(), transient(365)),
        ("OutOfDiskSpace", WRITES.to_vec(), code(14031)),
        ("Interrupted", WRITES.to_vec(), code(11601)),
        ("Unauthorized", WRITES.to_vec(), code(13)),
    ]
}

/// How a failure is told where the same again succeeds, and that nothing else is told where it does not.
async fn provoke(stage: &Stage, (name, commands, what): (&str, Vec<&str>, Document)) -> String {
    let mut table = format!("{name}\n");
    for (n, way) in ways().iter().enumerate() {
        stage.fill(n).await;
        stage.set.fail(&commands, Some(1), &in_way(n, &commands, &what)).await;
        writeln!(table, "  {}: {}", way.name, stage.attempt(n, "30").await).unwrap();
        stage.recover().await;
    }
    join_all((0..ways().len()).map(|n| stage.fill(n))).await;
    stage.set.fail(&commands, None, &what).await;
    join_all((0..ways().len()).map(|n| stage.attempt(n, "0.5"))).await;
    stage.recover().await;
    table
}

/// The failure of commands on the collection of a way alone: the service has other work too. A commit is of no collection.
fn in_way(n: usize, commands: &[&str], what: &Document) -> Document {
    let mut what = what.clone();
    if commands != COMMIT {
        what.insert("namespace", format!("failures.w{n}"));
    }
    what
}

/// Most of the time, the service waits for a look at the server that is due: so several are tried at a time.
#[tokio::test]
async fn every_failure_is_told_as_it_is() {
    const AT_A_TIME: usize = 9;
    let tried = (0..AT_A_TIME).map(async |part| {
        let stage = Stage::new().await;
        let mut tables = Vec::new();
        for (place, failure) in failures().into_iter().enumerate().filter(|(place, _)| place % AT_A_TIME == part) {
            tables.push((place, provoke(&stage, failure).await));
        }
        tables
    });
    let mut tables: Vec<_> = join_all(tried).await.into_iter().flatten().collect();
    tables.sort();
    insta::assert_snapshot!("failures", tables.into_iter().map(|(_, table)| table).collect::<String>());
}

/// An array may need several commands: what the first one stores is told, whatever becomes of the next.
#[tokio::test]
async fn what_is_stored_of_an_array_is_told() {
    let set = Set::start(1).await;
    let database = set.database("parts").await;
    let settings = database.settings();
    let note = json!({ "type": "string", "default": "x".repeat(1 << 20) });
    let file = json!({ "type": "object", "properties": { "_id": { "bsonType": "int" }, "note": note } });
    let api = Api::start_with(catalog(&[("things", file)]), database, settings).await;
    let what = doc! { "failCommands": ["insert"], "appName": "folio", "errorCode": 14031 };
    set.fail_point("failCommand", doc! { "skip": 1 }.into(), what).await;
    let things: Vec<_> = (0..60).map(|id| json!({ "_id": id })).collect();
    let results = api.post("/v1/things?ordered=false", json!(things)).await.ok(207)["results"].clone();
    set.heal().await;
    let told: Vec<_> = results.as_array().unwrap().iter().map(|result| result["status"] == 201).collect();
    let ids = api.collection("things").distinct("_id", doc! {}).await.unwrap();
    let stored: Vec<_> = (0..60).map(|id| ids.contains(&id.into())).collect();
    assert_eq!(told, stored);
    assert!(told.contains(&true) && told.contains(&false), "{told:?}");
}

#[tokio::test]
async fn a_write_that_takes_too_long_is_stopped() {
    let stage = Stage::new().await;
    join_all((0..ways().len()).map(|n| stage.fill(n))).await;
    stage.set.fail(&WRITES, None, &doc! { "blockConnection": true, "blockTimeMS": 1500 }).await;
    let lines = join_all((0..ways().len()).map(|n| stage.attempt(n, "0.3"))).await;
    assert!(lines.iter().all(|line| line == "504 deadline-exceeded, not done"), "{lines:?}");
    stage.recover().await;
    sleep(Duration::from_secs(2)).await;
    for (n, way) in ways().iter().enumerate() {
        assert_ne!(stage.stored(n).await, stage.done[n], "{} is done later", way.name);
    }
}

#[tokio::test]
async fn a_server_that_is_no_primary_any_more_writes_nothing() {
    let stage = Stage::new().await;
    join_all((0..ways().len()).map(|n| stage.fill(n))).await;
    let admin = stage.set.nodes[0].admin();
    admin.run_command(doc! { "replSetStepDown": 60, "force": true }).await.unwrap();
    for n in 0..ways().len() {
        let line = stage.attempt(n, "10").await;
        assert!(line.starts_with("503 un") && line.ends_with("not done"), "{}: {line}", ways()[n].name);
    }
    admin.run_command(doc! { "replSetFreeze": 0 }).await.unwrap();
    stage.recover().await;
    assert!(stage.attempt(0, "10").await.starts_with("201"));
}

/// The server has done the write when the connection breaks: the driver sends it again, and learns that.
#[tokio::test]
async fn a_write_whose_answer_is_lost_is_done_once() {
    let stage = Stage::new().await;
    for n in 0..ways().len() {
        stage.fill(n).await;
        let mode = doc! { "times": 1 }.into();
        stage.set.fail_point("onPrimaryTransactionalWrite", mode, doc! { "closeConnection": true }).await;
        let line = stage.attempt(n, "5").await;
        stage.set.fail_point("onPrimaryTransactionalWrite", "off".into(), doc! {}).await;
        assert!(line.starts_with("20"), "{}: {line}", ways()[n].name);
    }
}

/// The server puts its time into a timestamp, so the service reads back what it has written.
#[tokio::test]
async fn a_write_that_cannot_be_read_back_is_not_denied() {
    let set = Set::start(1).await;
    let database = set.database("unread").await;
    let settings = database.settings();
    let file = json!({ "type": "object", "properties": { "at": { "bsonType": "timestamp" } } });
    let api = Api::start_with(catalog(&[("things", file)]), database, settings).await;
    set.fail(&READS, None, &code(11601)).await;
    let one = r#"{"at":{"$timestamp":{"t":0,"i":0}}}"#;
    let whole = [("content-type", JSON), ("prefer", "return=representation")];
    let asked = [("", one.to_owned()), ("", format!("[{one}]")), ("?ordered=false", format!("[{one}]"))];
    for (written, (query, body)) in (1..).zip(asked) {
        let answer = api.send(Method::POST, &format!("/v1/things{query}"), &whole, body).await;
        answer.problem(503, "unconfirmed");
        assert_eq!(api.count("things").await, written, "{query}");
    }
    // Who does not ask for the documents is answered without them.
    api.post("/v1/things", format!("[{one},{one}]")).await.ok(201);
    api.post("/v1/things?ordered=false", format!("[{one},{one}]")).await.ok(207);
    let insert = format!(r#"[{{"insert":{one}}}]"#);
    api.post("/v1/things/_bulk?ordered=false", insert).await.ok(207);
    assert_eq!(api.count("things").await, 8);
}
