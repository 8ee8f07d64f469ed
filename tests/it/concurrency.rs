//! Many at once.

use futures::future::join_all;
use mongodb::bson::doc;
use reqwest::Method;
use serde_json::json;

use crate::support::{Api, effort};

#[tokio::test]
async fn of_a_hundred_conditional_updates_one_wins() {
    let api = Api::things(json!({ "type": "object", "properties": { "by": { "bsonType": "int" } } })).await;
    for _ in 0..effort() {
        let made = api.post("/v1/things", json!({ "by": -1 })).await;
        let path = format!("/v1/things/{}", made.ok(201)["_id"].as_str().unwrap());
        let tag = made.header("etag");
        let headers = [("content-type", "application/json"), ("if-match", tag)];
        let writers = (0..100).map(|by| api.send(Method::PATCH, &path, &headers, json!({ "by": by }).to_string()));
        let answers = join_all(writers).await;
        let winners: Vec<_> = answers.iter().filter(|answer| answer.status == 200).collect();
        assert_eq!(winners.len(), 1);
        assert_eq!(answers.iter().filter(|answer| answer.status == 412).count(), 99);
        assert_eq!(api.get(&path).await.json()["by"], winners[0].json()["by"]);
    }
}

#[tokio::test]
async fn unconditional_updates_all_happen() {
    let api = Api::things(json!({ "type": "object" })).await;
    let made = api.post("/v1/things", json!({})).await.ok(201);
    let path = format!("/v1/things/{}", made["_id"].as_str().unwrap());
    let answers = join_all((0..40).map(|n| api.patch(&path, json!({ format!("f{n}"): n })))).await;
    assert!(answers.iter().all(|answer| answer.status == 200), "{answers:?}");
    assert_eq!(api.get(&path).await.json().as_object().unwrap().len(), 41);
}

#[tokio::test]
async fn a_write_between_read_and_conditional_write_is_seen() {
    let api = Api::things(json!({ "type": "object" })).await;
    let made = api.post("/v1/things", json!({ "n": 1, "d": { "$numberDecimal": "1.0" } })).await;
    let path = format!("/v1/things/{}", made.ok(201)["_id"].as_str().unwrap());
    for change in
        [doc! { "n": 1_i64 }, doc! { "n": 1.0 }, doc! { "d": "1.00".parse::<mongodb::bson::Decimal128>().unwrap() }]
    {
        let tag = api.get(&path).await.header("etag").to_owned();
        api.collection("things").update_one(doc! {}, doc! { "$set": change }).await.unwrap();
        let headers = [("content-type", "application/json"), ("if-match", tag.as_str())];
        api.send(Method::PATCH, &path, &headers, r#"{"x":1}"#).await.problem(412, "precondition-failed");
    }
    assert!(api.get(&path).await.json().get("x").is_none());
}

#[tokio::test]
async fn of_many_creators_of_one_id_one_wins() {
    let api = Api::things(json!({ "type": "object" })).await;
    let path = "/v1/things/6650f0000000000000000001";
    let headers = [("content-type", "application/json"), ("if-none-match", "*")];
    let answers =
        join_all((0..50).map(|by| api.send(Method::PUT, path, &headers, json!({ "by": by }).to_string()))).await;
    assert_eq!(answers.iter().filter(|answer| answer.status == 201).count(), 1);
    assert_eq!(answers.iter().filter(|answer| answer.status == 412).count(), 49, "{answers:?}");
}
