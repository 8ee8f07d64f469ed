//! Patches over HTTP: merge patches as RFC 7396 has them, JSON patches as RFC 6902 has them.

use futures::{StreamExt, stream};
use mongodb::bson::{Bson, Document, doc};
use proptest::{
    prelude::*,
    strategy::{Strategy, ValueTree},
    test_runner::TestRunner,
};
use reqwest::Method;
use serde_json::{Map, Value, json};

use crate::support::{Answer, Api, Client, catalog, effort};

/// Documents of which nothing is said but who writes the time of the last change, where anybody does.
fn free(is_stamped: bool) -> Value {
    let stamp = json!({ "bsonType": "date", "x-set": { "update": "now" } });
    let mut file = json!({ "type": "object", "properties": { "_id": { "type": "string" } } });
    if is_stamped {
        file["properties"]["changed"] = stamp;
    }
    file
}

const JSON_PATCH: &str = "application/json-patch+json";
const MERGE_PATCH: &str = "application/merge-patch+json";

/// Sends a patch; with a precondition it is worked out in a transaction, without one MongoDB may do it at once.
async fn send(client: &Client, id: &str, (media_type, patch): (&str, &Value), condition: Option<&str>) -> Answer {
    let mut headers = vec![("content-type", media_type)];
    headers.extend(condition.map(|tags| ("if-match", tags)));
    client.send(Method::PATCH, &format!("/v1/things/{id}"), &headers, patch.to_string()).await
}

async fn patch(client: &Client, id: &str, patch: Value) -> Answer {
    send(client, id, (JSON_PATCH, &patch), None).await
}

/// RFC 7396, section 2.
fn merged(target: Value, patch: &Value) -> Value {
    let Value::Object(patch) = patch else { return patch.clone() };
    let mut target = if let Value::Object(members) = target { members } else { Map::new() };
    for (name, value) in patch {
        let before = target.remove(name).unwrap_or_default();
        if !value.is_null() {
            target.insert(name.clone(), merged(before, value));
        }
    }
    target.into()
}

fn names() -> impl Strategy<Value = String> {
    prop_oneof![
        4 => "[a-c]".prop_map(String::from),
        1 => proptest::sample::select(vec!["", "0", "-", " ", "a/b", "~", "~1", "_x", "é", "a b", "#", "\"", "\\", "日本"])
            .prop_map(str::to_owned),
    ]
}

fn values() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        (-2..3_i64).prop_map(Value::from),
        (0..8_i32).prop_map(|n| Value::from(f64::from(n) / 4.0)),
        "[a-c]{0,2}".prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 24, 4, |inner| {
        prop_oneof![
            1 => proptest::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            3 => proptest::collection::vec((names(), inner), 0..4)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

fn objects() -> impl Strategy<Value = Value> {
    proptest::collection::vec((names(), values()), 0..6)
        .prop_map(|members| Value::Object(members.into_iter().collect()))
}

fn some<S: Strategy>(strategy: S, count: usize) -> Vec<S::Value> {
    let mut runner = TestRunner::default();
    (0..count).map(|_| strategy.new_tree(&mut runner).unwrap().current()).collect()
}

/// What is stored in the end of a document that is patched at once, and of one that is patched in a transaction.
async fn both_ways(api: &Api, n: usize, document: &Value, patch: &Value) -> Vec<Value> {
    let mut found = Vec::new();
    for (way, condition) in [("direct", None), ("exact", Some("*"))] {
        let id = format!("{n}{way}");
        let mut document = document.clone();
        document["_id"] = id.as_str().into();
        api.post("/v1/things", document).await.ok(201);
        send(api, &id, (MERGE_PATCH, patch), condition).await.ok(200);
        let mut stored = api.get(&format!("/v1/things/{id}")).await.ok(200);
        stored.as_object_mut().unwrap().retain(|name, _| name != "_id" && name != "changed");
        found.push(stored);
    }
    found
}

/// Calls `check` on each case, some at a time.
async fn each<T>(cases: Vec<T>, check: impl AsyncFn(usize, T)) {
    stream::iter(cases.into_iter().enumerate()).for_each_concurrent(8, |(n, case)| check(n, case)).await;
}

#[tokio::test]
async fn random_merge_patches_do_what_the_rfc_says() {
    for is_stamped in [false, true] {
        let api = Api::things(free(is_stamped)).await;
        each(some((objects(), objects()), 500 * effort()), async |n, (document, patch)| {
            let expected = merged(document.clone(), &patch);
            for found in both_ways(&api, n, &document, &patch).await {
                assert_eq!(found, expected, "{patch} on {document}");
            }
        })
        .await;
    }
}

/// The members of all objects in the order of their names.
fn sorted(value: Bson) -> Bson {
    match value {
        Bson::Document(members) => {
            let mut members: Vec<_> = members.into_iter().map(|(name, value)| (name, sorted(value))).collect();
            members.sort_by(|(a, _), (b, _)| a.cmp(b));
            members.into_iter().collect::<Document>().into()
        }
        Bson::Array(items) => items.into_iter().map(sorted).collect::<Vec<_>>().into(),
        value => value,
    }
}

/// A collection with something of everything.
fn shelf() -> Value {
    json!({
        "type": "object",
        "required": ["title"],
        "properties": {
            "_id": { "type": "string" },
            "title": { "type": "string", "maxLength": 10 },
            "at": { "bsonType": "date" },
            "price": { "bsonType": "decimal" },
            "days": { "type": "array", "items": { "bsonType": "date" }, "maxItems": 3 },
            "state": { "type": "string", "readOnly": true },
            "created": { "bsonType": "date", "x-set": { "insert": "now" } },
            "changed": { "bsonType": "date", "x-set": { "update": "now" } },
            "pin": { "type": "string", "writeOnly": true },
            "cost": { "bsonType": "int" },
            "publisher": {
                "type": "object",
                "properties": {
                    "name": { "type": "string" },
                    "margin": { "bsonType": "int" },
                    "rank": { "bsonType": "int", "readOnly": true }
                }
            },
            "lots": { "type": "array", "items": { "type": "object", "properties": { "cost": { "bsonType": "int" } } } }
        },
        "x-access": {
            "admin": ["*"],
            "clerk": { "ops": ["read", "write"], "hide": ["cost", "publisher.margin", "lots.cost"] }
        }
    })
}

async fn shelves() -> Api {
    Api::closed(catalog(&[("things", shelf())])).await
}

fn who(api: &Api, role: &str) -> Client {
    api.caller(&[role], role, json!({}))
}

async fn store(api: &Api, document: Document) {
    api.collection("things").insert_one(document).await.unwrap();
}

async fn stored(api: &Api, id: &str) -> Document {
    api.collection("things").find_one(doc! { "_id": id }).await.unwrap().unwrap()
}

#[tokio::test]
async fn a_json_patch_is_one_change_with_typed_values() {
    let api = shelves().await;
    let admin = who(&api, "admin");
    store(&api, doc! { "_id": "x", "title": "t", "days": [] }).await;
    let operations = json!([
        { "op": "test", "path": "/title", "value": "t" },
        // Too long, and too many, but not for long.
        { "op": "replace", "path": "/title", "value": "a title that is too long" },
        { "op": "add", "path": "/days", "value": vec!["2024-05-01T00:00:00Z"; 4] },
        { "op": "remove", "path": "/days/0" },
        { "op": "replace", "path": "/title", "value": "u" },
        { "op": "add", "path": "/price", "value": "12.50" },
        { "op": "copy", "from": "/days/2", "path": "/at" },
    ]);
    let answer = patch(&admin, "x", operations).await;
    let shown = answer.ok(200);
    assert_eq!(shown["price"], "12.50");
    assert_eq!(answer.header("etag"), admin.get("/v1/things/x").await.header("etag"));
    let date = mongodb::bson::DateTime::parse_rfc3339_str("2024-05-01T00:00:00Z").unwrap();
    let mut found = stored(&api, "x").await;
    assert!(found.remove("changed").is_some(), "{found}");
    let price: mongodb::bson::Decimal128 = "12.50".parse().unwrap();
    let expected = doc! { "_id": "x", "title": "u", "days": [date, date, date], "price": price, "at": date };
    assert_eq!(sorted(found.into()), sorted(expected.into()));
}

#[tokio::test]
async fn a_json_patch_that_fails_changes_nothing_and_says_why() {
    let api = shelves().await;
    let admin = who(&api, "admin");
    let before = doc! { "_id": "x", "title": "t", "days": [], "pin": "1234" };
    store(&api, before.clone()).await;
    for (operations, operation, detail) in [
        (json!([{ "op": "remove", "path": "/at" }]), 0, "there is nothing at `/at`"),
        (
            json!([{ "op": "replace", "path": "/title", "value": "u" }, { "op": "test", "path": "/days", "value": [1] }]),
            1,
            "the value at `/days` is not the one that the test expects",
        ),
        (
            json!([{ "op": "add", "path": "/days/1", "value": "2024-05-01T00:00:00Z" }]),
            0,
            "there is no place `/days/1`: the list at `/days` has 0 items",
        ),
        (
            json!([{ "op": "test", "path": "/title", "value": "t" }, { "op": "add", "path": "/title/x", "value": 1 }]),
            1,
            "there is no place `/title/x`: `/title` is neither an object nor a list",
        ),
        (json!([{ "op": "test", "path": "/pin", "value": "1234" }]), 0, "there is nothing at `/pin`"),
        (json!([{ "op": "copy", "from": "/pin", "path": "/title" }]), 0, "there is nothing at `/pin`"),
        (json!([{ "op": "move", "from": "/pin", "path": "/title" }]), 0, "there is nothing at `/pin`"),
        (json!([{ "op": "remove", "path": "" }]), 0, "a patch cannot remove the document itself: use `DELETE`"),
    ] {
        let problem = patch(&admin, "x", operations.clone()).await.problem(422, "patch-failed");
        assert_eq!((&problem["operation"], &problem["detail"]), (&json!(operation), &json!(detail)), "{operations}");
    }
    // The validator judges what comes of it.
    let long = json!([{ "op": "replace", "path": "/title", "value": "a title that is too long" }]);
    let problem = patch(&admin, "x", long).await.problem(422, "invalid-document");
    assert_eq!(problem["errors"][0]["pointer"], "/title");
    assert_eq!(stored(&api, "x").await, before);
    patch(&admin, "y", json!([])).await.problem(404, "unknown-document");
    // Nothing is written where nothing changes.
    for nothing in [
        json!([]),
        json!([{ "op": "test", "path": "/title", "value": "t" }]),
        json!([{ "op": "replace", "path": "/title", "value": "t" }]),
        json!([{ "op": "move", "from": "/title", "path": "/x" }, { "op": "move", "from": "/x", "path": "/title" }]),
    ] {
        patch(&admin, "x", nothing).await.ok(200);
        assert_eq!(stored(&api, "x").await, before);
    }
}

#[tokio::test]
async fn a_text_that_is_no_json_patch_is_refused() {
    let api = shelves().await;
    let admin = who(&api, "admin");
    for (text, line, column, pointer) in [
        (r#"{"title":"u"}"#, 1, 1, Value::Null),
        ("[{\"op\":\"test\",\"path\":\"\",\"value\":{}},\n {\"op\":\"put\",\"path\":\"/a\"}]", 2, 8, json!("/1/op")),
        (r#"[{"op":"add","path":"/a.b","value":1}]"#, 1, 2, json!("/0/path")),
        (r#"[{"op":"add","path":"/title","value":{"$set":1}}]"#, 1, 39, Value::Null),
    ] {
        let headers = [("content-type", JSON_PATCH)];
        let answer = admin.send(Method::PATCH, "/v1/things/x", &headers, text).await;
        let problem = answer.problem(400, "malformed-body");
        let found = (&problem["line"], &problem["column"], problem.get("pointer").unwrap_or(&Value::Null));
        assert_eq!(found, (&json!(line), &json!(column), &pointer), "{problem}");
    }
}

#[tokio::test]
async fn what_the_service_writes_is_not_for_patches() {
    let api = shelves().await;
    let admin = who(&api, "admin");
    let before = doc! {
        "_id": "x", "title": "t", "state": "new", "created": mongodb::bson::DateTime::MIN, "pin": "1234",
        "publisher": { "name": "p", "rank": 1 }
    };
    store(&api, before.clone()).await;
    for (operation, pointer) in [
        (json!({ "op": "replace", "path": "/state", "value": "old" }), "/state"),
        (json!({ "op": "remove", "path": "/state" }), "/state"),
        (json!({ "op": "move", "from": "/state", "path": "/title" }), "/state"),
        (json!({ "op": "copy", "from": "/title", "path": "/state" }), "/state"),
        (json!({ "op": "add", "path": "/created", "value": "2024-05-01T00:00:00Z" }), "/created"),
        (json!({ "op": "add", "path": "/changed", "value": "2024-05-01T00:00:00Z" }), "/changed"),
        (json!({ "op": "remove", "path": "/publisher" }), "/publisher/rank"),
        (json!({ "op": "replace", "path": "/publisher", "value": { "name": "q" } }), "/publisher/rank"),
        (json!({ "op": "replace", "path": "/publisher", "value": 1 }), "/publisher/rank"),
        (json!({ "op": "replace", "path": "/publisher/rank", "value": 2 }), "/publisher/rank"),
        (json!({ "op": "replace", "path": "/_id", "value": "y" }), "/_id"),
        (json!({ "op": "remove", "path": "/_id" }), "/_id"),
        (json!({ "op": "replace", "path": "", "value": { "_id": "y", "title": "u" } }), "/_id"),
    ] {
        for condition in [None, Some("*")] {
            let answer = send(&admin, "x", (JSON_PATCH, &json!([operation])), condition).await;
            let problem = answer.problem(422, "read-only-field");
            assert_eq!(problem["pointers"], json!([pointer]), "{operation}");
        }
    }
    assert_eq!(stored(&api, "x").await, before);
    // To send them as they are is no mistake, and what may not be read may be written.
    let whole = admin.get("/v1/things/x").await.ok(200);
    let operations = json!([
        { "op": "replace", "path": "", "value": whole },
        { "op": "test", "path": "/state", "value": "new" },
        { "op": "replace", "path": "/state", "value": "new" },
        { "op": "copy", "from": "/publisher/rank", "path": "/n" },
        { "op": "add", "path": "/pin", "value": "4321" },
    ]);
    patch(&admin, "x", operations).await.ok(200);
    let mut after = stored(&api, "x").await;
    assert!(after.remove("changed").is_some());
    let mut expected = before;
    expected.insert("n", 1);
    expected.insert("pin", "4321");
    assert_eq!(sorted(after.into()), sorted(expected.into()));
}

#[tokio::test]
async fn what_is_hidden_is_not_there_for_patches() {
    let api = shelves().await;
    let clerk = who(&api, "clerk");
    let before = doc! {
        "_id": "x", "title": "t", "cost": 5, "publisher": { "margin": 2, "name": "p" }, "lots": [{ "cost": 1 }]
    };
    store(&api, before.clone()).await;
    for path in ["/cost", "/publisher/margin", "/lots/0/cost", "/lots/-/cost"] {
        for operation in [
            json!({ "op": "add", "path": path, "value": 5 }),
            json!({ "op": "replace", "path": path, "value": 5 }),
            json!({ "op": "remove", "path": path }),
            json!({ "op": "test", "path": path, "value": 5 }),
            json!({ "op": "copy", "from": path, "path": "/x" }),
            json!({ "op": "move", "from": path, "path": "/x" }),
            json!({ "op": "copy", "from": "/title", "path": path }),
        ] {
            let problem = patch(&clerk, "x", json!([operation])).await.problem(403, "forbidden-field");
            assert_eq!(problem["pointers"], json!([path]), "{operation}");
        }
    }
    for operation in [
        json!({ "op": "add", "path": "/publisher", "value": { "margin": 2 } }),
        json!({ "op": "add", "path": "", "value": { "title": "t", "cost": 5 } }),
        json!({ "op": "add", "path": "/lots/-", "value": {} }),
        json!({ "op": "remove", "path": "/lots/0" }),
        json!({ "op": "replace", "path": "/publisher", "value": 1 }),
    ] {
        patch(&clerk, "x", json!([operation])).await.problem(403, "forbidden-field");
    }
    assert_eq!(stored(&api, "x").await, before);
    // What is out of sight stays, whatever becomes of the rest.
    let operations = json!([
        { "op": "test", "path": "", "value": { "_id": "x", "title": "t", "publisher": { "name": "p" }, "lots": [{}] } },
        { "op": "copy", "from": "/publisher", "path": "/n" },
        { "op": "remove", "path": "/publisher" },
        { "op": "copy", "from": "/lots", "path": "/m" },
    ]);
    patch(&clerk, "x", operations).await.ok(200);
    let mut after = stored(&api, "x").await;
    assert!(after.remove("changed").is_some());
    let expected = doc! {
        "_id": "x", "title": "t", "cost": 5, "publisher": { "margin": 2 }, "lots": [{ "cost": 1 }],
        "n": { "name": "p" }, "m": [{}]
    };
    assert_eq!(sorted(after.into()), sorted(expected.into()));
}

#[tokio::test]
async fn patches_of_many_at_a_time_lose_nothing() {
    let api = Api::things(free(true)).await;
    api.post("/v1/things", json!({ "_id": "x", "list": [], "n": {} })).await.ok(201);
    let count = 40;
    each((0..count).collect(), async |n, _| {
        let operations = json!([
            { "op": "add", "path": "/list/-", "value": n },
            { "op": "add", "path": format!("/n/a{n}"), "value": n },
        ]);
        patch(&api, "x", operations).await.ok(200);
        patch(&api, "x", json!([{ "op": "add", "path": format!("/n/b{n}"), "value": n }])).await.ok(200);
    })
    .await;
    let document = api.get("/v1/things/x").await.ok(200);
    assert_eq!(document["n"].as_object().unwrap().len(), 2 * count);
    let mut list: Vec<_> = document["list"].as_array().unwrap().iter().map(|n| n.as_u64().unwrap()).collect();
    list.sort_unstable();
    assert!(list.into_iter().eq(0..count as u64), "{document}");
}

#[tokio::test]
async fn a_test_takes_the_place_of_a_precondition() {
    let api = Api::things(free(false)).await;
    api.post("/v1/things", json!({ "_id": "x", "version": 1 })).await.ok(201);
    let next =
        json!([{ "op": "test", "path": "/version", "value": 1 }, { "op": "replace", "path": "/version", "value": 2 }]);
    let answers = futures::future::join_all((0..20).map(|_| patch(&api, "x", next.clone()))).await;
    let (done, failed): (Vec<_>, Vec<_>) = answers.into_iter().partition(|answer| answer.status == 200);
    assert_eq!(done.len(), 1);
    for answer in failed {
        assert_eq!(answer.problem(422, "patch-failed")["operation"], 0);
    }
    let tag = api.get("/v1/things/x").await.header("etag").to_owned();
    send(&api, "x", (JSON_PATCH, &json!([])), Some(r#""other""#)).await.problem(412, "precondition-failed");
    let third = json!([{ "op": "replace", "path": "/version", "value": 3 }]);
    send(&api, "x", (JSON_PATCH, &third), Some(&tag)).await.ok(200);
}
