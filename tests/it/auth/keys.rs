//! API keys: made and revoked at the command line, known to every instance within seconds.

use std::{
    process::{Command, Output},
    time::Duration,
};

use folio::{App, auth::key::Grant, mongod::Mongod};
use mongodb::bson::{DateTime, Document, doc};
use serde_json::json;
use tokio::time::{Instant, sleep};

use super::{another, closed, refused, things};
use crate::support::{Api, TestDatabase, database, options};

fn folio(database: &TestDatabase, args: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_folio"));
    command.arg("keys").args(args).env("FOLIO_MONGODB", &database.uri).env("FOLIO_DATABASE", &database.name);
    command.output().unwrap()
}

/// What a command that must succeed prints.
fn said(database: &TestDatabase, args: &[&str]) -> String {
    let output = folio(database, args);
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout).unwrap()
}

/// What a command that must fail complains of.
fn complaint(database: &TestDatabase, args: &[&str]) -> String {
    let output = folio(database, args);
    assert!(!output.status.success() && output.stdout.is_empty(), "{output:?}");
    String::from_utf8(output.stderr).unwrap()
}

fn id(key: &str) -> &str {
    key.split('_').nth(1).unwrap()
}

async fn kept(database: &TestDatabase, key: &str) -> Document {
    let keys = database.db.collection::<Document>("_folio_keys");
    keys.find_one(doc! { "_id": id(key) }).await.unwrap().unwrap()
}

async fn answers(api: &Api, key: &str, status: u16) {
    let start = Instant::now();
    while api.with(key).get("/v1/things").await.status != status {
        assert!(start.elapsed() < Duration::from_secs(3), "not {status} in time");
        sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test]
async fn instances_agree_on_new_and_revoked_keys_within_seconds() {
    let one = closed().await;
    let other = another(&one).await;
    let key = one.database.key(&["admin"]).await;
    refused(&one.with("folio_abcdefgh_").get("/v1/things").await, "no such API key");
    answers(&one, &key, 200).await;
    answers(&other, &key, 200).await;
    assert!(said(&one.database, &["revoke", id(&key)]).contains("is revoked"));
    answers(&one, &key, 401).await;
    answers(&other, &key, 401).await;
    refused(&other.with(&key).get("/v1/things").await, "has been revoked");
    // Who does not know the secret is not told that there was such a key.
    let guessed = format!("folio_{}_{}", id(&key), "x".repeat(43));
    refused(&other.with(guessed).get("/v1/things").await, "no such API key");
}

#[tokio::test]
async fn keys_that_are_there_at_the_start_are_good_at_once() {
    let database = database().await;
    let key = database.key(&["admin"]).await;
    let settings = database.closed();
    let api = Api::start_with(things(), database, settings).await;
    api.with(&key).get("/v1/things").await.ok(200);
}

#[tokio::test]
async fn a_key_that_is_not_quite_it_is_unknown() {
    let database = database().await;
    let key = database.key(&["admin"]).await;
    let settings = database.closed();
    let api = Api::start_with(things(), database, settings).await;
    let last = if key.ends_with('x') { "y" } else { "x" };
    let cut = &key[..key.len() - 1];
    for wrong in [cut, &format!("{cut}{last}"), &format!("{key}x"), &key[..14], "folio_", &format!("folio_{key}")] {
        refused(&api.with(wrong).get("/v1/things").await, "no such API key");
    }
    refused(&api.with(key.to_uppercase()).get("/v1/things").await, "neither an API key nor a token");
    let hash = kept(&api.database, &key).await.get_str("hash").unwrap().to_owned();
    refused(&api.with(format!("folio_{}_{}", id(&key), &hash[..43])).get("/v1/things").await, "no such API key");
}

#[tokio::test]
async fn a_key_expires_while_it_is_in_use() {
    let database = database().await;
    let expires = Some(DateTime::from_millis(DateTime::now().timestamp_millis() + 2500));
    let grant = Grant { name: "brief".into(), roles: vec!["admin".into()], expires, ..Grant::default() };
    let key = database.key_with(grant).await;
    let settings = database.closed();
    let api = Api::start_with(things(), database, settings).await;
    api.with(&key).get("/v1/things").await.ok(200);
    sleep(Duration::from_millis(2600)).await;
    refused(&api.with(&key).get("/v1/things").await, "has expired");
    assert!(said(&api.database, &["list"]).contains("expired"));
}

#[tokio::test]
async fn only_a_hash_is_in_the_database() {
    let database = database().await;
    let key = database.key(&["admin"]).await;
    let secret = key.split('_').nth(2).unwrap();
    let kept = kept(&database, &key).await;
    assert_eq!(kept.get_str("hash").unwrap(), blake3::hash(secret.as_bytes()).to_hex().as_str());
    assert!(!kept.to_string().contains(secret));
}

#[tokio::test]
async fn the_last_use_is_noted_at_the_end_and_never_goes_back() {
    let database = database().await;
    let (key, later) = (database.key(&["admin"]).await, database.key(&["admin"]).await);
    let far = DateTime::from_millis(DateTime::now().timestamp_millis() + 1_000_000);
    let keys = database.db.collection::<Document>("_folio_keys");
    keys.update_one(doc! { "_id": id(&later) }, doc! { "$set": { "used": far } }).await.unwrap();
    let settings = database.closed();
    let api = Api::start_with(things(), database, settings).await;
    let before = DateTime::now();
    for key in [&key, &later] {
        api.with(key).get("/v1/things").await.ok(200);
    }
    assert!(kept(&api.database, &key).await.get("used").is_none(), "a use is no work for the database");
    api.app.close().await;
    assert!(*kept(&api.database, &key).await.get_datetime("used").unwrap() >= before);
    assert_eq!(*kept(&api.database, &later).await.get_datetime("used").unwrap(), far);
}

#[tokio::test]
async fn the_last_use_is_noted_while_the_service_runs() {
    let database = database().await;
    let key = database.key(&["admin"]).await;
    let settings = database.closed();
    let api = Api::start_with(things(), database, settings).await;
    api.with(&key).get("/v1/things").await.ok(200);
    let start = Instant::now();
    while kept(&api.database, &key).await.get("used").is_none() {
        assert!(start.elapsed() < Duration::from_secs(15), "not noted in time");
        sleep(Duration::from_millis(200)).await;
    }
}

#[tokio::test]
async fn a_document_that_is_no_key_does_no_harm() {
    let database = database().await;
    let key = database.key(&["admin"]).await;
    let keys = database.db.collection::<Document>("_folio_keys");
    keys.insert_one(doc! { "_id": "odd", "hash": 7 }).await.unwrap();
    let mut hashless = kept(&database, &key).await;
    hashless.extend(doc! { "_id": "hashless", "hash": "x" });
    keys.insert_one(hashless).await.unwrap();
    let settings = database.closed();
    let api = Api::start_with(things(), database, settings).await;
    api.with(&key).get("/v1/things").await.ok(200);
    for odd in ["odd", "generation"] {
        let odd = format!("folio_{odd}_{}", "x".repeat(43));
        refused(&api.with(odd).get("/v1/things").await, "no such API key");
    }
}

#[tokio::test]
async fn keys_are_not_trusted_when_the_database_is_away_for_long() {
    let options = options("keys");
    let mongod = Mongod::start(&options).await.unwrap();
    let db = mongodb::Client::with_uri_str(mongod.uri()).await.unwrap().database("keys");
    db.drop().await.unwrap();
    let database = TestDatabase { uri: mongod.uri().to_owned(), name: "keys".into(), db };
    let key = database.key(&["admin"]).await;
    let mut settings = database.closed();
    settings.database.pool.selection_timeout = Duration::from_millis(300);
    let api = Api::start_with(things(), database, settings).await;
    // `/v1` of nobody's collections needs no database.
    let known = async || api.with(&key).get("/nothing").await.status;
    assert_eq!(known().await, 404);
    mongod.stop().await;
    assert_eq!(known().await, 404);
    sleep(Duration::from_millis(11_500)).await;
    api.with(&key).get("/nothing").await.problem(503, "unavailable");
    assert_eq!(api.caller(&["admin"], "ann", json!({})).get("/nothing").await.status, 404);
    refused(&api.with("folio_x").get("/nothing").await, "no such API key");
    let mongod = Mongod::start(&options).await.unwrap();
    let start = Instant::now();
    while known().await != 404 {
        assert!(start.elapsed() < Duration::from_secs(30), "not trusted again");
        sleep(Duration::from_millis(100)).await;
    }
    mongod.stop().await;
}

#[tokio::test]
async fn nothing_looks_for_keys_after_the_service_has_ended() {
    let database = database().await;
    let app = App::start_with(things(), &database.closed()).await.unwrap();
    let keys = database.db.collection::<Document>("_folio_keys");
    let reads = async || {
        let top = database.db.client().database("admin").run_command(doc! { "top": 1 }).await.unwrap();
        let totals = top.get_document("totals").unwrap();
        let of = totals.get_document(format!("{}._folio_keys", database.name)).unwrap();
        of.get_document("queries").unwrap().get("count").unwrap().to_string()
    };
    keys.insert_one(doc! { "_id": "odd" }).await.unwrap();
    let before = reads().await;
    sleep(Duration::from_millis(1500)).await;
    assert_ne!(reads().await, before, "somebody looks");
    drop(app);
    sleep(Duration::from_millis(1200)).await;
    let after = reads().await;
    sleep(Duration::from_millis(2500)).await;
    assert_eq!(reads().await, after);
}

#[tokio::test]
async fn the_command_line_prints_the_key_last_and_lists_all_but_hashes() {
    let database = database().await;
    let none = format!("there are no keys in the database `{}`", database.name);
    assert!(said(&database, &["list"]).contains(&none));
    let add = |args: &[&str]| {
        let printed = said(&database, &[&["add"], args].concat());
        printed.lines().last().unwrap().to_owned()
    };
    let first = add(&["--role", "admin", "--name", "loan desk"]);
    let args = ["--role", "admin", "--name", "branch 7", "--expires", "90d", "--attr", "tenant=7", "--attr", "x=a=b"];
    let second = add(&args);
    assert!(first.starts_with("folio_") && second.starts_with("folio_"), "{first} {second}");
    let settings = database.closed();
    let api = Api::start_with(things(), database, settings).await;
    api.with(&first).get("/v1/things").await.ok(200);
    api.with(&second).get("/v1/things").await.ok(200);
    let database = &api.database;
    assert!(said(database, &["revoke", id(&first)]).contains("loan desk"));
    let stamp = kept(database, &first).await.get_datetime("revoked").unwrap().to_owned();
    assert!(!said(database, &["revoke", &first]).contains(&first), "the key itself names it, too");
    assert_eq!(*kept(database, &first).await.get_datetime("revoked").unwrap(), stamp, "the first time stays");
    let list = said(database, &["list"]);
    let lines: Vec<_> = list.lines().collect();
    assert_eq!(lines.len(), 3, "{list}");
    for (line, parts) in [
        (lines[0], vec!["ID", "NAME", "ROLES", "ATTRIBUTES", "CREATED", "EXPIRES", "LAST USED", "STATE"]),
        (lines[1], vec![id(&first), "loan desk", "admin", "never", "revoked"]),
        (lines[2], vec![id(&second), "branch 7", "admin", "tenant=7,x=a=b", "never", "active"]),
    ] {
        assert!(parts.iter().all(|part| line.contains(part)), "{list}");
    }
    for key in [&first, &second] {
        let hash = kept(database, key).await.get_str("hash").unwrap().to_owned();
        assert!(!list.contains(&hash) && !list.contains(key.split('_').nth(2).unwrap()));
    }
}

#[tokio::test]
async fn the_command_line_explains_what_it_refuses() {
    let database = database().await;
    let key = ["add", "--name", "x"];
    for (args, parts) in [
        (&["--role", "amdin"][..], ["no collection file has the role", "`amdin`, did you mean `admin`?"]),
        (&["--role", "visitor"], ["`visitor`", "there are `admin`"]),
        (&["--role", "anonymous"], ["`anonymous`", "everyone has it"]),
        (&[], ["--role <ROLE>", "required"]),
        (&["--role", "admin", "--expires", "yesterday"], ["--expires", "`90d`"]),
        (&["--role", "admin", "--expires", "2001-01-01T00:00:00Z"], ["--expires", "not in the future"]),
        (&["--role", "admin", "--attr", "tenant"], ["--attr", "`tenant=7`"]),
        (&["--role", "admin", "--attr", "id=7"], ["`$user.id`", "another name"]),
        (&["--role", "admin", "--attr", "a=1", "--attr", "a=2"], ["`--attr a`", "twice"]),
    ] {
        let complaint = complaint(&database, &[&key, args].concat());
        assert!(parts.iter().all(|part| complaint.contains(part)), "{args:?}: {complaint}");
    }
    for unknown in ["nobody", "generation", ""] {
        let complaint = complaint(&database, &["revoke", unknown]);
        assert!(
            complaint.contains(&format!("no key `{unknown}` in the database"))
                && complaint.contains("`folio keys list`"),
            "{complaint}"
        );
    }
    let secret = "s".repeat(43);
    let complaint = complaint(&database, &["revoke", &format!("folio_abcdefgh_{secret}")]);
    assert!(complaint.contains("no key `abcdefgh`") && !complaint.contains(&secret), "{complaint}");
    assert!(said(&database, &["list"]).contains("there are no keys"));
}

#[tokio::test]
async fn a_key_that_leaked_is_revoked_as_it_is_and_not_repeated() {
    let database = database().await;
    let key = database.key(&["admin"]).await;
    let secret = key.split('_').nth(2).unwrap();
    let said = said(&database, &["revoke", &key]);
    assert!(said.contains(id(&key)) && said.contains("is revoked") && !said.contains(secret), "{said}");
    let complaint = complaint(&database, &["revoke", &format!("folio_abcdefgh_{secret}")]);
    assert!(complaint.contains("no key `abcdefgh`") && !complaint.contains(secret), "{complaint}");
}
