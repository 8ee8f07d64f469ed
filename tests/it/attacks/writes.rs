//! Row 10: fields that clients may not write.

use bson::{DateTime, doc, oid::ObjectId};
use reqwest::Method;
use serde_json::{Value, json};

use super::{JSON, refused};
use crate::support::Api;

const ID: &str = "6650f0000000000000000001";

fn accounts() -> Value {
    json!({
        "type": "object",
        "additionalProperties": false,
        "properties": {
            "name": { "type": "string" },
            "role": { "type": "string", "readOnly": true },
            "made": { "bsonType": "date", "x-set": { "insert": "now" } },
            "changed": { "bsonType": "date", "x-set": { "insert": "now", "update": "now" } },
            "inner": { "type": "object", "additionalProperties": false, "properties": {
                "note": { "type": "string" },
                "level": { "bsonType": "int", "readOnly": true },
                "at": { "bsonType": "date", "x-set": { "insert": "now" } }
            } }
        }
    })
}

/// Values for the fields that nobody may write.
const FORGED: [&str; 14] = [
    r#""role":"admin""#,
    r#""role":null"#,
    r#""role":{}"#,
    r#""role":["admin"]"#,
    r#""\u0072ole":"admin""#,
    r#""made":"1999-01-01T00:00:00Z""#,
    r#""made":{"$date":"1999-01-01T00:00:00Z"}"#,
    r#""changed":"1999-01-01T00:00:00Z""#,
    r#""inner":{"level":9}"#,
    r#""inner":{"note":"x","level":9}"#,
    r#""inner":{"level":null}"#,
    r#""inner":{"at":"1999-01-01T00:00:00Z"}"#,
    r#""inner":"x""#,
    r#""inner":[{"level":9}]"#,
];

/// Ways around that other interfaces know.
const AROUND: [&str; 16] = [
    r#"{"$set":{"role":"admin"}}"#,
    r#"{"$set":{"inner.level":9}}"#,
    r#"{"$setOnInsert":{"role":"admin"}}"#,
    r#"{"$rename":{"name":"role"}}"#,
    r#"{"$unset":{"inner":1}}"#,
    r#"{"$currentDate":{"made":true}}"#,
    r#"{"$inc":{"inner.level":9}}"#,
    r#"{"$push":{"inner":{"level":9}}}"#,
    r#"{"name":"x","$set":{"role":"admin"}}"#,
    r#"{"inner.level":9}"#,
    r#"{"inner":{"$set":{"level":9}}}"#,
    r#"{"inner.level":null}"#,
    r#"[{"op":"replace","path":"/role","value":"admin"}]"#,
    r#"[{"op":"move","from":"/name","path":"/role"}]"#,
    r#"[{"op":"copy","from":"/name","path":"/inner/level"}]"#,
    r#"[{"$set":{"role":"admin"}}]"#,
];

async fn stored(api: &Api) -> bson::Document {
    api.collection("things").find_one(doc! {}).await.unwrap().unwrap()
}

#[tokio::test]
async fn row_10_protected_fields_cannot_be_reached() {
    let api = Api::things(accounts()).await;
    for forged in FORGED {
        if !forged.contains("null") {
            let body = format!("{{\"name\":\"x\",{forged}}}");
            refused(&api.post("/v1/things", &body).await, &[400, 422], &body);
            let headers = [JSON, ("if-none-match", "*")];
            let answer = api.send(Method::PUT, &format!("/v1/things/{ID}"), &headers, body.clone()).await;
            refused(&answer, &[400, 422], &body);
        }
    }
    assert_eq!(api.count("things").await, 0);
    let then = DateTime::from_millis(1_000_000_000_000);
    let id = ObjectId::parse_str(ID).unwrap();
    let before = doc! { "_id": id, "name": "x", "role": "user", "made": then, "changed": then,
    "inner": { "note": "x", "level": 1, "at": then } };
    api.collection("things").insert_one(&before).await.unwrap();
    let one = format!("/v1/things/{ID}");
    for forged in FORGED {
        let body = format!("{{\"name\":\"y\",{forged}}}");
        for method in [Method::PUT, Method::PATCH] {
            let answer = api.send(method, &one, &[JSON], body.clone()).await;
            refused(&answer, &[400, 422], &body);
            assert_eq!(stored(&api).await, before, "{body}");
        }
    }
    for parent in [r#"{"inner":null}"#, r#"{"inner":{"note":"y","level":null}}"#] {
        refused(&api.patch(&one, parent).await, &[422], parent);
    }
    for around in AROUND {
        let types = ["application/json", "application/merge-patch+json", "application/json-patch+json"];
        for (method, path) in [(Method::PATCH, one.as_str()), (Method::PUT, &one), (Method::POST, "/v1/things")] {
            for media_type in types {
                let answer = api.send(method.clone(), path, &[("content-type", media_type)], around).await;
                refused(&answer, &[400, 415, 422], around);
                assert_eq!(stored(&api).await, before, "{around}");
            }
        }
    }
    for id in [r#"{"_id":"6650f0000000000000000002"}"#, r#"{"_id":null}"#, r#"{"_id":{}}"#] {
        for method in [Method::PUT, Method::PATCH] {
            let answer = api.send(method.clone(), &one, &[JSON], id).await;
            assert!(answer.status == 422 || (method == Method::PUT && answer.status == 400), "{id}: {answer:?}");
        }
    }
    // What is left out of a replacement stays.
    let answer = api.put(&one, json!({ "name": "z", "inner": { "note": "z" } })).await.ok(200);
    assert_eq!((&answer["role"], &answer["inner"]["level"]), (&json!("user"), &json!(1)));
    let after = stored(&api).await;
    let inner = after.get_document("inner").unwrap();
    assert_eq!((after.get_datetime("made").unwrap(), inner.get_datetime("at").unwrap()), (&then, &then));
    assert!(after.get_datetime("changed").unwrap() > &then);
}
