//! Rows 11 and 20: collections and files that are not declared.

use std::{fs, os::unix::fs::symlink};

use bson::doc;
use folio::{Error, schema::Catalog};
use reqwest::Method;
use serde_json::json;

use super::{JSON, refused, target};

/// Names in a path under which something might be, but no declared collection.
const INTERNAL: [&str; 34] = [
    "system.users",
    "system.profile",
    "system.views",
    "system.js",
    "system.indexes",
    "system.buckets.things",
    "system%2Eprofile",
    "_folio",
    "%5ffolio",
    "%5Ffolio",
    "_folio_probe_1",
    "things.chunks",
    "things.files",
    "admin.system.users",
    "local.oplog.rs",
    "oplog.rs",
    "config.transactions",
    "$cmd",
    "%24cmd",
    "things.$cmd",
    "things%00",
    "%00things",
    "things%00.x",
    "things%2Fx",
    "things%20",
    "%20things",
    "Things",
    "THINGS",
    "things.",
    ".things",
    "%2e%2e",
    "%2574hings",
    "%EF%BD%94hings",
    "*",
];

#[tokio::test]
async fn row_11_only_declared_collections_answer() {
    let api = target().await;
    // What is not declared is there.
    for name in ["undeclared", "things.chunks", "Things"] {
        api.collection(name).insert_one(doc! { "secret": "hunter2" }).await.unwrap();
    }
    api.database.db.run_command(doc! { "profile": 2 }).await.unwrap();
    let id = "6650f0000000000000000001";
    for name in INTERNAL.into_iter().chain(["undeclared"]) {
        for (method, rest, body) in [
            (Method::GET, String::new(), ""),
            (Method::GET, "?limit=1".into(), ""),
            (Method::POST, String::new(), "{}"),
            (Method::GET, format!("/{id}"), ""),
            (Method::PUT, format!("/{id}"), "{}"),
            (Method::PATCH, format!("/{id}"), "{}"),
            (Method::DELETE, format!("/{id}"), ""),
            (Method::POST, "/_query".into(), "{}"),
            (Method::GET, "/_explain".into(), ""),
            (Method::GET, "/_indexes".into(), ""),
            (Method::GET, "/_schema".into(), ""),
        ] {
            let path = format!("/v1/{name}{rest}");
            let answer = api.send(method.clone(), &path, &[JSON], body).await;
            refused(&answer, &[404], &format!("{method} {path}"));
            assert!(!answer.text.contains("hunter2"), "{path}: {}", answer.text);
        }
    }
    let listed = api.get("/v1").await.ok(200);
    let listed: Vec<_> =
        listed["collections"].as_array().unwrap().iter().map(|c| c["name"].as_str().unwrap()).collect();
    assert_eq!(listed, ["free", "texts", "things"]);
    api.database.db.run_command(doc! { "profile": 0 }).await.unwrap();
    let mut there = api.database.db.list_collection_names().await.unwrap();
    there.sort();
    assert_eq!(there, ["Things", "_folio", "free", "system.profile", "texts", "things", "things.chunks", "undeclared"]);
}

#[test]
fn row_11_no_file_declares_an_internal_collection() {
    for name in [
        "system.js",
        "system",
        "_folio",
        "_x",
        "Things",
        "a.b",
        "a b",
        "$cmd",
        "a\u{301}",
        "ä",
        "1",
        "-a",
        "a$",
        "",
        ".",
        &"a".repeat(64),
    ] {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join(format!("{name}.json")), r#"{"type":"object"}"#).unwrap();
        let loaded = Catalog::load(folder.path());
        // `system` alone is a name like others, and is not MongoDB's.
        assert_eq!(loaded.is_ok(), name == "system", "{name}: {loaded:?}");
    }
    // No reference leads there either.
    let folder = tempfile::tempdir().unwrap();
    for name in ["_folio", "system.users", "admin.system.users", "a\0", "$cmd"] {
        let property = json!({ "bsonType": "objectId", "x-ref": { "collection": name, "onDelete": "none" } });
        let file = json!({ "type": "object", "properties": { "a": property } });
        fs::write(folder.path().join("things.json"), file.to_string()).unwrap();
        assert!(Catalog::load(folder.path()).is_err(), "{name}");
    }
}

#[test]
fn row_20_references_stay_in_the_folder() {
    let outside = tempfile::tempdir().unwrap();
    fs::write(outside.path().join("secret.json"), r#"{"type":"string","$defs":{"a":{"type":"string"}}}"#).unwrap();
    let folder = tempfile::tempdir_in(outside.path()).unwrap();
    let at = |name: &str| folder.path().join(name);
    symlink(outside.path().join("secret.json"), at("out.txt")).unwrap();
    symlink(outside.path(), at("up")).unwrap();
    let absolute = outside.path().join("secret.json").display().to_string();
    for reference in [
        "http://127.0.0.1:1/a.json",
        "https://example.org/a.json#/$defs/a",
        "HTTP://example.org/a",
        "ftp://example.org/a",
        "file:///etc/passwd",
        "file:secret.json",
        "//example.org/a.json",
        "data:application/json,{}",
        "/etc/passwd",
        &absolute,
        &format!("file://{absolute}"),
        "../secret.json",
        "../secret.json#/$defs/a",
        "./../secret.json",
        "x/../../secret.json",
        "%2e%2e/secret.json",
        "..%2fsecret.json",
        "..\\secret.json",
        "up/secret.json",
        "out.txt",
        "up/secret.json#/$defs/a",
        "urn:uuid:6650f000-0000-0000-0000-000000000001",
        "secret.json",
        "#/../secret.json",
        "#/$defs/none",
        "?x",
        "",
    ] {
        for file in [
            json!({ "type": "object", "properties": { "a": { "$ref": reference } } }),
            json!({ "$ref": reference }),
            json!({ "type": "object", "properties": { "a": { "anyOf": [{ "items": { "$ref": reference } }] } } }),
        ] {
            fs::write(at("things.json"), file.to_string()).unwrap();
            let refused = Catalog::load(folder.path());
            assert!(matches!(refused, Err(Error::Schemas(_))), "{reference}: {refused:?}");
        }
    }
}

#[test]
fn row_20_links_out_of_the_folder_are_not_read() {
    let outside = tempfile::tempdir().unwrap();
    fs::write(outside.path().join("secret.json"), r#"{"type":"object"}"#).unwrap();
    let folder = tempfile::tempdir_in(outside.path()).unwrap();
    let at = |name: &str| folder.path().join(name);
    fs::write(at("things.json"), r#"{"type":"object"}"#).unwrap();
    Catalog::load(folder.path()).unwrap();
    symlink(outside.path().join("secret.json"), at("linked.json")).unwrap();
    let Err(Error::Schemas(mistakes)) = Catalog::load(folder.path()) else { panic!("a link out was read") };
    assert!(mistakes[0].detail.contains("leads out of the folder"), "{mistakes:?}");
}
