//! The audit log: who tried what, and what came of it.

use std::{
    io::Write,
    sync::{Mutex, OnceLock},
};

use mongodb::bson::doc;
use reqwest::Method;
use serde_json::{Value, json};
use tracing_subscriber::EnvFilter;

use crate::support::{Api, Client, catalog};

static LINES: Mutex<Vec<u8>> = Mutex::new(Vec::new());

struct Log;

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        LINES.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// The lines of the audit log about the request with this id.
fn lines(request: &str) -> Vec<Value> {
    let log = LINES.lock().unwrap().clone();
    let lines = log.split(|byte| *byte == b'\n').filter(|line| !line.is_empty());
    let lines = lines.map(|line| serde_json::from_slice::<Value>(line).unwrap()["fields"].clone());
    lines.filter(|fields| fields["request"] == request).collect()
}

async fn api() -> Api {
    static STARTED: OnceLock<()> = OnceLock::new();
    STARTED.get_or_init(|| {
        let log = tracing_subscriber::fmt().with_env_filter(EnvFilter::new("folio::audit=info")).with_writer(|| Log);
        log.json().init();
    });
    let file = json!({
        "type": "object",
        "properties": { "_id": { "type": "string" }, "n": { "bsonType": "int" }, "secret": { "type": "string" } },
        "x-access": {
            "admin": ["*"],
            "clerk": { "ops": ["read", "update"], "hide": ["secret"] },
            "drop": ["insert"]
        }
    });
    Api::closed(catalog(&[("things", file)])).await
}

/// Sends a request under an id of its own, and gives its lines.
async fn audited(client: &Client, method: Method, path: &str, body: &str) -> Vec<Value> {
    let id = mongodb::bson::oid::ObjectId::new().to_hex();
    let headers = [("content-type", "application/json"), ("x-request-id", id.as_str())];
    client.send(method, path, &headers, body.to_owned()).await;
    lines(&id)
}

#[tokio::test]
async fn every_write_and_every_refusal_leaves_one_line() {
    let api = api().await;
    let [admin, clerk, drop] = ["admin", "clerk", "drop"].map(|role| api.caller(&[role], role, json!({})));
    let nobody = api.with("wrong");
    let anonymous: &Client = &api;
    let (post, put, patch, delete) = (Method::POST, Method::PUT, Method::PATCH, Method::DELETE);
    let cases = [
        (&admin, &post, "", r#"{"_id":"a/b","secret":"hush"}"#, ("admin", "insert", "a%2Fb", "ok", 201)),
        (&admin, &post, "", r#"{"_id":"a/b"}"#, ("admin", "insert", "a%2Fb", "duplicate", 409)),
        (&admin, &post, "", r#"{"_id":"hush""#, ("admin", "insert", "", "malformed-body", 400)),
        (&admin, &post, "", r#"{"_id":"c","n":"hush"}"#, ("admin", "insert", "c", "invalid-document", 422)),
        (&admin, &put, "/a%2Fb", r#"{"n":1}"#, ("admin", "replace", "a%2Fb", "ok", 200)),
        (&admin, &patch, "/none", r#"{"n":1}"#, ("admin", "update", "none", "unknown-document", 404)),
        (&clerk, &patch, "/a%2Fb", r#"{"n":2}"#, ("clerk", "update", "a%2Fb", "ok", 200)),
        (&clerk, &patch, "/a%2Fb", r#"{"secret":"hush"}"#, ("clerk", "update", "a%2Fb", "forbidden-field", 403)),
        (&clerk, &delete, "/a%2Fb", "", ("clerk", "delete", "a%2Fb", "forbidden", 403)),
        (&drop, &post, "", r#"{"_id":"d"}"#, ("drop", "insert", "d", "ok", 201)),
        (&drop, &Method::GET, "/d", "", ("drop", "read", "d", "forbidden", 403)),
        (&drop, &Method::GET, "/_schema", "", ("drop", "read", "", "forbidden", 403)),
        (&nobody, &post, "", r#"{"_id":"e"}"#, ("", "insert", "", "unauthenticated", 401)),
        (anonymous, &Method::GET, "", "", ("", "read", "", "unauthenticated", 401)),
        (&admin, &delete, "/a%2Fb", "", ("admin", "delete", "a%2Fb", "ok", 204)),
    ];
    for (client, method, path, body, (caller, operation, id, outcome, status)) in cases {
        let lines = audited(client, method.clone(), &format!("/v1/things{path}"), body).await;
        let [line] = &lines[..] else { panic!("{method} {path} {body}: {lines:?}") };
        let text = |name: &str| line.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
        let told = (text("caller"), text("operation"), text("id"), text("outcome"), line["status"].clone());
        let expected = (caller.into(), operation.into(), id.into(), outcome.into(), json!(status));
        assert_eq!(told, expected, "{method} {path} {body}");
        assert_eq!(text("collection"), "things");
        assert!(!line.to_string().contains("hush"), "{line}");
    }
}

#[tokio::test]
async fn a_write_of_many_leaves_one_line_that_counts_them() {
    let api = api().await;
    let admin = api.caller(&["admin"], "admin", json!({}));
    let (post, patch, delete) = (Method::POST, Method::PATCH, Method::DELETE);
    for (method, query, body, operation, told) in [
        (&post, "", r#"[{"_id":"a","n":1},{"_id":"b","n":1}]"#, "insert", json!(["ok", 201, 2])),
        (&post, "", r#"[{"_id":"c","n":1},{"_id":"b","n":1}]"#, "insert", json!(["duplicate", 409, 0])),
        (&post, "?ordered=false", r#"[{"_id":"c","n":1},{"_id":"b"}]"#, "insert", json!(["ok", 207, 1])),
        (&patch, "?n=1", r#"{"n":2}"#, "update", json!(["ok", 200, 3])),
        (&patch, "?n=2", r#"{"n":"hush"}"#, "update", json!(["invalid-document", 422, 0])),
        (&patch, "", r#"{"n":2}"#, "update", json!(["invalid-query", 400, null])),
        (&delete, "?n=2", "", "delete", json!(["ok", 200, 3])),
    ] {
        let lines = audited(&admin, method.clone(), &format!("/v1/things{query}"), body).await;
        let [line] = &lines[..] else { panic!("{method} {query} {body}: {lines:?}") };
        let found = json!([line["outcome"], line["status"], line["documents"]]);
        assert_eq!((&found, line["operation"].as_str()), (&told, Some(operation)), "{method} {query} {body}");
        assert!(!line.to_string().contains("hush") && line.get("id").is_none(), "{line}");
    }
}

#[tokio::test]
async fn reads_leave_none() {
    let api = api().await;
    let admin = api.caller(&["admin"], "admin", json!({}));
    for path in ["/v1", "/v1/things", "/v1/things/none", "/v1/things/_schema", "/v1/none"] {
        assert_eq!(audited(&admin, Method::GET, path, "").await, [] as [Value; 0], "{path}");
    }
    assert_eq!(audited(&admin, Method::POST, "/v1/things/_query", "{}").await, [] as [Value; 0]);
}

#[tokio::test]
async fn a_write_leaves_its_line_when_the_client_has_left() {
    let api = api().await;
    let admin = api.caller(&["admin"], "admin", json!({}));
    // The write has to wait for this one.
    let things = api.collection("things");
    things.insert_one(doc! { "_id": "x", "n": 0 }).await.unwrap();
    let mut session = things.client().start_session().await.unwrap();
    session.start_transaction().await.unwrap();
    let change = things.update_one(doc! {}, doc! { "$set": { "n": 1 } }).session(&mut session);
    change.await.unwrap();
    let id = mongodb::bson::oid::ObjectId::new().to_hex();
    let headers = [("content-type", "application/json"), ("x-request-id", id.as_str())];
    let write = admin.send(Method::PATCH, "/v1/things/x", &headers, r#"{"n":2}"#);
    tokio::time::timeout(std::time::Duration::from_millis(500), write).await.unwrap_err();
    assert_eq!(lines(&id), [] as [Value; 0]);
    session.commit_transaction().await.unwrap();
    for _ in 0..100 {
        if let [line] = &lines(&id)[..] {
            assert_eq!((&line["outcome"], &line["operation"]), (&json!("ok"), &json!("update")));
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    panic!("no line of the write");
}
