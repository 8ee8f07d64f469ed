//! What a start does with a live database.

use std::{
    io::{BufRead, BufReader},
    path::Path,
    process::Child,
    time::{Duration, Instant},
};

use bson::{Bson, Document, doc};
use folio::{
    Error,
    config::{self, Apply},
    schema::{Access, Catalog, Field, Index, Options, Schema, Source},
    store::client,
    sync::{self, Change, Counting, Report, Wish},
};
use indexmap::IndexMap;
use mongodb::{Client, Database};

use crate::{
    mongod::{fake, supervise},
    support::database,
};

/// The collection `books`, whose `price` is an integer of at least `minimum`.
fn books(minimum: i32, indexes: Vec<Index>) -> Schema {
    let text = format!(r#"{{ "properties": {{ "price": {{ "bsonType": "int", "minimum": {minimum} }} }} }}"#);
    let price = doc! { "bsonType": "int", "minimum": minimum, "description": "#/properties/price" };
    let shape = doc! { "bsonType": "object", "properties": { "_id": {}, "price": price }, "description": "#" };
    Schema {
        name: "books".to_owned(),
        source: Source::parse("schemas/books.json", text, 8).unwrap(),
        root: Field { properties: IndexMap::from([("_id".to_owned(), Field::any())]), ..Field::any() },
        validator: doc! { "$jsonSchema": shape },
        indexes,
        access: Access::admin_only(),
        options: Options::default(),
        is_enforced: true,
    }
}

fn catalog(minimum: i32, indexes: &[Index]) -> Catalog {
    Catalog::from_iter([books(minimum, indexes.to_vec())])
}

fn index(name: &str, keys: Document, options: Document) -> Index {
    Index { name: name.to_owned(), keys, options }
}

fn isbn() -> Index {
    index("isbn", doc! { "isbn": 1, "_id": 1 }, doc! {})
}

fn unique_isbn() -> Index {
    index("isbn", doc! { "isbn": 1 }, doc! { "unique": true })
}

async fn start(db: &Database, catalog: &Catalog) -> Report {
    sync::run(db, catalog, &Apply::Safe.into()).await.unwrap()
}

async fn refusal(db: &Database, catalog: &Catalog, apply: Apply) -> String {
    match sync::run(db, catalog, &apply.into()).await {
        Err(Error::Startup(message)) => message,
        other => panic!("{other:?}"),
    }
}

async fn options(db: &Database) -> Document {
    let listed = db.run_command(doc! { "listCollections": 1, "filter": { "name": "books" } }).await.unwrap();
    let batch = listed.get_document("cursor").unwrap().get_array("firstBatch").unwrap();
    batch[0].as_document().unwrap().get_document("options").unwrap().clone()
}

/// Returns when a `collMod` is running, which here means: waiting.
async fn until_the_validator_waits(db: &Database) {
    let running = doc! { "currentOp": 1, "command.collMod": "books", "command.$db": db.name() };
    let admin = db.client().database("admin");
    for _ in 0..1000 {
        let answer = admin.run_command(running.clone()).await.unwrap();
        if !answer.get_array("inprog").unwrap().is_empty() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    panic!("no `collMod` was seen");
}

async fn index_names(db: &Database) -> Vec<String> {
    db.collection::<Document>("books").list_index_names().await.unwrap()
}

async fn insert_prices(db: &Database, prices: impl IntoIterator<Item = i32>) {
    let documents = prices.into_iter().map(|price| doc! { "_id": price, "price": price, "isbn": price.to_string() });
    db.collection("books").insert_many(documents).await.unwrap();
}

#[tokio::test]
async fn a_new_database_gets_everything_and_a_second_start_changes_nothing() {
    let here = database().await;
    let files = catalog(1, &[isbn()]);
    assert!(!sync::plan(&here.db, &files, &Counting::default()).await.unwrap().is_empty());
    let report = start(&here.db, &files).await;
    assert!(matches!(&report.applied[..], [Change::CreateCollection { .. }]), "{report:?}");
    assert_eq!(options(&here.db).await.get_document("validator").unwrap(), &files.get("books").unwrap().validator);
    assert_eq!(index_names(&here.db).await, ["_id_", "isbn"]);
    here.db.collection("books").insert_one(doc! { "price": 0 }).await.unwrap_err();
    assert!(sync::plan(&here.db, &files, &Counting::default()).await.unwrap().is_empty());
    assert_eq!(start(&here.db, &files).await, Report::default());
}

#[tokio::test]
async fn every_kind_of_index_is_in_step_once_it_is_made() {
    let here = database().await;
    let indexes = vec![
        index("text", doc! { "z": 1, "title": "text", "body": "text" }, doc! { "weights": { "title": 3 } }),
        index("german", doc! { "a": 1 }, doc! { "collation": { "locale": "de", "strength": 2 } }),
        index("danish", doc! { "a": 1 }, doc! { "collation": { "locale": "da" } }),
        index("thai", doc! { "a": 1 }, doc! { "collation": { "locale": "th" } }),
        index("canadian", doc! { "a": 1 }, doc! { "collation": { "locale": "fr_CA" } }),
        index("sphere", doc! { "place": "2dsphere" }, doc! {}),
        index("hashed", doc! { "h": "hashed" }, doc! {}),
        index("wild", doc! { "$**": 1 }, doc! { "wildcardProjection": { "extra": 1 } }),
        index("expiring", doc! { "at": 1 }, doc! { "expireAfterSeconds": 3600 }),
        index("partial", doc! { "p": 1 }, doc! { "partialFilterExpression": { "p": { "$gt": 5 } }, "hidden": true }),
        index("sparse", doc! { "s": -1 }, doc! { "sparse": true, "unique": true }),
    ];
    let files = catalog(-99, &indexes);
    start(&here.db, &files).await;
    assert_eq!(sync::plan(&here.db, &files, &Counting::default()).await.unwrap().changes, []);
}

#[tokio::test]
async fn a_tightened_validator_is_refused_while_stored_documents_break_it() {
    let here = database().await;
    start(&here.db, &catalog(-99, &[])).await;
    insert_prices(&here.db, -6..=3).await;
    let before = options(&here.db).await;
    let message = refusal(&here.db, &catalog(1, &[]), Apply::All).await;
    assert!(message.contains("7 stored documents break it"), "{message}");
    assert!(message.contains("and 2 more"), "{message}");
    assert_eq!(message.matches("_id -").count(), 5, "{message}");
    assert_eq!(message.matches("#/properties/price/minimum").count(), 5, "{message}");
    assert_eq!(options(&here.db).await, before);
    let leftovers = here.db.list_collection_names().await.unwrap();
    assert!(!leftovers.iter().any(|name| name.starts_with("_folio_probe_")), "{leftovers:?}");

    here.db.collection::<Document>("books").delete_many(doc! { "price": { "$lt": 1 } }).await.unwrap();
    let report = start(&here.db, &catalog(1, &[])).await;
    assert!(matches!(&report.applied[..], [Change::SetValidator { .. }]), "{report:?}");
}

#[tokio::test]
async fn a_loosened_validator_is_applied() {
    let here = database().await;
    start(&here.db, &catalog(1, &[])).await;
    insert_prices(&here.db, [1]).await;
    let report = start(&here.db, &catalog(-99, &[])).await;
    assert!(matches!(&report.applied[..], [Change::SetValidator { .. }]), "{report:?}");
    insert_prices(&here.db, [-1]).await;
}

#[tokio::test]
async fn older_files_do_not_undo_newer_ones() {
    let here = database().await;
    let (old, new) = (catalog(-99, &[]), catalog(1, &[]));
    start(&here.db, &old).await;
    start(&here.db, &new).await;
    let report = start(&here.db, &old).await;
    assert!(report.superseded && report.applied.is_empty(), "{report:?}");
    here.db.collection("books").insert_one(doc! { "price": 0 }).await.unwrap_err();
    let report = sync::run(&here.db, &old, &Wish { rollback: true, ..Wish::default() }).await.unwrap();
    assert_eq!(report.applied.len(), 1);
    assert!(start(&here.db, &new).await.superseded, "now the other files are the older ones");
}

#[tokio::test]
async fn older_files_are_not_served_without_their_collections() {
    let here = database().await;
    let (old, new) = (catalog(-99, &[]), catalog(1, &[]));
    start(&here.db, &old).await;
    start(&here.db, &new).await;
    here.db.collection::<Document>("books").drop().await.unwrap();
    let message = refusal(&here.db, &old, Apply::Safe).await;
    assert!(message.contains("older") && message.contains("+ collection books"), "{message}");
    assert!(matches!(&start(&here.db, &new).await.applied[..], [Change::CreateCollection { .. }]));
}

#[tokio::test]
async fn a_rebuilt_index_needs_to_be_allowed() {
    let here = database().await;
    start(&here.db, &catalog(-99, &[isbn()])).await;
    let unique = catalog(-99, &[unique_isbn()]);
    let message = refusal(&here.db, &unique, Apply::Safe).await;
    assert!(message.contains("[destructive]") && message.contains("unique"), "{message}");
    let report = sync::run(&here.db, &unique, &Apply::All.into()).await.unwrap();
    assert!(matches!(&report.applied[..], [Change::RebuildIndex { .. }]), "{report:?}");
}

#[tokio::test]
async fn a_unique_index_over_duplicates_names_them_and_the_old_one_stays() {
    let here = database().await;
    start(&here.db, &catalog(-99, &[isbn()])).await;
    let twice = [doc! { "isbn": "978" }, doc! { "isbn": "978" }];
    here.db.collection("books").insert_many(twice).await.unwrap();
    let message = refusal(&here.db, &catalog(-99, &[unique_isbn()]), Apply::All).await;
    assert!(message.contains("nothing was changed"), "{message}");
    assert!(message.contains("! 1 key is shared by 2 stored documents; correct them first:"), "{message}");
    assert!(message.contains(r#"{"isbn":"978"} in 2 documents: _id {"$oid":""#), "{message}");
    assert_eq!(index_names(&here.db).await, ["_id_", "isbn"]);
}

#[tokio::test]
async fn an_index_that_cannot_be_built_anew_comes_back_as_it_was() {
    let here = database().await;
    let on = |keys: Document| catalog(-99, &[index("pair", keys, doc! { "unique": true })]);
    start(&here.db, &on(doc! { "a": 1 })).await;
    here.db.collection("books").insert_one(doc! { "a": [1], "b": [1] }).await.unwrap();
    let message = refusal(&here.db, &on(doc! { "a": 1, "b": 1 }), Apply::All).await;
    assert!(message.contains("creating the index `books.pair` failed"), "{message}");
    assert_eq!(index_names(&here.db).await, ["_id_", "pair"]);
    assert!(sync::plan(&here.db, &on(doc! { "a": 1 }), &Counting::default()).await.unwrap().is_empty());
}

#[tokio::test]
async fn an_unknown_index_is_reported_and_left() {
    let here = database().await;
    let files = catalog(-99, &[]);
    start(&here.db, &files).await;
    let other = doc! { "createIndexes": "books", "indexes": [{ "key": { "x": 1 }, "name": "x_1" }] };
    here.db.run_command(other).await.unwrap();
    let plan = sync::plan(&here.db, &files, &Counting::default()).await.unwrap();
    assert!(plan.is_empty() && plan.to_string().contains("? index books.x_1"), "{plan}");
    let report = start(&here.db, &files).await;
    assert!(matches!(&report.reported[..], [Change::UnknownIndex { .. }]), "{report:?}");
    assert_eq!(index_names(&here.db).await, ["_id_", "x_1"]);
}

#[tokio::test]
async fn a_collection_with_a_collation_is_refused() {
    let here = database().await;
    for (locale, refused) in [("simple", false), ("de", true)] {
        here.db.run_command(doc! { "create": "books", "collation": { "locale": locale } }).await.unwrap();
        if refused {
            let message = refusal(&here.db, &catalog(1, &[isbn()]), Apply::All).await;
            let why = "! collection books (it has the collation `de`, which cannot be changed; copy its documents into a \
                       new collection without one) [impossible]";
            assert!(message.contains(why), "{message}");
            assert_eq!(index_names(&here.db).await, ["_id_"]);
        } else {
            start(&here.db, &catalog(1, &[isbn()])).await;
        }
        here.db.collection::<Document>("books").drop().await.unwrap();
    }
}

#[tokio::test]
async fn nothing_is_applied_when_it_is_forbidden_or_a_view_is_in_the_way() {
    let here = database().await;
    let message = refusal(&here.db, &catalog(-99, &[isbn()]), Apply::None).await;
    assert!(message.contains("+ collection books"), "{message}");
    assert!(here.db.list_collection_names().await.unwrap().is_empty());
    here.db.run_command(doc! { "create": "books", "viewOn": "shelf", "pipeline": [] }).await.unwrap();
    let message = refusal(&here.db, &catalog(-99, &[isbn()]), Apply::All).await;
    assert!(message.contains("a view has this name"), "{message}");
}

#[tokio::test]
async fn a_capped_collection_is_in_the_way_for_it_takes_no_writes_in_transactions() {
    let here = database().await;
    here.db.run_command(doc! { "create": "books", "capped": true, "size": 4096 }).await.unwrap();
    let message = refusal(&here.db, &catalog(-99, &[]), Apply::All).await;
    assert!(message.contains("a capped collection has this name"), "{message}");
}

#[tokio::test]
async fn instances_that_start_at_once_do_the_work_once() {
    let here = database().await;
    let files = catalog(1, &[isbn()]);
    let starts = futures::future::join_all((0..5).map(|_| start(&here.db, &files))).await;
    let counts: Vec<_> = starts.iter().map(|report| report.applied.len()).collect();
    assert_eq!(counts.iter().sum::<usize>(), 1, "{counts:?}");
    let secrets = futures::future::join_all((0..5).map(|_| sync::secret(&here.db))).await;
    let secrets: Vec<_> = secrets.into_iter().map(Result::unwrap).collect();
    assert!(secrets.iter().all(|secret| *secret == secrets[0] && *secret != [0; 32]));
}

#[tokio::test]
async fn a_dead_instances_lease_is_taken_over_when_it_expires() {
    let here = database().await;
    let kept = here.db.collection::<Document>(sync::BOOKKEEPING);
    let until = doc! { "until": { "$add": ["$$NOW", 1500] }, "holder": "the dead" };
    kept.update_one(doc! { "_id": "lease" }, vec![doc! { "$set": until }]).upsert(true).await.unwrap();
    let begun = Instant::now();
    assert_eq!(start(&here.db, &catalog(-99, &[])).await.applied.len(), 1);
    assert!(begun.elapsed() > Duration::from_secs(1), "waited {:?} only", begun.elapsed());
    assert_eq!(kept.find_one(doc! { "_id": "lease" }).await.unwrap(), None);
}

#[tokio::test]
async fn a_running_transaction_holds_up_the_validator_but_writers_only_briefly() {
    let here = database().await;
    start(&here.db, &catalog(-99, &[])).await;
    insert_prices(&here.db, [1]).await;
    let books = here.db.collection::<Document>("books");
    let mut session = here.db.client().start_session().await.unwrap();
    session.start_transaction().await.unwrap();
    books.insert_one(doc! { "price": 2 }).session(&mut session).await.unwrap();

    let (db, files) = (here.db.clone(), catalog(1, &[]));
    let starting = tokio::spawn(async move { start(&db, &files).await });
    until_the_validator_waits(&here.db).await;
    let mut slowest = Duration::ZERO;
    let begun = Instant::now();
    while begun.elapsed() < Duration::from_millis(2500) {
        let write = Instant::now();
        books.insert_one(doc! { "price": 3 }).await.unwrap();
        slowest = slowest.max(write.elapsed());
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    assert!(!starting.is_finished());
    assert!(slowest < Duration::from_secs(5), "a writer waited {slowest:?}");
    session.commit_transaction().await.unwrap();
    assert_eq!(starting.await.unwrap().applied.len(), 1);
}

#[tokio::test]
async fn work_is_broken_off_when_the_lease_is_lost() {
    let here = database().await;
    start(&here.db, &catalog(-99, &[])).await;
    let before = options(&here.db).await;
    let mut session = here.db.client().start_session().await.unwrap();
    session.start_transaction().await.unwrap();
    here.db.collection("books").insert_one(doc! { "price": 2 }).session(&mut session).await.unwrap();
    let (db, files) = (here.db.clone(), catalog(1, &[]));
    let starting = tokio::spawn(async move { refusal(&db, &files, Apply::Safe).await });
    until_the_validator_waits(&here.db).await;
    let kept = here.db.collection::<Document>(sync::BOOKKEEPING);
    let lease = || doc! { "_id": "lease" };
    kept.update_one(lease(), doc! { "$set": { "holder": "another" } }).await.unwrap();
    let message = starting.await.unwrap();
    assert!(message.contains("the lease was lost"), "{message}");
    assert_eq!(kept.find_one(lease()).await.unwrap().unwrap().get_str("holder").unwrap(), "another");
    // What the server was asked to do before it may still be waiting there.
    tokio::time::sleep(Duration::from_secs(2)).await;
    session.abort_transaction().await.unwrap();
    assert_eq!(options(&here.db).await, before);
}

#[tokio::test]
async fn a_validator_that_documents_broke_while_it_was_set_is_taken_back() {
    let here = database().await;
    start(&here.db, &catalog(-99, &[])).await;
    insert_prices(&here.db, [1]).await;
    let before = options(&here.db).await;
    let books = here.db.collection::<Document>("books");
    let mut session = here.db.client().start_session().await.unwrap();
    session.start_transaction().await.unwrap();
    books.insert_one(doc! { "price": -1 }).session(&mut session).await.unwrap();
    let (db, files) = (here.db.clone(), catalog(1, &[]));
    let starting = tokio::spawn(async move { refusal(&db, &files, Apply::Safe).await });
    until_the_validator_waits(&here.db).await;
    session.commit_transaction().await.unwrap();
    let message = starting.await.unwrap();
    assert!(message.contains("broken while it was set"), "{message}");
    let validator = |options: &Document| options.get("validator").cloned();
    assert_eq!(validator(&options(&here.db).await), validator(&before));
}

#[tokio::test]
async fn a_validator_whose_setting_was_cut_short_is_not_taken_for_set() {
    let here = database().await;
    start(&here.db, &catalog(-99, &[])).await;
    insert_prices(&here.db, 1..60_000).await;
    let books = here.db.collection::<Document>("books");
    let mut session = here.db.client().start_session().await.unwrap();
    session.start_transaction().await.unwrap();
    books.insert_one(doc! { "price": -1 }).session(&mut session).await.unwrap();
    let (db, files) = (here.db.clone(), catalog(1, &[]));
    let starting = tokio::spawn(async move { refusal(&db, &files, Apply::Safe).await });
    until_the_validator_waits(&here.db).await;
    let before = options(&here.db).await;
    session.commit_transaction().await.unwrap();
    while options(&here.db).await == before {
        assert!(!starting.is_finished());
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    starting.abort();
    assert!(starting.await.is_err_and(|cut| cut.is_cancelled()));
    assert!(books.insert_one(doc! { "price": -2 }).await.is_err());
    let plan = sync::plan(&here.db, &catalog(1, &[]), &Counting::default()).await.unwrap();
    assert_eq!(plan.status(), sync::Status::Blocked, "{plan}");
}

#[tokio::test]
async fn an_index_that_is_still_being_built_is_not_taken_for_ready() {
    let here = database().await;
    let files = catalog(-99, &[isbn()]);
    start(&here.db, &catalog(-99, &[])).await;
    let books = here.db.collection::<Document>("books");
    let listed = |n: i32| doc! { "price": n, "isbn": (0..60).map(|i| Bson::Int32(n * 60 + i)).collect::<Vec<_>>() };
    books.insert_many((0..20_000).map(listed)).await.unwrap();
    let command = doc! { "createIndexes": "books", "indexes": [{ "name": "isbn", "key": isbn().keys }] };
    let db = here.db.clone();
    let building = tokio::spawn(async move { db.run_command(command).await });
    while !index_names(&here.db).await.contains(&"isbn".to_owned()) {
        assert!(!building.is_finished());
    }
    // The building cannot end as long as somebody writes.
    let mut session = here.db.client().start_session().await.unwrap();
    session.start_transaction().await.unwrap();
    books.insert_one(doc! { "price": 2 }).session(&mut session).await.unwrap();
    let plan = sync::plan(&here.db, &files, &Counting::default()).await.unwrap();
    assert!(matches!(&plan.changes[..], [Change::CreateIndex { .. }]), "{plan}");
    session.abort_transaction().await.unwrap();
    start(&here.db, &files).await;
    assert!(sync::plan(&here.db, &files, &Counting::default()).await.unwrap().changes.is_empty());
    building.await.unwrap().unwrap();
}

#[tokio::test]
async fn connecting_shows_the_server_and_leaves_no_probe_behind() {
    let here = database().await;
    let options =
        config::Database { pool: config::Pool { pool_max: 7, ..config::Pool::default() }, ..here.settings().database };
    let connection = client::connect(&options).await.unwrap();
    assert_eq!(connection.server.engine, "MongoDB");
    assert_eq!(connection.pool.max_size(), 7);
    assert!(connection.pool.open() > 0 && connection.pool.checkouts() > 0, "{:?}", connection.pool);
    let begun = Instant::now();
    while connection.pool.in_use() > 0 {
        assert!(begun.elapsed() < Duration::from_secs(5), "a connection is not given back: {:?}", connection.pool);
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    assert!(connection.database.list_collection_names().await.unwrap().is_empty());
}

#[tokio::test]
async fn an_unreachable_host_is_named_with_the_reason() {
    let uri = "mongodb://user:hunter2@127.0.0.1:1".to_owned();
    let options = config::Database {
        mongodb: uri.into(),
        pool: config::Pool { selection_timeout: Duration::from_millis(500), ..config::Pool::default() },
        ..config::Database::default()
    };
    let message = client::connect(&options).await.unwrap_err().to_string();
    assert!(message.contains("`127.0.0.1:1`") && message.contains("connection refused"), "{message}");
    assert!(!message.contains("hunter2"), "{message}");
    let uri = "mongodb://no-such-host.invalid".to_owned();
    let options = config::Database { mongodb: uri.into(), ..options };
    let message = client::connect(&options).await.unwrap_err().to_string();
    assert!(message.contains("no-such-host.invalid") && message.contains("cannot be resolved"), "{message}");
}

/// Why a server cannot be used that is reached with this URI.
async fn rejection(uri: String) -> String {
    let pool = config::Pool { selection_timeout: Duration::from_secs(1), ..config::Pool::default() };
    let options = config::Database { mongodb: uri.into(), pool, ..config::Database::default() };
    client::connect(&options).await.unwrap_err().to_string()
}

/// A server of the same program as the tests' own, started by `script`, in which `MONGOD` is the program, `$2` the data
/// folder and `$4` the port. It ends when the child's standard input is closed.
async fn started_by(script: &str, data: &Path) -> (Child, u16) {
    let options = database().await.db.client().database("admin").run_command(doc! { "getCmdLineOpts": 1 }).await;
    let program = options.unwrap().get_array("argv").unwrap()[0].as_str().unwrap().to_owned();
    let mut child = supervise(&fake(data, &script.replace("MONGOD", &program)), data);
    let mut report = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut report).unwrap();
    let port = report.strip_prefix("ready ").unwrap_or_else(|| panic!("{report}")).trim().parse().unwrap();
    (child, port)
}

#[tokio::test]
async fn a_standalone_server_is_refused_with_advice() {
    let data = tempfile::tempdir().unwrap();
    let script = r#"exec MONGOD --dbpath "$2" --port "$4" --bind_ip 127.0.0.1 --nounixsocket"#;
    let (mut child, port) = started_by(script, data.path()).await;
    for options in ["", "/?replicaSet=rs0", "/?directConnection=true"] {
        let message = rejection(format!("mongodb://127.0.0.1:{port}{options}")).await;
        assert!(message.contains("standalone") && message.contains("`rs.initiate()`"), "{options}: {message}");
    }
    drop(child.stdin.take());
    assert!(child.wait().unwrap().success());
}

/// A server that asks who is there, its port, and its `admin` database, in which the first user may still be made.
pub(crate) async fn guarded_server(data: &Path) -> (Child, u16, mongodb::Database) {
    let script = r#"printf 'only a test' > "$2/key" && chmod 600 "$2/key"; exec MONGOD "$@" --keyFile "$2/key""#;
    let (child, port) = started_by(script, data).await;
    let uri = format!("mongodb://127.0.0.1:{port}/?directConnection=true");
    let admin = Client::with_uri_str(&uri).await.unwrap().database("admin");
    let set = doc! { "_id": "folio", "members": [{ "_id": 0, "host": format!("127.0.0.1:{port}") }] };
    admin.run_command(doc! { "replSetInitiate": set }).await.unwrap();
    while !admin.run_command(doc! { "hello": 1 }).await.unwrap().get_bool("isWritablePrimary").unwrap() {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    (child, port, admin)
}

#[tokio::test]
async fn a_user_without_the_roles_is_told_which_ones() {
    let data = tempfile::tempdir().unwrap();
    let (mut child, port, _) = guarded_server(data.path()).await;
    let message = rejection(format!("mongodb://127.0.0.1:{port}/?directConnection=true")).await;
    assert!(message.contains("`readWrite` and `dbAdmin`"), "{message}");
    drop(child.stdin.take());
    assert!(child.wait().unwrap().success());
}

#[tokio::test]
async fn another_replica_set_and_a_wrong_password_are_named() {
    let uri = database().await.uri;
    let message = rejection(uri.replace("=folio", "=rs0")).await;
    assert!(message.contains("`replicaSet=folio`"), "{message}");
    // Now the pool, now the operation is the first to be refused.
    for _ in 0..5 {
        let message = rejection(uri.replace("://", "://somebody:hunter2@")).await;
        assert!(message.contains("authentication failed") && message.contains("`authSource`"), "{message}");
        assert!(!message.contains("hunter2"), "{message}");
    }
}

#[tokio::test]
async fn leftovers_of_killed_probes_are_swept() {
    let here = database().await;
    let old = "_folio_probe_500000000000000000000000";
    here.db.create_collection(old).await.unwrap();
    let options = here.settings().database;
    client::connect(&options).await.unwrap();
    assert_eq!(here.db.list_collection_names().await.unwrap(), Vec::<String>::new());
    assert_eq!(here.db.run_command(doc! { "ping": 1 }).await.unwrap().get("ok"), Some(&Bson::Double(1.0)));
}
