//! The attacks that the service must survive: each test is named after its row of the table in `docs/SECURITY.md`.
//! `scripts/attacks-bite` takes the defences out, one by one, and sees to it that these tests fail.

mod names;
mod operators;
mod origins;
mod placement;
mod values;
mod work;
mod writes;

use bson::{Document, doc};
use futures::TryStreamExt;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Value, json};

use crate::{
    filters::random::FOREIGN,
    support::{Answer, Api, catalog},
};

const JSON: (&str, &str) = ("content-type", "application/json");

/// A collection with a field of each common type, that takes no others.
fn things() -> Value {
    json!({
        "type": "object",
        "additionalProperties": false,
        "properties": {
            "name": { "type": "string" },
            "count": { "bsonType": "int" },
            "when": { "bsonType": "date" },
            "other": { "bsonType": "objectId" },
            "yes": { "type": "boolean" },
            "price": { "bsonType": "decimal" },
            "tags": { "type": "array", "items": { "type": "string" } },
            "parts": { "type": "array", "items": {
                "type": "object", "additionalProperties": false, "properties": { "code": { "type": "string" } } } },
            "place": { "type": "object", "additionalProperties": false, "properties": { "city": { "type": "string" } } },
            "spot": { "type": "object" },
            "any": {}
        },
        "x-indexes": [{ "keys": { "name": "text" } }, { "keys": { "spot": "2dsphere" } }]
    })
}

/// The service with `things`, with `texts`, which have strings as ids, and with `free`, whose documents are any.
async fn target() -> Api {
    let texts = json!({ "type": "object", "properties": { "_id": { "type": "string" } } });
    Api::start(catalog(&[("things", things()), ("texts", texts), ("free", json!({ "type": "object" }))])).await
}

/// The text as it stands in a path or a query.
fn escaped(text: &str) -> String {
    utf8_percent_encode(text, NON_ALPHANUMERIC).to_string()
}

/// The answer refuses, with one of these statuses, as a problem that says nothing of what is behind the service.
fn refused(answer: &Answer, statuses: &[u16], what: &str) {
    assert!(statuses.contains(&answer.status), "{what:.300}: {} {:.600}", answer.status, answer.text);
    assert_eq!(answer.header("content-type"), "application/problem+json", "{what:.300}");
    keeps_quiet(answer, what);
}

/// The answer holds no words of the driver or the server.
fn keeps_quiet(answer: &Answer, what: &str) {
    let told = |word: &&&str| answer.text.contains(**word) && !what.contains(**word);
    assert_eq!(FOREIGN.iter().find(told), None, "{what:.300}: {:.600}", answer.text);
}

/// The commands that the service sent to its database while `run` ran, but for those that keep the session.
async fn commands(api: &Api, run: impl Future<Output = ()>) -> Vec<Document> {
    let db = &api.database.db;
    db.run_command(doc! { "profile": 2, "slowms": 0 }).await.unwrap();
    run.await;
    db.run_command(doc! { "profile": 0 }).await.unwrap();
    let profile = db.collection::<Document>("system.profile");
    let entries: Vec<_> = profile.find(doc! {}).await.unwrap().try_collect().await.unwrap();
    let command = |entry: &Document| entry.get_document("command").unwrap().clone();
    entries.iter().map(command).filter(|command| !command.contains_key("profile")).collect()
}
