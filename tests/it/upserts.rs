//! Documents that a PUT makes where there are none.

use futures::future::join_all;
use mongodb::bson::doc;
use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{Api, Client};

fn file() -> Value {
    json!({
        "type": "object",
        "properties": {
            "_id": { "bsonType": "int" },
            "n": { "bsonType": "int", "maximum": 9 },
            "d": { "default": 7 },
            "made": { "bsonType": "date", "x-set": { "insert": "now" } },
            "changed": { "bsonType": "date", "x-set": { "insert": "now", "update": "now" } }
        }
    })
}

#[tokio::test]
async fn a_put_makes_what_is_not_there_and_replaces_what_is() {
    let api = Api::things(file()).await;
    api.put("/v1/things/1", r#"{"n":1}"#).await.problem(404, "unknown-document");
    api.put("/v1/things/1?upsert=false", r#"{"n":1}"#).await.problem(404, "unknown-document");
    let made = api.put("/v1/things/1?upsert=true", r#"{"n":1}"#).await;
    assert_eq!((made.status, made.header("location")), (201, "/v1/things/1"));
    assert_eq!((&made.json()["n"], &made.json()["d"]), (&json!(1), &json!(7)));
    let replaced = api.put("/v1/things/1?upsert=true", r#"{"n":2}"#).await;
    assert!(replaced.status == 200 && !replaced.headers.contains_key("location"), "{replaced:?}");
    assert_eq!((&replaced.json()["n"], &replaced.json()["made"]), (&json!(2), &made.json()["made"]));
    assert_ne!(replaced.header("etag"), made.header("etag"));
    let same = api.put("/v1/things/1?upsert=true", r#"{"n":2,"d":7}"#).await;
    assert_eq!((same.status, same.header("etag")), (200, replaced.header("etag")));
    for path in ["/v1/things/1", "/v1/things/2"] {
        api.put(&format!("{path}?upsert=true"), r#"{"n":10}"#).await.problem(422, "invalid-document");
        api.put(&format!("{path}?upsert=true"), r#"{"_id":3}"#).await.problem(422, "read-only-field");
        api.put(&format!("{path}?upsert=1"), "{}").await.problem(400, "invalid-query");
        api.put(&format!("{path}?all=true"), "{}").await.problem(400, "invalid-query");
    }
    assert_eq!(api.count("things").await, 1);
}

#[tokio::test]
async fn a_precondition_says_which_of_both() {
    let api = Api::things(file()).await;
    let put = |headers: &'static [(&str, &str)], id: i32| {
        let headers = [&[("content-type", "application/json")], headers].concat();
        let path = format!("/v1/things/{id}?upsert=true");
        let api = &api;
        async move { api.send(Method::PUT, &path, &headers, r#"{"n":1}"#).await }
    };
    put(&[("if-match", "*")], 1).await.problem(412, "precondition-failed");
    put(&[("if-match", "\"x\"")], 1).await.problem(412, "precondition-failed");
    assert_eq!(put(&[("if-none-match", "*")], 1).await.status, 201);
    put(&[("if-none-match", "*")], 1).await.problem(412, "precondition-failed");
    assert_eq!(put(&[("if-match", "*")], 1).await.status, 200);
}

#[tokio::test]
async fn of_many_at_once_one_makes_and_the_others_replace() {
    let api = Api::things(json!({ "type": "object", "properties": { "_id": { "bsonType": "int" } } })).await;
    for id in 0..5 {
        let path = format!("/v1/things/{id}?upsert=true");
        let answers = join_all((0..40).map(|by| api.put(&path, json!({ "by": by })))).await;
        let count = |status| answers.iter().filter(|answer| answer.status == status).count();
        assert_eq!((count(201), count(200)), (1, 39), "{answers:?}");
    }
}

/// Who may write documents of their own only.
async fn own() -> (Api, Client) {
    let own = json!({ "ops": ["read", "write"], "filter": { "by": "$user.id" }, "set": { "by": "$user.id" } });
    let mut file = file();
    file["properties"]["by"] = json!({ "type": "string" });
    file["x-access"] = json!({ "writer": own, "changer": ["read", "update"], "maker": ["insert"] });
    let api = Api::closed(crate::support::catalog(&[("things", file)])).await;
    let ann = api.caller(&["writer"], "ann", json!({}));
    (api, ann)
}

#[tokio::test]
async fn rights_are_those_of_what_is_done() {
    let (api, ann) = own().await;
    assert_eq!(ann.put("/v1/things/1?upsert=true", r#"{"n":1}"#).await.ok(201)["by"], "ann");
    assert_eq!(ann.put("/v1/things/1?upsert=true", r#"{"n":2}"#).await.ok(200)["by"], "ann");
    let changer = api.caller(&["changer"], "bob", json!({}));
    changer.put("/v1/things/1?upsert=true", r#"{"n":3,"by":"ann"}"#).await.ok(200);
    changer.put("/v1/things/2?upsert=true", "{}").await.problem(403, "forbidden");
    let maker = api.caller(&["maker"], "cy", json!({}));
    maker.put("/v1/things/2?upsert=true", "{}").await.problem(403, "forbidden");
    // One that is there and out of sight is not replaced.
    let bob = api.caller(&["writer"], "bob", json!({}));
    bob.put("/v1/things/1?upsert=true", r#"{"n":4}"#).await.problem(409, "duplicate");
    let stored = api.collection("things").find_one(doc! {}).await.unwrap().unwrap();
    assert_eq!((stored.get_i32("n").unwrap(), stored.get_str("by").unwrap()), (3, "ann"));
    assert_eq!(api.count("things").await, 1);
}
