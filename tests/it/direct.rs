//! Changes by one command, and that they come to what reading, deciding and writing comes to.

use std::iter::repeat_with;

use mongodb::bson::{Bson, DateTime, Document, doc};
use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{Api, effort};

const CASES: usize = 100;
const MERGE: &str = "application/merge-patch+json";
const PATCH: &str = "application/json-patch+json";
const OPERATORS: &str = "application/json";

fn file(stamp: &Value) -> Value {
    json!({
        "type": "object",
        "properties": {
            "_id": { "bsonType": "int" },
            "n": { "bsonType": "int", "maximum": 7 },
            "l": { "bsonType": "long" },
            "d": { "bsonType": "double" },
            "at": { "bsonType": "date", "x-set": stamp },
            "ro": { "readOnly": true },
            "w": { "writeOnly": true }
        },
        "x-indexes": [{ "keys": { "k": 1 }, "unique": true, "sparse": true }]
    })
}

fn one_of<T: Clone>(all: &[T]) -> T {
    all[fastrand::usize(..all.len())].clone()
}

fn some<T>(most: usize, make: impl FnMut() -> T) -> Vec<T> {
    repeat_with(make).take(fastrand::usize(1..=most)).collect()
}

fn name() -> String {
    one_of(&["a", "b", "n", "l", "d", "o", "ro", "w", "at", "k", "0", "", "x.y", "_id"]).to_owned()
}

/// A value of a document as it is stored.
fn stored_value(depth: usize) -> Bson {
    match fastrand::u8(..if depth == 0 { 11 } else { 14 }) {
        0..3 => fastrand::i32(0..4).into(),
        3 => fastrand::i64(0..3).into(),
        4 => one_of(&[0.0, -0.0, 1.0, 1.5, f64::NAN, 9_007_199_254_740_992.0]).into(),
        5 => Bson::Decimal128(one_of(&["1", "1.0", "2", "NaN", "-0"]).parse().unwrap()),
        6 => one_of(&["a", "b", ""]).into(),
        7 => Bson::Null,
        8 => fastrand::bool().into(),
        9 => one_of(&[Bson::Undefined, Bson::MaxKey, DateTime::MIN.into(), DateTime::from_millis(0).into()]),
        10 => one_of(&[9_007_199_254_740_992_i64, 9_007_199_254_740_993]).into(),
        11 => Bson::Array(some(3, || stored_value(depth - 1))),
        _ => stored(depth - 1).into(),
    }
}

fn stored(depth: usize) -> Document {
    let names = ["a", "b", "o", "c", "0"];
    some(4, || (one_of(&names).to_owned(), stored_value(depth))).into_iter().collect()
}

/// A document with an object in `o` as a rule, and its declared fields as declared.
fn document() -> Document {
    let mut document =
        doc! { "_id": 1, "n": fastrand::i32(0..8), "at": DateTime::MIN, "ro": 1, "w": fastrand::i32(0..3) };
    document.extend(stored(2));
    if fastrand::u8(..4) > 0 {
        document.insert("o", stored(2));
    }
    document.insert("l", fastrand::i64(0..3));
    document
}

fn sent_value(depth: usize) -> Value {
    match fastrand::u8(..if depth == 0 { 10 } else { 13 }) {
        0..4 => fastrand::i32(0..4).into(),
        4 => one_of(&[json!(1.0), json!(1.5), json!(-0.0)]),
        5 => one_of(&["a", "b", ""]).into(),
        6 => Value::Null,
        7 => fastrand::bool().into(),
        8 => one_of(&[json!({ "$date": { "$numberLong": "0" } }), json!({ "$undefined": true })]),
        9 => one_of(&[json!(9_007_199_254_740_992_i64), json!({ "$numberLong": "9007199254740993" })]),
        10 => some(3, || sent_value(depth - 1)).into(),
        _ => object(depth - 1),
    }
}

fn object(depth: usize) -> Value {
    let names = ["a", "b", "o", "c", "0"];
    some(3, || (one_of(&names).to_owned(), sent_value(depth))).into_iter().collect::<serde_json::Map<_, _>>().into()
}

fn merge() -> Value {
    some(3, || (name(), sent_value(2))).into_iter().collect::<serde_json::Map<_, _>>().into()
}

fn patch() -> Value {
    let place = || format!("/{}", some(3, || one_of(&["a", "b", "o", "n", "l", "c", "0", "w", "ro"])).join("/"));
    let operation = || match fastrand::u8(..8) {
        0..2 => json!({ "op": "add", "path": place(), "value": sent_value(1) }),
        2..4 => json!({ "op": "replace", "path": place(), "value": sent_value(1) }),
        4 => json!({ "op": "remove", "path": place() }),
        5 => json!({ "op": "move", "path": place(), "from": place() }),
        _ => json!({ "op": "test", "path": place(), "value": sent_value(0) }),
    };
    some(3, operation).into()
}

fn operators() -> Value {
    let place = || some(2, || one_of(&["a", "b", "o", "n", "l", "d", "c", "0", "w", "ro", "k"])).join(".");
    let operator = || {
        let (name, value) = match fastrand::u8(..14) {
            0..3 => ("$set", sent_value(2)),
            3 => ("$unset", "".into()),
            4 => ("$inc", one_of(&[json!(0), json!(1), json!(-2), json!(0.5)])),
            5 => ("$mul", one_of(&[json!(0), json!(1), json!(2), json!(1.0)])),
            6 => ("$min", sent_value(0)),
            7 => ("$max", sent_value(0)),
            8 => ("$rename", place().into()),
            9 => ("$push", sent_value(1)),
            10 => ("$addToSet", sent_value(1)),
            11 => ("$pop", one_of(&[json!(1), json!(-1)])),
            12 => ("$pullAll", json!([sent_value(0), sent_value(1)])),
            _ => ("$push", json!({ "$each": some(2, || sent_value(0)), "$slice": one_of(&[-3, 0, 2]) })),
        };
        (name.to_owned(), json!({ place(): value }))
    };
    some(2, operator).into_iter().collect::<serde_json::Map<_, _>>().into()
}

/// What a change has come to.
#[derive(Debug, PartialEq)]
struct Outcome {
    status: u16,
    kind: Value,
    /// Without `at`, whatever the order of members.
    document: Value,
    is_stamped: bool,
}

async fn change(api: &Api, before: &Document, (kind, body): (&str, &str), exactly: bool) -> Outcome {
    let (things, path) = (api.collection("things"), "/v1/things/1");
    things.replace_one(doc! { "_id": 1 }, before).upsert(true).await.unwrap();
    let read = api.get(path).await;
    let condition = ("if-match", read.header("etag"));
    let headers = [("content-type", kind), condition];
    let answer = api.send(Method::PATCH, path, &headers[..=usize::from(exactly)], body.to_owned()).await;
    let mut after = things.find_one(doc! {}).await.unwrap().unwrap();
    let stamp = after.remove("at");
    Outcome {
        status: answer.status,
        kind: if answer.status < 300 { Value::Null } else { answer.json()["type"].clone() },
        document: Bson::from(after).into_canonical_extjson(),
        is_stamped: stamp != before.get("at").cloned(),
    }
}

async fn come_to_the_same(kind: &str, patch: fn() -> Value) {
    for stamp in [json!({ "update": "now" }), json!({ "insert": "now" })] {
        let api = Api::things(file(&stamp)).await;
        for _ in 0..CASES * effort() {
            let (before, body) = (document(), patch().to_string());
            let direct = change(&api, &before, (kind, &body), false).await;
            let exact = change(&api, &before, (kind, &body), true).await;
            assert_eq!(direct, exact, "{body} on {before}");
        }
    }
}

#[tokio::test]
async fn merge_patches_come_to_the_same_both_ways() {
    come_to_the_same(MERGE, merge).await;
}

#[tokio::test]
async fn json_patches_come_to_the_same_both_ways() {
    come_to_the_same(PATCH, patch).await;
}

#[tokio::test]
async fn operators_come_to_the_same_both_ways() {
    come_to_the_same(OPERATORS, operators).await;
}

/// The commands on the collection that come of `work`, as the server's profiler has them.
async fn commands(api: &Api, work: impl Future<Output = ()>) -> Vec<String> {
    let profile = |level: i32| api.database.db.run_command(doc! { "profile": level });
    let log = api.database.db.collection::<Document>("system.profile");
    profile(0).await.unwrap();
    log.drop().await.unwrap();
    profile(2).await.unwrap();
    work.await;
    profile(0).await.unwrap();
    let ours = doc! { "ns": format!("{}.things", api.database.name) };
    let logged: Vec<Document> = futures::TryStreamExt::try_collect(log.find(ours).await.unwrap()).await.unwrap();
    let name = |entry: &Document| entry.get_document("command").unwrap().keys().next().unwrap().clone();
    logged.iter().map(name).collect()
}

#[tokio::test]
async fn what_mongodb_can_express_takes_one_command() {
    let api = Api::things(file(&json!({ "update": "now" }))).await;
    let things = api.collection("things");
    for (method, kind, body) in [
        (Method::PATCH, MERGE, r#"{"a":2}"#),
        (Method::PATCH, MERGE, r#"{"a":2,"o":{"x":null,"y":{"z":"new"}},"gone":null}"#),
        (Method::PATCH, OPERATORS, r#"{"$inc":{"l":1}}"#),
        (Method::PATCH, OPERATORS, r#"{"$push":{"list":7},"$set":{"o.y.z":3}}"#),
        (Method::PATCH, PATCH, r#"[{"op":"test","path":"/n","value":1},{"op":"replace","path":"/o/y/z","value":[]}]"#),
        (Method::PATCH, PATCH, r#"[{"op":"remove","path":"/o/x"},{"op":"add","path":"/new","value":1}]"#),
        (Method::DELETE, MERGE, ""),
    ] {
        let stored = doc! { "_id": 1, "n": 1, "l": 1_i64, "a": 1, "list": [], "o": { "x": 1, "y": { "z": 1 } } };
        things.replace_one(doc! { "_id": 1 }, stored).upsert(true).await.unwrap();
        let work = async {
            let answer = api.send(method.clone(), "/v1/things/1", &[("content-type", kind)], body).await;
            assert!(answer.status < 300, "{body}: {answer:?}");
        };
        assert_eq!(commands(&api, work).await, ["findAndModify"], "{method} {body}");
    }
}

#[tokio::test]
async fn an_insert_takes_one_command() {
    let api = Api::things(file(&json!({ "update": "now" }))).await;
    let work = async {
        api.post("/v1/things", r#"{"_id":1}"#).await.ok(201);
    };
    assert_eq!(commands(&api, work).await, ["insert"]);
}
