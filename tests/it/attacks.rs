//! The attacks that the service must survive, each tried in many forms and on every way in. Tests are named after the
//! kind of attack: `row_NN_…`. `scripts/attacks-bite` takes the defenses out, one by one, and sees to it that these
//! tests fail. What is promised to users is in `docs/SECURITY.md`.
//!
//! | Row | Attack | Tests |
//! |---|---|---|
//! | 1 | operators where values are expected | `operators` |
//! | 2 | code that the server would run | `operators` |
//! | 3 | an operator that is not on the list, wherever it stands | `placement` |
//! | 4 | asking about hidden fields in other ways than reading them | `hidden` |
//! | 5 | projections that give hidden fields other names | `hidden` |
//! | 7 | regular expressions, and work that does not end | `operators` |
//! | 8 | work without bounds | `work` |
//! | 9 | options smuggled into commands | `operators` |
//! | 10 | writing what clients, or some roles, may not write | `writes`, `rows`; `owned`, beside this file |
//! | 11 | collections that are not declared | `names` |
//! | 12 | ways in that forget the rules | `ways`, beside this file |
//! | 18 | tokens and keys that are not good | `tokens` |
//! | 19 | answers that tell what is there | `rows` |
//! | 20 | references out of the schemas folder | `names` |
//! | 21 | pages of other origins | `origins` |
//! | 22 | odd keys and values | `values` |
//! | 23 | other tenants' documents | `rows` |
//! | 24 | geometry that the database cannot bear | `geometry` |
//! | 26 | services that are open by accident | `rows` |
//!
//! The other numbers are kept for ways in that there are not yet.

mod geometry;
mod hidden;
mod names;
mod operators;
mod origins;
mod placement;
mod rows;
mod tokens;
mod values;
mod work;
mod writes;

use bson::{Bson, Document, doc};
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

/// The collection of API keys.
const KEYS: &str = "_folio_keys";

/// The commands that the service sent to its database while `run` ran, but for its looks at the API keys: these come
/// when they are due, whatever is asked of the service.
async fn commands(api: &Api, run: impl Future<Output = ()>) -> Vec<Document> {
    let db = &api.database.db;
    db.run_command(doc! { "profile": 2, "slowms": 0 }).await.unwrap();
    run.await;
    db.run_command(doc! { "profile": 0 }).await.unwrap();
    let profile = db.collection::<Document>("system.profile");
    let entries: Vec<_> = profile.find(doc! {}).await.unwrap().try_collect().await.unwrap();
    let command = |entry: &Document| entry.get_document("command").unwrap().clone();
    let is_look = |command: &Document| command.values().next().and_then(Bson::as_str) == Some(KEYS);
    entries.iter().map(command).filter(|command| !command.contains_key("profile") && !is_look(command)).collect()
}
