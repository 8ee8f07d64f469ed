//! `Prefer: return`, and what answers to writes hold.

use reqwest::Method;
use serde_json::json;

use crate::support::{Answer, Api};

const MINIMAL: (&str, &str) = ("prefer", "return=minimal");
const WHOLE: (&str, &str) = ("prefer", "foo; bar=\"a, b\", Return=representation");
const JSON: (&str, &str) = ("content-type", "application/json");

fn has(answer: &Answer, header: &str) -> bool {
    answer.headers.contains_key(header)
}

#[tokio::test]
async fn a_write_answers_with_the_document_unless_it_is_not_wanted() {
    let api = Api::things(json!({ "type": "object", "properties": { "_id": { "bsonType": "int" } } })).await;
    for (method, path, body, status) in [
        (Method::POST, "/v1/things", r#"{"_id":1}"#, (201, 201)),
        (Method::PUT, "/v1/things/1", r#"{"n":1}"#, (200, 204)),
        (Method::PUT, "/v1/things/1?upsert=true", r#"{"n":2}"#, (201, 201)),
        (Method::PATCH, "/v1/things/1", r#"{"n":3}"#, (200, 204)),
        (Method::PATCH, "/v1/things/1", r#"{"$set":{"n":4}}"#, (200, 204)),
        (Method::PATCH, "/v1/things/1", "{}", (200, 204)),
    ] {
        for (preference, status) in [(None, status.0), (Some(WHOLE), status.0), (Some(MINIMAL), status.1)] {
            let is_new = status == 201;
            api.delete("/v1/things/1").await;
            if !is_new {
                api.post("/v1/things", r#"{"_id":1}"#).await.ok(201);
            }
            let headers: Vec<_> = [Some(JSON), preference].into_iter().flatten().collect();
            let answer = api.send(method.clone(), path, &headers, body).await;
            let stored = api.get("/v1/things/1").await;
            let what = format!("{method} {path} {preference:?}: {answer:?}");
            assert_eq!(answer.status, status, "{what}");
            assert_eq!(has(&answer, "location"), is_new, "{what}");
            assert_eq!(answer.header("etag"), stored.header("etag"), "{what}");
            assert!(answer.header("vary").contains("Prefer"), "{what}");
            let applied = preference.map(|(_, value)| value.to_lowercase().split(", ").last().unwrap().to_owned());
            assert_eq!(
                has(&answer, "preference-applied").then(|| answer.header("preference-applied").to_owned()),
                applied
            );
            let body = if preference == Some(MINIMAL) { "" } else { &stored.text };
            assert_eq!(answer.text, body, "{what}");
        }
    }
}

#[tokio::test]
async fn a_refusal_applies_no_preference() {
    let api = Api::things(json!({ "type": "object", "required": ["n"] })).await;
    let answer = api.send(Method::POST, "/v1/things", &[JSON, MINIMAL], "{}").await;
    answer.problem(422, "invalid-document");
    assert!(!has(&answer, "preference-applied"));
    let made = api.send(Method::POST, "/v1/things", &[JSON, ("prefer", "return=nothing, wait=5")], r#"{"n":1}"#).await;
    assert!(made.status == 201 && !has(&made, "preference-applied") && made.json()["n"] == 1);
}

#[tokio::test]
async fn the_tag_of_what_is_not_shown_is_of_the_representation() {
    let api = Api::things(json!({ "type": "object", "properties": { "_id": { "bsonType": "int" } } })).await;
    let accept = ("accept", "application/ejson; mode=canonical");
    let made = api.send(Method::POST, "/v1/things", &[JSON, MINIMAL, accept], r#"{"_id":1}"#).await;
    let read = api.send(Method::GET, "/v1/things/1", &[accept], "").await;
    assert_eq!(made.header("etag"), read.header("etag"));
    assert_ne!(made.header("etag"), api.get("/v1/things/1").await.header("etag"));
}

#[tokio::test]
async fn a_patch_of_another_kind_is_told_which_are_taken() {
    let api = Api::things(json!({ "type": "object" })).await;
    let path = "/v1/things/6650f0000000000000000001";
    let answer = api.send(Method::PATCH, path, &[("content-type", "text/plain")], "{}").await;
    answer.problem(415, "unsupported-media-type");
    let taken = "application/merge-patch+json, application/json-patch+json, application/json";
    assert_eq!(answer.header("accept-patch"), taken);
    assert!(!has(&api.send(Method::PUT, path, &[("content-type", "text/plain")], "{}").await, "accept-patch"));
}

#[tokio::test]
async fn json_is_operators_or_a_merge_patch_and_never_both() {
    let api = Api::things(json!({ "type": "object" })).await;
    let made = api.post("/v1/things", json!({ "a": { "b": 1 }, "l": [1, 2] })).await;
    let path = made.header("location").to_owned();
    let json = async |path: &str, body: &str| api.send(Method::PATCH, path, &[JSON], body.to_owned()).await;
    assert_eq!(json(&path, r#"{"a":{"c":2}}"#).await.ok(200)["a"], json!({ "b": 1, "c": 2 }));
    assert_eq!(json(&path, r#"{"$set":{"a.c":3}}"#).await.ok(200)["a"], json!({ "b": 1, "c": 3 }));
    let problem = json(&path, r#"{"$set":{"a.c":3},"x":1}"#).await.problem(400, "malformed-body");
    assert_eq!(problem["column"], 19);
    let problem = json(&path, r#"[{"op":"remove","path":"/a"}]"#).await.problem(400, "malformed-body");
    assert!(problem["detail"].as_str().unwrap().contains("`application/json-patch+json`"), "{problem}");
    for (kind, body) in [("application/merge-patch+json", r#"{"$set":{"a":1}}"#), (JSON.1, r#"{"$where":"1"}"#)] {
        let headers = [("content-type", kind)];
        api.send(Method::PATCH, &path, &headers, body).await.problem(400, "malformed-body");
    }
    let filters = format!("{path}?arrayFilters=%5B%7B%22i%22:2%7D%5D");
    assert_eq!(json(&filters, r#"{"$set":{"l.$[i]":5}}"#).await.ok(200)["l"], json!([1, 5]));
    let problem = json(&filters, r#"{"l":[]}"#).await.problem(400, "invalid-query");
    assert_eq!(problem["parameter"], "arrayFilters");
    json(&format!("{path}?upsert=true"), "{}").await.problem(400, "invalid-query");
}
