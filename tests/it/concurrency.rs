//! Many at once.

use futures::future::join_all;
use mongodb::bson::doc;
use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{Answer, Api, effort};

const JSON: &str = "application/json";
const MERGE: &str = "application/merge-patch+json";
const PATCH: &str = "application/json-patch+json";

async fn things() -> Api {
    let by = json!({ "bsonType": "int" });
    let log = json!({ "type": "array", "items": by });
    Api::things(json!({ "type": "object", "properties": { "by": by, "n": by, "log": log } })).await
}

fn count(answers: &[Answer], status: u16) -> usize {
    answers.iter().filter(|answer| answer.status == status).count()
}

/// The bodies that set `by`, of each media type in which a document is changed.
fn bodies(by: i32) -> [(Method, &'static str, Value); 5] {
    [
        (Method::PUT, JSON, json!({ "by": by })),
        (Method::PATCH, JSON, json!({ "by": by })),
        (Method::PATCH, MERGE, json!({ "by": by })),
        (Method::PATCH, PATCH, json!([{ "op": "add", "path": "/by", "value": by }])),
        (Method::PATCH, JSON, json!({ "$set": { "by": by } })),
    ]
}

#[tokio::test]
async fn of_a_hundred_conditional_updates_one_wins() {
    let api = things().await;
    for way in (0..bodies(0).len()).cycle().take(bodies(0).len() * effort()) {
        let made = api.post("/v1/things", json!({ "by": -1 })).await;
        let path = format!("/v1/things/{}", made.ok(201)["_id"].as_str().unwrap());
        let tag = made.header("etag");
        let answers = join_all((0..100).map(async |by| {
            let (method, media, body) = bodies(by).into_iter().nth(way).unwrap();
            api.send(method, &path, &[("content-type", media), ("if-match", tag)], body.to_string()).await
        }));
        let answers = answers.await;
        let winners: Vec<_> = answers.iter().filter(|answer| answer.status == 200).collect();
        assert_eq!((winners.len(), count(&answers, 412)), (1, 99), "{:?}", bodies(0)[way]);
        assert_eq!(api.get(&path).await.json()["by"], winners[0].json()["by"]);
        let lost = answers.iter().find(|answer| answer.status == 412).unwrap();
        lost.problem(412, "precondition-failed");
    }
}

/// Of a hundred deletions, one finds the document; the others find none.
#[tokio::test]
async fn of_a_hundred_deletions_one_deletes() {
    let api = things().await;
    for condition in [None, Some("*")] {
        let made = api.post("/v1/things", json!({})).await.ok(201);
        let path = format!("/v1/things/{}", made["_id"].as_str().unwrap());
        let headers: Vec<_> = condition.map(|tag| ("if-match", tag)).into_iter().collect();
        let answers = join_all((0..100).map(|_| api.send(Method::DELETE, &path, &headers, ""))).await;
        assert_eq!((count(&answers, 204), count(&answers, 404)), (1, 99), "{condition:?}");
    }
}

#[tokio::test]
async fn unconditional_updates_all_happen() {
    let api = things().await;
    let made = api.post("/v1/things", json!({ "n": 0, "log": [] })).await.ok(201);
    let path = format!("/v1/things/{}", made["_id"].as_str().unwrap());
    let patches = |n: usize| {
        [
            (MERGE, json!({ format!("f{n}"): n })),
            (PATCH, json!([{ "op": "add", "path": format!("/f{n}"), "value": n }])),
            // What follows from the place of others in the array has to be worked out on the document.
            (
                PATCH,
                json!([{ "op": "test", "path": "/f0", "value": 0 }, { "op": "add", "path": format!("/f{n}"), "value": n }]),
            ),
            (JSON, json!({ "$set": { format!("f{n}"): n }, "$inc": { "n": 1 }, "$push": { "log": n } })),
        ]
    };
    assert_eq!(api.patch(&path, json!({ "f0": 0 })).await.status, 200);
    let answers = join_all((1..=100).map(async |n| {
        let (media, body) = patches(n).into_iter().nth(n % 4).unwrap();
        api.send(Method::PATCH, &path, &[("content-type", media)], body.to_string()).await
    }));
    let answers = answers.await;
    assert_eq!(count(&answers, 200), 100, "{:?}", answers.iter().find(|answer| answer.status != 200));
    let stored = api.get(&path).await.json();
    let fields = stored.as_object().unwrap().keys().filter(|name| name.starts_with('f')).count();
    assert_eq!((fields, &stored["n"], stored["log"].as_array().unwrap().len()), (101, &json!(25), 25), "{stored}");
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
    let api = things().await;
    let path = "/v1/things/6650f0000000000000000001";
    let headers = [("content-type", JSON), ("if-none-match", "*")];
    let answers =
        join_all((0..100).map(|by| api.send(Method::PUT, path, &headers, json!({ "by": by }).to_string()))).await;
    assert_eq!((count(&answers, 201), count(&answers, 412)), (1, 99), "{:?}", answers[0]);
    let body = |by: i32| json!({ "_id": "6650f0000000000000000002", "by": by });
    let answers = join_all((0..100).map(|by| api.post("/v1/things", body(by)))).await;
    assert_eq!((count(&answers, 201), count(&answers, 409)), (1, 99), "{:?}", answers[0]);
    answers.iter().find(|answer| answer.status == 409).unwrap().problem(409, "duplicate");
}

#[tokio::test]
async fn of_many_upserts_one_creates_and_the_others_replace() {
    let api = things().await;
    let path = "/v1/things/6650f0000000000000000001?upsert=true";
    let answers = join_all((0..100).map(|by| api.put(path, json!({ "by": by })))).await;
    assert_eq!((count(&answers, 201), count(&answers, 200)), (1, 99), "{:?}", answers[0]);
    assert_eq!(api.count("things").await, 1);
}

/// Who has no time to wait until it is their turn is told so, and nothing is done.
#[tokio::test]
async fn who_is_in_the_way_of_others_for_too_long_is_told() {
    let api = things().await;
    let made = api.post("/v1/things", json!({ "n": 0 })).await.ok(201);
    let path = format!("/v1/things/{}", made["_id"].as_str().unwrap());
    let mut session = api.database.db.client().start_session().await.unwrap();
    session.start_transaction().await.unwrap();
    api.collection("things").update_one(doc! {}, doc! { "$set": { "held": 1 } }).session(&mut session).await.unwrap();
    for (method, media, body) in bodies(1) {
        let headers = [("content-type", media), ("request-timeout", "0.5"), ("if-match", "*")];
        let answer = api.send(method, &path, &headers, body.to_string()).await;
        // The last try may have been slower than those before it.
        if answer.status == 504 {
            answer.problem(504, "deadline-exceeded");
        } else {
            answer.problem(409, "conflict");
            assert_eq!(answer.header("retry-after"), "1");
        }
    }
    session.abort_transaction().await.unwrap();
    assert_eq!(api.get(&path).await.json()["by"], Value::Null);
}
