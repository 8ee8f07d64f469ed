//! Fields that are not the client's, and every way in: whatever is tried, what is stored in them stays, byte for byte,
//! and what names them is refused.

use bson::{Bson, DateTime, Document, doc};
use serde_json::{Value, json};

use crate::support::{Answer, Api, Client, catalog};

mod attempts;

use attempts::Attempt;

/// Values that are to stay where they are.
const SECRETS: [&str; 4] = ["first-secret", "inner-secret", "listed-secret", "written-secret"];

/// Whose a field is, and so what is tried on it.
#[derive(Clone, Copy, PartialEq)]
enum Owner {
    /// It can be read, not written.
    Service,
    /// A rule writes it, whatever is sent.
    Rule,
    /// It is not there for who asks.
    Hidden,
    /// It can be written, not read.
    WriteOnly,
}

/// The fields, as dotted names, each with a value of its type that a client would like to see there.
const OWNED: [(&str, &str, Owner); 12] = [
    ("_id", r#""y""#, Owner::Service),
    ("role", r#""admin""#, Owner::Service),
    ("made", r#""1999-01-01T00:00:00Z""#, Owner::Service),
    ("changed", r#""1999-01-01T00:00:00Z""#, Owner::Service),
    ("inner.level", "9", Owner::Service),
    ("inner.at", r#""1999-01-01T00:00:00Z""#, Owner::Service),
    ("inner.more.flags", "[9]", Owner::Service),
    ("state", r#""new""#, Owner::Service),
    ("tenant", r#""b""#, Owner::Rule),
    ("secret", r#""mine""#, Owner::Hidden),
    ("deep.secret", r#""mine""#, Owner::Hidden),
    ("pin", r#""0000""#, Owner::WriteOnly),
];

fn things() -> Value {
    let unique = |name: &str| json!({ "keys": { name: 1 }, "unique": true, "sparse": true });
    let unique = ["role", "state", "secret"].map(unique);
    json!({
        "type": "object",
        "properties": {
            "_id": { "type": "string" },
            "name": { "type": "string" },
            "role": { "type": "string", "readOnly": true },
            "made": { "bsonType": "date", "x-set": { "insert": "now" } },
            "changed": { "bsonType": "date", "x-set": { "insert": "now", "update": "now" } },
            "inner": { "type": "object", "properties": {
                "note": { "type": "string" },
                "level": { "bsonType": "int", "readOnly": true },
                "at": { "bsonType": "date", "x-set": { "insert": "now" } },
                "more": { "type": "object", "properties": {
                    "flags": { "type": "array", "items": { "bsonType": "int" }, "readOnly": true } } }
            } },
            "state": { "type": "string" },
            "tenant": { "type": "string" },
            "secret": { "type": "string" },
            "deep": { "type": "object", "properties": { "secret": { "type": "string" }, "y": { "bsonType": "int" } } },
            "list": { "type": "array", "items": { "type": "object", "properties": {
                "code": { "type": "string" }, "z": { "bsonType": "int" } } } },
            "pin": { "type": "string", "writeOnly": true }
        },
        "x-indexes": unique,
        "x-access": { "clerk": {
            "ops": ["read", "write"],
            "set": { "tenant": "$user.tenant" },
            "readOnly": ["state"],
            "hide": ["secret", "deep.secret", "list.code"]
        } }
    })
}

fn before() -> Document {
    let then = DateTime::from_millis(1_000_000_000_000);
    doc! {
        "_id": "x", "name": "n", "role": "user", "made": then, "changed": then,
        "inner": { "note": "i", "level": 1, "at": then, "more": { "flags": [1, 2] } },
        "state": "old", "tenant": "a", "secret": SECRETS[0],
        "deep": { "secret": SECRETS[1], "y": 1 },
        "list": [{ "code": SECRETS[2], "z": 1 }, { "code": "other", "z": 2 }],
        "pin": SECRETS[3]
    }
}

/// What is stored at the dotted name, in all items of lists.
fn at<'d>(value: &'d Bson, path: &str) -> Vec<&'d Bson> {
    let Some((name, rest)) = path.split_once('.').or((!path.is_empty()).then_some((path, ""))) else {
        return vec![value];
    };
    match value {
        Bson::Document(object) => object.get(name).map(|value| at(value, rest)).unwrap_or_default(),
        Bson::Array(items) => items.iter().flat_map(|item| at(item, path)).collect(),
        _ => Vec::new(),
    }
}

struct Target {
    api: Api,
    clerk: Client,
    began: DateTime,
}

impl Target {
    async fn new() -> Self {
        let api = Api::closed(catalog(&[("things", things())])).await;
        let clerk = api.caller(&["clerk"], "clerk", json!({ "tenant": "a" }));
        Self { api, clerk, began: DateTime::now() }
    }

    async fn reset(&self) {
        let things = self.api.collection("things");
        things.delete_many(doc! {}).await.unwrap();
        things.insert_one(before()).await.unwrap();
    }

    /// Tries it in every way that takes it.
    async fn attempt(&self, attempt: &Attempt) {
        for (method, path, media_type, body) in attempt.requests() {
            let headers: Vec<_> = [("content-type", media_type)].into_iter().chain(attempt.header).collect();
            let answer = self.clerk.send(method.clone(), &path, &headers, body.clone()).await;
            let what = format!("{method} {path} {media_type} {body}");
            if attempt.is_refused {
                refused(&answer, &what);
            }
            assert!(answer.status < 500, "{what}: {} {}", answer.status, answer.text);
            self.unchanged(&answer, &what).await;
        }
    }

    /// What is stored in the fields of others is what was, and is nowhere else.
    async fn unchanged(&self, answer: &Answer, what: &str) {
        let things = self.api.collection("things");
        let told = |secret: &&&str| answer.text.contains(**secret) && !what.contains(**secret);
        assert_eq!(SECRETS.iter().find(told), None, "{what}: {}", answer.text);
        let stored = things.find_one(doc! { "_id": "x" }).await.unwrap();
        let (stored, before) = (Bson::from(stored.expect(what)), Bson::from(before()));
        if stored != before {
            for path in OWNED.iter().map(|(path, ..)| *path).filter(|path| *path != "changed").chain(["list.code"]) {
                assert_eq!(at(&stored, path), at(&before, path), "{what}: `{path}` is not what it was");
            }
            let changed = at(&stored, "changed")[0].as_datetime().expect(what);
            assert!((self.began..=DateTime::now()).contains(changed), "{what}: changed at {changed}");
            let text = stored.to_string();
            for secret in SECRETS {
                assert_eq!(text.matches(secret).count(), 1, "{what}: {text}");
            }
            self.reset().await;
        }
        let new = things.find_one(doc! { "_id": { "$ne": "x" } }).await.unwrap();
        if let Some(new) = new {
            assert_eq!(new.get_str("tenant").ok(), Some("a"), "{what}: {new}");
            let theirs = ["role", "state", "secret", "inner", "deep"].into_iter().find(|name| new.contains_key(name));
            assert_eq!(theirs, None, "{what}: {new}");
            self.reset().await;
        }
    }
}

/// The answer is one of the refusals that are documented, for the whole request or for each of its items.
#[track_caller]
fn refused(answer: &Answer, what: &str) {
    let slugs =
        ["malformed-body", "invalid-query", "unknown-field", "forbidden-field", "read-only-field", "patch-failed"];
    let problem = match answer.status {
        207 => answer.json()["results"][0]["problem"].clone(),
        400 | 403 | 422 => answer.json(),
        status => panic!("{what}: {status} {}", answer.text),
    };
    let slug = problem["type"].as_str().unwrap_or_default().trim_start_matches("/problems/");
    // A value of another type may be refused before anything else is.
    let is_known = slugs.contains(&slug) || slug == "invalid-document";
    assert!(is_known, "{what}: {} {}", answer.status, answer.text);
}

async fn try_all(attempts: impl IntoIterator<Item = Attempt>) {
    let target = Target::new().await;
    target.reset().await;
    for attempt in attempts {
        target.attempt(&attempt).await;
    }
}

#[tokio::test]
async fn row_10_operators_reach_no_field_of_others() {
    try_all(OWNED.iter().flat_map(|field| attempts::operators(*field))).await;
}

#[tokio::test]
async fn row_10_operators_reach_nothing_hidden_in_lists() {
    try_all(attempts::in_lists()).await;
}

#[tokio::test]
async fn row_10_patches_reach_no_field_of_others() {
    try_all(OWNED.iter().flat_map(|field| attempts::patches(*field))).await;
}

#[tokio::test]
async fn row_10_whole_documents_reach_no_field_of_others() {
    try_all(OWNED.iter().flat_map(|field| attempts::documents(*field))).await;
}

#[tokio::test]
async fn row_10_upserts_reach_no_field_of_others() {
    try_all(attempts::upserts()).await;
}

#[tokio::test]
async fn what_is_the_clients_own_can_be_written_in_every_way() {
    let target = Target::new().await;
    target.reset().await;
    let things = target.api.collection("things");
    for attempt in attempts::allowed() {
        for (method, path, media_type, body) in attempt.requests() {
            let answer = target.clerk.send(method.clone(), &path, &[("content-type", media_type)], body.clone()).await;
            assert!([200, 201, 207].contains(&answer.status), "{method} {path} {body}: {}", answer.text);
            let stored = things.find_one(doc! { "_id": "x" }).await.unwrap().unwrap();
            assert_ne!(stored, before(), "{method} {path} {body}: {}", answer.text);
            let (stored, before) = (Bson::from(stored), Bson::from(before()));
            for (path, ..) in OWNED.iter().filter(|(path, ..)| !["changed", "pin"].contains(path)) {
                assert_eq!(at(&stored, path), at(&before, path), "{body}: `{path}` is not what it was");
            }
            target.reset().await;
        }
    }
}
